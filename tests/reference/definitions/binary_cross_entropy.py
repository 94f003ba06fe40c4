"""Binary cross-entropy of probabilities (Good 1952): -t log p - (1 - t) log(1 - p), t and p in [0, 1].
Its curvature is unbounded, so it has no quadratic majoriser."""

from oracle import UNIT, times_log

PREDICTION = UNIT
TARGET = UNIT
OPTIONS = [{}]


def value(x, target, options):
    return -times_log(target, x[0]) - times_log(1 - target, 1 - x[0])
