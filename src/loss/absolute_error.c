/*
 * Absolute error.
 *
 *     loss = |prediction − target|
 *
 * The gradient at 0 is 0, the smallest subgradient; the curvature is 0. The majorizer 1/|r| (infinite at 0) is the weight
 * of iteratively reweighted least squares: |r| ≤ r²/(2|r₀|) + |r₀|/2.
 * Boscovich, De litteraria expeditione (1757); majorizer: Hunter & Lange, A tutorial on MM algorithms (2004), §3.
 */
#include "loss/held.h"

LOSSI_INLINE void absolute_error(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal zero = v_set1(0), one = v_set1(1);
    const vreal r = prediction - target, a = v_abs(r);
    (void)parameters;

    out->value = a;
    out->gradient = lossi_step(r, -one, one);
    out->curvature = v_select(v_is_nan(r), r, zero);
    out->majorizer = one / a;
}

#define LOSSI_FORMULA absolute_error
#define LOSSI_DOMAINS LOSSI_EVERYWHERE
#include "loss/pointwise_kernels.h"

#ifdef LOSSI_ONCE

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    prepared->bounds = (lossi_bounds){1, LOSSI_UNBOUNDED, 0, LOSSI_UNBOUNDED, 0};
}

extern const lossi_row lossi_row_absolute_error;
const lossi_row lossi_row_absolute_error = {
    .name = "absolute_error",
    .aliases = "mae l1_loss mean_absolute_error l1 regression_l1 reg_absoluteerror",
    .summary = "the absolute value of the difference",
    .formula = "|r|, with r = prediction - target",
    .reference = "Boscovich, De litteraria expeditione (1757)",
    .elsewhere = "PyTorch L1Loss; Keras MeanAbsoluteError; scikit-learn AbsoluteError; XGBoost "
                 "reg:absoluteerror; LightGBM regression_l1; CatBoost MAE; mlpack L1Loss",
    .flags = LOSSI_CONVEX | LOSSI_POINTWISE | LOSSI_MAJORIZED,
    .constant = LOSSI_CONSTANT_QUANTILE,
    .prepare = prepare,
};

#endif
