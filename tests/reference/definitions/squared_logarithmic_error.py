"""Squared logarithmic error: (log(1 + p) - log(1 + t))^2."""

from oracle import INF, log, mpf

PREDICTION = (mpf(-1), INF)
TARGET = (mpf(-1), INF)
TARGET_OPEN = True
OPTIONS = [{}]


def value(x, target, options):
    return log((1 + x[0]) / (1 + target)) ** 2
