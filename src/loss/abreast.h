/*
 * Rows abreast: a vector holds one column of as many rows as it has lanes, for rows that are too short to fill vectors.
 *
 * The rows are transposed into a place of their own, where column j is vector j: a pass over the columns of one row is then, word for
 * word, a pass over those of all. What runs across a row, its sums, is done here for both, in the order of core/sum.h: column j belongs
 * to lane j mod 16, in double, and the lanes are halved. The bits are the same whichever way a row goes.
 */
#ifndef LOSSI_LOSS_ABREAST_H
#define LOSSI_LOSS_ABREAST_H

#include "loss/rowwise.h"

/* A column alone fills no group; beyond two packs a row fills its vectors well enough. */
enum { LOSSI_ABREAST_LEAST = 2, LOSSI_ABREAST_MOST = 2 * LOSSI_LANES };

/* Not where multiply-adds are calls: they cost the same either way, and the code is kept short. */
#if defined(LOSSI_ISA_BASE)
enum { LOSSI_HAS_ABREAST = 0 };
#else
enum { LOSSI_HAS_ABREAST = 1 };
#endif

/* ---- numbers in double, one for each lane ---- */

enum { LOSSI_DOUBLES = VREAL_LANES / F64_LANES };

typedef struct lossi_doubles {
    f64v of[LOSSI_DOUBLES];
} lossi_doubles;

LOSSI_INLINE lossi_doubles lossi_doubles_set1(double x)
{
    lossi_doubles out;
    for (int v = 0; v < LOSSI_DOUBLES; v++) {
        out.of[v] = f64_set1(x);
    }
    return out;
}

LOSSI_INLINE lossi_doubles lossi_widen(vreal x)
{
    lossi_doubles out;
#if LOSSI_REAL == 64
    out.of[0] = x;
#else
    out.of[0] = f32_to_f64_low(x);
    out.of[1] = f32_to_f64_high(x);
#endif
    return out;
}

LOSSI_INLINE vreal lossi_round(lossi_doubles x)
{
#if LOSSI_REAL == 64
    return x.of[0];
#else
    return f64_to_f32(x.of[0], x.of[1]);
#endif
}

LOSSI_INLINE lossi_doubles lossi_doubles_add(lossi_doubles a, lossi_doubles b)
{
    for (int v = 0; v < LOSSI_DOUBLES; v++) {
        a.of[v] = a.of[v] + b.of[v];
    }
    return a;
}

LOSSI_INLINE lossi_doubles lossi_doubles_subtract(lossi_doubles a, lossi_doubles b)
{
    for (int v = 0; v < LOSSI_DOUBLES; v++) {
        a.of[v] = a.of[v] - b.of[v];
    }
    return a;
}

LOSSI_INLINE lossi_doubles lossi_doubles_multiply(lossi_doubles a, lossi_doubles b)
{
    for (int v = 0; v < LOSSI_DOUBLES; v++) {
        a.of[v] = a.of[v] * b.of[v];
    }
    return a;
}

LOSSI_INLINE lossi_doubles lossi_doubles_divide(lossi_doubles a, lossi_doubles b)
{
    for (int v = 0; v < LOSSI_DOUBLES; v++) {
        a.of[v] = a.of[v] / b.of[v];
    }
    return a;
}

/* Rounded to the element type, and what that took away. */
LOSSI_INLINE vreal lossi_round_parts(lossi_doubles x, vreal *missing)
{
    const vreal head = lossi_round(x);
    *missing = lossi_round(lossi_doubles_subtract(x, lossi_widen(head)));
    return head;
}

/* ---- sums over the columns of a row ---- */

/* The terms of rows abreast, column by column. */
typedef struct lossi_terms {
    vreal of[LOSSI_ABREAST_MOST], missing[LOSSI_ABREAST_MOST];
} lossi_terms;

/* Of one row the lanes, of rows abreast the terms; `abreast` is known to the compiler everywhere, and the other is not there. */
typedef struct lossi_sum {
    lossi_lane_sum lanes;
    lossi_terms terms;
} lossi_sum;

LOSSI_INLINE void lossi_sum_clear(int32_t abreast, lossi_sum *sum)
{
    if (abreast) {
        sum->terms.of[0] = v_set1(0); /* there is a column always, which compilers do not know */
    } else {
        lossi_lane_sum_clear(&sum->lanes);
    }
}

/* Adds the vector at column j, or of rows abreast at j of their place. */
LOSSI_INLINE void lossi_sum_add(int32_t abreast, lossi_sum *sum, int64_t j, vreal x)
{
    if (abreast) {
        sum->terms.of[j / VREAL_LANES] = x;
    } else {
        lossi_columns_add(&sum->lanes, j, x);
    }
}

/* The same with what x is missing; of all terms of a sum or of none. */
LOSSI_INLINE void lossi_sum_add_parts(int32_t abreast, lossi_sum *sum, int64_t j, vreal x, vreal missing)
{
    if (abreast) {
        sum->terms.of[j / VREAL_LANES] = x;
        sum->terms.missing[j / VREAL_LANES] = missing;
    } else {
        lossi_columns_add_parts(&sum->lanes, j, x, missing);
    }
}

/* The total of so many columns, of each row; `parts`: with what they are missing. */
#define lossi_abreast_total LOSSI_NAME(abreast_total)
void lossi_abreast_total(const lossi_terms *terms, int64_t columns, int32_t parts, lossi_doubles *total);

LOSSI_INLINE lossi_doubles lossi_sum_total(int32_t abreast, lossi_sum *sum, int64_t columns, int32_t parts)
{
    if (!abreast) {
        return lossi_doubles_set1(lossi_columns_total(&sum->lanes, columns));
    }
    lossi_doubles total;
    lossi_abreast_total(&sum->terms, columns / VREAL_LANES, parts, &total);
    return total;
}

/* ---- columns in a row ---- */

/*
 * Where in each lane a certain column is: at j, if `lane` is j − from. Of one row it is in one lane alone; of rows abreast in a column
 * for each of them.
 */
typedef struct lossi_column_place {
    int64_t from;
    vreal lane;
} lossi_column_place;

LOSSI_INLINE lossi_column_place lossi_column_of_row(int64_t column)
{
    return (lossi_column_place){column, -lossi_lane_numbers(0)};
}

/* Of rows abreast, by the number of the column in each; −1: none. */
LOSSI_INLINE lossi_column_place lossi_column_of_rows(vreal column)
{
    return (lossi_column_place){0, column * v_set1(VREAL_LANES)};
}

LOSSI_INLINE vmask lossi_column_is(const lossi_column_place *place, int64_t j)
{
    return v_eq(place->lane, v_set1((real)(j - place->from)));
}

/* ---- the place of rows abreast ---- */

/* An array of VREAL_LANES rows, transposed; zeros where there are fewer. */
typedef struct lossi_abreast_rows {
    vreal column[LOSSI_ABREAST_MOST];
} lossi_abreast_rows;

/* Of rows that are so far apart; at most as many as there are lanes are taken. */
#define lossi_abreast_load LOSSI_NAME(abreast_load)
void lossi_abreast_load(const real *from, int64_t stride, int64_t columns, int64_t rows,
                        lossi_abreast_rows *to);

#define lossi_abreast_store LOSSI_NAME(abreast_store)
void lossi_abreast_store(const lossi_abreast_rows *from, int64_t columns, int64_t rows, real *to,
                         int64_t stride);

/* A number for each of the rows there are. */
LOSSI_INLINE void lossi_abreast_put(void *array, int64_t first, int64_t rows, vreal x)
{
    real *to = (real *)array + first;
    if (rows >= VREAL_LANES) {
        v_store(to, x);
    } else {
        v_store_part(to, x, (int)rows);
    }
}

/* Whether a tile goes so: for values and gradients alone. */
LOSSI_INLINE int32_t lossi_goes_abreast(const lossi_tile *tile)
{
    return LOSSI_HAS_ABREAST && tile->columns >= LOSSI_ABREAST_LEAST && tile->columns <= LOSSI_ABREAST_MOST &&
           tile->curvature == NULL && tile->product == NULL;
}

/* The rows from `first` on as a tile of one row that is columns · VREAL_LANES long, in the places given. */
LOSSI_INLINE lossi_tile lossi_abreast_tile(const lossi_tile *tile, int64_t first,
                                           lossi_abreast_rows *prediction, lossi_abreast_rows *target,
                                           lossi_abreast_rows *gradient)
{
    const int64_t left = tile->rows - first;
    lossi_tile out = *tile;
    lossi_abreast_load(lossi_row_of(tile->prediction, first, tile->prediction_stride),
                       tile->prediction_stride, tile->columns, left, prediction);
    if (target != NULL && tile->target != NULL) {
        lossi_abreast_load(lossi_row_of(tile->target, first, tile->target_stride), tile->target_stride,
                           tile->columns, left, target);
    }
    out.rows = 1;
    out.columns = tile->columns * VREAL_LANES;
    out.prediction = prediction;
    out.target = target;
    out.gradient = tile->gradient == NULL ? NULL : gradient;
    return out;
}

/* Values and gradients of these rows to where they are wanted. */
LOSSI_INLINE void lossi_abreast_finish(const lossi_tile *tile, int64_t first, vreal value,
                                       const lossi_abreast_rows *gradient)
{
    lossi_abreast_put(tile->value, first, tile->rows - first, value);
    if (tile->gradient != NULL) {
        lossi_abreast_store(gradient, tile->columns, tile->rows - first,
                            (real *)tile->gradient + first * tile->gradient_stride, tile->gradient_stride);
    }
}

#endif
