"""Soft Dice (Milletari et al. 2016; Sudre et al. 2017): 1 - (2 sum p t + n) / (sum p + sum t + d), or with the squares of p
and t in the denominator."""

import overlap
from overlap import directions, domain, target_domain  # noqa: F401
from oracle import mpf


def value(x, target, options):
    n, d = mpf(options.get("smooth_numerator", 1e-5)), mpf(options.get("smooth_denominator", 1e-5))
    power = 2 if options.get("denominator") == "squares" else 1
    both = sum(p * t for p, t in zip(x, target))
    return 1 - (2 * both + n) / (sum(p**power for p in x) + sum(t**power for t in target) + d)


def terms(x, target, direction, options):
    n, d = (mpf(options.get(name, 1e-5)) / 2 for name in ("smooth_numerator", "smooth_denominator"))
    half = mpf(0.5)
    return overlap.terms((half, half, n, d, options.get("denominator") == "squares", mpf(1)), x, target, direction)


def points(rng, real, grid):
    bare = {"smooth_numerator": 0, "smooth_denominator": 0}
    squares = {"denominator": "squares"}
    choices = [{}, bare, {"smooth_numerator": 1, "smooth_denominator": 1}, {"smooth_numerator": 0}, squares,
               {"smooth_numerator": 1.5, "smooth_denominator": 0.25}, dict(squares, smooth_denominator=0.75)]
    yield from overlap.points(rng, choices, [{}, squares])
    # a numerator above the denominator, and a curvature of squares, whose terms have both signs
    number = lambda text: [float.fromhex(a) for a in text.split()]
    yield ("grid", choices[5], number("0x1.0a677f1dc16e9p-1 0x1.028d4e0056d65p-2 0x1.dce6867a3157bp-2"),
           number("0x1.6090a77c8d22ep-1 0x1.f5198ca5df687p-5 0x1.01622cc08fbc1p-2"), [0.75, 0.5, -0.25])
    yield ("grid", squares, number("0x1.a8fb5afedf4aap-4 0x1.8328483be02d1p-2 0x1.8c77268cbfab2p-1"),
           number("0x1.c436f6350d7e2p-1 0x1.52a28281a4fap-2 0x1.4dcd155312b37p-4"), [-1.0, 1.5, 0.375])
