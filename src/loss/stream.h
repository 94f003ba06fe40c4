/*
 * A gradient on its way past the caches, some of it at a time, while the next one is made.
 *
 * The gradient of rows with class labels may go as their exponentials, which are multiplied on the way (lossi_unscaled in
 * loss/row.h): it is read once where it would have been read, written and read again, and the next exponentials take its place.
 */
#ifndef LOSSI_LOSS_STREAM_H
#define LOSSI_LOSS_STREAM_H

#include "loss/row.h"
#include "simd/real.h"

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

/* The same of rows that are to be multiplied. Parts are whole vectors. */
LOSSI_INLINE void lossi_send_multiplied(lossi_stream *stream, int64_t elements)
{
    const lossi_unscaled *rows = &stream->rows;
    const real *from = (const real *)(const void *)stream->from;
    real *to = (real *)(void *)stream->to;
    const int64_t first = rows->elements - stream->bytes / (int64_t)sizeof(real);
    const int64_t end = first + elements < rows->elements ? first + elements : rows->elements;
    int64_t j = first;
    while (j < end) {
        const int64_t part = j / rows->each, next = (part + 1) * rows->each, stop = next < end ? next : end;
        const int64_t label = rows->label[part];
        const vreal factor = v_set1((real)rows->factor[part]);
        for (; j < stop; j += VREAL_LANES) {
            vreal x = v_load(from + (j - first)) * factor;
            if (label >= j && label < j + VREAL_LANES) {
                real lanes[VREAL_LANES];
                v_store(lanes, x);
                lanes[label - j] = (real)rows->at_label[part];
                x = v_load(lanes);
            }
            v_stream(to + (j - first), x);
        }
    }
    stream->from += (end - first) * (int64_t)sizeof(real);
    stream->to += (end - first) * (int64_t)sizeof(real);
    stream->bytes -= (end - first) * (int64_t)sizeof(real);
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
