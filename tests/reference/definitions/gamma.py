"""Gamma, log link (McCullagh and Nelder 1989): a (x + y exp(-x)) of the shape a;
with full = 1 also log gamma(a) - a log a - (a - 1) log y."""

from oracle import INF, REAL, exp, log, mp, mpf

PREDICTION = REAL
TARGET = (mpf(2) ** -149, INF)
TARGET_FINITE = True
OPTIONS = [{}, {"full": 1}, {"shape": 2.5}, {"shape": 2.5, "full": 1}, {"shape": 0.0078125, "full": 1},
           {"shape": 1000.5, "full": 1}]
RANDOM_OPTIONS = 4


def value(x, target, options):
    a = mpf(options.get("shape", 1))
    constant = mp.loggamma(a) - a * log(a) - (a - 1) * log(target) if options.get("full") else 0
    return a * (x[0] + target * exp(-x[0])) + constant


def terms(x, target, direction, options):
    """With full = 1 the value is a g(log y - x) + log y + c, g(u) = exp(u) - 1 - u, the last two of either sign."""
    a, offset = mpf(options.get("shape", 1)), log(target) - x[0]
    if not options.get("full") or abs(x[0]) == INF:
        return {}
    return {"value": [a * (exp(offset) - 1 - offset)]}
