/*
 * Inner loops of dense factorisations: float64, once per instruction set.
 *
 * Every element is a chain of operations in a fixed order, and vectors only do neighbours side by side, so the bits
 * are the same on every instruction set. Products are not fused with sums: where there is no instruction for that, an
 * exact one is a call, and these loops are most of the time of a step.
 */
#ifndef LOSSI_OPTIMIZER_DENSE_KERNELS_H
#define LOSSI_OPTIMIZER_DENSE_KERNELS_H

#include <stdint.h>

/* A strip is LOSSI_PANEL_STRIP rows of a panel, transposed: element (t, c) at 16t + c. Rows are updated four at a time. */
enum { LOSSI_PANEL_STRIP = 16, LOSSI_ROWS = 4 };

typedef struct lossi_dense_kernels {
    /* strip(t, ·) = (strip(t, ·) − Σ_{s<t} factor(t, s) strip(s, ·)) / factor(t, t) for t = 0 … count − 1; rows of the
     * factor are `stride` apart. */
    void (*solve)(const double *factor, int64_t stride, int64_t count, double *strip);
    /* into(r, c) −= Σ_t left(r, t) strip(t, c) for rows r < rows ≤ 4 and columns c < width[r] ≤ 16. Rows of both are
     * `stride` apart. */
    void (*update)(double *into, const double *left, int64_t stride, int64_t rows, const int64_t *width,
                   const double *strip, int64_t count);
    /* y += s·x */
    void (*add)(double *y, double s, const double *x, int64_t count);
    /* Σ a·b in 16 lanes, added as core/sum.h adds the lanes of a block. */
    double (*dot)(const double *a, const double *b, int64_t count);
} lossi_dense_kernels;

#endif
