#!/usr/bin/env python3
"""The tables of docs/benchmarks.md from what bench_losses prints.

    table.py FILE...                     the tables, on standard output
    table.py --run PROGRAM [--runs N]    runs the benchmark N times (2) first
    … --into docs/benchmarks.md          puts them between the marks of that file

Of several runs each time is the smallest, the limits' times too: what else runs on the machine only ever adds time.
"""
import argparse
import json
import os
import re
import subprocess
import sys

GOALS = ("of pointwise losses 1.25 × the limit from a million elements on and 2 × below, of cross_entropy 1.5 × and 2.5 × "
         "for rows of ten")
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
SOURCES = "sleef", "libmvec", "own"


def goal(line):
    """How many times the limit a measurement may take; None where no goal is set."""
    if line["loss"] == "cross_entropy":
        return 2.5 if line["columns"] <= 10 else 1.5
    if not line["pointwise"]:
        return None
    return 1.25 if line["rows"] * line["columns"] >= 1000000 else 2.0


def misses(line):
    return goal(line) is not None and line["ns"] > goal(line) * line["limit_ns"]


def smallest(lines, key, times):
    """One line a key, with the smallest of each time."""
    found = {}
    for line in lines:
        kept = found.setdefault(key(line), line)
        for time in times:
            if time in line:
                kept[time] = min(kept.get(time, line[time]), line[time])
    return [found[k] for k in sorted(found)]


def functions_of(lines):
    return smallest((line for line in lines if "function" in line), lambda line: (line["function"], line["dtype"]),
                    [f"{source}_ns" for source in SOURCES])


def losses_of(lines):
    found = smallest((line for line in lines if "loss" in line),
                     lambda line: (line["loss"], line["columns"], line["rows"], line["dtype"], line["threads"]),
                     ["ns", "memory_ns", "elementary_ns"])
    one = {}
    for line in found:
        line["limit_ns"] = max(line["memory_ns"], line["elementary_ns"])
        size = line["loss"], line["dtype"], line["columns"], line["rows"]
        if line["threads"] == 1:
            one[size] = line["ns"]
        elif size in one:
            line["speedup"] = one[size] / line["ns"]
    return found


def machine():
    """The processor and its caches, as lscpu says."""
    lscpu = json.loads(subprocess.run(["lscpu", "--json"], check=True, capture_output=True, text=True).stdout)
    fields = {}

    def walk(items):
        for item in items:
            fields[item["field"].rstrip(":")] = item["data"]
            walk(item.get("children", []))

    walk(lscpu["lscpu"])
    caches = ", ".join(f"{name[:-6]} {fields[name].split(' (')[0]}" for name in
                       ("L1d cache", "L2 cache", "L3 cache") if name in fields)
    return (f"{fields.get('Model name', 'unknown')} (family {fields.get('CPU family')}, model {fields.get('Model')}), "
            f"{fields.get('CPU(s)')} cores; caches in all: {caches}")


def compiler():
    name = os.environ.get("CC", "cc")
    return subprocess.run([name, "--version"], check=True, capture_output=True, text=True).stdout.splitlines()[0]


def shape(line):
    return f"{line['rows']:,}" + (f" × {line['columns']:,}" if line["columns"] > 1 else "")


def function_table(functions):
    yield "| function | type | SLEEF ns | ulp | libmvec ns | ulp | own ns | ulp |"
    yield "|---|---|" + "---:|" * 6
    for line in functions:
        cells = [f"{line[f'{source}_{what}']:.3f}" if f"{source}_ns" in line else "–"
                 for source in SOURCES for what in ("ns", "ulp")]
        yield f"| {line['function']} | {line['dtype']} | {' | '.join(cells)} |"


def cells(lines):
    """ns, limit and their ratio of one thread, an asterisk where it misses the goal, and what two threads gain."""
    one = next((line for line in lines if line["threads"] == 1), None)
    if one is None:
        return "– | – | – | –"
    times = one["ns"] / one["limit_ns"]
    more = next((line for line in lines if "speedup" in line), None)
    return (f"{one['ns']:.3f} | {one['limit_ns']:.3f} | {times:.2f}{'*' if misses(one) else ''} | "
            f"{'' if more is None else format(more['speedup'], '.2f')}")


def loss_table(losses):
    head = "ns | limit | × | threads"
    yield f"| loss | size | float32 {head} | float64 {head} |"
    yield "|---|---:|" + "---:|" * 8
    rows = {}
    for line in losses:
        rows.setdefault((line["loss"], line["columns"], line["rows"]), []).append(line)
    for (loss, _, _), lines in rows.items():
        both = [cells([line for line in lines if line["dtype"] == dtype]) for dtype in ("float32", "float64")]
        yield f"| {loss} | {shape(lines[0])} | {' | '.join(both)} |"


def page(lines, runs):
    functions = functions_of(lines)
    losses = losses_of(lines)
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    single = [line for line in losses if line["threads"] == 1]
    aimed = [line for line in single if goal(line) is not None]
    kept = sum(not misses(line) for line in aimed)
    yield f"- machine: {machine()}"
    yield f"- compiler: {compiler()}; instruction set {', '.join(sorted({line['isa'] for line in losses}))}"
    yield f"- runs: {runs}, of each time the smallest; load average of the machine at the end: {load}"
    yield f"- {kept} of {len(aimed)} measurements of one thread with a goal keep it, the others have a *: {GOALS}"
    yield ""
    yield from function_table(functions)
    yield ""
    yield from loss_table(losses)


def put(text, path, marks):
    begin, end = marks
    with open(path, encoding="utf-8") as stream:
        whole = stream.read()
    whole, count = re.subn(f"{begin}.*{end}", lambda _: f"{begin}\n{text}\n{end}", whole, flags=re.DOTALL)
    if count != 1:
        sys.exit(f"{path} does not have the marks {begin} and {end} once")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(whole)


def main(description, page_of, marks):
    """What a benchmark printed, or prints now, as a page between the marks of a file."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--run")
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--into")
    arguments = parser.parse_args()
    texts = []
    for file in arguments.files:
        with open(file, encoding="utf-8") as stream:
            texts.append(stream.read())
    for _ in range(arguments.runs if arguments.run else 0):
        texts.append(subprocess.run([arguments.run], check=True, stdout=subprocess.PIPE, text=True).stdout)
    lines = [json.loads(line) for text in texts for line in text.splitlines() if line]
    if not any("loss" in line for line in lines):
        sys.exit("no measurements")
    text = "\n".join(page_of(lines, len(texts)))
    if arguments.into is None:
        print(text)
    else:
        put(text, arguments.into, marks)


if __name__ == "__main__":
    main(__doc__, page, (BEGIN, END))
