/*
 * Barron's general and adaptive robust loss: one family with the shape α, from the squared error to losses that level off.
 *
 *     r = prediction − target,  u = (r/c)²,  b = |α − 2|
 *     loss = (b/α) ((1 + u/b)^(α/2) − 1)
 *     ½ u at α = 2,   log(1 + ½ u) at α = 0,   1 − e^(−u/2) at α = −∞,   e^(u/2) − 1 at α = +∞
 *
 * α = 1 is √(1 + u) − 1 (Charbonnier), α = −2 is 2u/(u + 4) (Geman–McClure). With t = r/(c√b) and L = log(1 + t²) as a head
 * and a tail, the loss is (b/α)(e^(αL/2) − 1), the gradient (r/c²) e^((α/2 − 1)L), the majorizer of α ≤ 2 the same without
 * r, and the curvature that times (1 + (α − 1) t²)/(1 + t²).
 * Nothing is clamped near the four special shapes: b/α (e^y − 1) keeps its digits there.
 * Barron, A general and adaptive robust loss function (2019), eqs. (1), (8), (9).
 */
#define LOSSI_IN_DOUBLE /* simd/math_single.h */
#include "loss/robust.h"
#include "simd/math_power.h"
#include "simd/math_single.h"

enum {
    SHAPE,
    SCALE,
    STRETCHED /* c√b */,
    MISSING32,
    MISSING64,
    FACTOR /* b/α, or ½ b */,
    SLOPE /* at infinity */
};

#if defined(LOSSI_WIDENED_FORMULA)

#define UNBOUNDED 1e12  /* a shape beyond which the loss is that of an infinite one to the last digit */
#define NO_SHAPE  1e-20 /* where the shape is 0 to the last digit */

/* (1 + u)^(α/2 − 1), what the loss is a multiple of, and (1 + (α − 1) u)/(1 + u), with their limits. */
typedef struct bent {
    f64v decay, rise, bending;
} bent;

/* At 2 and at infinite shapes; a function of its own, for few ask for it. */
static __attribute__((noinline)) bent bend_without_power(f64v r, double alpha, double c)
{
    const f64v one = f64_set1(1), rc = r * f64_set1(1 / c), u = f64_set1(alpha < 0 ? -1 : 1) * (rc * rc);
    if (alpha == 2) {
        return (bent){one, f64_set1(0.5) * u, one};
    }
    f64v power; /* e^(±u/2) */
    const f64v p = single_exp_parts(single_exp_clamp(f64_set1(0.5) * u), &power);
    return (bent){f64_fma(power, p, power), f64_fma(power, p, power - one), one + u};
}

LOSSI_INLINE bent bend(f64v r, const double *parameters)
{
    const double alpha = parameters[SHAPE], size = __builtin_fabs(alpha);
    if (__builtin_expect(alpha == 2 || size > UNBOUNDED, 0)) {
        return bend_without_power(r, alpha, parameters[SCALE]);
    }
    const f64v one = f64_set1(1), t = r * f64_set1(1 / parameters[STRETCHED]), u = t * t;
    const f64v log = single_log1p_of_positive(u), inverse = one / (one + u);
    f64v power;
    const f64v p = single_exp_parts(single_exp_clamp(f64_set1(0.5 * alpha) * log), &power);
    bent x;
    x.decay = f64_fma(power, p, power) * inverse;
    x.rise = size < NO_SHAPE ? log : f64_fma(power, p, power - one);
    x.bending = f64_fma(f64_set1(alpha - 1), u, one) * inverse;
    return x;
}

LOSSI_INLINE void barron(f64v prediction, f64v target, const double *parameters, lossi_wide_point *out)
{
    const double alpha = parameters[SHAPE], c = parameters[SCALE];
    const double factor = alpha == 2 ? 1 : parameters[FACTOR];
    const f64v r = prediction - target, slope = r * f64_set1(1 / c / c), infinity = f64_set1(LOSSI_UNBOUNDED);
    const f64m within = f64_lt(f64_abs(r), infinity), nan = f64_is_nan(r);
    const bent x = bend(r, parameters);

    out->value = f64_set1(factor) * x.rise;
    out->gradient = slope * x.decay;
    if (lossi_unusual(out, f64_mask_not(within))) {
        const f64v far = f64_set1(alpha < -NO_SHAPE ? -factor : LOSSI_UNBOUNDED);
        const f64v end = f64_copysign(f64_set1(parameters[SLOPE]), r);
        out->value = f64_select(within, out->value, f64_select(nan, r, far));
        out->gradient = f64_select(within, out->gradient, f64_select(nan, r, end));
    }
    /* no question here, so that what is not wanted can be left out */
    const f64v end = f64_set1(alpha > 2 ? LOSSI_UNBOUNDED : alpha == 2 ? 1 / c / c : 0);
    const f64v limit = f64_select(nan, r, end), majorizer = f64_set1(1 / c / c) * x.decay;
    out->majorizer = f64_select(within, majorizer, limit);
    out->curvature = f64_select(within, x.bending * majorizer, limit);
}

#else

/* Shapes beyond which the loss is that of an infinite one to the last digit; and where e^y and e^z are divided and multiplied by e^SHIFT. */
#if LOSSI_REAL == 32
#define MISSING   MISSING32
#define UNBOUNDED REAL(1e12)
#define FAR       REAL(85.0)
#define SHIFT     REAL(40.0)
#define EXP_SHIFT REAL(2.3538526683701997e17)
#define EXP_BACK  REAL(4.248354255291589e-18)
#define DEEP      REAL(-60.0)
#else
#define MISSING   MISSING64
#define UNBOUNDED REAL(1e24)
#define FAR       REAL(700.0)
#define SHIFT     REAL(400.0)
#define EXP_SHIFT REAL(5.221469689764144e173)
#define EXP_BACK  REAL(1.9151695967140057e-174)
#define DEEP      REAL(-600.0)
#endif
#define NO_SHAPE REAL(1e-20) /* where the shape is 0 to the last digit */

typedef struct parts {
    vreal head, tail;
} parts;

/* (k + k_missing) · log */
LOSSI_INLINE parts times(vreal k, vreal k_missing, parts log)
{
    parts y = {.tail = log.tail};
    y.head = v_times_parts(k, log.head, &y.tail);
    y.tail = v_fma(k_missing, log.head, y.tail);
    return y;
}

LOSSI_INLINE parts choose(vmask mask, parts a, parts b)
{
    return (parts){v_select(mask, a.head, b.head), v_select(mask, a.tail, b.tail)};
}

/* log(1 + t²), and t², infinite where t is large */
LOSSI_INLINE parts logarithm(const lossi_ratio *x, vreal missing, vreal *u, vreal *u_missing)
{
    const vreal two = v_set1(2),
                q_missing = v_fnma(x->q, missing, lossi_over(v_fnma(x->q, x->c, x->a), x->c));
    vreal n, low;
    parts log;
    *u = x->q * x->q;
    *u_missing = v_fma(x->q + x->q, q_missing, v_fma(x->q, x->q, -*u));
    const vreal f = v_split_one_plus_parts(*u, &n, &low);
    log.head = v_log_sum_parts(n, f, v_fma(*u_missing, v_pow2(-n), low), &log.tail);
    if (lossi_rare(x->large)) { /* 2 log t */
        vreal far_n, f_missing, tail;
        const vreal far = lossi_ratio_split(x, &far_n, &f_missing);
        const vreal head = v_log_sum_parts(far_n, far, v_fnma(far + REAL(1.0), missing, f_missing), &tail);
        const vmask finite = v_lt(x->a, v_set1(REAL_INFINITY));
        log.head = v_select(x->large, v_select(finite, two * head, x->a), log.head);
        log.tail = v_select(x->large, v_select(finite, two * tail, v_set1(0)), log.tail);
        *u = v_select(x->large, v_set1(REAL_INFINITY), *u);
        *u_missing = v_select(x->large, v_set1(0), *u_missing);
    }
    return log;
}

typedef struct bent {
    lossi_ratio t;      /* never large where t does not count: at infinite shapes and at 2 */
    vreal u, u_missing; /* t², infinite where t is large */
    parts log;          /* log(1 + t²) */
    parts y, z;         /* the loss is b/α (e^y − 1); e^z is the root of (1 + t²)^(α/2 − 1) */
    vmask infinite, falling, square; /* of the shape alone: the compiler takes them out of the loop */
    vreal less;                      /* α − 1 */
} bent;

LOSSI_INLINE bent bend(vreal r, const real *parameters)
{
    const vreal zero = v_set1(0), one = v_set1(1), half = v_set1((real)0.5),
                alpha = v_set1(parameters[SHAPE]);
    bent x = {.infinite = v_gt(v_abs(alpha), v_set1(UNBOUNDED)), .square = v_eq(alpha, v_set1(2))};
    x.falling = v_mask_and(x.infinite, v_lt(alpha, zero));
    /* an infinite shape has r/c for t */
    const vreal c = v_set1(parameters[SCALE]), missing = v_set1(parameters[MISSING]);
    x.t = lossi_ratio_of(r, v_select(x.infinite, c, v_set1(parameters[STRETCHED])));
    x.log = logarithm(&x.t, v_select(x.infinite, zero, missing), &x.u, &x.u_missing);
    const vmask large = x.t.large;
    x.t.large = v_mask_and(large, v_mask_not(v_mask_or(x.infinite, x.square)));

    const vreal shape = v_select(x.infinite, one, alpha), k = v_fma(half, shape, -one);
    const vreal k_missing = v_fma(half, shape, -one - k);
    x.less = shape - one;
    const vreal sign = v_select(x.falling, -half, half);
    const parts exponential = {sign * v_select(large, v_set1(REAL_INFINITY), x.u), sign * x.u_missing};

    x.y = choose(x.infinite, exponential, times(half * shape, zero, x.log));
    x.z = choose(x.infinite, (parts){half * exponential.head, half * exponential.tail},
                 times(half * k, half * k_missing, x.log));
    x.z = choose(v_eq(k, zero), (parts){v_select(v_is_nan(r), r, zero), zero}, x.z); /* 0 · ∞ is 0 here */
    return x;
}

/* (1 + (α − 1) t²)/(1 + t²), with its limits at infinite shapes and at 2; p: 1/(1 + t²), of large t 1/t */
LOSSI_INLINE vreal bending(const bent *x, vreal p)
{
    const vreal one = v_set1(1), factor = v_select(x->infinite, v_select(x->falling, -one, one), x->less);
    const vreal sum = v_fma(factor, x->u, one) + factor * x->u_missing;
    const vreal far = v_fma(one - x->less, p * p, x->less);
    return v_select(x->square, one, v_select(x->t.large, far, v_select(x->infinite, sum, sum * p)));
}

LOSSI_INLINE void barron(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal zero = v_set1(0), one = v_set1(1), c = v_set1(parameters[SCALE]),
                factor = v_set1(parameters[FACTOR]);
    const vmask flat = v_lt(v_abs(v_set1(parameters[SHAPE])), v_set1(NO_SHAPE));
    const vmask falling = v_lt(v_set1(parameters[SHAPE]), v_set1(-UNBOUNDED));
    /* beyond a multiple of the scale nothing is left of e^(−u/2), but e^(−∞) ∞ would be NaN */
    const vreal given = prediction - target, cut = v_select(falling, c * ROBUST_GONE, v_set1(REAL_INFINITY));
    const vreal a = v_min(cut, v_abs(given)), r = v_copysign(a, given), rc = r / c;
    const bent x = bend(r, parameters);
    const vmask deep = v_lt(x.z.head, v_set1(DEEP)); /* e^z may be subnormal where r/c² e²ᶻ is not */
    const lossi_weight w = lossi_weight_of(x.t.q);
    const vreal p = v_select(x.t.large, x.t.c / x.t.a, lossi_weight_nearest(&w)),
                back = v_select(deep, v_set1(EXP_BACK), one);
    const vreal e = v_exp_of_parts(x.z.head + v_select(deep, v_set1(SHIFT), zero), x.z.tail);
    const vreal ec = (e / c) * back;
    const vmask far = v_gt(x.y.head, v_set1(FAR)); /* e^y may overflow where b/α e^y does not */
    const vreal rise = v_expm1_of_parts(x.y.head - v_select(far, v_set1(SHIFT), zero), x.y.tail);
    const vreal whole = factor * v_select(far, v_set1(EXP_SHIFT), one) * rise;
    const vmask near = v_mask_and(v_lt(a, c * ROBUST_SMALL), v_lt(a, x.t.c * ROBUST_SMALL));

    out->value = v_select(v_mask_or(near, x.square), lossi_half_square(rc),
                          v_select(flat, factor * x.log.head, whole));
    out->gradient = v_select(v_lt(v_abs(given), v_set1(REAL_INFINITY)), ((r * e / c) * back) * ec,
                             v_copysign(v_set1(parameters[SLOPE]), given));
    out->gradient = v_select(v_is_nan(given), given, out->gradient);
    out->majorizer = ec * ec;
    out->curvature = (ec * bending(&x, p)) * ec;
}

#endif

/* α = 1, √(1 + u) − 1 with u = (r/c)²: powers are roots. Far out 1 is nothing beside u. */
static int is_root(const lossi_prepared *prepared)
{
    return prepared->parameters[SHAPE] == 1;
}

#if defined(LOSSI_WIDENED_FORMULA)

#define ROOT_FAR 0x1p60 /* times c: to where w and 1 + √w have what single_… makes of them */

LOSSI_INLINE void root(f64v prediction, f64v target, const double *parameters, lossi_wide_point *out)
{
    const double c = parameters[SCALE];
    const f64v one = f64_set1(1), steep = f64_set1(1 / c);
    const f64v r = prediction - target, q = r * steep, w = f64_fma(q, q, one);
    const f64v inverse = single_inverse_root(w), share = single_reciprocal(f64_fma(w, inverse, one));
    const f64m far = f64_gt(f64_abs(r), f64_set1(c * ROOT_FAR)); /* false for NaN */

    out->value = (q * q) * share;
    out->gradient = (q * inverse) * steep;
    out->majorizer = inverse * (steep * steep);
    out->curvature = (inverse * inverse) * out->majorizer;
    if (lossi_unusual(out, far)) {
        const f64v over = one / f64_abs(r), majorizer = steep * over;
        out->value = f64_select(far, f64_abs(q) - one, out->value);
        out->gradient = f64_select(far, f64_copysign(steep, r), out->gradient);
        out->majorizer = f64_select(far, majorizer, out->majorizer);
        out->curvature = f64_select(far, (f64_set1(c) * over) * (over * over), out->curvature);
    }
}

#else

#define ROOT_FAR REAL(0x1p30) /* times c: to where √w (1 + √w) has a reciprocal */

LOSSI_INLINE void root(vreal prediction, vreal target, const real *parameters, lossi_point *out)
{
    const vreal one = v_set1(1), c = v_set1(parameters[SCALE]), steep = one / c;
    const vreal r = prediction - target, q = lossi_over(r, c), w = v_fma(q, q, one);
    const vreal square_root = v_sqrt(w), low = one + square_root, both = v_reciprocal(square_root * low);
    const vreal inverse = both * low, share = both * square_root; /* 1/√w and 1/(1 + √w) */
    const vmask far = v_gt(v_abs(r), c * ROOT_FAR);               /* false for NaN */

    out->value = q * (q * share);
    out->gradient = lossi_over(q * inverse, c);
    out->majorizer = (inverse * steep) * steep;
    out->curvature = (inverse * inverse) * out->majorizer;
    if (lossi_unusual(out, far)) {
        const vreal a = v_abs(r), over = one / a;
        out->value = v_select(far, a / c - one, out->value);
        out->gradient = v_select(far, v_copysign(steep, r), out->gradient);
        out->majorizer = v_select(far, steep * over, out->majorizer);
        out->curvature = v_select(far, (c * over) * (over * over), out->curvature);
    }
}

#endif

#define LOSSI_ALONE
#define LOSSI_SPECIAL    root
#define LOSSI_IS_SPECIAL is_root
#define LOSSI_FORMULA    barron
#include "loss/pointwise_long_kernels.h"

#ifdef LOSSI_ONCE

#include <math.h>

static const loss_option options[] = {
    [SHAPE] = {.name = "shape",
               .type = LOSS_OPTION_DOUBLE,
               .minimum = -LOSSI_UNBOUNDED,
               .maximum = LOSSI_UNBOUNDED,
               .initial = 1,
               .doc = "alpha: 2 squared error, 1 Charbonnier, 0 Cauchy, -2 Geman-McClure, -infinity Welsch"},
    [SCALE] = {.name = "scale",
               .type = LOSS_OPTION_DOUBLE,
               .minimum = 1e-18,
               .maximum = 1e18,
               .initial = 1,
               .doc = "the size of a residual from which on it counts less"},
};

/* sup |∂loss/∂prediction|: of α < 1 at u = b/(b − 1) */
static double lipschitz(double alpha, double c)
{
    const double b = 2 - alpha;
    if (alpha > 1) {
        return LOSSI_UNBOUNDED;
    }
    return (b > 1e9 ? exp(-0.5) : alpha == 1 ? 1 : pow(b / (b - 1), (1 - b) / 2)) / c;
}

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    const double alpha = prepared->parameters[SHAPE], c = prepared->parameters[SCALE], b = fabs(alpha - 2);
    const int32_t plain = b == 0 || isinf(b);
    /* c√b, and what it is missing, relatively: exactly rounded operations only */
    const double root = plain ? 1 : sqrt(b), root_missing = plain ? 0 : fma(-root, root, b) / (2 * root);
    const double s = c * root, s_missing = fma(c, root, -s) + c * root_missing;
    (void)values;
    prepared->parameters[STRETCHED] = s;
    prepared->parameters[MISSING64] = s_missing / s;
    prepared->parameters[MISSING32] = ((s - (double)(float)s) + s_missing) / s;
    prepared->parameters[FACTOR] = fabs(alpha) < 1e-20 ? b / 2
                                   : isinf(alpha)      ? copysign(1, alpha)
                                                       : b / alpha;
    prepared->parameters[SLOPE] = alpha > 1 ? LOSSI_UNBOUNDED : alpha == 1 ? 1 / c : 0;
    prepared->bounds = (lossi_bounds){lipschitz(alpha, c), alpha > 2 ? LOSSI_UNBOUNDED : 1 / c / c, 0,
                                      alpha >= 0     ? LOSSI_UNBOUNDED
                                      : isinf(alpha) ? 1
                                                     : b / -alpha,
                                      LOSSI_UNBOUNDED};
    prepared->flags &= alpha >= 1 ? ~0U : ~(uint32_t)LOSSI_CONVEX;
    prepared->flags &= alpha <= 2 ? ~0U : ~(uint32_t)LOSSI_MAJORIZED;
}

extern const lossi_row lossi_row_barron;
const lossi_row lossi_row_barron = {
    .name = "barron",
    .aliases = "general_adaptive",
    .summary = "a family of robust losses, from the squared error to those that level off",
    .formula =
        "|a - 2|/a*((1 + (r/scale)^2/|a - 2|)^(a/2) - 1) and its limits, a = shape, r = prediction - target",
    .reference = "Barron, A general and adaptive robust loss function (2019)",
    .elsewhere = "google-research robust_loss",
    .elementary = "exp expm1 log1p",
    .flags = LOSSI_CONVEX | LOSSI_SMOOTH | LOSSI_POINTWISE | LOSSI_MAJORIZED,
    .options = options,
    .option_count = 2,
    .prepare = prepare,
};

#endif
