/*
 * Expectile loss: asymmetric least squares.
 *
 *     r = prediction − target
 *     loss = c α r²          r < 0    (the prediction is too low)
 *            c (1 − α) r²    r ≥ 0,   c = 1, or ½ with the option `half`
 *
 * α weighs predictions that are too low, as in XGBoost and CatBoost (Vowpal Wabbit mirrors it). The gradient is continuous; of the
 * two curvatures at 0 the smaller counts. The weight of a side is no upper bound for a step to the other one: the majorizer is the
 * larger of both.
 * Newey & Powell, Asymmetric least squares estimation and testing (1987), eq. (2.1).
 */
#include "loss/sides.h"

enum { EXPECTILE, HALF, REST = LOSSI_PARAMETERS - 1 };

LOSSI_INLINE void expectile(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal twice = v_set1((real)2 - parameters[HALF]); /* 2c */
    const vreal below = twice * v_set1(parameters[EXPECTILE]), above = twice * v_set1(parameters[REST]);
    const vreal r = prediction - target, zero = v_set1(0);
    const vreal side = lossi_side(r, below, above), weighed = lossi_weighed(r, below, above);
    const vreal bend = v_select(v_eq(r, zero), v_min(below, above), side);

    out->value = (v_set1((real)0.5) * side * weighed) * weighed;
    out->gradient = side * weighed;
    out->curvature = v_select(v_is_nan(r), r, bend);
    out->majorizer = v_select(v_is_nan(r), r, v_max(below, above));
}

#define LOSSI_FORMULA expectile
#include "loss/pointwise_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [EXPECTILE] = LOSSI_SIDES("expectile",
                              "the expectile sought; the weight of predictions that are too low"),
    [HALF] = {.name = "half",
              .type = LOSS_OPTION_INT,
              .minimum = 0,
              .maximum = 1,
              .initial = 0,
              .doc = "1: half the square"},
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    const double expectile = prepared->parameters[EXPECTILE],
                 larger = expectile > 0.5 ? expectile : 1 - expectile;
    prepared->parameters[REST] = 1 - expectile;
    prepared->constant = expectile == 0.5 ? LOSSI_CONSTANT_MEAN : LOSSI_CONSTANT_SEARCH;
    prepared->bounds = (lossi_bounds){LOSSI_UNBOUNDED, (2 - prepared->parameters[HALF]) * larger, 0,
                                      LOSSI_UNBOUNDED, expectile == 0.5 ? LOSSI_UNBOUNDED : 1};
}

extern const lossi_row lossi_row_expectile;
const lossi_row lossi_row_expectile = {
    .name = "expectile",
    .aliases = "asymmetric_squared_error reg_expectileerror",
    .summary = "squared error with a weight for each side",
    .formula =
        "expectile*r^2 if r < 0, else (1 - expectile)*r^2, half of it with half = 1, r = prediction - target",
    .reference = "Newey & Powell, Asymmetric least squares estimation and testing (1987), eq. (2.1)",
    .elsewhere = "XGBoost reg:expectileerror; CatBoost Expectile; Vowpal Wabbit expectile (mirrored)",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_MAJORIZED,
    .options = options,
    .option_count = 2,
    .prepare = prepare,
};

#endif
