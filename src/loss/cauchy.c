/*
 * Cauchy loss, or Lorentzian: the logarithm of a Student t with one degree of freedom.
 *
 *     r = prediction − target,  u = (r/c)²
 *     loss = ½ c² log(1 + u)
 *
 * The gradient is r/(1 + u), at most ½ c and going to 0 far out: not convex beyond |r| = c.
 * Black & Anandan, The robust estimation of multiple motions (1996), §3 (Lorentzian); Huber & Ronchetti, Robust Statistics
 * (2nd ed. 2009), §7.8 for the majorizer ψ(r)/r.
 */
#include "loss/robust.h"

enum { SCALE };

LOSSI_INLINE void cauchy(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal one = v_set1(1), half = v_set1((real)0.5), two = v_set1(2), c = v_set1(parameters[SCALE]);
    const lossi_ratio x = lossi_ratio_of(prediction - target, c);
    const lossi_weight w = lossi_weight_of(x.q);
    const vmask small = v_mask_and(lossi_weight_is_one(&w), v_ne(x.r, v_set1(0)));
    const vreal p = lossi_weight_nearest(&w);

    out->value = (c * lossi_weight_log(&w)) * (half * c);
    out->gradient = x.r * w.p;
    out->majorizer = p;
    out->curvature = ((one - x.q) * (one + x.q)) * (p * p);
    if (lossi_unusual(out, small)) {
        out->value = v_select(small, lossi_half_square(x.r), out->value);
    }
    if (lossi_unusual(out, x.large)) { /* (1 − u)/(1 + u)² = −1/u */
        const vreal far = c / x.a;
        out->value = v_select(x.large, (c * (two * lossi_ratio_log(&x))) * (half * c), out->value);
        out->gradient = v_select(x.large, v_copysign(c, x.r) * far, out->gradient);
        out->majorizer = v_select(x.large, far * far, out->majorizer);
        out->curvature = v_select(x.large, -(far * far), out->curvature);
    }
}

#define LOSSI_FORMULA cauchy
#include "loss/pointwise_long_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {[SCALE] = LOSSI_SCALE(1)};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    prepared->bounds = (lossi_bounds){
        prepared->parameters[SCALE] / 2, 1, 0, LOSSI_UNBOUNDED, LOSSI_UNBOUNDED,
    };
}

extern const lossi_row lossi_row_cauchy;
const lossi_row lossi_row_cauchy = {
    .name = "cauchy",
    .aliases = "lorentzian",
    .summary = "logarithm of the square: the negative log-likelihood of a Cauchy distribution's location",
    .formula = "scale^2/2*log(1 + (r/scale)^2), with r = prediction - target",
    .reference = "Black & Anandan, The robust estimation of multiple motions (1996)",
    .elsewhere = "Ceres CauchyLoss; Barron's general loss with alpha = 0",
    .elementary = "log1p",
    .flags = LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_MAJORIZED,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
