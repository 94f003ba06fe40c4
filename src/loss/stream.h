/*
 * A gradient on its way past the caches, some of it at a time, while the next one is made.
 *
 * The gradient of rows with class labels may go as their exponentials, which are multiplied on the way (lossi_unscaled in
 * loss/row.h): it is read once where it would have been read, written and read again, and the next exponentials take its place.
 */
#ifndef LOSSI_LOSS_STREAM_H
#define LOSSI_LOSS_STREAM_H

#include "loss/lanes.h"
#include "loss/row.h"

enum { LOSSI_SENT = 128 /* columns */ };

/* So many elements of the gradient of the rows before go on. */
LOSSI_INLINE void lossi_send_on(lossi_stream *stream, int64_t elements)
{
    const int64_t vectors = elements / VREAL_LANES;
    if (stream == NULL) {
        return;
    }
    const char *from = stream->from;
    char *to = stream->to;
    int64_t left = stream->bytes;
    for (int64_t v = 0; v < vectors && left >= (int64_t)sizeof(vreal); v++, left -= (int64_t)sizeof(vreal)) {
        v_stream((real *)(void *)to, v_load((const real *)(const void *)from));
        from += sizeof(vreal);
        to += sizeof(vreal);
    }
    stream->from = from;
    stream->to = to;
    stream->bytes = left;
}

/* As many as columns: in a loop over the vectors of a row, now and then. */
LOSSI_INLINE void lossi_send_at(lossi_stream *stream, int64_t j)
{
    if (stream != NULL && j % LOSSI_SENT == 0) {
        lossi_send_on(stream, LOSSI_SENT);
    }
}

/* One vector of them, from element j on, with the number of its own that a part has. */
LOSSI_INLINE vreal lossi_with_label(vreal x, const lossi_unscaled *rows, int64_t part, int64_t j)
{
    const int64_t label = rows->label[part] - j;
    real lanes[VREAL_LANES];
    if (label < 0 || label >= VREAL_LANES) {
        return x;
    }
    v_store(lanes, x);
    lanes[label] = (real)rows->at_label[part];
    return v_load(lanes);
}

/*
 * The same of rows that are to be multiplied, which are whole vectors together. A part has at least as many columns as a vector has
 * lanes. Rather some more than asked for: what comes next takes their place.
 */
LOSSI_INLINE void lossi_send_multiplied(lossi_stream *stream, int64_t elements)
{
    const lossi_unscaled *rows = &stream->rows;
    const real *from = (const real *)(const void *)stream->from;
    real *to = (real *)(void *)stream->to;
    const int64_t first = rows->elements - stream->bytes / (int64_t)sizeof(real);
    const int64_t end = first + elements < rows->elements ? first + elements : rows->elements;
    int64_t j = first;
    while (j < end) {
        const int64_t part = j / rows->each, next = (part + 1) * rows->each;
        const vreal factor = v_set1((real)rows->factor[part]);
        for (; j < end && j + VREAL_LANES <= next; j += VREAL_LANES) {
            v_stream(to + (j - first), lossi_with_label(v_load(from + (j - first)) * factor, rows, part, j));
        }
        if (j < end && j < next) { /* where two parts meet */
            const vmask before = v_lt(lossi_lane_numbers(0), v_set1((real)(next - j)));
            vreal x = v_load(from + (j - first)) *
                      v_select(before, factor, v_set1((real)rows->factor[part + 1]));
            x = lossi_with_label(lossi_with_label(x, rows, part, j), rows, part + 1, j);
            v_stream(to + (j - first), x);
            j += VREAL_LANES;
        }
    }
    stream->from += (j - first) * (int64_t)sizeof(real);
    stream->to += (j - first) * (int64_t)sizeof(real);
    stream->bytes -= (j - first) * (int64_t)sizeof(real);
    stream->rows.elements = stream->bytes > 0 ? rows->elements : 0;
}

/* Whatever it is. A multiple of the lanes of a vector, or all there is. */
LOSSI_INLINE void lossi_send(lossi_stream *stream, int64_t elements)
{
    if (stream != NULL && stream->rows.elements > 0) {
        lossi_send_multiplied(stream, elements);
    } else {
        lossi_send_on(stream, elements);
    }
}

#endif
