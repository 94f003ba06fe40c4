"""Compares a list of public symbols with the headers that declare them and the libraries that export them.

The list is the promise. Too many names in a library is as bad as too few: what is exported by mistake is used.
"""
import argparse
import re
import subprocess
import sys


def declared(headers):
    """Names of the functions marked LOSS_API."""
    names = set()
    for path in headers:
        with open(path, encoding="utf-8") as file:
            text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
        text = re.sub(r"^[ \t]*#.*$", "", text, flags=re.M)
        names.update(re.findall(r"\bLOSS_API\b[^;(]*?(\w+)\s*\(", text))
    return names


def symbols(path, *options):
    """Names that nm lists, without the version node and its own absolute symbol."""
    text = subprocess.run(["nm", *options, "--defined-only", path], check=True, capture_output=True, text=True).stdout
    rows = (line.split() for line in text.splitlines() if len(line.split()) == 3)
    return {name.split("@")[0] for _, kind, name in rows if kind != "A"}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", required=True)
    parser.add_argument("--headers", nargs="+", required=True)
    parser.add_argument("--shared")
    parser.add_argument("--static")
    arguments = parser.parse_args()

    with open(arguments.list, encoding="utf-8") as file:
        lines = file.read().split("\n")[:-1]
    failures = []
    if lines != sorted(set(lines)):
        failures.append("the list is not sorted, or has a name twice")
    listed = set(lines)

    def compare(what, names):
        failures.extend(f"{name} is listed but not {what}" for name in sorted(listed - names))
        failures.extend(f"{name} is {what} but not listed" for name in sorted(names - listed))

    compare("declared", declared(arguments.headers))
    if arguments.shared:
        compare("exported", symbols(arguments.shared, "--dynamic"))
        # Linked in by -ffast-math, this start-up code would change the arithmetic of the whole process.
        if "set_fast_math" in symbols(arguments.shared):
            failures.append("the shared library sets fast math for its whole process")
        if re.search(r"\((RPATH|RUNPATH|TEXTREL)\)", subprocess.run(
                ["readelf", "--dynamic", arguments.shared], check=True, capture_output=True, text=True).stdout):
            failures.append("the shared library has a run path or text relocations")
    if arguments.static:
        compare("global in the archive", symbols(arguments.static, "--extern-only"))

    for failure in failures:
        print(failure)
    print(f"{len(listed)} symbols, {len(failures)} failures")
    return 1 if failures else 0


sys.exit(main())
