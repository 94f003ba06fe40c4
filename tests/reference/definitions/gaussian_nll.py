"""Minus the logarithm of a normal density (Nix and Weigend 1994): (log v + (p - t)^2 / v) / 2, with full = 1 also
log(2 pi) / 2; the variance v is given, or its logarithm."""

from oracle import exp, log, mp, mpf

ROLES = {"prediction*": "rows", "target": "rows", "variance*": "rows", "log_variance*": "rows"}


def variance(arrays):
    if "variance" in arrays:
        return arrays["variance"]
    return [[exp(a) for a in row] for row in arrays["log_variance"]]


def values(arrays, options):
    constant = log(2 * mp.pi) / 2 if options.get("full") else mpf(0)
    return [(log(v) + (p - t) ** 2 / v) / 2 + constant
            for ps, ts, vs in zip(arrays["prediction"], arrays["target"], variance(arrays))
            for p, t, v in zip(ps, ts, vs)]


def gauss_newton(arrays, options):
    """Fisher's information."""
    v = [a for row in variance(arrays) for a in row]
    diagonal = [1 / a for a in v] + [1 / (2 * a**2) if "variance" in arrays else mpf(1) / 2 for a in v]
    return [[d if i == j else mpf(0) for j in range(len(diagonal))] for i, d in enumerate(diagonal)]


def cases(rng, dtype):
    for options in ({}, {"full": 1}):
        for role in ("variance", "log_variance"):
            number = (lambda: rng.uniform(0.2, 3)) if role == "variance" else (lambda: rng.gauss(0, 1))
            yield "random", options, {"prediction": [[rng.gauss(0, 2) for _ in range(2)] for _ in range(3)],
                                      "target": [[rng.gauss(0, 1) for _ in range(2)] for _ in range(3)],
                                      role: [[number() for _ in range(2)] for _ in range(3)]}
    sizes = [(1e20, 1e12), (1e-12, 1e-9), (1e-18, 1e-30), (3.5, 1e-30), (0.0, 1.0)]
    for r, v in sizes:
        yield "grid", {}, {"prediction": [[r]], "target": [[0.0]], "variance": [[v]]}
    for r, l in [(1e15, 60.0), (1e-12, -50.0), (2.5, -30.0), (0.0, 0.0), (1e-3, 80.0)]:
        yield "grid", {}, {"prediction": [[r]], "target": [[0.0]], "log_variance": [[l]]}
