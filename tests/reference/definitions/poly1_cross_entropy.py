"""The poly-1 loss (Leng et al. 2022, eq. 6): -log p + epsilon (1 - p),
summed over a distribution, or of the label, times the class weight; p = softmax(z)."""

import label_probability
from label_probability import directions, domain, target_domain  # noqa: F401
from oracle import mpf


def psi(p, log_p, options):
    return -log_p + mpf(options.get("epsilon", 2)) * (1 - p)


def value(x, target, options):
    return label_probability.value(psi, x, target, options)


def terms(x, target, direction, options):
    return label_probability.terms(psi, x, target, options, direction)


def points(rng, real, grid):
    yield from label_probability.points(rng, [{}, {"epsilon": 0.625}], [{"epsilon": 1.0}, {"epsilon": -1.0}])
