/*
 * Tolerant loss of nonlinear least squares: residuals whose square is below a scale cost next to nothing, half the square
 * above it.
 *
 *     r = prediction − target,  ρ(s) = w log((1 + e^((s − a)/w))/(1 + e^(−a/w)))
 *     loss = ½ ρ(r²),   gradient = ρ′ r,   curvature = ρ′ + 2ρ″ r²
 *
 * Scale a and width w are in units of the square. ρ is convex, so that ρ′ bounds no curvature: there is no majorizer.
 * Agarwal, Mierle et al., Ceres Solver, TolerantLoss, of which this is half.
 */
#include "loss/tolerance.h"

enum { SCALE, WIDTH };

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

#define LOSSI_FORMULA tolerant
#include "loss/pointwise_long_kernels.h"

#ifdef LOSSI_ONCE

#include <math.h>

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
    const double ratio = prepared->parameters[SCALE] / prepared->parameters[WIDTH];
    (void)values;
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
