/*
 * Graphs: a model or an objective of the caller's, put together from operations, with exact first and second derivatives.
 *
 * A graph is a list of nodes, each with a number: inputs (arrays of a loss_data), parameters (parts of the vector x that an
 * optimizer moves), constants, and operations on nodes that are there already, so that it can have no cycle. Its nodes have
 * shapes; the first size may be LOSS_ROWS, the rows of whatever batch comes. docs/operations.md lists the operations, docs/graphs.md shows
 * how to use them.
 *
 *     loss_graph_input(graph, "features", LOSS_FLOAT32, 2, (int64_t[]){LOSS_ROWS, 784}, &features);
 *     loss_graph_parameter(graph, "weights", 2, (int64_t[]){784, 10}, &weights);
 *     loss_graph_apply(graph, "matrix_product", NULL, (int32_t[]){features, weights}, 2, &scores);
 *
 * Graphs belong to one context while they are made. An objective or a plan that uses a graph seals it: then it may be
 * read by any number of threads.
 */
#ifndef LOSS_GRAPH_H
#define LOSS_GRAPH_H

#include <stdint.h>

#include "loss/gradient.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The first size of a shape: the rows of the batch. */
#define LOSS_ROWS (-1)

typedef struct loss_graph loss_graph;
typedef struct loss_operation loss_operation;

/* ---- operations ------------------------------------------------------------------------------------------------- */

/* The operations there are, in alphabetical order; outside the range NULL. Static strings. Any thread. Since 0.1. */
LOSS_API int32_t loss_operation_catalogue_count(void);
LOSS_API const char *loss_operation_catalogue_name(int32_t index);

/*
 * Makes an operation by name, to set its options: "conv2d" with its strides. One operation may be applied any number of times.
 *   out, context, name  not NULL; *out is NULL on failure. The caller owns it: loss_operation_free().
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_NAME (the sentence names the nearest), LOSS_ERROR_MEMORY. Since 0.1.
 */
LOSS_API loss_status loss_operation_create(loss_operation **out, loss_context *context, const char *name);

/* Gives the caller's operation back; nodes made with it stay. NULL is allowed. Since 0.1. */
LOSS_API void loss_operation_free(loss_operation *operation);

/*
 * What it is: its name, one line in words, the names of its inputs ("…" at the end: any number more), the formula of an
 * element, where it comes from. Static strings; NULL gives "". Any thread. Since 0.1.
 */
LOSS_API const char *loss_operation_name(const loss_operation *operation);
LOSS_API const char *loss_operation_summary(const loss_operation *operation);
LOSS_API const char *loss_operation_inputs(const loss_operation *operation);
LOSS_API const char *loss_operation_formula(const loss_operation *operation);
LOSS_API const char *loss_operation_reference(const loss_operation *operation);

/*
 * Its options, as loss_function_set_double() and its kin; docs/operations.md lists them.
 * Return LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_NAME, LOSS_ERROR_TYPE, LOSS_ERROR_RANGE, LOSS_ERROR_MEMORY. Since 0.1.
 */
LOSS_API loss_status loss_operation_set_double(loss_operation *operation, const char *name, double value);
LOSS_API loss_status loss_operation_set_int(loss_operation *operation, const char *name, int64_t value);
LOSS_API loss_status loss_operation_set_string(loss_operation *operation, const char *name,
                                               const char *value);
LOSS_API loss_status loss_operation_set_array(loss_operation *operation, const char *name, const void *values,
                                              loss_dtype dtype, int64_t count);
LOSS_API int32_t loss_operation_option_count(const loss_operation *operation);
LOSS_API const loss_option *loss_operation_option(const loss_operation *operation, int32_t index);

/* ---- graphs ----------------------------------------------------------------------------------------------------- */

/*
 * Makes an empty graph whose real numbers are float32 or float64.
 *   out, context  not NULL; *out is NULL on failure. The caller owns it: loss_graph_free().
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_TYPE, LOSS_ERROR_MEMORY. Since 0.1.
 */
LOSS_API loss_status loss_graph_create(loss_graph **out, loss_context *context, loss_dtype dtype);

/* Gives the caller's reference back. NULL is allowed. Since 0.1. */
LOSS_API void loss_graph_free(loss_graph *graph);

/*
 * Adds a node. In all of them
 *   graph  not NULL, not sealed
 *   name   not NULL, 1 … 47 letters, digits and characters of "_.-/:", not that of another input, parameter or output of the graph;
 *          copied
 *   shape  `rank` sizes, 0 … 6 of them; NULL is allowed when rank is 0
 *   node   not NULL; the number of the node, untouched on failure
 * and they return LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_NAME, LOSS_ERROR_TYPE, LOSS_ERROR_SHAPE (the sentence names the operation and
 * the shapes), LOSS_ERROR_STATE (sealed), LOSS_ERROR_MEMORY.
 *
 * input      an array of the data, of that role. dtype is the graph's, or LOSS_INT32, LOSS_INT64 or LOSS_UINT8. With LOSS_ROWS as first
 *            size it has one row for each sample, whose columns are the other sizes, row-major; without, it is the same
 *            for all samples, and the array has its elements as rows × columns in that order
 * parameter  a part of x: parameters lie in x in the order in which they were added, without gaps. No size is LOSS_ROWS
 * constant   numbers, copied: as many as the shape has elements, of the dtype given (converted to the graph's). No size is LOSS_ROWS
 * Since 0.1.
 */
LOSS_API loss_status loss_graph_input(loss_graph *graph, const char *name, loss_dtype dtype, int32_t rank,
                                      const int64_t *shape, int32_t *node);
LOSS_API loss_status loss_graph_parameter(loss_graph *graph, const char *name, int32_t rank,
                                          const int64_t *shape, int32_t *node);
LOSS_API loss_status loss_graph_constant(loss_graph *graph, const void *values, loss_dtype dtype,
                                         int32_t rank, const int64_t *shape, int32_t *node);

/*
 * Adds the result of an operation, by its name with the options as they are by default, or of one that was made for its options.
 *   name, operation  one of the two, the other NULL
 *   inputs           `count` nodes of this graph
 * Returns as above, and LOSS_ERROR_RANGE for a node that is not there. Since 0.1.
 */
LOSS_API loss_status loss_graph_apply(loss_graph *graph, const char *name, const loss_operation *operation,
                                      const int32_t *inputs, int32_t count, int32_t *node);

/*
 * Adds the cost of a batch by a loss function: the sum of the losses divided by their denominator, a number.
 *   function  not NULL; the graph holds a reference, which seals it
 *   roles     `count` names, "prediction" first: those of loss_function_role()
 *   nodes     for each role its node: rows × columns, of the roles that have no derivatives integers where the loss takes them
 * Shapes and types are those that loss_function_evaluate() takes, whatever the rows of the batch will be.
 * Returns as loss_graph_apply(), and LOSS_ERROR_NAME for a role the loss does not have; LOSS_ERROR_SHAPE has the shapes of all
 * roles. Since 0.1.
 */
LOSS_API loss_status loss_graph_loss(loss_graph *graph, const loss_function *function,
                                     const char *const *roles, const int32_t *nodes, int32_t count,
                                     int32_t *node);

/*
 * Adds a formula over nodes, elementwise with broadcasting: "log(1 + exp(-y*p)) + 0.1*mean(w^2)". docs/formulas.md has the grammar and the
 * functions; sum() and mean() are over all elements.
 *   text          not NULL; numbers may have names, with their values behind a semicolon: "c*sum(w^2); c=0.1"
 *   names, nodes  `count` names that the formula has for nodes; the names of inputs, parameters and outputs of the graph are there
 *                 anyway. NULL is allowed when count is 0
 * Returns as loss_graph_apply(), and LOSS_ERROR_FORMULA; of that and of LOSS_ERROR_SHAPE the sentence has the position of the character it is
 * about. Since 0.1.
 */
LOSS_API loss_status loss_graph_formula(loss_graph *graph, const char *text, const char *const *names,
                                        const int32_t *nodes, int32_t count, int32_t *node);

/* Gives a node a name, by which predictions ask for it. Returns as loss_graph_apply(). Since 0.1. */
LOSS_API loss_status loss_graph_set_output(loss_graph *graph, const char *name, int32_t node);

/*
 * Reading. Outside the range, and for NULL: 0, NULL, or "". Strings live as long as the graph. Any thread once it is sealed. Since 0.1.
 *   node_count        nodes are 0 … count − 1
 *   node_operation    "input", "parameter", "constant", "loss", or the operation's name
 *   node_name         of an input, a parameter or an output, "" of others
 *   node_dtype, node_rank, node_size   sizes are LOSS_ROWS where the rows of the batch stand
 *   find              the node of that name, −1 when there is none
 *   parameter_count   parameters are 0 … count − 1, in the order of x
 *   parameter_node, parameter_offset   the node, and its first element in x
 *   dimension         the length of x
 */
LOSS_API loss_dtype loss_graph_dtype(const loss_graph *graph);
LOSS_API int32_t loss_graph_node_count(const loss_graph *graph);
LOSS_API const char *loss_graph_node_operation(const loss_graph *graph, int32_t node);
LOSS_API const char *loss_graph_node_name(const loss_graph *graph, int32_t node);
LOSS_API loss_dtype loss_graph_node_dtype(const loss_graph *graph, int32_t node);
LOSS_API int32_t loss_graph_node_rank(const loss_graph *graph, int32_t node);
LOSS_API int64_t loss_graph_node_size(const loss_graph *graph, int32_t node, int32_t axis);
LOSS_API int32_t loss_graph_find(const loss_graph *graph, const char *name);
LOSS_API int32_t loss_graph_parameter_count(const loss_graph *graph);
LOSS_API int32_t loss_graph_parameter_node(const loss_graph *graph, int32_t parameter);
LOSS_API int64_t loss_graph_parameter_offset(const loss_graph *graph, int32_t parameter);
LOSS_API int64_t loss_graph_dimension(const loss_graph *graph);

/*
 * How a parameter begins, for loss_graph_initialize(). Without a call: zeros.
 *   graph  not NULL, not sealed     node  a parameter     gain  finite
 *   name   "zeros"; "ones" (all are gain); "uniform" (−gain … gain); "normal" (deviation gain); "glorot_uniform", "glorot_normal"
 *          (variance gain²·2/(fan_in + fan_out)); "he_uniform", "he_normal" (variance gain²·2/fan_in, for rectifiers); "orthogonal"
 *          (the rows or columns, whichever are fewer, orthogonal and of length gain). fan_in is the product of all sizes but
 *          the last, fan_out of all but the last but one
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_NAME, LOSS_ERROR_RANGE, LOSS_ERROR_SHAPE (glorot, he, orthogonal of fewer than two sizes),
 * LOSS_ERROR_STATE. Since 0.1.
 */
LOSS_API loss_status loss_graph_set_initializer(loss_graph *graph, int32_t node, const char *name,
                                                double gain);

/*
 * Fills x with first parameters, which depend on the seed alone: the same everywhere.
 *   graph, context, x  not NULL; x has as many elements as the dimension, of the graph's type
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_MEMORY. Any thread with a context of its own once the graph is sealed. Since 0.1.
 */
LOSS_API loss_status loss_graph_initialize(const loss_graph *graph, loss_context *context, uint64_t seed,
                                           void *x);

/*
 * Writes what the graph is as text: "text", a line for each node with its shape and options, or "graphviz", which `dot` draws.
 *   format  not NULL     buffer  of `capacity` bytes, may be NULL when that is 0     length  may be NULL
 * *length is what the whole has, without its final zero; of a shorter buffer the first capacity − 1 characters are written.
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_NAME (another format). Since 0.1.
 */
LOSS_API loss_status loss_graph_print(const loss_graph *graph, const char *format, char *buffer,
                                      int64_t capacity, int64_t *length);

/* ---- graphs as objectives --------------------------------------------------------------------------------------- */

/*
 * Makes the objective of a graph over data: the value of one of its nodes, a number such as a cost, as a function of x.
 *   out, context, graph, data  not NULL; *out is NULL on failure. Holds references to graph and data, and seals both
 *   node                       of shape [] or [1]; see loss_graph_loss()
 *   data                       an array for every input that the node depends on; of inputs with rows all have as many
 * All samples together are evaluated in pieces of "chunk_rows"; the value is the mean of the pieces', weighted by the denominators of
 * the losses: a cost plus what does not depend on data is what one piece gives. What is no mean over rows (a sum over rows; losses that
 * count rows otherwise) is LOSS_ERROR_SUPPORT in more than one piece. Batches (loss_objective_evaluate_batch()) are one, whatever their size.
 * Options, settable until the first evaluation:
 *   "chunk_rows"  int, 1 … 2^31, default 256
 *   "training"    int, 0 or 1, default 1: whether dropout drops and batch_norm takes the batch's statistics
 *   "seed"        int, default 0: of dropout
 *   "iterate"     int, 0 … 2^40 − 1, default 0: how many iterates there have been, for which dropout draws anew;
 *                 loss_objective_new_iterate() counts on, and loss_objective_get_int() tells the number, to go on there later
 *   "curvature"   string, "exact" (default), "gauss_newton": what Hessian products are the products with
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_NAME (an input without data), LOSS_ERROR_TYPE, LOSS_ERROR_SHAPE, LOSS_ERROR_SUPPORT (a
 * node that is not a number), LOSS_ERROR_MEMORY. Since 0.1.
 */
LOSS_API loss_status loss_objective_create_graph(loss_objective **out, loss_context *context,
                                                 const loss_graph *graph, int32_t node,
                                                 const loss_data *data);

/* ---- graphs as functions ---------------------------------------------------------------------------------------- */

typedef struct loss_plan loss_plan;

/*
 * Makes a plan: the elements of a node over data as a function of x, for who needs more than an objective's one number - residuals, a
 * Gauss-Newton method of one's own, the gradient of what another framework goes on with.
 *   out, context, graph, data  not NULL; *out is NULL on failure. Holds references to graph and data, and seals both
 *   node                       of the graph's type
 *   data                       an array for every input that the node depends on
 *   training                   0 or 1, as the option of objectives
 * Returns as loss_objective_create_graph(). A plan belongs to its context. Since 0.1.
 */
LOSS_API loss_status loss_plan_create(loss_plan **out, loss_context *context, const loss_graph *graph,
                                      int32_t node, const loss_data *data, int32_t training);

/* Gives the plan back. NULL is allowed. Since 0.1. */
LOSS_API void loss_plan_free(loss_plan *plan);

/* How many elements the node has for the rows of the data; 0 for NULL. Since 0.1. */
LOSS_API int64_t loss_plan_size(const loss_plan *plan);

/*
 * What the elements depend on beside x, settable at any time:
 *   set_int          "seed", default 0, and "iterate", default 0: what dropout draws from, as the options of objectives; so a plan with
 *                    training 1 drops what the objective of the same seed drops at that iterate
 *   get_statistics, set_statistics   running means and variances of a batch_norm node, which a plan with training 0 takes; 0 and 1 at
 *                    first. As loss_objective_get_statistics(), whose numbers are those to set after training
 * Return LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_NAME, LOSS_ERROR_TYPE, LOSS_ERROR_RANGE. Since 0.1.
 */
LOSS_API loss_status loss_plan_set_int(loss_plan *plan, const char *name, int64_t value);
LOSS_API loss_status loss_plan_get_statistics(loss_plan *plan, int32_t node, void *mean, void *variance);
LOSS_API loss_status loss_plan_set_statistics(loss_plan *plan, int32_t node, const void *mean,
                                              const void *variance);

/*
 * With r(x) the elements of the node, row-major, and J = ∂r/∂x:
 *   value            result = r(x), as many elements as loss_plan_size() says
 *   jacobian_vector  result = J · direction, as many; direction has the graph's dimension
 *   vector_jacobian  result = Jᵀ · vector, the graph's dimension; vector has as many elements as the node
 *   plan, x, direction, vector, result   not NULL, of the graph's type; the result overlaps none of the others
 * The first of a kind makes its plan and allocates; then none does. Return LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_MEMORY,
 * LOSS_ERROR_SUPPORT (an operation without such a derivative), and what the operations return about data. Since 0.1.
 */
LOSS_API loss_status loss_plan_value(loss_plan *plan, const void *x, void *result);
LOSS_API loss_status loss_plan_jacobian_vector(loss_plan *plan, const void *x, const void *direction,
                                               void *result);
LOSS_API loss_status loss_plan_vector_jacobian(loss_plan *plan, const void *x, const void *vector,
                                               void *result);

#ifdef __cplusplus
}
#endif

#endif
