/* The vector vocabulary: the same names, types and results on every instruction set.
 *
 * Two families, f32_ and f64_, at the native width of the instruction set this file is compiled for. The
 * types are vectors of the compiler, so a formula is written with + - * / and unary minus. What the header
 * of an instruction set supplies is what plain operators express badly or not at all; everything that
 * operators do express is here, once.
 *
 *   f32v f64v    floating-point lanes                  F32_LANES F64_LANES   how many
 *   f32i f64i    signed integer lanes of the same width; + - & | ^ ~ are operators
 *   f32m f64m    masks: opaque, made by a comparison, used by select and mask_*
 *
 * Contract: every function here gives the same bits on every instruction set for every input in its domain,
 * signed zeros, subnormals and infinities included. Which NaN comes out is not specified, only that one does.
 * The default floating-point environment (round to nearest, subnormals on) is assumed.
 *
 * Kernels do not include this file: they include simd/real.h, which names one of the families v_. */
#ifndef LOSSI_SIMD_VECTOR_H
#define LOSSI_SIMD_VECTOR_H

#include <stdint.h>

/* Vectors never travel through a call from one object to another: their calling convention depends on the ISA. */
#define LOSSI_INLINE static inline __attribute__((always_inline))

#if defined(LOSSI_ISA_AVX512)
#include "vector_avx512.h"
#elif defined(LOSSI_ISA_AVX2)
#include "vector_avx2.h"
#elif defined(LOSSI_ISA_NEON)
#include "vector_neon.h"
#else
#include "vector_base.h"
#endif

/* Masks are vectors of integers, all ones or all zeros, but on AVX-512, which has registers for them. */
#if !defined(LOSSI_ISA_AVX512)

LOSSI_INLINE f32m f32_mask_and(f32m a, f32m b)
{
    return a & b;
}

LOSSI_INLINE f64m f64_mask_and(f64m a, f64m b)
{
    return a & b;
}

LOSSI_INLINE f32m f32_mask_or(f32m a, f32m b)
{
    return a | b;
}

LOSSI_INLINE f64m f64_mask_or(f64m a, f64m b)
{
    return a | b;
}

LOSSI_INLINE f32m f32_mask_not(f32m a)
{
    return ~a;
}

LOSSI_INLINE f64m f64_mask_not(f64m a)
{
    return ~a;
}

/* where: a where the mask is, else +0. nan_where: NaN where it is, else a. One instruction where a select is up to three. */

LOSSI_INLINE f32v f32_where(f32m mask, f32v a)
{
    return (f32v)((f32i)a & mask);
}

LOSSI_INLINE f64v f64_where(f64m mask, f64v a)
{
    return (f64v)((f64i)a & mask);
}

LOSSI_INLINE f32v f32_nan_where(f32m mask, f32v a)
{
    return (f32v)((f32i)a | mask);
}

LOSSI_INLINE f64v f64_nan_where(f64m mask, f64v a)
{
    return (f64v)((f64i)a | mask);
}

#else

LOSSI_INLINE f32v f32_where(f32m mask, f32v a)
{
    return f32_select(mask, a, f32_set1(0.0f));
}

LOSSI_INLINE f64v f64_where(f64m mask, f64v a)
{
    return f64_select(mask, a, f64_set1(0.0));
}

LOSSI_INLINE f32v f32_nan_where(f32m mask, f32v a)
{
    return f32_select(mask, f32_set1(__builtin_nanf("")), a);
}

LOSSI_INLINE f64v f64_nan_where(f64m mask, f64v a)
{
    return f64_select(mask, f64_set1(__builtin_nan("")), a);
}

#endif

/* Memory. Pointers need no alignment and may alias anything; memcpy of a known size is one instruction. A part is
 * the first n lanes, 0 <= n <= LANES: the others are 0 when loaded, and no byte of theirs is touched. stream needs the
 * alignment of a vector, and vector_stream_fence() before another thread may read. */

LOSSI_INLINE f32v f32_load(const float *p)
{
    f32v v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

LOSSI_INLINE f64v f64_load(const double *p)
{
    f64v v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

LOSSI_INLINE void f32_store(float *p, f32v v)
{
    __builtin_memcpy(p, &v, sizeof v);
}

LOSSI_INLINE void f64_store(double *p, f64v v)
{
    __builtin_memcpy(p, &v, sizeof v);
}

/* Bits. A cast between vector types of one size reinterprets, it does not convert. */

LOSSI_INLINE f32i f32_bits(f32v v)
{
    return (f32i)v;
}

LOSSI_INLINE f64i f64_bits(f64v v)
{
    return (f64i)v;
}

LOSSI_INLINE f32v f32_from_bits(f32i v)
{
    return (f32v)v;
}

LOSSI_INLINE f64v f64_from_bits(f64i v)
{
    return (f64v)v;
}

LOSSI_INLINE f32i f32_int_set1(int32_t x)
{
    return (f32i){0} + x;
}

LOSSI_INLINE f64i f64_int_set1(int64_t x)
{
    return (f64i){0} + x;
}

/* Sums that may leave the range wrap; with plain + and - of signed lanes they would be undefined, as for int. */

LOSSI_INLINE f32i f32_int_add(f32i a, f32i b)
{
    return (f32i)((f32u)a + (f32u)b);
}

LOSSI_INLINE f64i f64_int_add(f64i a, f64i b)
{
    return (f64i)((f64u)a + (f64u)b);
}

LOSSI_INLINE f32i f32_int_sub(f32i a, f32i b)
{
    return (f32i)((f32u)a - (f32u)b);
}

LOSSI_INLINE f64i f64_int_sub(f64i a, f64i b)
{
    return (f64i)((f64u)a - (f64u)b);
}

/* Shifts are logical, on the bits: an arithmetic 64-bit shift is missing on AVX2, so nobody may need it. */

LOSSI_INLINE f32i f32_int_shl(f32i v, int count)
{
    return (f32i)((f32u)v << (uint32_t)count);
}

LOSSI_INLINE f64i f64_int_shl(f64i v, int count)
{
    return (f64i)((f64u)v << (uint64_t)count);
}

LOSSI_INLINE f32i f32_int_shr(f32i v, int count)
{
    return (f32i)((f32u)v >> (uint32_t)count);
}

LOSSI_INLINE f64i f64_int_shr(f64i v, int count)
{
    return (f64i)((f64u)v >> (uint64_t)count);
}

/* Sign. Exact on NaN and on zeros: only the sign bit is read or written. */

LOSSI_INLINE f32v f32_abs(f32v v)
{
    return (f32v)((f32i)v & INT32_MAX);
}

LOSSI_INLINE f64v f64_abs(f64v v)
{
    return (f64v)((f64i)v & INT64_MAX);
}

LOSSI_INLINE f32v f32_copysign(f32v magnitude, f32v sign)
{
    return (f32v)(((f32i)magnitude & INT32_MAX) | ((f32i)sign & INT32_MIN));
}

LOSSI_INLINE f64v f64_copysign(f64v magnitude, f64v sign)
{
    return (f64v)(((f64i)magnitude & INT64_MAX) | ((f64i)sign & INT64_MIN));
}

LOSSI_INLINE f32m f32_is_nan(f32v v)
{
    return f32_ne(v, v);
}

LOSSI_INLINE f64m f64_is_nan(f64v v)
{
    return f64_ne(v, v);
}

/* Conversions of 64-bit integers, |n| <= 2^51: adding 1.5 * 2^52 puts the integer into the low bits of the
 * significand. AVX2 has no instruction for it, and for this range none is needed anywhere. */
#define LOSSI_F64_MAGIC 0x1.8p52

LOSSI_INLINE f64i f64_to_int(f64v v)
{
    return f64_int_sub(f64_bits(v + LOSSI_F64_MAGIC), f64_bits(f64_set1(LOSSI_F64_MAGIC)));
}

LOSSI_INLINE f64v f64_from_int(f64i v)
{
    return f64_from_bits(f64_int_add(v, f64_bits(f64_set1(LOSSI_F64_MAGIC)))) - LOSSI_F64_MAGIC;
}

/* 2^n for an integral n with a normal result: the addition leaves n + bias in the low bits of the significand
 * and the shift moves it into the exponent field, pushing everything else out. */

LOSSI_INLINE f32v f32_pow2(f32v n)
{
    return f32_from_bits(f32_int_shl(f32_bits(n + (0x1.8p23f + 127.0f)), 23));
}

LOSSI_INLINE f64v f64_pow2(f64v n)
{
    return f64_from_bits(f64_int_shl(f64_bits(n + (LOSSI_F64_MAGIC + 1023.0)), 52));
}

/* scale: v * 2^n, rounded once, for integral |n| <= 250 (f32) or 2000 (f64) and v = 0 or 2^-100 <= |v| <= 4:
 * the result may overflow or be subnormal. Two factors, because 2^n alone may not be representable; where the
 * first product is not exact, the result is far below half of the smallest subnormal and 0 either way.
 *
 * split: x = m * 2^n for finite x > 0, subnormals included, with m in [3/4, 3/2) and n integral. For any
 * other x both are unspecified.
 *
 * split_normal: the same for a normal x below 2^127 (2^1023), with fewer instructions. */
#ifndef LOSSI_VECTOR_HAS_SCALE

LOSSI_INLINE f32v f32_scale(f32v v, f32v n)
{
    f32v half = f32_round(n * 0.5f);
    return v * f32_pow2(half) * f32_pow2(n - half);
}

LOSSI_INLINE f64v f64_scale(f64v v, f64v n)
{
    f64v half = f64_round(n * 0.5);
    return v * f64_pow2(half) * f64_pow2(n - half);
}

LOSSI_INLINE f32v f32_split(f32v x, f32v *n)
{
    f32m tiny = f32_lt(x, f32_set1(0x1p-126f));
    f32v normal = f32_select(tiny, x * 0x1p24f, x);
    f32v bias = f32_select(tiny, f32_set1(127.0f + 24.0f), f32_set1(127.0f));
    /* Moving 3/4 to 1 in the exponent-and-significand integer makes the exponent field the wanted n. */
    f32i moved = f32_int_add(f32_bits(normal), f32_int_set1(0x3f800000 - 0x3f400000));
    *n = f32_from_int(f32_int_shr(moved, 23)) - bias;
    return f32_from_bits((moved & 0x007fffff) + 0x3f400000);
}

LOSSI_INLINE f64v f64_split(f64v x, f64v *n)
{
    f64m tiny = f64_lt(x, f64_set1(0x1p-1022));
    f64v normal = f64_select(tiny, x * 0x1p54, x);
    f64v bias = f64_select(tiny, f64_set1(1023.0 + 54.0), f64_set1(1023.0));
    f64i moved = f64_int_add(f64_bits(normal), f64_int_set1(0x3ff0000000000000 - 0x3fe8000000000000));
    *n = f64_from_int(f64_int_shr(moved, 52)) - bias;
    return f64_from_bits((moved & 0x000fffffffffffff) + 0x3fe8000000000000);
}

LOSSI_INLINE f32v f32_split_normal(f32v x, f32v *n)
{
    f32i moved = f32_int_add(f32_bits(x), f32_int_set1(0x3f800000 - 0x3f400000));
    *n = f32_from_int(f32_int_shr(moved, 23)) - 127.0f;
    return f32_from_bits((moved & 0x007fffff) + 0x3f400000);
}

LOSSI_INLINE f64v f64_split_normal(f64v x, f64v *n)
{
    f64i moved = f64_int_add(f64_bits(x), f64_int_set1(0x3ff0000000000000 - 0x3fe8000000000000));
    /* the exponent field below the significand of 2^52 */
    *n = f64_from_bits(f64_int_shr(moved, 52) | 0x4330000000000000) - (0x1p52 + 1023.0);
    return f64_from_bits((moved & 0x000fffffffffffff) + 0x3fe8000000000000);
}

#endif

/* rough_reciprocal: 1/x to 23 bits, of what has a reciprocal that is a normal number of float32; anything else gives anything.
 * Division of float32 takes a quarter of the time of that of float64, rounds exactly on every instruction set, and is a start
 * for Newton's iteration. */
#ifndef LOSSI_VECTOR_HAS_ROUGH_RECIPROCAL

LOSSI_INLINE f64v f64_rough_reciprocal(f64v x)
{
    for (int lane = 0; lane < F64_LANES; lane++)
        x[lane] = (double)(1.0f / (float)x[lane]);
    return x;
}

#endif

#endif
