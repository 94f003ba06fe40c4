"""What the definitions of losses of two boxes share. A box is x1, y1, x2, y2; areas and lengths are those of the textbooks."""

from oracle import mp, mpf

ROLES = {"prediction*": "rows", "target": "rows"}
STEP = mpf(10) ** -70


def area(box):
    return (box[2] - box[0]) * (box[3] - box[1])


def intersection(a, b):
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return width * height if width > 0 and height > 0 else mpf(0)


def union(a, b):
    return area(a) + area(b) - intersection(a, b)


def hull(a, b):
    return [min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])]


def one_minus_ratio(a, b):
    """1 - I / U; two boxes without an area agree where they are the same."""
    if union(a, b) == 0:
        return mpf(0) if list(a) == list(b) else mpf(1)
    return 1 - intersection(a, b) / union(a, b)


def centres_apart(a, b):
    """d^2 / c^2"""
    around = hull(a, b)
    square = ((a[0] + a[2] - b[0] - b[2]) ** 2 + (a[1] + a[3] - b[1] - b[3]) ** 2) / 4
    diagonal = (around[2] - around[0]) ** 2 + (around[3] - around[1]) ** 2
    return mpf(0) if diagonal == 0 else square / diagonal


def shape(box):
    return mp.atan2(box[2] - box[0], box[3] - box[1])


def values(loss, arrays):
    return [loss(a, b) for a, b in zip(arrays["prediction"], arrays["target"])]


def curvature_at_kink(loss, arrays):
    """Of the inner piece: an edge on the target's goes inwards, one that touches the target from outside goes into it."""
    found = []
    for a, b in zip(arrays["prediction"], arrays["target"]):
        for c in range(4):
            axis = c % 2
            touching = min(a[axis + 2], b[axis + 2]) == max(a[axis], b[axis])
            inwards = (1 if c < 2 else -1) * (-1 if touching and a[c] != b[c] else 1)
            at = lambda steps: loss([x + (steps * inwards * STEP if k == c else 0) for k, x in enumerate(a)], b)
            bend = (at(2) - 2 * at(1) + at(0)) / STEP**2
            found.append(mpf(0) if abs(bend) < mpf(10) ** -55 else bend)
    return found


def cases(rng, dtype):
    """Overlapping, one within the other, apart, side by side, nearly the same; then edges that meet."""
    def box(low, high):
        x, y = sorted(rng.uniform(low, high) for _ in range(2)), sorted(rng.uniform(low, high) for _ in range(2))
        return [x[0] - 0.25, y[0] - 0.25, x[1] + 0.25, y[1] + 0.25]

    pair = lambda a, b: {"prediction": [a], "target": [b]}
    for _ in range(3):
        yield "random", {}, {"prediction": [box(0, 2) for _ in range(2)], "target": [box(0, 2) for _ in range(2)]}
    yield "random", {}, {"prediction": [box(1, 2), box(-1, 4), box(0, 1)], "target": [box(-1, 4), box(1, 2), box(3, 5)]}
    yield "grid", {}, pair([0.5, 0.25, 2.0, 1.5], [0.5 + 2.0**-14, 0.25 - 2.0**-15, 2.0 + 2.0**-13, 1.5 - 2.0**-16])
    yield "grid", {}, pair([0.5, 0.25, 2.0, 1.5], [0.5 - 2.0**-20, 0.25 - 2.0**-21, 2.0 + 2.0**-20, 1.5 + 2.0**-20])
    yield "grid", {}, pair([1e8, 1e8, 3e8, 1.5e8], [2e8, 1.125e8, 4.5e8, 2e8])
    yield "grid", {}, pair([1e-6, 2e-6, 3e-6, 2.5e-6], [2e-6, 2.25e-6, 5e-6, 6e-6])
    yield "grid", {}, pair([0.0, 0.0, 1e-3, 50.0], [-20.0, 25.0, 30.0, 25.0 + 2.0**-9])
    yield "grid", {}, pair([0.0, 0.0, 1.0, 2.0], [3.0, 4.0, 4.5, 9.0])
    yield "grid", {}, pair([0.5, 0.25, 2.0, 1.5], [0.25, -0.5, 2.0, 1.75])  # one edge
    yield "grid", {}, pair([0.5, 0.25, 2.0, 1.5], [0.5, 0.0, 1.75, 1.25])
    yield "grid", {}, pair([0.0, 0.25, 1.0, 1.5], [1.0, 0.0, 3.0, 1.0])  # touching
    yield "grid", {}, pair([0.5, 0.25, 2.0, 1.5], [0.5, 0.25, 2.0, 1.5])
