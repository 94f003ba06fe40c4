/* The vocabulary on AVX-512 (F, DQ, BW, VL): 64-byte vectors, masks in mask registers. */
#ifndef LOSSI_SIMD_VECTOR_AVX512_H
#define LOSSI_SIMD_VECTOR_AVX512_H

#include <immintrin.h>

typedef float f32v __attribute__((vector_size(64)));
typedef double f64v __attribute__((vector_size(64)));
typedef int32_t f32i __attribute__((vector_size(64)));
typedef int64_t f64i __attribute__((vector_size(64)));
typedef uint32_t f32u __attribute__((vector_size(64)));
typedef uint64_t f64u __attribute__((vector_size(64)));
typedef __mmask16 f32m; /* a bit per lane */
typedef __mmask8 f64m;

#define F32_LANES 16
#define F64_LANES 8

LOSSI_INLINE f32v f32_set1(float x)
{
    return (f32v)_mm512_set1_ps(x);
}

LOSSI_INLINE f64v f64_set1(double x)
{
    return (f64v)_mm512_set1_pd(x);
}

/* Masked accesses touch no byte of a lane that is off, so they are safe at the end of a mapping. */

LOSSI_INLINE f32v f32_load_part(const float *p, int n)
{
    return (f32v)_mm512_maskz_loadu_ps((f32m)((1u << n) - 1), p);
}

LOSSI_INLINE f64v f64_load_part(const double *p, int n)
{
    return (f64v)_mm512_maskz_loadu_pd((f64m)((1u << n) - 1), p);
}

LOSSI_INLINE void f32_store_part(float *p, f32v v, int n)
{
    _mm512_mask_storeu_ps(p, (f32m)((1u << n) - 1), (__m512)v);
}

LOSSI_INLINE void f64_store_part(double *p, f64v v, int n)
{
    _mm512_mask_storeu_pd(p, (f64m)((1u << n) - 1), (__m512d)v);
}

LOSSI_INLINE void f32_stream(float *p, f32v v)
{
    _mm512_stream_ps(p, (__m512)v);
}

LOSSI_INLINE void f64_stream(double *p, f64v v)
{
    _mm512_stream_pd(p, (__m512d)v);
}

LOSSI_INLINE void vector_stream_fence(void)
{
    _mm_sfence();
}

LOSSI_INLINE f32v f32_fma(f32v a, f32v b, f32v c)
{
    return (f32v)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}

LOSSI_INLINE f64v f64_fma(f64v a, f64v b, f64v c)
{
    return (f64v)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
}

/* fnma: c - a * b, rounded once */

LOSSI_INLINE f32v f32_fnma(f32v a, f32v b, f32v c)
{
    return (f32v)_mm512_fnmadd_ps((__m512)a, (__m512)b, (__m512)c);
}

LOSSI_INLINE f64v f64_fnma(f64v a, f64v b, f64v c)
{
    return (f64v)_mm512_fnmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
}

LOSSI_INLINE f32v f32_sqrt(f32v v)
{
    return (f32v)_mm512_sqrt_ps((__m512)v);
}

LOSSI_INLINE f64v f64_sqrt(f64v v)
{
    return (f64v)_mm512_sqrt_pd((__m512d)v);
}

LOSSI_INLINE f32v f32_select(f32m mask, f32v a, f32v b)
{
    return (f32v)_mm512_mask_blend_ps(mask, (__m512)b, (__m512)a);
}

LOSSI_INLINE f64v f64_select(f64m mask, f64v a, f64v b)
{
    return (f64v)_mm512_mask_blend_pd(mask, (__m512d)b, (__m512d)a);
}

/* Comparisons: ordered (false on NaN), except ne, which is true on NaN. */

LOSSI_INLINE f32m f32_lt(f32v a, f32v b)
{
    return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_LT_OQ);
}

LOSSI_INLINE f64m f64_lt(f64v a, f64v b)
{
    return _mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_LT_OQ);
}

LOSSI_INLINE f32m f32_le(f32v a, f32v b)
{
    return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_LE_OQ);
}

LOSSI_INLINE f64m f64_le(f64v a, f64v b)
{
    return _mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_LE_OQ);
}

LOSSI_INLINE f32m f32_gt(f32v a, f32v b)
{
    return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_GT_OQ);
}

LOSSI_INLINE f64m f64_gt(f64v a, f64v b)
{
    return _mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_GT_OQ);
}

LOSSI_INLINE f32m f32_ge(f32v a, f32v b)
{
    return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_GE_OQ);
}

LOSSI_INLINE f64m f64_ge(f64v a, f64v b)
{
    return _mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_GE_OQ);
}

LOSSI_INLINE f32m f32_eq(f32v a, f32v b)
{
    return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_EQ_OQ);
}

LOSSI_INLINE f64m f64_eq(f64v a, f64v b)
{
    return _mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_EQ_OQ);
}

LOSSI_INLINE f32m f32_ne(f32v a, f32v b)
{
    return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_NEQ_UQ);
}

LOSSI_INLINE f64m f64_ne(f64v a, f64v b)
{
    return _mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_NEQ_UQ);
}

LOSSI_INLINE f32m f32_mask_and(f32m a, f32m b)
{
    return (f32m)(a & b);
}

LOSSI_INLINE f64m f64_mask_and(f64m a, f64m b)
{
    return (f64m)(a & b);
}

LOSSI_INLINE f32m f32_mask_or(f32m a, f32m b)
{
    return (f32m)(a | b);
}

LOSSI_INLINE f64m f64_mask_or(f64m a, f64m b)
{
    return (f64m)(a | b);
}

LOSSI_INLINE f32m f32_mask_not(f32m a)
{
    return (f32m)~a;
}

LOSSI_INLINE f64m f64_mask_not(f64m a)
{
    return (f64m)~a;
}

LOSSI_INLINE int f32_mask_any(f32m a)
{
    return a != 0;
}

LOSSI_INLINE int f64_mask_any(f64m a)
{
    return a != 0;
}

LOSSI_INLINE int f32_mask_all(f32m a)
{
    return a == 0xffff;
}

LOSSI_INLINE int f64_mask_all(f64m a)
{
    return a == 0xff;
}

/* a < b ? a : b and a > b ? a : b; with a NaN, or two zeros, the second operand: what these instructions do.
 */

LOSSI_INLINE f32v f32_min(f32v a, f32v b)
{
    return (f32v)_mm512_min_ps((__m512)a, (__m512)b);
}

LOSSI_INLINE f64v f64_min(f64v a, f64v b)
{
    return (f64v)_mm512_min_pd((__m512d)a, (__m512d)b);
}

LOSSI_INLINE f32v f32_max(f32v a, f32v b)
{
    return (f32v)_mm512_max_ps((__m512)a, (__m512)b);
}

LOSSI_INLINE f64v f64_max(f64v a, f64v b)
{
    return (f64v)_mm512_max_pd((__m512d)a, (__m512d)b);
}

LOSSI_INLINE f32v f32_round(f32v v)
{
    return (f32v)_mm512_roundscale_ps((__m512)v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

LOSSI_INLINE f64v f64_round(f64v v)
{
    return (f64v)_mm512_roundscale_pd((__m512d)v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

LOSSI_INLINE f32i f32_to_int(f32v v)
{
    return (f32i)_mm512_cvtps_epi32((__m512)v);
}

LOSSI_INLINE f32v f32_from_int(f32i v)
{
    return (f32v)_mm512_cvtepi32_ps((__m512i)v);
}

LOSSI_INLINE f64v f32_to_f64_low(f32v v)
{
    return (f64v)_mm512_cvtps_pd(_mm512_castps512_ps256((__m512)v));
}

LOSSI_INLINE f64v f32_to_f64_high(f32v v)
{
    return (f64v)_mm512_cvtps_pd(_mm512_extractf32x8_ps((__m512)v, 1));
}

LOSSI_INLINE f32v f64_to_f32(f64v low, f64v high)
{
    __m256 first = _mm512_cvtpd_ps((__m512d)low);
    __m256 second = _mm512_cvtpd_ps((__m512d)high);
    return (f32v)_mm512_insertf32x8(_mm512_castps256_ps512(first), second, 1);
}

/* scale and split of vector.h are instructions here. scalef rounds once like the two products there; getmant
 * normalises to [3/4, 3/2), and the exponent it took out is the difference of the two exponents. */
#define LOSSI_VECTOR_HAS_SCALE 1

LOSSI_INLINE f32v f32_scale(f32v v, f32v n)
{
    return (f32v)_mm512_scalef_ps((__m512)v, (__m512)n);
}

LOSSI_INLINE f64v f64_scale(f64v v, f64v n)
{
    return (f64v)_mm512_scalef_pd((__m512d)v, (__m512d)n);
}

LOSSI_INLINE f32v f32_split(f32v x, f32v *n)
{
    __m512 m = _mm512_getmant_ps((__m512)x, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_src);
    *n = (f32v)_mm512_getexp_ps((__m512)x) - (f32v)_mm512_getexp_ps(m);
    return (f32v)m;
}

LOSSI_INLINE f64v f64_split(f64v x, f64v *n)
{
    __m512d m = _mm512_getmant_pd((__m512d)x, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_src);
    *n = (f64v)_mm512_getexp_pd((__m512d)x) - (f64v)_mm512_getexp_pd(m);
    return (f64v)m;
}

/* Which is few already. */
LOSSI_INLINE f32v f32_split_normal(f32v x, f32v *n)
{
    return f32_split(x, n);
}

LOSSI_INLINE f64v f64_split_normal(f64v x, f64v *n)
{
    return f64_split(x, n);
}

#define LOSSI_VECTOR_HAS_ROUGH_RECIPROCAL 1

LOSSI_INLINE f64v f64_rough_reciprocal(f64v x)
{
    return (f64v)_mm512_cvtps_pd(_mm256_div_ps(_mm256_set1_ps(1.0f), _mm512_cvtpd_ps((__m512d)x)));
}

#endif
