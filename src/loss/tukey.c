/*
 * Tukey's biweight: a quadratic that levels off and is constant beyond the scale.
 *
 *     r = prediction − target,  u = (r/c)²
 *     loss = (c²/6) (1 − (1 − u)³) = ½ r² (1 − u + u²/3)      |r| ≤ c
 *            c²/6                                             |r| > c
 *
 * Twice continuously differentiable. Beyond c the gradient is 0: a good start is needed. The customary scale is 4.685 times a
 * robust estimate of the standard deviation, for 95 % efficiency at the normal distribution.
 * Beaton & Tukey, The fitting of power series, meaning polynomials, illustrated on band-spectroscopic data (1974).
 */
#include "loss/robust.h"

enum { SCALE };

LOSSI_INLINE void tukey(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal zero = v_set1(0), one = v_set1(1), third = v_set1((real)(1.0 / 3)),
                c = v_set1(parameters[SCALE]);
    const vreal r = prediction - target, a = v_abs(r), q = a / c, u = q * q;
    const vreal left = (one - q) * (one + q); /* 1 − u */
    const vmask outside = v_gt(a, c);         /* false for NaN */

    out->value = v_select(outside, lossi_half_square(c) * third,
                          lossi_half_square(r) * v_fma(third * u, u, left));
    out->gradient = v_select(outside, zero, (r * left) * left);
    out->curvature = v_select(outside, zero, left * v_fnma(v_set1(5) * q, q, one));
    out->majorizer = v_select(outside, zero, left * left);
}

#define LOSSI_FORMULA tukey
#include "loss/pointwise_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {[SCALE] = LOSSI_SCALE(4.685)};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    const double c = prepared->parameters[SCALE];
    (void)values;
    /* 16/(25√5): the slope at u = 1/5 */
    prepared->bounds = (lossi_bounds){0.28621670111997307 * c, 1, 0, c * c / 6, 2};
}

extern const lossi_row lossi_row_tukey;
const lossi_row lossi_row_tukey = {
    .name = "tukey",
    .aliases = "biweight bisquare",
    .summary = "constant beyond the scale: residuals outside it do not count",
    .formula =
        "scale^2/6*(1 - (1 - (r/scale)^2)^3) if |r| <= scale, else scale^2/6, with r = prediction - target",
    .reference = "Beaton & Tukey, The fitting of power series (1974)",
    .elsewhere = "Ceres TukeyLoss, halved",
    .flags = LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_MAJORIZED,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
