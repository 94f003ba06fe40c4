/*
 * What losses share that are bounded by a width: quadratic over it and linear beyond, or nothing over it.
 *
 * Minimum and maximum hold a residual between two numbers in two instructions and keep NaN; comparisons and selects take
 * three times as many.
 */
#ifndef LOSSI_LOSS_HELD_H
#define LOSSI_LOSS_HELD_H

#include "loss/pointwise.h"

LOSSI_INLINE vreal lossi_held(vreal r, vreal low, vreal high)
{
    return v_max(low, v_min(high, r));
}

/* Twice this makes of the smallest number more than 1. */
#if LOSSI_REAL == 32
#define HELD_UP REAL(0x1p100)
#else
#define HELD_UP REAL(0x1p600)
#endif

/* low ≤ 0 where r is negative, high ≥ 0 where it is positive, both at most 1; r where it is 0 or NaN. */
LOSSI_INLINE vreal lossi_step(vreal r, vreal low, vreal high)
{
    return lossi_held((r * HELD_UP) * HELD_UP, low, high);
}

/* What r has beyond ±width, with its sign: +0 within. */
LOSSI_INLINE vreal lossi_excess(vreal r, vreal width)
{
    return r - lossi_held(r, -width, width);
}

/*
 * r/β, or far more than 1 where it is that, by the reciprocal: a division would cost more than all the rest. A small β and r
 * are scaled up first, for the reciprocal to be a number; with β = 0 every r but 0 becomes far more than 1.
 */
LOSSI_INLINE vreal lossi_quotient(vreal r, vreal beta)
{
    const vreal up = v_set1(1 / REAL_MIN);
    const vreal scale = v_select(v_lt(beta, v_set1(REAL_EPSILON)), up, v_set1(1));
    return (r * scale) * v_min(v_set1(1) / (beta * scale), up);
}

#endif
