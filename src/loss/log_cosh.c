/*
 * Log-cosh loss: half the square near zero, the absolute value less log 2 in the tails.
 *
 *     r = prediction − target,  x = a |r|
 *     loss = log(cosh(x))/a
 *
 * With e = e⁻²ˣ it is x − log 2 + log1p(e) over a, two positive terms from log 2 on. Below, where they would cancel, log cosh x is
 * x² times a polynomial of x²: its next singularity is at iπ/2, so that is shorter than another logarithm. With M = 1 − e,
 * made like an expm1, and d = 1 + e: tanh x = M/d, and 1 − tanh² x = 4e/d². Up to tanh x = ½ that is left to the first form, which
 * rounds once what is next to 1: the roundings of the other are twice as many units below 1 as above.
 * Green, Bayesian reconstructions from emission tomography data using a modified EM algorithm (1990), §III; majorizer
 * a tanh(x)/x: Huber & Ronchetti, Robust statistics (2009), §7.8.
 */
#include "loss/exponentials.h"
#include "loss/pointwise.h"
#include "simd/math_hyperbolic.h"

enum { SCALE };

/* Below NEARLY_ZERO tanh x is x, and beyond FAR e is next to the numbers that are not normal. */
#if LOSSI_REAL == 32
#define NEARLY_ZERO REAL(0x1p-13)
#define FAR         REAL(40.0)
#else
#define NEARLY_ZERO REAL(0x1p-28)
#define FAR         REAL(350.0)
#endif

LOSSI_INLINE void log_cosh(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal scale = v_set1(parameters[SCALE]), one = v_set1(1), zero = v_set1(0), two = v_set1(2);
    const vreal width = one / scale,
                shift = lossi_quotient_of(v_set1(MATH_LN2), scale); /* once for all elements */
    const vreal shift_missing = (v_fnma(shift, scale, v_set1(MATH_LN2)) + v_set1(MATH_LN2_MISSING)) * width;
    const vreal r = prediction - target, a = v_abs(r), x = scale * a, u = x * x;
    const vmask near = v_lt(x, v_set1(MATH_LN2)), far = v_gt(x, v_set1(FAR));
    vreal power;
    const vreal minus_one = lossi_exp_of_rest(v_min(v_set1(FAR), x) * REAL(-2.0), &power);
    const vreal e = v_fma(power, minus_one, power), less = v_fnma(power, minus_one, one - power); /* 1 − e */
    const vreal inverse = v_reciprocal(one + e), root = two * inverse;
    const vreal slope = less * inverse, bell = (scale * root) * root;
    const vreal below = (x * a) * v_log_cosh_near(u);
    const vreal above = (a - shift) + v_fma(v_log1p_unit(e), width, -shift_missing);

    out->value = v_select(near, below, above);
    out->gradient = v_copysign(slope, r);
    out->curvature = v_select(v_lt(slope, v_set1((real)0.5)), scale * v_fnma(slope, slope, one), bell * e);
    if (lossi_unusual(out, far)) {
        const vreal half = v_exp_nonpositive(v_select(far, -x, zero));
        out->curvature = v_select(far, (bell * half) * half, out->curvature);
    }
    out->majorizer = v_select(v_lt(x, v_set1(NEARLY_ZERO)), scale, slope / a);
}

#define LOSSI_FORMULA log_cosh
#define LOSSI_DOMAINS LOSSI_EVERYWHERE
#include "loss/pointwise_long_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [SCALE] = {.name = "scale",
               .type = LOSS_OPTION_DOUBLE,
               .minimum = 1e-30,
               .maximum = 1e30,
               .initial = 1,
               .doc = "the factor on the residual"},
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    prepared->bounds = (lossi_bounds){1, prepared->parameters[SCALE], 0, LOSSI_UNBOUNDED, LOSSI_UNBOUNDED};
}

extern const lossi_row lossi_row_log_cosh;
const lossi_row lossi_row_log_cosh = {
    .name = "log_cosh",
    .aliases = "logcosh",
    .summary = "logarithm of the hyperbolic cosine: nearly quadratic, then nearly absolute",
    .formula = "log(cosh(scale*r))/scale, with r = prediction - target",
    .reference =
        "Green, Bayesian reconstructions from emission tomography data using a modified EM algorithm (1990)",
    .elsewhere = "Keras LogCosh; optax log_cosh; CatBoost LogCosh; mlpack LogCoshLoss",
    .elementary = "expm1 log1p",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_MAJORIZED,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
