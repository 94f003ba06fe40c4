"""Poisson (McCullagh and Nelder 1989): mu - y log mu, where mu is the prediction or its exponential;
with full = 1 also log gamma(y + 1)."""

from oracle import INF, REAL, exp, mp, mpf, times_log

TARGET = (mpf(0), INF)
TARGET_FINITE = True
OPTIONS = [{}, {"link": "identity"}, {"full": 1}, {"link": "identity", "full": 1}]


def domain(options):
    return (mpf(0), INF) if options.get("link") == "identity" else REAL


def value(x, target, options):
    constant = mp.loggamma(target + 1) if options.get("full") else 0
    if options.get("link") == "identity":
        return x[0] - times_log(target, x[0]) + constant
    return exp(x[0]) - target * x[0] + constant
