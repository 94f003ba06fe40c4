"""Huber (1964, eq. 2.1): r^2 / 2 for |r| <= delta, else delta (|r| - delta / 2), where r = prediction - target."""

from oracle import REAL, mpf

PREDICTION = REAL
TARGET = REAL
OPTIONS = [{}, {"delta": 0.3125}, {"delta": 1024.5}]


def value(x, target, options):
    r = abs(x[0] - target)
    delta = mpf(options.get("delta", 1))
    return r**2 / 2 if r <= delta else delta * (r - delta / 2)


def kinks(target, options):
    delta = options.get("delta", 1)
    return [target - delta, target + delta]


def majorizer(x, target, options):
    """psi(r) / r (Huber 1981, section 7.8)."""
    r = abs(x[0] - target)
    delta = mpf(options.get("delta", 1))
    return mpf(1) if r <= delta else delta / r
