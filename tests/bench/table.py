#!/usr/bin/env python3
"""The table of docs/benchmarks.md from what bench_losses prints.

    table.py FILE...                     the table, on standard output
    table.py --run PROGRAM [--runs N]    runs the benchmark N times (2) first
    … --into docs/benchmarks.md          puts it between the marks of that file

Of several runs each time is the smallest of their medians, the limits' times too: what else runs on the machine only
ever adds time.
"""
import argparse
import json
import os
import re
import subprocess
import sys

GOAL = 2.0  # times the limit, for a million elements and more
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"


def key(line):
    return line["loss"], line["dtype"], line["rows"], line["columns"]


def best(lines):
    found = {}
    for line in lines:
        kept = found.setdefault(key(line), line)
        for time in ("ns", "memory_ns", "compute_ns"):
            kept[time] = min(kept[time], line[time])
    for line in found.values():
        line["times_limit"] = line["ns"] / max(line["memory_ns"], line["compute_ns"])
    return [found[k] for k in sorted(found)]


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


def table(lines, runs):
    isas = sorted({line["isa"] for line in lines})
    threads = sorted({line["threads"] for line in lines})
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    large = [line for line in lines if line["rows"] * line["columns"] >= 1000000]
    missed = [line for line in large if line["times_limit"] > GOAL]
    yield f"- machine: {machine()}"
    yield f"- compiler: {compiler()}, Release; instruction set {', '.join(isas)}; threads {', '.join(map(str, threads))}"
    yield f"- the smallest of the medians of {runs} runs; load average of the machine at the end: {load}"
    yield f"- {len(large) - len(missed)} of {len(large)} lines of a million elements and more are within {GOAL:g} × the limit"
    yield ""
    yield "| loss | type | size | ns | memory ns | exp/log ns | × limit | |"
    yield "|---|---|---:|---:|---:|---:|---:|---|"
    for line in lines:
        miss = "misses the goal" if line in missed else ""
        yield (f"| {line['loss']} | {line['dtype']} | {shape(line)} | {line['ns']:.3f} | {line['memory_ns']:.3f} | "
               f"{line['compute_ns']:.3f} | {line['times_limit']:.2f} | {miss} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
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
    lines = best(json.loads(line) for text in texts for line in text.splitlines() if line)
    if not lines:
        sys.exit("no measurements")
    text = "\n".join(table(lines, len(texts)))
    if arguments.into is None:
        print(text)
        return
    with open(arguments.into, encoding="utf-8") as stream:
        page = stream.read()
    page, count = re.subn(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n{text}\n{END}", page, flags=re.DOTALL)
    if count != 1:
        sys.exit(f"{arguments.into} does not have the marks {BEGIN} and {END} once")
    with open(arguments.into, "w", encoding="utf-8") as stream:
        stream.write(page)


if __name__ == "__main__":
    main()
