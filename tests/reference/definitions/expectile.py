"""Expectile loss (Newey and Powell 1987): alpha r^2 for predictions that are too low, (1 - alpha) r^2 otherwise; half of it
with half = 1."""

from oracle import INF, NAN, REAL, mp, mpf

PREDICTION = REAL
TARGET = REAL
OPTIONS = [{}, {"expectile": 0.3125}, {"expectile": 0.875, "half": 1}]


def factor(options):
    return mpf(1) / 2 if options.get("half") else mpf(1)


def value(x, target, options):
    alpha, r = mpf(options.get("expectile", 0.5)), x[0] - target
    return factor(options) * (alpha if r < 0 else 1 - alpha) * r**2


def kinks(target, options):
    return [target]


def majorizer(x, target, options):
    """The larger curvature of the two sides."""
    alpha = mpf(options.get("expectile", 0.5))
    return 2 * factor(options) * max(alpha, 1 - alpha)
