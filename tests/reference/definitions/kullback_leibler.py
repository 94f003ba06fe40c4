"""The Kullback-Leibler divergence (Kullback & Leibler 1951, eq. 2.6) of the target from the prediction:
sum_j t_j log(t_j / p_j), where 0 log 0 = 0 and p is softmax(z), or the prediction itself, or its exponential."""

import divergence
from divergence import directions, domain, target_domain  # noqa: F401
from oracle import INF, mp, mpf


def value(x, target, options):
    terms = []
    for (_, log_p), (t, log_t) in zip(divergence.predicted(x, options), divergence.targeted(target, options)):
        terms.append(mpf(0) if t == 0 else t * (log_t - log_p))
    return mp.fsum(terms)


def majorizer(x, target, options):
    """S / 2 on the diagonal (Boehning 1992), S = sum_j t_j; of logits alone."""
    if options.get("input", "logits") != "logits":
        return None
    return [mp.fsum(t for t, _ in divergence.targeted(target, options)) / 2] * len(x)


def points(rng, real, grid):
    corners = [
        ([20.0, 0.0], [1.0, 0.0]), ([20.0, 0.0], [0.0, 1.0]), ([20.0, 0.0, -3.0], [1.0, 0.0, 0.0]),
        ([0.0, 0.0, 0.0], [0.25, 0.25, 0.5]), ([0.0, 0.0], [0.5, 0.5]), ([1000.0, 0.0, -1000.0], [0.25, 0.25, 0.5]),
        ([3.0, 1.0, 0.5], [0.0, 1e-30, 0.0]), ([3.0, 1.0, 0.5], [2.0, 0.5, 1.5]), ([3.0, 1.0, 0.5], [0.0, 0.0, 0.0]),
        ([2.385], [1.0]), ([-INF, 1.0, 0.5], [0.0, 0.25, 0.75]), ([-INF, 1.0, 0.5], [0.25, 0.25, 0.5]),
        ([INF, 1.0, 0.5], [1.0, 0.0, 0.0]), ([INF, 1.0, 0.5], [0.5, 0.25, 0.25]), ([-INF, -INF, 0.5], [0.0, 0.0, 1.0]),
        ([-INF, -INF], [0.5, 0.5]),
    ]
    for a in grid[1::8]:
        if abs(a) != INF:
            corners.append(([a, 0.0, -a], [0.75, 0.25, 0.0]))
    yield from divergence.points(rng, corners=corners, classes=(2, 17), inputs=divergence.INPUTS)
    for given, p in (("probabilities", [0.0, 0.25, 0.75]), ("log_probabilities", [-INF, -2.0, -0.125])):
        options = {"input": given}
        yield "grid", options, p, [0.0, 0.25, 0.75]
        yield "grid", options, p, [0.5, 0.0, 0.5]
    yield "grid", {"input": "probabilities"}, [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]
    yield "grid", {"target_input": "log_probabilities"}, [3.0, 1.0, 0.5], [-INF, -0.5, -0.75]
    yield "grid", {"target_input": "log_probabilities"}, [-INF, 1.0, 0.5], [-INF, -0.5, -0.75]
