/* Sums over the rows of a matrix, column by column in double, per instruction set and element type: columns are channels. */
#ifndef LOSSI_GRADIENT_GRAPH_CHANNEL_KERNELS_H
#define LOSSI_GRADIENT_GRAPH_CHANNEL_KERNELS_H

#include <stdint.h>

typedef struct lossi_channel_kernels {
    /* sum[c] += Σ_i x[i, c]; rows are added four at a time, (x0 + x1) + (x2 + x3), then one by one. */
    void (*sum)(const void *x, int64_t rows, int64_t channels, double *sum);
    /* sum[c] += Σ_i (x[i, c] − mean[c])², in the same order. */
    void (*squares)(const void *x, int64_t rows, int64_t channels, const double *mean, double *sum);
    /* sum[c] += Σ_i a[i, c] (x[i, c] − mean[c]), mean of the element type, in the same order. */
    void (*products)(const void *a, const void *x, int64_t rows, int64_t channels, const void *mean,
                     double *sum);
    /* y[i, c] = (x[i, c] − mean[c]) · factor[c] + shift[c] */
    void (*apply)(const void *x, int64_t rows, int64_t channels, const void *mean, const void *factor,
                  const void *shift, void *y);
} lossi_channel_kernels;

/* Of an instruction set (core/isa.h) and element type. */
const lossi_channel_kernels *lossi_channel_kernels_for(int32_t isa, int32_t real_index);

#endif
