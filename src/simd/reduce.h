/*
 * From vectors to one number, in the order of core/sum.h on every instruction set: lane k is added to lane k + half, until
 * one is left.
 */
#ifndef LOSSI_SIMD_REDUCE_H
#define LOSSI_SIMD_REDUCE_H

#include "simd/real.h"

enum { LOSSI_SIXTEEN = 16 / F64_LANES }; /* vectors of double that hold 16 lanes */

/* The lanes of one vector of double. */
LOSSI_INLINE double f64_sum_lanes(f64v x)
{
#if defined(LOSSI_ISA_AVX512)
    const __m256d four = _mm256_add_pd(_mm512_castpd512_pd256(x), _mm512_extractf64x4_pd(x, 1));
    const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
    return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
#elif defined(LOSSI_ISA_AVX2)
    const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(x), _mm256_extractf128_pd(x, 1));
    return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
#else
    return x[0] + x[1];
#endif
}

/* The 16 lanes of a block sum: lane k is in vector k / F64_LANES. */
LOSSI_INLINE double f64_sum_sixteen(const f64v *lanes)
{
    f64v sum[LOSSI_SIXTEEN];
    for (int v = 0; v < LOSSI_SIXTEEN; v++) {
        sum[v] = lanes[v];
    }
    for (int half = LOSSI_SIXTEEN / 2; half > 0; half /= 2) {
        for (int v = 0; v < half; v++) {
            sum[v] = sum[v] + sum[v + half];
        }
    }
    return f64_sum_lanes(sum[0]);
}

/* The largest lane, for lanes without NaN; the sign of a zero is not defined. */
LOSSI_INLINE real v_largest_lane(vreal x)
{
#if defined(LOSSI_ISA_AVX512) && LOSSI_REAL == 32
    return _mm512_reduce_max_ps(x);
#elif defined(LOSSI_ISA_AVX512)
    return _mm512_reduce_max_pd(x);
#else
    real largest = x[0];
    for (int lane = 1; lane < VREAL_LANES; lane++) {
        largest = x[lane] > largest ? x[lane] : largest;
    }
    return largest;
#endif
}

#endif
