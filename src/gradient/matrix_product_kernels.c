/*
 * The kernels of matrix_product_kernels.h, once per instruction set and element type.
 *
 * A register tile of R rows and two vectors needs 2R registers for sums, two for B and one for an element of A: R is as
 * many as there are registers for (Goto & van de Geijn, ACM TOMS 34(3), 2008).
 */
#include "gradient/matrix_product_kernels.h"

#include <stddef.h>
#include <string.h>

#include "core/isa.h"
#include "simd/transpose.h"

#if defined(LOSSI_ISA_AVX512)
enum { ROWS = 14 }; /* of 32 registers */
#elif defined(LOSSI_ISA_AVX2)
enum { ROWS = 6 }; /* of 16 */
#elif defined(LOSSI_ISA_NEON)
enum { ROWS = 12 }; /* of 32 */
#else
enum { ROWS = 4 }; /* of 16 on x86 */
#endif
enum { VECTORS = 2, COLUMNS = VECTORS * VREAL_LANES, HALF_ROWS = ROWS / 2 };

/* Arrays need no alignment. */
LOSSI_INLINE real get(const real *p)
{
    real x;
    memcpy(&x, p, sizeof x);
    return x;
}

LOSSI_INLINE void put(real *p, real x)
{
    memcpy(p, &x, sizeof x);
}

typedef struct tile {
    const real *a, *b;
    real *c;
    int rows, columns; /* that there are */
} tile;

LOSSI_INLINE void finish_vector(real *c, vreal sum, int n, int fresh)
{
    if (n >= VREAL_LANES) {
        v_store(c, fresh ? sum : v_load(c) + sum);
    } else if (n > 0) {
        v_store_part(c, fresh ? sum : v_load_part(c, n) + sum, n);
    }
}

/* `rows` and `vectors` are constants after inlining; where the tile has fewer rows its last one is taken once more. */
LOSSI_INLINE void multiply_tile(const lossi_product_block *block, const tile *t, const int rows,
                                const int vectors)
{
    const real *a[ROWS];
    vreal sums[ROWS][VECTORS];
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++) {
        a[r] = t->a + (r < t->rows ? r : t->rows - 1) * block->a_row;
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++) {
            sums[r][v] = v_set1(0);
        }
    }
    const real *b = t->b;
    int64_t at = 0;
    for (int64_t k = block->inner; k > 0; k--) {
        vreal across[VECTORS];
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++) {
            across[v] = v_load(b + v * VREAL_LANES);
        }
#pragma GCC unroll 16
        for (int r = 0; r < rows; r++) {
            const vreal down = v_set1(get(a[r] + at));
#pragma GCC unroll 2
            for (int v = 0; v < vectors; v++) {
                sums[r][v] = v_fma(down, across[v], sums[r][v]);
            }
        }
        at += block->a_inner;
        b += block->b_inner;
    }
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++) {
        if (r < t->rows) {
#pragma GCC unroll 2
            for (int v = 0; v < vectors; v++) {
                finish_vector(t->c + r * block->c_row + v * VREAL_LANES, sums[r][v],
                              t->columns - v * VREAL_LANES, block->fresh);
            }
        }
    }
}

#define TILE(name, rows, vectors)                                                                            \
    static __attribute__((noinline)) void name(const lossi_product_block *block, const tile *t)              \
    {                                                                                                        \
        multiply_tile(block, t, rows, vectors);                                                              \
    }
TILE(whole_wide, ROWS, 2)
TILE(whole_narrow, ROWS, 1)
TILE(half_wide, HALF_ROWS, 2)
TILE(half_narrow, HALF_ROWS, 1)
TILE(row_wide, 1, 2)
TILE(row_narrow, 1, 1)

static void multiply(const lossi_product_block *block)
{
    for (int64_t j = 0; j < block->columns; j += COLUMNS) {
        tile t = {.b = (const real *)block->b + j / COLUMNS * block->b_panel};
        t.columns = block->columns - j < COLUMNS ? (int)(block->columns - j) : COLUMNS;
        const int narrow = t.columns <= VREAL_LANES;
        for (int64_t i = 0; i < block->rows; i += ROWS) {
            t.a = (const real *)block->a + i / ROWS * block->a_tile;
            t.c = (real *)block->c + i * block->c_row + j;
            t.rows = block->rows - i < ROWS ? (int)(block->rows - i) : ROWS;
            if (t.rows > HALF_ROWS) {
                (narrow ? whole_narrow : whole_wide)(block, &t);
            } else if (t.rows > 1) {
                (narrow ? half_narrow : half_wide)(block, &t);
            } else {
                (narrow ? row_narrow : row_wide)(block, &t);
            }
        }
    }
}

/* Whole tiles of a transposed matrix are contiguous; the compiler makes a few wide moves of a copy of constant size. */
static void copy_a(int64_t rows, int64_t inner, lossi_matrix_view from, void *to)
{
    for (int64_t i = 0; i < rows; i += ROWS) {
        real *tile_to = (real *)to + i * inner;
        const real *a = (const real *)from.data + i * from.row_stride;
        const int n = rows - i < ROWS ? (int)(rows - i) : ROWS;
        if (n == ROWS && from.row_stride == 1) {
            for (int64_t k = 0; k < inner; k++) {
                memcpy(tile_to + k * ROWS, a + k * from.column_stride, ROWS * sizeof(real));
            }
        } else {
            for (int64_t k = 0; k < inner; k++) {
                for (int r = 0; r < n; r++) {
                    put(tile_to + k * ROWS + r, get(a + r * from.row_stride + k * from.column_stride));
                }
            }
        }
    }
}

/* Columns j … of a panel whose elements of one step are not contiguous, but those of consecutive steps may be. */
static void gather_b(int64_t inner, int n, lossi_matrix_view from, real *to)
{
    const real *b = from.data;
    int64_t k = 0;
    if (n == COLUMNS && from.row_stride == 1) {
        for (; k + LOSSI_GROUP <= inner; k += LOSSI_GROUP) {
            for (int v = 0; v < VECTORS; v++) {
                vreal columns[LOSSI_GROUP];
                v_load_columns(b + v * VREAL_LANES * from.column_stride + k, from.column_stride, columns);
                for (int g = 0; g < LOSSI_GROUP; g++) {
                    v_store(to + (k + g) * COLUMNS + v * VREAL_LANES, columns[g]);
                }
            }
        }
    }
    for (; k < inner; k++) {
        for (int l = 0; l < COLUMNS; l++) {
            put(to + k * COLUMNS + l,
                l < n ? get(b + k * from.row_stride + l * from.column_stride) : REAL(0.0));
        }
    }
}

static void copy_b(int64_t inner, int64_t columns, lossi_matrix_view from, void *to)
{
    for (int64_t j = 0; j < columns; j += COLUMNS) {
        real *panel = (real *)to + j * inner;
        const real *b = (const real *)from.data + j * from.column_stride;
        const int n = columns - j < COLUMNS ? (int)(columns - j) : COLUMNS;
        if (from.column_stride != 1) {
            gather_b(inner, n, (lossi_matrix_view){b, from.row_stride, from.column_stride}, panel);
        } else if (n == COLUMNS) {
            for (int64_t k = 0; k < inner; k++) {
                for (int v = 0; v < VECTORS; v++) {
                    v_store(panel + k * COLUMNS + v * VREAL_LANES,
                            v_load(b + k * from.row_stride + v * VREAL_LANES));
                }
            }
        } else {
            const int first = n < VREAL_LANES ? n : VREAL_LANES;
            for (int64_t k = 0; k < inner; k++) {
                const real *row = b + k * from.row_stride;
                v_store(panel + k * COLUMNS, v_load_part(row, first));
                v_store(panel + k * COLUMNS + VREAL_LANES, v_load_part(row + first, n - first));
            }
        }
    }
}

static void add(int64_t rows, int64_t columns, void *to, int64_t to_row, const void *from)
{
    for (int64_t i = 0; i < rows; i++) {
        real *sum = (real *)to + i * to_row;
        const real *term = (const real *)from + i * columns;
        for (int64_t j = 0; j < columns; j += VREAL_LANES) {
            const int n = columns - j < VREAL_LANES ? (int)(columns - j) : VREAL_LANES;
            finish_vector(sum + j, n == VREAL_LANES ? v_load(term + j) : v_load_part(term + j, n), n, 0);
        }
    }
}

extern const lossi_product_kernels LOSSI_NAME(product_kernels);
const lossi_product_kernels LOSSI_NAME(product_kernels) = {ROWS,   COLUMNS, VREAL_LANES, multiply,
                                                           copy_a, copy_b,  add};

#ifdef LOSSI_ONCE

extern const lossi_product_kernels LOSSI_ISA_DECLARE(product_kernels);
static const lossi_product_kernels *const table[LOSSI_ISA_COUNT][LOSSI_REAL_COUNT] = LOSSI_ISA_TABLE(
    product_kernels);

const lossi_product_kernels *lossi_product_kernels_for(int32_t isa, int32_t real_index)
{
    return table[isa][real_index];
}

#endif
