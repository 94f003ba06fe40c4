/*
 * AVX-512 for machines without it: the instructions that the kernels name, done by AVX2 on halves or lane by lane, after
 * their pseudo-code (Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2). The option
 * LOSS_EMULATE_AVX512 puts this file before the compiler's own; the compiler lowers operators on 64-byte vectors itself.
 *
 * Where an instruction faults or leaves lanes undefined, this file traps or fills them with NaN, so that tests find what
 * relies on luck. What it cannot show is what the compiler makes of the same source with the real instructions.
 */
#ifndef LOSS_TEST_AVX512_IMMINTRIN_H
#define LOSS_TEST_AVX512_IMMINTRIN_H

#include_next <immintrin.h>

#include <stdint.h>

#define EMULATED static inline __attribute__((always_inline, unused))
#define RARE                                                                                                 \
    static __attribute__((noinline, unused)) /* once, because inlined they are most of a kernel's code */

EMULATED __m256 low_ps(__m512 v)
{
    __m256 half;
    __builtin_memcpy(&half, &v, sizeof half);
    return half;
}

EMULATED __m256 high_ps(__m512 v)
{
    __m256 half;
    __builtin_memcpy(&half, (const char *)&v + sizeof half, sizeof half);
    return half;
}

EMULATED __m512 join_ps(__m256 low, __m256 high)
{
    __m512 v;
    __builtin_memcpy(&v, &low, sizeof low);
    __builtin_memcpy((char *)&v + sizeof low, &high, sizeof high);
    return v;
}

EMULATED __m256d low_pd(__m512d v)
{
    __m256d half;
    __builtin_memcpy(&half, &v, sizeof half);
    return half;
}

EMULATED __m256d high_pd(__m512d v)
{
    __m256d half;
    __builtin_memcpy(&half, (const char *)&v + sizeof half, sizeof half);
    return half;
}

EMULATED __m512d join_pd(__m256d low, __m256d high)
{
    __m512d v;
    __builtin_memcpy(&v, &low, sizeof low);
    __builtin_memcpy((char *)&v + sizeof low, &high, sizeof high);
    return v;
}

/* A mask as AVX2 has it: all ones where the bit is set. */

EMULATED __m256i spread_ps(unsigned mask)
{
    const __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    return _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32((int)mask), bit), bit);
}

EMULATED __m256i spread_pd(unsigned mask)
{
    const __m256i bit = _mm256_setr_epi64x(1, 2, 4, 8);
    return _mm256_cmpeq_epi64(_mm256_and_si256(_mm256_set1_epi64x(mask), bit), bit);
}

/* Memory. */

EMULATED __m512 emulated_set1_ps(float x)
{
    return join_ps(_mm256_set1_ps(x), _mm256_set1_ps(x));
}

EMULATED __m512 emulated_maskz_loadu_ps(__mmask16 mask, const float *p)
{
    return join_ps(_mm256_maskload_ps(p, spread_ps(mask)),
                   _mm256_maskload_ps(p + 8, spread_ps((unsigned)mask >> 8)));
}

EMULATED void emulated_mask_storeu_ps(float *p, __mmask16 mask, __m512 v)
{
    _mm256_maskstore_ps(p, spread_ps(mask), low_ps(v));
    _mm256_maskstore_ps(p + 8, spread_ps((unsigned)mask >> 8), high_ps(v));
}

EMULATED void emulated_stream_ps(float *p, __m512 v)
{
    if ((uintptr_t)p % sizeof v != 0) {
        __builtin_trap();
    }
    _mm256_stream_ps(p, low_ps(v));
    _mm256_stream_ps(p + 8, high_ps(v));
}

EMULATED __m512d emulated_set1_pd(double x)
{
    return join_pd(_mm256_set1_pd(x), _mm256_set1_pd(x));
}

EMULATED __m512d emulated_maskz_loadu_pd(__mmask8 mask, const double *p)
{
    return join_pd(_mm256_maskload_pd(p, spread_pd(mask)),
                   _mm256_maskload_pd(p + 4, spread_pd((unsigned)mask >> 4)));
}

EMULATED void emulated_mask_storeu_pd(double *p, __mmask8 mask, __m512d v)
{
    _mm256_maskstore_pd(p, spread_pd(mask), low_pd(v));
    _mm256_maskstore_pd(p + 4, spread_pd((unsigned)mask >> 4), high_pd(v));
}

EMULATED void emulated_stream_pd(double *p, __m512d v)
{
    if ((uintptr_t)p % sizeof v != 0) {
        __builtin_trap();
    }
    _mm256_stream_pd(p, low_pd(v));
    _mm256_stream_pd(p + 4, high_pd(v));
}

/* Lanes. */

EMULATED __m512 emulated_sqrt_ps(__m512 v)
{
    return join_ps(_mm256_sqrt_ps(low_ps(v)), _mm256_sqrt_ps(high_ps(v)));
}

EMULATED __m512 emulated_min_ps(__m512 a, __m512 b)
{
    return join_ps(_mm256_min_ps(low_ps(a), low_ps(b)), _mm256_min_ps(high_ps(a), high_ps(b)));
}

EMULATED __m512 emulated_max_ps(__m512 a, __m512 b)
{
    return join_ps(_mm256_max_ps(low_ps(a), low_ps(b)), _mm256_max_ps(high_ps(a), high_ps(b)));
}

EMULATED __m512 emulated_unpacklo_ps(__m512 a, __m512 b)
{
    return join_ps(_mm256_unpacklo_ps(low_ps(a), low_ps(b)), _mm256_unpacklo_ps(high_ps(a), high_ps(b)));
}

EMULATED __m512 emulated_unpackhi_ps(__m512 a, __m512 b)
{
    return join_ps(_mm256_unpackhi_ps(low_ps(a), low_ps(b)), _mm256_unpackhi_ps(high_ps(a), high_ps(b)));
}

EMULATED __m512 emulated_fmadd_ps(__m512 a, __m512 b, __m512 c)
{
    return join_ps(_mm256_fmadd_ps(low_ps(a), low_ps(b), low_ps(c)),
                   _mm256_fmadd_ps(high_ps(a), high_ps(b), high_ps(c)));
}

EMULATED __m512 emulated_fnmadd_ps(__m512 a, __m512 b, __m512 c)
{
    return join_ps(_mm256_fnmadd_ps(low_ps(a), low_ps(b), low_ps(c)),
                   _mm256_fnmadd_ps(high_ps(a), high_ps(b), high_ps(c)));
}

EMULATED __m512 emulated_mask_blend_ps(__mmask16 mask, __m512 a, __m512 b)
{
    const __m256 low = (__m256)spread_ps(mask), high = (__m256)spread_ps((unsigned)mask >> 8);
    return join_ps(_mm256_blendv_ps(low_ps(a), low_ps(b), low),
                   _mm256_blendv_ps(high_ps(a), high_ps(b), high));
}

/* To an integral number, the nearest, to even: the only rounding the kernels ask for. */
EMULATED __m512 emulated_roundscale_ps(__m512 v, int how)
{
    if (how != (_MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)) {
        __builtin_trap();
    }
    return join_ps(_mm256_round_ps(low_ps(v), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC),
                   _mm256_round_ps(high_ps(v), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

EMULATED float emulated_reduce_max_ps(__m512 v)
{
    const __m256 half = _mm256_max_ps(high_ps(v), low_ps(v));
    float largest = half[0];
    for (int lane = 1; lane < 8; lane++) {
        largest = half[lane] > largest ? half[lane] : largest;
    }
    return largest;
}

EMULATED __m512d emulated_sqrt_pd(__m512d v)
{
    return join_pd(_mm256_sqrt_pd(low_pd(v)), _mm256_sqrt_pd(high_pd(v)));
}

EMULATED __m512d emulated_min_pd(__m512d a, __m512d b)
{
    return join_pd(_mm256_min_pd(low_pd(a), low_pd(b)), _mm256_min_pd(high_pd(a), high_pd(b)));
}

EMULATED __m512d emulated_max_pd(__m512d a, __m512d b)
{
    return join_pd(_mm256_max_pd(low_pd(a), low_pd(b)), _mm256_max_pd(high_pd(a), high_pd(b)));
}

EMULATED __m512d emulated_unpacklo_pd(__m512d a, __m512d b)
{
    return join_pd(_mm256_unpacklo_pd(low_pd(a), low_pd(b)), _mm256_unpacklo_pd(high_pd(a), high_pd(b)));
}

EMULATED __m512d emulated_unpackhi_pd(__m512d a, __m512d b)
{
    return join_pd(_mm256_unpackhi_pd(low_pd(a), low_pd(b)), _mm256_unpackhi_pd(high_pd(a), high_pd(b)));
}

EMULATED __m512d emulated_fmadd_pd(__m512d a, __m512d b, __m512d c)
{
    return join_pd(_mm256_fmadd_pd(low_pd(a), low_pd(b), low_pd(c)),
                   _mm256_fmadd_pd(high_pd(a), high_pd(b), high_pd(c)));
}

EMULATED __m512d emulated_fnmadd_pd(__m512d a, __m512d b, __m512d c)
{
    return join_pd(_mm256_fnmadd_pd(low_pd(a), low_pd(b), low_pd(c)),
                   _mm256_fnmadd_pd(high_pd(a), high_pd(b), high_pd(c)));
}

EMULATED __m512d emulated_mask_blend_pd(__mmask8 mask, __m512d a, __m512d b)
{
    const __m256d low = (__m256d)spread_pd(mask), high = (__m256d)spread_pd((unsigned)mask >> 4);
    return join_pd(_mm256_blendv_pd(low_pd(a), low_pd(b), low),
                   _mm256_blendv_pd(high_pd(a), high_pd(b), high));
}

/* To an integral number, the nearest, to even: the only rounding the kernels ask for. */
EMULATED __m512d emulated_roundscale_pd(__m512d v, int how)
{
    if (how != (_MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)) {
        __builtin_trap();
    }
    return join_pd(_mm256_round_pd(low_pd(v), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC),
                   _mm256_round_pd(high_pd(v), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

EMULATED double emulated_reduce_max_pd(__m512d v)
{
    const __m256d half = _mm256_max_pd(high_pd(v), low_pd(v));
    double largest = half[0];
    for (int lane = 1; lane < 4; lane++) {
        largest = half[lane] > largest ? half[lane] : largest;
    }
    return largest;
}

/* Conversions, and pieces of vectors. The lanes that a cast upwards leaves undefined are NaN. */

EMULATED __m512i emulated_cvtps_epi32(__m512 v)
{
    return (__m512i)join_ps((__m256)_mm256_cvtps_epi32(low_ps(v)), (__m256)_mm256_cvtps_epi32(high_ps(v)));
}

EMULATED __m512 emulated_cvtepi32_ps(__m512i v)
{
    return join_ps(_mm256_cvtepi32_ps((__m256i)low_ps((__m512)v)),
                   _mm256_cvtepi32_ps((__m256i)high_ps((__m512)v)));
}

EMULATED __m512d emulated_cvtps_pd(__m256 v)
{
    return join_pd(_mm256_cvtps_pd(_mm256_castps256_ps128(v)), _mm256_cvtps_pd(_mm256_extractf128_ps(v, 1)));
}

EMULATED __m256 emulated_cvtpd_ps(__m512d v)
{
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm256_cvtpd_ps(low_pd(v))),
                                _mm256_cvtpd_ps(high_pd(v)), 1);
}

EMULATED __m512 emulated_castps256_ps512(__m256 v)
{
    return join_ps(v, (__m256)_mm256_set1_epi32(-1));
}

EMULATED __m512 emulated_insertf32x8(__m512 v, __m256 half, int at)
{
    return at == 0 ? join_ps(half, high_ps(v)) : join_ps(low_ps(v), half);
}

EMULATED __m512i emulated_castsi128_si512(__m128i v)
{
    __m512i wide;
    __builtin_memset(&wide, 0xff, sizeof wide);
    __builtin_memcpy(&wide, &v, sizeof v);
    return wide;
}

EMULATED __m128i emulated_extracti32x4_epi32(__m512i v, int at)
{
    __m128i quarter;
    __builtin_memcpy(&quarter, (const char *)&v + (size_t)at * sizeof quarter, sizeof quarter);
    return quarter;
}

EMULATED __m512i emulated_inserti32x4(__m512i v, __m128i quarter, int at)
{
    __builtin_memcpy((char *)&v + (size_t)at * sizeof quarter, &quarter, sizeof quarter);
    return v;
}

/* Exponents and significands, a lane at a time; the special cases are those of the manual's tables. */

/* v·2^__builtin_floor(n), rounded once. An infinite n decides alone, even over a NaN, unless 0 meets infinity. */
RARE float scalef_lane_ps(float v, float n)
{
    const float bounded = n < -5000 ? -5000 : n > 5000 ? 5000 : __builtin_floorf(n);
    if (__builtin_isnan(n) || (__builtin_isinf(n) && (n > 0 ? v == 0 : __builtin_isinf(v)))) {
        return __builtin_nan("");
    }
    if (__builtin_isinf(n) && __builtin_isnan(v)) {
        return n > 0 ? __builtin_inf() : 0;
    }
    return __builtin_ldexpf(v, (int)bounded);
}

RARE float getexp_lane_ps(float v)
{
    int exponent;
    if (v == 0 || __builtin_isinf(v) || __builtin_isnan(v)) {
        return v == 0 ? -__builtin_inf() : v * v;
    }
    (void)__builtin_frexpf(v, &exponent);
    return (float)(exponent - 1);
}

/* The significand in [3/4, 3/2), with the sign of v; those of 0 and infinity are 1. */
RARE float getmant_lane_ps(float v)
{
    int exponent;
    if (v == 0 || __builtin_isinf(v) || __builtin_isnan(v)) {
        return __builtin_isnan(v) ? v : __builtin_copysignf(1, v);
    }
    const float half = __builtin_frexpf(v, &exponent);
    return __builtin_fabsf(half) < (float)0.75 ? 2 * half : half;
}

EMULATED __m512 emulated_scalef_ps(__m512 v, __m512 n)
{
    for (int lane = 0; lane < 16; lane++) {
        v[lane] = scalef_lane_ps(v[lane], n[lane]);
    }
    return v;
}

EMULATED __m512 emulated_getexp_ps(__m512 v)
{
    for (int lane = 0; lane < 16; lane++) {
        v[lane] = getexp_lane_ps(v[lane]);
    }
    return v;
}

EMULATED __m512 emulated_getmant_ps(__m512 v, int interval, int sign)
{
    if (interval != _MM_MANT_NORM_p75_1p5 || sign != _MM_MANT_SIGN_src) {
        __builtin_trap();
    }
    for (int lane = 0; lane < 16; lane++) {
        v[lane] = getmant_lane_ps(v[lane]);
    }
    return v;
}

/* v·2^__builtin_floor(n), rounded once. An infinite n decides alone, even over a NaN, unless 0 meets infinity. */
RARE double scalef_lane_pd(double v, double n)
{
    const double bounded = n < -5000 ? -5000 : n > 5000 ? 5000 : __builtin_floor(n);
    if (__builtin_isnan(n) || (__builtin_isinf(n) && (n > 0 ? v == 0 : __builtin_isinf(v)))) {
        return __builtin_nan("");
    }
    if (__builtin_isinf(n) && __builtin_isnan(v)) {
        return n > 0 ? __builtin_inf() : 0;
    }
    return __builtin_ldexp(v, (int)bounded);
}

RARE double getexp_lane_pd(double v)
{
    int exponent;
    if (v == 0 || __builtin_isinf(v) || __builtin_isnan(v)) {
        return v == 0 ? -__builtin_inf() : v * v;
    }
    (void)__builtin_frexp(v, &exponent);
    return (double)(exponent - 1);
}

/* The significand in [3/4, 3/2), with the sign of v; those of 0 and infinity are 1. */
RARE double getmant_lane_pd(double v)
{
    int exponent;
    if (v == 0 || __builtin_isinf(v) || __builtin_isnan(v)) {
        return __builtin_isnan(v) ? v : __builtin_copysign(1, v);
    }
    const double half = __builtin_frexp(v, &exponent);
    return __builtin_fabs(half) < (double)0.75 ? 2 * half : half;
}

EMULATED __m512d emulated_scalef_pd(__m512d v, __m512d n)
{
    for (int lane = 0; lane < 8; lane++) {
        v[lane] = scalef_lane_pd(v[lane], n[lane]);
    }
    return v;
}

EMULATED __m512d emulated_getexp_pd(__m512d v)
{
    for (int lane = 0; lane < 8; lane++) {
        v[lane] = getexp_lane_pd(v[lane]);
    }
    return v;
}

EMULATED __m512d emulated_getmant_pd(__m512d v, int interval, int sign)
{
    if (interval != _MM_MANT_NORM_p75_1p5 || sign != _MM_MANT_SIGN_src) {
        __builtin_trap();
    }
    for (int lane = 0; lane < 8; lane++) {
        v[lane] = getmant_lane_pd(v[lane]);
    }
    return v;
}

/* The names of the compiler's header, which without optimisation has some as macros itself. */

#undef _mm512_set1_ps
#undef _mm512_set1_pd
#undef _mm512_maskz_loadu_ps
#undef _mm512_maskz_loadu_pd
#undef _mm512_mask_storeu_ps
#undef _mm512_mask_storeu_pd
#undef _mm512_stream_ps
#undef _mm512_stream_pd
#undef _mm512_sqrt_ps
#undef _mm512_sqrt_pd
#undef _mm512_min_ps
#undef _mm512_min_pd
#undef _mm512_max_ps
#undef _mm512_max_pd
#undef _mm512_unpacklo_ps
#undef _mm512_unpacklo_pd
#undef _mm512_unpackhi_ps
#undef _mm512_unpackhi_pd
#undef _mm512_fmadd_ps
#undef _mm512_fmadd_pd
#undef _mm512_fnmadd_ps
#undef _mm512_fnmadd_pd
#undef _mm512_mask_blend_ps
#undef _mm512_mask_blend_pd
#undef _mm512_reduce_max_ps
#undef _mm512_reduce_max_pd
#undef _mm512_scalef_ps
#undef _mm512_scalef_pd
#undef _mm512_getexp_ps
#undef _mm512_getexp_pd
#undef _mm512_cvtps_epi32
#undef _mm512_cvtepi32_ps
#undef _mm512_cvtps_pd
#undef _mm512_cvtpd_ps
#undef _mm512_castps256_ps512
#undef _mm512_insertf32x8
#undef _mm512_castsi128_si512
#undef _mm512_extracti32x4_epi32
#undef _mm512_inserti32x4
#undef _mm512_cmp_ps_mask
#undef _mm512_roundscale_ps
#undef _mm512_getmant_ps
#undef _mm512_cmp_pd_mask
#undef _mm512_roundscale_pd
#undef _mm512_getmant_pd
#undef _mm512_castps512_ps256
#undef _mm512_extractf32x8_ps
#undef _mm512_castpd512_pd256
#undef _mm512_extractf64x4_pd
#undef _mm512_castsi512_si128

#define _mm512_set1_ps            emulated_set1_ps
#define _mm512_set1_pd            emulated_set1_pd
#define _mm512_maskz_loadu_ps     emulated_maskz_loadu_ps
#define _mm512_maskz_loadu_pd     emulated_maskz_loadu_pd
#define _mm512_mask_storeu_ps     emulated_mask_storeu_ps
#define _mm512_mask_storeu_pd     emulated_mask_storeu_pd
#define _mm512_stream_ps          emulated_stream_ps
#define _mm512_stream_pd          emulated_stream_pd
#define _mm512_sqrt_ps            emulated_sqrt_ps
#define _mm512_sqrt_pd            emulated_sqrt_pd
#define _mm512_min_ps             emulated_min_ps
#define _mm512_min_pd             emulated_min_pd
#define _mm512_max_ps             emulated_max_ps
#define _mm512_max_pd             emulated_max_pd
#define _mm512_unpacklo_ps        emulated_unpacklo_ps
#define _mm512_unpacklo_pd        emulated_unpacklo_pd
#define _mm512_unpackhi_ps        emulated_unpackhi_ps
#define _mm512_unpackhi_pd        emulated_unpackhi_pd
#define _mm512_fmadd_ps           emulated_fmadd_ps
#define _mm512_fmadd_pd           emulated_fmadd_pd
#define _mm512_fnmadd_ps          emulated_fnmadd_ps
#define _mm512_fnmadd_pd          emulated_fnmadd_pd
#define _mm512_mask_blend_ps      emulated_mask_blend_ps
#define _mm512_mask_blend_pd      emulated_mask_blend_pd
#define _mm512_reduce_max_ps      emulated_reduce_max_ps
#define _mm512_reduce_max_pd      emulated_reduce_max_pd
#define _mm512_scalef_ps          emulated_scalef_ps
#define _mm512_scalef_pd          emulated_scalef_pd
#define _mm512_getexp_ps          emulated_getexp_ps
#define _mm512_getexp_pd          emulated_getexp_pd
#define _mm512_cvtps_epi32        emulated_cvtps_epi32
#define _mm512_cvtepi32_ps        emulated_cvtepi32_ps
#define _mm512_cvtps_pd           emulated_cvtps_pd
#define _mm512_cvtpd_ps           emulated_cvtpd_ps
#define _mm512_castps256_ps512    emulated_castps256_ps512
#define _mm512_insertf32x8        emulated_insertf32x8
#define _mm512_castsi128_si512    emulated_castsi128_si512
#define _mm512_extracti32x4_epi32 emulated_extracti32x4_epi32
#define _mm512_inserti32x4        emulated_inserti32x4

#define _mm512_cmp_ps_mask(a, b, predicate)                                                                  \
    ((__mmask16)(_mm256_movemask_ps(_mm256_cmp_ps(low_ps(a), low_ps(b), predicate)) |                        \
                 (_mm256_movemask_ps(_mm256_cmp_ps(high_ps(a), high_ps(b), predicate)) << 8)))
#define _mm512_roundscale_ps emulated_roundscale_ps
#define _mm512_getmant_ps    emulated_getmant_ps
#define _mm512_cmp_pd_mask(a, b, predicate)                                                                  \
    ((__mmask8)(_mm256_movemask_pd(_mm256_cmp_pd(low_pd(a), low_pd(b), predicate)) |                         \
                (_mm256_movemask_pd(_mm256_cmp_pd(high_pd(a), high_pd(b), predicate)) << 4)))
#define _mm512_roundscale_pd          emulated_roundscale_pd
#define _mm512_getmant_pd             emulated_getmant_pd
#define _mm512_castps512_ps256(v)     low_ps(v)
#define _mm512_extractf32x8_ps(v, at) ((at) == 0 ? low_ps(v) : high_ps(v))
#define _mm512_castpd512_pd256(v)     low_pd(v)
#define _mm512_extractf64x4_pd(v, at) ((at) == 0 ? low_pd(v) : high_pd(v))
#define _mm512_castsi512_si128(v)     emulated_extracti32x4_epi32(v, 0)

#endif
