"""Runs an example and compares its output with the comment "Prints:" at the end of its source.

    python3 run_example.py program source.c
"""
import difflib
import re
import subprocess
import sys

program, source = sys.argv[1:]
with open(source, encoding="utf-8") as file:
    match = re.search(r"/\* Prints:\n(.*) \*/\n\Z", file.read(), flags=re.S)
if not match or not match.group(1):
    sys.exit(f"{source} does not say what it prints")
SKIPPED = 77  # what the example needs is not there, and it says so
expected = match.group(1)
run = subprocess.run([program], capture_output=True, text=True, encoding="utf-8")
if run.returncode == SKIPPED and run.stdout and not run.stderr:
    print(run.stdout, end="")
    sys.exit(SKIPPED)
sys.stdout.writelines(difflib.unified_diff(expected.splitlines(True), run.stdout.splitlines(True), source, "its output"))
if run.returncode != 0 or run.stderr:
    sys.exit(f"exit code {run.returncode}, standard error: {run.stderr}")
sys.exit(run.stdout != expected)
