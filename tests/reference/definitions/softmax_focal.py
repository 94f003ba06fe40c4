"""Softmax focal loss (Lin et al. 2017, eq. 5, of the softmax): -alpha (1 - p)^gamma log p,
summed over a distribution, or of the label, times the class weight; p = softmax(z)."""

import label_probability
from label_probability import directions, domain, target_domain  # noqa: F401
from oracle import exp, log, mpf


def psi(p, log_p, options):
    gamma, alpha = mpf(options.get("gamma", 2)), mpf(options.get("alpha", mpf(0.25)))
    missed = 1 - p
    if gamma == 0:
        power = mpf(1)
    elif gamma == int(gamma):
        power = missed ** int(gamma)
    else:
        power = mpf(0) if missed == 0 else exp(gamma * log(missed))
    return -alpha * power * log_p


def value(x, target, options):
    return label_probability.value(psi, x, target, options)


def terms(x, target, direction, options):
    return label_probability.terms(psi, x, target, options, direction)


def points(rng, real, grid):
    own = [{}, {"gamma": 0.5, "alpha": 1.0}]
    yield from label_probability.points(rng, own, [{"gamma": 0.0}, {"gamma": 1.0}, {"gamma": 17.5}])
