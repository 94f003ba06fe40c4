/*
 * Negative log-likelihood of overdispersed counts: a Poisson distribution whose mean is gamma distributed, up to a constant of the
 * target.
 *
 *     loss = (y + 1/α) log(1 + α eˣ) − y x,   x = prediction, the logarithm of the mean
 *
 * α is the dispersion: the variance is μ + α μ². As α goes to 0 it is the Poisson loss. Where αeˣ ≤ 1, log(1 + αeˣ)/α is exact as it
 * stands, with e = eˣ; beyond, log(1 + αeˣ) − x is log α + log(1 + e/α) with e = e⁻ˣ: one logarithm of a number up to 2. Gradient
 * (eˣ − y)/(1 + αeˣ), curvature eˣ(1 + αy)/(1 + αeˣ)², each with the same e.
 *
 * With the option full, log y! + log Γ(r) − log Γ(y + r) − y log α is added, r = 1/α. From y = 4 on the sum is, with v = eˣ/y − 1,
 *
 *     y φ(s) + r φ(t) + ½ log(2πy (1 + αy)) + S(y) + S(r) − S(y + r),   s = v/(1 + αy (1 + v)),  t = −v/(1/(αy) + 1 + v)
 *
 * φ(s) = s − log(1 + s), and S what Stirling's series stands for: no term is negative, S falling. Below, log Γ(y + r) − log Γ(r) − y log r
 * is for r ≥ 4 (y − ½) y/r − (r + y − ½) φ(y/r) + S(y + r) − S(r), which is small where r is large.
 * Hilbe, Negative binomial regression (2nd ed. 2011), §8.2; Loader, Fast and accurate computation of binomial probabilities
 * (2000), for the positive terms.
 */
#include "loss/pointwise.h"
#include "simd/math_gamma.h"
#include "simd/math_logarithms.h"

enum { DISPERSION, FULL, SHAPE, LOG_GAMMA, STIRLING, LOG_DISPERSION = LOSSI_PARAMETERS - 1 };

/* Beyond FAR e is about to underflow: it is made STEP times larger, which y takes away. */
#if LOSSI_REAL == 32
#define FAR      REAL(80.0)
#define STEP     REAL(0x1p64)
#define LOG_STEP REAL(44.361419555836499802) /* 64 log 2 */
#else
#define FAR      REAL(700.0)
#define STEP     REAL(0x1p512)
#define LOG_STEP REAL(354.89135644669199842) /* 512 log 2 */
#endif

typedef struct odds {
    vmask large; /* αeˣ > 1 */
    vreal e;     /* e⁻ˣ where it is, eˣ elsewhere */
    vreal base;  /* 1 + αeˣ, times e where it is large */
} odds;

/* Derivatives where e is about to underflow and where y is infinite; what is NaN stays so. */
LOSSI_INLINE void extremes(vreal x, vreal y, vreal alpha, const odds *o, vmask extreme, vreal nan,
                           lossi_point *out)
{
    const vreal zero = v_set1(0), one = v_set1(1), infinity = v_set1(REAL_INFINITY);
    const vreal a = v_abs(x);
    const vmask far = v_gt(a, v_set1(FAR)), endless = v_eq(y, infinity);
    const vreal raised = v_exp(v_select(far, LOG_STEP - a, v_select(o->large, -x, x)));
    const vreal down = v_select(far, v_set1(1 / STEP), one), e = raised * down;
    const vmask gone = v_eq(raised, zero), lost = v_mask_and(o->large, gone);
    const vreal unit = v_select(o->large, one, e), against = v_select(o->large, (y * down) * raised, y);
    const vreal bend = (raised / o->base) * (v_fma(alpha, y, one) * down / o->base);
    const vreal limit = v_select(v_mask_and(endless, v_lt(x, zero)), y, zero);

    out->gradient = v_select(extreme, nan + (unit - v_select(lost, zero, against)) / o->base, out->gradient);
    out->curvature = v_select(extreme, nan + v_select(gone, limit, bend), out->curvature);
}

/* S of z ≥ 4 */
LOSSI_INLINE vreal stirling_of(vreal z)
{
    const vreal w = v_set1(1) / z;
    return w * v_stirling_tail(w * w);
}

/* y φ(s) + r φ(t), the half deviance, of y ≥ 4; whole is log(1 + αeˣ). Where x is far from log y, the logarithms themselves. */
LOSSI_INLINE vreal deviance(vreal x, vreal y, vreal whole, const real *parameters)
{
    const vreal one = v_set1(1), r = v_set1(parameters[SHAPE]), alpha = v_set1(parameters[DISPERSION]);
    vreal tail;
    const vreal log = v_log_parts(y, &tail), part = x - log, back = part + log;
    const vreal u = part + (((x - back) - (log - (back - part))) - tail), scaled = alpha * y;
    const vmask close = v_lt(v_abs(u), one);
    const vreal v = v_expm1(v_select(close, u, v_set1(0)));
    const vreal s = v / v_fma(scaled, v, one + scaled), t = -v / ((one / scaled + one) + v);
    const vreal near = v_fma(y, v_x_minus_log1p(s), r * v_x_minus_log1p(t));
    const vreal quotient = r * v_exp(-x), log_alpha = v_set1(parameters[LOG_DISPERSION]);
    const vreal most = v_select(v_lt(quotient, v_set1(REAL_INFINITY)), v_log1p(quotient),
                                (whole - x) - log_alpha);
    const vreal first = most - v_log1p(r / y), second = whole - v_log1p(scaled);
    return v_select(close, near, v_fma(y, first, r * second));
}

/* log y! − (log Γ(y + r) − log Γ(r) − y log r) of 0 ≤ y < 4. */
LOSSI_INLINE vreal constant_of_few(vreal y, const real *parameters)
{
    const vreal one = v_set1(1), half = v_set1((real)0.5), r = v_set1(parameters[SHAPE]);
    const vmask small = v_lt(y, v_set1(2));
    /* log Γ(2 + d) = d (d + 1) P(d) with d = y − 1 */
    const vreal middle = ((y - one) * y) * v_log_gamma_middle(v_select(small, y - one, one));
    const vreal log_factorial = v_select(small, middle, v_log_gamma(y + one));
    const vreal ratio = y / r, sum = y + r;
    vreal rest;
    if (parameters[SHAPE] >= 4) {
        const vreal falling = stirling_of(sum) - v_set1(parameters[STIRLING]);
        rest = v_fma(ratio, y - half, v_fnma(sum - half, v_x_minus_log1p(ratio), falling));
    } else {
        const vreal rising = v_log_gamma(sum) - v_set1(parameters[LOG_GAMMA]);
        rest = v_fma(y, v_set1(parameters[LOG_DISPERSION]), rising);
    }
    return v_select(v_eq(y, v_set1(0)), y, log_factorial - rest);
}

/* The value with what full adds. It is long, and few ask for it: not a part of the loop. */
static __attribute__((noinline)) vreal with_constant(vreal value, vreal x, vreal y, vreal whole,
                                                     const real *parameters)
{
    const vreal one = v_set1(1), half = v_set1((real)0.5), four = v_set1(4), infinity = v_set1(REAL_INFINITY);
    const vreal log_two_pi = v_set1(REAL(1.8378770664093454836));
    const vmask large = v_ge(y, four);
    const vreal many = v_select(large, y, four), few = v_select(large, one, y);
    const vreal logs = (v_log(many) + log_two_pi) + v_log1p(v_set1(parameters[DISPERSION]) * many);
    const vreal falling = v_set1(parameters[STIRLING]) - stirling_of(many + v_set1(parameters[SHAPE]));
    const vreal saddle = v_fma(half, logs, stirling_of(many) + falling);
    const vreal far = deviance(x, many, whole, parameters) + saddle;
    const vmask number = v_mask_and(v_lt(v_abs(value), infinity),
                                    v_mask_and(v_lt(v_abs(x), infinity), v_lt(y, infinity)));
    return v_select(number, v_select(large, far, value + constant_of_few(few, parameters)), value);
}

LOSSI_INLINE void negative_binomial(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal alpha = v_set1(parameters[DISPERSION]), log_alpha = v_set1(parameters[LOG_DISPERSION]);
    const vreal zero = v_set1(0), one = v_set1(1), x = prediction, y = target;
    const vreal inverse = one / alpha, inverse_missing = v_fnma(inverse, alpha, one) * inverse;
    odds o = {.large = v_gt(x, -log_alpha)};
    o.e = v_exp_nonpositive(v_select(o.large, -x, x)); /* at most α or 1/α */
    const vreal e = o.e, product = alpha * e, quotient = v_fma(e, inverse, e * inverse_missing);
    const vreal log = v_log1p_unit(v_select(o.large, quotient, product));
    const vreal whole = v_select(o.large, (x + log_alpha) + log, log); /* log(1 + αeˣ) */
    const vreal rest = v_select(o.large, log_alpha + log, log - x);    /* less x */
    o.base = v_select(o.large, e + alpha, v_fma(alpha, e, one));
    const vreal part = one / o.base;
    const vreal limit = v_set1(FAR), most = v_set1(REAL_MAX);
    const vmask extreme = v_mask_or(v_gt(v_abs(x), limit), v_gt(y, most));

    out->value = v_fma(y, rest, whole * inverse);
    out->gradient = v_select(o.large, v_fnma(y, e, one), e - y) * part;
    out->curvature = (e * part) * (v_fma(alpha, y, one) * part);
    if (lossi_unusual(out, extreme)) {
        const vreal nan = v_select(v_is_nan(x), x, v_select(v_is_nan(y), y, zero));
        const vmask none = v_mask_or(v_eq(y, zero), v_eq(rest, zero));
        out->value = v_select(extreme, nan + (whole * inverse + v_select(none, zero, y * rest)), out->value);
        extremes(x, y, alpha, &o, extreme, nan, out);
    }
    out->majorizer = out->curvature;
    if (parameters[FULL] != 0) {
        out->value = with_constant(out->value, x, y, whole, parameters);
    }
}

#define LOSSI_FORMULA negative_binomial
#include "loss/pointwise_long_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [DISPERSION] = {.name = "dispersion",
                    .aliases = "alpha",
                    .type = LOSS_OPTION_DOUBLE,
                    .minimum = 1e-6,
                    .maximum = 1e6,
                    .initial = 1,
                    .doc = "the variance is mean + dispersion * mean^2"},
    [FULL] = {.name = "full",
              .type = LOSS_OPTION_INT,
              .minimum = 0,
              .maximum = 1,
              .initial = 0,
              .doc = "1: with the terms of the target, the logarithm of its probability"},
};

/* log Γ(r), and what Stirling's series stands for, at r too. */
static void prepare_constants(double *parameters)
{
    const double r = 1 / parameters[DISPERSION], log_r = -parameters[LOG_DISPERSION];
    double lanes[F64_LANES];
    parameters[SHAPE] = r;
    f64_store(lanes, v_log_gamma(v_set1(r)));
    parameters[LOG_GAMMA] = lanes[0];
    f64_store(lanes, stirling_of(v_set1(r < 4 ? 4 : r)));
    parameters[STIRLING] = r < 4 ? (parameters[LOG_GAMMA] - (r - 0.5) * log_r) + (r - 0.91893853320467274178)
                                 : lanes[0];
}

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    double log_dispersion[F64_LANES];
    f64_store(log_dispersion, v_log(v_set1(prepared->parameters[DISPERSION])));
    prepared->parameters[LOG_DISPERSION] = log_dispersion[0];
    prepare_constants(prepared->parameters);
    prepared->target.low = 0;
    /* at the best mean, y log(α + 1/y) + log(1 + αy)/α: falls without end for α < 1; a probability is 1 at most */
    prepared->bounds.minimum = prepared->parameters[FULL] == 0 && prepared->parameters[DISPERSION] < 1
                                   ? -LOSSI_UNBOUNDED
                                   : 0;
    prepared->bounds.derivatives = LOSSI_UNBOUNDED;
}

extern const lossi_row lossi_row_negative_binomial;
const lossi_row lossi_row_negative_binomial = {
    .name = "negative_binomial",
    .aliases = "negative_binomial_nll",
    .summary = "negative log-likelihood of overdispersed counts",
    .formula = "(y + 1/a)*log(1 + a*exp(x)) - y*x, a = dispersion, x = prediction, y = target",
    .reference = "Hilbe, Negative binomial regression (2nd ed. 2011)",
    .elementary = "exp log1p",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_PROBABILISTIC,
    .link = LOSSI_LINK_LOG,
    .constant = LOSSI_CONSTANT_MEAN,
    .options = options,
    .option_count = 2,
    .prepare = prepare,
};

#endif
