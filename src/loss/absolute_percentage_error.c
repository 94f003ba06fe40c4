/*
 * Absolute percentage error, as a fraction: the absolute error relative to the target.
 *
 *     loss = |prediction − target|/max(|target|, floor)
 *
 * The floor keeps targets of 0 from dividing; libraries differ in it (Keras 1e-7, LightGBM and CatBoost 1), and Keras multiplies by
 * 100. The gradient at 0 is 0; the majorizer is that of the absolute error.
 * Makridakis, Accuracy measures: theoretical and practical concerns (1993).
 */
#include "loss/pointwise.h"

enum { FLOOR };

LOSSI_INLINE void absolute_percentage_error(vreal prediction, vreal target, const real *parameters,
                                            lossi_point *out)
{
    const vreal zero = v_set1(0), one = v_set1(1), r = prediction - target, a = v_abs(r);
    const vreal size = v_max(v_set1(parameters[FLOOR]), v_abs(target)), inverse = one / size;

    /* a quotient by the reciprocal, corrected; where that is no normal number, or a is infinite, it is made anew */
    const vreal rough = a * inverse;
    vreal value = v_fma(v_fnma(rough, size, a), inverse, rough);
    vreal slope = v_where(v_gt(a, zero), v_copysign(inverse, r));                  /* 0 at 0 */
    const vmask rare = v_mask_not(v_lt(v_max(size, rough), v_set1(REAL_MAX / 8))); /* true for NaN */
    if (lossi_rare(rare)) {
        /* far beyond every prediction the percentage is 1 */
        const vmask far = v_mask_and(v_eq(size, v_set1(REAL_INFINITY)), v_lt(v_abs(prediction), size));
        /* |p − t| may be too large where the percentage is 2: half of both then */
        const vmask over = v_eq(a, v_set1(REAL_INFINITY));
        const vreal half = v_set1((real)0.5), half_a = v_abs(half * prediction - half * target);
        const vreal quotient = v_select(over, half_a, a) / v_select(over, half * size, size);
        value = v_select(rare, v_select(far, one, quotient), value);
        slope = v_nan_where(v_is_nan(value), slope);
    }
    const vmask nan = v_is_nan(value);

    out->value = value;
    out->gradient = slope;
    out->curvature = v_nan_where(nan, zero);
    out->majorizer = v_nan_where(nan, inverse / a);
}

#define LOSSI_FORMULA absolute_percentage_error
#define LOSSI_DOMAINS LOSSI_EVERYWHERE
#include "loss/pointwise_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [FLOOR] = {.name = "floor",
               .type = LOSS_OPTION_DOUBLE,
               .minimum = 1e-30,
               .maximum = 1e30,
               .initial = 1e-7,
               .doc = "the smallest number to divide by"},
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    prepared->bounds = (lossi_bounds){1 / prepared->parameters[FLOOR], LOSSI_UNBOUNDED, 0, LOSSI_UNBOUNDED,
                                      0};
}

extern const lossi_row lossi_row_absolute_percentage_error;
const lossi_row lossi_row_absolute_percentage_error = {
    .name = "absolute_percentage_error",
    .aliases = "mape mean_absolute_percentage_error",
    .summary = "absolute error relative to the target",
    .formula = "|p - t|/max(|t|, floor), p = prediction, t = target",
    .reference = "Makridakis, Accuracy measures: theoretical and practical concerns (1993)",
    .elsewhere = "Keras MeanAbsolutePercentageError (times 100); LightGBM mape; CatBoost MAPE; mlpack "
                 "MeanAbsolutePercentageError",
    .flags = LOSSI_CONVEX | LOSSI_POINTWISE | LOSSI_MAJORIZED,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
