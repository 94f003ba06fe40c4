"""The options in docs/optimizers.md are what the library says about itself, in order, with their defaults.

check_optimizers.py LIBRARY PAGE            compares
check_optimizers.py LIBRARY PAGE --write    writes them anew
"""
import ctypes
import sys

from check_losses import load, option_row

START, END = "<!-- options: written by tests/docs/check_optimizers.py -->\n", "<!-- end of the options -->\n"
HEAD = ["| option | type | default | accepts | |", "|---|---|---|---|---|"]


def text(library, optimizer, what):
    function = getattr(library, "loss_optimizer_" + what)
    function.restype = ctypes.c_char_p
    return function(optimizer).decode()


def option_rows(library, optimizer):
    library.loss_optimizer_option.restype = ctypes.c_void_p
    count = library.loss_optimizer_option_count(optimizer)
    return [option_row(library, library.loss_optimizer_option(optimizer, i)).replace("9.0072e+15", "2^53")
            .replace("9007199254740992", "2^53") for i in range(count)]


def catalogue(library):
    context, tables = ctypes.c_void_p(), []
    library.loss_optimizer_catalogue_name.restype = ctypes.c_char_p
    assert library.loss_context_create(ctypes.byref(context)) == 0
    for i in range(library.loss_optimizer_catalogue_count()):
        optimizer, name = ctypes.c_void_p(), library.loss_optimizer_catalogue_name(i)
        kind = ctypes.c_int32(library.constant(b"LOSS_FLOAT64"))
        created = library.loss_optimizer_create(ctypes.byref(optimizer), context, name, kind, ctypes.c_int64(2))
        assert created == 0, created
        tables.append((optimizer, option_rows(library, optimizer)))
    lines, shared = ["## Options", ""], set()
    for names, rows in shared_options(library, tables):
        lines += [owners(library, tables, names), ""] + HEAD + rows + [""]
        shared.update(rows)
    for optimizer, rows in tables:
        summary, own = text(library, optimizer, "summary"), [row for row in rows if row not in shared]
        lines += ["### " + text(library, optimizer, "name"), "", summary[0].upper() + summary[1:] + ".", ""]
        lines += HEAD + own + [""] if own else ["No options of its own.", ""]
        lines += [text(library, optimizer, "reference") + ".", ""]
        library.loss_optimizer_free(optimizer)
    library.loss_context_free(context)
    return "\n".join(lines) + "\n"


def owners(library, tables, names):
    """Who has them, by family where it is a whole one."""
    if len(names) == len(tables):
        return "Every optimizer has"
    for family in dict.fromkeys(text(library, optimizer, "family") for optimizer, _ in tables):
        if list(names) == [text(library, optimizer, "name") for optimizer, _ in tables
                           if text(library, optimizer, "family") == family]:
            return f"Every method of {family} has too"
    return ", ".join(f"`{name}`" for name in names[:-1]) + f" and `{names[-1]}` have"


def shared_options(library, tables):
    """Options that four or more optimizers have alike, by who has them: the most widely shared first."""
    groups = {}
    for row in dict.fromkeys(row for _, rows in tables for row in rows):
        names = tuple(text(library, optimizer, "name") for optimizer, rows in tables if row in rows)
        if len(names) >= 4:
            groups.setdefault(names, []).append(row)
    return sorted(groups.items(), key=lambda group: -len(group[0]))


def constant(library, name):
    value = ctypes.c_int32()
    assert library.loss_constant(name, ctypes.byref(value)) == 0
    return value.value


def main():
    library = load(sys.argv[1])
    library.constant = lambda name: constant(library, name)
    with open(sys.argv[2], encoding="utf-8") as file:
        page = file.read()
    before, rest = page.split(START)
    _, after = rest.split(END)
    wanted = before + START + "\n" + catalogue(library) + END + after
    if "--write" in sys.argv:
        with open(sys.argv[2], "w", encoding="utf-8") as file:
            file.write(wanted)
    elif wanted != page:
        sys.exit("docs/optimizers.md is not what the library says; run this with --write")


if __name__ == "__main__":
    main()
