#!/usr/bin/env python3
"""libloss beside PyTorch, scikit-learn and NumPy: value and gradient on the same arrays, in turns, in one process.

    peers.py LIBRARY [--threads N] [--only NAME] [--quick] [--into docs/benchmarks.md]

LIBRARY is libloss.so. Prints a table, or puts it between the marks of a file: ns an element of libloss and of each library that is
installed, and how many times longer the fastest of the others takes. A library is asked the way its users ask it: PyTorch a functional loss and backward(),
scikit-learn its fused loss_gradient(), NumPy the formula. PyTorch's larger temporaries are pages the system clears anew; with
MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=-1 in the environment the C library keeps them, which is several times faster.
"""
import argparse
import ctypes
import statistics
import sys
import time

import numpy as np

import table

try:
    import torch
    import torch.nn.functional as F
except ImportError:
    torch = None
try:
    from sklearn._loss import loss as sklearn_loss
except ImportError:
    sklearn_loss = None

BEGIN, END = "<!-- peers: begin -->", "<!-- peers: end -->"
SIZES = 10000, 1000000, 16000000
SHAPES = (65536, 10), (8192, 1000), (1024, 32000), (256, 128256)


# ---- libloss ----

class Loss:
    """The short calls of the C API, with the pointers of NumPy's arrays."""

    def __init__(self, path, threads):
        self.library = ctypes.CDLL(path)
        self.library.loss_context_error.restype = ctypes.c_char_p
        self.context = ctypes.c_void_p()
        self.check(self.library.loss_context_create(ctypes.byref(self.context)))
        self.check(self.library.loss_context_set_int(self.context, b"threads", ctypes.c_int64(threads)))
        self.functions = {}

    def check(self, status):
        if status != 0:
            sys.exit(self.library.loss_context_error(self.context).decode())

    def function(self, name):
        if name not in self.functions:
            made = ctypes.c_void_p()
            self.check(self.library.loss_function_create(ctypes.byref(made), self.context, name.encode()))
            self.functions[name] = made
        return self.functions[name]

    def run(self, name, prediction, target, gradient):
        """A call without arguments that gives the cost and writes its gradient."""
        labels = "labels_" if prediction.ndim == 2 else ""
        call = getattr(self.library, f"loss_function_cost_{labels}{prediction.dtype.name}")
        sizes = [ctypes.c_int64(size) for size in prediction.shape]
        cost = ctypes.c_double()
        pointers = [ctypes.c_void_p(array.ctypes.data) for array in (prediction, target)]
        arguments = [self.context, self.function(name), *sizes, *pointers, ctypes.byref(cost),
                     ctypes.c_void_p(gradient.ctypes.data)]

        def run():
            self.check(call(*arguments))
            return cost.value
        return run


# ---- the others ----

def numpy_squared_error(x, t):
    r = x - t
    return np.mean(r * r), r * (2 / x.size)


def numpy_absolute_error(x, t):
    r = x - t
    return np.mean(np.abs(r)), np.sign(r) / x.size


def numpy_huber(x, t):
    r = x - t
    held = np.clip(r, -1, 1)
    return np.mean(held * (r - held / 2)), held / x.size


def numpy_hinge(x, t):
    gap = 1 - t * x
    return np.mean(np.maximum(gap, 0)), np.where(gap > 0, -t, 0) / x.size


def numpy_quantile(x, t):
    r = t - x
    return np.mean(np.maximum(r, -r)) / 2, np.sign(-r) / (2 * x.size)


def numpy_poisson(x, t):
    mean = np.exp(x)
    return np.mean(mean - t * x), (mean - t) / x.size


def numpy_soft_margin(x, t):
    return np.mean(np.logaddexp(0, -t * x)), -t / (1 + np.exp(t * x)) / x.size


def numpy_logistic(x, t):
    return np.mean(np.logaddexp(0, x) - x * t), (1 / (1 + np.exp(-x)) - t) / x.size


def numpy_binary_cross_entropy(p, t):
    return -np.mean(t * np.log(p) + (1 - t) * np.log1p(-p)), (p - t) / (p * (1 - p)) / p.size


def numpy_cross_entropy(z, labels):
    rows = np.arange(len(labels))
    shifted = z - z.max(axis=1, keepdims=True)
    exponentials = np.exp(shifted)
    sums = exponentials.sum(axis=1, keepdims=True)
    cost = np.mean(np.log(sums[:, 0]) - shifted[rows, labels])
    gradient = exponentials / sums
    gradient[rows, labels] -= 1
    return cost, gradient / len(labels)


class Peer:
    """The same loss elsewhere; None where a library does not have it."""

    def __init__(self, data, numpy_formula, torch_formula=None, sklearn_class=None, factor=1):
        self.data, self.numpy_formula, self.torch_formula = data, numpy_formula, torch_formula
        self.sklearn_class = sklearn_class
        self.factor = factor  # scikit-learn's squared error is a half


# PyTorch's names are looked up when they are used: it may not be there.
PEERS = {
    "squared_error": Peer("real", numpy_squared_error, lambda x, t: F.mse_loss(x, t), "HalfSquaredError", 2),
    "absolute_error": Peer("real", numpy_absolute_error, lambda x, t: F.l1_loss(x, t), "AbsoluteError"),
    "huber": Peer("real", numpy_huber, lambda x, t: F.huber_loss(x, t)),
    "smooth_l1": Peer("real", numpy_huber, lambda x, t: F.smooth_l1_loss(x, t)),
    "hinge": Peer("signs", numpy_hinge, lambda x, t: (1 - x * t).clamp(min=0).mean()),
    "quantile": Peer("real", numpy_quantile, lambda x, t: torch.maximum(t - x, x - t).mean() / 2, "PinballLoss"),
    "poisson": Peer("counts", numpy_poisson, lambda x, t: F.poisson_nll_loss(x, t), "HalfPoissonLoss"),
    "soft_margin": Peer("signs", numpy_soft_margin, lambda x, t: F.soft_margin_loss(x, t)),
    "logistic": Peer("classes", numpy_logistic, lambda x, t: F.binary_cross_entropy_with_logits(x, t),
                     "HalfBinomialLoss"),
    "binary_cross_entropy": Peer("probabilities", numpy_binary_cross_entropy,
                                 lambda x, t: F.binary_cross_entropy(x, t)),
    "cross_entropy": Peer("labels", numpy_cross_entropy, lambda x, t: F.cross_entropy(x, t), "HalfMultinomialLoss"),
}


def torch_run(formula, prediction, target):
    x = torch.from_numpy(prediction).requires_grad_(True)
    t = torch.from_numpy(target)

    def run():
        x.grad = None
        cost = formula(x, t)
        cost.backward()
        return cost.item()
    return run


def sklearn_run(peer, prediction, target, threads):
    classes = {"n_classes": prediction.shape[1]} if prediction.ndim == 2 else {}
    loss = getattr(sklearn_loss, peer.sklearn_class)(**classes)
    values, gradient = np.empty(len(target), prediction.dtype), np.empty_like(prediction)
    numbers = target.astype(prediction.dtype)  # it takes labels as numbers, too

    def run():
        loss.loss_gradient(numbers, prediction, loss_out=values, gradient_out=gradient, n_threads=threads)
        return peer.factor * float(values.mean())
    return run


# ---- data and times ----

def arrays(kind, shape, dtype):
    random = np.random.default_rng(1)
    if kind == "labels":
        return random.standard_normal(shape).astype(dtype), random.integers(0, shape[1], shape[0])
    x, y = random.standard_normal(shape).astype(dtype), random.standard_normal(shape).astype(dtype)
    if kind == "probabilities":
        x = (1 / (1 + np.exp(-x))).astype(dtype)
    if kind == "counts":
        y = random.poisson(2, shape).astype(dtype)
    if kind in ("classes", "probabilities"):
        y = (y > 0).astype(dtype)
    elif kind == "signs":
        y = np.where(y > 0, 1, -1).astype(dtype)
    return x, y


def seconds(run, repeats):
    start = time.perf_counter()
    for _ in range(repeats):
        run()
    return (time.perf_counter() - start) / repeats


def in_turns(runs, least, turns):
    """Seconds of each, the smallest of several turns that last at least so long; the cost must be the same everywhere."""
    costs = {name: run() for name, run in runs.items()}
    middle = statistics.median(costs.values())
    for name, cost in costs.items():
        if abs(cost - middle) > 1e-3 * abs(middle):
            sys.exit(f"{name} computes another loss: {cost}, not {middle}")
    repeats = {}
    for name, run in runs.items():
        repeats[name] = 1
        while seconds(run, repeats[name]) * repeats[name] < least:
            repeats[name] *= 2
    times = {name: [] for name in runs}
    for _ in range(turns):
        for name, run in runs.items():
            run()  # what the others left in the caches is not its concern
            times[name].append(seconds(run, repeats[name]))
    return {name: min(values) for name, values in times.items()}


def compare(loss, name, shape, dtype, options):
    peer = PEERS[name]
    prediction, target = arrays(peer.data, shape, dtype)
    gradient = np.empty_like(prediction)
    runs = {"libloss": loss.run(name, prediction, target, gradient)}
    if torch is not None:
        runs["PyTorch"] = torch_run(peer.torch_formula, prediction, target)
    if sklearn_loss is not None and peer.sklearn_class is not None:
        runs["scikit-learn"] = sklearn_run(peer, prediction, target, options.threads)
    if options.threads == 1:
        runs["NumPy"] = lambda: float(peer.numpy_formula(prediction, target)[0])
    found = in_turns(runs, 0.002 if options.quick else 0.02, 3 if options.quick else 7)
    return {library: 1e9 * time / prediction.size for library, time in found.items()}


def rows_of(loss, options):
    libraries = "libloss", "PyTorch", "scikit-learn", "NumPy"
    yield f"| loss | type | size | threads | {' | '.join(f'{library} ns' for library in libraries)} | × libloss |"
    yield "|---|---|---:|---:|" + "---:|" * (len(libraries) + 1)
    for name in [options.only] if options.only else PEERS:
        for dtype in np.float32, np.float64:
            for shape in SHAPES if PEERS[name].data == "labels" else SIZES:
                found = compare(loss, name, shape, dtype, options)
                others = [time for library, time in found.items() if library != "libloss"]
                cells = [f"{found[library]:.3f}" if library in found else "–" for library in libraries]
                size = " × ".join(f"{n:,}" for n in np.atleast_1d(shape))
                ratio = f"{min(others) / found['libloss']:.1f}" if others else "–"
                yield f"| {name} | {np.dtype(dtype).name} | {size} | {options.threads} | {' | '.join(cells)} | {ratio} |"


def versions():
    yield f"NumPy {np.__version__}"
    if torch is not None:
        yield f"PyTorch {torch.__version__}"
    if sklearn_loss is not None:
        import sklearn
        yield f"scikit-learn {sklearn.__version__}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--into")
    options = parser.parse_args()
    if torch is not None:
        torch.set_num_threads(options.threads)
    rows = []
    for row in rows_of(Loss(options.library, options.threads), options):
        rows.append(row)
        print(row, flush=True)
    if options.into:
        head = f"- machine: {table.machine()}\n- {', '.join(versions())}\n\n"
        table.put(head + "\n".join(rows), options.into, (BEGIN, END))


if __name__ == "__main__":
    main()
