/*
 * Squared logarithmic error of numbers above −1.
 *
 *     loss = L²,   L = log(1 + p) − log(1 + t),   p = prediction, t = target
 *
 * L is ±log1p(|p − t|/(1 + min(p, t))): no difference of logarithms, which would lose the digits where p is near t. The gradient is
 * 2L/(1 + p); the curvature 2(1 − L)/(1 + p)² is negative where p is more than e times too large. At p = −1 the loss is infinite.
 * Nothing is clipped: Keras raises both numbers to 1e-7, XGBoost raises the curvature to 1e-6.
 * Hyndman & Koehler, Another look at measures of forecast accuracy (2006), for the family of measures.
 */
#include "loss/exponentials.h"
#include "loss/pointwise.h"
#include "loss/power.h"
#include "loss/two_sum.h"

/* Beyond WIDE, |p − t|/(1 + min(p, t)) may overflow when the smaller number is below 0: it is made 2⁶⁴ times smaller then, far
 * above 2²⁶ (2⁵⁵) still, where log(1 + ratio) is log(ratio) to half an ulp. LIFT is 64 log 2. */
#if LOSSI_REAL == 32
#define WIDE 0x1p96f
#else
#define WIDE 0x1p960
#endif
#define LIFT ((real)44.361419555836499802)

/*
 * 1 − L, with the digits that are left of it where 1 + p is about e times 1 + t: there the roundings of 1 + t, of the quotient and
 * of the logarithm all count. Of L < 0 and of what is not finite the logarithm itself is enough.
 */
LOSSI_INLINE vreal one_minus(vreal log, vreal high, vreal low, vreal ratio)
{
    const vreal one = v_set1(1), zero = v_set1(0), base = one + low, head = one + ratio;
    const vreal base_missing = lossi_missing_of(one, low, base);
    const vreal ratio_missing = (v_fnma(ratio, base, high - low) - ratio * base_missing) / base;
    const vmask near = v_mask_and(v_gt(log, v_set1((real)0.5)), v_lt(log, v_set1(2)));
    vreal missing;
    const vreal precise = lossi_power_log(
        v_select(near, head, one), v_select(near, lossi_missing_of(one, ratio, head) + ratio_missing, zero),
        zero, &missing);
    return v_select(near, (one - precise) - missing, one - log);
}

/* Between these (1 + p)(1 + t) has a reciprocal, from which come the others, and |p − t|/(1 + min(p, t)) is a number. */
#define LEAST REAL(0x1p-60)
#define MOST  REAL(0x1p60)

/* Elsewhere: with a division for each. */
LOSSI_INLINE void far_apart(vreal prediction, vreal target, vmask far, vreal *ratio, vreal *size,
                            lossi_point *out)
{
    const vreal one = v_set1(1), zero = v_set1(0), two = v_set1(2), r = prediction - target;
    const vreal low = v_select(v_lt(prediction, target), prediction, target);
    const vmask wide = v_mask_and(v_gt(v_abs(r), v_set1(WIDE)), v_lt(low, zero));
    const vmask end = v_eq(prediction, v_set1(REAL_INFINITY)); /* the slope is 0 there */
    const vreal quotient = (v_abs(r) * v_select(wide, v_set1((real)0x1p-64), one)) / (one + low);
    *ratio = v_select(far, quotient, *ratio);
    *size = v_select(far, v_log1p(quotient) + v_select(wide, v_set1(LIFT), zero), *size);
    const vreal slope = two * v_copysign(*size, r) / (one + prediction);
    const vreal gone = v_select(v_is_nan(*size), *size, zero);
    out->gradient = v_select(far, v_select(end, gone, slope), out->gradient);
}

LOSSI_INLINE void squared_logarithmic_error(vreal prediction, vreal target, const real *parameters,
                                            lossi_point *out)
{
    const vreal one = v_set1(1), two = v_set1(2), r = prediction - target;
    const vreal base = one + prediction, other = one + target, product = base * other;
    const vreal low = v_min(base, other), high = v_max(base, other), both = REAL(1.0) / product;
    const vreal rough = v_abs(r) * (both * high), inverse = lossi_refined(both * other, base);
    const vmask far = v_mask_not(v_mask_and(v_ge(product, v_set1(LEAST)), v_le(product, v_set1(MOST))));
    vreal ratio = v_fma(v_fnma(rough, low, v_abs(r)), both * high, rough);
    vreal size = lossi_log_one_plus(ratio, (low * low) * both);
    (void)parameters;

    out->gradient = (two * v_copysign(size, r)) * inverse;
    if (lossi_unusual(out, far)) { /* NaN too */
        far_apart(prediction, target, far, &ratio, &size, out);
    }
    out->value = size * size;
    const vreal lower = v_select(v_lt(prediction, target), prediction, target), log = v_copysign(size, r);
    const vmask end = v_eq(prediction, v_set1(REAL_INFINITY));
    const vreal gone = v_select(v_is_nan(size), size, v_set1(0));
    out->curvature = v_select(end, gone, two * one_minus(log, prediction, lower, ratio) / base / base);
    out->majorizer = out->curvature;
}

#define LOSSI_FORMULA squared_logarithmic_error
#include "loss/pointwise_long_kernels.h"

#ifdef LOSSI_ONCE

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    prepared->prediction = (lossi_domain){-1, LOSSI_UNBOUNDED, 0};
    prepared->target = (lossi_domain){-1, LOSSI_UNBOUNDED, 0};
    prepared->bounds.derivatives = LOSSI_UNBOUNDED;
}

extern const lossi_row lossi_row_squared_logarithmic_error;
const lossi_row lossi_row_squared_logarithmic_error = {
    .name = "squared_logarithmic_error",
    .aliases = "msle mean_squared_logarithmic_error squared_log_error mean_squared_log_error "
               "reg_squaredlogerror",
    .summary = "squared difference of log(1 + number)",
    .formula = "(log(1 + p) - log(1 + t))^2, p = prediction, t = target",
    .reference = "Hyndman & Koehler, Another look at measures of forecast accuracy (2006)",
    .elsewhere =
        "Keras MeanSquaredLogarithmicError; XGBoost reg:squaredlogerror; mlpack MeanSquaredLogarithmicError",
    .elementary = "log1p",
    .flags = LOSSI_SMOOTH | LOSSI_POINTWISE,
    .prepare = prepare,
};

#endif
