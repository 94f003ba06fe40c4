/*
 * Chunks: 16 elements of a vector, one per logical lane of core/sum.h, held as doubles. What the passes of
 * vector_kernels.c and many_kernels.c are made of.
 *
 * The end of a vector is a chunk with zeros, which change neither a sum (a lane is never −0) nor a maximum.
 */
#ifndef LOSSI_OPTIMIZER_CHUNK_H
#define LOSSI_OPTIMIZER_CHUNK_H

#include "core/sum.h"
#include "simd/reduce.h"

enum { WIDE = LOSSI_LANES / F64_LANES };

typedef struct chunk {
    f64v part[WIDE];
} chunk;

LOSSI_INLINE vreal load_some(const real *p, int n)
{
    return n >= VREAL_LANES ? v_load(p) : n > 0 ? v_load_part(p, n) : v_set1(0);
}

LOSSI_INLINE void store_some(real *p, vreal v, int n)
{
    if (n >= VREAL_LANES) {
        v_store(p, v);
    } else if (n > 0) {
        v_store_part(p, v, n);
    }
}

/* n is 16, a constant after inlining, everywhere but at the end of the vector. */
LOSSI_INLINE chunk load(const void *vector, int64_t i, int n)
{
    const real *p = (const real *)vector + i;
    chunk c;
#pragma GCC unroll 8
    for (int k = 0; k < LOSSI_LANES / VREAL_LANES; k++) {
        vreal v = load_some(p + k * VREAL_LANES, n - k * VREAL_LANES);
#if LOSSI_REAL == 32
        c.part[2 * k] = f32_to_f64_low(v);
        c.part[2 * k + 1] = f32_to_f64_high(v);
#else
        c.part[k] = v;
#endif
    }
    return c;
}

LOSSI_INLINE void store(void *vector, int64_t i, int n, chunk c)
{
    real *p = (real *)vector + i;
#pragma GCC unroll 8
    for (int k = 0; k < LOSSI_LANES / VREAL_LANES; k++) {
#if LOSSI_REAL == 32
        vreal v = f64_to_f32(c.part[2 * k], c.part[2 * k + 1]);
#else
        vreal v = c.part[k];
#endif
        store_some(p + k * VREAL_LANES, v, n - k * VREAL_LANES);
    }
}

/* What a later reader of the stored vector will see. */
LOSSI_INLINE chunk rounded(chunk c)
{
#if LOSSI_REAL == 32
#pragma GCC unroll 8
    for (int k = 0; k < WIDE / 2; k++) {
        f32v v = f64_to_f32(c.part[2 * k], c.part[2 * k + 1]);
        c.part[2 * k] = f32_to_f64_low(v);
        c.part[2 * k + 1] = f32_to_f64_high(v);
    }
#endif
    return c;
}

/* s·a + b, rounded once. */
LOSSI_INLINE chunk fused(double s, chunk a, chunk b)
{
#pragma GCC unroll 8
    for (int k = 0; k < WIDE; k++) {
        b.part[k] = f64_fma(f64_set1(s), a.part[k], b.part[k]);
    }
    return b;
}

LOSSI_INLINE chunk scaled(double s, chunk a)
{
#pragma GCC unroll 8
    for (int k = 0; k < WIDE; k++) {
        a.part[k] = f64_set1(s) * a.part[k];
    }
    return a;
}

LOSSI_INLINE chunk minus(chunk a, chunk b)
{
#pragma GCC unroll 8
    for (int k = 0; k < WIDE; k++) {
        a.part[k] = a.part[k] - b.part[k];
    }
    return a;
}

LOSSI_INLINE void add_product(chunk *sum, chunk a, chunk b)
{
#pragma GCC unroll 8
    for (int k = 0; k < WIDE; k++) {
        sum->part[k] = f64_fma(a.part[k], b.part[k], sum->part[k]);
    }
}

/* The largest elements so far, and where there was a NaN: held apart, so that nothing waits for the test. */
typedef struct peak {
    chunk most;
    f64m nan;
} peak;

/* max gives its second operand on NaN, the old one. */
LOSSI_INLINE void add_maximum(peak *maximum, chunk a)
{
#pragma GCC unroll 8
    for (int k = 0; k < WIDE; k++) {
        maximum->nan = f64_mask_or(maximum->nan, f64_is_nan(a.part[k]));
        maximum->most.part[k] = f64_max(f64_abs(a.part[k]), maximum->most.part[k]);
    }
}

/* Of all lanes and so_far; a NaN stays. */
LOSSI_INLINE double largest(const peak *maximum, double so_far)
{
    f64v most = maximum->most.part[0];
    if (so_far != so_far || f64_mask_any(maximum->nan)) {
        return (double)REAL_NAN;
    }
#pragma GCC unroll 8
    for (int k = 1; k < WIDE; k++) {
        most = f64_max(most, maximum->most.part[k]);
    }
    const double lane = f64_largest_lane(most);
    return lane > so_far ? lane : so_far;
}

/* 16 lanes to those of one vector, by halving: what can be done without leaving the lanes of a vector. */
LOSSI_INLINE f64v folded(const chunk *c)
{
    chunk sum = *c;
#pragma GCC unroll 8
    for (int half = WIDE / 2; half > 0; half /= 2) {
#pragma GCC unroll 8
        for (int k = 0; k < half; k++) {
            sum.part[k] = sum.part[k] + sum.part[k + half];
        }
    }
    return sum.part[0];
}

/* lossi_sum_lanes(). */
LOSSI_INLINE double lanes_added(const chunk *c)
{
    return f64_sum_lanes(folded(c));
}

#endif
