"""Connectionist temporal classification (Graves et al. 2006): minus the logarithm of the sum, over all paths through the
frames that collapse to the labels (repeats merged, then blanks removed), of the product of the softmax probabilities; divided by
the number of labels, at least 1, unless normalization is none."""

import itertools

from oracle import exp, log, mp, mpf

ROLES = {"prediction*": "rows", "target": "own", "offsets": "offsets", "target_offsets": "offsets"}
ULP = 16  # of the probabilities: src/loss/ctc.c says why
DIGITS = 240


def collapse(path, blank):
    merged = [k for k, _ in itertools.groupby(path)]
    return [k for k in merged if k != blank]


def softmax(row):
    powers = [exp(a) for a in row]
    return [a / mp.fsum(powers) for a in powers]


def groups(arrays):
    frames = [row[0] for row in arrays.get("offsets", [[0], [len(arrays["prediction"])]])]
    labels = [row[0] for row in arrays.get("target_offsets", [[0], [len(arrays["target"])]])]
    return [(arrays["prediction"][a:b], [row[0] for row in arrays["target"][c:d]])
            for a, b, c, d in zip(frames, frames[1:], labels, labels[1:])]


def parts(labels, options):
    return 1 if options.get("normalization") == "none" else max(1, len(labels))


def values(arrays, options):
    found = []
    for frames, labels in groups(arrays):
        p = [softmax(row) for row in frames]
        blank = options.get("blank", 0) % len(frames[0])
        total = mpf(0)
        for path in itertools.product(range(len(frames[0])), repeat=len(frames)):
            if collapse(path, blank) == labels:
                total += mp.fprod(row[k] for row, k in zip(p, path))
        found.append(-log(total) / parts(labels, options))
    return found


def blocks(arrays, options, block):
    """A matrix with block(p) of each frame on its diagonal, divided as the loss is."""
    count, classes = len(arrays["prediction"]), len(arrays["prediction"][0])
    matrix = [[mpf(0)] * (count * classes) for _ in range(count * classes)]
    at = 0
    for frames, labels in groups(arrays):
        factor = 1 / mpf(parts(labels, options))
        for row in frames:
            for j, line in enumerate(block(softmax(row))):
                for k, number in enumerate(line):
                    matrix[at + j][at + k] = factor * number
            at += classes
    return matrix


def gauss_newton(arrays, options):
    """That of the logarithm of the sum of the exponentials: diag p - p p^T."""
    return blocks(arrays, options, lambda p: [[(a if j == k else 0) - a * b for k, b in enumerate(p)]
                                              for j, a in enumerate(p)])


def majorizer(arrays, options):
    """I / 2, above (I - 1 1^T / K) / 2 of the same (Boehning 1992); minus the logarithm of a sum of exponentials is concave."""
    return blocks(arrays, options, lambda p: [[mpf(j == k) / 2 for k in range(len(p))] for j in range(len(p))])


def terms(found, arrays, options):
    """What the labels add to the derivatives of the logarithm of the sum of the exponentials, beside those."""
    likely = blocks(arrays, options, lambda p: [[a if j == k else mpf(0) for k in range(len(p))] for j, a in enumerate(p)])
    softmax_parts = {"gradient": [row[j] for j, row in enumerate(likely)], "curvature": found["gauss_newton"],
                     "product": found["gauss_newton_product"]}
    return {output: [abs(a) + abs(a - b) for a, b in zip(parts, found[output])]
            for output, parts in softmax_parts.items() if output in found}


def cases(rng, dtype):
    column = lambda numbers: [[a] for a in numbers]
    frames = lambda n, k: [[rng.gauss(0, 1.5) for _ in range(k)] for _ in range(n)]

    def call(sequences):
        """One call of (frames, labels) of several sequences."""
        offsets, labels = [0], [0]
        for rows, target in sequences:
            offsets.append(offsets[-1] + len(rows))
            labels.append(labels[-1] + len(target))
        return {"prediction": [row for rows, _ in sequences for row in rows],
                "target": column(k for _, target in sequences for k in target),
                "offsets": column(offsets), "target_offsets": column(labels)}

    yield "random", {}, call([(frames(3, 3), [1]), (frames(3, 3), [2, 1])])
    yield "random", {"blank": -1}, call([(frames(3, 3), [1, 1])])
    yield "random", {"normalization": "none"}, call([(frames(4, 3), [1, 2]), (frames(1, 3), [])])
    sure = [[0.0, 9.0, -1.0], [8.5, 0.5, 0.0], [0.25, -1.0, 9.5]]
    if dtype == "float32":  # worked out in double: every digit is there, though the two probabilities nearly agree
        yield "grid", {}, call([(sure, [1, 2])])
    only = [[0.0, 9.0, -1.0], [8.5, 0.5, 0.0], [0.25, 9.5, -1.0]]  # repeated labels leave one path
    yield "grid", {}, call([([[factor * a for a in row] for factor, row in zip((1.5, 2.0, 4.0), only)], [1, 1])])
    yield "grid", {}, call([([[0.0, -400.0, 3.0], [1.0, -300.0, 0.0], [2.0, -350.0, 1.0]], [1])])
    yield "grid", {}, call([([[0.0, 0.0, 0.0, 0.0]] * 3, [3])])
    yield "grid", {}, call([([[2.5, -0.5]], [1])])
    close = [[-2.27, -1.225, 1.816], [-0.252, 0.605, 0.043], [-0.786, 1.305, 0.358]]  # in the second frame labels say little
    yield "grid", {}, call([(close, [2, 1])])
    if dtype == "float64":
        yield "grid", {}, call([(sure, [1, 2])])
