"""Smooth L1 (Girshick 2015, eq. 3, with beta): r^2 / (2 beta) for |r| <= beta, else |r| - beta / 2; beta = 0 is |r|."""

from oracle import INF, REAL, mpf

PREDICTION = REAL
TARGET = REAL
OPTIONS = [{}, {"beta": 0.3125}, {"beta": 0.0}]


def value(x, target, options):
    r = abs(x[0] - target)
    beta = mpf(options.get("beta", 1))
    return r**2 / (2 * beta) if r <= beta and beta > 0 else r - beta / 2


def kinks(target, options):
    beta = options.get("beta", 1)
    return [target - beta, target + beta]


def majorizer(x, target, options):
    """psi(r) / r."""
    r = abs(x[0] - target)
    beta = mpf(options.get("beta", 1))
    if r <= beta:
        return 1 / beta if beta > 0 else INF
    return mpf(0) if r == INF else 1 / r
