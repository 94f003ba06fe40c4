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
#include "gradient/matrix_product_across.h"
#include "gradient/matrix_product_copies.h"
#include "gradient/matrix_product_down.h"
#include "simd/transpose.h"

enum {
    NEAR_ROWS = 4, /* of a copy of lower tiles there is nothing to gain */
    MOST = 8,      /* vectors of a tile of one row, which has as many chains as multiply-adds are under way */
};

typedef struct tile {
    const real *a, *b;
    real *c;
    int rows, columns; /* that there are */
    const int64_t *a_rows;
    int64_t b_inner, b_apart; /* from vector to vector, of two */
    real *kept;               /* where B goes while it is read */
} tile;

LOSSI_INLINE void finish_tile(const lossi_product_block *block, const tile *t, vreal sums[ROWS][MOST],
                              const int rows, const int vectors)
{
    const int whole = block->c_column == 1 && t->columns == vectors * VREAL_LANES;
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++) {
        real *c = t->c + r * block->c_row;
        if (r >= t->rows) {
            break;
        }
        if (whole && block->fresh) {
#pragma GCC unroll 8
            for (int v = 0; v < vectors; v++) {
                v_store(c + v * VREAL_LANES, sums[r][v]);
            }
        } else if (whole) {
#pragma GCC unroll 8
            for (int v = 0; v < vectors; v++) {
                v_store(c + v * VREAL_LANES, v_load(c + v * VREAL_LANES) + sums[r][v]);
            }
        } else {
            real apart[MOST * VREAL_LANES];
#pragma GCC unroll 8
            for (int v = 0; v < vectors; v++) {
                v_store(apart + v * VREAL_LANES, sums[r][v]);
            }
            finish_part(c, block->c_column, apart, t->columns, block->fresh);
        }
    }
}

/*
 * `rows`, `vectors` and `laid`, whether there are runs, are constants after inlining; where the tile has fewer rows its last one is
 * taken once more. Of A a line is asked for when one has been read, of B every step.
 */
LOSSI_INLINE void multiply_tile(const lossi_product_block *block, const tile *t, const int rows,
                                const int vectors, const int laid)
{
    const real *a[ROWS];
    vreal sums[ROWS][MOST];
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++) {
        const int there = r < t->rows ? r : t->rows - 1;
        a[r] = t->a + (laid && t->a_rows != NULL ? t->a_rows[there] : there * block->a_row);
#pragma GCC unroll 8
        for (int v = 0; v < vectors; v++) {
            sums[r][v] = v_set1(0);
        }
    }
    const real *b = t->b;
    const int64_t apart = laid && vectors == 2 ? t->b_apart : VREAL_LANES;
    const lossi_product_run *run = block->runs;
    int64_t at = 0, steps;
    for (int64_t left = block->inner; left > 0; left -= steps) {
        steps = laid ? run->steps : left < LINE ? left : LINE;
        if (block->a_ahead != 0) {
#pragma GCC unroll 16
            for (int r = 0; r < rows; r++) {
                ask_for(a[r] + at, block->a_ahead);
            }
        }
        for (int64_t k = steps; k > 0; k--) {
            vreal across[MOST];
#pragma GCC unroll 8
            for (int v = 0; v < vectors; v++) {
                across[v] = v_load(b + v * apart);
                if (v * VREAL_LANES % LINE == 0) {
                    ask_for(b + v * VREAL_LANES, block->b_ahead);
                }
            }
#pragma GCC unroll 16
            for (int r = 0; r < rows; r++) {
                const vreal down = v_set1(get(a[r] + at));
#pragma GCC unroll 8
                for (int v = 0; v < vectors; v++) {
                    sums[r][v] = v_fma(down, across[v], sums[r][v]);
                }
            }
            at += block->a_inner;
            b += t->b_inner;
        }
        if (laid) {
            at += run->a_jump;
            b += run->b_jump;
            run++;
        }
    }
    finish_tile(block, t, sums, rows, vectors);
}

/*
 * The same of a whole tile of a copy, whose rows lie next to each other in every step: one pointer goes along A, where several would
 * take registers, loads and additions from the multiplications.
 */
LOSSI_INLINE void multiply_near(const lossi_product_block *block, const tile *t, const int rows,
                                const int vectors, const int laid)
{
    vreal sums[ROWS][MOST];
    const real *a = t->a, *b = t->b;
    real *kept = t->kept;
    const int64_t a_inner = block->a_inner, b_inner = t->b_inner, ahead = block->b_ahead,
                  apart = laid ? t->b_apart : VREAL_LANES;
    const lossi_product_run *run = block->runs;
    int64_t steps;
#pragma GCC unroll 16
    for (int r = 0; r < rows; r++) {
#pragma GCC unroll 8
        for (int v = 0; v < vectors; v++) {
            sums[r][v] = v_set1(0);
        }
    }
    for (int64_t left = block->inner; left > 0; left -= steps) {
        steps = laid ? run->steps : left;
#pragma GCC unroll 2
        for (int64_t k = steps; k > 0; k--) {
            vreal across[MOST];
#pragma GCC unroll 8
            for (int v = 0; v < vectors; v++) {
                across[v] = v_load(b + v * apart);
            }
            if (kept != NULL) {
#pragma GCC unroll 8
                for (int v = 0; v < vectors; v++) {
                    v_store(kept + v * VREAL_LANES, across[v]);
                }
                kept += vectors * VREAL_LANES;
            }
            if (ahead != 0) { /* not of a copy, which is near */
#pragma GCC unroll 8
                for (int v = 0; v < vectors; v++) {
                    if (v * VREAL_LANES % LINE == 0) {
                        ask_for(b + v * VREAL_LANES, ahead);
                    }
                }
            }
#pragma GCC unroll 16
            for (int r = 0; r < rows; r++) {
                const vreal down = v_set1(get(a + r));
#pragma GCC unroll 8
                for (int v = 0; v < vectors; v++) {
                    sums[r][v] = v_fma(down, across[v], sums[r][v]);
                }
            }
            a += a_inner;
            b += b_inner;
        }
        if (laid) { /* A has none: it is a copy */
            b += run->b_jump;
            run++;
        }
    }
    finish_tile(block, t, sums, rows, vectors);
}

#if defined(LOSSI_ISA_AVX512)
#define EVEN 1
#else
#define EVEN 0 /* tiles are so low, or registers so many, that every row has a pointer of its own */
#endif

/* Of a whole tile of the most rows: how far it is from each to the next; 0 where that differs, or where something is asked for ahead. */
static int64_t pitch_of(const lossi_product_block *block, const tile *t)
{
    if (!EVEN || t->rows < ROWS || block->a_ahead != 0 || block->b_ahead != 0) {
        return 0;
    }
    if (t->a_rows == NULL) {
        return block->a_row;
    }
    const int64_t pitch = t->a_rows[1] - t->a_rows[0];
    int64_t others = 0;
    for (int r = 2; r < ROWS; r++) {
        others |= (t->a_rows[r] - t->a_rows[r - 1]) ^ pitch;
    }
    return others == 0 ? pitch : 0;
}

/*
 * The same of a whole tile of the most rows that are as far apart: a pointer goes along every third of them, and the two behind it are
 * one and two pitches on, so that pointers stay in registers.
 */
LOSSI_INLINE void multiply_even(const lossi_product_block *block, const tile *t, const int64_t pitch,
                                const int vectors)
{
    enum { POINTERS = (ROWS + 2) / 3 };
    vreal sums[ROWS][MOST];
    const real *a[POINTERS], *b = t->b;
    const int64_t apart = vectors == 2 ? t->b_apart : VREAL_LANES;
    const lossi_product_run *run = block->runs;
    int64_t steps;
#pragma GCC unroll 16
    for (int p = 0; p < POINTERS; p++) {
        a[p] = t->a + (t->a_rows != NULL ? t->a_rows[0] : 0) + 3 * p * pitch;
    }
#pragma GCC unroll 16
    for (int r = 0; r < ROWS; r++) {
#pragma GCC unroll 8
        for (int v = 0; v < vectors; v++) {
            sums[r][v] = v_set1(0);
        }
    }
    for (int64_t left = block->inner; left > 0; left -= steps) {
        steps = run != NULL ? run->steps : left;
        for (int64_t k = steps; k > 0; k--) {
            vreal across[MOST];
#pragma GCC unroll 8
            for (int v = 0; v < vectors; v++) {
                across[v] = v_load(b + v * apart);
            }
#pragma GCC unroll 16
            for (int r = 0; r < ROWS; r++) {
                const vreal down = v_set1(get(a[r / 3] + r % 3 * pitch));
#pragma GCC unroll 8
                for (int v = 0; v < vectors; v++) {
                    sums[r][v] = v_fma(down, across[v], sums[r][v]);
                }
            }
#pragma GCC unroll 16
            for (int p = 0; p < POINTERS; p++) {
                a[p] += block->a_inner;
            }
            b += t->b_inner;
        }
        if (run != NULL) {
#pragma GCC unroll 16
            for (int p = 0; p < POINTERS; p++) {
                a[p] += run->a_jump;
            }
            b += run->b_jump;
            run++;
        }
    }
    finish_tile(block, t, sums, ROWS, vectors);
}

static __attribute__((noinline)) void even_1(const lossi_product_block *block, const tile *t, int64_t pitch)
{
    multiply_even(block, t, pitch, 1);
}

static __attribute__((noinline)) void even_2(const lossi_product_block *block, const tile *t, int64_t pitch)
{
    multiply_even(block, t, pitch, 2);
}

/* Functions for themselves, with and without runs: the second are short where inner is. */
#define LAID(name, multiply, rows, vectors)                                                                  \
    static __attribute__((noinline)) void laid_##name(const lossi_product_block *block, const tile *t)       \
    {                                                                                                        \
        multiply(block, t, rows, vectors, 1);                                                                \
    }                                                                                                        \
    static __attribute__((noinline)) void name(const lossi_product_block *block, const tile *t)              \
    {                                                                                                        \
        if (block->runs != NULL) {                                                                           \
            laid_##name(block, t);                                                                           \
            return;                                                                                          \
        }                                                                                                    \
        multiply(block, t, rows, vectors, 0);                                                                \
    }
#define NEAR(rows)          LAID(near_##rows, multiply_near, rows, VECTORS)
#define TILE(rows, vectors) LAID(tile_##rows##_##vectors, multiply_tile, rows, vectors)
/* Tiles of some height: one vector wide, two, and as many as there are chains for. */
#define TILES(rows) TILE(rows, 1) TILE(rows, 2)
#define HEIGHT(rows, most)                                                                                   \
    {                                                                                                        \
        most *VREAL_LANES,                                                                                   \
        {                                                                                                    \
            tile_##rows##_1, tile_##rows##_2, tile_##rows##_##most                                           \
        }                                                                                                    \
    }

typedef struct tile_kernels {
    int wide; /* columns of the third */
    void (*multiply[3])(const lossi_product_block *block, const tile *t);
} tile_kernels;

TILES(1)
TILE(1, 8)
TILES(2)
TILES(4)
#if defined(LOSSI_ISA_AVX512) || defined(LOSSI_ISA_NEON)
TILE(2, 8)
TILE(4, 4)
TILES(6)
TILE(6, 4)
TILES(8)
TILES(10)
TILES(12)
#if defined(LOSSI_ISA_AVX512)
TILES(14)
#endif
/* Odd heights take the next even one. */
static const tile_kernels tile_table[ROWS + 1] = {
    {0, {NULL}},   HEIGHT(1, 8),  HEIGHT(2, 8),  HEIGHT(4, 4),  HEIGHT(4, 4),  HEIGHT(6, 4),  HEIGHT(6, 4),
    HEIGHT(8, 2),  HEIGHT(8, 2),  HEIGHT(10, 2), HEIGHT(10, 2), HEIGHT(12, 2), HEIGHT(12, 2),
#if defined(LOSSI_ISA_AVX512)
    HEIGHT(14, 2), HEIGHT(14, 2),
#endif
};
#else
TILE(2, 4)
TILES(3)
TILE(3, 4)
#if defined(LOSSI_ISA_AVX2)
TILES(5)
TILES(6)
#endif
static const tile_kernels tile_table[ROWS + 1] = {
    {0, {NULL}},  HEIGHT(1, 8), HEIGHT(2, 4), HEIGHT(3, 4), HEIGHT(4, 2),
#if defined(LOSSI_ISA_AVX2)
    HEIGHT(5, 2), HEIGHT(6, 2),
#endif
};
#endif

NEAR(4)
#if defined(LOSSI_ISA_AVX512) || defined(LOSSI_ISA_NEON)
NEAR(6)
NEAR(8)
NEAR(10)
NEAR(12)
#if defined(LOSSI_ISA_AVX512)
NEAR(14)
#endif
#elif defined(LOSSI_ISA_AVX2)
NEAR(5)
NEAR(6)
#endif
static void (*const near_table[ROWS + 1])(const lossi_product_block *block, const tile *t) = {
    [4] = near_4,
#if defined(LOSSI_ISA_AVX512) || defined(LOSSI_ISA_NEON)
    [6] = near_6,   [8] = near_8, [10] = near_10, [12] = near_12,
#if defined(LOSSI_ISA_AVX512)
    [14] = near_14,
#endif
#elif defined(LOSSI_ISA_AVX2)
    [5] = near_5,
    [6] = near_6,
#endif
};

/* What is read soon, line by line. Asked for all at once it would be waited for: a first-level cache fetches some twenty at a time. */
typedef struct asking {
    uintptr_t at, end, next, next_end;
    int64_t share; /* bytes before each tile */
} asking;

enum { ASKED_MOST = 16 * 64 };

static asking asking_of(const lossi_product_block *block, int64_t columns)
{
    const int64_t tiles = (block->rows + block->tile_rows - 1) / block->tile_rows *
                          ((block->columns + columns - 1) / columns);
    const int64_t bytes = block->soon[0].bytes + block->soon[1].bytes, share = (bytes / tiles | 63) + 1;
    const uintptr_t first = (uintptr_t)block->soon[0].at, second = (uintptr_t)block->soon[1].at;
    return (asking){first, first + (uintptr_t)block->soon[0].bytes, second,
                    second + (uintptr_t)block->soon[1].bytes, share < ASKED_MOST ? share : ASKED_MOST};
}

static void ask_soon(asking *a)
{
    for (int64_t i = 0; i < a->share; i += 64) {
        if (a->at >= a->end) {
            a->at = a->next;
            a->end = a->next_end;
            a->next = a->next_end;
            if (a->at >= a->end) {
                return;
            }
        }
        __builtin_prefetch((const void *)a->at, 0, 2);
        a->at += 64;
    }
}

static void multiply(const lossi_product_block *block)
{
    const int64_t tile_rows = block->tile_rows;
    const tile_kernels *all = tile_table + tile_rows;
    /* Panels that lie side by side are one. */
    const int64_t wide = block->b_panel == COLUMNS ? all->wide : COLUMNS;
    asking soon = asking_of(block, wide);
    for (int64_t j = 0; j < block->columns;) {
        const int64_t n = block->columns - j;
        const int kind = n <= VREAL_LANES ? 0 : n < wide || wide == COLUMNS ? 1 : 2;
        const int64_t step = kind == 2 ? wide : COLUMNS;
        tile t = {.b = (const real *)block->b + j / COLUMNS * block->b_panel,
                  .b_inner = block->b_inner,
                  .b_apart = VREAL_LANES};
        if (block->b_vectors != NULL) {
            const int64_t *first = block->b_vectors + j / VREAL_LANES;
            t.b = (const real *)block->b + first[0];
            t.b_apart = kind == 1 ? first[1] - first[0] : 0;
        }
        t.kept = n >= COLUMNS ? block->b_kept : NULL;
        t.columns = (int)(n < step ? n : step);
        for (int64_t i = 0; i < block->rows; i += tile_rows) {
            t.a = (const real *)block->a + i / tile_rows * block->a_tile;
            t.c = (real *)block->c + i * block->c_row + j * block->c_column;
            t.rows = (int)(block->rows - i < tile_rows ? block->rows - i : tile_rows);
            t.a_rows = block->a_rows != NULL ? block->a_rows + i : NULL;
            ask_soon(&soon);
            if (block->a_row == 1 && kind == 1 && near_table[t.rows] != NULL) {
                near_table[t.rows](block, &t);
                if (t.kept != NULL) {
                    t.b = t.kept;
                    t.b_inner = COLUMNS;
                    t.b_apart = VREAL_LANES;
                    t.kept = NULL;
                }
            } else if (pitch_of(block, &t) != 0) {
                (kind == 0 ? even_1 : even_2)(block, &t, pitch_of(block, &t));
            } else {
                tile_table[kind == 2 ? tile_rows : t.rows].multiply[kind](block, &t);
            }
        }
        j += step;
    }
}

static void add(int64_t rows, int64_t columns, void *to, int64_t to_row, int64_t to_column, const void *from)
{
    for (int64_t i = 0; i < rows; i++) {
        real *sum = (real *)to + i * to_row;
        const real *term = (const real *)from + i * columns;
        for (int64_t j = 0; j < columns && to_column != 1; j++) {
            put(sum + j * to_column, get(sum + j * to_column) + get(term + j));
        }
        for (int64_t j = 0; j < columns && to_column == 1; j += VREAL_LANES) {
            const int n = columns - j < VREAL_LANES ? (int)(columns - j) : VREAL_LANES;
            finish_vector(sum + j, n == VREAL_LANES ? v_load(term + j) : v_load_part(term + j, n), n, 0);
        }
    }
}

extern const lossi_product_kernels LOSSI_NAME(product_kernels);
const lossi_product_kernels LOSSI_NAME(product_kernels) = {.tile_rows = ROWS,
                                                           .tile_columns = COLUMNS,
                                                           .lanes = VREAL_LANES,
                                                           .down_rows = DOWN * VREAL_LANES,
                                                           .near_rows = NEAR_ROWS,
                                                           .tile_step = TILE_STEP,
                                                           .multiply = multiply,
                                                           .multiply_down = multiply_down,
                                                           .multiply_across = multiply_across,
                                                           .copy_a = copy_a,
                                                           .copy_b = copy_b,
                                                           .add = add};

#ifdef LOSSI_ONCE

extern const lossi_product_kernels LOSSI_ISA_DECLARE(product_kernels);
static const lossi_product_kernels *const table[LOSSI_ISA_COUNT][LOSSI_REAL_COUNT] = LOSSI_ISA_TABLE(
    product_kernels);

const lossi_product_kernels *lossi_product_kernels_for(int32_t isa, int32_t real_index)
{
    return table[isa][real_index];
}

#endif
