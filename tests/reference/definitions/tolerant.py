"""Tolerant loss (Ceres Solver, halved): w/2 log((1 + exp((r^2 - a)/w)) / (1 + exp(-a/w))), where r = prediction - target."""

from oracle import REAL, exp, log, mpf

PREDICTION = REAL
TARGET = REAL
OPTIONS = [{}, {"scale": 2.25, "width": 0.375}]


def value(x, target, options):
    a, w = mpf(options.get("scale", 1)), mpf(options.get("width", 1))
    # Beyond 1e6 the difference to the exponential's linear limit is below 1e-400000.
    s = ((x[0] - target) ** 2 - a) / w
    above = s if s > mpf(10) ** 6 else log(1 + exp(s))
    return w / 2 * (above - log(1 + exp(-a / w)))
