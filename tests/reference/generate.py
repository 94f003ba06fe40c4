#!/usr/bin/env python3
"""Writes the reference vectors of every loss that has a definition: tests/data/reference/<loss>.csv.

    generate.py [--seed N] [--output DIRECTORY] [loss ...]
    generate.py [--seed N] --check PROGRAM      into a temporary directory, then runs PROGRAM on it, or several with an option
                                                each; the seed is that of the day unless it is given. With losses,
                                                PROGRAM runs the tests of these alone
    generate.py --compare                       whether the stored files are what this program writes

A line is one row of data: dtype, kind (g a corner of the grid, r a generic point), options, prediction, target
(#3 is a class label, nothing that there is none), direction, then value, gradient, curvature, product and majorizer. Inputs are hexadecimal and
exact. A result is exact~down~up: 20 digits, and how far it can move when every input moves by at most one ulp; one
number after ~ when both sides are equal, none when it cannot move. After @ stands the size of the terms it is a difference of,
where the definition has terms() and they are larger than it is. An empty product is curvature * direction, an
empty majorizer says that there is none.
"""

import argparse
import filecmp
import importlib.util
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import time
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

import oracle  # noqa: E402
import structured  # noqa: E402
from oracle import INF, REAL, SIGNS, UNIT, mp, mpf  # noqa: E402

DEFINITIONS = os.path.join(HERE, "definitions")
OUTPUTS = ("value", "gradient", "curvature", "product", "majorizer")
STORED_SEED = 2385
LARGER = 1.5  # times a result: terms that say more than it does itself
FEW = (-104.0, -37.0, -1.5, 2.0**-14, 0.25, 104.0, 1e3)  # of the grid of all numbers, for further options
RANDOM_POINTS = 13  # a prime, so that cycling through them never lines up with the lanes of a vector


def load(name):
    spec = importlib.util.spec_from_file_location(name, os.path.join(DEFINITIONS, name + ".py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def names():
    return sorted(f[:-3] for f in os.listdir(DEFINITIONS) if f.endswith(".py"))


# ---- points -------------------------------------------------------------------------------------------------------


def grid(domain, dtype):
    """Where losses go wrong: zero, the smallest numbers, one ulp, overflow and underflow of exp, infinity."""
    tiny, normal, epsilon = (2.0**-149, 2.0**-126, 2.0**-23) if dtype == "float32" else (2.0**-1074, 2.0**-1022, 2.0**-52)
    if domain == UNIT:
        near_one = [oracle.neighbour(1.0, dtype, -1), 1 - 2 * epsilon, 1 - 1e-4, 1 - 1e-2]
        return [0.0, tiny, normal, epsilon, 1e-4, 1e-2, 0.25, 0.5] + near_one + [1.0]
    if domain[0] > -INF and domain[1] == INF:  # numbers from a smallest one on
        low = float(domain[0])
        sizes = [tiny, normal, epsilon, 1e-4, 0.25, 1.0, 3.0, 37.0, 1e4, 1e9, oracle.largest(dtype), INF]
        return list(dict.fromkeys([low, oracle.neighbour(low, dtype, 1)] + [oracle.rounded(low + a, dtype) for a in sizes]))
    ends = [88.7, 104.0] if dtype == "float32" else [88.7, 104.0, 709.0, 745.0]
    sizes = [tiny, normal, epsilon, 1e-4, 1.0, 18.0, 37.0] + ends + [oracle.largest(dtype), INF]
    return [0.0] + [s * float(a) for a in sizes for s in (1, -1)]


def targets(definition, options):
    """(target, whether the whole grid is worth it)"""
    if definition.TARGET == SIGNS:
        low = 0.0 if options.get("target_encoding") == "zero_one" else -1.0
        return [(low, True), (1.0, True)]
    if definition.TARGET == UNIT:
        return [(0.0, True), (1.0, True), (0.3, False)]
    if definition.TARGET[0] > -INF:
        low = float(definition.TARGET[0])
        edge = [] if getattr(definition, "TARGET_OPEN", False) else [(low, True)]  # open: the loss is infinite there
        end = [] if getattr(definition, "TARGET_FINITE", False) else [(float(INF), False)]  # finite: a count, say
        return edge + [(low + 1, True), (low + 3.385, True), (low + 1e9, False)] + end
    return [(0.0, True), (2.385, False), (float(INF), False)]


def generic_number(domain, rng, spread):
    """A number in the middle of a domain."""
    if domain == UNIT:
        return rng.uniform(0.05, 0.95)
    if domain[0] > -INF:
        return float(domain[0]) + rng.lognormvariate(0.25, 0.8)
    return rng.gauss(0, spread)


def pointwise_points(definition, rng, dtype):
    """(kind, options, prediction, target) for a loss of one prediction and one target. The first options have the whole grid, and all
    do where the domain has an end. Random points go to the first RANDOM_OPTIONS of a definition, by default to all. Its HARD are
    (options, prediction, target) that a formula has been wrong at.
    """
    up = lambda a, sign: oracle.neighbour(oracle.rounded(a, dtype), dtype, sign)
    for first, options in enumerate(definition.OPTIONS):
        domain = oracle.domain_of(definition, options)
        whole = grid(domain, dtype)
        for target, dense in targets(definition, options):
            target = oracle.rounded(target, dtype)
            if abs(target) < INF and hasattr(definition, "kinks"):
                for kink in definition.kinks(target, options):
                    for point in (kink, up(kink, -1), up(kink, 1)):
                        yield "grid", options, [point], target
            if first == 0 or domain != REAL:
                for point in whole if dense else whole[::3]:
                    yield "grid", options, [point], target
            elif abs(target) < INF:
                for point in FEW:
                    yield "grid", options, [point], target
        if first < getattr(definition, "RANDOM_OPTIONS", first + 1):
            yield from generic_points(definition, rng, options)
    for options, point, target in getattr(definition, "HARD", []):
        if abs(point) <= oracle.largest(dtype):
            yield "grid", options, [oracle.rounded(point, dtype)], oracle.rounded(target, dtype)


def generic_points(definition, rng, options):
    for _ in range(RANDOM_POINTS):
        if definition.TARGET == SIGNS:
            target = rng.choice([0.0 if options.get("target_encoding") == "zero_one" else -1.0, 1.0])
        else:
            target = generic_number(definition.TARGET, rng, 1)
        while True:
            point = generic_number(oracle.domain_of(definition, options), rng, 2)
            kinks = definition.kinks(target, options) if hasattr(definition, "kinks") else []
            if all(abs(point - kink) > 0.05 for kink in kinks):  # room for difference quotients
                break
        yield "random", options, [point], target


def points(definition, rng, dtype):
    if hasattr(definition, "points"):
        return definition.points(rng, dtype, grid(REAL, dtype))
    return pointwise_points(definition, rng, dtype)


# ---- writing ------------------------------------------------------------------------------------------------------


def hexadecimal(x):
    """The float as short as C's strtod reads it exactly."""
    x = float(x)
    if abs(x) == float("inf"):
        return "inf" if x > 0 else "-inf"
    mantissa, exponent = x.hex().split("p")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return mantissa + ("p" + str(int(exponent)) if int(exponent) else "")


def decimal(x, digits):
    if mp.isnan(x):
        return "nan"
    if abs(x) > mpf(10) ** 4900:  # beyond every type this is compared in
        return "inf" if x > 0 else "-inf"
    if abs(x) < mpf(10) ** -4900:
        return "0"
    text = mp.nstr(x, digits, strip_zeros=True, min_fixed=-3, max_fixed=6)
    return text[:-2] if text.endswith(".0") else text


def allowance(x):
    """Two digits, rounded up; what is left of the difference quotient's step is nothing."""
    return "0" if x < mpf(10) ** -400 else decimal(x * mpf("1.006"), 3).replace(".0e", "e")


def result(triple, size=0):
    exact, low, high = triple
    text = decimal(exact, 20)
    if text in ("nan", "inf", "-inf"):
        return text
    if max(exact - low, high - exact) >= mpf(10) ** -400:
        down, up = allowance(exact - low), allowance(high - exact)
        text += "~" + (down if down == up else down + "~" + up)
    return text + "@" + decimal(size, 3).replace(".0e", "e") if size > LARGER * abs(exact) else text


def option_text(options):
    parts = []
    for name, setting in options.items():
        if isinstance(setting, list):
            parts.append(name + "=" + " ".join(hexadecimal(a) for a in setting))
        else:
            parts.append(name + "=" + (setting if isinstance(setting, str) else "%r" % setting))
    return ";".join(parts)


def row_text(task):
    """One line of the file."""
    definition = load(task[0])
    if hasattr(definition, "ROLES"):
        return structured.row_text(definition, task, sys.modules[__name__])
    _, dtype, kind, options, x, target, direction = task
    number = lambda a: mpf(oracle.rounded(a, dtype))
    x = [number(a) for a in x]
    if isinstance(target, list):
        target = [number(a) for a in target]
    elif isinstance(target, float):
        target = number(target)
    direction = [number(a) for a in direction] if direction else None
    found = oracle.ranges(definition, x, target, direction, options, dtype)
    shown = "" if target is None else "#%d" % target if isinstance(target, int) else \
        " ".join(hexadecimal(a) for a in (target if isinstance(target, list) else [target]))
    fields = [dtype[-2:], kind[0], option_text(options), " ".join(hexadecimal(a) for a in x), shown,
              " ".join(hexadecimal(a) for a in direction or [])]
    sizes = definition.terms(x, target, direction, options) if hasattr(definition, "terms") else {}
    for output in OUTPUTS:
        results = found.get(output, [])
        fields.append(" ".join(result(t, size) for t, size in zip(results, sizes.get(output, [0] * len(results)))))
    return ",".join(fields)


def tasks(name, seed):
    definition = load(name)
    for dtype in ("float32", "float64"):
        rng = random.Random(zlib.crc32(("%s %s %d" % (name, dtype, seed)).encode()))
        if hasattr(definition, "ROLES"):
            yield from structured.tasks(name, definition, seed, dtype, rng)
            continue
        for kind, options, x, target, *given in points(definition, rng, dtype):  # a point may bring its direction
            draw = not given and hasattr(definition, "directions")
            direction = definition.directions(rng, len(x)) if draw else given[0] if given else None
            yield name, dtype, kind, options, x, target, direction


def write(name, seed, output, pool):
    definition = load(name)
    lines = ["# %s: seed %d, %d digits, ulp %s" % (name, seed, getattr(definition, "DIGITS", structured.DIGITS) if hasattr(definition, "ROLES") else oracle.DIGITS,
                                                 getattr(definition, "ULP", 4)) +
             (" normwise" if getattr(definition, "NORMWISE", False) else ""),
             "# dtype,kind,options," + ("role:layout:shape:numbers,>output::shape:results"
                                        if hasattr(definition, "ROLES") else
                                        "prediction,target,direction," + ",".join(OUTPUTS))]
    lines += pool.map(row_text, tasks(name, seed), chunksize=4)
    path = os.path.join(output, name + ".csv")
    with open(path, "w", encoding="ascii") as file:
        file.write("\n".join(dict.fromkeys(lines)) + "\n")
    return os.path.getsize(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int)
    parser.add_argument("--output", default=os.path.join(HERE, "..", "data", "reference"))
    parser.add_argument("--check", metavar="PROGRAM", action="append", help="run PROGRAM on fresh vectors")
    parser.add_argument("--compare", action="store_true", help="compare with the stored files")
    parser.add_argument("loss", nargs="*")
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else int(time.time()) // 86400 if given.check else STORED_SEED
    with multiprocessing.Pool(min(2, os.cpu_count() or 1)) as pool, tempfile.TemporaryDirectory() as scratch:
        output = scratch if given.check or given.compare else given.output
        os.makedirs(output, exist_ok=True)
        for name in given.loss or names():
            size = write(name, seed, output, pool)
            print("%s: seed %d, %d bytes" % (name, seed, size), flush=True)
        if given.check:
            return max(abs(subprocess.run([program] + pattern, env=dict(os.environ, LOSS_REFERENCE=scratch)).returncode)
                       for program in given.check for pattern in [[name + "/*"] for name in given.loss] or [[]])
        if given.compare:
            differing = [name for name in given.loss or names()
                         if not filecmp.cmp(os.path.join(scratch, name + ".csv"),
                                            os.path.join(given.output, name + ".csv"), shallow=False)]
            print("\n".join("%s.csv is not what the definition gives" % name for name in differing))
            return 1 if differing else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
