/* The inputs of a graph from the arrays of a loss_data: rows of a batch, dense and of the input's type. */
#ifndef LOSSI_GRADIENT_GRAPH_FEED_H
#define LOSSI_GRADIENT_GRAPH_FEED_H

#include "gradient/graph/graph.h"
#include "gradient/graph/statistics.h"

typedef struct lossi_feed {
    loss_context *context;
    const loss_graph *graph;
    const lossi_array **arrays; /* by the index of an input; NULL of those that nobody needs */
    const void **pointers;      /* what a plan is given */
    char **buffers;             /* of inputs that cannot be read where they are */
    int64_t capacity;           /* rows the buffers have room for; −1: there are none */
    int64_t samples;            /* rows of the arrays that have one for each sample; 1 where there are none */
} lossi_feed;

/* Finds the arrays of the inputs that `needed` marks, by node; looks at types and shapes. On failure there is nothing to destroy. */
loss_status lossi_feed_create(lossi_feed *feed, loss_context *context, const loss_graph *graph,
                              const uint8_t *needed, const loss_data *data);
void lossi_feed_destroy(lossi_feed *feed);

/* The arguments of whoever makes something of a node over data: LOSS_OK, or a sentence about the one that is wrong. */
loss_status lossi_feed_check(loss_context *context, const void *out, const loss_graph *graph, int32_t node,
                             const loss_data *data);

/* The arrays, and the running statistics, that a node needs. On failure each of both can be destroyed, or there is nothing in it. */
loss_status lossi_feed_node(lossi_feed *feed, lossi_statistics *statistics, loss_context *context,
                            const loss_graph *graph, int32_t node, const loss_data *data);

/* Room for batches of so many rows. */
loss_status lossi_feed_reserve(lossi_feed *feed, int64_t rows);

/* pointers for rows first … first + rows − 1, or those of indices where it is not NULL. */
loss_status lossi_feed_rows(lossi_feed *feed, int64_t first, int64_t rows, const int64_t *indices);

#endif
