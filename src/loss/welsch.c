/*
 * Welsch loss, or Leclerc: one minus a Gaussian.
 *
 *     r = prediction − target,  u = (r/c)²
 *     loss = ½ c² (1 − e⁻ᵘ)
 *
 * The gradient r e⁻ᵘ is largest at u = ½ and soon nothing. e⁻ᵘ is the square of e^(−u/2), so that r e⁻ᵘ keeps its digits
 * where e⁻ᵘ alone would be subnormal.
 * Dennis & Welsch, Techniques for nonlinear least squares and robust regression (1978); Leclerc, Constructing simple stable
 * descriptions for image partitioning (1989).
 */
#include "loss/robust.h"

enum { SCALE };

LOSSI_INLINE void welsch(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal one = v_set1(1), half = v_set1((real)0.5), c = v_set1(parameters[SCALE]);
    const lossi_decay d = lossi_decay_of(prediction - target, c);
    const vmask small = v_mask_and(v_lt(d.u, v_set1(ROBUST_TINY)), v_ne(d.r, v_set1(0)));
    const vreal twice = d.q + d.q,
                bend = v_fnma(twice, d.q, one) - (twice + twice) * d.q_missing; /* 1 − 2u */

    out->value = (c * d.one_minus) * (half * c);
    if (lossi_unusual(out, small)) {
        out->value = v_select(small, lossi_half_square(d.r), out->value);
    }
    out->gradient = (d.r * d.half) * d.half;
    out->curvature = (bend * d.half) * d.half;
    out->majorizer = d.half * d.half;
}

#define LOSSI_FORMULA welsch
#include "loss/pointwise_long_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {[SCALE] = LOSSI_SCALE(1)};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    const double c = prepared->parameters[SCALE];
    (void)values;
    /* 1/√(2e): the slope at u = ½ */
    prepared->bounds = (lossi_bounds){0.42888194248035344 * c, 1, 0, c * c / 2, LOSSI_UNBOUNDED};
}

extern const lossi_row lossi_row_welsch;
const lossi_row lossi_row_welsch = {
    .name = "welsch",
    .aliases = "leclerc",
    .summary = "one minus a Gaussian: residuals far out do not count",
    .formula = "scale^2/2*(1 - exp(-(r/scale)^2)), with r = prediction - target",
    .reference = "Dennis & Welsch, Techniques for nonlinear least squares and robust regression (1978)",
    .elsewhere = "Barron's general loss with alpha = -infinity, whose scale is this one / sqrt(2)",
    .elementary = "exp",
    .flags = LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_MAJORIZED,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
