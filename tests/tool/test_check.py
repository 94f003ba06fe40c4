"""loss check: the derivatives of what fit minimises."""
import json
import sys
import unittest

from tool_case import CANCER, ToolTest


class Check(ToolTest):
    def test_text(self):
        lines = self.done("check", CANCER, "--target", "diagnosis").splitlines()
        self.assertEqual(lines[0], "objective   mean logistic + 0.001/2 |w|^2, 31 parameters, at random")
        self.assertEqual([line.split(";")[0].split() for line in lines[1:]],
                         [["gradient", "parameters:", "ok"], ["gradient", "directions:", "ok"],
                          ["product", "directions:", "ok"]])

    def test_json(self):
        result = self.json("check", CANCER, "--target", "diagnosis", "--l2", "0.25", "--seed", 3, "--directions", 2)
        self.assertEqual((result["loss"], result["l2"], result["seed"], result["parameters"], result["at"]),
                         ("logistic", 0.25, 3, 31, "random"))
        self.assertEqual([(c["of"], c["along"]) for c in result["checks"]],
                         [("gradient", "parameters"), ("gradient", "directions"), ("hessian_product", "directions")])
        for check in result["checks"]:
            self.assertEqual(check["verdict"], "ok")
            self.assertIsNone(check["sentence"])
            self.assertLessEqual(abs(check["derivative"] - check["difference"]), check["error"])
        parameters, directions, product = result["checks"]
        self.assertEqual(parameters["slope"], "NaN")
        self.assertEqual(parameters["direction"], -1)
        self.assertIn(parameters["index"], range(31))
        self.assertEqual(directions["index"], -1)
        self.assertIn(directions["direction"], range(2))
        self.assertAlmostEqual(directions["slope"], 2, delta=0.3)
        self.assertAlmostEqual(product["slope"], 3, delta=0.3)

    def test_the_same_for_any_number_of_threads(self):
        arguments = ("check", CANCER, "--target", "diagnosis", "--loss", "squared_hinge", "--directions", 3, "--json")
        self.assertEqual(self.done(*arguments, "--threads", 3), self.done(*arguments))

    def test_places(self):
        self.done("fit", CANCER, "--target", "diagnosis", "--model", "m.json")
        for place in "zero", "random", "m.json":
            result = self.json("check", CANCER, "--target", "diagnosis", "--at", place)
            self.assertEqual(result["at"], place)
            self.assertEqual({check["verdict"] for check in result["checks"]}, {"ok"})
        derivatives = [check["derivative"] for check in result["checks"][:2]]
        self.assertLess(max(map(abs, derivatives)), 1e-3)  # it is where fit ended

    def test_a_curvature_that_is_another(self):
        self.file("numbers.csv", "a,y\n" + "".join(f"{i % 7 - 3},{(i % 5) * 0.75}\n" for i in range(40)))
        arguments = ("check", "numbers.csv", "--target", "y", "--loss", "cauchy", "--loss-set", "curvature=majorizer")
        result = self.run_tool(*arguments, "--json")
        self.assertEqual(result.returncode, 1)
        product = json.loads(result.stdout)["checks"][2]
        self.assertEqual(product["verdict"], "wrong")
        self.assertEqual(result.stderr, f"loss: {product['sentence']}\n")
        self.assertIn("differences of gradients say", product["sentence"])

    def test_a_kink_is_no_failure(self):
        # every prediction is 0 there, and so is half of the targets
        self.file("numbers.csv", "a,y\n" + "".join(f"{i % 7 - 3},{(i % 2) * 1.5}\n" for i in range(40)))
        result = self.json("check", "numbers.csv", "--target", "y", "--loss", "absolute_error", "--at", "zero")
        self.assertEqual(result["checks"][0]["verdict"], "kink")
        self.assertIn("there is a kink along parameter", result["checks"][0]["sentence"])

    def test_wrong_usage(self):
        self.usage("--target is missing", "check", CANCER)
        self.usage("unrecognized option '--set'", "check", CANCER, "--target", "diagnosis", "--set", "memory=3")
        self.usage("unrecognized option '--plot'", "check", CANCER, "--target", "diagnosis", "--plot", "x.svg")
        self.usage("from 1 to 1000000", "check", CANCER, "--target", "diagnosis", "--directions", 0)
        self.usage("did you mean", "check", CANCER, "--target", "diagnosis", "--loss", "logistik")

    def test_bad_models(self):
        self.failed("none.json: cannot open: No such file or directory", "check", CANCER, "--target", "diagnosis",
                    "--at", "none.json")
        self.file("two.csv", "a,b,y\n" + "".join(f"{i % 11},{i % 7},{i % 3 / 4}\n" for i in range(60)))
        self.file("other.csv", "a,c,y\n" + "".join(f"{i % 11},{i % 7},{i % 3 / 4}\n" for i in range(60)))
        self.done("fit", "two.csv", "--target", "y", "--model", "m.json", "--loss", "squared_error")
        self.failed("m.json: the model has 2 features and 1 output, the data 30 and 1", "check", CANCER, "--target",
                    "diagnosis", "--at", "m.json")
        self.failed('m.json: feature 2 of the model is "b", of the data "c"', "check", "other.csv", "--target", "y",
                    "--loss", "squared_error", "--at", "m.json")


if __name__ == "__main__":
    program = unittest.main(exit=False)
    sys.exit(not program.result.wasSuccessful())
