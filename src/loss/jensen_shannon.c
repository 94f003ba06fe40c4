/*
 * Jensen–Shannon divergence: how far the prediction and the target are from their mixture.
 *
 *     loss = Σ_j β t_j log (t_j/m_j) + (1 − β) p_j log (p_j/m_j),   m = β t + (1 − β) p,   0 log 0 = 0
 *
 * It lies between 0 and the entropy of β, log 2 for β = ½, and is finite for every pair. With the excess h(u) of
 * loss/distribution.h every column is m [β h(t/m − 1) + (1 − β) h(p/m − 1)], which is not negative, and where t and p are
 * close does not cancel. With u = (1 − β) log (p/m) and b = β (1 − β) t/m the derivatives are
 *
 *     of p      gradient  u      curvature  b/p
 *     by log p  gradient  p u    curvature  p (u + b);    with these of logits by loss/divergence.h
 *
 * Results are within 16 ulp instead of 4, because an ulp of t moves m by no more than β of it, less than m is rounded by; derivatives
 * by logits of the sizes of their terms added up, which have both signs and cancel (tests/reference/softmax_terms.py).
 *
 * Lin, Divergence measures based on the Shannon entropy (1991), eq. (4.1).
 */
#include "loss/divergence.h"

enum { BETA = LOSSI_DIVERGENCE_OPTIONS };

/*
 * h(r − 1) = r log r − r + 1, given u = r − 1; and log r. With r = 2ⁿ (1 + f), where r is near 1 f is u itself: both functions are made
 * of one polynomial.
 */
LOSSI_INLINE vreal excess(vreal r, vreal u, vreal *log)
{
    const vreal zero = v_set1(0);
    const vmask near = lossi_is_near(u), none = v_eq(r, zero);
    vreal n;
    const vreal split = v_split(r, &n), f = v_select(near, u, split - REAL(1.0));
    const vreal limit = v_select(none, v_set1(-REAL_INFINITY), v_set1(REAL_NAN));
    *log = v_select(v_gt(r, zero), v_log_sum(v_select(near, zero, n), f), limit);
    return v_select(near, lossi_near_excess(f), v_select(none, zero, r * *log) - u);
}

LOSSI_INLINE void jensen_shannon(const lossi_pair *x, const lossi_divergence_row *row, lossi_divergence *out)
{
    const double given =
        row->parameters[BETA]; /* 1 − β from the double: near 1 float32 would lose its digits */
    const vreal zero = v_set1(0), one = v_set1(1), beta = v_set1((real)given),
                other = v_set1((real)(1 - given));
    const vreal p = x->p, t = x->t, m = v_fma(beta, t, other * p);
    const vmask no_target = v_eq(t, zero); /* then p/m is constant, at p = 0 as well */
    const vreal apart = v_select(no_target, -one / other, (t - p) / m);
    const vreal t_part = v_select(no_target, zero, t / m);
    const vreal p_part = v_select(no_target, one / other, p / m);
    vreal t_log, p_log;
    const vreal t_excess = excess(t_part, other * apart, &t_log);
    const vreal p_excess = excess(p_part, -(beta * apart), &p_log);
    const vreal slope = other * p_log, bend = beta * other * t_part;

    out->value = m * v_fma(beta, t_excess, other * p_excess);
    if (row->input == LOSSI_PROBABILITIES) {
        out->first = slope;
        out->second = v_select(no_target, zero, bend / p);
    } else {
        const vmask nothing = v_eq(p, zero);
        out->first = v_select(nothing, zero, p * slope);
        out->second = v_select(nothing, zero, p * (slope + bend));
    }
}

#define LOSSI_FORMULA jensen_shannon
#define LOSSI_RATIO
#define LOSSI_RATIO_UNSCALED 1
#include "loss/divergence_kernels.h"

LOSSI_SHORT void ratio_formula(const lossi_ratio_columns *x, const lossi_ratio *row, vreal *value,
                               vreal *first)
{
    const lossi_pair pair = {.p = x->p, .rest = x->rest, .t = x->t};
    const lossi_divergence_row constants = {.parameters = row->parameters, .input = LOSSI_LOGITS};
    lossi_divergence out;
    jensen_shannon(&pair, &constants, &out);
    *value = out.value;
    *first = out.first;
}

LOSSI_INLINE vreal ratio_offset(lossi_doubles total)
{
    (void)total;
    return v_set1(0);
}

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    LOSSI_DIVERGENCE_OPTION_ROWS("logits|probabilities"),
    [BETA] = {.name = "beta",
              .type = LOSS_OPTION_DOUBLE,
              .minimum = 1e-6,
              .maximum = 0.999999,
              .initial = 0.5,
              .doc = "the part of the target in the mixture"},
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    lossi_divergence_prepare(values, prepared);
    prepared->bounds.derivatives = (double)INFINITY;
    if (prepared->link == LOSSI_LINK_SOFTMAX) {
        const double beta = lossi_options_own(values, BETA)->number;
        prepared->bounds.maximum = -beta * log(beta) - (1 - beta) * log1p(-beta);
    }
}

extern const lossi_row lossi_row_jensen_shannon;
const lossi_row lossi_row_jensen_shannon = {
    .name = "jensen_shannon",
    .aliases = "js_divergence jsd",
    .summary = "Jensen-Shannon divergence of the predicted and the target distribution",
    .formula = "sum_j beta*t_j*log(t_j/m_j) + (1 - beta)*p_j*log(p_j/m_j), m = beta*t + (1 - beta)*p, "
               "p = softmax(prediction), t = target",
    .reference = "Lin, Divergence measures based on the Shannon entropy (1991), eq. (4.1)",
    .elsewhere = "Liger-Kernel LigerJSD, which at beta 0 and 1 is the two Kullback-Leibler divergences",
    .elementary = "exp log log",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH,
    .link = LOSSI_LINK_SOFTMAX,
    .options = options,
    .option_count = BETA + 1,
    .prepare = prepare,
};

#endif
