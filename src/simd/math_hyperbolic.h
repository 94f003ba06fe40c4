/* sinh, cosh and log cosh, for the element type of the pass, with the same bits everywhere.
 *
 * (e^x -+ e^-x) / 2 of e^x / 2, which is a number where e^x is not; sinh by expm1 up to 1. log cosh x = log1p(sinh^2 x) / 2 with
 * sinh^2 x = m^2 / (4 (1 + m)), m = e^2x - 1. Included by the files that need it, after simd/real.h. */
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

/* Below, x^2 / 2 is all there is of log cosh x, to a quarter of an ulp. */
#if LOSSI_REAL == 32
#define MATH_LOG_COSH_NEAR 0x1p-13f
#else
#define MATH_LOG_COSH_NEAR 0x1p-28
#endif

/* Of head + tail = e^(2|y|) - 1, as tanh is. From where tanh is 1 on e^-2x is nothing beside 1. */
LOSSI_INLINE vreal v_log_cosh_of(vreal y, vreal head, vreal tail)
{
    const vreal x = v_abs(y), m = head + tail;
    vreal m_n, scaled, shift;
    const vreal argument = (m * REAL(0.25)) * (m / (m + REAL(1.0)));
    const vreal f = v_split_one_plus(argument, &m_n, &scaled, &shift); /* before m_n is read */
    const vreal middle = v_log_sum(m_n, f) * REAL(0.5), far = x - REAL(0.69314718055994530942);
    const vreal value = v_select(v_lt(x, v_set1(MATH_LOG_COSH_NEAR)), x * REAL(0.5) * x, middle);
    return v_select(v_le(x, v_set1(MATH_TANH_HIGHEST)), value, far);
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
