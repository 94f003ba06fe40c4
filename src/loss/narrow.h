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

/* Adds lane i + step to lane i. */
LOSSI_INLINE void lossi_narrow_fold(f64v *sum, f64v *lost, int64_t columns, int step)
{
    for (int i = 0; i < step; i++) {
        if (i + step < columns) {
            sum[i] = sum[i] + sum[i + step];
            lost[i] = lost[i] + lost[i + step];
        }
    }
}

/* Lanes without a column are +0, and nothing here is below it: adding them would change no bit, so it is not done. */
LOSSI_INLINE f64v lossi_narrow_sum_half(const vreal *x, int64_t columns, int half)
{
    f64v sum[LOSSI_LANES], lost[LOSSI_LANES];
    for (int i = 0; i < LOSSI_LANES; i++) {
        sum[i] = lossi_narrow_lane(x, columns, i, half, &lost[i]);
    }
    lossi_narrow_fold(sum, lost, columns, 8);
    lossi_narrow_fold(sum, lost, columns, 4);
    lossi_narrow_fold(sum, lost, columns, 2);
    lossi_narrow_fold(sum, lost, columns, 1);
#if LOSSI_REAL == 64
    /* infinity and NaN have no rounding error to give back */
    return columns <= LOSSI_LANES
               ? sum[0]
               : f64_select(f64_eq(sum[0] - sum[0], f64_set1(0)), sum[0] + lost[0], sum[0]);
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
    const vreal zero = v_set1(0), one = v_set1(1);
    vreal maximum[2] = {v_set1(-REAL_INFINITY), v_set1(-REAL_INFINITY)}, number = zero;
    rows->largest = rows->own_logit = zero;
    for (int64_t j = 0; j < columns; j++, number = number + one) {
        const vreal z = rows->column[j];
        maximum[j % 2] = v_max(z, maximum[j % 2]); /* NaN is passed over */
        rows->own_logit = v_select(v_eq(number, rows->label), z, rows->own_logit);
    }
    rows->maximum = v_max(maximum[0], maximum[1]);
    for (int64_t j = columns - 1; j >= 0; j--) { /* backwards: the first of equals stays */
        number = number - one;
        rows->largest = v_select(v_eq(rows->column[j], rows->maximum), number, rows->largest);
    }
    number = zero;
    for (int64_t j = 0; j < columns; j++, number = number + one) {
        const vreal e = v_exp_nonpositive(rows->column[j] - rows->maximum);
        rows->column[j] = v_select(v_eq(number, rows->largest), zero, e);
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
    /* once more the exponential of the label: cheaper than to look for it; no number without a label, and not used */
    const vreal own = v_exp_nonpositive(rows->own_logit - rows->maximum);
    const vreal rest = v_select(v_eq(rows->label, rows->largest), rows->others * inverse,
                                one - own * inverse);
    const vreal at_label = -(rest * factor);
    vreal number = v_set1(0);
    for (int64_t j = 0; j < columns; j++, number = number + one) {
        const vreal e = v_select(v_eq(number, rows->largest), one, rows->column[j]);
        rows->column[j] = v_select(v_eq(number, rows->label), at_label, e * inverse * factor);
    }
}

/* ---- tiles ---- */

enum { LOSSI_NARROW_CHUNK = 64 }; /* rows whose labels are made ready together */

/*
 * Labels and weights as numbers, −1 and 0 for rows that do not count; loops the compiler makes vectors of. Gives whether
 * there are such rows.
 */
static int32_t lossi_narrow_labels(const lossi_tile *tile, const int64_t *labels, int64_t count, real *label,
                                   real *own)
{
    const double *weight = tile->prepared->class_weight;
    const int64_t ignored = tile->prepared->ignore_label;
    int64_t ignored_rows = 0;
    for (int64_t i = 0; i < count; i++) {
        label[i] = labels[i] == ignored ? -1 : (real)labels[i];
        own[i] = labels[i] == ignored ? 0 : 1;
        ignored_rows += labels[i] == ignored;
    }
    for (int64_t i = 0; i < count && weight != NULL; i++) {
        own[i] = label[i] < 0 ? 0 : (real)weight[labels[i]];
    }
    for (int64_t i = count; i % VREAL_LANES != 0; i++) {
        label[i] = -1;
        own[i] = 0;
    }
    return ignored_rows > 0;
}

/* The label and own of a vector of rows are set. Gives the values; gradient NULL: not wanted. */
LOSSI_INLINE vreal lossi_narrow_rows(lossi_narrow *rows, int64_t columns, real scale, const real *z,
                                     int64_t stride, real *gradient, int64_t gradient_stride)
{
    lossi_narrow_load(z, stride, columns, rows->column);
    lossi_narrow_forward(rows, columns);
    if (gradient != NULL) {
        lossi_narrow_backward(rows, columns, scale);
        lossi_narrow_store(gradient, gradient_stride, columns, rows->column);
    }
    return lossi_narrow_value(rows);
}

LOSSI_INLINE void lossi_narrow_copy(const real *from, int64_t stride, real *to, int64_t to_stride,
                                    int64_t columns, int64_t rows)
{
    for (int64_t i = 0; i < rows; i++) {
        memcpy(to + i * to_stride, from + i * stride, (size_t)columns * sizeof *to);
    }
}

/* Up to LOSSI_NARROW_CHUNK rows. The last of them, fewer than lanes, go through a place of whole vectors. */
LOSSI_INLINE void lossi_narrow_chunk(const lossi_tile *tile, int64_t columns, int64_t first, int64_t count)
{
    const real *z = (const real *)tile->prediction + first * tile->prediction_stride;
    real *gradient = tile->gradient == NULL ? NULL : (real *)tile->gradient + first * tile->gradient_stride;
    real label[LOSSI_NARROW_CHUNK], own[LOSSI_NARROW_CHUNK], padded[VREAL_LANES * LOSSI_NARROW_MOST];
    lossi_narrow rows;

    const int32_t ignored = lossi_narrow_labels(tile, tile->labels + first, count, label, own);
    for (int64_t i = 0; i < count; i += VREAL_LANES) {
        const int left = count - i < VREAL_LANES ? (int)(count - i) : VREAL_LANES;
        const real *from = z + i * tile->prediction_stride;
        real *to = gradient == NULL ? NULL : gradient + i * tile->gradient_stride;
        int64_t from_stride = tile->prediction_stride, to_stride = tile->gradient_stride;
        if (left < VREAL_LANES) {
            memset(padded, 0, sizeof padded);
            lossi_narrow_copy(from, from_stride, padded, columns, columns, left);
            from = padded;
            to = to == NULL ? NULL : padded;
            from_stride = to_stride = columns;
        }
        rows.label = v_load(label + i);
        rows.own = v_load(own + i);
        const vreal value = lossi_narrow_rows(&rows, columns, (real)tile->scale, from, from_stride, to,
                                              to_stride);
        v_store_part((real *)tile->value + first + i, value, left);
        v_store_part((real *)tile->denominator + first + i, rows.own, left);
        if (left < VREAL_LANES && gradient != NULL) {
            lossi_narrow_copy(padded, columns, gradient + i * tile->gradient_stride, tile->gradient_stride,
                              columns, left);
        }
    }
    for (int64_t i = 0; i < count && gradient != NULL && ignored; i++) {
        if (label[i] < 0) {
            memset(gradient + i * tile->gradient_stride, 0, (size_t)columns * sizeof(real));
        }
    }
}

LOSSI_INLINE void lossi_narrow_chunks(const lossi_tile *tile, int64_t columns)
{
    for (int64_t row = 0; row < tile->rows; row += LOSSI_NARROW_CHUNK) {
        const int64_t left = tile->rows - row;
        lossi_narrow_chunk(tile, columns, row, left < LOSSI_NARROW_CHUNK ? left : LOSSI_NARROW_CHUNK);
    }
}

/* Columns whose number the compiler knows stay in registers; with vectors of 16 bytes that is not worth its code. */
static void lossi_narrow_tile(const lossi_tile *tile)
{
    switch (VREAL_LANES > LOSSI_GROUP ? tile->columns : 0) {
    case 2:
        lossi_narrow_chunks(tile, 2);
        break;
    case 3:
        lossi_narrow_chunks(tile, 3);
        break;
    case 10:
        lossi_narrow_chunks(tile, 10);
        break;
    default:
        lossi_narrow_chunks(tile, tile->columns);
    }
}

#endif
