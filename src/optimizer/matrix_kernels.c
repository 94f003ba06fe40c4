/*
 * The kernels of matrix_kernels.h, once per instruction set and element type.
 *
 * A product is made of blocks of 4 rows by 2 vectors that stay in registers while k runs through a panel of B; the
 * panel, 256 rows of 128 columns, stays in the cache while the rows of A go by.
 */
#include <stddef.h>

#include "optimizer/matrix_kernels.h"

#include "simd/real.h"

enum { ROWS = 4, VECTORS = 2, WIDE = VECTORS * VREAL_LANES, DEPTH = 256, COLUMNS = 128, PATCH = 32 };

LOSSI_INLINE vreal get(const real *p, int n)
{
    return n >= VREAL_LANES ? v_load(p) : n > 0 ? v_load_part(p, n) : v_set1(0);
}

LOSSI_INLINE void put(real *p, vreal v, int n)
{
    if (n >= VREAL_LANES) {
        v_store(p, v);
    } else if (n > 0) {
        v_store_part(p, v, n);
    }
}

/* A block of C: `rows` rows from i on, n columns from j on, over k from `first` to `last`. */
typedef struct block {
    const lossi_product *product;
    int64_t i, j, first, last;
    int rows, n;
} block;

/* What is in C between panels are the chains so far; the last panel makes the result of them. */
LOSSI_INLINE void finish(block at, int r, vreal chains[VECTORS])
{
    const lossi_product *p = at.product;
    const int64_t place = (at.i + r) * p->n + at.j;
    real *c = (real *)p->c + place;
#pragma GCC unroll 2
    for (int w = 0; w < VECTORS; w++) {
        const int n = at.n - w * VREAL_LANES;
        vreal v = chains[w];
        if (at.last == p->k) {
            v = v_set1((real)p->alpha) * v;
            if (p->d != NULL) {
                v = v + v_set1((real)p->beta) * get((const real *)p->d + place + w * VREAL_LANES, n);
            }
        }
        put(c + w * VREAL_LANES, v, n);
    }
}

/* n is WIDE, a constant after inlining, everywhere but at the right edge. Rows below the last are the last once more. */
LOSSI_INLINE void multiply_block(block at)
{
    const lossi_product *p = at.product;
    const real *a[ROWS];
    vreal chains[ROWS][VECTORS];
    for (int r = 0; r < ROWS; r++) {
        const int64_t row = at.i + (r < at.rows ? r : at.rows - 1);
        const real *c = (const real *)p->c + row * p->n + at.j;
        a[r] = (const real *)p->a + row * p->k;
        for (int w = 0; w < VECTORS; w++) {
            chains[r][w] = at.first == 0 ? v_set1(0) : get(c + w * VREAL_LANES, at.n - w * VREAL_LANES);
        }
    }
    const real *b = (const real *)p->b + at.j;
    for (int64_t k = at.first; k < at.last; k++) {
        vreal across[VECTORS];
#pragma GCC unroll 2
        for (int w = 0; w < VECTORS; w++) {
            across[w] = get(b + k * p->n + w * VREAL_LANES, at.n - w * VREAL_LANES);
        }
#pragma GCC unroll 4
        for (int r = 0; r < ROWS; r++) {
            const vreal down = v_set1(a[r][k]);
#pragma GCC unroll 2
            for (int w = 0; w < VECTORS; w++) {
                chains[r][w] = v_fma(down, across[w], chains[r][w]);
            }
        }
    }
    for (int r = 0; r < at.rows; r++) {
        finish(at, r, chains[r]);
    }
}

static void multiply_panel(block at, int64_t begin, int64_t end, int64_t right)
{
    const int64_t left = at.j;
    for (at.i = begin; at.i < end; at.i += ROWS) {
        at.rows = end - at.i < ROWS ? (int)(end - at.i) : ROWS;
        for (at.j = left; at.j + WIDE <= right; at.j += WIDE) {
            at.n = WIDE;
            multiply_block(at);
        }
        if (at.j < right) {
            at.n = (int)(right - at.j);
            multiply_block(at);
        }
    }
}

static void multiply(const lossi_product *p, int64_t begin, int64_t end)
{
    for (int64_t j = 0; j < p->n; j += COLUMNS) {
        const int64_t right = p->n - j < COLUMNS ? p->n : j + COLUMNS;
        for (int64_t k = 0; k < p->k; k += DEPTH) {
            const int64_t last = p->k - k < DEPTH ? p->k : k + DEPTH;
            multiply_panel((block){.product = p, .j = j, .first = k, .last = last}, begin, end, right);
        }
    }
}

/* By patches, so that both sides stay in the cache. */
static void transpose(const lossi_transpose *t, int64_t begin, int64_t end)
{
    const real *from = t->from;
    real *to = t->to;
    for (int64_t i = begin; i < end; i += PATCH) {
        const int64_t bottom = end - i < PATCH ? end : i + PATCH;
        for (int64_t j = 0; j < t->columns; j += PATCH) {
            const int64_t right = t->columns - j < PATCH ? t->columns : j + PATCH;
            for (int64_t row = i; row < bottom; row++) {
                for (int64_t column = j; column < right; column++) {
                    to[column * t->rows + row] = from[row * t->columns + column];
                }
            }
        }
    }
}

extern const lossi_matrix_kernels LOSSI_NAME(matrix_kernels);
const lossi_matrix_kernels LOSSI_NAME(matrix_kernels) = {multiply, transpose};
