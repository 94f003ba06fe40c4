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
