"""Cross-entropy (Bishop 2006, eq. 4.108) of the softmax of a linear layer, with class weights w, label smoothing eps (Szegedy et
al. 2016, section 7) and a z-loss (PaLM 2022, section 5): sum_j w_j q_j (L - z_j) + z_loss L^2, L = log sum_k exp z_k,
q_j = (1 - eps) [j = y] + eps / K, z_j = (c_j . x + b_j) / temperature, the logit before the temperature capped by
c tanh(logit/c) with a soft cap c (Gemma 2 2024, section 2); 0 of a row with the ignored label."""

from oracle import exp, log, mp, mpf

ROLES = {"features*": "rows", "target": "rows", "coefficients*": "shared", "bias*": "shared"}
DIGITS = 200


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


class Row:
    """What a row's derivatives by its logits a = c . x + b, before cap and temperature, are made of."""

    def __init__(self, arrays, options, i):
        classes = arrays["coefficients"]
        self.x, label = arrays["features"][i], arrays["target"][i][0]
        self.counts = label != options.get("ignore_label", -100)
        bias = arrays["bias"][0] if "bias" in arrays else [mpf(0)] * len(classes)
        temperature, cap = mpf(options.get("temperature", 1)), mpf(options.get("soft_cap", 0))
        a = [mp.fsum(u * v for u, v in zip(self.x, c)) + offset for c, offset in zip(classes, bias)]
        z = [capped(number, options) / temperature for number in a]
        tanh = [mp.tanh(number / cap) if cap > 0 else mpf(0) for number in a]
        self.slope = [(1 - t**2) / temperature for t in tanh]
        self.bend = [-2 * t * (1 - t**2) / (cap * temperature) if cap > 0 else mpf(0) for t in tanh]
        self.total = log(mp.fsum(exp(number) for number in z))
        self.p = [exp(number - self.total) for number in z]
        smoothing, weights = mpf(options.get("label_smoothing", 0)), options.get("class_weight", [1] * len(classes))
        mass = [mpf(w) * ((1 - smoothing) * (j == label) + smoothing / len(classes)) for j, w in enumerate(weights)]
        whole, self.penalty = mp.fsum(mass), 2 * mpf(options.get("z_loss", 0))
        self.raised = whole + self.penalty * self.total
        self.by_z = [self.raised * q - u for q, u in zip(self.p, mass)]
        self.size_by_z = [(whole - u + self.penalty * abs(self.total)) * q + u * (1 - q) for q, u in zip(self.p, mass)]

    def hessian(self):
        """By a, of Gauss-Newton: what is positive."""
        raised, count = max(self.raised, mpf(0)), range(len(self.p))
        matrix = [[self.slope[k] * self.slope[m] * ((raised if k == m else 0) * self.p[k] +
                                                    (self.penalty - raised) * self.p[k] * self.p[m])
                   for m in count] for k in count]
        for k in count:
            matrix[k][k] += max(self.bend[k] * self.by_z[k], mpf(0))
        return matrix


def rows_of(arrays, options):
    found = [Row(arrays, options, i) for i in range(len(arrays["features"]))]
    return [(i, row) for i, row in enumerate(found) if row.counts]


def places(arrays):
    """Where features, coefficients and bias are among all differentiable numbers; how many these are."""
    columns = len(arrays["features"][0])
    features = len(arrays["features"]) * columns
    coefficients = features + len(arrays["coefficients"]) * columns
    count = coefficients + (len(arrays["coefficients"]) if "bias" in arrays else 0)
    return (lambda i, j: i * columns + j), (lambda c, j: features + c * columns + j), (lambda c: coefficients + c), count


def gauss_newton(arrays, options):
    feature, coefficient, offset, count = places(arrays)
    matrix = [[mpf(0)] * count for _ in range(count)]
    for i, row in rows_of(arrays, options):
        jacobian = []  # of each logit: (place, slope)
        for c, numbers in enumerate(arrays["coefficients"]):
            of = [(feature(i, j), number) for j, number in enumerate(numbers)]
            of += [(coefficient(c, j), number) for j, number in enumerate(row.x)]
            jacobian.append(of + ([(offset(c), mpf(1))] if "bias" in arrays else []))
        for k, line in enumerate(row.hessian()):
            for m, bend in enumerate(line):
                for place, number in jacobian[k]:
                    for other, slope in jacobian[m]:
                        matrix[place][other] += bend * number * slope
    return matrix


def terms(found, arrays, options):
    """Sums over classes or rows have terms of both signs, and so have logits along a direction and their distance from the mean."""
    feature, coefficient, offset, count = places(arrays)
    sizes = {name: [mpf(0)] * count for name in ("gradient", "curvature", "product")}
    classes, direction = arrays["coefficients"], found["direction"]
    for i, row in rows_of(arrays, options):
        along, raised = [], abs(row.raised)
        for c, numbers in enumerate(classes):
            of = [abs(a * direction[feature(i, j)]) for j, a in enumerate(numbers)]
            of += [abs(a * direction[coefficient(c, j)]) for j, a in enumerate(row.x)]
            along.append(mp.fsum(of) + (abs(direction[offset(c)]) if "bias" in arrays else 0))
        mean = mp.fsum(p * s * a for p, s, a in zip(row.p, row.slope, along))
        for c, numbers in enumerate(classes):
            p, s = row.p[c], row.slope[c]
            g, bent = s * row.size_by_z[c], abs(row.bend[c]) * row.size_by_z[c]
            rest = 1 - p
            h = s * p * (raised * (s * along[c] * rest + abs(mean - p * s * along[c])) + row.penalty * mean) + bent * along[c]
            diagonal = s**2 * p * (raised * rest + row.penalty * p) + bent
            for j, number in enumerate(numbers):
                sizes["gradient"][feature(i, j)] += abs(g * number)
                sizes["product"][feature(i, j)] += abs(h * number) + abs(g * direction[coefficient(c, j)])
                sizes["gradient"][coefficient(c, j)] += abs(g * row.x[j])
                sizes["product"][coefficient(c, j)] += abs(h * row.x[j]) + abs(g * direction[feature(i, j)])
                sizes["curvature"][coefficient(c, j)] += diagonal * row.x[j]**2
                middle = mp.fsum(q * t * b[j] for q, t, b in zip(row.p, row.slope, classes))
                largest = mp.fsum(q * t * abs(b[j]) for q, t, b in zip(row.p, row.slope, classes))
                apart = abs(s * number - middle)
                sizes["curvature"][feature(i, j)] += raised * p * apart * (apart + largest) + bent * number**2
                sizes["curvature"][feature(i, j)] += row.penalty * p * largest**2
            if "bias" in arrays:
                sizes["gradient"][offset(c)] += g
                sizes["product"][offset(c)] += h
                sizes["curvature"][offset(c)] += diagonal
    return dict(sizes, gauss_newton=sizes["curvature"], gauss_newton_product=sizes["product"])


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
    # 5.4 ulp once: logits where the slope of the cap shows the last digit of their ratio to it
    yield "grid", cap, {"features": [[1.1028939209756645, 1.1162168383144215], [-1.4086693347023649, 0.28223236750409403]],
                        "target": [[2], [0]], "bias": [[16.390559495873998, 15.481152653622937, 15.18480606396696]],
                        "coefficients": [[0.18657888229299033, -0.4482538273314109], [-0.7838918900445535, -0.9149639515678462],
                                         [-2.1352649479583508, 2.504595328111824]]}
