"""What the loss command shows: its pictures, and its progress on a terminal. Run with a class name."""
import json
import os
import shutil
import struct
import subprocess
import sys
import unittest
import xml.etree.ElementTree

from tool_case import TOOL, DIGITS, CANCER, FAMILIES, ToolTest, on_terminal


class Curve(ToolTest):
    """loss plot: the SVG is ours, so its numbers can be read back."""

    def curves(self, *arguments):
        """{colour: [[(x, y), …] of each stroke]} in pixels, and the text of the picture."""
        self.assertEqual(self.done("plot", *arguments, "--output", "c.svg"), "")
        root = xml.etree.ElementTree.fromstring((self.path / "c.svg").read_text())
        svg = "{http://www.w3.org/2000/svg}"
        lines = {}
        for path in root.find(f"{svg}g[@clip-path]").iter(f"{svg}path"):
            strokes = path.get("d").split("M")[1:]
            lines[path.get("stroke")] = [[tuple(map(float, point.split(","))) for point in stroke.split("L")]
                                         for stroke in strokes]
        return lines, [text.text for text in root.iter(f"{svg}text")]

    def test_huber(self):
        lines, texts = self.curves("huber", "--set", "delta=2")
        loss, gradient, curvature = lines["#0072b2"], lines["#d55e00"], lines["#009e73"]
        self.assertEqual(texts[0], "huber, target 0, delta=2")
        self.assertLessEqual({"-4", "0", "4", "loss", "gradient", "curvature", "prediction"}, set(texts))
        self.assertEqual((len(loss), len(gradient)), (1, 1))
        # the gradient is -2 up to -2, and 2 from 2 on: three straight pieces over -4 … 4 at 61 pixels a unit
        self.assertEqual([x for x, _ in gradient[0]], [56, 178, 422, 544])
        self.assertEqual(gradient[0][0][1], gradient[0][1][1])
        self.assertEqual(gradient[0][2][1], gradient[0][3][1])
        # the loss at ±4 is 6: as high above its minimum as three gradients of 2
        lowest, highest = max(y for _, y in loss[0]), min(y for _, y in loss[0])
        unit = (gradient[0][0][1] - gradient[0][3][1]) / 4
        self.assertAlmostEqual(lowest - highest, 6 * unit, delta=0.5)
        heights = sorted({y for stroke in curvature for _, y in stroke})
        self.assertEqual(len(heights), 2)
        self.assertAlmostEqual(heights[1] - heights[0], unit, delta=0.2)

    def test_a_jump_is_a_gap(self):
        for name, strokes in ("absolute_error", 2), ("hinge", 2), ("squared_error", 1):
            lines, _ = self.curves(name)
            self.assertEqual(len(lines["#d55e00"]), strokes, name)

    def test_range_and_target(self):
        lines, texts = self.curves("binary_cross_entropy")
        self.assertEqual(texts[0], "binary_cross_entropy, target 1")
        self.assertLessEqual({"0", "0.2", "1"}, set(texts))
        _, texts = self.curves("logistic", "--target", "0.25", "--from", "-10", "--to", "20")
        self.assertEqual(texts[0], "logistic, target 0.25")
        self.assertLessEqual({"-10", "20"}, set(texts))

    def test_the_same_bytes_again(self):
        self.curves("logistic")
        first = (self.path / "c.svg").read_bytes()
        self.curves("logistic")
        self.assertEqual((self.path / "c.svg").read_bytes(), first)
        self.assertLess(len(first), 4000)

    def test_wrong_usage(self):
        self.usage("name of a loss is missing", "plot", "-o", "c.svg")
        self.usage("--output is missing", "plot", "huber")
        self.usage("one loss at a time", "plot", "huber", "hinge", "-o", "c.svg")
        self.usage("expected a number", "plot", "huber", "-o", "c.svg", "--target", "x")
        self.usage("expected KEY=VALUE", "plot", "huber", "-o", "c.svg", "--set", "delta")
        self.usage("did you mean 'huber'", "plot", "hubre", "-o", "c.svg")
        self.usage("not pointwise", "plot", "cross_entropy", "-o", "c.svg")
        self.usage("delta", "plot", "huber", "-o", "c.svg", "--set", "delta=-1")

    def test_failures_leave_the_older_picture(self):
        self.file("c.svg", "an older picture")
        self.failed("there is nothing to draw from 2 to 1", "plot", "huber", "-o", "c.svg", "--from", 2, "--to", 1)
        self.failed("the target of row 0 is 2; the loss 'logistic' takes 0 … 1", "plot", "logistic", "-o", "c.svg",
                    "--target", 2)
        self.failed("no/c.svg: cannot write: No such file or directory", "plot", "huber", "-o", "no/c.svg")
        self.failed(".: cannot write: Is a directory", "plot", "huber", "-o", ".")
        self.assertEqual((self.path / "c.svg").read_text(), "an older picture")
        self.done("plot", "huber", "-o", "/dev/null")


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
        shown, printed = on_terminal(self, arguments)
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
