"""RankSVM (Joachims 2002): for every pair of a group in which item i should rank above item j,
max(0, m - (x_i - x_j)) to the first or second power."""

from oracle import mp, mpf

ROLES = {"prediction*": "rows", "target": "rows", "offsets": "offsets"}
FIXED = ["target"]


def pairs(arrays):
    """Groups of (i, j): item i should rank above item j."""
    offsets = [row[0] for row in arrays.get("offsets", [[0], [len(arrays["prediction"])]])]
    y = arrays["target"]
    return [[(i, j) for i in range(a, b) for j in range(a, b) if y[i][0] > y[j][0]] for a, b in zip(offsets, offsets[1:])]


def values(arrays, options):
    x, margin = arrays["prediction"], mpf(options.get("margin", 1))
    return [mp.fsum(max(mpf(0), margin - (x[i][0] - x[j][0])) ** options.get("power", 1) for i, j in group)
            for group in pairs(arrays)]


def cases(rng, dtype):
    column = lambda numbers: [[a] for a in numbers]
    groups = lambda spread, offsets: {"prediction": column(rng.gauss(0, spread) for _ in range(offsets[-1])),
                                      "target": column(float(rng.randrange(3)) for _ in range(offsets[-1])),
                                      "offsets": column(offsets)}
    yield "random", {}, groups(1, [0, 4, 4, 9])
    yield "random", {"power": 2, "margin": 0.625}, groups(1, [0, 4, 9])
    yield "random", {"power": 2}, groups(1e-4, [0, 5])  # slopes cancel
    for options in ({}, {"power": 2}):
        for x, y in (([40.0, 0.0], [1.0, 0.0]), ([-40.0, 30.0], [1.0, 0.0]), ([1.0, 0.0], [1.0, 0.0]),
                     ([0.5, 0.5], [1.0, 0.0])):
            yield "grid", options, {"prediction": column(x), "target": column(y), "offsets": column([0, 2])}
    yield "grid", {}, {"prediction": column([1.0, 3.0, 2.0]), "target": column([2.0, 2.0, 2.0])}
