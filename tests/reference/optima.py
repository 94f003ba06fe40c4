#!/usr/bin/env python3
"""Writes the optima of linear models on the bundled data as scikit-learn finds them: tests/data/optima.

    optima.py [--output DIRECTORY]

tasks.csv has a task a line; TASK.csv its parameters: the weights, one output after the other, then the intercepts. A feature is
divided by the power of two that brings its largest magnitude into (½, 1], which is exact, so that both sides see the same numbers.
Row i of a task with weights has the weight 1 + i mod 3. F is the mean loss + strength · (l1_ratio · ‖W‖₁ + ½ · (1 − l1_ratio) · ‖W‖²).
Everything is run to the end of its precision. How far other solvers may be from it, as a share of the largest parameter, is 1e-8,
and 1e-6 for LIBLINEAR, which stops where values no longer fall.
"""

import argparse
import csv
import math
import os
import warnings

import numpy as np
from sklearn.linear_model import ElasticNet, GammaRegressor, LogisticRegression, PoissonRegressor, Ridge, TweedieRegressor
from sklearn.svm import LinearSVC, LinearSVR

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "..", "data")
FIELDS = ("name", "data", "loss", "options", "target", "penalty", "strength", "l1_ratio", "intercept", "weighted",
          "tolerance")


def read(name):
    with open(os.path.join(DATA, name + ".csv"), newline="") as file:
        rows = list(csv.reader(file))[1:]
    x = np.array([[float(cell) for cell in row[:-1]] for row in rows])
    classes = sorted({row[-1] for row in rows})
    largest = np.abs(x).max(axis=0)
    scale = np.array([2.0 ** math.frexp(m)[1] if m > 0 else 1.0 for m in largest])
    return x / scale, np.array([classes.index(row[-1]) for row in rows])


def logistic(task, x, y, weight):
    c = 1 / (task["strength"] * (len(y) if weight is None else weight.sum()))
    solver = "newton-cholesky" if task["l1_ratio"] == 0 else "saga"
    penalty = {"newton-cholesky": {"penalty": "l2"}, "saga": {"penalty": "elasticnet", "l1_ratio": task["l1_ratio"]}}[solver]
    return LogisticRegression(C=c, solver=solver, tol=1e-15, max_iter=100000, fit_intercept=bool(task["intercept"]),
                              random_state=0, **penalty).fit(x, y, weight)


def softmax(task, x, y, weight):
    return LogisticRegression(C=1 / (task["strength"] * len(y)), solver="newton-cg", tol=1e-13, max_iter=1000,
                              multi_class="multinomial").fit(x, y)


def squares(task, x, y, weight):
    if task["l1_ratio"] == 0:
        total = len(y) if weight is None else weight.sum()
        return Ridge(alpha=task["strength"] * total / 2, solver="cholesky").fit(x, y, weight)
    return ElasticNet(alpha=task["strength"] / 2, l1_ratio=task["l1_ratio"], tol=1e-17, max_iter=1000000).fit(x, y)


def generalized(estimator, **options):
    def fit(task, x, y, weight):
        return estimator(alpha=task["strength"], solver="newton-cholesky", tol=1e-14, max_iter=1000, **options).fit(x, y)
    return fit


def machine(estimator, **options):
    def fit(task, x, y, weight):
        return estimator(C=1 / (task["strength"] * len(y)), dual=False, tol=1e-15, max_iter=1000000, fit_intercept=False,
                         **options).fit(x, y)
    fit.tolerance = 1e-6
    return fit


TASKS = [  # name, data, loss, options, target, strength, l1_ratio, intercept, weighted, how
    ("logistic", "breast_cancer", "logistic", "", "class", 1e-3, 0, 1, 0, logistic),
    ("logistic_weighted", "breast_cancer", "logistic", "", "class", 2e-4, 0, 1, 1, logistic),
    ("logistic_no_intercept", "breast_cancer", "logistic", "", "class", 3e-3, 0, 0, 0, logistic),
    ("logistic_elastic_net", "breast_cancer", "logistic", "", "class", 2e-2, 0.25, 1, 0, logistic),
    ("logistic_l1", "breast_cancer", "logistic", "", "class", 2e-2, 1, 1, 0, logistic),
    ("softmax", "digits", "cross_entropy", "", "class", 1e-2, 0, 1, 0, softmax),
    ("ridge", "digits", "squared_error", "", "number", 1e-2, 0, 1, 0, squares),
    ("ridge_weighted", "digits", "squared_error", "", "number", 1e-3, 0, 1, 1, squares),
    ("lasso", "digits", "squared_error", "", "number", 3e-2, 1, 1, 0, squares),
    ("elastic_net", "digits", "squared_error", "", "number", 2e-2, 0.6, 1, 0, squares),
    ("poisson", "digits", "poisson", "", "number", 1e-2, 0, 1, 0, generalized(PoissonRegressor)),
    ("gamma", "digits", "gamma", "", "successor", 1e-2, 0, 1, 0, generalized(GammaRegressor)),
    ("tweedie", "digits", "tweedie", "power=1.35", "number", 1e-2, 0, 1, 0,
     generalized(TweedieRegressor, power=1.35, link="log")),
    ("squared_hinge", "breast_cancer", "squared_hinge", "", "sign", 1e-2, 0, 0, 0, machine(LinearSVC)),
    ("support_regression", "digits", "squared_epsilon_insensitive", "epsilon=0.35", "number", 1e-2, 0, 0, 0,
     machine(LinearSVR, epsilon=0.35, loss="squared_epsilon_insensitive")),
]


def penalty_of(l1_ratio):
    return "l2" if l1_ratio == 0 else "l1" if l1_ratio == 1 else "elastic_net"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", default=os.path.join(DATA, "optima"))
    output = parser.parse_args().output
    os.makedirs(output, exist_ok=True)
    warnings.simplefilter("ignore")  # that a tolerance below what is possible was not reached
    lines = []
    for name, data, loss, options, target, strength, l1_ratio, intercept, weighted, how in TASKS:
        task = dict(zip(FIELDS, (name, data, loss, options, target, penalty_of(l1_ratio), strength, l1_ratio, intercept, weighted,
                                 how.__dict__.get("tolerance", 1e-8))))
        x, y = read(data)
        weight = 1.0 + np.arange(len(y)) % 3 if weighted else None
        model = how(task, x, {"class": y, "sign": y, "number": y.astype(float), "successor": y + 1.0}[target], weight)
        parameters = np.concatenate([np.ravel(model.coef_), np.ravel(model.intercept_) if intercept else []])
        with open(os.path.join(output, name + ".csv"), "w") as file:
            file.write("parameter\n" + "".join("%r\n" % float(p) for p in parameters))
        lines.append([task[field] for field in FIELDS])
    with open(os.path.join(output, "tasks.csv"), "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([FIELDS] + lines)


if __name__ == "__main__":
    main()
