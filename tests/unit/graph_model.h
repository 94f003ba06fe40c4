/* A small classifier as a graph, put together by hand: scores = tanh(features · hidden) · weights + bias. */
#ifndef LOSS_TEST_GRAPH_MODEL_H
#define LOSS_TEST_GRAPH_MODEL_H

#include "support/check.h"

enum { GRAPH_MODEL_ROWS = 23, GRAPH_MODEL_FEATURES = 4, GRAPH_MODEL_X = 4 * 5 + 5 * 3 + 3 };

typedef struct graph_model {
    loss_graph *graph;
    loss_data *data;
    loss_dtype dtype;
    int32_t hidden, weights, bias, scores; /* nodes */
    int64_t rows;
    double features[GRAPH_MODEL_ROWS * 4], targets[GRAPH_MODEL_ROWS * 3],
        weight[GRAPH_MODEL_ROWS]; /* of either type */
    double table[3], x[GRAPH_MODEL_X], direction[GRAPH_MODEL_X];
    int64_t labels[GRAPH_MODEL_ROWS];
    uint8_t mask[GRAPH_MODEL_ROWS]; /* the first nine are 0, and some after them */
    int32_t named[5];               /* nodes of inputs, −1 until they are used */
} graph_model;

/* The arrays of the data are in the model. */
void graph_model_make(graph_model *made, loss_dtype dtype);
void graph_model_free(graph_model *made);

/* The rows of another model, or its first ones when indices is NULL. */
void graph_model_pick(graph_model *to, const graph_model *from, const int64_t *indices, int64_t count);

/* Nodes: the cost of the scores by a target, with weights or a mask ("": neither); the mean square of all weights; the mean of
 * squared scores; the mean of the input "table", which has no rows. */
int32_t graph_model_loss(graph_model *m, const char *name, const char *target, const char *given);
int32_t graph_model_penalty(graph_model *m);
int32_t graph_model_mean(graph_model *m);
int32_t graph_model_table(graph_model *m);
int32_t graph_model_add(graph_model *m, int32_t a, int32_t b);

loss_objective *graph_model_objective(const graph_model *m, int32_t node);

#endif
