/*
 * Exponentials and logarithms that losses need together, from one reduction and one polynomial: e^x and e^x − 1, log(1 + y) with
 * 1/(1 + y) at hand. What simd/math.h does of the whole line is done here of the part where data are; a formula asks
 * lossi_rare() for the rest.
 */
#ifndef LOSSI_LOSS_EXPONENTIALS_H
#define LOSSI_LOSS_EXPONENTIALS_H

#include "simd/real.h"

/* Up to here e^±x is a normal number, and 2^n too. */
#if LOSSI_REAL == 32
#define LOSSI_EXP_ORDINARY REAL(80.0)
#else
#define LOSSI_EXP_ORDINARY REAL(700.0)
#endif

/*
 * x = n ln 2 + r + low as v_exp_reduce() has it, and power = 2ⁿ, for |x| ≤ LOSSI_EXP_ORDINARY: n and the bias stand in the low bits of
 * the sum that rounds to n, and need but be moved. NaN gives NaN.
 */
LOSSI_INLINE vreal lossi_exp_reduce(vreal x, vreal *power, vreal *low)
{
    const real rounder = MATH_ROUNDER + MATH_EXPONENT_HIGHEST;
    const vreal moved = v_fma(x, v_set1(MATH_LOG2_E), v_set1(rounder)), n = moved - rounder;
    const vreal head = v_fnma(n, v_set1(MATH_LN2_HIGH), x), r = v_fnma(n, v_set1(MATH_LN2_LOW), head);
    *low = v_fnma(n, v_set1(MATH_LN2_LOW), head - r);
    *power = v_from_bits(v_int_shl(v_bits(moved), MATH_SIGNIFICAND_BITS));
    return r;
}

/* e^x = power (1 + result), the same: the result is e^r − 1. */
LOSSI_INLINE vreal lossi_exp_of_rest(vreal x, vreal *power)
{
    vreal low;
    const vreal r = lossi_exp_reduce(x, power, &low);
    return v_fma(r * r, v_exp_tail(r), r);
}

/* e^(x + missing) for |x| ≤ LOSSI_EXP_ORDINARY and a missing that is far below; *minus_one is e^x − 1, all of its digits. NaN gives NaN. */
LOSSI_INLINE vreal lossi_exp_both(vreal x, vreal missing, vreal *minus_one)
{
    vreal power, low;
    const vreal r = lossi_exp_reduce(x, &power, &low), tail = v_fma(r * r, v_exp_tail(r), low + missing);
    const vreal base = power - REAL(1.0), head = v_fma(power, r, base);
    /* what the sum lost, and what 2^n − 1 did where 1 is below its last digit */
    const vreal lost = v_fma(power, r, base - head) + ((power - base) - REAL(1.0));
    *minus_one = head + v_fma(power, tail, lost);
    return v_fma(power, r + tail, power);
}

/* The same, nearly always rounded to nearest, and *power_missing, what is missing of it: for factors of terms that cancel. */
LOSSI_INLINE vreal lossi_exp_both_parts(vreal x, vreal missing, vreal *minus_one, vreal *power_missing)
{
    vreal n, low;
    const vreal r = v_exp_reduce(x, &n, &low), tail = v_fma(r * r, v_exp_tail(r), low + missing);
    const vreal power = v_pow2(n), base = power - REAL(1.0), head = v_fma(power, r, base);
    const vreal lost = v_fma(power, r, base - head) + ((power - base) - REAL(1.0));
    const vreal one_plus = r + REAL(1.0), rest = (r - (one_plus - REAL(1.0))) + tail, near = one_plus + rest;
    *minus_one = head + v_fma(power, tail, lost);
    *power_missing = (rest - (near - one_plus)) * power;
    return near * power;
}

/* (e^r − 1 − r)/r² on |r| ≤ ½ ln 2, and *mirrored, the same of −r: even and odd powers of one polynomial, v_exp_tail() of simd/. */
LOSSI_INLINE vreal lossi_exp_tails(vreal r, vreal square, vreal *mirrored)
{
#if LOSSI_REAL == 32
    const vreal odd = v_fma(v_fma(v_set1(0x1.9e0bfep-13f), square, v_set1(0x1.111306p-7f)), square,
                            v_set1(0x1.555554p-3f));
    const vreal even = v_fma(v_set1(0x1.6d436ap-10f), square, v_set1(0x1.5554fp-5f));
#else
    vreal odd;
    const vreal even = v_exp_chains(square, &odd);
#endif
    const vreal middle = v_fma(even, square, v_set1(REAL(0.5)));
    *mirrored = v_fnma(odd, r, middle);
    return v_fma(odd, r, middle);
}

/* log(sum + missing) for 1 ≤ sum < ½ REAL_MAX, where slope is 1/sum, roughly, with which what is missing enters. Nothing is lost next to 1, where
 * that is all; and the exponent n is not negative, so that n ln 2 leads where it is not 0. */
LOSSI_INLINE vreal lossi_log_of_sum(vreal sum, vreal missing, vreal slope)
{
    vreal n;
    const vreal f = v_split_normal(sum, &n) - REAL(1.0), low = v_fma(missing, slope, n * MATH_LN2_LOW);
    const vreal curved = v_fma(f, v_log_tail(f), v_set1(REAL(-0.5)));
    return v_fma(n, v_set1(MATH_LN2_HIGH), f + v_fma(f * f, curved, low));
}

/* log(1 + y) for y ≥ 0 */
LOSSI_INLINE vreal lossi_log_one_plus(vreal y, vreal slope)
{
    const vreal sum = y + REAL(1.0);
    return lossi_log_of_sum(sum, y - (sum - REAL(1.0)), slope);
}

/* 1/x of what is nearly that, rounded nearly always to nearest */
LOSSI_INLINE vreal lossi_refined(vreal inverse, vreal x)
{
    return v_fma(v_fnma(inverse, x, v_set1(REAL(1.0))), inverse, inverse);
}

/* a/c for a c that is the same for all elements: a division costs as much as 24 products */
LOSSI_INLINE vreal lossi_quotient_of(vreal a, vreal c)
{
    const vreal inverse = v_set1(REAL(1.0)) / c, q = a * inverse;
    return v_fma(v_fnma(q, c, a), inverse, q);
}

#endif
