"""Cross-entropy (Bishop 2006, eq. 4.108) of the softmax of a linear layer, with class weights w, label smoothing eps (Szegedy et
al. 2016, section 7) and a z-loss (PaLM 2022, section 5): sum_j w_j q_j (L - z_j) + z_loss L^2, L = log sum_k exp z_k,
q_j = (1 - eps) [j = y] + eps / K, z_j = (c_j . x + b_j) / temperature, the logit before the temperature capped by
c tanh(logit/c) with a soft cap c (Gemma 2 2024, section 2); 0 of a row with the ignored label."""

from oracle import exp, log, mp, mpf

ROLES = {"features*": "rows", "target": "rows", "coefficients*": "shared", "bias*": "shared"}
DIGITS = 200
GRADIENT_ONLY = True


def values(arrays, options):
    classes = arrays["coefficients"]
    weights = options.get("class_weight", [1] * len(classes))
    bias = arrays["bias"][0] if "bias" in arrays else [mpf(0)] * len(classes)
    losses = []
    for x, (label,) in zip(arrays["features"], arrays["target"]):
        if label == options.get("ignore_label", -100):
            losses.append(mpf(0))
            continue
        z = [capped(mp.fsum(a * b for a, b in zip(x, c)) + offset, options) / mpf(options.get("temperature", 1))
             for c, offset in zip(classes, bias)]
        losses.append(row_loss(z, label, weights, options))
    return losses


def capped(logit, options):
    cap = mpf(options.get("soft_cap", 0))
    return cap * mp.tanh(logit / cap) if cap > 0 else logit


def row_loss(z, label, weights, options):
    smoothing, total = mpf(options.get("label_smoothing", 0)), log(mp.fsum(exp(a) for a in z))
    mass = [mpf(w) * ((1 - smoothing) * (j == label) + smoothing / len(z)) for j, w in enumerate(weights)]
    return mp.fsum(m * (total - a) for m, a in zip(mass, z)) + mpf(options.get("z_loss", 0)) * total**2


def cases(rng, dtype):
    def case(rows, columns, classes, spread=1.0, offset=None):
        made = {"features": [[rng.gauss(0, 1) for _ in range(columns)] for _ in range(rows)],
                "target": [[rng.randrange(classes)] for _ in range(rows)],
                "coefficients": [[rng.gauss(0, spread) for _ in range(columns)] for _ in range(classes)]}
        if offset is not None:
            made["bias"] = [[offset + rng.gauss(0, 1) for _ in range(classes)]]
        return made

    weighted = {"class_weight": [0.75, 2.5, 1.125]}
    yield "random", {}, case(4, 3, 3)
    yield "random", {}, case(3, 2, 5, offset=0.0)
    yield "random", weighted, case(4, 2, 3, offset=0.5)
    yield "grid", {}, case(2, 2, 3, offset=1024.0)
    yield "grid", {}, case(2, 3, 3, spread=20.0)
    yield "grid", {}, case(1, 1, 1)
    ignored = case(3, 2, 3, offset=0.0)
    ignored["target"][1] = [7]
    yield "grid", dict(weighted, ignore_label=7), ignored
    yield "grid", {}, {"features": [[1.0], [1.0], [0.0]], "target": [[0], [1], [1]], "coefficients": [[20.0], [0.0]]}
    smooth, warm, z_loss = {"label_smoothing": 0.125}, {"temperature": 2.5}, {"z_loss": 0.0625}
    everything = dict(weighted, label_smoothing=0.375, temperature=0.625, z_loss=1e-4)
    for options in (smooth, warm, z_loss, everything):
        yield "random", options, case(3, 2, 3, offset=0.5)
        yield "grid", options, case(2, 2, 3, spread=20.0)
        yield "grid", options, {"features": [[1.0], [1.0], [0.0]], "target": [[0], [1], [2]],
                                "coefficients": [[20.0], [0.0], [-3.0]]}
    yield "random", dict(smooth, z_loss=0.5), case(2, 2, 5)
    yield "grid", dict(smooth, temperature=0.125), case(2, 2, 3, offset=1024.0)
    yield "grid", everything, case(2, 2, 3, offset=-64.0)
    yield "grid", dict(smooth, class_weight=[0.0, 2.5, 0.0]), case(3, 2, 3, offset=0.5)
    cap, warm_cap = {"soft_cap": 3.0}, {"soft_cap": 33.3, "temperature": 0.7}
    for options in (cap, warm_cap, dict(everything, soft_cap=20.0), dict(smooth, soft_cap=30.0)):
        yield "random", options, case(3, 2, 3, offset=0.5)
        yield "grid", options, case(2, 2, 3, spread=20.0)
        yield "grid", options, {"features": [[1.0], [1.0], [0.0], [-1.0]], "target": [[0], [1], [2], [0]],
                                "coefficients": [[20.0], [10.0], [-3.0]]}
    yield "random", cap, case(2, 2, 5, spread=4.0)
    yield "grid", cap, case(2, 2, 3, offset=16.0)
