"""Generalized intersection over union (Rezatofighi et al. 2019, algorithm 1): 1 - I / U + (C - U) / C, C the area of the
hull."""

import boxes
from boxes import ROLES  # noqa: F401
from oracle import mp, mpf


def loss(a, b):
    around = boxes.area(boxes.hull(a, b))
    empty = (around - boxes.union(a, b)) / around if around != 0 else 0
    return boxes.one_minus_ratio(a, b) + empty


def values(arrays, options):
    return boxes.values(loss, arrays)


def curvature_at_kink(arrays, options):
    return boxes.curvature_at_kink(loss, arrays)


def terms(found, arrays, options):
    """
    The sizes of what derivatives are sums of, of u = 1 - I/U and g = (C - U)/C: first (q A' - (1 + q) I')/U and (F C' - (A' - I'))/C,
    q = I/U, F = U/C and A the prediction's area, then, times the derivatives of U and C, those of the second order (src/loss/box.h).
    An edge beyond the target's has slopes of both signs.
    """
    sizes = {"gradient": [], "curvature": [], "product": []}
    for row, (a, b) in enumerate(zip(arrays["prediction"], arrays["target"])):
        hull, union, common = boxes.hull(a, b), boxes.union(a, b), boxes.intersection(a, b)
        if union == 0 or boxes.area(hull) == 0:
            return {}
        q, filled, around = common / union, union / boxes.area(hull), boxes.area(hull)
        inner = [max(mpf(0), min(a[k + 2], b[k + 2]) - max(a[k], b[k])) for k in range(2)]
        by_u, by_g, of_u, of_g = [], [], [], []
        for c in range(4):
            other = 1 - c % 2
            beyond = a[c] - b[c] if c >= 2 else b[c] - a[c]
            own = a[other + 2] - a[other]
            shared = inner[other] if beyond <= 0 and inner[c % 2] > 0 else mpf(0)
            outer = hull[other + 2] - hull[other] if beyond >= 0 else mpf(0)
            by_u.append((q * own + (1 + q) * shared) / union)
            by_g.append((filled * outer + own + shared) / around)
            of_u.append((own + shared) / union)
            of_g.append(outer / around)
        second = [[by_u[j] * of_u[k] + of_u[j] * by_u[k] + by_g[j] * of_g[k] + of_g[j] * by_g[k] +
                   ((1 + 2 * q) / union + (2 + filled) / around if (j - k) % 2 else 0) for k in range(4)] for j in range(4)]
        along = found["direction"][4 * row:4 * row + 4]
        sizes["gradient"] += [u + g for u, g in zip(by_u, by_g)]
        sizes["curvature"] += [second[c][c] for c in range(4)]
        sizes["product"] += [mp.fsum(h * abs(d) for h, d in zip(line, along)) for line in second]
    return sizes


def cases(rng, dtype):
    yield from boxes.cases(rng, dtype)
    box = lambda text: [float.fromhex(a) for a in text.split()]  # a gradient far smaller than its terms
    yield "grid", {}, {"prediction": [box("-0x1.1253c2bf4fee6p+0 -0x1.0afe3097558ep-3 0x1.3a433c892d522p+1 0x1.4aa418697052dp+1")],
                       "target": [box("0x1.d1fdaac129fbcp-1 0x1.45e7e2d33b9bp+0 0x1.b990a91a14108p+0 0x1.d9d0e2c11eb94p+0")]}
