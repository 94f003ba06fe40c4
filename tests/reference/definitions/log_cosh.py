"""Log-cosh (Green 1990): log(cosh(a r)) / a, where r = prediction - target."""

from oracle import INF, REAL, exp, log, mpf

PREDICTION = REAL
TARGET = REAL
OPTIONS = [{}, {"scale": 0.3125}, {"scale": 24.5}]
HARD = [({}, float.fromhex("-0x1.53435ep-11"), 0.0)]  # a curvature just below 1


def value(x, target, options):
    scale = mpf(options.get("scale", 1))
    size = scale * abs(x[0] - target)
    return (size + log((1 + exp(-2 * size)) / 2)) / scale


def majorizer(x, target, options):
    """psi(r) / r (Huber and Ronchetti 2009, section 7.8)."""
    scale, r = mpf(options.get("scale", 1)), abs(x[0] - target)
    if r == INF:
        return mpf(0)
    if r < mpf(10) ** -300:  # the limit is nearer than the rounding of the quotient
        return scale
    e = exp(-2 * scale * r)
    return (1 - e) / (1 + e) / r
