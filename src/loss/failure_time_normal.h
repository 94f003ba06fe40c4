/*
 * Accelerated failure times (accelerated_failure_time.c): what their distributions share, and normal noise in the element type.
 *
 * z carries what its rounding lost, for in the tails the losses multiply that by z. Of an interval, hazards of both ends are in the ratio
 * of their probabilities; where it is narrow, or 0 between its ends, other formulas are right.
 */
#ifndef LOSSI_LOSS_FAILURE_TIME_NORMAL_H
#define LOSSI_LOSS_FAILURE_TIME_NORMAL_H

#include "loss/elementwise.h"
#include "loss/two_sum.h"
#include "simd/math_logarithms.h"
#include "simd/math_normal.h"

/* head + tail */
typedef struct parts {
    vreal head, tail;
} parts;

/* −log of the probability, and its derivatives by z (of both ends alike). */
typedef struct result {
    vreal value, slope, bend;
} result;

/* A row: z at both ends, log t of the upper one, their mean and distance; which case it is. */
typedef struct row {
    parts lower, upper, middle, log_time, constant;
    vreal width;
    vmask exact, left, interval;
} row;

LOSSI_INLINE parts sum_of(vreal a, vreal b)
{
    const vreal sum = a + b;
    return (parts){sum, lossi_missing_of(a, b, sum)};
}

LOSSI_INLINE parts add(parts a, parts b)
{
    const parts sum = sum_of(a.head, b.head);
    return sum_of(sum.head, sum.tail + (a.tail + b.tail));
}

LOSSI_INLINE parts opposite(parts a)
{
    return (parts){-a.head, -a.tail};
}

LOSSI_INLINE parts either(vmask mask, parts a, parts b)
{
    return (parts){v_select(mask, a.head, b.head), v_select(mask, a.tail, b.tail)};
}

LOSSI_INLINE vreal whole(parts a)
{
    return a.head + a.tail;
}

/* slope · tail, which is nothing where the tail is 0, even at infinity */
LOSSI_INLINE vreal shift(vreal slope, vreal tail)
{
    return v_select(v_eq(tail, v_set1(0)), v_set1(0), slope * tail);
}

/* (log t − x)/σ */
LOSSI_INLINE parts standard(parts log_time, vreal x, vreal scale)
{
    const parts over = add(log_time, (parts){-x, v_set1(0)});
    const vreal z = over.head / scale, rest = v_fnma(z, scale, over.head) + over.tail;
    return v_mask_all(v_eq(scale, v_set1(1)))
               ? over
               : sum_of(z, v_select(v_lt(v_abs(z), v_set1(REAL_INFINITY)), rest / scale, v_set1(0)));
}

/* Hazard h, its slope h (h − z) and −log(1 − Φ) at z. */
typedef struct tail {
    vreal hazard, slope, value;
} tail;

LOSSI_INLINE tail beyond(parts z)
{
    const vreal h = v_normal_hazard(z.head), c = v_normal_hazard_slope(z.head, h), one = v_set1(1);
    const vreal apart = v_select(v_lt(z.head, v_set1(0)), h - z.head, c / h); /* h − z */
    return (tail){h + shift(c, z.tail), c + shift(v_fma(c, apart, h * (c - one)), z.tail),
                  shift(h, z.tail) - v_log_normal_survival(z.head)};
}

/* The same for z ≥ 0. What z lost changes h by less than half a unit in the last place: the slope of h, c, is near 1. */
LOSSI_INLINE tail beyond_nonnegative(parts z)
{
    const vreal h = v_hazard_nonnegative(z.head), c = v_normal_hazard_slope(z.head, h), one = v_set1(1);
    const vreal half = v_set1((real)0.5) * z.head, square = half * z.head;
    const vreal low = v_fma(half, z.head, -square) + shift(z.head, z.tail);
    const vreal value = square + (low + (v_log(h) + MATH_NORMAL_DENSITY_LOG));
    return (tail){h + z.tail, c + shift(v_fma(c, c / h, h * (c - one)), z.tail),
                  v_select(v_lt(square, v_set1(REAL_INFINITY)), value, square)};
}

/* The sums over a series in an interval: see narrow(). */
#if LOSSI_REAL == 32
#define TERMS 16
#else
#define TERMS 28
#endif

/*
 * A narrow interval about m ≥ 0, of half the width d ≤ 0.63, d m ≤ ½: φ(m + t) = φ(m) e^(−mt − t²/2), whose series in t = d u has
 * Hermite's polynomials as coefficients, integrated over −1 ≤ u ≤ 1, and times u and u². The bend is 1 less the variance.
 */
LOSSI_INLINE result narrow(parts m, vreal width, vreal *density)
{
    const vreal half = v_set1((real)0.5), one = v_set1(1), d = half * width, y = m.head * d, square = d * d;
    vreal before = v_set1(0), now = one, total = one, first = v_set1(0), second = v_set1((real)1 / 3);
    LOSSI_UNROLL
    for (int k = 1; k <= TERMS; k++) {
        const vreal next = v_fma(y, now, square * before) * v_set1((real)-1 / (real)k);
        before = now;
        now = next;
        if (k % 2 == 0) {
            total = v_fma(now, v_set1((real)1 / (real)(k + 1)), total);
            second = v_fma(now, v_set1((real)1 / (real)(k + 3)), second);
        } else {
            first = v_fma(now, v_set1((real)1 / (real)(k + 2)), first);
        }
    }
    const vreal mean = first / total;
    const vreal head = half * m.head, high = head * m.head; /* m²/2 */
    const vreal low = v_fma(head, m.head, -high) + m.head * m.tail;
    result out;
    *density = v_exp(v_fma(-half, square, y)) / (width * total); /* at the lower end, over the probability */
    out.value = high + (low + (v_set1(REAL(0.9189385332046727)) - v_log(width * total)));
    out.slope = v_set1(0);
    out.bend = one - square * (second / total - mean * mean);
    return out;
}

/* Both ends on one side: Φ(−a) (1 − ratio), ratio = Φ(−b)/Φ(−a) = e^(−w m) h(a)/h(b). */
LOSSI_INLINE result one_side(parts a, parts b, vreal decay, vreal *density)
{
    const tail low = beyond_nonnegative(a), high = beyond_nonnegative(b);
    const vreal zero = v_set1(0), one = v_set1(1);
    const vreal ratio = v_select(v_eq(decay, zero), zero, decay * (low.hazard / high.hazard));
    const vreal odds = ratio / (one - ratio), apart = high.hazard - low.hazard;
    const vreal other = odds * (v_fma(apart * (one + odds), apart, low.slope - high.slope));
    *density = low.hazard / (one - ratio);
    return (result){low.value + v_log_complement(ratio), zero,
                    low.slope + v_select(v_eq(odds, zero), zero, other)};
}

/* 0 between the ends, none near: 1 less both tails. */
LOSSI_INLINE result both_sides(parts a, parts b, vreal decay, vreal *density)
{
    const vreal height = v_normal_density(v_abs(a.head)), exact = height - shift(height * a.head, a.tail);
    const vreal below = height / v_hazard_nonnegative(v_abs(a.head)) + shift(height, a.tail);
    const vreal above = (exact * decay) / v_hazard_nonnegative(v_abs(b.head));
    const vreal outside = below + above, probability = v_set1(1) - outside;
    const vreal start = exact / probability, end = start * decay;
    const vreal difference = start - end;
    *density = start;
    return (result){-v_log1p(-outside), v_set1(0),
                    v_fma(difference, difference,
                          v_select(v_eq(end, v_set1(0)), v_set1(0), b.head * end) -
                              v_select(v_eq(start, v_set1(0)), v_set1(0), a.head * start))};
}

LOSSI_INLINE void choose(vmask mask, const result *x, vreal x_density, result *out, vreal *density)
{
    out->value = v_select(mask, x->value, out->value);
    out->bend = v_select(mask, x->bend, out->bend);
    *density = v_select(mask, x_density, *density);
}

/* Three ways, each taken only when an interval asks for it: the result of a lane is that of its own way, whatever the others do. */
LOSSI_INLINE result normal_interval(const row *r)
{
    const vreal zero = v_set1(0), w = r->width;
    const vmask flip = v_lt(r->middle.head, zero);
    const parts m = either(flip, opposite(r->middle), r->middle);
    const parts a = either(flip, opposite(r->upper), r->lower),
                b = either(flip, opposite(r->lower), r->upper);
    const vreal product = w * m.head, missing = v_fma(w, m.head, -product) + w * m.tail;
    const vmask far = v_eq(v_abs(product), v_set1(REAL_INFINITY));
    const vreal rest = v_select(far, zero, missing);
    const vreal decay = v_exp_of_parts(-product, -rest); /* φ(b)/φ(a) */
    const vmask slim = v_mask_and(r->interval,
                                  v_mask_and(v_le(w, v_set1((real)1.26)), v_le(product, v_set1(1))));
    const vmask wide = v_mask_and(r->interval, v_mask_not(slim)), across = v_lt(a.head, zero);
    const vmask straddling = v_mask_and(wide, across), beside = v_mask_and(wide, v_mask_not(across));
    vreal density = zero;
    result out = {zero, zero, zero};
    if (v_mask_any(beside)) {
        out = one_side(a, b, decay, &density);
    }
    if (v_mask_any(straddling)) {
        vreal other;
        const result x = both_sides(a, b, decay, &other);
        choose(straddling, &x, other, &out, &density);
    }
    if (v_mask_any(slim)) {
        vreal other;
        const result x = narrow(m, w, &other);
        choose(slim, &x, other, &out, &density);
    }
    /* (φ(a) − φ(b)) / P */
    const vreal slope = v_select(v_eq(product, zero), zero, density * -v_expm1_of_parts(-product, -rest));
    out.slope = v_select(flip, -slope, slope);
    return out;
}

LOSSI_INLINE result normal(const row *r)
{
    const vmask known = v_mask_or(r->exact, r->interval);
    tail one = {v_set1(0), v_set1(0), v_set1(0)};
    if (!v_mask_all(known)) {
        one = beyond(either(r->left, opposite(r->upper), r->lower));
    }
    const vreal z = r->lower.head, half = v_set1((real)0.5) * z, square = half * z;
    const parts squared = {square, v_fma(half, z, -square) + shift(z, r->lower.tail)};
    const parts far = {square, v_set1(0)};
    const vreal exact = whole(
        add(add(either(v_lt(square, v_set1(REAL_INFINITY)), squared, far), r->log_time), r->constant));
    result out = {v_select(r->exact, exact, one.value),
                  v_select(r->exact, z, v_select(r->left, -one.hazard, one.hazard)),
                  v_select(r->exact, v_set1(1), one.slope)};
    if (v_mask_any(r->interval)) {
        const result between = normal_interval(r);
        out.value = v_select(r->interval, between.value, out.value);
        out.slope = v_select(r->interval, between.slope, out.slope);
        out.bend = v_select(r->interval, between.bend, out.bend);
    }
    return out;
}

#endif
