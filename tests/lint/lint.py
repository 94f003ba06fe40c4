"""Rules of the source tree that no compiler knows. Run from anywhere: python3 tests/lint/lint.py

Prints every breach as file:line and leaves with 1 when there is one.
"""
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CODE = {".c", ".h", ".cpp", ".hpp"}
TEXT = CODE | {".py", ".cmake", ".sh", ".md", ".def", ".in"}
MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 60

# Which layers of src/ a layer may include, besides the public headers. io and tool are users like any other.
LAYERS = {
    "core": {"core"},
    "simd": {"simd", "core"},
    "loss": {"loss", "simd", "core"},
    "gradient": {"gradient", "loss", "simd", "core"},
    "optimizer": {"optimizer", "gradient", "loss", "simd", "core"},
    "io": {"io"},
    "tool": {"tool"},
    "mpi": {"mpi"},
}

breaches = []


def breach(path, line, text):
    breaches.append(f"{path.relative_to(ROOT)}:{line}: {text}")


def files(suffixes, *folders):
    # A checkout often belongs to another user than the one who runs the lints; reading its index is harmless.
    listed = subprocess.run(["git", "-c", "safe.directory=*", "-C", ROOT, "ls-files", "--cached", "--others",
                             "--exclude-standard", "-z", *folders], check=True, capture_output=True, text=True).stdout
    paths = (ROOT / name for name in listed.split("\0") if name)
    return [path for path in paths if path.suffix in suffixes and path.exists()]


def numbered(path):
    return enumerate(path.read_text(encoding="utf-8").splitlines(), 1)


def check_include_direction():
    """optimizer → gradient → loss → simd, core; io and tool see the public headers only."""
    public = {path.name for path in files({".h", ".hpp"}, "include")}
    for path in files(CODE, "src"):
        layer = path.relative_to(ROOT / "src").parts[0]
        for line, text in numbered(path):
            match = re.match(r'\s*#\s*include\s+"([^"]+)"', text)
            if not match or (match.group(1).startswith("loss/") and match.group(1)[5:] in public):
                continue
            parts = pathlib.PurePosixPath(match.group(1)).parts
            # A bare name lies beside its user; a path starts at src/.
            target = layer if len(parts) == 1 or parts[0] == ".." or (path.parent / match.group(1)).exists() else parts[0]
            if parts[0] == ".." or target not in LAYERS.get(layer, set()):
                breach(path, line, f"{layer} must not include {match.group(1)}")
    for path in files(CODE, "src/loss"):
        if path.name in public:
            breach(path, 1, "has the name of a public header: \"loss/…\" would be ambiguous")


def check_public_headers():
    """Include nothing but each other and the two headers of fixed-size types; use nothing a binding cannot express."""
    banned = r"\b(enum|bool|_Bool|_Complex|va_list|inline|restrict|long|size_t|union)\b|\.\.\.|\bstruct\s+\w*\s*\{"
    for path in files({".h"}, "include"):
        text = path.read_text(encoding="utf-8")
        code = re.sub(r"/\*.*?\*/", lambda comment: re.sub(r"[^\n]", " ", comment.group()), text, flags=re.S)
        for line, content in enumerate(code.splitlines(), 1):
            include = re.match(r"\s*#\s*include\s+(.*\S)", content)
            if include and not re.match(r'"loss/\w+\.h"$|<std(int|def)\.h>$', include.group(1)):
                breach(path, line, f"a public header must not include {include.group(1)}")
            word = re.search(banned, content)
            if word and not include:
                breach(path, line, f"\"{word.group()}\" has no place in a public header")


def check_headers_alone():
    """Each public header compiles by itself, in the strictest C11 and in C++17."""
    compilers = [["gcc", "-xc", "-std=c11", "-pedantic-errors", "-Wstrict-prototypes"],
                 ["g++", "-xc++", "-std=c++17", "-pedantic-errors"]]
    for compiler in compilers:
        if not shutil.which(compiler[0]):
            print(f"skipped: {compiler[0]} is not here to compile the headers")
            continue
        for path in files({".h"}, "include"):
            name = path.relative_to(ROOT / "include")
            text = f"#include <{name}>\n#include <{name}>\nextern int not_empty;\n"
            run = subprocess.run([*compiler, "-Wall", "-Wextra", "-Wshadow", "-Werror", "-fsyntax-only", "-I",
                                  ROOT / "include", "-"], input=text, capture_output=True, text=True)
            if run.returncode != 0:
                breach(path, 1, f"does not compile alone with {compiler[0]}:\n{run.stderr}")


def check_cmocka_floats():
    """CMocka's comparisons of floating-point numbers let NaN pass; tests/support has better ones."""
    for path in files(CODE, "tests"):
        for line, text in numbered(path):
            if re.search(r"\bassert_(float|double)_(not_)?equal\b", text):
                breach(path, line, "use the assertions of tests/support")


def check_lengths():
    """Files of at most 600 lines, functions that fit a screen."""
    for path in files(TEXT):
        # What a program writes into a page is as long as the catalogue is.
        own = re.sub(r"<!-- [^\n]*: written by .*?<!-- end", "", path.read_text(encoding="utf-8"), flags=re.S)
        if len(own.splitlines()) > MAX_FILE_LINES:
            breach(path, MAX_FILE_LINES, f"longer than {MAX_FILE_LINES} lines")
    for path in files({".c", ".h"}):
        start = 0
        for line, text in numbered(path):
            if text == "{":
                start = line
            elif text == "}" and start:
                if line - start - 1 > MAX_FUNCTION_LINES:
                    breach(path, start, f"a function of {line - start - 1} lines")
                start = 0


def check_format():
    """.clang-format, by the version it was written for: others differ in details."""
    tool = shutil.which("clang-format-14")
    if not tool:
        print("skipped: clang-format-14 is not here to check the format")
        return
    for path in files({".c", ".h"}):
        run = subprocess.run([tool, "--dry-run", path], capture_output=True, text=True)
        match = re.search(r":(\d+):\d+: warning", run.stderr)
        if match or run.returncode != 0:
            breach(path, int(match.group(1)) if match else 1, "not formatted: clang-format-14 -i")


def check_links():
    """Every relative link of the documentation leads to a file."""
    for path in files({".md"}):
        for line, text in numbered(path):
            for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
                if not re.match(r"[a-z]+:", target) and not (path.parent / target).exists():
                    breach(path, line, f"no such file: {target}")


def main():
    checks = [value for name, value in globals().items() if name.startswith("check_")]
    for check in checks:
        check()
    print("\n".join(breaches + [f"{len(checks)} rules, {len(breaches)} breaches"]))
    return 1 if breaches else 0


sys.exit(main())
