"""Does what README.md tells the reader to do with an installed libloss, with the text of the page itself.

    python3 run_readme.py README.md work-directory prefix compiler

The C program is compiled by the page's pkg-config line and by the page's CMake lines; it and the Python program must
print the text block that follows them.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

readme, work, prefix, compiler = (pathlib.Path(argument) for argument in sys.argv[1:])
blocks = re.findall(r"^```(\w+)\n(.*?)^```\n", readme.read_text(encoding="utf-8"), flags=re.M | re.S)
library_path = next(prefix.glob("lib*/**/libloss.so")).parent
environment = dict(os.environ, LD_LIBRARY_PATH=str(library_path), CC=str(compiler))


def block(language, containing=""):
    """The text of the first block of a language, and what the page says it prints."""
    for (name, text), following in zip(blocks, blocks[1:] + [("", "")]):
        if name == language and containing in text:
            return text, following[1] if following[0] == "text" else None
    sys.exit(f"README.md has no {language} block with \"{containing}\"")


def run(*command, expected=None):
    output = subprocess.run(command, cwd=work, env=environment, stdout=subprocess.PIPE, text=True)
    if output.returncode != 0:
        sys.exit(f"{command}: exit code {output.returncode}\n{output.stdout}")
    if expected is not None and output.stdout != expected:
        sys.exit(f"{command} printed\n{output.stdout}README.md says\n{expected}")


shutil.rmtree(work, ignore_errors=True)
work.mkdir(parents=True)
program, printed = block("c")
(work / "line.c").write_text(program, encoding="utf-8")
if printed is None:
    sys.exit("README.md does not say what its C program prints")

run("sh", "-euc", block("sh", "pkg-config")[0])
run("./line", expected=printed)

project = "cmake_minimum_required(VERSION 3.16)\nproject(readme C)\nadd_executable(line line.c)\n"
(work / "CMakeLists.txt").write_text(project + block("cmake", "find_package")[0], encoding="utf-8")
run("cmake", "-S", ".", "-B", "build", f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_C_COMPILER={compiler}")
run("cmake", "--build", "build")
run("build/line", expected=printed)

script, printed = block("python")
run(sys.executable, "-c", script, expected=printed)
