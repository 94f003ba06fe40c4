"""What the tests of the loss command share: where it is, and how it is run and judged."""
import fcntl
import json
import os
import pathlib
import pty
import select
import struct
import subprocess
import tempfile
import termios
import unittest

TOOL = os.environ["LOSS_TOOL"]
DATA = pathlib.Path(os.environ["LOSS_DATA"])
DIGITS = str(DATA / "digits.csv")
CANCER = str(DATA / "breast_cancer.csv")
FAMILIES = ["gradient_descent", "sgd", "newton_cg", "lbfgs", "conjugate_gradient"]


class ToolTest(unittest.TestCase):
    """Every test has an empty directory of its own to work in."""

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.path = pathlib.Path(self.directory.name)

    def file(self, name, text):
        (self.path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return name

    def run_tool(self, *arguments, environment=None):
        return subprocess.run([TOOL, *map(str, arguments)], cwd=self.path, capture_output=True, text=True,
                              errors="surrogateescape", timeout=300, env={**os.environ, **(environment or {})})

    def done(self, *arguments):
        result = self.run_tool(*arguments)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stderr, "")
        return result.stdout

    def json(self, *arguments):
        return json.loads(self.done(*arguments, "--json"))

    def failed(self, sentence, *arguments, status=1):
        """Fails with exactly this one line, nothing printed."""
        result = self.run_tool(*arguments)
        self.assertEqual(result.returncode, status, result.stderr)
        self.assertEqual(result.stderr, f"loss: {sentence}\n")
        self.assertEqual(result.stdout, "")

    def usage(self, fragment, *arguments):
        result = self.run_tool(*arguments)
        self.assertEqual(result.returncode, 2, result.stderr)
        self.assertIn(fragment, result.stderr)
        self.assertEqual(result.stdout, "")


def on_terminal(case, arguments, status=0):
    """What a command shows on a terminal of 60 columns as its standard error, and what it prints."""
    try:
        ours, theirs = pty.openpty()
    except OSError as reason:  # a root directory without /dev/pts
        case.skipTest(str(reason))
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    process = subprocess.Popen(arguments, cwd=case.path, stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    shown, printed, open_ends = b"", b"", {ours, process.stdout.fileno()}
    while open_ends:
        for end in select.select(list(open_ends), [], [], 300)[0]:
            try:
                piece = os.read(end, 65536)
            except OSError:  # the terminal's other end is gone
                piece = b""
            if not piece:
                open_ends.discard(end)
            elif end == ours:
                shown += piece
            else:
                printed += piece
    os.close(ours)
    process.stdout.close()
    case.assertEqual(process.wait(), status)
    return shown, printed


def bits(value, code="d"):
    return struct.pack(code, float(value))
