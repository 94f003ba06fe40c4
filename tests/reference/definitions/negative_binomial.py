"""Negative binomial, log link (Hilbe 2011): (y + 1 / a) log(1 + a exp(x)) - y x;
with full = 1 also -y log a + log gamma(y + 1) + log gamma(1 / a) - log gamma(y + 1 / a)."""

from oracle import INF, REAL, exp, log, mp, mpf

PREDICTION = REAL
TARGET = (mpf(0), INF)
TARGET_FINITE = True
OPTIONS = [{}, {"dispersion": 0.015625}, {"dispersion": 24.5}, {"full": 1}, {"dispersion": 0.015625, "full": 1},
           {"dispersion": 24.5, "full": 1}, {"dispersion": 0.375, "full": 1}]
RANDOM_OPTIONS = 7


def value(x, target, options):
    a = mpf(options.get("dispersion", 1))
    constant = 0
    if options.get("full"):
        constant = mp.loggamma(target + 1) + mp.loggamma(1 / a) - mp.loggamma(target + 1 / a) - target * log(a)
    return (target + 1 / a) * log(1 + a * exp(x[0])) - target * x[0] + constant


def terms(x, target, direction, options):
    """With full = 1 the value of a target below 4 is a sum of terms of either sign; above there are none."""
    if not options.get("full") or target >= 4 or abs(x[0]) == INF:
        return {}
    a = mpf(options.get("dispersion", 1))
    return {"value": [max(target * abs(x[0]), (target + 1 / a) * log(1 + a * exp(x[0])), mp.loggamma(1 / a)
                          if a > mpf(1) / 4 else mpf(0))]}
