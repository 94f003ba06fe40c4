"""Tukey's biweight (Beaton and Tukey 1974): c^2/6 (1 - (1 - (r/c)^2)^3) for |r| <= c, else c^2/6."""

from oracle import INF, REAL, mpf

PREDICTION = REAL
TARGET = REAL
OPTIONS = [{}, {"scale": 0.3125}, {"scale": 1024.5}]
HARD = [({}, float.fromhex("0x1.61a0dp+0"), float.fromhex("-0x1.6f2cc4p-1")), ({}, float.fromhex("-0x1.f5fbb8p+1"), float.fromhex("0x1.722abap-1"))]


def square(x, target, options):
    return ((x[0] - target) / mpf(options.get("scale", 4.685))) ** 2


def value(x, target, options):
    c = mpf(options.get("scale", 4.685))
    u = square(x, target, options)
    return c**2 / 6 * (1 - (1 - u) ** 3 if u <= 1 else 1)


def kinks(target, options):
    """Where the third derivative jumps: the points around it are worth a test."""
    c = options.get("scale", 4.685)
    return [target - c, target + c]


def majorizer(x, target, options):
    """psi(r) / r (Huber and Ronchetti 2009, section 7.8)."""
    u = square(x, target, options)
    return (1 - u) ** 2 if u <= 1 else mpf(0)
