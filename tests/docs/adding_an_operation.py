"""docs/adding-an-operation.md is true: what it says to write is written into a copy of the tree, which then builds and passes.

adding_an_operation.py SOURCE SCRATCH C_COMPILER
"""
import re
import sys

from adding import Copy

PROGRAMS = ["test_operations", "test_operations_values"]


def main():
    copy = Copy(*sys.argv[1:4])
    page = (copy.tree / "docs/adding-an-operation.md").read_text(encoding="utf-8")
    (path, content), = re.findall(r"^`(src/[\w/.]+)`:\n\n```\w+\n(.*?)^```$", page, flags=re.S | re.M)
    row, = re.findall(r"^OPERATION_ROW\(\w+, \w+\)$", page, flags=re.M)
    cases = re.findall(r'^    \{"\w+", .*\},$', page, flags=re.M)
    assert len(cases) == 2, cases
    (copy.tree / path).write_text(content, encoding="utf-8")
    table = copy.tree / "src/gradient/graph/operations.def"
    table.write_text(table.read_text(encoding="utf-8") + row + "\n", encoding="utf-8")
    tests = copy.tree / "tests/unit/operations_table.c"
    end = "};\n\nconst int operation_case_count"
    tests.write_text(tests.read_text(encoding="utf-8").replace(end, "\n".join(cases) + "\n" + end), encoding="utf-8")
    copy.check_format(path)
    copy.build(*PROGRAMS)
    print(f"{row}: {sum(copy.test(program) for program in PROGRAMS)} tests passed")


if __name__ == "__main__":
    main()
