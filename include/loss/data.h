/*
 * Data: named arrays by role, borrowed from the caller.
 *
 * A role says what an array is for: "prediction", "target", "weight", "mask", "features", …. An array is a pointer with
 * an element type, rows × columns and strides in elements; nothing is copied and any alignment of the bytes is accepted.
 * The arrays must outlive every handle that uses the data.
 *
 * A loss_data is sealed at its first use: from then on no array can be added, and any number of threads may read it,
 * each with its own context.
 */
#ifndef LOSS_DATA_H
#define LOSS_DATA_H

#include <stdint.h>

#include "loss/context.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct loss_data loss_data;

/* Element types. The gaps are kept for float16 (3) and bfloat16 (4). */
typedef int32_t loss_dtype;
#define LOSS_FLOAT32 1
#define LOSS_FLOAT64 2
#define LOSS_INT32   11
#define LOSS_INT64   12
#define LOSS_UINT8   21 /* masks; of graphs also inputs: pictures, indices */

/* Bytes of one element, 0 for a number that is no type. Any thread. Since 0.1. */
LOSS_API int64_t loss_dtype_size(loss_dtype dtype);

/* "float32", …; "unknown" for a number that is no type. A static string. Any thread. Since 0.1. */
LOSS_API const char *loss_dtype_name(loss_dtype dtype);

/*
 * Makes an empty set of arrays.
 *   out, context  not NULL; *out is NULL on failure. The caller owns it: loss_data_free().
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_MEMORY. Since 0.1.
 */
LOSS_API loss_status loss_data_create(loss_data **out, loss_context *context);

/* Gives the caller's reference back; handles that use the data keep theirs. NULL is allowed. Since 0.1. */
LOSS_API void loss_data_free(loss_data *data);

/*
 * Names an array to read from (set_input) or to write to (set_output). A role that was set before is replaced.
 *   data, role     not NULL; role has 1 … 47 characters
 *   pointer        may be NULL only when rows or columns is 0, and takes the role away when both are 0
 *   dtype          LOSS_FLOAT32, LOSS_FLOAT64, LOSS_INT32, LOSS_INT64, LOSS_UINT8
 *   rows, columns  ≥ 0
 *   row_stride, column_stride   in elements, may be negative; 0 repeats one row or one column (input only, or 1 row
 *                  or column). A dense row-major matrix has row_stride = columns and column_stride = 1. Not looked at
 *                  where rows or columns is 0.
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_TYPE, LOSS_ERROR_MEMORY, LOSS_ERROR_STATE (sealed). Since 0.1.
 */
LOSS_API loss_status loss_data_set_input(loss_data *data, const char *role, const void *pointer,
                                         loss_dtype dtype, int64_t rows, int64_t columns, int64_t row_stride,
                                         int64_t column_stride);
LOSS_API loss_status loss_data_set_output(loss_data *data, const char *role, void *pointer, loss_dtype dtype,
                                          int64_t rows, int64_t columns, int64_t row_stride,
                                          int64_t column_stride);

/*
 * Names a matrix in compressed sparse rows (CSR) to read from. Only the features of a linear model can be sparse: see
 * loss_objective_create_linear() and loss_objective_predict(); all other uses of the data refuse it with LOSS_ERROR_TYPE.
 * Row r has the entries e = row_offsets[r] … row_offsets[r + 1] − 1, each of value values[e] in column column_indices[e],
 * counted from 0; all else is 0. Entries of a row may stand in any order, and those of one column add up. row_offsets[0] need
 * not be 0, so that a range of rows of a larger matrix is lent by a pointer into its offsets. Nothing is copied.
 *   data, role      as of loss_data_set_input(); a role that was set before, dense or sparse, is replaced
 *   rows, columns   ≥ 0
 *   entries         ≥ 0, how many elements column_indices and values have: no offset may be greater
 *   row_offsets     rows + 1 of them, never falling; NULL only when rows is 0       offset_dtype  LOSS_INT32 or LOSS_INT64
 *   column_indices  each 0 … columns − 1; NULL only when entries is 0               index_dtype   LOSS_INT32 or LOSS_INT64
 *   values          NULL only when entries is 0. values NULL and no rows and columns take the role away
 *   dtype           LOSS_FLOAT32 or LOSS_FLOAT64
 * Here the arguments are checked; what the offsets and indices hold is checked once by whoever reads them first
 * (loss_objective_prepare(), loss_objective_predict()), before any of it is used, and may not change after that.
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_TYPE, LOSS_ERROR_MEMORY, LOSS_ERROR_STATE (sealed). Since 0.1.
 */
LOSS_API loss_status loss_data_set_sparse_input(loss_data *data, const char *role, int64_t rows,
                                                int64_t columns, int64_t entries, const void *row_offsets,
                                                loss_dtype offset_dtype, const void *column_indices,
                                                loss_dtype index_dtype, const void *values, loss_dtype dtype);

/*
 * The scalar "scale", the factor on every derivative (default 1). It is no role: an array may have that name, as in laplace_nll.
 *   data, name  not NULL     value  finite
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_NAME, LOSS_ERROR_RANGE, LOSS_ERROR_STATE (sealed). Since 0.1.
 */
LOSS_API loss_status loss_data_set_double(loss_data *data, const char *name, double value);

#ifdef __cplusplus
}
#endif

#endif
