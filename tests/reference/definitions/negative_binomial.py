"""Negative binomial, log link (Hilbe 2011): (y + 1 / a) log(1 + a exp(x)) - y x."""

from oracle import INF, REAL, exp, log, mpf

PREDICTION = REAL
TARGET = (mpf(0), INF)
TARGET_FINITE = True
OPTIONS = [{}, {"dispersion": 0.015625}, {"dispersion": 24.5}]


def value(x, target, options):
    a = mpf(options.get("dispersion", 1))
    return (target + 1 / a) * log(1 + a * exp(x[0])) - target * x[0]
