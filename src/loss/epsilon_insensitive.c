/*
 * ε-insensitive loss of support vector regression: nothing up to ε, linear beyond.
 *
 *     loss = max(0, |r| − ε),   r = prediction − target
 *
 * Gradient and curvature at |r| = ε are 0, those of the inner piece. The majorizer is the smallest there is, of a parabola that
 * touches another piece: from the flat one an arm at the distance d = ||r| − ε|, 1/(2d); from an arm the flat one likewise, or
 * the other arm, 1/|r|. It is infinite at |r| = ε.
 * Vapnik, The nature of statistical learning theory (1995), eq. (6.1).
 */
#include "loss/held.h"

enum { EPSILON };

LOSSI_INLINE void epsilon_insensitive(vreal prediction, vreal target, const real *parameters,
                                      lossi_point *out)
{
    const vreal zero = v_set1(0), one = v_set1(1), half = v_set1((real)0.5);
    const vreal epsilon = v_set1(parameters[EPSILON]), r = prediction - target,
                excess = lossi_excess(r, epsilon);
    const vreal a = v_abs(r), gap = a - epsilon;
    const vmask active = v_gt(gap, zero);

    out->value = v_abs(excess);
    out->gradient = lossi_step(excess, -one, one);
    out->curvature = v_nan_where(v_is_nan(gap), zero);
    out->majorizer = v_select(active, one, half) / v_select(active, v_min(a, gap + gap), v_abs(gap));
}

#define LOSSI_FORMULA epsilon_insensitive
#define LOSSI_DOMAINS LOSSI_EVERYWHERE
#include "loss/pointwise_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [EPSILON] = {.name = "epsilon",
                 .type = LOSS_OPTION_DOUBLE,
                 .minimum = 0,
                 .maximum = 1e300,
                 .initial = 0.1,
                 .doc = "the size of residuals that cost nothing"},
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    if (prepared->parameters[EPSILON] == 0) {
        prepared->constant = LOSSI_CONSTANT_QUANTILE; /* the median */
    }
    prepared->bounds = (lossi_bounds){1, LOSSI_UNBOUNDED, 0, LOSSI_UNBOUNDED, 0};
}

extern const lossi_row lossi_row_epsilon_insensitive;
const lossi_row lossi_row_epsilon_insensitive = {
    .name = "epsilon_insensitive",
    .aliases = "svr_loss epsilon_insensitive_loss",
    .summary = "nothing up to epsilon, linear beyond: the loss of support vector regression",
    .formula = "max(0, |r| - epsilon), with r = prediction - target",
    .reference = "Vapnik, The nature of statistical learning theory (1995), eq. (6.1)",
    .elsewhere = "scikit-learn SGDRegressor epsilon_insensitive; LossFunctions.jl L1EpsilonInsLoss",
    .flags = LOSSI_CONVEX | LOSSI_POINTWISE | LOSSI_MAJORIZED,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
