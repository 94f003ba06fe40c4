/*
 * Quantile loss, or pinball loss: its smallest mean is at the τ-quantile of the targets.
 *
 *     r = prediction − target
 *     loss = −τ r         r < 0    (the prediction is too low)
 *            (1 − τ) r    r ≥ 0
 *
 * The gradient at 0 is 0, the smallest subgradient; the curvature is 0. With |r| ≤ r²/(2|r₀|) + |r₀|/2 the majorizer is 1/(2|r|),
 * infinite at 0.
 * Koenker & Bassett, Regression quantiles (1978), eq. (3.1); majorizer: Hunter & Lange, Quantile regression via an MM algorithm
 * (2000), §2.
 */
#include "loss/sides.h"

enum { QUANTILE, REST = LOSSI_PARAMETERS - 1 };

LOSSI_INLINE void quantile(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal below = v_set1(parameters[QUANTILE]), above = v_set1(parameters[REST]), zero = v_set1(0);
    const vreal r = prediction - target, a = v_abs(r);

    out->gradient = lossi_step(r, -below, above);
    out->value = out->gradient * lossi_weighed(r, below, above);
    out->curvature = v_select(v_is_nan(r), r, zero);
    out->majorizer = v_set1((real)0.5) / a;
}

#define LOSSI_FORMULA quantile
#include "loss/pointwise_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [QUANTILE] = LOSSI_SIDES("quantile", "the quantile sought; the weight of predictions that are too low"),
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    const double quantile = prepared->parameters[QUANTILE];
    prepared->parameters[REST] = 1 - quantile;
    prepared->quantile = quantile;
    prepared->bounds = (lossi_bounds){quantile > 0.5 ? quantile : 1 - quantile, LOSSI_UNBOUNDED, 0,
                                      LOSSI_UNBOUNDED, 0};
}

extern const lossi_row lossi_row_quantile;
const lossi_row lossi_row_quantile = {
    .name = "quantile",
    .aliases = "pinball quantile_loss pinball_loss mean_pinball_loss reg_quantileerror",
    .summary = "asymmetric absolute error, smallest at a quantile",
    .formula = "-quantile*r if r < 0, else (1 - quantile)*r, with r = prediction - target",
    .reference = "Koenker & Bassett, Regression quantiles (1978), eq. (3.1)",
    .elsewhere = "scikit-learn PinballLoss and mean_pinball_loss; XGBoost reg:quantileerror; LightGBM "
                 "quantile; CatBoost Quantile; "
                 "Vowpal Wabbit quantile",
    .flags = LOSSI_CONVEX | LOSSI_POINTWISE | LOSSI_MAJORIZED,
    .constant = LOSSI_CONSTANT_QUANTILE,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
