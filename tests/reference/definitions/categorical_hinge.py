"""Categorical hinge (Keras): max(0, margin + max((1 - t) z) - t.z) of the one-hot t of a label, times the class weight."""

import class_margin
from class_margin import directions, domain, target_domain  # noqa: F401
from oracle import mpf


def value(x, target, options):
    own, rivals = class_margin.parts(x, target)
    gap = mpf(options.get("margin", 1)) + max(rivals + [mpf(0)]) - own  # the masked label leaves a 0
    return class_margin.weight(target, options) * class_margin.hinge(gap)


def points(rng, real, grid):
    yield from class_margin.points(rng, [{}, {"margin": 0.625}], [[2.0, 1.0, -3.0, 0.25], [-0.5, -0.75, 0.0, 1.0]], count=14)
