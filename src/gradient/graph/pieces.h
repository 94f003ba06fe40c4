/* Whether a number of a tape can be had from pieces of the rows: whether it is a mean over them. */
#ifndef LOSSI_GRADIENT_GRAPH_PIECES_H
#define LOSSI_GRADIENT_GRAPH_PIECES_H

#include "gradient/graph/tape.h"

typedef struct lossi_pieces {
    int32_t mean;    /* a weighted mean over the rows, plus what does not depend on them */
    int32_t rows;    /* some of it is weighted by how many rows there are */
    uint8_t *counts; /* of each node, whether it is a denominator that depends on rows */
} lossi_pieces;

/* `counts` is to be released. Failures are kept in the tape's status. */
lossi_pieces lossi_tape_pieces(lossi_tape *tape, int32_t node);

#endif
