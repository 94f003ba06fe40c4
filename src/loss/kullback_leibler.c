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
        out->value = zero; /* is made below */
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

/*
 * g(r)/r² of |r| ≤ 1, where t r and t − b cancel: its series Σ (k − 1)/k! r^(k − 2), of which what is left out is 2^-27 of the whole
 * in float32 and 2^-55 in float64. Even and odd terms are summed apart.
 */
LOSSI_INLINE vreal series(vreal r)
{
    const vreal square = r * r;
    vreal even, odd;
#if LOSSI_REAL == 64
    even = v_set1(17 / 6402373705728000.0);
    odd = v_fma(v_set1(18 / 121645100408832000.0), square, v_set1(16 / 355687428096000.0));
    even = v_fma(even, square, v_set1(15 / 20922789888000.0));
    odd = v_fma(odd, square, v_set1(14 / 1307674368000.0));
    even = v_fma(even, square, v_set1(13 / 87178291200.0));
    odd = v_fma(odd, square, v_set1(12 / 6227020800.0));
    even = v_fma(even, square, v_set1(11 / 479001600.0));
    odd = v_fma(odd, square, v_set1(10 / 39916800.0));
#else
    even = v_set1(REAL(11.0) / REAL(479001600.0));
    odd = v_set1(REAL(10.0) / REAL(39916800.0));
#endif
    even = v_fma(even, square, v_set1(REAL(9.0) / REAL(3628800.0)));
    odd = v_fma(odd, square, v_set1(REAL(8.0) / REAL(362880.0)));
    even = v_fma(even, square, v_set1(REAL(7.0) / REAL(40320.0)));
    odd = v_fma(odd, square, v_set1(REAL(6.0) / REAL(5040.0)));
    even = v_fma(even, square, v_set1(REAL(5.0) / REAL(720.0)));
    odd = v_fma(odd, square, v_set1(REAL(4.0) / REAL(120.0)));
    even = v_fma(even, square, v_set1(REAL(3.0) / REAL(24.0)));
    odd = v_fma(odd, square, v_set1(REAL(2.0) / REAL(6.0)));
    even = v_fma(even, square, v_set1(REAL(0.5)));
    return v_fma(odd, r, even);
}

#define LOSSI_FORMULA kullback_leibler
#define LOSSI_RATIO
#define LOSSI_SLOPES_KNOWN
#include "loss/divergence_kernels.h"

/* The terms t r − t + b = b g(r), g = (r − 1) e^r + 1. */
LOSSI_SHORT void ratio_formula(const lossi_ratio_columns *x, const lossi_ratio *row, vreal *value,
                               vreal *first)
{
    const vreal near = x->b * x->r * x->r * series(x->r);
    const vreal far = v_select(x->none, x->b, v_fma(x->t, x->r, x->b - x->t));
    (void)row;
    *value = v_select(v_le(v_abs(x->r), v_set1(1)), near, far);
    *first = -x->t;
}

/* Σ t log Σ t: log c and what rounding took from the sum; NaN where a target is infinite. */
LOSSI_INLINE vreal ratio_offset(lossi_doubles total)
{
    const vreal c = lossi_round(total), zero = v_set1(0);
    const lossi_doubles part = lossi_doubles_multiply(total, lossi_widen(v_log(c))),
                        rest = lossi_doubles_subtract(total, lossi_widen(c));
    return v_select(v_eq(c, zero), zero, lossi_round(lossi_doubles_add(part, rest)));
}

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
    .aliases = "kl_divergence kl_div kl_div_loss kullback_leibler_divergence",
    .summary = "Kullback-Leibler divergence of the target distribution from the predicted one",
    .formula = "sum_j t_j*log(t_j/p_j), p = softmax(prediction), t = target",
    .reference = "Kullback & Leibler, On information and sufficiency (1951), eq. (2.6)",
    .elsewhere = "PyTorch KLDivLoss with input = log_probabilities (here logits by default) and reduction "
                 "batchmean; Keras KLDivergence with input = probabilities; optax kl_divergence",
    .elementary = "exp log",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_MAJORIZED,
    .link = LOSSI_LINK_SOFTMAX,
    .constant = LOSSI_CONSTANT_MEAN,
    .options = options,
    .option_count = LOSSI_DIVERGENCE_OPTIONS,
    .prepare = prepare,
};

#endif
