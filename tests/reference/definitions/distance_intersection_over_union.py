"""Distance intersection over union (Zheng et al. 2020, eq. 7): 1 - I / U + d^2 / c^2."""

import boxes
from boxes import ROLES, cases  # noqa: F401

NORMWISE = True  # the terms of a slope cancel, at an edge that meets the target without an input that may move


def loss(a, b):
    return boxes.one_minus_ratio(a, b) + boxes.centres_apart(a, b)


def values(arrays, options):
    return boxes.values(loss, arrays)


def curvature_at_kink(arrays, options):
    return boxes.curvature_at_kink(loss, arrays)
