"""Absolute error (Laplace 1774): |r|, where r = prediction - target."""

from oracle import INF, REAL, mpf

PREDICTION = REAL
TARGET = REAL
OPTIONS = [{}]


def value(x, target, options):
    return abs(x[0] - target)


def kinks(target, options):
    return [target]


def majorizer(x, target, options):
    """|r| <= r^2 / (2 |r0|) + |r0| / 2 (Hunter and Lange 2000)."""
    r = abs(x[0] - target)
    return INF if r == 0 else mpf(0) if r == INF else 1 / r
