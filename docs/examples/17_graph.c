/*
 * A model of your own: a perceptron with one hidden layer, put together from operations, its cost minimised with exact
 * gradients and Hessian products. Introduces loss_graph, its objective, and predictions by the name of a node.
 */
#include <math.h>

#include "must.h"

enum { ROWS = 120, HIDDEN = 12 };

/* Two spirals, one for each class. */
static void make_spirals(double points[ROWS][2], double *classes)
{
    for (int i = 0; i < ROWS; i++) {
        const double turn = (i / 2) * 0.1 + 0.6, side = i % 2 == 0 ? 1.0 : -1.0;
        points[i][0] = side * turn / 4 * cos(turn);
        points[i][1] = side * turn / 4 * sin(turn);
        classes[i] = i % 2;
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
    make_spirals(points, classes);

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

    const int64_t n = loss_graph_dimension(graph);
    double *x = malloc((size_t)n * sizeof *x), value;
    int32_t verdict;
    loss_optimizer *lbfgs;
    must(context, loss_graph_initialize(graph, context, 1, x));
    must(context, loss_objective_check_product(objective, x, 2, 1, &verdict));
    printf("%d parameters, derivatives %s\n", (int)n, verdict == LOSS_CHECK_PASS ? "right" : "doubtful");
    must(context, loss_optimizer_create(&lbfgs, context, "lbfgs", LOSS_FLOAT64, n));
    must(context, loss_optimizer_set_double(lbfgs, "target_value", 1e-3));
    must(context, loss_optimizer_set_int(lbfgs, "max_iterations", 5000));
    const loss_status outcome = must(context, loss_optimizer_minimize(lbfgs, objective, x));
    must(context, loss_objective_evaluate(objective, x, &value, NULL));
    printf("%s, cost %s 0.001\n", loss_status_name(outcome), value <= 1e-3 ? "<=" : ">");

    loss_data *outputs;
    int right = 0;
    must(context, loss_data_create(&outputs, context));
    must(context, loss_data_set_output(outputs, "score", scores, LOSS_FLOAT64, ROWS, 1, 1, 1));
    must(context, loss_objective_predict(objective, x, data, outputs));
    for (int i = 0; i < ROWS; i++) {
        right += (scores[i] > 0) == (classes[i] > 0.5);
    }
    printf("%d of %d points on their side\n", right, ROWS);

    loss_data_free(outputs);
    loss_optimizer_free(lbfgs);
    loss_objective_free(objective);
    loss_data_free(data);
    loss_graph_free(graph);
    loss_context_free(context);
    free(x);
    return 0;
}

/* Prints:
204 parameters, derivatives right
LOSS_STOP_TARGET, cost <= 0.001
120 of 120 points on their side
 */
