"""Sparsemax loss (Martins & Astudillo 2016): p.z - z_label + (1 - p.p) / 2 with p the projection of z onto the
distributions, times the class weight."""

import class_margin
from class_margin import domain, target_domain  # noqa: F401
from divergence import directions  # noqa: F401
from oracle import INF, mp, mpf


def threshold(x):
    descending = sorted(x, reverse=True)
    for n in range(len(x), 0, -1):
        tau = (mp.fsum(descending[:n]) - 1) / n
        if descending[n - 1] > tau:
            return tau


def value(x, target, options):
    tau = threshold(x)
    p = [z - tau if z > tau else mpf(0) for z in x]
    loss = mp.fsum(a * z for a, z in zip(p, x)) - x[target] + (1 - mp.fsum(a * a for a in p)) / 2
    return class_margin.weight(target, options) * loss


def majorizer(x, target, options):
    return [class_margin.weight(target, options)] * len(x)


def generic(rng, classes, spread):
    """Away from where a class enters or leaves."""
    while True:
        z = [rng.gauss(0, spread) for _ in range(classes)]
        if min(abs(a - threshold([mpf(b) for b in z])) for a in z) > 0.05:
            return z


def points(rng, real, grid):
    corners = [
        ([20.0, 0.0], 0), ([20.0, 0.0], 1), ([0.5, -0.484375], 0), ([0.5, -0.484375], 1), ([1000.0, 0.0, -1000.0], 0),
        ([0.0, 0.0, 0.0], 2), ([5.0, 5.0, -1.0], 1), ([2.385], 0), ([1e-30, 0.25, -0.125], 0), ([0.75, 0.5, -1.25], 2),
        ([INF, 1.0, 0.5], 0), ([INF, 1.0, 0.5], 1), ([-INF, 1.0, 0.5], 1), ([-INF, 1.0, 0.5], 0), ([INF, INF, 0.5], 0),
        ([-INF, -INF], 0), ([1e20, 1.0, -1e20], 1),
    ]
    for logits, label in corners:
        yield "grid", {}, logits, label
    for options in ({}, {"class_weight": [0.75, 2.5, 1.125]}):
        for spread in (0.4, 1.5):
            for _ in range(8):
                yield "random", options, generic(rng, 3, spread), rng.randrange(3)
    for _ in range(2):
        yield "random", {}, generic(rng, 17, 0.3), rng.randrange(17)
    # parts that are far smaller than the logits or the directions they are differences of
    number = lambda text: [float.fromhex(a) for a in text.split()]
    weighted = {"class_weight": [0.75, 2.5, 1.125]}
    for options, logits, label, direction in (
            ({}, "0x1.7881e62a92231p-7 -0x1.3b4c5bfa622dcp-5 0x1.64acbc610491fp-1", 2,
             "-0x1.0d3de64094f4p+0 -0x1.6c9728d71a73p-2 -0x1.2a213e497df0ep+0"),
            (weighted, "0x1.81fc5ap-5 0x1.9b1f72p-2 0x1.77337ep-3", 2, "0x1.9d5adap+0 -0x1.dfcadcp+0 -0x1.25b08cp-7"),
            (weighted, "0x1.d3bea8cef0f7ap-3 -0x1.ed16b19d9382ap-3 -0x1.1f7f797c6a4a9p-2", 0,
             "0x1.d8015f8680da0p+0 -0x1.06477b9862e00p-7 -0x1.e4de968abb572p+0")):
        yield "grid", options, number(logits), label, number(direction)
