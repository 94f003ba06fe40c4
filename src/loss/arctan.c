/*
 * Arctangent loss of nonlinear least squares: half the arctangent of the square, whose scale is a square too.
 *
 *     r = prediction − target,  t = r²/a
 *     loss = ½ a arctan(t)
 *
 * The gradient r/(1 + t²) is largest at t = 1/√3, where the curvature (1 − 3t²)/(1 + t²)² changes its sign.
 * Agarwal, Mierle et al., Ceres Solver, ArctanLoss, of which this is half: ½ ρ(r²).
 */
#include "loss/robust.h"
#include "simd/math_atan.h"

enum { SCALE, ROOT /* √a */ };

LOSSI_INLINE void arctan(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal one = v_set1(1), half = v_set1((real)0.5), three = v_set1(3), c = v_set1(parameters[ROOT]);
    const vreal r = prediction - target, a = v_abs(r), q = a / c, t = q * q;
    const vmask large = v_gt(a, c * ROBUST_LARGE), small = v_lt(q, v_set1(ROBUST_SMALL));
    const vreal p = lossi_weight_or(t, large, c, a), p2 = p * p; /* 1/(1 + t²), of large t 1/√t */
    const vreal t_missing = v_fma(q, q, -t) + (q + q) * (v_fnma(q, c, a) / c);
    const vreal bend = v_fnma(three * t, t, one) - (three + three) * t * t_missing;

    out->value = v_select(small, lossi_half_square(r), (half * c) * v_atan(t) * c);
    out->gradient = v_select(large, (v_copysign(c, r) * p) * p2, r * p);
    out->majorizer = v_select(large, p2 * p2, p);
    out->curvature = v_select(large, -three * (p2 * p2), bend * p2);
}

#define LOSSI_FORMULA arctan
#include "loss/pointwise_kernels.h"

#ifdef LOSSI_ONCE

#include <math.h>

static const loss_option options[] = {
    [SCALE] = {.name = "scale",
               .type = LOSS_OPTION_DOUBLE,
               .minimum = 1e-37,
               .maximum = 1e37,
               .initial = 1,
               .doc = "the square of a residual from which on it counts less"},
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    const double a = prepared->parameters[SCALE];
    (void)values;
    prepared->parameters[ROOT] = sqrt(a);
    /* 3^(3/4)/4: the slope at t = 1/√3; ½π a/2 */
    prepared->bounds = (lossi_bounds){0.5698767642386944 * sqrt(a), 1, 0, 0.78539816339744831 * a,
                                      LOSSI_UNBOUNDED};
}

extern const lossi_row lossi_row_arctan;
const lossi_row lossi_row_arctan = {
    .name = "arctan",
    .aliases = "arctan_loss",
    .summary = "half the arctangent of the square: levels off",
    .formula = "scale/2*arctan(r^2/scale), with r = prediction - target",
    .reference = "Agarwal, Mierle et al., Ceres Solver, ArctanLoss",
    .elsewhere = "Ceres ArctanLoss, halved",
    .elementary = "atan",
    .flags = LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_MAJORIZED,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
