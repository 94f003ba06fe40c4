"""Generalized cross-entropy of two classes (Zhang and Sabuncu 2018): (1 - P^q) / q with P = s(x) = 1 / (1 + exp(-x)) for the
positive class and 1 - s(x) for the other, weighted by soft targets t and 1 - t; q = 0 is the limit -log P."""

from oracle import REAL, UNIT, exp, log, mp, mpf

PREDICTION = REAL
TARGET = UNIT
OPTIONS = [{}, {"q": 0.6875}, {"q": 1.0}, {"q": 0.0}, {"q": 2.0**-20}]
HARD = [  # near a zero of the curvature, where the two sides cancel
    ({"q": 1.0}, -1.804164171218872, 0.49321457743644714),
    ({"q": 1.0}, 1.188086820690626, 0.4924123301534911),
    ({"q": 0.6875}, -2.9203999042510986, 0.3706713318824768),
    ({"q": 0.7}, 1.2574757037469586, 1.0),  # a number that neither type has
    ({"q": 0.7}, -0.6399656534194946, 0.014161789789795876),
    ({"q": 0.5}, -0.37706428927937796, 0.0006611982813315548),
]


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
