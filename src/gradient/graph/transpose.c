/*
 * Axes in another order.
 *
 * Axes that stay neighbours are one. Where the last axis stays the last, runs of elements are copied; otherwise the axis that was
 * last and the one that becomes last span matrices, which are transposed block by block. The adjoint is the inverse order.
 */
#include <string.h>

#include "core/isa.h"
#include "gradient/graph/operations.h"
#include "gradient/graph/run.h"
#include "gradient/graph/transpose_kernels.h"

enum { COUNT, AXES }; /* attributes: how many axes were given, then which */

enum { STRIP = 64, TASK_ELEMENTS = 32768 };

/* order[i]: which axis of the input is axis i; the axes in reverse where none were given. 0 when they are no permutation. */
static int32_t order_of(const lossi_attributes *attributes, int32_t rank, int32_t *order)
{
    int32_t seen = 0;
    if (attributes->integer[COUNT] != 0 && attributes->integer[COUNT] != rank) {
        return 0;
    }
    for (int32_t i = 0; i < rank; i++) {
        int64_t axis = attributes->integer[COUNT] == 0 ? rank - 1 - i : attributes->integer[AXES + i];
        axis += axis < 0 ? rank : 0;
        if (axis < 0 || axis >= rank || seen >> axis & 1) {
            return 0;
        }
        seen |= 1 << axis;
        order[i] = (int32_t)axis;
    }
    return 1;
}

static const loss_option options[] = {
    {"axes", LOSS_OPTION_ARRAY, -LOSSI_RANK, LOSSI_RANK - 1, 0, NULL, NULL,
     "which axis of a each axis of the result is, counted from the end where negative; none: in reverse"},
};

static loss_status settle(const lossi_options *given, loss_context *context, lossi_attributes *attributes)
{
    const lossi_option_value *axes = lossi_options_own(given, 0);
    if (axes->count > LOSSI_RANK) {
        return lossi_fail(context, LOSS_ERROR_RANGE,
                          "the option 'axes' has %lld numbers; at most %d axes are there",
                          (long long)axes->count, (int)LOSSI_RANK);
    }
    attributes->integer[COUNT] = axes->count;
    for (int64_t i = 0; i < axes->count; i++) {
        attributes->integer[AXES + i] = (int64_t)axes->array[i];
        if ((double)attributes->integer[AXES + i] != axes->array[i]) {
            return lossi_fail(context, LOSS_ERROR_RANGE, "the option 'axes' has a number that is not whole");
        }
    }
    return LOSS_OK;
}

static loss_status infer(const lossi_tape *tape, lossi_tape_node *node)
{
    const lossi_tape_node *from = lossi_input_node(tape, node, 0);
    int32_t order[LOSSI_RANK];
    if (!order_of(&node->attributes, from->shape.rank, order)) {
        return lossi_operation_fail_shapes(tape, node, "'axes' does not name each axis once");
    }
    if (lossi_shape_of_rows(&from->shape) && order[0] != 0) {
        return lossi_operation_fail_shapes(tape, node, "the rows stay the first axis");
    }
    node->dtype = from->dtype;
    node->shape.rank = from->shape.rank;
    for (int32_t i = 0; i < from->shape.rank; i++) {
        node->shape.size[i] = from->shape.size[order[i]];
    }
    return LOSS_OK;
}

static int32_t put_transpose(lossi_tape *tape, int32_t a, const int32_t *order, int32_t rank)
{
    lossi_attributes attributes = {.integer = {[COUNT] = rank}};
    for (int32_t i = 0; i < rank; i++) {
        attributes.integer[AXES + i] = order[i];
    }
    return lossi_tape_add(tape, &lossi_operation_transpose, &attributes, &a, 1);
}

static int32_t transpose_adjoint(lossi_tape *tape, int32_t node, int32_t adjoint, int32_t which)
{
    const lossi_shape shape = *lossi_tape_shape(tape, node);
    int32_t order[LOSSI_RANK], inverse[LOSSI_RANK];
    (void)which;
    order_of(&tape->nodes[node].attributes, shape.rank, order);
    for (int32_t i = 0; i < shape.rank; i++) {
        inverse[order[i]] = i;
    }
    return put_transpose(tape, lossi_tape_full(tape, adjoint, &shape), inverse, shape.rank);
}

static int32_t transpose_tangent(lossi_tape *tape, int32_t node, const int32_t *tangents)
{
    const lossi_shape from = *lossi_tape_shape(tape, lossi_tape_input(tape, node, 0));
    int32_t order[LOSSI_RANK];
    order_of(&tape->nodes[node].attributes, from.rank, order);
    return put_transpose(tape, lossi_tape_full(tape, tangents[0], &from), order, from.rank);
}

/* ---- running ---- */

typedef struct axis {
    int64_t size, from, to; /* how far apart its elements are */
} axis;

typedef struct job {
    const lossi_transpose_kernels *kernels;
    const char *from;
    char *to;
    int64_t element;            /* bytes */
    axis outer[LOSSI_RANK];     /* all but what a unit is made of */
    int64_t run;                /* elements of a run that is copied, 0: matrices */
    int64_t rows, from_row;     /* of a matrix; its elements are neighbours along the columns */
    int64_t columns, to_column; /* and in the result along the rows */
    int64_t strips, units, units_per_task;
    int32_t outer_count;
} job;

static void transpose_bytes(int64_t rows, int64_t columns, const char *from, int64_t from_stride, char *to,
                            int64_t to_stride)
{
    for (int64_t j = 0; j < columns; j++) {
        for (int64_t i = 0; i < rows; i++) {
            to[j * to_stride + i] = from[i * from_stride + j];
        }
    }
}

static void run_task(void *argument, int64_t index, int32_t worker)
{
    const job *j = argument;
    const int64_t begin = index * j->units_per_task;
    const int64_t end = begin + j->units_per_task < j->units ? begin + j->units_per_task : j->units;
    (void)worker;
    for (int64_t unit = begin; unit < end; unit++) {
        int64_t rest = unit / j->strips, from = 0, to = 0;
        for (int32_t i = j->outer_count - 1; i >= 0; i--) {
            const int64_t place = rest % j->outer[i].size;
            rest /= j->outer[i].size;
            from += place * j->outer[i].from;
            to += place * j->outer[i].to;
        }
        if (j->run > 0) {
            memcpy(j->to + to * j->element, j->from + from * j->element, (size_t)(j->run * j->element));
            continue;
        }
        const int64_t left = unit % j->strips * STRIP;
        const int64_t columns = j->columns - left < STRIP ? j->columns - left : STRIP;
        const char *source = j->from + (from + left) * j->element;
        char *target = j->to + (to + left * j->to_column) * j->element;
        if (j->kernels != NULL) {
            j->kernels->transpose(j->rows, columns, source, j->from_row, target, j->to_column);
        } else {
            transpose_bytes(j->rows, columns, source, j->from_row, target, j->to_column);
        }
    }
}

/* The axes of the result, those of size 1 left out and neighbours that stay neighbours joined. */
static int32_t joined_axes(const lossi_shape *from, const lossi_shape *to, const int32_t *order, axis *axes)
{
    int64_t from_stride[LOSSI_RANK], to_stride[LOSSI_RANK];
    int32_t count = 0;
    for (int32_t i = from->rank - 1; i >= 0; i--) {
        from_stride[i] = i == from->rank - 1 ? 1 : from_stride[i + 1] * from->size[i + 1];
        to_stride[i] = i == to->rank - 1 ? 1 : to_stride[i + 1] * to->size[i + 1];
    }
    for (int32_t i = 0; i < to->rank; i++) {
        const axis next = {to->size[i], from_stride[order[i]], to_stride[i]};
        if (next.size == 1) {
            continue;
        }
        if (count > 0 && axes[count - 1].from == next.size * next.from) {
            axes[count - 1] = (axis){axes[count - 1].size * next.size, next.from, next.to};
        } else {
            axes[count++] = next;
        }
    }
    return count;
}

/* What a unit is: a run, or a strip of a matrix. */
static void cut(job *j, const axis *axes, int32_t count)
{
    const axis *last = &axes[count - 1];
    int32_t columns = count - 1;
    for (int32_t i = 0; i < count; i++) {
        columns = axes[i].from == 1 ? i : columns;
    }
    j->strips = 1;
    if (last->from == 1) {
        j->run = last->size;
    } else {
        j->rows = last->size;
        j->from_row = last->from;
        j->columns = axes[columns].size;
        j->to_column = axes[columns].to;
        j->strips = (j->columns + STRIP - 1) / STRIP;
    }
    j->units = j->strips;
    for (int32_t i = 0; i < count - 1; i++) {
        if (j->run > 0 || i != columns) {
            j->outer[j->outer_count++] = axes[i];
            j->units *= axes[i].size;
        }
    }
    const int64_t elements = j->run > 0 ? j->run : j->rows * (j->columns < STRIP ? j->columns : STRIP);
    j->units_per_task = elements < TASK_ELEMENTS ? TASK_ELEMENTS / elements : 1;
}

static loss_status run_transpose(const lossi_node_run *run)
{
    const lossi_value *from = &run->input[0];
    job j = {.from = from->data, .to = run->output.data, .element = loss_dtype_size(from->dtype)};
    int32_t order[LOSSI_RANK];
    axis axes[LOSSI_RANK];
    const int64_t elements = lossi_value_elements(from);
    order_of(run->attributes, from->shape.rank, order);
    const int32_t count = joined_axes(&from->shape, &run->output.shape, order, axes);
    if (elements == 0 || count == 0) {
        memcpy(j.to, j.from, (size_t)(elements * j.element));
        return LOSS_OK;
    }
    j.kernels = j.element < 4 ? NULL
                              : lossi_transpose_kernels_for(lossi_context_isa(run->context),
                                                            j.element == 8 ? LOSSI_FLOAT64 : LOSSI_FLOAT32);
    cut(&j, axes, count);
    if (j.units <= j.units_per_task) {
        run_task(&j, 0, 0);
    } else {
        lossi_parallel(run->context, (j.units + j.units_per_task - 1) / j.units_per_task, run_task, &j);
    }
    return LOSS_OK;
}

const lossi_operation lossi_operation_transpose = {.name = "transpose",
                                                   .summary = "the axes in another order",
                                                   .inputs = "a",
                                                   .formula = "axis i of the result is axis axes[i] of a",
                                                   .reference = "",
                                                   .options = options,
                                                   .option_count = 1,
                                                   .settle = settle,
                                                   .infer = infer,
                                                   .vector_jacobian = transpose_adjoint,
                                                   .jacobian_vector = transpose_tangent,
                                                   .run = run_transpose};
