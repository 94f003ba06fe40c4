/*
 * Pieces of losses over the columns of a row: maxima, exponentials and sums that nothing cancels in.
 *
 *     softmax p_j = e_j / (1 + s),   e_j = exp(z_j − m),   s = Σ_{j ≠ a} e_j,   m = z_a the first largest
 *     log Σ exp z = m + log1p(s)
 *
 * Leaving the largest term out of s keeps log1p(s) and 1 − p_a = s/(1 + s) exact when one class dominates, where the plain
 * form returns 0. Sums follow core/sum.h: column j belongs to lane j mod 16; float64 keeps the rounding errors too
 * (Knuth, TAOCP vol. 2, 4.2.2, theorem B), float32 adds in double.
 */
#ifndef LOSSI_LOSS_ROWWISE_H
#define LOSSI_LOSS_ROWWISE_H

#include "loss/lanes.h"
#include "loss/row.h"
#include "simd/reduce.h"

/* ---- 16 lanes of a sum, in double ---- */

typedef struct lossi_lane_sum {
    f64v sum[LOSSI_WIDE];
#if LOSSI_REAL == 64
    f64v lost[LOSSI_WIDE]; /* what rounding took away */
#endif
} lossi_lane_sum;

LOSSI_INLINE void lossi_lane_sum_clear(lossi_lane_sum *lanes)
{
    for (int v = 0; v < LOSSI_WIDE; v++) {
        lanes->sum[v] = f64_set1(0);
#if LOSSI_REAL == 64
        lanes->lost[v] = f64_set1(0);
#endif
    }
}

/* Adds vector v of a pack of 16 columns. */
LOSSI_INLINE void lossi_lane_sum_add(lossi_lane_sum *lanes, int v, vreal x)
{
#if LOSSI_REAL == 64
    const f64v before = lanes->sum[v], after = before + x, part = after - before;
    lanes->lost[v] = lanes->lost[v] + ((before - (after - part)) + (x - part));
    lanes->sum[v] = after;
#else
    lanes->sum[2 * v] = lanes->sum[2 * v] + f32_to_f64_low(x);
    lanes->sum[2 * v + 1] = lanes->sum[2 * v + 1] + f32_to_f64_high(x);
#endif
}

LOSSI_INLINE double lossi_lane_sum_total(const lossi_lane_sum *lanes)
{
    double total = f64_sum_sixteen(lanes->sum);
#if LOSSI_REAL == 64
    const double lost = f64_sum_sixteen(lanes->lost);
    if (total - total == 0) { /* infinity and NaN have no rounding error to give back */
        total += lost;
    }
#endif
    return total;
}

/* ---- packs of 16 columns ---- */

/* How many columns of vector v of the pack at column j there are: 0 … VREAL_LANES. */
LOSSI_INLINE int lossi_columns_left(int64_t j, int v, int64_t columns)
{
    const int64_t left = columns - j - v * VREAL_LANES;
    return left < 0 ? 0 : left < VREAL_LANES ? (int)left : VREAL_LANES;
}

/* 0, 1, …, 15 */
LOSSI_INLINE vreal lossi_lane_numbers(int v)
{
    static const real zero_to_fifteen[LOSSI_LANES] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return v_load(zero_to_fifteen + v * VREAL_LANES);
}

/* The pack at column j, columns beyond the row filled in. */
LOSSI_INLINE void lossi_load_pack(const real *row, int64_t j, int64_t columns, real fill, vreal *pack)
{
    if (j + LOSSI_LANES <= columns) {
        for (int v = 0; v < LOSSI_PACK; v++) {
            pack[v] = v_load(row + j + v * VREAL_LANES);
        }
        return;
    }
    for (int v = 0; v < LOSSI_PACK; v++) {
        const int left = lossi_columns_left(j, v, columns);
        const real *from = row + j + v * VREAL_LANES;
        const vmask there = v_lt(lossi_lane_numbers(0), v_set1((real)left));
        pack[v] = left == 0             ? v_set1(fill)
                  : left == VREAL_LANES ? v_load(from) /* no part of a vector: v_load_part does not take it */
                                        : v_select(there, v_load_part(from, left), v_set1(fill));
    }
}

LOSSI_INLINE void lossi_store_pack(real *row, int64_t j, int64_t columns, const vreal *pack)
{
    if (j + LOSSI_LANES <= columns) {
        for (int v = 0; v < LOSSI_PACK; v++) {
            v_store(row + j + v * VREAL_LANES, pack[v]);
        }
        return;
    }
    for (int v = 0; v < LOSSI_PACK; v++) {
        const int left = lossi_columns_left(j, v, columns);
        if (left == VREAL_LANES) {
            v_store(row + j + v * VREAL_LANES, pack[v]);
        } else if (left > 0) {
            v_store_part(row + j + v * VREAL_LANES, pack[v], left);
        }
    }
}

/* The column numbers of a pack. */
LOSSI_INLINE void lossi_column_numbers(int64_t j, vreal *pack)
{
    for (int v = 0; v < LOSSI_PACK; v++) {
        pack[v] = lossi_lane_numbers(v) + v_set1((real)j);
    }
}

/* ---- rows ---- */

/* The largest number of a row and the first column that has it; NaN is passed over, and meets us again in exp. */
LOSSI_INLINE real lossi_row_maximum(const real *row, int64_t columns, int64_t *first)
{
    vreal largest[LOSSI_PACK], pack[LOSSI_PACK];
    for (int v = 0; v < LOSSI_PACK; v++) {
        largest[v] = v_set1(-REAL_INFINITY);
    }
    for (int64_t j = 0; j < columns; j += LOSSI_LANES) {
        lossi_load_pack(row, j, columns, -REAL_INFINITY, pack);
        for (int v = 0; v < LOSSI_PACK; v++) {
            largest[v] = v_max(pack[v], largest[v]);
        }
    }
    for (int v = 1; v < LOSSI_PACK; v++) {
        largest[0] = v_max(largest[v], largest[0]);
    }
    const real maximum = v_largest_lane(largest[0]);
    int64_t j = 0;
    for (; j + VREAL_LANES <= columns && !v_mask_any(v_eq(v_load(row + j), v_set1(maximum)));
         j += VREAL_LANES) {
    }
    for (; j < columns && lossi_get(row + j) != maximum; j++) {
    }
    *first = j < columns ? j : 0; /* none: all NaN */
    return maximum;
}

/*
 * e_j = exp(z_j − m) into e (NULL: not wanted; may be the row itself), and s, the sum without column `largest`; e of that
 * column is 1.
 */
LOSSI_INLINE double lossi_row_exponentials(const real *row, int64_t columns, real maximum, int64_t largest,
                                           real *e)
{
    const vreal m = v_set1(maximum), one = v_set1(1), zero = v_set1(0), skip = v_set1((real)largest);
    vreal pack[LOSSI_PACK], number[LOSSI_PACK];
    lossi_lane_sum lanes;

    lossi_lane_sum_clear(&lanes);
    for (int64_t j = 0; j < columns; j += LOSSI_LANES) {
        lossi_load_pack(row, j, columns, -REAL_INFINITY, pack);
        for (int v = 0; v < LOSSI_PACK; v++) {
            pack[v] = v_exp(pack[v] - m);
        }
        if (largest >= j && largest < j + LOSSI_LANES) {
            lossi_column_numbers(j, number);
            for (int v = 0; v < LOSSI_PACK; v++) {
                const vmask here = v_eq(number[v], skip);
                lossi_lane_sum_add(&lanes, v, v_select(here, zero, pack[v]));
                pack[v] = v_select(here, one, pack[v]);
            }
        } else {
            for (int v = 0; v < LOSSI_PACK; v++) {
                lossi_lane_sum_add(&lanes, v, pack[v]);
            }
        }
        if (e != NULL) {
            lossi_store_pack(e, j, columns, pack);
        }
    }
    return lossi_lane_sum_total(&lanes);
}

#endif
