"""The catalogue in docs/losses.md is what the library says about itself.

check_losses.py LIBRARY PAGE            compares
check_losses.py LIBRARY PAGE --write    writes it anew
"""
import ctypes
import math
import sys

START, END = "<!-- catalogue: written by tests/docs/check_losses.py -->\n", "<!-- end of the catalogue -->\n"
PROPERTIES = ("convex", "smooth", "pointwise", "classification", "margin", "probabilistic", "integer_target", "structured")
ROLES = ["prediction", "target", "weight", "mask"]
KINDS = {1: "double", 2: "int", 3: "string", 4: "array"}


def load(path):
    library = ctypes.CDLL(path)
    for name in ("catalogue_name", "summary", "formula", "reference", "aliases", "elsewhere", "link", "role", "role_doc", "role_outputs"):
        getattr(library, "loss_function_" + name).restype = ctypes.c_char_p
    for name in ("name", "aliases", "default_string", "choices", "doc"):
        function = getattr(library, "loss_option_" + name)
        function.restype, function.argtypes = ctypes.c_char_p, [ctypes.c_void_p]
    for name in ("minimum", "maximum", "default"):
        function = getattr(library, "loss_option_" + name)
        function.restype, function.argtypes = ctypes.c_double, [ctypes.c_void_p]
    library.loss_option_type.argtypes = [ctypes.c_void_p]
    library.loss_function_option.restype = ctypes.c_void_p
    return library


def option_row(library, option):
    text = lambda name: getattr(library, "loss_option_" + name)(option).decode()
    kind = library.loss_option_type(option)
    low, high = library.loss_option_minimum(option), library.loss_option_maximum(option)
    number = lambda x: "%d" % x if kind == 2 else "%.7g" % x
    initial = text("default_string") if kind == 3 else "empty" if kind == 4 else number(library.loss_option_default(option))
    accepts = " or ".join(text("choices").split("|")) if kind == 3 else number(low) + " … " + number(high)
    also = "".join("; also `%s`" % alias for alias in text("aliases").split())
    return "| `%s` | %s | %s | %s | %s%s |" % (text("name"), KINDS[kind], initial, accepts, text("doc").replace("|", "\\|"), also)


def interval(low, high, both):
    """The numbers from low to high, in words; "" for all of them."""
    if both:
        return "%g or %g" % (low, high)
    if math.isinf(low) and math.isinf(high):
        return ""
    return "from %g on" % low if math.isinf(high) else "up to %g" % high if math.isinf(low) else "%g … %g" % (low, high)


def domain(number, binary):
    """What predictions and targets may be."""
    parts = [(what, interval(number(what + "_minimum"), number(what + "_maximum"), binary and what == "target"))
             for what in ("prediction", "target")]
    parts = ["%ss %s" % (what, numbers) for what, numbers in parts if numbers]
    return ["Takes %s." % " and ".join(parts)] if parts else []


def bounds(number):
    """What a solver may rely on."""
    lipschitz, curvature, derivatives = number("lipschitz"), number("curvature_bound"), number("continuous_derivatives")
    values = interval(number("minimum"), number("maximum"), False)
    parts = ["Lipschitz constant %.6g" % lipschitz if math.isfinite(lipschitz) else "not Lipschitz",
             "curvature at most %.6g" % curvature if math.isfinite(curvature) else "curvature without bound",
             "values " + values if values else "values without bound",
             "all derivatives continuous" if math.isinf(derivatives) else
             "no continuous derivative" if derivatives == 0 else
             "1 continuous derivative" if derivatives == 1 else "%d continuous derivatives" % derivatives]
    return [", ".join(parts)[0].upper() + ", ".join(parts)[1:] + "."]


def role_row(library, function, index):
    """What the loss says about a role: "SHAPE, TYPE[, optional]: meaning", and the derivatives it has."""
    text = lambda what: getattr(library, "loss_function_" + what)(function, index).decode()
    (kind, meaning), outputs = text("role_doc").split(": ", 1), text("role_outputs").split()
    shape, *kind = kind.split(", ")
    derivatives = ", ".join(outputs)
    return "| `%s` | %s | %s | %s | %s |" % (text("role"), shape, ", ".join(kind), derivatives, meaning.replace("|", "\\|"))


def role_table(library, function):
    """All roles but the mask, which is the same for every loss."""
    rows = [role_row(library, function, i) for i in range(library.loss_function_role_count(function) - 1)]
    return ["| role | shape | type | derivatives | |", "|---|---|---|---|---|"] + rows + [""]


def section(library, context, name):
    function = ctypes.c_void_p()
    assert library.loss_function_create(ctypes.byref(function), context, name) == 0
    text = lambda what: getattr(library, "loss_function_" + what)(function).decode()

    def has(name):
        value = ctypes.c_int32()
        assert library.loss_function_property(function, name.encode(), ctypes.byref(value)) == 0
        return value.value

    def number(name):
        value = ctypes.c_double()
        assert library.loss_function_number(function, name.encode(), ctypes.byref(value)) == 0
        return value.value

    lines = ["### " + name.decode(), "", text("summary")[0].upper() + text("summary")[1:] + ".", "",
             "    " + text("formula"), ""]
    if has("pointwise") and not has("structured"):
        lines += ["![%s](curves/%s.svg)" % (name.decode(), name.decode()), ""]
    options = [library.loss_function_option(function, i) for i in range(library.loss_function_option_count(function))]
    rows = [option_row(library, option) for option in options if library.loss_option_name(option) != b"curvature"]
    if rows:
        lines += ["| option | type | default | accepts | |", "|---|---|---|---|---|"] + rows + [""]
    roles = [library.loss_function_role(function, i).decode() for i in range(library.loss_function_role_count(function))]
    if has("structured"):
        lines += role_table(library, function)
    if text("aliases"):
        lines += ["Also called %s." % ", ".join("`%s`" % alias for alias in text("aliases").split())]
    if text("elsewhere"):
        lines += ["Elsewhere: %s." % text("elsewhere")]
    if not has("structured") and roles != ROLES:
        lines += ["Reads %s." % ", ".join("`%s`" % role for role in roles)]
    properties = [name.replace("_", " ") for name in PROPERTIES if has(name)]
    lines += ["By default %s; %s majorizer%s." % (", ".join(properties), "with a" if has("majorizer") else "no",
                                                  "" if text("link") == "identity" else "; link " + text("link"))]
    lines += bounds(number) + domain(number, has("binary_target")) + [text("reference") + ".", ""]
    library.loss_function_free(function)
    return "\n".join(lines) + "\n"


def catalogue(library):
    context = ctypes.c_void_p()
    assert library.loss_context_create(ctypes.byref(context)) == 0
    names = [library.loss_function_catalogue_name(i) for i in range(library.loss_function_catalogue_count())]
    text = "".join(section(library, context, name) for name in names)
    library.loss_context_free(context)
    return text


def main():
    with open(sys.argv[2], encoding="utf-8") as file:
        page = file.read()
    before, rest = page.split(START)
    _, after = rest.split(END)
    wanted = before + START + "\n" + catalogue(load(sys.argv[1])) + END + after
    if "--write" in sys.argv:
        with open(sys.argv[2], "w", encoding="utf-8") as file:
            file.write(wanted)
    elif wanted != page:
        sys.exit("docs/losses.md is not what the library says; run this with --write")


if __name__ == "__main__":
    main()
