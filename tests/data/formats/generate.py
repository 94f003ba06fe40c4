"""Writes the files beside it, which tests/unit/test_io_*.c read: python3 tests/data/formats/generate.py

They were written by NumPy 1.24.2 and scikit-learn 1.3; other versions may write other bytes for the same arrays. The tests
know the elements by their formulas: real(r, c) and whole(r, c).
"""
import gzip
import io
import pathlib
import struct

import numpy
from sklearn.datasets import dump_svmlight_file

HERE = pathlib.Path(__file__).resolve().parent
ROWS, COLUMNS = 4, 3


def whole(row, column):
    return 37 * row + 11 * column


def real(row, column):
    return whole(row, column) * 0.625 - 41.25  # exact in float32 and in few digits


def matrix(formula, rows=ROWS, columns=COLUMNS):
    return numpy.array([[formula(r, c) for c in range(columns)] for r in range(rows)])


def write(name, content):
    (HERE / name).write_bytes(content)


def compress(name, *names):
    """Members after one another; no time in them, so that the bytes stay."""
    write(name, b"".join(gzip.compress((HERE / one).read_bytes(), mtime=0) for one in names))


def npy(array, version=None):
    out = io.BytesIO()
    numpy.lib.format.write_array(out, array, version=version)
    return out.getvalue()


def write_npy():
    for order, byte_order in (("little", "<"), ("big", ">")):
        for name, dtype, formula in (("float32", "f4", real), ("float64", "f8", real), ("int32", "i4", whole),
                                     ("int64", "i8", whole)):
            write(f"{name}_{order}.npy", npy(matrix(formula).astype(byte_order + dtype)))
    write("uint8.npy", npy(matrix(whole).astype("u1")))
    write("fortran.npy", npy(numpy.asfortranarray(matrix(real))))
    write("vector.npy", npy(matrix(real)[:, 1].copy()))
    write("no_rows.npy", npy(numpy.zeros((0, COLUMNS))))
    for version in (2, 3):
        write(f"version_{version}.npy", npy(matrix(real), (version, 0)))
    write("complex.npy", npy(matrix(real) + 1j))
    write("record.npy", npy(numpy.zeros(2, dtype=[("a", "f8"), ("b", "i4")])))
    write("cube.npy", npy(numpy.zeros((2, 2, 2))))
    write("scalar.npy", npy(numpy.array(2.385)))


def write_idx():
    for name, code, dtype in (("uint8", 8, "u1"), ("int8", 9, "i1"), ("int16", 11, "i2"), ("int32", 12, "i4"),
                              ("float32", 13, "f4"), ("float64", 14, "f8")):
        values = matrix(real if dtype[0] == "f" else lambda r, c: whole(r, c) - (0 if dtype == "u1" else 41))
        write(f"{name}.idx", struct.pack(">BBBBII", 0, 0, code, 2, ROWS, COLUMNS) + values.astype(">" + dtype).tobytes())
    images = matrix(whole, 3, 6).reshape(3, 3, 2)
    write("images.idx", struct.pack(">BBBBIII", 0, 0, 8, 3, *images.shape) + images.astype("u1").tobytes())
    labels = matrix(whole)[:, 0]
    write("labels.idx", struct.pack(">BBBBI", 0, 0, 8, 1, ROWS) + labels.astype("u1").tobytes())


def write_svmlight():
    """Every third element is 0 and left out; row 2 is empty."""
    values = numpy.array([[0.0 if (r + c) % 3 == 0 or r == 2 else real(r, c) for c in range(5)] for r in range(ROWS)])
    labels = numpy.array([real(r, 7) for r in range(ROWS)])
    for name, options in (("zero_based.svm", {"zero_based": True}), ("one_based.svm", {"zero_based": False}),
                          ("queries.svm", {"query_id": numpy.array([3, 3, 8, 8]), "comment": "two queries"})):
        out = io.BytesIO()
        dump_svmlight_file(values, labels, out, **options)
        write(name, out.getvalue())


write_npy()
write_idx()
write_svmlight()
write("table.csv", b"a,b\n" + b"".join(f"{real(r, 0)!r},{whole(r, 1)}\n".encode() for r in range(ROWS)))
for one in ("table.csv", "one_based.svm", "float64_little.npy", "images.idx"):
    compress(one + ".gz", one)
compress("members.svm.gz", "one_based.svm", "one_based.svm")
