/* Powers, and logarithms of more digits than a number has: pow powm1 pow1p pow1pm1, for the element type of the pass.
 *
 *   pow(x, y) = x^y, x >= 0          powm1(x, y) = x^y - 1
 *   pow1p(u, y) = (1 + u)^y          pow1pm1(u, y) = (1 + u)^y - 1, u >= -1
 *
 * As exact as those of simd/math.h and of the same bits everywhere. 0^0 = 1, and so is every x^0 and 1^y; 0^y and infinity^y
 * are their limits; but unlike in C a NaN gives NaN always. A base below 0, -0 not being one, gives NaN.
 *
 * x^y = e^(y log x) multiplies the error of the logarithm by y log x, up to 745: so the logarithm is formed as a head and a
 * tail that together have 13 (float32: 11) more bits than a number, and the exponential takes both. The building blocks
 * are there for other formulas:
 *
 *   head = v_log_parts(x, &tail)              log x = head + tail, |tail| <= ulp(head) / 2; relative error 2^-64 (2^-35)
 *   head = v_log1p_parts(x, &tail)            log(1 + x)
 *   head = v_times_parts(y, head, &tail)      y (head + tail)
 *   v_exp_of_parts(head, tail)                e^(head + tail)
 *   v_expm1_of_parts(head, tail)              e^(head + tail) - 1
 *
 * log(1 + f) = u + u^3 / 12 + u^5 / 80 + ... with u = 2f / (2 + f), twice the series of artanh(u / 2): where the series of
 * log(1 + f) has every power, this one has the odd ones alone, and three terms of it decide (Muller, "Elementary
 * Functions", 3rd ed., 2016, section 11.1). Included by the files that need it, after simd/real.h. */
#ifndef LOSSI_SIMD_MATH_POWER_H
#define LOSSI_SIMD_MATH_POWER_H

#include "simd/real.h"

/* (2 artanh(u / 2) - u - u^3 / 12) / u^5 in z = u^2 on |u| <= 2/5; the sum is then right to 2^-41 and 2^-69 */
#if LOSSI_REAL == 32

#define MATH_TWELFTH     0x1.555556p-4f
#define MATH_TWELFTH_LOW -0x1.555556p-29f

LOSSI_INLINE vreal v_artanh_tail(vreal z)
{
    vreal p = v_set1(0x1.97e9d8p-14f);
    p = v_fma(p, z, v_set1(0x1.c5bfd4p-12f));
    p = v_fma(p, z, v_set1(0x1.2495p-9f));
    return v_fma(p, z, v_set1(0x1.999996p-7f));
}

#else

#define MATH_TWELFTH     0x1.5555555555555p-4
#define MATH_TWELFTH_LOW 0x1.5555555555555p-58

LOSSI_INLINE vreal v_artanh_tail(vreal z)
{
    vreal square = z * z;
    vreal odd = v_set1(0x1.0177d1c7ba439p-22);
    vreal even = v_set1(0x1.dad2597a1109ep-21);
    odd = v_fma(odd, square, v_set1(0x1.113a07205b4a8p-18));
    even = v_fma(even, square, v_set1(0x1.3b129905fa608p-16));
    odd = v_fma(odd, square, v_set1(0x1.745d1bc302483p-14));
    even = v_fma(even, square, v_set1(0x1.c71c71bc77ca2p-12));
    odd = v_fma(odd, square, v_set1(0x1.2492492498d3ep-9));
    even = v_fma(even, square, v_set1(0x1.9999999999968p-7));
    return v_fma(odd, z, even);
}

#endif

/* u = 2f / (2 + f) = head + missing, where the argument is f + low and low is far below f's last digit. */
LOSSI_INLINE vreal v_artanh_argument(vreal f, vreal low, vreal *missing)
{
    vreal two_f = f * REAL(2.0);
    vreal d = f + REAL(2.0);
    vreal d_missing = (f - (d - REAL(2.0))) + low;
    vreal inverse = REAL(1.0) / d;
    vreal u = two_f * inverse;
    vreal remainder = v_fnma(u, d, two_f) + v_fnma(u, d_missing, low * REAL(2.0));
    *missing = remainder * inverse;
    return u;
}

/* log(2^n (1 + f + low)) = head + tail, f on [-1/4, 1/2] */
LOSSI_INLINE vreal v_log_sum_parts(vreal n, vreal f, vreal low, vreal *tail)
{
    vreal u_missing;
    vreal u = v_artanh_argument(f, low, &u_missing);
    vreal z = u * u;
    vreal z_missing = v_fma(u + u, u_missing, v_fma(u, u, -z));
    /* u^3 / 12 + u^5 / 80 + ... = u c, c = z (1/12 + z / 80 + ...); what u is missing enters here with z_missing, and
     * below with its own slope */
    vreal inner = v_fma(z, v_artanh_tail(z), v_set1(MATH_TWELFTH_LOW));
    vreal slope = inner + MATH_TWELFTH;
    vreal slope_missing = inner - (slope - MATH_TWELFTH);
    vreal c = z * slope;
    vreal c_missing = v_fma(z, slope, -c) + v_fma(z, slope_missing, z_missing * slope);
    vreal cubic = u * c;
    vreal cubic_missing = v_fma(u, c, -cubic) + v_fma(u, c_missing, u_missing * c);
    /* three terms, largest first, as in v_log_sum */
    vreal high = n * MATH_LN2_HIGH;
    vreal first = high + u;
    vreal second = first + cubic;
    vreal missing = (u - (first - high)) + (cubic - (second - first));
    vreal rest = missing + (v_fma(n, v_set1(MATH_LN2_LOW), u_missing) + cubic_missing);
    vreal head = second + rest;
    *tail = rest - (head - second);
    return head;
}

/* The head where the tail has no meaning: at 0 and infinity, and for NaN, where the tail becomes 0. */
LOSSI_INLINE vreal v_log_edges(vreal one_plus, vreal head, vreal *tail)
{
    vmask inside = v_mask_and(v_gt(one_plus, v_set1(REAL(0.0))), v_lt(one_plus, v_set1(REAL_INFINITY)));
    vreal edge = v_select(v_eq(one_plus, v_set1(REAL(0.0))), v_set1(-REAL_INFINITY), one_plus);
    edge = v_select(v_lt(one_plus, v_set1(REAL(0.0))), v_set1(REAL_NAN), edge);
    *tail = v_select(inside, *tail, v_set1(REAL(0.0)));
    return v_select(inside, head, edge);
}

/* log x = head + tail */
LOSSI_INLINE vreal v_log_parts(vreal x, vreal *tail)
{
    vreal n;
    vreal m = v_split(x, &n);
    vreal head = v_log_sum_parts(n, m - REAL(1.0), v_set1(REAL(0.0)), tail);
    return v_log_edges(x, head, tail);
}

/* 1 + x = 2^n (1 + f + low). f is missing a bit next to a change of n, and the 1 from 2^54 on (2^25): all of it by the sum
 * of two numbers whose order of size is not known (Moller, 1965; Knuth), and by what 2^-n - 1 lost. */
LOSSI_INLINE vreal v_split_one_plus_parts(vreal x, vreal *n, vreal *low)
{
    vreal scaled, shift;
    vreal f = v_split_one_plus(x, n, &scaled, &shift);
    vreal back = f - scaled;
    vreal missing = (scaled - (f - back)) + (shift - back);
    vreal power = v_pow2(REAL(2.0) - *n) * REAL(0.25);
    *low = missing + (power - (shift + REAL(1.0)));
    return f;
}

/* log(1 + x) = head + tail */
LOSSI_INLINE vreal v_log1p_parts(vreal x, vreal *tail)
{
    vreal n, low;
    vreal f = v_split_one_plus_parts(x, &n, &low);
    vreal head = v_log_sum_parts(n, f, low, tail);
    return v_log_edges(x + REAL(1.0), head, tail);
}

/* y (head + tail) = product + tail. An infinite product has a tail without meaning; the exponentials do not read it. */
LOSSI_INLINE vreal v_times_parts(vreal y, vreal head, vreal *tail)
{
    vreal product = y * head;
    *tail = v_fma(y, *tail, v_fma(y, head, -product));
    return product;
}

/* head + tail = n ln 2 + r + low, and nothing where the clamping of the head has overtaken the tail */
LOSSI_INLINE vreal v_exp_reduce_parts(vreal head, vreal tail, real lowest, vreal *n, vreal *low)
{
    vreal clamped = v_clamp_keeping_nan(head, lowest, MATH_EXP_HIGHEST);
    vreal rest;
    vreal r = v_exp_reduce(clamped, n, &rest);
    rest = rest + v_select(v_eq(clamped, head), tail, v_set1(REAL(0.0)));
    vreal sum = r + rest;
    *low = rest - (sum - r);
    return sum;
}

/* e^(head + tail) */
LOSSI_INLINE vreal v_exp_of_parts(vreal head, vreal tail)
{
    vreal n, low;
    vreal r = v_exp_reduce_parts(head, tail, MATH_EXP_LOWEST, &n, &low);
    vreal curved = v_fma(r * r, v_exp_tail(r), v_fma(low, r, low));
    vreal one_plus_r = r + REAL(1.0);
    vreal rest = (r - (one_plus_r - REAL(1.0))) + curved;
    return v_scale_if(v_exponent_is_far(n), one_plus_r + rest, n);
}

/* e^(head + tail) - 1, as v_expm1 */
LOSSI_INLINE vreal v_expm1_of_parts(vreal head, vreal tail)
{
    vreal n, low, missing;
    vreal r = v_exp_reduce_parts(head, tail, MATH_EXPM1_LOWEST, &n, &low);
    vreal capped = v_min(v_set1(MATH_EXPONENT_HIGHEST), n);
    vreal doubling = v_select(v_gt(n, capped), v_set1(REAL(2.0)), v_set1(REAL(1.0)));
    vreal high = v_expm1_parts(capped, r, v_fma(low, r, low), &missing);
    return v_copysign((high + missing) * doubling, head);
}

/* Where x^y is 1 though y log x may be 0 times infinity; never where x is not in the domain. */
LOSSI_INLINE vmask v_pow_is_one(vreal x, vreal one, vreal lowest, vreal y)
{
    vmask trivial = v_mask_or(v_eq(y, v_set1(REAL(0.0))), v_eq(x, one));
    return v_mask_and(trivial, v_mask_and(v_ge(x, lowest), v_eq(y, y)));
}

LOSSI_INLINE vreal v_pow(vreal x, vreal y)
{
    vreal tail, head = v_log_parts(x, &tail);
    head = v_times_parts(y, head, &tail);
    vmask one = v_pow_is_one(x, v_set1(REAL(1.0)), v_set1(REAL(0.0)), y);
    return v_select(one, v_set1(REAL(1.0)), v_exp_of_parts(head, tail));
}

LOSSI_INLINE vreal v_powm1(vreal x, vreal y)
{
    vreal tail, head = v_log_parts(x, &tail);
    head = v_times_parts(y, head, &tail);
    vmask one = v_pow_is_one(x, v_set1(REAL(1.0)), v_set1(REAL(0.0)), y);
    return v_select(one, v_set1(REAL(0.0)), v_expm1_of_parts(head, tail));
}

LOSSI_INLINE vreal v_pow1p(vreal u, vreal y)
{
    vreal tail, head = v_log1p_parts(u, &tail);
    head = v_times_parts(y, head, &tail);
    vmask one = v_pow_is_one(u, v_set1(REAL(0.0)), v_set1(REAL(-1.0)), y);
    return v_select(one, v_set1(REAL(1.0)), v_exp_of_parts(head, tail));
}

LOSSI_INLINE vreal v_pow1pm1(vreal u, vreal y)
{
    vreal tail, head = v_log1p_parts(u, &tail);
    head = v_times_parts(y, head, &tail);
    vmask one = v_pow_is_one(u, v_set1(REAL(0.0)), v_set1(REAL(-1.0)), y);
    return v_select(one, v_set1(REAL(0.0)), v_expm1_of_parts(head, tail));
}

#endif
