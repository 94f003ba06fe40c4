/*
 * Named segments: stretches of the parameters that have a shape and options of their own.
 *
 * They are kept in the order of their offsets in one flat array of numbers and names, which a checkpoint can
 * copy. Parameters in no segment follow the options of the optimizer.
 */
#ifndef LOSSI_OPTIMIZER_SEGMENT_H
#define LOSSI_OPTIMIZER_SEGMENT_H

#include <stdint.h>

#include "core/option.h"
#include "loss/optimizer.h"

/* Options of a segment, by their place in lossi_segment_options. */
enum {
    LOSSI_SEGMENT_LEARNING_RATE_SCALE,
    LOSSI_SEGMENT_WEIGHT_DECAY,
    LOSSI_SEGMENT_ORTHOGONALIZE,
    LOSSI_SEGMENT_PENALTY_FACTOR,
    LOSSI_SEGMENT_OPTIONS
};

enum { LOSSI_SEGMENT_NAME = 64 }; /* the longest name and its zero */

typedef struct lossi_segment {
    char name[LOSSI_SEGMENT_NAME];
    int64_t offset, rows, columns;
    double options[LOSSI_SEGMENT_OPTIONS]; /* NaN: as the optimizer */
} lossi_segment;

typedef struct lossi_segments {
    lossi_segment *all; /* owned by the optimizer */
    int64_t count, capacity;
} lossi_segments;

/* A stretch of parameters that are treated alike: a segment, or what lies between two. */
typedef struct lossi_span {
    int64_t offset, count, rows, columns; /* 1 row between segments */
    double rate_scale, weight_decay;
    int32_t own_decay; /* weight_decay is the segment's */
    int32_t orthogonalize;
} lossi_span;

/*
 * The span that begins at `from`; *next is the number of the segment to look at, 0 at the first call. Gives 0 behind
 * the last parameter. weight_decay is the optimizer's own.
 */
int32_t lossi_next_span(const loss_optimizer *optimizer, double weight_decay, int64_t from, int64_t *next,
                        lossi_span *span);

#endif
