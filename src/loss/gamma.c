/*
 * Negative log-likelihood of positive numbers with a gamma distribution of shape a, 1 by default, whose mean a model gives.
 *
 *     loss = a (x + y e⁻ˣ),   x = prediction, the logarithm of the mean
 *
 * up to constants: a times half the gamma deviance. Convex; the smallest loss is a (1 + log y), at x = log y. With the option full
 * log Γ(a) − a log a − (a − 1) log y is added. That is a g(u) + log y + c with u = log y − x and g(u) = eᵘ − 1 − u, which is not
 * negative, and c = log Γ(a) − a log a + a: terms that cancel only where the density is near 1.
 * McCullagh & Nelder, Generalized linear models (2nd ed. 1989), §8.3.
 */
#include "loss/pointwise.h"
#include "loss/gamma_constant.h"
#include "loss/two_sum.h"
#include "simd/math_logarithms.h"
#include "simd/math_power.h"

enum { SHAPE, FULL, CONSTANT, CONSTANT_REST };

/* Targets are positive: from the smallest float32 on, the same for both types. */
#define LEAST 0x1p-149

/* Where e^-x is about to overflow, or to lose digits below the normal numbers, it is taken in two factors, one a power of two. */
#if LOSSI_REAL == 32
#define FAR      REAL(80.0)
#define STEP     REAL(0x1p64)
#define LOG_STEP REAL(44.361419555836499802) /* 64 log 2 */
#else
#define FAR      REAL(700.0)
#define STEP     REAL(0x1p512)
#define LOG_STEP REAL(354.89135644669199842) /* 512 log 2 */
#endif

/* The value with the constants; bend is a y e⁻ˣ. It is long, and few ask for it: not a part of the loop. */
static __attribute__((noinline)) vreal with_constant(vreal value, vreal bend, vreal x, vreal y,
                                                     const real *parameters)
{
    const vreal infinity = v_set1(REAL_INFINITY), constant = v_set1(parameters[CONSTANT]), one = v_set1(1);
    const vreal shape = v_set1(parameters[SHAPE]);
    vreal tail;
    const vreal log = v_log_parts(y, &tail), difference = log - x;
    const vreal u = difference + (lossi_missing_of(log, -x, difference) + tail);
    const vmask near = v_lt(v_abs(u),
                            v_set1(2)); /* elsewhere e^u − 1 − u cancels little, and u has not its digits */
    const vreal close = shape * v_x_minus_log1p(v_expm1(v_select(near, u, v_set1(0))));
    const vreal part = v_select(near, close, v_fnma(shape, one + u, bend));
    const vreal rest = log + constant, sum = part + rest;
    const vreal missing = lossi_missing_of(log, constant, rest) + (tail + parameters[CONSTANT_REST]);
    const vmask number = v_mask_and(v_lt(v_abs(value), infinity), v_lt(v_abs(x), infinity));
    return v_select(number, sum + (lossi_missing_of(part, rest, sum) + missing), value);
}

/* The default: without the constants */
LOSSI_INLINE void gamma_deviance(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal x = prediction, y = target, one = v_set1(1), infinity = v_set1(REAL_INFINITY);
    const vreal shape = v_set1(parameters[SHAPE]), part = y * v_exp(-x);

    out->value = shape * (x + part);
    out->gradient = shape * (one - part);
    out->curvature = out->majorizer = shape * part;
    /* below the normal numbers y e⁻ˣ has not the digits that a y e⁻ˣ may have */
    const vmask small = v_lt(part, v_set1(parameters[SHAPE] == 1 ? 0 : REAL_MIN));
    const vmask usual = v_mask_and(v_le(v_abs(x), v_set1(FAR)),
                                   v_lt(out->value, infinity)); /* false for NaN */
    const vmask plain = v_mask_and(usual, v_mask_not(small));
    if (lossi_unusual(out, v_mask_not(plain))) {
        /* e⁻ˣ alone may be infinite, or next to nothing, where a y e⁻ˣ is not */
        const vmask low = v_lt(x, v_set1(-FAR)), high = v_gt(x, v_set1(FAR));
        const vreal by = v_select(low, v_set1(STEP), v_select(high, one / STEP, one));
        const vreal less = v_select(low, v_set1(-LOG_STEP), v_select(high, v_set1(LOG_STEP), v_set1(0)));
        const vreal e = v_exp(less - x), scaled = shape * (y * by);
        const vmask inside = v_mask_and(small, usual);
        const vreal lifted = ((shape * (y * STEP)) * e) / STEP;
        const vreal product = v_select(v_eq(e, v_set1(0)), v_set1(0), v_select(inside, lifted, scaled * e));
        const vreal safe = v_select(v_is_nan(y), y, product);
        const vreal value = v_select(v_eq(x, -infinity), v_select(v_is_nan(y), y, infinity),
                                     shape * x + safe);
        out->value = v_select(plain, out->value, value);
        out->gradient = v_select(plain, out->gradient, shape - safe);
        out->curvature = out->majorizer = v_select(plain, out->curvature, safe);
    }
}

static int is_deviance(const lossi_prepared *prepared)
{
    return prepared->parameters[FULL] == 0;
}

LOSSI_INLINE void gamma(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    gamma_deviance(prediction, target, parameters, out);
    if (parameters[FULL] != 0) {
        out->value = with_constant(out->value, out->curvature, prediction, target, parameters);
    }
}

#define LOSSI_ALONE
#define LOSSI_FORMULA    gamma
#define LOSSI_SPECIAL    gamma_deviance
#define LOSSI_IS_SPECIAL is_deviance
#include "loss/pointwise_long_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [SHAPE] = {.name = "shape",
               .type = LOSS_OPTION_DOUBLE,
               .minimum = 1e-6,
               .maximum = 1e6,
               .initial = 1,
               .doc = "a: the variance is mean^2/a; 1 is the exponential distribution"},
    [FULL] = {.name = "full",
              .type = LOSS_OPTION_INT,
              .minimum = 0,
              .maximum = 1,
              .initial = 0,
              .doc = "1: with the constants of the density"},
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    double *parameters = prepared->parameters;
    const double log_least = -103.27892990343185; /* log LEAST */
    (void)values;
    prepared->target.low = LEAST;
    prepared->bounds.minimum = parameters[SHAPE] * (1 + log_least);
    prepared->bounds.derivatives = LOSSI_UNBOUNDED;
    if (parameters[FULL] != 0) {
        lossi_gamma_constant(parameters[SHAPE], &parameters[CONSTANT], &parameters[CONSTANT_REST]);
        prepared->bounds.minimum = log_least + (parameters[CONSTANT] + parameters[CONSTANT_REST]);
    }
}

extern const lossi_row lossi_row_gamma;
const lossi_row lossi_row_gamma = {
    .name = "gamma",
    .aliases = "gamma_nll gamma_deviance half_gamma_loss mean_gamma_deviance reg_gamma",
    .summary = "negative log-likelihood of positive numbers, the logarithm of the mean predicted",
    .formula = "shape*(x + y*exp(-x)), x = prediction, y = target",
    .reference = "McCullagh & Nelder, Generalized linear models (2nd ed. 1989)",
    .elsewhere = "scikit-learn HalfGammaLoss and mean_gamma_deviance (twice, less its minimum); XGBoost "
                 "reg:gamma; LightGBM gamma",
    .elementary = "exp",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_PROBABILISTIC,
    .link = LOSSI_LINK_LOG,
    .constant = LOSSI_CONSTANT_MEAN,
    .options = options,
    .option_count = 2,
    .prepare = prepare,
};

#endif
