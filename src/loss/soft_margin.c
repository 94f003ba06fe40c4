/*
 * Soft margin loss: the logistic loss of a margin.
 *
 *     loss = log(1 + e⁻ˢ),   s = y · prediction, y = −1 or +1
 *
 * What `logistic` gives for targets 0 and 1. The majorizer is tanh(s/2)/(2s).
 * Cox, The regression analysis of binary sequences (1958); majorizer: Jaakkola & Jordan, Bayesian parameter estimation via
 * variational methods (2000), eq. (9).
 */
#include "loss/logit.h"
#include "loss/margin.h"

enum { TARGET_ENCODING };

LOSSI_INLINE void soft_margin(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal zero = v_set1(0), half = v_set1((real)0.5);
    const vreal y = lossi_sign(target, parameters), s = y * prediction;
    const lossi_logit l = lossi_logit_of(s);

    out->value = l.soft + v_select(l.up, zero, l.a);
    out->gradient = -y * v_select(l.up, l.small, l.large);
    out->curvature = l.small_large;
    /* tanh(a/2)/(2a) = expm1(−a)/(−2a (1 + e)); ¼ at 0 */
    out->majorizer = v_select(v_lt(l.a, v_set1(REAL_MIN)), v_set1((real)0.25),
                              half * ((-v_expm1(-l.a) / l.a) * l.large));
}

#define LOSSI_FORMULA soft_margin
#include "loss/pointwise_kernels.h"

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
