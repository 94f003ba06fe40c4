"""Multi-label margin loss (PyTorch MultiLabelMarginLoss): of every label and every class that is none, max(0, 1 - (z_label -
z_other)), added up and divided by the number of classes. Targets say of every class whether it is a label."""

import class_margin
from class_margin import directions, domain  # noqa: F401
from oracle import INF, SIGNS, mp


def target_domain(options):
    return SIGNS


def value(x, target, options):
    labels = [z for z, t in zip(x, target) if t == 1]
    others = [z for z, t in zip(x, target) if t != 1]
    return mp.fsum(class_margin.hinge(1 - (z - other)) for z in labels for other in others) / len(x)


def points(rng, real, grid):
    corners = [
        ([20.0, 0.0], [1, 0]), ([20.0, 0.0], [0, 1]), ([1000.0, 0.0, -1000.0], [0, 1, 0]), ([1000.0, 0.0, -1000.0], [0, 1, 1]),
        ([1e20, 1.0, -1e20], [0, 1, 1]), ([2.385], [1]), ([-0.25], [0]), ([0.5, 1e-30, 1.25], [0, 1, 0]),
        ([0.5, 1.25, -3.0], [1, 1, 1]), ([0.5, 1.25, -3.0], [0, 0, 0]), ([INF, 1.0, 0.5], [1, 0, 0]), ([INF, 1.0, 0.5], [0, 1, 0]),
        ([-INF, 1.0, 0.5], [1, 1, 0]), ([-INF, 1.0, 0.5], [0, 1, 0]), ([INF, INF, 0.5], [1, 0, 0]), ([INF, INF, 0.5], [1, 1, 0]),
        ([-INF, -INF], [1, 0]),
    ]
    for logits, target in corners:
        yield "grid", {}, logits, [float(t) for t in target]
    for target in label_sets(4):  # kinks: margins just reached, alone and several at once
        yield "grid", {}, [2.0, 1.0, -3.0, 0.0], target
    for logits in class_margin.overflowing(grid):
        yield "grid", {}, logits, [0.0, 1.0, 0.0, 0.0]
    for options, low in (({}, 0.0), ({"target_encoding": "signs"}, -1.0)):
        for _ in range(10):
            yield "random", options, class_margin.generic(rng, 3, 1), [rng.choice([low, 1.0]) for _ in range(3)]
    for _ in range(2):
        yield "random", {}, [rng.gauss(0, 1.5) for _ in range(17)], [float(rng.randrange(3) == 0) for _ in range(17)]


def label_sets(columns):
    """Every set of labels that leaves something out, and is something."""
    return [[float(k >> j & 1) for j in range(columns)] for k in range(1, 2**columns - 1)]
