/*
 * Reverse Kullback–Leibler divergence: of the prediction from the target, which seeks a mode instead of covering all of them.
 *
 *     loss = Σ_j p_j log (p_j / t_j),   0 log 0 = 0,   p = softmax z or the predictions themselves
 *
 *     of z      with u_j = log (p_j/t_j) and ū = Σ p u:  gradient p (u − ū),  and h = p (u − ū + 1) (loss/divergence.h)
 *     of p      gradient  u + 1        curvature  1/p
 *
 * Of logits, with c near 1/Σ t, the loss is Σ_j [p_j log (p_j/(c t_j)) − p_j + c t_j] + log c + 1 − c Σ t, whose terms in
 * brackets do not cancel. t_j = 0 where p_j > 0 is +∞, without derivatives. Those by z are sums of terms of both signs, and within 4 ulp
 * of the terms' sizes added up (tests/reference/softmax_terms.py).
 *
 * Kullback & Leibler, On information and sufficiency (1951), eq. (2.6); Minka, Divergence measures and message passing
 * (2005), §3.
 */
#include "loss/divergence.h"

/*
 * k(r)/r² of |r| ≤ 1, where −p r and b − p cancel: its series Σ r^(k − 2)/k!, of which what is left out is 2^-31 of the whole in
 * float32 and 2^-55 in float64. Even and odd terms are summed apart.
 */
LOSSI_INLINE vreal series(vreal r)
{
    const vreal square = r * r;
    vreal even, odd;
#if LOSSI_REAL == 64
    even = v_fma(v_set1(1 / 6402373705728000.0), square, v_set1(1 / 20922789888000.0));
    odd = v_fma(v_set1(1 / 355687428096000.0), square, v_set1(1 / 1307674368000.0));
    even = v_fma(even, square, v_set1(1 / 87178291200.0));
    odd = v_fma(odd, square, v_set1(1 / 6227020800.0));
    even = v_fma(even, square, v_set1(1 / 479001600.0));
    odd = v_fma(odd, square, v_set1(1 / 39916800.0));
    even = v_fma(even, square, v_set1(1 / 3628800.0));
    odd = v_fma(odd, square, v_set1(1 / 362880.0));
#else
    even = v_set1(REAL(1.0) / REAL(479001600.0));
    odd = v_set1(REAL(1.0) / REAL(39916800.0));
    even = v_fma(even, square, v_set1(REAL(1.0) / REAL(3628800.0)));
    odd = v_fma(odd, square, v_set1(REAL(1.0) / REAL(362880.0)));
#endif
    even = v_fma(even, square, v_set1(REAL(1.0) / REAL(40320.0)));
    odd = v_fma(odd, square, v_set1(REAL(1.0) / REAL(5040.0)));
    even = v_fma(even, square, v_set1(REAL(1.0) / REAL(720.0)));
    odd = v_fma(odd, square, v_set1(REAL(1.0) / REAL(120.0)));
    even = v_fma(even, square, v_set1(REAL(1.0) / REAL(24.0)));
    odd = v_fma(odd, square, v_set1(REAL(1.0) / REAL(6.0)));
    even = v_fma(even, square, v_set1(REAL(0.5)));
    return v_fma(odd, r, even);
}

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
        out->value = v_set1(0); /* is made below */
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
#define LOSSI_RATIO
#include "loss/divergence_kernels.h"

/*
 * With b = t/Σ t the terms −p r − p + b = p k(r), k = e^r − 1 − r, near 0 p times its series. r is (log t − log p) − log Σ t, and the
 * slope −p r.
 */
LOSSI_SHORT void ratio_formula(const lossi_ratio_columns *x, const lossi_ratio *row, vreal *value,
                               vreal *first)
{
    const vreal p = x->p, zero = v_set1(0), infinity = v_set1(REAL_INFINITY);
    const vreal r = v_select(x->none, -infinity, x->r);
    /* a p that is only too small for a number, of a t that is 0 */
    const vmask hidden = v_mask_and(x->none, v_mask_not(x->nothing));
    const vreal product = v_select(v_eq(p, zero), v_select(hidden, infinity, zero), -(p * r));
    const vreal far = product - v_fnma(x->t, row->weight, p);
    *value = v_select(v_le(v_abs(r), v_set1(1)), p * r * r * series(r), far);
    *first = product;
}

/* −log Σ t; nothing of a target of nothing but zeros. */
LOSSI_INLINE vreal ratio_offset(lossi_doubles total)
{
    lossi_divergence_row same;
    normalize(total, &same);
    return same.offset;
}

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
