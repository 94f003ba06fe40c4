/*
 * The exponentials of a row in pieces: of each the largest number, then the exponentials, while it is in the first-level cache.
 *
 *     e_j = exp(z_j − m_c),   m_c the largest of piece c       f_c = exp(m_c − m)       s = Σ_c f_c Σ_{j in c, j ≠ a} e_j
 *
 * A row comes from memory once instead of twice. Only the factor f_c of a piece waits for the largest number m of the row, and a
 * later pass multiplies by it what it multiplies by anyway. Column a of m is left out of the sum (loss/rowwise.h), not taken from
 * it: so is that of every piece whose largest is above those before it, which has its 1 given back when a later one is larger still.
 *
 * Pieces are of 2048 columns; of 4096, 8192 … where there would be more than 64. A row of one piece is as in loss/rowwise.h. Factors
 * are exact to nearly half a unit in the last place, and pieces are added in order, in double, with their rounding errors.
 */
#ifndef LOSSI_LOSS_PIECES_H
#define LOSSI_LOSS_PIECES_H

#include "loss/rowwise.h"

enum { LOSSI_PIECE = 2048 /* columns; measured */, LOSSI_PIECES = LOSSI_PARTS };

typedef struct lossi_pieces {
    int64_t columns, each;      /* of the row, and of a piece */
    int64_t largest;            /* column of the first maximum; 0 when there is none */
    real maximum;               /* m */
    real highest[LOSSI_PIECES]; /* m_c */
    real factor[LOSSI_PIECES];  /* f_c */
} lossi_pieces;

LOSSI_INLINE int64_t lossi_piece_columns(int64_t columns)
{
    int64_t each = LOSSI_PIECE;
    while (each < (columns - 1) / LOSSI_PIECES + 1) {
        each *= 2;
    }
    return each;
}

/* How many columns of the piece at column j there are. */
LOSSI_INLINE int64_t lossi_piece_left(const lossi_pieces *pieces, int64_t j)
{
    const int64_t left = pieces->columns - j;
    return left < pieces->each ? left : pieces->each;
}

/* Before anything is known. */
LOSSI_INLINE void lossi_pieces_clear(lossi_pieces *pieces, int64_t columns, int64_t each)
{
    pieces->columns = columns;
    pieces->each = each;
    pieces->largest = 0;
    pieces->maximum = -REAL_INFINITY;
    pieces->factor[0] = 1;
}

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

/* The rest of a piece, from column j on, and its range. */
static __attribute__((noinline)) lossi_piece_range
lossi_range_end(lossi_range_lanes *lanes, const real *piece, int64_t j, int64_t columns)
{
    for (; j < columns; j += LOSSI_RUN) {
        lossi_range_add(lanes, piece + j, columns - j);
    }
    lossi_piece_range range = {v_largest_lane(lanes->high), -v_largest_lane(-lanes->low), 0};
    range.run = (int64_t)-v_largest_lane(
        v_select(v_eq(lanes->high, v_set1(range.high)), -lanes->run, v_set1(-REAL_INFINITY)));
    return range;
}

/* The first column of a run, which has it, of a number. */
LOSSI_INLINE int64_t lossi_run_find(const real *row, int64_t columns, real number)
{
    const vreal sought = v_set1(number);
    int64_t j = 0;
    while (j + VREAL_LANES < columns && !v_mask_any(v_eq(v_load(row + j), sought))) {
        j += VREAL_LANES;
    }
    const vreal x = lossi_load_columns(row, j, columns, REAL_NAN);
    return j +
           (int64_t)-v_largest_lane(v_select(v_eq(x, sought), -lossi_lane_numbers(0), v_set1(-VREAL_LANES)));
}

LOSSI_INLINE lossi_piece_range lossi_range_of(const real *piece, int64_t columns)
{
    lossi_range_lanes lanes;
    lossi_range_clear(&lanes);
    return lossi_range_end(&lanes, piece, 0, columns);
}

/*
 * Numbers of the next piece are looked at, and so fetched, while exponentials keep the processor busy; not in float64, where two pieces
 * and the exponentials of one fill the first-level cache. Asked for are those after them: so far ahead, in bytes, was measured to be
 * about best.
 */
enum { LOSSI_LOOKS_AHEAD = LOSSI_REAL == 32, LOSSI_PIECE_AHEAD = LOSSI_LOOKS_AHEAD ? 12288 : 16384 };

/* A piece that comes next, NULL when there is none; its range is found while the exponentials of the one before it are made. */
typedef struct lossi_next_piece {
    const real *piece;
    int64_t columns;
    lossi_piece_range range;
} lossi_next_piece;

/*
 * One piece, whose range is known: the exponentials into e (NULL: not wanted; may be the row itself) and their sum. Where its largest
 * number is above `before` that column is left out and given, otherwise −1.
 */
static int64_t lossi_piece(const real *row, int64_t columns, const lossi_piece_range *range, real before,
                           real *e, lossi_stream *stream, lossi_next_piece *next, double *sum)
{
    lossi_lane_sum lanes;
    lossi_range_lanes ahead;
    vreal sums[LOSSI_PACK] = {v_set1(0)}; /* GCC cannot see that there is a column */
    const real m = range->high == -REAL_INFINITY ? 0 : range->high; /* e is 0 also there */
    const int32_t near = range->low - range->high >= LOSSI_EXP_NEAR;
    const int64_t leave = range->high > before ? range->run * LOSSI_RUN : -1;
    const int64_t next_columns = next->piece != NULL ? next->columns : 0;
    int64_t left_out = -1, j = 0;

    lossi_lane_sum_clear(&lanes);
    lossi_range_clear(&ahead);
    for (; j < columns; j += LOSSI_RUN) {
        const int64_t left = columns - j < LOSSI_RUN ? columns - j : LOSSI_RUN;
        const int64_t out = j == leave ? lossi_run_find(row + j, left, range->high) : -1;
        left_out = j == leave ? j + out : left_out;
        lossi_prefetch_run(row + j, LOSSI_PIECE_AHEAD);
        lossi_send(stream, left);
        if (j < next_columns) {
            lossi_range_add(&ahead, next->piece + j, next_columns - j);
        }
        if (left == LOSSI_RUN) {
            lossi_run_of(row + j, LOSSI_RUN, m, near, out, e != NULL ? e + j : NULL, sums);
        } else {
            lossi_run_of(row + j, left, m, near, out, e != NULL ? e + j : NULL, sums);
        }
        for (int v = 0; v < LOSSI_PACK; v++) {
            lossi_lane_sum_add(&lanes, v, sums[v]);
        }
    }
    *sum = columns <= LOSSI_SHORT_ROW ? lossi_short_total(sums) : lossi_lane_sum_total(&lanes);
    if (next->piece != NULL) {
        next->range = lossi_range_end(&ahead, next->piece, j, next_columns);
    }
    return left_out;
}

/* f_c of all pieces, and what they are missing. */
static void lossi_piece_factors(lossi_pieces *pieces, int64_t number, real *missing)
{
    const vreal zero = v_set1(0), m = v_set1(pieces->maximum);
    for (int64_t c = number; c % VREAL_LANES != 0; c++) {
        pieces->highest[c] = pieces->maximum;
    }
    for (int64_t c = 0; c < number; c += VREAL_LANES) {
        vreal tail;
        const vreal high = v_load(pieces->highest + c);
        const vreal apart = v_select(v_eq(high, m), zero, high - m),
                    part = apart - high;                         /* also at infinity */
        const vreal lost = (high - (apart - part)) - (m + part); /* Knuth, TAOCP vol. 2, 4.2.2, theorem B */
        const vmask none = v_lt(apart, v_set1(MATH_EXP_LOWEST));
        const vreal f = v_exp_parts(v_select(none, zero, apart), &tail);
        const vreal more = v_fma(f, v_select(v_is_nan(lost), zero, lost), tail), head = f + more;
        v_store(pieces->factor + c, v_select(none, zero, head));
        v_store(missing + c, v_select(none, zero, more - (head - f)));
    }
}

/* Σ_c f_c sum_c */
static double lossi_pieces_total(lossi_pieces *pieces, int64_t number, const double *sums)
{
    real missing[LOSSI_PIECES];
    double total = 0, lost = 0;
    lossi_piece_factors(pieces, number, missing);
    for (int64_t c = 0; c < number; c++) {
        lossi_add_kept(&total, &lost, (double)pieces->factor[c] * sums[c]);
        lost += (double)missing[c] * sums[c];
    }
    return total - total == 0 ? total + lost : total;
}

/*
 * A row: the e_j of its pieces into e (NULL: not wanted; may be the row itself), the f_c, and s. A single column has no others,
 * whatever its logit; of several without a maximum s is NaN. `next` is the first piece of this row, and then that of the row `after`
 * it, if not NULL.
 */
static double lossi_pieces_of(const real *row, int64_t columns, const real *after, real *e,
                              lossi_stream *stream, lossi_next_piece *next, lossi_pieces *pieces)
{
    double sums[LOSSI_PIECES];
    int64_t number = 0, top = -1;
    lossi_pieces_clear(pieces, columns, lossi_piece_columns(columns));
    for (int64_t j = 0; j < columns; j += pieces->each, number++) {
        const int64_t left = lossi_piece_left(pieces, j);
        const lossi_piece_range range = next->piece == row + j ? next->range : lossi_range_of(row + j, left);
        const real *const follows = j + left < columns ? row + j + left : after;
        next->piece = LOSSI_LOOKS_AHEAD ? follows : NULL;
        next->columns = lossi_piece_left(pieces, follows != after ? j + left : 0);
        const int64_t left_out = lossi_piece(row + j, left, &range, pieces->maximum, e != NULL ? e + j : NULL,
                                             stream, next, &sums[number]);
        pieces->highest[number] = range.high;
        if (left_out >= 0) {
            if (top >= 0) {
                sums[top] += 1; /* which is not the largest after all */
            }
            top = number;
            pieces->maximum = range.high;
            pieces->largest = j + left_out;
        }
    }
    if (top < 0 && columns > 1) {
        return (double)REAL_NAN;
    }
    return number == 1 ? sums[0] : lossi_pieces_total(pieces, number, sums);
}

#endif
