"""Cauchy or Lorentzian loss (Black and Anandan 1996): c^2/2 log(1 + (r/c)^2), where r = prediction - target."""

from oracle import INF, REAL, log, mpf

PREDICTION = REAL
TARGET = REAL
OPTIONS = [{}, {"scale": 0.3125}, {"scale": 1024.5}]


def value(x, target, options):
    c = mpf(options.get("scale", 1))
    return c**2 / 2 * log(1 + ((x[0] - target) / c) ** 2)


def majorizer(x, target, options):
    """psi(r) / r (Huber and Ronchetti 2009, section 7.8)."""
    r = x[0] - target
    return mpf(0) if abs(r) == INF else 1 / (1 + (r / mpf(options.get("scale", 1))) ** 2)
