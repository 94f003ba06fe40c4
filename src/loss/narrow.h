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

/*
 * VREAL_LANES rows. Several of them go through a step before the next step begins: within one, every step waits for the one
 * before it, which takes longer than the work itself.
 */
typedef struct lossi_narrow {
    vreal column[LOSSI_NARROW_MOST]; /* z_j, then e_j, then the gradient */
    vreal addend[LOSSI_NARROW_MOST]; /* e_j, 0 where it is the largest */
    vreal label, own;                /* −1 and 0 for a row that does not count */
    vreal maximum;                   /* m */
    vreal own_logit;                 /* z of the label */
    vreal others;                    /* s */
    int left;                        /* how many rows there are */
    const real *from;                /* their logits */
    real *to;                        /* their gradients; NULL: not wanted */
    int64_t from_stride, to_stride;
} lossi_narrow;

enum { LOSSI_NARROW_GROUPS = 2, LOSSI_NARROW_CHUNK = LOSSI_NARROW_GROUPS * VREAL_LANES };

/* The number of a column in every lane: a load, which costs less than counting. */
LOSSI_INLINE vreal lossi_narrow_number(int64_t j)
{
    static const real numbers[LOSSI_NARROW_MOST] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                                    11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                                                    22, 23, 24, 25, 26, 27, 28, 29, 30, 31};
    return v_set1(numbers[j]);
}

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

/* ---- rows ---- */

/* The sum in the order of lossi_short_total(): columns that are not there would be +0, which adds nothing. */
LOSSI_INLINE vreal lossi_narrow_sum(vreal *x, int64_t columns)
{
    for (int64_t half = LOSSI_LANES; half > 0; half /= 2) {
        for (int64_t j = half; j < columns && j < 2 * half; j++) {
            x[j - half] = x[j - half] + x[j];
        }
    }
    return x[0];
}

/*
 * Where a row has its maximum twice, or it is infinite: the first of equals alone is left out, and its exponential is 1. Not
 * asked for elsewhere, where it would be a third of the work.
 */
static void lossi_narrow_ties(lossi_narrow *rows, int64_t columns)
{
    vreal first = v_set1(-1), logit[LOSSI_NARROW_MOST];
    lossi_narrow_load(rows->from, rows->from_stride, columns, logit);
    for (int64_t j = columns - 1; j >= 0; j--) {
        first = v_select(v_eq(logit[j], rows->maximum), lossi_narrow_number(j), first);
    }
    for (int64_t j = 0; j < columns; j++) {
        const vmask here = v_eq(lossi_narrow_number(j), first);
        rows->addend[j] = v_select(here, v_set1(0), rows->column[j]);
        rows->column[j] = v_select(here, v_set1(1), rows->column[j]);
    }
}

LOSSI_INLINE void lossi_narrow_look(lossi_narrow *rows, int64_t columns)
{
    vreal maximum = v_set1(-REAL_INFINITY), own_logit = v_set1(0);
    lossi_narrow_load(rows->from, rows->from_stride, columns, rows->column);
    for (int64_t j = 0; j < columns; j++) {
        const vreal z = rows->column[j];
        maximum = v_max(z, maximum); /* NaN is passed over */
        own_logit = v_select(v_eq(lossi_narrow_number(j), rows->label), z, own_logit);
    }
    rows->maximum = maximum;
    rows->own_logit = own_logit;
}

LOSSI_INLINE void lossi_narrow_exponentials(lossi_narrow *rows, int64_t columns)
{
    const vreal zero = v_set1(0), one = v_set1(1), maximum = rows->maximum;
    vreal times = maximum - maximum; /* 0; NaN when it is infinite */
    /* asks for the rows in this place of the next chunk, which need not be there: the next load would wait for them */
    const uintptr_t ahead = (uintptr_t)rows->from +
                            (uintptr_t)(LOSSI_NARROW_CHUNK * rows->from_stride) * sizeof(real);
    for (int64_t j = 0; j < columns; j++) {
        const vreal z = rows->column[j], e = v_exp_nonpositive(z - maximum);
        const vmask largest = v_eq(z, maximum);
        __builtin_prefetch((const void *)(ahead + (uintptr_t)j * sizeof(vreal)), 0, 3);
        times = v_select(largest, times + one, times);
        rows->column[j] = e;
        rows->addend[j] = v_select(largest, zero, e);
    }
    if (!v_mask_all(v_eq(times, one))) {
        lossi_narrow_ties(rows, columns);
    }
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
    const vreal rest = v_select(v_eq(rows->own_logit, rows->maximum), rows->others * inverse,
                                one - own * inverse);
    const vreal label = rows->label, at_label = -(rest * factor), by = inverse * factor;
    for (int64_t j = 0; j < columns; j++) {
        const vmask here = v_eq(lossi_narrow_number(j), label);
        rows->column[j] = v_select(here, at_label, rows->column[j] * by);
    }
    lossi_narrow_store(rows->to, rows->to_stride, columns, rows->column);
}

/* ---- tiles ---- */

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
        /* conversions on one side of a condition would keep the compiler from making vectors of this */
        const int64_t counts = labels[i] != ignored, number = counts ? labels[i] : -1;
        label[i] = (real)number;
        own[i] = (real)counts;
        ignored_rows += 1 - counts;
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

LOSSI_INLINE void lossi_narrow_copy(const real *from, int64_t stride, real *to, int64_t to_stride,
                                    int64_t columns, int64_t rows)
{
    for (int64_t i = 0; i < rows; i++) {
        memcpy(to + i * to_stride, from + i * stride, (size_t)columns * sizeof *to);
    }
}

/* Rows of a chunk in groups; the last, fewer than lanes, go through a place of whole vectors. Gives how many groups. */
static int lossi_narrow_divide(const lossi_tile *tile, int64_t first, int64_t count, real *padded,
                               lossi_narrow *groups)
{
    int number = 0;
    for (int64_t i = 0; i < count; i += VREAL_LANES, number++) {
        lossi_narrow *rows = &groups[number];
        rows->left = count - i < VREAL_LANES ? (int)(count - i) : VREAL_LANES;
        rows->from = (const real *)tile->prediction + (first + i) * tile->prediction_stride;
        rows->from_stride = tile->prediction_stride;
        rows->to = tile->gradient == NULL ? NULL
                                          : (real *)tile->gradient + (first + i) * tile->gradient_stride;
        rows->to_stride = tile->gradient_stride;
        if (rows->left < VREAL_LANES) {
            memset(padded, 0, VREAL_LANES * LOSSI_NARROW_MOST * sizeof *padded);
            lossi_narrow_copy(rows->from, rows->from_stride, padded, tile->columns, tile->columns,
                              rows->left);
            rows->from = padded;
            rows->to = rows->to == NULL ? NULL : padded;
            rows->from_stride = rows->to_stride = tile->columns;
        }
    }
    return number;
}

/* Up to LOSSI_NARROW_CHUNK rows. */
static void lossi_narrow_chunk(const lossi_tile *tile, int64_t first, int64_t count, lossi_narrow *groups)
{
    const int64_t columns = tile->columns;
    real *gradient = tile->gradient == NULL ? NULL : (real *)tile->gradient + first * tile->gradient_stride;
    real label[LOSSI_NARROW_CHUNK], own[LOSSI_NARROW_CHUNK], padded[VREAL_LANES * LOSSI_NARROW_MOST];
    const int32_t ignored = lossi_narrow_labels(tile, tile->labels + first, count, label, own);
    const int number = lossi_narrow_divide(tile, first, count, padded, groups);

    for (int g = 0; g < number; g++) {
        groups[g].label = v_load(label + g * VREAL_LANES);
        groups[g].own = v_load(own + g * VREAL_LANES);
        lossi_narrow_look(&groups[g], columns);
    }
    for (int g = 0; g < number; g++) {
        lossi_narrow_exponentials(&groups[g], columns);
    }
    for (int g = 0; g < number; g++) {
        groups[g].others = v_select(v_ge(groups[g].label, v_set1(0)),
                                    lossi_narrow_sum(groups[g].addend, columns), v_set1(0));
    }
    for (int g = 0; g < number; g++) {
        const int64_t row = first + g * VREAL_LANES;
        v_store_part((real *)tile->value + row, lossi_narrow_value(&groups[g]), groups[g].left);
        v_store_part((real *)tile->denominator + row, groups[g].own, groups[g].left);
    }
    for (int g = 0; g < number && gradient != NULL; g++) {
        lossi_narrow_backward(&groups[g], columns, (real)tile->scale);
        if (groups[g].left < VREAL_LANES) {
            lossi_narrow_copy(padded, columns, gradient + g * VREAL_LANES * tile->gradient_stride,
                              tile->gradient_stride, columns, groups[g].left);
        }
    }
    for (int64_t i = 0; i < count && gradient != NULL && ignored; i++) {
        if (label[i] < 0) {
            memset(gradient + i * tile->gradient_stride, 0, (size_t)columns * sizeof(real));
        }
    }
}

static void lossi_narrow_tile(const lossi_tile *tile)
{
    lossi_narrow groups[LOSSI_NARROW_GROUPS];
    for (int64_t row = 0; row < tile->rows; row += LOSSI_NARROW_CHUNK) {
        const int64_t left = tile->rows - row;
        lossi_narrow_chunk(tile, row, left < LOSSI_NARROW_CHUNK ? left : LOSSI_NARROW_CHUNK, groups);
    }
}

#endif
