/*
 * Pseudo-Huber loss: quadratic near zero, linear in the tails, and smooth everywhere.
 *
 *     r = prediction − target
 *     loss = δ² (√(1 + (r/δ)²) − 1) = r²/(1 + √(1 + (r/δ)²))
 *
 * With w = 1 + q², where q is |r|/δ inside and δ/|r| outside of |r| = δ, nothing overflows: the loss is |r|·|r|/(1 + √w) inside
 * and δ|r|/(q + √w) outside. The gradient is r/√w or ±δ/√w, the curvature w^(−3/2) or q³ w^(−3/2).
 * Charbonnier et al., Two deterministic half-quadratic regularization algorithms (1994); Hartley & Zisserman, Multiple view
 * geometry (2003), A6.8. Majorizer ψ(r)/r: Huber & Ronchetti, Robust statistics (2009), §7.8.
 */
#include "loss/pointwise.h"

enum { DELTA };

LOSSI_INLINE void pseudo_huber(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal delta = v_set1(parameters[DELTA]), one = v_set1(1);
    const vreal r = prediction - target, a = v_abs(r);
    const vmask outside = v_gt(a, delta); /* false for NaN */
    const vreal q = v_select(outside, delta, a) / v_select(outside, a, delta);
    const vreal w = v_fma(q, q, one), root = v_sqrt(w), low = v_select(outside, q, one) + root;
    /* one division for the reciprocals of the root and of the other sum */
    const vreal both = one / (root * low), inverse = both * low, share = both * root;
    const vreal held = v_select(outside, delta, a);

    out->value = held * (a * share);
    out->gradient = v_copysign(held, r) * inverse;
    out->curvature = v_select(outside, q * q * q, one) / (w * root);
    out->majorizer = v_select(outside, q * inverse, inverse);
}

#define LOSSI_FORMULA pseudo_huber
#define LOSSI_DOMAINS LOSSI_EVERYWHERE
#include "loss/pointwise_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [DELTA] = {.name = "delta",
               .type = LOSS_OPTION_DOUBLE,
               .minimum = 1e-30,
               .maximum = 1e30,
               .initial = 1,
               .doc = "where the quadratic turns linear; the slope far out"},
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    prepared->bounds = (lossi_bounds){prepared->parameters[DELTA], 1, 0, LOSSI_UNBOUNDED, LOSSI_UNBOUNDED};
}

extern const lossi_row lossi_row_pseudo_huber;
const lossi_row lossi_row_pseudo_huber = {
    .name = "pseudo_huber",
    .aliases = "charbonnier soft_l1",
    .summary = "quadratic near zero, linear in the tails, smooth everywhere",
    .formula = "delta^2*(sqrt(1 + (r/delta)^2) - 1), with r = prediction - target",
    .reference = "Charbonnier et al., Two deterministic half-quadratic regularization algorithms (1994)",
    .elsewhere = "XGBoost reg:pseudohubererror; Ceres SoftLOneLoss",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_MAJORIZED,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
