/*
 * A row times a matrix that comes from memory, which is read fastest in the order in which it lies: sums of many columns wait in the
 * first-level cache while a few rows go by. For matrix_product_kernels.c, once per instruction set and element type.
 */
#ifndef LOSSI_GRADIENT_MATRIX_PRODUCT_ACROSS_H
#define LOSSI_GRADIENT_MATRIX_PRODUCT_ACROSS_H

#include "gradient/matrix_product_down.h"

enum {
    ACROSS = 8,                                /* rows at a time, each a stream */
    ACROSS_COLUMNS = 16384 / (LOSSI_REAL / 8), /* at a time: half of a first-level cache */
    ACROSS_LANES = 2 * VREAL_LANES
};

/* `steps` rows from `b` on, for whole vectors of columns; `steps` is a constant after inlining. */
LOSSI_INLINE void add_rows(const real *a, int64_t a_inner, const real *b, int64_t b_inner, const int steps,
                           int64_t columns, real *sums)
{
    vreal down[ACROSS];
#pragma GCC unroll 8
    for (int k = 0; k < steps; k++) {
        down[k] = v_set1(get(a + k * a_inner));
    }
    for (int64_t j = 0; j < columns; j += ACROSS_LANES) {
        vreal first = v_load(sums + j), second = v_load(sums + j + VREAL_LANES);
#pragma GCC unroll 8
        for (int k = 0; k < steps; k++) {
            first = v_fma(down[k], v_load(b + k * b_inner + j), first);
            second = v_fma(down[k], v_load(b + k * b_inner + j + VREAL_LANES), second);
        }
        v_store(sums + j, first);
        v_store(sums + j + VREAL_LANES, second);
    }
}

/* The columns behind the last whole vectors. */
static __attribute__((noinline)) void add_rest(const lossi_product_block *block, const real *b,
                                               int64_t columns, real *sums)
{
    const real *a = block->a;
    for (int64_t j = 0; j < columns; j += VREAL_LANES) {
        const int n = columns - j < VREAL_LANES ? (int)(columns - j) : VREAL_LANES;
        vreal sum = v_set1(0);
        for (int64_t k = 0; k < block->inner; k++) {
            sum = v_fma(v_set1(get(a + k * block->a_inner)), v_load_part(b + k * block->b_inner + j, n), sum);
        }
        v_store_part(sums + j, sum, n);
    }
}

static void multiply_across(const lossi_product_block *block)
{
    real sums[ACROSS_COLUMNS];
    for (int64_t left = 0; left < block->columns; left += ACROSS_COLUMNS) {
        const int64_t n = block->columns - left < ACROSS_COLUMNS ? block->columns - left : ACROSS_COLUMNS;
        const int64_t whole = n - n % ACROSS_LANES;
        const real *a = block->a, *b = (const real *)block->b + left;
        real *c = (real *)block->c + left;
        memset(sums, 0, (size_t)whole * sizeof *sums);
        add_rest(block, b + whole, n - whole, sums + whole);
        int64_t k = 0;
        for (; k + ACROSS <= block->inner; k += ACROSS) {
            add_rows(a + k * block->a_inner, block->a_inner, b + k * block->b_inner, block->b_inner, ACROSS,
                     whole, sums);
        }
        for (; k < block->inner; k++) {
            add_rows(a + k * block->a_inner, block->a_inner, b + k * block->b_inner, block->b_inner, 1, whole,
                     sums);
        }
        for (int64_t j = 0; j < n; j += VREAL_LANES) {
            const int part = n - j < VREAL_LANES ? (int)(n - j) : VREAL_LANES;
            finish_vector(c + j, part == VREAL_LANES ? v_load(sums + j) : v_load_part(sums + j, part), part,
                          block->fresh);
        }
    }
}

#endif
