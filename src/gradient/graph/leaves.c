/*
 * Nodes that compute nothing: what is given - numbers, constants, inputs, parameters, directions, seeds - and what shows
 * the elements of a node in another shape.
 */
#include <string.h>

#include "gradient/graph/operations.h"
#include "gradient/graph/run.h"

/* Rank and sizes from attributes. */
static lossi_shape shape_from(const int64_t *integer)
{
    lossi_shape shape = {(int32_t)integer[0], {0}};
    memcpy(shape.size, integer + 1, sizeof shape.size[0] * (size_t)shape.rank);
    return shape;
}

static loss_status infer_number(const lossi_tape *tape, lossi_tape_node *node)
{
    (void)tape;
    node->shape.rank = 0;
    return LOSS_OK;
}

static loss_status infer_array(const lossi_tape *tape, lossi_tape_node *node)
{
    (void)tape;
    node->shape = shape_from(node->attributes.integer + 1);
    return LOSS_OK;
}

static loss_status infer_input(const lossi_tape *tape, lossi_tape_node *node)
{
    node->dtype = (loss_dtype)node->attributes.integer[2 + LOSSI_RANK];
    return infer_array(tape, node);
}

const lossi_operation lossi_operation_number = {
    .name = "_number", .flags = LOSSI_OPERATION_LEAF, .infer = infer_number};
const lossi_operation lossi_operation_constant = {
    .name = "_constant", .flags = LOSSI_OPERATION_LEAF, .infer = infer_array};
const lossi_operation lossi_operation_input = {
    .name = "_input", .flags = LOSSI_OPERATION_LEAF, .infer = infer_input};
const lossi_operation lossi_operation_parameter = {
    .name = "_parameter", .flags = LOSSI_OPERATION_LEAF, .infer = infer_array};
const lossi_operation lossi_operation_direction = {
    .name = "_direction", .flags = LOSSI_OPERATION_LEAF, .infer = infer_array};
const lossi_operation lossi_operation_seed = {
    .name = "_seed", .flags = LOSSI_OPERATION_LEAF, .infer = infer_array};
const lossi_operation lossi_operation_statistic = {
    .name = "_statistic", .flags = LOSSI_OPERATION_LEAF, .infer = infer_array};

/* ---- another shape ---- */

static loss_status infer_view(const lossi_tape *tape, lossi_tape_node *node)
{
    const lossi_tape_node *from = lossi_input_node(tape, node, 0);
    node->shape = shape_from(node->attributes.integer);
    node->dtype = from->dtype;
    if (lossi_shape_row(&node->shape) != lossi_shape_row(&from->shape) ||
        lossi_shape_of_rows(&node->shape) != lossi_shape_of_rows(&from->shape)) {
        char text[LOSSI_SHAPE_TEXT], other[LOSSI_SHAPE_TEXT];
        return lossi_fail(tape->context, LOSS_ERROR_SHAPE,
                          "%s cannot be seen as %s: the elements differ in number",
                          lossi_shape_text(&from->shape, text), lossi_shape_text(&node->shape, other));
    }
    return LOSS_OK;
}

static int32_t view_adjoint(lossi_tape *tape, int32_t node, int32_t adjoint, int32_t which)
{
    const lossi_shape shape = *lossi_tape_shape(tape, node);
    const int32_t input = lossi_tape_input(tape, node, which);
    adjoint = lossi_tape_full(tape, adjoint, &shape);
    const lossi_shape from = *lossi_tape_shape(tape, input);
    return lossi_tape_reshape(tape, adjoint, &from);
}

static int32_t view_tangent(lossi_tape *tape, int32_t node, const int32_t *tangents)
{
    const lossi_shape shape = *lossi_tape_shape(tape, node);
    const lossi_shape from = *lossi_tape_shape(tape, lossi_tape_input(tape, node, 0));
    return lossi_tape_reshape(tape, lossi_tape_full(tape, tangents[0], &from), &shape);
}

const lossi_operation lossi_operation_view = {.name = "_view",
                                              .flags = LOSSI_OPERATION_VIEW,
                                              .infer = infer_view,
                                              .vector_jacobian = view_adjoint,
                                              .jacobian_vector = view_tangent};

/* ---- broadcasting ---- */

static loss_status infer_spread(const lossi_tape *tape, lossi_tape_node *node)
{
    lossi_shape both;
    const lossi_tape_node *from = lossi_input_node(tape, node, 0);
    node->shape = shape_from(node->attributes.integer);
    node->dtype = from->dtype;
    if (!lossi_shapes_broadcast(&from->shape, &node->shape, &both) ||
        !lossi_shapes_equal(&both, &node->shape)) {
        char text[LOSSI_SHAPE_TEXT], other[LOSSI_SHAPE_TEXT];
        return lossi_fail(tape->context, LOSS_ERROR_SHAPE, "%s does not broadcast to %s",
                          lossi_shape_text(&from->shape, text), lossi_shape_text(&node->shape, other));
    }
    return LOSS_OK;
}

static int32_t spread_adjoint(lossi_tape *tape, int32_t node, int32_t adjoint, int32_t which)
{
    const lossi_shape from = *lossi_tape_shape(tape, node);
    const lossi_shape to = *lossi_tape_shape(tape, lossi_tape_input(tape, node, which));
    return lossi_tape_sum_to(tape, adjoint, &from, &to);
}

static int32_t spread_tangent(lossi_tape *tape, int32_t node, const int32_t *tangents)
{
    (void)tape;
    (void)node;
    return tangents[0]; /* broadcasts to the node's shape as its input did */
}

/* Computed with the elementwise operations: the identity over a larger shape. */
const lossi_operation lossi_operation_spread = {.name = "_spread",
                                                .flags = LOSSI_OPERATION_ELEMENTWISE,
                                                .infer = infer_spread,
                                                .vector_jacobian = spread_adjoint,
                                                .jacobian_vector = spread_tangent};

/* ---- how many rows ---- */

static loss_status run_rows(const lossi_node_run *run)
{
    const double rows = (double)run->batch->rows;
    const float single = (float)rows;
    if (run->output.dtype == LOSS_FLOAT32) {
        memcpy(run->output.data, &single, sizeof single);
    } else {
        memcpy(run->output.data, &rows, sizeof rows);
    }
    return LOSS_OK;
}

const lossi_operation lossi_operation_rows = {.name = "_rows", .infer = infer_number, .run = run_rows};
