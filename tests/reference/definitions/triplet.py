"""Triplets (Schroff, Kalenichenko and Philbin 2015, eq. 2): max(0, d(a, p) - d(a, n) + m), or log(1 + exp(...)) with soft;
with swap the smaller of d(a, n) and d(p, n) (Balntas et al. 2016, section 3.3)."""

from oracle import exp, log, mp, mpf

ROLES = {"anchor*": "rows", "positive*": "rows", "negative*": "rows"}
NORMWISE = True
ULP = 8


def distance(a, b, options):
    square = mp.fsum((x - y) ** 2 for x, y in zip(a, b))
    return square if options.get("distance") == "squared" else mp.sqrt(square)


def inside(a, p, n, options):
    away = distance(a, n, options)
    if options.get("swap"):
        away = min(away, distance(p, n, options))
    return distance(a, p, options) - away + mpf(options.get("margin", 1))


def values(arrays, options):
    x = [inside(a, p, n, options) for a, p, n in zip(arrays["anchor"], arrays["positive"], arrays["negative"])]
    return [log(1 + exp(t)) if options.get("soft") else max(mpf(0), t) for t in x]


def gradient_at_kink(arrays, options):
    """Anchor and positive are the same: the smallest subgradient of their distance, 0, and the gradient of the other."""
    a, n = arrays["anchor"][0], arrays["negative"][0]
    u = [(x - y) / distance(a, n, options) for x, y in zip(a, n)]
    return [-x for x in u] + [mpf(0)] * len(u) + u


def curvature_at_kink(arrays, options):
    a, n = arrays["anchor"][0], arrays["negative"][0]
    d = distance(a, n, options)
    bend = [-(1 - ((x - y) / d) ** 2) / d for x, y in zip(a, n)]
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
