"""Asymmetric loss (Ridnik et al. 2021, eq. 4 to 7) of a logit with soft targets: with p = 1 / (1 + exp(-x)) and u = max(p -
clip, 0), -t (1 - p)^g log p - (1 - t) u^h log(1 - u). It has no quadratic majoriser of closed form. The slope of a soft target
is a difference, that of its positive and that of its negative part."""

from oracle import INF, REAL, UNIT, exp, log, mpf

PREDICTION = REAL
TARGET = UNIT
ULP = 6
OPTIONS = [{}, {"gamma_positive": 0.5, "gamma_negative": 2.375, "clip": 0.3125}, {"clip": 0.0},
           {"gamma_positive": 0.0, "gamma_negative": 0.0, "clip": 0.40625}, {"gamma_negative": 1.0, "clip": 0.25}]
HARD = [({"gamma_positive": 5.043019771575928, "gamma_negative": 0.6607226729393005, "clip": 0.24374905228614807},
         0.0010236675152555108, 3.7368179164332105e-06)]


def value(x, target, options):
    clip = mpf(options.get("clip", 0.05))
    power, power_shifted = mpf(options.get("gamma_positive", 1)), mpf(options.get("gamma_negative", 4))
    positive, negative = log(1 + exp(-x[0])), log(1 + exp(x[0]))
    loss = target * (1 / (1 + exp(x[0])))**power * positive
    if not clip:
        return loss + (1 - target) * (1 / (1 + exp(-x[0])))**power_shifted * negative
    u = 1 / (1 + exp(-x[0])) - clip
    return loss if u <= 0 else loss - (1 - target) * u**power_shifted * log(1 - u)


def terms(x, target, direction, options):
    """The sizes of the two slopes, (1 - p)^g (g p P + 1 - p) with P = -log p, and p (1 - p) u^(h - 1) (h M + u / (1 - u)), M = -log(1 - u)."""
    clip = mpf(options.get("clip", 0.05))
    power, power_shifted = mpf(options.get("gamma_positive", 1)), mpf(options.get("gamma_negative", 4))
    if abs(x[0]) == INF:
        return {}
    p, q = 1 / (1 + exp(-x[0])), 1 / (1 + exp(x[0]))
    positive = q**power * (power * p * log(1 + exp(-x[0])) + q)
    if not clip:
        return {"gradient": [target * positive + (1 - target) * p**power_shifted * (power_shifted * q * log(1 + exp(x[0])) + p)]}
    u = p - clip
    negative = p * q * u**(power_shifted - 1) * (u / (1 - u) - power_shifted * log(1 - u)) if u > 0 else 0
    return {"gradient": [target * positive + (1 - target) * negative]}


def kinks(target, options):
    clip = options.get("clip", 0.05)
    return [float(log(mpf(clip) / (1 - mpf(clip))))] if clip else []
