"""What the tests of the loss command share: where it is, and how it is run and judged."""
import json
import os
import pathlib
import struct
import subprocess
import tempfile
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


def bits(value, code="d"):
    return struct.pack(code, float(value))
