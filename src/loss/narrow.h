/*
 * Softmax cross-entropy of few classes and class labels: rows in lanes.
 *
 * A row of ten columns fills no vector, and its sums across a vector cost more than its exponentials. Here a vector holds
 * one column of as many rows as it has lanes, and nothing runs across. Every number is made as in cross_entropy.c and
 * rowwise.h, sums included: the bits are the same whichever way a row goes.
 */
#ifndef LOSSI_LOSS_NARROW_H
#define LOSSI_LOSS_NARROW_H

#include "loss/rowwise.h"
#include "simd/transpose.h"

/* One column alone has no other to sum; beyond two packs a row fills its vectors well enough. */
enum { LOSSI_NARROW_LEAST = 2, LOSSI_NARROW_MOST = 2 * LOSSI_LANES };

/* VREAL_LANES rows. */
typedef struct lossi_narrow {
    vreal column[LOSSI_NARROW_MOST]; /* z_j; then e_j, 0 where it is the largest */
    vreal label, own;                /* −1 and 0 for a row that does not count */
    vreal maximum, largest;          /* m, and the first column that has it */
    vreal own_logit;                 /* z of the label */
    vreal others;                    /* s */
} lossi_narrow;

/* ---- columns ---- */

/* The last group overlaps the one before it where the columns do not come out even. */
LOSSI_INLINE int64_t lossi_narrow_group(int64_t j, int64_t columns)
{
    return j + LOSSI_GROUP <= columns ? j : columns - LOSSI_GROUP;
}

LOSSI_INLINE void lossi_narrow_load(const real *z, int64_t stride, int64_t columns, vreal *column)
{
    for (int64_t j = 0; j < columns && columns >= LOSSI_GROUP; j += LOSSI_GROUP) {
        const int64_t at = lossi_narrow_group(j, columns);
        v_load_columns(z + at, stride, column + at);
    }
    for (int64_t j = 0; j < columns && columns < LOSSI_GROUP; j++) {
        real lanes[VREAL_LANES];
        for (int lane = 0; lane < VREAL_LANES; lane++) {
            lanes[lane] = lossi_get(z + lane * stride + j);
        }
        column[j] = v_load(lanes);
    }
}

LOSSI_INLINE void lossi_narrow_store(real *out, int64_t stride, int64_t columns, const vreal *column)
{
    for (int64_t j = 0; j < columns && columns >= LOSSI_GROUP; j += LOSSI_GROUP) {
        const int64_t at = lossi_narrow_group(j, columns);
        v_store_columns(out + at, stride, column + at);
    }
    for (int64_t j = 0; j < columns && columns < LOSSI_GROUP; j++) {
        real lanes[VREAL_LANES];
        v_store(lanes, column[j]);
        for (int lane = 0; lane < VREAL_LANES; lane++) {
            lossi_put(out + lane * stride + j, lanes[lane]);
        }
    }
}

/* ---- the sum of a row, in the order of lossi_lane_sum ---- */

/* Half of a vector in double: for float64 there is one half, the vector itself. */
LOSSI_INLINE f64v lossi_narrow_half(vreal x, int half)
{
#if LOSSI_REAL == 64
    (void)half;
    return x;
#else
    return half == 0 ? f32_to_f64_low(x) : f32_to_f64_high(x);
#endif
}

/* Lane `lane` of the 16: columns lane and lane + 16; what rounding lost, in float64. */
LOSSI_INLINE f64v lossi_narrow_lane(const vreal *x, int64_t columns, int64_t lane, int half, f64v *lost)
{
    *lost = f64_set1(0);
    if (lane >= columns) {
        return f64_set1(0);
    }
    const f64v before = lossi_narrow_half(x[lane], half);
    if (lane + LOSSI_LANES >= columns) {
        return before;
    }
    const f64v next = lossi_narrow_half(x[lane + LOSSI_LANES], half), after = before + next;
#if LOSSI_REAL == 64
    const f64v part = after - before;
    *lost = (before - (after - part)) + (next - part);
#endif
    return after;
}

LOSSI_INLINE f64v lossi_narrow_sum_half(const vreal *x, int64_t columns, int half)
{
    enum { HALF = LOSSI_LANES / 2 };
    f64v sum[HALF], lost[HALF], other;
    for (int i = 0; i < HALF; i++) {
        sum[i] = lossi_narrow_lane(x, columns, i, half, &lost[i]) +
                 lossi_narrow_lane(x, columns, i + HALF, half, &other);
        lost[i] = lost[i] + other;
    }
    for (int step = HALF / 2; step > 0; step /= 2) {
        for (int i = 0; i < step; i++) {
            sum[i] = sum[i] + sum[i + step];
            lost[i] = lost[i] + lost[i + step];
        }
    }
#if LOSSI_REAL == 64
    /* infinity and NaN have no rounding error to give back */
    return f64_select(f64_eq(sum[0] - sum[0], f64_set1(0)), sum[0] + lost[0], sum[0]);
#else
    return sum[0];
#endif
}

LOSSI_INLINE vreal lossi_narrow_sum(const vreal *x, int64_t columns)
{
#if LOSSI_REAL == 64
    return lossi_narrow_sum_half(x, columns, 0);
#else
    return f64_to_f32(lossi_narrow_sum_half(x, columns, 0), lossi_narrow_sum_half(x, columns, 1));
#endif
}

/* ---- rows ---- */

LOSSI_INLINE void lossi_narrow_forward(lossi_narrow *rows, int64_t columns)
{
    const vreal zero = v_set1(0);
    rows->maximum = v_set1(-REAL_INFINITY);
    rows->largest = rows->own_logit = zero;
    for (int64_t j = 0; j < columns; j++) {
        const vreal z = rows->column[j], number = v_set1((real)j);
        const vmask larger = v_gt(z, rows->maximum); /* NaN is passed over */
        rows->maximum = v_select(larger, z, rows->maximum);
        rows->largest = v_select(larger, number, rows->largest);
        rows->own_logit = v_select(v_eq(number, rows->label), z, rows->own_logit);
    }
    for (int64_t j = 0; j < columns; j++) {
        rows->column[j] = v_select(v_eq(v_set1((real)j), rows->largest), zero,
                                   v_exp(rows->column[j] - rows->maximum));
    }
    rows->others = v_select(v_ge(rows->label, zero), lossi_narrow_sum(rows->column, columns), zero);
}

LOSSI_INLINE vreal lossi_narrow_value(const lossi_narrow *rows)
{
    const vreal zero = v_set1(0), s = rows->others, own = rows->own, z = rows->own_logit;
    const vmask none = v_mask_or(v_eq(own, zero), v_eq(z, rows->maximum));
    const vreal linear = v_select(none, zero, own * (rows->maximum - z));
    return v_select(v_eq(own, zero), v_select(v_is_nan(s), s, zero), v_fma(own, v_log1p(s), linear));
}

/* The gradient takes the place of the exponentials. */
LOSSI_INLINE void lossi_narrow_backward(lossi_narrow *rows, int64_t columns, real scale)
{
    const vreal one = v_set1(1), inverse = one / (one + rows->others), factor = rows->own * v_set1(scale);
    for (int64_t j = 0; j < columns; j++) {
        const vreal number = v_set1((real)j);
        const vmask largest = v_eq(number, rows->largest);
        const vreal p = v_select(largest, one, rows->column[j]) * inverse;
        const vreal rest = v_select(largest, rows->others * inverse, one - p);
        rows->column[j] = v_select(v_eq(number, rows->label), -(rest * factor), p * factor);
    }
}

/* ---- tiles ---- */

/* Labels and weights of the rows from `row`; rows beyond the tile do not count. Returns how many count. */
LOSSI_INLINE int lossi_narrow_labels(const lossi_tile *tile, int64_t row, int count, lossi_narrow *rows)
{
    const lossi_prepared *prepared = tile->prepared;
    const int64_t *labels = tile->labels + row;
    real label[VREAL_LANES], own[VREAL_LANES];
    int counting = 0;
    for (int lane = 0; lane < VREAL_LANES; lane++) {
        const int counts = lane < count && labels[lane] != prepared->ignore_label;
        label[lane] = counts ? (real)labels[lane] : -1;
        own[lane] = counts ? 1 : 0;
        counting += counts;
    }
    for (int lane = 0; lane < count && prepared->class_weight != NULL; lane++) {
        own[lane] = label[lane] < 0 ? 0 : (real)prepared->class_weight[labels[lane]];
    }
    rows->label = v_load(label);
    rows->own = v_load(own);
    return counting;
}

/* One vector of rows; value, gradient and denominator as lossi_tile says. */
LOSSI_INLINE void lossi_narrow_rows(const lossi_tile *tile, int64_t row, int count, const real *z,
                                    int64_t stride, real *gradient, int64_t gradient_stride)
{
    const int64_t columns = tile->columns;
    lossi_narrow rows;
    const int counting = lossi_narrow_labels(tile, row, count, &rows);
    lossi_narrow_load(z, stride, columns, rows.column);
    lossi_narrow_forward(&rows, columns);
    if (count == VREAL_LANES) {
        v_store((real *)tile->value + row, lossi_narrow_value(&rows));
        v_store((real *)tile->denominator + row, rows.own);
    } else {
        v_store_part((real *)tile->value + row, lossi_narrow_value(&rows), count);
        v_store_part((real *)tile->denominator + row, rows.own, count);
    }
    if (gradient == NULL) {
        return;
    }
    lossi_narrow_backward(&rows, columns, (real)tile->scale);
    lossi_narrow_store(gradient, gradient_stride, columns, rows.column);
    for (int lane = 0; lane < count && counting < count; lane++) {
        if (tile->labels[row + lane] == tile->prepared->ignore_label) {
            memset(gradient + lane * gradient_stride, 0, (size_t)columns * sizeof(real));
        }
    }
}

/* The last rows, fewer than lanes: through a place of whole vectors. */
static void lossi_narrow_last(const lossi_tile *tile, int64_t row, int count)
{
    const real *z = (const real *)tile->prediction + row * tile->prediction_stride;
    real *gradient = tile->gradient == NULL ? NULL : (real *)tile->gradient + row * tile->gradient_stride;
    real padded[VREAL_LANES * LOSSI_NARROW_MOST] = {0};
    const size_t bytes = (size_t)tile->columns * sizeof(real);
    for (int lane = 0; lane < count; lane++) {
        memcpy(padded + lane * tile->columns, z + lane * tile->prediction_stride, bytes);
    }
    lossi_narrow_rows(tile, row, count, padded, tile->columns, gradient == NULL ? NULL : padded,
                      tile->columns);
    for (int lane = 0; lane < count && gradient != NULL; lane++) {
        memcpy(gradient + lane * tile->gradient_stride, padded + lane * tile->columns, bytes);
    }
}

static void lossi_narrow_tile(const lossi_tile *tile)
{
    const real *z = tile->prediction;
    real *gradient = tile->gradient;
    int64_t row = 0;
    for (; row + VREAL_LANES <= tile->rows; row += VREAL_LANES) {
        lossi_narrow_rows(tile, row, VREAL_LANES, z + row * tile->prediction_stride, tile->prediction_stride,
                          gradient == NULL ? NULL : gradient + row * tile->gradient_stride,
                          tile->gradient_stride);
    }
    if (row < tile->rows) {
        lossi_narrow_last(tile, row, (int)(tile->rows - row));
    }
}

#endif
