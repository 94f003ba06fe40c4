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

/*
 * How far ahead of the exponentials logits are asked for, in bytes: two pages, measured to be about best. The prefetchers of
 * the hardware stop at the end of a page, and rest while the gradient is written.
 */
enum { LOSSI_AHEAD = 8192, LOSSI_CACHE_LINE = 64 / sizeof(real) /* in elements */ };

/* Asks for the cache line that is so far ahead; it need not be part of the array. */
LOSSI_INLINE void lossi_prefetch(const real *x)
{
    __builtin_prefetch((const void *)((uintptr_t)x + LOSSI_AHEAD), 0, 2);
}

enum { LOSSI_ABREAST = 4 }; /* vectors worked on side by side: a maximum takes longer than a load */

/* The largest number of a row; NaN is passed over. */
LOSSI_INLINE real lossi_row_largest(const real *row, int64_t columns)
{
    vreal largest[LOSSI_ABREAST];
    int64_t j = 0;
    for (int v = 0; v < LOSSI_ABREAST; v++) {
        largest[v] = v_set1(-REAL_INFINITY);
    }
    for (; j + LOSSI_ABREAST * VREAL_LANES <= columns; j += LOSSI_ABREAST * VREAL_LANES) {
        for (int v = 0; v < LOSSI_ABREAST; v++) {
            largest[v] = v_max(v_load(row + j + v * VREAL_LANES), largest[v]);
        }
    }
    for (; j + VREAL_LANES <= columns; j += VREAL_LANES) {
        largest[0] = v_max(v_load(row + j), largest[0]);
    }
    if (j < columns) {
        const int left = (int)(columns - j);
        const vmask there = v_lt(lossi_lane_numbers(0), v_set1((real)left));
        largest[1] = v_max(v_select(there, v_load_part(row + j, left), largest[1]), largest[1]);
    }
    for (int v = 1; v < LOSSI_ABREAST; v++) {
        largest[0] = v_max(largest[v], largest[0]);
    }
    return v_largest_lane(largest[0]);
}

/* The same, and the first column that has it; NaN meets us again in exp. */
LOSSI_INLINE real lossi_row_maximum(const real *row, int64_t columns, int64_t *first)
{
    const real maximum = lossi_row_largest(row, columns);
    const vreal sought = v_set1(maximum);
    int64_t j = 0;
    for (; j + LOSSI_ABREAST * VREAL_LANES <= columns; j += LOSSI_ABREAST * VREAL_LANES) {
        vmask found = v_eq(v_load(row + j), sought);
        for (int v = 1; v < LOSSI_ABREAST; v++) {
            found = v_mask_or(found, v_eq(v_load(row + j + v * VREAL_LANES), sought));
        }
        if (v_mask_any(found)) {
            break;
        }
    }
    for (; j + VREAL_LANES <= columns && !v_mask_any(v_eq(v_load(row + j), sought)); j += VREAL_LANES) {
    }
    for (; j < columns && lossi_get(row + j) != maximum; j++) {
    }
    *first = j < columns ? j : 0; /* none: all NaN */
    return maximum;
}

/* How many packs are worked on side by side: exp takes many times longer than it keeps an instruction port busy. */
enum {
    LOSSI_PACKS_ABREAST = (int)LOSSI_ABREAST > (int)LOSSI_PACK ? (int)LOSSI_ABREAST / (int)LOSSI_PACK : 1
};

/* `packs` whole packs side by side, then added up in the order of the columns. */
LOSSI_INLINE void lossi_exponentials_abreast(const real *row, int packs, vreal maximum, real *e,
                                             lossi_lane_sum *lanes)
{
    vreal x[LOSSI_PACKS_ABREAST * LOSSI_PACK];
    for (int v = 0; v < packs * LOSSI_PACK; v++) {
        x[v] = v_exp_nonpositive(v_load(row + v * VREAL_LANES) - maximum);
    }
    for (int j = 0; j < packs * LOSSI_LANES; j += LOSSI_CACHE_LINE) {
        lossi_prefetch(row + j);
    }
    for (int v = 0; v < packs * LOSSI_PACK; v++) {
        lossi_lane_sum_add(lanes, v % LOSSI_PACK, x[v]);
        if (e != NULL) {
            v_store(e + v * VREAL_LANES, x[v]);
        }
    }
}

/* Whole packs without the largest column: columns first … end − 1. */
LOSSI_INLINE void lossi_pack_exponentials(const real *row, int64_t first, int64_t end, vreal maximum, real *e,
                                          lossi_lane_sum *lanes)
{
    enum { STEP = LOSSI_PACKS_ABREAST * LOSSI_LANES };
    int64_t j = first;
    for (; j + STEP <= end; j += STEP) {
        lossi_exponentials_abreast(row + j, LOSSI_PACKS_ABREAST, maximum, e == NULL ? NULL : e + j, lanes);
    }
    for (; j < end; j += LOSSI_LANES) {
        lossi_exponentials_abreast(row + j, 1, maximum, e == NULL ? NULL : e + j, lanes);
    }
}

/* A pack that is not whole or has the largest column. */
LOSSI_INLINE void lossi_odd_exponentials(const real *row, int64_t j, int64_t columns, vreal maximum,
                                         int64_t largest, real *e, lossi_lane_sum *lanes)
{
    vreal pack[LOSSI_PACK], number[LOSSI_PACK];
    lossi_load_pack(row, j, columns, -REAL_INFINITY, pack);
    lossi_column_numbers(j, number);
    for (int v = 0; v < LOSSI_PACK; v++) {
        const vmask here = v_eq(number[v], v_set1((real)largest));
        pack[v] = v_exp_nonpositive(pack[v] - maximum);
        lossi_lane_sum_add(lanes, v, v_select(here, v_set1(0), pack[v]));
        pack[v] = v_select(here, v_set1(1), pack[v]);
    }
    if (e != NULL) {
        lossi_store_pack(e, j, columns, pack);
    }
}

/*
 * e_j = exp(z_j − m) into e (NULL: not wanted; may be the row itself), and s, the sum without column `largest`; e of that
 * column is 1.
 */
LOSSI_INLINE double lossi_row_exponentials(const real *row, int64_t columns, real maximum, int64_t largest,
                                           real *e)
{
    const vreal m = v_set1(maximum);
    const int64_t whole = columns / LOSSI_LANES * LOSSI_LANES;
    lossi_lane_sum lanes;

    lossi_lane_sum_clear(&lanes);
    for (int64_t j = 0; j < columns;) { /* whole packs up to the next odd one, then that */
        const int64_t odd = largest >= j && largest < whole ? largest / LOSSI_LANES * LOSSI_LANES : whole;
        lossi_pack_exponentials(row, j, odd, m, e, &lanes);
        if (odd < columns) {
            lossi_odd_exponentials(row, odd, columns, m, largest, e, &lanes);
        }
        j = odd + LOSSI_LANES;
    }
    return lossi_lane_sum_total(&lanes);
}

#endif
