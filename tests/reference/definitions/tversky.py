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


def terms(x, target, direction, options):
    number = lambda name, default: mpf(options.get(name, default))
    return overlap.terms((number("alpha", 0.5), number("beta", 0.5), number("smooth_numerator", 1e-5),
                          number("smooth_denominator", 1e-5), False, number("exponent", 1)), x, target, direction)


def points(rng, real, grid):
    bare = {"smooth_numerator": 0, "smooth_denominator": 0}
    uneven = {"alpha": 0.25, "beta": 0.75}
    choices = [{}, dict(uneven, **bare), {"alpha": 1, "beta": 1}, {"alpha": 0, "beta": 2.5}, dict(uneven, exponent=0.75),
               dict(uneven, exponent=2), {"exponent": 1.375, "smooth_numerator": 0.125, "smooth_denominator": 1}]
    yield from overlap.points(rng, choices, [uneven, {}])
    # where a formula of the gradient or of the curvature lost digits: terms of both signs
    number = lambda text: [float.fromhex(a) for a in text.split()]
    yield ("grid", dict(uneven, exponent=0.75), number("0x1.3e2f8754fdab1p-1 0x1.6a4b5d6429933p-2 0x1.bd920363491ffp-2"),
           [1.0, 0.0, 1.0], [1.5, 1.75, -0.75])
    yield ("grid", dict(uneven, exponent=0.75), number("0x1.a986b147528f9p-1 0x1.a09d762c47bp-1 0x1.5b983bc26f534p-3"),
           [1.0, 0.0, 1.0], [1.25, -1.0, -0.5])
    yield ("grid", {}, number("0x1.ba96876b7cc64p-1 0x1.a98aeed609414p-1 0x1.23eb2e0aec061p-2"),
           number("0x1.ec290ac785b8cp-2 0x1.c1669b1c5d576p-3 0x1.4c4df7a295f9dp-2"), [-1.75, 1.0, -1.0])
