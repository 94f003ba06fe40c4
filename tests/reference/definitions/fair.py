"""Fair (1974): c^2 (|r|/c - log(1 + |r|/c)), where r = prediction - target."""

from oracle import INF, REAL, log, mpf

PREDICTION = REAL
TARGET = REAL
OPTIONS = [{}, {"scale": 0.3125}, {"scale": 1024.5}]


def value(x, target, options):
    c = mpf(options.get("scale", 1))
    q = abs(x[0] - target) / c
    return c**2 * (q - log(1 + q))


def majorizer(x, target, options):
    """psi(r) / r (Huber and Ronchetti 2009, section 7.8)."""
    r = abs(x[0] - target)
    return mpf(0) if r == INF else 1 / (1 + r / mpf(options.get("scale", 1)))
