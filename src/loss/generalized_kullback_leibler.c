/*
 * Generalized Kullback–Leibler divergence of numbers that need not sum to 1: counts, intensities, histograms.
 *
 *     loss = Σ_j t_j log (t_j/q_j) − t_j + q_j,   0 log 0 = 0,   q the predictions or their exponentials
 *
 *     of q      gradient  1 − t/q      curvature  t/q²
 *     of log q  gradient  q − t        curvature  q
 *
 * A column is q h(t/q − 1) with the excess h of loss/distribution.h: not negative, and exact where t and q are close. It is
 * half the deviance of a Poisson distribution.
 *
 * Csiszár, Why least squares and maximum entropy? (1991), eq. (1.2).
 */
#include "loss/divergence.h"

LOSSI_INLINE void generalized_kullback_leibler(const lossi_pair *x, const lossi_divergence_row *row,
                                               lossi_divergence *out)
{
    const vreal zero = v_set1(0), one = v_set1(1), q = x->p, t = x->t;
    const vreal d = t - q, u = d / q;
    const vmask none = v_eq(t, zero), near = v_mask_and(lossi_is_near(u), v_ge(q, v_set1(REAL_MIN)));
    const vmask endless = v_eq(d, v_set1(-REAL_INFINITY)); /* q grows faster than its logarithm */
    const vreal far = v_select(v_mask_or(none, endless), zero, t * x->log_ratio) - d;

    out->value = v_select(near, q * lossi_near_excess(u), far);
    if (row->input == LOSSI_PROBABILITIES) {
        out->first = v_select(none, one, -u);
        out->second = v_select(none, zero, t / q / q);
    } else {
        out->first = -d;
        out->second = q;
    }
}

#define LOSSI_FORMULA     generalized_kullback_leibler
#define LOSSI_FIRST_INPUT LOSSI_PROBABILITIES
#include "loss/divergence_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [LOSSI_INPUT] = {.name = "input",
                     .type = LOSS_OPTION_STRING,
                     .text = "values",
                     .choices = "values|logarithms",
                     .doc = "what the predictions are"},
    [LOSSI_TARGET_INPUT] = {.name = "target_input",
                            .type = LOSS_OPTION_STRING,
                            .text = "values",
                            .choices = "values|logarithms",
                            .doc = "what the targets are"},
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    const int32_t logarithms = lossi_options_own(values, LOSSI_INPUT)->integer == 1;
    prepared->link = logarithms ? LOSSI_LINK_LOG : LOSSI_LINK_IDENTITY;
    prepared->prediction.low = logarithms ? prepared->prediction.low : 0;
    if (lossi_options_own(values, LOSSI_TARGET_INPUT)->integer == 0) {
        prepared->target.low = 0;
    }
    prepared->bounds.derivatives = (double)INFINITY;
}

extern const lossi_row lossi_row_generalized_kullback_leibler;
const lossi_row lossi_row_generalized_kullback_leibler = {
    .name = "generalized_kullback_leibler",
    .aliases = "generalized_kl_divergence i_divergence",
    .summary = "Kullback-Leibler divergence of numbers that need not sum to 1",
    .formula = "sum_j t_j*log(t_j/q_j) - t_j + q_j, q = prediction, t = target",
    .reference = "Csiszar, Why least squares and maximum entropy? (1991), eq. (1.2)",
    .elsewhere = "optax generalized_kl_divergence with input = logarithms",
    .elementary = "log",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH,
    .link = LOSSI_LINK_IDENTITY,
    .options = options,
    .option_count = LOSSI_DIVERGENCE_OPTIONS,
    .prepare = prepare,
};

#endif
