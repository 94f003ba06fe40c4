"""Minus the logarithm of a Laplace density (Kotz, Kozubowski and Podgorski 2001): log b + |p - t| / b, with full = 1 also log 2;
the scale b is given, or its logarithm."""

from oracle import exp, log, mpf

ROLES = {"prediction*": "rows", "target": "rows", "scale*": "rows", "log_scale*": "rows"}


def scale(arrays):
    if "scale" in arrays:
        return arrays["scale"]
    return [[exp(a) for a in row] for row in arrays["log_scale"]]


def values(arrays, options):
    constant = log(mpf(2)) if options.get("full") else mpf(0)
    return [log(b) + abs(p - t) / b + constant
            for ps, ts, bs in zip(arrays["prediction"], arrays["target"], scale(arrays))
            for p, t, b in zip(ps, ts, bs)]


def gauss_newton(arrays, options):
    """Fisher's information."""
    b = [a for row in scale(arrays) for a in row]
    diagonal = [1 / a**2 for a in b] + [1 / a**2 if "scale" in arrays else mpf(1) for a in b]
    return [[d if i == j else mpf(0) for j in range(len(diagonal))] for i, d in enumerate(diagonal)]


def cases(rng, dtype):
    for options in ({}, {"full": 1}):
        for role in ("scale", "log_scale"):
            number = (lambda: rng.uniform(0.2, 3)) if role == "scale" else (lambda: rng.gauss(0, 1))
            yield "random", options, {"prediction": [[rng.gauss(0, 2) for _ in range(2)] for _ in range(2)],
                                      "target": [[rng.gauss(0, 1) for _ in range(2)] for _ in range(2)],
                                      role: [[number() for _ in range(2)] for _ in range(2)]}
    for r, b in [(1e20, 1e12), (-1e-12, 1e-9), (1e-15, 1e-12), (3.5, 1e-15), (0.0, 1.0), (0.0, 0.375), (-4.0, 3.0)]:
        yield "grid", {}, {"prediction": [[r]], "target": [[0.0]], "scale": [[b]]}
    for r, l in [(1e15, 30.0), (-1e-12, -25.0), (2.5, -30.0), (0.0, 0.0), (1e-3, 60.0), (1e-30, -95.0)]:
        yield "grid", {}, {"prediction": [[r]], "target": [[0.0]], "log_scale": [[l]]}
