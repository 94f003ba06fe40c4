"""Smoothed hinge (Shalev-Shwartz and Zhang 2013): of g = 1 - y x, y = -1 or +1, nothing where g <= 0, g^2 / (2 gamma) up to
gamma, g - gamma / 2 beyond. gamma = 0 is the hinge, which has no quadratic majoriser."""

from oracle import REAL, SIGNS, mpf

PREDICTION = REAL
TARGET = SIGNS
OPTIONS = [{}, {"target_encoding": "zero_one"}, {"gamma": 0.3125}, {"gamma": 0.0}, {"gamma": 40.5}]


def sign(target, options):
    return 2 * target - 1 if options.get("target_encoding") == "zero_one" else target


def value(x, target, options):
    gamma = mpf(options.get("gamma", 1))
    gap = 1 - sign(target, options) * x[0]
    if gap <= 0:
        return mpf(0)
    return gap**2 / (2 * gamma) if gap < gamma else gap - gamma / 2


def kinks(target, options):
    y = float(sign(target, options))
    return [y, y * (1 - options.get("gamma", 1))]


def majorizer(x, target, options):
    """The largest curvature."""
    gamma = mpf(options.get("gamma", 1))
    return 1 / gamma if gamma > 0 else None
