"""Squared epsilon-insensitive loss (Vapnik 1995): max(0, |r| - epsilon)^2."""

from oracle import REAL, mpf

PREDICTION = REAL
TARGET = REAL
OPTIONS = [{"epsilon": 0.125}, {"epsilon": 1.5}, {"epsilon": 0.0}]


def value(x, target, options):
    return max(mpf(0), abs(x[0] - target) - mpf(options["epsilon"])) ** 2


def kinks(target, options):
    return [target - options["epsilon"], target + options["epsilon"]]


def majorizer(x, target, options):
    return mpf(2)
