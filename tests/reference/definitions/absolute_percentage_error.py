"""Absolute percentage error as a fraction: |p - t| / max(|t|, floor)."""

from oracle import INF, REAL, mpf

PREDICTION = REAL
TARGET = REAL
OPTIONS = [{"floor": 2.0**-20}, {"floor": 1.0}]


def size(target, options):
    return max(abs(target), mpf(options["floor"]))


def value(x, target, options):
    return abs(x[0] - target) / size(target, options)


def kinks(target, options):
    return [target]


def majorizer(x, target, options):
    r = abs(x[0] - target)
    return INF if r == 0 else mpf(0) if r == INF else 1 / r / size(target, options)
