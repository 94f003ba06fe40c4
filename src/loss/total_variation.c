/*
 * Total variation distance of two distributions.
 *
 *     loss = ½ Σ_j |p_j − t_j|,   p = softmax z or the predictions themselves
 *
 *     of p      gradient  ½ sign(p − t)      curvature  0
 *     by log p  gradient  ½ p sign(p − t)    curvature  the same;    with these of logits by loss/divergence.h
 *
 * Where p_j = t_j the sign is 0, the smallest subgradient by p.
 *
 * Derivatives by logits are within 4 ulp of the sizes of their terms added up (tests/reference/softmax_terms.py): terms of both signs
 * cancel, where p is near ½, say.
 *
 * Levin, Peres & Wilmer, Markov Chains and Mixing Times (2009), proposition 4.2.
 */
#include "loss/divergence.h"

/* ½ sign(p − t), given 1 − p, and the difference itself. */
LOSSI_INLINE vreal half_sign(vreal p, vreal rest, vreal t, vreal *d)
{
    const vreal half = v_set1(REAL(0.5));
    *d = v_select(v_gt(p, half), (v_set1(1) - t) - rest, p - t); /* exact also where p is nearly 1 */
    return v_select(v_gt(v_abs(*d), v_set1(0)), v_copysign(half, *d), *d * v_set1(0)); /* NaN stays */
}

LOSSI_INLINE void total_variation(const lossi_pair *x, const lossi_divergence_row *row, lossi_divergence *out)
{
    vreal d;
    const vreal sign = half_sign(x->p, x->rest, x->t, &d);
    out->value = REAL(0.5) * v_abs(d);
    if (row->input == LOSSI_PROBABILITIES) {
        out->first = sign;
        out->second = v_set1(0);
    } else {
        /* a loss of Σ p alone is constant: without the largest column's slope, columns of its sign give exactly 0 */
        out->first = out->second = x->p * (sign - row->origin);
    }
}

LOSSI_INLINE void begin(const lossi_softmax *softmax, vreal target, lossi_divergence_row *row)
{
    vreal d;
    row->origin = half_sign(v_set1(1) - softmax->rest, softmax->rest, target, &d);
}

#define LOSSI_FORMULA total_variation
#define LOSSI_BEGIN   begin
#define LOSSI_RATIO
#define LOSSI_RATIO_UNSCALED 1
#define LOSSI_RATIO_BEGIN    ratio_begin
#include "loss/divergence_kernels.h"

LOSSI_INLINE void ratio_begin(const lossi_ratio_columns *largest, lossi_ratio *row)
{
    vreal d;
    row->origin = half_sign(largest->p, largest->rest, largest->t, &d);
}

LOSSI_SHORT void ratio_formula(const lossi_ratio_columns *x, const lossi_ratio *row, vreal *value,
                               vreal *first)
{
    const lossi_pair pair = {.p = x->p, .rest = x->rest, .t = x->t};
    const lossi_divergence_row constants = {.input = LOSSI_LOGITS, .origin = row->origin};
    lossi_divergence out;
    total_variation(&pair, &constants, &out);
    *value = out.value;
    *first = out.first;
}

LOSSI_INLINE vreal ratio_offset(lossi_doubles total)
{
    (void)total;
    return v_set1(0);
}

#ifdef LOSSI_ONCE

static const loss_option options[] = {LOSSI_DIVERGENCE_OPTION_ROWS("logits|probabilities")};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    lossi_divergence_prepare(values, prepared);
    prepared->bounds.derivatives = 0;
    if (prepared->link == LOSSI_LINK_SOFTMAX) {
        prepared->bounds.lipschitz =
            0.35355339059327373; /* √2 P (1 − P) at P = ½, P the p that are too large */
        prepared->bounds.maximum = 1;
    }
}

extern const lossi_row lossi_row_total_variation;
const lossi_row lossi_row_total_variation = {
    .name = "total_variation",
    .aliases = "total_variation_distance tvd",
    .summary = "total variation distance of the predicted and the target distribution",
    .formula = "sum_j |p_j - t_j|/2, p = softmax(prediction), t = target",
    .reference = "Levin, Peres & Wilmer, Markov Chains and Mixing Times (2009), proposition 4.2",
    .elsewhere = "Liger-Kernel LigerTVDLoss",
    .elementary = "exp",
    .flags = LOSSI_CONVEX,
    .link = LOSSI_LINK_SOFTMAX,
    .options = options,
    .option_count = LOSSI_DIVERGENCE_OPTIONS,
    .prepare = prepare,
};

#endif
