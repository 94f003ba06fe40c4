/* The vocabulary on any processor: 16-byte vectors of the compiler, no intrinsics needed.
 *
 * It is the meaning of the vocabulary: the other headers must agree with this one bit for bit. A fused
 * multiply-add is libm's, lane by lane: slow where the processor has none, and right. */
#ifndef LOSSI_SIMD_VECTOR_BASE_H
#define LOSSI_SIMD_VECTOR_BASE_H

#ifdef __SSE2__
#include <emmintrin.h>
#endif

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
    return (f32v){x, x, x, x};
}

LOSSI_INLINE f64v f64_set1(double x)
{
    return (f64v){x, x};
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

#ifdef __SSE2__

LOSSI_INLINE void f32_stream(float *p, f32v v)
{
    _mm_stream_ps(p, (__m128)v);
}

LOSSI_INLINE void f64_stream(double *p, f64v v)
{
    _mm_stream_pd(p, (__m128d)v);
}

LOSSI_INLINE void vector_stream_fence(void)
{
    _mm_sfence();
}

LOSSI_INLINE f32v f32_sqrt(f32v v)
{
    return (f32v)_mm_sqrt_ps((__m128)v);
}

LOSSI_INLINE f64v f64_sqrt(f64v v)
{
    return (f64v)_mm_sqrt_pd((__m128d)v);
}

#else

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

LOSSI_INLINE f32v f32_sqrt(f32v v)
{
    return (f32v){__builtin_sqrtf(v[0]), __builtin_sqrtf(v[1]), __builtin_sqrtf(v[2]), __builtin_sqrtf(v[3])};
}

LOSSI_INLINE f64v f64_sqrt(f64v v)
{
    return (f64v){__builtin_sqrt(v[0]), __builtin_sqrt(v[1])};
}

#endif

/*
 * Where it is not one instruction a fused multiply-add is a function of its own: written out it is a call for each lane and
 * the moves around it, and formulas are made of it.
 */
#ifdef __FP_FAST_FMA
#define LOSSI_FMA LOSSI_INLINE
#else
#define LOSSI_FMA static __attribute__((noinline, unused))
#endif

LOSSI_FMA f32v f32_fma(f32v a, f32v b, f32v c)
{
    return (f32v){__builtin_fmaf(a[0], b[0], c[0]), __builtin_fmaf(a[1], b[1], c[1]),
                  __builtin_fmaf(a[2], b[2], c[2]), __builtin_fmaf(a[3], b[3], c[3])};
}

LOSSI_FMA f64v f64_fma(f64v a, f64v b, f64v c)
{
    return (f64v){__builtin_fma(a[0], b[0], c[0]), __builtin_fma(a[1], b[1], c[1])};
}

/* c - a * b, rounded once: negating a factor is exact. */

LOSSI_INLINE f32v f32_fnma(f32v a, f32v b, f32v c)
{
    return f32_fma(-a, b, c);
}

LOSSI_INLINE f64v f64_fnma(f64v a, f64v b, f64v c)
{
    return f64_fma(-a, b, c);
}

LOSSI_INLINE f32v f32_select(f32m mask, f32v a, f32v b)
{
    return (f32v)((mask & (f32i)a) | (~mask & (f32i)b));
}

LOSSI_INLINE f64v f64_select(f64m mask, f64v a, f64v b)
{
    return (f64v)((mask & (f64i)a) | (~mask & (f64i)b));
}

/* Comparisons: ordered (false on NaN), except ne, which is true on NaN. */

LOSSI_INLINE f32m f32_lt(f32v a, f32v b)
{
    return (f32m)(a < b);
}

LOSSI_INLINE f64m f64_lt(f64v a, f64v b)
{
    return (f64m)(a < b);
}

LOSSI_INLINE f32m f32_le(f32v a, f32v b)
{
    return (f32m)(a <= b);
}

LOSSI_INLINE f64m f64_le(f64v a, f64v b)
{
    return (f64m)(a <= b);
}

LOSSI_INLINE f32m f32_gt(f32v a, f32v b)
{
    return (f32m)(a > b);
}

LOSSI_INLINE f64m f64_gt(f64v a, f64v b)
{
    return (f64m)(a > b);
}

LOSSI_INLINE f32m f32_ge(f32v a, f32v b)
{
    return (f32m)(a >= b);
}

LOSSI_INLINE f64m f64_ge(f64v a, f64v b)
{
    return (f64m)(a >= b);
}

LOSSI_INLINE f32m f32_eq(f32v a, f32v b)
{
    return (f32m)(a == b);
}

LOSSI_INLINE f64m f64_eq(f64v a, f64v b)
{
    return (f64m)(a == b);
}

LOSSI_INLINE f32m f32_ne(f32v a, f32v b)
{
    return (f32m)(a != b);
}

LOSSI_INLINE f64m f64_ne(f64v a, f64v b)
{
    return (f64m)(a != b);
}

LOSSI_INLINE int f32_mask_any(f32m a)
{
    f64i halves = (f64i)a;
    return (halves[0] | halves[1]) != 0;
}

LOSSI_INLINE int f64_mask_any(f64m a)
{
    return (a[0] | a[1]) != 0;
}

LOSSI_INLINE int f32_mask_all(f32m a)
{
    f64i halves = (f64i)a;
    return (halves[0] & halves[1]) == -1;
}

LOSSI_INLINE int f64_mask_all(f64m a)
{
    return (a[0] & a[1]) == -1;
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

/* Nearest integral value, ties to even. From 2^23 (2^52) on every value is integral; below, adding and
 * subtracting that power rounds, and the sign bit is put back because -0.25 must become -0. */

LOSSI_INLINE f32v f32_round(f32v v)
{
    f32v magnitude = (f32v)((f32i)v & INT32_MAX);
    f32v rounded = (magnitude + 0x1p23f) - 0x1p23f;
    f32v whole = (f32v)((f32i)rounded | ((f32i)v & INT32_MIN));
    return f32_select(f32_lt(magnitude, f32_set1(0x1p23f)), whole, v);
}

LOSSI_INLINE f64v f64_round(f64v v)
{
    f64v magnitude = (f64v)((f64i)v & INT64_MAX);
    f64v rounded = (magnitude + 0x1p52) - 0x1p52;
    f64v whole = (f64v)((f64i)rounded | ((f64i)v & INT64_MIN));
    return f64_select(f64_lt(magnitude, f64_set1(0x1p52)), whole, v);
}

LOSSI_INLINE f32i f32_to_int(f32v v)
{
    return __builtin_convertvector(v, f32i);
}

LOSSI_INLINE f32v f32_from_int(f32i v)
{
    return __builtin_convertvector(v, f32v);
}

/* By whole conversions: GCC 12 takes (double)(float)x for x in vectors put together lane by lane (wrong code). */
typedef float f32_half __attribute__((vector_size(8)));

LOSSI_INLINE f64v f32_to_f64_low(f32v v)
{
    return __builtin_convertvector(((f32_half){v[0], v[1]}), f64v);
}

LOSSI_INLINE f64v f32_to_f64_high(f32v v)
{
    return __builtin_convertvector(((f32_half){v[2], v[3]}), f64v);
}

LOSSI_INLINE f32v f64_to_f32(f64v low, f64v high)
{
    f32_half a = __builtin_convertvector(low, f32_half), b = __builtin_convertvector(high, f32_half);
    return (f32v){a[0], a[1], b[0], b[1]};
}

#endif
