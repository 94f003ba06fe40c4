/*
 * Andrews's sine wave: the gradient is a sine up to its second zero and nothing beyond.
 *
 *     r = prediction − target,  q = |r|/c
 *     loss = c² (1 − cos q)       q ≤ π
 *            2 c²                 q > π
 *
 * The gradient c sin q is continuous; the curvature jumps from −1 to 0 at q = π, where the inner piece counts. Beyond π c the
 * gradient is 0: a good start is needed. The customary scale is 1.339 times a robust estimate of the standard deviation, for
 * 95 % efficiency at the normal distribution.
 * Andrews, A robust method for multiple linear regression (1974).
 */
#include "loss/robust.h"
#include "simd/math_trigonometric.h"

enum { SCALE };

#if LOSSI_REAL == 32
#define ANDREWS_PI     0x1.921fb6p1f
#define ANDREWS_PI_LOW -0x1.777a5cp-24f
#else
#define ANDREWS_PI     0x1.921fb54442d18p1
#define ANDREWS_PI_LOW 0x1.1a62633145c07p-53
#endif

/*
 * With φ = q, or π − q in the outer half, and its half on [0, π/4], where polynomials give sine and cosine at once:
 * 1 − cos q is 2 sin² ½φ inside and 2 cos² ½φ outside, sin q is 2 sin ½φ cos ½φ, and cos q is ±(cos² − sin²).
 */
LOSSI_INLINE void andrews(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal zero = v_set1(0), one = v_set1(1), half = v_set1((real)0.5), c = v_set1(parameters[SCALE]);
    const vreal r = prediction - target, a = v_abs(r), q = lossi_over(a, c);
    const vreal q_missing = lossi_over_missing(q, a, c);
    const vmask beyond = v_gt(a, c * ANDREWS_PI); /* false for NaN */
    const vmask small = v_lt(q, v_set1(ROBUST_SMALL)), outer = v_gt(q, v_set1((real)0.5 * ANDREWS_PI));

    const vreal from_pi = v_max(zero, (ANDREWS_PI - q) + (ANDREWS_PI_LOW - q_missing));
    const vreal h = half * v_select(outer, from_pi, q), low = half * v_select(outer, zero, q_missing),
                z = h * h;
    const vreal sine = h + v_sin_rest(h, z, low);
    vreal tail;
    const vreal head = v_cos_parts(h, z, low, &tail), cosine = head + tail;

    const vreal root = c * v_select(outer, cosine, sine); /* of half the loss */
    const vreal wave = (c * (sine + sine)) * cosine, slope = v_select(small, a, v_select(beyond, zero, wave));
    const vreal bend = (cosine - sine) * (cosine + sine);

    out->value = v_select(small, lossi_half_square(r), v_select(beyond, (c + c) * c, (root + root) * root));
    out->gradient = v_select(v_lt(r, zero), -slope, slope);
    out->curvature = v_select(beyond, zero, v_select(outer, -bend, bend));
    out->majorizer = v_select(small, one, slope / a);
}

#define LOSSI_FORMULA andrews
#include "loss/pointwise_long_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {[SCALE] = LOSSI_SCALE(1.339)};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    const double c = prepared->parameters[SCALE];
    (void)values;
    prepared->bounds = (lossi_bounds){c, 1, 0, 2 * c * c, 1};
}

extern const lossi_row lossi_row_andrews;
const lossi_row lossi_row_andrews = {
    .name = "andrews",
    .aliases = "andrews_wave",
    .summary = "a wave: the gradient is a sine up to pi scales, residuals beyond do not count",
    .formula = "scale^2*(1 - cos(r/scale)) if |r| <= pi*scale, else 2*scale^2, with r = prediction - target",
    .reference = "Andrews, A robust method for multiple linear regression (1974)",
    .elsewhere = "statsmodels AndrewWave",
    .elementary = "sin cos",
    .flags = LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_MAJORIZED,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
