"""libloss from Python by ctypes alone: no callback, no header, no macro.

Prints what ask_tell.c prints; given the path of that program, compares the two line by line.

    python3 test_ctypes.py libloss.so [ask_tell]
"""
import ctypes
import struct
import subprocess
import sys

lines = []
loss = ctypes.CDLL(sys.argv[1])
loss.loss_context_error.restype = ctypes.c_char_p
loss.loss_status_name.restype = ctypes.c_char_p
c_int64, c_double, pointer = ctypes.c_int64, ctypes.c_double, ctypes.c_void_p


def check(status):
    if status != 0:
        raise RuntimeError(loss.loss_context_error(context).decode())


def constant(name):
    value = ctypes.c_int32()
    check(loss.loss_constant(name.encode(), ctypes.byref(value)))
    return value.value


def create(kind, *arguments):
    """A handle of the kind, made by loss_<kind>_create(&handle, …)."""
    handle = pointer()
    check(getattr(loss, f"loss_{kind}_create")(ctypes.byref(handle), *arguments))
    return handle


def vector(*numbers):
    return (c_double * len(numbers))(*numbers)


def print_bits(name, value):
    lines.append(f"{name} {struct.pack('>d', value).hex()}")


def evaluate_huber():
    prediction, target = vector(2.385, -0.25, 7.125, 1e-3), vector(1.9, 0.75, 3.5, -1e-3)
    weight, value, gradient = vector(1.0, 0.5, 2.25, 3.0), vector(0, 0, 0, 0), vector(0, 0, 0, 0)
    cost, total, denominator = c_double(), c_double(), c_double()
    huber = create("function", context, b"huber")
    check(loss.loss_function_set_double(huber, b"delta", c_double(0.75)))
    check(loss.loss_function_cost_float64(context, huber, c_int64(4), prediction, target, ctypes.byref(cost), gradient))
    print_bits("cost", cost.value)

    float64 = constant("LOSS_FLOAT64")
    column = (c_int64(4), c_int64(1), c_int64(1), c_int64(1))  # rows, columns and their strides
    inputs, outputs = create("data", context), create("data", context)
    for role, array in (("prediction", prediction), ("target", target), ("weight", weight)):
        check(loss.loss_data_set_input(inputs, role.encode(), array, float64, *column))
    for role, array in (("value", value), ("gradient", gradient)):
        check(loss.loss_data_set_output(outputs, role.encode(), array, float64, *column))
    check(loss.loss_function_evaluate(context, huber, inputs, outputs, ctypes.byref(total), ctypes.byref(denominator)))
    for i in range(4):
        print_bits("value", value[i])
        print_bits("gradient", gradient[i])
    print_bits("sum", total.value)
    print_bits("denominator", denominator.value)
    loss.loss_data_free(outputs)
    loss.loss_data_free(inputs)
    loss.loss_function_free(huber)


def rosenbrock(x):
    a, b = 1.0 - x[0], x[1] - x[0] * x[0]
    return a * a + 100.0 * b * b, vector(-2.0 * a - 400.0 * x[0] * b, 200.0 * b)


def minimize_rosenbrock():
    def read(name):
        at = pointer()
        check(loss.loss_optimizer_get_pointer(lbfgs, name, ctypes.byref(at)))
        return ctypes.cast(at, ctypes.POINTER(c_double))

    lbfgs = create("optimizer", context, b"lbfgs", constant("LOSS_FLOAT64"), c_int64(2))
    check(loss.loss_optimizer_start(lbfgs, vector(-1.2, 1.0)))
    request, outcome, evaluations = ctypes.c_int32(), ctypes.c_int32(), c_int64()
    while True:
        check(loss.loss_optimizer_ask(lbfgs, ctypes.byref(request)))
        if request.value != constant("LOSS_REQUEST_VALUE_AND_GRADIENT"):
            break
        x = read(b"x")
        value, gradient = rosenbrock(x)
        print_bits("f", value)
        print_bits("x0", x[0])
        print_bits("x1", x[1])
        check(loss.loss_optimizer_tell_gradient(lbfgs, c_double(value), gradient))
    assert request.value == constant("LOSS_REQUEST_DONE")
    check(loss.loss_optimizer_outcome(lbfgs, ctypes.byref(outcome)))
    check(loss.loss_optimizer_get_int(lbfgs, b"evaluations", ctypes.byref(evaluations)))
    best = read(b"best_x")
    print_bits("best x0", best[0])
    print_bits("best x1", best[1])
    lines.append(f"{loss.loss_status_name(outcome).decode()} after {evaluations.value} evaluations")
    loss.loss_optimizer_free(lbfgs)
    assert abs(best[0] - 1.0) < 1e-4 and abs(best[1] - 1.0) < 1e-4, "L-BFGS is not at the minimum"


context = pointer()
check(loss.loss_context_create(ctypes.byref(context)))
evaluate_huber()
minimize_rosenbrock()
loss.loss_context_free(context)

print("\n".join(lines))
if len(sys.argv) > 2:
    from_c = subprocess.run([sys.argv[2]], check=True, capture_output=True, text=True).stdout.splitlines()
    for here, there in zip(lines, from_c):
        if here != there:
            sys.exit(f"from Python: {here}\nfrom C:      {there}")
    if len(lines) != len(from_c):
        sys.exit(f"{len(lines)} lines from Python, {len(from_c)} from C")
