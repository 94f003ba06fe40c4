/*
 * What the robust losses of a residual r and a scale c share: the ratio |r|/c without overflow or underflow, and its functions.
 *
 * With q = |r|/c and u = q², such a loss is ½ r² where u is below the rounding of 1 + u, and has a power of c/|r| or a
 * logarithm for its tail where 1 is below that of 1 + u. Between the two nothing can overflow; beyond them q may, although
 * the loss is an ordinary number: r = 1e20 and c = 1e-20 in float32.
 */
#ifndef LOSSI_LOSS_ROBUST_H
#define LOSSI_LOSS_ROBUST_H

#include "loss/exponentials.h"
#include "loss/pointwise.h"

#define LOSSI_DOMAINS LOSSI_EVERYWHERE

/* (1 + u)^k and log(1 + u)/u are 1, and (1 + 1/u)^k is 1, to a quarter of an ulp for the small k that occur.
 * GONE, DECAYED: e^(−½u) is 0 from there on; and from the latter not so far on that its exponent were none for v_scale(). */
#if LOSSI_REAL == 32
#define ROBUST_SMALL   REAL(0x1p-14)
#define ROBUST_LARGE   REAL(0x1p14)
#define ROBUST_GONE    REAL(32.0)
#define ROBUST_DECAYED REAL(14.5)
#else
#define ROBUST_SMALL   REAL(0x1p-29)
#define ROBUST_LARGE   REAL(0x1p29)
#define ROBUST_GONE    REAL(64.0)
#define ROBUST_DECAYED REAL(38.75)
#endif

#define ROBUST_TINY (ROBUST_SMALL * ROBUST_SMALL) /* such an u itself */

typedef struct lossi_ratio {
    vreal r, a, c; /* a = |r| */
    vreal q;       /* a/c; no meaning where it is large */
    vmask large;   /* false for NaN */
} lossi_ratio;

/* a/c, rounded nearly always to nearest */
LOSSI_INLINE vreal lossi_over(vreal a, vreal c)
{
    return lossi_quotient_of(a, c);
}

/* `limit`: from which ratio on it is large, a constant. 1/c is a normal number. */
LOSSI_INLINE lossi_ratio lossi_ratio_above(vreal r, vreal c, real limit)
{
    const vreal a = v_abs(r);
    return (lossi_ratio){.r = r, .a = a, .c = c, .q = lossi_over(a, c), .large = v_gt(a, c * limit)};
}

LOSSI_INLINE lossi_ratio lossi_ratio_of(vreal r, vreal c)
{
    return lossi_ratio_above(r, c, ROBUST_LARGE);
}

/* Where log(1 + u) is u. */
LOSSI_INLINE vmask lossi_ratio_small(const lossi_ratio *x)
{
    return v_lt(x->q, v_set1(ROBUST_SMALL));
}

/* ½ r² as (½ r) r: overflows only where r² does */
LOSSI_INLINE vreal lossi_half_square(vreal r)
{
    return (v_set1((real)0.5) * r) * r;
}

/* 1 + q² as a sum of two numbers, and its reciprocal; q² is at most 1/ROBUST_TINY. */
typedef struct lossi_weight {
    vreal sum, missing, p; /* p ≈ 1/(sum + missing), to an ulp */
} lossi_weight;

LOSSI_INLINE lossi_weight lossi_weight_of(vreal q)
{
    const vreal one = v_set1(1), sum = v_fma(q, q, one);
    return (lossi_weight){sum, v_fma(q, q, one - sum), one / sum};
}

/* p rounded nearly always to nearest */
LOSSI_INLINE vreal lossi_weight_nearest(const lossi_weight *w)
{
    return v_fma(v_fnma(w->p, w->missing, v_fnma(w->p, w->sum, v_set1(1))), w->p, w->p);
}

/* Where log(1 + q²) is q², which may be below the normal numbers, and is 0 for a ratio that is not. */
LOSSI_INLINE vmask lossi_weight_is_one(const lossi_weight *w)
{
    return v_eq(w->sum, v_set1(1));
}

/* log(1 + q²) */
LOSSI_INLINE vreal lossi_weight_log(const lossi_weight *w)
{
    return lossi_log_of_sum(w->sum, w->missing, w->p);
}

/* a/c = 2ⁿ (1 + f + f_missing), f on [−¼, ½], of ratios that no number may hold */
LOSSI_INLINE vreal lossi_ratio_split(const lossi_ratio *x, vreal *n, vreal *f_missing)
{
    const vreal zero = v_set1(0), one = v_set1(1);
    vreal n_a, n_c;
    const vreal m = v_split(x->a, &n_a), m_c = v_split(x->c, &n_c), q = m / m_c; /* in (½, 2) */
    const vmask low = v_lt(q, v_set1(REAL(0.75))), high = v_ge(q, v_set1(REAL(1.5)));
    const vreal power = v_select(low, v_set1(2), v_select(high, v_set1((real)0.5), one));

    *n = n_a - n_c + v_select(low, -one, v_select(high, one, zero));
    *f_missing = (v_fnma(q, m_c, m) / m_c) * power;
    return v_fma(q, power, -one);
}

/* log(a/c), the same */
LOSSI_INLINE vreal lossi_ratio_log(const lossi_ratio *x)
{
    vreal n, f_missing;
    const vreal f = lossi_ratio_split(x, &n, &f_missing), slope = v_fma(f, f - REAL(1.0), v_set1(1));
    const vreal log = v_log_sum_low(n, f, v_fma(f_missing, slope, n * MATH_LN2_LOW));
    return v_select(v_lt(x->a, v_set1(REAL_INFINITY)), log, x->a); /* infinity and NaN */
}

/*
 * e^(−u) as a square: half = e^(−½u) underflows only where nothing is left of r e^(−u) either. 0 ≤ u ≤ ROBUST_DECAYED² has to be
 * known to more digits than it has, for its error is relative to 1 in the exponential. *one_minus is 1 − e^(−u).
 */
LOSSI_INLINE vreal lossi_half_decay(vreal u, vreal u_missing, vreal *one_minus)
{
    const vreal one = v_set1(1), x = v_set1((real)-0.5) * u;
    const vreal n = v_fma(x, v_set1(MATH_LOG2_E), v_set1(MATH_ROUNDER)) - MATH_ROUNDER;
    /* what is missing goes into the remainder, whose last digit is two below that of the result */
    const vreal low = v_fnma(n, v_set1(MATH_LN2_LOW), v_set1((real)-0.5) * u_missing);
    const vreal rest = v_fnma(n, v_set1(MATH_LN2_HIGH), x) + low;
    const vreal minus_one = v_fma(rest * rest, v_exp_tail(rest), rest); /* half − 1 while n is 0 */
    const vreal half = v_scale_if(v_exponent_is_far(n), minus_one + REAL(1.0), n);
    *one_minus = v_select(v_eq(n, v_set1(0)), -minus_one * (minus_one + REAL(2.0)), v_fnma(half, half, one));
    return half;
}

typedef struct lossi_decay {
    vreal r; /* cut off where nothing is left of e^(−u), so that an infinite residual has its limit */
    vreal q, q_missing;    /* r/c, and what is missing from it */
    vreal u;               /* its square */
    vreal half, one_minus; /* e^(−½u), 1 − e^(−u) */
} lossi_decay;

LOSSI_INLINE lossi_decay lossi_decay_of(vreal r, vreal c)
{
    const vreal inverse = v_set1(1) / c, inverse_missing = v_fnma(inverse, c, v_set1(1)) * inverse;
    const vreal cut = c * ROBUST_DECAYED, held = v_max(-cut, v_min(cut, r));
    lossi_decay d = {.r = held, .q = held * inverse};
    d.q_missing = v_fma(held, inverse_missing, v_fma(held, inverse, -d.q));
    d.u = d.q * d.q;
    d.half = lossi_half_decay(d.u, v_fma(d.q + d.q, d.q_missing, v_fma(d.q, d.q, -d.u)), &d.one_minus);
    return d;
}

#endif
