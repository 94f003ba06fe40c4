/*
 * The common case, in few steps: whole contiguous arrays, nothing weighed, masked or picked, and nobody wants more than the
 * sum and the gradient. Kernels then work on blocks in place. The bits are those of evaluation.c.
 */
#ifndef LOSSI_LOSS_PLAIN_H
#define LOSSI_LOSS_PLAIN_H

#include "loss/evaluation.h"

typedef struct lossi_plain {
    const lossi_evaluation *e;
    char *prediction, *target, *gradient; /* gradient NULL: not wanted */
    int32_t pointwise, domains, copy_labels;
    int64_t tile_rows, block_rows;
    int64_t rows_together; /* the most that a kernel is given at a time: a block, or several */
} lossi_plain;

/* 0 when the case is not the common one. */
int32_t lossi_plain_init(lossi_plain *plain, const lossi_evaluation *e, const lossi_cut *cut,
                         const lossi_array *prediction, const lossi_array *gradient);

/* Bytes of scratch one worker needs. */
int64_t lossi_plain_scratch(const lossi_plain *plain);

/* Nothing is on its way. Factors are not cleared: that would take as long as a short call. */
static inline void lossi_plain_begin(lossi_stream *stream)
{
    stream->from = stream->to = NULL;
    stream->bytes = stream->rows.elements = 0;
    stream->multiplies = 0;
}

/*
 * Evaluates rows first … first + rows − 1, at most rows_together from the begin of a block on. A bad row stops it, and total says which;
 * the first row that is not finite is not looked for. `stream` is the gradient that is on its way past the caches.
 */
void lossi_plain_rows(const lossi_plain *plain, char *scratch, int64_t first, int64_t rows,
                      lossi_stream *stream, lossi_total *total);

/*
 * How many rows come next. What a kernel does once for all the rows it is given takes as long for few as for many; but a gradient that
 * is not on its way soon leaves the first-level cache, which matters least where it is read no more than once, multiplied on the way.
 */
static inline int64_t lossi_plain_next(const lossi_plain *plain, const lossi_stream *stream)
{
    return stream->rows.elements > 0 ? plain->rows_together : plain->block_rows;
}

/* After the last block: what is still on its way arrives. */
void lossi_plain_end(const lossi_plain *plain, lossi_stream *stream);

#endif
