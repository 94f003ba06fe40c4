/* Transposing matrices, per instruction set and size of an element. */
#ifndef LOSSI_GRADIENT_GRAPH_TRANSPOSE_KERNELS_H
#define LOSSI_GRADIENT_GRAPH_TRANSPOSE_KERNELS_H

#include <stdint.h>

/* to[j · to_stride + i] = from[i · from_stride + j]; elements are moved bit by bit, whatever they are. */
typedef void (*lossi_transpose_kernel)(int64_t rows, int64_t columns, const void *from, int64_t from_stride,
                                       void *to, int64_t to_stride);

typedef struct lossi_transpose_kernels {
    lossi_transpose_kernel transpose;
} lossi_transpose_kernels;

/* Of an instruction set (core/isa.h); LOSSI_FLOAT32 is for elements of 4 bytes, LOSSI_FLOAT64 of 8. */
const lossi_transpose_kernels *lossi_transpose_kernels_for(int32_t isa, int32_t real_index);

#endif
