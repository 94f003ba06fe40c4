/* What losses share that are quadratic over a width and linear beyond it. */
#ifndef LOSSI_LOSS_HELD_H
#define LOSSI_LOSS_HELD_H

#include "loss/pointwise.h"

/*
 * r/β between −1 and 1, by the reciprocal: a division would cost more than all the rest. A small β and r are scaled up first,
 * for the reciprocal to be a number; with β = 0 every r but 0 becomes far more than 1.
 */
LOSSI_INLINE vreal lossi_held_quotient(vreal r, vreal beta)
{
    const vreal one = v_set1(1), up = v_set1(1 / REAL_MIN);
    const vreal scale = v_select(v_lt(beta, v_set1(REAL_EPSILON)), up, one);
    const vreal reciprocal = v_min(one / (beta * scale), up);
    return v_max(-one, v_min(one, (r * scale) * reciprocal));
}

#endif
