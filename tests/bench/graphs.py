#!/usr/bin/env python3
"""Steps of training by graphs beside PyTorch, matrix products beside OpenBLAS, formulas beside losses: tables for a page.

    graphs.py [--graphs BENCH_GRAPHS] [--products BENCH_MATRIX_PRODUCT] [--formulas BENCH_FORMULAS] [--runs N]
    … --into docs/graph-benchmarks.md     puts them between the marks of that file

The models of bench_graphs are made once more in PyTorch, where a Python has it, and run in turns with them. Of several runs each time
is the smallest: what else runs on the machine only ever adds time.
"""
import argparse
import json
import os
import subprocess
import sys
import time

import table

BEGIN, END = "<!-- graphs: begin -->", "<!-- graphs: end -->"


def models():
    import torch
    from torch import nn

    class Block(nn.Module):
        def __init__(self, before, after, stride):
            super().__init__()
            self.first = nn.Conv2d(before, after, 3, stride, 1, bias=False)
            self.first_norm = nn.BatchNorm2d(after)
            self.second = nn.Conv2d(after, after, 3, 1, 1, bias=False)
            self.second_norm = nn.BatchNorm2d(after)
            self.other = nn.Sequential()
            if before != after:
                self.other = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

        def forward(self, x):
            y = torch.relu(self.first_norm(self.first(x)))
            return torch.relu(self.other(x) + self.second_norm(self.second(y)))

    def conv(before, after):
        return [nn.Conv2d(before, after, 3, padding=1), nn.ReLU()]

    perceptron = nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
    cnn = nn.Sequential(*conv(1, 32), *conv(32, 32), nn.MaxPool2d(2), *conv(32, 64), *conv(64, 64), nn.MaxPool2d(2),
                        nn.Flatten(), nn.Linear(3136, 128), nn.ReLU(), nn.Linear(128, 10))
    residual = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), Block(16, 16, 1),
                             Block(16, 32, 2), Block(32, 64, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                             nn.Linear(64, 10))
    return {"perceptron": perceptron, "cnn": cnn, "residual": residual}


def step_time(model, threads, seconds):
    """The smallest time of value and gradient of a batch of 64, in microseconds."""
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    images, labels = torch.rand(64, 1, 28, 28), torch.arange(64) % 10
    smallest, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        begin = time.perf_counter()
        model.zero_grad(set_to_none=True)
        torch.nn.functional.cross_entropy(model(images), labels).backward()
        smallest = min(smallest, time.perf_counter() - begin)
    return 1e6 * smallest


def lines_of(command):
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    run = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return [json.loads(line) for line in run.stdout.splitlines() if line]


def smallest(runs, key, times):
    """The lines of several runs, one for each key, with the smallest of their times."""
    found = {}
    for line in (line for run in runs for line in run):
        kept = found.setdefault(tuple(line[name] for name in key), line)
        for time_name in times:
            if time_name in line:
                kept[time_name] = min(kept[time_name], line[time_name])
    return list(found.values())


def ratio(a, b):
    return "–" if a is None or b is None else f"{a / b:.2f}"


def step_rows(program, runs, threads):
    try:
        built = models()
    except ImportError:
        built = {name: None for name in ("perceptron", "cnn", "residual")}
    for name, model in built.items():
        for count in threads:
            lines, peer = [], None
            for _ in range(runs):  # in turns: what else the machine does meets both
                lines.append(lines_of([program, "--model", name, "--threads", str(count)]))
                if model is not None:
                    measured = step_time(model, count, 1.0)
                    peer = measured if peer is None else min(peer, measured)
            line = smallest(lines, ("model",), ("value_us", "gradient_us", "product_us", "by_hand_us"))[0]
            step, hand = line["gradient_us"], line.get("by_hand_us")
            yield (f"| {name} | {count} | {step:,.0f} | {'–' if peer is None else format(peer, ',.0f')} | {ratio(step, peer)} | "
                   f"{ratio(step, line['value_us'])} | {ratio(line['product_us'], step)} | {ratio(step, hand)} | "
                   f"{line['bytes'] / 1e6:.1f} |")


def steps(program, runs):
    yield "| model, batches of 64 | threads | step µs | PyTorch µs | × | gradient / value | product / gradient | by hand × | MB |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|---:|"
    yield from step_rows(program, runs, (1, 2))


def products(program, runs):
    lines = smallest([lines_of([program, "--threads", "1"]) for _ in range(runs)],
                     ("shape", "form", "dtype"), ("us", "peer_us"))
    yield "| matrix product | form | type | µs | GFLOP/s | OpenBLAS µs | OpenBLAS / own |"
    yield "|---|---|---|---:|---:|---:|---:|"
    for line in lines:
        peer = line.get("peer_us")
        flops = 2e-3 * line["rows"] * line["columns"] * line["inner"] / line["us"]
        yield (f"| {line['rows']:,} × {line['inner']:,} × {line['columns']:,} | {line['form']} | {line['dtype']} | {line['us']:,.0f} | "
               f"{flops:.1f} | {'–' if peer is None else format(peer, ',.0f')} | {ratio(peer, line['us'])} |")


def formulas(program, runs):
    lines = smallest([lines_of([program]) for _ in range(runs)], ("loss", "dtype", "elements"), ("ns", "formula_ns"))
    yield "| loss | type | elements | ns | as a formula ns | × |"
    yield "|---|---|---:|---:|---:|---:|"
    for line in lines:
        yield (f"| {line['loss']} | {line['dtype']} | {line['elements']:,} | {line['ns']:.2f} | {line['formula_ns']:.2f} | "
               f"{ratio(line['formula_ns'], line['ns'])} |")


def page(arguments):
    yield f"- machine: {table.machine()}"
    yield f"- compiler: {table.compiler()}; runs: {arguments.runs}, of each time the smallest"
    for program, rows in ((arguments.graphs, steps), (arguments.products, products), (arguments.formulas, formulas)):
        if program:
            yield ""
            yield from rows(program, arguments.runs)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("graphs", "products", "formulas", "into"):
        parser.add_argument("--" + name)
    parser.add_argument("--runs", type=int, default=2)
    arguments = parser.parse_args()
    text = "\n".join(page(arguments))
    if arguments.into is None:
        print(text)
    else:
        table.put(text, arguments.into, (BEGIN, END))


if __name__ == "__main__":
    sys.exit(main())
