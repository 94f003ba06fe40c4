"""The tasks of training.py: their data, as files that bench_training reads too, and F and its gradient by NumPy.

F(w) = mean loss + λ/2 ‖w‖², no intercept; losses are logistic, softmax cross-entropy, half squared error and Huber with 1.
"""
import csv
import gzip
import os

import numpy as np
import scipy.sparse
import scipy.special

SEED = 20240501
HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, os.pardir, "data")
FASHION = "/usr/share/datasets/fashion-mnist"
LOSSES = {"logistic": "logistic", "softmax": "cross_entropy", "mse": "squared_error", "huber": "huber"}


class Task:
    """`methods` are ours, the best one first; `peers` names of training_peers.py; `goal` is how many times faster ours is to be."""

    def __init__(self, name, data, kind, strength, threads, goal, methods, peers, finder, note):
        self.name, self.data, self.kind, self.strength, self.threads = name, data, kind, strength, threads
        self.goal, self.methods, self.peers, self.finder, self.note = goal, methods, peers, finder, note
        self.loss = LOSSES[kind]


NEWTON_CG = "newton_cg:preconditioner=user"
BLOCK = "lbfgs:preconditioner=block"
TASKS = [
    Task("breast_cancer", "breast_cancer", "logistic", 1e-4, 1, 4, ["newton", "lbfgs"],
         ["sklearn-newton-cholesky", "sklearn-liblinear", "scipy-newton-cg", "torch-lbfgs"], "newton", "569 × 30"),
    Task("digits", "digits", "softmax", 1e-4, 1, 4, [BLOCK, "lbfgs", "newton_cg:preconditioner=block"],
         ["scipy-newton-cg", "sklearn-newton-cg", "scipy-lbfgsb", "torch-lbfgs"], "newton_cg", "1797 × 64, 10 classes"),
    Task("diabetes", "diabetes", "mse", 1e-4, 1, 4, ["newton", "lbfgs"],
         ["ridge-lsqr", "ridge-cholesky", "scipy-lbfgsb", "torch-lbfgs"], "newton", "442 × 10"),
    Task("diabetes_huber", "diabetes", "huber", 1e-4, 1, 4, ["newton", "lbfgs"],
         ["scipy-newton-cg", "scipy-lbfgsb", "torch-lbfgs"], "newton", "442 × 10"),
    Task("fashion", "fashion", "softmax", 1e-4, 2, 6, ["lbfgs:memory=100", "lbfgs"],
         ["scipy-newton-cg", "torch-lbfgs"], "lbfgs:memory=100", "60 000 × 784, 10 classes"),
    Task("dense", "dense", "logistic", 1e-4, 2, 4, ["newton", "lbfgs"],
         ["sklearn-newton-cholesky", "scipy-newton-cg", "torch-lbfgs"], "newton", "1 000 000 × 100"),
    Task("dense_huber", "dense", "huber", 1e-4, 2, 8, ["newton", "lbfgs"],
         ["scipy-lbfgsb", "scipy-newton-cg", "torch-lbfgs"], "newton", "1 000 000 × 100"),
    Task("dense_mse", "dense", "mse", 1e-4, 2, 2, ["newton", "lbfgs"],
         ["ridge-cholesky", "scipy-lbfgsb"], "newton", "1 000 000 × 100"),
    Task("sparse", "sparse", "logistic", 5e-6, 1, 2.5, [NEWTON_CG, "lbfgs"],
         ["sklearn-liblinear-dual", "scipy-newton-cg", "scipy-lbfgsb"], NEWTON_CG, "200 000 × 100 000, 50 stored a row"),
]
# Throughput of stochastic gradient descent: data, loss, batch, threads.
BATCHES = [("fashion", "softmax", 64), ("fashion", "softmax", 256), ("dense", "logistic", 64), ("dense", "logistic", 256)]


# ---- data ----

def standardised(x):
    x = x - x.mean(axis=0)
    deviation = x.std(axis=0)
    deviation[deviation == 0] = 1
    return x / deviation


def table(name):
    with open(os.path.join(DATA, name), encoding="utf-8") as stream:
        return list(csv.reader(stream))[1:]


def make_breast_cancer():
    rows = table("breast_cancer.csv")
    x = np.array([row[:-1] for row in rows], float)
    return standardised(x), {"target": np.array([row[-1] == "benign" for row in rows], float)}


def make_digits():
    rows = np.array(table("digits.csv"), float)
    return rows[:, :-1] / 16, {"labels": rows[:, -1].astype(np.int64)}


def make_diabetes():
    from sklearn.datasets import load_diabetes
    x, y = load_diabetes(return_X_y=True)
    return standardised(x), {"numbers": (y - y.mean()) / y.std()}


def make_fashion():
    with gzip.open(os.path.join(FASHION, "train-images-idx3-ubyte.gz")) as stream:
        pixels = np.frombuffer(stream.read(), np.uint8, offset=16).reshape(-1, 784)
    with gzip.open(os.path.join(FASHION, "train-labels-idx1-ubyte.gz")) as stream:
        labels = np.frombuffer(stream.read(), np.uint8, offset=8)
    return pixels / 255.0, {"labels": labels.astype(np.int64)}


def make_dense():
    """Columns that correlate and differ thirtyfold in size: a condition number of XᵀX of about 1e4. Residuals with long tails."""
    random = np.random.default_rng(SEED)
    n, p, stretch = 1000000, 100, 50000
    sizes = np.logspace(-1, 0.5, p)
    mix = np.eye(p) + 0.3 / np.sqrt(p) * random.standard_normal((p, p))
    weights = random.standard_normal(p) / sizes / 5
    x = np.empty((n, p))
    for i in range(0, n, stretch):
        x[i:i + stretch] = random.standard_normal((stretch, p)) * sizes @ mix
    z = x @ weights
    target = (random.random(n) < scipy.special.expit(z)).astype(float)
    return x, {"target": target, "numbers": z / z.std() + 0.3 * random.standard_t(2.5, n)}


def make_sparse():
    """Rows of 50 draws, of the first columns much more often: what counts of words look like. Rows have length 1."""
    random = np.random.default_rng(SEED)
    n, p, draws = 200000, 100000, 50
    columns = (p * random.random((n, draws)) ** 3).astype(np.int32)
    values = np.abs(random.standard_normal((n, draws))) + 0.1
    x = scipy.sparse.csr_matrix((values.ravel(), columns.ravel(), np.arange(0, n * draws + 1, draws)), shape=(n, p))
    x.sum_duplicates()
    lengths = np.sqrt(np.asarray(x.multiply(x).sum(axis=1)).ravel())
    x.data /= np.repeat(lengths, np.diff(x.indptr))
    z = x @ (5 * random.standard_normal(p))
    return x, {"target": (random.random(n) < scipy.special.expit(z)).astype(float)}


MAKERS = {"breast_cancer": make_breast_cancer, "digits": make_digits, "diabetes": make_diabetes, "fashion": make_fashion,
          "dense": make_dense, "sparse": make_sparse}


def directory(work, data, kind, suffix=""):
    return os.path.join(work, f"{data}_{kind}{suffix}")


def prepare(work, data, kind, float32=False):
    """The files of the data with the targets of that kind, once; several kinds share the features by a link."""
    at = directory(work, data, kind, "_float32" if float32 else "")
    if os.path.exists(os.path.join(at, "target.npy")):
        return at
    raw = os.path.join(work, data)
    if not os.path.exists(os.path.join(raw, "done")):
        os.makedirs(raw, exist_ok=True)
        x, targets = MAKERS[data]()
        if scipy.sparse.issparse(x):
            np.save(os.path.join(raw, "offsets.npy"), x.indptr.astype(np.int64))
            np.save(os.path.join(raw, "indices.npy"), x.indices.astype(np.int32))
            np.save(os.path.join(raw, "values.npy"), x.data)
        else:
            np.save(os.path.join(raw, "features.npy"), np.ascontiguousarray(x))
        for name, target in targets.items():
            np.save(os.path.join(raw, f"{name}.npy"), target)
        with open(os.path.join(raw, "done"), "w", encoding="utf-8"):
            pass
    os.makedirs(at, exist_ok=True)
    for name in ("features", "offsets", "indices", "values"):
        source, to = os.path.join(raw, f"{name}.npy"), os.path.join(at, f"{name}.npy")
        if os.path.exists(source) and not os.path.lexists(to):
            if float32:
                np.save(to, np.load(source).astype(np.float32))
            else:
                os.symlink(os.path.abspath(source), to)
    target = np.load(os.path.join(raw, {"logistic": "target", "softmax": "labels"}.get(kind, "numbers") + ".npy"))
    np.save(os.path.join(at, "target.npy"), target.astype(np.float32) if float32 and target.dtype == float else target)
    return at


def load(at):
    y = np.load(os.path.join(at, "target.npy"))
    if os.path.exists(os.path.join(at, "features.npy")):
        return np.load(os.path.join(at, "features.npy")), y
    offsets, indices, values = (np.load(os.path.join(at, f"{name}.npy")) for name in ("offsets", "indices", "values"))
    shape = len(y), int(indices.max()) + 1
    return scipy.sparse.csr_matrix((values, indices, offsets.astype(np.int32)), shape=shape), y


# ---- the objective ----

class Objective:
    """F by NumPy. The parameters of a softmax are those of one class after another, as libloss has them."""

    def __init__(self, kind, strength, x, y):
        self.kind, self.strength, self.x, self.y = kind, strength, x, y
        self.outputs = int(y.max()) + 1 if kind == "softmax" else 1
        self.dimension = x.shape[1] * self.outputs
        self.rows = np.arange(len(y))

    def evaluate(self, w):
        x, y, n = self.x, self.y, len(self.y)
        if self.kind == "softmax":
            z = x @ w.reshape(self.outputs, -1).T
            z -= z.max(axis=1, keepdims=True)
            picked = z[self.rows, y]
            np.exp(z, out=z)
            sums = z.sum(axis=1)
            cost = np.mean(np.log(sums) - picked)
            z /= sums[:, None]
            z[self.rows, y] -= 1
            z /= n
            gradient = (z.T @ x).ravel()
        else:
            z = x @ w
            if self.kind == "logistic":
                cost, slope = np.mean(np.logaddexp(0, z) - y * z), scipy.special.expit(z) - y
            elif self.kind == "mse":
                cost, slope = 0.5 * np.mean((z - y) ** 2), z - y
            else:
                slope = np.clip(z - y, -1, 1)
                cost = np.mean(slope * (z - y - slope / 2))
            gradient = x.T @ (slope / n)
        return cost + self.strength / 2 * (w @ w), gradient + self.strength * w

    def product(self, w):
        """The function v → ∇²F(w) v."""
        x, n, strength = self.x, len(self.y), self.strength
        if self.kind == "softmax":
            p = scipy.special.softmax(x @ w.reshape(self.outputs, -1).T, axis=1)

            def multiply(v):
                along = x @ v.reshape(self.outputs, -1).T
                along *= p
                along -= p * along.sum(axis=1, keepdims=True)
                along /= n
                return (along.T @ x).ravel() + strength * v
            return multiply
        z = x @ w
        if self.kind == "logistic":
            s = scipy.special.expit(z)
            curvature = s * (1 - s) / n
        else:
            curvature = np.full(n, 1 / n) if self.kind == "mse" else (np.abs(z - self.y) <= 1) / n
        return lambda v: x.T @ (curvature * (x @ v)) + strength * v
