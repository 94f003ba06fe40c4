/*
 * Logistic loss: binary cross-entropy of a logit x and a target t in [0, 1], positives weighted by w.
 *
 *     loss = w t log(1 + e⁻ˣ) + (1 − t) log(1 + eˣ)
 *
 * With e = exp(−|x|) and L = log1p(e), log(1 + e^±x) is L, or |x| + L on the side where it is large: both terms are
 * positive, so nothing cancels and tails are exact. σ(x) = 1/(1 + e) and 1 − σ(x) = e/(1 + e), swapped for x < 0, are each
 * exact too. At x = ±∞ a coefficient of 0 takes its term away.
 * Cox, The regression analysis of binary sequences (1958); majorizer tanh(x/2)/(2x): Jaakkola & Jordan, Bayesian parameter
 * estimation via variational methods (2000), eq. (9).
 */
#include "loss/pointwise.h"

enum { POSITIVE_WEIGHT };

LOSSI_INLINE void logistic(vreal x, vreal t, const real *parameters, lossi_point *out)
{
    const vreal zero = v_set1(0), one = v_set1(1), half = v_set1((real)0.5);
    const vreal positive = v_set1(parameters[POSITIVE_WEIGHT]) * t, negative = one - t;
    const vmask up = v_ge(x, zero);
    const vreal a = v_abs(x), e = v_exp(-a);
    const vreal large = one / (one + e), small = e * large; /* σ(|x|) and σ(−|x|) */
    const vreal with = v_select(up, negative, positive);    /* the coefficient of the term |x| + L */
    const vreal total = positive + negative;
    const vreal linear = v_select(v_eq(with, zero), zero, with * a);

    out->value = v_fma(total, v_log1p_unit(e), linear);
    /* σ(x)(1 − t) − σ(−x) w t: cancels only where the gradient is small itself */
    out->gradient = negative * v_select(up, large, small) - positive * v_select(up, small, large);
    out->curvature = total * (small * large);
    /* tanh(a/2)/(2a) = expm1(−a)/(−2a (1 + e)); ¼ at 0 */
    out->majorizer = total * v_select(v_lt(a, v_set1(REAL_MIN)), v_set1((real)0.25),
                                      half * ((-v_expm1(-a) / a) * large));
}

#define LOSSI_FORMULA logistic
#include "loss/pointwise_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [POSITIVE_WEIGHT] = {.name = "positive_weight",
                         .type = LOSS_OPTION_DOUBLE,
                         .minimum = 0,
                         .maximum = 1e30,
                         .initial = 1,
                         .doc = "the weight of positive targets"},
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    prepared->target = (lossi_domain){0, 1, 0};
}

extern const lossi_row lossi_row_logistic;
const lossi_row lossi_row_logistic = {
    .name = "logistic",
    .aliases = "bce_with_logits log_loss",
    .summary = "binary cross-entropy of a logit, targets 0 to 1",
    .formula = "positive_weight*t*log(1 + exp(-x)) + (1 - t)*log(1 + exp(x)), x = prediction, t = target",
    .reference = "Cox, The regression analysis of binary sequences (1958)",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_CLASSIFICATION | LOSSI_PROBABILISTIC |
             LOSSI_MAJORIZED,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
