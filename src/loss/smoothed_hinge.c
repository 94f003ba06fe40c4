/*
 * Smoothed hinge loss: the hinge loss with its corner rounded off over a width γ.
 *
 *     g = 1 − y · prediction,   y = −1 or +1
 *     loss = 0               g ≤ 0
 *            g²/(2γ)         0 < g ≤ γ
 *            g − γ/2         g > γ
 *
 * γ = 0 is the hinge loss, with its gradient 0 at the margin; four times the loss with γ = 2 is the modified Huber loss. The
 * curvature is 1/γ at g = γ, which is the inner piece's, and 0 at g = 0, where the gradient is 0. The majorizer is 1/γ.
 * Shalev-Shwartz & Zhang, Stochastic dual coordinate ascent methods (2013).
 */
#include "loss/held.h"
#include "loss/margin.h"

enum { GAMMA, TARGET_ENCODING, EDGE };

LOSSI_INLINE void smoothed_hinge(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal gamma = v_set1(parameters[GAMMA]), half = v_set1((real)0.5), one = v_set1(1),
                zero = v_set1(0);
    const vreal against = lossi_against(target, parameters), minus_s = against * prediction,
                gap = v_max(zero, one + minus_s);
    const vreal quotient = v_min(one, lossi_quotient(gap, gamma)),
                held = v_min(gamma, gap); /* both keep NaN */
    /* on s, because next to s = 1 − γ = 0 the difference rounds */
    const vmask costs = v_gt(minus_s, -one), tail = v_gt(minus_s, v_set1(-parameters[EDGE])),
                nan = v_is_nan(minus_s);
    const vreal rest = v_nan_where(nan, zero); /* of lanes that do not cost */

    out->value = quotient * v_fnma(half, held, gap); /* as in huber.c */
    out->gradient = v_fma(against, quotient, zero);  /* never −0 */
    out->curvature = v_select(tail, zero, v_select(costs, one / gamma, rest));
    out->majorizer = v_nan_where(nan, one / gamma);
}

#define LOSSI_FORMULA smoothed_hinge
#include "loss/pointwise_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [GAMMA] = {.name = "gamma",
               .type = LOSS_OPTION_DOUBLE,
               .minimum = 0,
               .maximum = 1e30,
               .initial = 1,
               .doc = "the width over which the corner is rounded off; 0 is the hinge"},
    [TARGET_ENCODING] = LOSSI_TARGET_ENCODING,
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    const double gamma = prepared->parameters[GAMMA];
    lossi_prepare_signs(values, TARGET_ENCODING, prepared);
    prepared->parameters[EDGE] = 1 - gamma; /* below it the loss is linear */
    prepared->bounds.lipschitz = 1;
    if (gamma > 0) {
        prepared->bounds.curvature = 1 / gamma;
        prepared->bounds.derivatives = 1;
    } else {
        prepared->flags &= ~(uint32_t)(LOSSI_SMOOTH | LOSSI_MAJORIZED);
    }
}

extern const lossi_row lossi_row_smoothed_hinge;
const lossi_row lossi_row_smoothed_hinge = {
    .name = "smoothed_hinge",
    .aliases = "smooth_hinge smoothed_hinge_loss",
    .summary = "the hinge loss with its corner rounded off",
    .formula = "0 if g <= 0, g^2/(2*gamma) if g <= gamma, else g - gamma/2, with g = 1 - y*prediction, "
               "y = -1 or +1",
    .reference = "Shalev-Shwartz & Zhang, Stochastic dual coordinate ascent methods for regularized loss "
                 "minimization (2013)",
    .elsewhere = "LossFunctions.jl SmoothedL1HingeLoss",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_CLASSIFICATION | LOSSI_MARGIN |
             LOSSI_MAJORIZED,
    .options = options,
    .option_count = 2,
    .prepare = prepare,
};

#endif
