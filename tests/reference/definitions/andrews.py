"""Andrews's sine wave (Andrews 1974): c^2 (1 - cos(r/c)) for |r| <= pi c, else 2 c^2, where r = prediction - target."""

from oracle import REAL, mp, mpf

PREDICTION = REAL
TARGET = REAL
OPTIONS = [{}, {"scale": 0.3125}, {"scale": 1024.5}]


def ratio(x, target, options):
    return abs(x[0] - target) / mpf(options.get("scale", 1.339))


def value(x, target, options):
    c = mpf(options.get("scale", 1.339))
    q = ratio(x, target, options)
    return c**2 * (1 - mp.cos(q)) if q <= mp.pi else 2 * c**2


def kinks(target, options):
    """Where the second derivative jumps, from -1 to 0."""
    end = float(mp.pi) * options.get("scale", 1.339)
    return [target - end, target + end]


def majorizer(x, target, options):
    """psi(r) / r (Huber and Ronchetti 2009, section 7.8)."""
    q = ratio(x, target, options)
    if q > mp.pi:
        return mpf(0)
    return mp.sin(q) / q if q else mpf(1)
