"""InfoNCE (van den Oord, Li and Vinyals 2018, eq. 4), NT-Xent (Chen et al. 2020, eq. 1): in every row, for every positive p, minus
the logarithm of exp(s_p / t) / (exp(s_p / t) + sum over the negatives of exp(s / t)). Negatives are what is no positive, or those
of them that a mask says; without one of both the row is 0."""

from oracle import exp, log, mp, mpf

ROLES = {"prediction*": "rows", "target": "rows", "positives": "rows", "negatives": "rows"}
FIXED = ["positives", "negatives"]
DIGITS = 320


def kinds(arrays, i):
    """Columns of the positives and of the negatives of row i."""
    columns = range(len(arrays["prediction"][i]))
    positive = [j for j in columns if (arrays["target"][i][0] == j if "target" in arrays else arrays["positives"][i][j] == 1)]
    negative = [j for j in columns if j not in positive and ("negatives" not in arrays or arrays["negatives"][i][j] == 1)]
    return positive, negative


def values(arrays, options):
    t = mpf(options.get("temperature", 0.07))
    result = []
    for i, s in enumerate(arrays["prediction"]):
        positive, negative = kinds(arrays, i)
        rest = mp.fsum(exp(s[j] / t) for j in negative)
        result.append(mp.fsum(-log(exp(s[j] / t) / (exp(s[j] / t) + rest)) for j in positive) if negative else mpf(0))
    return result


def cases(rng, dtype):
    table = lambda rows, columns, spread=0.15: [[rng.gauss(0, spread) for _ in range(columns)] for _ in range(rows)]
    yield "random", {}, {"prediction": table(3, 4), "target": [[2], [0], [3]]}
    yield "random", {"temperature": 0.5}, {"prediction": table(2, 5, 0.6),
                                           "positives": [[1.0, 0.0, 1.0, 0.0, 0.0], [0.0, 1.0, 1.0, 1.0, 0.0]]}
    yield "random", {}, {"prediction": table(2, 6), "positives": [[0.0, 1.0, 0.0, 0.0, 1.0, 0.0]] * 2,
                         "negatives": [[1.0, 0.0, 0.0, 1.0, 0.0, 1.0], [1.0, 1.0, 1.0, 0.0, 0.0, 1.0]]}
    for s in ([0.0, 1.0, -0.75], [1.0, 0.0, 0.5], [1.0, 1.0, 1.0], [-3.0, 0.0, 0.5]):
        yield "grid", {}, {"prediction": [s], "target": [[0]]}
    both = [[1.0, 0.0, 1.0, 0.0]]
    for s in ([1.0, -0.5, -0.75, -0.875], [-0.5, 1.0, 0.25, -1.0], [40.0, 8.0, -20.0, 3.0]):
        yield "grid", {"temperature": 0.5}, {"prediction": [s], "positives": both}
    yield "grid", {}, {"prediction": [[0.5, 0.25]], "positives": [[1.0, 1.0]]}
    yield "grid", {}, {"prediction": [[0.5, 0.25]], "positives": [[0.0, 0.0]]}
    yield "grid", {}, {"prediction": [[0.5, 0.25, 1.0]], "positives": [[1.0, 0.0, 0.0]], "negatives": [[0.0, 0.0, 0.0]]}
    close = [0.1635541992255745, 0.051986405639358656, -0.0023652945559615762, -0.13045466575424974]
    yield "grid", {}, {"prediction": [close] * 12, "target": [[3]] * 12}  # in derivatives the probability counts three times
