/*
 * Accelerated failure times with normal noise, for float32 computed in double (simd/math_single.h): value and slope of all cases by
 * one formula.
 *
 * Mirrored so that the middle of the interval is not below 0, its ends are A and B > 0, their mean m ≥ 0, their distance w; with one end
 * alone the other is infinite. With R = (1 − Φ)/φ, Mills's ratio, and d = φ(B)/φ(A) = e^(−w m) or 0, the probability is
 *
 *     A ≥ 0   φ(A) u,       u = R(A) − d R(B)
 *     A < 0   1 − φ(A) u,   u = R(−A) + d R(B)
 *
 * and the slope φ(A) (1 − d) over it. The difference loses what w (m + 1) is below 1; at NARROW, where half of the digits are left, the
 * interval is its width times the density at its middle.
 * Shepherd & Laframboise, Chebyshev approximation of (1 + 2x) exp(x²) erfc x (1981), for the variable of the polynomial.
 */
#ifndef LOSSI_LOSS_FAILURE_TIME_SINGLE_H
#define LOSSI_LOSS_FAILURE_TIME_SINGLE_H

#include "simd/math_single.h"

#define FAILURE_NARROW            0x1p-16
#define FAILURE_FAR               0x1p200             /* R is 1/a from far below; its square is a number */
#define FAILURE_DENSITY           0.39894228040143268 /* 1/√(2π) */
#define FAILURE_MINUS_LOG_DENSITY 0.91893853320467274

/* (a + 3) R(a) in q = (a − 3)/(a + 3), a ≥ 0, right to 2^-34.3: made by tests/numerics/mills_ratio.py */
LOSSI_INLINE f64v lossi_mills_scaled(f64v q)
{
    const f64v square = q * q;
    f64v p = f64_fma(f64_set1(0x1.6715929ac8ca8p-20), q, f64_set1(0x1.8f625b1b67f2bp-18));
    p = f64_fma(p, square, f64_fma(f64_set1(-0x1.720978ac5e102p-19), q, f64_set1(-0x1.7f2eff05b7cd4p-15)));
    p = f64_fma(p, square, f64_fma(f64_set1(-0x1.3e29707203dbap-15), q, f64_set1(0x1.92c276771d2dep-13)));
    p = f64_fma(p, square, f64_fma(f64_set1(0x1.9804a2c336aa5p-12), q, f64_set1(-0x1.4fcfa210d9ad9p-11)));
    p = f64_fma(p, square, f64_fma(f64_set1(-0x1.57ac80678cd51p-9), q, f64_set1(0x1.518692b11943bp-9)));
    p = f64_fma(p, square, f64_fma(f64_set1(0x1.1e5b58935f6f9p-6), q, f64_set1(-0x1.adb1a29d01162p-6)));
    p = f64_fma(p, square, f64_fma(f64_set1(-0x1.e541ad77a7de3p-4), q, f64_set1(0x1.27340a809d3eap-1)));
    return f64_fma(p, square, f64_fma(f64_set1(-0x1.46d63371148a2p+0), q, f64_set1(0x1.d3d9c765f7e23p+0)));
}

/* R(a) and R(b) with one division */
LOSSI_INLINE void lossi_mills_ratios(f64v a, f64v b, f64v *of_a, f64v *of_b)
{
    const f64v far = f64_set1(FAILURE_FAR), a_cut = f64_min(far, a), b_cut = f64_min(far, b);
    const f64v a_three = a_cut + 3.0, b_three = b_cut + 3.0, inverse = 1.0 / (a_three * b_three);
    const f64v a_inverse = inverse * b_three, b_inverse = inverse * a_three;
    *of_a = lossi_mills_scaled((a_cut - 3.0) * a_inverse) * a_inverse;
    *of_b = lossi_mills_scaled((b_cut - 3.0) * b_inverse) * b_inverse;
}

/* What a row is, 1/σ and log(σ √(2π)). */
typedef struct lossi_failure_row {
    f64v prediction, lower, upper, inverse_scale, constant;
} lossi_failure_row;

/* The first third: A, B and w m (infinite with one end alone), ±1/σ, and value and slope where they are known by now. */
typedef struct lossi_failure_ends {
    f64v a, b, product, turn, value, slope;
} lossi_failure_ends;

/* The second: the logarithm of `probability` = 1 − `rest` is missing from the value. */
typedef struct lossi_failure_sides {
    f64v probability, rest, value, slope;
} lossi_failure_sides;

LOSSI_INLINE f64m lossi_failure_is_exact(f64v lower, f64v upper)
{
    return f64_mask_and(f64_eq(lower, upper), f64_lt(upper, f64_set1(__builtin_inf())));
}

LOSSI_INLINE f64m lossi_failure_is_interval(f64v lower, f64v upper)
{
    const f64m finite = f64_lt(upper, f64_set1(__builtin_inf())), above = f64_gt(lower, f64_set1(0.0));
    return f64_mask_and(f64_mask_and(above, f64_lt(lower, upper)), finite);
}

/* log of the lower bound, or of the upper one where that is alone, and of their quotient over σ. Returned is where that is wrong unless
 * it is made with `care`, a constant. */
LOSSI_INLINE f64m lossi_failure_logarithms(const lossi_failure_row *failure, int care, f64v *log_time,
                                           f64v *width)
{
    const f64v zero = f64_set1(0.0), lower = failure->lower, upper = failure->upper;
    const f64v time = f64_select(f64_gt(lower, zero), lower, upper);
    const f64v ratio = f64_where(lossi_failure_is_interval(lower, upper), (upper - lower) / lower);
    *log_time = care ? single_log(time) : single_log_of_positive(time);
    *width = single_log1p_of_positive(ratio) * failure->inverse_scale;
    return f64_mask_not(f64_mask_and(f64_gt(time, zero), f64_lt(time, f64_set1(__builtin_inf()))));
}

/* The same: where the interval is narrow. *known is where value and slope are. */
LOSSI_INLINE f64m lossi_failure_ends_of(const lossi_failure_row *failure, f64v log_time, f64v width, int care,
                                        lossi_failure_ends *out, f64m *known)
{
    const f64v zero = f64_set1(0.0), infinity = f64_set1(__builtin_inf()), half = f64_set1(0.5);
    const f64v lower = failure->lower, upper = failure->upper, inverse = failure->inverse_scale;
    const f64m above = f64_gt(lower, zero), interval = lossi_failure_is_interval(lower, upper);
    const f64v z = (log_time - failure->prediction) * inverse;
    const f64v end = z + width, middle = f64_fma(half, width, z), m = f64_abs(middle);
    const f64m flip = f64_mask_or(f64_mask_not(above), f64_mask_and(interval, f64_lt(middle, zero)));
    const f64m narrow = f64_mask_and(interval, f64_lt(f64_fma(width, m, width), f64_set1(FAILURE_NARROW)));

    out->a = f64_select(flip, -end, z);
    out->b = f64_abs(f64_select(flip, z, end));
    out->product = f64_select(interval, width * m, infinity);
    out->turn = f64_select(flip, -inverse, inverse);
    out->value = f64_fma(half * z, z, log_time + failure->constant);
    out->slope = z * inverse;
    *known = lossi_failure_is_exact(lower, upper);
    if (care) {
        const f64v centre = (half * middle) * middle + FAILURE_MINUS_LOG_DENSITY;
        out->value = f64_select(narrow, centre - single_log(width), out->value);
        out->slope = f64_select(narrow, middle * inverse, out->slope);
        *known = f64_mask_or(*known, narrow);
    }
    return narrow;
}

LOSSI_INLINE lossi_failure_sides lossi_failure_sides_of(const lossi_failure_ends *ends)
{
    const f64v zero = f64_set1(0.0), one = f64_set1(1.0), a = ends->a;
    const f64m across = f64_lt(a, zero);
    f64v of_a, of_b, minus_fall;
    const f64v d = single_exp_nonpositive(-ends->product, &minus_fall);
    lossi_mills_ratios(f64_abs(a), ends->b, &of_a, &of_b);
    const f64v far = d * of_b, u = of_a + f64_select(across, far, -far);
    const f64v half_square = (0.5 * a) * a, height = FAILURE_DENSITY * single_exp(-half_square);
    const f64v lost = height * u, probability = f64_select(across, one - lost, u);
    const f64v steep = (f64_select(across, height, one) / probability) * -minus_fall;
    return (lossi_failure_sides){probability, f64_select(across, lost, one - u),
                                 f64_select(across, zero, half_square + FAILURE_MINUS_LOG_DENSITY),
                                 steep * ends->turn};
}

/* The last: −log of the probability. */
LOSSI_INLINE f64v lossi_failure_value(f64v probability, f64v rest, f64v value)
{
    return value - single_log_of_complement(probability, rest);
}

/* All of them. */
LOSSI_INLINE f64m lossi_failure_single(const lossi_failure_row *failure, int care, f64v *value, f64v *slope)
{
    lossi_failure_ends ends;
    f64m known;
    f64v log_time, width;
    const f64m not_positive = lossi_failure_logarithms(failure, care, &log_time, &width);
    const f64m narrow = lossi_failure_ends_of(failure, log_time, width, care, &ends, &known);
    const lossi_failure_sides sides = lossi_failure_sides_of(&ends);
    *value = f64_select(known, ends.value, lossi_failure_value(sides.probability, sides.rest, sides.value));
    *slope = f64_select(known, ends.slope, sides.slope);
    return f64_mask_or(not_positive, narrow);
}

#endif
