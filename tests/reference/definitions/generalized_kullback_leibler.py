"""The generalized Kullback-Leibler divergence (Csiszar 1991, eq. 1.2): sum_j t_j log(t_j / q_j) - t_j + q_j, where
0 log 0 = 0 and q is the prediction or its exponential, t the target or its exponential."""

from divergence import directions  # noqa: F401
from oracle import INF, REAL, exp, log, mp, mpf

POSITIVE = (mpf(0), INF)

LIMITS_AT_EDGES = True


def domain(options):
    return REAL if options.get("input") == "logarithms" else POSITIVE


def target_domain(options):
    return REAL if options.get("target_input") == "logarithms" else POSITIVE


def value(x, target, options):
    terms = []
    for q, t in zip(x, target):
        log_q, q = (q, exp(q)) if options.get("input") == "logarithms" else (log(q), q)
        log_t, t = (t, exp(t)) if options.get("target_input") == "logarithms" else (log(t), t)
        terms.append((mpf(0) if t == 0 else t * (log_t - log_q)) - t + q)
    return mp.fsum(terms)


def points(rng, real, grid):
    logarithms = {"input": "logarithms"}
    for q in (2.0**-100, 1e-30, 0.5, 0.75, 1.0, 1.5, 2.0, 1e6, 1e30):
        yield "grid", {}, [q, 1.25], [1.0, 0.5]
        yield "grid", {}, [q], [0.0]
    yield "grid", {}, [0.0, 1.0], [0.0, 2.0]
    yield "grid", {}, [0.0, 1.0], [0.5, 2.0]
    yield "grid", {}, [1.0 + 2.0**-20, 3.0], [1.0, 3.0]
    yield "grid", {}, [1e-38, 3e38], [1e-30, 2e38]
    for a in grid[1::5]:
        yield "grid", logarithms, [a], [1.0]
    for _ in range(6):
        yield "random", {}, [rng.uniform(0.25, 6) for _ in range(3)], [rng.uniform(0, 6) for _ in range(3)]
        yield "random", logarithms, [rng.gauss(0, 2) for _ in range(3)], [rng.uniform(0, 6) for _ in range(3)]
    for options in ({"target_input": "logarithms"}, {"target_input": "logarithms", "input": "logarithms"}):
        for _ in range(3):
            q = [rng.uniform(0.25, 6) for _ in range(3)] if len(options) == 1 else [rng.gauss(0, 2) for _ in range(3)]
            yield "random", options, q, [rng.gauss(0, 2) for _ in range(3)]
