"""The Jensen-Shannon divergence (Lin 1991, eq. 4.1): beta KL(t, m) + (1 - beta) KL(p, m) with m = beta t + (1 - beta) p,
where KL(a, b) = sum_j a_j log(a_j / b_j), 0 log 0 = 0, and p is softmax(z), or the prediction."""

import divergence
from divergence import directions, domain, target_domain  # noqa: F401
from oracle import INF, log, mp, mpf

ULP = 16
LIMITS_AT_EDGES = True


def column(p, log_p, t, log_t, options):
    beta = mpf(options.get("beta", 0.5))
    m = beta * t + (1 - beta) * p
    return [mpf(0) if a == 0 else share * a * (log(a) - log(m)) for share, a in ((beta, t), (1 - beta, p))]


def value(x, target, options):
    pairs = zip(divergence.predicted(x, options), divergence.targeted(target, options))
    return mp.fsum(part for predicted, targeted in pairs for part in column(*predicted, *targeted, options))


def terms(x, target, direction, options):
    return divergence.terms(column, x, target, direction, options)


def points(rng, real, grid):
    corners = [
        ([20.0, 0.0], [1.0, 0.0]), ([20.0, 0.0], [0.0, 1.0]), ([20.0, 0.0, -3.0], [0.9375, 0.03125, 0.03125]),
        ([0.0, 0.0], [0.5, 0.5]), ([1000.0, 0.0, -1000.0], [0.25, 0.25, 0.5]), ([1000.0, 0.0, -1000.0], [0.0, 0.0, 1.0]),
        ([3.0, 1.0, 0.5], [2.0, 0.5, 1.5]), ([2.385], [1.0]), ([-INF, 1.0, 0.5], [0.0, 0.25, 0.75]),
        ([-INF, 1.0, 0.5], [0.25, 0.25, 0.5]), ([INF, 1.0, 0.5], [1.0, 0.0, 0.0]), ([-INF, -INF], [0.5, 0.5]),
    ]
    yield from divergence.points(rng, own=({}, {"beta": 0.125}), corners=corners)
    yield "grid", {"input": "probabilities"}, [0.0, 0.25, 0.75], [0.0, 0.25, 0.75]
    # terms of the second derivatives cancel
    close = [float.fromhex(a) for a in ("-0x1.87a024p-1", "-0x1.9a44dp1", "0x1.8937aep-1")]
    for _ in range(3):
        yield "grid", {"beta": 0.125}, close, [float.fromhex(a) for a in ("0x1.92ebaap-1", "0x1.87b1b2p-4", "0x1.e0f104p-4")]
