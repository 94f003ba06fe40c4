"""Logistic loss (Cox 1958), soft targets t in [0, 1], weight P on the positive part:
-P t log s(x) - (1 - t) log(1 - s(x)) with s(x) = 1 / (1 + exp(-x))."""

from oracle import INF, REAL, UNIT, exp, log, mpf

PREDICTION = REAL
TARGET = UNIT
OPTIONS = [{}, {"positive_weight": 2.625}]
HARD = [({"positive_weight": 916.125}, x, 1.0) for x in (104.0, 107.5, 746.0, 750.0)]


def value(x, target, options):
    positive = mpf(options.get("positive_weight", 1))
    return positive * target * log(1 + exp(-x[0])) + (1 - target) * log(1 + exp(x[0]))


def majorizer(x, target, options):
    """(P t + 1 - t) tanh(x / 2) / (2 x) (Jaakkola and Jordan 2000, eq. 8)."""
    weight = mpf(options.get("positive_weight", 1)) * target + 1 - target
    if abs(x[0]) == INF:
        return mpf(0)
    # tanh(x / 2) = (1 - e) / (1 + e); below 1e-300 the limit is nearer than the rounding of that quotient.
    if abs(x[0]) < mpf(10) ** -300:
        return weight / 4
    e = exp(-abs(x[0]))
    return weight * (1 - e) / (1 + e) / (2 * abs(x[0]))
