/* Graphs at the ends of what they hold: very many nodes, nothing at all, numbers that double again and again. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/check.h"
#include "support/known.h"

static loss_graph *empty(void)
{
    loss_graph *graph;
    assert_status(context, loss_graph_create(&graph, context, LOSS_FLOAT64), LOSS_OK);
    return graph;
}

/* ---- many nodes ---- */

static double seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* Value, gradient and product of a number, in seconds. */
static double evaluate_large(loss_graph *graph, int32_t number, const double *x, double *gradient,
                             double *value)
{
    loss_data *data;
    loss_objective *objective;
    double *product = calloc((size_t)loss_graph_dimension(graph) + 1, sizeof *product);
    const double before = seconds();
    assert_status(context, loss_data_create(&data, context), LOSS_OK);
    assert_status(context, loss_objective_create_graph(&objective, context, graph, number, data), LOSS_OK);
    assert_status(context, loss_objective_evaluate(objective, x, value, gradient), LOSS_OK);
    assert_status(context, loss_objective_hessian_product(objective, x, x, product), LOSS_OK);
    const double after = seconds();
    loss_objective_free(objective);
    loss_data_free(data);
    free(product);
    return after - before;
}

/*
 * Deep chains, of elementwise operations alone and with matrix products between, so that hardly any are one step. The time is
 * some tenths of a second; what is quadratic in the nodes would take minutes.
 */
static void deep_chains(void **unused)
{
    enum { DEEP = 20000, SLOW = 30 };
    (void)unused;
    for (int32_t kind = 0; kind < 4; kind++) {
        loss_graph *graph = empty();
        int32_t w, last, cost;
        const double size = kind == 2 ? 0.5 : 1;
        double x[4] = {0.6 * size, -0.4 * size, 0.4 * size, 0.6 * size}, gradient[4], value;
        const int64_t shape[] = {2, 2};
        assert_status(context, loss_graph_parameter(graph, "w", 2, shape, &w), LOSS_OK);
        last = w;
        for (int32_t i = 0; i < DEEP; i++) {
            const int32_t inputs[] = {last, kind == 2 && i % 2 ? last : w};
            const char *name = kind == 0                 ? (i % 2 ? "tanh" : "negate")
                               : kind == 1 || i % 2 == 0 ? (i % 2 ? "hypotenuse_slope" : "matrix_product")
                               : kind == 2               ? "add"
                                                         : "tanh";
            const int32_t count = strcmp(name, "matrix_product") == 0 || strcmp(name, "add") == 0 ? 2 : 1;
            assert_status(context, loss_graph_apply(graph, name, NULL, inputs, count, &last), LOSS_OK);
        }
        assert_status(context, loss_graph_apply(graph, "tanh", NULL, &last, 1, &last), LOSS_OK);
        assert_status(context, loss_graph_apply(graph, "sum", NULL, &last, 1, &cost), LOSS_OK);
        const double taken = evaluate_large(graph, cost, x, gradient, &value);
        print_message("           chain %d: %.2f s\n", (int)kind, taken);
        assert_true(taken < SLOW);
        loss_graph_free(graph);
    }
}

/* Two thousand parameters in one sum, and the sum with itself again and again. */
static void wide_sums(void **unused)
{
    enum { WIDE = 2000, TWICE = 100 };
    static double x[WIDE], gradient[WIDE];
    loss_graph *graph = empty();
    int32_t node, sum = -1;
    double value, expected = 0;
    char name[16];
    (void)unused;
    for (int32_t i = 0; i < WIDE; i++) {
        snprintf(name, sizeof name, "w%d", i);
        assert_status(context, loss_graph_parameter(graph, name, 0, NULL, &node), LOSS_OK);
        assert_status(
            context, i == 0 ? LOSS_OK : loss_graph_apply(graph, "add", NULL, (int32_t[]){sum, node}, 2, &sum),
            LOSS_OK);
        sum = i == 0 ? node : sum;
        x[i] = (i % 64) / 64.0 - 0.25;
        expected += x[i];
    }
    for (int32_t i = 0; i < TWICE; i++) {
        assert_status(context, loss_graph_apply(graph, "add", NULL, (int32_t[]){sum, sum}, 2, &sum), LOSS_OK);
    }
    assert_true(evaluate_large(graph, sum, x, gradient, &value) < 10);
    assert_close(value, ldexp(expected, TWICE), 1e-12, 0);
    for (int32_t i = 0; i < WIDE; i++) {
        assert_true(gradient[i] == ldexp(1, TWICE));
    }
    loss_graph_free(graph);
}

/* Numbers that are told in double, doubled again and again: as many steps as there are nodes. */
static void numbers_that_double(void **unused)
{
    loss_graph *graph = empty();
    int32_t w, sum;
    const int64_t shape[] = {3};
    double x[] = {0.5, -0.25, 1.5}, gradient[3], value;
    (void)unused;
    assert_status(context, loss_graph_parameter(graph, "w", 1, shape, &w), LOSS_OK);
    assert_status(context, loss_graph_apply(graph, "sum", NULL, &w, 1, &sum), LOSS_OK);
    for (int32_t i = 0; i < 60; i++) {
        assert_status(context, loss_graph_apply(graph, "add", NULL, (int32_t[]){sum, sum}, 2, &sum), LOSS_OK);
    }
    assert_true(evaluate_large(graph, sum, x, gradient, &value) < 10);
    assert_true(value == ldexp(1.75, 60) && gradient[1] == ldexp(1, 60));
    loss_graph_free(graph);
}

/* Parameters without elements, sums of nothing. */
static void zero_sizes(void **unused)
{
    loss_graph *graph = empty();
    int32_t none, other, a, b, w, sum, product;
    const int64_t nothing[] = {0, 3}, otherwise[] = {3, 0}, three[] = {3};
    double x[] = {0.5, -0.25, 1.5}, gradient[3], value;
    (void)unused;
    assert_status(context, loss_graph_parameter(graph, "none", 2, nothing, &none), LOSS_OK);
    assert_status(context, loss_graph_parameter(graph, "other", 2, otherwise, &other), LOSS_OK);
    assert_status(context, loss_graph_parameter(graph, "w", 1, three, &w), LOSS_OK);
    assert_int_not_equal(none, other);
    assert_int_equal(loss_graph_dimension(graph), 3);
    assert_status(context, loss_graph_apply(graph, "add", NULL, (int32_t[]){none, w}, 2, &a), LOSS_OK);
    assert_status(context,
                  loss_graph_apply(graph, "matrix_product", NULL, (int32_t[]){other, a}, 2, &product),
                  LOSS_OK);
    assert_int_equal(loss_graph_node_size(graph, product, 0), 3); /* 3 × 3 sums of nothing */
    assert_status(context, loss_graph_apply(graph, "add", NULL, (int32_t[]){product, w}, 2, &b), LOSS_OK);
    assert_status(context, loss_graph_apply(graph, "square", NULL, &b, 1, &b), LOSS_OK);
    assert_status(context, loss_graph_apply(graph, "sum", NULL, &b, 1, &sum), LOSS_OK);
    evaluate_large(graph, sum, x, gradient, &value);
    assert_close(value, 3 * (0.25 + 0.0625 + 2.25), 1e-15, 0);
    assert_close(gradient[2], 9, 1e-15, 0);
    loss_graph_free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_that_double),
        cmocka_unit_test(zero_sizes),
        cmocka_unit_test(wide_sums),
        cmocka_unit_test(deep_chains),
    };
    return cmocka_run_group_tests_name("graph_large", tests, known_setup, known_teardown);
}
