/* The loops of difference_kernels.h. The end of a vector is sixteen elements with zeros, which change nothing that is looked for. */
#include "gradient/difference_kernels.h"

#include <stddef.h>
#include <string.h>

#include "core/isa.h"
#include "core/sum.h"
#include "simd/reduce.h"
#include "simd/widen.h"

/* LOSSI_LANES elements. */
typedef struct sixteen {
    f64v part[LOSSI_SIXTEEN];
} sixteen;

/* The elements from number i on, `left` of them or all. */
LOSSI_INLINE sixteen load(const void *vector, int64_t i, int64_t left)
{
    const char *from = (const char *)vector + i * (int64_t)sizeof(real);
    real end[LOSSI_LANES];
    if (left < LOSSI_LANES) {
        memset(end, 0, sizeof end);
        memcpy(end, from, (size_t)left * sizeof(real));
        from = (const char *)end;
    }
    sixteen s;
#pragma GCC unroll 8
    for (int k = 0; k < LOSSI_SIXTEEN; k++) {
        s.part[k] = v_load_wide((const real *)(const void *)from + k * F64_LANES);
    }
    return s;
}

LOSSI_INLINE void store_all(real *to, const sixteen *s)
{
#pragma GCC unroll 8
    for (int k = 0; k < LOSSI_LANES / VREAL_LANES; k++) {
#if LOSSI_REAL == 32
        v_store(to + k * VREAL_LANES, f64_to_f32(s->part[2 * k], s->part[2 * k + 1]));
#else
        v_store(to + k * VREAL_LANES, s->part[k]);
#endif
    }
}

LOSSI_INLINE void store(void *vector, int64_t i, int64_t left, const sixteen *s)
{
    char *to = (char *)vector + i * (int64_t)sizeof(real);
    real end[LOSSI_LANES];
    if (left >= LOSSI_LANES) {
        store_all((real *)(void *)to, s);
        return;
    }
    store_all(end, s);
    memcpy(to, end, (size_t)left * sizeof(real));
}

/* What a reader of the stored vector will see. */
LOSSI_INLINE sixteen rounded(sixteen s)
{
#if LOSSI_REAL == 32
#pragma GCC unroll 8
    for (int k = 0; k < LOSSI_SIXTEEN / 2; k++) {
        const f32v v = f64_to_f32(s.part[2 * k], s.part[2 * k + 1]);
        s.part[2 * k] = f32_to_f64_low(v);
        s.part[2 * k + 1] = f32_to_f64_high(v);
    }
#endif
    return s;
}

LOSSI_INLINE f64v times(lossi_power scale, f64v x)
{
    return x * f64_set1(scale.first) * f64_set1(scale.rest);
}

/* 0, or NaN where x is not finite. */
LOSSI_INLINE f64v nothing(f64v x)
{
    return x - x;
}

static double largest(int64_t count, const void *vector)
{
    f64v most = f64_set1(0.0);
    f64m nan = f64_is_nan(most);
    for (int64_t i = 0; i < count; i += LOSSI_LANES) {
        const sixteen s = load(vector, i, count - i);
#pragma GCC unroll 8
        for (int k = 0; k < LOSSI_SIXTEEN; k++) {
            most = f64_max(f64_abs(s.part[k]), most); /* max gives its second operand on NaN, the old one */
            nan = f64_mask_or(nan, f64_is_nan(s.part[k]));
        }
    }
    return f64_mask_any(nan) ? (double)REAL_NAN : f64_largest_lane(most);
}

static double squares(const void *vector, lossi_power scale, int64_t begin, int64_t end)
{
    double sum = 0.0;
    for (int64_t block = begin; block < end; block += LOSSI_BLOCK) {
        const int64_t stop = end - block < LOSSI_BLOCK ? end : block + LOSSI_BLOCK;
        f64v lanes[LOSSI_SIXTEEN];
#pragma GCC unroll 8
        for (int k = 0; k < LOSSI_SIXTEEN; k++) {
            lanes[k] = f64_set1(0.0);
        }
        for (int64_t i = block; i < stop; i += LOSSI_LANES) {
            const sixteen s = load(vector, i, stop - i);
#pragma GCC unroll 8
            for (int k = 0; k < LOSSI_SIXTEEN; k++) {
                const f64v part = times(scale, s.part[k]);
                lanes[k] = lanes[k] + part * part;
            }
        }
        sum += f64_sum_sixteen(lanes);
    }
    return sum;
}

static int32_t move(int64_t count, const void *from, const void *direction, lossi_power scale, double t,
                    void *to)
{
    f64v bad = f64_set1(0.0);
    f64m moved = f64_is_nan(bad);
    for (int64_t i = 0; i < count; i += LOSSI_LANES) {
        const sixteen at = load(from, i, count - i), way = load(direction, i, count - i);
        sixteen s;
#pragma GCC unroll 8
        for (int k = 0; k < LOSSI_SIXTEEN; k++) {
            s.part[k] = at.part[k] + f64_set1(t) * times(scale, way.part[k]);
        }
        store(to, i, count - i, &s);
        s = rounded(s);
#pragma GCC unroll 8
        for (int k = 0; k < LOSSI_SIXTEEN; k++) {
            moved = f64_mask_or(moved, f64_ne(s.part[k], at.part[k]));
            bad = bad + nothing(s.part[k]);
        }
    }
    return (f64_mask_any(moved) ? LOSSI_MOVED : 0) | (f64_mask_any(f64_is_nan(bad)) ? 0 : LOSSI_FINITE);
}

static int32_t finite(int64_t count, const void *vector)
{
    f64v bad = f64_set1(0.0);
    for (int64_t i = 0; i < count; i += LOSSI_LANES) {
        const sixteen s = load(vector, i, count - i);
#pragma GCC unroll 8
        for (int k = 0; k < LOSSI_SIXTEEN; k++) {
            bad = bad + nothing(s.part[k]);
        }
    }
    return !f64_mask_any(f64_is_nan(bad));
}

static void quotient(int64_t count, const void *ahead, const void *behind, double width, lossi_power scale,
                     void *to)
{
    for (int64_t i = 0; i < count; i += LOSSI_LANES) {
        const sixteen a = load(ahead, i, count - i), b = load(behind, i, count - i);
        sixteen s;
#pragma GCC unroll 8
        for (int k = 0; k < LOSSI_SIXTEEN; k++) {
            s.part[k] = times(scale, (a.part[k] - b.part[k]) / f64_set1(width));
        }
        store(to, i, count - i, &s);
    }
}

extern const lossi_difference_kernels LOSSI_NAME(difference_kernels);
const lossi_difference_kernels LOSSI_NAME(difference_kernels) = {largest, squares, move, finite, quotient};

#ifdef LOSSI_ONCE

extern const lossi_difference_kernels LOSSI_ISA_DECLARE(difference_kernels);
static const lossi_difference_kernels *const table[LOSSI_ISA_COUNT][LOSSI_REAL_COUNT] = LOSSI_ISA_TABLE(
    difference_kernels);

const lossi_difference_kernels *lossi_difference_kernels_for(int32_t isa, int32_t real_index)
{
    return table[isa][real_index];
}

#endif
