/* erf and what belongs to it, for the element type of the pass, with the same bits everywhere:
 *
 *   erf(x)        erfc(x) = 1 - erf(x)        erf_slope(x) = 2 e^(-x^2) / sqrt(pi)
 *
 * erf is an odd polynomial up to 1, and 1 - erfc beyond; erfc is 1 - erf up to 1/2 and beyond, relative to the result in its tail,
 * e^(-x^2) sqrt(2 / pi) / h, h the hazard of the normal distribution at x sqrt(2) (math_normal.h). Included by the files that
 * need it, after simd/real.h. */
#ifndef LOSSI_SIMD_MATH_ERF_H
#define LOSSI_SIMD_MATH_ERF_H

#include "simd/math_normal.h"

/* v_erf_tail: erf(x) / x - 1 in z = x^2 on |x| <= 1; erf(x) is then right to 2^-29.3 and 2^-56.3 */
#if LOSSI_REAL == 32

#define MATH_TWO_OVER_SQRT_PI     0x1.20dd76p0f /* 2 / sqrt(pi), and what it is missing */
#define MATH_TWO_OVER_SQRT_PI_LOW -0x1.f7ac92p-25f
#define MATH_SQRT_2_OVER_PI       0x1.988454p-1f
#define MATH_SQRT_2_OVER_PI_LOW   -0x1.857936p-26f
#define MATH_SQRT_2               0x1.6a09e6p0f

LOSSI_INLINE vreal v_erf_tail(vreal z)
{
    vreal p = v_set1(0x1.4916ep-14f);
    p = v_fma(p, z, v_set1(-0x1.a3d7eap-11f));
    p = v_fma(p, z, v_set1(0x1.54017p-8f));
    p = v_fma(p, z, v_set1(-0x1.b7f88cp-6f));
    p = v_fma(p, z, v_set1(0x1.ce2cf2p-4f));
    p = v_fma(p, z, v_set1(-0x1.81273ep-2f));
    return v_fma(p, z, v_set1(0x1.06eba8p-3f));
}

#else

#define MATH_TWO_OVER_SQRT_PI     0x1.20dd750429b6dp0
#define MATH_TWO_OVER_SQRT_PI_LOW 0x1.1ae3a914fed80p-56
#define MATH_SQRT_2_OVER_PI       0x1.9884533d43651p-1
#define MATH_SQRT_2_OVER_PI_LOW   -0x1.cbc0d30ebfd15p-55
#define MATH_SQRT_2               0x1.6a09e667f3bcdp0

LOSSI_INLINE vreal v_erf_tail(vreal z)
{
    vreal square = z * z;
    vreal even = v_set1(0x1.a725f2ec60b4dp-34);
    vreal odd = v_set1(-0x1.83ea3436fcffap-31);
    even = v_fma(even, square, v_set1(0x1.471fa5d83cbcfp-29));
    odd = v_fma(odd, square, v_set1(-0x1.8494c8dde1c0fp-28));
    even = v_fma(even, square, v_set1(0x1.5f42d61aebae3p-26));
    odd = v_fma(odd, square, v_set1(-0x1.6a221a14d9698p-23));
    even = v_fma(even, square, v_set1(0x1.babc5a15f009p-20));
    odd = v_fma(odd, square, v_set1(-0x1.f4de42be3b863p-17));
    even = v_fma(even, square, v_set1(0x1.f9a39f3f9f095p-14));
    odd = v_fma(odd, square, v_set1(-0x1.c02db74c27bdp-11));
    even = v_fma(even, square, v_set1(0x1.565bcd1de46c4p-8));
    odd = v_fma(odd, square, v_set1(-0x1.b82ce312e42fcp-6));
    even = v_fma(even, square, v_set1(0x1.ce2f21a043f13p-4));
    odd = v_fma(odd, square, v_set1(-0x1.812746b037a05p-2));
    even = v_fma(even, square, v_set1(0x1.06eba8214db69p-3));
    return v_fma(odd, z, even);
}

#endif

/* e^(-a^2); the square keeps its rounding error */
LOSSI_INLINE vreal v_exp_of_square(vreal a)
{
    const vreal head = -(a * a);
    return v_exp_of_parts(head, v_fma(-a, a, -head));
}

LOSSI_INLINE vreal v_erf_slope(vreal x)
{
    const vreal e = v_exp_of_square(v_abs(x));
    return v_fma(e, v_set1(MATH_TWO_OVER_SQRT_PI), e * MATH_TWO_OVER_SQRT_PI_LOW);
}

/* erfc(a), a >= 0, where nothing is lost by it: a >= 1/2 */
LOSSI_INLINE vreal v_erfc_far(vreal a)
{
    const vreal e = v_exp_of_square(a);
    const vreal density = v_fma(e, v_set1(MATH_SQRT_2_OVER_PI), e * MATH_SQRT_2_OVER_PI_LOW);
    return density / v_hazard_nonnegative(a * MATH_SQRT_2);
}

LOSSI_INLINE vreal v_erf(vreal x)
{
    const vreal a = v_abs(x), one = v_set1(REAL(1.0));
    const vmask near = v_le(a, one);
    const vreal inside = v_min(one, a); /* keeps NaN */
    const vreal small = v_fma(inside, v_erf_tail(inside * inside), inside);
    return v_copysign(v_select(near, small, one - v_erfc_far(a)), x);
}

/* 1 - x - x (...) loses less than an ulp up to 1/2, where it is 0.48. */
LOSSI_INLINE vreal v_erfc(vreal x)
{
    const vreal a = v_abs(x), one = v_set1(REAL(1.0)), half = v_set1(REAL(0.5));
    const vreal inside = v_min(half, a), tail = inside * v_erf_tail(inside * inside);
    const vreal head = one - inside, missing = (one - head) - inside;
    const vreal near_above = head + (missing - tail);
    const vreal far = v_erfc_far(a), head_below = one + inside, missing_below = inside - (head_below - one);
    const vreal near_below = head_below + (missing_below + tail);
    const vmask negative = v_lt(x, v_set1(REAL(0.0)));
    return v_select(v_le(a, half), v_select(negative, near_below, near_above),
                    v_select(negative, REAL(2.0) - far, far));
}

#endif
