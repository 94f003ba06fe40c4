"""Pairs of vectors (PyTorch CosineEmbeddingLoss, without its epsilon): 1 - c for target 1, max(0, c - m) for target -1,
c = a . b / (|a| |b|)."""

from oracle import mp, mpf

ROLES = {"first*": "rows", "second*": "rows", "target": "rows"}
NORMWISE = True
ULP = 16
FIXED = ["target"]


def dot(a, b):
    return mp.fsum(x * y for x, y in zip(a, b))


def cosine(a, b):
    return dot(a, b) / mp.sqrt(dot(a, a) * dot(b, b))


def values(arrays, options):
    margin = mpf(options.get("margin", 0))
    return [1 - cosine(a, b) if t[0] > 0 else max(mpf(0), cosine(a, b) - margin)
            for a, b, t in zip(arrays["first"], arrays["second"], arrays["target"])]


def gauss_newton(arrays, options):
    """J^T J of the residual a / |a| + s b / |b|: s = -1 for target 1, 1 for target -1 beyond the margin."""
    margin, columns, rows = mpf(options.get("margin", 0)), len(arrays["first"][0]), len(arrays["first"])
    matrix = [[mpf(0)] * (2 * rows * columns) for _ in range(2 * rows * columns)]
    for i, (a, b, t) in enumerate(zip(arrays["first"], arrays["second"], arrays["target"])):
        s = -1 if t[0] > 0 else 1 if cosine(a, b) > margin else 0
        jacobian = []  # one row per differentiable number of the pair, what it does to the residual
        for vector, sign in ((a, 1), (b, s)):
            length = mp.sqrt(dot(vector, vector))
            jacobian += [[sign * ((1 if k == j else 0) - vector[j] * vector[k] / length**2) / length
                          for k in range(columns)] for j in range(columns)]
        places = [i * columns + j for j in range(columns)] + [(rows + i) * columns + j for j in range(columns)]
        for k, one in zip(places, jacobian):
            for m, other in zip(places, jacobian):
                matrix[k][m] = dot(one, other) if s else mpf(0)
    return matrix


def cases(rng, dtype):
    rows = lambda n, d: [[rng.gauss(0, 1) for _ in range(d)] for _ in range(n)]
    yield "random", {}, {"first": rows(2, 3), "second": rows(2, 3), "target": [[1.0], [1.0]]}
    positive = lambda n, d: [[rng.uniform(0.25, 2) for _ in range(d)] for _ in range(n)]
    yield "random", {"margin": 0.25}, {"first": positive(2, 4), "second": positive(2, 4), "target": [[-1.0], [1.0]]}
    yield "grid", {}, {"first": [[1.0, 2.0]], "second": [[1.0, 2.0 + 2.0**-10]], "target": [[1.0]]}
    yield "grid", {}, {"first": [[1.0, 2.0, -1.0]], "second": [[-2.0, 0.5, 0.25]], "target": [[-1.0]]}
