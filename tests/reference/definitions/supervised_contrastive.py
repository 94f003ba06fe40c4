"""SupCon (Khosla et al. 2020, eq. 2): in every row, the mean over the positives p of minus the logarithm of
exp(s_p / t) / sum over positives and negatives of exp(s / t). Negatives are what is no positive, or those of them that a mask says;
without positives the row is 0."""

from oracle import exp, log, mp, mpf

ROLES = {"prediction*": "rows", "target": "rows", "positives": "rows", "negatives": "rows"}
FIXED = ["positives", "negatives"]
DIGITS = 320


def values(arrays, options):
    t = mpf(options.get("temperature", 0.1))
    result = []
    for i, s in enumerate(arrays["prediction"]):
        columns = range(len(s))
        positive = [j for j in columns if (arrays["target"][i][0] == j if "target" in arrays else arrays["positives"][i][j] == 1)]
        others = [j for j in columns if j not in positive and ("negatives" not in arrays or arrays["negatives"][i][j] == 1)]
        total = mp.fsum(exp(s[j] / t) for j in positive + others)
        terms = [-log(exp(s[j] / t) / total) for j in positive]
        result.append(mp.fsum(terms) / len(terms) if terms else mpf(0))
    return result


def cases(rng, dtype):
    table = lambda rows, columns, spread=0.2: [[rng.gauss(0, spread) for _ in range(columns)] for _ in range(rows)]
    yield "random", {}, {"prediction": table(3, 4), "target": [[2], [0], [3]]}
    yield "random", {"temperature": 0.5}, {"prediction": table(2, 5, 0.6),
                                           "positives": [[1.0, 0.0, 1.0, 0.0, 0.0], [0.0, 1.0, 1.0, 1.0, 0.0]]}
    yield "random", {}, {"prediction": table(2, 6), "positives": [[0.0, 1.0, 0.0, 0.0, 1.0, 0.0]] * 2,
                         "negatives": [[1.0, 0.0, 0.0, 1.0, 0.0, 1.0], [1.0, 1.0, 1.0, 0.0, 0.0, 1.0]]}
    for s in ([0.0, 1.0, -0.75], [1.0, 0.0, 0.5], [-3.0, 0.0, 0.5]):
        yield "grid", {}, {"prediction": [s], "target": [[0]]}
    both = [[1.0, 0.0, 1.0, 0.0]]
    for s in ([30.0, -0.5, 30.0, 1.0], [-0.5, 1.0, 0.25, -1.0], [0.0, 20.0, 1.0, 3.0], [1.0, 1.0, 1.0, 1.0]):
        yield "grid", {"temperature": 0.5}, {"prediction": [s], "positives": both}
    yield "grid", {}, {"prediction": [[0.5, 0.25]], "positives": [[1.0, 1.0]]}
    yield "grid", {}, {"prediction": [[0.5, 0.25]], "positives": [[0.0, 0.0]]}
    yield "grid", {}, {"prediction": [[0.5, 0.25, 1.0]], "positives": [[1.0, 0.0, 0.0]], "negatives": [[0.0, 0.0, 0.0]]}
