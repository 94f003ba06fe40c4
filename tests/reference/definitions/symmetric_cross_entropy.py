"""Symmetric cross-entropy (Wang et al. 2019, eq. 7): -alpha log p - beta A (1 - p),
summed over a distribution, or of the label, times the class weight; p = softmax(z)."""

import label_probability
from label_probability import directions, domain, target_domain  # noqa: F401
from oracle import mpf


def psi(p, log_p, options):
    alpha, beta = mpf(options.get("alpha", mpf(0.1))), mpf(options.get("beta", 1))
    return -alpha * log_p - beta * mpf(options.get("log_zero", -4)) * (1 - p)


def value(x, target, options):
    return label_probability.value(psi, x, target, options)


def terms(x, target, direction, options):
    return label_probability.terms(psi, x, target, options, direction)


def points(rng, real, grid):
    yield from label_probability.points(rng, [{}, {"alpha": 0.75, "beta": 0.5, "log_zero": -6.0}], [{"alpha": 0.0}])
