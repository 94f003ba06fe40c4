/*
 * Negative log-likelihood of overdispersed counts: a Poisson distribution whose mean is gamma distributed, up to a constant of the
 * target.
 *
 *     loss = (y + 1/α) log(1 + α eˣ) − y x,   x = prediction, the logarithm of the mean
 *
 * α is the dispersion: the variance is μ + α μ². As α goes to 0 it is the Poisson loss. log(1 + αeˣ)/α is exact for small αeˣ, and
 * log(1 + αeˣ) − x is log α + log(1 + e⁻ˣ/α) where that is large. Gradient (eˣ − y)/(1 + αeˣ), curvature eˣ(1 + αy)/(1 + αeˣ)², each
 * with e⁻ˣ for x > 0.
 * Hilbe, Negative binomial regression (2nd ed. 2011), §8.2.
 */
#include "loss/pointwise.h"

enum { DISPERSION, LOG_DISPERSION = LOSSI_PARAMETERS - 1 };

/* Powers of two beyond which e^-|x| is nearly nothing. */
#if LOSSI_REAL == 32
#define FAR      REAL(80.0)
#define STEP     REAL(0x1p64)
#define LOG_STEP REAL(44.361419555836499802) /* 64 log 2 */
#else
#define FAR      REAL(700.0)
#define STEP     REAL(0x1p512)
#define LOG_STEP REAL(354.89135644669199842) /* 512 log 2 */
#endif

LOSSI_INLINE void negative_binomial(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal alpha = v_set1(parameters[DISPERSION]), log_alpha = v_set1(parameters[LOG_DISPERSION]);
    const vreal zero = v_set1(0), one = v_set1(1), x = prediction, y = target;
    const vmask positive = v_gt(x, zero), none = v_eq(y, zero);
    /* e⁻ˣ for x > 0, eˣ below; where it is about to underflow, times STEP, which y takes away */
    const vreal a = v_abs(x);
    const vmask far = v_gt(a, v_set1(FAR));
    const vreal raised = v_exp(v_select(far, LOG_STEP - a, -a));
    const vreal down = v_select(far, v_set1(1 / STEP), one), e = raised * down;
    const vreal odds = v_select(positive, alpha / e, alpha * e);
    const vmask large = v_gt(odds, one), gone = v_eq(raised, zero);
    const vreal log = v_log1p(v_select(large, one / odds, odds));
    const vreal whole = v_select(large, (x + log_alpha) + log, log); /* log(1 + αeˣ) */
    const vreal rest = v_select(large, log_alpha + log, log - x);    /* less x */
    const vreal base = v_select(positive, e + alpha, v_fma(alpha, e, one));
    const vreal unit = v_select(positive, one, e), against = v_select(positive, (y * down) * raised, y);
    const vreal nan = v_select(v_is_nan(x), x, v_select(v_is_nan(y), y, zero));
    const vreal bend = (raised / base) * (v_fma(alpha, y, one) * down / base);

    out->value = nan + (whole / alpha + v_select(v_mask_or(none, v_eq(rest, zero)), zero, y * rest));
    out->gradient = nan +
                    (unit - v_select(v_mask_or(none, v_mask_and(positive, gone)), zero, against)) / base;
    out->curvature =
        nan +
        v_select(gone, v_select(v_mask_and(v_eq(y, v_set1(REAL_INFINITY)), v_lt(x, zero)), y, zero), bend);
    out->majorizer = out->curvature;
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
