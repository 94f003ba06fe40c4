/* Sums, largest and smallest numbers of columns, in double, per instruction set and element type. */
#ifndef LOSSI_GRADIENT_GRAPH_REDUCE_KERNELS_H
#define LOSSI_GRADIENT_GRAPH_REDUCE_KERNELS_H

#include <stdint.h>

enum { LOSSI_REDUCE_SUM, LOSSI_REDUCE_MAXIMUM, LOSSI_REDUCE_MINIMUM, LOSSI_REDUCE_COUNT };

/*
 * What a block of rows adds to results[j]: column j from the neutral element on, row by row, then that to the result. Rows begin
 * `stride` elements apart; behind the first `columns` elements of each but the last there are 15 more that may be read. A
 * NaN stays; of two zeros an extreme keeps the first.
 */
typedef void (*lossi_reduce_block)(int64_t rows, int64_t columns, int64_t stride, const void *x,
                                   double *results);

/*
 * Results of `count` rows of n elements, 2 <= n <= LOSSI_BLOCK, in the lanes of core/sum.h: element i goes to lane i mod 16, and the
 * lanes are halved.
 */
typedef void (*lossi_reduce_rows)(int64_t count, int64_t n, const void *x, double *results);

typedef struct lossi_reduce_kernels {
    lossi_reduce_block block[LOSSI_REDUCE_COUNT];
    lossi_reduce_rows rows[LOSSI_REDUCE_COUNT];
} lossi_reduce_kernels;

/* Of an instruction set (core/isa.h) and element type. */
const lossi_reduce_kernels *lossi_reduce_kernels_for(int32_t isa, int32_t real_index);

#endif
