/*
 * The gradient of a row with a class label, from the exponentials that stand in its place (loss/pieces.h).
 *
 *     W p_j = e_j · (f_c · W / (1 + s)),    −W (1 − p) at the label
 */
#ifndef LOSSI_LOSS_LABEL_ROW_H
#define LOSSI_LOSS_LABEL_ROW_H

#include "loss/pieces.h"

/* What the gradient of a label multiplies exponentials by, and has in the column of the label (−1: nowhere). */
typedef struct lossi_label_factors {
    real inverse, weight; /* 1/(1 + s), W · scale */
    real at_label;
    int64_t label;
} lossi_label_factors;

LOSSI_INLINE void lossi_scale_row(const lossi_pieces *pieces, const lossi_label_factors *by, real *e)
{
    for (int64_t j = 0, c = 0; j < pieces->columns; j += pieces->each, c++) {
        const int64_t end = j + lossi_piece_left(pieces, j);
        const vreal factor = v_set1(by->inverse * pieces->factor[c] * by->weight);
        int64_t i = j;
        for (; i + VREAL_LANES <= end; i += VREAL_LANES) {
            v_store(e + i, v_load(e + i) * factor);
        }
        if (i < end) {
            v_store_part(e + i, v_load_part(e + i, (int)(end - i)) * factor, (int)(end - i));
        }
    }
    lossi_put(e + by->label, by->at_label);
}

/* The same on the way past the caches, of row i of those that go together. */
LOSSI_INLINE void lossi_scale_on_the_way(const lossi_pieces *pieces, const lossi_label_factors *by, int64_t i,
                                         lossi_unscaled *rows)
{
    const int64_t parts = (pieces->columns - 1) / pieces->each + 1;
    rows->each = pieces->each < pieces->columns ? pieces->each : pieces->columns;
    for (int64_t c = 0; c < parts; c++) {
        rows->factor[i * parts + c] = by->inverse * pieces->factor[c] * by->weight;
        rows->label[i * parts + c] = -1;
    }
    rows->alike = 0;
    const int64_t own = i * parts + by->label / rows->each;
    rows->label[own] = i * pieces->columns + by->label;
    rows->at_label[own] = by->at_label;
}

#endif
