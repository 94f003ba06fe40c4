/*
 * What losses over the columns of a row share: their outputs, and the two functions that comparisons of distributions are made of.
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

/* The same of a vector of columns. */
LOSSI_INLINE void lossi_store_scaled_columns(const lossi_tile *tile, real *to, int64_t j, vreal x)
{
    if (to != NULL) {
        lossi_store_columns(to, j, tile->columns, x * v_set1((real)tile->scale));
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
 * log (a/b) of a, b ≥ 0, right to its last digits where it is small: of the significands, and what the exponents are apart. Where a/b
 * is near 1 the exponents are in the ratio, that they do not cancel with it.
 */
LOSSI_INLINE vreal lossi_log_ratio(vreal a, vreal b)
{
    const vreal infinity = v_set1(REAL_INFINITY), zero = v_set1(0), one = v_set1(1), two = v_set1(2);
    const vmask close = v_mask_and(v_lt(a, b * two), v_lt(b, a * two));
    vreal a_exponent, b_exponent;
    const vreal a_split = v_split(a, &a_exponent), divisor = v_split(b, &b_exponent);
    const vreal between = a_exponent - b_exponent; /* −1, 0 or 1 where they are close */
    const vreal factor = v_select(v_gt(between, zero), two,
                                  v_select(v_lt(between, zero), v_set1(REAL(0.5)), one));
    const vreal part = a_split * v_select(close, factor, one), apart = v_select(close, zero, between);
    const vreal inverse = one / divisor, rough = part * inverse;
    const vreal ratio = v_fma(v_fnma(rough, divisor, part), inverse, rough);
    /* what the rounding of a ratio lost is a number, and matters where the logarithm is small: there its slope is 2 − ratio */
    const vreal missing = v_fnma(ratio, divisor, part) * inverse;
    const vreal log = v_fma(missing, two - ratio, v_log(ratio));
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
