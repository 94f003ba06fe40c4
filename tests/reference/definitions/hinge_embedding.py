"""Hinge embedding (PyTorch) of a distance d: d for similar pairs (y = +1), max(0, m - d) for others (y = -1), margin m = 1.
It has no quadratic majoriser."""

from oracle import REAL, SIGNS, mpf

PREDICTION = REAL
TARGET = SIGNS
OPTIONS = [{}, {"target_encoding": "zero_one"}, {"margin": 0.3125}, {"margin": 0.0}]
RANDOM_OPTIONS = 2  # of further options the tests would take the targets, among which a margin of 0 has no best constant


def value(x, target, options):
    return x[0] if target == 1 else max(mpf(0), mpf(options.get("margin", 1)) - x[0])


def kinks(target, options):
    return [] if target == 1 else [options.get("margin", 1)]
