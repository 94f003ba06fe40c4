/*
 * Operations of graphs in tests: a table of cases, and objectives made of one.
 *
 * The objective of a case is mean(c · hypotenuse(operation(inputs) − 0.3)), which is smooth and curved whatever the operation gives;
 * c are parameters of the shape of the result, so that there are some even of operations without derivatives.
 */
#ifndef LOSS_TEST_OPERATIONS_H
#define LOSS_TEST_OPERATIONS_H

#include <stdint.h>

#include "loss/loss.h"

enum { OPERATION_INPUTS = 4 };

/*
 * inputs: sizes separated by commas, "R" the rows of the data, "" a number; "i5:R,2" are int64 indices below 5, j int32, u uint8. Real
 * ones without rows are parameters between low and high; those with rows are parameters times data between 0.75 and 1.25.
 */
typedef struct operation_case {
    const char *operation;
    const char *options; /* "axes=0,-1 keep_axes=1" */
    const char *inputs[OPERATION_INPUTS];
    double low, high;
} operation_case;

extern const operation_case operation_cases[];
extern const int operation_case_count;

enum { OPERATION_ROWS = 7, OPERATION_ARRAYS = 8 };

/* One case, made. */
typedef struct operation_objective {
    loss_context *context;
    loss_graph *graph;
    loss_data *data;
    loss_objective *objective;
    int32_t result; /* the node of the operation */
    int64_t n;
    double x[4096]; /* numbers that float32 has */
    void *arrays[OPERATION_ARRAYS];
    int32_t array_count;
} operation_objective;

/* The operation with the options set, or the status of the first that failed. */
loss_status operation_with(loss_operation **out, loss_context *context, const char *name,
                           const char *options);

/* Adds the inputs of a case to the graph, and their data; the node after them is `result` when the status is LOSS_OK. */
loss_status operation_apply(operation_objective *made, const operation_case *of);

/* Fails the running test when something does. 4096 parameters at most. */
void operation_create(operation_objective *made, loss_context *context, const operation_case *of,
                      loss_dtype dtype);
void operation_free(operation_objective *made);

#endif
