/*
 * Sums that go to C, and products of a few columns, with vectors down the rows of C: for matrix_product_kernels.c, once per instruction set and element type.
 */
#ifndef LOSSI_GRADIENT_MATRIX_PRODUCT_DOWN_H
#define LOSSI_GRADIENT_MATRIX_PRODUCT_DOWN_H

#include "gradient/matrix_product_copies.h"
#include "gradient/matrix_product_kernels.h"

/*
 * Vectors of rows in a tile of few columns. A row that goes by is a stream, of which caches and prefetchers keep some sixteen apart;
 * and vectors whose elements are gathered one by one have time enough for more chains.
 */
#if defined(LOSSI_ISA_AVX512) || defined(LOSSI_ISA_AVX2)
enum { DOWN = 2 };
#else
enum { DOWN = 4 };
#endif
enum { LINE = 64 / (LOSSI_REAL / 8) };

/* What it asks for may lie behind an array: it is never read. */
LOSSI_INLINE void ask_for(const real *p, int64_t ahead)
{
    __builtin_prefetch((const void *)((uintptr_t)p + (uintptr_t)ahead * sizeof(real)), 0, 3);
}

LOSSI_INLINE void finish_vector(real *c, vreal sum, int n, int fresh)
{
    if (n >= VREAL_LANES) {
        v_store(c, fresh ? sum : v_load(c) + sum);
    } else if (n > 0) {
        v_store_part(c, fresh ? sum : v_load_part(c, n) + sum, n);
    }
}

/* n elements of C, of a tile that is not whole or not contiguous in C. */
static __attribute__((noinline)) void finish_part(real *c, int64_t stride, const real *sums, int n, int fresh)
{
    if (stride == 1) {
        for (int l = 0; l < n; l += VREAL_LANES) {
            finish_vector(c + l, v_load(sums + l), n - l, fresh);
        }
    } else if (fresh) {
        for (int l = 0; l < n; l++) {
            put(c + l * stride, sums[l]);
        }
    } else {
        for (int l = 0; l < n; l++) {
            put(c + l * stride, get(c + l * stride) + sums[l]);
        }
    }
}

/* One column of at most a vector of rows. */
LOSSI_INLINE vreal gather_rows(const real *a, int64_t stride, int rows)
{
    real column[VREAL_LANES] = {0};
#pragma GCC unroll 1
    for (int r = 0; r < rows; r++) {
        column[r] = get(a + r * stride);
    }
    return v_load(column);
}

LOSSI_INLINE void finish_down(const lossi_product_block *block, int64_t first, int rows, int j, vreal sum)
{
    real apart[VREAL_LANES];
    v_store(apart, sum);
    finish_part((real *)block->c + first * block->c_row + j * block->c_column, block->c_row, apart, rows,
                block->fresh);
}

/* Whole vectors of rows from `first` on; both numbers are constants after inlining. */
LOSSI_INLINE void multiply_rows(const lossi_product_block *block, int64_t first, const int vectors,
                                const int columns)
{
    const real *a = (const real *)block->a + first * block->a_row, *b = block->b;
    vreal sums[DOWN][LOSSI_PRODUCT_FEW];
    for (int v = 0; v < vectors; v++) {
        for (int j = 0; j < columns; j++) {
            sums[v][j] = v_set1(0);
        }
    }
    int64_t k = 0;
    for (; k + LOSSI_GROUP <= block->inner; k += LOSSI_GROUP) {
        if (k % LINE == 0 && block->a_ahead != 0) { /* as many lines as are read till then */
            const real *asked = block->a_in_order ? a + k * vectors * VREAL_LANES : a + k;
            const int64_t apart = block->a_in_order ? LINE : block->a_row;
#pragma GCC unroll 1
            for (int r = 0; r < vectors * VREAL_LANES; r++) {
                ask_for(asked + r * apart, block->a_ahead);
            }
        }
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) {
            vreal steps[LOSSI_GROUP];
            v_load_columns(a + v * VREAL_LANES * block->a_row + k, block->a_row, steps);
#pragma GCC unroll 4
            for (int g = 0; g < LOSSI_GROUP; g++) {
#pragma GCC unroll 4
                for (int j = 0; j < columns; j++) {
                    const vreal across = v_set1(get(b + (k + g) * block->b_inner + j * block->b_panel));
                    sums[v][j] = v_fma(steps[g], across, sums[v][j]);
                }
            }
        }
    }
#pragma GCC unroll 1
    for (; k < block->inner; k++) {
#pragma GCC unroll 1
        for (int v = 0; v < vectors; v++) {
            const vreal step = gather_rows(a + v * VREAL_LANES * block->a_row + k, block->a_row, VREAL_LANES);
            for (int j = 0; j < columns; j++) {
                const vreal across = v_set1(get(b + k * block->b_inner + j * block->b_panel));
                sums[v][j] = v_fma(step, across, sums[v][j]);
            }
        }
    }
    for (int v = 0; v < vectors; v++) {
        for (int j = 0; j < columns; j++) {
            finish_down(block, first + v * VREAL_LANES, VREAL_LANES, j, sums[v][j]);
        }
    }
}

/* The rows behind the last whole vector. */
static __attribute__((noinline)) void multiply_rest(const lossi_product_block *block, int64_t first)
{
    const real *a = (const real *)block->a + first * block->a_row, *b = block->b;
    const int rows = (int)(block->rows - first);
    for (int j = 0; j < block->columns; j++) {
        vreal sum = v_set1(0);
        for (int64_t k = 0; k < block->inner; k++) {
            const vreal across = v_set1(get(b + k * block->b_inner + j * block->b_panel));
            sum = v_fma(gather_rows(a + k, block->a_row, rows), across, sum);
        }
        finish_down(block, first, rows, j, sum);
    }
}

LOSSI_INLINE void multiply_columns(const lossi_product_block *block, const int vectors, const int columns)
{
    int64_t i = 0;
    for (; !block->a_apart && i + vectors * VREAL_LANES <= block->rows; i += vectors * VREAL_LANES) {
        multiply_rows(block, i, vectors, columns);
    }
    for (; i + VREAL_LANES <= block->rows; i += VREAL_LANES) {
        multiply_rows(block, i, 1, columns);
    }
    if (i < block->rows) {
        multiply_rest(block, i);
    }
}

static void multiply_down(const lossi_product_block *block)
{
    switch (block->columns) {
    case 1:
        multiply_columns(block, DOWN, 1);
        break;
    case 2:
        multiply_columns(block, DOWN, 2);
        break;
    case 3:
        multiply_columns(block, 2, 3);
        break;
    default:
        multiply_columns(block, 2, 4);
    }
}

#endif
