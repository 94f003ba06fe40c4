"""Accelerated failure times (Kalbfleisch and Prentice 2002): minus the logarithm of the probability of lower < T <= upper, or of
the density where both are the same, for log T = x + s e and e normal, logistic or of the smallest extreme value."""

from oracle import INF, exp, log, mp, mpf

ROLES = {"prediction*": "rows", "lower": "rows", "upper": "rows"}
FIXED = ["lower", "upper"]  # each by itself: see together()
DIGITS = 300
ULP = 8

DISTRIBUTIONS = {  # probability of e <= z, probability of e > z, density
    "normal": (lambda z: mp.erfc(-z / mp.sqrt(2)) / 2, lambda z: mp.erfc(z / mp.sqrt(2)) / 2,
               lambda z: exp(-z * z / 2) / mp.sqrt(2 * mp.pi)),
    "logistic": (lambda z: 1 / (1 + exp(-z)), lambda z: 1 / (1 + exp(z)), lambda z: exp(-z) / (1 + exp(-z)) ** 2),
    "extreme": (lambda z: 1 - exp(-exp(z)), lambda z: exp(-exp(z)), lambda z: exp(z - exp(z))),
}


def value(x, lower, upper, options):
    below, above, density = DISTRIBUTIONS[options.get("distribution", "normal")]
    s = mpf(options.get("scale", 1))
    z = lambda t: (log(t) - x) / s
    if lower == upper:
        return -log(density(z(upper)) / (s * upper))
    if upper == INF:
        return mpf(0) if lower <= 0 else -log(above(z(lower)))
    if lower <= 0:
        return -log(below(z(upper)))
    if z(upper) < 0:  # the tail in which they are small: the oracle's digits are many but not endless
        return -log(below(z(upper)) - below(z(lower)))
    return -log(above(z(lower)) - above(z(upper)))


def values(arrays, options):
    return [value(x, a, b, options) for xs, lows, ups in zip(arrays["prediction"], arrays["lower"], arrays["upper"])
            for x, a, b in zip(xs, lows, ups)]


def together(arrays):
    """The bounds that are times move; equal ones together, for bounds that are nearly equal are another case."""
    places = []
    for i, ((low,), (high,)) in enumerate(zip(arrays["lower"], arrays["upper"])):
        if low == high:
            places.append([("lower", i, 0), ("upper", i, 0)])
            continue
        places += [[(name, i, 0)] for name, number in (("lower", low), ("upper", high)) if 0 < number < INF]
    return places


def cases(rng, dtype):
    column = lambda numbers: [[a] for a in numbers]
    grid = [(0.0, 1.0, 1.0), (0.25, 1e-6, 1e-6), (2.0, 30.0, 30.0), (-10.0, 1.0, INF), (9.0, 0.75, INF), (0.5, 1e6, INF),
            (0.5, 1e-6, INF), (6.0, 0.0, 2.0), (-3.0, -INF, 3.0), (0.5, 0.0, INF), (0.0, 1.0, 1.0009765625),
            (9.0, 1.0, 1.25), (-9.0, 1.0, 1.25), (1.5, 1.0, 9.0), (-4.0, 2.0, 4.0), (0.125, 1e-4, 5e4), (30.0, 1.0, 1.5),
            (2.0, 0.5, 100.0)]
    for distribution in DISTRIBUTIONS:
        for scale in (1.0, 0.625):
            options = {"distribution": distribution, "scale": scale}
            bounds = []
            for kind in "erlieri":
                t = rng.lognormvariate(0.5, 1)
                bounds.append({"e": (t, t), "r": (t, INF), "l": (0.0, t), "i": (t, t * rng.uniform(1.1, 9))}[kind])
            yield "random", options, {"prediction": column(rng.gauss(0.5, 1) for _ in bounds),
                                      "lower": column(float(a) for a, _ in bounds), "upper": column(float(b) for _, b in bounds)}
        yield "grid", {"distribution": distribution}, {name: column(float(row[k]) for row in grid)
                                                       for k, name in enumerate(("prediction", "lower", "upper"))}
