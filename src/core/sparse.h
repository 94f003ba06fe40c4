/* Sparse arrays of a loss_data as the library sees them. The public half is loss/data.h. */
#ifndef LOSSI_CORE_SPARSE_H
#define LOSSI_CORE_SPARSE_H

#include <stddef.h>
#include <stdint.h>

#include "core/data.h"

/*
 * A matrix in compressed sparse rows: row r has the entries row_offsets[r] … row_offsets[r + 1] − 1. `values` says what a dense
 * array says, with strides of 0. What the offsets and indices hold is not checked before somebody reads them.
 * All arrays of a loss_data are such; the dense ones have no type of offsets.
 */
typedef struct lossi_sparse_array {
    lossi_array values;
    const void *row_offsets, *column_indices;
    loss_dtype offset_dtype, index_dtype;
    int64_t entries;
} lossi_sparse_array;

/* An array of a loss_data as a sparse one, NULL when it is dense. */
static inline const lossi_sparse_array *lossi_array_sparse(const lossi_array *array)
{
    const lossi_sparse_array *sparse = (const lossi_sparse_array *)(const void *)array;
    return sparse->offset_dtype != 0 ? sparse : NULL;
}

/* LOSS_ERROR_TYPE with a sentence when one of the arrays is sparse: for whoever reads dense ones only. NULL is allowed. */
loss_status lossi_data_check_dense(loss_context *context, const loss_data *data);

#endif
