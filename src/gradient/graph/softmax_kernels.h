/* The softmax of rows, its logarithm, and the logarithm of its divisor, per instruction set and element type. */
#ifndef LOSSI_GRADIENT_GRAPH_SOFTMAX_KERNELS_H
#define LOSSI_GRADIENT_GRAPH_SOFTMAX_KERNELS_H

#include <stdint.h>

/* Contiguous rows of at least one column; y has as many elements as x, or one for each row. y is not x. */
typedef void (*lossi_softmax_rows)(int64_t rows, int64_t columns, const void *x, void *y);

enum { LOSSI_SOFTMAX, LOSSI_LOG_SOFTMAX, LOSSI_LOG_SUM_EXP, LOSSI_SOFTMAX_KINDS };

typedef struct lossi_softmax_row_kernels {
    lossi_softmax_rows of[LOSSI_SOFTMAX_KINDS];
} lossi_softmax_row_kernels;

/* Of an instruction set (core/isa.h) and element type. */
const lossi_softmax_row_kernels *lossi_softmax_row_kernels_for(int32_t isa, int32_t real_index);

#endif
