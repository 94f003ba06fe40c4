/*
 * Exponential loss, which AdaBoost makes small.
 *
 *     loss = exp(−y · prediction),   y = −1 or +1
 *
 * Nothing bounds it or its derivatives, and they overflow together. Its minimiser is half the logit of the probability. No
 * majorizer.
 * Freund & Schapire, A decision-theoretic generalization of on-line learning (1997); as a loss: Friedman, Hastie & Tibshirani,
 * Additive logistic regression (2000).
 */
#include "loss/margin.h"

enum { TARGET_ENCODING };

LOSSI_INLINE void exponential(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal y = lossi_sign(target, parameters), e = v_exp(-y * prediction);

    out->value = e;
    out->gradient = -y * e;
    out->curvature = e;
    out->majorizer = e;
}

#define LOSSI_FORMULA exponential
#include "loss/pointwise_long_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {[TARGET_ENCODING] = LOSSI_TARGET_ENCODING};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    lossi_prepare_signs(values, TARGET_ENCODING, prepared);
    prepared->bounds.derivatives = REAL_INFINITY;
}

extern const lossi_row lossi_row_exponential;
const lossi_row lossi_row_exponential = {
    .name = "exponential",
    .aliases = "adaboost exponential_loss",
    .summary = "grows exponentially on the wrong side: the loss of AdaBoost",
    .formula = "exp(-y*prediction), y = -1 or +1",
    .reference = "Friedman, Hastie & Tibshirani, Additive logistic regression (2000)",
    .elsewhere = "scikit-learn ExponentialLoss; LossFunctions.jl ExpLoss",
    .elementary = "exp",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_CLASSIFICATION | LOSSI_MARGIN,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
