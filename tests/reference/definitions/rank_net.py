"""RankNet (Burges et al. 2005, eq. 3): for every pair of a group in which item i should rank above item j,
-log P with P = 1 / (1 + exp(-s (x_i - x_j)))."""

from oracle import exp, log, mp, mpf

ROLES = {"prediction*": "rows", "target": "rows", "offsets": "offsets"}
FIXED = ["target"]


def groups(arrays):
    offsets = [row[0] for row in arrays.get("offsets", [[0], [len(arrays["prediction"])]])]
    return [range(a, b) for a, b in zip(offsets, offsets[1:])]


def values(arrays, options):
    x, y = arrays["prediction"], arrays["target"]
    s = mpf(options.get("sharpness", 1))
    return [mp.fsum(-log(1 / (1 + exp(-s * (x[i][0] - x[j][0])))) for i in group for j in group if y[i][0] > y[j][0])
            for group in groups(arrays)]


def gauss_newton(arrays, options):
    """The Laplacian with weights s^2 P (1 - P)."""
    x, y = arrays["prediction"], arrays["target"]
    s = mpf(options.get("sharpness", 1))
    matrix = [[mpf(0)] * len(x) for _ in x]
    for group in groups(arrays):
        for i in group:
            for j in group:
                if y[i][0] > y[j][0]:
                    p = 1 / (1 + exp(-s * (x[i][0] - x[j][0])))
                    w = s**2 * p * (1 - p)
                    for a, b, sign in ((i, i, 1), (j, j, 1), (i, j, -1), (j, i, -1)):
                        matrix[a][b] += sign * w
    return matrix


def cases(rng, dtype):
    column = lambda numbers: [[a] for a in numbers]
    for options in ({}, {"sharpness": 0.625}):
        yield "random", options, {"prediction": column(rng.gauss(0, 2) for _ in range(9)),
                                  "target": column(float(rng.randrange(3)) for _ in range(9)),
                                  "offsets": column([0, 4, 4, 9])}
    yield "random", {}, {"prediction": column(rng.gauss(0, 1) for _ in range(5)),
                         "target": column([1.0, 0.0, 2.0, 0.0, 1.0]), "offsets": column([0, 5])}
    yield "grid", {}, {"prediction": column([40.0, 0.0]), "target": column([1.0, 0.0]), "offsets": column([0, 2])}
    yield "grid", {}, {"prediction": column([-40.0, 30.0]), "target": column([1.0, 0.0]), "offsets": column([0, 2])}
    yield "grid", {}, {"prediction": column([1.0, 3.0, 2.0]), "target": column([2.0, 2.0, 2.0])}
