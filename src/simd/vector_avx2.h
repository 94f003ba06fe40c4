/* The vocabulary on AVX2 with FMA: 32-byte vectors.
 *
 * Intrinsics where the compiler's vector extensions give poor code: compare, select, partial access. */
#ifndef LOSSI_SIMD_VECTOR_AVX2_H
#define LOSSI_SIMD_VECTOR_AVX2_H

#include <immintrin.h>

typedef float f32v __attribute__((vector_size(32)));
typedef double f64v __attribute__((vector_size(32)));
typedef int32_t f32i __attribute__((vector_size(32)));
typedef int64_t f64i __attribute__((vector_size(32)));
typedef uint32_t f32u __attribute__((vector_size(32)));
typedef uint64_t f64u __attribute__((vector_size(32)));
typedef f32i f32m; /* a lane is 0 or -1 */
typedef f64i f64m;

#define F32_LANES 8
#define F64_LANES 4

LOSSI_INLINE f32v f32_set1(float x)
{
    return (f32v)_mm256_set1_ps(x);
}

LOSSI_INLINE f64v f64_set1(double x)
{
    return (f64v)_mm256_set1_pd(x);
}

/* Masked accesses touch no byte of a lane that is off, so they are safe at the end of a mapping. */

LOSSI_INLINE __m256i f32_first_lanes(int n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

LOSSI_INLINE __m256i f64_first_lanes(int n)
{
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
}

LOSSI_INLINE f32v f32_load_part(const float *p, int n)
{
    return (f32v)_mm256_maskload_ps(p, f32_first_lanes(n));
}

LOSSI_INLINE f64v f64_load_part(const double *p, int n)
{
    return (f64v)_mm256_maskload_pd(p, f64_first_lanes(n));
}

LOSSI_INLINE void f32_store_part(float *p, f32v v, int n)
{
    _mm256_maskstore_ps(p, f32_first_lanes(n), (__m256)v);
}

LOSSI_INLINE void f64_store_part(double *p, f64v v, int n)
{
    _mm256_maskstore_pd(p, f64_first_lanes(n), (__m256d)v);
}

LOSSI_INLINE void f32_stream(float *p, f32v v)
{
    _mm256_stream_ps(p, (__m256)v);
}

LOSSI_INLINE void f64_stream(double *p, f64v v)
{
    _mm256_stream_pd(p, (__m256d)v);
}

LOSSI_INLINE void vector_stream_fence(void)
{
    _mm_sfence();
}

LOSSI_INLINE f32v f32_fma(f32v a, f32v b, f32v c)
{
    return (f32v)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
}

LOSSI_INLINE f64v f64_fma(f64v a, f64v b, f64v c)
{
    return (f64v)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
}

/* fnma: c - a * b, rounded once */

LOSSI_INLINE f32v f32_fnma(f32v a, f32v b, f32v c)
{
    return (f32v)_mm256_fnmadd_ps((__m256)a, (__m256)b, (__m256)c);
}

LOSSI_INLINE f64v f64_fnma(f64v a, f64v b, f64v c)
{
    return (f64v)_mm256_fnmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
}

LOSSI_INLINE f32v f32_sqrt(f32v v)
{
    return (f32v)_mm256_sqrt_ps((__m256)v);
}

LOSSI_INLINE f64v f64_sqrt(f64v v)
{
    return (f64v)_mm256_sqrt_pd((__m256d)v);
}

LOSSI_INLINE f32v f32_select(f32m mask, f32v a, f32v b)
{
    return (f32v)_mm256_blendv_ps((__m256)b, (__m256)a, (__m256)mask);
}

LOSSI_INLINE f64v f64_select(f64m mask, f64v a, f64v b)
{
    return (f64v)_mm256_blendv_pd((__m256d)b, (__m256d)a, (__m256d)mask);
}

/* Comparisons: ordered (false on NaN), except ne, which is true on NaN. */

LOSSI_INLINE f32m f32_lt(f32v a, f32v b)
{
    return (f32m)_mm256_cmp_ps((__m256)a, (__m256)b, _CMP_LT_OQ);
}

LOSSI_INLINE f64m f64_lt(f64v a, f64v b)
{
    return (f64m)_mm256_cmp_pd((__m256d)a, (__m256d)b, _CMP_LT_OQ);
}

LOSSI_INLINE f32m f32_le(f32v a, f32v b)
{
    return (f32m)_mm256_cmp_ps((__m256)a, (__m256)b, _CMP_LE_OQ);
}

LOSSI_INLINE f64m f64_le(f64v a, f64v b)
{
    return (f64m)_mm256_cmp_pd((__m256d)a, (__m256d)b, _CMP_LE_OQ);
}

LOSSI_INLINE f32m f32_gt(f32v a, f32v b)
{
    return (f32m)_mm256_cmp_ps((__m256)a, (__m256)b, _CMP_GT_OQ);
}

LOSSI_INLINE f64m f64_gt(f64v a, f64v b)
{
    return (f64m)_mm256_cmp_pd((__m256d)a, (__m256d)b, _CMP_GT_OQ);
}

LOSSI_INLINE f32m f32_ge(f32v a, f32v b)
{
    return (f32m)_mm256_cmp_ps((__m256)a, (__m256)b, _CMP_GE_OQ);
}

LOSSI_INLINE f64m f64_ge(f64v a, f64v b)
{
    return (f64m)_mm256_cmp_pd((__m256d)a, (__m256d)b, _CMP_GE_OQ);
}

LOSSI_INLINE f32m f32_eq(f32v a, f32v b)
{
    return (f32m)_mm256_cmp_ps((__m256)a, (__m256)b, _CMP_EQ_OQ);
}

LOSSI_INLINE f64m f64_eq(f64v a, f64v b)
{
    return (f64m)_mm256_cmp_pd((__m256d)a, (__m256d)b, _CMP_EQ_OQ);
}

LOSSI_INLINE f32m f32_ne(f32v a, f32v b)
{
    return (f32m)_mm256_cmp_ps((__m256)a, (__m256)b, _CMP_NEQ_UQ);
}

LOSSI_INLINE f64m f64_ne(f64v a, f64v b)
{
    return (f64m)_mm256_cmp_pd((__m256d)a, (__m256d)b, _CMP_NEQ_UQ);
}

LOSSI_INLINE int f32_mask_any(f32m a)
{
    return _mm256_movemask_ps((__m256)a) != 0;
}

LOSSI_INLINE int f64_mask_any(f64m a)
{
    return _mm256_movemask_pd((__m256d)a) != 0;
}

LOSSI_INLINE int f32_mask_all(f32m a)
{
    return _mm256_movemask_ps((__m256)a) == 0xff;
}

LOSSI_INLINE int f64_mask_all(f64m a)
{
    return _mm256_movemask_pd((__m256d)a) == 0xf;
}

/* a < b ? a : b and a > b ? a : b; with a NaN, or two zeros, the second operand: what these instructions do.
 */

LOSSI_INLINE f32v f32_min(f32v a, f32v b)
{
    return (f32v)_mm256_min_ps((__m256)a, (__m256)b);
}

LOSSI_INLINE f64v f64_min(f64v a, f64v b)
{
    return (f64v)_mm256_min_pd((__m256d)a, (__m256d)b);
}

LOSSI_INLINE f32v f32_max(f32v a, f32v b)
{
    return (f32v)_mm256_max_ps((__m256)a, (__m256)b);
}

LOSSI_INLINE f64v f64_max(f64v a, f64v b)
{
    return (f64v)_mm256_max_pd((__m256d)a, (__m256d)b);
}

LOSSI_INLINE f32v f32_round(f32v v)
{
    return (f32v)_mm256_round_ps((__m256)v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

LOSSI_INLINE f64v f64_round(f64v v)
{
    return (f64v)_mm256_round_pd((__m256d)v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

LOSSI_INLINE f32i f32_to_int(f32v v)
{
    return (f32i)_mm256_cvtps_epi32((__m256)v);
}

LOSSI_INLINE f32v f32_from_int(f32i v)
{
    return (f32v)_mm256_cvtepi32_ps((__m256i)v);
}

LOSSI_INLINE f64v f32_to_f64_low(f32v v)
{
    return (f64v)_mm256_cvtps_pd(_mm256_castps256_ps128((__m256)v));
}

LOSSI_INLINE f64v f32_to_f64_high(f32v v)
{
    return (f64v)_mm256_cvtps_pd(_mm256_extractf128_ps((__m256)v, 1));
}

LOSSI_INLINE f32v f64_to_f32(f64v low, f64v high)
{
    __m128 first = _mm256_cvtpd_ps((__m256d)low);
    __m128 second = _mm256_cvtpd_ps((__m256d)high);
    return (f32v)_mm256_insertf128_ps(_mm256_castps128_ps256(first), second, 1);
}

#define LOSSI_VECTOR_HAS_ROUGH_RECIPROCAL 1

LOSSI_INLINE f64v f64_rough_reciprocal(f64v x)
{
    return (f64v)_mm256_cvtps_pd(_mm_div_ps(_mm_set1_ps(1.0f), _mm256_cvtpd_ps((__m256d)x)));
}

#endif
