"""The formats, penalties, paths and probabilities of the loss command. Run with a class name."""
import csv
import gzip
import json
import math
import random
import struct
import sys
import unittest
import xml.etree.ElementTree

from tool_case import CANCER, DIGITS, ToolTest, bits

TYPES = {"<f4": "f", "<f8": "d", "<i4": "i", "<i8": "q", "|u1": "B"}


def npy(rows, kind="<f8", fortran=False):
    """A .npy file of one or two dimensions."""
    flat = not isinstance(rows[0], (list, tuple))
    shape = f"({len(rows)},)" if flat else f"({len(rows)}, {len(rows[0])})"
    header = f"{{'descr': '{kind}', 'fortran_order': {fortran}, 'shape': {shape}, }}".ljust(117) + "\n"
    values = rows if flat else [x for row in (zip(*rows) if fortran else rows) for x in row]
    return (b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
            + struct.pack(f"<{len(values)}{TYPES[kind]}", *values))


def idx(values, *shape):
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, len(shape), *shape) + bytes(values)


def cancer():
    with open(CANCER, newline="") as file:
        rows = list(csv.reader(file))
    return rows[0], [([float(x) for x in row[:-1]], row[-1]) for row in rows[1:]]


class Formats(ToolTest):
    """The same data in every format give the same: to the bit where they are dense, else up to rounding."""

    def setUp(self):
        super().setUp()
        header, rows = cancer()
        self.rows = [row for row, _ in rows]
        self.labels = [int(label == "malignant") for _, label in rows]
        lines = [",".join([*header[:-1], "label"])] + [
            ",".join([*map(repr, row), str(label)]) for row, label in zip(self.rows, self.labels)]
        self.file("plain.csv", "\n".join(lines) + "\n")

    def fit(self, *arguments):
        return self.json("fit", *arguments, "--set", "max_iterations=30")

    def svm(self, first=1):
        return "".join(f"{label} " + " ".join(f"{j + first}:{x!r}" for j, x in enumerate(row) if x) + "\n"
                       for row, label in zip(self.rows, self.labels))

    def test_the_same_bits(self):
        expected = self.fit("plain.csv", "--target", "label")
        self.assertEqual(expected["loss"], "logistic")
        files = {
            "a.svm": (self.svm(),), "a.txt": (self.svm(),), "zero.svm": (self.svm(0), "--first-index", 0),
            "a.npy": (npy(self.rows), "--target-file", self.file("labels.npy", npy(self.labels, "<i8"))),
            "a.bin": (npy(self.rows, fortran=True), "--target-file", self.file("labels.idx", idx(self.labels, len(self.labels)))),
            "b.npy": (npy(self.rows), "--target-file", self.file("labels.csv", "label\n" + "\n".join(map(str, self.labels)))),
            "c.npy": (npy(self.rows), "--target-file", "plain.csv", "--target", "label"),
        }
        sparse = {}
        for name, (content, *arguments) in files.items():
            content = content if isinstance(content, bytes) else content.encode()
            for path in self.file(name, content), self.file(name + ".gz", gzip.compress(content)):
                with self.subTest(path):
                    result = self.fit(path, *arguments)
                    self.assertEqual(result["test_accuracy"], expected["test_accuracy"])
                    same = expected
                    if ".svm" in path or ".txt" in path:
                        same = sparse.setdefault("result", result)
                        self.assertAlmostEqual(result["objective"] / expected["objective"], 1, delta=1e-9)
                    for key in "objective", "gradient_norm":
                        self.assertEqual(bits(result[key]), bits(same[key]))
                    self.assertEqual(result["classes"], 2)
        # told by an option, against the name
        self.file("svm.csv", self.svm())
        self.assertEqual(self.fit("svm.csv", "--format", "libsvm")["objective"], sparse["result"]["objective"])

    def test_images(self):
        with open(DIGITS, newline="") as file:
            rows = list(csv.reader(file))[1:501]
        pixels = [int(x) for row in rows for x in row[:-1]]
        self.file("images", idx(pixels, 500, 8, 8))
        self.file("labels", idx([int(row[-1]) for row in rows], 500))
        result = self.fit("images", "--target-file", "labels", "--dtype", "float32", "--model", "m.json")
        self.assertEqual((result["loss"], result["features"], result["classes"]), ("cross_entropy", 64, 10))
        self.assertGreater(result["test_accuracy"], 0.9)
        model = json.loads((self.path / "m.json").read_text())
        self.assertEqual((model["features"][:2], model["classes"][3], model["target"]), (["1", "2"], "3", "target"))
        told = self.json("predict", "m.json", "images", "--target-file", "labels")
        self.assertGreater(told["accuracy"], 0.95)
        self.assertEqual(len(self.done("predict", "m.json", "images").splitlines()), 501)

    def test_float32(self):
        double, single = (self.fit("plain.csv", "--target", "label", "--dtype", dtype) for dtype in ("float64", "float32"))
        self.assertNotEqual(double["objective"], single["objective"])
        self.assertAlmostEqual(double["objective"], single["objective"], delta=1e-4)
        for data in "plain.csv", self.file("n.csv", "x,y\n" + "".join(f"{i},{i / 4 + i % 3}\n" for i in range(40))):
            target = "label" if data == "plain.csv" else "y"
            result = self.json("compare", data, "--target", target, "--dtype", "float32", "--optimizer", "lbfgs")
            self.assertEqual(result["results"][0]["runs"][0]["failure"], None)

    def test_held_out_file(self):
        header, body = (self.path / "plain.csv").read_text().split("\n", 1)
        body = body.splitlines()
        self.file("train.csv", "\n".join([header, *body[:400]]) + "\n")
        # other order of the columns, and one more
        names = header.split(",")
        self.file("test.csv", "\n".join(",".join([*reversed(line.split(",")), "x"])
                                        for line in [header, *body[400:]]) + "\n")
        arguments = "train.csv", "--target", "label", "--model", "m.json"
        result = self.fit(*arguments, "--test", "test.csv")
        self.assertEqual((result["train_rows"], result["test_rows"]), (400, 169))
        told = self.json("predict", "m.json", "test.csv")
        self.assertEqual(told["accuracy"], result["test_accuracy"])
        self.file("test.npy", npy(self.rows[400:]))
        self.file("labels.npy", npy(self.labels[400:], "<i4"))
        other = self.fit(*arguments, "--test", "test.npy", "--test-target-file", "labels.npy")
        self.assertEqual(other["test_accuracy"], result["test_accuracy"])
        both = self.json("compare", *arguments[:3], "--test", "test.csv", "--seeds", "1-2", "--optimizer", "lbfgs")
        for run in both["results"][0]["runs"]:
            self.assertAlmostEqual(run["test_score"], result["test_accuracy"], delta=0.02)
        self.usage("not by both", "fit", "train.csv", "--target", "label", "--test", "test.csv", "--test-fraction", 0.5)
        self.usage("--test-target-file without --test", "fit", "train.csv", "--target", "label", "--test-target-file", "x")
        self.failed('bad.csv: line 2, column 1 ("label"): "7" is none of the 2 classes', "fit", *arguments, "--test",
                    self.file("bad.csv", ",".join(reversed(names)) + "\n7" + ",1" * 30 + "\n"))
        self.failed("few.npy has 1 feature, the model has 30", "fit", *arguments, "--test",
                    self.file("few.npy", npy([[1.0]])), "--test-target-file", self.file("one.npy", npy([1])))

    def test_predict(self):
        self.fit(self.file("zero.svm", self.svm(0)), "--first-index", 0, "--model", "m.json")
        # The last column lacks, and with it the number of columns: the model knows it.
        short = "".join(line.rsplit(" ", 1)[0] + "\n" for line in self.svm(0).splitlines())
        self.assertEqual(len(self.json("predict", "m.json", self.file("short.svm", short))["predictions"]), 569)
        self.failed("wide.svm: line 1, column 3: index 30, but there are 30 columns, counted from 0", "predict", "m.json",
                    self.file("wide.svm", "1 30:2\n"))
        straight = self.json("predict", "m.json", "zero.svm")
        self.assertEqual(straight["target"], "label")
        dense = self.json("predict", "m.json", self.file("a.npy", npy(self.rows)))["scores"]
        for x, y in zip(dense, straight["scores"]):
            self.assertAlmostEqual(x, y, delta=1e-11 * max(1, abs(x)))

    def test_malformed(self):
        good = npy(self.rows)
        fit = lambda *a: ("fit", *a, "--target-file", "labels.npy")
        self.file("labels.npy", npy(self.labels, "<i8"))
        self.failed("cut.npy: byte 136687: the shape needs 136560 bytes of data, there are 136559",
                    *fit(self.file("cut.npy", good[:-1])))
        self.failed("empty.npy: there are no rows; one for each sample to learn from was expected", *fit(
            self.file("empty.npy", good[:10] + b"{'descr': '<f8', 'fortran_order': False, 'shape': (0, 3), }".ljust(117) + b"\n")))
        huge = b"{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904, 3), }".ljust(117) + b"\n"
        self.failed("huge.npy: byte 128: the shape has more elements than memory can hold",
                    *fit(self.file("huge.npy", good[:10] + huge)))
        result = self.run_tool(*fit(self.file("magic.npy", b"\x93NUMPX" + good[6:])))
        self.assertEqual((result.returncode, result.stdout, result.stderr.count("\n")), (1, "", 1))
        self.assertIn("magic.npy: byte 0", result.stderr)
        self.failed("nan.npy: row 2, column 1: nan is no finite number", "fit", self.file("nan.npy", npy([[1.0], [math.nan]])),
                    "--target-file", self.file("two.npy", npy([0, 1], "<i4")))
        self.failed("two.npy has 2 rows, a.npy has 569", "fit", self.file("a.npy", good), "--target-file", "two.npy")
        self.file("nan2.npy", npy([[1.0], [2.0]]))
        self.failed("wide.npy has 2 columns; a target has one", "fit", "nan2.npy", "--target-file",
                    self.file("wide.npy", npy([[1.0, 2.0], [3.0, 4.0]])))
        self.failed("t.npy: row 2: the target inf is no finite number", "fit", "nan2.npy", "--target-file",
                    self.file("t.npy", npy([1.0, math.inf])))
        self.failed("labels.svm: a target file is CSV, .npy or IDX, this is LIBSVM", "fit", "nan2.npy", "--target-file",
                    self.file("labels.svm", "1 1:2\n"))
        self.failed("x.idx: byte 0: no IDX file: it does not begin with two zeros and an element type",
                    *fit(self.file("x.idx", b"\0\0\x77\1\0\0\0\1x")))
        self.failed("y.idx: byte 9: the shape needs 4294967295 bytes of data, there are 1",
                    *fit(self.file("y.idx", b"\0\0\x08\1\xff\xff\xff\xffx")))
        for text, sentence in (("1 2:1 1:3\n", "line 1, column 7: index 1 after 2; indices must rise"),
                               ("1 1:1\n-1 2:1 2:3\n", "line 2, column 8: index 2 stands twice"),
                               ("1 -1:1\n", 'line 1, column 3: "-1:1" has a negative index'),
                               ("1 0:1\n", "line 1, column 3: index 0, but the first column is 1"),
                               ("1 99999999999999999999:1\n",
                                'line 1, column 3: "99999999999999999999" is too large an index for int32'),
                               ("1 1:x\n", 'line 1, column 5: "x" is no number'),
                               ("yes 1:2\n", 'line 1, column 1: "yes" is no label; a row begins with a number'),
                               ("1 1:2\n2 1\n", 'line 2, column 3: "1" is no index:value'),
                               ("1 1:2 # x\n1 999999999999:3\n-1 5:1\n",
                                'line 2, column 3: "999999999999" is too large an index for int32'),
                               ("# its name\n1 1:2\n\n2 1:1 3:nan\n", "line 4, index 3: nan is no finite number"),
                               ("1 1:2\n\n2 1:1 7:-1e400\n", "line 3, index 7: the number is infinite or too large for float64"),
                               ("1e400 1:2\n", "line 1, label: the number is infinite or too large for float64"),
                               ("1 1:2\nnan 1:2\n", "line 2, label: nan is no finite number")):
            with self.subTest(text):
                self.failed(f"bad.svm: {sentence}", "fit", self.file("bad.svm", text))
        self.failed("bad.svm has 2000000000 columns; a model has at most 67108864 features", "fit",
                    self.file("bad.svm", "1 1:2\n2 2000000000:1\n"))
        result = self.run_tool("fit", self.file("cut.csv.gz", gzip.compress(b"a,y\n1,2\n" * 99)[:-9]), "--target", "y")
        self.assertEqual((result.returncode, result.stdout, result.stderr.count("\n")), (1, "", 1))
        self.assertIn("cut.csv.gz: ", result.stderr)

    def test_wrong_usage(self):
        self.usage("--format xls: expected csv, libsvm, npy or idx", "fit", "a.csv", "--format", "xls")
        self.usage("--dtype float16: expected float32 or float64", "fit", "a.csv", "--dtype", "float16")
        self.usage("--first-index 2: expected a whole number from 0 to 1", "fit", "a.csv", "--first-index", 2)
        self.usage("a.npy has features only: --target-file says where the target is", "fit",
                   self.file("a.npy", npy([[1.0], [2.0]])))
        self.usage("--target is missing: which column of plain.csv is to be learned", "fit", "plain.csv")


class Sparse(ToolTest):
    """What is trained, checked and compared on LIBSVM files, without making them dense, is as with the same data as CSV."""

    def setUp(self):
        super().setUp()
        draw = random.Random(7)
        self.rows, self.kinds = [], []
        for _ in range(240):
            row = [draw.choice((0, 0, 0, 1, draw.uniform(-3, 3))) for _ in range(12)] + [0.1 * 3]  # the last is constant
            score = row[0] - 2 * row[3] + row[7] / 2 + draw.gauss(0, 0.3)
            self.rows.append(row)
            self.kinds.append((score > -0.5) + (score > 0.5))

    def write(self, name, labels, rows):
        self.file(name + ".csv", ",".join([*map(str, range(1, 14)), "label"]) + "\n" + "".join(
            ",".join(map(repr, [*row, label])) + "\n" for row, label in zip(rows, labels)))
        self.file(name + ".svm", "".join(f"{label!r} " + " ".join(f"{j}:{x!r}" for j, x in enumerate(row, 1) if x) + "\n"
                                         for row, label in zip(rows, labels)))

    def both(self, command, name, *arguments):
        return (self.json(command, name + ".csv", "--target", "label", *arguments),
                self.json(command, name + ".svm", *arguments))

    def close(self, dense, sparse, relative=1e-9):
        self.assertAlmostEqual(sparse / dense, 1, delta=relative)

    def targets(self):
        return {"two": [int(kind > 0) for kind in self.kinds], "three": self.kinds,
                "numbers": [kind + row[2] / 3 + 0.25 for kind, row in zip(self.kinds, self.rows)]}

    def test_columns(self):
        """A file to test on may have a column that the one to train on lacks: how many there are can be said."""
        self.file("few.svm", "".join(f"{i % 2} 1:{i % 5} 2:{i % 3}\n" for i in range(40)))
        self.file("more.svm", "".join(f"{i % 2} 1:{i % 5} 4:{i % 7}\n" for i in range(20)))
        self.failed("more.svm: line 1, column 7: index 4, but there are 2 columns, counted from 1",
                    "fit", "few.svm", "--test", "more.svm")
        result = self.json("fit", "few.svm", "--test", "more.svm", "--columns", 4)
        self.assertEqual((result["features"], result["test_rows"]), (4, 20))
        self.usage("--columns 0", "fit", "few.svm", "--columns", 0)

    def test_fit_and_predict(self):
        for name, labels in self.targets().items():
            self.write(name, labels, self.rows)
            for arguments in ((), ("--no-standardize",), ("--penalty", "l1=0.01"), ("--optimizer", "newton_cg"),
                              ("--optimizer", "sgd", "--seed", 3), ("--optimizer", "saga", "--seed", 4)):
                with self.subTest(name=name, arguments=arguments):
                    stop = () if "sgd" in arguments or "saga" in arguments else ("--set", "gradient_tolerance=1e-9")
                    dense, sparse = (self.json("fit", *data, *arguments, *stop, "--model", model) for data, model in (
                        ((name + ".csv", "--target", "label"), "d.json"), ((name + ".svm",), "s.json")))
                    self.close(dense["objective"], sparse["objective"])
                    for key in "train_rows", "test_rows", "features", "classes", "loss", "optimizer":
                        self.assertEqual(dense[key], sparse[key])
                    score = "rmse" if name == "numbers" else "accuracy"
                    for part in "train_", "test_":
                        self.close(dense[part + score], sparse[part + score], 1e-6 if score == "rmse" else 0)
                    told = [self.json("predict", model, name + end) for model in ("d.json", "s.json") for end in (".csv", ".svm")]
                    for other in told[1:]:
                        self.close(told[0][score], other[score], 1e-6 if score == "rmse" else 0)
                    for x, y in zip(told[2]["scores"], told[3]["scores"]):
                        for x, y in zip(x, y) if isinstance(x, list) else [(x, y)]:
                            self.assertAlmostEqual(x, y, delta=1e-12 * max(1, abs(x)))
        scales = json.loads((self.path / "s.json").read_text())["scale"]
        self.assertEqual([scale == 0 for scale in scales], [False] * 12 + [True])

    def test_probabilities(self):
        for name in "two", "three":
            self.write(name, self.targets()[name], self.rows)
            self.json("fit", name + ".svm", "--model", "m.json")
            dense, sparse = (self.json("predict", "m.json", name + end, "--probabilities") for end in (".csv", ".svm"))
            for first, second in zip(dense["probabilities"], sparse["probabilities"]):
                self.assertAlmostEqual(math.fsum(second), 1, delta=1e-12)
                for x, y in zip(first, second):
                    self.assertAlmostEqual(x, y, delta=1e-12)

    def test_held_out_file(self):
        labels = self.targets()["three"]
        self.write("train", labels[:160], self.rows[:160])
        self.write("test", labels[160:], self.rows[160:])
        results = [self.json("fit", *data, "--test", test) for data in (("train.csv", "--target", "label"), ("train.svm",))
                   for test in ("test.csv", "test.svm")]
        for result in results:
            self.assertEqual((result["train_rows"], result["test_rows"]), (160, 80))
            self.assertEqual(result["test_accuracy"], results[0]["test_accuracy"])
            self.close(results[0]["objective"], result["objective"], 1e-7)

    def test_path_and_check(self):
        self.write("two", self.targets()["two"], self.rows)
        dense, sparse = self.both("fit", "two", "--penalty", "l1=0.3:0.003:6", "--set", "gradient_tolerance=1e-9")
        for x, y in zip(dense["path"], sparse["path"]):
            self.close(x["objective"], y["objective"])
            self.close(x["cost"], y["cost"], 1e-7)
            self.assertEqual((x["nonzeros"], x["best"], x["test_accuracy"]), (y["nonzeros"], y["best"], y["test_accuracy"]))
        for result in self.both("check", "two"):
            self.assertEqual([check["verdict"] for check in result["checks"]], ["ok"] * 3)

    def test_compare(self):
        self.write("two", self.targets()["two"], self.rows)
        dense, sparse = self.both("compare", "two", "--seeds", "1-3")
        for x, y in zip(dense["reference_objectives"], sparse["reference_objectives"]):
            self.close(x, y)
        for x, y in zip(dense["results"], sparse["results"]):
            self.assertEqual(x["optimizer"], y["optimizer"])
            for first, second in zip(x["runs"], y["runs"]):
                self.close(first["objective"], second["objective"], 1e-6)
                self.assertEqual((first["failure"], first["seed"]), (second["failure"], second["seed"]))
        # the rows are put back between the splits: each is that of its seed alone
        alone = self.json("compare", "two.svm", "--seeds", "3")
        self.assertEqual(alone["reference_objectives"][0], sparse["reference_objectives"][2])

    def test_wide(self):
        """As dense as 3000 rows of 10^6 columns these would take 24 GB."""
        draw = random.Random(3)
        lines = []
        for i in range(3000):
            columns = sorted(draw.sample(range(1, 1000001), 5))
            lines.append(f"{i % 2} {1 + i % 2}:1 " + " ".join(f"{c}:{draw.random():.3f}" for c in columns if c > 2))
        result = self.json("fit", self.file("wide.svm", "\n".join([*lines, "1 1000000:1"]) + "\n"), "--set", "max_iterations=20")
        self.assertEqual(result["features"], 1000000)
        self.assertGreater(result["test_accuracy"], 0.99)


class Penalties(ToolTest):
    def fit(self, *arguments):
        return self.json("fit", CANCER, "--target", "diagnosis", "--model", "m.json", *arguments)

    def weights(self):
        return json.loads((self.path / "m.json").read_text())["weights"][0]

    def test_optimizers_are_chosen(self):
        for penalty, optimizer in (("l2=0.01", "lbfgs"), ("l1=0.01", "owlqn"), ("elastic_net=0.01,l1_ratio=0.5", "owlqn"),
                                   ("group_lasso=0.02,group_size=3", "spectral_projected_gradient"),
                                   ("box=-0.5:0.25", "lbfgsb"), ("simplex=1", "spectral_projected_gradient")):
            with self.subTest(penalty):
                result = self.fit("--penalty", penalty)
                self.assertEqual((result["optimizer"], result["penalties"]), (optimizer, [penalty]))
                self.assertIn(result["outcome"], ("LOSS_STOP_GRADIENT", "LOSS_STOP_VALUE", "LOSS_STOP_PRECISION"))
                self.assertGreater(result["test_accuracy"], 0.85)
                weights = self.weights()
                if "l1" in penalty or "lasso" in penalty:
                    self.assertGreater(weights.count(0), 5)
                if "lasso" in penalty:
                    for j in range(0, 30, 3):
                        self.assertIn(weights[j:j + 3].count(0), (0, 3))
                if "box" in penalty:
                    self.assertEqual((min(weights), max(weights)), (-0.5, 0.25))
                if "simplex" in penalty:
                    self.assertAlmostEqual(math.fsum(weights), 1, delta=1e-12)
                    self.assertGreaterEqual(min(weights), 0)

    def test_several(self):
        both = self.fit("--penalty", "l1=0.01", "--l2", 0.02)
        elastic = self.fit("--penalty", f"elastic_net={0.03!r},l1_ratio={1 / 3!r}")
        self.assertEqual((both["penalties"], both["optimizer"]), (["l1=0.01", "l2=0.02"], "owlqn"))
        self.assertAlmostEqual(both["objective"], elastic["objective"], delta=1e-7)
        boxed = self.fit("--penalty", "l1=0.01", "--penalty", "box=:0.2")
        self.assertEqual(boxed["optimizer"], "spectral_projected_gradient")
        self.assertEqual(max(self.weights()), 0.2)
        self.assertEqual(self.fit("--l2", 0.003)["objective"], self.fit("--penalty", "l2=0.003")["objective"])
        self.assertEqual((self.fit()["l2"], self.fit("--l2", 0, "--set", "max_iterations=5")["penalties"]), (0.001, []))

    def test_arrays(self):
        self.file("three.csv", "a,b,c,y\n" + "".join(f"{i % 5},{i % 3},{i * i % 7},{i % 5 - 2 * (i % 3)}.5\n" for i in range(60)))
        result = self.json("fit", "three.csv", "--target", "y", "--penalty", "box=:,lower_bounds=0:-1:-2,upper_bounds=1:0:2",
                           "--model", "m.json")
        self.assertEqual(result["optimizer"], "lbfgsb")
        weights = self.weights()
        self.assertTrue(0 <= weights[0] <= 1 and -1 <= weights[1] <= 0 and -2 <= weights[2] <= 2, weights)
        self.json("fit", "three.csv", "--target", "y", "--penalty", "group_lasso=0.1,group_sizes=2:1")

    def test_compare(self):
        result = self.json("compare", CANCER, "--target", "diagnosis", "--penalty", "l1=0.01")
        self.assertEqual([row["optimizer"] for row in result["results"]],
                         ["owlqn", "spectral_projected_gradient", "accelerated_gradient"])
        for row in result["results"]:
            self.assertTrue(0 <= row["gap"] < 1e-6, row["gap"])
        self.assertIn("mean logistic + box=-1:1, ", self.done("compare", CANCER, "--target", "diagnosis", "--penalty",
                                                             "box=-1:1", "-o", "lbfgsb"))

    def test_wrong_usage(self):
        data = CANCER, "--target", "diagnosis"
        self.usage("--penalty l2: expected NAME=STRENGTH", "fit", *data, "--penalty", "l2")
        for path in "l1=0:1:3", "l1=1:1:3", "l1=1:2:1", "l1=1:2:1001", "l1=1:2:2.5", "l1=1:x:3", "l1=-1:1:3", "l1=1:inf:3":
            self.usage("expected FROM:TO:COUNT", "fit", *data, "--penalty", path)
        self.usage("only one penalty can have several strengths", "fit", *data, "--penalty", "l1=1:2:3", "--penalty", "l2=1:2:3")
        self.usage("a path of strengths is for loss fit", "compare", *data, "--penalty", "l1=1:2:3")
        self.usage("needs rows held out", "fit", *data, "--penalty", "l1=1:2:3", "--test-fraction", 0)
        # told before any file is looked for
        data = "no.csv", "--target", "y"
        self.failed("the optimizer 'lbfgs' cannot handle the penalty 'l1'; take one of 'accelerated_gradient', 'owlqn', "
                    "'spectral_projected_gradient'", "fit", *data, "--penalty", "l1=1", "-o", "lbfgs", status=2)
        for penalty, fragment in (("ridge=1", "ridge"), ("l1=-1", "-1"), ("l1=x", "l1=x: expected a number"),
                                  ("l1=1,l1_ratio=0.5", "l1_ratio"), ("elastic_net=1,l1_ratoi=1", "l1_ratio"),
                                  ("box=1", "box=1: expected LOWER:UPPER"), ("group_lasso=1,group_size=x", "a whole number"),
                                  ("box=0:1,lower_bounds=1:x", "numbers with colons between")):
            with self.subTest(penalty):
                self.usage(fragment, "fit", *data, "--penalty", penalty)

    def test_a_start_where_all_rivals_tie_is_left(self):
        """At 0 the gradient of crammer_singer is a mean over rivals that are equal, and promises more than there is."""
        kinked = "--target", "digit", "--loss", "crammer_singer", "--set", "max_iterations=30", "--optimizer"
        for optimizer in "accelerated_gradient", "lbfgs":
            self.assertLess(self.json("fit", DIGITS, *kinked, optimizer)["objective"], 0.5)
        # One class more than others: 0 is the minimum, and no failure, though every step from it leads up.
        self.file("ties.csv", "x,y\n" + "".join(f"1,k{i % 10}\n" for i in range(11)))
        fit = "fit", "ties.csv", "--target", "y", "--loss", "crammer_singer", "--test-fraction", "0", "--no-standardize"
        self.assertIn("converged to a kink", self.done(*fit))
        result = self.json(*fit)
        self.assertEqual(result["objective"], 1)
        self.assertEqual(result["outcome"], "LOSS_ERROR_LINE_SEARCH")


class Path(ToolTest):
    def test_table_model_and_picture(self):
        arguments = "fit", CANCER, "--target", "diagnosis", "--penalty", "l1=0.5:0.002:7"
        result = self.json(*arguments, "--model", "m.json", "--plot", "path.svg")
        steps = result["path"]
        strengths = [step["strength"] for step in steps]
        self.assertEqual((len(steps), strengths[0], strengths[-1]), (7, 0.5, 0.002))
        for first, second, third in zip(strengths, strengths[1:], strengths[2:]):
            self.assertAlmostEqual(first / second, second / third, delta=1e-9)
        costs, nonzeros = [step["cost"] for step in steps], [step["nonzeros"] for step in steps]
        self.assertEqual(costs, sorted(costs, reverse=True))
        self.assertEqual(nonzeros[0], 0)
        self.assertGreater(nonzeros[-1], 5)
        best, = [step for step in steps if step["best"]]
        self.assertEqual(best["test_accuracy"], max(step["test_accuracy"] for step in steps))
        self.assertEqual(best["strength"], result["best_strength"])
        model = json.loads((self.path / "m.json").read_text())
        self.assertEqual(sum(w != 0 for w in model["weights"][0]), best["nonzeros"])
        root = xml.etree.ElementTree.fromstring((self.path / "path.svg").read_text())
        svg = "{http://www.w3.org/2000/svg}"
        lines = root.find(f"{svg}g[@clip-path]").findall(f"{svg}path")
        self.assertEqual(len(lines), 1 + 30 + 4)  # where the best is, all weights, the largest again
        texts = [text.text for text in root.iter(f"{svg}text")]
        self.assertIn("log10 strength", texts)
        # each strength alone reaches the same
        alone = self.json("fit", CANCER, "--target", "diagnosis", "--penalty", f"l1={strengths[3]!r}")
        self.assertAlmostEqual(alone["objective"], steps[3]["objective"], delta=1e-7)
        text = self.done(*arguments).splitlines()
        self.assertEqual(sum(line.startswith("* ") for line in text[:-1]), 1)
        heading, = [line.split() for line in text if "non-zeros" in line]
        self.assertEqual(heading, ["strength", "objective", "cost", "non-zeros", "accuracy", "iterations", "outcome"])

    def test_numbers_and_many_classes(self):
        rows = "".join(f"{i % 11},{i % 7},{(3 * (i % 11) - (i % 7)) / 4 + (i % 5) / 10}\n" for i in range(77))
        result = self.json("fit", self.file("n.csv", "a,b,y\n" + rows), "--target", "y", "--penalty", "l2=10:0.001:4")
        best, = [step for step in result["path"] if step["best"]]
        self.assertEqual(best["test_rmse"], min(step["test_rmse"] for step in result["path"]))
        self.file("c.csv", "a,b,kind\n" + "".join(f"{i % 3 + i % 4 / 9},{i % 5},{'xyz'[i % 3]}\n" for i in range(90)))
        result = self.json("fit", "c.csv", "--target", "kind", "--penalty", "elastic_net=1:0.001:5,l1_ratio=0.7", "--plot", "c.svg")
        self.assertEqual((result["classes"], result["optimizer"]), (3, "owlqn"))

    def test_failures(self):
        arguments = "fit", CANCER, "--target", "diagnosis", "--penalty", "l1=0.5:0.1:2"
        self.failed("no/c.svg: cannot write: No such file or directory", *arguments, "--plot", "no/c.svg")
        self.failed("no/m.json: cannot write: No such file or directory", *arguments, "--model", "no/m.json")


class Probabilities(ToolTest):
    def test_numbers_are_means_by_the_link(self):
        rows = [(i % 7, (i * i) % 5, round(math.exp(0.3 * (i % 7) + 0.1 * ((i * i) % 5))) + i % 2) for i in range(200)]
        self.file("counts.csv", "a,b,y\n" + "".join(f"{a},{b},{y}\n" for a, b, y in rows))
        # a target of few whole numbers would be classes, but the loss is one for numbers
        for loss, is_log in ("poisson", 1), ("gamma", 1), ("tweedie", 1), ("negative_binomial", 1), ("squared_error", 0):
            with self.subTest(loss):
                fitted = self.json("fit", "counts.csv", "--target", "y", "--loss", loss, "--test", "counts.csv", "--model", "m.json")
                told = self.json("predict", "m.json", "counts.csv")
                printed = [float(line) for line in self.done("predict", "m.json", "counts.csv").split("\n")[1:-1]]
                self.assertEqual(printed, told["predictions"])
                for number, score in zip(printed, told["scores"]):
                    self.assertAlmostEqual(number / (math.exp(score) if is_log else score), 1, delta=1e-14)
                rmse = math.sqrt(sum((p - row[2]) ** 2 for p, row in zip(printed, rows)) / len(rows))
                for key in ("rmse", told), ("test_rmse", fitted), ("train_rmse", fitted):
                    self.assertAlmostEqual(key[1][key[0]] / rmse, 1, delta=1e-12)
                self.assertLess(rmse, 0.8 if is_log else 2)

    def test_two_classes(self):
        self.json("fit", CANCER, "--target", "diagnosis", "--model", "m.json")
        result = self.json("predict", "m.json", CANCER, "--probabilities")
        self.assertEqual(result["classes"], ["benign", "malignant"])
        for score, (benign, malignant) in zip(result["scores"], result["probabilities"]):
            self.assertAlmostEqual(malignant, 1 / (1 + math.exp(-score)), delta=1e-15)
            self.assertAlmostEqual(benign / (1 / (1 + math.exp(score))), 1, delta=1e-14)
        lines = list(csv.reader(self.done("predict", "m.json", CANCER, "--probabilities").splitlines()))
        self.assertEqual(lines[0], ["diagnosis", "probability of benign", "probability of malignant"])
        self.assertEqual([line[0] for line in lines[1:]], result["predictions"])
        self.assertEqual([[float(x) for x in line[1:]] for line in lines[1:]], result["probabilities"])

    def test_many_classes(self):
        self.json("fit", DIGITS, "--target", "digit", "--model", "m.json", "--loss-set", "label_smoothing=0.1", "--loss",
                  "cross_entropy", "--set", "max_iterations=20")
        result = self.json("predict", "m.json", DIGITS, "--probabilities")
        for scores, row, name in zip(result["scores"], result["probabilities"], result["predictions"]):
            self.assertAlmostEqual(math.fsum(row), 1, delta=1e-14)
            self.assertEqual(result["classes"][row.index(max(row))], name)
            total = math.fsum(math.exp(x - max(scores)) for x in scores)
            self.assertAlmostEqual(max(row), 1 / total, delta=1e-14)

    def test_refused(self):
        self.json("fit", CANCER, "--target", "diagnosis", "--model", "m.json", "--loss", "squared_hinge")
        self.failed("the loss squared_hinge makes scores that stand for no probabilities; logistic and cross_entropy do",
                    "predict", "m.json", CANCER, "--probabilities")
        self.file("line.csv", "x,y\n" + "".join(f"{i},{i / 3}\n" for i in range(30)))
        self.json("fit", "line.csv", "--target", "y", "--model", "m.json")
        self.failed("the model predicts numbers: it has no classes and no probabilities", "predict", "m.json", "line.csv",
                    "--probabilities")


class Chosen(ToolTest):
    """What minimises where nobody said what: where data are large, what is faster there, to the same minimum."""

    ROWS, COLUMNS = 13200, 40  # 2^19 numbers and a few more

    def setUp(self):
        super().setUp()
        draw = random.Random(1)
        rows = [[draw.random() for _ in range(self.COLUMNS)] for _ in range(self.ROWS)]
        self.labels = [int(draw.random() < row[0]) for row in rows]
        self.file("x.npy", npy(rows))
        self.file("y.npy", npy(self.labels, "<i8"))
        self.file("few.npy", npy(rows[:12000]))
        self.file("few_y.npy", npy(self.labels[:12000], "<i8"))

    def fit(self, x, *arguments):
        return self.json("fit", x, "--target-file", "few_y.npy" if "few" in x else "y.npy", "--test-fraction", "0",
                         *arguments)

    def test_dense(self):
        chosen = self.fit("x.npy")
        usual = self.fit("x.npy", "--optimizer", "lbfgs", "--set", "gradient_tolerance=1e-9")
        self.assertEqual(chosen["optimizer"], "newton")
        self.assertLess(chosen["iterations"], usual["iterations"])
        self.assertAlmostEqual(chosen["objective"], usual["objective"], delta=1e-10)
        for optimizer, arguments in {
            "lbfgs": ("x.npy", "--set", "max_iterations=2"), "lbfgs ": ("x.npy", "--l2", "0"),
            "lbfgs  ": ("few.npy",), "lbfgs   ": ("x.npy", "--loss", "hinge"), "owlqn": ("x.npy", "--penalty", "l1=0.01"),
            "gradient_descent": ("few.npy", "--optimizer", "gradient_descent"),
        }.items():
            with self.subTest(arguments):
                self.assertEqual(self.fit(*arguments)["optimizer"], optimizer.strip())

    def test_sparse(self):
        draw = random.Random(2)
        lines = []
        for label in self.labels:
            columns = sorted(draw.sample(range(1, 400), 40))
            lines.append(f"{label} " + " ".join(f"{j}:{draw.random():.3f}" for j in columns))
        self.file("large.svm", "\n".join(lines) + "\n")
        self.file("small.svm", "\n".join(lines[:12000]) + "\n")
        chosen = self.json("fit", "large.svm")
        plain = self.json("fit", "large.svm", "--optimizer", "newton_cg", "--set", "gradient_tolerance=1e-9")
        self.assertEqual(chosen["optimizer"], "newton_cg")
        self.assertAlmostEqual(chosen["objective"], plain["objective"], delta=1e-10)
        self.assertEqual(self.json("fit", "small.svm")["optimizer"], "lbfgs")


if __name__ == "__main__":
    program = unittest.main(exit=False)
    sys.exit(not program.result.wasSuccessful())
