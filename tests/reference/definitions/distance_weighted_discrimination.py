"""Distance-weighted discrimination (Marron, Todd and Ahn 2007; with a power, Wang and Zou 2018): of s = y x, y = -1 or +1, 1 - s
up to q / (q + 1), then q^q / (q + 1)^(q + 1) / s^q."""

from oracle import REAL, SIGNS, mpf

PREDICTION = REAL
TARGET = SIGNS
OPTIONS = [{}, {"q": 4.0}, {"target_encoding": "zero_one"}, {"q": 2.375}, {"q": 0.3125}, {"q": 20.0}]


def sign(target, options):
    return 2 * target - 1 if options.get("target_encoding") == "zero_one" else target


def value(x, target, options):
    q = mpf(options.get("q", 1))
    s = sign(target, options) * x[0]
    return 1 - s if s <= q / (q + 1) else q**q / (q + 1)**(q + 1) / s**q


def kinks(target, options):
    q = options.get("q", 1)
    return [float(sign(target, options)) * q / (q + 1)]


def majorizer(x, target, options):
    """The largest curvature, that at the kink."""
    q = mpf(options.get("q", 1))
    return (q + 1)**2 / q
