/*
 * What losses share that ask the logit of the label for a margin over those of the other classes, its rivals: options, and the walk
 * over rows.
 *
 * The class weight of the label multiplies its row, and is what the row adds to the denominator (PyTorch's mean divides by the
 * number of rows). A NaN in a row makes the whole row NaN, and so do two infinities whose difference there is not; no comparison
 * hides them.
 *
 * The including file defines margin_row().
 */
#ifndef LOSSI_LOSS_CLASS_MARGIN_H
#define LOSSI_LOSS_CLASS_MARGIN_H

#include <math.h>

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

/* Value and derivatives of one row. */
static void margin_row(const lossi_tile *tile, int64_t row, const lossi_margin_row *m);

LOSSI_INLINE void lossi_margin_fill(const lossi_tile *tile, int64_t row, real value, real derivatives)
{
    lossi_put((real *)tile->value + row, value);
    lossi_fill_row(tile, row, derivatives);
}

static void everything(const lossi_tile *tile)
{
    const double *weights = tile->prepared->class_weight;
    for (int64_t row = 0; row < tile->rows; row++) {
        lossi_margin_row m = {.label = tile->labels[row]};
        const int32_t counts = m.label != tile->prepared->ignore_label;
        m.weight = !counts ? 0 : weights == NULL ? 1 : (real)weights[m.label];
        lossi_put((real *)tile->denominator + row, m.weight);
        if (!counts) {
            lossi_margin_fill(tile, row, 0, 0);
            continue;
        }
        m.logits = lossi_row_of(tile->prediction, row, tile->prediction_stride);
        m.own = lossi_get(m.logits + m.label);
        if (tile->product != NULL) {
            m.direction = lossi_row_of(tile->direction, row, tile->direction_stride);
            m.along = lossi_get(m.direction + m.label);
        }
        margin_row(tile, row, &m);
    }
}

#endif
