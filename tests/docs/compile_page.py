"""The C files that a page shows, each under a line with its name, compile without a warning.

compile_page.py PAGE C_COMPILER FLAG…
"""
import pathlib
import re
import subprocess
import sys


def main():
    page, compiler, *flags = sys.argv[1:]
    files = re.findall(r"^`([\w/.]+\.c)`:\n\n```c\n(.*?)^```$", pathlib.Path(page).read_text(encoding="utf-8"), flags=re.S | re.M)
    if not files:
        sys.exit(f"{page} shows no C file")
    for path, content in files:
        command = [compiler, "-std=c11", "-fsyntax-only", "-Werror", *flags, "-x", "c", "-"]
        result = subprocess.run(command, input=f'#line 1 "{path}"\n{content}', text=True)
        if result.returncode != 0:
            sys.exit(f"{path} of {page} does not compile")
        print(f"{path} compiles")


if __name__ == "__main__":
    main()
