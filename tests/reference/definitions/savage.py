"""Savage (Masnadi-Shirazi and Vasconcelos 2008, of half the logit): 1 / (1 + exp(y x))^2, y = -1 or +1."""

from oracle import REAL, SIGNS, exp, mp, mpf

PREDICTION = REAL
TARGET = SIGNS
OPTIONS = [{}, {"target_encoding": "zero_one"}]
HARD = [({}, -0.0006068958318792284, 1.0), ({}, -8.421604599738472e-06, 1.0),
        ({"target_encoding": "zero_one"}, 2.395811794935867e-08, 0.0),
        ({"target_encoding": "zero_one"}, float.fromhex("0x1.c61a7ep-8"), 0.0),
        ({}, float.fromhex("-0x1.89eeb2p-5"), -1.0)]


def sign(target, options):
    return 2 * target - 1 if options.get("target_encoding") == "zero_one" else target


def value(x, target, options):
    return 1 / (1 + exp(sign(target, options) * x[0]))**2


def majorizer(x, target, options):
    """The largest curvature 2 (1 - p)^2 p (3 p - 1), where its derivative in p, 12 p^2 - 9 p + 1, is 0."""
    p = (9 + mp.sqrt(33)) / 24
    return 2 * (1 - p)**2 * p * (3 * p - 1)
