"""Steps of training by graphs beside PyTorch: the models of bench_graphs, the same shapes, in the same run.

    graphs.py --run BENCH_GRAPHS [--threads N]

Prints one line a model: microseconds of both, their ratio (PyTorch has 1), and the other ratios that are watched.
"""
import argparse
import json
import resource
import subprocess
import sys
import time


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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1.0)
    arguments = parser.parse_args()
    for name, model in models().items():
        own, peer = None, float("inf")
        for _ in range(2):  # in turns: what else the machine does meets both
            run = subprocess.run([arguments.run, "--model", name, "--threads", str(arguments.threads)],
                                 check=True, capture_output=True, text=True)
            line = json.loads(run.stdout)
            times = [key for key in line if key.endswith("_us")]
            own = line if own is None else {**line, **{key: min(own[key], line[key]) for key in times}}
            peer = min(peer, step_time(model, arguments.threads, arguments.seconds))
        print("%-10s threads %d: %8.0f us, PyTorch %8.0f us, ratio %.2f; gradient/value %.2f, product/gradient %.2f%s" %
              (name, arguments.threads, own["gradient_us"], peer, own["gradient_us"] / peer,
               own["gradient_us"] / own["value_us"], own["product_us"] / own["gradient_us"],
               "; graph/by hand %.2f" % (own["gradient_us"] / own["by_hand_us"]) if "by_hand_us" in own else ""),
              "; %.1f MB" % (own["bytes"] / 1e6), flush=True)
    print("PyTorch's process had %.0f MB at most" % (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3))


if __name__ == "__main__":
    sys.exit(main())
