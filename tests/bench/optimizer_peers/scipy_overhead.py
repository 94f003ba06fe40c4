#!/usr/bin/env python3
"""What an evaluation costs SciPy's BFGS outside the user's function, as bench_optimizers --set dense measures and prints it.

    scipy_overhead.py LIBRARY      the problems as a shared object

A run ends after 25 evaluations of extended Rosenbrock. The time of the function is taken inside it, that of calling it is SciPy's.
"""
import ctypes
import json
import sys
import time

import numpy as np
import scipy.optimize

EVALUATIONS = 25
RUNS = {10: 301, 100: 101, 1000: 3}


class Over(Exception):
    pass


def run(library, n):
    """ns outside the function of all evaluations, and how many there were."""
    inside, calls = 0, 0

    def both(x):
        nonlocal inside, calls
        begin = time.perf_counter_ns()
        gradient = np.empty(n)
        value = library.extended_rosenbrock_evaluate(n, x.ctypes.data, gradient.ctypes.data)
        inside += time.perf_counter_ns() - begin
        calls += 1
        if calls == EVALUATIONS:
            raise Over
        return value, gradient

    begin = time.perf_counter_ns()
    try:
        scipy.optimize.minimize(both, np.tile([-1.2, 1.0], n // 2), jac=True, method="BFGS", options={"gtol": 0})
    except Over:
        pass
    return (time.perf_counter_ns() - begin - inside) / calls, calls


def main():
    library = ctypes.CDLL(sys.argv[1])
    library.extended_rosenbrock_evaluate.restype = ctypes.c_double
    library.extended_rosenbrock_evaluate.argtypes = [ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p]
    for n, runs in RUNS.items():
        overhead, calls = min(run(library, n) for _ in range(runs))
        print(json.dumps({"set": "dense", "optimizer": "SciPy BFGS", "n": n, "evaluations": calls,
                          "overhead_ns": overhead}), flush=True)


if __name__ == "__main__":
    main()
