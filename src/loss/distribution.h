/*
 * Rows of probabilities: the softmax of a row pack by pack, targets, and the two functions that comparisons of distributions
 * are made of.
 *
 *     log (a/b), and the excess h(u) = (1 + u) log(1 + u) − u:    a log (a/b) − a + b = b h((a − b)/b) ≥ 0
 *
 * The excess is small where a and b are close, however large the single terms are: what is summed in that form does not cancel.
 */
#ifndef LOSSI_LOSS_DISTRIBUTION_H
#define LOSSI_LOSS_DISTRIBUTION_H

#include "loss/rowwise.h"

/* ---- arrays ---- */

/* NULL when the array is not wanted. */
LOSSI_INLINE real *lossi_place_of(void *array, int64_t row, int64_t stride)
{
    return array == NULL ? NULL : (real *)array + row * stride;
}

/* The derivatives of one row that are wanted; NULL the others. */
typedef struct lossi_outputs {
    real *gradient, *curvature, *product;
} lossi_outputs;

LOSSI_INLINE lossi_outputs lossi_outputs_of(const lossi_tile *tile, int64_t row)
{
    return (lossi_outputs){lossi_place_of(tile->gradient, row, tile->gradient_stride),
                           lossi_place_of(tile->curvature, row, tile->curvature_stride),
                           lossi_place_of(tile->product, row, tile->product_stride)};
}

/* One number in all derivatives: 0 for a row that does not count, NaN for a row with a NaN in it. */
static void lossi_fill_row(const lossi_tile *tile, int64_t row, real number)
{
    const lossi_outputs to = lossi_outputs_of(tile, row);
    real *const rows[] = {to.gradient, to.curvature, to.product};
    for (int k = 0; k < 3; k++) {
        for (int64_t j = 0; rows[k] != NULL && j < tile->columns; j++) {
            lossi_put(rows[k] + j, number);
        }
    }
}

/* A derivative of 16 columns, scaled; NULL when it is not wanted. */
LOSSI_INLINE void lossi_store_scaled(const lossi_tile *tile, real *to, int64_t j, vreal *x)
{
    if (to == NULL) {
        return;
    }
    for (int v = 0; v < LOSSI_PACK; v++) {
        x[v] = x[v] * v_set1((real)tile->scale);
    }
    lossi_store_pack(to, j, tile->columns, x);
}

/* ---- softmax ---- */

/* A number and what rounding took away from it. */
typedef struct lossi_exact_real {
    real head, missing;
} lossi_exact_real;

/*
 * What is the same for all columns of a row: p_j = exp(z_j − m)/(1 + s), the terms of loss/rowwise.h. Derivatives of losses that
 * are not convex subtract numbers of the size of p, so it is worth being right to nearly half a unit in the last place.
 */
typedef struct lossi_softmax {
    const real *logits;
    int64_t columns, largest;
    real maximum;             /* m */
    lossi_exact_real others;  /* s */
    lossi_exact_real divisor; /* 1 + s */
    real inverse;             /* about 1/(1 + s) */
    real rest;                /* s/(1 + s): 1 − p of the largest column */
    real log;                 /* log(1 + s) */
} lossi_softmax;

/* (a + a_missing) · inverse, corrected by what is left of the division by the divisor. */
LOSSI_INLINE vreal lossi_softmax_divide(const lossi_softmax *softmax, vreal a, vreal a_missing)
{
    const vreal inverse = v_set1(softmax->inverse), y = a * inverse;
    const vreal left = v_fnma(y, v_set1(softmax->divisor.head), a) +
                       v_fnma(y, v_set1(softmax->divisor.missing), a_missing);
    return v_fma(left, inverse, y);
}

/* The lanes halved as in core/sum.h, with what each addition loses; and 1 more than the sum. */
LOSSI_INLINE void lossi_softmax_total(const lossi_lane_sum *lanes, lossi_softmax *softmax)
{
#if LOSSI_REAL == 64
    double sum[LOSSI_LANES], lost[LOSSI_LANES];
    lossi_lanes_store(sum, lanes->sum);
    lossi_lanes_store(lost, lanes->lost);
    for (int half = LOSSI_LANES / 2; half > 0; half /= 2) {
        for (int k = 0; k < half; k++) {
            const double after = sum[k] + sum[k + half], part = after - sum[k];
            lost[k] += lost[k + half] + ((sum[k] - (after - part)) + (sum[k + half] - part));
            sum[k] = after;
        }
    }
    const double head = sum[0] + lost[0], one_more = head + 1, part = one_more - head;
    softmax->others = (lossi_exact_real){head, lost[0] - (head - sum[0])};
    softmax->divisor = (lossi_exact_real){one_more, ((head - (one_more - part)) + (1 - part)) +
                                                        softmax->others.missing};
#else
    const double total = lossi_lane_sum_total(lanes), one_more = 1 + total;
    softmax->others = (lossi_exact_real){(real)total, (real)(total - (double)(real)total)};
    softmax->divisor = (lossi_exact_real){(real)one_more, (real)(one_more - (double)(real)one_more)};
#endif
}

/*
 * exp(z_j − m) of 16 columns and what it is missing; 1 in the largest column. Gives the logits from there, z_j − m. What is 0, columns
 * beyond the row first of all, is not computed: an exponential that underflows takes processors a hundred times as long.
 */
LOSSI_INLINE void lossi_softmax_exponentials(const lossi_softmax *softmax, int64_t j, vreal *x, vreal *e,
                                             vreal *missing, vmask *largest)
{
    vreal number[LOSSI_PACK];
    lossi_load_pack(softmax->logits, j, softmax->columns, -REAL_INFINITY, x);
    lossi_column_numbers(j, number);
    for (int v = 0; v < LOSSI_PACK; v++) {
        largest[v] = v_eq(number[v], v_set1((real)softmax->largest));
        x[v] = v_select(largest[v], v_set1(0), x[v] - v_set1(softmax->maximum)); /* ∞ − ∞ is 0 there */
        const vmask none = v_lt(x[v], v_set1(MATH_EXP_LOWEST));
        e[v] = v_select(none, v_set1(0), v_exp_parts(v_select(none, v_set1(0), x[v]), &missing[v]));
        missing[v] = v_select(none, v_set1(0), missing[v]);
    }
}

/* A row with a NaN in it, or without a limit, has s = NaN. */
LOSSI_INLINE void lossi_softmax_begin(const lossi_tile *tile, int64_t row, lossi_softmax *softmax)
{
    vreal x[LOSSI_PACK], e[LOSSI_PACK], missing[LOSSI_PACK];
    vmask largest[LOSSI_PACK];
    lossi_lane_sum sum;
    softmax->logits = lossi_row_of(tile->prediction, row, tile->prediction_stride);
    softmax->columns = tile->columns;
    softmax->maximum = lossi_row_maximum(softmax->logits, tile->columns, &softmax->largest);
    lossi_lane_sum_clear(&sum);
    for (int64_t j = 0; j < tile->columns; j += LOSSI_LANES) {
        lossi_softmax_exponentials(softmax, j, x, e, missing, largest);
        for (int v = 0; v < LOSSI_PACK; v++) {
            lossi_lane_sum_add(&sum, v, v_select(largest[v], v_set1(0), missing[v]));
            lossi_lane_sum_add(&sum, v, v_select(largest[v], v_set1(0), e[v]));
        }
    }
    lossi_softmax_total(&sum, softmax);
    const real highest = lossi_get(softmax->logits + softmax->largest);
    if (highest != highest) {
        softmax->others.head = softmax->divisor.head = highest;
    }
    softmax->inverse = 1 / softmax->divisor.head;
    softmax->rest = lossi_first_lane(
        lossi_softmax_divide(softmax, v_set1(softmax->others.head), v_set1(softmax->others.missing)));
    softmax->log = lossi_first_lane(v_log1p(v_set1(softmax->others.head)));
}

/* Of 16 columns, 0, 1, −∞ beyond the row: p, 1 − p, which keeps its digits where p is nearly 1, and log p. */
LOSSI_INLINE void lossi_softmax_pack(const lossi_softmax *softmax, int64_t j, vreal *p, vreal *rest,
                                     vreal *log, vmask *largest)
{
    vreal missing[LOSSI_PACK];
    lossi_softmax_exponentials(softmax, j, log, p, missing, largest);
    for (int v = 0; v < LOSSI_PACK; v++) {
        p[v] = lossi_softmax_divide(softmax, p[v], missing[v]);
        rest[v] = v_select(largest[v], v_set1(softmax->rest), v_set1(1) - p[v]);
        log[v] = log[v] - v_set1(softmax->log);
    }
}

/* ---- logarithms of ratios ---- */

/* Where a or b is 0, infinite or NaN. */
LOSSI_INLINE vreal lossi_log_ratio_limit(vreal a, vreal b)
{
    const vreal infinity = v_set1(REAL_INFINITY), nan = v_set1(REAL_NAN), zero = v_set1(0);
    const vmask a_small = v_eq(a, zero), b_small = v_eq(b, zero), a_large = v_eq(a, infinity),
                b_large = v_eq(b, infinity);
    const vmask known = v_mask_and(v_ge(a, zero), v_ge(b, zero)),
                both = v_mask_or(v_mask_and(a_small, b_small), v_mask_and(a_large, b_large));
    const vreal limit = v_select(v_mask_or(a_small, b_large), -infinity, infinity);
    return v_select(both, nan, v_select(known, limit, nan));
}

/*
 * log (a/b) of a, b ≥ 0, right to its last digits where it is small. Where a/b is far from 1 and may overflow, of the
 * significands, and what the exponents are apart.
 */
LOSSI_INLINE vreal lossi_log_ratio(vreal a, vreal b)
{
    const vreal plain = a / b, infinity = v_set1(REAL_INFINITY), zero = v_set1(0);
    const vmask close = v_mask_and(v_gt(plain, v_set1(REAL(0.5))), v_lt(plain, v_set1(REAL(2.0))));
    vreal a_exponent, b_exponent;
    const vreal a_split = v_split(a, &a_exponent), b_split = v_split(b, &b_exponent);
    const vreal a_part = v_select(close, a, a_split), b_part = v_select(close, b, b_split);
    const vreal apart = v_select(close, zero, a_exponent - b_exponent), ratio = a_part / b_part;
    /* the rounding error of a division is a number, and matters where the logarithm is small */
    const vreal log = v_log(ratio) + v_fnma(ratio, b_part, a_part) / a_part;
    const vreal all = v_fma(apart, v_set1(MATH_LN2_HIGH), v_fma(apart, v_set1(MATH_LN2_LOW), log));
    const vmask numbers = v_mask_and(v_mask_and(v_gt(a, zero), v_lt(a, infinity)),
                                     v_mask_and(v_gt(b, zero), v_lt(b, infinity)));
    return v_select(numbers, all, lossi_log_ratio_limit(a, b));
}

/* Where the series of the logarithm in simd/math.h holds. */
LOSSI_INLINE vmask lossi_is_near(vreal u)
{
    return v_mask_and(v_ge(u, v_set1(REAL(-0.25))), v_le(u, v_set1(REAL(0.5))));
}

/* log(1 + u) near 0: u − u²/2 + u³ T(u). */
LOSSI_INLINE vreal lossi_near_log(vreal u)
{
    return v_fma(u * u, v_fma(u, v_log_tail(u), v_set1(REAL(-0.5))), u);
}

/* h(u) near 0: u² (1/2 + u ((1 + u) T(u) − 1/2)), without the cancellation of its definition. */
LOSSI_INLINE vreal lossi_near_excess(vreal u)
{
    const vreal tail = v_log_tail(u);
    return u * u * v_fma(u, v_fma(u, tail, tail - REAL(0.5)), v_set1(REAL(0.5)));
}

#endif
