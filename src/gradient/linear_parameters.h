/* The parameters of a linear model: from the caller's order to that of the kernels, and sums of derivatives back. */
#ifndef LOSSI_GRADIENT_LINEAR_PARAMETERS_H
#define LOSSI_GRADIENT_LINEAR_PARAMETERS_H

#include <stdint.h>

#include "gradient/linear_model.h"

/* The shape that kernels of dense or of sparse rows see. */
lossi_linear_shape lossi_linear_shape_for(const lossi_linear_model *model, int32_t sparse);

/* How many numbers that many sets of parameters have in the order of the kernels. */
int64_t lossi_linear_numbers(const lossi_linear_shape *shape, int32_t sparse, int64_t sets);

/*
 * Writes x where kernels read it: as set number `set` of `sets` (of dense rows: 0 of 1). Of standardised columns the weights are
 * divided by the deviations, and what the means add up to is taken from the intercept.
 */
void lossi_linear_spread(const lossi_linear_model *model, int32_t sparse, int64_t set, int64_t sets,
                         const void *x, double *numbers);

typedef void (*lossi_add_penalties)(const lossi_penalties *penalties, loss_dtype dtype, int64_t length,
                                    const void *x, int64_t first, int64_t count, double *out);

/*
 * The sums of a pass (LOSSI_PASS_…) in the caller's order, of standardised columns where they are; divided, with what the
 * penalties add at x, each rounded once.
 */
void lossi_linear_gather(const lossi_linear_model *model, int32_t what, double denominator, const void *x,
                         lossi_add_penalties add, void *out);

#endif
