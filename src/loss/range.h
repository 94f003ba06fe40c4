/*
 * The range of the numbers of a piece of a row, and where its first maximum is: in vectors, run by run, so that it can be found while
 * something else is done with another piece.
 */
#ifndef LOSSI_LOSS_RANGE_H
#define LOSSI_LOSS_RANGE_H

#include "loss/rowwise.h"

/* The range of the numbers of a piece, NaN passed over, and the run that its first maximum is in. */
typedef struct lossi_piece_range {
    real high, low;
    int64_t run;
} lossi_piece_range;

/* The same in lanes, while it is looked for; and the number of the run that is next. */
typedef struct lossi_range_lanes {
    vreal high, low, run, next;
} lossi_range_lanes;

LOSSI_INLINE void lossi_range_clear(lossi_range_lanes *lanes)
{
    *lanes = (lossi_range_lanes){v_set1(-REAL_INFINITY), v_set1(REAL_INFINITY), v_set1(0), v_set1(0)};
}

/* A whole run. Where there is a NaN it may pass over its neighbours as well: the row is NaN then. */
LOSSI_INLINE void lossi_range_of_run(const real *run, vreal *highest, vreal *lowest)
{
    vreal high[LOSSI_ABREAST], low[LOSSI_ABREAST];
    for (int v = 0; v < LOSSI_ABREAST; v++) {
        high[v] = low[v] = v_load(run + v * VREAL_LANES);
    }
    LOSSI_UNROLL_RUN
    for (int i = LOSSI_ABREAST * VREAL_LANES; i < LOSSI_RUN; i += LOSSI_ABREAST * VREAL_LANES) {
        for (int v = 0; v < LOSSI_ABREAST; v++) {
            const vreal x = v_load(run + i + v * VREAL_LANES);
            high[v] = v_max(x, high[v]);
            low[v] = v_min(x, low[v]);
        }
    }
    *highest = v_max(v_max(high[0], high[1]), v_max(high[2], high[3]));
    *lowest = v_min(v_min(low[0], low[1]), v_min(low[2], low[3]));
}

/* The last run of a row. */
static __attribute__((noinline)) void lossi_range_of_part(const real *run, int64_t columns, vreal *highest,
                                                          vreal *lowest)
{
    *highest = v_set1(-REAL_INFINITY);
    *lowest = v_set1(REAL_INFINITY);
    for (int64_t i = 0; i < columns; i += VREAL_LANES) {
        const vreal x = lossi_load_columns(run, i, columns, REAL_NAN);
        *highest = v_max(x, *highest);
        *lowest = v_min(x, *lowest);
    }
}

/* Of so many columns that are left from `run` on, the first run. */
LOSSI_INLINE void lossi_range_add(lossi_range_lanes *lanes, const real *run, int64_t left)
{
    vreal high, low;
    if (left >= LOSSI_RUN) {
        lossi_range_of_run(run, &high, &low);
    } else {
        lossi_range_of_part(run, left, &high, &low);
    }
    lanes->run = v_select(v_gt(high, lanes->high), lanes->next, lanes->run);
    lanes->high = v_max(high, lanes->high);
    lanes->low = v_min(low, lanes->low);
    lanes->next = lanes->next + v_set1(1);
}

/*
 * The rest of a piece, from column j on, and its range. A last run that is no whole one is seen as the last LOSSI_RUN columns: what is seen
 * twice was there before, and stays in the run where it was first.
 */
static __attribute__((noinline)) lossi_piece_range
lossi_range_end(lossi_range_lanes *lanes, const real *piece, int64_t j, int64_t columns)
{
    for (; j < columns; j += LOSSI_RUN) {
        const int64_t from = columns - j < LOSSI_RUN && columns >= LOSSI_RUN ? columns - LOSSI_RUN : j;
        lossi_range_add(lanes, piece + from, columns - from);
    }
    lossi_piece_range range = {v_largest_lane(lanes->high), -v_largest_lane(-lanes->low), 0};
    range.run = (int64_t)-v_largest_lane(
        v_select(v_eq(lanes->high, v_set1(range.high)), -lanes->run, v_set1(-REAL_INFINITY)));
    return range;
}

/* Of so many columns that are left from `run` on: where in the first run a number is first, which is there. */
LOSSI_INLINE int64_t lossi_run_find(const real *run, int64_t left, real number)
{
    const int64_t columns = left < LOSSI_RUN ? left : LOSSI_RUN;
    const vreal sought = v_set1(number);
    vreal first = v_set1(-LOSSI_RUN), at = -lossi_lane_numbers(0);
    for (int64_t j = 0; j < columns; j += VREAL_LANES) {
        const vreal x = lossi_load_columns(run, j, columns, REAL_NAN);
        first = v_max(v_select(v_eq(x, sought), at, first), first);
        at = at - v_set1(VREAL_LANES);
    }
    return (int64_t)-v_largest_lane(first);
}

LOSSI_INLINE lossi_piece_range lossi_range_of(const real *piece, int64_t columns)
{
    lossi_range_lanes lanes;
    lossi_range_clear(&lanes);
    return lossi_range_end(&lanes, piece, 0, columns);
}

#endif
