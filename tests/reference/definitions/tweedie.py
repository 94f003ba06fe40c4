"""Tweedie, log link (Jorgensen 1997): mu^(2 - p) / (2 - p) - y mu^(1 - p) / (1 - p), each power less 1."""

from oracle import INF, REAL, exp, mpf

PREDICTION = REAL
TARGET = (mpf(0), INF)
TARGET_FINITE = True
OPTIONS = [{}, {"power": 1.125}, {"power": 1.0}]


def box_cox(x, power):
    return x if power == 0 else (exp(power * x) - 1) / power


def value(x, target, options):
    power = mpf(options.get("power", 1.5))
    return box_cox(x[0], 2 - power) - (target * box_cox(x[0], 1 - power) if target else 0)
