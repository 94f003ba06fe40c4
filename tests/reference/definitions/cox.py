"""Cox's negative partial log-likelihood (Cox 1975), ties as Breslow (1974) or Efron (1977), case weights w: for each event time
with events D and those at risk R, minus the logarithm of prod_D exp(w x) / (sum_R w exp(x))^(sum_D w), or with
prod_l (sum_R w exp(x) - l/d sum_D w exp(x))^(mean_D w), l = 0 ... d - 1, below. At risk are rows with start < t <= time
(Andersen and Gill 1982)."""

from oracle import INF, exp, log, mp, mpf

ROLES = {"prediction*": "rows", "time": "rows", "event": "rows", "start": "rows", "weight": "rows", "offsets": "offsets"}
FIXED = ["time", "event", "start"]
DIGITS = 400  # exponentials of numbers that are 110 apart


def group_value(x, time, event, start, weight, ties):
    rows, total = range(len(x)), mpf(0)
    mass = [w * exp(a) for w, a in zip(weight, x)]
    for t in sorted({time[i] for i in rows if event[i]}):
        dead = [i for i in rows if event[i] and time[i] == t]
        at_risk = mp.fsum(mass[i] for i in rows if start[i] < t <= time[i])
        tied, d = mp.fsum(mass[i] for i in dead), len(dead)
        each = mp.fsum(weight[i] for i in dead) / d
        total -= mp.fsum(weight[i] * x[i] for i in dead)
        for l in range(d):
            total += each * log(at_risk - (mpf(l) / d * tied if ties == "efron" else 0))
    return total


def values(arrays, options):
    count = len(arrays["prediction"])
    offsets = [row[0] for row in arrays.get("offsets", [[0], [count]])]
    usual = {"start": -INF, "weight": mpf(1)}
    column = lambda name, a, b: [row[0] for row in arrays[name][a:b]] if name in arrays else [usual[name]] * (b - a)
    return [group_value(*(column(name, a, b) for name in ("prediction", "time", "event", "start", "weight")),
                        options.get("ties", "breslow")) for a, b in zip(offsets, offsets[1:])]


def cases(rng, dtype):
    column = lambda numbers: [[a] for a in numbers]
    efron = {"ties": "efron"}
    for options in ({}, efron):
        yield "random", options, {"prediction": column(rng.gauss(0, 1.5) for _ in range(9)),
                                  "time": column([2.0, 1.0, 2.0, 3.0, 1.5, 0.5, 0.5, 2.0, 0.5]),
                                  "event": column([1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0]),
                                  "offsets": column([0, 4, 4, 9])}
        yield "random", options, {"prediction": column(rng.gauss(0, 1.5) for _ in range(6)),
                                  "time": column([2.0, 1.0, 2.0, 3.0, 1.0, 1.0]),
                                  "event": column([1.0, 1.0, 1.0, 0.0, 1.0, 0.0]),
                                  "weight": column(rng.uniform(0.25, 3) for _ in range(6)),
                                  "offsets": column([0, 6])}
    up, down = [1.0, 2.0, 3.0], [3.0, 2.0, 1.0]
    for x, time, event in [([20.0, 0.0], [1.0, 2.0], [1, 1]), ([60.0, 0.0], [1.0, 2.0], [1, 1]),
                           ([0.0, 40.0], [1.0, 2.0], [1, 0]), ([10000.0, 10001.5, 9999.0], up, [1, 1, 1]),
                           ([0.5, 30.0, -30.0], down, [1, 0, 1]), ([80.0, 0.25, 0.5], up, [0, 1, 1]),
                           ([55.0, -0.5, -55.0], up, [1, 1, 0]), ([-55.0, 0.5, 55.0], up, [1, 1, 1]),
                           ([1.0, 2.0, -1.0], up, [0, 0, 0]), ([-20.0, 0.0, 50.0], [2.0, 1.0, 0.5], [1, 1, 1])]:
        yield "grid", {}, {"prediction": column(x), "time": column(time), "event": column(float(a) for a in event)}
    for x, time in [([40.0, 0.0, -40.0], [1.0, 1.0, 1.0]), ([0.0, 40.0, 45.0], [1.0, 1.0, 2.0]),
                    ([40.0, 0.5, 0.25, 0.125], [1.0, 1.0, 1.0, 2.0])]:
        for options in ({}, efron):
            yield "grid", options, {"prediction": column(x), "time": column(time),
                                    "event": column([1.0] * (len(x) - 1) + [0.0])}
    yield from entries(rng, column, efron)


def entries(rng, column, efron):
    """Rows that are at risk from a time of their own on."""
    for options in ({}, efron):
        yield "random", options, {"prediction": column(rng.gauss(0, 1.5) for _ in range(9)),
                                  "time": column([2.0, 1.0, 2.0, 3.0, 1.5, 0.5, 0.5, 2.0, 0.5]),
                                  "event": column([1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0]),
                                  "start": column([1.0, 0.25, 0.0, 2.0, 0.5, 0.0, 0.25, -1.0, -2.0]),
                                  "offsets": column([0, 4, 4, 9])}
        yield "random", options, {"prediction": column(rng.gauss(0, 1.5) for _ in range(7)),
                                  "time": column([2.0, 1.0, 2.0, 3.0, 1.0, 1.0, 2.5]),
                                  "event": column([1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0]),
                                  "start": column([0.5, 0.0, 1.0, 1.0, -1.0, 0.0, 2.0]),
                                  "weight": column(rng.uniform(0.25, 3) for _ in range(7)),
                                  "offsets": column([0, 7])}
    for x, time, event, start in [
            ([60.0, 0.0, 1.0, 0.5], [2.0, 1.0, 4.0, 3.0], [1, 1, 1, 1], [1.0, 0.0, 2.0, 0.0]),
            ([60.0, 0.0, 1.0, 40.0], [2.0, 1.0, 4.0, 3.0], [0, 1, 1, 1], [1.0, 0.0, 2.0, 2.0]),
            ([0.0, 40.0, 20.0, 0.5], [4.0, 1.0, 2.0, 3.0], [1, 1, 1, 1], [0.0, 0.5, 1.0, 2.0]),
            ([1.0, 50.0, 2.0, 0.5], [4.0, 3.0, 2.0, 1.0], [1, 0, 1, 1], [-1.0, 1.0, 0.5, 0.0]),
            ([0.5, -0.25], [2.0, 1.0], [1, 1], [1.0, 0.0])]:
        yield "grid", {}, {"prediction": column(x), "time": column(time), "event": column(float(a) for a in event),
                           "start": column(start)}
    yield "grid", efron, {"prediction": column([40.0, 0.5, 0.25, 0.125, 45.0]), "time": column([1.0, 1.0, 1.0, 2.0, 0.5]),
                          "event": column([1.0] * 5), "start": column([0.5, 0.0, -1.0, 0.0, 0.0])}
