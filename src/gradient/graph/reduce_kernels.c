/*
 * The kernels of reduce_kernels.h: 16 or 32 columns at a time stay in registers while rows go by, so that memory is read once.
 *
 * Rows of at most 16 elements are loaded abreast, a vector for each column of as many rows as it has lanes (simd/transpose.h).
 */
#include "gradient/graph/reduce_kernels.h"

#include <string.h>

#include "core/isa.h"
#include "core/sum.h"
#include "simd/reduce.h"
#include "simd/transpose.h"
#include "simd/widen.h"

/* What is so far and one more. */
LOSSI_INLINE f64v combine(const int kind, f64v so_far, f64v x)
{
    if (kind == LOSSI_REDUCE_SUM) {
        return so_far + x;
    }
    return f64_select(f64_is_nan(x), x,
                      kind == LOSSI_REDUCE_MAXIMUM ? f64_max(x, so_far) : f64_min(x, so_far));
}

LOSSI_INLINE double combine_one(const int kind, double so_far, double x)
{
    return kind == LOSSI_REDUCE_SUM       ? so_far + x
           : x != x                       ? x
           : kind == LOSSI_REDUCE_MAXIMUM ? (x > so_far ? x : so_far)
                                          : (x < so_far ? x : so_far);
}

LOSSI_INLINE double neutral(const int kind)
{
    return kind == LOSSI_REDUCE_SUM ? 0.0 : kind == LOSSI_REDUCE_MAXIMUM ? -__builtin_inf() : __builtin_inf();
}

/* Columns of a tile: as many as there are registers for, of 16 on x86 before AVX-512. */
#if defined(LOSSI_ISA_BASE)
enum { TILE = LOSSI_LANES };
#else
enum { TILE = 2 * LOSSI_LANES };
#endif
enum { TILE_VECTORS = TILE / F64_LANES };

/* n columns in some vectors; `kind` and `vectors` are constants after inlining. */
LOSSI_INLINE void reduce_tile(const int kind, const int vectors, int64_t rows, int n, int64_t stride,
                              const real *x, double *results)
{
    const int64_t whole = n < vectors * F64_LANES ? rows - 1 : rows;
    f64v lanes[TILE_VECTORS];
#pragma GCC unroll 16
    for (int v = 0; v < vectors; v++) {
        lanes[v] = f64_set1(neutral(kind));
    }
    for (int64_t i = 0; i < whole; i++) {
#pragma GCC unroll 16
        for (int v = 0; v < vectors; v++) {
            lanes[v] = combine(kind, lanes[v], v_load_wide(x + v * F64_LANES));
        }
        x += stride;
    }
    if (whole < rows) {
        real last[TILE] = {0};
        memcpy(last, x, (size_t)n * sizeof *last);
#pragma GCC unroll 16
        for (int v = 0; v < vectors; v++) {
            lanes[v] = combine(kind, lanes[v], v_load_wide(last + v * F64_LANES));
        }
    }
    if (n == vectors * F64_LANES) {
#pragma GCC unroll 16
        for (int v = 0; v < vectors; v++) {
            double *to = results + v * F64_LANES;
            f64_store(to, combine(kind, f64_load(to), lanes[v]));
        }
        return;
    }
    double block[LOSSI_LANES] = {0}; /* a part of one has at most so many columns */
#pragma GCC unroll 16
    for (int v = 0; v < vectors && v < LOSSI_SIXTEEN; v++) {
        f64_store(block + v * F64_LANES, lanes[v]);
    }
    for (int j = 0; j < n; j++) {
        results[j] = combine_one(kind, results[j], block[j]);
    }
}

LOSSI_INLINE void reduce_block(const int kind, int64_t rows, int64_t columns, int64_t stride, const real *x,
                               double *results)
{
    int64_t j = 0;
    for (; rows > 0 && j + TILE <= columns; j += TILE) {
        reduce_tile(kind, TILE_VECTORS, rows, TILE, stride, x + j, results + j);
    }
    for (; rows > 0 && j < columns; j += LOSSI_LANES) {
        const int n = columns - j < LOSSI_LANES ? (int)(columns - j) : LOSSI_LANES;
        if (n > LOSSI_LANES / 2) {
            reduce_tile(kind, LOSSI_SIXTEEN, rows, n, stride, x + j, results + j);
        } else {
            reduce_tile(kind, LOSSI_SIXTEEN / 2, rows, n, stride, x + j, results + j);
        }
    }
}

#define BLOCK(name, kind)                                                                                    \
    static void name(int64_t rows, int64_t columns, int64_t stride, const void *x, double *results)          \
    {                                                                                                        \
        reduce_block(kind, rows, columns, stride, x, results);                                               \
    }
BLOCK(sum_block, LOSSI_REDUCE_SUM)
BLOCK(maximum_block, LOSSI_REDUCE_MAXIMUM)
BLOCK(minimum_block, LOSSI_REDUCE_MINIMUM)

/* ---- rows ---- */

enum { HALVES = VREAL_LANES / F64_LANES };

LOSSI_INLINE f64v half_of(vreal x, int half)
{
#if LOSSI_REAL == 64
    (void)half;
    return x;
#else
    return half == 0 ? f32_to_f64_low(x) : f32_to_f64_high(x);
#endif
}

/* The end of a row: fewer than 16 elements onto the first lanes. */
LOSSI_INLINE void add_rest(int64_t n, const real *x, f64v *lanes)
{
#if F64_LANES == 2
    for (int64_t i = 0; i + 1 < n; i += 2) { /* loads of parts are slow there */
        lanes[i / 2] = lanes[i / 2] + v_load_wide(x + i);
    }
    if (n % 2 != 0) {
        real last;
        memcpy(&last, x + n - 1, sizeof last);
        lanes[n / 2] = lanes[n / 2] + (f64v){(double)last, 0.0};
    }
#else
    for (int v = 0; v < LOSSI_LANES / VREAL_LANES && n > 0; v++) {
        const vreal part = v_load_part(x, n < VREAL_LANES ? (int)n : VREAL_LANES);
        for (int half = 0; half < HALVES; half++) {
            lanes[v * HALVES + half] = lanes[v * HALVES + half] + half_of(part, half);
        }
        x += VREAL_LANES;
        n -= VREAL_LANES;
    }
#endif
}

static double sum_row(int64_t n, const real *x)
{
    f64v lanes[LOSSI_SIXTEEN];
    int64_t i = 0;
#pragma GCC unroll 8
    for (int v = 0; v < LOSSI_SIXTEEN; v++) {
        lanes[v] = f64_set1(0);
    }
    for (; i + LOSSI_LANES <= n; i += LOSSI_LANES) {
#pragma GCC unroll 8
        for (int v = 0; v < LOSSI_SIXTEEN; v++) {
            lanes[v] = lanes[v] + v_load_wide(x + i + v * F64_LANES);
        }
    }
    add_rest(n - i, x + i, lanes);
    return f64_sum_sixteen(lanes);
}

#if !defined(LOSSI_ISA_BASE) /* which has no instructions for it */

/*
 * VREAL_LANES rows: each lane of the halving is a vector of rows. Lanes from n on are neutral, which for sums still turns −0 to
 * +0.
 */
LOSSI_INLINE void reduce_abreast(const int kind, int64_t n, const real *x, double *results)
{
    vreal columns[LOSSI_LANES + LOSSI_GROUP];
    f64v lanes[LOSSI_LANES];
    for (int64_t j = 0; j < n; j += LOSSI_GROUP) {
        const int64_t at = j + LOSSI_GROUP <= n ? j : n - LOSSI_GROUP;
        v_load_columns(x + at, n, columns + at);
    }
    for (int half = 0; half < HALVES; half++) {
        for (int64_t j = 0; j < LOSSI_LANES; j++) {
            lanes[j] = j < n ? half_of(columns[j], half) : f64_set1(neutral(kind));
        }
        for (int apart = LOSSI_LANES / 2; apart > 0; apart /= 2) {
            for (int j = 0; j < apart; j++) {
                lanes[j] = combine(kind, lanes[j], lanes[j + apart]);
            }
        }
        f64_store(results + half * F64_LANES, combine(kind, lanes[0], f64_set1(neutral(kind))));
    }
}

#endif

LOSSI_INLINE double extreme_row(const int kind, int64_t n, const real *x)
{
    f64v lanes[LOSSI_SIXTEEN];
    double one[F64_LANES];
    int64_t i = 0;
    for (int v = 0; v < LOSSI_SIXTEEN; v++) {
        lanes[v] = f64_set1(neutral(kind));
    }
    for (; i + LOSSI_LANES <= n; i += LOSSI_LANES) {
        for (int v = 0; v < LOSSI_SIXTEEN; v++) {
            lanes[v] = combine(kind, lanes[v], v_load_wide(x + i + v * F64_LANES));
        }
    }
    if (i < n) {
        real last[LOSSI_LANES];
        for (int k = 0; k < LOSSI_LANES; k++) {
            last[k] = (real)neutral(kind);
        }
        memcpy(last, x + i, (size_t)(n - i) * sizeof *last);
        for (int v = 0; v < LOSSI_SIXTEEN; v++) {
            lanes[v] = combine(kind, lanes[v], v_load_wide(last + v * F64_LANES));
        }
    }
    for (int half = LOSSI_SIXTEEN / 2; half > 0; half /= 2) {
        for (int v = 0; v < half; v++) {
            lanes[v] = combine(kind, lanes[v], lanes[v + half]);
        }
    }
    f64_store(one, lanes[0]);
    for (int half = F64_LANES / 2; half > 0; half /= 2) {
        for (int k = 0; k < half; k++) {
            one[k] = combine_one(kind, one[k], one[k + half]);
        }
    }
    return one[0];
}

LOSSI_INLINE void reduce_rows(const int kind, int64_t count, int64_t n, const real *x, double *results)
{
    int64_t i = 0;
#if !defined(LOSSI_ISA_BASE)
    for (; n >= LOSSI_GROUP && n <= LOSSI_LANES && i + VREAL_LANES <= count; i += VREAL_LANES) {
        reduce_abreast(kind, n, x + i * n, results + i);
    }
#endif
    for (; i < count; i++) {
        results[i] = kind == LOSSI_REDUCE_SUM ? sum_row(n, x + i * n) : extreme_row(kind, n, x + i * n);
    }
}

#define ROWS(name, kind)                                                                                     \
    static void name(int64_t count, int64_t n, const void *x, double *results)                               \
    {                                                                                                        \
        reduce_rows(kind, count, n, x, results);                                                             \
    }
ROWS(sum_rows, LOSSI_REDUCE_SUM)
ROWS(maximum_rows, LOSSI_REDUCE_MAXIMUM)
ROWS(minimum_rows, LOSSI_REDUCE_MINIMUM)

extern const lossi_reduce_kernels LOSSI_NAME(reduce_kernels);
const lossi_reduce_kernels LOSSI_NAME(reduce_kernels) = {{sum_block, maximum_block, minimum_block},
                                                         {sum_rows, maximum_rows, minimum_rows}};

#ifdef LOSSI_ONCE

extern const lossi_reduce_kernels LOSSI_ISA_DECLARE(reduce_kernels);
static const lossi_reduce_kernels *const table[LOSSI_ISA_COUNT][LOSSI_REAL_COUNT] = LOSSI_ISA_TABLE(
    reduce_kernels);

const lossi_reduce_kernels *lossi_reduce_kernels_for(int32_t isa, int32_t real_index)
{
    return table[isa][real_index];
}

#endif
