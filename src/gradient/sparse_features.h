/* Features in compressed sparse rows: the check of what they hold, their rows, and how these are cut. */
#ifndef LOSSI_GRADIENT_SPARSE_FEATURES_H
#define LOSSI_GRADIENT_SPARSE_FEATURES_H

#include <stdint.h>

#include "core/sparse.h"
#include "core/sum.h"
#include "gradient/sparse_kernels.h"

typedef struct lossi_sparse_features {
    const lossi_sparse_array *array;
    int64_t average;   /* entries a row, rounded up, at least 1 */
    int64_t longest;   /* the most entries of a row */
    int32_t irregular; /* columns of some row do not rise, so that one may come twice */
} lossi_sparse_features;

/*
 * Reads all offsets and indices once, and tells what they are. Everything else here counts on it having been well.
 * LOSS_OK, LOSS_ERROR_SHAPE: offsets that fall, or lie outside the entries; a column that there is not.
 */
loss_status lossi_sparse_examine(lossi_sparse_features *features, loss_context *context,
                                 const lossi_sparse_array *array);

/* Where a row is. */
lossi_sparse_row lossi_sparse_row_at(const lossi_sparse_features *features, int64_t row);

/* The entries of `rows` rows from `first` on as if of one: they lie one after another. */
lossi_sparse_row lossi_sparse_span(const lossi_sparse_features *features, int64_t first, int64_t rows);

/* Where each of these rows is. */
void lossi_sparse_find(const lossi_sparse_features *features, int64_t first, int64_t rows,
                       lossi_sparse_row *found);

int64_t lossi_sparse_index(const lossi_sparse_features *features, const lossi_sparse_row *row, int64_t e);

/*
 * Adds up the entries of a row that are of one column: the first of them gets the sum, the others 0.
 *   sums    as many zeros as there are columns, and zeros again afterwards
 *   values  room for the row, of the element type, which it then has for its values
 */
void lossi_sparse_merge(const lossi_sparse_features *features, lossi_sparse_row *row, double *sums,
                        void *values);

/*
 * How `rows` rows are cut: as core/sum.h cuts rows of max(outputs, min(256, ⌈average / 16⌉)) columns, but into no more slices than
 * leave each of them 16 entries for every row of parameters: a slice costs as much as its sums.
 */
lossi_cut lossi_sparse_cut(const lossi_linear_shape *shape, int64_t average, int64_t rows);

#endif
