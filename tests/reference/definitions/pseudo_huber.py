"""Pseudo-Huber (Charbonnier et al. 1994): delta^2 (sqrt(1 + (r / delta)^2) - 1), where r = prediction - target."""

from oracle import INF, REAL, mp, mpf

PREDICTION = REAL
TARGET = REAL
OPTIONS = [{}, {"delta": 0.3125}, {"delta": 1024.5}]


def value(x, target, options):
    delta = mpf(options.get("delta", 1))
    return delta**2 * (mp.sqrt(1 + ((x[0] - target) / delta) ** 2) - 1)


def majorizer(x, target, options):
    """psi(r) / r (Huber and Ronchetti 2009, section 7.8)."""
    r = x[0] - target
    return mpf(0) if abs(r) == INF else 1 / mp.sqrt(1 + (r / mpf(options.get("delta", 1))) ** 2)
