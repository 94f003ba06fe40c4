/* sinh, cosh and log cosh, for the element type of the pass, with the same bits everywhere.
 *
 * (e^x -+ e^-x) / 2 of e^x / 2, which is a number where e^x is not; sinh by expm1 up to 1. log cosh x = log1p(m^2 / (2 (1 + m))) with
 * m = e^x - 1, as loss/log_cosh.c. Included by the files that need it, after simd/real.h. */
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

/* Below: x^2 / 2 is all there is of log cosh x, to a quarter of an ulp. Above: e^-2x is nothing beside 1. */
#if LOSSI_REAL == 32
#define MATH_LOG_COSH_NEAR 0x1p-13f
#define MATH_LOG_COSH_FAR  20.0f
#else
#define MATH_LOG_COSH_NEAR 0x1p-28
#define MATH_LOG_COSH_FAR  40.0
#endif

LOSSI_INLINE vreal v_log_cosh(vreal y)
{
    const vreal x = v_abs(y);
    vreal n, low, tail, m_n, scaled, shift;
    const vreal reduced = v_exp_reduce(v_min(v_set1(MATH_LOG_COSH_FAR), x), &n, &low);
    const vreal head = v_expm1_parts(n, reduced, low, &tail), m = head + tail;
    const vreal argument = (m * REAL(0.5)) * (m / (m + REAL(1.0)));
    const vreal f = v_split_one_plus(argument, &m_n, &scaled, &shift); /* before m_n is read */
    const vreal middle = v_log_sum(m_n, f), far = x - REAL(0.69314718055994530942);
    const vreal value = v_select(v_lt(x, v_set1(MATH_LOG_COSH_NEAR)), x * REAL(0.5) * x, middle);
    return v_select(v_le(x, v_set1(MATH_LOG_COSH_FAR)), value, far);
}

#endif
