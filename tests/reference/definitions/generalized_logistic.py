"""Generalized cross-entropy of two classes (Zhang and Sabuncu 2018): (1 - P^q) / q with P = s(x) = 1 / (1 + exp(-x)) for the
positive class and 1 - s(x) for the other, weighted by soft targets t and 1 - t; q = 0 is the limit -log P."""

from oracle import REAL, UNIT, exp, log, mp, mpf

PREDICTION = REAL
TARGET = UNIT
OPTIONS = [{}, {"q": 0.6875}, {"q": 1.0}, {"q": 0.0}, {"q": 2.0**-20}]


def of_class(x, q):
    missed = log(1 + exp(-x))
    return (1 - exp(-q * missed)) / q if q else missed


def value(x, target, options):
    q = mpf(options.get("q", 0.5))
    return target * of_class(x[0], q) + (1 - target) * of_class(-x[0], q)


def majorizer(x, target, options):
    """The largest curvature p^q (1 - p) ((1 + q) p - q), where its derivative is 0."""
    q = mpf(options.get("q", 0.5))
    a, b = (1 + q) * (2 + q), (1 + q) * (1 + 2 * q)
    p = (b + mp.sqrt(b**2 - 4 * a * q**2)) / (2 * a)
    return p**q * (1 - p) * ((1 + q) * p - q)
