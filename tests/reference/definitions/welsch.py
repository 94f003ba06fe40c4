"""Welsch or Leclerc loss (Dennis and Welsch 1978): c^2/2 (1 - exp(-(r/c)^2)), where r = prediction - target."""

from oracle import INF, REAL, exp, mpf

PREDICTION = REAL
TARGET = REAL
OPTIONS = [{}, {"scale": 0.3125}, {"scale": 1024.5}]


def square(x, target, options):
    return ((x[0] - target) / mpf(options.get("scale", 1))) ** 2


def value(x, target, options):
    c = mpf(options.get("scale", 1))
    return c**2 / 2 * (1 - exp(-square(x, target, options)))


def majorizer(x, target, options):
    """psi(r) / r (Huber and Ronchetti 2009, section 7.8)."""
    u = square(x, target, options)
    return mpf(0) if u == INF else exp(-u)
