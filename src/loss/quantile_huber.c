/*
 * Quantile Huber loss: the Huber loss weighed by the side, as quantile regression needs it with a smooth centre.
 *
 *     r = prediction − target,  w = τ for r < 0, 1 − τ for r > 0
 *     loss = w · ½ r²              |r| ≤ δ
 *            w · δ (|r| − ½ δ)     |r| > δ
 *
 * The gradient is continuous; the curvature drops to 0 at |r| = δ, where the inner piece counts, and jumps at 0, where the
 * smaller of the two counts. The majorizer is that of the Huber loss times the larger weight, for a step may lead to the other
 * side: with M = max(τ, 1 − τ), M (|r| + δ)²/(|r| + |r₀|)² ≤ M δ/|r₀| for |r| ≤ δ ≤ |r₀|.
 * Dabney et al., Distributional reinforcement learning with quantile regression (2018), eq. (10), without its division by δ.
 */
#include "loss/sides.h"

enum { QUANTILE, DELTA, REST = LOSSI_PARAMETERS - 1 };

LOSSI_INLINE void quantile_huber(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal below = v_set1(parameters[QUANTILE]), above = v_set1(parameters[REST]), zero = v_set1(0);
    /* a δ beyond the type's range is its largest number: infinity would have no half */
    const vreal delta = v_min(v_set1(REAL_MAX), v_set1(parameters[DELTA])), half = v_set1((real)0.5);
    const vreal r = prediction - target, a = v_abs(r), side = lossi_side(r, below, above);
    const vreal weighed = lossi_weighed(r, below, above), held = lossi_held(weighed, -delta, delta);
    const vmask tail = v_gt(a, delta); /* false for NaN */
    const vreal weight = v_select(v_eq(r, zero), v_min(below, above), side);

    out->gradient = side * held;
    out->value = out->gradient * v_fnma(half, held, weighed); /* as in huber.c */
    out->curvature = v_select(tail, zero, v_select(v_is_nan(r), r, weight));
    out->majorizer = v_max(below, above) * v_select(tail, delta / a, v_select(v_is_nan(r), r, v_set1(1)));
}

#define LOSSI_FORMULA quantile_huber
#include "loss/pointwise_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [QUANTILE] = LOSSI_SIDES("quantile", "the quantile sought; the weight of predictions that are too low"),
    [DELTA] = {.name = "delta",
               .type = LOSS_OPTION_DOUBLE,
               .minimum = 1e-30,
               .maximum = 1e30,
               .initial = 1,
               .doc = "where the quadratic turns linear"},
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    const double quantile = prepared->parameters[QUANTILE], larger = quantile > 0.5 ? quantile : 1 - quantile;
    prepared->parameters[REST] = 1 - quantile;
    prepared->bounds = (lossi_bounds){larger * prepared->parameters[DELTA], larger, 0, LOSSI_UNBOUNDED, 1};
}

extern const lossi_row lossi_row_quantile_huber;
const lossi_row lossi_row_quantile_huber = {
    .name = "quantile_huber",
    .aliases = "huber_quantile",
    .summary = "Huber loss with a weight for each side",
    .formula = "w*huber(r), w = quantile if r < 0, else 1 - quantile, with r = prediction - target",
    .reference =
        "Dabney et al., Distributional reinforcement learning with quantile regression (2018), eq. (10)",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_MAJORIZED,
    .options = options,
    .option_count = 2,
    .prepare = prepare,
};

#endif
