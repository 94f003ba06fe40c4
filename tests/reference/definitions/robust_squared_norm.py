"""Robust losses of a squared norm s >= 0 as nonlinear least squares uses them (Triggs et al. 2000, section 4.3), with b = a^2:

huber s or 2 a sqrt(s) - b; soft_l1 2 b (sqrt(1 + s/b) - 1); cauchy b log(1 + s/b); tukey b/3 (1 - (1 - s/b)^3) or b/3;
geman_mcclure s/(1 + s/b); welsch b (1 - exp(-s/b)); tolerant w log(1 + exp((s - a)/w)) - w log(1 + exp(-a/w)); arctan a arctan(s/a);
fair 2 b (sqrt(s/b) - log(1 + sqrt(s/b))); barron 2 b times Barron's loss (2019, eqs. 1 and 8) of the shape, of which s/b is the squared
residual.
"""

from oracle import INF, NONNEGATIVE, exp, log, mp, mpf

PREDICTION = NONNEGATIVE
TARGET = None
LIMITS_AT_EDGES = True  # fair bends without bound at 0


def huber(s, a, w):
    return s if s <= a**2 else 2 * a * mp.sqrt(s) - a**2


def soft_l1(s, a, w):
    return 2 * a**2 * (mp.sqrt(1 + s / a**2) - 1)


def cauchy(s, a, w):
    return a**2 * log(1 + s / a**2)


def tukey(s, a, w):
    return a**2 / 3 * (1 - (1 - s / a**2) ** 3) if s <= a**2 else a**2 / 3


def geman_mcclure(s, a, w):
    return s / (1 + s / a**2)


def welsch(s, a, w):
    return a**2 * (1 - exp(-s / a**2))


def tolerant(s, a, w):
    return w * log(1 + exp((s - a) / w)) - w * log(1 + exp(-a / w))


def arctan(s, a, w):
    return a * mp.atan(s / a)


def fair(s, a, w):
    return 2 * a**2 * (mp.sqrt(s) / a - log(1 + mp.sqrt(s) / a))


def barron(s, a, shape):
    v = s / a**2
    if shape == 2:
        return s
    if shape == 0:
        return 2 * a**2 * log(1 + v / 2)
    if abs(shape) == INF:
        return 2 * a**2 * (1 - exp(-v / 2) if shape < 0 else exp(v / 2) - 1)
    beta = abs(shape - 2)
    return 2 * a**2 * beta / shape * (exp(shape / 2 * log(1 + v / beta)) - 1)


KINDS = {f.__name__: f for f in (huber, soft_l1, cauchy, tukey, geman_mcclure, welsch, tolerant, arctan, fair)}


def value(x, target, options):
    if options.get("kind") == "barron":
        return barron(x[0], mpf(options.get("scale", 1)), mpf(options.get("shape", 1)))
    rho = KINDS[options.get("kind", "huber")]
    return rho(x[0], mpf(options.get("scale", 1)), mpf(options.get("width", 1)))


SHAPES = (1.0, 2.0, 0.0, -2.0, float("-inf"), float("inf"), 0.625, 1.75, -7.5, 3.5, 6.0, 1e-9, -1e9, 2 - 2.0**-20)


def points(rng, dtype, grid):
    """Every kind with a scale of its own and points of each sort around its square."""
    corners = [s for s in grid if s >= 0 and s not in (18.0, 104.0, 709.0)]
    for name in KINDS:
        options = {} if name == "huber" else {"kind": name}
        for s in corners:
            yield "grid", options, [s], None
        options = dict(options, scale=1.3125)
        if name == "tolerant":
            options.update(scale=2.25, width=0.375)
        bend = options["scale"] ** (1 if name == "arctan" else 2)
        step = bend * 2.0 ** (-23 if dtype == "float32" else -52)
        for s in (0.0, bend - step, bend, bend + step, 11.0 * bend, 1e4):
            yield "grid", options, [s], None
        for _ in range(5):  # with room for difference quotients at 0 and at the bend
            s = rng.uniform(0.05, 0.95) * bend if rng.random() < 0.5 else rng.uniform(1.05, 6) * bend
            yield "random", options, [s], None
    for shape in SHAPES:
        options = {"kind": "barron"} if shape == 1 else {"kind": "barron", "shape": shape, "scale": 1.3125}
        for s in (corners if shape == 1 else corners[1::5] + [0.0, 90.0, 1400.0]):
            yield "grid", options, [s], None
        if abs(shape - 2) > 1e-3 or shape == 2:  # next to 2 the limit is too far out for the oracle to see it
            yield "grid", options, [float("inf")], None
        for _ in range(3):
            yield "random", options, [rng.uniform(0.05, 12)], None
