/* What an operation gets when it computes. */
#ifndef LOSSI_GRADIENT_GRAPH_RUN_H
#define LOSSI_GRADIENT_GRAPH_RUN_H

#include "gradient/graph/shape.h"

/* Where a node's elements are: dense and row-major, of any alignment. */
typedef struct lossi_value {
    char *data;
    loss_dtype dtype;
    lossi_shape shape; /* the rows of the batch filled in */
} lossi_value;

/* What the nodes of one evaluation have in common. */
typedef struct lossi_batch_state {
    int64_t rows;           /* of the batch */
    const int64_t *indices; /* which samples the rows are, NULL: first, first + 1, … */
    int64_t first;
    uint64_t seed, step; /* of random numbers */
} lossi_batch_state;

typedef struct lossi_node_run {
    loss_context *context;
    const lossi_tape *tape;
    int32_t node;
    const lossi_attributes *attributes;
    const lossi_batch_state *batch;
    int32_t input_count;
    lossi_value input[LOSSI_NODE_INPUTS];
    lossi_value output;
    double *exact; /* where a single number may be left in double, before it is rounded to the element type */
    int32_t *is_exact;
    void *scratch;
} lossi_node_run;

/* The elements of a value, and those without its first size, its rows. */
static inline int64_t lossi_value_elements(const lossi_value *value)
{
    return lossi_shape_elements(&value->shape, 0);
}

#endif
