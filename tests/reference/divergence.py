"""What the definitions of losses between two distributions share: predictions and targets as probabilities, and points."""

import softmax_terms
from oracle import INF, REAL, UNIT, exp, log, mp, mpf

INPUTS = ("logits", "probabilities", "log_probabilities")


def domain(options):
    return UNIT if options.get("input") == "probabilities" else REAL


def target_domain(options):
    return REAL if options.get("target_input") == "log_probabilities" else (mpf(0), INF)


def predicted(x, options):
    """(p_j, log p_j) of every column."""
    given = options.get("input", "logits")
    if given == "probabilities":
        return [(p, log(p)) for p in x]
    if given == "log_probabilities":
        return [(exp(a), a) for a in x]
    total = mp.fsum(exp(a) for a in x)
    return [(exp(a) / total, a - log(total)) for a in x]


def targeted(target, options):
    """(t_j, log t_j) of every column."""
    if options.get("target_input") == "log_probabilities":
        return [(exp(t), t) for t in target]
    return [(t, log(t)) for t in target]


def terms(phi, x, target, direction, options):
    """The sizes of what derivatives by logits are made of (softmax_terms), phi(p, log p, t, log t) the parts of the loss of a column."""
    if options.get("input", "logits") != "logits":
        return {}
    pairs = targeted(target, options)
    return softmax_terms.terms(lambda k, log_p: phi(exp(log_p), log_p, *pairs[k], options), x, direction)


def distribution(rng, classes):
    """No part is so small that a difference quotient has no room."""
    parts = [0.05 + rng.gammavariate(1, 1) for _ in range(classes)]
    return [part / sum(parts) for part in parts]


def directions(rng, classes):
    return [rng.uniform(-2, 2) for _ in range(classes)]


def logarithms(numbers):
    return [float(log(mpf(a))) if a > 0 else -float(INF) for a in numbers]


def close_to(rng, p, size):
    """A distribution about that far from p."""
    moved = [a * (1 + size * rng.uniform(-1, 1)) for a in p]
    return [a / sum(moved) for a in moved]


def points(rng, own=({},), corners=(), classes=(2, 5), inputs=INPUTS[:2], count=5):
    """
    (kind, options, prediction, target): generic rows for every kind of input and target and the loss's own options, pairs that
    are nearly equal, and the corners (logits, target).
    """
    for logits, target in corners:
        yield "grid", {}, logits, target
    for extra in own:
        for given in inputs:
            options = dict({} if given == "logits" else {"input": given}, **extra)
            for _ in range(count):
                yield "random", options, prediction(rng, given, 3), distribution(rng, 3)
    for size in (1e-3, 1e-6):
        logits = [rng.gauss(0, 1) for _ in range(3)]
        p = [float(a[0]) for a in predicted([mpf(z) for z in logits], {})]
        yield "grid", {}, logits, close_to(rng, p, size)
        yield "grid", {"input": "probabilities"}, p, close_to(rng, p, size)
    for given in inputs[::len(inputs) - 1]:
        options = {"target_input": "log_probabilities"}
        options.update({} if given == "logits" else {"input": given})
        for _ in range(2):
            yield "random", options, prediction(rng, given, 3), logarithms(distribution(rng, 3))
    for width in classes:
        yield "random", {}, [rng.gauss(0, 3) for _ in range(width)], distribution(rng, width)


def prediction(rng, given, classes):
    if given == "logits":
        return [rng.gauss(0, 2) for _ in range(classes)]
    p = distribution(rng, classes)
    return p if given == "probabilities" else logarithms(p)
