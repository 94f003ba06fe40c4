/*
 * Sums and means over axes.
 *
 * A sum is added up in double whatever the element type.
 */
#include <math.h>
#include <string.h>

#include "gradient/graph/operations.h"
#include "gradient/graph/run.h"

/* ---- sums over axes, which keep the size 1 ---- */

static loss_status infer_sum_axes(const lossi_tape *tape, lossi_tape_node *node)
{
    const lossi_tape_node *from = lossi_input_node(tape, node, 0);
    node->shape = from->shape;
    for (int32_t i = 0; i < node->shape.rank; i++) {
        if (node->attributes.integer[0] >> i & 1) {
            node->shape.size[i] = 1;
        }
    }
    return LOSS_OK;
}

static int32_t sum_axes_adjoint(lossi_tape *tape, int32_t node, int32_t adjoint, int32_t which)
{
    (void)tape;
    (void)node;
    (void)which;
    return adjoint; /* broadcasts: each element counts once */
}

static int32_t sum_axes_tangent(lossi_tape *tape, int32_t node, const int32_t *tangents)
{
    const lossi_shape from = *lossi_tape_shape(tape, lossi_tape_input(tape, node, 0));
    const int32_t axes = (int32_t)tape->nodes[node].attributes.integer[0];
    return lossi_tape_reduce(tape, lossi_tape_full(tape, tangents[0], &from), axes);
}

static double element(const lossi_value *value, int64_t i)
{
    float single;
    double number;
    if (value->dtype == LOSS_FLOAT32) {
        memcpy(&single, value->data + i * 4, sizeof single);
        return single;
    }
    memcpy(&number, value->data + i * 8, sizeof number);
    return number;
}

static void put(const lossi_value *value, int64_t i, double number)
{
    const float single = (float)number;
    if (value->dtype == LOSS_FLOAT32) {
        memcpy(value->data + i * 4, &single, sizeof single);
    } else {
        memcpy(value->data + i * 8, &number, sizeof number);
    }
}

static int64_t sum_axes_scratch(const lossi_tape *tape, int32_t node, int64_t rows)
{
    return 8 * lossi_shape_elements(lossi_tape_shape(tape, node), rows);
}

static loss_status run_sum_axes(const lossi_node_run *run)
{
    const lossi_shape *from = &run->input[0].shape;
    const int64_t elements = lossi_value_elements(&run->input[0]),
                  results = lossi_value_elements(&run->output);
    double *sums = run->scratch;
    int64_t place[LOSSI_RANK] = {0}, stride[LOSSI_RANK], step = 1;
    for (int32_t d = from->rank - 1; d >= 0; d--) {
        const int32_t summed = (int32_t)(run->attributes->integer[0] >> d & 1);
        stride[d] = summed ? 0 : step;
        step *= summed ? 1 : from->size[d];
    }
    memset(sums, 0, sizeof *sums * (size_t)results);
    for (int64_t i = 0, to = 0; i < elements; i++) {
        sums[to] += element(&run->input[0], i);
        for (int32_t d = from->rank - 1; d >= 0; d--) {
            to += stride[d];
            if (++place[d] < from->size[d]) {
                break;
            }
            to -= stride[d] * place[d];
            place[d] = 0;
        }
    }
    for (int64_t i = 0; i < results; i++) {
        put(&run->output, i, sums[i]);
    }
    if (results == 1) {
        *run->exact = sums[0];
        *run->is_exact = 1;
    }
    return LOSS_OK;
}

const lossi_operation lossi_operation_sum_axes = {.name = "_sum_axes",
                                                  .infer = infer_sum_axes,
                                                  .vector_jacobian = sum_axes_adjoint,
                                                  .jacobian_vector = sum_axes_tangent,
                                                  .scratch = sum_axes_scratch,
                                                  .run = run_sum_axes};

/* ---- by name ---- */

enum { AXES, KEEP, OPTIONS };

static const loss_option options[OPTIONS] = {
    [AXES] = {"axes", LOSS_OPTION_ARRAY, -LOSSI_RANK, LOSSI_RANK - 1, 0, NULL, NULL,
              "the axes to add up, counted from the end where negative; none: all"},
    [KEEP] = {"keep_axes", LOSS_OPTION_INT, 0, 1, 0, NULL, NULL, "1: they stay, with size 1"},
};

/* integer[0]: how many axes, integer[1]: keep, integer[2 …]: the axes. */
static loss_status settle(const lossi_options *given, loss_context *context, lossi_attributes *attributes)
{
    const lossi_option_value *axes = lossi_options_own(given, AXES);
    if (axes->count > LOSSI_RANK) {
        return lossi_fail(context, LOSS_ERROR_RANGE,
                          "the option 'axes' has %lld numbers; at most %d axes are there",
                          (long long)axes->count, (int)LOSSI_RANK);
    }
    attributes->integer[0] = axes->count;
    attributes->integer[1] = lossi_options_own(given, KEEP)->integer;
    for (int64_t i = 0; i < axes->count; i++) {
        if (axes->array[i] != floor(axes->array[i])) {
            return lossi_fail(context, LOSS_ERROR_RANGE, "the option 'axes' has whole numbers");
        }
        attributes->integer[2 + i] = (int64_t)axes->array[i];
    }
    return LOSS_OK;
}

/* A bit for each axis of a node with that rank; −1 when one of them is not there. */
static int32_t axes_of(const lossi_attributes *attributes, int32_t rank)
{
    int32_t axes = attributes->integer[0] == 0 ? (1 << rank) - 1 : 0;
    for (int64_t i = 0; i < attributes->integer[0]; i++) {
        const int64_t axis = attributes->integer[2 + i] + (attributes->integer[2 + i] < 0 ? rank : 0);
        if (axis < 0 || axis >= rank) {
            return -1;
        }
        axes |= 1 << axis;
    }
    return axes;
}

/* The shape of a reduction, or a sentence. */
static loss_status infer_reduction(const lossi_tape *tape, lossi_tape_node *node)
{
    const lossi_tape_node *from = lossi_input_node(tape, node, 0);
    const int32_t axes = axes_of(&node->attributes, from->shape.rank);
    if (axes < 0) {
        return lossi_operation_fail_shapes(tape, node, "one of the axes is not there");
    }
    if (from->dtype != tape->dtype) {
        return lossi_fail(tape->context, LOSS_ERROR_TYPE, "the operation '%s' takes %s, not %s",
                          node->operation->name, loss_dtype_name(tape->dtype), loss_dtype_name(from->dtype));
    }
    node->shape.rank = 0;
    for (int32_t i = 0; i < from->shape.rank; i++) {
        const int32_t gone = axes >> i & 1;
        if (!gone || node->attributes.integer[1]) {
            node->shape.size[node->shape.rank++] = gone ? 1 : from->shape.size[i];
        }
    }
    return LOSS_OK;
}

/* The sum in the shape that infer_reduction() gives. */
static int32_t put_sum(lossi_tape *tape, const lossi_attributes *attributes, int32_t input)
{
    const int32_t rank = lossi_tape_shape(tape, input)->rank, axes = axes_of(attributes, rank);
    const int32_t sum = lossi_tape_reduce(tape, input, axes);
    if (sum == LOSSI_NONE || attributes->integer[1]) {
        return sum;
    }
    lossi_shape shape = {0, {0}};
    for (int32_t i = 0; i < rank; i++) {
        if (!(axes >> i & 1)) {
            shape.size[shape.rank++] = lossi_tape_shape(tape, sum)->size[i];
        }
    }
    return lossi_tape_reshape(tape, sum, &shape);
}

static int32_t expand_sum(lossi_tape *tape, const lossi_attributes *attributes, const int32_t *inputs,
                          int32_t count)
{
    (void)count;
    return put_sum(tape, attributes, inputs[0]);
}

/* Sum / number of elements; how many rows there are is known when it runs. */
static int32_t expand_mean(lossi_tape *tape, const lossi_attributes *attributes, const int32_t *inputs,
                           int32_t count)
{
    (void)count;
    const lossi_shape from = *lossi_tape_shape(tape, inputs[0]);
    const int32_t axes = axes_of(attributes, from.rank);
    int64_t elements = 1;
    int32_t sum = put_sum(tape, attributes, inputs[0]);
    for (int32_t i = 0; i < from.rank; i++) {
        elements *= axes >> i & 1 && from.size[i] != LOSSI_ROWS ? from.size[i] : 1;
    }
    int32_t divisor = lossi_tape_number(tape, (double)elements);
    if (axes & 1 && lossi_shape_of_rows(&from)) {
        const int32_t rows = lossi_tape_add(tape, &lossi_operation_rows, NULL, inputs, 1);
        divisor = elements == 1 ? rows : lossi_tape_multiply(tape, rows, divisor);
    }
    return lossi_tape_divide(tape, sum, divisor);
}

const lossi_operation lossi_operation_sum = {.name = "sum",
                                             .summary = "the sum over axes",
                                             .inputs = "a",
                                             .formula = "sum over the axes of a",
                                             .reference = "",
                                             .options = options,
                                             .option_count = OPTIONS,
                                             .settle = settle,
                                             .infer = infer_reduction,
                                             .expand = expand_sum};

const lossi_operation lossi_operation_mean = {
    .name = "mean",
    .summary = "the mean over axes",
    .inputs = "a",
    .formula = "sum over the axes of a / number of elements added up",
    .reference = "",
    .options = options,
    .option_count = OPTIONS,
    .settle = settle,
    .infer = infer_reduction,
    .expand = expand_mean};
