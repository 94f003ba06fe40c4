/*
 * Reverse Kullback–Leibler divergence: of the prediction from the target, which seeks a mode instead of covering all of them.
 *
 *     loss = Σ_j p_j log (p_j / t_j),   0 log 0 = 0,   p = softmax z or the predictions themselves
 *
 *     of z      with u_j = log (p_j/t_j) and ū = Σ p u:  gradient p (u − ū),  and h = p (u − ū + 1) (loss/divergence.h)
 *     of p      gradient  u + 1        curvature  1/p
 *
 * Of logits, with c near 1/Σ t, the loss is Σ_j [p_j log (p_j/(c t_j)) − p_j + c t_j] + log c + 1 − c Σ t, whose terms in
 * brackets do not cancel. t_j = 0 where p_j > 0 is +∞, without derivatives.
 *
 * Kullback & Leibler, On information and sufficiency (1951), eq. (2.6); Minka, Divergence measures and message passing
 * (2005), §3.
 */
#include "loss/divergence.h"

/* p log (p/t), given the logarithm: 0 where p is 0, but for a t of 0 whose p is only too small for a number. */
LOSSI_INLINE vreal weighted(const lossi_pair *x, const lossi_divergence_row *row, vreal log)
{
    const vreal zero = v_set1(0), infinity = v_set1(REAL_INFINITY);
    if (row->input == LOSSI_PROBABILITIES) {
        return v_select(v_eq(x->p, zero), zero, x->p * log);
    }
    const vmask hidden = v_mask_and(v_eq(x->t, zero), v_gt(x->log_p, -infinity));
    return v_select(v_eq(x->p, zero), v_select(hidden, infinity, zero), x->p * log);
}

LOSSI_INLINE void reverse_kullback_leibler(const lossi_pair *x, const lossi_divergence_row *row,
                                           lossi_divergence *out)
{
    const vreal one = v_set1(1), p = x->p;
    if (row->input == LOSSI_LOGITS) {
        const vreal b = x->t * row->factor, d = p - b, u = d / b;
        const vmask near = v_mask_and(lossi_is_near(u), v_ge(b, v_set1(REAL_MIN)));
        const vreal log = v_select(near, lossi_near_log(u), -x->log_ratio - row->log_factor);
        const vreal product = weighted(x, row, log);
        out->value = v_select(near, b * lossi_near_excess(u), product - d);
        out->first = product;
        out->second = product + p;
        return;
    }
    const vreal log = v_select(v_eq(x->t, v_set1(0)), v_set1(REAL_INFINITY), -x->log_ratio);
    const vreal product = weighted(x, row, log);
    out->value = product;
    out->first = log + one;
    out->second = one / p;
}

/* A target of nothing but zeros is infinitely far from everything. */
LOSSI_INLINE void normalize(lossi_doubles total, lossi_divergence_row *row)
{
    const lossi_doubles one = lossi_doubles_set1(1);
    const vreal factor = lossi_round(lossi_doubles_divide(one, total));
    const vreal log_factor = v_log(factor);
    const lossi_doubles rest = lossi_doubles_subtract(one,
                                                      lossi_doubles_multiply(lossi_widen(factor), total));
    const vmask none = v_eq(lossi_round(total), v_set1(0));
    row->factor = v_select(none, v_set1(1), factor);
    row->log_factor = v_select(none, v_set1(0), log_factor);
    row->offset = v_select(none, v_set1(0), lossi_round(lossi_doubles_add(lossi_widen(log_factor), rest)));
}

#define LOSSI_FORMULA   reverse_kullback_leibler
#define LOSSI_NORMALIZE normalize
#include "loss/divergence_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {LOSSI_DIVERGENCE_OPTION_ROWS("logits|probabilities")};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    lossi_divergence_prepare(values, prepared);
    prepared->bounds.derivatives = (double)INFINITY;
    if (prepared->link != LOSSI_LINK_SOFTMAX) {
        prepared->bounds.minimum = -0.36787944117144233; /* −1/e at p = t/e, which is no distribution */
    }
}

extern const lossi_row lossi_row_reverse_kullback_leibler;
const lossi_row lossi_row_reverse_kullback_leibler = {
    .name = "reverse_kullback_leibler",
    .aliases = "reverse_kl_divergence reverse_kl",
    .summary = "Kullback-Leibler divergence of the predicted distribution from the target",
    .formula = "sum_j p_j*log(p_j/t_j), p = softmax(prediction), t = target",
    .reference = "Minka, Divergence measures and message passing (2005), section 3",
    .elementary = "exp log",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH,
    .link = LOSSI_LINK_SOFTMAX,
    .options = options,
    .option_count = LOSSI_DIVERGENCE_OPTIONS,
    .prepare = prepare,
};

#endif
