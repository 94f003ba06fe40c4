/*
 * The 16 lanes of a sum in vectors of double, and packs: 16 elements of an array, one for each lane (core/sum.h).
 */
#ifndef LOSSI_LOSS_LANES_H
#define LOSSI_LOSS_LANES_H

#include <string.h>

#include "core/sum.h"
#include "simd/real.h"

enum {
    LOSSI_PACK = LOSSI_LANES / VREAL_LANES, /* vectors that hold 16 elements */
    LOSSI_WIDE = LOSSI_LANES / F64_LANES    /* vectors of double that hold 16 lanes */
};

/* A count rounded up to whole packs. */
static inline int64_t lossi_padded(int64_t count)
{
    return (count + LOSSI_LANES - 1) / LOSSI_LANES * LOSSI_LANES;
}

/*
 * Before a loop over the vectors of a pack: all of it in one piece, so that lanes stay in registers. Vectors of 16 bytes are
 * too many for that.
 */
#if VREAL_LANES * LOSSI_REAL == 128
#define LOSSI_UNROLL
#elif defined(__clang__)
#define LOSSI_UNROLL _Pragma("clang loop unroll(full)")
#else
#define LOSSI_UNROLL _Pragma("GCC unroll 4")
#endif

/* Before one that stays a loop, because what it repeats is long. */
#if defined(__clang__)
#define LOSSI_NO_UNROLL _Pragma("clang loop unroll(disable)")
#else
#define LOSSI_NO_UNROLL _Pragma("GCC unroll 1")
#endif

/* One element of an array of any alignment, read and written. */
LOSSI_INLINE real lossi_get(const real *x)
{
    real one;
    memcpy(&one, x, sizeof one);
    return one;
}

LOSSI_INLINE void lossi_put(real *x, real one)
{
    memcpy(x, &one, sizeof one);
}

LOSSI_INLINE real lossi_first_lane(vreal x)
{
    real lanes[VREAL_LANES];
    v_store(lanes, x);
    return lanes[0];
}

/* 0, 1, …, 15 */
LOSSI_INLINE vreal lossi_lane_numbers(int v)
{
    static const real zero_to_fifteen[LOSSI_LANES] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return v_load(zero_to_fifteen + v * VREAL_LANES);
}

/* Row i of an array whose rows are `stride` apart, NULL when there is none. */
LOSSI_INLINE const real *lossi_row_of(const void *array, int64_t i, int64_t stride)
{
    return array == NULL ? NULL : (const real *)array + i * stride;
}

LOSSI_INLINE void lossi_lanes_load(const double *total, f64v *lanes)
{
    LOSSI_UNROLL
    for (int v = 0; v < LOSSI_WIDE; v++) {
        lanes[v] = f64_load(total + v * F64_LANES);
    }
}

LOSSI_INLINE void lossi_lanes_store(double *total, const f64v *lanes)
{
    LOSSI_UNROLL
    for (int v = 0; v < LOSSI_WIDE; v++) {
        f64_store(total + v * F64_LANES, lanes[v]);
    }
}

/* Vector v of a pack onto its lanes; float32 is widened, which is exact. */
LOSSI_INLINE void lossi_lanes_add(f64v *lanes, int v, vreal x)
{
#if LOSSI_REAL == 64
    lanes[v] = lanes[v] + x;
#else
    lanes[2 * v] = lanes[2 * v] + f32_to_f64_low(x);
    lanes[2 * v + 1] = lanes[2 * v + 1] + f32_to_f64_high(x);
#endif
}

#endif
