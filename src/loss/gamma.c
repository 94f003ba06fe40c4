/*
 * Negative log-likelihood of positive numbers with a gamma distribution of fixed shape, up to constants: half the gamma deviance.
 *
 *     loss = x + y e⁻ˣ,   x = prediction, the logarithm of the mean
 *
 * Convex; the smallest loss is 1 + log y, at x = log y.
 * McCullagh & Nelder, Generalized linear models (2nd ed. 1989), §8.3.
 */
#include "loss/pointwise.h"

/* Targets are positive: from the smallest float32 that is a normal number on, the same for both types. */
#define LEAST 0x1p-126

/* Where e^-x is about to overflow, or to lose digits below the normal numbers, it is taken in two factors, one a power of two. */
#if LOSSI_REAL == 32
#define FAR      REAL(80.0)
#define STEP     REAL(0x1p64)
#define LOG_STEP REAL(44.361419555836499802) /* 64 log 2 */
#else
#define FAR      REAL(700.0)
#define STEP     REAL(0x1p512)
#define LOG_STEP REAL(354.89135644669199842) /* 512 log 2 */
#endif

LOSSI_INLINE void gamma(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal x = prediction, y = target, one = v_set1(1), infinity = v_set1(REAL_INFINITY);
    const vreal part = y * v_exp(-x);
    (void)parameters;

    out->value = x + part;
    out->gradient = one - part;
    out->curvature = out->majorizer = part;
    const vmask plain = v_mask_and(v_le(v_abs(x), v_set1(FAR)),
                                   v_lt(out->value, infinity)); /* false for NaN */
    if (lossi_unusual(out, v_mask_not(plain))) {
        /* e⁻ˣ alone may be infinite, or next to nothing, where y e⁻ˣ is not */
        const vmask low = v_lt(x, v_set1(-FAR)), high = v_gt(x, v_set1(FAR));
        const vreal by = v_select(low, v_set1(STEP), v_select(high, one / STEP, one));
        const vreal less = v_select(low, v_set1(-LOG_STEP), v_select(high, v_set1(LOG_STEP), v_set1(0)));
        const vreal e = v_exp(less - x), scaled = y * by;
        const vreal product = v_select(v_eq(e, v_set1(0)), v_set1(0), scaled * e);
        const vreal safe = v_select(plain, part, v_select(v_is_nan(y), y, product));
        out->value = v_select(v_eq(x, -infinity), v_select(v_is_nan(y), y, infinity), x + safe);
        out->gradient = one - safe;
        out->curvature = out->majorizer = safe;
    }
}

#if LOSSI_REAL == 32 /* short enough for memory to be what it waits for */
#define LOSSI_ALONE
#endif
#define LOSSI_FORMULA gamma
#include "loss/pointwise_long_kernels.h"

#ifdef LOSSI_ONCE

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    prepared->target.low = LEAST;
    prepared->bounds.minimum = -86.336544750553109; /* 1 + log LEAST */
    prepared->bounds.derivatives = LOSSI_UNBOUNDED;
}

extern const lossi_row lossi_row_gamma;
const lossi_row lossi_row_gamma = {
    .name = "gamma",
    .aliases = "gamma_nll gamma_deviance",
    .summary = "negative log-likelihood of positive numbers, the logarithm of the mean predicted",
    .formula = "x + y*exp(-x), x = prediction, y = target",
    .reference = "McCullagh & Nelder, Generalized linear models (2nd ed. 1989)",
    .elsewhere = "scikit-learn HalfGammaLoss; XGBoost reg:gamma; LightGBM gamma",
    .elementary = "exp",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_PROBABILISTIC,
    .link = LOSSI_LINK_LOG,
    .constant = LOSSI_CONSTANT_MEAN,
    .prepare = prepare,
};

#endif
