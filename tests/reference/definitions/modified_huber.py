"""Modified Huber (Zhang 2004): of s = y x, y = -1 or +1, max(0, 1 - s)^2 where s >= -1, -4 s elsewhere."""

from oracle import REAL, SIGNS, mpf

PREDICTION = REAL
TARGET = SIGNS
OPTIONS = [{}, {"target_encoding": "zero_one"}]


def sign(target, options):
    return 2 * target - 1 if options.get("target_encoding") == "zero_one" else target


def value(x, target, options):
    s = sign(target, options) * x[0]
    return max(mpf(0), 1 - s)**2 if s >= -1 else -4 * s


def kinks(target, options):
    return [-1.0, 1.0]


def majorizer(x, target, options):
    """The largest curvature."""
    return mpf(2)
