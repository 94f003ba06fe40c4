/*
 * What nodes are to the rows of a batch, so that nothing is put together from pieces of them that would come out otherwise in one:
 * f = Σ w_piece f_piece / Σ w_piece is right of sums over rows divided by a count of rows, and of what is linear in such means.
 */
#include "gradient/graph/pieces.h"

#include <stddef.h>

#include "gradient/graph/channels.h"
#include "gradient/graph/elementwise.h"
#include "gradient/graph/operations.h"

enum {
    FIXED, /* does not depend on rows */
    ROWS,  /* one for each row */
    TOTAL, /* a sum over rows */
    COUNT, /* how many there are, or the sum of their weights */
    MEAN,  /* totals divided by a count, and what is fixed beside them */
    OTHER
};

/* A factor does not change what something is; but what is fixed added to a mean does not become one. */
static int32_t scaled(int32_t kind)
{
    return kind == ROWS ? OTHER : kind;
}

static int32_t of_arithmetic(int32_t operator, int32_t a, int32_t b, int32_t alone)
{
    switch (operator) {
    case '+':
    case '-':
        if (alone) {
            return scaled(a);
        }
        return a == TOTAL && b == TOTAL                                 ? TOTAL
               : (a == MEAN || a == FIXED) && (b == MEAN || b == FIXED) ? MEAN
                                                                        : OTHER;
    case '*':
        return a == FIXED ? scaled(b) : b == FIXED ? scaled(a) : OTHER;
    case '/':
        return b == FIXED ? scaled(a) : a == TOTAL && b == COUNT ? MEAN : OTHER;
    case '?': /* a denominator, or 1 where it is 0 */
        return a == COUNT && b == COUNT ? COUNT : OTHER;
    default:
        return OTHER;
    }
}

/* Whether rows of a loss count for themselves: groups, pairs and risk sets do not. */
static int32_t is_separable(const loss_function *function)
{
    int32_t separable = 0;
    return loss_function_property(function, "separable", &separable) == LOSS_OK && separable;
}

static int32_t kind_of(const lossi_tape *tape, int32_t node, const uint8_t *kinds)
{
    const lossi_tape_node *at = &tape->nodes[node];
    const lossi_operation *operation = at->operation;
    int32_t fixed = 1, row_by_row = 1;
    for (int32_t k = 0; k < at->input_count; k++) {
        const int32_t kind = kinds[lossi_tape_input(tape, node, k)];
        fixed &= kind == FIXED;
        row_by_row &= kind == FIXED || kind == ROWS;
    }
    if (at->shape.rank > 0 && at->shape.size[0] == LOSSI_ROWS) {
        return row_by_row ? ROWS : OTHER; /* what a total goes into looks across rows */
    }
    if (fixed || operation == &lossi_operation_channel_moments) {
        return FIXED; /* of batch_norm: those of a piece stand for those of all */
    }
    const int32_t a = kinds[lossi_tape_input(tape, node, 0)];
    const int32_t b = at->input_count > 1 ? kinds[lossi_tape_input(tape, node, 1)] : FIXED;
    if (operation == &lossi_operation_rows || operation == &lossi_operation_loss_denominator) {
        return COUNT;
    }
    if (operation == &lossi_operation_loss_sum) {
        return row_by_row && is_separable(at->attributes.object) ? TOTAL : OTHER;
    }
    if (operation == &lossi_operation_sum_axes && a == ROWS) {
        return TOTAL;
    }
    if (operation == &lossi_operation_sum_axes || operation == &lossi_operation_spread ||
        operation->flags & LOSSI_OPERATION_VIEW) {
        return a;
    }
    if (operation == &lossi_operation_matrix_product) {
        return of_arithmetic('*', a, b, 0);
    }
    return of_arithmetic(lossi_elementwise_arithmetic(operation), a, b, at->input_count == 1);
}

lossi_pieces lossi_tape_pieces(lossi_tape *tape, int32_t node)
{
    lossi_pieces pieces = {0, 0, NULL};
    if (tape->status != LOSS_OK) {
        return pieces;
    }
    pieces.counts = lossi_allocate(tape->context, tape->count);
    if (pieces.counts == NULL) {
        lossi_tape_fail(tape, lossi_fail_memory(tape->context, "an objective from a graph"));
        return pieces;
    }
    for (int32_t i = 0; i < tape->count; i++) {
        pieces.counts[i] = (uint8_t)kind_of(tape, i, pieces.counts);
    }
    pieces.mean = pieces.counts[node] == MEAN || pieces.counts[node] == FIXED;
    for (int32_t i = 0; i < tape->count; i++) {
        const lossi_operation *operation = tape->nodes[i].operation;
        pieces.rows |= operation == &lossi_operation_rows && pieces.counts[i] == COUNT;
        pieces.counts[i] = operation == &lossi_operation_loss_denominator && pieces.counts[i] == COUNT;
    }
    return pieces;
}
