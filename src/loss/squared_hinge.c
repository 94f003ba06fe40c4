/*
 * Squared hinge loss: the hinge loss of the support vector machine, squared and so with a continuous gradient.
 *
 *     loss = max(0, margin − y · prediction)²,   y = −1 or +1
 *
 * The curvature drops from 2 to 0 at the margin, where the gradient is 0 and the flat piece counts. The majorizer is 2.
 * Chang, Hsieh & Lin, Coordinate descent method for large-scale L2-loss linear support vector machines (2008).
 */
#include "loss/margin.h"

enum { MARGIN, TARGET_ENCODING };

LOSSI_INLINE void squared_hinge(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal zero = v_set1(0), two = v_set1(2), against = lossi_against(target, parameters);
    const vreal gap = v_fma(against, prediction, v_set1(parameters[MARGIN]));
    const vreal violation = v_max(zero, gap); /* keeps NaN */
    const vmask nan = v_is_nan(gap);

    out->value = violation * violation;
    out->gradient = against * (two * violation);
    out->curvature = v_select(v_gt(gap, zero), two, v_select(nan, gap, zero));
    out->majorizer = v_select(nan, gap, two);
}

#define LOSSI_FORMULA squared_hinge
#include "loss/pointwise_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [MARGIN] = {.name = "margin",
                .type = LOSS_OPTION_DOUBLE,
                .minimum = 0,
                .maximum = 1e300,
                .initial = 1,
                .doc = "the margin below which a prediction costs"},
    [TARGET_ENCODING] = LOSSI_TARGET_ENCODING,
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    lossi_prepare_signs(values, TARGET_ENCODING, prepared);
    prepared->bounds.curvature = 2;
    prepared->bounds.derivatives = 1;
}

extern const lossi_row lossi_row_squared_hinge;
const lossi_row lossi_row_squared_hinge = {
    .name = "squared_hinge",
    .aliases = "squared_hinge_loss l2_hinge",
    .summary = "the hinge loss squared, with a continuous gradient",
    .formula = "max(0, margin - y*prediction)^2, y = -1 or +1",
    .reference =
        "Chang, Hsieh & Lin, Coordinate descent method for large-scale L2-loss linear support vector "
        "machines (2008)",
    .elsewhere = "Keras SquaredHinge; scikit-learn squared_hinge; LossFunctions.jl L2HingeLoss",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_CLASSIFICATION | LOSSI_MARGIN |
             LOSSI_MAJORIZED,
    .options = options,
    .option_count = 2,
    .prepare = prepare,
};

#endif
