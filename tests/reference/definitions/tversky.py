"""Tversky loss (Salehi et al. 2017, eq. 3; as a power Abraham & Khan 2019): 1 - (I + n) / (I + alpha FP + beta FN + d) with
I = sum p t, FP = sum p (1 - t), FN = sum (1 - p) t."""

import overlap
from overlap import directions, domain, target_domain  # noqa: F401
from oracle import mpf


def value(x, target, options):
    n, d = mpf(options.get("smooth_numerator", 1e-5)), mpf(options.get("smooth_denominator", 1e-5))
    both, over, under = overlap.counts(x, target)
    weighted = mpf(options.get("alpha", 0.5)) * over + mpf(options.get("beta", 0.5)) * under
    return (1 - (both + n) / (both + weighted + d)) ** mpf(options.get("exponent", 1))


def points(rng, real, grid):
    bare = {"smooth_numerator": 0, "smooth_denominator": 0}
    uneven = {"alpha": 0.25, "beta": 0.75}
    choices = [{}, dict(uneven, **bare), {"alpha": 1, "beta": 1}, {"alpha": 0, "beta": 2.5}, dict(uneven, exponent=0.75),
               dict(uneven, exponent=2), {"exponent": 1.375, "smooth_numerator": 0.125, "smooth_denominator": 1}]
    yield from overlap.points(rng, choices, [uneven, {}])
