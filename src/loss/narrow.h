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
 * Several vectors of rows go through every step together: within one, each step waits for the one before it, which takes longer than
 * the work itself. Two of them, and four where there are registers for it, and rows.
 */
enum {
    LOSSI_NARROW_FEW = 2,
    LOSSI_NARROW_GROUPS = VREAL_LANES * LOSSI_REAL == 512 ? 4 : LOSSI_NARROW_FEW,
    LOSSI_NARROW_CHUNK = LOSSI_NARROW_GROUPS * VREAL_LANES
};

/* Rows whose logarithms are taken together. */
enum { LOSSI_NARROW_ROWS = 128 };

/* A column of a chunk of rows. */
typedef struct lossi_narrow_column {
    vreal of[LOSSI_NARROW_GROUPS];
} lossi_narrow_column;

typedef struct lossi_narrow {
    lossi_narrow_column logit[LOSSI_NARROW_MOST + 1];  /* z_j, and behind the last that of the label */
    lossi_narrow_column e[LOSSI_NARROW_MOST + 1];      /* e_j */
    lossi_narrow_column addend[LOSSI_NARROW_MOST + 1]; /* e_j, 0 where it is the largest */
    lossi_narrow_column maximum;                       /* m */
    int64_t columns;
    const real *from; /* the logits */
    int64_t from_stride;
    const real *label, *own; /* of these rows: −1 and 0 for one that does not count */
} lossi_narrow;

/* Of up to LOSSI_NARROW_ROWS rows. */
typedef struct lossi_narrow_rows {
    real label[LOSSI_NARROW_ROWS], own[LOSSI_NARROW_ROWS];
    real others[LOSSI_NARROW_ROWS]; /* s */
    real linear[LOSSI_NARROW_ROWS]; /* own (m − z) */
} lossi_narrow_rows;

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

LOSSI_INLINE void lossi_narrow_load(const real *z, int64_t stride, int64_t columns, int group,
                                    lossi_narrow_column *column)
{
    for (int64_t j = 0; j < columns && columns >= LOSSI_GROUP; j += LOSSI_GROUP) {
        const int64_t at = lossi_narrow_group(j, columns);
        vreal x[LOSSI_GROUP];
        v_load_columns(z + at, stride, x);
        for (int a = 0; a < LOSSI_GROUP; a++) {
            column[at + a].of[group] = x[a];
        }
    }
    for (int64_t j = 0; j < columns && columns < LOSSI_GROUP; j++) {
        real lanes[VREAL_LANES];
        for (int lane = 0; lane < VREAL_LANES; lane++) {
            lanes[lane] = lossi_get(z + lane * stride + j);
        }
        column[j].of[group] = v_load(lanes);
    }
}

LOSSI_INLINE void lossi_narrow_store(real *out, int64_t stride, int64_t columns, int group,
                                     const lossi_narrow_column *column)
{
    for (int64_t j = 0; j < columns && columns >= LOSSI_GROUP; j += LOSSI_GROUP) {
        const int64_t at = lossi_narrow_group(j, columns);
        vreal x[LOSSI_GROUP];
        for (int a = 0; a < LOSSI_GROUP; a++) {
            x[a] = column[at + a].of[group];
        }
        v_store_columns(out + at, stride, x);
    }
    for (int64_t j = 0; j < columns && columns < LOSSI_GROUP; j++) {
        real lanes[VREAL_LANES];
        v_store(lanes, column[j].of[group]);
        for (int lane = 0; lane < VREAL_LANES; lane++) {
            lossi_put(out + lane * stride + j, lanes[lane]);
        }
    }
}

/* ---- rows ---- */

/* The sum in the order of lossi_short_total(): columns that are not there would be +0, which adds nothing. */
LOSSI_INLINE void lossi_narrow_sum(lossi_narrow_column *x, int64_t columns, int groups)
{
    for (int64_t half = LOSSI_LANES; half > 0; half /= 2) {
        for (int64_t j = half; j < columns && j < 2 * half; j++) {
            LOSSI_UNROLL
            for (int g = 0; g < groups; g++) {
                x[j - half].of[g] = x[j - half].of[g] + x[j].of[g];
            }
        }
    }
}

/*
 * Where a row has its maximum twice, or it is infinite: the first of equals alone is left out, and its exponential is 1. Not
 * asked for elsewhere, where it would be a third of the work.
 */
static __attribute__((noinline)) void lossi_narrow_ties(lossi_narrow *n, int group)
{
    vreal first = v_set1(-1);
    for (int64_t j = n->columns - 1; j >= 0; j--) {
        first = v_select(v_eq(n->logit[j].of[group], n->maximum.of[group]), lossi_narrow_number(j), first);
    }
    for (int64_t j = 0; j < n->columns; j++) {
        const vmask here = v_eq(lossi_narrow_number(j), first);
        n->addend[j].of[group] = v_select(here, v_set1(0), n->e[j].of[group]);
        n->e[j].of[group] = v_select(here, v_set1(1), n->e[j].of[group]);
    }
}

/* Logits, their largest, and that of the label; gives whether all exponentials are far from where they underflow. */
LOSSI_INLINE int lossi_narrow_look(lossi_narrow *n, int groups)
{
    lossi_narrow_column low, high, own, label;
    int near = 1;
    LOSSI_UNROLL
    for (int g = 0; g < groups; g++) {
        lossi_narrow_load(n->from + g * VREAL_LANES * n->from_stride, n->from_stride, n->columns, g,
                          n->logit);
        high.of[g] = v_set1(-REAL_INFINITY);
        low.of[g] = v_set1(REAL_INFINITY);
        own.of[g] = v_set1(0);
        label.of[g] = v_load(n->label + g * VREAL_LANES);
    }
    for (int64_t j = 0; j < n->columns; j++) {
        const vreal number = lossi_narrow_number(j);
        LOSSI_UNROLL
        for (int g = 0; g < groups; g++) {
            const vreal z = n->logit[j].of[g];
            high.of[g] = v_max(z, high.of[g]); /* NaN is passed over */
            low.of[g] = v_min(z, low.of[g]);
            own.of[g] = v_select(v_eq(number, label.of[g]), z, own.of[g]);
        }
    }
    n->logit[n->columns] = own;
    n->maximum = high;
    LOSSI_UNROLL
    for (int g = 0; g < groups; g++) {
        near &= v_mask_all(v_ge(low.of[g] - high.of[g], v_set1(LOSSI_EXP_NEAR)));
    }
    return near;
}

/* Also that of the label, once more: cheaper than to look for it; no number without a label, and not used. */
LOSSI_INLINE void lossi_narrow_exponentials(lossi_narrow *n, int groups, int near)
{
    const vreal zero = v_set1(0), one = v_set1(1);
    const lossi_narrow_column m = n->maximum;
    /* asks for rows that are not yet worked on, and need not be there: the loads would wait for them */
    const uintptr_t ahead = (uintptr_t)n->from +
                            2 * (uintptr_t)(groups * VREAL_LANES) * (uintptr_t)n->from_stride * sizeof(real);
    lossi_narrow_column times;
    for (int g = 0; g < groups; g++) {
        times.of[g] = zero;
    }
    for (int64_t j = 0; j <= n->columns; j++) {
        __builtin_prefetch((const void *)(ahead + (uintptr_t)(j * groups) * sizeof(vreal)), 0, 3);
        LOSSI_UNROLL
        for (int g = 0; g < groups; g++) {
            const vreal z = n->logit[j].of[g], apart = z - m.of[g];
            const vreal e = near ? lossi_exp_near(apart) : lossi_exp_far(apart);
            const vmask largest = v_eq(z, m.of[g]);
            times.of[g] = times.of[g] + v_select(largest, one, zero);
            n->e[j].of[g] = e;
            n->addend[j].of[g] = v_select(largest, zero, e);
        }
    }
    for (int g = 0; g < groups; g++) {
        const vreal again = v_select(v_eq(n->logit[n->columns].of[g], m.of[g]), one, zero);
        const vmask once = v_eq(times.of[g] - again, one), finite = v_eq(m.of[g] - m.of[g], zero);
        if (!v_mask_all(v_mask_and(once, finite))) {
            lossi_narrow_ties(n, g);
        }
    }
}

/* s, and the part of the loss that is linear in the logits. */
LOSSI_INLINE void lossi_narrow_totals(lossi_narrow *n, int groups, real *others, real *linear)
{
    const vreal zero = v_set1(0);
    lossi_narrow_sum(n->addend, n->columns, groups);
    for (int g = 0; g < groups; g++) {
        const vreal m = n->maximum.of[g], z = n->logit[n->columns].of[g];
        const vreal own = v_load(n->own + g * VREAL_LANES), label = v_load(n->label + g * VREAL_LANES);
        const vmask none = v_mask_or(v_eq(own, zero), v_eq(z, m));
        n->addend[0].of[g] = v_select(v_ge(label, zero), n->addend[0].of[g], zero);
        v_store(others + g * VREAL_LANES, n->addend[0].of[g]);
        v_store(linear + g * VREAL_LANES, v_select(none, zero, own * (m - z)));
    }
}

/* The gradient takes the place of the exponentials, and goes out. */
LOSSI_INLINE void lossi_narrow_backward(lossi_narrow *n, int groups, real scale, real *to, int64_t stride)
{
    const vreal one = v_set1(1);
    lossi_narrow_column by, at_label, label;
    for (int g = 0; g < groups; g++) {
        const vreal others = n->addend[0].of[g], inverse = one / (one + others);
        const vreal factor = v_load(n->own + g * VREAL_LANES) * v_set1(scale);
        const vreal rest = v_select(v_eq(n->logit[n->columns].of[g], n->maximum.of[g]), others * inverse,
                                    one - n->e[n->columns].of[g] * inverse);
        label.of[g] = v_load(n->label + g * VREAL_LANES);
        by.of[g] = inverse * factor;
        at_label.of[g] = -(rest * factor);
    }
    for (int64_t j = 0; j < n->columns; j++) {
        const vreal number = lossi_narrow_number(j);
        LOSSI_UNROLL
        for (int g = 0; g < groups; g++) {
            const vmask here = v_eq(number, label.of[g]);
            n->e[j].of[g] = v_select(here, at_label.of[g], n->e[j].of[g] * by.of[g]);
        }
    }
    for (int g = 0; g < groups; g++) {
        lossi_narrow_store(to + g * VREAL_LANES * stride, stride, n->columns, g, n->e);
    }
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
    int32_t number[LOSSI_NARROW_ROWS], counts[LOSSI_NARROW_ROWS];
    int64_t ignored_rows = 0;
    for (int64_t i = 0; i < count; i++) {
        const int64_t is_ignored = labels[i] == ignored;
        ignored_rows += is_ignored;
        number[i] = (int32_t)(labels[i] | -is_ignored);
        counts[i] = (int32_t)(1 - is_ignored);
    }
    for (int64_t i = 0; i < count; i++) {
        label[i] = (real)number[i];
        own[i] = (real)counts[i];
    }
    for (int64_t i = 0; i < count && weight != NULL; i++) {
        own[i] = label[i] < 0 ? 0 : (real)weight[labels[i]];
    }
    for (int64_t i = count; i % LOSSI_NARROW_CHUNK != 0; i++) {
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

/* All of it; the gradient NULL: not wanted. */
LOSSI_INLINE void lossi_narrow_work(lossi_narrow *n, int groups, real scale, real *others, real *linear,
                                    real *gradient, int64_t stride)
{
    if (lossi_narrow_look(n, groups)) {
        lossi_narrow_exponentials(n, groups, 1);
    } else {
        lossi_narrow_exponentials(n, groups, 0);
    }
    lossi_narrow_totals(n, groups, others, linear);
    if (gradient != NULL) {
        lossi_narrow_backward(n, groups, scale, gradient, stride);
    }
}

/* A chunk of rows; fewer than a whole one go through a place where it is whole. */
LOSSI_INLINE void lossi_narrow_chunk(const lossi_tile *tile, int groups, int64_t first, int64_t count,
                                     int64_t i, lossi_narrow_rows *rows, lossi_narrow *n)
{
    const int64_t columns = tile->columns;
    real padded[LOSSI_NARROW_CHUNK * LOSSI_NARROW_MOST];
    real *gradient = lossi_place_of(tile->gradient, first, tile->gradient_stride), *to = gradient;
    int64_t stride = tile->gradient_stride;
    n->columns = columns;
    n->from = lossi_row_of(tile->prediction, first, tile->prediction_stride);
    n->from_stride = tile->prediction_stride;
    n->label = rows->label + i;
    n->own = rows->own + i;
    if (count < groups * VREAL_LANES) {
        memset(padded, 0, (size_t)(groups * VREAL_LANES * columns) * sizeof *padded);
        lossi_narrow_copy(n->from, n->from_stride, padded, columns, columns, count);
        n->from = to = padded;
        n->from_stride = stride = columns;
    }
    lossi_narrow_work(n, groups, (real)tile->scale, rows->others + i, rows->linear + i,
                      gradient != NULL ? to : NULL, stride);
    if (gradient != NULL && to != gradient) {
        lossi_narrow_copy(to, stride, gradient, tile->gradient_stride, columns, count);
    }
}

/* The loss of each row, vectors over rows. */
static void lossi_narrow_values(const lossi_tile *tile, int64_t first, int64_t count, lossi_narrow_rows *rows)
{
    const vreal zero = v_set1(0);
    for (int64_t i = 0; i < count; i += VREAL_LANES) {
        const vreal s = v_load(rows->others + i), own = v_load(rows->own + i);
        v_store(rows->others + i, v_select(v_eq(own, zero), v_select(v_is_nan(s), s, zero),
                                           v_fma(own, v_log1p(s), v_load(rows->linear + i))));
    }
    memcpy((real *)tile->value + first, rows->others, (size_t)count * sizeof(real));
    memcpy((real *)tile->denominator + first, rows->own, (size_t)count * sizeof(real));
}

static void lossi_narrow_tile(const lossi_tile *tile)
{
    lossi_narrow n;
    lossi_narrow_rows rows;
    for (int64_t first = 0; first < tile->rows; first += LOSSI_NARROW_ROWS) {
        const int64_t left = tile->rows - first, count = left < LOSSI_NARROW_ROWS ? left : LOSSI_NARROW_ROWS;
        const int32_t ignored = lossi_narrow_labels(tile, tile->labels + first, count, rows.label, rows.own);
        for (int64_t i = 0; i < count; i += LOSSI_NARROW_CHUNK) {
            if (LOSSI_NARROW_GROUPS == LOSSI_NARROW_FEW || count - i > LOSSI_NARROW_FEW * VREAL_LANES) {
                lossi_narrow_chunk(tile, LOSSI_NARROW_GROUPS, first + i, count - i, i, &rows, &n);
            } else {
                lossi_narrow_chunk(tile, LOSSI_NARROW_FEW, first + i, count - i, i, &rows, &n);
            }
        }
        lossi_narrow_values(tile, first, count, &rows);
        for (int64_t i = 0; i < count && tile->gradient != NULL && ignored; i++) {
            if (rows.label[i] < 0) {
                memset(lossi_place_of(tile->gradient, first + i, tile->gradient_stride), 0,
                       (size_t)tile->columns * sizeof(real));
            }
        }
    }
}

#endif
