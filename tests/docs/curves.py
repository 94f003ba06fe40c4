"""The pictures in docs/curves: one of each pointwise loss, drawn by the command `loss plot`.

curves.py TOOL DIRECTORY            compares, byte for byte
curves.py TOOL DIRECTORY --write    draws them anew (the target `curves` of the build)
"""
import json
import pathlib
import subprocess
import sys
import tempfile

TOOL, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
MOST_BYTES = 12000


def drawn_losses():
    losses = json.loads(subprocess.run([TOOL, "list", "losses", "--json"], check=True, capture_output=True).stdout)
    return [row["name"] for row in losses if row["properties"]["pointwise"] and not row["properties"]["structured"]]


def draw(name, path):
    subprocess.run([TOOL, "plot", name, "--output", str(path)], check=True)
    assert path.stat().st_size <= MOST_BYTES, f"{path} has more than {MOST_BYTES} bytes"


def main():
    names = drawn_losses()
    if "--write" in sys.argv:
        FOLDER.mkdir(exist_ok=True)
        for path in FOLDER.glob("*.svg"):
            if path.stem not in names:
                path.unlink()
        for name in names:
            draw(name, FOLDER / f"{name}.svg")
        return
    stored = {path.stem for path in FOLDER.glob("*.svg")}
    wrong = [f"docs/curves/{name}.svg is of no pointwise loss" for name in sorted(stored - set(names))]
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            path = pathlib.Path(folder) / f"{name}.svg"
            draw(name, path)
            if name not in stored or path.read_bytes() != (FOLDER / f"{name}.svg").read_bytes():
                wrong.append(f"docs/curves/{name}.svg is not what the library draws")
    if wrong:
        sys.exit("\n".join(wrong + ["draw them anew: cmake --build BUILD --target curves"]))


if __name__ == "__main__":
    main()
