/* The vocabulary on Advanced SIMD of AArch64: 16-byte vectors.
 *
 * min and max are compare and select: the instructions named so return the other operand on NaN. */
#ifndef LOSSI_SIMD_VECTOR_NEON_H
#define LOSSI_SIMD_VECTOR_NEON_H

#include <arm_neon.h>

typedef float f32v __attribute__((vector_size(16)));
typedef double f64v __attribute__((vector_size(16)));
typedef int32_t f32i __attribute__((vector_size(16)));
typedef int64_t f64i __attribute__((vector_size(16)));
typedef uint32_t f32u __attribute__((vector_size(16)));
typedef uint64_t f64u __attribute__((vector_size(16)));
typedef f32i f32m; /* a lane is 0 or -1 */
typedef f64i f64m;

#define F32_LANES 4
#define F64_LANES 2

LOSSI_INLINE f32v f32_set1(float x)
{
    return (f32v)vdupq_n_f32(x);
}

LOSSI_INLINE f64v f64_set1(double x)
{
    return (f64v)vdupq_n_f64(x);
}

LOSSI_INLINE f32v f32_load_part(const float *p, int n)
{
    f32v v = {0.0f, 0.0f, 0.0f, 0.0f};
    for (int i = 0; i < n; i++)
        __builtin_memcpy((char *)&v + i * 4, (const char *)p + i * 4, 4);
    return v;
}

LOSSI_INLINE f64v f64_load_part(const double *p, int n)
{
    f64v v = {0.0, 0.0};
    if (n > 0)
        __builtin_memcpy(&v, p, n > 1 ? 16 : 8);
    return v;
}

LOSSI_INLINE void f32_store_part(float *p, f32v v, int n)
{
    for (int i = 0; i < n; i++)
        __builtin_memcpy((char *)p + i * 4, (const char *)&v + i * 4, 4);
}

LOSSI_INLINE void f64_store_part(double *p, f64v v, int n)
{
    if (n > 0)
        __builtin_memcpy(p, &v, n > 1 ? 16 : 8);
}

/* There is no non-temporal store that intrinsics reach: plain ones, and nothing to wait for. */

LOSSI_INLINE void f32_stream(float *p, f32v v)
{
    __builtin_memcpy(p, &v, sizeof v);
}

LOSSI_INLINE void f64_stream(double *p, f64v v)
{
    __builtin_memcpy(p, &v, sizeof v);
}

LOSSI_INLINE void vector_stream_fence(void)
{
}

LOSSI_INLINE f32v f32_fma(f32v a, f32v b, f32v c)
{
    return (f32v)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
}

LOSSI_INLINE f64v f64_fma(f64v a, f64v b, f64v c)
{
    return (f64v)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
}

/* fnma: c - a * b, rounded once */

LOSSI_INLINE f32v f32_fnma(f32v a, f32v b, f32v c)
{
    return (f32v)vfmsq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
}

LOSSI_INLINE f64v f64_fnma(f64v a, f64v b, f64v c)
{
    return (f64v)vfmsq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
}

LOSSI_INLINE f32v f32_sqrt(f32v v)
{
    return (f32v)vsqrtq_f32((float32x4_t)v);
}

LOSSI_INLINE f64v f64_sqrt(f64v v)
{
    return (f64v)vsqrtq_f64((float64x2_t)v);
}

LOSSI_INLINE f32v f32_select(f32m mask, f32v a, f32v b)
{
    return (f32v)vbslq_f32((uint32x4_t)mask, (float32x4_t)a, (float32x4_t)b);
}

LOSSI_INLINE f64v f64_select(f64m mask, f64v a, f64v b)
{
    return (f64v)vbslq_f64((uint64x2_t)mask, (float64x2_t)a, (float64x2_t)b);
}

/* Comparisons: ordered (false on NaN), except ne, which is true on NaN. */

LOSSI_INLINE f32m f32_lt(f32v a, f32v b)
{
    return (f32m)vcltq_f32((float32x4_t)a, (float32x4_t)b);
}

LOSSI_INLINE f64m f64_lt(f64v a, f64v b)
{
    return (f64m)vcltq_f64((float64x2_t)a, (float64x2_t)b);
}

LOSSI_INLINE f32m f32_le(f32v a, f32v b)
{
    return (f32m)vcleq_f32((float32x4_t)a, (float32x4_t)b);
}

LOSSI_INLINE f64m f64_le(f64v a, f64v b)
{
    return (f64m)vcleq_f64((float64x2_t)a, (float64x2_t)b);
}

LOSSI_INLINE f32m f32_gt(f32v a, f32v b)
{
    return (f32m)vcgtq_f32((float32x4_t)a, (float32x4_t)b);
}

LOSSI_INLINE f64m f64_gt(f64v a, f64v b)
{
    return (f64m)vcgtq_f64((float64x2_t)a, (float64x2_t)b);
}

LOSSI_INLINE f32m f32_ge(f32v a, f32v b)
{
    return (f32m)vcgeq_f32((float32x4_t)a, (float32x4_t)b);
}

LOSSI_INLINE f64m f64_ge(f64v a, f64v b)
{
    return (f64m)vcgeq_f64((float64x2_t)a, (float64x2_t)b);
}

LOSSI_INLINE f32m f32_eq(f32v a, f32v b)
{
    return (f32m)vceqq_f32((float32x4_t)a, (float32x4_t)b);
}

LOSSI_INLINE f64m f64_eq(f64v a, f64v b)
{
    return (f64m)vceqq_f64((float64x2_t)a, (float64x2_t)b);
}

LOSSI_INLINE f32m f32_ne(f32v a, f32v b)
{
    return ~(f32m)vceqq_f32((float32x4_t)a, (float32x4_t)b);
}

LOSSI_INLINE f64m f64_ne(f64v a, f64v b)
{
    return ~(f64m)vceqq_f64((float64x2_t)a, (float64x2_t)b);
}

LOSSI_INLINE int f32_mask_any(f32m a)
{
    return vmaxvq_u32((uint32x4_t)a) != 0;
}

LOSSI_INLINE int f64_mask_any(f64m a)
{
    return vmaxvq_u32((uint32x4_t)a) != 0;
}

LOSSI_INLINE int f32_mask_all(f32m a)
{
    return vminvq_u32((uint32x4_t)a) != 0;
}

LOSSI_INLINE int f64_mask_all(f64m a)
{
    return vminvq_u32((uint32x4_t)a) != 0;
}

/* a < b ? a : b and a > b ? a : b, as x86 does it: with a NaN, or two zeros, the second operand. */

LOSSI_INLINE f32v f32_min(f32v a, f32v b)
{
    return f32_select(f32_lt(a, b), a, b);
}

LOSSI_INLINE f64v f64_min(f64v a, f64v b)
{
    return f64_select(f64_lt(a, b), a, b);
}

LOSSI_INLINE f32v f32_max(f32v a, f32v b)
{
    return f32_select(f32_gt(a, b), a, b);
}

LOSSI_INLINE f64v f64_max(f64v a, f64v b)
{
    return f64_select(f64_gt(a, b), a, b);
}

LOSSI_INLINE f32v f32_round(f32v v)
{
    return (f32v)vrndnq_f32((float32x4_t)v);
}

LOSSI_INLINE f64v f64_round(f64v v)
{
    return (f64v)vrndnq_f64((float64x2_t)v);
}

LOSSI_INLINE f32i f32_to_int(f32v v)
{
    return (f32i)vcvtnq_s32_f32((float32x4_t)v);
}

LOSSI_INLINE f32v f32_from_int(f32i v)
{
    return (f32v)vcvtq_f32_s32((int32x4_t)v);
}

LOSSI_INLINE f64v f32_to_f64_low(f32v v)
{
    return (f64v)vcvt_f64_f32(vget_low_f32((float32x4_t)v));
}

LOSSI_INLINE f64v f32_to_f64_high(f32v v)
{
    return (f64v)vcvt_high_f64_f32((float32x4_t)v);
}

LOSSI_INLINE f32v f64_to_f32(f64v low, f64v high)
{
    return (f32v)vcvt_high_f32_f64(vcvt_f32_f64((float64x2_t)low), (float64x2_t)high);
}

#define LOSSI_VECTOR_HAS_ROUGH_RECIPROCAL 1

LOSSI_INLINE f64v f64_rough_reciprocal(f64v x)
{
    return (f64v)vcvt_f64_f32(vdiv_f32(vdup_n_f32(1.0f), vcvt_f32_f64((float64x2_t)x)));
}

#endif
