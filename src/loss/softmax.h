/*
 * The softmax of a row, a vector of columns at a time: p, 1 − p and log p, exact to their last digits (loss/rowwise.h).
 *
 * Nothing is stored: every pass over the row computes them again.
 */
#ifndef LOSSI_LOSS_SOFTMAX_H
#define LOSSI_LOSS_SOFTMAX_H

#include "loss/distribution.h"

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
    f64v sums[LOSSI_WIDE], losses[LOSSI_WIDE];
    double sum[F64_LANES], lost[F64_LANES];
    for (int v = 0; v < LOSSI_WIDE; v++) {
        sums[v] = lanes->sum[v];
        losses[v] = lanes->lost[v];
    }
    for (int half = LOSSI_WIDE / 2; half > 0; half /= 2) {
        for (int v = 0; v < half; v++) {
            const f64v after = sums[v] + sums[v + half], part = after - sums[v];
            losses[v] = losses[v] +
                        (losses[v + half] + ((sums[v] - (after - part)) + (sums[v + half] - part)));
            sums[v] = after;
        }
    }
    f64_store(sum, sums[0]);
    f64_store(lost, losses[0]);
    for (int half = F64_LANES / 2; half > 0; half /= 2) {
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

/* A vector of columns: 0, 1, −∞ beyond the row. */
typedef struct lossi_softmax_columns {
    vreal p, rest, log; /* p, 1 − p, which keeps its digits where p is nearly 1, and log p */
    vmask largest;
} lossi_softmax_columns;

/*
 * p as exp(z_j − m), 1 in the largest column, with what it is missing, and z_j − m as log p. What is 0, columns beyond the row first
 * of all, is not computed: an exponential that underflows takes processors a hundred times as long.
 */
LOSSI_INLINE vreal lossi_softmax_exponentials(const lossi_softmax *softmax, int64_t j,
                                              lossi_softmax_columns *at)
{
    const vreal zero = v_set1(0);
    const vreal z = lossi_load_columns(softmax->logits, j, softmax->columns, -REAL_INFINITY);
    vreal missing;
    at->largest = v_eq(lossi_lane_numbers(0), v_set1((real)(softmax->largest - j)));
    at->log = v_select(at->largest, zero, z - v_set1(softmax->maximum)); /* ∞ − ∞ is 0 there */
    const vmask none = v_lt(at->log, v_set1(MATH_EXP_LOWEST));
    const vreal e = v_exp_parts(v_select(none, zero, at->log), &missing);
    at->p = v_select(none, zero, e);
    return v_select(none, zero, missing);
}

/* All but the logarithm. A row with a NaN in it, or without a limit, has s = NaN. */
LOSSI_INLINE void lossi_softmax_begin_row(const lossi_tile *tile, int64_t row, lossi_softmax *softmax)
{
    const vreal zero = v_set1(0);
    lossi_lane_sum sum;
    lossi_softmax_columns at;
    softmax->logits = lossi_row_of(tile->prediction, row, tile->prediction_stride);
    softmax->columns = tile->columns;
    softmax->maximum = lossi_row_maximum(softmax->logits, tile->columns, &softmax->largest);
    lossi_lane_sum_clear(&sum);
    for (int64_t j = 0; j < tile->columns; j += VREAL_LANES) {
        const vreal missing = lossi_softmax_exponentials(softmax, j, &at);
        lossi_columns_add_parts(&sum, j, v_select(at.largest, zero, at.p),
                                v_select(at.largest, zero, missing));
    }
    lossi_columns_end(&sum, tile->columns);
    lossi_softmax_total(&sum, softmax);
    const real highest = lossi_get(softmax->logits + softmax->largest);
    if (highest != highest) {
        softmax->others.head = softmax->divisor.head = highest;
    }
    softmax->inverse = 1 / softmax->divisor.head;
    softmax->rest = lossi_first_lane(
        lossi_softmax_divide(softmax, v_set1(softmax->others.head), v_set1(softmax->others.missing)));
}

/* At most 16 rows: begun together they do not wait for each other, and share their logarithms. */
static __attribute__((noinline)) void lossi_softmax_begin(const lossi_tile *tile, int64_t first, int64_t rows,
                                                          lossi_softmax *softmax)
{
    real others[LOSSI_LANES] = {0}, log[LOSSI_LANES];
    for (int64_t i = 0; i < rows; i++) {
        lossi_softmax_begin_row(tile, first + i, &softmax[i]);
        others[i] = softmax[i].others.head;
    }
    for (int64_t i = 0; i < rows; i += VREAL_LANES) {
        v_store(log + i, v_log1p(v_load(others + i)));
    }
    for (int64_t i = 0; i < rows; i++) {
        softmax[i].log = log[i];
    }
}

/* Inlined where that makes it fast; without an instruction for a fused multiply-add it is long instead. */
#if defined(LOSSI_ISA_BASE)
#define LOSSI_SHORT static __attribute__((noinline))
#else
#define LOSSI_SHORT LOSSI_INLINE
#endif

LOSSI_SHORT void lossi_softmax_load(const lossi_softmax *softmax, int64_t j, lossi_softmax_columns *at)
{
    const vreal missing = lossi_softmax_exponentials(softmax, j, at);
    at->p = lossi_softmax_divide(softmax, at->p, missing);
    at->rest = v_select(at->largest, v_set1(softmax->rest), v_set1(1) - at->p);
    at->log = at->log - v_set1(softmax->log);
}

#endif
