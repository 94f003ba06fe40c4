"""Intersection over union of two boxes (Yu et al. 2016): 1 - I / U."""

import boxes
from boxes import ROLES, cases  # noqa: F401


def loss(a, b):
    return boxes.one_minus_ratio(a, b)


def values(arrays, options):
    return boxes.values(loss, arrays)


def curvature_at_kink(arrays, options):
    return boxes.curvature_at_kink(loss, arrays)
