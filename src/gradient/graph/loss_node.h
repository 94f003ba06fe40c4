/*
 * Losses in a graph: their sum, denominator, gradients and products with second derivatives, evaluated by the loss module.
 *
 * Of one function and one set of inputs, sum, denominator and gradients are nodes of one step: one pass over the data.
 */
#ifndef LOSSI_GRADIENT_GRAPH_LOSS_NODE_H
#define LOSSI_GRADIENT_GRAPH_LOSS_NODE_H

#include "gradient/graph/run.h"

enum { LOSSI_LOSS_ROLES = 8 }; /* that a loss may have in a graph */

/* The cost of a function on a tape: sum / denominator. roles[i] is the index of the role of inputs[i]. */
int32_t lossi_tape_cost(lossi_tape *tape, const loss_function *function, const int32_t *roles,
                        const int32_t *inputs, int32_t count);

/* Whether the types and shapes of the inputs are what such a function may take, or a sentence (loss_check.c). */
loss_status lossi_loss_node_check(const lossi_tape *tape, const loss_function *function, const int32_t *roles,
                                  const int32_t *inputs, int32_t count);

/*
 * Rows × columns of what is in a role, beside a prediction of that many rows, and the rows of a prediction: docs/graphs.md, "Losses". Rows
 * of the batch are filled in.
 */
void lossi_loss_matrix_shape(const lossi_shape *shape, const loss_function *function, int32_t role,
                             int64_t prediction_rows, int64_t *rows, int64_t *columns);
int64_t lossi_loss_prediction_rows(const lossi_shape *shape);

/* Of a sum of losses: the function, how many inputs it has, and which of them have derivatives. */
const loss_function *lossi_loss_node_function(const lossi_tape *tape, int32_t node);
int32_t lossi_loss_node_inputs(const lossi_tape *tape, int32_t node);
int32_t lossi_loss_node_differentiable(const lossi_tape *tape, int32_t node, int32_t which);

/* Second derivatives of a sum of losses, as `function` has them, times directions (LOSSI_NONE: 0), for the input `of`. */
int32_t lossi_tape_loss_product(lossi_tape *tape, int32_t node, const loss_function *function,
                                const int32_t *directions, int32_t of);

/* A step: nodes of one function and the same inputs. */
typedef struct lossi_loss_step lossi_loss_step;

lossi_loss_step *lossi_loss_step_create(const lossi_tape *tape, const int32_t *nodes, int32_t count);
void lossi_loss_step_free(lossi_loss_step *step, loss_context *context);

/*
 * inputs of the nodes, in their order; outputs[i] of nodes[i]. exact and is_exact, by node, get sum and denominator in double. A
 * failure about a row of the batch names the sample.
 */
loss_status lossi_loss_step_run(lossi_loss_step *step, loss_context *context, const lossi_batch_state *batch,
                                const lossi_value *inputs, const lossi_value *outputs, double *exact,
                                int32_t *is_exact);

#endif
