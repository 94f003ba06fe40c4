/*
 * Arrays put together along an axis and cut from one: concatenate, stack, slice and pad.
 *
 * Each is the adjoint of another: what is put together is cut apart again, what was cut off is zero.
 */
#include <string.h>

#include "gradient/graph/operations.h"
#include "gradient/graph/run.h"

enum {
    AXIS,
    BEGIN,
    END
}; /* options and attributes: of slice start and stop, of pad what comes before and after */

enum { TASK_BYTES = 256 * 1024 };

#define TO_THE_END 0x1p53 /* no axis is as long */

static loss_status settle(const lossi_options *given, loss_context *context, lossi_attributes *attributes)
{
    const int32_t count = lossi_options_count(given);
    (void)context;
    for (int32_t i = 0; i < count; i++) {
        attributes->integer[i] = lossi_options_own(given, i)->integer;
    }
    return LOSS_OK;
}

/* The axis counted from the first; −1 when it is not there. */
static int32_t axis_of(const lossi_attributes *attributes, int32_t rank)
{
    const int64_t axis = attributes->integer[AXIS] + (attributes->integer[AXIS] < 0 ? rank : 0);
    return axis >= 0 && axis < rank ? (int32_t)axis : -1;
}

/* The axis is there and holds no rows: OK, or a sentence. */
static loss_status check_axis(const lossi_tape *tape, const lossi_tape_node *node)
{
    const lossi_shape *from = &lossi_input_node(tape, node, 0)->shape;
    const int32_t axis = axis_of(&node->attributes, from->rank);
    return axis < 0 ? lossi_operation_fail_shapes(tape, node, "the axis is not there")
           : from->size[axis] == LOSSI_ROWS
               ? lossi_operation_fail_shapes(tape, node, "the axis holds the rows of the batch")
               : LOSS_OK;
}

/* ---- copying ---- */

/* `count` chunks of bytes, each so far from the next. */
typedef struct copying {
    const char *from;
    char *to;
    int64_t count, bytes, from_stride, to_stride, per_task;
} copying;

static void run_task(void *argument, int64_t index, int32_t worker)
{
    const copying *c = argument;
    const int64_t begin = index * c->per_task;
    const int64_t end = begin + c->per_task < c->count ? begin + c->per_task : c->count;
    (void)worker;
    for (int64_t i = begin; i < end; i++) {
        memcpy(c->to + i * c->to_stride, c->from + i * c->from_stride, (size_t)c->bytes);
    }
}

static void copy_chunks(loss_context *context, copying *c)
{
    if (c->count == 0 || c->bytes == 0) {
        return;
    }
    c->per_task = c->bytes < TASK_BYTES ? TASK_BYTES / c->bytes : 1;
    if (c->count <= c->per_task) {
        run_task(c, 0, 0);
    } else {
        lossi_parallel(context, (c->count + c->per_task - 1) / c->per_task, run_task, c);
    }
}

/* How many chunks there are before an axis, and the bytes of one step along it. */
static int64_t chunks(const lossi_value *value, int32_t axis, int64_t *step)
{
    int64_t count = 1;
    *step = loss_dtype_size(value->dtype);
    for (int32_t i = 0; i < value->shape.rank; i++) {
        *(i < axis ? &count : step) *= i != axis ? value->shape.size[i] : 1;
    }
    return count;
}

/* ---- slice ---- */

static const loss_option slice_options[] = {
    [AXIS] = {"axis", LOSS_OPTION_INT, -LOSSI_RANK, LOSSI_RANK - 1, -1, NULL, NULL,
              "along which, counted from the end where negative"},
    [BEGIN] = {"start", LOSS_OPTION_INT, -TO_THE_END, TO_THE_END, 0, NULL, NULL,
               "the first element that stays, counted from the end where negative"},
    [END] = {"stop", LOSS_OPTION_INT, -TO_THE_END, TO_THE_END, TO_THE_END, NULL, NULL,
             "the first behind those that stay; by default all to the end"},
};

/* Where the part begins and ends; 0 when it is not within the axis. */
static int32_t bounds(const lossi_attributes *attributes, int64_t size, int64_t *begin, int64_t *end)
{
    *begin = attributes->integer[BEGIN] + (attributes->integer[BEGIN] < 0 ? size : 0);
    *end = attributes->integer[END] == (int64_t)TO_THE_END
               ? size
               : attributes->integer[END] + (attributes->integer[END] < 0 ? size : 0);
    return *begin >= 0 && *begin <= *end && *end <= size;
}

static loss_status infer_slice(const lossi_tape *tape, lossi_tape_node *node)
{
    const lossi_tape_node *from = lossi_input_node(tape, node, 0);
    const loss_status status = check_axis(tape, node);
    int64_t begin, end;
    if (status != LOSS_OK) {
        return status;
    }
    const int32_t axis = axis_of(&node->attributes, from->shape.rank);
    if (!bounds(&node->attributes, from->shape.size[axis], &begin, &end)) {
        return lossi_operation_fail_shapes(tape, node, "'start' and 'stop' are not in order within the axis");
    }
    node->shape = from->shape;
    node->shape.size[axis] = end - begin;
    node->dtype = from->dtype;
    return LOSS_OK;
}

static int32_t put_slice(lossi_tape *tape, int32_t a, int64_t axis, int64_t begin, int64_t end)
{
    const lossi_attributes attributes = {.integer = {axis, begin, end}};
    return lossi_tape_add(tape, &lossi_operation_slice, &attributes, &a, 1);
}

static int32_t put_pad(lossi_tape *tape, int32_t a, int64_t axis, int64_t before, int64_t after)
{
    const lossi_attributes attributes = {.integer = {axis, before, after}};
    return before == 0 && after == 0 ? a : lossi_tape_add(tape, &lossi_operation_pad, &attributes, &a, 1);
}

static int32_t slice_adjoint(lossi_tape *tape, int32_t node, int32_t adjoint, int32_t which)
{
    const lossi_attributes attributes = tape->nodes[node].attributes;
    const lossi_shape from = *lossi_tape_shape(tape, lossi_tape_input(tape, node, which));
    const lossi_shape to = *lossi_tape_shape(tape, node);
    const int32_t axis = axis_of(&attributes, from.rank);
    int64_t begin, end;
    bounds(&attributes, from.size[axis], &begin, &end);
    return put_pad(tape, lossi_tape_full(tape, adjoint, &to), axis, begin, from.size[axis] - end);
}

static int32_t slice_tangent(lossi_tape *tape, int32_t node, const int32_t *tangents)
{
    const lossi_attributes attributes = tape->nodes[node].attributes;
    const lossi_shape from = *lossi_tape_shape(tape, lossi_tape_input(tape, node, 0));
    const int32_t full = lossi_tape_full(tape, tangents[0], &from);
    return lossi_tape_add(tape, &lossi_operation_slice, &attributes, &full, 1);
}

static loss_status run_slice(const lossi_node_run *run)
{
    const lossi_value *from = &run->input[0];
    const int32_t axis = axis_of(run->attributes, from->shape.rank);
    int64_t step, begin, end;
    copying c = {.to = run->output.data, .count = chunks(from, axis, &step)};
    bounds(run->attributes, from->shape.size[axis], &begin, &end);
    c.from = from->data + begin * step;
    c.bytes = c.to_stride = (end - begin) * step;
    c.from_stride = from->shape.size[axis] * step;
    copy_chunks(run->context, &c);
    return LOSS_OK;
}

const lossi_operation lossi_operation_slice = {.name = "slice",
                                               .summary = "a part along an axis",
                                               .inputs = "a",
                                               .formula = "a[..., start + i, ...] of i < stop - start",
                                               .reference = "",
                                               .options = slice_options,
                                               .option_count = 3,
                                               .settle = settle,
                                               .infer = infer_slice,
                                               .vector_jacobian = slice_adjoint,
                                               .jacobian_vector = slice_tangent,
                                               .run = run_slice};

/* ---- pad ---- */

static const loss_option pad_options[] = {
    [AXIS] = {"axis", LOSS_OPTION_INT, -LOSSI_RANK, LOSSI_RANK - 1, -1, NULL, NULL,
              "along which, counted from the end where negative"},
    [BEGIN] = {"before", LOSS_OPTION_INT, 0, 0x1p40, 0, NULL, NULL, "how many zeros come first"},
    [END] = {"after", LOSS_OPTION_INT, 0, 0x1p40, 0, NULL, NULL, "how many come last"},
};

static loss_status infer_pad(const lossi_tape *tape, lossi_tape_node *node)
{
    const lossi_tape_node *from = lossi_input_node(tape, node, 0);
    const loss_status status = check_axis(tape, node);
    if (status != LOSS_OK) {
        return status;
    }
    const int32_t axis = axis_of(&node->attributes, from->shape.rank);
    node->shape = from->shape;
    node->shape.size[axis] += node->attributes.integer[BEGIN] + node->attributes.integer[END];
    node->dtype = from->dtype;
    return lossi_shape_check(tape->context, "what the operation 'pad' gives", &node->shape);
}

static int32_t pad_adjoint(lossi_tape *tape, int32_t node, int32_t adjoint, int32_t which)
{
    const lossi_attributes attributes = tape->nodes[node].attributes;
    const lossi_shape from = *lossi_tape_shape(tape, lossi_tape_input(tape, node, which));
    const lossi_shape to = *lossi_tape_shape(tape, node);
    const int32_t axis = axis_of(&attributes, from.rank);
    const int64_t begin = attributes.integer[BEGIN];
    return put_slice(tape, lossi_tape_full(tape, adjoint, &to), axis, begin, begin + from.size[axis]);
}

static int32_t pad_tangent(lossi_tape *tape, int32_t node, const int32_t *tangents)
{
    const lossi_attributes attributes = tape->nodes[node].attributes;
    const lossi_shape from = *lossi_tape_shape(tape, lossi_tape_input(tape, node, 0));
    const int32_t full = lossi_tape_full(tape, tangents[0], &from);
    return lossi_tape_add(tape, &lossi_operation_pad, &attributes, &full, 1);
}

static loss_status run_pad(const lossi_node_run *run)
{
    const lossi_value *from = &run->input[0], *to = &run->output;
    const int32_t axis = axis_of(run->attributes, from->shape.rank);
    const int64_t size = from->shape.size[axis];
    int64_t step;
    copying c = {.from = from->data, .count = chunks(from, axis, &step)};
    memset(to->data, 0, (size_t)(lossi_value_elements(to) * loss_dtype_size(to->dtype)));
    c.to = to->data + run->attributes->integer[BEGIN] * step;
    c.bytes = c.from_stride = size * step;
    c.to_stride = to->shape.size[axis] * step;
    copy_chunks(run->context, &c);
    return LOSS_OK;
}

const lossi_operation lossi_operation_pad = {.name = "pad",
                                             .summary = "zeros before and behind the elements of an axis",
                                             .inputs = "a",
                                             .formula = "a[..., i - before, ...] where that is there, else 0",
                                             .reference = "",
                                             .options = pad_options,
                                             .option_count = 3,
                                             .settle = settle,
                                             .infer = infer_pad,
                                             .vector_jacobian = pad_adjoint,
                                             .jacobian_vector = pad_tangent,
                                             .run = run_pad};

/* ---- concatenate ---- */

static const loss_option axis_options[] = {
    [AXIS] = {"axis", LOSS_OPTION_INT, -LOSSI_RANK, LOSSI_RANK - 1, -1, NULL, NULL,
              "along which, counted from the end where negative"},
};

static int32_t fits(const lossi_tape_node *a, const lossi_tape_node *b, int32_t axis)
{
    lossi_shape shape = b->shape;
    if (a->shape.rank != shape.rank || a->dtype != b->dtype) {
        return 0;
    }
    shape.size[axis] = a->shape.size[axis];
    return lossi_shapes_equal(&a->shape, &shape);
}

static loss_status infer_concatenate(const lossi_tape *tape, lossi_tape_node *node)
{
    const lossi_tape_node *first = lossi_input_node(tape, node, 0);
    const loss_status status = check_axis(tape, node);
    if (status != LOSS_OK) {
        return status;
    }
    const int32_t axis = axis_of(&node->attributes, first->shape.rank);
    node->shape = first->shape;
    node->dtype = first->dtype;
    for (int32_t i = 1; i < node->input_count; i++) {
        const lossi_tape_node *next = lossi_input_node(tape, node, i);
        if (!fits(first, next, axis)) {
            return first->dtype != next->dtype
                       ? lossi_fail(tape->context, LOSS_ERROR_TYPE,
                                    "the operation 'concatenate' takes inputs of one type, not %s and %s",
                                    loss_dtype_name(first->dtype), loss_dtype_name(next->dtype))
                       : lossi_operation_fail_shapes(tape, node,
                                                     "the sizes differ along another axis than the option's");
        }
        node->shape.size[axis] += next->shape.size[axis];
    }
    return lossi_shape_check(tape->context, "what the operation 'concatenate' gives", &node->shape);
}

static int32_t concatenate_adjoint(lossi_tape *tape, int32_t node, int32_t adjoint, int32_t which)
{
    const lossi_shape shape = *lossi_tape_shape(tape, node);
    const int32_t axis = axis_of(&tape->nodes[node].attributes, shape.rank);
    int64_t begin = 0;
    for (int32_t i = 0; i < which; i++) {
        begin += lossi_tape_shape(tape, lossi_tape_input(tape, node, i))->size[axis];
    }
    const int64_t size = lossi_tape_shape(tape, lossi_tape_input(tape, node, which))->size[axis];
    return put_slice(tape, lossi_tape_full(tape, adjoint, &shape), axis, begin, begin + size);
}

static int32_t concatenate_tangent(lossi_tape *tape, int32_t node, const int32_t *tangents)
{
    const lossi_attributes attributes = tape->nodes[node].attributes;
    const int32_t count = tape->nodes[node].input_count;
    int32_t full[LOSSI_NODE_INPUTS];
    for (int32_t i = 0; i < count; i++) {
        const lossi_shape shape = *lossi_tape_shape(tape, lossi_tape_input(tape, node, i));
        full[i] = lossi_tape_full(
            tape, tangents[i] != LOSSI_NONE ? tangents[i] : lossi_tape_number(tape, 0.0), &shape);
    }
    return lossi_tape_add(tape, &lossi_operation_concatenate, &attributes, full, count);
}

static loss_status run_concatenate(const lossi_node_run *run)
{
    const int32_t axis = axis_of(run->attributes, run->output.shape.rank);
    int64_t step, place = 0;
    copying c = {.count = chunks(&run->output, axis, &step)};
    c.to_stride = run->output.shape.size[axis] * step;
    for (int32_t i = 0; i < run->input_count; i++) {
        c.from = run->input[i].data;
        c.to = run->output.data + place;
        c.bytes = c.from_stride = run->input[i].shape.size[axis] * step;
        copy_chunks(run->context, &c);
        place += c.bytes;
    }
    return LOSS_OK;
}

const lossi_operation lossi_operation_concatenate = {.name = "concatenate",
                                                     .summary = "arrays one behind the other along an axis",
                                                     .inputs = "a …",
                                                     .formula = "the elements of the inputs in order",
                                                     .reference = "",
                                                     .options = axis_options,
                                                     .option_count = 1,
                                                     .settle = settle,
                                                     .infer = infer_concatenate,
                                                     .vector_jacobian = concatenate_adjoint,
                                                     .jacobian_vector = concatenate_tangent,
                                                     .run = run_concatenate};

/* ---- stack ---- */

static loss_status infer_stack(const lossi_tape *tape, lossi_tape_node *node)
{
    const lossi_tape_node *first = lossi_input_node(tape, node, 0);
    const int32_t rank = first->shape.rank + 1, axis = axis_of(&node->attributes, rank);
    if (rank > LOSSI_RANK || axis < 0) {
        return lossi_operation_fail_shapes(
            tape, node, rank > LOSSI_RANK ? "there are at most 6 axes" : "the axis is not there");
    }
    if (axis == 0 && lossi_shape_of_rows(&first->shape)) {
        return lossi_operation_fail_shapes(tape, node, "the rows stay the first axis");
    }
    for (int32_t i = 1; i < node->input_count; i++) {
        const lossi_tape_node *next = lossi_input_node(tape, node, i);
        if (first->dtype != next->dtype || !lossi_shapes_equal(&first->shape, &next->shape)) {
            return lossi_operation_fail_shapes(tape, node, "they differ in shape or type");
        }
    }
    node->dtype = first->dtype;
    node->shape = first->shape;
    node->shape.rank = rank;
    memmove(node->shape.size + axis + 1, first->shape.size + axis,
            sizeof node->shape.size[0] * (size_t)(rank - 1 - axis));
    node->shape.size[axis] = node->input_count;
    return LOSS_OK;
}

static int32_t expand_stack(lossi_tape *tape, const lossi_attributes *attributes, const int32_t *inputs,
                            int32_t count)
{
    int32_t parts[LOSSI_NODE_INPUTS];
    lossi_shape shape = *lossi_tape_shape(tape, inputs[0]);
    const int32_t axis = axis_of(attributes, ++shape.rank);
    const lossi_attributes own = {.integer = {[AXIS] = axis}};
    for (int32_t i = shape.rank - 1; i > axis; i--) {
        shape.size[i] = shape.size[i - 1];
    }
    shape.size[axis] = 1;
    for (int32_t i = 0; i < count; i++) {
        parts[i] = lossi_tape_reshape(tape, inputs[i], &shape);
    }
    return lossi_tape_add(tape, &lossi_operation_concatenate, &own, parts, count);
}

const lossi_operation lossi_operation_stack = {
    .name = "stack",
    .summary = "arrays of one shape beside each other along a new axis",
    .inputs = "a …",
    .formula = "element i of the new axis is input i",
    .reference = "",
    .options = axis_options,
    .option_count = 1,
    .settle = settle,
    .infer = infer_stack,
    .expand = expand_stack};
