/*
 * A power of a positive number that is known to more digits than it has: (head + tail)^y · 2^(shift y), from the logarithm and
 * the exponential in parts of simd/math_power.h. head is positive and finite, tail below its last digit.
 */
#ifndef LOSSI_LOSS_POWER_H
#define LOSSI_LOSS_POWER_H

#include "simd/math_power.h"

/* log(head + tail) + shift log 2 as a sum of two numbers, the second below half an ulp of the first. */
LOSSI_INLINE vreal lossi_power_log(vreal head, vreal tail, vreal shift, vreal *log_missing)
{
    vreal n;
    const vreal m = v_split(head, &n);
    return v_log_sum_parts(n + shift, m - v_set1(1), m * (tail / head), log_missing);
}

LOSSI_INLINE vreal lossi_power(vreal head, vreal tail, vreal shift, vreal y)
{
    vreal rest;
    const vreal log = lossi_power_log(head, tail, shift, &rest);
    const vreal exponent = v_times_parts(y, log, &rest);
    return v_exp_of_parts(exponent, rest);
}

/* e^(−c a) for c, a ≥ 0: the product in parts, because an exponential makes of its rounding as many ulp as it is long. */
LOSSI_INLINE vreal lossi_power_of_e(vreal c, vreal a)
{
    vreal rest = v_set1(0);
    const vreal exponent = v_times_parts(-c, a, &rest);
    return v_exp_of_parts(exponent, rest);
}

#endif
