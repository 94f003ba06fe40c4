"""Generalized cross-entropy (Zhang & Sabuncu 2018, eq. 6): (1 - p^q) / q,
summed over a distribution, or of the label, times the class weight; p = softmax(z)."""

import label_probability
from label_probability import directions, domain, target_domain  # noqa: F401
from oracle import exp, mpf


def psi(p, log_p, options):
    q = mpf(options.get("q", mpf(0.7)))
    return -log_p if q == 0 else (1 - exp(q * log_p)) / q


def value(x, target, options):
    return label_probability.value(psi, x, target, options)


def terms(x, target, direction, options):
    return label_probability.terms(psi, x, target, options, direction)


def points(rng, real, grid):
    yield from label_probability.points(rng, [{}, {"q": 0.25}], [{"q": 0.0}, {"q": 1.0}])
    # the curvature of the largest is 0 near here
    yield "grid", {}, [float.fromhex(a) for a in ("0x1.3c86eap-2", "-0x1.7c6292p1", "0x1.62edbep-1")], 1
