/*
 * Graphs from a seed: elementwise operations that broadcast, matrix products, sums, means, other shapes, several losses, all
 * of them smooth where they are evaluated, so that differences can tell whether derivatives are right.
 */
#ifndef LOSS_TEST_GRAPH_RANDOM_H
#define LOSS_TEST_GRAPH_RANDOM_H

#include "support/check.h"

enum { GRAPH_ROWS = 5, GRAPH_X = 64, GRAPH_NODES = 160 };

typedef struct random_graph {
    loss_graph *graph;
    loss_data *data;
    int32_t number;   /* a node that is a number: losses, means and penalties added up */
    int32_t cost;     /* a loss alone: a mean over the rows */
    int32_t elements; /* a node of real numbers that depends on parameters */
    int32_t nodes;    /* applied on the way */
    int32_t refused;  /* attempts whose shapes did not fit */
    double x[GRAPH_X], direction[GRAPH_X];
    double features[GRAPH_ROWS * 3], table[6];
    float narrow[GRAPH_ROWS * 3 + 6];
    int64_t labels[GRAPH_ROWS];
} random_graph;

/* The same graph for the same seed in both element types; the arrays of its data are in it. */
void random_graph_make(random_graph *made, loss_context *context, uint64_t seed, loss_dtype dtype);
void random_graph_free(random_graph *made);

/* x or the direction in the type of the graph. */
void random_graph_numbers(const random_graph *made, const double *from, void *to);

loss_objective *random_graph_objective(const random_graph *made, loss_context *context, int32_t node);

/* A number below `limit`, the next of a stream. */
typedef struct dice {
    uint64_t seed;
    int64_t next;
} dice;
int32_t dice_below(dice *d, int32_t limit);
double dice_uniform(dice *d, double from, double to);

#endif
