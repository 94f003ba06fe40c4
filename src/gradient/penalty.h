/* Penalties: functions of the parameters alone that an objective adds to its cost. */
#ifndef LOSSI_GRADIENT_PENALTY_H
#define LOSSI_GRADIENT_PENALTY_H

#include <stdint.h>

#include "core/context.h"
#include "loss/gradient.h"

/* The penalties of one objective, in the order they were added. */
typedef struct lossi_penalties {
    loss_penalty **list; /* references, owned */
    int32_t count, capacity;
} lossi_penalties;

loss_status lossi_penalties_append(lossi_penalties *penalties, loss_context *context,
                                   const loss_penalty *penalty);
void lossi_penalties_destroy(lossi_penalties *penalties, loss_context *context);

/* From here on their options stay. */
void lossi_penalties_seal(const lossi_penalties *penalties);

/* The sum of their values at the first `count` elements of x. */
double lossi_penalties_value(const lossi_penalties *penalties, loss_dtype dtype, int64_t count,
                             const void *x);

/* out[i] += the derivative with respect to x[first + i]; all of these elements are penalised. */
void lossi_penalties_add_gradient(const lossi_penalties *penalties, loss_dtype dtype, const void *x,
                                  int64_t first, int64_t count, double *out);

/* out[i] += the same element of the Hessian times the direction. */
void lossi_penalties_add_product(const lossi_penalties *penalties, loss_dtype dtype, const void *direction,
                                 int64_t first, int64_t count, double *out);

#endif
