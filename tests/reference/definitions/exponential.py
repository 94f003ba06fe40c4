"""Exponential loss (Friedman, Hastie and Tibshirani 2000): exp(-y x), y = -1 or +1. It has no quadratic majoriser."""

from oracle import REAL, SIGNS, exp

PREDICTION = REAL
TARGET = SIGNS
OPTIONS = [{}, {"target_encoding": "zero_one"}]


def sign(target, options):
    return 2 * target - 1 if options.get("target_encoding") == "zero_one" else target


def value(x, target, options):
    return exp(-sign(target, options) * x[0])
