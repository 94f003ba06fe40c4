/*
 * Geman–McClure loss: a quadratic that levels off.
 *
 *     r = prediction − target,  u = (r/c)²
 *     loss = ½ c² u/(1 + u)
 *
 * The gradient r/(1 + u)² is largest at u = 1/3, where the curvature changes its sign.
 * Geman & McClure, Statistical methods for tomographic image reconstruction (1987), with ½ c² so that the curvature at 0 is 1.
 */
#include "loss/robust.h"

enum { SCALE };

LOSSI_INLINE void geman_mcclure(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal half = v_set1((real)0.5), three = v_set1(3), c = v_set1(parameters[SCALE]);
    const lossi_ratio x = lossi_ratio_of(prediction - target, c);
    const lossi_weight w = lossi_weight_of(x.q);
    vreal square;
    const vreal p = lossi_weight_squared(&w, &square), level = x.r * p;

    out->value = (half * x.r) * level;
    out->gradient = level * p;
    out->majorizer = square;
    out->curvature = lossi_square_left(3, x.q, lossi_over_missing(x.q, x.a, c)) * (square * p);
    if (lossi_rare(x.large)) { /* ½ c², and 1/(1 + u)² is (c/r)⁴ */
        const vreal far = c / x.a, far_square = far * far, fourth = far_square * far_square;
        out->value = v_select(x.large, lossi_half_square(c), out->value);
        out->gradient = v_select(x.large, (v_copysign(c, x.r) * far) * far * far, out->gradient);
        out->majorizer = v_select(x.large, fourth, out->majorizer);
        out->curvature = v_select(x.large, -three * fourth, out->curvature);
    }
}

#define LOSSI_FORMULA geman_mcclure
#include "loss/pointwise_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {[SCALE] = LOSSI_SCALE(1)};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    const double c = prepared->parameters[SCALE];
    (void)values;
    /* 3√3/16: the slope at u = 1/3 */
    prepared->bounds = (lossi_bounds){0.32475952641916450 * c, 1, 0, c * c / 2, LOSSI_UNBOUNDED};
}

extern const lossi_row lossi_row_geman_mcclure;
const lossi_row lossi_row_geman_mcclure = {
    .name = "geman_mcclure",
    .aliases = "",
    .summary = "a quadratic that levels off at scale^2/2",
    .formula = "scale^2/2*u/(1 + u), u = (r/scale)^2, with r = prediction - target",
    .reference = "Geman & McClure, Statistical methods for tomographic image reconstruction (1987)",
    .elsewhere = "Barron's general loss with alpha = -2, whose scale is half of this one",
    .flags = LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_MAJORIZED,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
