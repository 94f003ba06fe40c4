"""Focal loss (Lin et al. 2017, eq. 5) of a logit with soft targets t as torchvision and optax mix them: with p = 1 / (1 +
exp(-x)), cross-entropy times (1 - p_t)^gamma times alpha_t, where p_t = p t + (1 - p)(1 - t) and alpha_t = alpha t + (1 -
alpha)(1 - t), or 1 when alpha is negative. It has no quadratic majoriser of closed form."""

from oracle import REAL, UNIT, exp, log, mpf

PREDICTION = REAL
TARGET = UNIT
ULP = 6
OPTIONS = [{}, {"gamma": 0.5, "alpha": -1.0}, {"gamma": 2.375}, {"gamma": 0.0}, {"gamma": 1.0, "alpha": 0.875},
           {"gamma": 5.0, "alpha": -0.5}]


def value(x, target, options):
    gamma, alpha = mpf(options.get("gamma", 2)), mpf(options.get("alpha", 0.25))
    cross_entropy = target * log(1 + exp(-x[0])) + (1 - target) * log(1 + exp(x[0]))
    missed = target / (1 + exp(x[0])) + (1 - target) / (1 + exp(-x[0]))
    weight = alpha * target + (1 - alpha) * (1 - target) if alpha >= 0 else 1
    return weight * missed**gamma * cross_entropy
