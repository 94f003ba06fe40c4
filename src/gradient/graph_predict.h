/* Named nodes of a graph for other data than it was fitted to. */
#ifndef LOSSI_GRADIENT_GRAPH_PREDICT_H
#define LOSSI_GRADIENT_GRAPH_PREDICT_H

#include "gradient/graph/graph.h"

/*
 * The arrays of `outputs` get the nodes of their names at x, evaluated in pieces of `chunk` rows, not in training: with the running
 * `statistics`.
 */
loss_status lossi_graph_predict(loss_context *context, const loss_graph *graph, const void *x,
                                const loss_data *inputs, const loss_data *outputs,
                                const void *const *statistics, int64_t chunk);

#endif
