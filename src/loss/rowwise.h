/*
 * Pieces of losses over the columns of a row: maxima, exponentials and sums that nothing cancels in.
 *
 *     softmax p_j = e_j / (1 + s),   e_j = exp(z_j − m),   s = Σ_{j ≠ a} e_j,   m = z_a the first largest
 *     log Σ exp z = m + log1p(s)
 *
 * Leaving the largest term out of s keeps log1p(s) and 1 − p_a = s/(1 + s) exact when one class dominates, where the plain
 * form returns 0. Sums follow core/sum.h: column j belongs to lane j mod 16; float64 keeps the rounding errors too
 * (Knuth, TAOCP vol. 2, 4.2.2, theorem B), float32 adds in double. Exponentials are added in runs first (below).
 */
#ifndef LOSSI_LOSS_ROWWISE_H
#define LOSSI_LOSS_ROWWISE_H

#include "loss/lanes.h"
#include "loss/stream.h"
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

/*
 * Vectors of columns alone, one after the other: loops that stop with the row, and are short as code. Two vectors of lanes stay in
 * registers when they change places after each addition; more are in memory anyway.
 */
enum { LOSSI_CHANGE_PLACES = LOSSI_PACK == 2 && VREAL_LANES * LOSSI_REAL == 512 };

LOSSI_INLINE void lossi_change_places(lossi_lane_sum *lanes)
{
    const f64v sum = lanes->sum[0];
    lanes->sum[0] = lanes->sum[1];
    lanes->sum[1] = sum;
#if LOSSI_REAL == 64
    const f64v lost = lanes->lost[0];
    lanes->lost[0] = lanes->lost[1];
    lanes->lost[1] = lost;
#endif
}

/* Adds the vector at column j; of every vector of a row in turn. */
LOSSI_INLINE void lossi_columns_add(lossi_lane_sum *lanes, int64_t j, vreal x)
{
    lossi_lane_sum_add(lanes, LOSSI_CHANGE_PLACES ? 0 : (int)(j / VREAL_LANES % LOSSI_PACK), x);
    if (LOSSI_CHANGE_PLACES) {
        lossi_change_places(lanes);
    }
}

/* The same with what x is missing. */
LOSSI_INLINE void lossi_columns_add_parts(lossi_lane_sum *lanes, int64_t j, vreal x, vreal missing)
{
    const int v = LOSSI_CHANGE_PLACES ? 0 : (int)(j / VREAL_LANES % LOSSI_PACK);
#if LOSSI_REAL == 64
    lanes->lost[v] = lanes->lost[v] + missing;
#else
    lossi_lane_sum_add(lanes, v, missing);
#endif
    lossi_columns_add(lanes, j, x);
}

/* Every vector of a row is there. */
LOSSI_INLINE void lossi_columns_end(lossi_lane_sum *lanes, int64_t columns)
{
    if (LOSSI_CHANGE_PLACES && (columns + VREAL_LANES - 1) / VREAL_LANES % 2 != 0) {
        lossi_change_places(lanes);
    }
}

LOSSI_INLINE double lossi_columns_total(lossi_lane_sum *lanes, int64_t columns)
{
    lossi_columns_end(lanes, columns);
    return lossi_lane_sum_total(lanes);
}

LOSSI_INLINE vreal lossi_load_columns(const real *row, int64_t j, int64_t columns, real fill)
{
    if (j + VREAL_LANES <= columns) {
        return v_load(row + j);
    }
    const int left = (int)(columns - j);
    const vmask there = v_lt(lossi_lane_numbers(0), v_set1((real)left));
    return v_select(there, v_load_part(row + j, left), v_set1(fill));
}

LOSSI_INLINE void lossi_store_columns(real *row, int64_t j, int64_t columns, vreal x)
{
    if (j + VREAL_LANES <= columns) {
        v_store(row + j, x);
    } else {
        v_store_part(row + j, x, (int)(columns - j));
    }
}

/* The column numbers of a pack. */
LOSSI_INLINE void lossi_column_numbers(int64_t j, vreal *pack)
{
    for (int v = 0; v < LOSSI_PACK; v++) {
        pack[v] = lossi_lane_numbers(v) + v_set1((real)j);
    }
}

/* ---- the largest number of a row ---- */

enum {
    LOSSI_ABREAST = 4, /* vectors worked on side by side: a maximum takes longer than a load */
    LOSSI_MAXIMUM_OF =
        512 /* columns whose maximum is kept apart, so that it is sought only there; measured */
};

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
    real maximum = -REAL_INFINITY;
    int64_t j = 0, end;
    for (int64_t from = 0; from < columns; from += LOSSI_MAXIMUM_OF) {
        const int64_t left = columns - from;
        const real largest = lossi_row_largest(row + from, left < LOSSI_MAXIMUM_OF ? left : LOSSI_MAXIMUM_OF);
        j = largest > maximum ? from : j;
        maximum = largest > maximum ? largest : maximum;
    }
    const vreal sought = v_set1(maximum);
    end = j + LOSSI_MAXIMUM_OF < columns ? j + LOSSI_MAXIMUM_OF : columns;
    for (; j + VREAL_LANES <= end && !v_mask_any(v_eq(v_load(row + j), sought)); j += VREAL_LANES) {
    }
    if (j >= end) {
        *first = 0; /* none: all NaN */
        return maximum;
    }
    /* the last vector of a row is no whole one; without branches, which nobody could predict */
    const vreal x = lossi_load_columns(row, j, columns, REAL_NAN);
    const real lane = -v_largest_lane(
        v_select(v_eq(x, sought), -lossi_lane_numbers(0), v_set1(-VREAL_LANES)));
    *first = lane < VREAL_LANES ? j + (int64_t)lane : 0;
    return maximum;
}

/* ---- exponentials and their sum ---- */

/*
 * Runs of 128 columns, eight packs, are added pairwise in the element type: three rounding errors, each at most half a unit in
 * the last place, whatever the row. Then the 16 sums of a run go onto the lanes. Columns beyond the row are +0, which changes no sum.
 */
enum { LOSSI_RUN_PACKS = 8, LOSSI_RUN = LOSSI_RUN_PACKS * LOSSI_LANES };

/* A row of at most two packs is over before lanes in double are worth it: it stays in the element type to the end. */
enum { LOSSI_SHORT_ROW = 2 * LOSSI_LANES };

/* Eight exponentials side by side, which take many times longer than they keep an instruction port busy. */
#if VREAL_LANES * LOSSI_REAL == 128
#define LOSSI_UNROLL_RUN
#elif defined(__clang__)
#define LOSSI_UNROLL_RUN _Pragma("clang loop unroll(full)")
#else
#define LOSSI_UNROLL_RUN _Pragma("GCC unroll 8")
#endif

LOSSI_INLINE vreal lossi_run_tree(const vreal *x, int step)
{
    return ((x[0] + x[step]) + (x[2 * step] + x[3 * step])) +
           ((x[4 * step] + x[5 * step]) + (x[6 * step] + x[7 * step]));
}

/*
 * How far ahead of the exponentials logits are asked for, in bytes: two pages, measured to be about best, or the next row where
 * that is farther. The prefetchers of the hardware stop at the end of a page.
 */
enum { LOSSI_AHEAD = 8192, LOSSI_CACHE_LINE = 64 / sizeof(real) /* in elements */ };

LOSSI_INLINE int64_t lossi_ahead(int64_t columns)
{
    const int64_t bytes = columns * (int64_t)sizeof(real);
    return bytes > LOSSI_AHEAD ? bytes : LOSSI_AHEAD;
}

/* Asks for the cache lines of a run that is so many bytes ahead; they need not be part of the array. */
LOSSI_INLINE void lossi_prefetch_run(const real *row, int64_t ahead)
{
    LOSSI_UNROLL_RUN
    for (int j = 0; j < LOSSI_RUN; j += LOSSI_CACHE_LINE) {
        __builtin_prefetch((const void *)((uintptr_t)(row + j) + (uintptr_t)ahead), 0, 3);
    }
}

/* From here to 0 e^x is a normal number: e^-87.34 and e^-708.40 are the smallest. */
#if LOSSI_REAL == 32
#define LOSSI_EXP_NEAR (-87)
#else
#define LOSSI_EXP_NEAR (-708)
#endif

/* v_exp of math.h for such x, where 2^n is a normal number too: the same bits. */
LOSSI_INLINE vreal lossi_exp_near(vreal x)
{
    vreal n, low;
    const vreal r = v_exp_reduce(x, &n, &low);
    const vreal p = v_fma(r * r, v_exp_tail(r), r) + REAL(1.0);
#if defined(LOSSI_VECTOR_HAS_SCALE)
    return v_scale(p, n);
#else
    return p * v_pow2(n);
#endif
}

/* Any exponential of x <= 0. What is 0 is not computed: where it underflows, processors take a hundred times as long. */
LOSSI_INLINE vreal lossi_exp_far(vreal x)
{
    const vreal zero = v_set1(0);
    const vmask none = v_lt(x, v_set1(MATH_EXP_LOWEST));
    return v_select(none, zero, v_exp_clamped(v_select(none, zero, x)));
}

/* exp(z_j − maximum) of a run. */
LOSSI_INLINE void lossi_run_near(const real *row, int64_t columns, vreal maximum, real *e)
{
    for (int64_t j = 0; j < columns; j += VREAL_LANES) {
        lossi_store_columns(e, j, columns, lossi_exp_near(lossi_load_columns(row, j, columns, 0) - maximum));
    }
}

/* The same wherever they are; rarely needed. */
static __attribute__((noinline)) void lossi_run_far(const real *row, int64_t columns, real maximum, real *e)
{
    for (int64_t j = 0; j < columns; j += VREAL_LANES) {
        lossi_store_columns(e, j, columns,
                            lossi_exp_far(lossi_load_columns(row, j, columns, 0) - v_set1(maximum)));
    }
}

/* The 16 sums of a run. */
LOSSI_INLINE void lossi_run_sums(const real *e, int64_t columns, vreal *sums)
{
    for (int v = 0; v < LOSSI_PACK; v++) {
        vreal x[LOSSI_RUN_PACKS];
        LOSSI_UNROLL_RUN
        for (int i = 0; i < LOSSI_RUN_PACKS; i++) {
            const int64_t j = i * LOSSI_LANES + v * VREAL_LANES;
            x[i] = j < columns ? lossi_load_columns(e, j, columns, 0) : v_set1(0);
        }
        sums[v] = lossi_run_tree(x, 1);
    }
}

/*
 * A run: its exponentials into e (NULL: not wanted; may be the row itself) and its 16 sums, of which column `out` (−1: none) is left
 * out; its exponential is 1 also at infinity. Inlined for whole runs, of LOSSI_RUN columns, and again for the last of a row:
 * called, it made rows of 1000 columns 5 % slower.
 */
LOSSI_INLINE void lossi_run_of(const real *row, int64_t columns, real maximum, int32_t near, int64_t out,
                               real *e, vreal *sums)
{
    real place[LOSSI_RUN];
    real *const to = e == NULL ? place : e;
    if (near) {
        lossi_run_near(row, columns, v_set1(maximum), to);
    } else {
        lossi_run_far(row, columns, maximum, to);
    }
    if (out >= 0) {
        to[out] = 0;
    }
    lossi_run_sums(to, columns, sums);
    if (out >= 0) {
        to[out] = 1;
    }
}

/*
 * Vectors of a run worked on side by side, all of them loaded before the first is stored: then a compiler may put what the one does
 * between what the other waits for. And whether a run stays in registers until it is summed.
 */
enum {
    LOSSI_RUN_VECTORS = LOSSI_RUN / VREAL_LANES,
    LOSSI_RUN_ABREAST = 8,
    LOSSI_RUN_HELD = VREAL_LANES * LOSSI_REAL == 512
};

/* A whole run, all of it near: its exponentials into e (NULL: not wanted; may be the row itself) and its 16 sums. */
LOSSI_INLINE void lossi_run_whole(const real *row, vreal maximum, real *e, vreal *sums)
{
    real place[LOSSI_RUN_HELD ? 1 : LOSSI_RUN];
    real *const to = e == NULL && !LOSSI_RUN_HELD ? place : e;
    vreal x[LOSSI_RUN_VECTORS];
    LOSSI_UNROLL_RUN
    for (int first = 0; first < LOSSI_RUN_VECTORS; first += LOSSI_RUN_ABREAST) {
        LOSSI_UNROLL_RUN
        for (int v = first; v < first + LOSSI_RUN_ABREAST; v++) {
            x[v] = v_load(row + v * VREAL_LANES);
        }
        LOSSI_UNROLL_RUN
        for (int v = first; v < first + LOSSI_RUN_ABREAST; v++) {
            x[v] = lossi_exp_near(x[v] - maximum);
        }
        if (to != NULL) {
            LOSSI_UNROLL_RUN
            for (int v = first; v < first + LOSSI_RUN_ABREAST; v++) {
                v_store(to + v * VREAL_LANES, x[v]);
            }
        }
    }
    if (!LOSSI_RUN_HELD) {
        lossi_run_sums(to, LOSSI_RUN, sums);
        return;
    }
    for (int v = 0; v < LOSSI_PACK; v++) {
        sums[v] = lossi_run_tree(x + v, LOSSI_PACK);
    }
}

/* The 16 sums of a short row, halved as lanes are, in the element type. */
LOSSI_INLINE double lossi_short_total(const vreal *sums)
{
    real lane[LOSSI_LANES];
    for (int v = 0; v < LOSSI_PACK; v++) {
        v_store(lane + v * VREAL_LANES, sums[v]);
    }
    for (int half = LOSSI_LANES / 2; half > 0; half /= 2) {
        for (int k = 0; k < half; k++) {
            lane[k] += lane[k + half];
        }
    }
    return (double)lane[0];
}

/*
 * e_j = exp(z_j − m) into e (NULL: not wanted; may be the row itself), and s, the sum without column `largest`; e of that
 * column is 1. A single column has no others, whatever its logit; of a row of nothing but NaN s is NaN all the same.
 */
LOSSI_INLINE double lossi_row_exponentials(const real *row, int64_t columns, real maximum, int64_t largest,
                                           real *e)
{
    const real highest = lossi_get(row + largest);
    const int64_t ahead = lossi_ahead(columns);
    lossi_lane_sum lanes;
    vreal sums[LOSSI_PACK] = {v_set1(0)}; /* GCC cannot see that there is a column */

    lossi_lane_sum_clear(&lanes);
    for (int64_t j = 0; j < columns; j += LOSSI_RUN) {
        const int64_t left = columns - j < LOSSI_RUN ? columns - j : LOSSI_RUN;
        const int64_t out = largest >= j && largest < j + LOSSI_RUN ? largest - j : -1;
        lossi_prefetch_run(row + j, ahead);
        lossi_run_of(row + j, left, maximum, 0, out, e != NULL ? e + j : NULL, sums);
        for (int v = 0; v < LOSSI_PACK; v++) {
            lossi_lane_sum_add(&lanes, v, sums[v]);
        }
    }
    if (highest != highest || columns == 1) {
        return highest != highest ? (double)highest : 0;
    }
    return columns <= LOSSI_SHORT_ROW ? lossi_short_total(sums) : lossi_lane_sum_total(&lanes);
}

#endif
