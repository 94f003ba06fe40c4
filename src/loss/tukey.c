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
#include "loss/held.h"
#include "loss/robust.h"

enum { SCALE };

LOSSI_INLINE void tukey(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal zero = v_set1(0), one = v_set1(1), sixth = v_set1((real)(1.0 / 6)),
                c = v_set1(parameters[SCALE]);
    const vreal r = prediction - target, held = lossi_held(r, -c, c), q = lossi_over(held, c);
    const vreal left = v_fnma(q, q, one);    /* 1 − u */
    const vmask outside = v_gt(v_abs(r), c); /* false for NaN */

    /* ½ (1 − u + u²/3) is (1 + l + l²)/6 with l = 1 − u; where the residual is held, l is 0 */
    out->value = (held * v_fma(v_fma(left, left, left), sixth, sixth)) * held;
    out->gradient = v_fma(held * left, left, zero); /* not −0 there */
    out->curvature = v_select(outside, zero, left * v_fnma(v_set1(5) * q, q, one));
    out->majorizer = left * left;
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
