/*
 * Matrix products: c[…, j] = Σ_k a[…, k] · b[k, j], and the contraction over all axes but the last that its derivative needs,
 * c[k, j] = Σ_… a[…, k] · b[…, j].
 *
 * The adjoints are products again: ā = c̄·bᵀ, b̄ = aᵀ·c̄. Giles, An extended collection of matrix derivative results for forward
 * and reverse mode algorithmic differentiation (2008), §2.2.1.
 */
#include "gradient/matrix_product.h"

#include <stddef.h>

#include "gradient/graph/operations.h"
#include "gradient/graph/run.h"

static const lossi_operation contraction;

enum { TRANSPOSED }; /* of b; an option's place and the attribute's */

static const loss_option options[] = {
    [TRANSPOSED] = {"transpose", LOSS_OPTION_INT, 0, 1, 0, NULL, NULL,
                    "1: b is given transposed, columns × inner"},
};

static loss_status settle(const lossi_options *given, loss_context *context, lossi_attributes *attributes)
{
    (void)context;
    attributes->integer[TRANSPOSED] = lossi_options_own(given, TRANSPOSED)->integer;
    return LOSS_OK;
}

static loss_status check_types(const lossi_tape *tape, const lossi_tape_node *node)
{
    for (int32_t i = 0; i < 2; i++) {
        const loss_dtype dtype = lossi_input_node(tape, node, i)->dtype;
        if (dtype != tape->dtype) {
            return lossi_fail(tape->context, LOSS_ERROR_TYPE,
                              "the operation 'matrix_product' takes %s, not %s", loss_dtype_name(tape->dtype),
                              loss_dtype_name(dtype));
        }
    }
    return LOSS_OK;
}

static loss_status infer(const lossi_tape *tape, lossi_tape_node *node)
{
    const lossi_shape *a = &lossi_input_node(tape, node, 0)->shape,
                      *b = &lossi_input_node(tape, node, 1)->shape;
    const int32_t transposed = (int32_t)node->attributes.integer[TRANSPOSED];
    if (a->rank < 1 || b->rank != 2 || lossi_shape_of_rows(b)) {
        return lossi_operation_fail_shapes(tape, node, "the second has two sizes, none of them rows");
    }
    if (a->size[a->rank - 1] != b->size[transposed]) {
        return lossi_operation_fail_shapes(tape, node,
                                           transposed
                                               ? "the last sizes are not equal"
                                               : "the last size of the first is not the first of the second");
    }
    node->shape = *a;
    node->shape.size[a->rank - 1] = b->size[!transposed];
    return check_types(tape, node);
}

static int32_t put_product(lossi_tape *tape, int32_t a, int32_t b, int32_t transposed)
{
    const lossi_attributes attributes = {.integer = {transposed}};
    const int32_t inputs[] = {a, b};
    return lossi_tape_add(tape, &lossi_operation_matrix_product, &attributes, inputs, 2);
}

static int32_t put_contraction(lossi_tape *tape, int32_t a, int32_t b)
{
    const int32_t inputs[] = {a, b};
    return lossi_tape_add(tape, &contraction, NULL, inputs, 2);
}

/* The tangent in the shape of the input it belongs to. */
static int32_t full_tangent(lossi_tape *tape, int32_t node, const int32_t *tangents, int32_t which)
{
    const lossi_shape shape = *lossi_tape_shape(tape, lossi_tape_input(tape, node, which));
    return lossi_tape_full(tape, tangents[which], &shape);
}

static int32_t product_adjoint(lossi_tape *tape, int32_t node, int32_t adjoint, int32_t which)
{
    const int32_t a = lossi_tape_input(tape, node, 0), b = lossi_tape_input(tape, node, 1);
    const int32_t transposed = (int32_t)tape->nodes[node].attributes.integer[TRANSPOSED];
    const lossi_shape shape = *lossi_tape_shape(tape, node);
    adjoint = lossi_tape_full(tape, adjoint, &shape);
    return which == 0   ? put_product(tape, adjoint, b, !transposed)
           : transposed ? put_contraction(tape, adjoint, a)
                        : put_contraction(tape, a, adjoint);
}

static int32_t product_tangent(lossi_tape *tape, int32_t node, const int32_t *tangents)
{
    const int32_t a = lossi_tape_input(tape, node, 0), b = lossi_tape_input(tape, node, 1);
    const int32_t transposed = (int32_t)tape->nodes[node].attributes.integer[TRANSPOSED];
    int32_t sum = LOSSI_NONE;
    if (tangents[0] != LOSSI_NONE) {
        sum = put_product(tape, full_tangent(tape, node, tangents, 0), b, transposed);
    }
    if (tangents[1] != LOSSI_NONE) {
        sum = lossi_tape_sum(tape, sum,
                             put_product(tape, a, full_tangent(tape, node, tangents, 1), transposed));
    }
    return sum;
}

/* A matrix of a value: all sizes but the last are its rows. */
static lossi_matrix_view matrix_of(const lossi_value *value, int32_t transposed)
{
    const int64_t columns = value->shape.size[value->shape.rank - 1];
    return transposed ? (lossi_matrix_view){value->data, 1, columns}
                      : (lossi_matrix_view){value->data, columns, 1};
}

static int64_t rows_of(const lossi_value *value)
{
    int64_t rows = 1;
    for (int32_t i = 0; i < value->shape.rank - 1; i++) {
        rows *= value->shape.size[i];
    }
    return rows;
}

/* The elements before the last size, for that many rows. */
static int64_t leading(const lossi_shape *shape, int64_t rows)
{
    lossi_shape without = *shape;
    without.rank--;
    return lossi_shape_elements(&without, rows);
}

static int64_t product_scratch(const lossi_tape *tape, int32_t node, int64_t rows)
{
    const lossi_shape *c = lossi_tape_shape(tape, node),
                      *a = lossi_tape_shape(tape, lossi_tape_input(tape, node, 0));
    return lossi_matrix_product_scratch(tape->context, tape->dtype, leading(c, rows), c->size[c->rank - 1],
                                        a->size[a->rank - 1]);
}

static loss_status run_product(const lossi_node_run *run)
{
    const int64_t inner = run->input[0].shape.size[run->input[0].shape.rank - 1];
    const int64_t columns = run->output.shape.size[run->output.shape.rank - 1];
    return lossi_matrix_product(run->context, run->output.dtype, rows_of(&run->output), columns, inner,
                                matrix_of(&run->input[0], 0),
                                matrix_of(&run->input[1], (int32_t)run->attributes->integer[TRANSPOSED]),
                                run->output.data, columns, 0, run->scratch);
}

const lossi_operation lossi_operation_matrix_product = {
    .name = "matrix_product",
    .summary = "the product with a matrix along the last axis",
    .inputs = "a b",
    .formula = "sum over k of a[..., k] b[k, j]",
    .reference = "",
    .options = options,
    .option_count = 1,
    .settle = settle,
    .infer = infer,
    .vector_jacobian = product_adjoint,
    .jacobian_vector = product_tangent,
    .scratch = product_scratch,
    .run = run_product};

/* ---- the contraction ---- */

static loss_status infer_contraction(const lossi_tape *tape, lossi_tape_node *node)
{
    const lossi_shape *a = &lossi_input_node(tape, node, 0)->shape,
                      *b = &lossi_input_node(tape, node, 1)->shape;
    node->shape = (lossi_shape){2, {a->size[a->rank - 1], b->size[b->rank - 1]}};
    return check_types(tape, node);
}

static int32_t contraction_adjoint(lossi_tape *tape, int32_t node, int32_t adjoint, int32_t which)
{
    const lossi_shape shape = *lossi_tape_shape(tape, node);
    adjoint = lossi_tape_full(tape, adjoint, &shape);
    return which == 0 ? put_product(tape, lossi_tape_input(tape, node, 1), adjoint, 1)
                      : put_product(tape, lossi_tape_input(tape, node, 0), adjoint, 0);
}

static int32_t contraction_tangent(lossi_tape *tape, int32_t node, const int32_t *tangents)
{
    int32_t sum = LOSSI_NONE;
    if (tangents[0] != LOSSI_NONE) {
        sum = put_contraction(tape, full_tangent(tape, node, tangents, 0), lossi_tape_input(tape, node, 1));
    }
    if (tangents[1] != LOSSI_NONE) {
        sum = lossi_tape_sum(
            tape, sum,
            put_contraction(tape, lossi_tape_input(tape, node, 0), full_tangent(tape, node, tangents, 1)));
    }
    return sum;
}

static int64_t contraction_scratch(const lossi_tape *tape, int32_t node, int64_t rows)
{
    const lossi_shape *c = lossi_tape_shape(tape, node);
    return lossi_matrix_product_scratch(
        tape->context, tape->dtype, c->size[0], c->size[1],
        leading(lossi_tape_shape(tape, lossi_tape_input(tape, node, 0)), rows));
}

static loss_status run_contraction(const lossi_node_run *run)
{
    return lossi_matrix_product(run->context, run->output.dtype, run->output.shape.size[0],
                                run->output.shape.size[1], rows_of(&run->input[0]),
                                matrix_of(&run->input[0], 1), matrix_of(&run->input[1], 0), run->output.data,
                                run->output.shape.size[1], 0, run->scratch);
}

static const lossi_operation contraction = {.name = "_contraction",
                                            .infer = infer_contraction,
                                            .vector_jacobian = contraction_adjoint,
                                            .jacobian_vector = contraction_tangent,
                                            .scratch = contraction_scratch,
                                            .run = run_contraction};
