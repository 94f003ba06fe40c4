/*
 * Graphs as models: a linear one is the linear model of every loss of the catalogue, Gauss-Newton products are what they are
 * said to be, first parameters have the moments they should have, and graphs can be printed.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradient_model.h"
#include "graph_model.h"
#include "support/known.h"

/* ---- the linear model ---- */

enum { ROWS = 9, MOST_X = 4096 };

static int32_t input(loss_graph *graph, const char *name, loss_dtype dtype, int64_t columns)
{
    int32_t node;
    const int64_t shape[] = {LOSS_ROWS, columns};
    assert_status(context, loss_graph_input(graph, name, dtype, columns == 0 ? 1 : 2, shape, &node), LOSS_OK);
    return node;
}

/* features · Wᵀ + b, and the cost of it. */
static loss_objective *linear_graph(const loss_function *function, const model *m)
{
    const batch *rows = &m->rows;
    const char *roles[] = {"prediction", "target", NULL, NULL};
    int32_t nodes[4], product[2], bias, cost, count = 2;
    loss_graph *graph;
    loss_operation *transposed;
    loss_objective *objective;
    loss_data *data = model_data(context, m);
    assert_status(context, loss_graph_create(&graph, context, rows->dtype), LOSS_OK);
    product[0] = input(graph, "features", rows->dtype, m->features);
    assert_status(
        context, loss_graph_parameter(graph, "weights", 2, (int64_t[]){m->outputs, m->features}, &product[1]),
        LOSS_OK);
    assert_status(context, loss_graph_parameter(graph, "bias", 1, (int64_t[]){m->outputs}, &bias), LOSS_OK);
    assert_status(context, loss_operation_create(&transposed, context, "matrix_product"), LOSS_OK);
    assert_status(context, loss_operation_set_int(transposed, "transpose", 1), LOSS_OK);
    assert_status(context, loss_graph_apply(graph, NULL, transposed, product, 2, &nodes[0]), LOSS_OK);
    loss_operation_free(transposed);
    assert_status(context, loss_graph_apply(graph, "add", NULL, (int32_t[]){nodes[0], bias}, 2, &nodes[0]),
                  LOSS_OK);
    nodes[1] = rows->labels ? input(graph, "target", LOSS_INT64, 0)
                            : input(graph, "target", rows->dtype, m->outputs);
    if (rows->give & GIVE_WEIGHT) {
        roles[count] = "weight";
        nodes[count++] = input(graph, "weight", rows->dtype, 0);
    }
    if (rows->give & GIVE_MASK) {
        roles[count] = "mask";
        nodes[count++] = input(graph, "mask", LOSS_UINT8, 0);
    }
    assert_status(context, loss_graph_loss(graph, function, roles, nodes, count, &cost), LOSS_OK);
    assert_status(context, loss_objective_create_graph(&objective, context, graph, cost, data), LOSS_OK);
    loss_graph_free(graph);
    loss_data_free(data);
    return objective;
}

static void near(const void *a, const void *b, loss_dtype dtype, int64_t n)
{
    double largest = 0;
    for (int64_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs(element(b, dtype, i)));
    }
    for (int64_t i = 0; i < n; i++) { /* sums of some tens of terms in another order */
        assert_close(element(a, dtype, i), element(b, dtype, i), 0,
                     (dtype == LOSS_FLOAT64 ? 1e-12 : 2e-5) * largest);
    }
}

static void compare(loss_context *unused, const loss_function *function, const vector_group *group,
                    int32_t pointwise)
{
    (void)unused;
    static const int32_t given[] = {0, GIVE_WEIGHT, GIVE_MASK};
    for (int32_t g = 0; g < 3; g++) {
        model m = model_of_group(group, ROWS, 1, 2, pointwise, 1);
        double value[2];
        static char gradient[2][8 * MOST_X], product[2][8 * MOST_X];
        m.rows.give = given[g];
        assert_in_range(m.dimension, 1, MOST_X);
        loss_objective *const objectives[] = {linear_graph(function, &m),
                                              model_objective(context, function, &m)};
        for (int32_t i = 0; i < 2; i++) {
            assert_status(context,
                          loss_objective_evaluate(objectives[i], m.parameters, &value[i], gradient[i]),
                          LOSS_OK);
            assert_status(
                context, loss_objective_hessian_product(objectives[i], m.parameters, m.direction, product[i]),
                LOSS_OK);
        }
        assert_close(value[0], value[1], m.rows.dtype == LOSS_FLOAT64 ? 1e-12 : 2e-5, 1e-30);
        near(gradient[0], gradient[1], m.rows.dtype, m.dimension);
        near(product[0], product[1], m.rows.dtype, m.dimension);
        loss_objective_free(objectives[0]);
        loss_objective_free(objectives[1]);
        model_free(&m);
    }
}

static void a_linear_graph_is_the_linear_model(void **unused)
{
    (void)unused;
    for_every_loss(compare);
}

/* ---- Gauss-Newton ---- */

static void products(const graph_model *m, int32_t node, const char *curvature, const double *direction,
                     double *product)
{
    loss_objective *objective = graph_model_objective(m, node);
    assert_status(context, loss_objective_set_string(objective, "curvature", curvature), LOSS_OK);
    assert_status(context, loss_objective_hessian_product(objective, m->x, direction, product), LOSS_OK);
    loss_objective_free(objective);
}

/* Of a convex loss it is semidefinite, whatever the model, and it is not the exact one where the model bends. */
static void gauss_newton_is_semidefinite(void **unused)
{
    graph_model m;
    double product[2][GRAPH_MODEL_X], direction[GRAPH_MODEL_X];
    int32_t differ = 0, below = 0;
    (void)unused;
    graph_model_make(&m, LOSS_FLOAT64);
    const int32_t cost = graph_model_loss(&m, "cross_entropy", "labels", "weight");
    for (int32_t k = 0; k < 40; k++) {
        double along[2] = {0, 0};
        for (int64_t i = 0; i < GRAPH_MODEL_X; i++) {
            direction[i] = scatter(i + 1000 * k) - 0.5;
        }
        products(&m, cost, "gauss_newton", direction, product[0]);
        products(&m, cost, "exact", direction, product[1]);
        for (int64_t i = 0; i < GRAPH_MODEL_X; i++) {
            along[0] += direction[i] * product[0][i];
            along[1] += direction[i] * product[1][i];
        }
        assert_true(along[0] > -1e-15);
        differ += fabs(along[0] - along[1]) > 1e-6;
        below += along[1] < 0;
    }
    assert_true(differ > 30);
    assert_true(below < 40);
    graph_model_free(&m);
}

/* The last layer alone is linear: along it both are the same. A penalty counts with its own second derivatives. */
static void gauss_newton_of_what_is_linear(void **unused)
{
    for (int32_t kind = 0; kind < 3; kind++) {
        graph_model m;
        double product[2][GRAPH_MODEL_X], direction[GRAPH_MODEL_X] = {0};
        (void)unused;
        graph_model_make(&m, LOSS_FLOAT64);
        const int32_t cost = kind == 0 ? graph_model_penalty(&m)
                             : kind == 1
                                 ? graph_model_loss(&m, "squared_error", "targets", "mask")
                                 : graph_model_add(&m, graph_model_loss(&m, "cross_entropy", "labels", ""),
                                                   graph_model_penalty(&m));
        for (int64_t i = 20; i < GRAPH_MODEL_X; i++) {
            direction[i] = m.direction[i];
        }
        products(&m, cost, "gauss_newton", direction, product[0]);
        products(&m, cost, "exact", direction, product[1]);
        for (int64_t i = 20; i < GRAPH_MODEL_X; i++) {
            assert_close(product[0][i], product[1][i], 1e-12, 1e-15);
            if (kind == 0) { /* the mean of 15 squares */
                assert_close(product[0][i], i < 35 ? 2 * direction[i] / 15 : 0, 1e-14, 0);
            }
        }
        graph_model_free(&m);
    }
}

/* ---- first parameters ---- */

enum { LARGE_ROWS = 300, LARGE_COLUMNS = 200, LARGE = LARGE_ROWS * LARGE_COLUMNS };

static void initialise(loss_dtype dtype, const char *name, double gain, int32_t rank, const int64_t *shape,
                       uint64_t seed, void *x)
{
    loss_graph *graph;
    int32_t node;
    assert_status(context, loss_graph_create(&graph, context, dtype), LOSS_OK);
    assert_status(context, loss_graph_parameter(graph, "w", rank, shape, &node), LOSS_OK);
    if (name != NULL) {
        assert_status(context, loss_graph_set_initializer(graph, node, name, gain), LOSS_OK);
    }
    assert_status(context, loss_graph_initialize(graph, context, seed, x), LOSS_OK);
    loss_graph_free(graph);
}

static void initial_moments(void **unused)
{
    static double x[LARGE], other[LARGE];
    static float single[LARGE];
    const int64_t shape[] = {LARGE_ROWS, LARGE_COLUMNS};
    static const struct {
        const char *name;
        double gain, variance, fourth; /* of the distribution, over its variance squared */
        int32_t bounded;
    } known[] = {{"uniform", 0.5, 0.25 / 3, 1.8, 1},
                 {"normal", 0.5, 0.25, 3, 0},
                 {"glorot_uniform", 2, 4 * 2.0 / (LARGE_ROWS + LARGE_COLUMNS), 1.8, 1},
                 {"glorot_normal", 1, 2.0 / (LARGE_ROWS + LARGE_COLUMNS), 3, 0},
                 {"he_uniform", 1, 2.0 / LARGE_ROWS, 1.8, 1},
                 {"he_normal", 3, 9 * 2.0 / LARGE_ROWS, 3, 0}};
    (void)unused;
    for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) {
        double sums[3] = {0, 0, 0};
        const double v = known[k].variance;
        initialise(LOSS_FLOAT64, known[k].name, known[k].gain, 2, shape, 7, x);
        initialise(LOSS_FLOAT64, known[k].name, known[k].gain, 2, shape, 7, other);
        assert_same_bits(x, other, LOSS_FLOAT64, LARGE);
        initialise(LOSS_FLOAT64, known[k].name, known[k].gain, 2, shape, 8, other);
        initialise(LOSS_FLOAT32, known[k].name, known[k].gain, 2, shape, 7, single);
        int64_t same = 0;
        for (int64_t i = 0; i < LARGE; i++) {
            same += x[i] == other[i];
            assert_true(single[i] == (float)x[i]);
            assert_true(!known[k].bounded || fabs(x[i]) <= sqrt(3 * v) * (1 + 1e-15));
            sums[0] += x[i];
            sums[1] += x[i] * x[i];
            sums[2] += x[i] * x[i] * x[i] * x[i];
        }
        assert_int_equal(same, 0);
        /* five deviations of each mean */
        assert_close(sums[0] / LARGE, 0, 0, 5 * sqrt(v / LARGE));
        assert_close(sums[1] / LARGE, v, 5 * sqrt((known[k].fourth - 1) / LARGE), 0);
        assert_close(sums[2] / LARGE, known[k].fourth * v * v, 0.1, 0);
    }
}

static void initial_vectors_are_orthogonal(void **unused)
{
    static const struct {
        int32_t rank;
        int64_t size[3], rows, columns;
    } shapes[] = {
        {2, {6, 4}, 6, 4}, {2, {4, 6}, 4, 6}, {3, {2, 3, 4}, 6, 4}, {2, {5, 5}, 5, 5}, {2, {1, 3}, 1, 3}};
    double x[64];
    (void)unused;
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        const int64_t rows = shapes[s].rows, columns = shapes[s].columns;
        const int32_t by_rows = rows <= columns;
        const int64_t count = by_rows ? rows : columns, length = by_rows ? columns : rows;
        initialise(LOSS_FLOAT64, "orthogonal", 1.5, shapes[s].rank, shapes[s].size, 3, x);
        for (int64_t i = 0; i < count; i++) {
            for (int64_t j = 0; j < count; j++) {
                double dot = 0;
                for (int64_t k = 0; k < length; k++) {
                    dot += by_rows ? x[i * columns + k] * x[j * columns + k]
                                   : x[k * columns + i] * x[k * columns + j];
                }
                assert_close(dot, i == j ? 2.25 : 0, 1e-14, 1e-14);
            }
        }
    }
}

static void initial_constants(void **unused)
{
    double x[3] = {7, 7, 7};
    const int64_t three[] = {3}, nothing[] = {0, 4};
    (void)unused;
    initialise(LOSS_FLOAT64, NULL, 0, 1, three, 1, x);
    assert_true(x[0] == 0 && x[2] == 0);
    initialise(LOSS_FLOAT64, "ones", -2.5, 1, three, 1, x);
    assert_true(x[0] == -2.5 && x[2] == -2.5);
    initialise(LOSS_FLOAT64, "zeros", 3, 1, three, 1, x);
    assert_true(x[0] == 0 && x[2] == 0);
    x[0] = 777;
    initialise(LOSS_FLOAT64, "he_normal", 1, 2, nothing, 1, x);
    initialise(LOSS_FLOAT64, "orthogonal", 1, 2, nothing, 1, x);
    assert_true(x[0] == 777);
}

/* ---- print ---- */

static loss_graph *small_graph(void)
{
    static const char *const roles[] = {"prediction", "target"};
    static const double half = 0.5;
    loss_graph *graph;
    loss_function *function;
    int32_t n[2], target, product, number, scaled, cost;
    assert_status(context, loss_graph_create(&graph, context, LOSS_FLOAT32), LOSS_OK);
    n[0] = input(graph, "features", LOSS_FLOAT32, 4);
    target = input(graph, "labels", LOSS_INT64, 0);
    assert_status(context, loss_graph_parameter(graph, "the_weights", 2, (int64_t[]){4, 3}, &n[1]), LOSS_OK);
    assert_status(context, loss_graph_apply(graph, "matrix_product", NULL, n, 2, &product), LOSS_OK);
    assert_status(context, loss_graph_constant(graph, &half, LOSS_FLOAT64, 0, NULL, &number), LOSS_OK);
    assert_status(context,
                  loss_graph_apply(graph, "multiply", NULL, (int32_t[]){product, number}, 2, &scaled),
                  LOSS_OK);
    assert_status(context, loss_function_create(&function, context, "cross_entropy"), LOSS_OK);
    assert_status(context, loss_graph_loss(graph, function, roles, (int32_t[]){scaled, target}, 2, &cost),
                  LOSS_OK);
    loss_function_free(function);
    assert_status(context, loss_graph_set_output(graph, "scores", scaled), LOSS_OK);
    return graph;
}

static const char *const texts[][2] = {
    {"text", "0  input  float32 [rows, 4]  features\n"
             "1  input  int64 [rows]  labels\n"
             "2  parameter  float32 [4, 3]  the_weights\n"
             "3  matrix_product (0, 2)  float32 [rows, 3]\n"
             "4  constant 0.5  float32 []\n"
             "5  multiply (3, 4)  float32 [rows, 3]  scores\n"
             "6  loss cross_entropy (5, 1)  float32 []\n"},
    {"graphviz",
     "digraph {\n"
     "  n0 [shape=box, style=filled, fillcolor=lightgrey, label=\"input\\nfeatures\\n[rows, 4]\"];\n"
     "  n1 [shape=box, style=filled, fillcolor=lightgrey, label=\"input\\nlabels\\n[rows]\"];\n"
     "  n2 [shape=box, style=filled, fillcolor=lightblue, label=\"parameter\\nthe_weights\\n[4, "
     "3]\"];\n"
     "  n3 [shape=box, style=rounded, label=\"matrix_product\\n[rows, 3]\"];\n"
     "  n0 -> n3;\n"
     "  n2 -> n3;\n"
     "  n4 [shape=box, style=rounded, label=\"constant 0.5\\n[]\"];\n"
     "  n5 [shape=box, style=rounded, label=\"multiply\\nscores\\n[rows, 3]\"];\n"
     "  n3 -> n5;\n"
     "  n4 -> n5;\n"
     "  n6 [shape=box, style=rounded, label=\"loss cross_entropy\\n[]\"];\n"
     "  n5 -> n6;\n"
     "  n1 -> n6;\n"
     "}\n"}};

static void printed(void **unused)
{
    loss_graph *graph = small_graph();
    (void)unused;
    for (int32_t t = 0; t < 2; t++) {
        char buffer[2048];
        int64_t length = -1;
        const int64_t whole = (int64_t)strlen(texts[t][1]);
        assert_status(context, loss_graph_print(graph, texts[t][0], NULL, 0, &length), LOSS_OK);
        assert_int_equal(length, whole);
        for (int64_t capacity = 1; capacity <= whole + 3; capacity++) {
            const int64_t written = capacity - 1 < whole ? capacity - 1 : whole;
            memset(buffer, '#', sizeof buffer);
            assert_status(context, loss_graph_print(graph, texts[t][0], buffer, capacity, &length), LOSS_OK);
            assert_int_equal(length, whole);
            assert_memory_equal(buffer, texts[t][1], (size_t)written);
            assert_int_equal(buffer[written], '\0');
            assert_int_equal(buffer[capacity], '#');
        }
        assert_string_equal(buffer, texts[t][1]);
    }
    loss_graph_free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_linear_graph_is_the_linear_model),
        cmocka_unit_test(gauss_newton_is_semidefinite),
        cmocka_unit_test(gauss_newton_of_what_is_linear),
        cmocka_unit_test(initial_moments),
        cmocka_unit_test(initial_vectors_are_orthogonal),
        cmocka_unit_test(initial_constants),
        cmocka_unit_test(printed),
    };
    return cmocka_run_group_tests_name("graph_model", tests, known_setup, known_teardown);
}
