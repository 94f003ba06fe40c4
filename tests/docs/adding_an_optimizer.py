"""docs/adding-an-optimizer.md is true: what it says to write is written into a copy of the tree, which then builds and passes.

adding_an_optimizer.py SOURCE SCRATCH C_COMPILER
"""
import sys

from adding import Copy

PROGRAMS = ["test_optimizer_machine", "test_optimizer_checkpoint", "test_optimizer_bits"]


def main():
    copy = Copy(*sys.argv[1:4])
    name = copy.follow("docs/adding-an-optimizer.md", "OPTIMIZER_ROW", "src/optimizer/optimizers.def", 1)
    copy.check_format(f"src/optimizer/{name}.c")
    copy.build(*PROGRAMS)
    passed = sum(copy.test(program) for program in PROGRAMS)
    print(f"{name}: {passed} tests passed")


if __name__ == "__main__":
    main()
