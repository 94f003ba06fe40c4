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
    const real lane = label < 0 || label >= VREAL_LANES ? (real)-1 : (real)label;
    return v_select(v_eq(lossi_lane_numbers(0), v_set1(lane)), v_set1((real)rows->at_label[part]), x);
}

/* Whole vectors from element j to `end`, times a factor. */
LOSSI_INLINE void lossi_send_times(const real *from, real *to, int64_t j, int64_t end, vreal factor)
{
    for (; j < end; j += VREAL_LANES) {
        v_stream(to + j, v_load(from + j) * factor);
    }
}

/* The vectors of a part from element j on that are before `end` and whole; gives where it stopped. */
LOSSI_INLINE int64_t lossi_send_part(const lossi_unscaled *rows, const real *from, real *to, int64_t part,
                                     int64_t j, int64_t end)
{
    const vreal factor = v_set1((real)rows->factor[part]);
    const int64_t last = j + ((part + 1) * rows->each - j) / VREAL_LANES * VREAL_LANES;
    const int64_t stop = end < last ? end : last, ahead = rows->label[part] - j;
    const int64_t label = j + ahead / VREAL_LANES * VREAL_LANES;
    if (ahead < 0 || label >= stop) {
        lossi_send_times(from, to, j, stop, factor);
        return stop;
    }
    lossi_send_times(from, to, j, label, factor);
    v_stream(to + label, lossi_with_label(v_load(from + label) * factor, rows, part, label));
    lossi_send_times(from, to, label + VREAL_LANES, stop, factor);
    return stop;
}

/* The vector at element j, where two parts meet. */
LOSSI_INLINE vreal lossi_where_parts_meet(const lossi_unscaled *rows, const real *from, int64_t part,
                                          int64_t j)
{
    const vmask before = v_lt(lossi_lane_numbers(0), v_set1((real)((part + 1) * rows->each - j)));
    const vreal factor = v_select(before, v_set1((real)rows->factor[part]),
                                  v_set1((real)rows->factor[part + 1])),
                x = lossi_with_label(v_load(from + j) * factor, rows, part, j);
    return lossi_with_label(x, rows, part + 1, j);
}

/* So many elements are gone, with all that is alike (loss/row.h) still to come. */
LOSSI_INLINE void lossi_sent(lossi_stream *stream, int64_t elements, int64_t alike)
{
    const int64_t bytes = elements * (int64_t)sizeof(real);
    stream->from += bytes;
    stream->to += bytes;
    stream->bytes -= bytes;
    stream->rows.elements = stream->bytes > 0 ? stream->rows.elements : 0;
    stream->rows.alike = alike;
}

/* From element j on, up to the next label or the end of the part. */
LOSSI_INLINE int64_t lossi_alike_from(lossi_unscaled *rows, int64_t j)
{
    const int64_t part = j / rows->each, next = (part + 1) * rows->each;
    if (j >= rows->elements) {
        return 0;
    }
    rows->alike_factor = rows->factor[part];
    return (rows->label[part] >= j ? rows->label[part] : next < rows->elements ? next : rows->elements) - j;
}

/*
 * The same of rows that are to be multiplied, which are whole vectors together. A part has at least as many columns as a vector has
 * lanes. Rather some more than asked for: what comes next takes their place.
 */
LOSSI_INLINE void lossi_send_multiplied(lossi_stream *stream, int64_t elements)
{
    lossi_unscaled *const rows = &stream->rows;
    const int64_t first = rows->elements - stream->bytes / (int64_t)sizeof(real);
    const int64_t asked = first + (elements + VREAL_LANES - 1) / VREAL_LANES * VREAL_LANES;
    const int64_t end = asked < rows->elements ? asked : rows->elements;
    const real *const from = (const real *)(const void *)stream->from - first; /* of element 0 */
    real *const to = (real *)(void *)stream->to - first;
    int64_t j = first;
    for (int64_t part = j / rows->each; j < end; part++) {
        j = lossi_send_part(rows, from, to, part, j, end);
        if (j < end && j < (part + 1) * rows->each) {
            v_stream(to + j, lossi_where_parts_meet(rows, from, part, j));
            j += VREAL_LANES;
        }
    }
    lossi_sent(stream, j - first, lossi_alike_from(rows, j));
}

/* Whatever it is, kept out of loops over runs, where it is seldom: LOSSI_SENT elements are most often alike. */
static __attribute__((noinline)) void lossi_send_any(lossi_stream *stream, int64_t elements)
{
    if (stream->rows.elements > 0) {
        lossi_send_multiplied(stream, elements);
    } else {
        lossi_send_on(stream, elements);
    }
}

/* A multiple of the lanes of a vector, or all there is. */
LOSSI_INLINE void lossi_send(lossi_stream *stream, int64_t elements)
{
    if (stream == NULL) {
        return;
    }
    if (elements == LOSSI_SENT && stream->rows.elements > 0 && stream->rows.alike >= LOSSI_SENT) {
        lossi_send_times((const real *)(const void *)stream->from, (real *)(void *)stream->to, 0, LOSSI_SENT,
                         v_set1((real)stream->rows.alike_factor));
        lossi_sent(stream, LOSSI_SENT, stream->rows.alike - LOSSI_SENT);
    } else {
        lossi_send_any(stream, elements);
    }
}

#endif
