/*
 * What is done to tiles around the formula: sums, weights, products, checks, stores. Written once for all losses.
 */
#ifndef LOSSI_LOSS_TILE_KERNELS_H
#define LOSSI_LOSS_TILE_KERNELS_H

#include <stdint.h>

#include "loss/row.h"

typedef struct lossi_tile_kernels {
    /* Adds x[0 … count − 1] to 16 lanes: element i to lane i mod 16, in order, in double (core/sum.h). */
    void (*sum)(int64_t count, const void *x, double *lanes);
    /* Multiplies row i of a dense array by weight[i]. */
    void (*weigh)(int64_t rows, int64_t columns, const void *weight, void *x);
    /* y = a · b, element by element; y may be a or b. */
    void (*multiply)(int64_t count, const void *a, const void *b, void *y);
    /* The first element outside the domain, −1 when there is none. */
    int64_t (*outside)(int64_t count, const void *x, const lossi_domain *domain);
    /* The first label that is neither a class nor the ignored one, −1 when there is none; how many are classes and count. */
    int64_t (*labels_outside)(int64_t count, const int64_t *labels, int64_t columns, int64_t ignored,
                              int64_t *counted);
    /* The first NaN or infinity, −1 when there is none. */
    int64_t (*nonfinite)(int64_t count, const void *x);
    /* Copies past the caches. */
    void (*stream)(int64_t count, const void *x, void *y);
    /* The rest of rows that are multiplied on the way. */
    void (*send_rest)(lossi_stream *stream);
    void (*stream_end)(void); /* after the last of them: orders them before what follows */
} lossi_tile_kernels;

/* Of an instruction set (core/isa.h) and element type. */
const lossi_tile_kernels *lossi_tile_kernels_for(int32_t isa, int32_t real_index);

#endif
