"""PyTorch computes a network, libloss the loss, its gradient and the step: on the same memory, without a copy.

    python3 torch_backbone.py [path of libloss.so.0]

A residual block (He, Zhang, Ren & Sun 2016) in PyTorch gives scores; libloss gives the cost and the gradient with respect to the
scores, from which PyTorch goes back; libloss's optimizer makes the step, in a vector whose parts are the parameters of PyTorch.
After 20 steps on 320 handwritten digits (Alpaydin & Kaynak 1998; tests/data) everything is compared with PyTorch alone.
"""
import csv
import ctypes
import pathlib
import sys

import torch

STEPS, SAMPLES, BATCH, CLASSES, SIDE = 20, 320, 16, 10, 8
DIGITS = pathlib.Path(__file__).resolve().parents[3] / "tests" / "data" / "digits.csv"
FLOAT32, INT64, BATCH_GRADIENT, DONE = (ctypes.c_int32() for _ in range(4))

loss = ctypes.CDLL(sys.argv[1] if len(sys.argv) > 1 else "libloss.so.0")
loss.loss_context_error.restype = ctypes.c_char_p
context = ctypes.c_void_p()


def must(status):
    if status < 0:
        sys.exit(loss.loss_context_error(context).decode())
    return status


must(loss.loss_context_create(ctypes.byref(context)))
for constant, name in ((FLOAT32, b"LOSS_FLOAT32"), (INT64, b"LOSS_INT64"), (BATCH_GRADIENT, b"LOSS_REQUEST_BATCH_GRADIENT"),
                       (DONE, b"LOSS_REQUEST_DONE")):
    must(loss.loss_constant(name, ctypes.byref(constant)))


class Block(torch.nn.Module):
    """Two convolutions and what they are added to, then a linear layer."""

    def __init__(self):
        super().__init__()
        self.first = torch.nn.Conv2d(1, 8, 3, padding=1)
        self.second = torch.nn.Conv2d(8, 1, 3, padding=1)
        self.scores = torch.nn.Linear(SIDE * SIDE, CLASSES)

    def forward(self, image):
        image = torch.relu(image + self.second(torch.relu(self.first(image))))
        return self.scores(image.flatten(1))


def array(data, role, tensor, rows, columns, dtype, output=False):
    """A tensor's own memory under a role."""
    set_array = loss.loss_data_set_output if output else loss.loss_data_set_input
    must(set_array(data, role, ctypes.c_void_p(tensor.data_ptr()), dtype, ctypes.c_int64(rows), ctypes.c_int64(columns),
                   ctypes.c_int64(columns), ctypes.c_int64(1)))


def cost_and_gradient(function, scores, labels):
    """The mean loss, and its gradient with respect to the scores, in a tensor."""
    inputs, outputs = ctypes.c_void_p(), ctypes.c_void_p()
    total, denominator = ctypes.c_double(), ctypes.c_double()
    gradient = torch.empty_like(scores)
    must(loss.loss_data_create(ctypes.byref(inputs), context))
    must(loss.loss_data_create(ctypes.byref(outputs), context))
    array(inputs, b"prediction", scores, len(scores), CLASSES, FLOAT32)
    array(inputs, b"target", labels, len(labels), 1, INT64)
    array(outputs, b"gradient", gradient, len(scores), CLASSES, FLOAT32, output=True)
    must(loss.loss_data_set_double(inputs, b"scale", ctypes.c_double(1 / len(scores))))
    must(loss.loss_function_evaluate(context, function, inputs, outputs, ctypes.byref(total), ctypes.byref(denominator)))
    loss.loss_data_free(inputs)
    loss.loss_data_free(outputs)
    return total.value / denominator.value, gradient


def as_tensor(pointer, ctype, count):
    return torch.frombuffer((ctype * count).from_address(pointer), dtype=torch.float32 if ctype is ctypes.c_float else torch.int64)


def place(parameters, flat, attribute):
    """Each parameter, or its gradient, becomes a part of a vector."""
    first = 0
    for parameter in parameters:
        part = flat[first:first + parameter.numel()].view(parameter.shape)
        setattr(parameter, attribute, part)
        first += parameter.numel()


torch.manual_seed(3)
torch.set_num_threads(1)
with open(DIGITS, newline="", encoding="ascii") as file:
    digits = torch.tensor([[float(cell) for cell in row] for row in list(csv.reader(file))[1:SAMPLES + 1]])
images, labels = digits[:, :-1].reshape(SAMPLES, 1, SIDE, SIDE) / 16, digits[:, -1].long()
ours, theirs = Block(), Block()
theirs.load_state_dict(ours.state_dict())
parameters = list(ours.parameters())
count = sum(parameter.numel() for parameter in parameters)

function, optimizer, request = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_int32()
must(loss.loss_function_create(ctypes.byref(function), context, b"cross_entropy"))
must(loss.loss_optimizer_create(ctypes.byref(optimizer), context, b"sgd", FLOAT32, ctypes.c_int64(count)))
for name, value in ((b"samples", SAMPLES), (b"batch_size", BATCH), (b"epochs", STEPS * BATCH // SAMPLES), (b"evaluate_every", 0)):
    must(loss.loss_optimizer_set_int(optimizer, name, ctypes.c_int64(value)))
for name, value in ((b"learning_rate", 0.1), (b"momentum", 0.9)):
    must(loss.loss_optimizer_set_double(optimizer, name, ctypes.c_double(value)))
start = torch.cat([parameter.detach().flatten() for parameter in parameters])
gradients = torch.zeros(count)
place(parameters, gradients, "grad")
must(loss.loss_optimizer_start(optimizer, ctypes.c_void_p(start.data_ptr())))

reference = torch.optim.SGD(theirs.parameters(), lr=0.1, momentum=0.9)
worst_cost, steps = 0.0, 0
while True:
    must(loss.loss_optimizer_ask(optimizer, ctypes.byref(request)))
    if request.value == DONE.value:
        break
    x, indices, length = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_int64(SAMPLES)
    must(loss.loss_optimizer_get_pointer(optimizer, b"x", ctypes.byref(x)))
    place(parameters, as_tensor(x.value, ctypes.c_float, count), "data")
    rows = torch.arange(SAMPLES)
    if request.value == BATCH_GRADIENT.value:
        must(loss.loss_optimizer_get_int(optimizer, b"indices_count", ctypes.byref(length)))
        must(loss.loss_optimizer_get_pointer(optimizer, b"indices", ctypes.byref(indices)))
        rows = as_tensor(indices.value, ctypes.c_int64, length.value)
    scores = ours(images[rows])
    cost, gradient = cost_and_gradient(function, scores.detach(), labels[rows])
    gradients.zero_()
    scores.backward(gradient)
    must(loss.loss_optimizer_tell_gradient(optimizer, ctypes.c_double(cost), ctypes.c_void_p(gradients.data_ptr())))
    if request.value == BATCH_GRADIENT.value:
        reference.zero_grad()
        alone = torch.nn.functional.cross_entropy(theirs(images[rows]), labels[rows])
        alone.backward()
        reference.step()
        worst_cost = max(worst_cost, abs(alone.item() - cost))
        steps += 1

must(loss.loss_optimizer_get_pointer(optimizer, b"best_x", ctypes.byref(x)))
ended = as_tensor(x.value, ctypes.c_float, count)
there = torch.cat([parameter.detach().flatten() for parameter in theirs.parameters()])
worst = ((ended - there).abs() / there.abs().clamp(min=1)).max().item()
print(f"{steps} steps, {count} parameters: costs within {worst_cost:.1e}, parameters within {worst:.1e} of PyTorch alone")
sys.exit(not (steps == STEPS and worst < 1e-5 and worst_cost < 1e-5))
