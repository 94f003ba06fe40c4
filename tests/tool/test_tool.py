"""The loss command from the outside: what it prints, what it writes, how it fails.

Run with a class name; LOSS_TOOL is the command and LOSS_DATA the directory of the data sets.
"""
import csv
import hashlib
import json
import math
import re
import subprocess
import sys
import unittest

from tool_case import TOOL, DATA, DIGITS, CANCER, FAMILIES, ToolTest, bits


class Data(unittest.TestCase):
    def test_the_files_are_those_described(self):
        table = re.findall(r"\| `(\w+\.csv)` \| (\d+) \| (\d+) \|.*`([0-9a-f]{64})` \|", (DATA / "README.md").read_text())
        self.assertEqual([row[0] for row in table], ["digits.csv", "breast_cancer.csv"])
        for name, rows, features, digest in table:
            content = (DATA / name).read_bytes()
            self.assertEqual(hashlib.sha256(content).hexdigest(), digest)
            lines = list(csv.reader(content.decode().splitlines()))
            self.assertEqual(len(lines), int(rows) + 1)
            self.assertEqual({len(line) for line in lines}, {int(features) + 1})


class Usage(ToolTest):
    def test_help_goes_to_standard_output(self):
        for command in [], ["list"], ["evaluate"], ["fit"], ["compare"], ["predict"], ["plot"]:
            text = self.done(*command, "--help")
            self.assertTrue(text.startswith("Usage: loss"), text)

    def test_version(self):
        self.assertRegex(self.done("--version"), r"^loss \d+\.\d+\.\d+\n$")

    def test_wrong_usage_is_status_2(self):
        self.usage("Usage: loss COMMAND")
        self.usage('no command "fti"', "fti")
        self.usage("what to list is missing", "list")
        self.usage("one of: losses, optimizers", "list", "models")
        self.usage("--jsno", "list", "losses", "--jsno")
        self.usage("name of a loss is missing", "evaluate")
        self.usage("--target is missing", "evaluate", "huber", "--prediction", "p.csv")
        self.usage("expected float32 or float64", "evaluate", "huber", "-p", "p", "-t", "t", "--dtype", "float16")
        self.usage("expected KEY=VALUE", "evaluate", "huber", "-p", "p", "-t", "t", "--set", "delta")
        self.usage("the data file is missing", "fit")
        self.usage("--target is missing", "fit", "data.csv")
        self.usage("one data file at a time", "fit", "a.csv", "b.csv", "--target", "y")
        self.usage("expected a number from 0 to 1", "fit", "a.csv", "--target", "y", "--test-fraction", "1.5")
        self.usage("expected a number", "fit", "a.csv", "--target", "y", "--l2", "nan")
        self.usage("expected a whole number", "fit", "a.csv", "--target", "y", "--seed", "1.5")
        self.usage("--seeds 3-1: the first seed is above the last", "compare", "a.csv", "--target", "y", "--seeds", "3-1")
        self.usage("expected a whole number", "compare", "a.csv", "--target", "y", "--seeds", "a-b")
        self.usage("--test-fraction 1: leaves no row", "fit", "a.csv", "--target", "y", "--test-fraction", "1")
        self.usage("expected a whole number", "fit", "a.csv", "--target", "y", "--threads=0")
        self.usage("expected a whole number", "compare", "a.csv", "--target", "y", "--seeds", "1-")
        self.usage("at most 1000 seeds", "compare", "a.csv", "--target", "y", "--seeds", "1-2000")
        self.usage("model is missing", "predict")
        self.usage("data file is missing", "predict", "model.json")

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "w") as full:
            result = subprocess.run([TOOL, "list", "losses"], stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr, "loss: cannot write to standard output: No space left on device\n")


class List(ToolTest):
    def test_losses(self):
        losses = {row["name"]: row for row in self.json("list", "losses")}
        self.assertLessEqual({"squared_error", "absolute_error", "huber", "smooth_l1", "hinge", "logistic",
                              "binary_cross_entropy", "cross_entropy"}, set(losses))
        delta, = [option for option in losses["huber"]["options"] if option["name"] == "delta"]
        self.assertEqual((delta["type"], delta["default"]), ("double", 1))
        self.assertIs(losses["cross_entropy"]["properties"]["classification"], True)
        self.assertIs(losses["huber"]["properties"]["classification"], False)
        self.assertIn("bce_with_logits", losses["logistic"]["aliases"])
        for row in losses.values():
            self.assertEqual(row["roles"][-2:], ["weight", "mask"])
            self.assertTrue(row["summary"] and row["formula"] and row["reference"])
            self.assertIn(row["link"], ("identity", "logit", "log", "softmax"))
            self.assertLessEqual({"lipschitz", "curvature_bound", "minimum", "maximum"}, set(row["numbers"]))
            self.assertIsInstance(row["elsewhere"], list)
            self.assertEqual(row["properties"]["smooth"], float(row["numbers"]["continuous_derivatives"]) >= 1)
        self.assertEqual(losses["huber"]["roles"], ["prediction", "target", "weight", "mask"])
        self.assertEqual(losses["robust_squared_norm"]["roles"], ["prediction", "weight", "mask"])
        self.assertEqual(losses["logistic"]["numbers"]["target_maximum"], 1)
        self.assertEqual(losses["huber"]["numbers"]["prediction_maximum"], "Infinity")

    def test_optimizers(self):
        optimizers = {row["name"]: row for row in self.json("list", "optimizers")}
        self.assertLessEqual(set(FAMILIES), set(optimizers))
        self.assertEqual(len({optimizers[name]["family"] for name in FAMILIES}), 5)
        for row in optimizers.values():
            self.assertIn("max_iterations", [option["name"] for option in row["options"]])

    def test_text_has_a_line_for_each(self):
        for what in "losses", "optimizers":
            names = [line.split()[0] for line in self.done("list", what).splitlines()]
            self.assertEqual(names, [row["name"] for row in self.json("list", what)])


class Evaluate(ToolTest):
    def evaluate(self, name, prediction, target, *arguments):
        return self.json("evaluate", name, "--prediction", self.file("p.csv", prediction), "--target",
                         self.file("t.csv", target), *arguments)

    def test_no_target(self):
        squares = self.file("s.csv", "0.25\n16\n")
        result = self.json("evaluate", "robust_squared_norm", "--prediction", squares, "--set", "scale=2")
        self.assertEqual((result["values"], result["gradient"]), ([0.25, 12], [1, 0.5]))
        self.usage("reads no --target", "evaluate", "robust_squared_norm", "--prediction", squares, "--target", squares)
        self.usage("the --target is missing", "evaluate", "huber", "--prediction", squares)

    def test_worked_examples(self):
        result = self.evaluate("squared_error", "1.2\n1.8\n2.9\n3.8\n4.9\n", "1\n2\n3\n4\n5\n")
        self.assertAlmostEqual(result["cost"], 0.028, delta=1e-15)
        self.assertEqual(result["denominator"], 5)
        probabilities, labels = "0.2,0.8\n0.7,0.3\n", "1\n0\n"
        result = self.evaluate("cross_entropy", probabilities, labels, "--set", "input=probabilities")
        self.assertAlmostEqual(result["cost"], 0.28990925, delta=5e-9)
        result = self.evaluate("cross_entropy", probabilities, labels)
        self.assertAlmostEqual(result["cost"], 0.47525160, delta=5e-9)

    def test_huber_by_hand(self):
        result = self.evaluate("huber", "2.5\n-4\n", "2\n1\n", "--set", "delta=2", "--weight",
                               self.file("w.csv", "3\n0.5\n"))
        # r = 0.5: r²/2 = 0.125; r = -5: 2(5 - 1) = 8; times the weights
        self.assertEqual(result["values"], [0.375, 4])
        self.assertEqual(result["gradient"], [1.5, -1])
        self.assertEqual(result["curvature"], [3, 0])
        self.assertEqual((result["sum"], result["denominator"], result["cost"]), (4.375, 3.5, 1.25))

    def test_a_formula(self):
        formula = "formula:where(abs(p - y) <= d, (p - y)^2/2, d*(abs(p - y) - d/2)); d=3"
        made = self.evaluate(formula, "0.5\n4\n-9\n", "0\n0.25\n1\n", "--set", "d=1.5")
        known = self.evaluate("huber", "0.5\n4\n-9\n", "0\n0.25\n1\n", "--set", "delta=1.5")
        self.assertEqual(made["loss"], formula)
        for name in "values", "gradient", "curvature", "cost":
            self.assertEqual(made[name], known[name])
        self.usage("formula, character 11: there is no function 'epx'; did you mean 'exp'?", "evaluate",
                   "formula:log(1 +   epx(p))", "-p", "p.csv", "-t", "t.csv")

    def test_a_formula_is_fitted(self):
        rows = "".join("%g,%g\n" % (i / 10, i / 5 + 1) for i in range(40))
        self.file("line.csv", "x,y\n" + rows)
        self.done("fit", "line.csv", "--target", "y", "--loss", "formula:log(cosh(c*(p - y))); c=1", "--loss-set", "c=2",
                  "--model", "line.json")
        predicted = [float(number) for number in self.done("predict", "line.json", "line.csv").split()[1:]]
        self.assertLess(max(abs(p - (i / 5 + 1)) for i, p in enumerate(predicted)), 0.02)

    def test_several_columns(self):
        result = self.evaluate("cross_entropy", "1,2,0.5\n0,0,3\n", "1\n2\n", "--set", "class_weight=1,2,0.5")
        self.assertEqual(result["denominator"], 2.5)
        for row, label, weight in zip(range(2), (1, 2), (2, 0.5)):
            scores = [[1, 2, 0.5], [0, 0, 3]][row]
            total = math.fsum(map(math.exp, scores))
            self.assertAlmostEqual(result["values"][row], -weight * math.log(math.exp(scores[label]) / total),
                                   delta=1e-14)
            for k in range(3):
                expected = weight * (math.exp(scores[k]) / total - (k == label))
                self.assertAlmostEqual(result["gradient"][row][k], expected, delta=1e-14)
        pointwise = self.evaluate("squared_error", "1,2\n3,4\n", "0,0\n0,0\n")
        self.assertEqual(pointwise["values"], [[1, 4], [9, 16]])

    def test_numbers_read_back_to_the_same_bits(self):
        result = self.evaluate("squared_error", "0.1\n1e-160\n3e200\n", "0\n0\n0\n")
        self.assertEqual([bits(v) for v in result["values"]], [bits(0.1 * 0.1), bits(1e-160 * 1e-160), bits(math.inf)])
        result = self.evaluate("absolute_error", "0.1\n16777217\n", "0\n0\n", "--dtype", "float32")
        self.assertEqual(result["values"], [0.1, 16777216])
        self.assertEqual(bits(result["values"][0], "f"), bits(0.1, "f"))
        result = self.evaluate("cross_entropy", "20,0\n", "0\n", "--dtype", "float32")
        self.assertEqual(bits(result["values"][0], "f"), bits(2.0611536e-9, "f"))

    def test_not_a_number_and_infinities_are_words(self):
        result = self.evaluate("absolute_error", "nan\n-inf\n-0.0\n", "0\n0\n0\n")
        self.assertEqual(result["values"], ["NaN", "Infinity", 0])
        self.assertEqual(result["sum"], "NaN")
        self.assertEqual(result["gradient"][1], -1)

    def test_text(self):
        self.file("p.csv", "2.5\n")
        self.file("t.csv", "2\n")
        self.assertEqual(self.done("evaluate", "mse", "-p", "p.csv", "-t", "t.csv").splitlines(),
                         ["loss         squared_error", "rows         1", "sum          0.25", "denominator  1",
                          "cost         0.25"])


class BadInput(ToolTest):
    def test_files(self):
        self.file("one.csv", "1\n")
        self.failed("no.csv: cannot open: No such file or directory", "evaluate", "huber", "-p", "no.csv", "-t", "one.csv")
        self.failed("no.csv: cannot open: No such file or directory", "fit", "no.csv", "--target", "y")
        self.failed("no.csv: cannot open: No such file or directory", "compare", "no.csv", "--target", "y")
        self.failed("no.json: cannot open: No such file or directory", "predict", "no.json", "one.csv")
        self.failed("ragged.csv: line 3 has 1 field, the header has 2", "fit",
                    self.file("ragged.csv", "x,y\n1,2\n3\n"), "--target", "y")
        self.failed('text.csv: line 3, column 1 ("x"): "abc" is no number', "fit",
                    self.file("text.csv", "x,y\n1,2\nabc,3\n"), "--target", "y")
        self.failed('hole.csv: line 2, column 1 ("x"): an empty field is no number', "fit",
                    self.file("hole.csv", "x,y\n,2\n4,3\n"), "--target", "y")
        self.failed('words.csv: line 2, column 2: "b" is no number', "evaluate", "huber", "-p",
                    self.file("words.csv", "1,2\n3,b\n"), "-t", "one.csv")

    def test_target(self):
        self.file("d.csv", "mean_radius,texture,diagnosis\n1,2,a\n3,4,b\n5,6,a\n")
        self.failed('d.csv: no column "diagonsis"; did you mean "diagnosis"? The columns are mean_radius, texture, '
                    'diagnosis', "fit", "d.csv", "--target", "diagonsis")
        self.failed('d.csv: line 2, column 3 ("diagnosis"): "a" is no number; --target-encoding makes numbers of two classes', "fit", "d.csv", "--target", "diagnosis",
                    "--loss", "huber")
        self.failed('the loss hinge needs a target of 2 classes, "digit" has 10', "fit", DIGITS, "--target", "digit",
                    "--loss", "hinge")
        self.failed('same.csv: the target "y" has the same class in every row', "fit",
                    self.file("same.csv", "x,y\n1,a\n2,a\n"), "--target", "y")
        self.failed("lone.csv: there are no features: a column besides the target was expected", "fit",
                    self.file("lone.csv", "y\n1\n"), "--target", "y")

    def test_names_and_options(self):
        self.file("one.csv", "1\n")
        evaluate = "-p", "one.csv", "-t", "one.csv"
        for arguments, fragments in (
                (("evaluate", "hubber", *evaluate), ("hubber", "huber")),
                (("evaluate", "huber", *evaluate, "--set", "dleta=1"), ("dleta", "delta")),
                (("evaluate", "huber", *evaluate, "--set", "delta=-1"), ("delta", "-1")),
                (("fit", CANCER, "--target", "diagnosis", "--loss", "logsitic"), ("logsitic", "logistic")),
                (("fit", CANCER, "--target", "diagnosis", "--optimizer", "lbgfs"), ("lbgfs", "lbfgs")),
                (("fit", CANCER, "--target", "diagnosis", "--set", "memroy=3"), ("memroy",)),
                (("fit", CANCER, "--target", "diagnosis", "--set", "memory=-3"), ("memory", "-3")),
                (("fit", CANCER, "--target", "diagnosis", "--set", "memory=few"), ("memory", "few")),
                (("fit", CANCER, "--target", "diagnosis", "--loss", "huber", "--loss-set", "delta=0"), ("delta",)),
                (("compare", CANCER, "--target", "diagnosis", "--optimizer", "lbgfs"), ("lbgfs", "lbfgs")),
                (("compare", CANCER, "--target", "diagnosis", "--set", "memory=-3"), ("memory", "-3")),
                (("compare", CANCER, "--target", "diagnosis", "--set", "memroy=3"), ("memroy",)),
                # told before any file is looked for
                (("fit", "no.csv", "--target", "y", "--optimizer", "lbgfs"), ("lbgfs", "lbfgs")),
                (("compare", "no.csv", "--target", "y", "--set", "memroy=3"), ("memroy",))):
            result = self.run_tool(*arguments)
            self.assertEqual((result.returncode, result.stdout, result.stderr.count("\n")), (2, "", 1), result.stderr)
            for fragment in fragments:
                self.assertIn(fragment, result.stderr)
        self.failed('delta=abc: "abc" is no number', "evaluate", "huber", *evaluate, "--set", "delta=abc", status=2)

    def test_data_a_loss_is_not_defined_for(self):
        result = self.run_tool("evaluate", "cross_entropy", "-p", self.file("p.csv", "1,2\n3,4\n"), "-t",
                               self.file("t.csv", "0\n7\n"))
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"^loss: t\.csv: line 2: the label is 7; .*\n$")
        self.assertNotIn("row", result.stderr)
        result = self.run_tool("evaluate", "binary_cross_entropy", "-p", self.file("p.csv", "0.5\n0.25\n1.5\n"), "-t",
                               self.file("t.csv", "0\n1\n1\n"))
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"^loss: p\.csv: line 3: the prediction is 1\.5; .*\n$")
        result = self.run_tool("evaluate", "hinge", "-p", "p.csv", "-t", self.file("t.csv", "1\n0.5\n-1\n"))
        self.assertRegex(result.stderr, r"^loss: t\.csv: line 2: the target is 0\.5; .*\n$")

    def test_files_of_different_length(self):
        self.file("two.csv", "1\n2\n")
        self.file("one.csv", "1\n")
        self.failed("one.csv has 1 row, two.csv has 2", "evaluate", "huber", "-p", "two.csv", "-t", "one.csv")
        self.failed("two.csv has 2 rows, one.csv has 1", "evaluate", "huber", "-p", "one.csv", "-t", "two.csv")
        self.failed("one.csv has 1 row, two.csv has 2", "evaluate", "huber", "-p", "two.csv", "-t", "two.csv", "-w",
                    "one.csv")

    def test_separators(self):
        rows = "a,b,y\n" + "".join(f"{i},{(7 * i) % 5}.5,{i % 2}\n" for i in range(19))
        self.file("x.csv", rows)
        fitted = self.json("fit", "x.csv", "--target", "y", "--model", "m.json")
        predicted = self.done("predict", "m.json", "x.csv")
        for separator, character, words in (";", ";", "';'"), ("tab", "\t", "a tab"), ("|", "|", "'|'"):
            name = self.file("other.csv", rows.replace(",", character))
            self.file("target.csv", f"y{character}z\n" + "".join(f"{i % 2}{character}0\n" for i in range(19)))
            for command in ("fit", "--target", "y"), ("compare", "--target", "y"), ("predict", "m.json"):
                self.failed(f"other.csv: there is but one column; the separator is probably {words}", *command, name)
            said = "--separator", separator
            self.assertEqual(self.json("fit", name, "--target", "y", *said)["objective"], fitted["objective"])
            self.assertEqual(self.done("predict", "m.json", name, *said), predicted)
            self.done("fit", name, "--target", "y", "--test", name, *said)
            self.done("fit", name, "--target", "y", "--target-file", "target.csv", *said)
        self.usage("--separator ab: expected a character such as ; or |, or tab", "fit", "x.csv", "--separator", "ab")
        self.usage("--separator 1: expected a character such as ; or |, or tab", "predict", "m.json", "x.csv", "--separator", 1)
        self.file("x.svm", "1 1:2\n0 1:3\n")
        self.failed("--separator is about CSV, which x.svm is not", "fit", "x.svm", "--separator", ";", status=2)

    def test_options_of_another_format(self):
        self.file("x.csv", "a,y\n" + "".join(f"{i},{i % 2}\n" for i in range(9)))
        for option, number in ("--columns", 5), ("--first-index", 0):
            self.failed(f"{option} is about LIBSVM data, which x.csv is not", "fit", "x.csv", "--target", "y", option, number,
                        status=2)

    def test_help_has_what_a_command_takes(self):
        for command in "fit", "compare", "check":
            text = self.done(command, "--help")
            for option in "--plot", "--set=":
                self.assertEqual(option in text, command != "check", (command, option))

    def test_numbers_that_are_not_finite(self):
        rows = "".join(f"{i % 7},{(i * i) % 5},{i % 3}.5\n" for i in range(40))
        self.file("finite.csv", "a,b,y\n" + rows)
        self.done("fit", "finite.csv", "--target", "y", "--model", "m.json")
        for command in ("fit", "--target", "y"), ("compare", "--target", "y"), ("predict", "m.json"):
            self.failed('nan.csv: line 42, column 2 ("b"): "nan" is no finite number', *command,
                        self.file("nan.csv", "a,b,y\n" + rows + "1,nan,2.5\n"))
        self.failed('inf.csv: line 42, column 3 ("y"): "-inf" is no finite number', "fit",
                    self.file("inf.csv", "a,b,y\n" + rows + "1,2,-inf\n"), "--target", "y")

    def test_objective_that_is_not_finite(self):
        # The square of the target is beyond the largest number at the start already: the first such row is named.
        self.file("huge.csv", "x,y\n1.5,2\n2.5,1e200\n3.5,1e201\n")
        self.failed("line 3 of huge.csv: the loss is not finite", "fit", "huge.csv", "--target", "y", "--test-fraction", 0)
        result = self.run_tool("compare", "huge.csv", "--target", "y", "--test-fraction", 0)
        self.assertEqual((result.returncode, result.stdout, result.stderr),
                         (1, "", "loss: every optimizer failed, the first because line 3 of huge.csv: the loss is not "
                                 "finite\n"))

    def test_steps_that_are_too_long(self):
        # One row is left to train on, so that row 0 of the split is known by its line of the file.
        rows = [f"{i},{i}.5" for i in range(1, 5)]
        self.file("steps.csv", "x,y\n" + "\n".join(rows) + "\n")
        lines = set()
        for seed in range(1, 6):
            result = self.run_tool("fit", "steps.csv", "--target", "y", "--test-fraction", 0.75, "--optimizer", "sgd",
                                   "--set", "learning_rate=1e9", "--l2", 0, "--seed", seed)
            self.assertEqual((result.returncode, result.stdout), (1, ""))
            found = re.fullmatch(r"loss: sgd left the finite numbers after \d+ iterations?, first in line (\d) of "
                                 r"steps\.csv: its steps are probably too long\n", result.stderr)
            self.assertTrue(found, result.stderr)
            lines.add(int(found[1]))
        self.assertGreater(len(lines), 1)
        self.assertLessEqual(lines, {2, 3, 4, 5})

    def test_losses_of_probabilities(self):
        for command in "fit", "compare":
            self.failed("the predictions of the loss binary_cross_entropy are probabilities, which a linear model does not "
                        "make; use logistic", command, CANCER, "--target", "diagnosis", "--loss",
                        "binary_cross_entropy", status=2)
            self.failed("the predictions of the loss cross_entropy are probabilities, which a linear model does not make; "
                        "use input=logits", command, DIGITS, "--target", "digit", "--loss-set",
                        "input=probabilities", status=2)


class Fit(ToolTest):
    def test_losses_with_kinks(self):
        numbers = "".join(f"{math.sin(7 * i):.4f},{math.cos(5 * i):.4f},{2 * math.sin(7 * i) - math.cos(5 * i) + (i % 7 == 0):.4f}\n"
                          for i in range(1, 200))
        self.file("numbers.csv", "a,b,y\n" + numbers)
        for loss in "absolute_error", "quantile", "epsilon_insensitive":
            for l2 in "0", "0.001", "0.1":
                result = self.json("fit", "numbers.csv", "--target", "y", "--loss", loss, "--l2", l2)
                self.assertEqual(result["optimizer"], "lbfgs")
                self.assertLess(result["iterations"], 1000)
                if l2 == "0" and loss == "absolute_error":  # the outliers do not count: 1 in 7 rows is off by 1
                    self.assertAlmostEqual(result["objective"], 1 / 7, delta=0.03)
        for penalty, optimizer in (("l2=0.1", "lbfgs"), ("l1=0.01", "owlqn"), ("box=-1:1", "lbfgsb"),
                                   ("group_lasso=0.01,group_size=2", "spectral_projected_gradient")):
            result = self.json("fit", CANCER, "--target", "diagnosis", "--loss", "hinge", "--penalty", penalty)
            self.assertEqual(result["optimizer"], optimizer)
            self.assertGreater(result["test_accuracy"], 0.93)
        smooth = self.json("fit", CANCER, "--target", "diagnosis", "--set", "max_iterations=7")
        self.assertEqual(smooth["test"], "max_iterations")

    def test_a_long_memory_where_the_features_are_many_times_it(self):
        columns, rows = 1001, 600
        self.file("wide.csv", ",".join(f"x{j}" for j in range(columns)) + ",y\n" + "".join(
            ",".join(f"{math.sin(i * (j + 1) + j * j) / (1 + j % 40):.3f}" for j in range(columns)) + f",{'no' if i * 7 % 11 < 5 else 'yes'}\n"
            for i in range(rows)))
        fit = "fit", "wide.csv", "--target", "y", "--l2", "1e-3", "--test-fraction", "0", "--no-standardize"
        pairs = rows * columns // 8 // (2 * (columns + 1))
        result = self.json(*fit)
        self.assertEqual(result["objective"], self.json(*fit, "--set", f"memory={pairs}")["objective"])
        self.assertLess(result["evaluations"], self.json(*fit, "--set", "memory=20")["evaluations"])

    def test_a_kink_where_no_step_leads_on_is_no_failure(self):
        self.file("v.csv", "x,y\n" + "".join(f"{x},{y}\n" for x, y in ((-1, 0.5), (0.25, 1.25), (1, -3), (2, 4.5), (3.5, 2))))
        outcomes = set()
        for l2 in "0", "0.003", "0.01", "0.1", "0.3", "0.9", "2":
            arguments = ["fit", "v.csv", "--target", "y", "--loss", "absolute_error", "--l2", l2, "--test-fraction", "0",
                         "--set", "value_tolerance=0"]
            result = self.json(*arguments)
            outcomes.add(result["outcome"])
            if result["outcome"] == "LOSS_ERROR_LINE_SEARCH":
                self.assertIn("converged to a kink", self.done(*arguments))
        self.assertLessEqual(outcomes, {"LOSS_ERROR_LINE_SEARCH", "LOSS_STOP_PRECISION", "LOSS_STOP_GRADIENT"})
        self.assertIn("LOSS_ERROR_LINE_SEARCH", outcomes, "another data set is needed to meet it")

    def test_bounds_that_cross_are_wrong_usage(self):
        for penalty in "box=1:0", "box=0:1,upper=-2.5":
            self.usage(f"{penalty}: no number is at least", "fit", CANCER, "--target", "diagnosis", "--penalty", penalty)

    def test_classes_by_name(self):
        result = self.json("fit", CANCER, "--target", "diagnosis")
        self.assertEqual((result["loss"], result["classes"], result["features"]), ("logistic", 2, 30))
        self.assertEqual((result["train_rows"], result["test_rows"]), (427, 142))
        self.assertGreater(result["test_accuracy"], 0.93)
        self.assertIn(result["outcome"], ("LOSS_STOP_GRADIENT", "LOSS_STOP_VALUE", "LOSS_STOP_PRECISION"))

    def test_classes_by_number(self):
        result = self.json("fit", DIGITS, "--target", "digit", "--optimizer", "newton_cg")
        self.assertEqual((result["loss"], result["classes"]), ("cross_entropy", 10))
        self.assertGreater(result["test_accuracy"], 0.94)

    def test_margins(self):
        for settings in (), ("--loss-set", "target_encoding=zero_one"):
            result = self.json("fit", CANCER, "--target", "diagnosis", "--loss", "hinge", "--optimizer",
                               "gradient_descent", "--set", "max_iterations=300", *settings)
            self.assertGreater(result["test_accuracy"], 0.9)

    def test_least_squares_by_hand(self):
        # y = 2 a - 3 b + 0.5 exactly, so everything is recovered.
        rows = "".join(f"{a},{b},{2 * a - 3 * b + 0.5}\n" for a, b in [(0, 1), (2, 5), (3, -1), (7, 2), (-4, 4)])
        self.file("plane.csv", "a,b,y\n" + rows)
        result = self.json("fit", "plane.csv", "--target", "y", "--l2", 0, "--test-fraction", 0, "--no-standardize",
                           "--model", "m.json", "--set", "gradient_tolerance=1e-12")
        self.assertEqual((result["loss"], result["test_rows"], result["test_rmse"]), ("squared_error", 0, "NaN"))
        self.assertLess(result["train_rmse"], 1e-8)
        model = json.loads((self.path / "m.json").read_text())
        for got, expected in zip(model["weights"][0] + model["intercept"], [2, -3, 0.5]):
            self.assertAlmostEqual(got, expected, delta=1e-8)

    def test_penalty_shrinks(self):
        objectives = {}
        for l2 in 0.001, 10:
            self.json("fit", CANCER, "--target", "diagnosis", "--l2", l2, "--model", f"{l2}.json")
            model = json.loads((self.path / f"{l2}.json").read_text())
            objectives[l2] = math.fsum(w * w for w in model["weights"][0])
        self.assertLess(objectives[10], objectives[0.001] / 10)

    def test_same_bits_again_and_for_any_threads(self):
        results = [self.json("fit", DIGITS, "--target", "digit", "--threads", threads, "--set", "max_iterations=20")
                   for threads in (1, 1, 2, 4)]
        for result in results:
            self.assertEqual(bits(result["objective"]), bits(results[0]["objective"]))
            self.assertEqual(bits(result["gradient_norm"]), bits(results[0]["gradient_norm"]))

    def test_same_bits_on_every_instruction_set(self):
        arguments = "fit", DIGITS, "--target", "digit", "--set", "max_iterations=20", "--json"
        results = [json.loads(self.run_tool(*arguments, environment={"LOSS_ISA": isa}).stdout)
                   for isa in ("base", "avx2", "avx512", "neon")]
        for result in results:
            self.assertEqual(bits(result["objective"]), bits(results[0]["objective"]))

    def test_seeds_differ(self):
        first, second = (self.json("fit", CANCER, "--target", "diagnosis", "--seed", seed) for seed in (1, 2))
        self.assertNotEqual(first["objective"], second["objective"])

    def test_text(self):
        text = self.done("fit", CANCER, "--target", "diagnosis")
        for fragment in "427 rows to train on, 142 held out", "2 classes", "lbfgs: converged", "accuracy":
            self.assertIn(fragment, text)

    def test_one_of_a_thing(self):
        rows = "".join(f"{i},{i % 2}\n" for i in range(9))
        text = self.done("fit", self.file("one.csv", "x,y\n" + rows), "--target", "y", "--set", "max_iterations=1")
        self.assertIn(", 1 feature\n", text)
        self.assertIn("after 1 iteration, ", text)
        self.assertIn(", 1 feature, ", self.done("compare", "one.csv", "--target", "y"))

    def test_limits_are_told(self):
        result = self.json("fit", DIGITS, "--target", "digit", "--set", "max_iterations=3")
        self.assertEqual((result["outcome"], result["test"], result["iterations"]),
                         ("LOSS_STOP_ITERATIONS", "max_iterations", 3))

    def test_model_that_cannot_be_written(self):
        self.failed("no/m.json: cannot write: No such file or directory", "fit", CANCER, "--target", "diagnosis",
                    "--model", "no/m.json")


class Predict(ToolTest):
    def fit(self, data, target, *arguments):
        return self.json("fit", data, "--target", target, "--model", "m.json", *arguments)

    def test_classes(self):
        fitted = self.fit(CANCER, "diagnosis", "--test-fraction", 0)
        result = self.json("predict", "m.json", CANCER)
        self.assertEqual(result["rows"], 569)
        self.assertEqual(result["accuracy"], fitted["train_accuracy"])
        self.assertEqual(set(result["predictions"]), {"malignant", "benign"})
        lines = self.done("predict", "m.json", CANCER).splitlines()
        self.assertEqual(lines, ["diagnosis", *result["predictions"]])
        for name, score in zip(result["predictions"], result["scores"]):
            self.assertEqual(name, "malignant" if score > 0 else "benign")

    def test_columns_are_found_by_name(self):
        self.fit(CANCER, "diagnosis")
        with open(CANCER, newline="") as file:
            rows = list(csv.reader(file))
        # reversed, without the target, and with a column the model does not know
        shuffled = "".join(",".join([*reversed(row[:-1]), "x"]) + "\n" for row in rows)
        self.file("shuffled.csv", shuffled)
        straight, turned = (self.json("predict", "m.json", data) for data in (CANCER, "shuffled.csv"))
        self.assertNotIn("accuracy", turned)
        self.assertEqual(straight["scores"], turned["scores"])

    def test_many_classes_and_quotes(self):
        names = ['plain', 'a "quoted" one', 'with, comma']
        rows = "".join(f'{10 * (i % 3) + 0.1 * (i % 4)},{(i % 3) ** 2},"{names[i % 3].replace(chr(34), 2 * chr(34))}"\n'
                       for i in range(60))
        self.file("names.csv", "a,b,kind\n" + rows)
        self.fit("names.csv", "kind")
        lines = list(csv.reader(self.done("predict", "m.json", "names.csv").splitlines()))
        self.assertEqual([line[0] for line in lines[1:]], [names[i % 3] for i in range(60)])
        scores = self.json("predict", "m.json", "names.csv")["scores"]
        self.assertEqual({len(row) for row in scores}, {3})

    def test_numbers(self):
        rows = "".join(f"{i},{0.25 * i + 1 + 0.001 * (i % 2)}\n" for i in range(50))
        self.file("line.csv", "x,y\n" + rows)
        self.fit("line.csv", "y", "--l2", 0, "--loss", "huber")
        result = self.json("predict", "m.json", self.file("new.csv", "x\n100\n"))
        self.assertAlmostEqual(result["predictions"][0], 26, delta=0.01)
        self.assertLess(self.json("predict", "m.json", "line.csv")["rmse"], 0.001)

    def test_what_does_not_fit(self):
        self.fit(CANCER, "diagnosis")
        self.file("x.csv", "mean_radius\n1\n")
        result = self.run_tool("predict", "m.json", "x.csv")
        self.assertEqual(result.returncode, 1)
        self.assertIn('no column "mean_texture"', result.stderr)
        result = self.run_tool("predict", "x.csv", CANCER)
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"^loss: x\.csv: line 1, column \d+: .*\n$")
        model = json.loads((self.path / "m.json").read_text())
        for change, sentence in (({"format": "other"}, "this is no model written by loss fit"),
                                 ({"version": 2}, "the model is of a version this command does not know"),
                                 ({"classes": ["a", "b", "c"]}, "the model's weights do not fit its classes"),
                                 ({"mean": [1]}, "the model's mean, scale, intercept or weights are not as many numbers "
                                                 "as it has features"),
                                 ({"target": None}, "the model lacks its loss, target, features, classes or weights")):
            self.file("bad.json", json.dumps({**model, **change}))
            self.failed("bad.json: " + sentence, "predict", "bad.json", CANCER)
        with open(CANCER) as file:
            self.file("other.csv", file.read().replace("malignant", "unknown"))
        self.failed('other.csv: line 2, column 31 ("diagnosis"): "unknown" is none of the 2 classes', "predict", "--json",
                    "m.json", "other.csv")


class Compare(ToolTest):
    def test_all_families_on_a_small_problem(self):
        result = self.json("compare", CANCER, "--target", "diagnosis", "--seeds", "3-4")
        self.assertEqual([row["optimizer"] for row in result["results"]], FAMILIES)
        self.assertEqual(len(result["reference_objectives"]), 2)
        for row in result["results"]:
            self.assertEqual([run["seed"] for run in row["runs"]], [3, 4])
            self.assertGreaterEqual(row["gap"], 0)
            self.assertGreater(row["evaluations"], 0)
            self.assertGreater(row["passes"], 0)
            self.assertAlmostEqual(row["objective"], sum(run["objective"] for run in row["runs"]) / 2, delta=1e-15)
            self.assertLess(row["gap"], 0.05)
        for name in "lbfgs", "newton_cg", "conjugate_gradient":
            row, = [row for row in result["results"] if row["optimizer"] == name]
            self.assertLess(row["gap"], 1e-6)

    def test_fit_is_one_line_of_it(self):
        row, = self.json("compare", CANCER, "--target", "diagnosis", "--optimizer", "lbfgs")["results"]
        fitted = self.json("fit", CANCER, "--target", "diagnosis")
        self.assertEqual(bits(row["objective"]), bits(fitted["objective"]))
        self.assertEqual(row["accuracy"], fitted["test_accuracy"])
        self.assertEqual(row["evaluations"], fitted["evaluations"])

    def test_text(self):
        lines = self.done("compare", CANCER, "--target", "diagnosis").splitlines()
        heading, = [line for line in lines if line.startswith("optimizer")]
        self.assertEqual(heading.split(), ["optimizer", "iterations", "evaluations", "passes", "objective", "gap",
                                           "gradient", "accuracy", "seconds", "outcome"])
        rows = lines[lines.index(heading) + 1:][:5]
        self.assertEqual([row.split()[0] for row in rows], FAMILIES)

    def test_numbers(self):
        rows = "".join(f"{i % 11},{i % 7},{(3 * (i % 11) - (i % 7)) / 4 + (i % 5) / 10}\n" for i in range(77))
        self.file("numbers.csv", "a,b,y\n" + rows)
        result = self.json("compare", "numbers.csv", "--target", "y", "--optimizer", "lbfgs", "--optimizer", "newton_cg")
        for row in result["results"]:
            self.assertLess(row["rmse"], 0.25)
            self.assertLess(row["gap"], 1e-6)


class Families(ToolTest):
    def test_held_out_accuracy_on_the_digits(self):
        """At least 95 % in the mean over the splits of the seeds 1 to 10, for every family."""
        result = self.json("compare", DIGITS, "--target", "digit", "--seeds", "1-10")
        self.assertEqual(result["loss"], "cross_entropy")
        self.assertGreater(result["l2"], 0)
        for row in result["results"]:
            with self.subTest(optimizer=row["optimizer"]):
                self.assertEqual(len(row["runs"]), 10)
                self.assertEqual([run["failure"] for run in row["runs"]], [None] * 10)
                self.assertGreaterEqual(row["accuracy"], 0.95)


if __name__ == "__main__":
    program = unittest.main(exit=False)
    if program.result.skipped and len(program.result.skipped) == program.result.testsRun:
        print(program.result.skipped[0][1])
        sys.exit(77)
    sys.exit(not program.result.wasSuccessful())
