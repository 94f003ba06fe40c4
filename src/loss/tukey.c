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

enum { SCALE, MISSING /* of the scale, in float32 */ };

LOSSI_INLINE void tukey(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal zero = v_set1(0), one = v_set1(1), sixth = v_set1((real)(1.0 / 6)),
                c = v_set1(parameters[SCALE]);
    const vreal r = prediction - target, held = lossi_held(r, -c, c), q = lossi_over(held, c);
    const vmask outside = v_gt(v_abs(r), c); /* false for NaN */
    /* where 1 − u or 1 − 5 u are nearly 0, what q and the scale, which may be no number of float32, lost by rounding shows */
    vreal rest = v_fnma(q, c, held);
    if (LOSSI_REAL == 32) {
        rest = v_fnma(q, v_set1(parameters[MISSING]), rest);
    }
    const vreal q_missing = rest * (one / c), inside = v_fnma(q + q, q_missing, v_fnma(q, q, one));
    const vreal left = LOSSI_REAL == 32 ? v_select(outside, zero, inside) : inside;

    /* ½ (1 − u + u²/3) is (1 + l + l²)/6 with l = 1 − u, which is 0 outside */
    out->value = (held * v_fma(v_fma(left, left, left), sixth, sixth)) * held;
    out->gradient = v_fma(held * left, left, zero); /* not −0 outside */
    out->curvature = v_fma(left, lossi_square_left(5, q, q_missing), zero);
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
    prepared->parameters[MISSING] = c - (double)(float)c;
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
