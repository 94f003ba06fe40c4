/* Losses in graphs: the shapes that they take in their roles, which are looked at when a loss is added. */
#include "support/check.h"
#include "support/known.h"

/* Nodes of a loss: letters of the inputs below. */
static const struct {
    const char *loss;
    struct {
        const char *role;
        char input;
    } roles[4];
    loss_status status;
    const char *words;
} shapes_of_losses[] = {
    {"squared_error", {{"prediction", 'c'}, {"target", 'c'}}, LOSS_OK, ""},
    {"squared_error", {{"prediction", 'c'}, {"target", 'C'}}, LOSS_OK, ""}, /* integers are converted */
    {"squared_error", {{"prediction", 'r'}, {"target", 'r'}, {"weight", 'r'}}, LOSS_OK, ""},
    {"squared_error", {{"prediction", 'c'}, {"target", 'c'}, {"mask", 'm'}}, LOSS_OK, ""},
    {"squared_error", {{"prediction", 'i'}, {"target", 'i'}}, LOSS_OK, ""},
    {"cross_entropy", {{"prediction", 'c'}, {"target", 'R'}}, LOSS_OK, ""},
    {"cross_entropy", {{"prediction", 'i'}, {"target", 'I'}}, LOSS_OK, ""}, /* a label a pixel */
    {"gaussian_nll", {{"prediction", 'c'}, {"target", 'c'}, {"variance", 'c'}}, LOSS_OK, ""},
    {"cox", {{"prediction", 'r'}, {"time", 'r'}, {"event", 'r'}, {"offsets", 'o'}}, LOSS_OK, ""},
    {"squared_error",
     {{"prediction", 'c'}, {"target", 'd'}},
     LOSS_ERROR_SHAPE,
     "the loss 'squared_error' cannot take prediction [rows, 3] (node 0) and target [rows, 4] (node 1): "
     "'target' is rows x 4; rows x 3 was expected"},
    {"squared_error",
     {{"prediction", 'c'}, {"target", 'r'}},
     LOSS_ERROR_SHAPE,
     "'target' is rows x 1; rows x 3 was expected"},
    {"squared_error",
     {{"prediction", 'c'}, {"target", 'c'}, {"weight", 'd'}},
     LOSS_ERROR_SHAPE,
     "prediction [rows, 3] (node 0), target [rows, 3] (node 0) and weight [rows, 4] (node 1): "},
    {"squared_error",
     {{"prediction", 'i'}, {"target", 'c'}},
     LOSS_ERROR_SHAPE,
     "'target' is rows x 3; 4*rows x 3 was expected"},
    {"squared_error", {{"prediction", 'r'}, {"target", 'f'}}, LOSS_ERROR_SHAPE, "target [5] (node 3)"},
    {"cross_entropy",
     {{"prediction", 'c'}, {"target", 'C'}},
     LOSS_ERROR_SHAPE,
     "rows x 1 was expected for class labels"},
    {"cross_entropy", {{"prediction", 'c'}, {"target", 'c'}, {"mask", 'o'}}, LOSS_ERROR_SHAPE, "mask [3]"},
    {"gaussian_nll",
     {{"prediction", 'c'}, {"target", 'c'}, {"variance", 'd'}},
     LOSS_ERROR_SHAPE,
     "variance [rows, 4] (node 1): 'variance' is rows x 4; rows x 3 was expected"},
    {"cox",
     {{"prediction", 'c'}, {"time", 'r'}, {"event", 'r'}},
     LOSS_ERROR_SHAPE,
     "the loss 'cox' cannot take prediction [rows, 3]"},
    {"squared_error", {{"prediction", 'c'}, {"target", 'M'}}, LOSS_ERROR_TYPE, "uint8"},
    {"squared_error", {{"prediction", 'c'}, {"target", 'c'}, {"mask", 'c'}}, LOSS_ERROR_TYPE, "'mask'"},
    {"squared_error", {{"prediction", 'c'}}, LOSS_ERROR_ARGUMENT, "'target'"},
    {"gaussian_nll", {{"prediction", 'c'}, {"variance", 'c'}}, LOSS_ERROR_ARGUMENT, "'target'"},
};

static void shapes_that_losses_take(void **unused)
{
    static const struct {
        char letter;
        loss_dtype dtype;
        int32_t rank;
        int64_t shape[3];
    } inputs[] = {{'c', LOSS_FLOAT64, 2, {LOSS_ROWS, 3}},
                  {'d', LOSS_FLOAT64, 2, {LOSS_ROWS, 4}},
                  {'r', LOSS_FLOAT64, 1, {LOSS_ROWS}},
                  {'f', LOSS_FLOAT64, 1, {5}},
                  {'i', LOSS_FLOAT64, 3, {LOSS_ROWS, 4, 3}},
                  {'C', LOSS_INT64, 2, {LOSS_ROWS, 3}},
                  {'R', LOSS_INT32, 1, {LOSS_ROWS}},
                  {'I', LOSS_INT64, 2, {LOSS_ROWS, 4}},
                  {'m', LOSS_UINT8, 1, {LOSS_ROWS}},
                  {'M', LOSS_UINT8, 2, {LOSS_ROWS, 3}},
                  {'o', LOSS_INT64, 1, {3}}};
    enum { INPUTS = sizeof inputs / sizeof inputs[0] };
    loss_graph *graph;
    int32_t node;
    (void)unused;
    assert_status(context, loss_graph_create(&graph, context, LOSS_FLOAT64), LOSS_OK);
    for (int32_t i = 0; i < INPUTS; i++) {
        const char name[] = {inputs[i].letter, '\0'};
        assert_status(context,
                      loss_graph_input(graph, name, inputs[i].dtype, inputs[i].rank, inputs[i].shape, &node),
                      LOSS_OK);
        assert_int_equal(node, i);
    }
    for (size_t k = 0; k < sizeof shapes_of_losses / sizeof shapes_of_losses[0]; k++) {
        const char *roles[4];
        int32_t nodes[4], count = 0;
        loss_function *function;
        for (; count < 4 && shapes_of_losses[k].roles[count].role != NULL; count++) {
            const char name[] = {shapes_of_losses[k].roles[count].input, '\0'};
            roles[count] = shapes_of_losses[k].roles[count].role;
            nodes[count] = loss_graph_find(graph, name);
        }
        node = -7;
        assert_status(context, loss_function_create(&function, context, shapes_of_losses[k].loss), LOSS_OK);
        assert_status(context, loss_graph_loss(graph, function, roles, nodes, count, &node),
                      shapes_of_losses[k].status);
        if (shapes_of_losses[k].status != LOSS_OK) {
            assert_sentence(context, shapes_of_losses[k].words);
            assert_int_equal(node, -7);
        }
        loss_function_free(function);
    }
    loss_graph_free(graph);
}

/* ---- losses over groups ---- */

enum { ROWS = 6 };

/* Groups of two and four rows; weights of the groups. */
static const double slopes[ROWS] = {0.5, -1.25, 2, 0.75, -0.5, 1.5}, times[ROWS] = {3, 1, 4, 1.5, 5, 9},
                    events[ROWS] = {1, 0, 1, 1, 0, 1}, group_weights[2] = {2, 0.5};
static const int64_t group_offsets[3] = {0, 2, 6};

static const struct grouped_case {
    const char *loss;
    struct {
        const char *role;
        loss_dtype dtype;
        const void *values;
        int64_t rows, size; /* LOSS_ROWS or that many */
    } given[4];
} grouped_cases[] = {
    {"cox",
     {{"time", LOSS_FLOAT64, times, ROWS, LOSS_ROWS},
      {"event", LOSS_FLOAT64, events, ROWS, LOSS_ROWS},
      {"offsets", LOSS_INT64, group_offsets, 3, 3}}},
    {"list_mle",
     {{"target", LOSS_FLOAT64, times, ROWS, LOSS_ROWS},
      {"offsets", LOSS_INT64, group_offsets, 3, 3},
      {"weight", LOSS_FLOAT64, group_weights, 2, 2}}},
};

/* Sum over denominator, and its derivative along the slopes, by the loss itself. */
static double cost_by_loss(const struct grouped_case *at, const double *prediction, double *derivative)
{
    double sum, denominator, gradient[ROWS];
    loss_function *function;
    loss_data *inputs, *outputs;
    assert_status(context, loss_function_create(&function, context, at->loss), LOSS_OK);
    assert_status(context, loss_data_create(&inputs, context), LOSS_OK);
    assert_status(context, loss_data_create(&outputs, context), LOSS_OK);
    assert_status(context, loss_data_set_input(inputs, "prediction", prediction, LOSS_FLOAT64, ROWS, 1, 1, 1),
                  LOSS_OK);
    for (int32_t i = 0; at->given[i].role != NULL; i++) {
        assert_status(context,
                      loss_data_set_input(inputs, at->given[i].role, at->given[i].values, at->given[i].dtype,
                                          at->given[i].rows, 1, 1, 1),
                      LOSS_OK);
    }
    assert_status(context, loss_data_set_output(outputs, "gradient", gradient, LOSS_FLOAT64, ROWS, 1, 1, 1),
                  LOSS_OK);
    assert_status(context, loss_function_evaluate(context, function, inputs, outputs, &sum, &denominator),
                  LOSS_OK);
    *derivative = 0;
    for (int32_t i = 0; i < ROWS; i++) {
        *derivative += gradient[i] * slopes[i] / denominator;
    }
    loss_data_free(inputs);
    loss_data_free(outputs);
    loss_function_free(function);
    return sum / denominator;
}

/* prediction = slopes · x, with one x: the cost of the graph is the loss's. */
static void groups_by_offsets(void **unused)
{
    const int64_t rows[] = {LOSS_ROWS};
    (void)unused;
    for (size_t k = 0; k < sizeof grouped_cases / sizeof grouped_cases[0]; k++) {
        const struct grouped_case *at = &grouped_cases[k];
        const char *roles[5] = {"prediction"};
        int32_t nodes[5], features, x, count = 1, cost;
        const double point[] = {0.625};
        double prediction[ROWS], value, gradient[1], expected, derivative;
        loss_graph *graph;
        loss_function *function;
        loss_data *data;
        loss_objective *objective;
        assert_status(context, loss_data_create(&data, context), LOSS_OK);
        assert_status(context, loss_graph_create(&graph, context, LOSS_FLOAT64), LOSS_OK);
        assert_status(context, loss_function_create(&function, context, at->loss), LOSS_OK);
        assert_status(context, loss_graph_input(graph, "features", LOSS_FLOAT64, 1, rows, &features),
                      LOSS_OK);
        assert_status(context, loss_data_set_input(data, "features", slopes, LOSS_FLOAT64, ROWS, 1, 1, 1),
                      LOSS_OK);
        assert_status(context, loss_graph_parameter(graph, "x", 0, NULL, &x), LOSS_OK);
        assert_status(context,
                      loss_graph_apply(graph, "multiply", NULL, (int32_t[]){features, x}, 2, &nodes[0]),
                      LOSS_OK);
        for (; at->given[count - 1].role != NULL; count++) {
            const char *role = roles[count] = at->given[count - 1].role;
            assert_status(context,
                          loss_graph_input(graph, role, at->given[count - 1].dtype, 1,
                                           &at->given[count - 1].size, &nodes[count]),
                          LOSS_OK);
            assert_status(context,
                          loss_data_set_input(data, role, at->given[count - 1].values,
                                              at->given[count - 1].dtype, at->given[count - 1].rows, 1, 1, 1),
                          LOSS_OK);
        }
        assert_status(context, loss_graph_loss(graph, function, roles, nodes, count, &cost), LOSS_OK);
        assert_status(context, loss_objective_create_graph(&objective, context, graph, cost, data), LOSS_OK);
        assert_status(context, loss_objective_evaluate(objective, point, &value, gradient), LOSS_OK);
        for (int32_t i = 0; i < ROWS; i++) {
            prediction[i] = slopes[i] * point[0];
        }
        expected = cost_by_loss(at, prediction, &derivative);
        assert_close(value, expected, 1e-14, 0);
        assert_close(gradient[0], derivative, 1e-13, 0);
        loss_objective_free(objective);
        loss_function_free(function);
        loss_graph_free(graph);
        loss_data_free(data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_that_losses_take),
        cmocka_unit_test(groups_by_offsets),
    };
    return cmocka_run_group_tests_name("graph_losses", tests, known_setup, known_teardown);
}
