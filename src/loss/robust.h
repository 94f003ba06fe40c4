/*
 * What the robust losses of a residual r and a scale c share: the ratio |r|/c without overflow or underflow, and its functions.
 *
 * With q = |r|/c and u = q², such a loss is ½ r² where u is below the rounding of 1 + u, and has a power of c/|r| or a
 * logarithm for its tail where 1 is below that of 1 + u. Between the two nothing can overflow; beyond them q may, although
 * the loss is an ordinary number: r = 1e20 and c = 1e-20 in float32.
 */
#ifndef LOSSI_LOSS_ROBUST_H
#define LOSSI_LOSS_ROBUST_H

#include "loss/pointwise.h"

/* (1 + u)^k and log(1 + u)/u are 1, and (1 + 1/u)^k is 1, to a quarter of an ulp for the small k that occur.
 * GONE: e^(−½u) is 0 from there on. */
#if LOSSI_REAL == 32
#define ROBUST_SMALL REAL(0x1p-14)
#define ROBUST_LARGE REAL(0x1p14)
#define ROBUST_GONE  REAL(32.0)
#else
#define ROBUST_SMALL REAL(0x1p-29)
#define ROBUST_LARGE REAL(0x1p29)
#define ROBUST_GONE  REAL(64.0)
#endif

#define ROBUST_TINY (ROBUST_SMALL * ROBUST_SMALL) /* such an u itself */

typedef struct lossi_ratio {
    vreal r, a, c;  /* a = |r| */
    vreal num, den; /* a and c; of large ones their significands */
    vreal q, n;     /* num/den, and of large ones: a/c = q 2ⁿ */
    vmask large;    /* false for NaN */
} lossi_ratio;

/* `limit`: from which ratio on it is large, a constant */
LOSSI_INLINE lossi_ratio lossi_ratio_above(vreal r, vreal c, real limit)
{
    lossi_ratio x = {.r = r, .a = v_abs(r), .c = c};
    vreal n, n_c;
    const vreal m = v_split(x.a, &n), m_c = v_split(c, &n_c);
    x.large = v_gt(x.a, c * limit);
    x.num = v_select(x.large, m, x.a);
    x.den = v_select(x.large, m_c, c);
    x.q = x.num / x.den;
    x.n = n - n_c;
    return x;
}

LOSSI_INLINE lossi_ratio lossi_ratio_of(vreal r, vreal c)
{
    return lossi_ratio_above(r, c, ROBUST_LARGE);
}

/* Where log(1 + u) is u. */
LOSSI_INLINE vmask lossi_ratio_small(const lossi_ratio *x)
{
    return v_lt(x->q, v_select(x->large, v_set1(0), v_set1(ROBUST_SMALL)));
}

/* ½ r² as (½ r) r: overflows only where r² does */
LOSSI_INLINE vreal lossi_half_square(vreal r)
{
    return (v_set1((real)0.5) * r) * r;
}

/* 1/(1 + q²), rounded nearly to nearest; or num/den where `other` says so, rounded to nearest */
LOSSI_INLINE vreal lossi_weight_or(vreal q, vmask other, vreal num, vreal den)
{
    const vreal one = v_set1(1), sum = v_fma(q, q, one), sum_missing = v_fma(q, q, one - sum);
    const vreal p = v_select(other, num, one) / v_select(other, den, sum);
    const vreal residue = v_fnma(p, sum_missing, v_fnma(p, sum, one));
    return v_select(other, p, v_fma(residue, p, p));
}

/* c/a where the ratio is large, 1/(1 + u) elsewhere: the square root of 1/(1 + u), and itself */
LOSSI_INLINE vreal lossi_ratio_weight(const lossi_ratio *x)
{
    return lossi_weight_or(x->q, x->large, x->c, x->a);
}

/*
 * 1 + u = 2ⁿ(1 + f), or a/c where that is large: f on [−¼, ½], and what it is missing. See v_log1p() of simd/math.h. Of u and
 * of q, missing parts may be known.
 */
LOSSI_INLINE vreal lossi_ratio_reduce(const lossi_ratio *x, vreal u, vreal u_missing, vreal q_missing,
                                      vreal *n, vreal *f_missing)
{
    const vreal zero = v_set1(0), one = v_set1(1);
    const vint moved = v_int_add(v_bits(u + one), v_int_set1(MATH_BITS_ONE - MATH_BITS_THREE_QUARTERS));
    const vint exponent = v_int_shr(moved, MATH_SIGNIFICAND_BITS) - MATH_EXPONENT_HIGHEST;
    const vreal n_one = v_from_int(exponent), inverse = v_pow2(-n_one), shift = inverse - one;
    const vreal scaled = v_from_bits(v_int_sub(v_bits(u), v_int_shl(exponent, MATH_SIGNIFICAND_BITS)));
    const vreal f_one = scaled + shift, back = f_one - scaled;
    const vreal sum_missing = (scaled - (f_one - back)) + (shift - back);
    /* significands in (½, 2) */
    const vmask low = v_lt(x->q, v_set1(REAL(0.75))), high = v_ge(x->q, v_set1(REAL(1.5)));
    const vreal step = v_select(low, -one, v_select(high, one, zero));
    const vreal power = v_select(low, v_set1(2), v_select(high, v_set1((real)0.5), one));

    *n = v_select(x->large, x->n + step, n_one);
    *f_missing = v_select(x->large, q_missing * power, v_fma(u_missing, inverse, sum_missing));
    return v_select(x->large, v_fma(x->q, power, -one), f_one);
}

/* log(1 + u); a large ratio's logarithm is multiplied by `factor`. What f is missing enters with the slope 1/(1 + f). */
LOSSI_INLINE vreal lossi_ratio_log1p(const lossi_ratio *x, vreal u, vreal u_missing, real factor)
{
    vreal n, f_missing;
    const vreal f = lossi_ratio_reduce(x, u, u_missing, v_set1(0), &n, &f_missing);
    const vreal slope = v_fma(f, f - REAL(1.0), v_set1(1)); /* 1/(1 + f) but for f³ */
    const vreal ln2 = n * MATH_LN2_HIGH, sum = ln2 + f, sum_missing = f - (sum - ln2);
    const vreal curved = v_fma(f, v_log_tail(f), v_set1((real)-0.5));
    const vreal rest = sum_missing + v_fma(f_missing, slope, v_fma(f * f, curved, n * MATH_LN2_LOW));
    const vreal log = v_select(x->large, v_set1(factor), v_set1(1)) * (sum + rest);
    return v_select(v_lt(x->a, v_set1(REAL_INFINITY)), log, x->a); /* infinity and NaN */
}

LOSSI_INLINE vreal lossi_ratio_log(const lossi_ratio *x)
{
    const vreal u = x->q * x->q;
    return lossi_ratio_log1p(x, u, v_fma(x->q, x->q, -u), 2);
}

/*
 * e^(−u) as a square: half = e^(−½u) underflows only where nothing is left of r e^(−u) either. u ≥ 0 has to be known to more
 * digits than it has, for its error is relative to 1 in the exponential. *one_minus is 1 − e^(−u).
 */
LOSSI_INLINE vreal lossi_half_decay(vreal u, vreal u_missing, vreal *one_minus)
{
    const vreal one = v_set1(1), minus_half = v_set1((real)-0.5);
    vreal n, low;
    const vreal x = v_exp_reduce(v_max(v_set1(MATH_EXP_LOWEST), minus_half * u), &n, &low);
    const vreal sum = x + one, curved = x * x * v_exp_tail(x);
    const vreal tail = v_fma(v_fma(minus_half, u_missing, low), sum + curved, curved);
    const vreal minus_one = x + tail; /* half − 1 while n is 0 */
    const vreal half = v_scale(sum + ((x - (sum - one)) + tail), n);
    *one_minus = v_select(v_eq(n, v_set1(0)), -minus_one * (minus_one + REAL(2.0)), v_fnma(half, half, one));
    return half;
}

typedef struct lossi_decay {
    vreal r; /* cut off where nothing is left of e^(−u), so that an infinite residual has its limit */
    vreal q, q_missing;    /* |r|/c, and what is missing from it */
    vreal half, one_minus; /* e^(−½u), 1 − e^(−u) */
} lossi_decay;

LOSSI_INLINE lossi_decay lossi_decay_of(vreal r, vreal c)
{
    const vreal a = v_min(c * ROBUST_GONE, v_abs(r));
    lossi_decay d = {.r = v_copysign(a, r), .q = a / c};
    d.q_missing = v_fnma(d.q, c, a) * (v_set1(1) / c);
    const vreal u = d.q * d.q, u_missing = v_fma(d.q, d.q, -u) + (d.q + d.q) * d.q_missing;
    d.half = lossi_half_decay(u, u_missing, &d.one_minus);
    return d;
}

#endif
