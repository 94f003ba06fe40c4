/*
 * Arctangent loss of nonlinear least squares: half the arctangent of the square, whose scale is a square too.
 *
 *     r = prediction − target,  t = r²/a
 *     loss = ½ a arctan(t)
 *
 * The gradient r/(1 + t²) is largest at t = 1/√3, where the curvature (1 − 3t²)/(1 + t²)² changes its sign: t² has what rounding takes
 * from it beside it, √a too.
 * Agarwal, Mierle et al., Ceres Solver, ArctanLoss, of which this is half: ½ ρ(r²).
 */
#include "loss/robust.h"
#include "simd/math_atan.h"

enum { SCALE, ROOT /* √a */, MISSING_32, MISSING_64 /* what the element type misses of it */ };

LOSSI_INLINE void arctan(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal one = v_set1(1), half = v_set1((real)0.5), three = v_set1(3), c = v_set1(parameters[ROOT]);
    const lossi_ratio x = lossi_ratio_of(prediction - target, c);
    const vreal t = x.q * x.q, sum = v_fma(t, t, one);
    const v_atan_quotient angle = v_atan_reduce(t);
    const vreal c_missing = v_set1(parameters[LOSSI_REAL == 32 ? MISSING_32 : MISSING_64]);
    const vreal t_missing = v_fma(x.q, x.q, -t) +
                            (x.q + x.q) * (v_fnma(x.q, c_missing, v_fnma(x.q, c, x.a)) / c);
    const vreal t2 = t * t, t2_missing = v_fma(t, t, -t2) + (t + t) * t_missing;
    /* one division for both reciprocals; that of 1 + t² is then made right */
    const vreal both = one / (sum * angle.denominator), rough = both * angle.denominator;
    const vreal sum_missing = v_fma(t, t, one - sum) + (t + t) * t_missing;
    const vreal residue = v_fnma(rough, sum_missing, v_fnma(rough, sum, one));
    const vreal p = v_fma(residue, rough, rough), p2 = p * p;
    const vreal bend = v_fnma(three, t2_missing, v_fnma(three, t2, one));

    out->value = v_select(lossi_ratio_small(&x), lossi_half_square(x.r),
                          (half * c) * v_atan_of(&angle, both * sum) * c);
    out->gradient = x.r * p;
    out->majorizer = p;
    out->curvature = bend * p2;
    if (lossi_unusual(out, x.large)) { /* ½ a (½π − 1/t), and 1/t² is (c/r)⁴ */
        const vreal far = c / x.a, far2 = far * far;
        out->value = v_select(x.large, (half * c) * v_set1((real)1.57079632679489661923) * c, out->value);
        out->gradient = v_select(x.large, (v_copysign(c, x.r) * far) * far2, out->gradient);
        out->majorizer = v_select(x.large, far2 * far2, out->majorizer);
        out->curvature = v_select(x.large, -three * (far2 * far2), out->curvature);
    }
}

#define LOSSI_FORMULA arctan
#include "loss/pointwise_long_kernels.h"

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
    const double a = prepared->parameters[SCALE], root = sqrt(a);
    (void)values;
    prepared->parameters[ROOT] = root;
    prepared->parameters[MISSING_32] = root - (double)(float)root;
    prepared->parameters[MISSING_64] = fma(-root, root, a) / (2 * root);
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
