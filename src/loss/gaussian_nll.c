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
enum { PREDICTION, TARGET, VARIANCE, LOG_VARIANCE, ROLES };

LOSSI_INLINE void of_variance(lossi_element *e, vreal r, vreal constant, int32_t fisher)
{
    const vreal v = e->in[VARIANCE], half = v_set1((real)0.5), zero = v_set1(0), one = v_set1(1);
    const vreal dp = e->direction[PREDICTION], dv = e->direction[VARIANCE];
    const vreal root = v_sqrt(v), t = r / root, slope = r / v;
    const vmask edge = v_eq(v, zero), exact_hit = v_eq(r, zero);
    const vreal limit = v_select(exact_hit, v_set1(-REAL_INFINITY), v_set1(REAL_INFINITY));
    /* ½ t² − ½ t·t: rounded once each; at r = 0 and v = 0 there is no t */
    e->value = v_select(v_mask_and(edge, v_eq(r, r)), limit, half * (v_log(v) + t * t) + constant);
    e->gradient[PREDICTION] = v_select(v_mask_and(edge, exact_hit), zero, slope);
    e->gradient[VARIANCE] = v_select(v_mask_and(edge, v_eq(r, r)), -limit,
                                     half * ((one - t) * (one + t) / v));
    e->curvature[PREDICTION] = v_select(v_is_nan(r), r, one / v);
    e->curvature[VARIANCE] = fisher ? v_select(v_is_nan(r), r, half / v / v) : (t * t - half) / v / v;
    if (fisher) {
        e->product[PREDICTION] = e->curvature[PREDICTION] * dp;
        e->product[VARIANCE] = e->curvature[VARIANCE] * dv;
    } else {
        e->product[PREDICTION] = (dp - slope * dv) / v;
        e->product[VARIANCE] = ((t * t - half) / v * dv - slope * dp) / v;
    }
}

LOSSI_INLINE void of_log_variance(lossi_element *e, vreal r, vreal constant, int32_t fisher)
{
    const vreal l = e->in[LOG_VARIANCE], half = v_set1((real)0.5), one = v_set1(1);
    const vreal dp = e->direction[PREDICTION], dl = e->direction[LOG_VARIANCE];
    const vreal w = v_exp(-half * l), t = r * w, slope = t * w, precision = w * w;
    e->value = half * (l + t * t) + constant;
    e->gradient[PREDICTION] = slope;
    e->gradient[LOG_VARIANCE] = half * ((one - t) * (one + t));
    e->curvature[PREDICTION] = v_select(v_is_nan(r), r, precision);
    e->curvature[LOG_VARIANCE] = fisher ? v_select(v_is_nan(t), t, half) : half * (t * t);
    if (fisher) {
        e->product[PREDICTION] = e->curvature[PREDICTION] * dp;
        e->product[LOG_VARIANCE] = e->curvature[LOG_VARIANCE] * dl;
    } else {
        e->product[PREDICTION] = (w * dp - t * dl) * w;
        e->product[LOG_VARIANCE] = t * (half * t * dl - w * dp);
    }
}

LOSSI_INLINE void formula(const lossi_part *part, lossi_element *e)
{
    const vreal constant = v_set1((real)part->prepared->parameters[CONSTANT]);
    const vreal r = e->in[PREDICTION] - e->in[TARGET];
    const int32_t fisher = part->curvature_kind == LOSSI_GAUSS_NEWTON;
    if (part->input[VARIANCE].data != NULL) {
        of_variance(e, r, constant, fisher);
    } else {
        of_log_variance(e, r, constant, fisher);
    }
}

static void gaussian_nll(const lossi_part *part)
{
    lossi_elementwise(part, formula, ROLES);
}

extern const lossi_kernels LOSSI_NAME(gaussian_nll);
const lossi_kernels LOSSI_NAME(gaussian_nll) = {.part = gaussian_nll};

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
    [VARIANCE] = {.name = "variance",
                  .flags = LOSSI_OPTIONAL | LOSSI_DIFFERENTIABLE,
                  .domain = {0, LOSSI_UNBOUNDED, 0},
                  .doc = "rows x columns, real, optional: the variance; 0 gives the limit, infinity or "
                         "-infinity. Needed unless there is log_variance"},
    [LOG_VARIANCE] = {.name = "log_variance",
                      .flags = LOSSI_OPTIONAL | LOSSI_DIFFERENTIABLE,
                      .doc = "rows x columns, real, optional: its logarithm, instead of variance"},
};

static loss_status check(loss_context *context, const char *title, const lossi_prepared *prepared,
                         const lossi_shape *shape)
{
    (void)prepared;
    return (shape->rows[VARIANCE] >= 0) != (shape->rows[LOG_VARIANCE] >= 0)
               ? LOSS_OK
               : lossi_fail(context, LOSS_ERROR_ARGUMENT, "%s needs either 'variance' or 'log_variance'",
                            title);
}

static const lossi_structure structure = {.roles = roles, .role_count = ROLES, .check = check};

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
