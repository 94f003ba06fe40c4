#!/usr/bin/env python3
"""Tables of what bench_optimizers and the drivers of other libraries print, and a performance profile.

    optimizers.py FILE…                      the tables, on standard output
    optimizers.py --run "PROGRAM ARGUMENTS"… runs programs first; one that fails is left out, with a word
    … --profile NAME                         also writes NAME.csv and, by gnuplot, NAME.svg

- cute: nf + 3ng (values plus three times gradients, a Hessian product counts as a gradient) beside the counts published for
  CG_DESCENT and for L-BFGS with the same conditions (tests/data/cute_counts.csv), and the geometric mean of the ratios over
  the instances both solve.
- classic: solved problems, and the cost, values plus gradients, relative to the best of all optimizers given: its geometric
  mean over what was solved, and the area under the performance profile (Dolan & Moré, Math. Prog. 91 (2002) 201–213): the
  share of problems solved within a factor of the best, averaged over factors from 1 to 32 on a logarithmic scale.
- overhead: ns an evaluation outside the user's function.
"""
import argparse
import csv
import json
import math
import pathlib
import shlex
import subprocess
import sys
from collections import defaultdict

COUNTS = pathlib.Path(__file__).resolve().parents[1] / "data" / "cute_counts.csv"
LARGEST_FACTOR, FACTORS = 32, 200


def lines_of(text, source):
    for line in text.splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            sys.exit(f"{source}: not a line of JSON: {line}")


def read(files, commands):
    lines = []
    for path in files:
        lines += lines_of(pathlib.Path(path).read_text(encoding="utf-8"), path)
    for command in commands:
        done = subprocess.run(shlex.split(command), stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            print(f"left out: {command}: it ended with {done.returncode}", file=sys.stderr)
        else:
            lines += lines_of(done.stdout, command)
    return lines


def mean(ratios):
    return math.exp(sum(map(math.log, ratios)) / len(ratios)) if ratios else math.nan


def by_optimizer(lines, kind):
    found = defaultdict(dict)
    for line in lines:
        if line["set"] == kind:
            found[line["optimizer"]][line["problem"], line["n"]] = line
    return found


def published():
    found = defaultdict(dict)
    with open(COUNTS, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["solved"] == "1":
                found[row["method"]][row["problem"], int(row["n"])] = int(row["values"]) + 3 * int(row["gradients"])
    return found


def cute(lines):
    runs, counts = by_optimizer(lines, "cute"), published()
    if not runs:
        return
    cost = {name: {key: line["values"] + 3 * (line["gradients"] + line["products"])
                   for key, line in rows.items() if line["solved"]} for name, rows in runs.items()}
    print("| problem | n | " + " | ".join([*runs, *counts]) + " |")
    print("|---|---:|" + "---:|" * (len(runs) + len(counts)))
    for key in sorted(set().union(*runs.values())):
        cells = [str(table.get(key, "–")) for table in [*cost.values(), *counts.values()]]
        print(f"| {key[0]} | {key[1]} | " + " | ".join(cells) + " |")
    print("\n| optimizer | solved | failed | " + " | ".join(f"nf + 3ng / {method}" for method in counts) + " |")
    print("|---|---:|---:|" + "---:|" * len(counts))
    for name, own in cost.items():
        ratios = [mean([own[key] / table[key] for key in own if key in table]) for table in counts.values()]
        print(f"| {name} | {len(own)} | {len(runs[name]) - len(own)} | " +
              " | ".join(f"{ratio:.3f}" for ratio in ratios) + " |")
    for name, rows in runs.items():
        for key, line in rows.items():
            if not line["solved"]:
                print(f"- {name} failed on {key[0]}, n = {key[1]}: {line['outcome']}, norm {line['norm']:.2g}")
    print()


def costs(runs):
    """The cost of every optimizer on every problem, infinite where it failed, and the least of each problem."""
    problems = list(dict.fromkeys(key for rows in runs.values() for key in rows))
    table = {}
    for name, rows in runs.items():
        table[name] = [sum(rows[key][part] for part in ("values", "gradients", "products"))
                       if key in rows and rows[key]["solved"] else math.inf for key in problems]
    return table, [min(column) for column in zip(*table.values())]


def share(own, best, factor):
    return sum(c <= factor * b * (1 + 1e-12) and b < math.inf for c, b in zip(own, best)) / len(best)


def classic(lines, profile):
    runs = by_optimizer(lines, "classic")
    if not runs:
        return
    table, best = costs(runs)
    factors = [LARGEST_FACTOR ** (i / (FACTORS - 1)) for i in range(FACTORS)]
    shares = {name: [share(own, best, factor) for factor in factors] for name, own in table.items()}
    order = sorted(table, key=lambda name: -sum(shares[name]))
    print(f"| optimizer | solved of {len(best)} | cost / best | area |")
    print("|---|---:|---:|---:|")
    for name in order:
        ratios = [c / b for c, b in zip(table[name], best) if c < math.inf]
        print(f"| {name} | {len(ratios)} | {mean(ratios):.2f} | {sum(shares[name]) / FACTORS:.3f} |")
    print()
    if profile:
        draw(profile, order, factors, shares)


def draw(profile, order, factors, shares):
    with open(f"{profile}.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["factor", *order])
        for i, factor in enumerate(factors):
            writer.writerow([f"{factor:.6g}", *(f"{shares[name][i]:.6g}" for name in order)])
    # Ours, whose names are one word, are thick; gnuplot has eight colours, then the dashes change.
    curves = [f'"{profile}.csv" using 1:{i + 2} with steps linecolor {i % 8 + 1} dashtype {i // 8 + 1} '
              f'linewidth {1.2 if " " in name else 3}' for i, name in enumerate(order)]
    script = f"""
set terminal svg size 900, 600 noenhanced font "sans-serif,12" background "white"
set output "{profile}.svg"
set datafile separator ","
set logscale x 2
set xrange [1:{LARGEST_FACTOR}]
set yrange [0:1]
set key bottom right autotitle columnhead
set grid
set xlabel "within this factor of the best optimizer's evaluations"
set ylabel "share of the problems solved"
plot {", ".join(curves)}
"""
    try:
        subprocess.run(["gnuplot"], input=script, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"no picture: {error}", file=sys.stderr)


def overhead(lines):
    rows = [line for line in lines if line["set"] == "overhead"]
    if rows:
        print("| optimizer | n | ns an evaluation | of them the function | outside |")
        print("|---|---:|---:|---:|---:|")
        for line in rows:
            print(f"| {line['optimizer']} | {line['n']} | {line['ns']:.0f} | {line['function_ns']:.0f} | "
                  f"{line['overhead_ns']:.0f} |")
        print()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--run", action="append", default=[])
    parser.add_argument("--profile")
    arguments = parser.parse_args()
    lines = read(arguments.files, arguments.run)
    cute(lines)
    classic(lines, arguments.profile)
    overhead(lines)


if __name__ == "__main__":
    main()
