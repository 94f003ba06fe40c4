/* Means and standard deviations of the columns of features, dense or sparse. */
#ifndef LOSSI_GRADIENT_COLUMN_STATISTICS_H
#define LOSSI_GRADIENT_COLUMN_STATISTICS_H

#include <stdint.h>

#include "gradient/sparse_features.h"

/*
 * m_j = Σ w_i x_ij / Σ w_i and s_j = √(Σ w_i (x_ij − m_j)² / Σ w_i), over the rows that are not masked and whose weight, 1 where
 * there are none, is above 0; s_j is 0 exactly when all of them have the same value, and when there are none.
 *   sparse              of the features when they are, else sparse->array is NULL
 *   center, scale       whether means are wanted, 0 if not; whether deviations are, 1 (of a constant column 0) if not
 *   means, deviations   one for each column
 * LOSS_OK, LOSS_ERROR_NONFINITE (a column with NaN or infinities), LOSS_ERROR_MEMORY.
 */
loss_status lossi_column_statistics(loss_context *context, const lossi_array *features,
                                    const lossi_sparse_features *sparse, const lossi_array *weight,
                                    const lossi_array *mask, int32_t center, int32_t scale, double *means,
                                    double *deviations);

#endif
