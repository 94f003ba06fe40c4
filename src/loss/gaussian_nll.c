/*
 * Negative log-likelihood of a normal distribution whose mean p and variance v a model gives both.
 *
 *     loss = ½ (log v + r²/v),   r = p − target        (+ ½ log 2π with the option full)
 *
 * The role "variance" is v, or instead "log_variance" is ℓ = log v, which has no edge. With t = r/√v, which neither
 * overflows nor underflows where r²/v does not, the derivatives are
 *
 *     ∂p  r/v      ∂v  ½ (1 − t²)/v     ∂pp  1/v     ∂vv  (t² − ½)/v²    ∂pv  −r/v²
 *                  ∂ℓ  ½ (1 − t²)                    ∂ℓℓ  ½ t²           ∂pℓ  −r/v
 *
 * Gauss–Newton is Fisher's information: 1/v, ½/v² (½ for ℓ), and no mixed part. A variance of 0 is the limit: +∞, or −∞
 * where r is 0. Nothing is clamped: PyTorch raises small variances to 1e-6 and passes their gradient on.
 * Nix & Weigend, Estimating the mean and variance of the target probability distribution (1994), eq. (3).
 */
#include "loss/elementwise.h"

enum { FULL, CONSTANT = LOSSI_PARAMETERS - 1 };
enum { PREDICTION, TARGET, SPREAD, LOG_SPREAD, ROLES };

/* Of r and v of no larger size, and v of no smaller, everything is a normal number. */
#define MOST  REAL(0x1p60)
#define LEAST REAL(0x1p-60)

typedef struct first_order {
    vreal value, slope, of_variance; /* value without the constant */
} first_order;

/* Elsewhere, lanes where the others are: with a root and divisions. */
static __attribute__((noinline)) void far_variance(const vreal *of, first_order *out)
{
    const vreal r = of[0], v = of[1], half = v_set1((real)0.5), zero = v_set1(0), one = v_set1(1);
    const vreal t = r / v_sqrt(v);
    const vmask edge = v_mask_and(v_eq(v, zero), v_eq(r, r)), exact_hit = v_eq(r, zero);
    const vmask far = v_mask_not(
        v_mask_and(v_mask_and(v_le(v_abs(r), v_set1(MOST)), v_le(v, v_set1(MOST))), v_ge(v, v_set1(LEAST))));
    const vreal limit = v_select(exact_hit, v_set1(-REAL_INFINITY), v_set1(REAL_INFINITY));
    /* ½ t² − ½ t·t: rounded once each; at r = 0 and v = 0 there is no t */
    const vreal value = v_select(edge, limit, half * (v_log(v) + t * t));
    const vreal slope = v_select(v_mask_and(edge, exact_hit), zero, r / v);
    const vreal of_variance = v_select(edge, -limit, half * ((one - t) * (one + t) / v));
    out->value = v_select(far, value, out->value);
    out->slope = v_select(far, slope, out->slope);
    out->of_variance = v_select(far, of_variance, out->of_variance);
}

/* The residual and 1/v give all of it: t² is r (r/v). A quotient is corrected by its remainder, hence rounded nearly to nearest. */
LOSSI_INLINE vmask near_variance(vreal r, vreal v, first_order *out)
{
    const vreal half = v_set1((real)0.5), one = v_set1(1), inverse = one / v, rough = r * inverse;
    const vmask near = v_mask_and(v_le(v_max(v, v_abs(r)), v_set1(MOST)), v_ge(v, v_set1(LEAST)));
    vreal n;
    const vreal m = v_split_normal(v, &n);
    out->slope = v_fma(v_fnma(rough, v, r), inverse, rough);
    out->value = half * v_fma(r, out->slope, v_log_sum(n, m - REAL(1.0)));
    out->of_variance = (half * v_fnma(r, out->slope, one)) * inverse;
    return v_mask_not(near);
}

LOSSI_INLINE void of_spread(lossi_element *e, vreal r, vreal constant, int32_t fisher)
{
    const vreal v = e->in[SPREAD], half = v_set1((real)0.5), one = v_set1(1);
    const vreal dp = e->direction[PREDICTION], dv = e->direction[SPREAD];
    const vreal root = v_sqrt(v), t = r / root;
    first_order first;
    if (lossi_rare(near_variance(r, v, &first))) {
        const vreal of[] = {r, v};
        first_order all = first;
        far_variance(of, &all);
        first = all;
        e->outside = v_lt(v, v_set1(0));
    }
    e->value = first.value + constant;
    e->gradient[PREDICTION] = first.slope;
    e->gradient[SPREAD] = first.of_variance;
    e->curvature[PREDICTION] = v_select(v_is_nan(r), r, one / v);
    e->curvature[SPREAD] = fisher ? v_select(v_is_nan(r), r, half / v / v) : (t * t - half) / v / v;
    if (fisher) {
        e->product[PREDICTION] = e->curvature[PREDICTION] * dp;
        e->product[SPREAD] = e->curvature[SPREAD] * dv;
    } else {
        e->product[PREDICTION] = (dp - first.slope * dv) / v;
        e->product[SPREAD] = ((t * t - half) / v * dv - first.slope * dp) / v;
    }
}

LOSSI_INLINE void of_log_spread(lossi_element *e, vreal r, vreal constant, int32_t fisher)
{
    const vreal l = e->in[LOG_SPREAD], half = v_set1((real)0.5), one = v_set1(1);
    const vreal dp = e->direction[PREDICTION], dl = e->direction[LOG_SPREAD];
    const vreal w = v_exp(-half * l), t = r * w, slope = t * w, precision = w * w;
    e->value = half * (l + t * t) + constant;
    e->gradient[PREDICTION] = slope;
    e->gradient[LOG_SPREAD] = half * ((one - t) * (one + t));
    e->curvature[PREDICTION] = v_select(v_is_nan(r), r, precision);
    e->curvature[LOG_SPREAD] = fisher ? v_select(v_is_nan(t), t, half) : half * (t * t);
    if (fisher) {
        e->product[PREDICTION] = e->curvature[PREDICTION] * dp;
        e->product[LOG_SPREAD] = e->curvature[LOG_SPREAD] * dl;
    } else {
        e->product[PREDICTION] = (w * dp - t * dl) * w;
        e->product[LOG_SPREAD] = t * (half * t * dl - w * dp);
    }
}

#define LOSSI_FORMULA gaussian_nll
#include "loss/spread_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [FULL] = {.name = "full",
              .type = LOSS_OPTION_INT,
              .minimum = 0,
              .maximum = 1,
              .initial = 0,
              .doc = "1: with the constant log(2 pi)/2"},
};

static const lossi_role roles[ROLES] = {
    [PREDICTION] = {.name = "prediction",
                    .flags = LOSSI_DIFFERENTIABLE,
                    .doc = "rows x columns, real: the mean"},
    [TARGET] = {.name = "target", .doc = "rows x columns, real: what was observed"},
    [SPREAD] = {.name = "variance",
                .flags = LOSSI_OPTIONAL | LOSSI_DIFFERENTIABLE,
                .domain = {0, LOSSI_UNBOUNDED, 0},
                .doc = "rows x columns, real, optional: the variance; 0 gives the limit, infinity or "
                       "-infinity. Needed unless there is log_variance"},
    [LOG_SPREAD] = {.name = "log_variance",
                    .flags = LOSSI_OPTIONAL | LOSSI_DIFFERENTIABLE,
                    .doc = "rows x columns, real, optional: its logarithm, instead of variance"},
};

static loss_status check(loss_context *context, const char *title, const lossi_prepared *prepared,
                         const lossi_shape *shape)
{
    (void)prepared;
    return (shape->rows[SPREAD] >= 0) != (shape->rows[LOG_SPREAD] >= 0)
               ? LOSS_OK
               : lossi_fail(context, LOSS_ERROR_ARGUMENT, "%s needs either 'variance' or 'log_variance'",
                            title);
}

static const lossi_structure structure = {
    .roles = roles, .role_count = ROLES, .flags = LOSSI_ADDS_UP, .check = check};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    /* log(2 pi)/2 */
    prepared->parameters[CONSTANT] = lossi_options_own(values, FULL)->number != 0 ? 0.91893853320467274178
                                                                                  : 0;
    prepared->bounds.minimum = -LOSSI_UNBOUNDED;
    prepared->bounds.derivatives = LOSSI_UNBOUNDED;
}

extern const lossi_row lossi_row_gaussian_nll;
const lossi_row lossi_row_gaussian_nll = {
    .name = "gaussian_nll",
    .aliases = "gaussian_nll_loss gaussian_negative_log_likelihood rmse_with_uncertainty",
    .summary = "negative log-likelihood of a normal distribution, mean and variance predicted",
    .formula = "(log(v) + r^2/v)/2, r = prediction - target, v = variance or exp(log_variance)",
    .reference =
        "Nix & Weigend, Estimating the mean and variance of the target probability distribution (1994)",
    .elsewhere =
        "PyTorch GaussianNLLLoss (variance); CatBoost RMSEWithUncertainty (logarithm of the deviation)",
    .elementary = "log",
    .flags = LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_PROBABILISTIC,
    .structure = &structure,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
