/* Hessian products from gradients at two points. */
#ifndef LOSSI_GRADIENT_GRADIENT_DIFFERENCE_H
#define LOSSI_GRADIENT_GRADIENT_DIFFERENCE_H

#include "gradient/objective.h"

typedef struct lossi_gradient_difference {
    /* The value and the gradient of the objective at x. */
    loss_status (*gradient)(loss_objective *objective, const void *x, double *value, void *gradient);
    char *point, *ahead, *behind; /* allocated by the first product */
} lossi_gradient_difference;

/*
 * The product of the Hessian at x with a direction, and row `index` of the Hessian. LOSS_OK, LOSS_ERROR_MEMORY, what gradient() returns,
 * and LOSS_ERROR_NONFINITE when there are no finite gradients around x: the elements are NaN then.
 */
loss_status lossi_gradient_difference_product(lossi_gradient_difference *difference,
                                              loss_objective *objective, const void *x, const void *direction,
                                              void *product);
loss_status lossi_gradient_difference_row(lossi_gradient_difference *difference, loss_objective *objective,
                                          const void *x, int64_t index, void *row);

void lossi_gradient_difference_free(lossi_gradient_difference *difference, loss_context *context);

#endif
