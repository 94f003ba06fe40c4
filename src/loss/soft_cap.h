/*
 * The soft cap of a logit, c tanh(x/c), with what rounding takes from it, its slope and its bend: for losses of capped logits
 * (loss/adjusted_logits.h says why).
 */
#ifndef LOSSI_LOSS_SOFT_CAP_H
#define LOSSI_LOSS_SOFT_CAP_H

#include "simd/real.h"

/* Numbers of the options, which need not be numbers of the element type: a head and the rest. */
typedef struct lossi_adjustment {
    real cap, cap_missing; /* 0: none */
    real temperature, temperature_missing;
    real top, top_missing; /* c tanh(x/c) of the largest logit, before the temperature */
} lossi_adjustment;

typedef struct lossi_adjusted {
    vreal head, missing; /* z_j − m */
    vreal slope, bend;   /* of z by x: first and second derivative */
    vreal exponential;   /* e^(z_j − m) */
} lossi_adjusted;

/* c tanh(x/c), its slope and bend: not yet divided by the temperature. */
LOSSI_INLINE void lossi_adjusted_cap(const lossi_adjustment *by, vreal x, lossi_adjusted *out)
{
    const vreal one = v_set1(1), zero = v_set1(0), c = v_set1(by->cap);
    if (by->cap == 0) {
        *out = (lossi_adjusted){x, zero, one, zero, one};
        return;
    }
    /* where tanh is nearly 1 its slope is about 4u: what rounding takes from x/c would be seen in it as often as x/c is large */
    const vreal size = v_abs(x), ratio = size / c, inverse_cap = one / c;
    const vreal ratio_missing = v_where(v_lt(ratio, v_set1(REAL_INFINITY)),
                                        v_fnma(ratio, v_set1(by->cap_missing), v_fnma(ratio, c, size)) *
                                            inverse_cap);
    const vreal twice = v_set1(-2) * ratio, rough = v_exp_nonpositive(twice),
                moved = v_set1(-2) * ratio_missing * rough, u = rough + moved, far = one - u;
    const vmask near = v_gt(twice,
                            v_set1(REAL(-0.7))); /* about where e^(−2 |x|/c) is 1/2: 1 − u loses a digit */
    const vreal top = v_select(near, -(v_expm1(twice) + moved), far),
                top_missing = v_select(near, zero, (one - far) - u);
    const vreal bottom = one + u, bottom_missing = u - (bottom - one);
    const vreal quotient = top / bottom,
                left = (v_fnma(quotient, bottom, top) + (top_missing - quotient * bottom_missing)) / bottom;
    const vreal q = v_copysign(quotient, x), q_missing = v_select(v_lt(x, zero), -left, left);
    out->head = c * q;
    out->missing = v_fma(c, q, -out->head) + (c * q_missing + v_set1(by->cap_missing) * q);
    /* curvatures have the square of the slope: it gets what rounding takes from the divisor and the quotient */
    const vreal square = bottom * bottom, inverse = one / square, four = v_set1(4) * u,
                slope = four * inverse;
    const vreal square_missing = v_fma(bottom, bottom, -square) + v_set1(2) * bottom * bottom_missing;
    out->slope = v_fma(v_fnma(slope, square, four) - slope * square_missing, inverse, slope);
    out->bend = v_set1(-2) * q * out->slope / c;
}

#endif
