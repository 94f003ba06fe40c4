/*
 * Symmetric matrices of quasi-Newton methods: a change of rank two and a product with a vector, in one pass.
 *
 *     A ← A + aa aaᵀ + ab (abᵀ + baᵀ) + bb bbᵀ,   p = Av
 *
 * Half of the matrix is kept, so the pass reads and writes n²/2 doubles, and A is symmetric to the last bit. Rows
 * come in strips of 8; a strip has its 8 rows up to and with its own 8 columns, each row contiguous. The number of
 * rows is rounded up to whole strips; what is beyond n stays 0, in matrices and in vectors.
 *
 * An element left of the strip's own columns counts twice: in the product of its row, whose sum has 8 lanes by
 * column, and in those of its column, row after row. Strips are cut into at most LOSSI_SLICES slices of about the
 * same number of elements, by n alone; each has its own products, which are added in order. So the bits are the
 * same for any number of threads and on every instruction set.
 */
#ifndef LOSSI_OPTIMIZER_DENSE_UPDATE_H
#define LOSSI_OPTIMIZER_DENSE_UPDATE_H

#include <stdint.h>

#include "core/context.h"

enum { LOSSI_STRIP = 8 };

/* Doubles before strip `strip` of a matrix; with all strips, the size of the matrix. */
static inline int64_t lossi_strip_offset(int64_t strip)
{
    return LOSSI_STRIP * LOSSI_STRIP * (strip * (strip + 1) / 2);
}

/* A change of rank two; a and b have as many elements as the padded matrix has rows. */
typedef struct lossi_rank_two {
    const double *a, *b;
    double aa, ab, bb;
} lossi_rank_two;

typedef struct lossi_dense_pass {
    double *matrix;
    const lossi_rank_two *change; /* NULL: none */
    const double *vector;
} lossi_dense_pass;

/* Strips begin … end − 1; product[0 … 8·end − 1] is that of these strips alone. */
typedef void (*lossi_dense_kernel)(const lossi_dense_pass *pass, int64_t begin, int64_t end, double *product);

/* Rows with those that fill the last strip, and doubles of a matrix; −1 when there can be no such matrix. */
int64_t lossi_dense_rows(int64_t n);
int64_t lossi_dense_size(int64_t n);

/* Doubles that a pass needs beside the matrix. */
int64_t lossi_dense_scratch(int64_t n);

/* aᵀb in 16 lanes by element. */
double lossi_dense_dot(int64_t n, const double *a, const double *b);

/* A = value · I. */
void lossi_dense_set_diagonal(double *matrix, int64_t n, double value);

/* A ← factor · A. */
void lossi_dense_multiply(double *matrix, int64_t n, double factor);

/* The pass: changes the matrix, and leaves its product with the vector. scratch as lossi_dense_scratch() says. */
void lossi_dense_run(loss_context *context, const lossi_dense_pass *pass, int64_t n, double *product,
                     double *scratch);

#endif
