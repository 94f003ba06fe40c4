/*
 * The pieces of a logit x that the losses of σ(x) are made of, as logit.h has them, of float32 in double: no piece needs what
 * it lost by rounding, only e − 1 is made beside e for the formulas that take 1 away.
 *
 *     a = |x|, e = e⁻ᵃ, soft = log(1 + e) = −log σ(a)
 *
 * Quotients by 1 + e are the formula's, which often has another one to share the division with.
 */
#ifndef LOSSI_LOSS_LOGIT_SINGLE_H
#define LOSSI_LOSS_LOGIT_SINGLE_H

#include "simd/math_single.h"

typedef struct lossi_single_logit {
    f64m up; /* x ≥ 0 */
    f64v a, e, e_minus_one, soft;
} lossi_single_logit;

LOSSI_INLINE lossi_single_logit lossi_single_logit_of(f64v x)
{
    lossi_single_logit l;
    l.up = f64_ge(x, f64_set1(0));
    l.a = f64_abs(x);
    l.e = single_exp_nonpositive(-l.a, &l.e_minus_one);
    l.soft = single_log1p_unit(l.e);
    return l;
}

/* What a target t in [0, 1] weighs the two sides with: the side x is wrong on, 1 − t for x ≥ 0, and the one it is right on. */
typedef struct lossi_single_sides {
    f64v wrong, right, apart; /* apart: wrong − right */
} lossi_single_sides;

LOSSI_INLINE lossi_single_sides lossi_single_sides_of(f64m up, f64v t)
{
    const f64v other = 1.0 - t;
    lossi_single_sides w;
    w.wrong = f64_select(up, other, t);
    w.right = f64_select(up, t, other);
    w.apart = w.wrong - w.right;
    return w;
}

enum { SINGLE_MOST = 8 }; /* whole powers up to here are products */

/* A function of its own: it is long, wanted in several places, and by few calls. */
static __attribute__((noinline, unused)) f64v lossi_single_broken_power(f64v x, double y)
{
    return single_pow(x, f64_set1(y));
}

/* x^y of x ≥ 0, y the same for all; y = 0 is 1. */
LOSSI_INLINE f64v lossi_single_power(f64v x, double y)
{
    if (y < 0 || y > SINGLE_MOST || y != (double)(int)y) {
        return lossi_single_broken_power(x, y);
    }
    f64v power = f64_set1(1);
    for (int k = 0; k < (int)y; k++) {
        power = power * x;
    }
    return power;
}

#endif
