/*
 * A model of your own: a perceptron with one hidden layer, put together from operations, its cost minimised with exact
 * gradients and Hessian products. Introduces loss_graph, its objective, and predictions by the name of a node.
 */
#include "must.h"

enum { ROWS = 100, KIND = 50, HIDDEN = 6 };

/* Length and width of a petal in mm: 50 irises versicolor, then 50 virginica (Anderson 1935, Fisher 1936). */
static const unsigned char petals[ROWS][2] = {
    {47, 14}, {45, 15}, {49, 15}, {40, 13}, {46, 15}, {45, 13}, {47, 16}, {33, 10}, {46, 13}, {39, 14},
    {35, 10}, {42, 15}, {40, 10}, {47, 14}, {36, 13}, {44, 14}, {45, 15}, {41, 10}, {45, 15}, {39, 11},
    {48, 18}, {40, 13}, {49, 15}, {47, 12}, {43, 13}, {44, 14}, {48, 14}, {50, 17}, {45, 15}, {35, 10},
    {38, 11}, {37, 10}, {39, 12}, {51, 16}, {45, 15}, {45, 16}, {47, 15}, {44, 13}, {41, 13}, {40, 13},
    {44, 12}, {46, 14}, {40, 12}, {33, 10}, {42, 13}, {42, 12}, {42, 13}, {43, 13}, {30, 11}, {41, 13},
    {60, 25}, {51, 19}, {59, 21}, {56, 18}, {58, 22}, {66, 21}, {45, 17}, {63, 18}, {58, 18}, {61, 25},
    {51, 20}, {53, 19}, {55, 21}, {50, 20}, {51, 24}, {53, 23}, {55, 18}, {67, 22}, {69, 23}, {50, 15},
    {57, 23}, {49, 20}, {67, 20}, {49, 18}, {57, 21}, {60, 18}, {48, 18}, {49, 18}, {56, 21}, {58, 16},
    {61, 19}, {64, 20}, {56, 22}, {51, 15}, {56, 14}, {61, 23}, {56, 24}, {55, 18}, {48, 18}, {54, 21},
    {56, 24}, {51, 23}, {51, 19}, {59, 23}, {57, 25}, {52, 23}, {50, 19}, {52, 20}, {54, 23}, {51, 18},
};

/* In units that a tanh likes, and a class for each. */
static void prepare(double points[ROWS][2], double *classes)
{
    for (int i = 0; i < ROWS; i++) {
        points[i][0] = (petals[i][0] - 49) / 8.0;
        points[i][1] = (petals[i][1] - 17) / 4.0;
        classes[i] = i >= KIND;
    }
}

static int32_t apply(loss_context *context, loss_graph *graph, const char *name, int32_t a, int32_t b)
{
    const int32_t inputs[] = {a, b};
    int32_t node;
    must(context, loss_graph_apply(graph, name, NULL, inputs, b < 0 ? 1 : 2, &node));
    return node;
}

static int32_t parameter(loss_context *context, loss_graph *graph, const char *name, int64_t rows,
                         int64_t columns)
{
    const int64_t shape[] = {rows, columns};
    int32_t node;
    must(context, loss_graph_parameter(graph, name, 2, shape, &node));
    must(context, loss_graph_set_initializer(graph, node, rows > 1 ? "glorot_normal" : "zeros", 1.0));
    return node;
}

/* The graph from points to the cost of their scores, whose node it gives. */
static int32_t build(loss_context *context, loss_graph *graph)
{
    static const int64_t point_shape[] = {LOSS_ROWS, 2}, class_shape[] = {LOSS_ROWS, 1};
    static const char *const roles[] = {"prediction", "target"};
    loss_function *logistic;
    int32_t layer, target, cost;
    must(context, loss_graph_input(graph, "points", LOSS_FLOAT64, 2, point_shape, &layer));
    must(context, loss_graph_input(graph, "class", LOSS_FLOAT64, 2, class_shape, &target));
    for (int i = 1; i <= 2; i++) {
        char weights[8], bias[8];
        snprintf(weights, sizeof weights, "w%d", i);
        snprintf(bias, sizeof bias, "b%d", i);
        layer = apply(context, graph, "matrix_product", layer,
                      parameter(context, graph, weights, i == 1 ? 2 : HIDDEN, HIDDEN));
        layer = apply(context, graph, "add", layer, parameter(context, graph, bias, 1, HIDDEN));
        layer = apply(context, graph, "tanh", layer, -1);
    }
    layer = apply(context, graph, "matrix_product", layer, parameter(context, graph, "w3", HIDDEN, 1));
    must(context, loss_graph_set_output(graph, "score", layer));
    must(context, loss_function_create(&logistic, context, "logistic"));
    must(context, loss_graph_loss(graph, logistic, roles, (const int32_t[]){layer, target}, 2, &cost));
    loss_function_free(logistic);
    return cost;
}

int main(void)
{
    static double points[ROWS][2], classes[ROWS], scores[ROWS];
    prepare(points, classes);

    loss_context *context;
    loss_graph *graph;
    must(NULL, loss_context_create(&context));
    must(context, loss_graph_create(&graph, context, LOSS_FLOAT64));
    const int32_t cost = build(context, graph);

    loss_data *data;
    loss_objective *objective;
    must(context, loss_data_create(&data, context));
    must(context, loss_data_set_input(data, "points", points, LOSS_FLOAT64, ROWS, 2, 2, 1));
    must(context, loss_data_set_input(data, "class", classes, LOSS_FLOAT64, ROWS, 1, 1, 1));
    must(context, loss_objective_create_graph(&objective, context, graph, cost, data));
    loss_penalty *penalty; /* without it some weights would grow for ever */
    must(context, loss_penalty_create(&penalty, context, "l2"));
    must(context, loss_penalty_set_double(penalty, "strength", 1e-3));
    must(context, loss_objective_add_penalty(objective, penalty));

    const int64_t n = loss_graph_dimension(graph);
    double *x = malloc((size_t)n * sizeof *x), value;
    int32_t verdict;
    loss_optimizer *lbfgs;
    must(context, loss_graph_initialize(graph, context, 1, x));
    must(context, loss_objective_check_product(objective, x, 2, 1, &verdict));
    printf("%d parameters, derivatives %s\n", (int)n, verdict == LOSS_CHECK_OK ? "right" : "doubtful");
    must(context, loss_optimizer_create(&lbfgs, context, "lbfgs", LOSS_FLOAT64, n));
    const loss_status outcome = must(context, loss_optimizer_minimize(lbfgs, objective, x));
    must(context, loss_objective_evaluate(objective, x, &value, NULL));
    printf("%s, objective %.4f\n", loss_status_name(outcome), value);

    loss_data *outputs;
    int right = 0;
    must(context, loss_data_create(&outputs, context));
    must(context, loss_data_set_output(outputs, "score", scores, LOSS_FLOAT64, ROWS, 1, 1, 1));
    must(context, loss_objective_predict(objective, x, data, outputs));
    for (int i = 0; i < ROWS; i++) {
        right += (scores[i] > 0) == (classes[i] > 0.5);
    }
    printf("%d of %d flowers are of the kind they are taken for\n", right, ROWS);

    loss_data_free(outputs);
    loss_penalty_free(penalty);
    loss_optimizer_free(lbfgs);
    loss_objective_free(objective);
    loss_data_free(data);
    loss_graph_free(graph);
    loss_context_free(context);
    free(x);
    return 0;
}

/* Prints:
66 parameters, derivatives right
LOSS_STOP_GRADIENT, objective 0.0815
97 of 100 flowers are of the kind they are taken for
 */
