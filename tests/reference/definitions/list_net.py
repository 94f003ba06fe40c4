"""ListNet (Cao et al. 2007): in every group, -sum P log p with p the softmax of the scores and P the softmax of the relevances;
with target_transform=normalize P is relevance / sum of relevances, with none the relevance. Nothing without relevance."""

from oracle import exp, log, mp, mpf

ROLES = {"prediction*": "rows", "target": "rows", "offsets": "offsets"}
DIGITS = 320


def groups(arrays):
    offsets = [row[0] for row in arrays.get("offsets", [[0], [len(arrays["prediction"])]])]
    return [range(a, b) for a, b in zip(offsets, offsets[1:])]


def softmax(numbers):
    total = mp.fsum(exp(a) for a in numbers)
    return [exp(a) / total for a in numbers]


def distribution(y, options):
    transform = options.get("target_transform", "softmax")
    if transform == "softmax":
        return softmax(y)
    total = mp.fsum(y) if transform == "normalize" else mpf(1)
    return [a / total if total else mpf(0) for a in y]


def values(arrays, options):
    result = []
    for group in groups(arrays):
        p = softmax([arrays["prediction"][i][0] for i in group])
        target = distribution([arrays["target"][i][0] for i in group], options)
        result.append(mp.fsum(-t * log(a) for t, a in zip(target, p)))
    return result


def cases(rng, dtype):
    column = lambda numbers: [[a] for a in numbers]
    groups = lambda spread, offsets: {"prediction": column(rng.gauss(0, spread) for _ in range(offsets[-1])),
                                      "target": column(float(rng.randrange(3)) for _ in range(offsets[-1])),
                                      "offsets": column(offsets)}
    yield "random", {}, groups(1.5, [0, 3, 3, 7])
    yield "random", {}, groups(0.05, [0, 5])
    for transform in ("normalize", "none"):
        yield "random", {"target_transform": transform}, groups(2, [0, 4, 7])
    y = [2.0, 0.0, 1.0]
    yield "grid", {}, {"prediction": column([2.125, 0.0, 1.0]), "target": column(y)}  # nearly learned
    for x in ([60.0, 0.0, -3.0], [0.0, 60.0, 59.0], [-50.0, -50.0, 2.0], [1.5, 1.5, 1.5]):
        yield "grid", {}, {"prediction": column(x), "target": column(y), "offsets": column([0, 3])}
    yield "grid", {}, {"prediction": column([50.0, 0.0]), "target": column([60.0, 0.0])}
    yield "grid", {"target_transform": "normalize"}, {"prediction": column([50.0, 0.0]), "target": column([1.0, 0.0])}
    yield "grid", {"target_transform": "normalize"}, {"prediction": column([1.0, 2.0]), "target": column([0.0, 0.0])}
