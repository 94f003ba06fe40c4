#!/usr/bin/env python3
"""The table of gradients in docs/benchmarks.md from what bench_gradients prints.

    gradients.py FILE...                     the table, on standard output
    gradients.py --run PROGRAM [--runs N]    runs the benchmark N times (2) first
    … --into docs/benchmarks.md              puts it between the marks of that file

Of several runs each time is the smallest, the limits' times too: what else runs on the machine only ever adds time.
"""
import os

import table

GOAL = 1.5
BEGIN, END = "<!-- gradients: begin -->", "<!-- gradients: end -->"
WORDS = {"gradient": "value and gradient", "product": "Hessian product", "hessian": "Hessian"}


def cells(line):
    if line is None:
        return "– | – | –"
    limit = max(line["read_ns"], line["fma_ns"])
    times = line["ns"] / limit
    which = "memory" if line["read_ns"] >= line["fma_ns"] else "multiply-adds"
    return f"{line['ns']:,.0f} | {limit:,.0f} {which} | {times:.2f}{'*' if times > GOAL else ''}"


def page(lines, runs):
    found = {}
    for line in lines:
        key = (line["loss"], line["what"], line["rows"], line["features"], line["outputs"], line["dtype"], line["batch"],
               line["entries"])
        kept = found.setdefault(key, {}).setdefault(line["threads"], line)
        for time in ("ns", "read_ns", "fma_ns", "gather_ns"):
            kept[time] = min(kept[time], line[time])
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    yield f"- machine: {table.machine()}"
    yield f"- compiler: {table.compiler()}; instruction set {', '.join(sorted({line['isa'] for line in lines}))}"
    yield f"- runs: {runs}, of each time the smallest; load average of the machine at the end: {load}"
    yield f"- above {GOAL} × the limit there is a *"
    yield ""
    threads = sorted({line["threads"] for line in lines})
    yield ("| loss | what | rows × features × outputs | type |" +
           "".join(f" {n} thread{'s' if n > 1 else ''}: ns a row | limit | × |" for n in threads))
    yield "|---|---|---:|---|" + "---:|---:|---:|" * len(threads)
    for (loss, what, rows, features, outputs, dtype, batch, entries), by_threads in found.items():
        words = WORDS[what] + (f", batches of {batch}" if batch else "") + (f", {entries / rows:.0f} stored a row" if entries else "")
        yield (f"| {loss} | {words} | {rows:,} × {features} × {outputs} | {dtype} | " +
               " | ".join(cells(by_threads.get(n)) for n in threads) + " |")
    yield from gathering(found)


def gathering(found):
    """What sparse rows cost that reading them does not: the other yardstick, which the table has no column for."""
    sparse = [lines for key, lines in found.items() if key[-1]]
    if sparse:
        times = ", ".join(f"{min(lines[n]['gather_ns'] for lines in sparse):,.0f} ns on {n} thread{'s' if n > 1 else ''}"
                          for n in sorted(sparse[0]))
        yield ""
        yield f"- a sparse row: gathering the parameters of its columns and scattering to their sums, nothing else: {times}"


if __name__ == "__main__":
    table.main(__doc__, page, (BEGIN, END))
