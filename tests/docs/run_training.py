"""Runs a program of docs/examples/training and looks at the accuracies it prints, in per cent.

    python3 run_training.py least program argument…

Exits with 77, which is to skip, where the pictures or PyTorch that it needs are not there.
"""
import os
import re
import subprocess
import sys
import tempfile

least, command = float(sys.argv[1]), sys.argv[2:]
pictures = any(name in command[0] for name in ("images", "objects"))
if pictures and not os.path.isdir("/usr/share/datasets/fashion-mnist"):
    print("the Debian package dataset-fashion-mnist is not there")
    sys.exit(77)
if "text" in command[0] and not os.path.isdir("/usr/share/wordnet"):
    print("the Debian package wordnet-base is not there")
    sys.exit(77)
if command[1].endswith("torch_backbone.py") and subprocess.run([command[0], "-c", "import torch"], capture_output=True).returncode:
    print("PyTorch is not there")
    sys.exit(77)
with tempfile.TemporaryDirectory() as directory:
    run = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=directory)
    drawn = {name for name in os.listdir(directory) if name.endswith(".svg")}
print(run.stdout, run.stderr)
found = [float(number) for number in re.findall(r"accuracy ([0-9.]+) %", run.stdout)]
if run.returncode != 0 or (least > 0 and (not found or found[-1] < least)):
    sys.exit(f"exit code {run.returncode}, accuracies {found}; at least {least} was expected")
if command[-1] == "." and "no pictures" not in run.stdout and drawn != {"curve.svg", "confusion.svg"}:
    sys.exit(f"the curve and the confusion matrix were expected, not {sorted(drawn)}")
