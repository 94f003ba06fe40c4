/*
 * Log-cosh loss: half the square near zero, the absolute value less log 2 in the tails.
 *
 *     r = prediction − target,  x = a |r|
 *     loss = log(cosh(x))/a
 *
 * With m = eˣ − 1, c = 1 + m and i = 1/c, cosh x = 1 + m²/(2c): the loss is log1p(½ m (m i))/a, exact down to the smallest r,
 * where log of cosh would be 0. tanh x = m (1 + i)/(c + i), and 1 − tanh² x = (2/(c + i))². Where eˣ overflows, and long before
 * that, cosh is half of it.
 * Green, Bayesian reconstructions from emission tomography data using a modified EM algorithm (1990), §III; majorizer
 * a tanh(x)/x: Huber & Ronchetti, Robust statistics (2009), §7.8.
 */
#include "loss/pointwise.h"

enum { SCALE };

/* Below: x²/2 is all there is of log cosh x, to a quarter of an ulp. Above: e^x overflows. */
#if LOSSI_REAL == 32
#define REAL_NEARLY_ZERO      REAL(0x1p-13)
#define REAL_LARGEST_EXPONENT REAL(88.0)
#else
#define REAL_NEARLY_ZERO      REAL(0x1p-28)
#define REAL_LARGEST_EXPONENT REAL(709.0)
#endif

LOSSI_INLINE void log_cosh(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal scale = v_set1(parameters[SCALE]), inverse_scale = v_set1(1) / scale, one = v_set1(1);
    const vreal r = prediction - target, a = v_abs(r), x = scale * a;
    const vreal limit = v_set1(REAL_LARGEST_EXPONENT);
    const vreal m = v_expm1(v_min(limit, x)), c = one + m, i = one / c, sum = c + i;
    const vmask far = v_gt(x, v_set1(40)); /* where e⁻²ˣ is nothing beside 1 */
    const vreal slope = v_select(far, one, (m * (one + i)) / sum), sech = v_set1(2) / sum;
    const vmask near = v_lt(x, v_set1(REAL_NEARLY_ZERO));

    out->value = v_select(far, a - v_set1(REAL(0.69314718055994530942)) * inverse_scale,
                          v_select(near, (v_set1((real)0.5) * x) * a,
                                   v_log1p(v_set1((real)0.5) * m * (m * i)) * inverse_scale));
    out->gradient = v_copysign(slope, r);
    out->curvature = v_select(v_lt(x, limit), (scale * sech) * sech, v_select(v_is_nan(x), x, v_set1(0)));
    out->majorizer = v_select(near, scale, slope / a);
}

#define LOSSI_FORMULA log_cosh
#include "loss/pointwise_kernels.h"

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
