/*
 * Power error: the absolute value of the difference to a power q ≥ 1.
 *
 *     loss = |r|^q,   r = prediction − target
 *
 * The gradient is ±q |r|^(q−1), 0 at 0; the curvature q (q − 1) |r|^(q−2), which is infinite at 0 for 1 < q < 2 and written there
 * as |r|^(q−1)/|r|. Powers are squares of their roots: a power may be too large or too small for a number where its product with
 * q or q (q − 1) is not. Up to q = 2 the loss is concave in r² and q |r|^(q−2) a majorizer; beyond there is none.
 * Gonin & Money, Nonlinear Lp-norm estimation (1989), §1.2; majorizer: Hunter & Lange, A tutorial on MM algorithms (2004), §3.
 */
#define LOSSI_IN_DOUBLE /* simd/math_single.h */
#include "loss/pointwise.h"
#include "simd/math_power.h"
#include "simd/math_single.h"

/* The exponents of gradient and curvature with what float32 has not of them; whether the second one is to be divided. */
enum { POWER, SLOPE, SLOPE_MISSING, BEND, BEND_MISSING, DIVIDED, AT_ZERO, AT_INFINITY };

#if defined(LOSSI_WIDENED_FORMULA)

LOSSI_INLINE void power_error(f64v prediction, f64v target, const double *parameters, lossi_wide_point *out)
{
    const double power = parameters[POWER], steepness = parameters[SLOPE];
    const f64v zero = f64_set1(0), infinity = f64_set1(LOSSI_UNBOUNDED), q = f64_set1(power);
    const f64v at_zero = f64_set1(parameters[AT_ZERO]), at_infinity = f64_set1(parameters[AT_INFINITY]);
    const f64v steep = f64_set1(parameters[DIVIDED] != 0 ? LOSSI_UNBOUNDED : power);
    const f64v r = prediction - target, a = f64_abs(r);
    const f64m none = f64_eq(a, zero), end = f64_eq(a, infinity);
    const f64m between = f64_mask_and(f64_gt(a, zero), f64_lt(a, infinity));   /* false for NaN */
    f64v raised = single_exp(f64_set1(steepness) * single_log_of_positive(a)); /* |r|^(q−1) */
    if (lossi_unusual(out, f64_mask_not(between))) {
        const f64v far = f64_set1(steepness > 0 ? LOSSI_UNBOUNDED : 1);
        raised = f64_select(between, raised, f64_select(end, far, a));
    }

    out->value = a * raised;
    out->gradient = f64_copysign(q * raised, r);
    /* no question here, so that what is not wanted can be left out */
    const f64v over = raised / a;
    out->curvature = f64_select(between, f64_set1(power * steepness) * over,
                                f64_select(none, at_zero, f64_select(end, at_infinity, a)));
    out->majorizer = f64_select(between, q * over, f64_select(none, steep, f64_select(end, at_infinity, a)));
}

#else

/* The root of base^y, e^(½ (y + y_missing)(log + log_missing)); y lacks nothing in float64. */
LOSSI_INLINE vreal root_of(vreal log, vreal log_missing, vreal y, vreal y_missing)
{
    const vreal half = v_set1((real)0.5), exponent = v_times_parts(half * y, log, &log_missing);
#if LOSSI_REAL == 32
    log_missing = v_fma(half * y_missing, log, log_missing);
#else
    (void)y_missing;
#endif
    return v_exp_of_parts(exponent, log_missing);
}

LOSSI_INLINE void power_error(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal q = v_set1(parameters[POWER]), zero = v_set1(0), one = v_set1(1);
    const vreal y = v_set1(parameters[SLOPE]), infinity = v_set1(REAL_INFINITY);
    const vreal at_zero = v_set1(parameters[AT_ZERO]), at_infinity = v_set1(parameters[AT_INFINITY]);
    const vmask divided = v_eq(v_set1(parameters[DIVIDED]), one);
    const vreal r = prediction - target, a = v_abs(r);
    const vmask none = v_eq(a, zero), end = v_eq(a, infinity);
    const vmask between = v_mask_and(v_gt(a, zero), v_lt(a, infinity)); /* false for NaN */
    const vreal base = v_select(between, a, one);
    vreal log_missing;
    const vreal log = v_log_parts(base, &log_missing);
    const vreal inside = root_of(log, log_missing, y, v_set1(parameters[SLOPE_MISSING]));
    const vreal bent = root_of(log, log_missing, v_set1(parameters[BEND]), v_set1(parameters[BEND_MISSING]));
    const vreal divisor = v_select(divided, base, one), steep = v_select(divided, infinity, q);
    /* the root of |r|^(q−1), at 0, infinity and NaN too */
    const vreal root = v_select(between, inside, v_select(end, v_select(v_gt(y, zero), infinity, one), a));

    out->value = (a * root) * root;
    out->gradient = v_copysign((q * root) * root, r);
    out->curvature = v_select(between, ((q * y * bent) / divisor) * bent,
                              v_select(none, at_zero, v_select(end, at_infinity, a)));
    out->majorizer = v_select(between, ((q * bent) / divisor) * bent,
                              v_select(none, steep, v_select(end, at_infinity, a)));
}

#endif

/* q = 2, 3 and 4: products, each begun with its constant, so that none is too large or too small for a number before the last. */
static int is_whole(const lossi_prepared *prepared)
{
    const double power = prepared->parameters[POWER];
    return power == 2 || power == 3 || power == 4;
}

#if defined(LOSSI_WIDENED_FORMULA)
typedef lossi_wide_point double_point;
#else
typedef lossi_point double_point; /* the element type is double */
#endif

LOSSI_INLINE void whole_power(f64v prediction, f64v target, const double *parameters, double_point *out)
{
    const double power = parameters[POWER];
    const f64v one = f64_set1(1), r = prediction - target, a = f64_abs(r);
    const f64v second = power > 2 ? a : one, third = power > 3 ? a : one;
    const f64v bend = (f64_set1(power * (power - 1)) * second) * third;

    out->value = ((a * a) * second) * third;
    out->gradient = f64_copysign(((f64_set1(power) * a) * second) * third, r);
    out->curvature = f64_select(f64_is_nan(a), a, bend);
    out->majorizer = f64_select(f64_is_nan(a), a, f64_set1(power)); /* of 2: beyond there is none */
}

#define LOSSI_ALONE
#define LOSSI_SPECIAL    whole_power
#define LOSSI_IS_SPECIAL is_whole
#define LOSSI_FORMULA    power_error
#define LOSSI_DOMAINS    LOSSI_EVERYWHERE
#include "loss/pointwise_long_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [POWER] = {.name = "power",
               .aliases = "p q",
               .type = LOSS_OPTION_DOUBLE,
               .minimum = 1,
               .maximum = 1000,
               .initial = 2,
               .doc = "the power of the difference: 1 is the absolute error, 2 the squared one"},
};

/* The continuous derivatives at 0: all of an even power, else those below the power. */
static double derivatives(double power)
{
    const double whole = (double)(int32_t)power;
    if (whole == power) {
        return (int32_t)power % 2 == 0 ? LOSSI_UNBOUNDED : power - 1;
    }
    return whole;
}

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    double *parameters = prepared->parameters;
    const double power = parameters[POWER], bend = power < 2 ? power - 1 : power - 2; /* exact */
    parameters[SLOPE] = power - 1;
    parameters[SLOPE_MISSING] = parameters[SLOPE] - (double)(float)parameters[SLOPE];
    parameters[BEND] = bend;
    parameters[BEND_MISSING] = bend - (double)(float)bend;
    parameters[DIVIDED] = power < 2;
    parameters[AT_ZERO] = power == 1 || power > 2 ? 0 : power == 2 ? 2 : LOSSI_UNBOUNDED;
    parameters[AT_INFINITY] = power < 2 ? 0 : power == 2 ? 2 : LOSSI_UNBOUNDED;
    prepared->constant = power == 1   ? LOSSI_CONSTANT_QUANTILE /* the median */
                         : power == 2 ? LOSSI_CONSTANT_MEAN
                                      : LOSSI_CONSTANT_SEARCH;
    prepared->bounds = (lossi_bounds){power == 1 ? 1 : LOSSI_UNBOUNDED, power == 2 ? 2 : LOSSI_UNBOUNDED, 0,
                                      LOSSI_UNBOUNDED, derivatives(power)};
    prepared->flags &= power == 1  ? ~(uint32_t)LOSSI_SMOOTH
                       : power > 2 ? ~(uint32_t)LOSSI_MAJORIZED
                                   : ~(uint32_t)0;
}

extern const lossi_row lossi_row_power_error;
const lossi_row lossi_row_power_error = {
    .name = "power_error",
    .aliases = "lq lp_loss",
    .summary = "the absolute value of the difference to a power",
    .formula = "|r|^power, with r = prediction - target",
    .reference = "Gonin & Money, Nonlinear Lp-norm estimation (1989)",
    .elsewhere = "CatBoost Lq; LossFunctions.jl LPDistLoss",
    .elementary = "log exp",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_MAJORIZED,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
