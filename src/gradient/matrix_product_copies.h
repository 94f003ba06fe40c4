/*
 * Copies of the factors of a matrix product into the order in which tiles read them, and how large tiles are: for
 * matrix_product_kernels.c, once per instruction set and element type.
 */
#ifndef LOSSI_GRADIENT_MATRIX_PRODUCT_COPIES_H
#define LOSSI_GRADIENT_MATRIX_PRODUCT_COPIES_H

#include <string.h>

#include "gradient/matrix_product.h"
#include "simd/transpose.h"

/* Rows of the largest tile; heights between multiples of a step are computed as the next one. */
#if defined(LOSSI_ISA_AVX512)
enum { ROWS = 14, TILE_STEP = 2 }; /* of 32 registers */
#elif defined(LOSSI_ISA_AVX2)
enum { ROWS = 6, TILE_STEP = 1 }; /* of 16 */
#elif defined(LOSSI_ISA_NEON)
enum { ROWS = 12, TILE_STEP = 2 }; /* of 32 */
#else
enum { ROWS = 4, TILE_STEP = 1 }; /* of 16 on x86 */
#endif
enum { VECTORS = 2, COLUMNS = VECTORS * VREAL_LANES };

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

enum {
    DOWN_VECTORS = (ROWS + VREAL_LANES - 1) / VREAL_LANES, /* that cover a tile's rows */
    CHUNK = 64 /* steps at a time of rows that are not all there */
};

/*
 * n steps of a tile from rows of `stride`, of which there are as many as vectors cover: what a vector has too much lies where the next
 * step comes, behind the last one in what follows the tile.
 */
LOSSI_INLINE void copy_steps_of_rows(int64_t n, int64_t tile_rows, const real *a, int64_t stride, real *to)
{
    const int vectors = (int)((tile_rows + VREAL_LANES - 1) / VREAL_LANES);
    for (int64_t k = 0; k < n; k += LOSSI_GROUP) {
        vreal columns[DOWN_VECTORS][LOSSI_GROUP];
        for (int v = 0; v < vectors; v++) {
            v_load_columns(a + v * VREAL_LANES * stride + k, stride, columns[v]);
        }
        for (int g = 0; g < LOSSI_GROUP && k + g < n; g++) {
            for (int v = 0; v < vectors; v++) {
                v_store(to + (k + g) * tile_rows + v * VREAL_LANES, columns[v][g]);
            }
        }
    }
}

/* A few steps, element by element. */
LOSSI_INLINE void copy_apart(int64_t begin, int64_t end, int64_t rows, int64_t tile_rows, const real *a,
                             int64_t stride, real *to)
{
    for (int64_t k = begin; k < end; k++) {
        for (int64_t r = 0; r < rows; r++) {
            put(to + k * tile_rows + r, get(a + r * stride + k));
        }
    }
}

/*
 * Tiles of contiguous rows. Where vectors would read behind the last row, rows go by way of a piece that has as many as they want; behind
 * the last whole group of columns, and of few columns, it goes element by element.
 */
static inline void copy_rows(int64_t rows, int64_t inner, int64_t tile_rows, lossi_matrix_view from, real *to)
{
    real piece[DOWN_VECTORS * VREAL_LANES * CHUNK];
    const int64_t covered = (tile_rows + VREAL_LANES - 1) / VREAL_LANES * VREAL_LANES;
    const int64_t whole = inner - inner % LOSSI_GROUP;
    for (int64_t i = 0; i < rows; i += tile_rows) {
        const int64_t there = rows - i < covered ? rows - i : covered;
        const int64_t own = there < tile_rows ? there : tile_rows;
        const real *a = (const real *)from.data + i * from.row_stride;
        real *made = to + i * inner;
        if (there == covered) {
            copy_steps_of_rows(whole, tile_rows, a, from.row_stride, made);
            copy_apart(whole, inner, own, tile_rows, a, from.row_stride, made);
            continue;
        }
        if (inner < CHUNK / 4) {
            copy_apart(0, inner, own, tile_rows, a, from.row_stride, made);
            continue;
        }
        memset(piece, 0, sizeof piece);
        for (int64_t k = 0; k < inner; k += CHUNK) {
            const int64_t n = inner - k < CHUNK ? inner - k : CHUNK;
            for (int64_t r = 0; r < there; r++) {
                memcpy(piece + r * CHUNK, a + r * from.row_stride + k, (size_t)n * sizeof *piece);
            }
            copy_steps_of_rows(n, tile_rows, piece, CHUNK, made + k * tile_rows);
        }
    }
}

enum { MOVE = 16 / sizeof(real) };

/* n elements, MOVE or more. */
LOSSI_INLINE void move(int64_t n, const real *from, real *to)
{
    for (int64_t i = 0; i + MOVE < n; i += MOVE) {
        memcpy(to + i, from + i, MOVE * sizeof(real));
    }
    memcpy(to + n - MOVE, from + n - MOVE, MOVE * sizeof(real));
}

/* Step by step, so that a transposed matrix is read in order. */
static inline void copy_a(int64_t rows, int64_t inner, int64_t tile_rows, lossi_matrix_view from, void *to)
{
    if (from.column_stride == 1) {
        copy_rows(rows, inner, tile_rows, from, to);
        return;
    }
    const int64_t whole = from.row_stride == 1 && tile_rows >= MOVE ? rows - rows % tile_rows : 0;
    for (int64_t k = 0; k < inner; k++) {
        const real *a = (const real *)from.data + k * from.column_stride;
        real *step = (real *)to + k * tile_rows;
        if (tile_rows == ROWS) { /* of constant size: a few wide moves */
            for (int64_t i = 0; i < whole; i += ROWS) {
                memcpy(step + i * inner, a + i, ROWS * sizeof(real));
            }
        } else {
            for (int64_t i = 0; i < whole; i += tile_rows) {
                move(tile_rows, a + i, step + i * inner);
            }
        }
        if (from.row_stride == 1 && rows - whole >= MOVE && rows - whole < tile_rows) { /* the last tile */
            move(rows - whole, a + whole, step + whole * inner);
            continue;
        }
        for (int64_t i = whole; i < rows; i += tile_rows) {
            const int64_t n = rows - i < tile_rows ? rows - i : tile_rows;
            for (int64_t r = 0; r < n; r++) {
                put(step + i * inner + r, get(a + (i + r) * from.row_stride));
            }
        }
    }
}

/* Columns of a panel whose elements of one step are not contiguous, but those of consecutive steps may be. */
static inline void gather_b(int64_t inner, int n, int pitch, lossi_matrix_view from, real *to)
{
    const real *b = from.data;
    int64_t k = 0;
    if (n == pitch && from.row_stride == 1) {
        for (; k + LOSSI_GROUP <= inner; k += LOSSI_GROUP) {
            for (int l = 0; l < pitch; l += VREAL_LANES) {
                vreal columns[LOSSI_GROUP];
                v_load_columns(b + l * from.column_stride + k, from.column_stride, columns);
                for (int g = 0; g < LOSSI_GROUP; g++) {
                    v_store(to + (k + g) * pitch + l, columns[g]);
                }
            }
        }
    }
    for (; k < inner; k++) {
        for (int l = 0; l < pitch; l++) {
            put(to + k * pitch + l,
                l < n ? get(b + k * from.row_stride + l * from.column_stride) : REAL(0.0));
        }
    }
}

/* Contiguous columns, step by step, so that B is read in order. */
static inline void copy_steps(int64_t inner, int64_t columns, int pitch, lossi_matrix_view from, real *to)
{
    const int64_t whole = columns - columns % COLUMNS;
    const int rest = (int)(columns - whole), first = rest < VREAL_LANES ? rest : VREAL_LANES;
    for (int64_t k = 0; k < inner; k++) {
        const real *b = (const real *)from.data + k * from.row_stride;
        for (int64_t j = 0; j < whole; j += COLUMNS) {
            for (int v = 0; v < VECTORS; v++) {
                v_store(to + j * inner + k * COLUMNS + v * VREAL_LANES, v_load(b + j + v * VREAL_LANES));
            }
        }
        if (rest > 0) {
            real *step = to + whole * inner + k * pitch;
            v_store(step, v_load_part(b + whole, first));
            if (pitch > VREAL_LANES) {
                v_store(step + VREAL_LANES, v_load_part(b + whole + first, rest - first));
            }
        }
    }
}

static inline void copy_b(int64_t inner, int64_t columns, lossi_matrix_view from, void *to)
{
    const int pitch = columns <= VREAL_LANES ? VREAL_LANES : COLUMNS;
    if (from.column_stride == 1) {
        copy_steps(inner, columns, pitch, from, to);
        return;
    }
    for (int64_t j = 0; j < columns; j += COLUMNS) {
        const lossi_matrix_view part = {(const real *)from.data + j * from.column_stride, from.row_stride,
                                        from.column_stride};
        const int n = columns - j < COLUMNS ? (int)(columns - j) : COLUMNS;
        gather_b(inner, n, pitch, part, (real *)to + j * inner);
    }
}

#endif
