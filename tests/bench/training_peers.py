#!/usr/bin/env python3
"""One other library on one task in a process of its own, for training.py; prints a JSON object.

    training_peers.py DIRECTORY PEER --kind KIND --strength λ --threads N --optimum F [--setting TOLERANCE] [--batch N]

Libraries that tell every value are stopped at the first one with a gap of 1e-6. Those that do not are run with tolerances from loose to
tight; the fastest run whose point has the gap counts, and --setting tells the next process which that was.
"""
import argparse
import json
import os
import sys
import time
import warnings

GAP, SHORT, LONG, LEAST, MOST, BUDGET = 1e-6, 0.5, 4.0, 3, 200, 120.0
TOLERANCES = 1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-10


class Reached(Exception):
    pass


def megabytes(name):
    with open("/proc/self/status", encoding="ascii") as stream:
        return next(int(line.split()[1]) / 1024 for line in stream if line.startswith(name))


def forget_peak():
    """proc(5): "5" resets the peak."""
    try:
        with open("/proc/self/clear_refs", "w", encoding="ascii") as stream:
            stream.write("5")
    except OSError:
        pass


def repeated(run):
    """Seconds of several runs, and the last result: as many as last half a second, three at least of what is short."""
    times, result = [], None
    while not times or (times[-1] < LONG and (len(times) < LEAST or (sum(times) < SHORT and len(times) < MOST))):
        begin = time.perf_counter()
        result = run()
        times.append(time.perf_counter() - begin)
    return sorted(times), result


def watched(objective, optimum, run):
    """run(evaluate) is over when a value has the gap."""
    best = [float("inf"), None]

    def evaluate(w):
        value, gradient = objective.evaluate(w)
        note(value, w)
        return value, gradient

    def note(value, w):
        if value < best[0]:
            best[:] = value, w.copy()
        if value - optimum <= GAP * optimum:
            raise Reached
        if time.perf_counter() - best_begin[0] > BUDGET:
            raise Reached

    best_begin = [0.0]

    def once():
        best[:] = float("inf"), None
        best_begin[0] = time.perf_counter()
        try:
            run(evaluate, note)
        except Reached:
            pass
        return best[1]
    return repeated(once)


def settled(objective, optimum, fit, setting):
    """fit(tolerance) → w. The fastest tolerance whose point has the gap, the loosest first."""
    for tolerance in TOLERANCES if setting is None else [setting]:
        times, w = repeated(lambda tolerance=tolerance: fit(tolerance))
        if objective.evaluate(w)[0] - optimum <= GAP * optimum:
            break
    return times, w, tolerance


def scipy_run(objective, method):
    import numpy
    import scipy.optimize
    settings = {"L-BFGS-B": {"ftol": 0, "gtol": 0, "maxiter": 10**6, "maxfun": 10**6},
                "Newton-CG": {"xtol": 1e-300, "maxiter": 10**5}}[method]

    def run(evaluate, _):
        at = {}

        def product(w, v):
            if "w" not in at or not numpy.array_equal(at["w"], w):
                at["w"], at["multiply"] = w.copy(), objective.product(w)
            return at["multiply"](v)
        more = {"hessp": product} if method == "Newton-CG" else {}
        scipy.optimize.minimize(evaluate, numpy.zeros(objective.dimension), jac=True, method=method, options=settings, **more)
    return run


def torch_loss(kind):
    import torch.nn.functional as F
    return {"softmax": F.cross_entropy, "logistic": F.binary_cross_entropy_with_logits,
            "mse": lambda z, y: 0.5 * F.mse_loss(z, y), "huber": F.huber_loss}[kind]


def torch_run(objective):
    """PyTorch's L-BFGS with its strong Wolfe search."""
    import torch
    x, y = torch.from_numpy(objective.x), torch.from_numpy(objective.y)
    loss, outputs = torch_loss(objective.kind), objective.outputs

    def run(_, note):
        shape = (objective.x.shape[1], outputs) if outputs > 1 else (objective.x.shape[1],)
        w = torch.zeros(shape, dtype=x.dtype, requires_grad=True)
        method = torch.optim.LBFGS([w], lr=1, max_iter=10**5, max_eval=10**6, tolerance_grad=0, tolerance_change=0,
                                   history_size=10, line_search_fn="strong_wolfe")

        def closure():
            method.zero_grad()
            value = loss(x @ w, y) + objective.strength / 2 * (w * w).sum()
            value.backward()
            note(value.item(), w.detach().numpy().T.ravel())
            return value
        method.step(closure)
    return run


def sklearn_fit(objective, peer):
    kind, strength, x, y = objective.kind, objective.strength, objective.x, objective.y
    n = len(y)
    if peer.startswith("ridge-"):
        from sklearn.linear_model import Ridge
        return lambda tolerance: Ridge(alpha=strength * n, fit_intercept=False, solver=peer[6:], tol=tolerance).fit(x, y).coef_.ravel()
    from sklearn.linear_model import LogisticRegression
    solver = peer[len("sklearn-"):]
    dual = solver == "liblinear-dual"
    # its tolerance for newton-cg bounds the gradient of the sum of the losses
    scale = n if solver == "newton-cg" and n > 10000 else 1
    return lambda tolerance: LogisticRegression(
        solver="liblinear" if dual else solver, dual=dual, C=1 / (n * strength), fit_intercept=False, tol=tolerance * scale,
        max_iter=20000, multi_class="multinomial" if kind == "softmax" else "ovr", random_state=0).fit(x, y).coef_.ravel()


def sgd_rate(kind, strength, x, y, batch):
    """Samples a second of PyTorch's SGD with momentum."""
    import torch
    n, p = x.shape
    x, y, loss = torch.from_numpy(x), torch.from_numpy(y), torch_loss(kind)
    w = torch.zeros((p, int(y.max()) + 1) if kind == "softmax" else p, dtype=x.dtype, requires_grad=True)
    method = torch.optim.SGD([w], lr=0.05, momentum=0.9, weight_decay=strength)
    rates = []
    while len(rates) < LEAST:
        begin = time.perf_counter()
        order = torch.randperm(n)
        for i in range(0, n, batch):
            chosen = order[i:i + batch]
            method.zero_grad(set_to_none=True)
            loss(x[chosen] @ w, y[chosen]).backward()
            method.step()
        rates.append(n / (time.perf_counter() - begin))
    return max(rates)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory")
    parser.add_argument("peer")
    parser.add_argument("--kind", required=True)
    parser.add_argument("--strength", type=float, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--optimum", type=float)
    parser.add_argument("--setting", type=float)
    parser.add_argument("--batch", type=int)
    o = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # read when the libraries load
        os.environ[name] = str(o.threads)
    warnings.filterwarnings("ignore")
    import training_tasks
    if o.peer.startswith("torch"):
        import torch
        torch.set_num_threads(o.threads)
    if o.peer.startswith(("sklearn", "ridge")):
        import sklearn.linear_model  # noqa: F401, its pages are there before
    x, y = training_tasks.load(o.directory)
    if o.batch is not None:
        print(json.dumps({"peer": o.peer, "samples_per_second": sgd_rate(o.kind, o.strength, x, y, o.batch)}))
        return
    objective = training_tasks.Objective(o.kind, o.strength, x, y)
    before, setting = megabytes("VmRSS"), None
    forget_peak()
    if o.peer.startswith("scipy"):
        run = scipy_run(objective, {"scipy-lbfgsb": "L-BFGS-B", "scipy-newton-cg": "Newton-CG"}[o.peer])
        times, w = watched(objective, o.optimum, run)
    elif o.peer.startswith("torch"):
        times, w = watched(objective, o.optimum, torch_run(objective))
    else:
        times, w, setting = settled(objective, o.optimum, sklearn_fit(objective, o.peer), o.setting)
    peak = megabytes("VmHWM") - before
    print(json.dumps({"peer": o.peer, "seconds": times[0], "median": times[len(times) // 2], "megabytes": peak,
                      "gap": (objective.evaluate(w)[0] - o.optimum) / o.optimum, "setting": setting}))


if __name__ == "__main__":
    sys.exit(main())
