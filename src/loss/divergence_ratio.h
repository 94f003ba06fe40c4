/*
 * Value and gradient, of logits, of a loss of loss/divergence.h that is made of b = p Σ t and the logarithm r of t/b.
 *
 *     x_j = z_j − m, e_j = exp x_j, s = Σ_{j ≠ a} e_j     b_j = β e_j, β = Σ t/(1 + s)     r_j = log t_j − x_j − log β
 *
 * With t = 2^n (1 + f) and β likewise r is (n − n_β) ln 2 − x + log(1 + f) − log(1 + f_β): where it is small, its large parts cancel
 * before they are rounded, and its error is that of two numbers below ½. So no quotient t/b is needed, and p need not be known
 * better than to its last digit: where b comes near t, the loss is a series in r times b.
 *
 * Column a of the largest logit, where p may be as near to 1 as it likes, is done by itself: the passes over a row leave it out, as
 * though its logit were −∞ and its target 0. There r = log(1 + s) − log(1 + Σ_{j ≠ a} t_j/t_a).
 *
 * Written once for one row and for rows abreast (loss/abreast.h): `abreast` is known to the compiler everywhere. A row of at most
 * 1024 columns keeps its exponentials; those of a longer one are computed in every pass, to the same bits.
 */
#ifndef LOSSI_LOSS_DIVERGENCE_RATIO_H
#define LOSSI_LOSS_DIVERGENCE_RATIO_H

#include "loss/divergence.h"

enum { LOSSI_RATIO_KEPT = 1024 };

/* 1 where a loss compares t with p, whatever Σ t is, and makes no use of r. */
#ifndef LOSSI_RATIO_UNSCALED
#define LOSSI_RATIO_UNSCALED 0
#endif

/* Whether the sum of the slopes is not known before. */
#ifdef LOSSI_SLOPES_KNOWN
enum { LOSSI_RATIO_SLOPES = 0 };
#else
enum { LOSSI_RATIO_SLOPES = 1 };
#endif

/* A vector of columns. */
typedef struct lossi_ratio_columns {
    vreal p, rest, b, t, r; /* rest: 1 − p */
    vmask nothing;          /* e is 0, not only too small for a number */
    vmask none;             /* t is 0 */
} lossi_ratio_columns;

/* A row, or rows abreast, while they are worked on. */
typedef struct lossi_ratio {
    const real *prediction, *target;
    real *gradient;
    int64_t columns;    /* of rows abreast: all their elements */
    int32_t logarithms; /* what targets are */
    vreal scale;
    int64_t largest;             /* of one row */
    lossi_column_place place;    /* of the largest */
    vreal maximum, own;          /* m, and t_a */
    vreal others, target_others; /* s, and Σ_{j ≠ a} t_j */
    vreal total;                 /* Σ t */
    vreal p, rest;               /* p_a and 1 − p_a */
    vreal weight;                /* 1/Σ t, 1 where that is 0 */
    vreal factor, exponent, log; /* β, n_β and log(1 + f_β) */
    const double *parameters;
    vreal origin;                /* where slopes are measured from, of LOSSI_RATIO_BEGIN */
    vreal slopes, slopes_others; /* Σ φ' of all columns, and without a */
    vreal value, first;          /* first: φ' in column a */
    real e[LOSSI_RATIO_KEPT], slope[LOSSI_RATIO_KEPT]; /* e and φ' */
} lossi_ratio;

/* ---- what a loss gives ---- */

/* φ and its derivative by log p. */
LOSSI_SHORT void ratio_formula(const lossi_ratio_columns *x, const lossi_ratio *row, vreal *value,
                               vreal *first);

#ifdef LOSSI_RATIO_BEGIN
/* Makes what a loss wants to know of column a. */
LOSSI_INLINE void LOSSI_RATIO_BEGIN(const lossi_ratio_columns *largest, lossi_ratio *row);
#endif

/* What the sum of the values is missing; of Σ t, in double. */
LOSSI_INLINE vreal ratio_offset(lossi_doubles total);

/* ---- columns ---- */

LOSSI_INLINE vreal lossi_ratio_exponent(const lossi_ratio *row, int64_t j, vmask here)
{
    const vreal z = lossi_load_columns(row->prediction, j, row->columns, -REAL_INFINITY);
    return v_select(here, v_set1(-REAL_INFINITY), z - row->maximum);
}

LOSSI_SHORT vreal lossi_ratio_target(const lossi_ratio *row, int64_t j, vmask here, vreal *log)
{
    const real none = row->logarithms ? -REAL_INFINITY : 0;
    *log = v_select(here, v_set1(none), lossi_load_columns(row->target, j, row->columns, none));
    return row->logarithms ? v_exp(*log) : *log;
}

/* r of a target, which is given as its logarithm or by itself. */
LOSSI_SHORT vreal lossi_ratio_log(const lossi_ratio *row, vreal given, vreal x)
{
    vreal n = v_set1(0), log = v_set1(0), apart;
    if (row->logarithms) {
        n = n - row->exponent;
        apart = v_fma(n, v_set1(MATH_LN2_HIGH), given - x);
    } else {
        log = lossi_near_log(v_split(given, &n) - REAL(1.0));
        n = n - row->exponent;
        apart = v_fma(n, v_set1(MATH_LN2_HIGH), -x);
    }
    return apart + (log + v_fma(n, v_set1(MATH_LN2_LOW), -row->log));
}

/* ---- passes ---- */

/* The largest logit, its column, and the target there; gives the logit, which is NaN where all are. */
LOSSI_INLINE vreal lossi_ratio_largest(int32_t abreast, lossi_ratio *row)
{
    if (!abreast) {
        row->maximum = v_set1(lossi_row_maximum(row->prediction, row->columns, &row->largest));
        row->place = lossi_column_of_row(row->largest);
        row->own = v_set1(lossi_get(row->target + row->largest));
        return v_set1(lossi_get(row->prediction + row->largest));
    }
    vreal m = v_set1(-REAL_INFINITY), first = v_set1(0), highest = v_load(row->prediction);
    vreal own = v_load(row->target);
    for (int64_t j = 0; j < row->columns; j += VREAL_LANES) {
        m = v_max(v_load(row->prediction + j), m); /* NaN is passed over */
    }
    for (int64_t j = row->columns - VREAL_LANES; j >= 0; j -= VREAL_LANES) {
        const vreal z = v_load(row->prediction + j);
        const vmask here = v_eq(z, m);
        first = v_select(here, v_set1((real)j), first);
        highest = v_select(here, z, highest);
        own = v_select(here, v_load(row->target + j), own);
    }
    row->maximum = m;
    row->place = (lossi_column_place){0, first};
    row->own = own;
    return highest;
}

/* s and Σ t; 1 where targets are taken as they are. */
LOSSI_INLINE lossi_doubles lossi_ratio_begin(int32_t abreast, int32_t kept, lossi_ratio *row)
{
    lossi_sum others, targets;
    const vreal highest = lossi_ratio_largest(abreast, row);
    row->own = row->logarithms ? v_exp(row->own) : row->own;
    lossi_sum_clear(abreast, &others);
    lossi_sum_clear(abreast, &targets);
    for (int64_t j = 0; j < row->columns; j += VREAL_LANES) {
        const vmask here = lossi_column_is(&row->place, j);
        vreal log;
        const vreal e = lossi_exp_far(lossi_ratio_exponent(row, j, here));
        if (kept) {
            v_store(row->e + j, e);
        }
        lossi_sum_add(abreast, &others, j, e);
        if (!LOSSI_RATIO_UNSCALED) {
            lossi_sum_add(abreast, &targets, j, lossi_ratio_target(row, j, here, &log));
        }
    }
    const lossi_doubles s = lossi_sum_total(abreast, &others, row->columns, 0);
    row->others = v_select(v_is_nan(highest), highest, lossi_round(s));
    lossi_doubles rest = lossi_doubles_set1(0), total = lossi_doubles_set1(1);
    if (!LOSSI_RATIO_UNSCALED) {
        rest = lossi_sum_total(abreast, &targets, row->columns, 0);
        total = lossi_doubles_add(rest, lossi_widen(row->own));
    }
    row->target_others = lossi_round(rest);
    row->total = lossi_round(total);
    return total;
}

/* What the columns have in common, and column a. */
static __attribute__((noinline)) void lossi_ratio_middle(lossi_ratio *row, lossi_doubles total)
{
    const vreal one = v_set1(1), zero = v_set1(0), s = row->others, divisor = one + s;
    row->p = one / divisor;
    row->rest = s / divisor;
    row->weight = v_select(v_eq(row->total, zero), one, one / row->total);
    row->factor = row->total / divisor;
    row->log = lossi_near_log(v_split(row->factor, &row->exponent) - REAL(1.0));
    const lossi_ratio_columns a = {.p = row->p,
                                   .rest = row->rest,
                                   .b = row->factor,
                                   .t = row->own,
                                   .r = v_log1p(s) - v_log1p(row->target_others / row->own),
                                   .nothing = v_ne(zero, zero),
                                   .none = v_eq(row->own, zero)};
    vreal value;
#ifdef LOSSI_RATIO_BEGIN
    LOSSI_RATIO_BEGIN(&a, row);
#endif
    ratio_formula(&a, row, &value, &row->first);
    const lossi_doubles whole = lossi_doubles_add(lossi_widen(value), lossi_widen(ratio_offset(total)));
    row->value = lossi_round(whole);
}

/* Of one row column a is written when all others are. */
LOSSI_INLINE vreal lossi_ratio_at_largest(const lossi_ratio *row)
{
    return (row->first * row->rest - row->p * row->slopes_others) * row->scale;
}

/* Values and their slopes, or gradients, or, where the sum of the slopes is known before, both. */
LOSSI_INLINE void lossi_ratio_pass(int32_t abreast, int32_t kept, int32_t values, int32_t gradients,
                                   lossi_ratio *row)
{
    lossi_sum sum, slope;
    const vreal inverse = row->slopes * row->p;
    lossi_sum_clear(abreast, &sum);
    lossi_sum_clear(abreast, &slope);
    for (int64_t j = 0; j < row->columns; j += VREAL_LANES) {
        const vmask here = lossi_column_is(&row->place, j);
        vreal given, value, first;
        const vreal x = lossi_ratio_exponent(row, j, here);
        const vreal e = kept ? v_load(row->e + j) : lossi_exp_far(x);
        const vreal t = lossi_ratio_target(row, j, here, &given);
        const lossi_ratio_columns at = {.p = e * row->p,
                                        .rest = v_set1(1) - e * row->p,
                                        .b = e * row->factor,
                                        .t = t,
                                        .r = lossi_ratio_log(row, given, x),
                                        .nothing = v_eq(x, v_set1(-REAL_INFINITY)),
                                        .none = v_eq(t, v_set1(0))};
        ratio_formula(&at, row, &value, &first);
        if (values) {
            lossi_sum_add(abreast, &sum, j, value);
        }
        if (values && LOSSI_RATIO_SLOPES) {
            lossi_sum_add(abreast, &slope, j, first);
        }
        if (values && LOSSI_RATIO_SLOPES && kept) {
            v_store(row->slope + j, first);
        }
        if (gradients) {
            const vreal out = v_fnma(e, inverse, first) * row->scale;
            lossi_store_columns(row->gradient, j, row->columns,
                                abreast ? v_select(here, lossi_ratio_at_largest(row), out) : out);
        }
    }
    if (values) {
        row->value = lossi_round(
            lossi_doubles_add(lossi_sum_total(abreast, &sum, row->columns, 0), lossi_widen(row->value)));
    }
    if (values && LOSSI_RATIO_SLOPES) {
        const lossi_doubles all = lossi_sum_total(abreast, &slope, row->columns, 0);
        row->slopes_others = lossi_round(all);
        row->slopes = lossi_round(lossi_doubles_add(all, lossi_widen(row->first)));
    }
}

/* The gradients of slopes that were kept. */
LOSSI_INLINE void lossi_ratio_kept(int32_t abreast, lossi_ratio *row)
{
    const vreal inverse = row->slopes * row->p;
    for (int64_t j = 0; j < row->columns; j += VREAL_LANES) {
        const vreal out = v_fnma(v_load(row->e + j), inverse, v_load(row->slope + j)) * row->scale;
        const vmask here = lossi_column_is(&row->place, j);
        lossi_store_columns(row->gradient, j, row->columns,
                            abreast ? v_select(here, lossi_ratio_at_largest(row), out) : out);
    }
}

/* The passes over one row are one loop: what they make is asked for in every turn. */
static __attribute__((noinline)) void lossi_ratio_pass_of_row(int32_t kept, int32_t values, int32_t gradients,
                                                              lossi_ratio *row)
{
    lossi_ratio_pass(0, kept, values, gradients, row);
}

LOSSI_INLINE void lossi_ratio_pass_of(int32_t abreast, int32_t kept, int32_t values, int32_t gradients,
                                      lossi_ratio *row)
{
    if (abreast) {
        lossi_ratio_pass(1, 1, values, gradients, row);
    } else {
        lossi_ratio_pass_of_row(kept, values, gradients, row);
    }
}

LOSSI_INLINE void lossi_ratio_all(int32_t abreast, lossi_ratio *row)
{
    const int32_t kept = abreast || row->columns <= LOSSI_RATIO_KEPT, gradients = row->gradient != NULL;
    lossi_ratio_middle(row, lossi_ratio_begin(abreast, kept, row));
#ifdef LOSSI_SLOPES_KNOWN
    row->slopes = -row->total; /* φ' is −t */
    row->slopes_others = -row->target_others;
    lossi_ratio_pass_of(abreast, kept, 1, gradients, row);
#else
    row->slopes = v_set1(0); /* not used */
    lossi_ratio_pass_of(abreast, kept, 1, 0, row);
    if (gradients && kept) {
        lossi_ratio_kept(abreast, row);
    } else if (gradients) {
        lossi_ratio_pass_of(abreast, kept, 0, 1, row);
    }
#endif
}

/* ---- rows ---- */

static __attribute__((noinline)) void lossi_ratio_row(const lossi_tile *tile, int64_t i, lossi_ratio *row)
{
    row->prediction = lossi_row_of(tile->prediction, i, tile->prediction_stride);
    row->target = lossi_row_of(tile->target, i, tile->target_stride);
    row->gradient = lossi_place_of(tile->gradient, i, tile->gradient_stride);
    row->columns = tile->columns;
    lossi_ratio_all(0, row);
    const real value = lossi_first_lane(row->value);
    lossi_put((real *)tile->value + i, value);
    if (value != value) {
        lossi_fill_row(tile, i, value);
    } else if (row->gradient != NULL) {
        lossi_put(row->gradient + row->largest, lossi_first_lane(lossi_ratio_at_largest(row)));
    }
}

#if !defined(LOSSI_ISA_BASE)
/* The rows from `first` on, as many as there are lanes. */
static __attribute__((noinline)) void lossi_ratio_abreast(const lossi_tile *tile, int64_t first,
                                                          lossi_ratio *row)
{
    lossi_abreast_rows logits, target, gradient;
    const lossi_tile rows = lossi_abreast_tile(tile, first, &logits, &target, &gradient);
    row->prediction = rows.prediction;
    row->target = rows.target;
    row->gradient = rows.gradient;
    row->columns = rows.columns;
    lossi_ratio_all(1, row);
    lossi_abreast_finish(tile, first, row->value, &gradient);
    for (int64_t i = 0; i < VREAL_LANES && first + i < tile->rows; i++) {
        const real value = lossi_get((const real *)tile->value + first + i);
        if (value != value) {
            lossi_fill_row(tile, first + i, value);
        }
    }
}
#endif

static void lossi_ratio_tile(const lossi_tile *tile)
{
    lossi_ratio row;
    row.scale = v_set1((real)tile->scale);
    row.parameters = tile->prepared->parameters;
    row.logarithms = tile->prepared->parameters[LOSSI_TARGET_INPUT] != 0;
#if !defined(LOSSI_ISA_BASE)
    if (tile->columns >= LOSSI_ABREAST_LEAST && tile->columns <= LOSSI_ABREAST_MOST) {
        for (int64_t i = 0; i < tile->rows; i += VREAL_LANES) {
            lossi_ratio_abreast(tile, i, &row);
        }
        return;
    }
#endif
    for (int64_t i = 0; i < tile->rows; i++) {
        lossi_ratio_row(tile, i, &row);
    }
}

#endif
