"""The total variation distance (Levin, Peres & Wilmer 2009, proposition 4.2): sum_j |p_j - t_j| / 2, where p is softmax(z),
or the prediction itself."""

import divergence
from divergence import directions, domain, target_domain  # noqa: F401
from oracle import INF, mp


def column(p, log_p, t, log_t, options):
    return [abs(p - t) / 2]


def value(x, target, options):
    pairs = zip(divergence.predicted(x, options), divergence.targeted(target, options))
    return mp.fsum(abs(p - t) for (p, _), (t, _) in pairs) / 2


def terms(x, target, direction, options):
    return divergence.terms(column, x, target, direction, options)


def points(rng, real, grid):
    corners = [
        ([20.0, 0.0], [1.0, 0.0]), ([20.0, 0.0], [0.0, 1.0]), ([1000.0, 0.0, -1000.0], [0.25, 0.25, 0.5]),
        ([3.0, 1.0, 0.5], [2.0, 0.5, 1.5]), ([2.385], [0.5]), ([-INF, 1.0, 0.5], [0.25, 0.25, 0.5]),
        ([INF, 1.0, 0.5], [0.5, 0.25, 0.25]), ([5.0, 5.0, -1.0], [0.25, 0.5, 0.25]),
        ([0.0, 1e-4, 1e-30], [0.5, 0.5, 0.0]), ([-INF, -INF], [0.5, 0.5]),
    ]
    yield from divergence.points(rng, corners=corners, count=12)
