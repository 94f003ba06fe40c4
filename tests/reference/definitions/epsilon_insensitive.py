"""epsilon-insensitive loss (Vapnik 1995): max(0, |r| - epsilon)."""

from oracle import INF, REAL, mpf

PREDICTION = REAL
TARGET = REAL
OPTIONS = [{"epsilon": 0.125}, {"epsilon": 1.5}, {"epsilon": 0.0}]


def value(x, target, options):
    return max(mpf(0), abs(x[0] - target) - mpf(options["epsilon"]))


def kinks(target, options):
    return [target - options["epsilon"], target + options["epsilon"]]


def majorizer(x, target, options):
    """The smallest B with loss(y) <= loss(x) + slope (y - x) + B/2 (y - x)^2 for all y. Such a parabola touches another of the
    three lines that the loss is the largest of: with g = difference of the lines at x and k = of their slopes, B = k^2 / (2 g)."""
    r, epsilon = abs(x[0] - target), mpf(options["epsilon"])
    lines = [(mpf(0), mpf(0)), (r - epsilon, mpf(1)), (-r - epsilon, mpf(-1))]  # their value and slope at |r|
    here = lines[1] if r > epsilon else lines[0]
    if r == INF:
        return mpf(0)
    pairs = [(here[0] - line[0], here[1] - line[1]) for line in lines]
    return max(INF if g == 0 else k**2 / (2 * g) for g, k in pairs if k != 0)
