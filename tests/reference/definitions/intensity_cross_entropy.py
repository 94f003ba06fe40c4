"""Cross-entropy of t in [0, 1] and p = 1 - (1 + exp(x))^-w (LightGBM's cross_entropy_lambda, its weights being the intensities w;
1 without them): -t log p - (1 - t) log(1 - p)."""

from oracle import exp, log, mpf

ROLES = {"prediction*": "rows", "target": "rows", "intensity": "rows"}
DIGITS = 300
ULP = 4


def value(x, t, w):
    u = w * log(1 + exp(x))
    p = 1 - exp(-u)
    return (-t * log(p) if t else mpf(0)) + (1 - t) * u


def values(arrays, options):
    ones = [[mpf(1)] * len(row) for row in arrays["prediction"]]
    return [value(x, t, w) for xs, ts, ws in zip(arrays["prediction"], arrays["target"], arrays.get("intensity", ones))
            for x, t, w in zip(xs, ts, ws)]


def cases(rng, dtype):
    column = lambda numbers: [[a] for a in numbers]
    yield "random", {}, {"prediction": [[rng.gauss(0, 3) for _ in range(2)] for _ in range(3)],
                         "target": [[rng.uniform(0, 1) for _ in range(2)] for _ in range(3)]}
    for spread in (0.5, 3):
        yield "random", {}, {"prediction": [[rng.gauss(0, 3) for _ in range(3)] for _ in range(3)],
                             "target": [[rng.uniform(0, 1) for _ in range(3)] for _ in range(3)],
                             "intensity": [[rng.lognormvariate(0, spread) for _ in range(3)] for _ in range(3)]}
    grid = [(0.0, 1.0, 100.0), (0.0, 0.5, 1.0), (0.0, 0.0, 70.0), (-20.0, 1.0, 0.75), (-20.0, 1e-9, 0.5), (-60.0, 0.5, 3.0),
            (-90.0, 0.75, 1e30), (-60.0, 0.25, 1e26), (-95.0, 1.0, 1e20), (5.0, 1.0, 1e-25), (-3.0, 0.5, 1e-37), (40.0, 0.25, 1e-36),
            (3.5, 1.0, 2.5), (4.5, 0.875, 0.03125), (8.0, 1.0, 12.0), (2.0, 0.999, 7.5), (-1.0, 1.0, 1e-4), (-7.0, 0.5, 1e5),
            (-16.0, 1.0, 1e7), (0.25, 0.125, 0.25), (1.5, 1.0, 10.0), (60.0, 1.0, 1.0), (60.0, 0.5, 0.125), (-12.0, 1e-6, 1.0)]
    for start in range(0, len(grid), 8):
        yield "grid", {}, {name: column(row[k] for row in grid[start:start + 8])
                           for k, name in enumerate(("prediction", "target", "intensity"))}
