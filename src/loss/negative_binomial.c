/*
 * Negative log-likelihood of overdispersed counts: a Poisson distribution whose mean is gamma distributed, up to a constant of the
 * target.
 *
 *     loss = (y + 1/α) log(1 + α eˣ) − y x,   x = prediction, the logarithm of the mean
 *
 * α is the dispersion: the variance is μ + α μ². As α goes to 0 it is the Poisson loss. Where αeˣ ≤ 1, log(1 + αeˣ)/α is exact as it
 * stands, with e = eˣ; beyond, log(1 + αeˣ) − x is log α + log(1 + e/α) with e = e⁻ˣ: one logarithm of a number up to 2. Gradient
 * (eˣ − y)/(1 + αeˣ), curvature eˣ(1 + αy)/(1 + αeˣ)², each with the same e.
 * Hilbe, Negative binomial regression (2nd ed. 2011), §8.2.
 */
#include "loss/pointwise.h"

enum { DISPERSION, LOG_DISPERSION = LOSSI_PARAMETERS - 1 };

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
}

#define LOSSI_FORMULA negative_binomial
#include "loss/pointwise_long_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [DISPERSION] = {.name = "dispersion",
                    .type = LOSS_OPTION_DOUBLE,
                    .minimum = 1e-6,
                    .maximum = 1e6,
                    .initial = 1,
                    .doc = "the variance is mean + dispersion * mean^2"},
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    double log_dispersion[F64_LANES];
    f64_store(log_dispersion, v_log(v_set1(prepared->parameters[DISPERSION])));
    prepared->parameters[LOG_DISPERSION] = log_dispersion[0];
    prepared->target.low = 0;
    /* at the best mean, y log(α + 1/y) + log(1 + αy)/α: falls without end for α < 1 */
    prepared->bounds.minimum = prepared->parameters[DISPERSION] < 1 ? -LOSSI_UNBOUNDED : 0;
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
    .option_count = 1,
    .prepare = prepare,
};

#endif
