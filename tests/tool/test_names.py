"""What the command is given and gives back in other shapes than it is used to: names, models, sizes, roles, paths. Run with a class name."""
import json
import os
import shutil
import sys
import unittest
import xml.etree.ElementTree

from test_formats import npy
from tool_case import CANCER, ToolTest

ROWS = "".join(f"{x},{y}\n" for x, y in [(1, "a"), (2, "b"), (3, "a"), (4, "b"), (5, "b"), (6, "a")])
HINT = "is not UTF-8; is the file Latin-1? iconv converts it"
STRANGE = "caf\udce9"  # the byte e9, as Python hands it to a program


class Names(ToolTest):
    def test_names_of_a_model_are_utf8(self):
        latin = "caf\u00e9".encode("latin-1")
        self.file("class.csv", b"x,y\n1,b\n2," + latin + b"\n3,b\n")
        self.file("column.csv", b"x," + latin + b",y\n" + b"1,2,a\n2,3,b\n")
        self.file("target.csv", b"x," + latin + b"\n1,2\n2,4\n")
        self.file("labels.csv", latin + b"\n1\n0\n1\n")
        self.file("numbers.csv", "x\n1\n2\n3\n")
        self.file("surrogate.csv", b"x,y\n1,b\n2,\xed\xa0\x80\n")
        self.file("long.csv", b"x,y\n1,b\n2,\xc0\xaf\n")
        for command in "fit", "compare", "check":
            for model in ([], ["--model", "m.json"]) if command == "fit" else [[]]:
                def refused(sentence, *arguments):
                    self.failed(f"{sentence} {HINT}", command, *arguments, *model)
                    self.assertFalse((self.path / "m.json").exists())
                refused(r'class.csv: line 3, column 2: the class "caf\xe9"', "class.csv", "--target", "y")
                refused(r'column.csv: line 1: the column name "caf\xe9"', "column.csv", "--target", "y")
                refused(r'--target: the column name "caf\xe9"', "target.csv", "--target", STRANGE)
                refused(r'labels.csv: line 1: the column name "caf\xe9"', "numbers.csv", "--target-file", "labels.csv")
                refused(r'surrogate.csv: line 3, column 2: the class "\xed\xa0\x80"', "surrogate.csv", "--target", "y")
                refused(r'long.csv: line 3, column 2: the class "\xc0\xaf"', "long.csv", "--target", "y")

    def test_utf8_comes_back(self):
        names = ["caf\u00e9", "\u4e16\u754c", "\U0001f600", "\u07ff\u0800\uffff"]
        text = f"{names[2]},{names[3]}\n" + "".join(f"{i},{names[i % 2]}\n" for i in range(8))
        self.file("u.csv", text)
        self.json("fit", "u.csv", "--target", names[3], "--model", "m.json")
        model = json.loads((self.path / "m.json").read_text(encoding="utf-8"))
        self.assertEqual((model["classes"], model["features"], model["target"]), (names[:2], names[2:3], names[3]))
        self.assertLessEqual(set(self.json("predict", "m.json", "u.csv")["predictions"]), set(names[:2]))

    def test_files_may_be_called_anything(self):
        told = "caf\ufffd"
        data, model, chart = STRANGE + ".csv", STRANGE + ".json", STRANGE + ".svg"
        self.file(data, "x,y\n" + ROWS)
        fit = ["fit", data, "--target", "y", "--test", data, "--model", model]
        result = self.json(*fit)
        self.assertEqual((result["data"], result["model"]), (f"{told}.csv", f"{told}.json"))
        self.assertEqual(len(self.json("predict", model, data)["predictions"]), 6)
        result = self.json(*fit, "--penalty", "l1=0.01:0.1:3", "--plot", chart)
        self.assertEqual((result["data"], result["model"]), (f"{told}.csv", f"{told}.json"))
        self.assertIn(f"weights of {told}.csv", (self.path / chart).read_text(encoding="utf-8"))
        xml.etree.ElementTree.parse(self.path / chart)
        self.assertEqual(self.json("compare", data, "--target", "y", "--optimizer", "lbfgs")["data"], f"{told}.csv")
        checked = self.json("check", data, "--target", "y", "--at", model)
        self.assertEqual((checked["data"], checked["at"]), (f"{told}.csv", f"{told}.json"))

    @unittest.skipUnless(shutil.which("gnuplot"), "no gnuplot")
    def test_convergence_of_such_a_file(self):
        self.file(STRANGE + ".csv", "x,y\n" + ROWS)
        for command in ["fit"], ["compare", "--optimizer", "lbfgs"]:
            self.done(*command, STRANGE + ".csv", "--target", "y", "--plot", "c.svg")
            self.assertIn("caf\ufffd.csv", "".join(xml.etree.ElementTree.parse(self.path / "c.svg").getroot().itertext()))


class Models(ToolTest):
    """A model that was edited is refused with the place."""

    def setUp(self):
        super().setUp()
        self.file("d.csv", "x,z,y\n" + "".join(f"{i},{i * i % 7},{'ab'[i % 3 > 1]}\n" for i in range(12)))
        self.done("fit", "d.csv", "--target", "y", "--model", "m.json")
        self.model = json.loads((self.path / "m.json").read_text())

    def refused(self, sentence, **changes):
        self.file("bad.json", json.dumps({**self.model, **changes}))
        for command in ["predict", "bad.json", "d.csv"], ["check", "d.csv", "--target", "y", "--at", "bad.json"]:
            self.failed(f"bad.json: {sentence}", *command)

    def test_numbers(self):
        self.refused("scale[0] is nan, which is no finite number of 0 or more", scale=["NaN", 2])
        self.refused("scale[1] is -2, which is no finite number of 0 or more", scale=[1, -2])
        self.refused("scale[1] is inf, which is no finite number of 0 or more", scale=[1, "Infinity"])
        self.refused("mean[1] is -inf, which is no finite number", mean=[1, "-Infinity"])
        self.refused("intercept[0] is nan, which is no finite number", intercept=["NaN"])
        self.refused("weights[0][1] is inf, which is no finite number", weights=[[-3, "Infinity"]])
        self.file("zero.json", json.dumps({**self.model, "scale": [0, 2]}))
        self.assertEqual(len(self.json("predict", "zero.json", "d.csv")["scores"]), 12)

    def test_names(self):
        self.refused('the feature "x" is there twice', features=["x", "x"])
        self.file("bad.json", json.dumps({**self.model, "classes": ["a", "a"]}))
        self.failed('two classes are named "a"', "predict", "bad.json", "d.csv")

    def test_what_fit_cannot_scale(self):
        for size, name in (1e200, "large"), (1e-200, "small"):
            self.file("d.csv", f"{name},y\n" + "".join(f"{i * size},{i}\n" for i in range(12)))
            self.failed(f'd.csv: the deviation of the feature "{name}" is beyond float64; give it in another unit',
                        "fit", "d.csv", "--target", "y")


class Outputs(ToolTest):
    """Models and pictures take the place of files only; what a link leads to is replaced, a pipe is written to."""

    def test_what_a_path_may_be(self):
        data = self.file("d.csv", "x,y\n" + ROWS)
        jobs = {"m": ["fit", data, "--target", "y", "--model"], "c": ["plot", "huber", "-o"],
                "p": ["fit", data, "--target", "y", "--test", data, "--penalty", "l1=0.01:0.1:3", "--plot"]}
        for name, job in jobs.items():
            self.done(*job, name)
            expected = (self.path / name).read_bytes()
            old, link, stray, fifo = (self.path / f"{name}.{kind}" for kind in ("old", "link", "stray", "fifo"))
            old.write_text("old")
            old.chmod(0o640)
            link.symlink_to(old.name)
            stray.symlink_to(f"{name}.new")
            os.mkfifo(fifo)
            self.done(*job, link)
            self.done(*job, stray)
            reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
            self.done(*job, fifo)
            self.assertEqual(os.read(reader, 1 << 16), expected)
            os.close(reader)
            self.assertTrue(fifo.is_fifo() and link.is_symlink() and stray.is_symlink())
            self.assertEqual((old.read_bytes(), (self.path / f"{name}.new").read_bytes()), (expected, expected))
            self.assertEqual(old.stat().st_mode & 0o777, 0o640)
        self.assertEqual(len(list(self.path.iterdir())), 1 + 6 * len(jobs))

    def test_a_model_that_cannot_be_written_is_told_before_the_work(self):
        self.failed(".: cannot write: Is a directory", "fit", self.file("d.csv", "x,y\n" + ROWS), "--target", "y", "--model", ".")
        self.file("m.json", "old")
        self.assertEqual(self.run_tool("fit", "d.csv", "--target", "y", "--loss", "hinge", "-o", "newton", "--set",
                                       "max_iterations=0.5", "--model", "m.json").returncode, 2)
        self.assertEqual((self.path / "m.json").read_text(), "old")


class Sizes(ToolTest):
    """Numbers of any size: what is reached is told as it is, and the tables keep their columns."""

    SENTENCE = (" stands still after 0 iterations, though the objective could fall: rounding hides what its steps change "
                "in numbers of this size; give the target or the features in another unit")

    def data(self, size):
        return self.file("d.csv", "a,b,y\n" + "".join(
            f"{i * 7 % 11},{i * 5 % 13},{(i * 7 % 11 - i * 5 % 13 / 2 + i % 3) * size!r}\n" for i in range(40)))

    def test_no_convergence_is_claimed(self):
        arguments = "--target", "y", "--loss", "squared_error"
        expected = self.json("fit", self.data(1.0), *arguments)
        for exponent in 3, 8, 15:
            result = self.json("fit", self.data(10.0 ** exponent), *arguments)
            self.assertAlmostEqual(result["objective"] / 100 ** exponent / expected["objective"], 1, delta=1e-9)
        for exponent in 60, 128:
            for optimizer in "lbfgs", "conjugate_gradient":
                self.failed(optimizer + self.SENTENCE, "fit", self.data(10.0 ** exponent), *arguments, "-o", optimizer,
                            "--model", "m.json")
                self.assertFalse((self.path / "m.json").exists())
            self.assertIn("converged", self.done("fit", "d.csv", *arguments, "-o", "newton_cg"))
        runs = self.json("compare", self.data(1e60), *arguments, "-o", "lbfgs", "-o", "newton_cg")["results"]
        self.assertEqual([row["runs"][0]["failure"] for row in runs], ["lbfgs" + self.SENTENCE, None])
        self.failed("every optimizer failed, the first because lbfgs" + self.SENTENCE, "compare", "d.csv", *arguments,
                    "-o", "lbfgs")

    def test_columns_stay_columns(self):
        for size in 1.0, 1e4, 1e19, 1e60, 1e128:
            lines = self.done("compare", self.data(size), "--target", "y", "-o", "newton_cg", "-o", "lbfgs",
                              "--loss", "squared_error").splitlines()
            heading = next(i for i, line in enumerate(lines) if line.startswith("optimizer "))
            for line in lines[heading + 1:heading + 3]:
                self.assertEqual(lines[heading].index("outcome"), len(line) - len(line.split(None, 9)[9]), line)


class Encoding(ToolTest):
    """A loss of numbers on two classes: the same as the loss of classes that it is."""

    def test_a_formula_classifies(self):
        signs = "formula:log(1 + exp(-y*p))", "signs", "logistic"
        zero_one = "formula:log(1 + exp(p)) - y*p", "zero_one", "logistic"
        hinge = "formula:max(0, 1 - y*p)^2", "signs", "squared_hinge"
        for formula, encoding, name in signs, zero_one, hinge:
            expected = self.json("fit", CANCER, "--target", "diagnosis", "--loss", name)
            arguments = CANCER, "--target", "diagnosis", "--loss", formula, "--target-encoding", encoding
            result = self.json("fit", *arguments, "--model", "m.json")
            self.assertEqual(result["classes"], 2)
            for key in "objective", "train_accuracy", "test_accuracy":
                self.assertAlmostEqual(result[key] / expected[key], 1, delta=1e-6)
            self.assertIn("target      diagnosis, 2 classes\n", self.done("fit", *arguments))
            model = json.loads((self.path / "m.json").read_text())
            self.assertEqual((model["classes"], model["target_encoding"]), (["benign", "malignant"], encoding))
            told = self.json("predict", "m.json", CANCER)
            self.assertGreater(told["accuracy"], 0.97)
            self.assertEqual(set(told["predictions"]), {"benign", "malignant"})
            self.assertEqual(self.json("check", *arguments)["checks"][0]["verdict"], "ok")
            self.assertEqual(self.json("compare", *arguments, "-o", "newton_cg")["results"][0]["accuracy"],
                             self.json("compare", CANCER, "--target", "diagnosis", "--loss", name, "-o",
                                       "newton_cg")["results"][0]["accuracy"])
        self.failed(f"the loss {hinge[0]} makes scores that stand for no probabilities; logistic and cross_entropy do",
                    "predict", "m.json", CANCER, "--probabilities")

    def test_wrong_usage(self):
        data = self.file("d.csv", "x,y\n" + "".join(f"{i},{'abc'[i % 3]}\n" for i in range(12)))
        fit = "fit", data, "--target", "y"
        self.usage("--target-encoding one: expected signs or zero_one", *fit, "--target-encoding", "one")
        self.usage("for a --loss of numbers, and none is named", *fit, "--target-encoding", "signs")
        self.failed("the loss logistic takes classes as they are, and no --target-encoding", *fit, "--loss", "logistic",
                    "--target-encoding", "signs", status=2)
        self.failed('two.csv: line 2, column 2 ("y"): "a" is no number; --target-encoding makes numbers of two classes', "fit",
                    self.file("two.csv", "x,y\n" + ROWS), "--target", "y", "--loss", "formula:(p - y)^2")
        self.failed('d.csv: line 2, column 2 ("y"): "a" is no number', *fit, "--loss", "formula:(p - y)^2")
        self.failed('the loss huber needs a target of 2 classes, "y" has 3', *fit, "--loss", "huber", "--target-encoding", "signs")


class Roles(ToolTest):
    """Losses that read more than a prediction and a target: the command says so, and names no call of a library for it."""

    def test_they_are_refused(self):
        data = self.file("d.csv", "x,y\n1,2\n2,1\n3,4\n4,4\n")
        column = self.file("p.csv", "1\n2\n")
        for name, others in ("cox", "time, event, start, offsets"), ("coral", "biases"), ("gaussian_nll", "variance, log_variance"):
            for command in "fit", "compare", "check":
                self.failed(f"the loss {name} reads {others}, which this command has no data for: it trains on predictions and a "
                            "target; a program trains with such a loss by loss_graph_loss()", command, data, "--target", "y",
                            "--loss", name, status=2)
        end = "; this loss reads {} too, which this command has no options for and loss_function_evaluate() takes"
        self.failed("the loss 'cox' needs the role 'time'" + end.format("time, event, start, offsets"),
                    "evaluate", "cox", "-p", column)
        self.failed("the loss 'coral' needs the role 'biases'" + end.format("biases"), "evaluate", "coral", "-p", column, "-t", column)


class Labels(ToolTest):
    def test_whole_numbers_are_not_merged(self):
        one, two = 9007199254740993, 9007199254740992
        rows = [one, two, two, one]
        sentence = "is no class: numbers from 2^53 on are not told apart"
        self.file("l.csv", "x,y\n" + "".join(f"{i},{y}\n" for i, y in enumerate(rows)))
        self.failed(f'l.csv: line 2, column 2 ("y"): "{one}" {sentence}', "fit", "l.csv", "--target", "y")
        self.file("l.svm", "".join(f"{y} 1:{i}\n" for i, y in enumerate(rows)))
        self.failed(f"l.svm: line 1: {two} {sentence}", "fit", "l.svm")
        self.file("x.npy", npy([[1.0], [2.0], [4.0], [3.0]]))
        self.file("y.npy", npy(rows, "<i8"))
        self.failed(f"y.npy: row 1: {two} {sentence}", "fit", "x.npy", "--target-file", "y.npy")
        for data in ["l.csv", "--target", "y"], ["l.svm"]:
            self.assertEqual(self.json("fit", *data, "--loss", "squared_error")["classes"], 0)
        self.file("s.svm", "".join(f"{y} 1:{i}\n" for i, y in enumerate([16777217, 16777216, 3, 16777217])))
        self.assertEqual(self.json("fit", "s.svm")["classes"], 3)
        self.failed("s.svm: line 1: 16777216 is no class: in float32 numbers from 2^24 on are not told apart", "fit",
                    "s.svm", "--dtype", "float32")

    def test_the_label_is_the_target(self):
        self.file("d.svm", "1 1:2 3:1\n2 1:3 3:2\n1 2:1\n2 3:4\n")
        for command in "fit", "compare", "check":
            self.failed("--target names a column of CSV: the target of d.svm is the label that each row begins with",
                        command, "d.svm", "--target", "3", status=2)
        # with a file of its own it is a column of that, and predict knows the name from the model
        self.file("t.csv", "a,b\n0,1\n1,1\n0,2\n1,0\n")
        self.assertEqual(self.json("fit", "d.svm", "--target-file", "t.csv", "--target", "a")["target"], "a")
        self.done("fit", "d.svm", "--model", "m.json")
        self.assertEqual(self.json("predict", "m.json", "d.svm")["target"], "label")


if __name__ == "__main__":
    program = unittest.main(exit=False)
    sys.exit(not program.result.wasSuccessful())
