/*
 * Negative log-likelihood of a Tweedie distribution, for numbers that are 0 or positive, up to constants.
 *
 *     loss = B(x, 2 − ρ) − y B(x, 1 − ρ),   B(x, λ) = (e^(λx) − 1)/λ, which is x for λ = 0,   x = prediction = log of the mean
 *
 * ρ, the power, is 1 … 2. The constants make the loss continuous in ρ: at ρ = 1 it is the Poisson loss less 1, at ρ = 2 the gamma
 * loss less y. Other libraries drop constants that are infinite there.
 * Jørgensen, The theory of dispersion models (1997), §4.1.
 */
#include "loss/exponentials.h"
#include "loss/pointwise.h"

enum { POWER, FIRST = LOSSI_PARAMETERS - 2, SECOND };

/* first = 2 − ρ and second = ρ − 1, both 0 … 1; their powers of the mean are eᵘ and e⁻ᵛ. */
typedef struct powers {
    vreal first, second, mean, rise; /* rise and fall: B(x, 2 − ρ), B(x, 1 − ρ) */
    vreal pull, fall;                /* y e⁻ᵛ */
} powers;

/* The same where a power may be infinite or next to nothing, or y infinite. */
static __attribute__((noinline)) void far_powers(const vreal *point, const real *parameters, powers *p)
{
    const vreal x = point[0], y = point[1], zero = v_set1(0), up = p->first * x, down = -p->second * x;
    const vreal half = v_exp(v_set1((real)0.5) * down); /* e⁻ᵛ alone may be infinite where y e⁻ᵛ is not */
    const vmask gone = v_mask_or(v_eq(y, zero), v_eq(half, zero));
    p->mean = parameters[FIRST] == 0 ? v_set1(1) : v_exp(up);
    p->pull = v_select(gone, zero, parameters[SECOND] == 0 ? y : (y * half) * half);
    p->rise = parameters[FIRST] == 0 ? x : v_expm1(up) / p->first;
    p->fall = parameters[SECOND] == 0 ? x : -v_expm1(down) / p->second;
}

LOSSI_INLINE void far_tweedie(vreal x, vreal y, const real *parameters, powers p, vmask far, lossi_point *out)
{
    const vreal point[] = {x, y}, zero = v_set1(0), over = v_set1(REAL_INFINITY);
    far_powers(point, parameters, &p);
    const vmask none = v_mask_or(v_eq(y, zero), v_eq(p.fall, zero));
    const vreal nan = v_select(v_is_nan(x), x, v_select(v_is_nan(y), y, zero));
    const vreal value = v_select(v_eq(p.rise, over), p.rise, p.rise - v_select(none, zero, y * p.fall));
    const vreal slope = v_select(v_eq(p.mean, over), p.mean, p.mean - p.pull);
    const vreal bend = (parameters[FIRST] == 0 ? zero : p.first * p.mean) +
                       (parameters[SECOND] == 0 ? zero : p.second * p.pull);
    out->value = v_select(far, nan + value, out->value);
    out->gradient = v_select(far, nan + slope, out->gradient);
    out->curvature = v_select(far, nan + bend, out->curvature);
}

LOSSI_INLINE void tweedie(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal zero = v_set1(0), one = v_set1(1), x = prediction, y = target;
    powers p = {.first = v_set1(parameters[FIRST]), .second = v_set1(parameters[SECOND])};
    vreal rise = x, fall = x, decay = one;
    p.mean = one;
    if (parameters[FIRST] != 0) {
        p.mean = lossi_exp_both(p.first * x, zero, &rise);
        rise = lossi_quotient_of(rise, p.first);
    }
    if (parameters[SECOND] != 0) {
        decay = lossi_exp_both(-p.second * x, zero, &fall);
        fall = lossi_quotient_of(-fall, p.second);
    }
    const vmask far = v_mask_or(v_gt(v_abs(x), v_set1(LOSSI_EXP_ORDINARY)), v_gt(y, v_set1(REAL_MAX)));

    out->value = v_fnma(y, fall, rise);
    out->gradient = v_fnma(y, decay, p.mean);
    out->curvature = v_fma(p.first, p.mean, p.second * (y * decay));
    if (lossi_unusual(out, far)) {
        far_tweedie(x, y, parameters, p, far, out);
    }
    out->majorizer = out->curvature;
}

#define LOSSI_FORMULA tweedie
#include "loss/pointwise_long_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [POWER] = {.name = "power",
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
