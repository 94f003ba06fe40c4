"""Names of columns, classes and files that are not UTF-8, models that are not what fit writes. Run with a class name."""
import json
import shutil
import sys
import unittest
import xml.etree.ElementTree

from tool_case import ToolTest

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
                refused(r'column.csv: the name of the column "caf\xe9"', "column.csv", "--target", "y")
                refused(r'target.csv: the name of the column "caf\xe9"', "target.csv", "--target", STRANGE)
                refused(r'labels.csv: the name of the column "caf\xe9"', "numbers.csv", "--target-file", "labels.csv")
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


if __name__ == "__main__":
    program = unittest.main(exit=False)
    sys.exit(not program.result.wasSuccessful())
