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


def points(rng, real, grid):
    bare = {"smooth_numerator": 0, "smooth_denominator": 0}
    squares = {"denominator": "squares"}
    choices = [{}, bare, {"smooth_numerator": 1, "smooth_denominator": 1}, {"smooth_numerator": 0}, squares,
               {"smooth_numerator": 1.5, "smooth_denominator": 0.25}, dict(squares, smooth_denominator=0.75)]
    yield from overlap.points(rng, choices, [{}, squares])
