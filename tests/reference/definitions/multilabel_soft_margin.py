"""Multi-label soft margin loss (PyTorch MultiLabelSoftMarginLoss): the mean over the columns of a row of
-w (v t log sigma(z) + (1 - t) log sigma(-z)), v being BCEWithLogitsLoss's pos_weight."""

from divergence import directions  # noqa: F401
from oracle import INF, REAL, UNIT, exp, log, mp, mpf


def value(x, target, options):
    weights = options.get("class_weight", [1] * len(x))
    terms = []
    positive = options.get("positive_weight", [1] * len(x))
    for z, t, w, v in zip(x, target, weights, positive):
        for side, part in ((-z, mpf(v) * t), (z, 1 - t)):
            if part != 0 and w != 0:
                terms.append(mpf(w) * part * log(1 + exp(side)))
    return mp.fsum(terms) / len(x)


def majorizer(x, target, options):
    """Of each column that of the logistic loss (Jaakkola and Jordan 2000, eq. 8), weighted as it is."""
    weights, found = options.get("class_weight", [1] * len(x)), []
    positive = options.get("positive_weight", [1] * len(x))
    for z, t, w, v in zip(x, target, weights, positive):
        weight, a = mpf(w) * (mpf(v) * t + 1 - t) / len(x), abs(z)
        e = exp(-a)
        # below 1e-300 the limit is nearer than the rounding of the quotient
        found.append(mpf(0) if a == INF else weight / 4 if a < mpf(10) ** -300 else weight * (1 - e) / (1 + e) / (2 * a))
    return found


def domain(options):
    return REAL


def target_domain(options):
    return UNIT


def points(rng, real, grid):
    yield "grid", {}, [20.0, -20.0, 0.0], [1.0, 0.0, 0.5]
    yield "grid", {}, [20.0, -20.0, 0.0], [0.0, 1.0, 0.25]
    yield "grid", {}, [100.0, -100.0, 1e-30], [1.0, 0.0, 1.0]
    yield "grid", {}, [INF, -INF, 2.385], [1.0, 0.0, 0.25]
    yield "grid", {}, [INF, 0.5, 2.385], [0.0, 0.5, 0.25]
    yield "grid", {}, [INF, 0.5, 2.385], [0.5, 0.5, 0.25]
    yield "grid", {}, [1e30, -3.0, 88.0], [0.25, 1.0, 0.0]
    for a in grid:
        if abs(a) < 1e30:
            yield "grid", {}, [a], [1.0]
            yield "grid", {}, [a], [0.25]
    for weights in ({}, {"class_weight": [0.75, 2.5, 1.125]}):
        for _ in range(8):
            yield "random", weights, [rng.gauss(0, 3) for _ in range(3)], [rng.choice([0.0, 1.0, rng.uniform(0.05, 0.95)]) for _ in range(3)]
    yield "random", {}, [rng.gauss(0, 3) for _ in range(17)], [float(rng.randrange(2)) for _ in range(17)]
    positive = {"positive_weight": [2.5, 0.375, 17.0]}
    yield "grid", positive, [20.0, -20.0, 0.0], [1.0, 0.0, 0.5]
    yield "grid", positive, [-100.0, 100.0, 1e-30], [1.0, 0.25, 1.0]
    yield "grid", positive, [INF, -INF, 2.385], [1.0, 0.0, 0.25]
    yield "grid", {"positive_weight": [0.0, 1.0, 3.0]}, [-INF, 0.5, -3.0], [1.0, 0.5, 0.25]
    for options in (positive, dict(positive, class_weight=[0.75, 2.5, 1.125])):
        for _ in range(8):
            yield "random", options, [rng.gauss(0, 3) for _ in range(3)], [rng.choice([0.0, 1.0, rng.uniform(0.05, 0.95)]) for _ in range(3)]
