"""docs/adding-a-loss.md is true: what it says to write is written into a copy of the tree, which then builds and passes.

adding_a_loss.py SOURCE SCRATCH C_COMPILER    77 without mpmath, which the oracle needs
"""
import importlib.util
import pathlib
import re
import shutil
import subprocess
import sys

SOURCE, SCRATCH, COMPILER = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
TREE = SCRATCH / "tree"


def run(*command):
    print("+", *command, flush=True)
    result = subprocess.run(command, cwd=TREE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode != 0:
        sys.exit(result.stdout[-8000:])
    return result.stdout


def copy_tree():
    shutil.rmtree(SCRATCH, ignore_errors=True)
    TREE.mkdir(parents=True)
    for name in "cmake", "include", "src", "tests", "docs":
        shutil.copytree(SOURCE / name, TREE / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in SOURCE.glob("*"):
        if path.is_file():
            shutil.copy(path, TREE)


def follow_the_page():
    """Writes the files and the line; returns the name of the loss."""
    page = (TREE / "docs" / "adding-a-loss.md").read_text(encoding="utf-8")
    files = re.findall(r"^`([\w/.]+)`:\n\n```\w+\n(.*?)^```$", page, flags=re.S | re.M)
    line, = re.findall(r"^(LOSS_ROW\((\w+)\))$", page, flags=re.M)
    assert len(files) == 2, files
    for path, text in files:
        assert not (TREE / path).exists(), f"{path} is there already: the page needs another example"
        (TREE / path).write_text(text, encoding="utf-8")
    table = TREE / "src" / "loss" / "losses.def"
    text = table.read_text(encoding="utf-8")
    rows = re.findall(r"^LOSS_ROW\(\w+\)$", text, flags=re.M)
    assert rows == sorted(rows)
    table.write_text(text[:text.index(rows[0] + "\n")] + "\n".join(sorted(rows + [line[0]])) + "\n", encoding="utf-8")
    return line[1]


def main():
    if not importlib.util.find_spec("mpmath"):
        print("skipped: mpmath is not installed")
        sys.exit(77)
    copy_tree()
    name = follow_the_page()
    if shutil.which("clang-format-14"):
        run("clang-format-14", "--dry-run", "--Werror", f"--style=file:{SOURCE / '.clang-format'}", f"src/loss/{name}.c")
    run(sys.executable, "tests/reference/generate.py", name)
    run("cmake", "-G", "Ninja", "-S", ".", "-B", "build/fast", f"-DCMAKE_C_COMPILER={COMPILER}", "-DLOSS_DISPATCH=OFF",
        "-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DLOSS_WARNINGS_AS_ERRORS=ON")
    run("cmake", "--build", "build/fast", "-j2", "--target", "test_losses")
    out = run("build/fast/tests/unit/test_losses", f"{name}*")
    passed = re.search(r"\[  PASSED  \] (\d+) test", out)
    assert passed and int(passed.group(1)) > 40, out[-2000:]
    print(f"{name}: {passed.group(1)} tests passed")


if __name__ == "__main__":
    main()
