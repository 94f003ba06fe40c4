"""Weston-Watkins loss (1999, eq. 2): sum over the other classes of max(0, margin + z_j - z_label)^p, times the class weight."""

import class_margin
from class_margin import directions, domain, target_domain  # noqa: F401
from oracle import mp, mpf


def value(x, target, options):
    own, rivals = class_margin.parts(x, target)
    terms = [class_margin.hinge(mpf(options.get("margin", 1)) + z - own) ** int(options.get("p", 1)) for z in rivals]
    return class_margin.weight(target, options) * mp.fsum(terms)


def points(rng, real, grid):
    yield from class_margin.points(rng, [{}, {"p": 2, "margin": 0.625}], [[2.0, 1.0, -3.0, 0.25], [0.5, -0.75, 1.5, -2.0]],
                                   count=14)
    for options in ({}, {"p": 2, "margin": 0.625}):
        for logits in class_margin.overflowing(grid):
            yield "grid", dict(options, class_weight=[0.25] * 4), logits, 1
