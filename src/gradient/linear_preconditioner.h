/* What a linear model gives to methods that ask for a preconditioner. */
#ifndef LOSSI_GRADIENT_LINEAR_PRECONDITIONER_H
#define LOSSI_GRADIENT_LINEAR_PRECONDITIONER_H

#include "gradient/linear_model.h"

/* In the order of the choices of the option. */
enum { LOSSI_PRECONDITIONER_DIAGONAL, LOSSI_PRECONDITIONER_BLOCK };

/* out = M⁻¹·vector. What is needed of M is made by the first call, or by the first at another x. What passes return. */
loss_status lossi_linear_precondition(lossi_linear_model *model, int32_t kind, const void *x,
                                      const void *vector, void *out);

void lossi_linear_preconditioner_release(lossi_linear_model *model);

#endif
