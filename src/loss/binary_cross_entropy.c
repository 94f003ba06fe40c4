/*
 * Binary cross-entropy of a probability p in [0, 1] and a target t in [0, 1].
 *
 *     loss = −t log p − (1 − t) log(1 − p),   0 · log 0 = 0
 *
 * With a = min(p, 1 − p), which is exact, one of the terms has log a, which may be infinite, and the other log(1 − a), which is
 * small and right to its last digit. The gradient is (p − t)/(p (1 − p)), by one division.
 * Exact: infinite at the wrong boundary, with value, gradient and curvature of the same function (no clamp). Prefer
 * `logistic` where the model gives logits: near p = 1 a probability has no digits left.
 * Good, Rational decisions (1952), §8.
 */
#include "loss/pointwise.h"

LOSSI_INLINE void binary_cross_entropy(vreal p, vreal t, const real *parameters, lossi_point *out)
{
    const vreal zero = v_set1(0), one = v_set1(1);
    const vreal q = one - p, s = one - t;
    const vmask upper = v_gt(p, v_set1((real)0.5));
    const vreal a = v_min(q, p), near = v_select(upper, s, t), far = v_select(upper, t, s);
    /* a coefficient of exactly 0 takes its infinity away */
    const vreal linear = v_select(v_eq(near, zero), zero, near * v_log_half(a));
    const vreal product = v_fma(p, q, zero); /* +0 for p = −0 too */
    /* at an end of [0, 1] that is the target the other term alone is left: 1/(1 − p) or −1/p */
    const vmask end = v_mask_and(v_eq(product, zero), v_eq(p, t));
    const vmask no_positive = v_eq(t, zero), no_negative = v_eq(s, zero);
    const vreal nan = v_select(v_is_nan(p + t), p + t, zero);
    (void)parameters;

    out->value = v_fma(far, v_log_complement(a), -linear);
    out->gradient = v_select(end, q - p, (p - t) / product);
    out->curvature = nan + v_select(no_positive, zero, (t / p) / p) +
                     v_select(no_negative, zero, (s / q) / q);
    out->majorizer = out->curvature;
}

#define LOSSI_FORMULA binary_cross_entropy
#include "loss/pointwise_long_kernels.h"

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
    .aliases = "bce bce_loss binary_crossentropy",
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
