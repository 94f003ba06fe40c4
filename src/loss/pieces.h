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

#include "loss/range.h"

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

/*
 * Numbers of the next piece are looked at, and so fetched, while exponentials keep the processor busy; not in float64, where two pieces
 * and the exponentials of one fill the first-level cache. Asked for are those after them: so far ahead, in bytes, was measured to be
 * about best.
 */
enum { LOSSI_LOOKS_AHEAD = LOSSI_REAL == 32, LOSSI_PIECE_AHEAD = 16384 };

/* A piece that comes next, NULL when there is none; its range is found while the exponentials of the one before it are made. */
typedef struct lossi_next_piece {
    const real *piece;
    int64_t columns;
    lossi_piece_range range;
} lossi_next_piece;

/* A piece that is worked on. */
typedef struct lossi_piece_now {
    const real *row;
    int64_t columns, whole; /* whole: in whole runs that are near */
    real maximum;           /* its own */
    int32_t near;
    int64_t leave,
        out; /* the run that has a column to leave out, where it begins (−1: none), and that column, counted from there */
    real *e;
    lossi_stream *stream;
} lossi_piece_now;

/* Runs that go together, and their sums, 16 of each. */
enum { LOSSI_RUNS_TOGETHER = LOSSI_PIECE / LOSSI_RUN };

typedef struct lossi_runs {
    vreal sums[LOSSI_RUNS_TOGETHER][LOSSI_PACK];
} lossi_runs;

LOSSI_INLINE real *lossi_place_in(real *e, int64_t j)
{
    return e != NULL ? e + j : NULL;
}

/* So many whole near runs from column j on, none of them with a column left out; and of the next piece the range of as many. */
LOSSI_INLINE void lossi_runs_near(const lossi_piece_now *now, int64_t j, int64_t number, const real *next,
                                  lossi_range_lanes *ahead, lossi_runs *runs)
{
    const real *const row = now->row + j;
    real *const e = lossi_place_in(now->e, j);
    lossi_stream *const stream = now->stream;
    const vreal m = v_set1(now->maximum);
    lossi_range_lanes range = *ahead;
    for (int64_t k = 0; k < number; k++) {
        const int64_t i = k * LOSSI_RUN;
        lossi_prefetch_run(row + i, LOSSI_PIECE_AHEAD);
        lossi_send(stream, LOSSI_RUN);
        if (next != NULL) {
            lossi_range_add(&range, next + j + i, LOSSI_RUN);
        }
        lossi_run_whole(row + i, m, lossi_place_in(e, i), runs->sums[k]);
    }
    *ahead = range;
}

/* The 16 sums of a whole run that has its exponentials already, without column `out`. */
LOSSI_INLINE void lossi_run_without(const real *e, int64_t out, vreal *sums)
{
    const vreal left_out = v_set1((real)out);
    for (int v = 0; v < LOSSI_PACK; v++) {
        vreal x[LOSSI_RUN_PACKS];
        LOSSI_UNROLL_RUN
        for (int i = 0; i < LOSSI_RUN_PACKS; i++) {
            const int j = i * LOSSI_LANES + v * VREAL_LANES;
            const vmask here = v_eq(lossi_lane_numbers(0) + v_set1((real)j), left_out);
            x[i] = v_select(here, v_set1(0), v_load(e + j));
        }
        sums[v] = lossi_run_tree(x, 1);
    }
}

/* Adds the sums of so many runs from column j on, in order. */
LOSSI_INLINE void lossi_runs_add(const lossi_piece_now *now, int64_t j, int64_t number, lossi_runs *runs,
                                 lossi_lane_sum *lanes)
{
    const int64_t leave = now->leave - j;
    if (leave >= 0 && leave < number * LOSSI_RUN) {
        vreal *const sums = runs->sums[leave / LOSSI_RUN];
        if (now->e != NULL) {
            lossi_run_without(now->e + now->leave, now->out, sums);
        } else {
            lossi_run_of(now->row + now->leave, LOSSI_RUN, now->maximum, 1, now->out, NULL, sums);
        }
    }
    for (int64_t k = 0; k < number; k++) {
        for (int v = 0; v < LOSSI_PACK; v++) {
            lossi_lane_sum_add(lanes, v, runs->sums[k][v]);
        }
    }
}

/*
 * The runs that are whole and near, which is nearly all there is, as long as there are runs of the next piece beside them; then the
 * range of the next piece, whose end is waited for while sums are added; then the others. Gives how many columns that were.
 */
LOSSI_INLINE int64_t lossi_piece_whole(const lossi_piece_now *now, lossi_next_piece *next, lossi_runs *runs,
                                       lossi_lane_sum *lanes)
{
    const int64_t beside = next->piece == NULL ? 0 : next->columns / LOSSI_RUN * LOSSI_RUN;
    const int64_t both = beside < now->whole ? beside : now->whole;
    lossi_range_lanes ahead;
    int64_t j = 0, number;
    lossi_range_clear(&ahead);
    if (next->piece != NULL && both == 0) {
        next->range = lossi_range_of(next->piece, next->columns);
    }
    for (; j < now->whole; j += number * LOSSI_RUN) {
        const int64_t left = ((j < both ? both : now->whole) - j) / LOSSI_RUN;
        number = left < LOSSI_RUNS_TOGETHER ? left : LOSSI_RUNS_TOGETHER;
        if (j < both) {
            lossi_runs_near(now, j, number, next->piece, &ahead, runs);
            if (number == left) {
                next->range = lossi_range_end(&ahead, next->piece, both, next->columns);
            }
        } else {
            lossi_runs_near(now, j, number, NULL, &ahead, runs);
        }
        lossi_runs_add(now, j, number, runs, lanes);
    }
    return j;
}

/* Any run. */
static __attribute__((noinline)) void lossi_piece_run(const lossi_piece_now *now, int64_t j, vreal *sums)
{
    const int64_t left = now->columns - j, out = j == now->leave ? now->out : -1;
    real *const e = lossi_place_in(now->e, j);
    lossi_prefetch_run(now->row + j, LOSSI_PIECE_AHEAD);
    lossi_send(now->stream, left < LOSSI_RUN ? left : LOSSI_RUN);
    if (left >= LOSSI_RUN) {
        lossi_run_of(now->row + j, LOSSI_RUN, now->maximum, now->near, out, e, sums);
    } else {
        lossi_run_of(now->row + j, left, now->maximum, now->near, out, e, sums);
    }
}

/*
 * One piece, whose range is known: the exponentials into e (NULL: not wanted; may be the row itself) and their sum. Where its largest
 * number is above `before` that column is left out and given, otherwise −1.
 */
static int64_t lossi_piece(const real *row, int64_t columns, const lossi_piece_range *range, real before,
                           real *e, lossi_stream *stream, lossi_next_piece *next, double *sum)
{
    lossi_lane_sum lanes;
    lossi_runs runs;
    lossi_piece_now now = {.row = row, .columns = columns, .leave = -1, .out = -1, .e = e, .stream = stream};
    now.maximum = range->high == -REAL_INFINITY ? 0 : range->high; /* e is 0 also there */
    now.near = range->low - range->high >= LOSSI_EXP_NEAR;
    now.whole = now.near ? columns / LOSSI_RUN * LOSSI_RUN : 0;
    if (range->high > before) { /* before exponentials take the place of the row */
        now.leave = range->run * LOSSI_RUN;
        now.out = lossi_run_find(row + now.leave, columns - now.leave, range->high);
    }
    lossi_lane_sum_clear(&lanes);
    for (int64_t j = lossi_piece_whole(&now, next, &runs, &lanes); j < columns; j += LOSSI_RUN) {
        lossi_piece_run(&now, j, runs.sums[0]);
        for (int v = 0; v < LOSSI_PACK; v++) {
            lossi_lane_sum_add(&lanes, v, runs.sums[0][v]);
        }
    }
    *sum = columns <= LOSSI_SHORT_ROW ? lossi_short_total(runs.sums[0]) : lossi_lane_sum_total(&lanes);
    return now.leave >= 0 ? now.leave + now.out : -1;
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
