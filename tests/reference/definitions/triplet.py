"""Triplets (Schroff, Kalenichenko and Philbin 2015, eq. 2): max(0, d(a, p) - d(a, n) + m), or log(1 + exp(...)) with soft;
with swap the smaller of d(a, n) and d(p, n) (Balntas et al. 2016, section 3.3)."""

from oracle import exp, log, mp, mpf

ROLES = {"anchor*": "rows", "positive*": "rows", "negative*": "rows"}
NORMWISE = True
ULP = 8


def distance(a, b, options):
    differences = [abs(x - y + mpf(options.get("epsilon", 0))) for x, y in zip(a, b)]
    if options.get("distance") == "squared":
        return mp.fsum(x**2 for x in differences)
    p = mpf(options.get("p", 2))
    return mp.fsum(x**p for x in differences) ** (1 / p)


def inside(a, p, n, options):
    away = distance(a, n, options)
    if options.get("swap"):
        away = min(away, distance(p, n, options))
    return distance(a, p, options) - away + mpf(options.get("margin", 1))


def values(arrays, options):
    x = [inside(a, p, n, options) for a, p, n in zip(arrays["anchor"], arrays["positive"], arrays["negative"])]
    return [log(1 + exp(t)) if options.get("soft") else max(mpf(0), t) for t in x]


def slopes(a, b, options):
    """The smallest subgradient of a distance, epsilon being 0: 0 of vectors that are the same, and of p = 1 where coordinates are."""
    p, d = mpf(options.get("p", 2)), distance(a, b, options)
    return [mp.sign(x - y) * (abs(x - y) / d) ** (p - 1) if x != y else mpf(0) for x, y in zip(a, b)]


def gradient_at_kink(arrays, options):
    a, p, n = (arrays[name][0] for name in ("anchor", "positive", "negative"))
    near, far = slopes(a, p, options), slopes(a, n, options)
    return [x - y for x, y in zip(near, far)] + [-x for x in near] + far


def curvature_at_kink(arrays, options):
    """Of p = 1, and of p = 2 where anchor and positive are the same."""
    a, n = arrays["anchor"][0], arrays["negative"][0]
    p, d = mpf(options.get("p", 2)), distance(a, n, options)
    bend = [-(p - 1) * (1 - ((x - y) / d) ** 2) / d for x, y in zip(a, n)]
    return bend + [mpf(0)] * len(a) + bend


def cases(rng, dtype):
    rows = lambda n, d: [[rng.gauss(0, 1) for _ in range(d)] for _ in range(n)]
    both = {"soft": 1, "swap": 1}
    for options in ({}, {"margin": 0.25, "swap": 1}, {"soft": 1}, {"distance": "squared", "margin": 2.5},
                    dict(both, distance="squared")):
        yield "random", options, {"anchor": rows(2, 3), "positive": rows(2, 3), "negative": rows(2, 3)}
    yield "grid", {"soft": 1}, {"anchor": [[0.0, 0.0]], "positive": [[0.5, -0.75]], "negative": [[60.0, 30.0]]}
    yield "grid", {}, {"anchor": [[0.0, 0.0]], "positive": [[0.5, -0.75]], "negative": [[60.0, 30.0]]}
    yield "grid", {}, {"anchor": [[1.5, 0.25]], "positive": [[1.5, 0.25]], "negative": [[1.25, 0.75]]}
    for options in ({"p": 1.0}, {"p": 3.5, "soft": 1}, {"p": 1.25, "swap": 1}, {"p": 3.0}, {"p": 20.0},
                    {"epsilon": 0.375, "swap": 1}, {"epsilon": 1e-6, "p": 4.0}):
        yield "random", options, {"anchor": rows(2, 3), "positive": rows(2, 3), "negative": rows(2, 3)}
    yield "grid", {"p": 1.0}, {"anchor": [[1.5, 0.25, 2.0]], "positive": [[1.5, 0.75, -3.0]],
                               "negative": [[1.25, 0.25, 4.5]]}
    yield "grid", {"p": 4.0}, {"anchor": [[1.5, 0.25, 2.0]], "positive": [[1.5, 0.75, -3.0]],
                               "negative": [[1.25, 0.5, 4.5]]}
