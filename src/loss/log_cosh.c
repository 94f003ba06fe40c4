/*
 * Log-cosh loss: half the square near zero, the absolute value less log 2 in the tails.
 *
 *     r = prediction − target,  x = a |r|
 *     loss = log(cosh(x))/a
 *
 * With m = eˣ − 1, c = 1 + m and i = 1/c, cosh x = 1 + m²/(2c): the loss is log1p(½ m (m i))/a, exact down to the smallest r,
 * where log of cosh would be 0. tanh x = m (1 + i)/(c + i), and 1 − tanh² x = (2/(c + i))². Where e⁻²ˣ is nothing beside 1, cosh x
 * is half of eˣ.
 * Green, Bayesian reconstructions from emission tomography data using a modified EM algorithm (1990), §III; majorizer
 * a tanh(x)/x: Huber & Ronchetti, Robust statistics (2009), §7.8.
 */
#include "loss/pointwise.h"

enum { SCALE };

/* Below: x²/2 is all there is of log cosh x, to a quarter of an ulp. Above: e⁻²ˣ is nothing beside 1. */
#if LOSSI_REAL == 32
#define NEARLY_ZERO REAL(0x1p-13)
#define FAR         REAL(20.0)
#else
#define NEARLY_ZERO REAL(0x1p-28)
#define FAR         REAL(40.0)
#endif

/* log(1 + x) of a number that is at least 0 and not infinite */
LOSSI_INLINE vreal log_one_plus(vreal x)
{
    vreal n, scaled, shift;
    const vreal f = v_split_one_plus(x, &n, &scaled, &shift); /* before n is read */
    return v_log_sum(n, f);
}

LOSSI_INLINE void log_cosh(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal scale = v_set1(parameters[SCALE]), inverse_scale = v_set1(1) / scale;
    const vreal one = v_set1(1), two = v_set1(2), half = v_set1((real)0.5);
    const vreal r = prediction - target, a = v_abs(r), x = scale * a;
    const vmask near = v_lt(x, v_set1(NEARLY_ZERO)), within = v_le(x, v_set1(FAR));
    vreal n, low, tail;
    const vreal reduced = v_exp_reduce(v_min(v_set1(FAR), x), &n, &low);
    const vreal head = v_expm1_parts(n, reduced, low, &tail), m = head + tail, c = one + m;
    /* one division for 1/c and c/(c² + 1), which is then corrected */
    const vreal square = v_fma(c, c, one), both = one / (c * square);
    const vreal i = both * square, sum = c + i, rough = (both * c) * c;
    const vreal inverse = v_fma(v_fnma(rough, sum, one), rough, rough), sech = two * inverse;
    vreal slope = (m * (one + i)) * inverse;

    out->value = v_select(near, (half * x) * a, log_one_plus(half * m * (m * i)) * inverse_scale);
    out->curvature = (scale * sech) * sech;
    if (lossi_rare(v_mask_not(within))) { /* NaN too */
        const vreal e = two * v_exp(-x), log_two = v_set1(REAL(0.69314718055994530942));
        slope = v_select(within, slope, v_select(v_is_nan(x), x, one));
        out->value = v_select(within, out->value, a - log_two * inverse_scale);
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
