"""Perceptron (Rosenblatt 1958): max(0, -y x), y = -1 or +1. It has no quadratic majoriser."""

from oracle import REAL, SIGNS, mpf

PREDICTION = REAL
TARGET = SIGNS
OPTIONS = [{}, {"target_encoding": "zero_one"}]


def sign(target, options):
    return 2 * target - 1 if options.get("target_encoding") == "zero_one" else target


def value(x, target, options):
    return max(mpf(0), -sign(target, options) * x[0])


def kinks(target, options):
    return [0.0]
