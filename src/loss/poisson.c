/*
 * Negative log-likelihood of counts whose mean a model gives, up to a constant of the target.
 *
 *     link log        loss = eˣ − y x            x = prediction, the logarithm of the mean
 *     link identity   loss = μ − y log μ         μ = prediction, the mean
 *
 * With the option full log Γ(y + 1) is added. From y = 4 on that is y D(x) + ½ log(2πy) + φ(y) with D the half deviance over y and φ what
 * Stirling's series stands for: positive terms, where the others agree in their first digits. PyTorch adds Stirling's formula
 * without φ, and only for y > 1.
 *
 * y is any number from 0 on. With the link log the gradient eˣ − y and the curvature eˣ overflow together with the loss; a mean of 0
 * has an infinite loss unless y is 0, in which case it is 0. PyTorch adds 1e-8 to the mean, which bends the loss near 0.
 * McCullagh & Nelder, Generalized linear models (2nd ed. 1989), §6.2; Loader, Fast and accurate computation of binomial probabilities
 * (2000), for the positive terms.
 */
#include "loss/pointwise.h"
#include "simd/math_gamma.h"
#include "simd/math_logarithms.h"

enum { LINK, FULL };

/* The value with log Γ(y + 1); mean and the rest are the terms of the value without, rest being subtracted. It is long, and few
 * ask for it: not a part of the loop. */
static __attribute__((noinline)) vreal with_constant(vreal value, vreal x, vreal y, vreal mean, vreal rest,
                                                     int identity)
{
    const vreal one = v_set1(1), half = v_set1((real)0.5), infinity = v_set1(REAL_INFINITY);
    const vmask large = v_ge(y, v_set1(4)), small = v_lt(y, v_set1(2));
    const vreal many = v_select(large, y, v_set1(4)), few = v_select(large, one, y);
    vreal tail, excess;
    const vreal log = v_log_parts(many, &tail);
    if (identity) {
        const vreal v = (x - many) / many; /* near −1 it has lost the digits of x */
        excess = v_select(v_lt(x, half * many), v - ((v_log(x) - log) - tail), v_x_minus_log1p(v));
    } else {
        const vreal sum = x - log, part = sum - x;
        const vreal u = sum + (((x - (sum - part)) - (log + part)) - tail), v = v_expm1(u);
        excess = v_select(v_lt(v_abs(u), one), v_x_minus_log1p(v), v - u); /* e^u − 1 − u */
    }
    const vreal w = one / many, stirling = w * v_stirling_tail(w * w);
    const vreal log_two_pi = v_set1(REAL(1.8378770664093454836));
    const vreal far = v_fma(many, excess, v_fma(half, log + log_two_pi, stirling));
    /* log Γ(2 + d) = d (d + 1) P(d) with d = y − 1 */
    const vreal middle = ((few - one) * few) * v_log_gamma_middle(v_select(small, few - one, one));
    const vreal log_gamma = v_select(small, middle, v_log_gamma(few + one));
    const vreal near = identity ? (mean + log_gamma) - rest : v_fnma(few, x, mean + log_gamma);
    const vmask number = v_mask_and(v_lt(v_abs(value), infinity),
                                    v_mask_and(v_lt(v_abs(x), infinity), v_lt(y, infinity)));
    return v_select(number, v_select(large, far, near), value);
}

/* With the link log, where the value is infinite or NaN. */
LOSSI_INLINE void ends_of_log(vreal x, vreal y, vreal mean, lossi_point *out)
{
    const vreal zero = v_set1(0), infinity = v_set1(REAL_INFINITY);
    const vmask over = v_eq(mean, infinity), nan = v_is_nan(y); /* eˣ outgrows y x */
    const vmask none = v_mask_and(v_eq(y, zero), v_eq(x, -infinity));
    const vmask start = v_mask_and(v_eq(x, zero), v_eq(y, infinity));
    const vreal value = v_select(over, infinity,
                                 v_select(none, zero, v_select(start, v_set1(1), out->value)));
    out->value = v_select(nan, y, value);
    out->gradient = v_select(nan, y, v_select(over, infinity, out->gradient));
    out->curvature = v_select(nan, y, out->curvature);
}

/* The default: the link log, without log Γ(y + 1) */
LOSSI_INLINE void poisson_log(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal x = prediction, y = target, mean = v_exp(x);

    (void)parameters;
    out->value = mean - y * x;
    out->gradient = mean - y;
    out->curvature = mean;
    const vmask number = v_lt(v_abs(out->value), v_set1(REAL_INFINITY));
    if (lossi_unusual(out, v_mask_not(number))) {
        ends_of_log(x, y, mean, out);
    }
    out->majorizer = out->curvature;
}

static int is_plain(const lossi_prepared *prepared)
{
    return prepared->parameters[LINK] == 0 && prepared->parameters[FULL] == 0;
}

LOSSI_INLINE void poisson(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal zero = v_set1(0), one = v_set1(1), infinity = v_set1(REAL_INFINITY), x = prediction,
                y = target;
    if (parameters[LINK] != 0) {
        const vmask none = v_eq(y, zero), end = v_eq(x, infinity), ends = v_mask_and(end, v_eq(y, infinity));
        const vreal log = v_log(x), ratio = v_select(v_mask_or(none, end), zero, y / x);
        const vreal nan = v_select(v_is_nan(x), x, v_select(v_is_nan(y), y, zero));
        const vreal term = v_select(v_mask_or(none, v_eq(log, zero)), zero, y * log);
        out->value = nan + v_select(end, v_select(ends, -infinity, infinity), x - term);
        out->gradient = nan + v_select(end, v_select(ends, v_set1(REAL_NAN), one),
                                       v_select(v_gt(x, zero), (x - y) / x, one - ratio));
        out->curvature = nan + v_select(none, zero, ratio / x);
        if (parameters[FULL] != 0) {
            out->value = with_constant(out->value, x, y, x, term, 1);
        }
    } else {
        poisson_log(x, y, parameters, out);
        if (parameters[FULL] != 0) {
            const vreal rest = v_select(v_mask_or(v_eq(y, zero), v_eq(x, zero)), y - y, y * x);
            out->value = with_constant(out->value, x, y, out->curvature, rest, 0);
        }
    }
    out->majorizer = out->curvature;
}

#define LOSSI_ALONE
#define LOSSI_FORMULA    poisson
#define LOSSI_SPECIAL    poisson_log
#define LOSSI_IS_SPECIAL is_plain
#include "loss/pointwise_long_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [LINK] = {.name = "link",
              .type = LOSS_OPTION_STRING,
              .text = "log",
              .choices = "log|identity",
              .doc = "whether predictions are logarithms of means, or means: log_input true or false",
              .aliases = "log_input",
              .words = "true|false"},
    [FULL] = {.name = "full",
              .type = LOSS_OPTION_INT,
              .minimum = 0,
              .maximum = 1,
              .initial = 0,
              .doc = "1: with the term log(gamma(y + 1)) of the target"},
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    const int32_t identity = prepared->parameters[LINK] != 0;
    prepared->target.low = 0;
    prepared->prediction.low = identity ? 0 : prepared->prediction.low;
    prepared->link = identity ? LOSSI_LINK_IDENTITY : LOSSI_LINK_LOG;
    prepared->bounds.minimum = prepared->parameters[FULL] != 0 ? 0 : -LOSSI_UNBOUNDED;
    prepared->bounds.derivatives = LOSSI_UNBOUNDED;
}

extern const lossi_row lossi_row_poisson;
const lossi_row lossi_row_poisson = {
    .name = "poisson",
    .aliases = "poisson_nll poisson_nll_loss half_poisson_loss mean_poisson_deviance "
               "count_poisson",
    .summary = "negative log-likelihood of counts",
    .formula = "exp(x) - y*x with the link log, x - y*log(x) with identity, x = prediction, y = target",
    .reference = "McCullagh & Nelder, Generalized linear models (2nd ed. 1989)",
    .elsewhere = "PyTorch PoissonNLLLoss; Keras Poisson (identity); scikit-learn HalfPoissonLoss and "
                 "mean_poisson_deviance (twice, less its minimum); XGBoost "
                 "count:poisson; LightGBM poisson; CatBoost Poisson; Vowpal Wabbit poisson (deviance)",
    .elementary = "exp",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_PROBABILISTIC,
    .link = LOSSI_LINK_LOG,
    .constant = LOSSI_CONSTANT_MEAN,
    .options = options,
    .option_count = 2,
    .prepare = prepare,
};

#endif
