/*
 * Binary cross-entropy of a probability p in [0, 1] and a target t in [0, 1].
 *
 *     loss = −t log p − (1 − t) log(1 − p),   0 · log 0 = 0
 *
 * Exact: infinite at the wrong boundary, with value, gradient and curvature of the same function (no clamp). Prefer
 * `logistic` where the model gives logits: near p = 1 a probability has no digits left.
 * Good, Rational decisions (1952), §8.
 */
#include "loss/pointwise.h"

LOSSI_INLINE void binary_cross_entropy(vreal p, vreal t, const real *parameters, lossi_point *out)
{
    const vreal zero = v_set1(0), one = v_set1(1);
    const vreal q = one - p, s = one - t;
    const vmask no_positive = v_eq(t, zero), no_negative = v_eq(s, zero);
    /* a target of exactly 0 or 1 leaves one term, and its 0 · ∞ has to go */
    const vreal log_p = v_select(no_positive, zero, v_log(p)),
                log_q = v_select(no_negative, zero, v_log1p(-p));
    const vreal ratio_p = v_select(no_positive, zero, t / p), ratio_q = v_select(no_negative, zero, s / q);
    /* (p − t)/(p (1 − p)) is exact when p is near t; at the ends of [0, 1] only one of the ratios is there */
    const vmask inside = v_mask_and(v_gt(p, zero), v_lt(p, one));
    const vreal sum = v_select(v_is_nan(p + t), p + t, zero);
    (void)parameters;

    out->value = sum - t * log_p - s * log_q;
    out->gradient = sum + v_select(inside, ((p - t) / p) / q, ratio_q - ratio_p);
    out->curvature = sum + v_select(no_positive, zero, ratio_p / p) +
                     v_select(no_negative, zero, ratio_q / q);
    out->majorizer = out->curvature;
}

#define LOSSI_FORMULA binary_cross_entropy
#include "loss/pointwise_kernels.h"

#ifdef LOSSI_ONCE

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    prepared->prediction = (lossi_domain){0, 1, 0};
    prepared->target = (lossi_domain){0, 1, 0};
    prepared->bounds.derivatives = REAL_INFINITY;
}

extern const lossi_row lossi_row_binary_cross_entropy;
const lossi_row lossi_row_binary_cross_entropy = {
    .name = "binary_cross_entropy",
    .aliases = "bce bce_loss",
    .summary = "binary cross-entropy of a probability, targets 0 to 1",
    .formula = "-t*log(p) - (1 - t)*log(1 - p), p = prediction, t = target",
    .reference = "Good, Rational decisions (1952)",
    .elsewhere = "PyTorch BCELoss; Keras BinaryCrossentropy; mlpack BCELoss",
    .elementary = "log log1p",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_CLASSIFICATION | LOSSI_PROBABILISTIC,
    .constant = LOSSI_CONSTANT_MEAN,
    .prepare = prepare,
};

#endif
