"""What the definitions of losses of overlapping maps share: probabilities, targets and points."""

from oracle import UNIT


def domain(options):
    return UNIT


def target_domain(options):
    return UNIT


def directions(rng, columns):
    return [rng.uniform(-2, 2) for _ in range(columns)]


def counts(p, t):
    """(sum p t, sum p (1 - t), sum (1 - p) t)"""
    return (sum(a * b for a, b in zip(p, t)), sum(a * (1 - b) for a, b in zip(p, t)),
            sum((1 - a) * b for a, b in zip(p, t)))


def points(rng, choices, corner_options):
    """(kind, options, prediction, target): corners, then generic rows with hard and with soft targets for every choice."""
    corners = [
        ([1.0, 0.0, 0.25], [1.0, 0.0, 0.0]), ([0.5, 0.5, 0.5], [1.0, 0.0, 1.0]), ([0.25, 0.0, 1.0], [0.0, 0.0, 0.0]),
        ([1e-4, 1e-6, 0.0], [0.0, 0.0, 0.0]), ([0.0, 0.0, 1e-6], [1.0, 1.0, 0.0]), ([1.0 - 2.0**-20, 2.0**-20], [1.0, 0.0]),
        ([1.0, 2.0**-12], [1.0, 0.0]), ([0.125], [1.0]), ([1.0, 1.0, 1.0, 1.0], [1.0, 0.0, 0.0, 0.0]),
        ([0.75, 0.25, 0.5], [0.75, 0.25, 0.5]),
    ]
    for options in corner_options:
        for p, t in corners:
            yield "grid", options, p, t
    for options in choices:
        for hard in (True, False):
            for _ in range(2):
                target = [1.0, 0.0, rng.choice([0.0, 1.0])]
                yield ("random", options, [rng.uniform(0.05, 0.95) for _ in range(3)],
                       target if hard else [rng.uniform(0.05, 0.95) for _ in range(3)])
    for columns in (2, 19):
        yield "random", choices[0], [rng.uniform(0.05, 0.95) for _ in range(columns)], [1.0] + [0.0] * (columns - 1)
