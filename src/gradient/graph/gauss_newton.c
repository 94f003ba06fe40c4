/*
 * Gauss-Newton products on a tape.
 *
 * With f = Σ_l c_l L_l(p_l(x)) + r(x), p_l what the losses l are computed from and J_l = ∂p_l/∂x,
 *
 *     G v = Σ_l J_lᵀ (c_l H_l (J_l v)) + ∇²r v
 *
 * and H_l the second derivatives of L_l, or the semidefinite part of them that the loss calls Gauss-Newton; c_l = ∂f/∂L_l.
 * Schraudolph, Fast curvature matrix-vector products for second-order gradient descent, Neural Computation 14 (2002) §3.
 */
#include <string.h>

#include "gradient/graph/differentiate.h"
#include "gradient/graph/loss_node.h"
#include "gradient/graph/operations.h"

enum { MOST_INPUTS = 8 }; /* of a loss */

typedef struct context {
    lossi_tape *tape;
    const int32_t *sources, *directions;
    int32_t count;
    int32_t *parts; /* of one loss, then the sum: a list each */
} context;

/* products += parts, source by source. */
static void add_parts(context *c, int32_t *products)
{
    for (int32_t i = 0; i < c->count && c->tape->status == LOSS_OK; i++) {
        products[i] = lossi_tape_sum(c->tape, products[i], c->parts[i]);
    }
}

/* What one sum of losses adds: factor is its c. */
static void add_loss(context *c, int32_t loss, int32_t factor, const loss_function *function,
                     int32_t *products)
{
    int32_t inputs[MOST_INPUTS], moves[MOST_INPUTS];
    const int32_t count = lossi_loss_node_inputs(c->tape, loss);
    for (int32_t i = 0; i < count; i++) {
        inputs[i] = lossi_tape_input(c->tape, loss, i);
        moves[i] = LOSSI_NONE;
        if (lossi_loss_node_differentiable(c->tape, loss, i)) {
            lossi_tape_tangents(c->tape, c->sources, c->directions, c->count, &inputs[i], 1, &moves[i]);
        }
    }
    for (int32_t of = 0; of < count && c->tape->status == LOSS_OK; of++) {
        if (lossi_loss_node_differentiable(c->tape, loss, of)) {
            const int32_t product = lossi_tape_loss_product(c->tape, loss, function, moves, of);
            lossi_tape_adjoints(c->tape, inputs[of], lossi_tape_multiply(c->tape, factor, product),
                                c->sources, c->count, 0, c->parts);
            add_parts(c, products);
        }
    }
}

void lossi_tape_gauss_newton(lossi_tape *tape, int32_t output, const int32_t *sources,
                             const int32_t *directions, int32_t count, lossi_curvature_of curvature,
                             void *argument, int32_t *products)
{
    context c = {tape, sources, directions, count, NULL};
    c.parts = lossi_allocate(tape->context, (int64_t)sizeof *c.parts * (count + 1));
    if (c.parts == NULL) {
        lossi_tape_fail(tape, lossi_fail_memory(tape->context, "the derivatives of a graph"));
        return;
    }
    const int32_t one = lossi_tape_number(tape, 1.0);
    lossi_tape_adjoints(tape, output, one, sources, count, LOSSI_OPERATION_LOSS, products);
    lossi_tape_tangents(tape, sources, directions, count, products, count, products);
    for (int32_t node = 0; node <= output && tape->status == LOSS_OK; node++) {
        int32_t factor;
        if (tape->nodes[node].operation != &lossi_operation_loss_sum) {
            continue;
        }
        const loss_function *function = curvature(argument, lossi_loss_node_function(tape, node));
        if (function == NULL) {
            lossi_tape_fail(tape, LOSS_ERROR_MEMORY);
            break;
        }
        lossi_tape_adjoints(tape, output, one, &node, 1, 0, &factor);
        if (tape->status == LOSS_OK) {
            add_loss(&c, node, factor, function, products);
        }
    }
    lossi_release(tape->context, c.parts);
}
