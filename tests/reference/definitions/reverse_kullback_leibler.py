"""The Kullback-Leibler divergence (Kullback & Leibler 1951, eq. 2.6) of the prediction from the target:
sum_j p_j log(p_j / t_j), where 0 log 0 = 0 and p is softmax(z), or the prediction itself."""

import divergence
from divergence import directions, domain, target_domain  # noqa: F401
from oracle import INF, mp, mpf


def column(p, log_p, t, log_t, options):
    return [mpf(0) if p == 0 else p * (log_p - log_t)]


def value(x, target, options):
    pairs = zip(divergence.predicted(x, options), divergence.targeted(target, options))
    return mp.fsum(column(*predicted, *targeted, options)[0] for predicted, targeted in pairs)


def terms(x, target, direction, options):
    return divergence.terms(column, x, target, direction, options)


def points(rng, real, grid):
    corners = [
        ([20.0, 0.0], [0.75, 0.25]), ([20.0, 0.0], [1e-30, 1.0]), ([20.0, 0.0, -3.0], [0.9375, 0.03125, 0.03125]),
        ([0.0, 0.0], [0.5, 0.5]), ([0.0, 0.0], [0.5, 0.25]), ([1000.0, 0.0, -1000.0], [0.25, 0.25, 0.5]),
        ([3.0, 1.0, 0.5], [2.0, 0.5, 1.5]), ([2.385], [1.0]),
        ([-INF, 1.0, 0.5], [0.25, 0.25, 0.5]), ([INF, 1.0, 0.5], [0.5, 0.25, 0.25]), ([-INF, -INF], [0.5, 0.5]),
    ]
    yield from divergence.points(rng, corners=corners, count=12)
