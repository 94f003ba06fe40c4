"""Plackett and Luce's model (Xia et al. 2008): in every group, minus the logarithm of the probability to draw the items in the
order of their targets, largest first, when an item is drawn with probability exp(x) / sum of exp(x) of those not yet drawn.
Equal targets are in the order of their rows."""

from oracle import exp, log, mp

ROLES = {"prediction*": "rows", "target": "rows", "offsets": "offsets"}
FIXED = ["target"]
DIGITS = 320


def values(arrays, options):
    offsets = [row[0] for row in arrays.get("offsets", [[0], [len(arrays["prediction"])]])]
    result = []
    for first, end in zip(offsets, offsets[1:]):
        left = sorted(range(first, end), key=lambda i: -arrays["target"][i][0])  # stable
        weights = [exp(arrays["prediction"][i][0]) for i in left]
        result.append(mp.fsum(-log(weights[k] / mp.fsum(weights[k:])) for k in range(len(weights))))
    return result


def cases(rng, dtype):
    column = lambda numbers: [[a] for a in numbers]
    groups = lambda spread, offsets: {"prediction": column(rng.gauss(0, spread) for _ in range(offsets[-1])),
                                      "target": column(float(rng.randrange(4)) for _ in range(offsets[-1])),
                                      "offsets": column(offsets)}
    yield "random", {}, groups(1.5, [0, 3, 3, 4, 8])
    yield "random", {}, groups(0.01, [0, 6])
    yield "random", {}, groups(9, [0, 6])
    y = [1.0, 3.0, 2.0, 0.0]
    for x in ([60.0, 0.0, 30.0, 20.0], [20.0, 50.0, 0.0, -30.0], [-20.0, -20.0, 20.0, 20.0], [1.5, 1.5, 1.5, 1.5],
              [0.0, 60.0, -40.0, 8.0]):
        yield "grid", {}, {"prediction": column(x), "target": column(y), "offsets": column([0, 4])}
    yield "grid", {}, {"prediction": column([60.0, 0.0]), "target": column([1.0, 0.0])}
    yield "grid", {}, {"prediction": column([0.5, 0.25, 0.0]), "target": column([1.0, 1.0, 1.0])}
