"""Quantile loss smoothed by a logistic density of width h (Zheng 2011, eq. 4): h log(1 + exp(r / h)) - tau r."""

from oracle import INF, REAL, exp, log, mpf

PREDICTION = REAL
TARGET = REAL
OPTIONS = [{}, {"quantile": 0.3125, "width": 0.25}, {"quantile": 0.875, "width": 24.5}]


def value(x, target, options):
    tau, h, r = mpf(options.get("quantile", 0.5)), mpf(options.get("width", 1)), x[0] - target
    return h * log(1 + exp(r / h)) - tau * r


def majorizer(x, target, options):
    """tanh(r / 2h) / (2 r) (Jaakkola and Jordan 2000, eq. 9)."""
    h, r = mpf(options.get("width", 1)), abs(x[0] - target)
    if r == INF:
        return mpf(0)
    if r < mpf(10) ** -300:
        return 1 / (4 * h)
    e = exp(-r / h)
    return (1 - e) / (1 + e) / (2 * r)
