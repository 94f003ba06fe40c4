/*
 * Log-cosh loss: half the square near zero, the absolute value less log 2 in the tails.
 *
 *     r = prediction − target,  x = a |r|
 *     loss = log(cosh(x))/a
 *
 * With m = e²ˣ − 1, c = 1 + m and d = 2 + m, cosh² x = 1 + m²/(4c): the loss is ½ log1p(¼ m (m/c))/a, exact down to the smallest
 * r, where log of cosh would be 0. tanh x = m/d, and 1 − tanh² x = 4c/d². Where e⁻²ˣ is nothing beside 1, cosh x is half of eˣ.
 * Green, Bayesian reconstructions from emission tomography data using a modified EM algorithm (1990), §III; majorizer
 * a tanh(x)/x: Huber & Ronchetti, Robust statistics (2009), §7.8.
 */
#include "loss/exponentials.h"
#include "loss/pointwise.h"

enum { SCALE };

/* Below: x²/2 is all there is of log cosh x, to a quarter of an ulp. Above: e⁻²ˣ is nothing beside 1. */
#if LOSSI_REAL == 32
#define NEARLY_ZERO REAL(0x1p-13)
#define FAR         REAL(10.0)
#else
#define NEARLY_ZERO REAL(0x1p-28)
#define FAR         REAL(20.0)
#endif

/* e^x − 1 for x ≥ 0 that is not large; v_expm1_parts() also does others, for more. */
LOSSI_INLINE vreal expm1_of(vreal x)
{
    vreal n, low;
    const vreal r = v_exp_reduce(x, &n, &low), power = v_pow2(n), base = power - REAL(1.0);
    const vreal head = v_fma(power, r, base), missing = v_fma(power, r, base - head);
    return head + v_fma(power, v_fma(r * r, v_exp_tail(r), low), missing);
}

LOSSI_INLINE void log_cosh(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal scale = v_set1(parameters[SCALE]), half_inverse = v_set1((real)0.5) / scale;
    const vreal one = v_set1(1), two = v_set1(2), quarter = v_set1((real)0.25);
    const vreal r = prediction - target, a = v_abs(r), x = scale * a;
    const vmask near = v_lt(x, v_set1(NEARLY_ZERO)), within = v_le(x, v_set1(FAR));
    const vreal held = v_min(v_set1(FAR), x), m = expm1_of(held + held), c = m + one, d = m + two;
    const vreal both = one / (c * d); /* one for two */
    const vreal inverse = lossi_refined(both * c, d);
    vreal slope = m * inverse;

    const vreal excess = (quarter * m) * (m * lossi_refined(both * d, c)); /* cosh² x − 1 */
    out->value = lossi_log_one_plus(excess, v_fnma(slope, slope, one)) * half_inverse;
    out->curvature = (scale * (two * inverse)) * ((two * inverse) * c);
    if (lossi_unusual(out, v_mask_and(near, v_gt(x, v_set1(0))))) {
        out->value = v_select(near, (v_set1((real)0.5) * x) * a, out->value);
    }
    if (lossi_unusual(out, v_mask_not(within))) { /* NaN too */
        const vreal e = two * v_exp(-x), log_four = v_set1(REAL(1.38629436111989061883));
        slope = v_select(within, slope, v_select(v_is_nan(x), x, one));
        out->value = v_select(within, out->value, a - log_four * half_inverse);
        out->curvature = v_select(within, out->curvature, (scale * e) * e);
    }
    out->gradient = v_copysign(slope, r);
    out->majorizer = v_select(near, scale, slope / a);
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
