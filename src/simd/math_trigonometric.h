/* sin, cos and tan, for the element type of the pass, as exact as the functions of simd/math.h and of the same bits everywhere.
 *
 * x = n pi / 2 + r + low, with |r| up to pi / 4 and a little; n modulo 4 says whether the result is sin r or cos r, and its sign.
 * Up to MATH_QUARTERS_FAR n pi / 2 is taken away in three parts: the first product cancels exactly because it is fused, what the second
 * and its difference lose is kept (Cody & Waite, Software Manual for the Elementary Functions, 1980; Muller, "Elementary Functions", 3rd ed., 2016, section
 * 11.2). Beyond, each number for itself (payne_hanek.h), so that every argument has its own result. Included by the files that need it,
 * after simd/real.h. */
#ifndef LOSSI_SIMD_MATH_TRIGONOMETRIC_H
#define LOSSI_SIMD_MATH_TRIGONOMETRIC_H

#include "simd/payne_hanek.h"
#include "simd/real.h"

/* (sin(r) / r - 1) / r^2 and (cos(r) - 1 + r^2 / 2) / r^4 in z = r^2 on |r| <= 0.8; then right to 2^-32.1 and 2^-62.8 */
#if LOSSI_REAL == 32

#define MATH_TWO_OVER_PI    0x1.45f306p-1f
#define MATH_HALF_PI        0x1.921fb6p0f
#define MATH_HALF_PI_LOW    -0x1.777a5cp-25f
#define MATH_HALF_PI_LOWEST -0x1.ee59dap-50f
#define MATH_QUARTERS_FAR   0x1p17f /* n below 2^17: n and the rest are right to 2^-7 and 2^-58 */
#define MATH_SIGN_FROM_TWO  30      /* from the bit of 2 to that of the sign */

LOSSI_INLINE vreal v_sin_tail(vreal z)
{
    vreal p = v_set1(0x1.76878cp-19f);
    p = v_fma(p, z, v_set1(-0x1.a0439cp-13f));
    p = v_fma(p, z, v_set1(0x1.11116p-7f));
    return v_fma(p, z, v_set1(-0x1.555556p-3f));
}

LOSSI_INLINE vreal v_cos_tail(vreal z)
{
    vreal p = v_set1(0x1.999a6cp-16f);
    p = v_fma(p, z, v_set1(-0x1.6c0b08p-10f));
    return v_fma(p, z, v_set1(0x1.555548p-5f));
}

#else

#define MATH_TWO_OVER_PI    0x1.45f306dc9c883p-1
#define MATH_HALF_PI        0x1.921fb54442d18p0
#define MATH_HALF_PI_LOW    0x1.1a62633145c07p-54
#define MATH_HALF_PI_LOWEST -0x1.f1976b7ed8fbcp-110
#define MATH_QUARTERS_FAR   0x1p30 /* n below 2^30: n and the rest are right to 2^-23 and 2^-133 */
#define MATH_SIGN_FROM_TWO  62

LOSSI_INLINE vreal v_sin_tail(vreal z)
{
    vreal p = v_set1(-0x1.a64997b4077f3p-41);
    p = v_fma(p, z, v_set1(0x1.61166a89c3c87p-33));
    p = v_fma(p, z, v_set1(-0x1.ae643fd562547p-26));
    p = v_fma(p, z, v_set1(0x1.71de3a41d9f97p-19));
    p = v_fma(p, z, v_set1(-0x1.a01a01a007f31p-13));
    p = v_fma(p, z, v_set1(0x1.111111111108fp-7));
    return v_fma(p, z, v_set1(-0x1.5555555555555p-3));
}

LOSSI_INLINE vreal v_cos_tail(vreal z)
{
    vreal p = v_set1(0x1.a404a842b6eedp-45);
    p = v_fma(p, z, v_set1(-0x1.938206571c813p-37));
    p = v_fma(p, z, v_set1(0x1.1eed7affd68a7p-29));
    p = v_fma(p, z, v_set1(-0x1.27e4fb636ffc7p-22));
    p = v_fma(p, z, v_set1(0x1.a01a01a003f0fp-16));
    p = v_fma(p, z, v_set1(-0x1.6c16c16c16b52p-10));
    return v_fma(p, z, v_set1(0x1.5555555555555p-5));
}

#endif

/* x = n pi / 2 + r + low; n is in the last bits of `counted`. */
typedef struct v_quarters {
    vreal r, low, counted;
} v_quarters;

/* The lanes that are far, one by one; the others stay. Out of line: few arguments are. */
__attribute__((noinline, unused)) static void v_reduce_far(const real *x, real *r, real *low, real *counted)
{
    for (int i = 0; i < VREAL_LANES; i++) {
        double high, rest;
        if (!(__builtin_fabs((double)x[i]) >= (double)MATH_QUARTERS_FAR)) {
            continue;
        }
        const int n = payne_hanek((double)x[i], &high, &rest);
        r[i] = (real)high;
        low[i] = (real)((high - (double)r[i]) + rest);
        counted[i] = (real)n + MATH_ROUNDER;
    }
}

LOSSI_INLINE v_quarters v_reduce_quarters(vreal x)
{
    v_quarters q;
    q.counted = v_fma(x, v_set1(MATH_TWO_OVER_PI), v_set1(MATH_ROUNDER));
    const vreal n = q.counted - MATH_ROUNDER;
    /* head - second as a sum and its error, either of which may be the larger (Knuth, TAOCP vol. 2, 4.2.2, theorem B) */
    const vreal head = v_fnma(n, v_set1(MATH_HALF_PI), x), second = n * MATH_HALF_PI_LOW;
    q.r = head - second;
    const vreal taken = head - q.r, missing = (head - (q.r + taken)) + (taken - second);
    const vreal lost = v_fma(n, v_set1(MATH_HALF_PI_LOW), -second);
    q.low = v_fnma(n, v_set1(MATH_HALF_PI_LOWEST), missing - lost);
    if (__builtin_expect(v_mask_any(v_ge(v_abs(x), v_set1(MATH_QUARTERS_FAR))), 0)) {
        real lanes[4][VREAL_LANES];
        v_store(lanes[0], x);
        v_store(lanes[1], q.r);
        v_store(lanes[2], q.low);
        v_store(lanes[3], q.counted);
        v_reduce_far(lanes[0], lanes[1], lanes[2], lanes[3]);
        q.r = v_load(lanes[1]);
        q.low = v_load(lanes[2]);
        q.counted = v_load(lanes[3]);
    }
    return q;
}

/* sin(r + low) = r + tail */
LOSSI_INLINE vreal v_sin_rest(vreal r, vreal z, vreal low)
{
    return v_fma(r * z, v_sin_tail(z), v_fnma(low * REAL(0.5), z, low));
}

/* cos(r + low) = head + tail; the square keeps its rounding error */
LOSSI_INLINE vreal v_cos_parts(vreal r, vreal z, vreal low, vreal *tail)
{
    const vreal half = r * REAL(0.5), square = half * r, one = v_set1(REAL(1.0));
    const vreal head = one - square, missing = (one - head) - square;
    *tail = v_fma(z * z, v_cos_tail(z), (missing - v_fma(half, r, -square)) - r * low);
    return head;
}

/* The lanes whose n is odd, and y with the sign that n gives. */
LOSSI_INLINE vmask v_quarter_is_odd(vint n)
{
    return v_ne(v_from_int(n & 1), v_set1(REAL(0.0)));
}

LOSSI_INLINE vreal v_quarter_sign(vint n, vreal y)
{
    return v_from_bits(v_bits(y) ^ v_int_shl(n & 2, MATH_SIGN_FROM_TWO));
}

/* sin(x + ahead pi / 2) */
LOSSI_INLINE vreal v_sin_ahead(vreal x, int ahead)
{
    const v_quarters q = v_reduce_quarters(x);
    const vint n = v_int_add(v_bits(q.counted), v_int_set1(ahead));
    const vreal z = q.r * q.r;
    vreal cos_tail;
    const vreal cos_head = v_cos_parts(q.r, z, q.low, &cos_tail);
    const vmask odd = v_quarter_is_odd(n);
    const vreal head = v_select(odd, cos_head, q.r);
    const vreal tail = v_select(odd, cos_tail, v_sin_rest(q.r, z, q.low));
    return v_quarter_sign(n, head + tail);
}

LOSSI_INLINE vreal v_sin(vreal x)
{
    return v_select(v_eq(x, v_set1(REAL(0.0))), x, v_sin_ahead(x, 0)); /* -0 */
}

LOSSI_INLINE vreal v_cos(vreal x)
{
    return v_sin_ahead(x, 1);
}

/* sin / cos, or -cos / sin of odd n: one division, whose rounding errors are then measured. */
LOSSI_INLINE vreal v_tan(vreal x)
{
    const v_quarters q = v_reduce_quarters(x);
    const vreal z = q.r * q.r;
    vreal cos_tail;
    const vreal cos_head = v_cos_parts(q.r, z, q.low, &cos_tail), sin_tail = v_sin_rest(q.r, z, q.low);
    const vreal sine = q.r + sin_tail, cosine = cos_head + cos_tail;
    const vreal sine_missing = sin_tail - (sine - q.r), cosine_missing = cos_tail - (cosine - cos_head);
    const vmask odd = v_quarter_is_odd(v_bits(q.counted));
    const vreal above = v_select(odd, -cosine, sine),
                above_missing = v_select(odd, -cosine_missing, sine_missing);
    const vreal below = v_select(odd, sine, cosine),
                below_missing = v_select(odd, sine_missing, cosine_missing);
    const vreal inverse = REAL(1.0) / below, y = above * inverse;
    const vreal remainder = v_fnma(y, below, above) + v_fnma(y, below_missing, above_missing);
    return v_select(v_eq(x, v_set1(REAL(0.0))), x, v_fma(remainder, inverse, y));
}

#endif
