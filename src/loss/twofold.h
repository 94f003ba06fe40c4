/*
 * Numbers in double with what rounding took away from them, and exponentials of that kind: for losses of whole lists, whose sums
 * and products are long and whose differences cancel.
 *
 * float32 has what it needs in the 29 digits that double has more: there nothing is kept, and `lost` is 0.
 * Sums, products and quotients are those of Dekker, A floating-point technique for extending the available precision (1971).
 * Numbers are finite; where one is not, all that follows is NaN.
 */
#ifndef LOSSI_LOSS_TWOFOLD_H
#define LOSSI_LOSS_TWOFOLD_H

#include "loss/rowwise.h"
#include "loss/wide.h"

typedef struct lossi_twofold {
    double head, lost;
} lossi_twofold;

LOSSI_INLINE lossi_twofold lossi_twofold_of(double x)
{
    return (lossi_twofold){x, 0};
}

/* head + lost, |lost| far below |head|, so that the head is the sum rounded. */
LOSSI_INLINE lossi_twofold lossi_twofold_settle(double head, double lost)
{
#if LOSSI_REAL == 64
    const double sum = head + lost;
    return (lossi_twofold){sum, lost - (sum - head)};
#else
    return (lossi_twofold){head + lost, 0};
#endif
}

LOSSI_INLINE lossi_twofold lossi_twofold_add(lossi_twofold a, lossi_twofold b)
{
#if LOSSI_REAL == 64
    const double sum = a.head + b.head, part = sum - a.head;
    return lossi_twofold_settle(sum, ((a.head - (sum - part)) + (b.head - part)) + (a.lost + b.lost));
#else
    return (lossi_twofold){a.head + b.head, 0};
#endif
}

LOSSI_INLINE lossi_twofold lossi_twofold_subtract(lossi_twofold a, lossi_twofold b)
{
    return lossi_twofold_add(a, (lossi_twofold){-b.head, -b.lost});
}

LOSSI_INLINE lossi_twofold lossi_twofold_multiply(lossi_twofold a, lossi_twofold b)
{
#if LOSSI_REAL == 64
    const double product = a.head * b.head;
    return lossi_twofold_settle(product, __builtin_fma(a.head, b.head, -product) +
                                             (a.head * b.lost + a.lost * b.head));
#else
    return (lossi_twofold){a.head * b.head, 0};
#endif
}

LOSSI_INLINE lossi_twofold lossi_twofold_divide(lossi_twofold a, lossi_twofold b)
{
    const double quotient = a.head / b.head;
#if LOSSI_REAL == 64
    const double left = __builtin_fma(-quotient, b.head, a.head) + (a.lost - quotient * b.lost);
    return lossi_twofold_settle(quotient, left / b.head);
#else
    return (lossi_twofold){quotient, 0};
#endif
}

/* The total of lanes, with what rounding takes from it on the way down the tree too: vectors, then the lanes of one. */
static inline lossi_twofold lossi_lane_sum_parts(const lossi_lane_sum *lanes)
{
#if LOSSI_REAL == 64
    f64v sum[LOSSI_WIDE], lost[LOSSI_WIDE];
    double heads[F64_LANES], rests[F64_LANES];
    memcpy(sum, lanes->sum, sizeof sum);
    memcpy(lost, lanes->lost, sizeof lost);
    for (int half = LOSSI_WIDE / 2; half > 0; half /= 2) {
        for (int v = 0; v < half; v++) {
            const f64v a = sum[v], b = sum[v + half], both = a + b, part = both - a;
            lost[v] = (lost[v] + lost[v + half]) + ((a - (both - part)) + (b - part));
            sum[v] = both;
        }
    }
    f64_store(heads, sum[0]);
    f64_store(rests, lost[0]);
    for (int half = F64_LANES / 2; half > 0; half /= 2) {
        for (int i = 0; i < half; i++) {
            double missing;
            heads[i] = lossi_two_sum(heads[i], heads[i + half], &missing);
            rests[i] = (rests[i] + rests[i + half]) + missing;
        }
    }
    return lossi_twofold_settle(heads[0], rests[0]);
#else
    return lossi_twofold_of(lossi_lane_sum_total(lanes));
#endif
}

/* ---- vectors ---- */

/* What a vector of the element type holds, widened. */
typedef struct lossi_twofolds {
    f64v head[LOSSI_WIDENED], lost[LOSSI_WIDENED];
} lossi_twofolds;

LOSSI_INLINE void lossi_twofolds_load(const double *head, const double *lost, int64_t j, lossi_twofolds *out)
{
    for (int v = 0; v < LOSSI_WIDENED; v++) {
        out->head[v] = f64_load(head + j + v * F64_LANES);
        out->lost[v] = LOSSI_REAL == 64 ? f64_load(lost + j + v * F64_LANES) : f64_set1(0);
    }
}

LOSSI_INLINE void lossi_twofolds_store(double *head, double *lost, int64_t j, const lossi_twofolds *x)
{
    for (int v = 0; v < LOSSI_WIDENED; v++) {
        f64_store(head + j + v * F64_LANES, x->head[v]);
        if (LOSSI_REAL == 64) {
            f64_store(lost + j + v * F64_LANES, x->lost[v]);
        }
    }
}

/* (a − b) factor; where a or b is infinite nothing is missing. */
LOSSI_INLINE void lossi_twofolds_difference(const f64v *a, const f64v *b, lossi_twofold factor,
                                            lossi_twofolds *out)
{
    for (int v = 0; v < LOSSI_WIDENED; v++) {
        const f64v difference = a[v] - b[v], head = f64_set1(factor.head), product = difference * head;
        out->head[v] = product;
        out->lost[v] = f64_set1(0);
#if LOSSI_REAL == 64
        const f64v part = difference - a[v], missing = (a[v] - (difference - part)) - (b[v] + part);
        const f64v low = difference * f64_set1(factor.lost) + missing * head;
        const f64v lost = f64_fma(difference, head, -product) + low;
        out->lost[v] = f64_select(f64_is_nan(lost), f64_set1(0), lost);
#endif
    }
}

/*
 * eˣ of x ≤ 0. float32 squares the exponential of x/2, which does not underflow before the square is far below all its numbers,
 * and what is missing of x narrowed comes as a factor.
 */
LOSSI_INLINE void lossi_twofolds_exp(const lossi_twofolds *x, lossi_twofolds *out)
{
#if LOSSI_REAL == 64
    vreal missing;
    out->head[0] = v_exp_parts(x->head[0], &missing);
    out->lost[0] = v_fma(out->head[0], x->lost[0], missing);
#else
    const vreal narrow = f64_to_f32(x->head[0], x->head[1]);
    vreal missing;
    const vreal root = v_exp_parts(narrow * REAL(0.5), &missing);
    const f64v wide[] = {f32_to_f64_low(narrow), f32_to_f64_high(narrow)};
    const f64v parts[] = {f32_to_f64_low(root), f32_to_f64_high(root)};
    const f64v rests[] = {f32_to_f64_low(missing), f32_to_f64_high(missing)};
    for (int v = 0; v < LOSSI_WIDENED; v++) {
        const f64v off = x->head[v] - wide[v], whole = parts[v] + rests[v];
        const f64m small = f64_lt(f64_abs(off), f64_set1(1)); /* not where x is infinite or beyond float32 */
        out->head[v] = whole * whole * (f64_set1(1) + f64_select(small, off, f64_set1(0)));
        out->lost[v] = f64_set1(0);
    }
#endif
}

/* a c − b, rounded once as far as it matters. */
LOSSI_INLINE f64v lossi_product_minus(f64v a, f64v a_lost, lossi_twofold c, f64v b, f64v b_lost)
{
    const f64v head = f64_set1(c.head), product = a * head, difference = product - b;
#if LOSSI_REAL == 64
    const f64v low = f64_fma(a, head, -product) + (a * f64_set1(c.lost) + a_lost * head);
    const f64v part = difference - product, missing = (product - (difference - part)) - (b + part);
    return difference + (missing + (low - b_lost));
#else
    (void)a_lost, (void)b_lost;
    return difference;
#endif
}

/* ---- arrays, padded with zeros to whole packs (lossi_padded) ---- */

/* Σ a b over the elements, 16 lanes that keep what rounding takes away; b NULL: 1. */
static inline lossi_twofold lossi_twofold_dot(const double *a, const double *a_lost, const double *b,
                                              int64_t count)
{
    double sum[LOSSI_LANES] = {0}, lost[LOSSI_LANES] = {0};
    lossi_twofold total = {0, 0};
    f64v sums[LOSSI_WIDE], losts[LOSSI_WIDE];
    for (int v = 0; v < LOSSI_WIDE; v++) {
        sums[v] = losts[v] = f64_set1(0);
    }
    for (int64_t j = 0; j < count; j += LOSSI_LANES) {
        for (int v = 0; v < LOSSI_WIDE; v++) {
            const int64_t at = j + v * F64_LANES;
            const f64v x = f64_load(a + at), y = b == NULL ? f64_set1(1) : f64_load(b + at), xy = x * y;
            const f64v before = sums[v], after = before + xy, part = after - before;
            sums[v] = after;
            losts[v] = losts[v] + ((before - (after - part)) + (xy - part));
#if LOSSI_REAL == 64
            losts[v] = losts[v] + f64_fma(f64_load(a_lost + at), y, f64_fma(x, y, -xy));
#endif
        }
    }
    (void)a_lost;
    lossi_lanes_store(sum, sums);
    lossi_lanes_store(lost, losts);
    const double plain = lossi_sum_lanes(sum);
    if (plain - plain != 0) { /* infinity and NaN have no rounding error to give back */
        return lossi_twofold_of(plain);
    }
    for (int k = 0; k < LOSSI_LANES; k++) {
        total = lossi_twofold_add(total, lossi_twofold_settle(sum[k], lost[k]));
    }
    return total;
}

/* log(1 + x) of x ≥ 0, in place. */
static inline void lossi_wide_log1p(double *x, int64_t count)
{
    for (int64_t j = 0; j < count; j += VREAL_LANES) {
#if LOSSI_REAL == 64
        v_store(x + j, v_log1p(v_load(x + j)));
#else
        const vreal log = v_log1p(f64_to_f32(f64_load(x + j), f64_load(x + j + F64_LANES)));
        f64_store(x + j, f32_to_f64_low(log));
        f64_store(x + j + F64_LANES, f32_to_f64_high(log));
#endif
    }
}

/* Exponentials of a list measured from its largest: e_i = exp((s_i − maximum)/temperature); the factor is 1/temperature. */
typedef struct lossi_exponentials {
    real maximum;
    int64_t largest;      /* the first largest, whose e is 1 */
    lossi_twofold others; /* Σ e of the others */
    lossi_twofold total;  /* 1 + that */
} lossi_exponentials;

/* At least one number. Of infinities only one may be the largest: two give NaN. */
static inline void lossi_exponentials_of(const real *s, int64_t count, lossi_twofold factor, double *e,
                                         double *e_lost, lossi_exponentials *out)
{
    const int64_t padded = lossi_padded(count);
    f64v maximum[LOSSI_WIDENED];
    out->maximum = lossi_row_maximum(s, count, &out->largest);
    for (int v = 0; v < LOSSI_WIDENED; v++) {
        maximum[v] = f64_set1((double)out->maximum);
    }
    for (int64_t j = 0; j < count; j += VREAL_LANES) {
        f64v wide[LOSSI_WIDENED];
        lossi_twofolds x, power;
        lossi_wide_load(s, j, count, wide);
        lossi_twofolds_difference(wide, maximum, factor, &x);
        lossi_twofolds_exp(&x, &power);
        lossi_twofolds_store(e, e_lost, j, &power);
    }
    e[out->largest] = 0;
    memset(e + count, 0, (size_t)(padded - count) * sizeof *e);
    if (LOSSI_REAL == 64) {
        e_lost[out->largest] = 0;
        memset(e_lost + count, 0, (size_t)(padded - count) * sizeof *e_lost);
    }
    out->others = lossi_twofold_dot(e, e_lost, NULL, count);
    out->total = lossi_twofold_add(lossi_twofold_of(1), out->others);
    e[out->largest] = 1;
}

/*
 * The mean of a direction under the probabilities e/total, in w the direction itself. Where one number dominates both are measured
 * from the direction's element there, which is then nearly the mean.
 */
static inline lossi_twofold lossi_exponentials_mean(const lossi_exponentials *x, const double *e,
                                                    const double *e_lost, const real *direction,
                                                    int64_t count, double *w, double *origin)
{
    *origin = x->others.head < 0.25 ? (double)lossi_get(direction + x->largest) : 0;
    memset(w, 0, (size_t)lossi_padded(count) * sizeof *w);
    for (int64_t i = 0; i < count; i++) {
        w[i] = (double)lossi_get(direction + i) - *origin;
    }
    return lossi_twofold_divide(lossi_twofold_dot(e, e_lost, w, count), x->total);
}

/* factor · p (1 − p) of p = e/total. */
static inline void lossi_exponentials_curvature(const lossi_exponentials *x, const double *e, int64_t count,
                                                double factor, real *to)
{
    const f64v inverse = f64_set1(1 / x->total.head), one = f64_set1(1);
    for (int64_t j = 0; j < count; j += VREAL_LANES) {
        f64v out[LOSSI_WIDENED];
        for (int v = 0; v < LOSSI_WIDENED; v++) {
            const f64v p = f64_load(e + j + v * F64_LANES) * inverse;
            out[v] = f64_set1(factor) * (p * (one - p));
        }
        lossi_wide_store(to, j, count, out);
    }
    lossi_put(to + x->largest, (real)(factor * (x->others.head / x->total.head / x->total.head)));
}

/* factor · p (w − mean). */
static inline void lossi_exponentials_product(const lossi_exponentials *x, const double *e, const double *w,
                                              lossi_twofold mean, int64_t count, double factor, real *to)
{
    const f64v inverse = f64_set1(1 / x->total.head), none = f64_set1(0);
    for (int64_t j = 0; j < count; j += VREAL_LANES) {
        f64v out[LOSSI_WIDENED];
        for (int v = 0; v < LOSSI_WIDENED; v++) {
            const int64_t at = j + v * F64_LANES;
            const f64v apart = lossi_product_minus(f64_load(w + at), none, lossi_twofold_of(1),
                                                   f64_set1(mean.head), f64_set1(mean.lost));
            out[v] = f64_set1(factor) * (f64_load(e + at) * inverse * apart);
        }
        lossi_wide_store(to, j, count, out);
    }
}

#endif
