/*
 * Hinge loss of the support vector machine.
 *
 *     loss = max(0, margin − y · prediction),   y = −1 or +1
 *
 * The gradient at the kink is 0, the smallest subgradient; the curvature is 0 and there is no majorizer.
 * Cortes & Vapnik, Support-vector networks (1995), eq. (8).
 */
#include "loss/pointwise.h"

enum { MARGIN, TARGET_ENCODING, SLOPE = LOSSI_PARAMETERS - 2, OFFSET };

LOSSI_INLINE void hinge(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal zero = v_set1(0);
    /* slope and offset turn 0/1 into −1/+1 exactly; for signs they are 1 and 0 */
    const vreal y = v_fma(target, v_set1(parameters[SLOPE]), v_set1(parameters[OFFSET]));
    const vreal gap = v_set1(parameters[MARGIN]) - y * prediction;
    const vmask active = v_gt(gap, zero), nan = v_is_nan(gap);

    out->value = v_select(active, gap, v_select(nan, gap, zero));
    out->gradient = v_select(active, -y, v_select(nan, gap, zero));
    out->curvature = v_select(nan, gap, zero);
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
    int32_t zero_one = lossi_options_own(values, TARGET_ENCODING)->integer == 1;
    prepared->parameters[SLOPE] = zero_one ? 2 : 1;
    prepared->parameters[OFFSET] = zero_one ? -1 : 0;
    prepared->target = (lossi_domain){zero_one ? 0 : -1, 1, 1};
}

extern const lossi_row lossi_row_hinge;
const lossi_row lossi_row_hinge = {
    .name = "hinge",
    .aliases = "hinge_loss",
    .summary = "zero beyond the margin, linear before it: the loss of the support vector machine",
    .formula = "max(0, margin - y*prediction), y = -1 or +1",
    .reference = "Cortes & Vapnik, Support-vector networks (1995), eq. (8)",
    .flags = LOSSI_CONVEX | LOSSI_POINTWISE | LOSSI_CLASSIFICATION | LOSSI_MARGIN,
    .options = options,
    .option_count = 2,
    .prepare = prepare,
};

#endif
