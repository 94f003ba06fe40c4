/*
 * Arrays for the roles of a loss with a structure, filled with numbers that such a role holds. No loss is known here by its
 * name; roles are, as users know them by theirs.
 */
#ifndef BENCH_ROLES_H
#define BENCH_ROLES_H

#include <stdint.h>

#include "loss/function.h"
#include "loss/structured.h"

typedef struct bench_roles {
    loss_data *inputs, *outputs; /* every input, and the gradient of every differentiable one */
    void *array[2 * LOSSI_ROLES];
    int32_t arrays;
    int64_t rows, columns; /* of the first role */
    int64_t bytes;         /* of all inputs and outputs */
} bench_roles;

/*
 * `elements`: about how many the first role has. Where roles exclude each other (a variance or its logarithm), one of the
 * optional ones is left out. LOSS_OK, or why there can be no such arrays, with the sentence in the context.
 */
loss_status bench_roles_create(bench_roles *roles, loss_context *context, const loss_function *function,
                               int bits, int64_t elements);

void bench_roles_free(bench_roles *roles);

#endif
