"""CORAL (Cao, Mirjalili and Raschka 2020, eq. 4): over the levels j minus log P_j where the class is above j, else minus
log(1 - P_j), P_j = 1 / (1 + exp(-(x + b_j)))."""

from oracle import exp, log, mp

ROLES = {"prediction*": "rows", "target": "rows", "biases*": "shared"}


def values(arrays, options):
    above = lambda z: 1 / (1 + exp(-z))
    return [mp.fsum(-log(above(x[0] + b)) if k[0] > j else -log(above(-x[0] - b))
                    for j, b in enumerate(arrays["biases"][0]))
            for x, k in zip(arrays["prediction"], arrays["target"])]


def cases(rng, dtype):
    column = lambda numbers: [[a] for a in numbers]
    for biases in ([1.5, 0.25, -2.0], [0.375], [3.0, 2.5, -0.125, -1.0, -4.5]):
        yield "random", {}, {"prediction": column(rng.gauss(0, 2) for _ in range(5)),
                             "target": column(rng.randrange(len(biases) + 1) for _ in range(5)),
                             "biases": [biases]}
    for x, k in [(40.0, 2), (-40.0, 0), (60.0, 1), (80.0, 0), (-30.0, 2), (0.0, 1)]:
        yield "grid", {}, {"prediction": [[x]], "target": [[k]], "biases": [[0.5, -1.25]]}
