"""What the pages about adding something have in common: what they say to write is written into a copy of the tree."""
import pathlib
import re
import shutil
import subprocess
import sys


class Copy:
    """A copy of the tree, and what is done in it."""

    def __init__(self, source, scratch, compiler):
        self.source, self.tree, self.compiler = pathlib.Path(source), pathlib.Path(scratch) / "tree", compiler
        shutil.rmtree(scratch, ignore_errors=True)
        self.tree.mkdir(parents=True)
        for name in "cmake", "include", "src", "tests", "docs":
            shutil.copytree(self.source / name, self.tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        for path in self.source.glob("*"):
            if path.is_file():
                shutil.copy(path, self.tree)

    def run(self, *command):
        print("+", *command, flush=True)
        result = subprocess.run(command, cwd=self.tree, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if result.returncode != 0:
            sys.exit(result.stdout[-8000:])
        return result.stdout

    def follow(self, page, kind, table, count):
        """Writes the page's files and its line KIND(name) in the table; gives the name."""
        text = (self.tree / page).read_text(encoding="utf-8")
        files = re.findall(r"^`([\w/.]+)`:\n\n```\w+\n(.*?)^```$", text, flags=re.S | re.M)
        line, = re.findall(rf"^({kind}\((\w+)\))$", text, flags=re.M)
        assert len(files) == count, files
        for path, content in files:
            assert not (self.tree / path).exists(), f"{path} is there already: the page needs another example"
            (self.tree / path).write_text(content, encoding="utf-8")
        table = self.tree / table
        text = table.read_text(encoding="utf-8")
        rows = re.findall(rf"^{kind}\(\w+\)$", text, flags=re.M)
        assert rows == sorted(rows)
        table.write_text(text[:text.index(rows[0] + "\n")] + "\n".join(sorted(rows + [line[0]])) + "\n",
                         encoding="utf-8")
        return line[1]

    def check_format(self, path):
        if shutil.which("clang-format-14"):
            self.run("clang-format-14", "--dry-run", "--Werror", f"--style=file:{self.source / '.clang-format'}", path)

    def build(self, *targets):
        self.run("cmake", "-G", "Ninja", "-S", ".", "-B", "build/fast", f"-DCMAKE_C_COMPILER={self.compiler}",
                 "-DLOSS_DISPATCH=OFF", "-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DLOSS_WARNINGS_AS_ERRORS=ON")
        self.run("cmake", "--build", "build/fast", "-j2", "--target", *targets)

    def test(self, program, *arguments):
        """How many tests passed."""
        out = self.run(f"build/fast/tests/unit/{program}", *arguments)
        passed = re.search(r"\[  PASSED  \] (\d+) test", out)
        assert passed, out[-2000:]
        return int(passed.group(1))
