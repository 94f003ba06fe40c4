/*
 * What losses share that weigh the two sides of a residual r = prediction − target differently: predictions that are too low
 * with τ, those that are too high with 1 − τ.
 */
#ifndef LOSSI_LOSS_SIDES_H
#define LOSSI_LOSS_SIDES_H

#include "loss/pointwise.h"

#define LOSSI_DOMAINS LOSSI_EVERYWHERE

/* The option that says τ; 0 and 1 take one side away. */
#define LOSSI_SIDES(label, text)                                                                             \
    {                                                                                                        \
        .name = (label), .type = LOSS_OPTION_DOUBLE, .minimum = 0, .maximum = 1, .initial = 0.5,             \
        .doc = (text)                                                                                        \
    }

/* A residual to be weighed: on a side that is taken away it is finite, so that the product is 0 out to infinity. */
LOSSI_INLINE vreal lossi_weighed(vreal weight, vreal r)
{
    const vreal finite = v_copysign(v_min(v_set1(REAL_MAX), v_abs(r)), r); /* keeps NaN */
    return v_select(v_eq(weight, v_set1(0)), finite, r);
}

#endif
