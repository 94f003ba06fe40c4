"""Poisson (McCullagh and Nelder 1989): mu - y log mu, where mu is the prediction or its exponential."""

from oracle import INF, REAL, exp, mpf, times_log

TARGET = (mpf(0), INF)
TARGET_FINITE = True
OPTIONS = [{}, {"link": "identity"}]


def domain(options):
    return (mpf(0), INF) if options.get("link") == "identity" else REAL


def value(x, target, options):
    if options.get("link") == "identity":
        return x[0] - times_log(target, x[0])
    return exp(x[0]) - target * x[0]
