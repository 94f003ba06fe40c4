/*
 * The pieces of a logit x that the losses of σ(x) are made of. Each is right to an ulp in both tails, because nothing is made by
 * subtraction from 1.
 *
 *     a = |x|, e = e⁻ᵃ, large = σ(a) = 1/(1 + e), small = σ(−a) = e/(1 + e), soft = log(1 + e) = −log σ(a)
 *
 * So −log σ(x) is soft where x ≥ 0 and a + soft elsewhere. What e lost by rounding is kept: factors that cancel at a zero of a
 * derivative are made of e and `missing`.
 */
#ifndef LOSSI_LOSS_LOGIT_H
#define LOSSI_LOSS_LOGIT_H

#include "loss/exponentials.h"
#include "loss/pointwise.h"

/* Beyond DEEP e is made 2⁴⁰ times larger: LIFT is 40 log 2, whose rounding is less than an ulp of a. */
#if LOSSI_REAL == 32
#define LOGIT_DEEP 80.0f
#else
#define LOGIT_DEEP 700.0
#endif
#define LOGIT_LIFT ((real)27.725887222397812377)

/*
 * 1/(1 + e), roughly, for −LOGIT_DEEP ≤ log e ≤ 80, and *rest with which rough (1 + rest) is that to the last digit, for e ≤ 1. For
 * such e the difference of 1 and the rough one is exact, so that what 1 + e loses by rounding is no matter; above, it costs
 * a quarter of an ulp.
 */
LOSSI_INLINE vreal lossi_rough_inverse(vreal e, vreal *rest)
{
    const vreal one = v_set1(REAL(1.0)), d = one + e;
#if LOSSI_REAL == 32
    const vreal rough = one / d;
    *rest = v_fnma(rough, e, one - rough);
#else
    const vreal rough = f64_rough_reciprocal(d), first = v_fnma(rough, e, one - rough);
    *rest = v_fma(first, first, first); /* to 2⁻⁴⁶, of the series of 1/(1 − first) */
#endif
    return rough;
}

/* (1 + rest)² − 1 of such a rest, whose square in float32 is below all digits */
LOSSI_INLINE vreal lossi_rest_of_square(vreal rest)
{
    return LOSSI_REAL == 32 ? rest + rest : v_fma(rest, rest, rest + rest);
}

/* e^x for |x| ≤ LOGIT_DEEP, the same as v_exp(); beyond it is any number. NaN gives NaN. */
LOSSI_INLINE vreal lossi_exp_shallow(vreal x)
{
    vreal power;
    const vreal minus_one = lossi_exp_of_rest(x, &power);
    return v_fma(power, minus_one, power);
}

/* The same as v_exp_parts(): rounded nearly always to nearest, and what is missing. */
LOSSI_INLINE vreal lossi_exp_shallow_parts(vreal x, vreal *missing)
{
    vreal power, low;
    const vreal r = lossi_exp_reduce(x, &power, &low), tail = v_fma(r * r, v_exp_tail(r), low);
    const vreal one_plus = r + REAL(1.0), rest = (r - (one_plus - REAL(1.0))) + tail, head = one_plus + rest;
    *missing = (rest - (head - one_plus)) * power;
    return head * power;
}

typedef struct lossi_logit {
    vmask up; /* x ≥ 0 */
    vreal a, e, missing, large, large_missing, small, soft;
    vreal square, small_large;           /* large², and σ'(x) = small · large */
    vreal lifted, lifted_missing, lower; /* e = lifted · lower, with all digits below the normal numbers */
} lossi_logit;

/* For a formula of pointwise.h; without a point for others. */
LOSSI_INLINE lossi_logit lossi_logit_for(vreal x, lossi_point *out)
{
    const vreal one = v_set1(1);
    lossi_logit l;
    l.up = v_ge(x, v_set1(0));
    l.a = v_abs(x);
    l.e = l.lifted = v_exp_parts(v_copysign(x, v_set1(-1)), &l.lifted_missing);
    l.missing = l.lifted_missing;
    l.lower = one;
    const vmask deep = v_gt(l.a, v_set1(LOGIT_DEEP));
    if (out == NULL ? lossi_rare(deep) : lossi_unusual(out, deep)) {
        vreal missing;
        const vreal lifted = v_exp_parts(LOGIT_LIFT - v_select(deep, l.a, v_set1(LOGIT_DEEP)), &missing);
        l.lower = v_select(deep, v_set1((real)0x1p-40), one);
        l.lifted = v_select(deep, lifted, l.e);
        l.lifted_missing = v_select(deep, missing, l.missing);
    }
    /* the quotients by 1 + e, with the remainder of the first */
    const vreal d = one + l.e, d_missing = (l.e - (d - one)) + l.missing, inverse = one / d;
    const vreal rest = v_fnma(inverse, d, one) - inverse * d_missing;
    l.large = v_fma(rest, inverse, inverse);
    l.large_missing = v_fma(rest, inverse, inverse - l.large);
    l.small = l.e * l.large;
    l.soft = v_fma(l.missing, l.large, v_log1p_unit(l.e));
    const vreal square = l.large * l.large;
    l.square = square + (v_fma(l.large, l.large, -square) + (l.large + l.large) * l.large_missing);
    l.small_large = l.e * l.square;
    return l;
}

LOSSI_INLINE lossi_logit lossi_logit_of(vreal x)
{
    return lossi_logit_for(x, NULL);
}

/* What a target t in [0, 1] weighs the two sides with: the side x is wrong on, 1 − t for x ≥ 0, and the one it is right on. */
typedef struct lossi_sides {
    vreal wrong, right, apart;          /* apart: wrong − right */
    vreal wrong_missing, right_missing; /* what 1 − t lost by rounding */
} lossi_sides;

LOSSI_INLINE lossi_sides lossi_sides_of(const lossi_logit *l, vreal t)
{
    const vreal zero = v_set1(0), one = v_set1(1);
    const vreal other = one - t, missing = (one - other) - t, tilt = v_fma(v_set1(2), t, -one);
    lossi_sides w;
    w.wrong = v_select(l->up, other, t);
    w.right = v_select(l->up, t, other);
    w.apart = v_select(l->up, -tilt, tilt);
    w.wrong_missing = v_select(l->up, missing, zero);
    w.right_missing = v_select(l->up, zero, missing);
    return w;
}

#endif
