/*
 * The two products of a linear model over a tile of rows in compressed sparse rows: predictions, and gradients of the parameters.
 *
 * Parameters and what accumulates on them are float64, a row of `stride` numbers per feature and one for the intercept after
 * the last feature: number k of a row belongs to output k, so that an entry meets the numbers it needs side by side. The
 * numbers beyond the outputs are 0. In lossi_linear_shape, `stride` is lossi_sparse_stride(outputs).
 */
#ifndef LOSSI_GRADIENT_SPARSE_KERNELS_H
#define LOSSI_GRADIENT_SPARSE_KERNELS_H

#include <stdint.h>

#include "loss/linear_kernels.h"

/* Entries go in turn to so many lanes of a dot product. */
enum { LOSSI_SPARSE_LANES = 4 };

/* Where the entries of a row are: the column indices are all int32, or all int64. */
typedef struct lossi_sparse_row {
    const void *indices, *values;
    int64_t count;
} lossi_sparse_row;

/* What is the same for all rows. */
typedef struct lossi_sparse_tile {
    const lossi_linear_shape *shape;
    int32_t wide; /* the indices are int64 */
    int64_t rows;
    const lossi_sparse_row *x;
    /*
     * 2: the one parameter of a feature and the sum of its gradient lie side by side, and the next feature is two numbers on. Only
     * of one output, for its predictions and its gradient. 0: rows of parameters and of sums lie without gaps.
     */
    int32_t step;
} lossi_sparse_tile;

typedef struct lossi_sparse_kernels {
    /*
     * z[i·outputs + k] = Σ_e x_e · w[j_e·stride + k] + w[features·stride + k], the last only with an intercept. Entry e of a row
     * belongs to lane e mod 4, lane = fma(x, w, lane) in order from +0, and the sum is (lane 0 + lane 2) + (lane 1 + lane 3).
     * With z2 the rows of w have 2·stride numbers, of which the second half makes z2 in the same way.
     */
    void (*forward)(const lossi_sparse_tile *tile, const double *w, void *z, void *z2);
    /* g[j_e·stride + k] = fma(r[i·outputs + k], x_e, g[j_e·stride + k]), rows and entries in order; the intercept += r. */
    void (*backward)(const lossi_sparse_tile *tile, const double *r, double *g);
    /*
     * The same with x² for x, or with x · (x − 2m) where m is means[j_e]: what (x − m)² has more than m², which features that
     * are not stored have.
     */
    void (*backward_squares)(const lossi_sparse_tile *tile, const double *r, const double *means, double *g);
} lossi_sparse_kernels;

/* Of an instruction set (core/isa.h) and element type. */
const lossi_sparse_kernels *lossi_sparse_kernels_for(int32_t isa, int32_t real_index);

/* 1, 2, 4, or a multiple of 8: what whole vectors of any width can take. */
static inline int64_t lossi_sparse_stride(int64_t outputs)
{
    return outputs > 4 ? (outputs + 7) / 8 * 8 : outputs == 3 ? 4 : outputs;
}

#endif
