/* sinh, cosh and log cosh, for the element type of the pass, with the same bits everywhere.
 *
 * (e^x -+ e^-x) / 2 of e^x / 2, which is a number where e^x is not; sinh by expm1 up to 1. log cosh x is x - log 2 + log1p(e^-2x),
 * two positive terms from log 2 on; below, where they would cancel, x^2 times a polynomial of x^2. Included by the files that need
 * it, after simd/real.h. */
#ifndef LOSSI_SIMD_MATH_HYPERBOLIC_H
#define LOSSI_SIMD_MATH_HYPERBOLIC_H

#include "simd/real.h"

/* Beyond this both sinh and cosh are infinite: log(2 FLT_MAX) = 89.42, log(2 DBL_MAX) = 710.48 */
#define MATH_COSH_HIGHEST (MATH_EXP_HIGHEST + REAL(1.0))

/* e^a / 2 for a >= 0, infinite only where it is no number */
LOSSI_INLINE vreal v_half_exp(vreal a)
{
    vreal n, low;
    const vreal r = v_exp_reduce(v_min(v_set1(MATH_COSH_HIGHEST), a), &n, &low);
    return v_scale(v_fma(r * r, v_exp_tail(r), r) + REAL(1.0), n - REAL(1.0));
}

LOSSI_INLINE vreal v_sinh(vreal x)
{
    const vreal one = v_set1(REAL(1.0)), size = v_abs(x), half = v_half_exp(size);
    const vreal m = v_expm1(v_min(one, size));
    const vreal near = (m + m / (m + REAL(1.0))) * REAL(0.5), far = half - REAL(0.25) / half;
    return v_copysign(v_select(v_le(size, one), near, far), x);
}

LOSSI_INLINE vreal v_cosh(vreal x)
{
    const vreal half = v_half_exp(v_abs(x));
    return half + REAL(0.25) / half;
}

/* log 2 in two parts. */
#if LOSSI_REAL == 32
#define MATH_LN2         REAL(0x1.62e43p-1)
#define MATH_LN2_MISSING REAL(-0x1.05c61p-29)
#else
#define MATH_LN2         REAL(0x1.62e42fefa39efp-1)
#define MATH_LN2_MISSING REAL(0x1.abc9e3b39803fp-56)
#endif

/* log(cosh(x)) / x^2 in u = x^2, x <= log 2; right to 2^-28.7 and 2^-61.3 (tests/numerics/minimax.sollya) */
LOSSI_INLINE vreal v_log_cosh_near(vreal u)
{
    const vreal square = u * u;
#if LOSSI_REAL == 32
    vreal p = v_fma(v_set1(-0x1.e8905ap-12f), u, v_set1(0x1.0d9eb4p-9f));
    p = v_fma(p, square, v_fma(v_set1(-0x1.b82a64p-8f), u, v_set1(0x1.6c0a14p-6f)));
    return v_fma(p, square, v_fma(v_set1(-0x1.55553ap-4f), u, v_set1(0.5f)));
#else
    vreal p = v_set1(0x1.b889012284cacp-23);
    p = v_fma(p, u, v_set1(-0x1.3f32e4d3deb9cp-20));
    p = v_fma(p, square, v_fma(v_set1(0x1.1237974761757p-18), u, v_set1(-0x1.8c0a6c0f83ef4p-17)));
    p = v_fma(p, square, v_fma(v_set1(0x1.128b997c24646p-15), u, v_set1(-0x1.7d96cad86fffbp-14)));
    p = v_fma(p, square, v_fma(v_set1(0x1.0d0ad315c0184p-12), u, v_set1(-0x1.833d95b70fc0fp-11)));
    p = v_fma(p, square, v_fma(v_set1(0x1.1ea5d37e6710cp-9), u, v_set1(-0x1.ba1ba1b985d53p-8)));
    p = v_fma(p, square, v_fma(v_set1(0x1.6c16c16c1601ep-6), u, v_set1(-0x1.555555555555p-4)));
    return v_fma(p, u, v_set1(0.5));
#endif
}

/* Of head + tail = e^(2|y|) - 1, as tanh is; from where tanh is 1 on e^-2x is nothing beside x. */
LOSSI_INLINE vreal v_log_cosh_of(vreal y, vreal head, vreal tail)
{
    const vreal x = v_abs(y), square = x * x, decay = REAL(1.0) / ((head + tail) + REAL(1.0));
    const vreal near = square * v_log_cosh_near(square);
    const vreal far = (x - MATH_LN2) + (v_log1p_unit(decay) - MATH_LN2_MISSING);
    return v_select(v_lt(x, v_set1(MATH_LN2)), near, far);
}

LOSSI_INLINE vreal v_log_cosh(vreal y)
{
    vreal tail;
    const vreal head = v_expm1_of_twice(y, &tail);
    return v_log_cosh_of(y, head, tail);
}

/* Both, with one exponential. */
LOSSI_INLINE void v_log_cosh_tanh(vreal y, vreal *log_cosh, vreal *tanh)
{
    vreal tail;
    const vreal head = v_expm1_of_twice(y, &tail);
    *log_cosh = v_log_cosh_of(y, head, tail);
    *tanh = v_tanh_of(y, head, tail);
}

#endif
