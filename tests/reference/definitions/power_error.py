"""Power error (Gonin and Money 1989): |r|^q, q >= 1, where r = prediction - target."""

from oracle import INF, REAL, mpf

PREDICTION = REAL
TARGET = REAL
OPTIONS = [{}, {"power": 1.5}, {"power": 1.1}, {"power": 1.0}, {"power": 3.0}, {"power": 7.25}]
RANDOM_OPTIONS = 2  # a power of 1.1 bends within the last digit of a large target, which looks like a jump


def power(options):
    return mpf(options.get("power", 2))


def value(x, target, options):
    return abs(x[0] - target) ** power(options)


def kinks(target, options):
    """None where the curvature is infinite: differences do not show that."""
    return [] if 1 < power(options) < 2 else [target]


def majorizer(x, target, options):
    """psi(r) / r while the loss is concave in r^2 (Hunter and Lange 2004, section 3); else there is none."""
    q, r = power(options), abs(x[0] - target)
    if q > 2:
        return None
    if q == 2:
        return mpf(2)
    return INF if r == 0 else mpf(0) if r == INF else q * r ** (q - 2)
