/*
 * Perceptron loss: the distance of a prediction from the right side of 0, and 0 on it.
 *
 *     loss = max(0, −y · prediction),   y = −1 or +1
 *
 * The hinge loss with margin 0. The gradient at 0 is 0, the smallest subgradient; there is no majorizer.
 * Rosenblatt, The perceptron (1958).
 */
#include "loss/margin.h"

enum { TARGET_ENCODING };

LOSSI_INLINE void perceptron(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal zero = v_set1(0);
    const vreal against = lossi_against(target, parameters);
    const vreal gap = v_fma(against, prediction, zero); /* not −0 */
    const vmask nan = v_is_nan(gap);

    out->value = v_max(zero, gap); /* NaN stays */
    out->gradient = v_nan_where(nan, v_where(v_gt(gap, zero), against));
    out->curvature = v_nan_where(nan, zero);
    out->majorizer = out->curvature;
}

#define LOSSI_FORMULA perceptron
#include "loss/pointwise_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {[TARGET_ENCODING] = LOSSI_TARGET_ENCODING};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    lossi_prepare_signs(values, TARGET_ENCODING, prepared);
    prepared->bounds.lipschitz = 1;
}

extern const lossi_row lossi_row_perceptron;
const lossi_row lossi_row_perceptron = {
    .name = "perceptron",
    .aliases = "perceptron_loss",
    .summary = "how far a prediction is on the wrong side of 0",
    .formula = "max(0, -y*prediction), y = -1 or +1",
    .reference = "Rosenblatt, The perceptron (1958)",
    .elsewhere =
        "optax perceptron_loss; scikit-learn SGDClassifier perceptron; LossFunctions.jl PerceptronLoss",
    .flags = LOSSI_CONVEX | LOSSI_POINTWISE | LOSSI_CLASSIFICATION | LOSSI_MARGIN,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
