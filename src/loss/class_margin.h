/*
 * What losses share that ask the logit of the label for a margin over those of the other classes, its rivals: options, and the walk
 * over rows.
 *
 * The class weight of the label multiplies its row, but not the denominator: every row whose label is not ignored adds 1, as to
 * PyTorch's mean of these losses, and other than with cross-entropy. A NaN in a row makes the whole row NaN, and so do two infinities
 * whose difference there is not; no comparison hides them.
 *
 * The including file defines margin_row(), and margin_rows() where it defines LOSSI_MARGIN_ABREAST before.
 */
#ifndef LOSSI_LOSS_CLASS_MARGIN_H
#define LOSSI_LOSS_CLASS_MARGIN_H

#include <math.h>

#include "loss/abreast.h"
#include "loss/class_options.h"
#include "loss/distribution.h"

enum { LOSSI_CLASS_MARGIN = LOSSI_CLASS_OPTIONS, LOSSI_MARGIN_OPTIONS };

#define LOSSI_CLASS_MARGIN_ROW                                                                               \
    [LOSSI_CLASS_MARGIN] = {.name = "margin",                                                                \
                            .type = LOSS_OPTION_DOUBLE,                                                      \
                            .minimum = 0,                                                                    \
                            .maximum = 1e30,                                                                 \
                            .initial = 1,                                                                    \
                            .doc = "how far the label's logit should be above the others"}

/* A row while it is worked on. */
typedef struct lossi_margin_row {
    const real *logits, *direction;
    int64_t label;
    real own, along; /* logit and direction of the label */
    real weight;     /* of its class */
} lossi_margin_row;

/* Where the label is, of the vector of columns at j. */
LOSSI_INLINE vmask lossi_margin_label(const lossi_margin_row *m, int64_t j)
{
    return v_eq(lossi_lane_numbers(0), v_set1((real)(m->label - j)));
}

/* Whether the vector of columns at j is a whole one without the label: nearly all are, and need no care. */
LOSSI_INLINE int lossi_margin_plain(const lossi_margin_row *m, int64_t j, int64_t columns)
{
    return (uint64_t)(m->label - j) >= VREAL_LANES && j + VREAL_LANES <= columns;
}

/* How many columns are counted, lane by lane: numbers that nothing is lost of, in whatever order. */
LOSSI_INLINE void lossi_count(lossi_doubles *count, vreal counted)
{
    *count = lossi_doubles_add(*count, lossi_widen(counted));
}

/* Columns that are counted in the element type: a lane has far less than 2^24. */
enum { LOSSI_COUNTED = 1 << 20 };

LOSSI_INLINE double lossi_count_total(const lossi_doubles *count)
{
    double total = 0;
    for (int v = 0; v < LOSSI_DOUBLES; v++) {
        total += f64_sum_lanes(count->of[v]);
    }
    return total;
}

/* Value and derivatives of one row. */
static void margin_row(const lossi_tile *tile, int64_t row, const lossi_margin_row *m);

LOSSI_INLINE void lossi_margin_fill(const lossi_tile *tile, int64_t row, real value, real derivatives)
{
    lossi_put((real *)tile->value + row, value);
    lossi_fill_row(tile, row, derivatives);
}

static void margin_of_row(const lossi_tile *tile, int64_t row)
{
    const double *weights = tile->prepared->class_weight;
    lossi_margin_row m = {.label = tile->labels[row]};
    const int32_t counts = m.label != tile->prepared->ignore_label;
    m.weight = !counts ? 0 : weights == NULL ? 1 : (real)weights[m.label];
    lossi_put((real *)tile->denominator + row, (real)counts);
    if (!counts) {
        lossi_margin_fill(tile, row, 0, 0);
        return;
    }
    m.logits = lossi_row_of(tile->prediction, row, tile->prediction_stride);
    m.own = lossi_get(m.logits + m.label);
    if (tile->product != NULL) {
        m.direction = lossi_row_of(tile->direction, row, tile->direction_stride);
        m.along = lossi_get(m.direction + m.label);
    }
    margin_row(tile, row, &m);
}

#ifdef LOSSI_MARGIN_ABREAST

/* Rows abreast while they are worked on. */
typedef struct lossi_margin_rows {
    int64_t columns;
    lossi_abreast_rows logits, gradient;
    vreal label, own, weight; /* of a row that does not count: −1, 0 and 0 */
} lossi_margin_rows;

/* The number of a column, in every lane: a load, which costs less than counting. */
LOSSI_INLINE vreal lossi_margin_number(int64_t j)
{
    static const real numbers[LOSSI_ABREAST_MOST] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                                     11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                                                     22, 23, 24, 25, 26, 27, 28, 29, 30, 31};
    return v_set1(numbers[j]);
}

/* Their values and, as far as wanted, gradients; 0 for rows that go one by one: one of them has no finite loss. */
static int32_t margin_rows(const lossi_tile *tile, lossi_margin_rows *m, vreal *value);

/* Labels and class weights as numbers, without branches but for weights; −1 and 0 of a row that does not count, or is not there. */
LOSSI_INLINE void lossi_margin_labels(const lossi_tile *tile, const int64_t *labels, int64_t count,
                                      lossi_margin_rows *m)
{
    const double *weights = tile->prepared->class_weight;
    const int64_t ignored = tile->prepared->ignore_label;
    int32_t number[VREAL_LANES], counts[VREAL_LANES];
    real label[VREAL_LANES], weight[VREAL_LANES];
    for (int i = 0; i < VREAL_LANES; i++) {
        const int64_t given = labels[i < count ? i : 0], none = -(int64_t)(given == ignored || i >= count);
        number[i] = (int32_t)(given | none);
        counts[i] = (int32_t)(1 + none);
    }
    for (int i = 0; i < VREAL_LANES; i++) {
        label[i] = (real)number[i];
        weight[i] = (real)counts[i];
    }
    for (int i = 0; i < count && weights != NULL; i++) {
        weight[i] = label[i] < 0 ? 0 : (real)weights[labels[i]];
    }
    m->label = v_load(label);
    m->weight = v_load(weight);
}

/* The rows from `first` on, as many as there are lanes. */
static int32_t evaluate_abreast(const lossi_tile *tile, int64_t first, int64_t count)
{
    lossi_margin_rows m;
    vreal value;
    m.columns = tile->columns;
    if (count >= VREAL_LANES) { /* then it is known how many */
        lossi_margin_labels(tile, tile->labels + first, VREAL_LANES, &m);
    } else {
        lossi_margin_labels(tile, tile->labels + first, count, &m);
    }
    lossi_abreast_load(lossi_row_of(tile->prediction, first, tile->prediction_stride),
                       tile->prediction_stride, tile->columns, count, &m.logits);
    m.own = v_set1(0);
    for (int64_t j = 0; j < tile->columns; j++) {
        m.own = v_select(v_eq(lossi_margin_number(j), m.label), m.logits.column[j], m.own);
    }
    if (!margin_rows(tile, &m, &value)) {
        return 0;
    }
    const vmask counts = v_ge(m.label, v_set1(0));
    for (int64_t j = 0; j < tile->columns && tile->gradient != NULL && !v_mask_all(counts); j++) {
        m.gradient.column[j] = v_select(counts, m.gradient.column[j], v_set1(0)); /* whatever the scale */
    }
    lossi_abreast_put(tile->denominator, first, count, v_select(counts, v_set1(1), v_set1(0)));
    lossi_abreast_finish(tile, first, value, &m.gradient);
    return 1;
}

#endif

static void everything(const lossi_tile *tile)
{
#ifdef LOSSI_MARGIN_ABREAST
    const int32_t abreast = lossi_goes_abreast(tile);
    const int64_t together = abreast ? VREAL_LANES : 1;
#else
    const int64_t together = 1;
#endif
    for (int64_t row = 0; row < tile->rows; row += together) {
        const int64_t left = tile->rows - row, count = left < together ? left : together;
#ifdef LOSSI_MARGIN_ABREAST
        if (abreast && evaluate_abreast(tile, row, count)) {
            continue;
        }
#endif
        for (int64_t i = 0; i < count; i++) {
            margin_of_row(tile, row + i);
        }
    }
}

#endif
