/*
 * Distances between rows of vectors, and what losses of them add to the derivatives of both.
 *
 *     δ = a − b + ε,   t = ‖δ‖ of a norm p ≥ 1, or ‖δ‖² of p = 2,   s = ∇ₐt = −∇_b t,   ∂²t/∂a² v along v = v_a − v_b
 *
 *     p         s_j = ±(|δ_j|/t)^(p − 1)    ∂²t = (p − 1)/t (diag (|δ_j|/t)^(p − 2) − s sᵀ)    of p = 2: s = δ/t, (1 − s sᵀ)/t
 *     square    s = 2 δ                     ∂²t = 2
 *
 * Where a and b are the same vector the distance has a kink: its smallest subgradient is 0, and so is its curvature there. Of
 * p = 1 every δ_j = 0 is one, with slope and curvature 0; of 1 < p < 2 the curvature is infinite at δ_j = 0.
 *
 * A power of two takes δ to where neither its squares nor its powers leave the numbers: t is measured in units of 2^exponent.
 * That is done where it is needed, for p = 2 at lengths beyond 10^±135; derivatives of a norm do not depend on it but for 1/t.
 */
#ifndef LOSSI_LOSS_DISTANCE_H
#define LOSSI_LOSS_DISTANCE_H

#include "loss/wide.h"
#if LOSSI_REAL == 64
#include "simd/math_power.h"
#else
#include "simd/math_single.h"
#endif

/* Sums of squares between these have lost nothing: a square below the normal numbers is nothing beside 2^-900. */
#define LOSSI_DISTANCE_LEAST 0x1p-900
#define LOSSI_DISTANCE_MOST  0x1p1000

enum { LOSSI_DISTANCE_LARGEST_POWER = 500 }; /* 2^-500, of ½ ≤ δ < 1, is far from the smallest number */

typedef struct lossi_distance {
    const real *a, *b, *along_a, *along_b; /* the directions may be NULL */
    double power, epsilon;                 /* p and ε */
    int32_t squared, seconds;              /* seconds: second derivatives are wanted */
    /* measured: */
    double before, after; /* δ/2^exponent = ((a − b + ε) before) after; one of them is 1 */
    int exponent;         /* of t; twice that of δ where squared */
    double t, along;      /* along: ∂t in the direction v */
    double g, h;          /* s = g δ of p = 2, else ±g |δ|^(p − 1); h is 1/t, not in units */
    /* of p ≠ 2, where one column may be all of t: that of the largest |δ|, and what the others are */
    int64_t first;
    double most, others, along_others; /* |δ| there; 1 − (most/t)^p; s · v without it */
} lossi_distance;

/* ε in the columns j … of the row, 0 beyond its end. */
LOSSI_INLINE void lossi_distance_added(const lossi_distance *d, int64_t j, int64_t columns, f64v *out)
{
    double lanes[VREAL_LANES];
    for (int lane = 0; lane < VREAL_LANES; lane++) {
        lanes[lane] = j + lane < columns ? d->epsilon * d->before : 0;
    }
    for (int v = 0; v < LOSSI_WIDENED; v++) {
        out[v] = f64_load(lanes + v * F64_LANES);
    }
}

/* δ in units. a and b are made smaller before they are subtracted, and what is left larger afterwards: nothing overflows. */
LOSSI_INLINE void lossi_distance_delta(const lossi_distance *d, int64_t j, int64_t columns, f64v *delta)
{
    const f64v before = f64_set1(d->before), after = f64_set1(d->after);
    f64v a[LOSSI_WIDENED], b[LOSSI_WIDENED], added[LOSSI_WIDENED];
    lossi_wide_load(d->a, j, columns, a);
    lossi_wide_load(d->b, j, columns, b);
    for (int v = 0; v < LOSSI_WIDENED; v++) {
        delta[v] = a[v] * before - b[v] * before;
    }
    if (d->epsilon != 0) {
        lossi_distance_added(d, j, columns, added);
        for (int v = 0; v < LOSSI_WIDENED; v++) {
            delta[v] = delta[v] + added[v];
        }
    }
    for (int v = 0; v < LOSSI_WIDENED; v++) {
        delta[v] = delta[v] * after;
    }
}

LOSSI_INLINE void lossi_distance_direction(const lossi_distance *d, int64_t j, int64_t columns, f64v *out)
{
    f64v b[LOSSI_WIDENED];
    lossi_wide_load(d->along_a, j, columns, out);
    lossi_wide_load(d->along_b, j, columns, b);
    for (int v = 0; v < LOSSI_WIDENED; v++) {
        out[v] = out[v] - b[v];
    }
}

/* x^y of x ≥ 0 and y ≥ 0; 0 at 0 for y = 0 too, which is what kinks ask for. NaN stays. It is long, and stands in the code once. */
static __attribute__((noinline)) f64v lossi_distance_power(f64v x, double y)
{
    const f64v zero = f64_set1(0), infinity = f64_set1((double)INFINITY);
    const f64m between = f64_mask_and(f64_gt(x, zero), f64_lt(x, infinity));
    if (y == 0 || y == 1 || y == 2) {
        return y == 2 ? x * x : y == 1 ? x : f64_select(between, f64_set1(1), x);
    }
    const f64v base = f64_select(between, x, f64_set1(1));
#if LOSSI_REAL == 64
    const f64v raised = v_pow(base, f64_set1(y));
#else
    const f64v raised = single_exp(f64_set1(y) * single_log_of_positive(base));
#endif
    return f64_select(between, raised, x);
}

/* (1 + x)^y of one number x ≥ 0. */
LOSSI_INLINE double lossi_distance_power_of_one_plus(double x, double y)
{
    double lanes[F64_LANES];
#if LOSSI_REAL == 64
    f64_store(lanes, v_pow1p(f64_set1(x), f64_set1(y)));
#else
    f64_store(lanes, single_exp(f64_set1(y) * single_log1p_of_positive(f64_set1(x))));
#endif
    return x < (double)INFINITY ? lanes[0] : x;
}

/* Σ δ² and δ · v. */
static __attribute__((noinline)) double lossi_distance_square(const lossi_distance *d, int64_t columns,
                                                              double *along)
{
    lossi_wide_sum square = lossi_wide_sum_zero(), aside = square;
    for (int64_t j = 0; j < columns; j += VREAL_LANES) {
        f64v delta[LOSSI_WIDENED], direction[LOSSI_WIDENED];
        lossi_distance_delta(d, j, columns, delta);
        lossi_distance_direction(d, j, columns, direction);
        lossi_wide_sum_add(&square, j, delta, delta);
        lossi_wide_sum_add(&aside, j, delta, direction);
    }
    *along = lossi_wide_sum_total(&aside);
    return lossi_wide_sum_total(&square);
}

/* Σ |δ|^y sign(δ)·w over the columns but `first`: of w = 1 without the sign, or of w = v with it. */
static __attribute__((noinline)) double lossi_distance_others(const lossi_distance *d, int64_t columns,
                                                              double y, int32_t along)
{
    lossi_wide_sum sum = lossi_wide_sum_zero();
    for (int64_t j = 0; j < columns; j += VREAL_LANES) {
        f64v delta[LOSSI_WIDENED], by[LOSSI_WIDENED];
        double lanes[VREAL_LANES];
        lossi_distance_delta(d, j, columns, delta);
        lossi_distance_direction(d, j, columns, by);
        for (int v = 0; v < LOSSI_WIDENED; v++) {
            const f64v raised = lossi_distance_power(f64_abs(delta[v]), y);
            f64_store(lanes + v * F64_LANES, along ? f64_copysign(raised, delta[v]) : raised);
            by[v] = along ? by[v] : f64_set1(1);
        }
        if (d->first - j < VREAL_LANES && d->first >= j) {
            lanes[d->first - j] = 0;
        }
        for (int v = 0; v < LOSSI_WIDENED; v++) {
            delta[v] = f64_load(lanes + v * F64_LANES);
        }
        lossi_wide_sum_add(&sum, j, delta, by);
    }
    return lossi_wide_sum_total(&sum);
}

/* Finds the largest |δ|. */
static __attribute__((noinline)) void lossi_distance_find_largest(lossi_distance *d, int64_t columns)
{
    d->most = 0;
    d->first = 0;
    for (int64_t j = 0; j < columns; j += VREAL_LANES) {
        f64v delta[LOSSI_WIDENED];
        double lanes[VREAL_LANES];
        lossi_distance_delta(d, j, columns, delta);
        for (int v = 0; v < LOSSI_WIDENED; v++) {
            f64_store(lanes + v * F64_LANES, f64_abs(delta[v]));
        }
        for (int lane = 0; lane < VREAL_LANES; lane++) { /* passes NaN over: sums have it */
            d->first = lanes[lane] > d->most ? j + lane : d->first;
            d->most = lanes[lane] > d->most ? lanes[lane] : d->most;
        }
    }
}

/* Chooses the units in which ½ ≤ the largest |δ| < 1. δ itself may be too large for a number. */
static void lossi_distance_choose_units(lossi_distance *d, int64_t columns)
{
    int exponent = 0, up = 0;
    lossi_distance_find_largest(d, columns);
    if (d->most == (double)INFINITY) {
        up = 2;
        d->before = 0.25;
        lossi_distance_find_largest(d, columns);
        d->before = 1;
    }
    if (d->most > 0 && d->most < (double)INFINITY) {
        const double part = frexp(d->most, &exponent);
        exponent += up;
        d->exponent = exponent > -1000 ? exponent : -1000; /* 2^1000 is a number */
        d->most = ldexp(part, exponent - d->exponent);
        d->before = exponent > 0 ? ldexp(1, -d->exponent) : 1;
        d->after = exponent > 0 ? 1 : ldexp(1, -d->exponent);
    }
}

/* Of p ≠ 2. With P the largest |δ|^p and q P all others, t = most (1 + q)^(1/p), and (most/t)^(p − 1) = (1 + q)^(1/p − 1). */
static void lossi_distance_measure_power(lossi_distance *d, int64_t columns)
{
    const double p = d->power;
    double lanes[F64_LANES];
    lossi_distance_choose_units(d, columns);
    f64_store(lanes, lossi_distance_power(f64_set1(d->most), p - 1));
    const double raised = lanes[0], others = lossi_distance_others(d, columns, p, 0);
    d->t = d->most + others; /* 0, or NaN */
    d->g = d->h = d->others = d->along = d->along_others = 0;
    if (d->t == 0) {
        return;
    }
    const double q = others / (raised * d->most);
    d->t = d->most * lossi_distance_power_of_one_plus(q, 1 / p);
    const double s = lossi_distance_power_of_one_plus(q, 1 / p - 1);
    d->g = s / raised;
    d->h = ldexp(1 / d->t, -d->exponent);
    d->others = q / (1 + q);
    if (d->along_a != NULL || d->along_b != NULL) {
        f64v delta[LOSSI_WIDENED], direction[LOSSI_WIDENED];
        double at[VREAL_LANES], along[VREAL_LANES];
        lossi_distance_delta(d, d->first, columns, delta);
        lossi_distance_direction(d, d->first, columns, direction);
        f64_store(at, delta[0]);
        f64_store(along, direction[0]);
        d->along_others = d->g * lossi_distance_others(d, columns, p - 1, 1);
        d->along = d->along_others + (at[0] < 0 ? -s : s) * along[0];
    }
}

/* Measures. */
static __attribute__((noinline)) void lossi_distance_measure(lossi_distance *d, int64_t columns)
{
    double along;
    d->before = d->after = 1;
    d->exponent = 0;
    if (d->power != 2) {
        lossi_distance_measure_power(d, columns);
        return;
    }
    double total = lossi_distance_square(d, columns, &along);
    if (total < LOSSI_DISTANCE_LEAST || total > LOSSI_DISTANCE_MOST) {
        lossi_distance_choose_units(d, columns);
        total = lossi_distance_square(d, columns, &along);
    }
    const double length = sqrt(total);
    d->t = length;
    d->g = length == 0 ? 0 : 1 / length;
    d->h = d->exponent == 0 ? d->g : ldexp(d->g, -d->exponent);
    d->along = d->g * along;
    if (d->squared) {
        d->t = total;
        d->along = d->exponent == 0 ? 2 * along : ldexp(along, d->exponent + 1);
        d->exponent *= 2;
        d->before = d->after = 1; /* 2 δ needs no units */
    }
}

/* t in units of 2^exponent. */
LOSSI_INLINE double lossi_distance_in(const lossi_distance *d, int exponent)
{
    return d->exponent == exponent ? d->t : ldexp(d->t, d->exponent - exponent);
}

/* What one distance adds at columns j … to a (and, negated, to b; the curvature as it is): slope · ∂t, and so on. */
typedef struct lossi_distance_terms {
    f64v gradient[LOSSI_WIDENED]; /* ∂t/∂a */
    f64v bend[LOSSI_WIDENED];     /* ∂²t/∂a², the diagonal */
    f64v product[LOSSI_WIDENED];  /* ∂²t/∂a² v */
} lossi_distance_terms;

/* What is left of 1 and of s · v in column `first`, whose |δ|/t may be next to 1; elsewhere v itself, s · v and `left`. */
static void lossi_distance_without(const lossi_distance *d, int64_t j, f64v *left, f64v *direction,
                                   f64v *along)
{
    double lanes[3][VREAL_LANES];
    if (d->first < j || d->first - j >= VREAL_LANES) {
        return;
    }
    for (int v = 0; v < LOSSI_WIDENED; v++) {
        f64_store(lanes[0] + v * F64_LANES, left[v]);
        f64_store(lanes[1] + v * F64_LANES, direction[v]);
        f64_store(lanes[2] + v * F64_LANES, along[v]);
    }
    lanes[0][d->first - j] = d->others;
    lanes[1][d->first - j] *= d->others;
    lanes[2][d->first - j] = d->along_others;
    for (int v = 0; v < LOSSI_WIDENED; v++) {
        left[v] = f64_load(lanes[0] + v * F64_LANES);
        direction[v] = f64_load(lanes[1] + v * F64_LANES);
        along[v] = f64_load(lanes[2] + v * F64_LANES);
    }
}

/* Of p ≠ 2, with r = |δ_j|/t: (p − 1)/t r^(p − 2) (1 − r^p), and (p − 1)/t r^(p − 2) (v_j ∓ r s · v). */
static __attribute__((noinline)) void lossi_distance_at_power(const lossi_distance *d, int64_t j,
                                                              const f64v *delta, f64v *direction,
                                                              lossi_distance_terms *out)
{
    const double p = d->power;
    const f64v zero = f64_set1(0), one = f64_set1(1), steep = f64_set1((p - 1) * d->h);
    f64v left[LOSSI_WIDENED], along[LOSSI_WIDENED], r[LOSSI_WIDENED];
    for (int v = 0; v < LOSSI_WIDENED; v++) {
        const f64v a = f64_abs(delta[v]), s = f64_set1(d->g) * lossi_distance_power(a, p - 1);
        r[v] = a / f64_set1(d->t);
        left[v] = one - s * r[v];
        along[v] = f64_set1(d->along);
        out->gradient[v] = f64_copysign(s, delta[v]);
        out->bend[v] = out->product[v] = zero;
    }
    if (p == 1 || d->h == 0 || !d->seconds) {
        return;
    }
    lossi_distance_without(d, j, left, direction, along);
    for (int v = 0; v < LOSSI_WIDENED; v++) {
        const f64v w = p < 2 ? one / lossi_distance_power(r[v], 2 - p) : lossi_distance_power(r[v], p - 2);
        const f64v aside = direction[v] - f64_copysign(r[v], delta[v]) * along[v];
        out->bend[v] = steep * (w * left[v]);
        out->product[v] = f64_select(f64_eq(aside, zero), zero, steep * (w * aside));
    }
}

LOSSI_INLINE void lossi_distance_at(const lossi_distance *d, int64_t j, int64_t columns,
                                    lossi_distance_terms *out)
{
    const f64v two = f64_set1(2), one = f64_set1(1), length = f64_set1(d->t == 0 ? 1 : d->t);
    const f64v g = f64_set1(d->g), h = f64_set1(d->h), along = f64_set1(d->along);
    f64v delta[LOSSI_WIDENED], direction[LOSSI_WIDENED];
    lossi_distance_delta(d, j, columns, delta);
    lossi_distance_direction(d, j, columns, direction);
    if (d->power != 2) {
        lossi_distance_at_power(d, j, delta, direction, out);
        return;
    }
    for (int v = 0; v < LOSSI_WIDENED; v++) {
        out->gradient[v] = d->squared ? two * delta[v] : g * delta[v];
        out->bend[v] = out->product[v] = f64_set1(0);
    }
    for (int v = 0; d->seconds && v < LOSSI_WIDENED; v++) {
        const f64v s = delta[v] / length; /* never above 1: the curvature is never below 0 */
        out->bend[v] = d->squared ? two : h * (one - s * s);
        out->product[v] = d->squared ? two * direction[v] : h * (direction[v] - along * s);
    }
}

#endif
