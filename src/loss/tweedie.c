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
#include "loss/two_sum.h"
#include "simd/math_power.h"

/* 2 − ρ and ρ − 1, both 0 … 1, as two numbers each */
enum { POWER, FIRST = LOSSI_PARAMETERS - 4, FIRST_REST, SECOND, SECOND_REST };

/* Up to here no product of y and an exponential overflows. */
#if LOSSI_REAL == 32
#define ORDINARY_X REAL(60.0)
#define ORDINARY_Y REAL(0x1p32)
#else
#define ORDINARY_X REAL(600.0)
#define ORDINARY_Y REAL(0x1p128)
#endif

/* e^(λx), e^(λx) − 1 and C = (e^(λx) − 1 − λx)/λ ≥ 0, each with what is missing from it. */
typedef struct side {
    vreal power, power_missing, minus_one, minus_one_missing, curved, curved_missing;
} side;

/* For λ > 0, rate and rate_rest its two parts. Nothing of C is lost next to x = 0. */
LOSSI_INLINE side side_of(vreal x, vreal rate, vreal rate_rest)
{
    const vreal one = v_set1(1), u = rate * x, u_missing = v_fma(rate, x, -u) + rate_rest * x;
    vreal n, low;
    const vreal r = v_exp_reduce(u, &n, &low), bent = v_exp_tail(r), rest = low + u_missing;
    const vreal tail = v_fma(r * r, bent, rest), power = v_pow2(n);
    side s;
    const vreal sum = one + r, sum_rest = (r - (sum - one)) + tail, head = sum + sum_rest;
    s.power = power * head;
    s.power_missing = power * (sum_rest - (head - sum));
    /* 2ⁿ − 1 + 2ⁿ (r + tail), with what the sum lost, and what 2ⁿ − 1 did where 1 is below its last digit */
    const vreal base = power - one, most = v_fma(power, r, base);
    const vreal lost = v_fma(power, r, base - most) + ((power - base) - one);
    const vreal less = v_fma(power, tail, lost);
    s.minus_one = most + less;
    s.minus_one_missing = less - (s.minus_one - most);
    /* for n = 0 C = x ((e^r − 1 − r)/r² r); otherwise what is above the tangent, divided */
    const vmask near = v_eq(n, v_set1(0));
    const vreal inverse = one / rate, above = s.minus_one - u;
    const vreal above_missing = lossi_missing_of(s.minus_one, -u, above) + (s.minus_one_missing - u_missing);
    const vreal quotient = above * inverse;
    const vreal remainder = v_fnma(quotient, rate, above) + v_fnma(quotient, rate_rest, above_missing);
    s.curved = v_select(near, x * v_fma(bent, r, u_missing), quotient);
    s.curved_missing = v_select(near, v_set1(0), remainder * inverse);
    return s;
}

/* λ and its rest: float64 holds it in one. */
LOSSI_INLINE vreal rate_of(const real *rate)
{
    return v_set1(LOSSI_REAL == 64 ? rate[0] + rate[1] : rate[0]);
}

LOSSI_INLINE vreal rest_of(const real *rate)
{
    return v_set1(LOSSI_REAL == 64 ? 0 : rate[1]);
}

/* The same for any λ ≥ 0. */
LOSSI_INLINE side side_for(vreal x, const real *rate)
{
    const vreal zero = v_set1(0);
    return rate[0] == 0 ? (side){v_set1(1), zero, zero, zero, zero, zero}
                        : side_of(x, rate_of(rate), rest_of(rate));
}

/* Powers of the mean eᵘ and e⁻ᵛ, where one may be infinite or next to nothing, or y infinite. */
typedef struct powers {
    vreal mean, rise; /* rise and fall: B(x, 2 − ρ), B(x, 1 − ρ) */
    vreal pull, fall; /* y e⁻ᵛ */
} powers;

/* Exponents are products with a tail: an exponential makes of their rounding as many ulp as they are long. */
static __attribute__((noinline)) void far_powers(const vreal *point, const real *parameters, powers *p)
{
    const vreal first = rate_of(parameters + FIRST), second = rate_of(parameters + SECOND);
    const vreal x = point[0], y = point[1], zero = v_set1(0), part = v_set1((real)0.5);
    vreal up_rest = rest_of(parameters + FIRST), down_rest = rest_of(parameters + SECOND);
    const vreal up = v_times_parts(x, first, &up_rest), down = v_times_parts(-x, second, &down_rest);
    /* e⁻ᵛ alone may be infinite where y e⁻ᵛ is not */
    const vreal half = v_exp_of_parts(part * down, part * down_rest);
    const vmask gone = v_mask_or(v_eq(y, zero), v_eq(half, zero));
    p->mean = parameters[FIRST] == 0 ? v_set1(1) : v_exp_of_parts(up, up_rest);
    p->pull = v_select(gone, zero, parameters[SECOND] == 0 ? y : (y * half) * half);
    p->rise = parameters[FIRST] == 0 ? x : v_expm1_of_parts(up, up_rest) / first;
    p->fall = parameters[SECOND] == 0 ? x : -v_expm1_of_parts(down, down_rest) / second;
}

LOSSI_INLINE void far_tweedie(vreal x, vreal y, const real *parameters, vmask far, lossi_point *out)
{
    const vreal point[] = {x, y}, zero = v_set1(0), over = v_set1(REAL_INFINITY);
    const vreal first = rate_of(parameters + FIRST), second = rate_of(parameters + SECOND);
    powers p;
    far_powers(point, parameters, &p);
    const vmask none = v_mask_or(v_eq(y, zero), v_eq(p.fall, zero));
    const vreal nan = v_select(v_is_nan(x), x, v_select(v_is_nan(y), y, zero));
    const vreal value = v_select(v_eq(p.rise, over), p.rise, p.rise - v_select(none, zero, y * p.fall));
    const vreal slope = v_select(v_eq(p.mean, over), p.mean, p.mean - p.pull);
    const vreal bend = (parameters[FIRST] == 0 ? zero : first * p.mean) +
                       (parameters[SECOND] == 0 ? zero : second * p.pull);
    out->value = v_select(far, nan + value, out->value);
    out->gradient = v_select(far, nan + slope, out->gradient);
    out->curvature = v_select(far, nan + bend, out->curvature);
}

/*
 * With C of both sides, of x and of −x, the loss is (1 − y) x + C₁ + y C₂: next to the minimum of y = 1, where x is all that the
 * mean differs from y by, the first is nothing and the others have one sign. So it is with the gradient
 * (e^(λ₁x) − 1) − (e^(−λ₂x) − 1) + (1 − y) e^(−λ₂x); away from x = 0 it is the difference of two powers.
 */
LOSSI_INLINE void tweedie(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal one = v_set1(1), x = prediction, y = target;
    const side up = side_for(x, parameters + FIRST), down = side_for(-x, parameters + SECOND);
    const vreal less = one - y, less_missing = lossi_missing_of(one, -y, less);

    const vreal linear = less * x, linear_missing = v_fma(less, x, -linear) + less_missing * x;
    const vreal pulled = y * down.curved;
    const vreal pulled_missing = v_fma(y, down.curved, -pulled) + y * down.curved_missing;
    const vreal curved = up.curved + pulled, sum = curved + linear;
    out->value = sum +
                 ((lossi_missing_of(curved, linear, sum) + lossi_missing_of(up.curved, pulled, curved)) +
                  ((up.curved_missing + pulled_missing) + linear_missing));

    const vmask near = v_lt(v_abs(x), v_set1((real)0.5));
    const vreal away = up.minus_one - down.minus_one;
    const vreal away_missing = lossi_missing_of(up.minus_one, -down.minus_one, away) +
                               (up.minus_one_missing - down.minus_one_missing);
    const vreal from = v_select(near, away, up.power), factor = v_select(near, less, -y);
    const vreal product = factor * down.power, slope = from + product;
    const vreal product_missing = v_fma(factor, down.power, -product) +
                                  v_fma(factor, down.power_missing,
                                        v_select(near, less_missing, v_set1(0)) * down.power);
    out->gradient = slope + (lossi_missing_of(from, product, slope) +
                             (v_select(near, away_missing, up.power_missing) + product_missing));

    out->curvature = v_fma(rate_of(parameters + FIRST), up.power,
                           rate_of(parameters + SECOND) * (y * down.power));
    const vmask far = v_mask_or(v_gt(v_abs(x), v_set1(ORDINARY_X)), v_gt(y, v_set1(ORDINARY_Y)));
    if (lossi_unusual(out, far)) {
        far_tweedie(x, y, parameters, far, out);
    }
    out->majorizer = out->curvature;
}

/* 2ⁿ (1 + r + tail) as a head and what is missing. */
LOSSI_INLINE vreal power_of(vreal power, vreal r, vreal tail, vreal *missing)
{
    const vreal one = v_set1(1), sum = one + r, rest = (r - (sum - one)) + tail, head = sum + rest;
    *missing = power * (rest - (head - sum));
    return power * head;
}

/*
 * ρ = 1½, the default, between the two: with h = ½ x, M = eʰ − 1 and D = 1 − y e⁻ʰ, the loss is 2 M D and its gradient M + D. Nothing
 * cancels but in D, which is (1 − y) − y (e⁻ʰ − 1) next to x = 0; and e⁻ʰ is the exponential of the same reduction.
 */
LOSSI_INLINE void half_tweedie(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal one = v_set1(1), x = prediction, y = target, h = x * REAL(0.5);
    vreal n, low, mirrored, up_missing, down_missing;
    const vreal r = v_exp_reduce(h, &n, &low), square = r * r, bent = lossi_exp_tails(r, square, &mirrored);
    const vreal tail = v_fma(square, bent, low), fall = v_fma(square, mirrored, -low);
    const vreal up = power_of(v_pow2(n), r, tail, &up_missing);
    const vreal down = power_of(v_pow2(-n), -r, fall, &down_missing);
    const vmask near = v_eq(n,
                            v_set1(0)); /* where y is far from 1, 1 − y may be rounded, and D is far from 0 */
    const vreal rise = v_select(near, r + tail, (up - one) + up_missing);
    const vreal pulled = y * down_missing;
    const vreal left = v_select(near, v_fnma(y, fall - r, one - y), v_fnma(y, down, one) - pulled);

    out->value = (rise + rise) * left;
    out->gradient = v_select(near, rise + left, v_fnma(y, down, up) + (up_missing - pulled));
    out->curvature = v_fma(y, down, up) * REAL(0.5);
    const vmask far = v_mask_or(v_gt(v_abs(x), v_set1(ORDINARY_X)), v_gt(y, v_set1(ORDINARY_Y)));
    if (lossi_unusual(out, far)) {
        far_tweedie(x, y, parameters, far, out);
    }
    out->majorizer = out->curvature;
}

static int is_half(const lossi_prepared *prepared)
{
    return prepared->parameters[POWER] == 1.5;
}

#define LOSSI_IS_SPECIAL is_half
#define LOSSI_SPECIAL    half_tweedie
#define LOSSI_FORMULA    tweedie
#define LOSSI_ALONE
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
    const double power = prepared->parameters[POWER], first = 2 - power, second = power - 1;
    double *parameters = prepared->parameters;
    parameters[FIRST] = (double)(float)first; /* exact in both element types */
    parameters[FIRST_REST] = first - parameters[FIRST];
    parameters[SECOND] = (double)(float)second;
    parameters[SECOND_REST] = second - parameters[SECOND];
    prepared->target.low = power == 2 ? 0x1p-126 : 0; /* the least float32 that is a normal number */
    prepared->bounds.minimum = -LOSSI_UNBOUNDED;
    prepared->bounds.derivatives = LOSSI_UNBOUNDED;
}

extern const lossi_row lossi_row_tweedie;
const lossi_row lossi_row_tweedie = {
    .name = "tweedie",
    .aliases = "tweedie_nll tweedie_deviance half_tweedie_loss mean_tweedie_deviance "
               "reg_tweedie",
    .summary = "negative log-likelihood of numbers that are 0 or positive",
    .formula = "(exp((2-p)*x) - 1)/(2-p) - y*(exp((1-p)*x) - 1)/(1-p), p = power, x = prediction, y = target",
    .reference = "Jorgensen, The theory of dispersion models (1997)",
    .elsewhere = "scikit-learn HalfTweedieLoss and mean_tweedie_deviance (twice, less its minimum); XGBoost "
                 "reg:tweedie; LightGBM tweedie; CatBoost Tweedie "
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
