"""Arctangent loss (Ceres Solver, halved): a/2 arctan(r^2/a), where r = prediction - target."""

from oracle import INF, REAL, mp, mpf

PREDICTION = REAL
TARGET = REAL
OPTIONS = [{}, {"scale": 0.25}, {"scale": 1024.0}, {"scale": 1.7}]  # the last has no root in either type
HARD = [  # near the zero of the curvature, and where the fourth power shows what the root of the scale has lost
    ({"scale": 1.7}, -0.9795681834220886, 0.029332632198929787),
    ({"scale": 1.7}, -1.9506222009658813, 0.8705644011497498),
    ({"scale": 1.7}, -1.0933614149780935, 0.7988619709964034),
    ({"scale": 2.5}, 3.0670940258489963, -0.4162747888329111),
]


def value(x, target, options):
    a = mpf(options.get("scale", 1))
    return a / 2 * mp.atan((x[0] - target) ** 2 / a)


def majorizer(x, target, options):
    """psi(r) / r: the arctangent is concave."""
    r = x[0] - target
    return mpf(0) if abs(r) == INF else 1 / (1 + (r**2 / mpf(options.get("scale", 1))) ** 2)
