"""Barron (2019, eqs. 1 and 8) with the shape a, b = |a - 2| and u = (r/c)^2: b/a ((1 + u/b)^(a/2) - 1), where r = prediction - target;
u/2 at a = 2, log(1 + u/2) at 0, 1 - exp(-u/2) at -infinity, exp(u/2) - 1 at infinity."""

from oracle import INF, REAL, exp, log, mpf

PREDICTION = REAL
TARGET = REAL


def square(x, target, options):
    return ((x[0] - target) / mpf(options.get("scale", 1))) ** 2


def value(x, target, options):
    u, a = square(x, target, options), mpf(options.get("shape", 1))
    if a == 2:
        return u / 2
    if a == 0:
        return log(1 + u / 2)
    if abs(a) == INF:
        return 1 - exp(-u / 2) if a < 0 else exp(u / 2) - 1
    b = abs(a - 2)
    return b / a * (exp(a / 2 * log(1 + u / b)) - 1)


def majorizer(x, target, options):
    """psi(r) / r, a bound up to the shape 2 (Barron 2019, appendix B)."""
    u, a, c = square(x, target, options), mpf(options.get("shape", 1)), mpf(options.get("scale", 1))
    if a > 2:
        return None
    if a == 2:
        return 1 / c**2
    if u == INF:
        return mpf(0)
    if a == -INF:
        return exp(-u / 2) / c**2
    return exp((a / 2 - 1) * log(1 + u / abs(a - 2))) / c**2


SHAPES = (1.0, 2.0, 0.0, -2.0, float("-inf"), float("inf"), 0.625, 1.75, -7.5, 3.5, 1e-9, 2 - 2.0**-20)


def points(rng, dtype, grid):
    """The whole grid for the shape 1, its corners for the others, and generic points for each."""
    for a in SHAPES:
        options = {} if a == 1 else {"shape": a, "scale": 1.3125}
        for p in grid if a == 1 else grid[1::7] + [0.0, 88.7, float("inf"), -float("inf")]:
            yield "grid", options, [p], 0.0
        for _ in range(3):
            yield "random", options, [rng.gauss(0, 2)], rng.gauss(0, 1)
    yield "grid", {}, [float("inf")], float("inf")
