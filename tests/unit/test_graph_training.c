/* Optimizers minimise graphs: a small perceptron learns what no linear model can, in whole and in batches. */
#include <math.h>
#include <string.h>

#include "stochastic.h"
#include "support/check.h"
#include "support/known.h"

enum { N = 64, X = 2 * 8 + 8 + 8 * 2 + 2 };

/* Points of the plane, and whether their coordinates have the same sign. */
typedef struct signs {
    double points[N * 2];
    float single[N * 2];
    int64_t labels[N];
} signs;

static void fill(signs *s)
{
    loss_random_uniform(5, 1, 0, 2 * N, s->points);
    for (int32_t i = 0; i < 2 * N; i++) {
        const double p = 2 * s->points[i] - 1;
        s->points[i] = s->single[i] = (float)(p + (p < 0 ? -0.2 : 0.2));
    }
    for (int32_t i = 0; i < N; i++) {
        s->labels[i] = s->points[2 * i] * s->points[2 * i + 1] > 0;
    }
}

static loss_objective *perceptron(const signs *s, loss_dtype dtype, void *x)
{
    static const char *const roles[] = {"prediction", "target"};
    static const double strength = 1e-4;
    int32_t n[12], cost;
    loss_graph *graph;
    loss_function *function;
    loss_data *data;
    loss_objective *objective;
    const int64_t points[] = {LOSS_ROWS, 2}, hidden[] = {2, 8}, width[] = {8}, weights[] = {8, 2},
                  two[] = {2};
    assert_status(context, loss_graph_create(&graph, context, dtype), LOSS_OK);
    assert_status(context, loss_graph_input(graph, "points", dtype, 2, points, &n[0]), LOSS_OK);
    assert_status(context, loss_graph_input(graph, "labels", LOSS_INT64, 1, points, &n[1]), LOSS_OK);
    assert_status(context, loss_graph_parameter(graph, "hidden", 2, hidden, &n[2]), LOSS_OK);
    assert_status(context, loss_graph_parameter(graph, "offsets", 1, width, &n[3]), LOSS_OK);
    assert_status(context, loss_graph_parameter(graph, "weights", 2, weights, &n[4]), LOSS_OK);
    assert_status(context, loss_graph_parameter(graph, "bias", 1, two, &n[5]), LOSS_OK);
    assert_status(context, loss_graph_set_initializer(graph, n[2], "glorot_normal", 1.5), LOSS_OK);
    assert_status(context, loss_graph_set_initializer(graph, n[4], "glorot_normal", 1), LOSS_OK);
    const struct {
        const char *name;
        int32_t a, b;
    } layers[] = {
        {"matrix_product", 0, 2}, {"add", 6, 3}, {"tanh", 6, -1}, {"matrix_product", 6, 4}, {"add", 6, 5}};
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        const int32_t inputs[] = {n[layers[i].a], layers[i].b < 0 ? -1 : n[layers[i].b]};
        assert_status(context,
                      loss_graph_apply(graph, layers[i].name, NULL, inputs, layers[i].b < 0 ? 1 : 2, &n[6]),
                      LOSS_OK);
    }
    assert_status(context, loss_function_create(&function, context, "cross_entropy"), LOSS_OK);
    assert_status(context, loss_graph_loss(graph, function, roles, (int32_t[]){n[6], n[1]}, 2, &cost),
                  LOSS_OK);
    assert_status(context, loss_graph_apply(graph, "square", NULL, &n[4], 1, &n[7]), LOSS_OK);
    assert_status(context, loss_graph_apply(graph, "mean", NULL, &n[7], 1, &n[7]), LOSS_OK);
    assert_status(context, loss_graph_constant(graph, &strength, LOSS_FLOAT64, 0, NULL, &n[8]), LOSS_OK);
    assert_status(context, loss_graph_apply(graph, "multiply", NULL, (int32_t[]){n[7], n[8]}, 2, &n[7]),
                  LOSS_OK);
    assert_status(context, loss_graph_apply(graph, "add", NULL, (int32_t[]){cost, n[7]}, 2, &cost), LOSS_OK);
    assert_status(context, loss_graph_initialize(graph, context, 11, x), LOSS_OK);
    assert_status(context, loss_data_create(&data, context), LOSS_OK);
    assert_status(context,
                  loss_data_set_input(data, "points",
                                      dtype == LOSS_FLOAT32 ? (const void *)s->single : s->points, dtype, N,
                                      2, 2, 1),
                  LOSS_OK);
    assert_status(context, loss_data_set_input(data, "labels", s->labels, LOSS_INT64, N, 1, 1, 1), LOSS_OK);
    assert_status(context, loss_objective_create_graph(&objective, context, graph, cost, data), LOSS_OK);
    assert_int_equal(loss_objective_dimension(objective), X);
    loss_function_free(function);
    loss_graph_free(graph);
    loss_data_free(data);
    return objective;
}

/* A linear model cannot do better than log 2 = 0.69 here; nobody gets below the penalty's share. */
static void perceptrons_learn(void **unused)
{
    static const struct {
        const char *name, *settings, *curvature;
        double most[2]; /* float32, float64 */
    } cases[] = {
        {"lbfgs", "max_iterations=200", "exact", {0.05, 0.02}},
        {"newton_cg", "max_iterations=200", "exact", {0.05, 0.02}},
        {"newton_cg", "max_iterations=200", "gauss_newton", {0.05, 0.02}},
        {"sgd", "learning_rate=0.5 momentum=0.9 batch_size=16 epochs=150 seed=3", "exact", {0.1, 0.1}},
        {"adam", "learning_rate=0.03 batch_size=16 epochs=150 seed=3", "exact", {0.1, 0.1}},
    };
    signs s;
    (void)unused;
    fill(&s);
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        for (int32_t type = 0; type < 2; type++) {
            double first, value, x[X];
            loss_objective *objective = perceptron(&s, dtypes[type], x);
            assert_status(context, loss_objective_set_string(objective, "curvature", cases[k].curvature),
                          LOSS_OK);
            assert_status(context, loss_objective_evaluate(objective, x, &first, NULL), LOSS_OK);
            loss_optimizer *optimizer = stochastic_create(context, cases[k].name, cases[k].settings,
                                                          dtypes[type], X);
            assert_true(loss_optimizer_minimize(optimizer, objective, x) >= LOSS_OK);
            assert_status(context, loss_objective_evaluate(objective, x, &value, NULL), LOSS_OK);
            if (!(value < cases[k].most[type == 1] && first > 0.5)) {
                fail_msg("%s: from %g to %g", cases[k].name, first, value);
            }
            loss_optimizer_free(optimizer);
            loss_objective_free(objective);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(perceptrons_learn)};
    return cmocka_run_group_tests_name("graph_training", tests, known_setup, known_teardown);
}
