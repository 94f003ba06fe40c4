/*
 * The two products of a linear model over a tile of rows: predictions, and gradients of the parameters.
 *
 * Parameters and what accumulates on them are float64 in a padded layout (lossi_linear_shape): one row of `stride`
 * numbers per output, stride a multiple of 16, then one number per output for the intercept. The padding of the
 * parameters is 0; what stands in the padding of an accumulator is never read.
 */
#ifndef LOSSI_LOSS_LINEAR_KERNELS_H
#define LOSSI_LOSS_LINEAR_KERNELS_H

#include <stdint.h>

typedef struct lossi_linear_shape {
    int64_t features, outputs;
    int64_t stride;    /* features, rounded up to the lanes of a sum */
    int32_t intercept; /* whether there is one */
} lossi_linear_shape;

typedef struct lossi_linear_kernels {
    /*
     * z[i·outputs + k] = Σ_j x[i][j] · w[k·stride + j] + b[k]. Element j belongs to lane j mod 16, lane = fma(x, w, lane)
     * in order from +0, lanes are added as lossi_sum_lanes() does, then the intercept. x and z are of the element type.
     */
    void (*forward)(const lossi_linear_shape *shape, int64_t rows, const void *const *x, const double *w,
                    void *z);
    /* The same, not rounded to the element type. */
    void (*forward_wide)(const lossi_linear_shape *shape, int64_t rows, const void *const *x, const double *w,
                         double *z);
    /* g[k·stride + j] = fma(r[i·outputs + k], x[i][j], g[k·stride + j]) and g_b[k] += r[i·outputs + k], rows in order. */
    void (*backward)(const lossi_linear_shape *shape, int64_t rows, const void *const *x, const double *r,
                     double *g);
    /* The elements as float64: from itself when they are, else to. */
    const double *(*widen)(int64_t count, const void *from, double *to);
    /* y += x */
    void (*add)(int64_t count, const double *x, double *y);
} lossi_linear_kernels;

/* Of an instruction set (core/isa.h) and element type. */
const lossi_linear_kernels *lossi_linear_kernels_for(int32_t isa, int32_t real_index);

/* How many numbers the padded layout has. */
static inline int64_t lossi_linear_size(const lossi_linear_shape *shape)
{
    return shape->outputs * shape->stride + shape->outputs;
}

#endif
