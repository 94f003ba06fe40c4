"""Complete intersection over union (Zheng et al. 2020, eqs. 8 to 11): 1 - I / U + d^2 / c^2 + alpha v with
v = 4 / pi^2 (atan(W / H) - atan(w / h))^2 and alpha = v / (1 - I / U + v), which is part of the function."""

import boxes
from boxes import ROLES, cases  # noqa: F401
from oracle import mp

NORMWISE = True  # the terms of a slope cancel, at an edge that meets the target without an input that may move


def loss(a, b):
    ratio = boxes.one_minus_ratio(a, b)
    v = 4 / mp.pi**2 * (boxes.shape(b) - boxes.shape(a)) ** 2
    return ratio + boxes.centres_apart(a, b) + (v**2 / (ratio + v) if v != 0 else 0)


def values(arrays, options):
    return boxes.values(loss, arrays)


def curvature_at_kink(arrays, options):
    return boxes.curvature_at_kink(loss, arrays)
