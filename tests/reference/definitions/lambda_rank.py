"""LambdaRank with the value of LambdaLoss (Burges 2010; Wang et al. 2018), natural logarithm: for every pair of a group in which
item i should rank above item j, |delta NDCG| log(1 + exp(-s (x_i - x_j))). What exchanging i and j changes of the NDCG is found by
exchanging them in the order of the scores, and held constant."""

from oracle import exp, log, mp, mpf

ROLES = {"prediction*": "rows", "target": "rows", "offsets": "offsets"}
DIGITS = 240


def pairs(arrays):
    """Groups of items, and of pairs (i, j): item i should rank above item j."""
    offsets = [row[0] for row in arrays.get("offsets", [[0], [len(arrays["prediction"])]])]
    y = arrays["target"]
    return [(range(a, b), [(i, j) for i in range(a, b) for j in range(a, b) if y[i][0] > y[j][0]])
            for a, b in zip(offsets, offsets[1:])]


def gain(y, options):
    return y if options.get("gain") == "linear" else mpf(2) ** y - 1


def cumulative_gain(gains, options):
    """Of items in their order."""
    last = options.get("truncation", 30) or len(gains)
    return mp.fsum(g / mp.log(r + 2, 2) for r, g in enumerate(gains[:last]))


def held(arrays, options):
    """|delta NDCG| of every pair (i, j)."""
    weights = {}
    for group, found in pairs(arrays):
        gains = {i: gain(arrays["target"][i][0], options) for i in group}
        order = sorted(group, key=lambda i: -arrays["prediction"][i][0])  # stable
        best = cumulative_gain(sorted(gains.values(), reverse=True), options)
        here = cumulative_gain([gains[i] for i in order], options)
        for i, j in found:
            exchanged = cumulative_gain([gains[{i: j, j: i}.get(k, k)] for k in order], options)
            weights[i, j] = abs(exchanged - here) / best if best > 0 else mpf(0)
    return weights


def values(arrays, options, weights):
    x, s = arrays["prediction"], mpf(options.get("sharpness", 1))
    return [mp.fsum(weights[i, j] * log(1 + exp(-s * (x[i][0] - x[j][0]))) for i, j in found if (i, j) in weights)
            for _, found in pairs(arrays)]


def cases(rng, dtype):
    column = lambda numbers: [[a] for a in numbers]
    groups = lambda offsets, relevance: {"prediction": column(rng.gauss(0, 2) for _ in range(offsets[-1])),
                                         "target": column(relevance() for _ in range(offsets[-1])),
                                         "offsets": column(offsets)}
    grades = lambda: float(rng.randrange(4))
    yield "random", {}, groups([0, 4, 4, 9], grades)
    yield "random", {"sharpness": 0.625, "truncation": 2}, groups([0, 5], grades)
    yield "random", {"truncation": 0, "gain": "linear"}, groups([0, 5], grades)
    yield "random", {}, groups([0, 4], lambda: rng.uniform(0, 3))
    two = lambda x, y: {"prediction": column(x), "target": column(y), "offsets": column([0, 2])}
    yield "grid", {}, two([40.0, 0.0], [1.0, 0.0])
    yield "grid", {}, two([-40.0, 30.0], [3.0, 0.0])
    yield "grid", {}, two([1.0, 2.0], [0.0, 0.0])
    yield "grid", {"truncation": 1}, {"prediction": column([3.0, 2.0, 1.0]), "target": column([0.0, 2.0, 1.0])}
    yield "grid", {}, {"prediction": column([1.0, 3.0, 2.0]), "target": column([2.0, 2.0, 2.0])}
