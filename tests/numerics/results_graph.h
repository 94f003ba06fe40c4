/* Digests of a graph: value, gradient and Hessian product of a perceptron over pieces of its rows. */
#ifndef LOSS_TEST_RESULTS_GRAPH_H
#define LOSS_TEST_RESULTS_GRAPH_H

#include <stdint.h>

#include <loss/loss.h>

enum { GRAPH_DIGESTS = 3 };
extern const char *const graph_digest_names[GRAPH_DIGESTS];

/* Folds each into its digest as hash(hash, number). The status of the first call that failed. */
loss_status digest_graph(loss_context *context, loss_dtype dtype, uint64_t (*hash)(uint64_t, double),
                         uint64_t *digests);

#endif
