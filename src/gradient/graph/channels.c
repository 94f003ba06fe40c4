/*
 * Batch normalisation: its derivatives. With n elements of a channel, mean m, s = 1 / sqrt(variance + ε) and z = (x − m) s,
 *
 *     ∂z/∂x · t = s (t − Σt / n − z Σ(z t) / n),
 *
 * which is symmetric, so adjoints are made of the same; ∂m/∂x · t = Σt / n and ∂s/∂x · t = −s² Σ(z t) / n. Each rule puts
 * these five on the tape or elementwise operations, so derivatives of any order follow.
 *
 * Ioffe & Szegedy, Batch normalization: accelerating deep network training by reducing internal covariate shift (ICML 2015).
 */
#include "gradient/graph/channels.h"

#include <stddef.h>

#include "gradient/graph/operations.h"
#include "gradient/graph/shape.h"
#include "loss/expression/expression.h"

/* ---- pieces of formulas ---- */

static int32_t put(lossi_tape *tape, const lossi_operation *operation, int32_t a, int32_t b, int32_t c)
{
    const int32_t inputs[] = {a, b, c};
    return lossi_tape_add(tape, operation, NULL, inputs, c == LOSSI_NONE ? 2 : 3);
}

static int32_t put_dot(lossi_tape *tape, int32_t a, int32_t x, int32_t moments)
{
    return put(tape, &lossi_operation_channel_dot, a, x, moments);
}

static int32_t put_scale(lossi_tape *tape, int32_t x, int32_t moments)
{
    return put(tape, &lossi_operation_channel_scale, x, moments, LOSSI_NONE);
}

/* z */
static int32_t put_normal(lossi_tape *tape, int32_t x, int32_t moments)
{
    const int32_t centre = put(tape, &lossi_operation_channel_centre, x, moments, LOSSI_NONE);
    return lossi_tape_multiply(tape, lossi_tape_subtract(tape, x, centre), put_scale(tape, x, moments));
}

/* n */
static int32_t put_count(lossi_tape *tape, int32_t x)
{
    const lossi_shape shape = *lossi_tape_shape(tape, x);
    double count = 1;
    for (int32_t i = 0; i + 1 < shape.rank; i++) {
        count *= shape.size[i] == LOSSI_ROWS ? 1.0 : (double)shape.size[i];
    }
    const int32_t number = lossi_tape_number(tape, count);
    if (!lossi_shape_of_rows(&shape) || shape.rank < 2) {
        return number;
    }
    return lossi_tape_multiply(tape, lossi_tape_add(tape, &lossi_operation_rows, NULL, &x, 1), number);
}

/* Σ a of each channel */
static int32_t put_sum(lossi_tape *tape, int32_t a)
{
    const lossi_shape from = *lossi_tape_shape(tape, a);
    const lossi_shape to = {1, {from.size[from.rank - 1]}};
    return lossi_tape_sum_to(tape, a, &from, &to);
}

static int32_t full_like(lossi_tape *tape, int32_t node, int32_t like)
{
    const lossi_shape shape = *lossi_tape_shape(tape, like);
    return lossi_tape_full(tape, node, &shape);
}

/* t − Σt / n − z Σ(z t) / n; the sum of products may be there already. */
static int32_t put_projected(lossi_tape *tape, int32_t t, int32_t x, int32_t moments, int32_t dot)
{
    const int32_t n = put_count(tape, x);
    dot = dot == LOSSI_NONE ? put_dot(tape, t, x, moments) : dot;
    if (tape->status != LOSS_OK) {
        return LOSSI_NONE;
    }
    const int32_t mean = lossi_tape_divide(tape, put_sum(tape, t), n);
    const int32_t along = lossi_tape_multiply(tape, put_normal(tape, x, moments),
                                              lossi_tape_divide(tape, dot, n));
    return lossi_tape_subtract(tape, lossi_tape_subtract(tape, t, mean), along);
}

/* ---- moments, and their rows ---- */

static loss_status infer_moments(const lossi_tape *tape, lossi_tape_node *node)
{
    const lossi_shape *x = &lossi_input_node(tape, node, 0)->shape;
    node->shape = (lossi_shape){2, {LOSSI_MOMENTS, x->size[x->rank - 1]}};
    return LOSS_OK;
}

/* Derivatives are those of the operations that read them, for these get x too. */
const lossi_operation lossi_operation_channel_moments = {.name = "_channel_moments",
                                                         .infer = infer_moments,
                                                         .scratch = lossi_channel_moments_scratch,
                                                         .run = lossi_channel_moments_run};

static loss_status infer_row(const lossi_tape *tape, lossi_tape_node *node)
{
    const lossi_shape *x = &lossi_input_node(tape, node, 0)->shape;
    node->shape = (lossi_shape){1, {x->size[x->rank - 1]}};
    return LOSS_OK;
}

static int32_t centre_adjoint(lossi_tape *tape, int32_t node, int32_t adjoint, int32_t which)
{
    return which > 0 ? LOSSI_NONE
                     : lossi_tape_divide(tape, adjoint, put_count(tape, lossi_tape_input(tape, node, 0)));
}

static int32_t centre_tangent(lossi_tape *tape, int32_t node, const int32_t *tangents)
{
    const int32_t x = lossi_tape_input(tape, node, 0);
    if (tangents[0] == LOSSI_NONE) {
        return LOSSI_NONE;
    }
    return lossi_tape_divide(tape, put_sum(tape, full_like(tape, tangents[0], x)), put_count(tape, x));
}

const lossi_operation lossi_operation_channel_centre = {.name = "_channel_centre",
                                                        .infer = infer_row,
                                                        .vector_jacobian = centre_adjoint,
                                                        .jacobian_vector = centre_tangent,
                                                        .run = lossi_channel_row_run};

/* −s² / n */
static int32_t put_slope(lossi_tape *tape, int32_t node)
{
    const int32_t x = lossi_tape_input(tape, node, 0);
    return lossi_tape_negate(
        tape, lossi_tape_divide(tape, lossi_tape_multiply(tape, node, node), put_count(tape, x)));
}

static int32_t scale_adjoint(lossi_tape *tape, int32_t node, int32_t adjoint, int32_t which)
{
    const int32_t x = lossi_tape_input(tape, node, 0), moments = lossi_tape_input(tape, node, 1);
    if (which > 0) {
        return LOSSI_NONE;
    }
    return lossi_tape_multiply(tape, lossi_tape_multiply(tape, adjoint, put_slope(tape, node)),
                               put_normal(tape, x, moments));
}

static int32_t scale_tangent(lossi_tape *tape, int32_t node, const int32_t *tangents)
{
    const int32_t x = lossi_tape_input(tape, node, 0), moments = lossi_tape_input(tape, node, 1);
    if (tangents[0] == LOSSI_NONE) {
        return LOSSI_NONE;
    }
    return lossi_tape_multiply(tape, put_dot(tape, full_like(tape, tangents[0], x), x, moments),
                               put_slope(tape, node));
}

const lossi_operation lossi_operation_channel_scale = {.name = "_channel_scale",
                                                       .infer = infer_row,
                                                       .vector_jacobian = scale_adjoint,
                                                       .jacobian_vector = scale_tangent,
                                                       .run = lossi_channel_row_run};

/* ---- sums of products ---- */

static int32_t dot_adjoint(lossi_tape *tape, int32_t node, int32_t adjoint, int32_t which)
{
    const int32_t a = lossi_tape_input(tape, node, 0), x = lossi_tape_input(tape, node, 1);
    const int32_t moments = lossi_tape_input(tape, node, 2);
    if (which == 0) {
        return lossi_tape_multiply(tape, adjoint, put_normal(tape, x, moments));
    }
    return which > 1
               ? LOSSI_NONE
               : lossi_tape_multiply(tape, lossi_tape_multiply(tape, adjoint, put_scale(tape, x, moments)),
                                     put_projected(tape, a, x, moments, node));
}

static int32_t dot_tangent(lossi_tape *tape, int32_t node, const int32_t *tangents)
{
    const int32_t a = lossi_tape_input(tape, node, 0), x = lossi_tape_input(tape, node, 1);
    const int32_t moments = lossi_tape_input(tape, node, 2);
    int32_t sum = LOSSI_NONE;
    if (tangents[0] != LOSSI_NONE) {
        sum = put_dot(tape, full_like(tape, tangents[0], a), x, moments);
    }
    if (tangents[1] != LOSSI_NONE) {
        const int32_t products = lossi_tape_multiply(tape, put_projected(tape, a, x, moments, node),
                                                     full_like(tape, tangents[1], x));
        if (tape->status == LOSS_OK) {
            sum = lossi_tape_sum(
                tape, sum, lossi_tape_multiply(tape, put_scale(tape, x, moments), put_sum(tape, products)));
        }
    }
    return sum;
}

const lossi_operation lossi_operation_channel_dot = {.name = "_channel_dot",
                                                     .infer = infer_row,
                                                     .vector_jacobian = dot_adjoint,
                                                     .jacobian_vector = dot_tangent,
                                                     .scratch = lossi_channel_dot_scratch,
                                                     .run = lossi_channel_dot_run};

/* ---- the normalisation ---- */

static loss_status infer_normalise(const lossi_tape *tape, lossi_tape_node *node)
{
    node->shape = lossi_input_node(tape, node, 0)->shape;
    return LOSS_OK;
}

static int32_t normalise_adjoint(lossi_tape *tape, int32_t node, int32_t adjoint, int32_t which)
{
    const int32_t x = lossi_tape_input(tape, node, 0), scale = lossi_tape_input(tape, node, 1);
    const int32_t moments = lossi_tape_input(tape, node, 3);
    adjoint = full_like(tape, adjoint, node);
    if (tape->status != LOSS_OK || which > 2) {
        return LOSSI_NONE;
    }
    if (which == 2) {
        return put_sum(tape, adjoint);
    }
    return which == 1
               ? put_dot(tape, adjoint, x, moments)
               : lossi_tape_multiply(tape, lossi_tape_multiply(tape, put_scale(tape, x, moments), scale),
                                     put_projected(tape, adjoint, x, moments, LOSSI_NONE));
}

static int32_t normalise_tangent(lossi_tape *tape, int32_t node, const int32_t *tangents)
{
    const int32_t x = lossi_tape_input(tape, node, 0), scale = lossi_tape_input(tape, node, 1);
    const int32_t moments = lossi_tape_input(tape, node, 3);
    int32_t sum = tangents[2];
    if (tangents[1] != LOSSI_NONE) {
        sum = lossi_tape_sum(tape, sum, lossi_tape_multiply(tape, tangents[1], put_normal(tape, x, moments)));
    }
    if (tangents[0] != LOSSI_NONE) {
        const int32_t projected = put_projected(tape, full_like(tape, tangents[0], x), x, moments,
                                                LOSSI_NONE);
        sum = lossi_tape_sum(
            tape, sum,
            lossi_tape_multiply(tape, lossi_tape_multiply(tape, put_scale(tape, x, moments), scale),
                                projected));
    }
    return sum;
}

const lossi_operation lossi_operation_channel_normalise = {.name = "_channel_normalise",
                                                           .infer = infer_normalise,
                                                           .vector_jacobian = normalise_adjoint,
                                                           .jacobian_vector = normalise_tangent,
                                                           .scratch = lossi_channel_normalise_scratch,
                                                           .run = lossi_channel_normalise_run};
