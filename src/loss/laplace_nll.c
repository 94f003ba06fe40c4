/*
 * Negative log-likelihood of a Laplace distribution whose location p and scale b a model gives both.
 *
 *     loss = log b + |r|/b,   r = p − target        (+ log 2 with the option full)
 *
 * The role "scale", an array, is b, or instead the role "log_scale" is ℓ = log b, which has no edge. The scalar "scale" of the data,
 * a factor on derivatives, is something else, and both may be set. With u = |r|/b and s the sign of r, 0 at 0, the derivatives are
 *
 *     ∂p  s/b      ∂b  (1 − u)/b     ∂pp  0     ∂bb  (2u − 1)/b²    ∂pb  −s/b²
 *                  ∂ℓ  1 − u                    ∂ℓℓ  u              ∂pℓ  −s/b
 *
 * Gauss–Newton is Fisher's information: 1/b² for p, 1/b² for b (1 for ℓ), and no mixed part. A scale of 0 is the limit: +∞, or −∞
 * where r is 0. Nothing is clamped.
 * Kotz, Kozubowski & Podgórski, The Laplace distribution and generalizations (2001), §2.6.
 */
#include "loss/elementwise.h"

enum { FULL, CONSTANT = LOSSI_PARAMETERS - 1 };
enum { PREDICTION, TARGET, SPREAD, LOG_SPREAD, ROLES };

/* Of r and b of no larger size, and b of no smaller, everything is a normal number. */
#define MOST  REAL(0x1p60)
#define LEAST REAL(0x1p-60)

typedef struct first_order {
    vreal value, slope, of_scale; /* value without the constant */
} first_order;

/* Elsewhere, NaN too, lanes where the others are: with divisions. */
static __attribute__((noinline)) void far_scale(const vreal *of, first_order *out)
{
    const vreal r = of[0], b = of[1], zero = v_set1(0), one = v_set1(1), u = v_abs(r) / b;
    const vmask hit = v_eq(r, zero), edge = v_mask_and(v_eq(b, zero), v_eq(r, r));
    const vmask far = v_mask_not(v_mask_and(v_le(v_max(b, v_abs(r)), v_set1(MOST)), v_ge(b, v_set1(LEAST))));
    const vreal nan = v_select(v_is_nan(r), r, zero);
    const vreal limit = v_select(hit, v_set1(-REAL_INFINITY), v_set1(REAL_INFINITY));
    const vreal slope = nan + v_select(hit, zero, v_copysign(one, r) / b);
    out->value = v_select(far, v_select(edge, limit, v_log(b) + u), out->value);
    out->slope = v_select(far, slope, out->slope);
    out->of_scale = v_select(far, v_select(edge, -limit, (one - u) / b), out->of_scale);
}

/* 1/b gives all of it. A quotient is corrected by its remainder, hence rounded nearly to nearest. */
LOSSI_INLINE vmask near_scale(vreal r, vreal b, first_order *out)
{
    const vreal inverse = v_set1(1) / b, size = v_abs(r), rough = size * inverse;
    const vreal u = v_fma(v_fnma(rough, b, size), inverse, rough);
    /* NaN is in both: the maximum is its second operand then */
    const vmask near = v_mask_and(v_le(v_max(b, size), v_set1(MOST)), v_ge(b, v_set1(LEAST)));
    vreal n;
    const vreal m = v_split_normal(b, &n);
    out->value = v_log_sum(n, m - REAL(1.0)) + u;
    out->slope = v_where(v_gt(size, v_set1(0)), v_copysign(inverse, r));
    out->of_scale = (v_set1(1) - u) * inverse;
    return v_mask_not(near);
}

LOSSI_INLINE void of_spread(lossi_element *e, vreal r, vreal constant, int32_t fisher)
{
    const vreal b = e->in[SPREAD], zero = v_set1(0), one = v_set1(1), half = v_set1((real)0.5);
    const vreal dp = e->direction[PREDICTION], db = e->direction[SPREAD];
    const vreal u = v_abs(r) / b, nan = v_select(v_is_nan(r), r, zero);
    first_order first;
    if (lossi_rare(near_scale(r, b, &first))) {
        const vreal of[] = {r, b};
        first_order all = first;
        far_scale(of, &all);
        first = all;
        e->outside = v_lt(b, zero);
    }
    e->value = first.value + constant;
    e->gradient[PREDICTION] = first.slope;
    e->gradient[SPREAD] = first.of_scale;
    if (fisher) {
        e->curvature[PREDICTION] = e->curvature[SPREAD] = nan + one / b / b;
        e->product[PREDICTION] = e->curvature[PREDICTION] * dp;
        e->product[SPREAD] = e->curvature[SPREAD] * db;
    } else {
        const vreal bend = (u - half) / b; /* b/2 times the curvature */
        e->curvature[PREDICTION] = nan + (b - b);
        e->curvature[SPREAD] = v_set1(2) * bend / b;
        e->product[PREDICTION] = nan - first.slope / b * db;
        e->product[SPREAD] = (v_set1(2) * bend * db - first.slope * dp) / b;
    }
}

LOSSI_INLINE void of_log_spread(lossi_element *e, vreal r, vreal constant, int32_t fisher)
{
    const vreal l = e->in[LOG_SPREAD], zero = v_set1(0), one = v_set1(1);
    const vreal dp = e->direction[PREDICTION], dl = e->direction[LOG_SPREAD];
    /* 1/b is taken in two factors, as alone it may be infinite where |r|/b is not; with what rounding took, for 1 − u */
    const vreal size = v_abs(r), infinity = v_set1(REAL_INFINITY);
    vreal missing;
    const vreal half = v_set1((real)-0.5) * l,
                w = v_exp_parts(v_min(v_set1(MATH_EXP_HIGHEST), half), &missing);
    const vreal once = size * w, u = once * w;
    const vreal once_missing = v_fma(size, w, -once) + size * missing;
    const vreal rest = v_fma(once, w, -u) + (once * missing + once_missing * w);
    const vreal u_missing = v_select(v_lt(v_abs(rest), infinity), rest, zero); /* NaN where u is infinite */
    const vreal sign = v_select(v_eq(r, zero), zero, v_copysign(one, r)),
                nan = v_select(v_is_nan(r), r, zero);
    const vreal slope = v_select(v_eq(r, zero), zero, (sign * w) * w);
    e->value = (l + u) + constant;
    e->gradient[PREDICTION] = nan + slope;
    e->gradient[LOG_SPREAD] = (one - u) - u_missing;
    if (fisher) {
        e->curvature[PREDICTION] = nan + (w * w) * (w * w);
        e->curvature[LOG_SPREAD] = v_select(v_is_nan(u), u, one);
        e->product[PREDICTION] = e->curvature[PREDICTION] * dp;
        e->product[LOG_SPREAD] = e->curvature[LOG_SPREAD] * dl;
    } else {
        e->curvature[PREDICTION] = nan + v_select(v_is_nan(l), l, zero);
        e->curvature[LOG_SPREAD] = u;
        e->product[PREDICTION] = nan - slope * dl;
        e->product[LOG_SPREAD] = v_fma(u, dl, -(slope * dp));
    }
}

#define LOSSI_FORMULA laplace_nll
#include "loss/spread_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {
    [FULL] = {.name = "full",
              .type = LOSS_OPTION_INT,
              .minimum = 0,
              .maximum = 1,
              .initial = 0,
              .doc = "1: with the constant log(2)"},
};

static const lossi_role roles[ROLES] = {
    [PREDICTION] = {.name = "prediction",
                    .flags = LOSSI_DIFFERENTIABLE,
                    .doc = "rows x columns, real: the location"},
    [TARGET] = {.name = "target", .doc = "rows x columns, real: what was observed"},
    [SPREAD] = {.name = "scale",
                .flags = LOSSI_OPTIONAL | LOSSI_DIFFERENTIABLE,
                .domain = {0, LOSSI_UNBOUNDED, 0},
                .doc = "rows x columns, real, optional: the scale b, an array; 0 gives the limit, infinity "
                       "or -infinity. Needed unless there is log_scale"},
    [LOG_SPREAD] = {.name = "log_scale",
                    .flags = LOSSI_OPTIONAL | LOSSI_DIFFERENTIABLE,
                    .doc = "rows x columns, real, optional: its logarithm, instead of scale"},
};

static loss_status check(loss_context *context, const char *title, const lossi_prepared *prepared,
                         const lossi_shape *shape)
{
    (void)prepared;
    return (shape->rows[SPREAD] >= 0) != (shape->rows[LOG_SPREAD] >= 0)
               ? LOSS_OK
               : lossi_fail(
                     context, LOSS_ERROR_ARGUMENT,
                     "%s needs either the role 'scale' or 'log_scale', an array; the scalar 'scale' of "
                     "the data is the factor on derivatives",
                     title);
}

static const lossi_structure structure = {
    .roles = roles, .role_count = ROLES, .flags = LOSSI_ADDS_UP, .check = check};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    /* log 2 */
    prepared->parameters[CONSTANT] = lossi_options_own(values, FULL)->number != 0 ? 0.69314718055994530942
                                                                                  : 0;
    prepared->bounds.minimum = -LOSSI_UNBOUNDED;
}

extern const lossi_row lossi_row_laplace_nll;
const lossi_row lossi_row_laplace_nll = {
    .name = "laplace_nll",
    .aliases = "laplace_negative_log_likelihood",
    .summary = "negative log-likelihood of a Laplace distribution, location and scale predicted",
    .formula = "log(b) + |r|/b, r = prediction - target, b = scale or exp(log_scale)",
    .reference = "Kotz, Kozubowski & Podgorski, The Laplace distribution and generalizations (2001)",
    .elementary = "log",
    .flags = LOSSI_POINTWISE | LOSSI_PROBABILISTIC,
    .structure = &structure,
    .options = options,
    .option_count = 1,
    .prepare = prepare,
};

#endif
