"""Arctangent loss (Ceres Solver, halved): a/2 arctan(r^2/a), where r = prediction - target."""

from oracle import INF, REAL, mp, mpf

PREDICTION = REAL
TARGET = REAL
OPTIONS = [{}, {"scale": 0.25}, {"scale": 1024.0}]


def value(x, target, options):
    a = mpf(options.get("scale", 1))
    return a / 2 * mp.atan((x[0] - target) ** 2 / a)


def majorizer(x, target, options):
    """psi(r) / r: the arctangent is concave."""
    r = x[0] - target
    return mpf(0) if abs(r) == INF else 1 / (1 + (r**2 / mpf(options.get("scale", 1))) ** 2)
