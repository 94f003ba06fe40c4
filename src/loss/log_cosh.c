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

enum { SCALE };

/* Below NEARLY_ZERO tanh x is x, and beyond FAR e is next to the numbers that are not normal. Two parts of log 2. */
#if LOSSI_REAL == 32
#define NEARLY_ZERO REAL(0x1p-13)
#define FAR         REAL(40.0)
#define LN2         REAL(0x1.62e43p-1)
#define LN2_MISSING REAL(-0x1.05c61p-29)
#else
#define NEARLY_ZERO REAL(0x1p-28)
#define FAR         REAL(350.0)
#define LN2         REAL(0x1.62e42fefa39efp-1)
#define LN2_MISSING REAL(0x1.abc9e3b39803fp-56)
#endif

/* log(cosh(x))/x² in u = x², x ≤ log 2; right to 2^-28.7 and 2^-61.3 (tests/numerics/minimax.sollya) */
LOSSI_INLINE vreal near_zero(vreal u)
{
    const vreal square = u * u;
#if LOSSI_REAL == 32
    vreal p = v_fma(v_set1(-0x1.e8905ap-12f), u, v_set1(0x1.0d9eb4p-9f));
    p = v_fma(p, square, v_fma(v_set1(-0x1.b82a64p-8f), u, v_set1(0x1.6c0a14p-6f)));
    return v_fma(p, square, v_fma(v_set1(-0x1.55553ap-4f), u, v_set1(0.5f)));
#else
    vreal p = v_set1(0x1.b889012284cacp-23);
    p = v_fma(p, u, v_set1(-0x1.3f32e4d3deb9cp-20));
    p = v_fma(p, square, v_fma(v_set1(0x1.1237974761757p-18), u, v_set1(-0x1.8c0a6c0f83ef4p-17)));
    p = v_fma(p, square, v_fma(v_set1(0x1.128b997c24646p-15), u, v_set1(-0x1.7d96cad86fffbp-14)));
    p = v_fma(p, square, v_fma(v_set1(0x1.0d0ad315c0184p-12), u, v_set1(-0x1.833d95b70fc0fp-11)));
    p = v_fma(p, square, v_fma(v_set1(0x1.1ea5d37e6710cp-9), u, v_set1(-0x1.ba1ba1b985d53p-8)));
    p = v_fma(p, square, v_fma(v_set1(0x1.6c16c16c1601ep-6), u, v_set1(-0x1.555555555555p-4)));
    return v_fma(p, u, v_set1(0.5));
#endif
}

LOSSI_INLINE void log_cosh(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal scale = v_set1(parameters[SCALE]), one = v_set1(1), zero = v_set1(0), two = v_set1(2);
    const vreal width = one / scale,
                shift = lossi_quotient_of(v_set1(LN2), scale); /* once for all elements */
    const vreal shift_missing = (v_fnma(shift, scale, v_set1(LN2)) + v_set1(LN2_MISSING)) * width;
    const vreal r = prediction - target, a = v_abs(r), x = scale * a, u = x * x;
    const vmask near = v_lt(x, v_set1(LN2)), far = v_gt(x, v_set1(FAR));
    vreal power;
    const vreal minus_one = lossi_exp_of_rest(v_min(v_set1(FAR), x) * REAL(-2.0), &power);
    const vreal e = v_fma(power, minus_one, power), less = v_fnma(power, minus_one, one - power); /* 1 − e */
    const vreal inverse = v_reciprocal(one + e), root = two * inverse;
    const vreal slope = less * inverse, bell = (scale * root) * root;
    const vreal below = (x * a) * near_zero(u);
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
