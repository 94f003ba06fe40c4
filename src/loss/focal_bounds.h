/*
 * The bounds of a focal term, for prepare(): the largest slope and curvature of −(1 − p)^γ log p with p = σ(x). The slope rises
 * above 1, its limit for x → −∞, before it reaches it. A soft target stays below a certain one in both; that was searched, not
 * proved, for γ from 0.01 to 50.
 */
#ifndef LOSSI_LOSS_FOCAL_BOUNDS_H
#define LOSSI_LOSS_FOCAL_BOUNDS_H

#include <math.h>

#include "loss/supremum.h"

/* At a = −x, so that what is wrong is on the right; e = eˣ. */
static double focal_steepness(double a, const double *gamma)
{
    const double e = exp(-a), large = 1 / (1 + e);
    return pow(large, *gamma) * large * (1 + *gamma * e * (a + log1p(e)));
}

static double focal_bend(double a, const double *gamma)
{
    const double g = *gamma, e = exp(-a), large = 1 / (1 + e);
    return pow(large, g) * large * large * e * (g * (a + log1p(e)) * (g * e - 1) + 2 * g + 1);
}

static inline double focal_lipschitz(double gamma)
{
    const double largest = lossi_supremum(focal_steepness, &gamma, 0, 40);
    return largest > 1 ? largest : 1;
}

static inline double focal_largest_curvature(double gamma)
{
    return lossi_supremum(focal_bend, &gamma, -2, 18);
}

#endif
