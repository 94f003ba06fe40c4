"""Quantile Huber loss (Dabney et al. 2018, eq. 10, without its division by delta): tau on predictions that are too low,
1 - tau on those that are too high, times the Huber loss."""

from oracle import REAL, mpf

PREDICTION = REAL
TARGET = REAL
OPTIONS = [{}, {"quantile": 0.3125, "delta": 0.625}, {"quantile": 0.875, "delta": 24.5}]


def value(x, target, options):
    tau, delta, r = mpf(options.get("quantile", 0.5)), mpf(options.get("delta", 1)), x[0] - target
    weight = tau if r < 0 else 1 - tau
    return weight * (r**2 / 2 if abs(r) <= delta else delta * (abs(r) - delta / 2))


def kinks(target, options):
    delta = options.get("delta", 1)
    return [target - delta, target, target + delta]


def majorizer(x, target, options):
    """psi(r) / r of the Huber loss (Huber 1981, section 7.8), times the larger of the two weights."""
    tau, delta, r = mpf(options.get("quantile", 0.5)), mpf(options.get("delta", 1)), abs(x[0] - target)
    return max(tau, 1 - tau) * (1 if r <= delta else delta / r)
