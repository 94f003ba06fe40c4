"""Quantile loss (Koenker and Bassett 1978): tau weighs predictions that are too low, 1 - tau those that are too high."""

from oracle import INF, REAL, mpf

PREDICTION = REAL
TARGET = REAL
OPTIONS = [{}, {"quantile": 0.3125}, {"quantile": 0.875}]


def value(x, target, options):
    tau, r = mpf(options.get("quantile", 0.5)), x[0] - target
    return max((1 - tau) * r, -tau * r)


def kinks(target, options):
    return [target]


def majorizer(x, target, options):
    """Of |r| / 2, the part that is not linear (Hunter and Lange 2000)."""
    r = abs(x[0] - target)
    return INF if r == 0 else mpf(0) if r == INF else 1 / (2 * r)
