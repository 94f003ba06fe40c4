/*
 * Sums and means over axes.
 *
 * A sum is added up in double whatever the element type, in the order that reduce_run.c lays down.
 */
#include "gradient/graph/reduce.h"

#include "gradient/graph/operations.h"
#include "gradient/objective.h"

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

static int64_t sum_axes_scratch(const lossi_tape *tape, int32_t node, int64_t rows)
{
    lossi_shape from = *lossi_tape_shape(tape, lossi_tape_input(tape, node, 0));
    if (lossi_shape_of_rows(&from)) {
        from.size[0] = rows;
    }
    return lossi_reduce_scratch(&from, (int32_t)tape->nodes[node].attributes.integer[0]);
}

static loss_status run_sum_axes(const lossi_node_run *run)
{
    const int32_t axes = (int32_t)run->attributes->integer[0];
    if (lossi_value_elements(&run->output) != 1) {
        lossi_reduce_run(run->context, LOSSI_REDUCE_SUM, &run->input[0], axes, &run->output, run->scratch);
        return LOSS_OK;
    }
    /* A number stays in double for those who can use it: an objective's value is made of such. */
    const lossi_value number = {(char *)run->exact, LOSS_FLOAT64, run->output.shape};
    lossi_reduce_run(run->context, LOSSI_REDUCE_SUM, &run->input[0], axes, &number, run->scratch);
    *run->is_exact = 1;
    lossi_real_put(run->output.dtype, run->output.data, 0, *run->exact);
    return LOSS_OK;
}

const lossi_operation lossi_operation_sum_axes = {.name = "_sum_axes",
                                                  .infer = infer_sum_axes,
                                                  .vector_jacobian = sum_axes_adjoint,
                                                  .jacobian_vector = sum_axes_tangent,
                                                  .scratch = sum_axes_scratch,
                                                  .run = run_sum_axes};

/* ---- by name ---- */

static const loss_option options[] = {LOSSI_AXES_OPTION_ROWS};

static int32_t expand_sum(lossi_tape *tape, const lossi_attributes *attributes, const int32_t *inputs,
                          int32_t count)
{
    (void)count;
    const int32_t axes = lossi_axes_of(attributes, lossi_tape_shape(tape, inputs[0])->rank);
    return lossi_axes_drop(tape, attributes, lossi_tape_reduce(tape, inputs[0], axes));
}

/* Sum / number of elements; how many rows there are is known when it runs. */
static int32_t expand_mean(lossi_tape *tape, const lossi_attributes *attributes, const int32_t *inputs,
                           int32_t count)
{
    const int32_t axes = lossi_axes_of(attributes, lossi_tape_shape(tape, inputs[0])->rank);
    const int32_t sum = expand_sum(tape, attributes, inputs, count);
    return lossi_tape_divide(tape, sum, lossi_axes_count(tape, inputs[0], axes));
}

const lossi_operation lossi_operation_sum = {.name = "sum",
                                             .summary = "the sum over axes",
                                             .inputs = "a",
                                             .formula = "sum over the axes of a",
                                             .reference = "",
                                             .options = options,
                                             .option_count = LOSSI_AXES_OPTIONS,
                                             .settle = lossi_axes_settle,
                                             .infer = lossi_axes_infer,
                                             .expand = expand_sum};

const lossi_operation lossi_operation_mean = {
    .name = "mean",
    .summary = "the mean over axes",
    .inputs = "a",
    .formula = "sum over the axes of a / number of elements added up",
    .reference = "",
    .options = options,
    .option_count = LOSSI_AXES_OPTIONS,
    .settle = lossi_axes_settle,
    .infer = lossi_axes_infer,
    .expand = expand_mean};
