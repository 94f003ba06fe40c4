"""Soft margin (PyTorch), the logistic loss of a margin: log(1 + exp(-y x)), y = -1 or +1."""

from oracle import INF, REAL, SIGNS, exp, log, mpf

PREDICTION = REAL
TARGET = SIGNS
OPTIONS = [{}, {"target_encoding": "zero_one"}]


def sign(target, options):
    return 2 * target - 1 if options.get("target_encoding") == "zero_one" else target


def value(x, target, options):
    return log(1 + exp(-sign(target, options) * x[0]))


def majorizer(x, target, options):
    """tanh(x / 2) / (2 x) (Jaakkola and Jordan 2000, eq. 8)."""
    if abs(x[0]) == INF:
        return mpf(0)
    # tanh(x / 2) = (1 - e) / (1 + e); below 1e-300 the limit is nearer than the rounding of that quotient.
    if abs(x[0]) < mpf(10) ** -300:
        return mpf(1) / 4
    e = exp(-abs(x[0]))
    return (1 - e) / (1 + e) / (2 * abs(x[0]))
