/*
 * The kernels of transpose_kernels.h: a vector of rows times a group of columns at a time (simd/transpose.h), within strips of
 * columns whose lines of the result stay in the first cache until they are full.
 */
#include "gradient/graph/transpose_kernels.h"

#include <string.h>

#include "core/isa.h"
#include "simd/transpose.h"

enum { STRIP = 64 };

static void transpose_corner(int64_t rows, int64_t columns, const real *from, int64_t from_stride, real *to,
                             int64_t to_stride)
{
    for (int64_t j = 0; j < columns; j++) {
        for (int64_t i = 0; i < rows; i++) {
            memcpy(to + j * to_stride + i, from + i * from_stride + j, sizeof *to);
        }
    }
}

static void transpose_strip(int64_t rows, int64_t columns, const real *from, int64_t from_stride, real *to,
                            int64_t to_stride)
{
    const int64_t whole = columns / LOSSI_GROUP * LOSSI_GROUP;
    int64_t i = 0;
    for (; i + VREAL_LANES <= rows; i += VREAL_LANES) {
        const real *row = from + i * from_stride;
        for (int64_t j = 0; j < whole; j += LOSSI_GROUP) {
            vreal x[LOSSI_GROUP];
            v_load_columns(row + j, from_stride, x);
            for (int g = 0; g < LOSSI_GROUP; g++) {
                v_store(to + (j + g) * to_stride + i, x[g]);
            }
        }
        transpose_corner(VREAL_LANES, columns - whole, row + whole, from_stride, to + whole * to_stride + i,
                         to_stride);
    }
    transpose_corner(rows - i, columns, from + i * from_stride, from_stride, to + i, to_stride);
}

static void transpose(int64_t rows, int64_t columns, const void *from, int64_t from_stride, void *to,
                      int64_t to_stride)
{
    for (int64_t j = 0; j < columns; j += STRIP) {
        transpose_strip(rows, columns - j < STRIP ? columns - j : STRIP, (const real *)from + j, from_stride,
                        (real *)to + j * to_stride, to_stride);
    }
}

extern const lossi_transpose_kernels LOSSI_NAME(transpose_kernels);
const lossi_transpose_kernels LOSSI_NAME(transpose_kernels) = {transpose};

#ifdef LOSSI_ONCE

extern const lossi_transpose_kernels LOSSI_ISA_DECLARE(transpose_kernels);
static const lossi_transpose_kernels *const table[LOSSI_ISA_COUNT][LOSSI_REAL_COUNT] = LOSSI_ISA_TABLE(
    transpose_kernels);

const lossi_transpose_kernels *lossi_transpose_kernels_for(int32_t isa, int32_t real_index)
{
    return table[isa][real_index];
}

#endif
