/*
 * Pseudo-Huber loss: quadratic near zero, linear in the tails, and smooth everywhere.
 *
 *     r = prediction − target
 *     loss = δ² (√(1 + (r/δ)²) − 1) = r²/(1 + √(1 + (r/δ)²))
 *
 * With q = |r|/δ and w = 1 + q² the loss is |r|·|r|/(1 + √w), the gradient r/√w, the curvature w^(−3/2). Far outside, where q²
 * may overflow, q is δ/|r| instead: the loss is δ|r|/(q + √w), the gradient ±δ/√w, the curvature q³ w^(−3/2).
 * Charbonnier et al., Two deterministic half-quadratic regularization algorithms (1994); Hartley & Zisserman, Multiple view
 * geometry (2003), A6.8. Majorizer ψ(r)/r: Huber & Ronchetti, Robust statistics (2009), §7.8.
 */
#include "loss/robust.h"

enum { DELTA };

#define FAR ((real)0x1p30) /* times δ: no q³ below overflows in float32 */

LOSSI_INLINE void far_outside(vreal r, vreal delta, vmask far, lossi_point *out)
{
    const vreal a = v_abs(r), q = delta / a, w = v_fma(q, q, v_set1(1)), root = v_sqrt(w),
                inverse = v_set1(1) / root;
    out->value = v_select(far, delta * (a / (q + root)), out->value);
    out->gradient = v_select(far, v_copysign(delta, r) * inverse, out->gradient);
    out->curvature = v_select(far, q * q * q / (w * root), out->curvature);
    out->majorizer = v_select(far, q * inverse, out->majorizer);
}

LOSSI_INLINE void pseudo_huber(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal delta = v_set1(parameters[DELTA]), one = v_set1(1);
    const vreal r = prediction - target, a = v_abs(r), q = lossi_over(a, delta);
    vreal root;
    const vreal w = v_fma(q, q, one), inverse = v_inverse_root_and_root(w, &root);
    const vreal share = v_reciprocal(one + root);
    const vmask far = v_gt(a, v_min(v_set1(REAL_MAX), delta * FAR)); /* false for NaN */

    out->value = a * (a * share);
    out->gradient = r * inverse;
    out->curvature = inverse * inverse * inverse;
    out->majorizer = inverse;
    if (lossi_unusual(out, far)) {
        far_outside(r, delta, far, out);
    }
}

#define LOSSI_FORMULA pseudo_huber
#include "loss/pointwise_long_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [DELTA] = {.name = "delta",
               .aliases = "huber_slope",
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
    .aliases = "charbonnier soft_l1 reg_pseudohubererror",
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
