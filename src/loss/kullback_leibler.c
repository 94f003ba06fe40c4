/*
 * Kullback–Leibler divergence of the target distribution from the predicted one.
 *
 *     loss = Σ_j t_j log (t_j / p_j),   0 log 0 = 0,   p = softmax z or the predictions themselves
 *
 *     of z      gradient  p Σ t − t        curvature  Σ t (diag p − ppᵀ)
 *     of p      gradient  −t/p             curvature  t/p²
 *     of log p  gradient  −t               curvature  0
 *
 * Of logits, with c the rounded Σ t, the loss is Σ_j [t_j log (t_j/(c p_j)) − t_j + c p_j] + Σ t log c + Σ t − c: the terms in
 * brackets are not negative, and small where t and c p are close, so a divergence near 0 keeps its digits. A target that does
 * not sum to 1 is taken as it is. t_j > 0 where p_j = 0 is +∞.
 *
 * Kullback & Leibler, On information and sufficiency (1951), eq. (2.6).
 */
#include "loss/divergence.h"

LOSSI_INLINE void kullback_leibler(const lossi_pair *x, const lossi_divergence_row *row,
                                   lossi_divergence *out)
{
    const vreal zero = v_set1(0), p = x->p, t = x->t;
    const vmask none = v_eq(t, zero);
    if (row->input == LOSSI_LOGITS) {
        const vreal b = p * row->factor, d = t - b, u = d / b;
        const vmask near = v_mask_and(lossi_is_near(u), v_ge(b, v_set1(REAL_MIN)));
        const vreal linear = v_select(none, zero, t * (x->log_ratio - row->log_factor));
        out->value = v_select(near, b * lossi_near_excess(u), linear - d);
        out->first = -t;
        out->second = zero;
    } else {
        const vreal nan = v_select(v_ge(p, zero), zero, v_set1(REAL_NAN)); /* no probability */
        const vreal slope = row->input == LOSSI_PROBABILITIES ? v_select(none, nan, t / p) : t;
        out->value = v_select(none, nan, t * x->log_ratio);
        out->first = -slope;
        out->second = row->input == LOSSI_PROBABILITIES ? v_select(none, nan, slope / p) : zero;
    }
}

/* The nearest number to Σ t; how far it is from that, rounding shows for float32 alone. */
LOSSI_INLINE void normalize(lossi_doubles total, lossi_divergence_row *row)
{
    row->linear = 1;
    row->factor = lossi_round(total);
    row->log_factor = v_log(row->factor);
    const lossi_doubles part = lossi_doubles_multiply(total, lossi_widen(row->log_factor)),
                        rest = lossi_doubles_subtract(total, lossi_widen(row->factor));
    row->offset = v_select(v_eq(row->factor, v_set1(0)), v_set1(0),
                           lossi_round(lossi_doubles_add(part, rest)));
}

#define LOSSI_FORMULA   kullback_leibler
#define LOSSI_NORMALIZE normalize
#include "loss/divergence_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {LOSSI_DIVERGENCE_OPTION_ROWS("logits|probabilities|log_probabilities")};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    lossi_divergence_prepare(values, prepared);
    prepared->flags |= LOSSI_CONVEX;
    prepared->bounds.derivatives = (double)INFINITY;
    if (prepared->link == LOSSI_LINK_SOFTMAX) {
        prepared->flags |= LOSSI_MAJORIZED;
        prepared->bounds.lipschitz = 1.4142135623730951; /* of p − t, two distributions: √2 */
        prepared->bounds.curvature = 0.5;
    }
    if (prepared->link != LOSSI_LINK_SOFTMAX) {
        prepared->bounds.minimum = -(double)INFINITY; /* of numbers that are no distribution */
    }
    if (prepared->link == LOSSI_LINK_LOG) {
        prepared->bounds.lipschitz = 1;
        prepared->bounds.curvature = 0;
    }
}

extern const lossi_row lossi_row_kullback_leibler;
const lossi_row lossi_row_kullback_leibler = {
    .name = "kullback_leibler",
    .aliases = "kl_divergence kl_div",
    .summary = "Kullback-Leibler divergence of the target distribution from the predicted one",
    .formula = "sum_j t_j*log(t_j/p_j), p = softmax(prediction), t = target",
    .reference = "Kullback & Leibler, On information and sufficiency (1951), eq. (2.6)",
    .elsewhere = "PyTorch KLDivLoss with input = log_probabilities and reduction batchmean; "
                 "Keras KLDivergence with input = probabilities; optax kl_divergence",
    .elementary = "exp log",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_MAJORIZED,
    .link = LOSSI_LINK_SOFTMAX,
    .constant = LOSSI_CONSTANT_MEAN,
    .options = options,
    .option_count = LOSSI_DIVERGENCE_OPTIONS,
    .prepare = prepare,
};

#endif
