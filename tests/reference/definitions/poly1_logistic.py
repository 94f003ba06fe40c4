"""Poly-1 of two classes (Leng et al. 2022): -log P + epsilon (1 - P) with P = s(x) = 1 / (1 + exp(-x)) for the positive class and
1 - s(x) for the other, weighted by soft targets t and 1 - t."""

from oracle import REAL, UNIT, exp, log, mp, mpf

PREDICTION = REAL
TARGET = UNIT
OPTIONS = [{}, {"epsilon": -1.0}, {"epsilon": -0.40625}, {"epsilon": 0.0}, {"epsilon": 6.5}]


def value(x, target, options):
    epsilon = mpf(options.get("epsilon", 2))
    positive, negative = 1 / (1 + exp(-x[0])), 1 / (1 + exp(x[0]))
    return target * (log(1 + exp(-x[0])) + epsilon * negative) + \
        (1 - target) * (log(1 + exp(x[0])) + epsilon * positive)


def majorizer(x, target, options):
    """The largest curvature p (1 - p) (1 + E (2 p - 1)), E = |epsilon|, where its derivative in u = 2 p - 1 is 0."""
    epsilon = abs(mpf(options.get("epsilon", 2)))
    u = (mp.sqrt(1 + 3 * epsilon**2) - 1) / (3 * epsilon) if epsilon else mpf(0)
    return (1 + u) / 2 * (1 - u) / 2 * (1 + epsilon * u)
