/*
 * What losses share that weigh the two sides of a residual r = prediction − target differently: predictions that are too low
 * with τ, those that are too high with 1 − τ.
 */
#ifndef LOSSI_LOSS_SIDES_H
#define LOSSI_LOSS_SIDES_H

#include "loss/held.h"

#define LOSSI_DOMAINS LOSSI_EVERYWHERE

/* The option that says τ; 0 and 1 take one side away. */
#define LOSSI_SIDES(label, text)                                                                             \
    {                                                                                                        \
        .name = (label), .aliases = "tau alpha", .type = LOSS_OPTION_DOUBLE, .minimum = 0, .maximum = 1,     \
        .initial = 0.5, .doc = (text)                                                                        \
    }

/* How far out a side is looked at: where it is taken away not to infinity, so that the product with its weight is 0. */
LOSSI_INLINE vreal lossi_reach(vreal weight)
{
    return v_select(v_eq(weight, v_set1(0)), v_set1(REAL_MAX), v_set1(REAL_INFINITY));
}

/* A residual to be weighed. */
LOSSI_INLINE vreal lossi_weighed(vreal r, vreal below, vreal above)
{
    return lossi_held(r, -lossi_reach(below), lossi_reach(above));
}

/* The weight of its side; of 0, of either. */
LOSSI_INLINE vreal lossi_side(vreal r, vreal below, vreal above)
{
    return v_select(v_lt(r, v_set1(0)), below, above);
}

#endif
