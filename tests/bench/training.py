#!/usr/bin/env python3
"""Seconds of training to the optimum, libloss beside other libraries in one run: the tables of docs/training-benchmarks.md.

    training.py --program BENCH_TRAINING --data DIRECTORY [--runs N] [--only TASK]... [--without-batches] [--by COMMAND]
    … --into docs/training-benchmarks.md     puts them between the marks of that file

COMMAND starts every program, as `chrt -f 50`. Makes the data once (2.5 GB in DIRECTORY), lets libloss find a minimum, and takes it for F* once NumPy has found there a gradient that
bounds what is missing. Then ours and the others solve each task in turns, each in a process of its own; NumPy checks every point.
"""
import argparse
import json
import os
import subprocess
import sys

import numpy as np

import table
import training_tasks as tasks

BEGIN, END = "<!-- training: begin -->", "<!-- training: end -->"
HERE = os.path.dirname(os.path.abspath(__file__))
GAP, BOUND = 1e-6, 1e-9
CHECK_ROUNDING = 1e-9  # two sums of a million losses differ by less; a gap may seem larger by that


by = []  # what starts programs


def last_object(command):
    run = subprocess.run(by + command, check=False, stdout=subprocess.PIPE, text=True)
    lines = [line for line in run.stdout.splitlines() if line.startswith("{")]
    if run.returncode != 0 or not lines:
        print(f"training.py: {' '.join(command)} ended with {run.returncode}", file=sys.stderr)
        return None
    return json.loads(lines[-1])


def ours(program, at, task, more):
    command = [program, at, "--loss", task.loss, "--strength", repr(task.strength), "--threads", str(task.threads), "--json"]
    return last_object(command + more)


def read_point(path, objective):
    w = np.fromfile(path)
    if w.size != objective.dimension:
        sys.exit(f"{path} has {w.size} numbers, not {objective.dimension}")
    return w


def optimum(program, at, task, objective):
    """F* and the bound on what is missing, (F − min F) / F ≤ ‖∇F‖² / (2λF), both by NumPy."""
    kept = os.path.join(at, "optimum.json")
    if os.path.exists(kept):
        with open(kept, encoding="utf-8") as stream:
            found = json.load(stream)
        return found["optimum"], found["bound"]
    point = os.path.join(at, "optimum.bin")
    ours(program, at, task, ["--finder", task.finder, "--point", point])
    value, gradient = objective.evaluate(read_point(point, objective))
    bound = float(gradient @ gradient / (2 * task.strength) / value)
    if not bound <= BOUND:
        sys.exit(f"{task.name}: the minimum found may be {bound:.1e} too high")
    with open(kept, "w", encoding="utf-8") as stream:
        json.dump({"optimum": float(value), "bound": bound}, stream)
    return float(value), bound


def run_ours(arguments, at, task, method, best, objective):
    point = os.path.join(at, "point.bin")
    line = ours(arguments.program, at, task, ["--optimum", repr(best), "--point", point, method])
    if line is not None:
        line["gap"] = (objective.evaluate(read_point(point, objective))[0] - best) / best
    return line


def run_peer(at, task, peer, best, setting):
    command = [sys.executable, os.path.join(HERE, "training_peers.py"), at, peer, "--kind", task.kind, "--strength",
               repr(task.strength), "--threads", str(task.threads), "--optimum", repr(best)]
    return last_object(command + ([] if setting is None else ["--setting", repr(setting)]))


def merge(kept, line):
    """The smaller times of two runs, their larger gap and peak."""
    if kept is None or line is None:
        return kept or line
    return {**line, "seconds": min(kept["seconds"], line["seconds"]), "medians": kept["medians"] + line["medians"],
            "gap": max(kept["gap"], line["gap"]), "megabytes": max(kept["megabytes"], line["megabytes"])}


def measure(arguments, task):
    at = tasks.prepare(arguments.data, task.data, task.kind)
    objective = tasks.Objective(task.kind, task.strength, *tasks.load(at))
    best, bound = optimum(arguments.program, at, task, objective)
    runners = {f"libloss {method}": lambda _, method=method: run_ours(arguments, at, task, method, best, objective)
               for method in task.methods}
    runners.update({peer: lambda kept, peer=peer: run_peer(at, task, peer, best, kept and kept.get("setting"))
                    for peer in task.peers})
    found = {}
    for _ in range(arguments.runs):  # in turns: what else the machine does meets all
        for name, run in runners.items():
            line = run(found.get(name))
            if line is not None:
                line["medians"] = [line["median"]]
                found[name] = merge(found.get(name), line)
                print(f"{task.name}: {name}: {line['seconds']:.5f} s, gap {line['gap']:.1e}", file=sys.stderr, flush=True)
    return best, bound, found


def reached(line):
    return line["gap"] <= GAP + CHECK_ROUNDING


def seconds(value):
    return f"{1e3 * value:.3g} ms" if value < 1 else f"{value:.3g} s"


def peer_time(line):
    return line["seconds"] if line is not None and reached(line) else float("inf")


def work(line):
    names = ("gradients", "products", "hessians")
    return ", ".join(f"{line[name]} {name}" for name in names if line.get(name)).replace("hessians", "Hessians")


def task_rows(task, best, bound, found):
    peers = {name: line for name, line in found.items() if not name.startswith("libloss")}
    fastest = min((peer_time(line) for line in peers.values()), default=float("inf"))
    first = f"libloss {task.methods[0]}"
    for name, line in sorted(found.items(), key=lambda item: (not item[0].startswith("libloss"), peer_time(item[1]))):
        own = name.startswith("libloss")
        ratio = f"{fastest / line['seconds']:.1f}" if own and reached(line) and fastest < float("inf") else ""
        goal = f"{task.goal:g}" if name == first else ""
        if goal and ratio and float(fastest / line["seconds"]) < task.goal:
            ratio += "*"
        time = seconds(line["seconds"]) if reached(line) else f"not in {seconds(line['seconds'])}"
        middle = seconds(float(np.median(line["medians"])))
        yield (f"| {task.name} | {task.threads} | {name.replace('libloss ', '**libloss** ')} | {time} | {middle} | {ratio} | {goal} | "
               f"{line['gap']:.0e} | {max(line['megabytes'], 0):.0f} | {work(line)} |")


def solved_table(arguments, chosen):
    yield "| task | threads | solver | seconds | median | × | goal | gap | MB | passes |"
    yield "|---|---:|---|---:|---:|---:|---:|---:|---:|---|"
    optima = []
    for task in chosen:
        try:
            best, bound, found = measure(arguments, task)
        except (ImportError, OSError) as error:
            print(f"training.py: {task.name} is left out: {error}", file=sys.stderr)
            continue
        optima.append(f"{task.name} {best:.12g} (at most {bound:.0e} of it above)")
        yield from task_rows(task, best, bound, found)
    yield ""
    yield f"F* of {', of '.join(optima)}."


def batch_table(arguments, chosen):
    yield "| data | loss | type | batch | threads | libloss samples/s | PyTorch samples/s | × |"
    yield "|---|---|---|---:|---:|---:|---:|---:|"
    names = {task.data for task in chosen}
    for data, kind, batch in tasks.BATCHES:
        if data not in names:
            continue
        at = tasks.prepare(arguments.data, data, kind, float32=True)
        rates = {}
        for _ in range(arguments.runs):
            for threads in (1, 2):
                method = f"sgd:batch_size={batch}:momentum=0.9:learning_rate=0.05:weight_decay=0.0001"
                line = last_object([arguments.program, at, "--loss", tasks.LOSSES[kind], "--strength", "0", "--float32",
                                    "--threads", str(threads), "--json", "--epochs", "3", method])
                rates[threads, "ours"] = max(rates.get((threads, "ours"), 0), line["samples_per_second"])
                line = last_object([sys.executable, os.path.join(HERE, "training_peers.py"), at, "torch", "--kind", kind,
                                    "--strength", "1e-4", "--threads", str(threads), "--batch", str(batch)])
                if line is not None:
                    rates[threads, "peer"] = max(rates.get((threads, "peer"), 0), line["samples_per_second"])
        for threads in (1, 2):
            own, peer = rates[threads, "ours"], rates.get((threads, "peer"))
            yield (f"| {data} | {kind} | float32 | {batch} | {threads} | {own:,.0f} | {'–' if peer is None else format(peer, ',.0f')} | "
                   f"{'–' if peer is None else format(own / peer, '.1f')} |")


def versions():
    for name in ("numpy", "scipy", "sklearn", "torch"):
        try:
            yield f"{name} {__import__(name).__version__}"
        except ImportError:
            yield f"no {name}"


def page(arguments):
    chosen = [task for task in tasks.TASKS if not arguments.only or task.name in arguments.only]
    lines = list(solved_table(arguments, chosen))
    if not arguments.without_batches:
        lines += ["", *batch_table(arguments, chosen)]
    load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    return "\n".join([f"- machine: {table.machine()}", f"- compiler: {table.compiler()}; {', '.join(versions())}",
                      f"- runs: {arguments.runs} in turns, of each time the smallest, and the median; "
                      f"load average of the machine at the end: {load}",
                      "- below its goal there is a *", "", *lines])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--only", action="append", choices=[task.name for task in tasks.TASKS])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--without-batches", action="store_true")
    parser.add_argument("--by", default="")
    parser.add_argument("--into")
    arguments = parser.parse_args()
    by.extend(arguments.by.split())
    text = page(arguments)
    if arguments.into is None:
        print(text)
    else:
        table.put(text, arguments.into, (BEGIN, END))


if __name__ == "__main__":
    main()
