"""Crammer-Singer loss (2001, eq. 4): max(0, margin + the largest other logit - the label's), times the class weight."""

import class_margin
from class_margin import directions, domain, target_domain  # noqa: F401
from oracle import mpf


def value(x, target, options):
    own, rivals = class_margin.parts(x, target)
    if not rivals:
        return mpf(0)
    return class_margin.weight(target, options) * class_margin.hinge(mpf(options.get("margin", 1)) + max(rivals) - own)


def points(rng, real, grid):
    yield from class_margin.points(rng, [{}, {"margin": 0.625}], [[2.0, 1.0, -3.0, 0.25], [0.5, -0.75, 1.5, -2.0]], count=14)
