/*
 * Soft margin loss: the logistic loss of a margin.
 *
 *     loss = log(1 + e⁻ˢ),   s = y · prediction, y = −1 or +1
 *
 * What `logistic` gives for targets 0 and 1. The majorizer is tanh(s/2)/(2s).
 * Cox, The regression analysis of binary sequences (1958); majorizer: Jaakkola & Jordan, Bayesian parameter estimation via
 * variational methods (2000), eq. (9).
 */
#include "loss/margin.h"

enum { TARGET_ENCODING };

LOSSI_INLINE void soft_margin(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal zero = v_set1(0), one = v_set1(1), half = v_set1((real)0.5);
    const vreal y = lossi_sign(target, parameters), s = y * prediction;
    const vmask up = v_ge(s, zero);
    const vreal below = v_copysign(s, v_set1(-1)), a = -below, e = v_exp_nonpositive(below);
    const vreal d = one + e, large = one / d; /* σ(|s|) */
    const vreal nearest = v_fma(v_fnma(large, d, one) - large * (e - (d - one)), large, large);

    out->value = v_log1p_unit(e) + v_select(up, zero, a);
    out->gradient = -y * (v_select(up, e, one) * large);
    out->curvature = e * (nearest * nearest);
    /* tanh(a/2)/(2a) = expm1(−a)/(−2a (1 + e)); ¼ at 0 */
    out->majorizer = v_select(v_lt(a, v_set1(REAL_MIN)), v_set1((real)0.25),
                              half * ((-v_expm1(-a) / a) * large));
}

#define LOSSI_FORMULA soft_margin
#include "loss/pointwise_long_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {[TARGET_ENCODING] = LOSSI_TARGET_ENCODING};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    if (lossi_prepare_signs(values, TARGET_ENCODING, prepared)) {
        prepared->constant = LOSSI_CONSTANT_MEAN; /* of targets that are probabilities */
    }
    prepared->bounds.lipschitz = 1;
    prepared->bounds.curvature = 0.25;
    prepared->bounds.derivatives = REAL_INFINITY;
}

extern const lossi_row lossi_row_soft_margin;
const lossi_row lossi_row_soft_margin = {
    .name = "soft_margin",
    .aliases = "soft_margin_loss logit_margin",
    .summary = "the logistic loss of a margin",
    .formula = "log(1 + exp(-y*prediction)), y = -1 or +1",
    .reference = "Cox, The regression analysis of binary sequences (1958)",
    .elsewhere = "PyTorch SoftMarginLoss; LossFunctions.jl LogitMarginLoss",
    .elementary = "exp log1p",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_CLASSIFICATION | LOSSI_MARGIN |
             LOSSI_PROBABILISTIC | LOSSI_MAJORIZED,
    .link = LOSSI_LINK_LOGIT,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
