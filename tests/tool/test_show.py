"""What the loss command shows: its pictures, and its progress on a terminal. Run with a class name."""
import fcntl
import json
import os
import pty
import select
import shutil
import struct
import subprocess
import sys
import termios
import unittest
import xml.etree.ElementTree

from tool_case import TOOL, DIGITS, CANCER, FAMILIES, ToolTest


class Plot(ToolTest):
    def setUp(self):
        super().setUp()
        if not shutil.which("gnuplot"):
            self.skipTest("gnuplot is not installed")

    def test_compare_draws_every_family(self):
        self.done("compare", CANCER, "--target", "diagnosis", "--plot", "convergence.svg")
        text = (self.path / "convergence.svg").read_text()
        self.assertTrue(xml.etree.ElementTree.fromstring(text).tag.endswith("svg"))
        for name in FAMILIES:
            self.assertIn(f">{name}<", text)

    def test_fit_draws(self):
        self.done("fit", CANCER, "--target", "diagnosis", "--plot", "it's.svg")
        self.assertIn("lbfgs", (self.path / "it's.svg").read_text())

    def test_failures(self):
        arguments = "fit", CANCER, "--target", "diagnosis", "--plot"
        self.failed("no/c.svg: cannot write: No such file or directory", *arguments, "no/c.svg")
        self.failed(".: cannot write: Is a directory", *arguments, ".")
        self.failed(": cannot write: No such file or directory", *arguments, "")
        (self.path / "bin").mkdir()
        result = self.run_tool(*arguments, "c.svg", environment={"PATH": str(self.path / "bin")})
        self.assertEqual((result.returncode, result.stderr),
                         (1, "loss: --plot needs the program gnuplot, which is not installed\n"))
        self.assertFalse((self.path / "c.svg").exists())
        self.file("bin/gnuplot", "#!/bin/sh\nexit 3\n")
        (self.path / "bin" / "gnuplot").chmod(0o755)
        result = self.run_tool(*arguments, "c.svg", environment={"PATH": str(self.path / "bin")})
        self.assertEqual((result.returncode, result.stderr), (1, "loss: c.svg: gnuplot could not draw it\n"))
        self.assertFalse((self.path / "c.svg").exists())
        self.file("c.svg", "an older picture")
        self.run_tool(*arguments, "c.svg", environment={"PATH": str(self.path / "bin")})
        self.assertEqual((self.path / "c.svg").read_text(), "an older picture")

    def test_a_job_that_fails_leaves_the_older_picture(self):
        self.file("c.svg", "an older picture")
        self.file("huge.csv", "x,y\n1.5,2\n2.5,1e200\n")
        # at the smallest objective from the start: the targets are 0
        self.file("flat.csv", "x,y\n1.5,0.0\n2.5,0.0\n4,0.0\n")
        for command in "fit", "compare":
            result = self.run_tool(command, "huge.csv", "--target", "y", "--test-fraction", 0, "--plot", "c.svg")
            self.assertEqual(result.returncode, 1)
            result = self.run_tool(command, "flat.csv", "--target", "y", "--loss", "squared_error", "--plot", "c.svg")
            self.assertEqual((result.returncode, result.stderr),
                             (1, "loss: c.svg: there is nothing to draw, no run came closer to the smallest objective "
                                 "than its start\n"))
            self.assertEqual((self.path / "c.svg").read_text(), "an older picture")
        self.assertEqual(sorted(os.listdir(self.path)), ["c.svg", "flat.csv", "huge.csv"])

    def test_what_is_replaced(self):
        self.file("old.svg", "an older picture")
        (self.path / "old.svg").chmod(0o640)
        (self.path / "link.svg").symlink_to("old.svg")
        self.done("fit", CANCER, "--target", "diagnosis", "--plot", "link.svg")
        self.assertTrue((self.path / "link.svg").is_symlink())
        self.assertIn("<svg", (self.path / "old.svg").read_text())
        self.assertEqual((self.path / "old.svg").stat().st_mode & 0o777, 0o640)
        self.assertEqual(sorted(os.listdir(self.path)), ["link.svg", "old.svg"])
        # a pipe is written to, not replaced
        os.mkfifo(self.path / "pipe.svg")
        with subprocess.Popen(["cat", self.path / "pipe.svg"], stdout=subprocess.PIPE, text=True) as reader:
            self.done("fit", CANCER, "--target", "diagnosis", "--plot", "pipe.svg")
            self.assertIn("</svg>", reader.communicate(timeout=60)[0])


class Terminal(ToolTest):
    def test_progress_is_for_terminals_only(self):
        arguments = [TOOL, "compare", DIGITS, "--target", "digit", "--json"]
        quiet = subprocess.run(arguments, capture_output=True, text=True, timeout=300)
        self.assertEqual((quiet.returncode, quiet.stderr), (0, ""))
        try:
            ours, theirs = pty.openpty()
        except OSError as reason:  # a root directory without /dev/pts
            self.skipTest(str(reason))
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=theirs)
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
        self.assertEqual(process.wait(), 0)
        self.assertIn(b"objective", shown)
        self.assertNotIn(b"\n", shown)  # one line that rewrites itself
        self.assertLess(max(map(len, shown.replace(b"\x1b[K", b"").split(b"\r"))), 60)  # never wraps
        self.assertTrue(shown.endswith(b"\r\x1b[K"))  # and is gone at the end
        self.assertEqual([row["objective"] for row in json.loads(printed)["results"]],
                         [row["objective"] for row in json.loads(quiet.stdout)["results"]])


if __name__ == "__main__":
    program = unittest.main(exit=False)
    if program.result.skipped and len(program.result.skipped) == program.result.testsRun:
        print(program.result.skipped[0][1])
        sys.exit(77)
    sys.exit(not program.result.wasSuccessful())
