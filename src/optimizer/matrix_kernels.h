/*
 * Dense matrices of the optimizer's type, row-major: products and transposes for the methods that know parameters as
 * matrices.
 *
 * An element of a product is a chain of fused multiply-adds over k in order, from +0, whatever the blocks, so it has the
 * same bits on every instruction set and for any number of threads.
 */
#ifndef LOSSI_OPTIMIZER_MATRIX_KERNELS_H
#define LOSSI_OPTIMIZER_MATRIX_KERNELS_H

#include <stdint.h>

#include "loss/optimizer.h"

/* C = alpha·A·B + beta·D; A is m × k, B k × n, C and D m × n. C overlaps none of the others; D may be NULL. */
typedef struct lossi_product {
    const void *a, *b, *d;
    void *c;
    int64_t m, n, k;
    double alpha, beta;
} lossi_product;

/* to (columns × rows) = the transpose of from (rows × columns). */
typedef struct lossi_transpose {
    const void *from;
    void *to;
    int64_t rows, columns;
} lossi_transpose;

typedef struct lossi_matrix_kernels {
    /* Rows begin … end − 1 of C, or of `from`. */
    void (*multiply)(const lossi_product *product, int64_t begin, int64_t end);
    void (*transpose)(const lossi_transpose *transpose, int64_t begin, int64_t end);
} lossi_matrix_kernels;

/* Whole ones, their rows on the context's threads when there is enough to do. */
void lossi_multiply(const loss_optimizer *optimizer, const lossi_product *product);
void lossi_transpose_matrix(const loss_optimizer *optimizer, const lossi_transpose *transpose);

#endif
