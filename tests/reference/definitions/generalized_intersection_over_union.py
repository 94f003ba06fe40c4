"""Generalized intersection over union (Rezatofighi et al. 2019, algorithm 1): 1 - I / U + (C - U) / C, C the area of the
hull."""

import boxes
from boxes import ROLES, cases  # noqa: F401


def loss(a, b):
    around = boxes.area(boxes.hull(a, b))
    empty = (around - boxes.union(a, b)) / around if around != 0 else 0
    return boxes.one_minus_ratio(a, b) + empty


def values(arrays, options):
    return boxes.values(loss, arrays)


def curvature_at_kink(arrays, options):
    return boxes.curvature_at_kink(loss, arrays)
