/*
 * Huber loss: quadratic near zero, linear in the tails.
 *
 *     r = prediction − target
 *     loss = ½ r²                 |r| ≤ δ
 *            δ (|r| − ½ δ)        |r| > δ
 *
 * The gradient is continuous; the curvature drops from 1 to 0 at |r| = δ, where the inner piece counts.
 * Huber, Robust estimation of a location parameter (1964), eq. (6).
 */
#include "loss/held.h"

enum { DELTA };

LOSSI_INLINE void huber(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    /* a δ beyond the type's range is its largest number: infinity would have no half */
    const vreal delta = v_min(v_set1(REAL_MAX), v_set1(parameters[DELTA])), half = v_set1((real)0.5),
                one = v_set1(1), zero = v_set1(0);
    const vreal r = prediction - target, a = v_abs(r);
    const vmask tail = v_gt(a, delta); /* false for NaN, which the inner piece passes on */
    const vreal held = lossi_held(r, -delta, delta);

    /* r (r − ½ r) inside; ±δ (±|r| ∓ ½ δ) in the tails */
    out->value = held * v_fnma(half, held, r);
    out->gradient = held;
    out->curvature = v_select(tail, zero, v_select(v_is_nan(r), r, one));
    out->majorizer = v_select(tail, delta / a, v_select(v_is_nan(r), r, one));
}

#define LOSSI_FORMULA huber
#define LOSSI_DOMAINS LOSSI_EVERYWHERE
#include "loss/pointwise_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [DELTA] = {.name = "delta",
               .type = LOSS_OPTION_DOUBLE,
               .minimum = 1e-300,
               .maximum = 1e300,
               .initial = 1,
               .doc = "where the quadratic turns linear"},
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    prepared->bounds = (lossi_bounds){prepared->parameters[DELTA], 1, 0, LOSSI_UNBOUNDED, 1};
}

extern const lossi_row lossi_row_huber;
const lossi_row lossi_row_huber = {
    .name = "huber",
    .aliases = "huber_loss",
    .summary = "quadratic near zero, linear in the tails",
    .formula = "r^2/2 if |r| <= delta, else delta*(|r| - delta/2), with r = prediction - target",
    .reference = "Huber, Robust estimation of a location parameter (1964)",
    .elsewhere = "PyTorch HuberLoss; Keras Huber; optax huber_loss; scikit-learn HuberLoss; LightGBM huber; "
                 "CatBoost Huber; Ceres HuberLoss; mlpack HuberLoss",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_MAJORIZED,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
