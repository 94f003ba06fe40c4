"""Focal loss (Lin et al. 2017, eq. 5) of a logit with soft targets t as torchvision and optax mix them: with p = 1 / (1 +
exp(-x)), cross-entropy times (1 - p_t)^gamma times alpha_t, where p_t = p t + (1 - p)(1 - t) and alpha_t = alpha t + (1 -
alpha)(1 - t), or 1 when alpha is negative. The majoriser is the largest
curvature for a target of 1, rounded up to a multiple of 2^-20."""

import functools

from oracle import REAL, UNIT, exp, log, mp, mpf

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


@functools.lru_cache(maxsize=None)
def largest(gamma):
    """Of (1 - p)^gamma log(1 + exp(-x)), by golden section around the largest of a grid, in steps of 2^-20."""
    with mp.workdps(60):
        loss = lambda x: (1 + exp(x)) ** -gamma * log(1 + exp(-x))
        bend = lambda x: (loss(x + mpf(10) ** -15) - 2 * loss(x) + loss(x - mpf(10) ** -15)) * mpf(10) ** 30
        if gamma == 0:
            return mpf(1) / 4
        top, part = max((mpf(k) / 4 for k in range(-72, 9)), key=bend), (mp.sqrt(5) - 1) / 2
        low, high = top - mpf(1) / 4, top + mpf(1) / 4
        for _ in range(60):
            a, b = high - part * (high - low), low + part * (high - low)
            low, high = (a, high) if bend(a) < bend(b) else (low, b)
        return mp.ceil(bend(low) * 2**20) / 2**20


def majorizer(x, target, options):
    alpha = mpf(options.get("alpha", 0.25))
    weight = alpha * target + (1 - alpha) * (1 - target) if alpha >= 0 else mpf(1)
    return weight * largest(mpf(options.get("gamma", 2)))
