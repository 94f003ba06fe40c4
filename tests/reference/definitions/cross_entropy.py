"""Cross-entropy over K classes (Bishop 2006, eq. 4.108) of softmax(z), or of probabilities p or their logarithms:
sum_j w_j q_j (-log p_j) with q = (1 - eps) t + eps / K, where t is the row of targets or one-hot of the label, w the
class weights and eps the label smoothing (Szegedy et al. 2016, section 7; weights as in PyTorch). Logits are
z = c tanh(x / c) / temperature with the soft cap c (Gemma 2 2024, section 2), and z_loss * (log sum exp z)^2 is added
(PaLM 2022, section 5)."""

from oracle import INF, REAL, UNIT, exp, log, mp, mpf, times_log

TARGET = UNIT  # of a distribution; labels do not move


def domain(options):
    return UNIT if options.get("input") == "probabilities" else REAL


def weights(x, target, options):
    """w_j q_j for every class j."""
    classes = len(x)
    smoothing = mpf(options.get("label_smoothing", 0))
    one_hot = [mpf(j == target) for j in range(classes)] if isinstance(target, int) else target
    class_weight = options.get("class_weight", [1] * classes)
    return [mpf(w) * ((1 - smoothing) * t + smoothing / classes) for w, t in zip(class_weight, one_hot)]


def value(x, target, options):
    mass = weights(x, target, options)
    if options.get("input") == "probabilities":
        return -mp.fsum(times_log(m, p) for m, p in zip(mass, x))
    if options.get("input") == "log_probabilities":
        return -mp.fsum(m * a for m, a in zip(mass, x) if m != 0)
    x = [logit(a, options) for a in x]
    total = log(mp.fsum(exp(a) for a in x))
    return mp.fsum(m * (total - a) for m, a in zip(mass, x)) + mpf(options.get("z_loss", 0)) * total**2


def logit(x, options):
    cap = mpf(options.get("soft_cap", 0))
    capped = cap * (1 - 2 / (exp(2 * x / cap) + 1)) if cap else x
    return capped / mpf(options.get("temperature", 1))


def majorizer(x, target, options):
    """W / (2 temperature^2) on the diagonal (Boehning 1992), W = sum_j w_j q_j; none for probabilities, soft caps, z-losses."""
    if options.get("input") or options.get("soft_cap") or options.get("z_loss"):
        return None
    return [mp.fsum(weights(x, target, options)) / 2 / mpf(options.get("temperature", 1)) ** 2] * len(x)


def slopes(x, options):
    """The first and second derivative of a logit by its prediction."""
    cap, temperature = mpf(options.get("soft_cap", 0)), mpf(options.get("temperature", 1))
    if not cap:
        return 1 / temperature, mpf(0)
    t = mp.tanh(x / cap)
    return (1 - t * t) / temperature, -2 * t * (1 - t * t) / cap / temperature


def terms(x, target, direction, options):
    """
    The sizes of what derivatives by logits are sums of. The gradient (W - u_j) p_j - u_j (1 - p_j) is 0 where p_j = u_j / W, and a
    direction is measured from its mean; a soft cap bends down what the softmax bends up, and gives the direction slopes, which
    are rounded. Of a label without those there is one term, and no size is written.
    """
    if options.get("input") == "probabilities" or INF in x or all(a == -INF for a in x):
        return {}
    mass, columns = weights(x, target, options), range(len(x))
    z = [logit(a, options) for a in x]
    total = log(mp.fsum(exp(a) for a in z))
    p, weight = [exp(a - total) for a in z], mp.fsum(mass)
    slope, bend = zip(*(slopes(a, options) if abs(a) < INF else (mpf(0), mpf(0)) for a in x))
    raised, z_bend = 2 * mpf(options.get("z_loss", 0)) * abs(total), 2 * mpf(options.get("z_loss", 0))
    by_z = [(weight - mass[j]) * p[j] + mass[j] * (1 - p[j]) + raised * p[j] for j in columns]
    along = [s * d for s, d in zip(slope, direction)]
    mean = mp.fsum(a * b for a, b in zip(p, along))
    moved = [abs(a) + mp.fsum(b * abs(c) for b, c in zip(p, along)) if options.get("soft_cap") else abs(a - mean) for a in along]
    apart = lambda j, k: abs((j == k) - p[j])
    return {
        "gradient": [slope[j] * by_z[j] for j in columns],
        "curvature": [slope[j] ** 2 * ((weight + raised) * p[j] * (1 - p[j]) + z_bend * p[j] ** 2) + abs(bend[j]) * by_z[j]
                      for j in columns],
        "product": [slope[j] * ((weight + raised) * mp.fsum(p[k] * apart(j, k) * moved[k] for k in columns) +
                                z_bend * p[j] * abs(mean)) + abs(bend[j] * direction[j]) * by_z[j] for j in columns],
    }


def directions(rng, classes):
    return [rng.uniform(-2, 2) for _ in range(classes)]


def points(rng, real, grid):
    """(kind, options, prediction, target) of every row to store; kind "random" is generic, "grid" is a corner."""
    weighted = {"class_weight": [0.75, 2.5, 1.125]}
    smooth = {"label_smoothing": 0.125}
    both = dict(weighted, **smooth)
    for a in grid:
        if abs(a) != INF and a != 0:
            yield "grid", {}, [a, 0.0], 0
    for a in grid[:len(grid):5]:
        if abs(a) != INF:
            yield "grid", {}, [a, 0.0, -a], 1
    corners = [
        ([INF], 0), ([-INF], 0),
        ([20.0, 0.0], 0), ([20.0, 0.0], 1), ([0.0, 0.0, 0.0], 2), ([-120.0, -110.0, -115.0], 0),
        ([-1000.0, -1010.0, -1004.5], 1), ([1000.0, 0.0, -1000.0], 0), ([1000.0, 0.0, -1000.0], 2),
        ([5.0, 5.0, -1.0], 1), ([2.385], 0), ([INF, 1.0, 0.5], 0), ([INF, 1.0, 0.5], 1), ([-INF, 1.0, 0.5], 0),
        ([-INF, 1.0, 0.5], 1), ([-INF, -INF, 0.5], 2), ([-INF, -INF, 0.5], 0),
    ]
    for logits, label in corners:
        yield "grid", {}, logits, label
    for options in (smooth, weighted, both):
        yield "grid", options, [20.0, 0.0, -3.0], 0
        yield "grid", options, [40.0, -40.0, 1.0], 1
    yield "grid", {}, [-INF, 1.0, 0.5], [0.0, 0.25, 0.75]
    yield "grid", {}, [3.0, 1.0, 0.5], [1.0, 0.0, 0.0]
    yield "grid", {}, [30.0, 1.0, 0.5], [1.0, 0.0, 0.0]
    yield "grid", {}, [30.0, 1.0, 0.5], [0.5, 0.5, 0.0]
    yield from probabilities(rng, weighted, smooth)
    for options in ({}, smooth, weighted, both):
        for _ in range(3):
            yield "random", options, [rng.gauss(0, 3) for _ in range(3)], rng.randrange(3)
            yield "random", options, [rng.gauss(0, 3) for _ in range(3)], distribution(rng, 3)
    for classes in (2, 5, 17):
        for _ in range(2 if classes < 17 else 1):
            yield "random", {}, [rng.gauss(0, 3) for _ in range(classes)], rng.randrange(classes)
            if classes < 17:
                yield "random", {}, [rng.gauss(0, 3) for _ in range(classes)], distribution(rng, classes)


    yield from adjusted(rng, both)
    # rounded sums of targets, rounded slopes of caps; then gradients that are nearly 0
    number = lambda text: [float.fromhex(a) for a in text.split()]
    everything = dict(both, temperature=0.625, soft_cap=20.0, z_loss=1e-4)
    for options, logits, label in (
            (smooth, "0x1.7f0a18c992bdap-2 -0x1.20b7da8f52d8ep-1 -0x1.270d752280772p-3", 2),
            (everything, "-0x1.f23167696bdeap+0 0x1.30ff1ac84471dp-6 0x1.ce92a58fbd65ep-4", 2),
            (everything, "0x1.8bd24e80a9558p-1 -0x1.bbed84336c106p-1 0x1.0c3c8e520960ep+0", 1),
            (smooth, "-0x1.fe47d40c35fcap+0 0x1.560896d86e28fp+0 -0x1.0fef404c8faa9p+0", 1)):
        yield "grid", options, number(logits), label, [1.25, -0.5, 0.375]
    yield "grid", both, number("-0x1.99b34d8fdad56p-1 -0x1.29ab3042e8fb3p+2 0x1.9e8eaff522ea0p+0"), \
        number("0x1.aea5b423409e4p-4 0x1.a8dc533e16cbcp-5 0x1.af9d8447b67f8p-1"), [1.25, -0.5, 0.375]


def adjusted(rng, both):
    """Temperatures, soft caps and z-losses."""
    warm, capped, z_loss = {"temperature": 2.5}, {"soft_cap": 3.0}, {"z_loss": 0.125}
    everything = dict(both, temperature=0.625, soft_cap=20.0, z_loss=1e-4)
    for options in (warm, capped, z_loss, everything):
        for _ in range(2):
            yield "random", options, [rng.gauss(0, 3) for _ in range(3)], rng.randrange(3)
            yield "random", options, [rng.gauss(0, 3) for _ in range(3)], distribution(rng, 3)
        yield "grid", options, [20.0, 0.0, -3.0], 0
        yield "grid", options, [-120.0, -110.0, -115.0], 0
        yield "grid", options, [30.0, 1.0, 0.5], [0.5, 0.5, 0.0]
    yield "random", dict(warm, soft_cap=30.0), [rng.gauss(0, 30) for _ in range(5)], rng.randrange(5)
    yield "grid", warm, [INF, 1.0, 0.5], 0
    yield "grid", warm, [-INF, 1.0, 0.5], 1
    yield "grid", z_loss, [-INF, 1.0, 0.5], 1
    yield "grid", {"soft_cap": 30.0}, [-40.0, 70.0, 1.0], 1
    yield "grid", {"soft_cap": 30.0}, [1e4, -1e4, 0.0], 0
    yield "grid", capped, [INF, 1.0, 0.5], 1
    yield "grid", {"temperature": 0.125}, [20.0, 0.0, -3.0], 0
    yield "random", {"temperature": 0.7, "soft_cap": 33.3}, [rng.gauss(0, 20) for _ in range(3)], rng.randrange(3)


def distribution(rng, classes):
    parts = [rng.gammavariate(1, 1) for _ in range(classes)]
    return [part / sum(parts) for part in parts]


def apart(rng, classes):
    """One whose probabilities have room for difference quotients: those of a logarithm at 0.004 are off by more than they are held to."""
    while True:
        parts = distribution(rng, classes)
        if min(parts) > 0.01:
            return parts


def probabilities(rng, weighted, smooth):
    """The same for rows of probabilities."""
    given = {"input": "probabilities"}
    yield "grid", given, [0.2, 0.8], 1
    yield "grid", given, [0.0, 0.25, 0.75], 0
    yield "grid", given, [0.0, 0.25, 0.75], 1
    yield "grid", given, [1.0, 0.0, 0.0], 0
    yield "grid", given, [1.0, 0.0, 0.0], 2
    yield "grid", dict(given, **smooth), [0.0, 0.25, 0.75], 1
    yield "grid", given, [0.0, 0.25, 0.75], [0.0, 0.5, 0.5]
    for options in (given, dict(given, **weighted), dict(given, **smooth)):
        for _ in range(2):
            yield "random", options, apart(rng, 3), rng.randrange(3)
            yield "random", options, apart(rng, 3), distribution(rng, 3)
    given = {"input": "log_probabilities"}
    yield "grid", given, [-INF, -1.5, -0.25], 0
    yield "grid", given, [-INF, -1.5, -0.25], 1
    yield "grid", dict(given, **smooth), [-40.0, -1.5, -0.25], 1
    yield "grid", given, [-INF, -1.5, -0.25], [0.0, 0.5, 0.5]
    for options in (given, dict(given, **weighted), dict(given, **smooth)):
        for _ in range(2):
            yield "random", options, [log(p) for p in distribution(rng, 3)], rng.randrange(3)
            yield "random", options, [log(p) for p in distribution(rng, 3)], distribution(rng, 3)
