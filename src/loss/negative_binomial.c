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
 * With the option full, log y! + log Γ(r) − log Γ(y + r) − y log α is added, r = 1/α. From y = ¼ on the sum is, with v = eˣ/y − 1,
 *
 *     y φ(s) + r φ(t) + (log y! + y − y log y) + ½ log(1 + αy) + S(r) − S(y + r),   s = v/(1 + αy (1 + v)),  t = −αy s
 *
 * φ(s) = s − log(1 + s), and S what Stirling's series stands for: no term is negative, S falling. Below, log Γ(y + r) − log Γ(r) − y log r
 * is for r ≥ 4 (y − ½) y/r − (r + y − ½) φ(y/r) + S(y + r) − S(r), which is small where r is large or y small.
 * Hilbe, Negative binomial regression (2nd ed. 2011), §8.2; Loader, Fast and accurate computation of binomial probabilities
 * (2000), for the positive terms.
 */
#include "loss/pointwise.h"
#include "simd/math_gamma.h"
#include "simd/math_logarithms.h"

enum { DISPERSION, FULL, SHAPE, STIRLING, LOG_SHIFT, LOG_LEFT, LOG_DISPERSION = LOSSI_PARAMETERS - 1 };
enum { SHIFT = 4 }; /* from where Stirling's series is as exact as the type */

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

/* Derivatives where e is about to underflow and where y is huge or infinite; what is NaN stays so. */
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
    const vreal slope = raised / o->base, against_base = y * down / o->base; /* α y alone may overflow */
    const vreal bend = v_fma(slope * alpha, against_base, slope * (down / o->base));
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

/*
 * y φ(s) + r φ(t), the half deviance, of y ≥ ¼ and its logarithm. With e = e^−|u| both follow from 1 − e, which keeps its digits. One of the two is
 * negative, and φ of one near −1 is made with its logarithm, for 1 + t = e^−u (1 + s) and 1 + s = (1/y + α)/(e⁻ˣ + α).
 */
LOSSI_INLINE vreal deviance(vreal x, vreal y, vreal log, vreal log_missing, const real *parameters)
{
    const vreal zero = v_set1(0), one = v_set1(1), most = v_set1(REAL_MAX / 2);
    const vreal r = v_set1(parameters[SHAPE]), alpha = v_set1(parameters[DISPERSION]);
    const vreal part = x - log, back = part + log, scaled = alpha * y;
    const vreal u = part + (((x - back) - (log - (back - part))) - log_missing); /* x − log y */
    const vmask above = v_ge(u, zero);
    const vreal e = v_exp(-v_abs(u)), less = v_expm1(-v_abs(u)), inverse = v_min(v_exp(-x), most);
    const vreal s = v_select(above, -less, less * inverse) / v_select(above, scaled + e, inverse + alpha);
    const vreal t = v_select(above, less / v_fma(e, r / y, one), -(scaled * s));
    const vreal positive = v_select(above, s, t), negative = v_select(above, t, s);
    const vreal log_positive = v_log1p(positive), ratio = (inverse + alpha) / (one / y + alpha);
    const vreal log_negative = v_select(v_mask_or(above, v_lt(x, v_set1(-FAR))), v_abs(u) - log_positive,
                                        v_log(ratio)); /* less than 0, its size */
    const vreal of_positive = v_x_minus_log1p(positive);
    const vreal of_negative = v_select(v_lt(negative, v_set1((real)-0.75)), negative + log_negative,
                                       v_x_minus_log1p(negative));
    const vreal of_s = v_select(above, of_positive, of_negative);
    const vreal of_t = v_select(above, of_negative, of_positive);
    return v_fma(y, of_s, v_select(v_lt(t, most), r * of_t, -(y * s))); /* r t = −y s */
}

/* S of z > 0. Below 4 from S(z) − S(z + 1) = (z + ½) log(1 + 1/z) − 1 = 1/(2z) − (z + ½) φ(1/z). */
LOSSI_INLINE vreal stirling_of_any(vreal z)
{
    const vreal one = v_set1(1), half = v_set1((real)0.5);
    const vmask small = v_lt(z, v_set1(SHIFT));
    const vreal far = stirling_of(v_select(small, z + v_set1(SHIFT), z));
    vreal falls = v_set1(0);
    LOSSI_NO_UNROLL
    for (int i = SHIFT - 1; i >= 0; i--) {
        const vreal from = z + v_set1((real)i), w = one / from;
        falls = falls + v_fnma(from + half, v_x_minus_log1p(w), half * w);
    }
    return v_select(small, falls + far, far);
}

/* log y! + y − y log y of y ≥ ¼ and its logarithm. Below 4 log Γ(y + 1) is log Γ(2 + d) = d (d + 1) P(d) and log y, log(y − 1). */
LOSSI_INLINE vreal constant_of_target(vreal y, vreal log, vreal log_missing)
{
    const vreal one = v_set1(1), two = v_set1(2), half = v_set1((real)0.5), zero = v_set1(0);
    const vreal log_two_pi = v_set1(REAL(1.8378770664093454836));
    const vmask above_one = v_ge(y, two), above_two = v_ge(y, v_set1(3)), many = v_ge(y, v_set1(4));
    const vreal d = y - v_select(above_two, v_set1(3), v_select(above_one, two, one));
    const vreal middle = (d * (d + one)) * v_log_gamma_middle(v_select(many, zero, d));
    const vreal second = v_log(v_select(above_two, y - one, one)), times = v_select(above_one, y - one, y);
    const vreal product = times * log;
    const vreal product_missing = v_fma(times, log_missing, v_fma(times, log, -product));
    const vreal few = (y - product) + ((middle + second) - product_missing);
    return v_select(many, v_fma(half, log + log_two_pi, stirling_of(v_select(many, y, v_set1(4)))), few);
}

/*
 * The loss of 0 ≤ y < ¼, from log, the logarithm that it is made of, and log(1 + αeˣ). Every term that y adds has y for a factor. Where r
 * is less than 4, SHIFT makes it larger, by as many factors of the gamma functions; y log((r + SHIFT)/r), which that leaves, is
 * taken together with y log α and y x.
 */
LOSSI_INLINE vreal of_few(vreal x, vreal y, vreal log, vreal whole, const real *parameters)
{
    const vreal zero = v_set1(0), one = v_set1(1), half = v_set1((real)0.5), r = v_set1(parameters[SHAPE]);
    const vmask large = v_gt(x, -v_set1(parameters[LOG_DISPERSION]));
    const int shifted = parameters[SHAPE] < SHIFT;
    const vreal from = shifted ? r + v_set1(SHIFT) : r, sum = y + from, ratio = y / from;
    const vreal w = one / from, v = one / sum;
    const vreal falling = (w * v * y) *
                          v_fma(w * (w + v), v_stirling_slope(w * w, v * v), v_stirling_tail(v * v));
    vreal rest = v_fma(ratio, y - half, v_fnma(sum - half, v_x_minus_log1p(ratio), -falling));
    if (shifted) {
        vreal product = zero; /* Π (1 + y/(r + i)) − 1 */
        for (int i = 0; i < SHIFT; i++) {
            const vreal factor = y / (r + v_set1((real)i));
            product = v_fma(product, factor, product + factor);
        }
        rest = rest - v_log1p(product);
    }
    const vreal linear = v_select(large, v_set1(parameters[LOG_LEFT]), -(x + v_set1(parameters[LOG_SHIFT])));
    const vreal log_factorial = ((y - one) * y) * v_log_gamma_middle(y - one);
    return v_fma(y, linear + log, whole * r) + (log_factorial - rest);
}

/* The value with what full adds. It is long, and few ask for it: not a part of the loop. */
static __attribute__((noinline)) vreal with_constant(vreal value, vreal x, vreal y, vreal log, vreal whole,
                                                     const real *parameters)
{
    const vreal half = v_set1((real)0.5), least = v_set1((real)0.25), infinity = v_set1(REAL_INFINITY);
    const vreal alpha = v_set1(parameters[DISPERSION]), r = v_set1(parameters[SHAPE]);
    const vmask small = v_lt(y, least);
    const vreal many = v_select(small, least, y), few = v_select(small, y, least);
    vreal log_missing;
    const vreal log_y = v_log_parts(many, &log_missing), scaled = alpha * many;
    const vreal spread = v_select(v_lt(scaled, infinity), v_log1p(scaled),
                                  log_y + v_set1(parameters[LOG_DISPERSION]));
    const vreal sum = many + r, falling = v_set1(parameters[STIRLING]) - stirling_of_any(sum);
    const vreal saddle = v_fma(half, spread, constant_of_target(many, log_y, log_missing) + falling);
    const vreal all = deviance(x, many, log_y, log_missing, parameters) + saddle;
    const vmask number = v_mask_and(v_lt(v_abs(value), infinity),
                                    v_mask_and(v_lt(v_abs(x), infinity), v_lt(y, infinity)));
    return v_select(number, v_select(small, of_few(x, few, log, whole, parameters), all), value);
}

/* log and whole are those of of_few(). */
LOSSI_INLINE void without_constant(vreal prediction, vreal target, const real *parameters, lossi_point *out,
                                   vreal *log_of, vreal *whole_of)
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
    const vreal limit = v_set1(FAR), most = v_set1(REAL_MAX * (real)0x1p-20); /* α y is a number */
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
    *log_of = log;
    *whole_of = whole;
}

/* A loop of its own: with a call in it no register is kept. */
LOSSI_INLINE void plain(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    vreal log, whole;
    without_constant(prediction, target, parameters, out, &log, &whole);
}

LOSSI_INLINE void negative_binomial(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    vreal log, whole;
    without_constant(prediction, target, parameters, out, &log, &whole);
    out->value = with_constant(out->value, prediction, target, log, whole, parameters);
}

LOSSI_INLINE int32_t is_plain(const lossi_prepared *prepared)
{
    return prepared->parameters[FULL] == 0;
}

#define LOSSI_ALONE
#define LOSSI_SPECIAL    plain
#define LOSSI_IS_SPECIAL is_plain
#define LOSSI_FORMULA    negative_binomial
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

/* What Stirling's series stands for at r, from log Γ(r) where r is small; log((r + SHIFT)/r), and that taken from log α. */
static void prepare_constants(double *parameters)
{
    const double half_log_two_pi = 0.91893853320467274178, r = 1 / parameters[DISPERSION],
                 log_r = -parameters[LOG_DISPERSION];
    const int shifted = r < SHIFT;
    double lanes[F64_LANES];
    parameters[SHAPE] = r;
    f64_store(lanes, r < 1 ? v_log_gamma(v_set1(r)) : stirling_of_any(v_set1(r)));
    parameters[STIRLING] = r < 1 ? (lanes[0] - (r - 0.5) * log_r) + (r - half_log_two_pi) : lanes[0];
    f64_store(lanes, v_log1p(v_set1(shifted ? SHIFT * parameters[DISPERSION] : 0)));
    parameters[LOG_SHIFT] = lanes[0];
    f64_store(lanes, v_log(v_set1(shifted ? r + SHIFT : r)));
    parameters[LOG_LEFT] = -lanes[0];
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
