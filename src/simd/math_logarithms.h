/* Two expressions with a logarithm that lose their digits when written down as they stand, for the element type of the pass:
 *
 *   x_minus_log1p(x) = x - log(1 + x), x > -1      x^2 / 2 near 0, where both terms agree
 *   log1mexp(x) = log(1 - e^-x), x > 0             -e^-x for large x, log x near 0
 *
 * As exact as those of simd/math.h and of the same bits everywhere; infinite at the end of their domain, NaN beyond it.
 * Included by the files that need it, after simd/real.h. */
#ifndef LOSSI_SIMD_MATH_LOGARITHMS_H
#define LOSSI_SIMD_MATH_LOGARITHMS_H

#include "simd/math_power.h"

/* (log(1 + f) - f + f^2 / 2) / f^3 on [-1/4, 1/2] as v_log_tail, but such that f - log(1 + f) is right to 2^-26.7 and 2^-55.7 */
#if LOSSI_REAL == 32

LOSSI_INLINE vreal v_log_rest_tail(vreal f)
{
    vreal p = v_set1(0x1.4a4af6p-5f);
    p = v_fma(p, f, v_set1(-0x1.7fa1c2p-4f));
    p = v_fma(p, f, v_set1(0x1.df9722p-4f));
    p = v_fma(p, f, v_set1(-0x1.03ba9p-3f));
    p = v_fma(p, f, v_set1(0x1.243d9ep-3f));
    p = v_fma(p, f, v_set1(-0x1.55281cp-3f));
    p = v_fma(p, f, v_set1(0x1.9999aap-3f));
    p = v_fma(p, f, v_set1(-0x1.00004ap-2f));
    return v_fma(p, f, v_set1(0x1.555556p-2f));
}

#else

LOSSI_INLINE vreal v_log_rest_tail(vreal f)
{
    vreal square = f * f;
    vreal odd = v_set1(-0x1.f19a7ca13e6bep-8);
    vreal even = v_set1(0x1.c65805dca966p-6);
    odd = v_fma(odd, square, v_set1(-0x1.897d71bc08195p-5));
    even = v_fma(even, square, v_set1(0x1.cfbad2e0be5e4p-5));
    odd = v_fma(odd, square, v_set1(-0x1.d74d44044a13ap-5));
    even = v_fma(even, square, v_set1(0x1.e1f60672a211fp-5));
    odd = v_fma(odd, square, v_set1(-0x1.fe1bb1beded7p-5));
    even = v_fma(even, square, v_set1(0x1.10e2ec1c0d45p-4));
    odd = v_fma(odd, square, v_set1(-0x1.249d8f78939b3p-4));
    even = v_fma(even, square, v_set1(0x1.3b17bf5796acep-4));
    odd = v_fma(odd, square, v_set1(-0x1.55552bd240254p-4));
    even = v_fma(even, square, v_set1(0x1.745ced986bafdp-4));
    odd = v_fma(odd, square, v_set1(-0x1.99999883b2914p-4));
    even = v_fma(even, square, v_set1(0x1.c71c72a986549p-4));
    odd = v_fma(odd, square, v_set1(-0x1.00000005c7a9cp-3));
    even = v_fma(even, square, v_set1(0x1.2492492353c6ep-3));
    odd = v_fma(odd, square, v_set1(-0x1.5555555544809p-3));
    even = v_fma(even, square, v_set1(0x1.999999999b29p-3));
    odd = v_fma(odd, square, v_set1(-0x1.0000000000072p-2));
    even = v_fma(even, square, v_set1(0x1.5555555555551p-2));
    return v_fma(odd, f, even);
}

#endif

/* x - log(1 + x) for 0 <= x < REAL_MAX / 2, given 1 + x as rounded, and its reciprocal: with 1 + x = 2^n (1 + f), x - n ln 2 - f and
 * the f^2 (1/2 - ...) of the logarithm. For n = 0 f is x itself, and nothing is left of the difference; elsewhere it is exact
 * where it is small. What 1 + x lost by rounding enters with the slope of the logarithm. */
LOSSI_INLINE vreal v_x_minus_log1p_of(vreal x, vreal one_plus, vreal inverse)
{
    vreal n;
    vreal m = v_split_normal(one_plus, &n);
    vmask same = v_eq(n, v_set1(REAL(0.0)));
    vreal f = v_select(same, x, m - REAL(1.0));
    vreal lost = (x - (one_plus - REAL(1.0))) * inverse; /* from 2^53 (2^24) on it is nothing beside x */
    vreal square = f * f;
    vreal curved = v_fnma(f, v_log_rest_tail(f), v_set1(REAL(0.5)));
    vreal difference = v_fnma(n, v_set1(MATH_LN2_HIGH), x) - f;
    vreal rest = v_fma(square, curved, v_fnma(n, v_set1(MATH_LN2_LOW), -lost));
    return v_select(same, square * curved, difference + rest);
}

/* With 1 + x = 2^n (1 + f) and u = 2f / (2 + f): x - n ln 2 - u, less the u^3 (1/12 + ...) of the logarithm, which is small
 * beside it. For n = 0 the difference x - u is x u / 2, without cancellation; for others u is subtracted with its error. */
LOSSI_INLINE vreal v_x_minus_log1p(vreal x)
{
    vreal n, low, u_missing;
    vreal f = v_split_one_plus_parts(x, &n, &low);
    vreal u = v_artanh_argument(f, low, &u_missing);
    vreal z = u * u;
    vreal cubic = u * z * v_fma(z, v_artanh_tail(z), v_set1(MATH_TWELFTH));
    vreal half = x * REAL(0.5);
    vreal product = half * u;
    vreal product_missing = v_fma(half, u_missing, v_fma(half, u, -product));
    vreal whole = n * MATH_LN2_HIGH;
    vreal reduced = x - whole, back = reduced - x;
    vreal difference = reduced - u;
    vreal reduced_missing = (x - (reduced - back)) - (whole + back) + ((reduced - difference) - u);
    vreal difference_missing = v_fnma(n, v_set1(MATH_LN2_LOW), reduced_missing - u_missing);
    vmask same = v_eq(n, v_set1(REAL(0.0)));
    vreal head = v_select(same, product, difference);
    vreal y = head + (v_select(same, product_missing, difference_missing) - cubic);
    y = v_select(v_lt(x, v_set1(REAL_INFINITY)), y, x); /* infinity and NaN */
    y = v_select(v_eq(x, v_set1(REAL(-1.0))), v_set1(REAL_INFINITY), y);
    return v_select(v_lt(x, v_set1(REAL(-1.0))), v_set1(REAL_NAN), y);
}

/* Up to ln 2 the logarithm of w = 1 - e^-x as expm1 forms it, beyond it that of 1 - e: one logarithm, of either. What w
 * and e are missing enters with the slope of the logarithm. */
LOSSI_INLINE vreal v_log1mexp(vreal x)
{
    vreal clamped = v_max(v_set1(MATH_EXP_LOWEST), -x);
    vreal n, low, w_tail, e_missing;
    vreal r = v_exp_reduce(clamped, &n, &low);
    vreal w_head = v_expm1_parts(v_max(v_set1(REAL(-1.0)), n), r, low, &w_tail);
    vreal w = -(w_head + w_tail);
    vreal w_missing = -(w_tail + (w_head + w));
    vreal w_exponent;
    vreal w_fraction = v_split(w, &w_exponent) - REAL(1.0);

    vreal e = v_exp_parts(clamped, &e_missing);
    vmask upper = v_gt(e, v_set1(REAL(0.25)));
    vreal exponent = v_select(upper, v_set1(REAL(-1.0)), v_set1(REAL(0.0)));
    vreal fraction = v_select(upper, v_fnma(e, v_set1(REAL(2.0)), v_set1(REAL(1.0))), -e);

    vmask near = v_lt(x, v_set1(MATH_LN2_HIGH));
    exponent = v_select(near, w_exponent, exponent);
    vreal slope = v_select(near, w_missing, -e_missing) / v_select(near, w, v_set1(REAL(1.0)) - e);
    vreal y = v_log_sum_low(exponent, v_select(near, w_fraction, fraction),
                            v_fma(exponent, v_set1(MATH_LN2_LOW), slope));
    y = v_select(v_eq(x, v_set1(REAL(0.0))), v_set1(REAL_INFINITY), y);
    y = v_select(v_lt(x, v_set1(REAL(0.0))), v_set1(REAL_NAN), y);
    return -v_abs(y);
}

#endif
