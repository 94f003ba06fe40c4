/*
 * The gradient of a row with a class label, from the exponentials that stand in its place (loss/pieces.h).
 *
 *     W p_j = e_j · (f_c · W / (1 + s)),    −W (1 − p) at the label
 */
#ifndef LOSSI_LOSS_LABEL_ROW_H
#define LOSSI_LOSS_LABEL_ROW_H

#include <string.h>

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

/* The same of a few columns, one by one. */
LOSSI_INLINE void lossi_scale_few(const lossi_pieces *pieces, const lossi_label_factors *by, int64_t j,
                                  int64_t end, real *e)
{
    for (; j < end; j++) {
        e[j] = j == by->label ? by->at_label
                              : e[j] * (by->inverse * pieces->factor[j / pieces->each] * by->weight);
    }
}

/*
 * The same past the caches, which takes whole vectors that are aligned. Where the label is, or pieces or rows meet, they are finished in
 * scratch: rows lie one behind the other there too. What shares its cache line with other tiles is left to them: it goes by ordinary stores.
 */
LOSSI_INLINE void lossi_stream_row(const lossi_tile *tile, int64_t row, const lossi_pieces *pieces,
                                   const lossi_label_factors *by)
{
    const int64_t columns = tile->columns;
    real *e = lossi_place_of(tile->gradient, row, columns),
         *out = lossi_place_of(tile->stream_to, row, columns);
    int64_t j = -(int64_t)((uintptr_t)out % sizeof(vreal) / sizeof(real));
    while (j < columns) {
        const int64_t c = j < 0 ? 0 : j / pieces->each, left = columns - c * pieces->each;
        const int64_t end = left < pieces->each ? columns : (c + 1) * pieces->each;
        const int64_t stop = by->label >= j && by->label < end ? by->label : end;
        const vreal factor = v_set1(by->inverse * pieces->factor[c] * by->weight);
        for (; j >= 0 && j + VREAL_LANES <= stop; j += VREAL_LANES) {
            v_stream(out + j, v_load(e + j) * factor);
        }
        if (j == end) {
            continue;
        }
        const int64_t from = j < 0 ? 0 : j, to = columns - j < VREAL_LANES ? columns : j + VREAL_LANES;
        lossi_scale_few(pieces, by, from, to, e);
        if (to == j + VREAL_LANES && (j >= 0 || row > 0)) {
            v_stream(out + j, v_load(e + j));
        } else if (j < 0 || row == tile->rows - 1) {
            memcpy(out + from, e + from, (size_t)(to - from) * sizeof *out);
        }
        j += VREAL_LANES;
    }
}

#endif
