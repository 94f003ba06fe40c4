"""Two scores of which one should be larger (Herbrich, Graepel and Obermayer 2000, eq. 7):
max(0, -y (first - second) + margin)."""

from oracle import mpf

ROLES = {"first*": "rows", "second*": "rows", "target": "rows"}
FIXED = ["target"]


def values(arrays, options):
    margin = mpf(options.get("margin", 0))
    return [max(mpf(0), -t * (a - b) + margin)
            for first, second, target in zip(arrays["first"], arrays["second"], arrays["target"])
            for a, b, t in zip(first, second, target)]


def cases(rng, dtype):
    table = lambda number: [[number() for _ in range(3)] for _ in range(4)]
    for options in ({}, {"margin": 0.625}):
        yield "random", options, {"first": table(lambda: rng.gauss(0, 1)), "second": table(lambda: rng.gauss(0, 1)),
                                  "target": table(lambda: rng.choice([-1.0, 1.0]))}
    one = lambda a, b, y: {"first": [[a]], "second": [[b]], "target": [[y]]}
    for a, b, y in [(1.5, 1.5, 1.0), (0.0, 0.0, -1.0), (1e30, -1e30, -1.0), (1e30, -1e30, 1.0), (2.0**-20, 0.0, -1.0)]:
        yield "grid", {}, one(a, b, y)
    for a, b, y in [(2.0, 1.5, 1.0), (1.5, 2.0, -1.0), (2.0, 2.0, 1.0), (2.0, 1.75, 1.0), (-40.0, 1e6, -1.0)]:
        yield "grid", {"margin": 0.5}, one(a, b, y)
