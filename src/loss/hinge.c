/*
 * Hinge loss of the support vector machine.
 *
 *     loss = max(0, margin − y · prediction),   y = −1 or +1
 *
 * The gradient at the kink is 0, the smallest subgradient; the curvature is 0 and there is no majorizer.
 * Cortes & Vapnik, Support-vector networks (1995), eq. (8).
 */
#include "loss/margin.h"

enum { MARGIN, TARGET_ENCODING };

LOSSI_INLINE void hinge(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal zero = v_set1(0);
    const vreal against = lossi_against(target, parameters);
    const vreal gap = v_fma(against, prediction, v_set1(parameters[MARGIN]));
    const vmask nan = v_is_nan(gap);

    out->value = v_max(zero, gap); /* NaN stays */
    out->gradient = v_nan_where(nan, v_where(v_gt(gap, zero), against));
    out->curvature = v_nan_where(nan, zero);
    out->majorizer = out->curvature;
}

#define LOSSI_FORMULA hinge
#include "loss/pointwise_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [MARGIN] = {.name = "margin",
                .type = LOSS_OPTION_DOUBLE,
                .minimum = 0,
                .maximum = 1e300,
                .initial = 1,
                .doc = "the margin below which a prediction costs; 0 is the perceptron's loss"},
    [TARGET_ENCODING] = LOSSI_TARGET_ENCODING,
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    lossi_prepare_signs(values, TARGET_ENCODING, prepared);
    prepared->bounds.lipschitz = 1;
}

extern const lossi_row lossi_row_hinge;
const lossi_row lossi_row_hinge = {
    .name = "hinge",
    .aliases = "hinge_loss binary_hinge",
    .summary = "zero beyond the margin, linear before it: the loss of the support vector machine",
    .formula = "max(0, margin - y*prediction), y = -1 or +1",
    .reference = "Cortes & Vapnik, Support-vector networks (1995), eq. (8)",
    .elsewhere = "Keras Hinge; optax hinge_loss; scikit-learn SGDClassifier hinge; XGBoost binary:hinge; "
                 "Vowpal Wabbit hinge; LossFunctions.jl L1HingeLoss",
    .flags = LOSSI_CONVEX | LOSSI_POINTWISE | LOSSI_CLASSIFICATION | LOSSI_MARGIN,
    .options = options,
    .option_count = 2,
    .prepare = prepare,
};

#endif
