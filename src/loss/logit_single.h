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

#endif
