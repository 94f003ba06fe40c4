"""Squared hinge (Chang, Hsieh and Lin 2008): max(0, m - y x)^2, y = -1 or +1, margin m = 1."""

from oracle import REAL, SIGNS, mpf

PREDICTION = REAL
TARGET = SIGNS
OPTIONS = [{}, {"target_encoding": "zero_one"}, {"margin": 0.3125}, {"margin": 0.0}]


def sign(target, options):
    return 2 * target - 1 if options.get("target_encoding") == "zero_one" else target


def value(x, target, options):
    return max(mpf(0), mpf(options.get("margin", 1)) - sign(target, options) * x[0])**2


def kinks(target, options):
    return [sign(target, options) * options.get("margin", 1)]


def majorizer(x, target, options):
    """The largest curvature."""
    return mpf(2)
