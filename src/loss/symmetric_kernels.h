/*
 * Σ_i d_i x_i x_iᵀ over a chunk of rows: the part of a Hessian of a linear model that one pair of outputs makes.
 *
 * The columns of the rows are packed as float64 into panels of `width` columns, zeros behind the last. A column of ones may
 * follow them, for an intercept.
 */
#ifndef LOSSI_LOSS_SYMMETRIC_KERNELS_H
#define LOSSI_LOSS_SYMMETRIC_KERNELS_H

#include <stdint.h>

#include "loss/linear_kernels.h"

/*
 * A panel of 256 rows stays in the first-level cache on AVX2, and sums are fetched only once for as many. The chunk is part of
 * the order of the sums: changing it changes bits. A stride is a multiple of LOSSI_CHUNK_COLUMNS, as widths divide that.
 */
enum { LOSSI_CHUNK_ROWS = 256, LOSSI_CHUNK_COLUMNS = 24 };

typedef struct lossi_symmetric_kernels {
    int64_t width,
        block; /* columns of a panel; rows of the result that are made together, a divisor of width */
    /* Row i, column j of x, or 1 for j = features, to packed[(j / width · rows + i) · width + j mod width]. */
    void (*pack)(int64_t rows, int64_t features, int32_t ones, const void *const *x, double *packed);
    /*
     * sums[j·stride + l] += Σ_i fma(d[i]·x[i][j], x[i][l], ·), rows in order from +0, for begin ≤ j < end (multiples of block
     * but for an end that is that of the columns) and l ≤ j; a few elements behind the diagonal are written as well. scaled has
     * room for rows · block numbers. `ahead` is asked for meanwhile, a pace for each row of a block by a panel.
     */
    void (*add)(int64_t rows, int64_t begin, int64_t end, int64_t stride, const double *packed,
                const double *d, double *scaled, double *sums, lossi_upcoming *ahead);
} lossi_symmetric_kernels;

/* Of an instruction set (core/isa.h) and element type. */
const lossi_symmetric_kernels *lossi_symmetric_kernels_for(int32_t isa, int32_t real_index);

/* Columns, rounded up to what a row of sums takes. */
static inline int64_t lossi_symmetric_stride(int64_t columns)
{
    return (columns + LOSSI_CHUNK_COLUMNS - 1) / LOSSI_CHUNK_COLUMNS * LOSSI_CHUNK_COLUMNS;
}

#endif
