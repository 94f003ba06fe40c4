"""docs/adding-a-loss.md is true: what it says to write is written into a copy of the tree, which then builds and passes.

adding_a_loss.py SOURCE SCRATCH C_COMPILER    77 without mpmath, which the oracle needs
"""
import importlib.util
import sys

from adding import Copy


def main():
    if not importlib.util.find_spec("mpmath"):
        print("skipped: mpmath is not installed")
        sys.exit(77)
    copy = Copy(*sys.argv[1:4])
    name = copy.follow("docs/adding-a-loss.md", "LOSS_ROW", "src/loss/losses.def", 2)
    copy.check_format(f"src/loss/{name}.c")
    copy.run(sys.executable, "tests/reference/generate.py", name)
    copy.build("test_losses")
    passed = copy.test("test_losses", f"{name}*")
    assert passed > 40, passed
    print(f"{name}: {passed} tests passed")


if __name__ == "__main__":
    main()
