/*
 * Squared ε-insensitive loss: nothing up to ε, the square of the excess beyond.
 *
 *     loss = max(0, |r| − ε)²,   r = prediction − target
 *
 * The gradient is continuous; the curvature at |r| = ε is 0, that of the inner piece. With ε = 0 it is the squared error.
 * Vapnik, The nature of statistical learning theory (1995), §6.1.
 */
#include "loss/held.h"

enum { EPSILON };

LOSSI_INLINE void squared_epsilon_insensitive(vreal prediction, vreal target, const real *parameters,
                                              lossi_point *out)
{
    const vreal zero = v_set1(0), two = v_set1(2), r = prediction - target;
    const vreal epsilon = v_set1(parameters[EPSILON]), gap = v_abs(r) - epsilon,
                excess = lossi_excess(r, epsilon);
    const vmask active = v_gt(gap, zero), nan = v_is_nan(gap),
                whole = v_eq(epsilon, zero); /* no inner piece */

    out->value = excess * excess;
    out->gradient = two * excess;
    out->curvature = v_select(v_mask_or(active, whole), v_select(nan, gap, two), v_select(nan, gap, zero));
    out->majorizer = v_select(nan, gap, two);
}

#define LOSSI_FORMULA squared_epsilon_insensitive
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
    const int32_t whole = prepared->parameters[EPSILON] == 0;
    prepared->constant = whole ? LOSSI_CONSTANT_MEAN : LOSSI_CONSTANT_SEARCH;
    prepared->bounds = (lossi_bounds){LOSSI_UNBOUNDED, 2, 0, LOSSI_UNBOUNDED, whole ? LOSSI_UNBOUNDED : 1};
}

extern const lossi_row lossi_row_squared_epsilon_insensitive;
const lossi_row lossi_row_squared_epsilon_insensitive = {
    .name = "squared_epsilon_insensitive",
    .aliases = "l2_epsilon_insensitive",
    .summary = "nothing up to epsilon, the square of the excess beyond",
    .formula = "max(0, |r| - epsilon)^2, with r = prediction - target",
    .reference = "Vapnik, The nature of statistical learning theory (1995)",
    .elsewhere = "scikit-learn SGDRegressor squared_epsilon_insensitive; LossFunctions.jl L2EpsilonInsLoss",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_MAJORIZED,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
