/*
 * Running means and variances of the batch_norm nodes of a graph: what they are when nothing trains.
 *
 * An evaluation leaves the moments of its batch as pending ones, and changes nothing that a value depends on; at a new iterate
 * the latest pending ones are folded in: running = (1 − momentum) · running + momentum · pending.
 */
#ifndef LOSSI_GRADIENT_GRAPH_STATISTICS_H
#define LOSSI_GRADIENT_GRAPH_STATISTICS_H

#include "gradient/graph/graph.h"

typedef struct lossi_statistic_node {
    int32_t node; /* of the graph */
    int64_t channels;
    int64_t offset; /* of its moments among those of all, in elements */
    double momentum;
    int64_t elements; /* of a channel, for each row of a batch; */
    int32_t of_rows;  /* and whether there are rows */
} lossi_statistic_node;

typedef struct lossi_statistics {
    loss_context *context;
    loss_dtype dtype;
    lossi_statistic_node *nodes;
    int32_t count;
    int32_t seen;         /* whether anything is pending */
    int64_t room;         /* elements of all moments */
    const void **running; /* what a plan is given: means and variances, by twice the node of the graph */
    char *values;         /* which they point into */
    char *moments;        /* of a piece, where a plan writes them */
    double *pending;      /* like moments, over the pieces of an evaluation; */
    double *counts;       /* by node: over how many elements */
} lossi_statistics;

/* Of the batch_norm nodes that `needed` marks; means 0, variances 1. On failure there is nothing to destroy. */
loss_status lossi_statistics_create(lossi_statistics *statistics, const loss_graph *graph,
                                    const uint8_t *needed);
void lossi_statistics_destroy(lossi_statistics *statistics);

/* The node with that number in the graph, NULL when it is none of them. */
const lossi_statistic_node *lossi_statistics_find(const lossi_statistics *statistics, int32_t node);

/* An evaluation begins; a piece of it with so many rows has written its moments. */
void lossi_statistics_begin(lossi_statistics *statistics);
void lossi_statistics_add(lossi_statistics *statistics, int64_t rows);

/* Folds what is pending in; nothing when there is nothing. */
void lossi_statistics_fold(lossi_statistics *statistics);

/* The running means and variances of other objectives of the same graph, for the nodes that are in both. */
void lossi_statistics_follow(lossi_statistics *statistics, const lossi_statistics *other);

/*
 * Means and variances of a node, of the graph's dtype: read, or set to what was given. LOSS_OK, or LOSS_ERROR_RANGE with a sentence: no such
 * node, numbers that are none.
 */
loss_status lossi_statistics_exchange(lossi_statistics *statistics, loss_context *context, int32_t node,
                                      int32_t set, void *mean, void *variance);

#endif
