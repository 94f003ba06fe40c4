/*
 * Modified Huber loss: a squared hinge that turns linear where a prediction is far on the wrong side.
 *
 *     s = y · prediction,   y = −1 or +1
 *     loss = 0               s ≥ 1
 *            (1 − s)²        −1 ≤ s < 1
 *            −4 s            s < −1
 *
 * The gradient is continuous. The curvature is 2 at s = −1, which is the inner piece's, and 0 at s = 1, where the gradient is
 * 0. The majorizer is 2.
 * Zhang, Solving large scale linear prediction problems using stochastic gradient descent algorithms (2004).
 */
#include "loss/margin.h"

enum { TARGET_ENCODING };

LOSSI_INLINE void modified_huber(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal zero = v_set1(0), one = v_set1(1), two = v_set1(2), four = v_set1(4);
    const vreal against = lossi_against(target, parameters), minus_s = against * prediction;
    const vreal gap = v_max(zero, one + minus_s), held = v_min(two, gap); /* both keep NaN */
    const vmask tail = v_gt(minus_s, one), inner = v_gt(minus_s, v_set1(-1)), nan = v_is_nan(minus_s);

    /* −4 s ≤ (1 − s)² of s ≥ −1, and is above the 4 that is held of the square beyond */
    out->value = v_max(held * held, four * minus_s);
    out->gradient = against * (two * held);
    out->curvature = v_select(tail, zero, v_select(inner, two, v_nan_where(nan, zero)));
    out->majorizer = v_nan_where(nan, two);
}

#define LOSSI_FORMULA modified_huber
#include "loss/pointwise_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {[TARGET_ENCODING] = LOSSI_TARGET_ENCODING};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    lossi_prepare_signs(values, TARGET_ENCODING, prepared);
    prepared->bounds.lipschitz = 4;
    prepared->bounds.curvature = 2;
    prepared->bounds.derivatives = 1;
}

extern const lossi_row lossi_row_modified_huber;
const lossi_row lossi_row_modified_huber = {
    .name = "modified_huber",
    .aliases = "modified_huber_hinge modified_huber_loss",
    .summary = "a squared hinge that turns linear far on the wrong side",
    .formula = "0 if s >= 1, (1 - s)^2 if s >= -1, else -4*s, with s = y*prediction, y = -1 or +1",
    .reference = "Zhang, Solving large scale linear prediction problems using stochastic gradient descent "
                 "algorithms (2004)",
    .elsewhere = "scikit-learn SGDClassifier modified_huber; LossFunctions.jl ModifiedHuberLoss",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_CLASSIFICATION | LOSSI_MARGIN |
             LOSSI_MAJORIZED,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
