"""The functions in docs/formulas.md are those that the parser knows.

check_formulas.py SOURCES PAGE            compares; SOURCES: the directory src/loss
check_formulas.py SOURCES PAGE --write    writes them anew
"""
import pathlib
import re
import sys

START, END = "<!-- functions: written by tests/docs/check_formulas.py -->\n", "<!-- end of the functions -->\n"


def rows(sources):
    """(name, operands, doc) of the scalar operations, then of the other functions."""
    table = (sources / "expression" / "scalar_operations.def").read_text(encoding="utf-8")
    others = (sources / "formula" / "functions.c").read_text(encoding="utf-8")
    yield from re.findall(r'^LOSSI_SCALAR\((\w+), (\d), "(.*)"\)$', table, flags=re.M)
    yield from re.findall(r'^    \{"(\w+)", \w+, (\d), \w+, "(.*)"\},$', others, flags=re.M)


def table(sources):
    lines = ["| function | of a, b, c |", "|---|---|"]
    for name, operands, doc in rows(sources):
        lines.append("| `%s(%s)` | %s |" % (name, ", ".join("abc"[:int(operands)]), doc))
    return "\n".join(lines) + "\n"


def main():
    sources, page = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    text = page.read_text(encoding="utf-8")
    before, rest = text.split(START)
    written, after = rest.split(END)
    made = "\n" + table(sources) + "\n"
    if len(made.splitlines()) < 40:
        sys.exit("the rows of the functions are no longer found in the sources")
    if sys.argv[3:] == ["--write"]:
        page.write_text(before + START + made + END + after, encoding="utf-8")
    elif written != made:
        sys.exit(f"{page} does not list the functions as they are; run it with --write")


main()
