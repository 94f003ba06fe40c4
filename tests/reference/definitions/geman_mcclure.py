"""Geman-McClure loss (1987): c^2/2 u/(1 + u), u = (r/c)^2, where r = prediction - target."""

from oracle import INF, REAL, mpf

PREDICTION = REAL
TARGET = REAL
OPTIONS = [{}, {"scale": 0.3125}, {"scale": 1024.5}]
HARD = [({}, float.fromhex("-0x1.03dd62p-1"), float.fromhex("-0x1.7a5d42p+0"))]


def square(x, target, options):
    return ((x[0] - target) / mpf(options.get("scale", 1))) ** 2


def value(x, target, options):
    c = mpf(options.get("scale", 1))
    u = square(x, target, options)
    return c**2 / 2 * u / (1 + u)


def majorizer(x, target, options):
    """psi(r) / r (Huber and Ronchetti 2009, section 7.8)."""
    u = square(x, target, options)
    return mpf(0) if u == INF else 1 / (1 + u) ** 2
