/*
 * Smooth L1 loss: the Huber loss with δ = β, divided by β.
 *
 *     r = prediction − target
 *     loss = ½ r² / β       |r| < β
 *            |r| − ½ β      |r| ≥ β
 *
 * β = 0 is the absolute error, with its gradient 0 at 0. The curvature at |r| = β is the inner piece's.
 * Girshick, Fast R-CNN (2015), eq. (3) with β = 1; β as in PyTorch.
 */
#include "loss/held.h"

enum { BETA };

LOSSI_INLINE void smooth_l1(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal beta = v_set1(parameters[BETA]), half = v_set1((real)0.5), one = v_set1(1), zero = v_set1(0);
    const vreal r = prediction - target, a = v_abs(r);
    const vmask tail = v_gt(a, beta);                               /* false for NaN */
    const vmask kink = v_mask_and(v_eq(a, zero), v_eq(beta, zero)); /* r = β = 0: 1/β is for no one */
    const vreal inner = v_select(kink, zero, v_select(v_is_nan(r), r, one / beta));
    const vreal quotient = lossi_held(lossi_quotient(r, beta), -one, one), held = lossi_held(r, -beta, beta);

    out->value = quotient * v_fnma(half, held, r); /* as in huber.c */
    out->gradient = quotient;
    out->curvature = v_select(tail, zero, inner);
    out->majorizer = v_select(tail, one / a, v_select(v_is_nan(r), r, one / beta));
}

#define LOSSI_FORMULA smooth_l1
#define LOSSI_DOMAINS LOSSI_EVERYWHERE
#include "loss/pointwise_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [BETA] = {.name = "beta",
              .type = LOSS_OPTION_DOUBLE,
              .minimum = 0,
              .maximum = 1e300,
              .initial = 1,
              .doc = "where the quadratic turns linear; 0 is the absolute error"},
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    const double beta = prepared->parameters[BETA];
    prepared->bounds = (lossi_bounds){1, beta > 0 ? 1 / beta : LOSSI_UNBOUNDED, 0, LOSSI_UNBOUNDED,
                                      beta > 0 ? 1 : 0};
    prepared->constant = beta > 0 ? LOSSI_CONSTANT_SEARCH : LOSSI_CONSTANT_QUANTILE; /* the median */
    prepared->flags &= beta > 0 ? ~(uint32_t)0 : ~(uint32_t)LOSSI_SMOOTH;
}

extern const lossi_row lossi_row_smooth_l1;
const lossi_row lossi_row_smooth_l1 = {
    .name = "smooth_l1",
    .aliases = "smooth_l1_loss",
    .summary = "Huber loss divided by its threshold: slope 1 in the tails",
    .formula = "r^2/(2*beta) if |r| < beta, else |r| - beta/2, with r = prediction - target",
    .reference = "Girshick, Fast R-CNN (2015), eq. (3)",
    .elsewhere = "PyTorch SmoothL1Loss",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_MAJORIZED,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
