"""What the definitions of losses of a label's margin over other classes share. A loss is a function of the label's logit and the
list of its rivals'."""

import itertools

from oracle import INF, REAL, mpf

KINKS = 4  # rows with so many columns lie at kinks, where differences say nothing about products


def parts(x, target):
    return x[target], [z for j, z in enumerate(x) if j != target]


def weight(target, options):
    return mpf(options["class_weight"][target]) if "class_weight" in options else mpf(1)


def hinge(gap):
    return gap if gap > 0 else mpf(0)


def domain(options):
    return REAL


def target_domain(options):
    return (mpf(0), INF)


def directions(rng, classes):
    return None if classes == KINKS else [rng.uniform(-2, 2) for _ in range(classes)]


def generic(rng, classes, margin):
    """Logits with no two, 0 among them, closer than 0.1, and no difference closer than that to the margin."""
    while True:
        z = [rng.gauss(0, 1.5) for _ in range(classes)]
        apart = [abs(a - b) for a, b in itertools.combinations(z + [0.0], 2)]
        if min(apart) > 0.1 and min(abs(a - margin) for a in apart) > 0.1:
            return z


def points(rng, own, kinks=(), count=10):
    """(kind, options, prediction, label): generic rows for the loss's own options, the defaults first, corners, and kinks."""
    corners = [
        ([20.0, 0.0], 0), ([20.0, 0.0], 1), ([1000.0, 0.0, -1000.0], 0), ([1e20, 1.0, -1e20], 1), ([2.385], 0), ([-0.25], 0),
        ([0.5, 1e-30, 1.25], 1), ([-3.0, -2.5, -4.0], 0), ([-3.0, -2.5, -4.0], 1), ([INF, 1.0, 0.5], 0), ([INF, 1.0, 0.5], 1),
        ([-INF, 1.0, 0.5], 1), ([-INF, 1.0, 0.5], 0), ([INF, INF, 0.5], 0), ([-INF, -INF], 0),
    ]
    for options in own:
        for logits, label in corners if options == own[0] else corners[:5]:
            yield "grid", options, logits, label
        margin = options.get("margin", 1)
        for _ in range(count):
            yield "random", options, generic(rng, 3, margin), rng.randrange(3)
        for _ in range(2):
            yield "random", dict(options, class_weight=[0.75, 2.5, 1.125]), generic(rng, 3, margin), rng.randrange(3)
    for logits in kinks:
        for label in range(KINKS):
            yield "grid", {}, logits, label
    for _ in range(2):
        yield "random", {}, [rng.gauss(0, 1.5) for _ in range(17)], rng.randrange(17)


def overflowing(grid):
    """Rows of four logits whose differences are beyond the type, the second the label's."""
    most = max(a for a in grid if a < INF)
    return [[0.75 * most, -0.5 * most, -0.5 * most, -0.5 * most], [0.75 * most, -0.75 * most, 0.0, -0.75 * most],
            [0.5 * most, -0.25 * most, 0.5 * most, 0.5 * most]]
