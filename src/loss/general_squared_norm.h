/*
 * Barron's general and adaptive loss as ρ of a squared norm s (loss/robust_squared_norm.c): twice the loss of the residual √s, in
 * units of b = a². With the shape α, β = |α − 2|, u = s/(bβ) and L = log(1 + u):
 *
 *     ρ  = 2b β/α (e^(αL/2) − 1)
 *     ρ′ = e^((α/2 − 1)L)
 *     ρ″ = ±½/b e^((α/2 − 2)L) = ±½/b ρ′/(1 + u), with the sign of α − 2
 *
 * s, 1 and 0 at α = 2, bβ L for ρ at α = 0; at α = ±∞ e^(±½s/b) stands for both powers, and ±2b for 2bβ/α.
 * ρ tends to s at 0, as those of the other kinds do. Float32 is computed in double (simd/math_single.h), where no product overflows.
 * Barron, A general and adaptive robust loss function (2019), eqs. (1), (8).
 */
#ifndef LOSSI_LOSS_GENERAL_SQUARED_NORM_H
#define LOSSI_LOSS_GENERAL_SQUARED_NORM_H

#include "loss/pointwise.h"
#include "simd/math_power.h"
#include "simd/math_single.h"

/* Shapes that are 0, or infinite, to the last digit. */
#define GENERAL_NO_SHAPE 1e-20
#if LOSSI_REAL == 32
#define GENERAL_UNBOUNDED 1e12
#else
#define GENERAL_UNBOUNDED 1e24
#endif

/* What it is computed with. */
typedef struct lossi_general {
    double shape;
    int32_t infinite, flat;    /* to the last digit: ±∞, and 0 */
    double square;             /* b */
    double stretched, missing; /* bβ, of an infinite shape 2b, and what it is missing, relatively */
    double factor;             /* 2bβ/α, ±2b of an infinite shape, bβ of none */
    double bend;               /* ±½/b */
    double turned;             /* ±½β */
    double less, less_missing; /* α/2 − 1 */
} lossi_general;

/* a + b, and what it is missing (Knuth). */
LOSSI_INLINE double lossi_general_add(double a, double b, double *missing)
{
    const double sum = a + b, part = sum - a;
    *missing = (a - (sum - part)) + (b - part);
    return sum;
}

LOSSI_INLINE lossi_general lossi_general_of(double shape, double scale)
{
    lossi_general g = {.shape = shape, .square = scale * scale};
    const double size = __builtin_fabs(shape), square_missing = __builtin_fma(scale, scale, -g.square);
    double beta_missing;
    const double less = lossi_general_add(shape, -2, &beta_missing), sign = less < 0 ? -1 : 1;
    const double beta = sign * less;
    g.infinite = size > GENERAL_UNBOUNDED;
    g.flat = size < GENERAL_NO_SHAPE;
    g.bend = sign * (0.5 / g.square);
    if (g.infinite) {
        g.stretched = 2 * g.square;
        g.missing = square_missing / g.square;
        g.factor = sign * g.stretched;
        return g;
    }
    g.turned = 0.5 * less;
    g.less = lossi_general_add(0.5 * shape, -1, &g.less_missing);
    g.stretched = g.square * beta;
    const double product = __builtin_fma(g.square, beta, -g.stretched);
    const double missing = product + (square_missing * beta + g.square * (sign * beta_missing));
    g.missing = shape == 2 ? 0 : missing / g.stretched;
    const double ratio = 2 * g.stretched / shape;
    g.factor = g.flat ? g.stretched
                      : ratio + (__builtin_fma(-ratio, shape, 2 * g.stretched) + 2 * missing) / shape;
    return g;
}

#if LOSSI_REAL == 32

LOSSI_INLINE void lossi_general_half(f64v s, const lossi_general *g, f64v *value, f64v *first, f64v *second)
{
    const f64v one = f64_set1(1), u = s * f64_set1(1 / g->stretched);
    const f64v inverse = g->infinite ? one : one / (one + u),
               log = g->infinite ? u : single_log1p_of_positive(u);
    const f64v y = f64_set1(g->infinite ? (g->shape < 0 ? -1 : 1) : 0.5 * g->shape) * log;
    f64v power;
    const f64v p = single_exp_parts(single_exp_clamp(y), &power);
    const f64v rise = g->flat ? log : f64_fma(power, p, power - one);
    *value = f64_set1(g->factor) * rise;
    *first = f64_fma(power, p, power) * inverse;
    *second = f64_set1(g->bend) * (*first * inverse);
}

LOSSI_INLINE void lossi_general_finite(vreal s, const lossi_general *g, lossi_point *out)
{
    f64v value[2], first[2], second[2];
    lossi_general_half(f32_to_f64_low(s), g, &value[0], &first[0], &second[0]);
    lossi_general_half(f32_to_f64_high(s), g, &value[1], &first[1], &second[1]);
    out->value = f64_to_f32(value[0], value[1]);
    out->gradient = f64_to_f32(first[0], first[1]);
    out->curvature = f64_to_f32(second[0], second[1]);
}

#else

/* e^x beyond and below is near the ends of the range: divided and multiplied by e^SHIFT. */
#define GENERAL_FAR       700.0
#define GENERAL_DEEP      (-600.0)
#define GENERAL_SHIFT     400.0
#define GENERAL_EXP_SHIFT 5.221469689764144e173
#define GENERAL_EXP_BACK  1.9151695967140057e-174
#define GENERAL_LARGE     0x1p200 /* u to which 1 adds nothing, tail and all */
#define GENERAL_NEAR      0x1p-60 /* s/b at which ρ is s */

typedef struct lossi_sum {
    vreal head, tail;
} lossi_sum;

/* u as a head and a tail */
LOSSI_INLINE lossi_sum lossi_general_ratio(vreal s, const lossi_general *g)
{
    const vreal d = v_set1(g->stretched);
    lossi_sum u = {.head = s / d};
    u.tail = v_fnma(u.head, v_set1(g->missing), v_fnma(u.head, d, s) / d);
    return u;
}

/* L; of a large u log u, whose quotient is made from 2^-600 s so that it does not overflow. */
LOSSI_INLINE lossi_sum lossi_general_log(vreal s, const lossi_general *g, lossi_sum u, vmask large)
{
    vreal n, low;
    lossi_sum log;
    const vreal f = v_split_one_plus_parts(u.head, &n, &low);
    log.head = v_log_sum_parts(n, f, v_fma(u.tail, v_pow2(-n), low), &log.tail);
    if (lossi_rare(large)) {
        const lossi_sum less = lossi_general_ratio(s * 0x1p-600, g);
        const vreal m = v_split(v_select(large, less.head, v_set1(1)), &n) - 1.0;
        vreal tail;
        const vreal head = v_log_sum_parts(n + 600.0, m, less.tail * v_pow2(-n), &tail);
        log.head = v_select(large, head, log.head);
        log.tail = v_select(large, tail, log.tail);
    }
    return log;
}

/* (k + k_missing) · log */
LOSSI_INLINE lossi_sum lossi_general_times(double k, double k_missing, lossi_sum log)
{
    lossi_sum y = {.tail = log.tail};
    y.head = v_times_parts(v_set1(k), log.head, &y.tail);
    y.tail = v_fma(v_set1(k_missing), log.head, y.tail);
    return y;
}

LOSSI_INLINE void lossi_general_finite(vreal s, const lossi_general *g, lossi_point *out)
{
    const vreal zero = v_set1(0), one = v_set1(1), shift = v_set1(GENERAL_SHIFT);
    const lossi_sum u = lossi_general_ratio(s, g);
    const vmask large = g->infinite ? v_lt(one, zero) : v_gt(u.head, v_set1(GENERAL_LARGE));
    const double sign = g->shape < 0 ? -1 : 1;
    const lossi_sum log = g->infinite ? (lossi_sum){sign * u.head, sign * u.tail}
                                      : lossi_general_log(s, g, u, large);
    const lossi_sum y = g->infinite ? log : lossi_general_times(0.5 * g->shape, 0, log);
    const lossi_sum z = g->infinite ? log : lossi_general_times(g->less, g->less_missing, log);
    const vreal inverse = g->infinite ? one : one / (one + u.head);

    const vmask far = v_gt(y.head, v_set1(GENERAL_FAR)); /* e^y may overflow where its multiple does not */
    const vreal rise = v_expm1_of_parts(y.head - v_select(far, shift, zero), y.tail);
    const vreal whole = v_set1(g->factor) * v_select(far, v_set1(GENERAL_EXP_SHIFT), one) * rise;
    const vreal value = g->flat ? v_set1(g->factor) * log.head : whole;
    out->value = v_select(v_lt(s, v_set1(g->square * GENERAL_NEAR)), s, value);

    const vmask deep = v_lt(z.head, v_set1(GENERAL_DEEP)), high = v_gt(z.head, v_set1(GENERAL_FAR));
    const vreal moved = v_select(deep, shift, v_select(high, -shift, zero));
    const vreal back = v_select(deep, v_set1(GENERAL_EXP_BACK),
                                v_select(high, v_set1(GENERAL_EXP_SHIFT), one));
    const vreal e = v_exp_of_parts(z.head + moved, z.tail);
    out->gradient = e * back;
    const vreal near = (e * g->bend) * inverse, beyond = e * (g->turned / s);
    out->curvature = v_select(large, beyond, near) * back;
}

#endif

/* With the limits: the square, and infinite norms. NaN gives NaN. */
LOSSI_INLINE void lossi_general_norm(vreal s, const lossi_general *g, lossi_point *out)
{
    const vreal infinity = v_set1(REAL_INFINITY);
    if (g->shape == 2) {
        out->value = s;
        out->gradient = v_select(v_is_nan(s), s, v_set1(1));
        out->curvature = v_select(v_is_nan(s), s, v_set1(0));
        return;
    }
    const vmask end = v_eq(s, infinity), nan = v_is_nan(s);
    const double a = g->shape;
    lossi_general_finite(v_select(v_mask_or(end, nan), v_set1(1), s), g, out);
    if (lossi_rare(v_mask_or(end, nan))) {
        const vreal value = a < -GENERAL_NO_SHAPE ? v_set1((real)-g->factor) : infinity;
        const vreal first = a < 2 ? v_set1(0) : infinity;
        const vreal second = a < 4 ? v_set1(0) : a > 4 ? infinity : v_set1((real)g->bend);
        out->value = v_select(end, value, v_select(nan, s, out->value));
        out->gradient = v_select(end, first, v_select(nan, s, out->gradient));
        out->curvature = v_select(end, second, v_select(nan, s, out->curvature));
    }
}

#endif
