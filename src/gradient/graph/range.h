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

/*
 * The sum of (a factor)² over axes, which keep the size 1. plain is that of a²: where all factors are 1, as they are of ordinary
 * numbers, it is the result, and nothing is added up a second time.
 */
int32_t lossi_tape_scaled_squares(lossi_tape *tape, int32_t a, int32_t axes, int32_t plain, int32_t factor);

#endif
