"""What the definitions of losses of the label's probability share: sum_j w_j t_j psi(p_j), p = softmax(z), where t is the row of
targets or one-hot of the label and w the class weights. psi is a function of p and log p."""

import divergence
import softmax_terms
from divergence import directions, distribution  # noqa: F401
from oracle import INF, REAL, exp, mp, mpf


def value(psi, x, target, options):
    one_hot = [mpf(j == target) for j in range(len(x))] if isinstance(target, int) else target
    weight = options.get("class_weight", [1] * len(x))
    terms = []
    for (p, log_p), t, w in zip(divergence.predicted(x, {}), one_hot, weight):
        terms.append(mpf(0) if t == 0 else mpf(w) * t * psi(p, log_p, options))
    return mp.fsum(terms)


def terms(psi, x, target, options, direction):
    """The sizes of what derivatives are made of (softmax_terms)."""
    one_hot = [mpf(j == target) for j in range(len(x))] if isinstance(target, int) else target
    weight = options.get("class_weight", [1] * len(x))
    phi = lambda k, log_p: [mpf(weight[k]) * one_hot[k] * psi(exp(log_p), log_p, options)] if one_hot[k] else []
    return softmax_terms.terms(phi, x, direction)


def domain(options):
    return REAL


def target_domain(options):
    return (mpf(0), INF)


def points(rng, own, edges=(), count=5):
    """(kind, options, prediction, target): generic rows for the loss's own options, the defaults first, and corners, some of them
    for more options."""
    corners = [
        ([20.0, 0.0], 0), ([20.0, 0.0], 1), ([0.0, 0.0, 0.0], 2), ([-120.0, -110.0, -115.0], 0), ([1000.0, 0.0, -1000.0], 0),
        ([5.0, 5.0, -1.0], 1), ([2.385], 0), ([INF, 1.0, 0.5], 0), ([-INF, 1.0, 0.5], 1), ([-INF, 1.0, 0.5], 0),
        ([-INF, -INF], 0), ([30.0, 1.0, 0.5], [1.0, 0.0, 0.0]), ([-INF, 1.0, 0.5], [0.0, 0.25, 0.75]),
    ]
    for logits, target in corners:
        yield "grid", {}, logits, target
    weighted = dict(own[-1], class_weight=[0.75, 2.5, 1.125])
    for options in own + [weighted]:
        for label in (0, 1):
            yield "grid", options, [20.0, 0.0, -3.0], label
        for _ in range(count):
            yield "random", options, [rng.gauss(0, 3) for _ in range(3)], rng.randrange(3)
        for _ in range(2):
            yield "random", options, [rng.gauss(0, 3) for _ in range(3)], distribution(rng, 3)
    for options in edges:
        for logits in ([86.0, 0.0, -3.0], [0.75, 0.5, -1.25]):
            for label in (0, 1):
                yield "grid", options, logits, label
    yield "random", {}, [rng.gauss(0, 3) for _ in range(17)], rng.randrange(17)
