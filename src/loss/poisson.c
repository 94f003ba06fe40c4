/*
 * Negative log-likelihood of counts whose mean a model gives, up to a constant of the target.
 *
 *     link log        loss = eˣ − y x            x = prediction, the logarithm of the mean
 *     link identity   loss = μ − y log μ         μ = prediction, the mean
 *
 * y is any number from 0 on. With the link log the gradient eˣ − y and the curvature eˣ overflow together with the loss; a mean of 0
 * has an infinite loss unless y is 0, in which case it is 0. PyTorch adds 1e-8 to the mean, which bends the loss near 0.
 * McCullagh & Nelder, Generalized linear models (2nd ed. 1989), §6.2.
 */
#include "loss/pointwise.h"

enum { LINK };

LOSSI_INLINE void poisson(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal zero = v_set1(0), one = v_set1(1), infinity = v_set1(REAL_INFINITY), x = prediction,
                y = target;
    if (parameters[LINK] != 0) {
        const vmask none = v_eq(y, zero), end = v_eq(x, infinity), ends = v_mask_and(end, v_eq(y, infinity));
        const vreal log = v_log(x), ratio = v_select(v_mask_or(none, end), zero, y / x);
        const vreal nan = v_select(v_is_nan(x), x, v_select(v_is_nan(y), y, zero));
        const vreal term = v_select(v_mask_or(none, v_eq(log, zero)), zero, y * log);
        out->value = nan + v_select(end, v_select(ends, -infinity, infinity), x - term);
        out->gradient = nan + v_select(end, v_select(ends, v_set1(REAL_NAN), one),
                                       v_select(v_gt(x, zero), (x - y) / x, one - ratio));
        out->curvature = nan + v_select(none, zero, ratio / x);
    } else {
        const vreal mean = v_exp(x);
        const vmask over = v_eq(mean, infinity), nan = v_is_nan(y); /* eˣ outgrows y x */
        const vreal linear = v_select(v_mask_or(v_eq(y, zero), v_eq(x, zero)), y - y, y * x);
        out->value = v_select(nan, y,
                              v_select(over, infinity, mean - v_select(v_eq(y, infinity), y * x, linear)));
        out->value = v_select(v_mask_and(v_eq(x, zero), v_eq(y, infinity)), one, out->value);
        out->gradient = v_select(nan, y, v_select(over, infinity, mean - y));
        out->curvature = v_select(nan, y, mean);
    }
    out->majorizer = out->curvature;
}

#define LOSSI_FORMULA poisson
#include "loss/pointwise_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [LINK] = {.name = "link",
              .type = LOSS_OPTION_STRING,
              .text = "log",
              .choices = "log|identity",
              .doc = "whether predictions are logarithms of means, or means"},
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    const int32_t identity = prepared->parameters[LINK] != 0;
    prepared->target.low = 0;
    prepared->prediction.low = identity ? 0 : prepared->prediction.low;
    prepared->link = identity ? LOSSI_LINK_IDENTITY : LOSSI_LINK_LOG;
    prepared->bounds.minimum = -LOSSI_UNBOUNDED;
    prepared->bounds.derivatives = LOSSI_UNBOUNDED;
}

extern const lossi_row lossi_row_poisson;
const lossi_row lossi_row_poisson = {
    .name = "poisson",
    .aliases = "poisson_nll poisson_nll_loss",
    .summary = "negative log-likelihood of counts",
    .formula = "exp(x) - y*x with the link log, x - y*log(x) with identity, x = prediction, y = target",
    .reference = "McCullagh & Nelder, Generalized linear models (2nd ed. 1989)",
    .elsewhere = "PyTorch PoissonNLLLoss; Keras Poisson (identity); scikit-learn HalfPoissonLoss; XGBoost "
                 "count:poisson; LightGBM poisson; CatBoost Poisson; Vowpal Wabbit poisson (deviance)",
    .elementary = "exp",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_PROBABILISTIC,
    .link = LOSSI_LINK_LOG,
    .constant = LOSSI_CONSTANT_MEAN,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
