/*
 * Fair's loss: quadratic near zero, nearly linear far out, and twice continuously differentiable.
 *
 *     r = prediction − target,  q = |r|/c
 *     loss = c² (q − log(1 + q))
 *
 * The gradient is r/(1 + q), the curvature 1/(1 + q)². q − log(1 + q) is ½ q² near 0, where both terms cancel.
 * Fair, On the robust estimation of econometric models (1974); Holland & Welsch, Robust regression using iteratively
 * reweighted least-squares (1977), §2.
 */
#include "loss/robust.h"
#include "simd/math_logarithms.h"

enum { SCALE };

/* log(1 + q)/q is next to nothing */
#if LOSSI_REAL == 32
#define STRAIGHT REAL(0x1p40)
#else
#define STRAIGHT REAL(0x1p72)
#endif

LOSSI_INLINE void fair(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal one = v_set1(1), c = v_set1(parameters[SCALE]);
    const lossi_ratio x = lossi_ratio_above(prediction - target, c, STRAIGHT);
    const vreal sum = one + x.q, p = one / sum;

    out->value = v_select(v_lt(x.q, v_set1(ROBUST_TINY)), lossi_half_square(x.r),
                          c * (c * v_x_minus_log1p_of(x.q, sum, p)));
    out->gradient = x.r * p;
    out->curvature = p * p;
    out->majorizer = p;
    if (lossi_unusual(out, x.large)) {
        const vreal far = c / x.a;
        out->value = v_select(x.large, c * x.a, out->value);
        out->gradient = v_select(x.large, v_copysign(c, x.r), out->gradient);
        out->curvature = v_select(x.large, far * far, out->curvature);
        out->majorizer = v_select(x.large, far, out->majorizer);
    }
}

#define LOSSI_FORMULA fair
#include "loss/pointwise_long_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {[SCALE] = LOSSI_SCALE(1)};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    prepared->bounds = (lossi_bounds){prepared->parameters[SCALE], 1, 0, LOSSI_UNBOUNDED, 2};
}

extern const lossi_row lossi_row_fair;
const lossi_row lossi_row_fair = {
    .name = "fair",
    .aliases = "fair_loss",
    .summary = "quadratic near zero, nearly linear far out, with a continuous curvature",
    .formula = "scale^2*(|r|/scale - log(1 + |r|/scale)), with r = prediction - target",
    .reference = "Fair, On the robust estimation of econometric models (1974)",
    .elsewhere = "LightGBM fair",
    .elementary = "log1p",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_MAJORIZED,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
