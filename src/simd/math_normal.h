/* The normal distribution, for the element type of the pass, with the same bits everywhere:
 *
 *   normal_cdf(x) = Phi(x)                              normal_hazard(x) = phi(x) / (1 - Phi(x)), the inverse Mills ratio
 *   log_normal_survival(x) = log(1 - Phi(x))                normal_hazard_slope(x, h) = h (h - x), h = hazard(x): its derivative
 *
 * Relative to the result in both tails, within 4 ulp: Phi(-10) is 7.6e-24 and log(1 - Phi(-10)) is -7.6e-24. log Phi(x) is
 * log_normal_survival(-x).
 *
 * For a >= 0 the hazard is a + 3 times a factor between 0.27 and 1, a polynomial in q = (a - 3) / (a + 3) (the variable of
 * Shepherd & Laframboise, "Chebyshev approximation of (1 + 2x) exp(x^2) erfc x", 1981); the tail is phi(a) over it, and
 * everything else follows without cancellation. Included by the files that need it, after simd/real.h. */
#ifndef LOSSI_SIMD_MATH_NORMAL_H
#define LOSSI_SIMD_MATH_NORMAL_H

#include "simd/math_power.h"

/* v_hazard_tail: (hazard(a) / (a + 3) - constant - slope q) / q^2 on [-1, 1]; with the constant right to 2^-25.3 and 2^-54.8 */
#if LOSSI_REAL == 32

#define MATH_HAZARD_CONSTANT    0x1.182862p-1f
#define MATH_HAZARD_SLOPE       0x1.876e8ep-2f
#define MATH_NORMAL_DENSITY     0x1.988454p-2f /* 1 / sqrt(2 pi), and what it is missing */
#define MATH_NORMAL_DENSITY_LOW -0x1.857936p-27f
#define MATH_NORMAL_DENSITY_LOG 0x1.d67f1cp-1f /* log sqrt(2 pi) */
#define MATH_HAZARD_LINEAR      0x1p60f        /* from here on q is 1 */

LOSSI_INLINE vreal v_hazard_tail(vreal q)
{
    vreal p = v_set1(-0x1.6c1a06p-21f);
    p = v_fma(p, q, v_set1(-0x1.6e951p-15f));
    p = v_fma(p, q, v_set1(-0x1.92189p-15f));
    p = v_fma(p, q, v_set1(0x1.01f20ap-12f));
    p = v_fma(p, q, v_set1(0x1.655f5p-12f));
    p = v_fma(p, q, v_set1(-0x1.a864a6p-11f));
    p = v_fma(p, q, v_set1(-0x1.709cdcp-10f));
    p = v_fma(p, q, v_set1(0x1.4cf0aep-9f));
    p = v_fma(p, q, v_set1(0x1.4aaeb4p-8f));
    p = v_fma(p, q, v_set1(-0x1.599fbep-7f));
    p = v_fma(p, q, v_set1(-0x1.3a1618p-6f));
    return v_fma(p, q, v_set1(0x1.82b67ap-4f));
}

#else

#define MATH_HAZARD_CONSTANT    0x1.1828626d7d40ep-1
#define MATH_HAZARD_SLOPE       0x1.876e904652358p-2
#define MATH_NORMAL_DENSITY     0x1.9884533d43651p-2
#define MATH_NORMAL_DENSITY_LOW -0x1.cbc0d30ebfd15p-56
#define MATH_NORMAL_DENSITY_LOG 0x1.d67f1c864beb5p-1
#define MATH_HAZARD_LINEAR      0x1p60

LOSSI_INLINE vreal v_hazard_tail(vreal q)
{
    vreal square = q * q;
    vreal even = v_set1(0x1.de3fd38c80137p-32);
    vreal odd = v_set1(0x1.1c9f73073773ep-31);
    even = v_fma(even, square, v_set1(-0x1.9431396d78632p-28));
    odd = v_fma(odd, square, v_set1(-0x1.7a8c8ed05a5c1p-27));
    even = v_fma(even, square, v_set1(0x1.0e5fcda85aa2ap-25));
    odd = v_fma(odd, square, v_set1(0x1.97e871c403e5cp-24));
    even = v_fma(even, square, v_set1(-0x1.1b09377f26ab2p-24));
    odd = v_fma(odd, square, v_set1(-0x1.05540dee2faaep-21));
    even = v_fma(even, square, v_set1(-0x1.928429eae0288p-23));
    odd = v_fma(odd, square, v_set1(0x1.c79e4cb0d3a7bp-20));
    even = v_fma(even, square, v_set1(0x1.2539382ff23bbp-19));
    odd = v_fma(odd, square, v_set1(-0x1.12fcd495c0274p-18));
    even = v_fma(even, square, v_set1(-0x1.66538267ec82bp-17));
    odd = v_fma(odd, square, v_set1(0x1.6c9c55db74896p-18));
    even = v_fma(even, square, v_set1(0x1.4012a51227fbbp-15));
    odd = v_fma(odd, square, v_set1(0x1.0242549ab8432p-17));
    even = v_fma(even, square, v_set1(-0x1.deba1b9f604d7p-14));
    odd = v_fma(odd, square, v_set1(-0x1.64842f55a82d1p-14));
    even = v_fma(even, square, v_set1(0x1.453d3f7b4c891p-12));
    odd = v_fma(odd, square, v_set1(0x1.9630d2dac4a3ap-12));
    even = v_fma(even, square, v_set1(-0x1.b671b72edda2dp-11));
    odd = v_fma(odd, square, v_set1(-0x1.77ca3e9242206p-10));
    even = v_fma(even, square, v_set1(0x1.4d4b895e93973p-9));
    odd = v_fma(odd, square, v_set1(0x1.4b31bf25fe3cfp-8));
    even = v_fma(even, square, v_set1(-0x1.5995b33dbe818p-7));
    odd = v_fma(odd, square, v_set1(-0x1.3a1a1c1ac1ed1p-6));
    even = v_fma(even, square, v_set1(0x1.82b62d3c656e1p-4));
    return v_fma(odd, q, even);
}

#endif

/* v_hazard_slope_tail: (slope - constant) / q on [-1, 1], right to 2^-27.9 and 2^-58.7; the slope is between 0.63 and 1 */
#if LOSSI_REAL == 32

#define MATH_HAZARD_SLOPE_CONSTANT 0x1.dbdfaap-1f

LOSSI_INLINE vreal v_hazard_slope_tail(vreal q)
{
    vreal p = v_set1(-0x1.38cf4p-13f);
    p = v_fma(p, q, v_set1(0x1.65efd2p-15f));
    p = v_fma(p, q, v_set1(0x1.0175d8p-10f));
    p = v_fma(p, q, v_set1(-0x1.d9094p-14f));
    p = v_fma(p, q, v_set1(-0x1.c2464cp-9f));
    p = v_fma(p, q, v_set1(-0x1.04a04p-12f));
    p = v_fma(p, q, v_set1(0x1.2dd04p-7f));
    p = v_fma(p, q, v_set1(0x1.064cbcp-9f));
    p = v_fma(p, q, v_set1(-0x1.74322ap-6f));
    p = v_fma(p, q, v_set1(-0x1.46075cp-8f));
    p = v_fma(p, q, v_set1(0x1.d2273cp-5f));
    p = v_fma(p, q, v_set1(-0x1.f786dp-9f));
    p = v_fma(p, q, v_set1(-0x1.3724c8p-3f));
    return v_fma(p, q, v_set1(0x1.82b628p-3f));
}

#else

#define MATH_HAZARD_SLOPE_CONSTANT 0x1.dbdfaa90a65bbp-1

LOSSI_INLINE vreal v_hazard_slope_tail(vreal q)
{
    vreal square = q * q;
    vreal even = v_set1(-0x1.efbfc83751d33p-29);
    vreal odd = v_set1(-0x1.f4bb1c06c5df1p-30);
    even = v_fma(even, square, v_set1(0x1.d822143fd191cp-26));
    odd = v_fma(odd, square, v_set1(0x1.149dabbc41b5dp-29));
    even = v_fma(even, square, v_set1(0x1.22e438b01b93fp-27));
    odd = v_fma(odd, square, v_set1(0x1.e8d75a10cc83ap-24));
    even = v_fma(even, square, v_set1(-0x1.2b505be8f773fp-20));
    odd = v_fma(odd, square, v_set1(-0x1.e43ecf3b883a2p-21));
    even = v_fma(even, square, v_set1(0x1.0bb32b3a9322bp-17));
    odd = v_fma(odd, square, v_set1(0x1.ccd92ede6596fp-19));
    even = v_fma(even, square, v_set1(-0x1.1d37088f40a0bp-15));
    odd = v_fma(odd, square, v_set1(-0x1.b62751e0ce0cdp-18));
    even = v_fma(even, square, v_set1(0x1.b70cc6664601cp-14));
    odd = v_fma(odd, square, v_set1(-0x1.4e7e65238e844p-18));
    even = v_fma(even, square, v_set1(-0x1.02cfe345d2b41p-12));
    odd = v_fma(odd, square, v_set1(0x1.7be46ba5422cfp-14));
    even = v_fma(even, square, v_set1(0x1.cf3db0a1fc526p-12));
    odd = v_fma(odd, square, v_set1(-0x1.b2aeaf321b818p-12));
    even = v_fma(even, square, v_set1(-0x1.1070a8b933bc4p-11));
    odd = v_fma(odd, square, v_set1(0x1.635b08fd4a668p-10));
    even = v_fma(even, square, v_set1(0x1.6eb9cb39d04c5p-19));
    odd = v_fma(odd, square, v_set1(-0x1.e87260783ed8bp-9));
    even = v_fma(even, square, v_set1(0x1.f4f69dd77a32bp-10));
    odd = v_fma(odd, square, v_set1(0x1.320f7bbcdf6d6p-7));
    even = v_fma(even, square, v_set1(-0x1.44e46089a7062p-8));
    odd = v_fma(odd, square, v_set1(-0x1.74b7b13e40e36p-6));
    even = v_fma(even, square, v_set1(-0x1.f7b9722ee1025p-9));
    odd = v_fma(odd, square, v_set1(0x1.d22f5de620fb9p-5));
    even = v_fma(even, square, v_set1(0x1.82b62d3c6562fp-3));
    odd = v_fma(odd, square, v_set1(-0x1.3724e1283b8a5p-3));
    return v_fma(odd, q, even);
}

#endif

/* The hazard for a >= 0. What q lost by rounding enters with the slope of the factor, of which a tenth is plenty. */
LOSSI_INLINE vreal v_hazard_nonnegative(vreal a)
{
    vreal three = v_set1(REAL(3.0));
    vreal capped = v_min(v_set1(MATH_HAZARD_LINEAR), a); /* keeps NaN */
    vreal below = capped - three, above = capped + three;
    vreal below_missing = v_select(v_lt(capped, three), capped - (below + three), v_set1(REAL(0.0)));
    vreal above_missing = v_min(three, capped) - (above - v_max(three, capped));
    vreal inverse = REAL(1.0) / above;
    vreal q = below * inverse;
    vreal q_missing = (v_fnma(q, above, below) + v_fnma(q, above_missing, below_missing)) * inverse;
    vreal slope = v_fma(q, v_fma(q, v_set1(REAL(-0.06)), v_set1(REAL(0.19))), v_set1(REAL(0.38)));
    /* constant + q linear + q^2 (...), the first two with their rounding errors: at q = -1 they cancel by half */
    vreal line = q * MATH_HAZARD_SLOPE;
    vreal line_missing = v_fma(q, v_set1(MATH_HAZARD_SLOPE), -line);
    vreal straight = line + MATH_HAZARD_CONSTANT;
    vreal straight_missing = (line - (straight - MATH_HAZARD_CONSTANT)) + line_missing;
    vreal rest = v_fma(q * q, v_hazard_tail(q), v_fma(q_missing, slope, straight_missing));
    vreal factor = straight + rest;
    vreal factor_missing = rest - (factor - straight);
    return v_fma(a + three, factor, v_fma(above, factor_missing, above_missing * factor));
}

/* phi(a) for a >= 0; the square keeps its rounding error */
LOSSI_INLINE vreal v_normal_density(vreal a)
{
    vreal half = a * REAL(-0.5);
    vreal head = half * a;
    vreal e = v_exp_of_parts(head, v_fma(half, a, -head));
    return v_fma(e, v_set1(MATH_NORMAL_DENSITY), e * MATH_NORMAL_DENSITY_LOW);
}

LOSSI_INLINE vreal v_normal_cdf(vreal x)
{
    vreal a = v_abs(x);
    vreal tail = v_normal_density(a) / v_hazard_nonnegative(a);
    return v_select(v_lt(x, v_set1(REAL(0.0))), tail, v_set1(REAL(1.0)) - tail);
}

/* Below 0 the survival is 1 - phi / h, h the hazard on the other side. */
LOSSI_INLINE vreal v_normal_hazard(vreal x)
{
    vreal a = v_abs(x);
    vreal h = v_hazard_nonnegative(a);
    vreal density = v_normal_density(a);
    vreal reflected = density * (h / (h - density));
    reflected = v_select(v_eq(density, v_set1(REAL(0.0))), density, reflected); /* also where h is infinite */
    return v_select(v_lt(x, v_set1(REAL(0.0))), reflected, h);
}

/* For x >= 0, where h - x cancels, by the same variable as the hazard. */
LOSSI_INLINE vreal v_normal_hazard_slope(vreal x, vreal h)
{
    vreal capped = v_min(v_set1(MATH_HAZARD_LINEAR), v_abs(x)); /* keeps NaN */
    vreal q = (capped - REAL(3.0)) / (capped + REAL(3.0));
    vreal far = v_fma(q, v_hazard_slope_tail(q), v_set1(MATH_HAZARD_SLOPE_CONSTANT));
    vreal near = v_select(v_eq(h, v_set1(REAL(0.0))), h, h * (h - x));
    return v_select(v_lt(x, v_set1(REAL(0.0))), near, far);
}

LOSSI_INLINE vreal v_log_normal_survival(vreal x)
{
    vreal a = v_abs(x);
    vreal h = v_hazard_nonnegative(a);
    vreal half = a * REAL(0.5);
    vreal head = half * a;
    vreal far = head + (v_fma(half, a, -head) + (v_log(h) + MATH_NORMAL_DENSITY_LOG));
    far = v_select(v_lt(head, v_set1(REAL_INFINITY)), far, head);
    vreal reflected = v_log1p(-(v_normal_density(a) / h));
    return v_select(v_lt(x, v_set1(REAL(0.0))), reflected, -far);
}

#endif
