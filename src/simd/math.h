/* The elementary functions: exp expm1 log log1p tanh sigmoid softplus, for the element type of the pass.
 *
 *   sigmoid(x) = 1 / (1 + e^-x)        softplus(x) = log(1 + e^x)
 *
 * Branch-free, and only of operations that IEEE 754 rounds exactly, in an order that is written here: hence the same
 * bits on every instruction set. The errors, 1.06 ulp at most, are measured by tests/numerics/ulp.c and listed in
 * docs/numerics.md. NaN gives NaN, every infinity and zero its limit with its sign, subnormals are numbers.
 *
 * The reductions are the classical ones: e^x = 2^n e^r with n = round(x / ln 2), and log x = n ln 2 +
 * log(1 + f) with x = 2^n (1 + f) (Muller, "Elementary Functions", 3rd ed., 2016, section 11.1). A result is
 * formed as a head and a tail far below it, so that only the last addition rounds at full size. The error of
 * a sum s = a + b with |a| >= |b| is b - (s - a), exactly (Dekker, 1971). Included by simd/real.h only. */
#ifndef LOSSI_SIMD_MATH_H
#define LOSSI_SIMD_MATH_H

#if LOSSI_REAL == 32
#include "math_float32.h"
#else
#include "math_float64.h"
#endif

/* min(high, x) in this order returns x when it is NaN, and so does max(low, x). */
LOSSI_INLINE vreal v_clamp_keeping_nan(vreal x, real low, real high)
{
    return v_max(v_set1(low), v_min(v_set1(high), x));
}

/*
 * 1/x, rounded nearly always to nearest, for 2^-120 <= |x| <= 2^120; NaN gives NaN, and what is outside may. In float64 a
 * division would take as long as 32 products: a rough one, and the series of 1/(1 - rest), which is 2^-23 at most.
 */
LOSSI_INLINE vreal v_reciprocal(vreal x)
{
#if LOSSI_REAL == 32
    return REAL(1.0) / x;
#else
    vreal rough = f64_rough_reciprocal(x);
    vreal rest = v_fnma(rough, x, v_set1(REAL(1.0)));
    return v_fma(rough, v_fma(rest, rest, rest), rough);
#endif
}

/*
 * 1/sqrt(x) and sqrt(x), within 1 ulp, for a normal x > 0 that is finite; NaN gives NaN. A square root and a division would take six
 * times as long in float64. Half the exponent, taken from the bits of a number, is a start y right to 3.5 % (Lomont, "Fast inverse
 * square root", 2003), times a parabola in x y^2 right to 2^-15: that of the least largest error where x y^2 lies. With rest =
 * 1 - x y^2 the roots are then y and x y times (1 - rest)^(-1/2), whose series is taken as far as the type has digits: to 2^-30, and
 * to 2^-59.
 */
LOSSI_INLINE vreal v_inverse_root_and_root(vreal x, vreal *root)
{
    const vreal start = v_from_bits(v_int_sub(v_int_set1(MATH_BITS_INVERSE_ROOT), v_int_shr(v_bits(x), 1)));
    const vreal near_one = x * start * start;
    const vreal parabola = v_fma(near_one, v_set1(REAL(0.375502174)), v_set1(REAL(-1.25210027)));
    const vreal y = start * v_fma(near_one, parabola, v_set1(REAL(1.87659831)));
    const vreal xy = x * y, rest = v_fnma(xy, y, v_set1(REAL(1.0)));
#if LOSSI_REAL == 32
    const vreal more = REAL(0.5) * rest;
#else
    const vreal p = v_fma(rest, v_set1(REAL(0.3125)), v_set1(REAL(0.375)));
    const vreal more = rest * v_fma(rest, p, v_set1(REAL(0.5)));
#endif
    *root = v_fma(xy, more, xy);
    return v_fma(y, more, y);
}

LOSSI_INLINE vreal v_inverse_root(vreal x)
{
    vreal root;
    return v_inverse_root_and_root(x, &root);
}

/* x = n ln 2 + r + low, |r| <= ln 2 / 2 but for rounding. The first product is exact and cancels exactly. */
LOSSI_INLINE vreal v_exp_reduce(vreal x, vreal *n, vreal *low)
{
    *n = v_fma(x, v_set1(MATH_LOG2_E), v_set1(MATH_ROUNDER)) - MATH_ROUNDER;
    vreal head = v_fnma(*n, v_set1(MATH_LN2_HIGH), x);
    vreal r = v_fnma(*n, v_set1(MATH_LN2_LOW), head);
    *low = v_fnma(*n, v_set1(MATH_LN2_LOW), head - r);
    return r;
}

/*
 * Where 2^n is a normal number in every lane, which is nearly always, scaling by it is one product; it takes two elsewhere, and
 * gives the same bits. Where scaling is an instruction there is no question.
 */
LOSSI_INLINE int v_exponent_is_far(vreal n)
{
#if defined(LOSSI_VECTOR_HAS_SCALE)
    (void)n;
    return 1;
#else
    vmask far = v_gt(v_abs(n), v_set1(MATH_EXPONENT_HIGHEST - 1)); /* false for NaN, which v is then too */
    return (int)__builtin_expect(v_mask_any(far), 0);
#endif
}

/* v * 2^n, as v_scale; `far` is v_exponent_is_far(n). */
LOSSI_INLINE vreal v_scale_if(int far, vreal v, vreal n)
{
    return far ? v_scale(v, n) : v * v_pow2(n);
}

/* e^x of an argument that was clamped */
LOSSI_INLINE vreal v_exp_clamped(vreal x)
{
    vreal n, low;
    vreal r = v_exp_reduce(x, &n, &low);
    vreal p = v_fma(r * r, v_exp_tail(r), r) + REAL(1.0);
    return v_scale_if(v_exponent_is_far(n), p, n);
}

LOSSI_INLINE vreal v_exp(vreal x)
{
    return v_exp_clamped(v_clamp_keeping_nan(x, MATH_EXP_LOWEST, MATH_EXP_HIGHEST));
}

/* The same for x <= 0, an instruction shorter. */
LOSSI_INLINE vreal v_exp_nonpositive(vreal x)
{
    return v_exp_clamped(v_max(v_set1(MATH_EXP_LOWEST), x));
}

/* e^x for x <= 0 as a head, which is e^x rounded nearly always to nearest, and what is missing. */
LOSSI_INLINE vreal v_exp_parts(vreal x, vreal *missing)
{
    vreal n, low;
    vreal r = v_exp_reduce(v_max(v_set1(MATH_EXP_LOWEST), x), &n, &low);
    vreal tail = v_fma(r * r, v_exp_tail(r), low);
    vreal one_plus_r = r + REAL(1.0);
    vreal rest = (r - (one_plus_r - REAL(1.0))) + tail;
    vreal head = one_plus_r + rest;
    int far = v_exponent_is_far(n);
    *missing = v_scale_if(far, rest - (head - one_plus_r), n);
    return v_scale_if(far, head, n);
}

/* 2^n e^r - 1 = head + tail, |tail| < |head| / 2, the remainder of the argument given as r + low. For n = 1 and r
 * near -ln 2 / 2 the head cancels to a few times r^2, hence r^2 / 2 is kept with its rounding error.
 * So is what 2^n - 1 loses where 1 is its last digit. */
LOSSI_INLINE vreal v_expm1_parts(vreal n, vreal r, vreal low, vreal *tail)
{
    vreal half = r * REAL(0.5);
    vreal square = half * r;
    vreal square_missing = v_fma(half, r, -square);
    vreal cubic = square * (r * REAL(2.0));
    vreal rest = v_fma(cubic, v_exp_cubic_tail(r), square_missing + low);
    vreal power = v_pow2(n);
    vreal base = power - REAL(1.0);
    vreal head = v_fma(power, r, base);
    vreal missing = v_fma(power, r, base - head) + ((power - base) - REAL(1.0));
    *tail = v_fma(power, square, v_fma(power, rest, missing));
    return head;
}

LOSSI_INLINE vreal v_expm1(vreal x)
{
    vreal n, low, tail;
    vreal r = v_exp_reduce(v_clamp_keeping_nan(x, MATH_EXPM1_LOWEST, MATH_EXP_HIGHEST), &n, &low);
    /* The last binade before infinity needs a power of two that is no number: half of it, then doubled. */
    vreal capped = v_min(v_set1(MATH_EXPONENT_HIGHEST), n);
    vreal doubling = v_select(v_gt(n, capped), v_set1(REAL(2.0)), v_set1(REAL(1.0)));
    vreal head = v_expm1_parts(capped, r, low, &tail);
    return v_copysign((head + tail) * doubling, x); /* copysign for -0 */
}

/* log(2^n (1 + f)) with f on [-1/4, 1/2], where low is n ln 2's low part and whatever else is far below. The larger
 * term leads: where n ln 2 is not 0 it is above |f|. */
LOSSI_INLINE vreal v_log_sum_low(vreal n, vreal f, vreal low)
{
    vreal high = n * MATH_LN2_HIGH;
    vreal head = high + f;
    vreal missing = f - (head - high);
    vreal curved = v_fma(f, v_log_tail(f), v_set1(REAL(-0.5)));
    return head + (missing + v_fma(f * f, curved, low));
}

LOSSI_INLINE vreal v_log_sum(vreal n, vreal f)
{
    return v_log_sum_low(n, f, n * MATH_LN2_LOW);
}

LOSSI_INLINE vreal v_log(vreal x)
{
    vreal n;
    vreal m = v_split(x, &n);
    vreal y = v_log_sum(n, m - REAL(1.0));
    y = v_select(v_lt(x, v_set1(REAL_INFINITY)), y, x); /* infinity and NaN */
    y = v_select(v_eq(x, v_set1(REAL(0.0))), v_set1(-REAL_INFINITY), y);
    return v_select(v_lt(x, v_set1(REAL(0.0))), v_set1(REAL_NAN), y);
}

/* log x for 0 <= x <= 1/2, which n ln 2 leads by far, so that what the first sum loses does not matter. */
LOSSI_INLINE vreal v_log_half(vreal x)
{
    vreal n;
    vreal f = v_split(x, &n) - REAL(1.0);
    vreal curved = v_fma(f, v_log_tail(f), v_set1(REAL(-0.5)));
    vreal y = v_fma(n, v_set1(MATH_LN2_HIGH), f + v_fma(f * f, curved, n * MATH_LN2_LOW));
    return v_select(v_gt(x, v_set1(REAL(0.0))), y, x - REAL_INFINITY); /* 0 and NaN */
}

/* -log(1 - x) for 0 <= x <= 1/2; NaN gives NaN. */
LOSSI_INLINE vreal v_log_complement(vreal x)
{
    return v_fma(x * x, v_log_complement_tail(x), x);
}

/* log(1 + x) for 0 <= x <= 1, the range of e^-|x|; NaN gives NaN. One polynomial: halving the upper half, as v_log1p does,
 * would not shorten it, for [0, 1] is as far from the singularity at -1, for its length, as [-1/4, 1/2] is. */
LOSSI_INLINE vreal v_log1p_unit(vreal x)
{
    return v_fma(x * x, v_log_unit_tail(x), x);
}

/* 1 + x = 2^n (1 + f) for x > -1. The exponent is that of 1 + x rounded, but the significand is x's own:
 * f = scaled + shift = x 2^-n + (2^-n - 1), where both terms and the sum are exact to a few bits more than it takes
 * wherever the rounding of 1 + x matters. */
LOSSI_INLINE vreal v_split_one_plus(vreal x, vreal *n, vreal *scaled, vreal *shift)
{
    vint moved = v_int_add(v_bits(x + REAL(1.0)), v_int_set1(MATH_BITS_ONE - MATH_BITS_THREE_QUARTERS));
    vint exponent = v_int_shr(moved, MATH_SIGNIFICAND_BITS) - MATH_EXPONENT_HIGHEST;
    *n = v_from_int(exponent);
    *scaled = v_from_bits(v_int_sub(v_bits(x), v_int_shl(exponent, MATH_SIGNIFICAND_BITS)));
    /* 2^-n in quarters: n may be one too large for it to be a normal number */
    *shift = v_fma(v_pow2(REAL(2.0) - *n), v_set1(REAL(0.25)), v_set1(REAL(-1.0)));
    return *scaled + *shift;
}

LOSSI_INLINE vreal v_log1p(vreal x)
{
    vreal n, scaled, shift;
    const vreal f = v_split_one_plus(x, &n, &scaled, &shift); /* before n is read */
    vreal y = v_log_sum(n, f);
    y = v_select(v_lt(x, v_set1(REAL_INFINITY)), y, x);
    y = v_select(v_eq(x, v_set1(REAL(-1.0))), v_set1(REAL_INFINITY), y);
    y = v_select(v_lt(x, v_set1(REAL(-1.0))), v_set1(REAL_NAN), y);
    return v_copysign(y, x);
}

/* e^(2|x|) - 1, up to where tanh x is 1, in two parts: the first is as much of it as a number holds, but for its rounding. */
LOSSI_INLINE vreal v_expm1_of_twice(vreal x, vreal *tail)
{
    vreal n, low;
    const vreal r = v_exp_reduce(v_min(v_set1(MATH_TANH_HIGHEST), v_abs(x)) * REAL(2.0), &n, &low);
    return v_expm1_parts(n, r, low, tail);
}

/* With m = e^(2|x|) - 1, tanh |x| = m / (m + 2): one division, whose rounding errors are then measured. */
LOSSI_INLINE vreal v_tanh_of(vreal x, vreal head, vreal tail)
{
    vreal m = head + tail;
    vreal m_missing = tail - (m - head);
    vreal d = m + REAL(2.0);
    vreal d_missing = (v_min(m, v_set1(REAL(2.0))) - (d - v_max(m, v_set1(REAL(2.0))))) + m_missing;
    vreal inverse = REAL(1.0) / d;
    vreal y = m * inverse;
    vreal remainder = v_fnma(y, d, m) + v_fnma(y, d_missing, m_missing);
    return v_copysign(v_fma(remainder, inverse, y), x);
}

LOSSI_INLINE vreal v_tanh(vreal x)
{
    vreal tail;
    const vreal head = v_expm1_of_twice(x, &tail);
    return v_tanh_of(x, head, tail);
}

/* With e = e^-|x|: 1 / (1 + e) for x >= 0, e / (1 + e) below, so nothing cancels on either side. */
LOSSI_INLINE vreal v_sigmoid(vreal x)
{
    vreal e_missing;
    vreal e = v_exp_parts(-v_abs(x), &e_missing);
    vreal d = e + REAL(1.0);
    vreal d_missing = (e - (d - REAL(1.0))) + e_missing;
    vmask negative = v_lt(x, v_set1(REAL(0.0)));
    vreal numerator = v_select(negative, e, v_set1(REAL(1.0)));
    vreal numerator_missing = v_select(negative, e_missing, v_set1(REAL(0.0)));
    vreal inverse = REAL(1.0) / d;
    vreal y = numerator * inverse;
    vreal remainder = v_fnma(y, d, numerator) + v_fnma(y, d_missing, numerator_missing);
    return v_fma(remainder, inverse, y);
}

/* max(x, 0) + log(1 + e^-|x|). What the exponential is missing enters with the slope of the logarithm,
 * 1 / (1 + e), for which a few per cent are plenty. */
LOSSI_INLINE vreal v_softplus(vreal x)
{
    vreal e_missing;
    vreal e = v_exp_parts(-v_abs(x), &e_missing);
    vmask upper = v_ge(e, v_set1(REAL(0.5)));
    vreal n = v_select(upper, v_set1(REAL(1.0)), v_set1(REAL(0.0)));
    vreal f = v_select(upper, v_fma(e, v_set1(REAL(0.5)), v_set1(REAL(-0.5))), e);
    vreal positive = v_max(v_set1(REAL(0.0)), x);
    /* three terms, largest first; ln 2 is there only while x <= ln 2 */
    vreal ln2 = n * MATH_LN2_HIGH;
    vreal high = ln2 + positive;
    vreal high_missing = positive - (high - ln2);
    vreal head = high + f;
    vreal missing = (f - (head - high)) + high_missing;
    vreal slope = v_fma(e, v_fma(e, v_set1(REAL(0.37)), v_set1(REAL(-0.86))), v_set1(REAL(1.0)));
    vreal curved = v_fma(f, v_log_tail(f), v_set1(REAL(-0.5)));
    vreal tail = v_fma(f * f, curved, v_fma(e_missing, slope, n * MATH_LN2_LOW));
    vreal y = head + (missing + tail);
    return v_select(v_lt(x, v_set1(REAL_INFINITY)), y, x);
}

#endif
