"""The loss command reads files: how far it is, what it says about those with nothing in them, and what it holds."""
import os
import subprocess
import sys
import threading
import unittest

from tool_case import TOOL, ToolTest, on_terminal


class Reading(ToolTest):
    def test_progress(self):
        rows = "x,y\n" + "".join(f"{i}.25,{i % 2}\n" for i in range(2000))
        self.file("x.csv", rows)
        self.file("x.svm", "".join(f"{i % 2} 1:{i}.25\n" for i in range(2000)))
        self.done("fit", "x.csv", "--target", "y", "--model", "m.json")
        self.done("fit", "x.svm", "--model", "s.json")
        self.file("p.csv", rows[4:].replace(",", "\n"))
        for arguments, names in ((("fit", "x.csv", "--target", "y"), ["x.csv"]),
                                 (("compare", "x.svm", "--optimizer", "lbfgs"), ["x.svm"]),
                                 (("check", "x.csv", "--target-file", "x.csv", "--target", "y"), ["x.csv"]),
                                 (("predict", "m.json", "x.csv"), ["x.csv"]),
                                 (("predict", "s.json", "x.svm", "--json"), ["x.svm"]),
                                 (("evaluate", "huber", "-p", "p.csv", "-t", "p.csv"), ["p.csv"])):
            shown, printed = on_terminal(self, [TOOL, *arguments])
            for name in names:
                self.assertRegex(shown, rb"\rreading +\d+ % of " + name.encode() + rb"\x1b\[K")
            self.assertNotIn(b"\n", shown)
            self.assertTrue(shown.endswith(b"\r\x1b[K"))
            self.assertEqual(self.run_tool(*arguments).stderr, "")
            if arguments[0] == "predict":
                self.assertEqual(printed.decode(), self.done(*arguments))

    def test_progress_through_a_pipe(self):
        os.mkfifo(self.path / "pipe.csv")

        def write():
            with open(self.path / "pipe.csv", "w", encoding="ascii") as pipe:
                pipe.write("x,y\n" + "".join(f"{i}.25,{i % 2}\n" for i in range(300000)))

        writer = threading.Thread(target=write, daemon=True)
        writer.start()
        shown, _ = on_terminal(self, [TOOL, "fit", "pipe.csv", "--target", "y"])
        writer.join(60)
        self.assertRegex(shown, rb"\rreading \d+ MB of pipe.csv\x1b\[K")

    def test_progress_is_gone_before_a_sentence(self):
        self.file("x.csv", "x,y\n" + "".join(f"{i},{i % 2}\n" for i in range(2000)) + "?,1\n")
        shown, _ = on_terminal(self, [TOOL, "fit", "x.csv", "--target", "y"], status=1)
        self.assertTrue(shown.endswith(b'\r\x1b[Kloss: x.csv: line 2002, column 1 ("x"): "?" is no number\r\n'), shown)


class Empty(ToolTest):
    def setUp(self):
        super().setUp()
        self.file("good.csv", "a,b,y\n1,2,x\n3,4,z\n5,6,x\n7,8,z\n")
        self.file("good.svm", "1 1:2\n2 1:3\n1 1:5\n2 1:1\n")
        self.done("fit", "good.csv", "--target", "y", "--test-fraction", 0, "--model", "m.json")

    def test_nothing_at_all(self):
        wanted = "a line with the names of the columns was expected, and rows below it"
        for name in "empty.csv", "empty.txt":
            self.file(name, "")
            for command in (("fit", name, "--target", "y"), ("compare", name, "--target", "y"), ("predict", "m.json", name),
                            ("check", name, "--target", "y"), ("fit", "good.csv", "--target", "y", "--test", name)):
                self.failed(f"{name}: the file is empty; {wanted}", *command)
        self.failed("empty.csv: the file is empty; rows of fields were expected", "evaluate", "huber", "-p", "empty.csv", "-t",
                    "empty.csv")
        self.file("empty.svm", "")
        self.file("comment.svm", "# nothing\n\n")
        self.file("empty.npy", "")
        self.file("empty.idx", "")
        for name in "empty.svm", "comment.svm":
            self.failed(f'{name}: there are no rows; lines such as "1 3:0.5 7:-2" were expected', "fit", name)
        self.failed("empty.npy: the file is empty; an array of NumPy was expected", "fit", "empty.npy", "--target-file",
                    "empty.npy")
        self.failed("empty.idx: the file is empty; an IDX array was expected", "fit", "empty.idx", "--target-file", "empty.npy")

    def test_header_only(self):
        self.file("header.csv", "a,b,y\n")
        learn = "header.csv: there are no rows below the header; one for each sample to learn from was expected"
        for command in "fit", "compare", "check":
            self.failed(learn, command, "header.csv", "--target", "y")
        self.failed("header.csv: there are no rows below the header; one for each sample to test on was expected", "fit",
                    "good.csv", "--target", "y", "--test", "header.csv")
        # No rows have no predictions, and that is no failure.
        self.assertEqual(self.done("predict", "m.json", "header.csv"), "y\n")

    def test_no_features(self):
        self.file("label.svm", "1\n2\n1\n")
        self.failed("label.svm: there are no features: no row has an index:value", "fit", "label.svm")
        self.file("y.csv", "y\n1\n2\n")
        self.failed("y.csv: there are no features: a column besides the target was expected", "fit", "y.csv", "--target", "y")


class Options(ToolTest):
    def test_separator_of_evaluate(self):
        self.file("p.csv", "1,2\n0.5,-3\n")
        self.file("t.csv", "0,2\n4,-1\n")
        self.file("w.csv", "3\n0.25\n")
        expected = self.json("evaluate", "huber", "-p", "p.csv", "-t", "t.csv", "-w", "w.csv")
        for separator, character in (";", ";"), ("tab", "\t"), ("|", "|"):
            for name in "p.csv", "t.csv":
                self.file("other_" + name, (self.path / name).read_text().replace(",", character))
            files = "-p", "other_p.csv", "-t", "other_t.csv", "-w", "w.csv"
            self.assertEqual(self.json("evaluate", "huber", *files, "--separator", separator), expected)
            self.assertIn('other_p.csv: line 1, column 1: "1', self.run_tool("evaluate", "huber", *files).stderr)
        self.usage("--separator ab: expected a character such as ; or |, or tab", "evaluate", "huber", "-p", "p.csv",
                   "--separator", "ab")

    def test_columns_that_are_ignored(self):
        rows = [(f"row {i}", i, (7 * i) % 5, "odd" if i % 2 else "even", i % 3) for i in range(31)]
        self.file("all.csv", "name,a,b,y,z\n" + "".join("%s,%d,%d,%s,%d\n" % row for row in rows))
        self.file("few.csv", "a,b,y\n" + "".join("%d,%d,%s\n" % row[1:4] for row in rows))
        ignored = "--ignore", "name", "--ignore", "z"
        for command, key in ("fit", "objective"), ("compare", "results"), ("check", "checks"):
            options = ("--optimizer", "lbfgs", "--set", "max_iterations=3") if command == "compare" else ()
            results = [self.json(command, name, "--target", "y", *options, *more)[key]
                       for name, more in (("all.csv", ignored), ("few.csv", ()))]
            if command == "compare":
                results = [[row["objective"] for row in result] for result in results]
            self.assertEqual(*results)
        self.done("fit", "all.csv", "--target", "y", *ignored, "--test", "few.csv", "--model", "m.json")
        self.assertEqual(self.done("predict", "m.json", "all.csv"), self.done("predict", "m.json", "few.csv"))
        self.failed('all.csv: line 2, column 1 ("name"): "row 0" is no number; --ignore leaves a column out', "fit", "all.csv",
                    "--target", "y")
        self.failed('all.csv: no column "nome"; did you mean "name"? The columns are name, a, b, y, z', "fit", "all.csv",
                    "--target", "y", "--ignore", "nome")
        self.failed('all.csv: the column "y" is asked for twice', "fit", "all.csv", "--target", "y", "--ignore", "y")
        self.failed("--ignore is about CSV, which x.svm is not", "fit", self.file("x.svm", "1 1:2\n0 1:3\n"), "--ignore", "a",
                    status=2)

    def test_target_of_the_model_in_a_file_of_several_columns(self):
        self.file("x.csv", "a,y\n" + "".join(f"{i},{'odd' if i % 2 else 'even'}\n" for i in range(31)))
        self.file("other.csv", "b,c\n" + "1,2\n" * 31)
        self.done("fit", "x.csv", "--target", "y", "--model", "m.json")
        self.assertEqual(self.json("predict", "m.json", "x.csv", "--target-file", "x.csv"),
                         self.json("predict", "m.json", "x.csv"))
        self.failed('other.csv: no column "y"; the columns are b, c', "predict", "m.json", "x.csv", "--json", "--target-file",
                    "other.csv")

    def test_text_of_two_bytes(self):
        for code in "utf-16-le", "utf-16-be":
            self.file("wide.csv", "\ufeffa,y\n1,2\n".encode(code))
            for command in ("fit", "wide.csv", "--target", "y"), ("evaluate", "huber", "-p", "wide.csv", "-t", "wide.csv"):
                self.failed("wide.csv: line 1, column 1: a NUL byte; this is UTF-16, which iconv -f utf-16 -t utf-8 converts",
                            *command)

    def test_labels_through_a_pipe(self):
        self.file("p.csv", "1,2,0\n0.5,-3,1\n")
        self.file("t.csv", "2\n0\n")
        files = "evaluate", "cross_entropy", "-p", "p.csv", "-t"
        with subprocess.Popen(["cat", "t.csv"], cwd=self.path, stdout=subprocess.PIPE) as source:
            piped = subprocess.run([TOOL, *files, "/dev/stdin"], cwd=self.path, stdin=source.stdout, capture_output=True,
                                   text=True, timeout=60)
        self.assertEqual((piped.stdout, piped.stderr), (self.done(*files, "t.csv"), ""))

    def test_threads_of_evaluate(self):
        self.file("p.csv", "".join(f"{i % 17 - 8}.5\n" for i in range(5000)))
        files = "-p", "p.csv", "-t", "p.csv", "--set", "delta=2"
        self.assertEqual(self.done("evaluate", "huber", *files, "--json", "--threads", 2),
                         self.done("evaluate", "huber", *files, "--json"))

    def test_type_of_predict(self):
        self.file("x.csv", "x,y\n" + "".join(f"{i}.1,{3 * i + i % 2}.25\n" for i in range(50)))
        self.done("fit", "x.csv", "--target", "y", "--model", "m.json")
        wide, narrow = (self.json("predict", "m.json", "x.csv", *options)["predictions"]
                        for options in ((), ("--dtype", "float32")))
        self.assertNotEqual(wide, narrow)
        for a, b in zip(wide, narrow):
            self.assertAlmostEqual(a, b, delta=1e-4)


# A process begins with the peak of the one that started it, which therefore is a small one.
LAUNCHER = """
import os, sys
process = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(process, 0)
print(usage.ru_maxrss if status == 0 else "failed")
"""


class Memory(ToolTest):
    def peak(self, *arguments):
        """Bytes, of the process."""
        printed = subprocess.run([sys.executable, "-c", LAUNCHER, TOOL, *map(str, arguments)], cwd=self.path,
                                 capture_output=True, text=True, timeout=300).stdout
        return int(printed.split()[-1]) * 1024

    def grown(self, name, line, *arguments):
        """By how many bytes a row the peak rises with the rows: what the program takes by itself falls out."""
        peaks = []
        block = "".join(line(i) for i in range(5000))
        for count in 30, 210:
            self.file(name, ("a,b,c,d,e,f,g,h,i,j,y\n" if name.endswith(".csv") else "") + count * block)
            command = ["fit", name, *arguments, "--optimizer", "lbfgs", "--set", "max_iterations=2"]
            peaks.append(min(self.peak(*command) for _ in range(2)))  # pages come in blocks, of which some are left over
        return (peaks[1] - peaks[0]) / (180 * 5000)

    def test_ten_entries_a_row(self):
        def line(i):
            return f"{i % 2}" + "".join(f" {9 * j + i % 9 + 1}:{i % 7}.{(i + 31 * j) % 1000:03}" for j in range(10)) + "\n"

        held = 10 * 12 + 8 + 8  # the entries, where a row begins, its label
        self.assertLess(self.grown("x.svm", line), 1.2 * held)
        self.assertLess(self.grown("x.svm", line, "--loss", "squared_error"), 1.2 * held)

    def test_ten_numbers_a_row(self):
        def line(i):
            return "".join(f"{i % 7}.{(i + 31 * j) % 1000:03}," for j in range(10)) + f"{i:05}.5\n"

        # Of a target, which might be a class, there is the text and a place too until it is a number.
        self.assertLess(self.grown("x.csv", line, "--target", "y"), 1.1 * (10 * 8 + 8 + 8 + 8))


if __name__ == "__main__":
    program = unittest.main(exit=False)
    if program.result.skipped and len(program.result.skipped) == program.result.testsRun:
        print(program.result.skipped[0][1])
        sys.exit(77)
    sys.exit(not program.result.wasSuccessful())
