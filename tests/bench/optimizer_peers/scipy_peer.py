#!/usr/bin/env python3
"""SciPy's methods with derivatives on the classics, one JSON object a line, as the drivers in C print them.

    scipy_peer.py LIBRARY      the problems as a shared object
"""
import ctypes
import json
import math
import sys
import time
import warnings

import numpy as np
import scipy.optimize

MOST_EVALUATIONS, MOST_SECONDS = 20000, 120
METHODS = {
    "L-BFGS-B": dict(gtol=0, ftol=0, maxiter=10**6, maxfun=10**6),
    "CG": dict(gtol=0, maxiter=10**6),
    "Newton-CG": dict(xtol=1e-300, maxiter=10**6),
    "trust-ncg": dict(gtol=0, maxiter=10**6),
    "TNC": dict(gtol=0, ftol=0, xtol=0, maxfun=10**6),
}
START = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_void_p)
EVALUATE = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p)


class Problem(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("n", ctypes.c_int64), ("start", START), ("evaluate", EVALUATE),
                ("minimum", ctypes.c_double)]


class Table(ctypes.Structure):
    _fields_ = [("rows", ctypes.POINTER(Problem)), ("count", ctypes.c_int64)]


class Over(Exception):
    pass


class Run:
    def __init__(self, problem):
        self.problem, self.n = problem, problem.n
        self.x0 = np.empty(self.n)
        problem.start(self.n, self.x0.ctypes.data)
        self.values = self.gradients = 0
        self.solved, self.value, self.norm, self.begin = False, math.nan, math.nan, time.process_time()
        self.last_x = self.last_gradient = None

    def evaluate(self, x, values):
        x = np.ascontiguousarray(x)
        gradient = np.empty(self.n)
        self.value = self.problem.evaluate(self.n, x.ctypes.data, gradient.ctypes.data)
        self.values += values
        self.gradients += 1
        self.norm = float(np.abs(gradient).max())
        least = self.problem.minimum
        if self.norm <= 1e-5 * max(1, abs(self.value)) and self.value - least <= 1e-6 * max(1, abs(least)):
            self.solved = True
        if (self.solved or self.values + self.gradients >= MOST_EVALUATIONS
                or time.process_time() - self.begin > MOST_SECONDS):
            raise Over
        self.last_x, self.last_gradient = x.copy(), gradient
        return self.value, gradient

    def both(self, x):
        return self.evaluate(x, 1)

    def product(self, x, direction):
        """A difference of gradients; the one at x is not counted again when it is known."""
        length = np.linalg.norm(direction)
        if length == 0:
            return np.zeros(self.n)
        gradient = self.last_gradient if np.array_equal(x, self.last_x) else self.evaluate(x, 0)[1]
        h = 2.0**-26 * (1 + np.linalg.norm(x)) / length
        return (self.evaluate(x + h * direction, 0)[1] - gradient) / h


def main():
    table = Table.in_dll(ctypes.CDLL(sys.argv[1]), "classic_problems")
    warnings.filterwarnings("ignore")
    np.seterr(all="ignore")
    for method, options in METHODS.items():
        for i in range(table.count):
            run = Run(table.rows[i])
            more = {"hessp": run.product} if method in ("Newton-CG", "trust-ncg") else {}
            try:
                scipy.optimize.minimize(run.both, run.x0, jac=True, method=method, options=options, **more)
            except (Over, np.linalg.LinAlgError, FloatingPointError):
                pass
            print(json.dumps({
                "set": "classic", "problem": run.problem.name.decode(), "n": run.n, "optimizer": f"SciPy {method}",
                "solved": run.solved, "values": run.values, "gradients": run.gradients, "products": 0,
                "norm": run.norm, "value": run.value, "seconds": time.process_time() - run.begin}), flush=True)


if __name__ == "__main__":
    main()
