/* See results_graph.h. A piece is 256 rows and more than one block of everything; the last is shorter. */
#include "results_graph.h"

#include <stddef.h>

enum { ROWS = 1501, FEATURES = 13, HIDDEN = 33, CLASSES = 5 };
enum { X = FEATURES * HIDDEN + HIDDEN + HIDDEN * CLASSES + CLASSES, NUMBERS = ROWS * FEATURES };

const char *const graph_digest_names[GRAPH_DIGESTS] = {"value", "gradient", "product"};

static double wide[NUMBERS], wide_weight[ROWS], wide_direction[X], wide_product[X], wide_x[X];
static float narrow[NUMBERS], narrow_weight[ROWS], narrow_direction[X], narrow_product[X], narrow_x[X];
static int64_t labels[ROWS];

#define TRY(call) status = status == LOSS_OK ? (call) : status

static loss_status fill(void)
{
    loss_status status = loss_random_uniform(20261126, 0, 0, NUMBERS, wide);
    TRY(loss_random_uniform(20261126, 1, 0, ROWS, wide_weight));
    TRY(loss_random_uniform(20261126, 2, 0, X, wide_direction));
    for (int32_t i = 0; i < NUMBERS; i++) {
        narrow[i] = (float)(wide[i] = 4 * wide[i] - 2);
    }
    for (int32_t i = 0; i < ROWS; i++) {
        labels[i] = (int64_t)(wide_weight[i] * CLASSES);
        narrow_weight[i] = (float)wide_weight[i];
    }
    for (int32_t i = 0; i < X; i++) {
        narrow_direction[i] = (float)(wide_direction[i] -= 0.5);
    }
    return status;
}

static loss_status apply(loss_graph *graph, const char *name, int32_t a, int32_t b, int32_t *node)
{
    return loss_graph_apply(graph, name, NULL, (int32_t[]){a, b}, b < 0 ? 1 : 2, node);
}

/* The cost of tanh(features · hidden + offsets) · weights + bias by labels with weights, and a mean square. */
static loss_status make_graph(loss_graph *graph, loss_context *context, loss_dtype dtype, int32_t *cost)
{
    static const char *const roles[] = {"prediction", "target", "weight"};
    static const double strength = 0.125;
    int32_t features, target, weight, hidden, offsets, weights, bias, at, penalty, number;
    loss_function *function = NULL;
    const int64_t rows[] = {LOSS_ROWS, FEATURES}, first[] = {FEATURES, HIDDEN}, second[] = {HIDDEN, CLASSES};
    loss_status status = loss_graph_input(graph, "features", dtype, 2, rows, &features);
    TRY(loss_graph_input(graph, "labels", LOSS_INT64, 1, rows, &target));
    TRY(loss_graph_input(graph, "weight", dtype, 1, rows, &weight));
    TRY(loss_graph_parameter(graph, "hidden", 2, first, &hidden));
    TRY(loss_graph_parameter(graph, "offsets", 1, first + 1, &offsets));
    TRY(loss_graph_parameter(graph, "weights", 2, second, &weights));
    TRY(loss_graph_parameter(graph, "bias", 1, second + 1, &bias));
    TRY(loss_graph_set_initializer(graph, hidden, "orthogonal", 1));
    TRY(loss_graph_set_initializer(graph, offsets, "normal", 0.25));
    TRY(loss_graph_set_initializer(graph, weights, "he_uniform", 1));
    TRY(apply(graph, "matrix_product", features, hidden, &at));
    TRY(apply(graph, "add", at, offsets, &at));
    TRY(apply(graph, "tanh", at, -1, &at));
    TRY(apply(graph, "matrix_product", at, weights, &at));
    TRY(apply(graph, "add", at, bias, &at));
    TRY(loss_function_create(&function, context, "cross_entropy"));
    TRY(loss_graph_loss(graph, function, roles, (int32_t[]){at, target, weight}, 3, cost));
    TRY(apply(graph, "square", weights, -1, &penalty));
    TRY(apply(graph, "mean", penalty, -1, &penalty));
    TRY(loss_graph_constant(graph, &strength, LOSS_FLOAT64, 0, NULL, &number));
    TRY(apply(graph, "multiply", penalty, number, &penalty));
    TRY(apply(graph, "add", *cost, penalty, cost));
    loss_function_free(function);
    return status;
}

static loss_status evaluate(loss_objective *objective, loss_dtype dtype, uint64_t (*hash)(uint64_t, double),
                            uint64_t *digests)
{
    const int32_t single = dtype == LOSS_FLOAT32;
    const void *x = single ? (const void *)narrow_x : wide_x;
    const void *direction = single ? (const void *)narrow_direction : wide_direction;
    void *out = single ? (void *)narrow_product : wide_product;
    double value = 0;
    loss_status status = loss_objective_evaluate(objective, x, &value, out);
    digests[0] = hash(digests[0], value);
    for (int32_t i = 0; i < X; i++) {
        digests[1] = hash(digests[1], single ? (double)narrow_product[i] : wide_product[i]);
    }
    TRY(loss_objective_hessian_product(objective, x, direction, out));
    for (int32_t i = 0; i < X; i++) {
        digests[2] = hash(digests[2], single ? (double)narrow_product[i] : wide_product[i]);
    }
    return status;
}

loss_status digest_graph(loss_context *context, loss_dtype dtype, uint64_t (*hash)(uint64_t, double),
                         uint64_t *digests)
{
    const int32_t single = dtype == LOSS_FLOAT32;
    int32_t cost = 0;
    loss_graph *graph = NULL;
    loss_data *data = NULL;
    loss_objective *objective = NULL;
    loss_status status = fill();
    TRY(loss_graph_create(&graph, context, dtype));
    TRY(make_graph(graph, context, dtype, &cost));
    TRY(loss_graph_initialize(graph, context, 5, single ? (void *)narrow_x : wide_x));
    TRY(loss_data_create(&data, context));
    TRY(loss_data_set_input(data, "features", single ? (const void *)narrow : wide, dtype, ROWS, FEATURES,
                            FEATURES, 1));
    TRY(loss_data_set_input(data, "labels", labels, LOSS_INT64, ROWS, 1, 1, 1));
    TRY(loss_data_set_input(data, "weight", single ? (const void *)narrow_weight : wide_weight, dtype, ROWS,
                            1, 1, 1));
    TRY(loss_objective_create_graph(&objective, context, graph, cost, data));
    TRY(evaluate(objective, dtype, hash, digests));
    loss_objective_free(objective);
    loss_graph_free(graph);
    loss_data_free(data);
    return status;
}
