"""Ordered classes (McCullagh 1980): minus the logarithm of F(theta_k - x) - F(theta_(k-1) - x), F the logistic
distribution function, theta_(-1) = -infinity and theta_(K-1) = +infinity."""

from oracle import exp, log, mp, mpf

ROLES = {"prediction*": "rows", "target": "rows", "thresholds*": "shared"}


def values(arrays, options):
    theta = arrays["thresholds"][0]
    below = lambda k, x: mpf(0) if k < 0 else mpf(1) if k == len(theta) else 1 / (1 + exp(x - theta[k]))
    return [-log(below(k[0], x[0]) - below(k[0] - 1, x[0])) for x, k in zip(arrays["prediction"], arrays["target"])]


def cases(rng, dtype):
    column = lambda numbers: [[a] for a in numbers]
    for thresholds in ([-1.5, 0.25, 2.0], [0.375], [-3.0, -2.5, -0.125, 1.0, 4.5]):
        yield "random", {}, {"prediction": column(rng.gauss(0, 2) for _ in range(7)),
                             "target": column(rng.randrange(len(thresholds) + 1) for _ in range(7)),
                             "thresholds": [thresholds]}
    for x, k in [(40.0, 0), (-40.0, 0), (60.0, 1), (-60.0, 1), (80.0, 2), (-30.0, 2), (0.0, 1)]:
        yield "grid", {}, {"prediction": [[x]], "target": [[k]], "thresholds": [[-0.5, 1.25]]}
    yield "grid", {}, {"prediction": [[0.25]], "target": [[1]], "thresholds": [[0.5, 0.5 + 2.0**-12]]}
    # a score nearly in the middle of its class: the slope is a difference of what is nearly the same
    for x, thresholds in [(float.fromhex("0x1.6002acp-2"), [-0.125, 1.0]), (0.43751, [-0.125, 1.0]), (-2.2499, [-7.0, 2.5])]:
        yield "grid", {}, {"prediction": [[x]], "target": [[1]], "thresholds": [thresholds]}
