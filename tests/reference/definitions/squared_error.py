"""Squared error (Gauss 1809): r^2, or r^2 / 2 with half = 1, where r = prediction - target."""

from oracle import REAL, mpf

PREDICTION = REAL
TARGET = REAL
OPTIONS = [{}, {"half": 1}]


def factor(options):
    return mpf(1) / 2 if options.get("half", 0) else mpf(1)


def value(x, target, options):
    return factor(options) * (x[0] - target) ** 2


def majorizer(x, target, options):
    """A quadratic is its own majoriser."""
    return 2 * factor(options)
