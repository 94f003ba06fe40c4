"""Gamma, log link (McCullagh and Nelder 1989): x + y exp(-x)."""

from oracle import INF, REAL, exp, mpf

PREDICTION = REAL
TARGET = (mpf(2) ** -126, INF)
TARGET_FINITE = True
OPTIONS = [{}]


def value(x, target, options):
    return x[0] + target * exp(-x[0])
