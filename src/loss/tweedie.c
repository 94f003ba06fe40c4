/*
 * Negative log-likelihood of a Tweedie distribution, for numbers that are 0 or positive, up to constants.
 *
 *     loss = B(x, 2 − ρ) − y B(x, 1 − ρ),   B(x, λ) = (e^(λx) − 1)/λ, which is x for λ = 0,   x = prediction = log of the mean
 *
 * ρ, the power, is 1 … 2. The constants make the loss continuous in ρ: at ρ = 1 it is the Poisson loss less 1, at ρ = 2 the gamma
 * loss less y. Other libraries drop constants that are infinite there.
 * Jørgensen, The theory of dispersion models (1997), §4.1.
 */
#include "loss/pointwise.h"

enum { POWER, FIRST = LOSSI_PARAMETERS - 2, SECOND };

LOSSI_INLINE void tweedie(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    /* first = 2 − ρ and second = ρ − 1, both 0 … 1; their powers of the mean are eᵘ and e⁻ᵛ */
    const vreal first = v_set1(parameters[FIRST]), second = v_set1(parameters[SECOND]), zero = v_set1(0);
    const vreal x = prediction, y = target, up = first * x, down = -second * x;
    const vreal mean = parameters[FIRST] == 0 ? v_set1(1) : v_exp(up);
    const vreal half = v_exp(v_set1((real)0.5) * down); /* e⁻ᵛ alone may be infinite where y e⁻ᵛ is not */
    const vreal part = parameters[SECOND] == 0 ? y : (y * half) * half;
    const vreal rise = parameters[FIRST] == 0 ? x : v_expm1(up) / first;
    const vreal fall = parameters[SECOND] == 0 ? x : -v_expm1(down) / second;
    const vmask none = v_eq(y, zero), gone = v_mask_or(none, v_eq(half, zero));
    const vreal nan = v_select(v_is_nan(x), x, v_select(v_is_nan(y), y, zero));
    const vreal pull = v_select(gone, zero, part), over = v_set1(REAL_INFINITY);

    out->value = nan + v_select(v_eq(rise, over), rise,
                                rise - v_select(v_mask_or(none, v_eq(fall, zero)), zero, y * fall));
    out->gradient = nan + v_select(v_eq(mean, over), mean, mean - pull);
    out->curvature = nan + ((parameters[FIRST] == 0 ? zero : first * mean) +
                            (parameters[SECOND] == 0 ? zero : second * pull));
    out->majorizer = out->curvature;
}

#define LOSSI_FORMULA tweedie
#include "loss/pointwise_long_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [POWER] = {.name = "power",
               .aliases = "variance_power tweedie_variance_power",
               .type = LOSS_OPTION_DOUBLE,
               .minimum = 1,
               .maximum = 2,
               .initial = 1.5,
               .doc = "of the mean, in the variance: 1 is Poisson, 2 gamma"},
};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    const double power = prepared->parameters[POWER];
    prepared->parameters[FIRST] = 2 - power;
    prepared->parameters[SECOND] = power - 1;
    prepared->target.low = power == 2 ? 0x1p-126 : 0; /* as of the gamma loss */
    prepared->bounds.minimum = -LOSSI_UNBOUNDED;
    prepared->bounds.derivatives = LOSSI_UNBOUNDED;
}

extern const lossi_row lossi_row_tweedie;
const lossi_row lossi_row_tweedie = {
    .name = "tweedie",
    .aliases = "tweedie_nll tweedie_deviance",
    .summary = "negative log-likelihood of numbers that are 0 or positive",
    .formula = "(exp((2-p)*x) - 1)/(2-p) - y*(exp((1-p)*x) - 1)/(1-p), p = power, x = prediction, y = target",
    .reference = "Jorgensen, The theory of dispersion models (1997)",
    .elsewhere = "scikit-learn HalfTweedieLoss; XGBoost reg:tweedie; LightGBM tweedie; CatBoost Tweedie "
                 "(other constants)",
    .elementary = "expm1 expm1",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_PROBABILISTIC,
    .link = LOSSI_LINK_LOG,
    .constant = LOSSI_CONSTANT_MEAN,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
