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

/* Lanes of two vectors, counted on from the first to the second, in any order. */
#if defined(__clang__)
#define LOSSI_SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define LOSSI_SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (f64i){__VA_ARGS__})
#endif

/* Lane i of the result is the sum of the lanes of s[i], by halving: all of them at once. */
LOSSI_INLINE f64v f64_sum_each(const f64v s[F64_LANES])
{
#if F64_LANES == 8
    f64v four[4], two[2];
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        four[i] = LOSSI_SHUFFLE(s[2 * i], s[2 * i + 1], 0, 1, 2, 3, 8, 9, 10, 11) +
                  LOSSI_SHUFFLE(s[2 * i], s[2 * i + 1], 4, 5, 6, 7, 12, 13, 14, 15);
    }
#pragma GCC unroll 2
    for (int i = 0; i < 2; i++) {
        two[i] = LOSSI_SHUFFLE(four[2 * i], four[2 * i + 1], 0, 1, 4, 5, 8, 9, 12, 13) +
                 LOSSI_SHUFFLE(four[2 * i], four[2 * i + 1], 2, 3, 6, 7, 10, 11, 14, 15);
    }
    return LOSSI_SHUFFLE(two[0], two[1], 0, 2, 4, 6, 8, 10, 12, 14) +
           LOSSI_SHUFFLE(two[0], two[1], 1, 3, 5, 7, 9, 11, 13, 15);
#elif F64_LANES == 4
    const f64v a = LOSSI_SHUFFLE(s[0], s[1], 0, 1, 4, 5) + LOSSI_SHUFFLE(s[0], s[1], 2, 3, 6, 7);
    const f64v b = LOSSI_SHUFFLE(s[2], s[3], 0, 1, 4, 5) + LOSSI_SHUFFLE(s[2], s[3], 2, 3, 6, 7);
    return LOSSI_SHUFFLE(a, b, 0, 2, 4, 6) + LOSSI_SHUFFLE(a, b, 1, 3, 5, 7);
#else
    return LOSSI_SHUFFLE(s[0], s[1], 0, 2) + LOSSI_SHUFFLE(s[0], s[1], 1, 3);
#endif
}

/* The largest lane, for lanes without NaN; the sign of a zero is not defined. */
LOSSI_INLINE double f64_largest_lane(f64v x)
{
#if defined(LOSSI_ISA_AVX512)
    return _mm512_reduce_max_pd((__m512d)x);
#elif defined(LOSSI_ISA_AVX2)
    const __m128d two = _mm_max_pd(_mm256_castpd256_pd128((__m256d)x), _mm256_extractf128_pd((__m256d)x, 1));
    return _mm_cvtsd_f64(_mm_max_sd(two, _mm_unpackhi_pd(two, two)));
#else
    return x[0] > x[1] ? x[0] : x[1];
#endif
}

/* The same of a vector of elements. */
LOSSI_INLINE real v_largest_lane(vreal x)
{
#if defined(LOSSI_ISA_AVX512) && LOSSI_REAL == 32
    return _mm512_reduce_max_ps(x);
#elif LOSSI_REAL == 64
    return f64_largest_lane(x);
#else
    real largest = x[0];
    for (int lane = 1; lane < VREAL_LANES; lane++) {
        largest = x[lane] > largest ? x[lane] : largest;
    }
    return largest;
#endif
}

#endif
