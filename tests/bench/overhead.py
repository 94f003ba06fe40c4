#!/usr/bin/env python3
"""A table of overheads in docs/benchmarks.md: what an evaluation costs outside the user's function.

    overhead.py "PROGRAM ARGUMENTS"… [--rounds N] [--goal G] [--into docs/benchmarks.md] [--mark NAME]

runs each program, with its arguments, N times (5), in turns, so that what else the machine does meets all of them. Every time
is the smallest: other work only ever adds some. The first program is ours, the others are those it is compared with; the goal is
G times (0.5) the best of them. The table goes between the marks of that name (overhead).
"""
import argparse
import shlex
import subprocess
import sys

import optimizers
import table

UNITS = (1e6, "ms"), (1e3, "µs"), (1, "ns")


def measure(programs, rounds):
    """ns outside the function, by optimizer and number of variables."""
    found = {}
    for _ in range(rounds):
        for program in programs:
            text = subprocess.run(shlex.split(program), check=True, stdout=subprocess.PIPE, text=True).stdout
            for line in optimizers.lines_of(text, program):
                times = found.setdefault(line["optimizer"], {})
                times[line["n"]] = min(times.get(line["n"], line["overhead_ns"]), line["overhead_ns"])
    return found


def written(ns):
    size, unit = next((size, unit) for size, unit in UNITS if ns >= size or size == 1)
    return f"{ns / size:.3g} {unit}"


def page(programs, rounds, goal):
    found = measure(programs, rounds)
    own, *others = found
    yield f"- machine: {table.machine()}"
    yield f"- compiler: {table.compiler()}; runs: {rounds} in turns, of each time the smallest"
    yield f"- above {goal} × the best of the others there is a *"
    yield ""
    yield f"| variables | `{own}` | " + " | ".join(others) + " | × the best |"
    yield "|---:|" + "---:|" * (len(others) + 2)
    for n, ns in found[own].items():
        times = [found[other][n] for other in others]
        ratio = ns / min(times) if times else None
        cells = [written(time) for time in [ns, *times]]
        cells.append("–" if ratio is None else f"{ratio:.2g}{'*' if ratio > goal else ''}")
        yield f"| {n:,} | " + " | ".join(cells) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--goal", type=float, default=0.5)
    parser.add_argument("--into")
    parser.add_argument("--mark", default="overhead")
    arguments = parser.parse_args()
    text = "\n".join(page(arguments.programs, arguments.rounds, arguments.goal))
    if arguments.into is None:
        print(text)
    else:
        table.put(text, arguments.into, (f"<!-- {arguments.mark}: begin -->", f"<!-- {arguments.mark}: end -->"))


if __name__ == "__main__":
    sys.exit(main())
