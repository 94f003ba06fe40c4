"""The tables in docs/operations.md are what the library says about its operations.

check_operations.py LIBRARY PAGE            compares
check_operations.py LIBRARY PAGE --write    writes them anew
"""
import ctypes
import sys

START, END = "<!-- tables: written by tests/docs/check_operations.py -->\n", "<!-- end of the tables -->\n"
KINDS = {1: "double", 2: "int", 3: "string", 4: "array"}
BEYOND = 2.0 ** 53  # "to the end"


def load(path):
    library = ctypes.CDLL(path)
    library.loss_operation_catalogue_name.restype = ctypes.c_char_p
    for name in ("summary", "inputs", "formula", "reference"):
        function = getattr(library, "loss_operation_" + name)
        function.restype, function.argtypes = ctypes.c_char_p, [ctypes.c_void_p]
    for name in ("name", "default_string", "choices", "doc"):
        function = getattr(library, "loss_option_" + name)
        function.restype, function.argtypes = ctypes.c_char_p, [ctypes.c_void_p]
    for name in ("minimum", "maximum", "default"):
        function = getattr(library, "loss_option_" + name)
        function.restype, function.argtypes = ctypes.c_double, [ctypes.c_void_p]
    library.loss_option_type.argtypes = [ctypes.c_void_p]
    library.loss_operation_option.restype = ctypes.c_void_p
    return library


def cell(text):
    return text.replace("|", "\\|")


def number(kind, x):
    if abs(x) == BEYOND:
        return "the end" if x > 0 else "-2^53"
    return "%d" % x if kind in (2, 4) and abs(x) < BEYOND else "%.7g" % x


def option_row(library, operation, option):
    text = lambda name: getattr(library, "loss_option_" + name)(option).decode()
    kind = library.loss_option_type(option)
    low, high = library.loss_option_minimum(option), library.loss_option_maximum(option)
    initial = (text("default_string") if kind == 3 else "empty" if kind == 4
               else number(kind, library.loss_option_default(option)))
    accepts = " or ".join(text("choices").split("|")) if kind == 3 else number(kind, low) + " … " + number(kind, high)
    return "| %s | `%s` | %s | %s | %s | %s |" % (operation, text("name"), KINDS[kind], initial, accepts, cell(text("doc")))


def tables(library):
    context = ctypes.c_void_p()
    assert library.loss_context_create(ctypes.byref(context)) == 0
    operations, options, references = [], [], []
    for i in range(library.loss_operation_catalogue_count()):
        name = library.loss_operation_catalogue_name(i)
        operation = ctypes.c_void_p()
        assert library.loss_operation_create(ctypes.byref(operation), context, name) == 0
        text = lambda what: getattr(library, "loss_operation_" + what)(operation).decode()
        label = "`%s`" % name.decode()
        formula = "" if text("formula") == text("summary") else text("formula")
        operations.append("| %s | %s | %s | %s |" % (label, text("inputs"), cell(text("summary")), cell(formula)))
        for k in range(library.loss_operation_option_count(operation)):
            option = library.loss_operation_option(operation, k)
            options.append(option_row(library, label, option))
        if text("reference"):
            references.append("- %s: %s." % (label, text("reference")))
        library.loss_operation_free(operation)
    library.loss_context_free(context)
    return "\n".join(["", "| operation | inputs | what it gives | formula |", "|---|---|---|---|"] + operations +
                     ["", "## Options", "", "| operation | option | type | default | accepts | |", "|---|---|---|---|---|---|"] +
                     options + ["", "## References", ""] + references + ["", ""])


def main():
    with open(sys.argv[2], encoding="utf-8") as file:
        page = file.read()
    before, after = page.split(START)[0], page.split(END)[1]
    wanted = before + START + tables(load(sys.argv[1])) + END + after
    if "--write" in sys.argv:
        with open(sys.argv[2], "w", encoding="utf-8") as file:
            file.write(wanted)
    elif wanted != page:
        sys.exit("%s is not what the library says; run %s with --write" % (sys.argv[2], " ".join(sys.argv)))


if __name__ == "__main__":
    main()
