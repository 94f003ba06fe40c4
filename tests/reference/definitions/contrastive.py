"""Pairs of vectors (Hadsell, Chopra and LeCun 2006, eq. 4, without its 1/2): t d^2 + (1 - t) max(0, m - d)^2 with
d = |first - second|."""

from oracle import mp, mpf

ROLES = {"first*": "rows", "second*": "rows", "target": "rows"}
NORMWISE = True
ULP = 16


def distance(a, b):
    return mp.sqrt(mp.fsum((x - y) ** 2 for x, y in zip(a, b)))


def values(arrays, options):
    margin = mpf(options.get("margin", 1))
    return [t[0] * distance(a, b) ** 2 + (1 - t[0]) * max(mpf(0), margin - distance(a, b)) ** 2
            for a, b, t in zip(arrays["first"], arrays["second"], arrays["target"])]


def gauss_newton(arrays, options):
    """t d^2 in full; of the other half the second derivative in d times the square of the gradient of d."""
    margin, columns, rows = mpf(options.get("margin", 1)), len(arrays["first"][0]), len(arrays["first"])
    size = 2 * rows * columns
    matrix = [[mpf(0)] * size for _ in range(size)]
    for i, (a, b, t) in enumerate(zip(arrays["first"], arrays["second"], arrays["target"])):
        d = distance(a, b)
        bend = 2 * (1 - t[0]) * (1 if d <= margin else 0)
        u = [(x - y) / d for x, y in zip(a, b)] if d else [mpf(0)] * columns
        places = [(i * columns + j, u[j]) for j in range(columns)]
        places += [((rows + i) * columns + j, -u[j]) for j in range(columns)]
        for k, x in places:
            for m, y in places:
                matrix[k][m] += bend * x * y
        for j in range(columns):
            for k in (i * columns + j, (rows + i) * columns + j):
                for m in (i * columns + j, (rows + i) * columns + j):
                    matrix[k][m] += 2 * t[0] * (1 if k == m else -1)
    return matrix


def cases(rng, dtype):
    rows = lambda n, d, s: [[rng.gauss(0, s) for _ in range(d)] for _ in range(n)]
    yield "random", {}, {"first": rows(4, 3, 0.4), "second": rows(4, 3, 0.4), "target": [[1.0], [0.0], [0.0], [0.25]]}
    yield "random", {"margin": 2.5}, {"first": rows(3, 4, 1), "second": rows(3, 4, 1), "target": [[0.0], [1.0], [0.0]]}
    near = [1.0, 2.0, -0.5]
    yield "grid", {}, {"first": [near], "second": [[1.0, 2.0, -0.5 + 2.0**-20]], "target": [[1.0]]}
    yield "grid", {}, {"first": [near], "second": [near], "target": [[1.0]]}
    yield "grid", {}, {"first": [[30.0, -40.0]], "second": [[0.0, 0.0]], "target": [[0.0]]}
