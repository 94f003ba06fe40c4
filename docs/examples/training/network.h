/* Layers: what the programs here build their networks from, a few lines each over loss_graph. */
#ifndef NETWORK_H
#define NETWORK_H

#include "../must.h"

typedef struct network {
    loss_context *context;
    loss_graph *graph;
    int layers; /* for names: "dense3.weights" */
} network;

/* The result of an operation without options; b < 0: of one input. */
int32_t network_apply(network *net, const char *operation, int32_t a, int32_t b);

/* A parameter "<layer>.<name>" with an initializer. */
int32_t network_parameter(network *net, const char *name, int32_t rank, const int64_t *shape,
                          const char *initializer);

/* x·W + b */
int32_t network_dense(network *net, int32_t input, int64_t outputs);

/* A convolution with windows of 3 × 3 (or 1 × 1), padded so that the image keeps its size divided by the stride. */
int32_t network_convolution(network *net, int32_t input, int64_t size, int64_t channels, int64_t stride,
                            int bias);

/* Each channel less its mean, divided by its deviation, then scaled and shifted. */
int32_t network_batch_norm(network *net, int32_t input);

/* The largest of each 2 × 2. */
int32_t network_pool(network *net, int32_t input);

/* The mean over height and width. */
int32_t network_average(network *net, int32_t input);

/* The mean over height and width, weighted by a map of its own that says where to look: positions of the map have a softmax. */
int32_t network_attention(network *net, int32_t input);

/* A share of the elements is left out in training. */
int32_t network_dropout(network *net, int32_t input, double rate);

/* Cost of a loss of the catalogue. */
int32_t network_cost(network *net, const char *loss, int32_t prediction, int32_t target);

#endif
