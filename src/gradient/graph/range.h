/* Powers of two that take numbers to where their squares are in the range of the type. */
#ifndef LOSSI_GRADIENT_GRAPH_RANGE_H
#define LOSSI_GRADIENT_GRAPH_RANGE_H

#include "gradient/graph/tape.h"

/* Nodes of a shape: what numbers are multiplied by, and its reciprocal. */
typedef struct lossi_range {
    int32_t factor, back;
} lossi_range;

/*
 * By the sum or the mean of the squares as they are, which may be infinite or 0: 1 where these do not come near the ends of the range.
 * Nothing depends on the factors, so they have no derivatives. small: whether small numbers are taken up too.
 */
lossi_range lossi_tape_range(lossi_tape *tape, int32_t squares, int32_t small);

#endif
