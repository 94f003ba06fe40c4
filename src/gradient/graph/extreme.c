/*
 * The largest and the smallest number over axes.
 *
 * Where several are the largest, each gets an equal part of the derivative: of all convex combinations of their directions
 * that is the shortest (docs/numerics.md, kinks). With y the largest, e = 1 where a = y, and n = Σ e,
 *
 *     ā = e ȳ / n        ẏ = Σ e ȧ / n
 */
#include "gradient/graph/operations.h"
#include "gradient/graph/reduce.h"
#include "loss/expression/expression.h"

enum { AXES, KIND }; /* attributes of the operation that keeps its axes */

static loss_status infer_extreme(const lossi_tape *tape, lossi_tape_node *node)
{
    node->shape = lossi_input_node(tape, node, 0)->shape;
    for (int32_t i = 0; i < node->shape.rank; i++) {
        node->shape.size[i] = node->attributes.integer[AXES] >> i & 1 ? 1 : node->shape.size[i];
    }
    return LOSS_OK;
}

/* e */
static int32_t put_reached(lossi_tape *tape, int32_t node)
{
    return lossi_tape_scalar(tape, LOSSI_SCALAR_equal, lossi_tape_input(tape, node, 0), node, LOSSI_NONE);
}

/* x / n; a NaN among the elements makes y NaN, n = 0 and this NaN or infinite, so the NaN comes through. */
static int32_t put_part(lossi_tape *tape, int32_t node, int32_t reached, int32_t x)
{
    const int32_t axes = (int32_t)tape->nodes[node].attributes.integer[AXES];
    return lossi_tape_divide(tape, x, lossi_tape_reduce(tape, reached, axes));
}

static int32_t extreme_adjoint(lossi_tape *tape, int32_t node, int32_t adjoint, int32_t which)
{
    const int32_t reached = put_reached(tape, node);
    (void)which;
    return lossi_tape_multiply(tape, reached, put_part(tape, node, reached, adjoint));
}

static int32_t extreme_tangent(lossi_tape *tape, int32_t node, const int32_t *tangents)
{
    const int32_t axes = (int32_t)tape->nodes[node].attributes.integer[AXES];
    const int32_t reached = put_reached(tape, node);
    const int32_t moved = lossi_tape_multiply(tape, reached, tangents[0]);
    return put_part(tape, node, reached, lossi_tape_reduce(tape, moved, axes));
}

static int64_t extreme_scratch(const lossi_tape *tape, int32_t node, int64_t rows)
{
    lossi_shape from = *lossi_tape_shape(tape, lossi_tape_input(tape, node, 0));
    if (lossi_shape_of_rows(&from)) {
        from.size[0] = rows;
    }
    return lossi_reduce_scratch(&from, (int32_t)tape->nodes[node].attributes.integer[AXES]);
}

static loss_status run_extreme(const lossi_node_run *run)
{
    lossi_reduce_run(run->context, (int32_t)run->attributes->integer[KIND], &run->input[0],
                     (int32_t)run->attributes->integer[AXES], &run->output, run->scratch);
    return LOSS_OK;
}

static const lossi_operation extreme_axes = {.name = "_extreme_axes",
                                             .infer = infer_extreme,
                                             .vector_jacobian = extreme_adjoint,
                                             .jacobian_vector = extreme_tangent,
                                             .scratch = extreme_scratch,
                                             .run = run_extreme};

/* ---- by name ---- */

static const loss_option options[] = {LOSSI_AXES_OPTION_ROWS};

static int32_t put_extreme(lossi_tape *tape, const lossi_attributes *attributes, int32_t input, int32_t kind)
{
    const int32_t axes = lossi_axes_of(attributes, lossi_tape_shape(tape, input)->rank);
    const lossi_attributes own = {.integer = {[AXES] = axes, [KIND] = kind}};
    return axes == 0
               ? input
               : lossi_axes_drop(tape, attributes, lossi_tape_add(tape, &extreme_axes, &own, &input, 1));
}

static int32_t expand_max(lossi_tape *tape, const lossi_attributes *attributes, const int32_t *inputs,
                          int32_t count)
{
    (void)count;
    return put_extreme(tape, attributes, inputs[0], LOSSI_REDUCE_MAXIMUM);
}

static int32_t expand_min(lossi_tape *tape, const lossi_attributes *attributes, const int32_t *inputs,
                          int32_t count)
{
    (void)count;
    return put_extreme(tape, attributes, inputs[0], LOSSI_REDUCE_MINIMUM);
}

const lossi_operation lossi_operation_max = {
    .name = "max",
    .summary = "the largest number over axes; several that tie share the derivative equally",
    .inputs = "a",
    .formula = "max over the axes of a",
    .reference = "",
    .options = options,
    .option_count = LOSSI_AXES_OPTIONS,
    .settle = lossi_axes_settle,
    .infer = lossi_axes_infer,
    .expand = expand_max};

const lossi_operation lossi_operation_min = {
    .name = "min",
    .summary = "the smallest number over axes; several that tie share the derivative equally",
    .inputs = "a",
    .formula = "min over the axes of a",
    .reference = "",
    .options = options,
    .option_count = LOSSI_AXES_OPTIONS,
    .settle = lossi_axes_settle,
    .infer = lossi_axes_infer,
    .expand = expand_min};
