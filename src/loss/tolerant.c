/*
 * Tolerant loss of nonlinear least squares: residuals whose square is below a scale cost next to nothing, half the square
 * above it.
 *
 *     r = prediction − target,  ρ(s) = w log((1 + e^((s − a)/w))/(1 + e^(−a/w)))
 *     loss = ½ ρ(r²),   gradient = ρ′ r,   curvature = ρ′ + 2ρ″ r²
 *
 * With d = r²/w and β = σ(−a/w), ρ = w log(1 + β (eᵈ − 1)), ρ′ = β eᵈ/(1 + β (eᵈ − 1)) and ρ″ = ρ′ (1 − β)/(1 + β (eᵈ − 1))/w: one
 * exponential, one logarithm and one division, and nothing cancels. That is for an a/w that is not hundreds, where β would be nothing;
 * tolerance.h has the others.
 *
 * Scale a and width w are in units of the square. ρ is convex, so that ρ′ bounds no curvature: there is no majorizer.
 * Agarwal, Mierle et al., Ceres Solver, TolerantLoss, of which this is half.
 */
#include "loss/tolerance.h"

/* BELOW is β, ABOVE 1 − β; far out ρ is r² − OFFSET. */
enum { SCALE, WIDTH, BELOW, ABOVE, OFFSET };

LOSSI_INLINE void tolerant(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal a = v_set1(parameters[SCALE]), w = v_set1(parameters[WIDTH]), half = v_set1((real)0.5);
    const vreal r = prediction - target, s = r * r, most = v_set1(REAL_MAX);
    const vreal s_missing = v_select(v_lt(s, most), v_fma(r, r, -s), v_set1(0));
    const lossi_tolerance rho = lossi_tolerance_of(s, s_missing, a, w);
    const vreal bend = v_min(most, v_abs(r)) * rho.side; /* 0 at infinity */

    /* r² overflows before its half does, and a is nothing beside it */
    out->value = v_select(v_gt(s, v_set1(REAL_MAX / 4)), lossi_half_square(r), half * rho.value);
    out->gradient = (r * rho.first) * rho.second;
    out->curvature = v_fma(bend + bend, bend / w, rho.first * rho.second);
    out->majorizer = out->curvature;
}

/* The largest a/w of the shorter formula: there e^(a/w) and its square are numbers of float32. */
#define NOT_HUNDREDS 40

static int is_near(const lossi_prepared *prepared)
{
    return prepared->parameters[SCALE] <= NOT_HUNDREDS * prepared->parameters[WIDTH];
}

LOSSI_INLINE void tolerant_near(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal w = v_set1(parameters[WIDTH]), half = v_set1((real)0.5), one = v_set1(1);
    const vreal below = v_set1(parameters[BELOW]), above = v_set1(parameters[ABOVE]);
    const vreal r = prediction - target, s = r * r, d = lossi_quotient_of(s, w);
    const vreal d_missing = (v_fnma(d, w, s) + v_fma(r, r, -s)) * (one / w);
    vreal rise;
    const vreal e = lossi_exp_both(d, d_missing, &rise), z = below * rise, sum = one + z, p = one / sum;
    const vreal first = below * (e * p); /* ρ′ */
    const vmask far = v_gt(s, w * LOSSI_EXP_ORDINARY);
    const vmask small = v_mask_and(v_lt(d, v_set1(ROBUST_TINY)), v_gt(s, v_set1(0)));

    out->value = (half * w) * lossi_log_of_sum(sum, z - (sum - one), p);
    out->gradient = r * first;
    out->curvature = v_fma((d + d) * first, above * p, first);
    if (lossi_unusual(out, small)) { /* d may be below the normal numbers */
        out->value = v_select(small, (half * s) * first, out->value);
    }
    if (lossi_unusual(out, far)) { /* r² overflows before its half does */
        const vreal linear = v_select(v_gt(s, v_set1(REAL_MAX / 4)), lossi_half_square(r),
                                      half * (s - v_set1(parameters[OFFSET])));
        out->value = v_select(far, linear, out->value);
        out->gradient = v_select(far, r, out->gradient);
        out->curvature = v_select(far, one, out->curvature);
    }
    out->majorizer = out->curvature;
}

#define LOSSI_ALONE
#define LOSSI_SPECIAL    tolerant_near
#define LOSSI_IS_SPECIAL is_near
#define LOSSI_FORMULA    tolerant
#include "loss/pointwise_long_kernels.h"

#ifdef LOSSI_ONCE

#include <math.h>

#include "simd/math_power.h"

#define SQUARE .type = LOSS_OPTION_DOUBLE, .minimum = 1e-18, .maximum = 1e18, .initial = 1

static const loss_option options[] = {
    [SCALE] = {.name = "scale", SQUARE, .doc = "the square of a residual from which on it counts"},
    [WIDTH] = {.name = "width", SQUARE, .doc = "over which squares it sets in"},
};

/* The curvature where (r² − a)/w is x. */
static double curvature_at(double x, double ratio)
{
    const double e = exp(-fabs(x)), up = 1 / (1 + e), down = e / (1 + e);
    return (x >= 0 ? up : down) + 2 * (x + ratio) * up * down;
}

/* Its largest: one hill, between where the exponential sets in and where nothing is left of it. */
static double largest_curvature(double ratio)
{
    double low = ratio < 4 ? -ratio : -4, high = 8;
    for (int i = 0; i < 200; i++) {
        const double left = low + (high - low) / 3, right = high - (high - low) / 3;
        if (curvature_at(left, ratio) < curvature_at(right, ratio)) {
            low = left;
        } else {
            high = right;
        }
    }
    return curvature_at(low, ratio);
}

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    double *parameters = prepared->parameters, lanes[F64_LANES];
    const double a = parameters[SCALE], w = parameters[WIDTH], ratio = a / w;
    (void)values;
    f64_store(lanes, v_exp_of_parts(v_set1(-ratio), v_set1(-fma(-ratio, w, a) / w)));
    const double k = lanes[0];
    f64_store(lanes, v_log1p(v_set1(k)));
    parameters[BELOW] = k / (1 + k);
    parameters[ABOVE] = 1 / (1 + k);
    parameters[OFFSET] = a + w * lanes[0];
    prepared->bounds = (lossi_bounds){LOSSI_UNBOUNDED, largest_curvature(ratio), 0, LOSSI_UNBOUNDED,
                                      LOSSI_UNBOUNDED};
}

extern const lossi_row lossi_row_tolerant;
const lossi_row lossi_row_tolerant = {
    .name = "tolerant",
    .aliases = "tolerant_loss",
    .summary = "next to nothing below a scale, half the square above it",
    .formula =
        "width/2*log((1 + exp((r^2 - scale)/width))/(1 + exp(-scale/width))), with r = prediction - target",
    .reference = "Agarwal, Mierle et al., Ceres Solver, TolerantLoss",
    .elsewhere = "Ceres TolerantLoss, halved",
    .elementary = "exp expm1 log1p",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_POINTWISE,
    .options = options,
    .option_count = 2,
    .prepare = prepare,
};

#endif
