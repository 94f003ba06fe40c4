/*
 * Graphs when memory runs out: every allocation of making, evaluating and freeing them is refused, once and for ever; the second
 * evaluation asks for none.
 */
#include <string.h>

#include "support/allocator.h"
#include "support/check.h"

enum { ROWS = 6, X = 4 * 3 + 3, LIMIT = 4000, MANY = 70 };

static test_allocator allocator;

static const double features[ROWS * 4] = {0.5, -1, 0.25, 2,  1,    0.75, -0.5, 0.125, -2, 1.5, 0.5, 1,
                                          1.5, -1, 0.75, -1, 0.25, 0.5,  -1.5, 1,     2,  -1,  1,   0.25};
static const int32_t labels[ROWS] = {0, 2, 1, 1, 0, 2}; /* converted: the input is int64 */
static const double x[X] = {0.5,  -0.25, 0.75, 0.1, -0.6, 0.3,   0.2, 0.9,
                            -0.8, 0.4,   -0.1, 0.7, 0.35, -0.45, 0.15};

typedef struct state {
    loss_context *context;
    loss_graph *graph;
    loss_data *data;
    loss_objective *objective;
    loss_plan *plan;
    int32_t scores, cost;
} state;

static loss_status apply(state *s, const char *name, int32_t a, int32_t b, int32_t *node)
{
    return loss_graph_apply(s->graph, name, NULL, (int32_t[]){a, b}, b < 0 ? 1 : 2, node);
}

static loss_status add_loss(state *s, int32_t target, int32_t *node)
{
    static const char *const roles[] = {"prediction", "target"};
    loss_function *function;
    loss_status status = loss_function_create(&function, s->context, "cross_entropy");
    if (status == LOSS_OK) {
        status = loss_graph_loss(s->graph, function, roles, (int32_t[]){s->scores, target}, 2, node);
        loss_function_free(function);
    }
    return status;
}

#define TRY(call) status = status == LOSS_OK ? (call) : status

static loss_status make_graph(state *s)
{
    static const double factor = 0.125, ones[3] = {1, 2, 0.5};
    int32_t input, target, weights, bias, product, number, squares, penalty, array, node;
    loss_operation *mean = NULL;
    loss_status status = loss_graph_create(&s->graph, s->context, LOSS_FLOAT64);
    TRY(loss_graph_input(s->graph, "features", LOSS_FLOAT64, 2, (int64_t[]){LOSS_ROWS, 4}, &input));
    TRY(loss_graph_input(s->graph, "labels", LOSS_INT64, 1, (int64_t[]){LOSS_ROWS}, &target));
    TRY(loss_graph_parameter(s->graph, "weights", 2, (int64_t[]){4, 3}, &weights));
    TRY(loss_graph_parameter(s->graph, "bias", 1, (int64_t[]){3}, &bias));
    TRY(loss_graph_set_initializer(s->graph, weights, "orthogonal", 1));
    TRY(loss_graph_constant(s->graph, &factor, LOSS_FLOAT64, 0, NULL, &number));
    TRY(loss_graph_constant(s->graph, ones, LOSS_FLOAT64, 1, (int64_t[]){3}, &array));
    TRY(apply(s, "matrix_product", input, weights, &product));
    TRY(apply(s, "add", product, bias, &s->scores));
    TRY(apply(s, "multiply", s->scores, array, &s->scores));
    TRY(apply(s, "square", weights, -1, &squares));
    TRY(loss_operation_create(&mean, s->context, "mean"));
    TRY(loss_operation_set_array(mean, "axes", (double[]){0, 1}, LOSS_FLOAT64, 2));
    TRY(loss_graph_apply(s->graph, NULL, mean, &squares, 1, &penalty));
    loss_operation_free(mean);
    TRY(apply(s, "multiply", number, penalty, &penalty));
    TRY(add_loss(s, target, &s->cost));
    TRY(apply(s, "add", s->cost, penalty, &s->cost));
    for (int32_t i = 0; i < MANY; i++) { /* beyond what a tape has room for at first */
        TRY(apply(s, "tanh", i == 0 ? s->scores : node, -1, &node));
    }
    TRY(loss_graph_set_output(s->graph, "scores", s->scores));
    return status;
}

static loss_status make_data(state *s)
{
    loss_status status = loss_data_create(&s->data, s->context);
    TRY(loss_data_set_input(s->data, "features", features, LOSS_FLOAT64, ROWS, 4, 4, 1));
    TRY(loss_data_set_input(s->data, "labels", labels, LOSS_INT32, ROWS, 1, 1, 1));
    return status;
}

static loss_status use_objective(state *s)
{
    static const int64_t batch[] = {4, 1, 3};
    double value = 777, gradient[X];
    loss_status status = s->objective != NULL ? LOSS_OK
                                              : loss_objective_create_graph(&s->objective, s->context,
                                                                            s->graph, s->cost, s->data);
    TRY(loss_objective_set_int(s->objective, "chunk_rows", 4));
    TRY(loss_objective_set_string(s->objective, "curvature", "gauss_newton"));
    TRY(loss_objective_evaluate(s->objective, x, &value, gradient));
    assert_true(status != LOSS_OK || value != 777);
    TRY(loss_objective_evaluate_batch(s->objective, x, 3, batch, &value, gradient));
    TRY(loss_objective_hessian_product(s->objective, x, x, gradient));
    return status;
}

static loss_status use_exact(state *s)
{
    double product[X];
    loss_status status = s->objective != NULL ? LOSS_OK
                                              : loss_objective_create_graph(&s->objective, s->context,
                                                                            s->graph, s->cost, s->data);
    TRY(loss_objective_hessian_product(s->objective, x, x, product));
    return status;
}

static loss_status use_plan(state *s)
{
    double value[ROWS * 3], back[X];
    loss_status status = s->plan != NULL
                             ? LOSS_OK
                             : loss_plan_create(&s->plan, s->context, s->graph, s->scores, s->data, 1);
    TRY(loss_plan_value(s->plan, x, value));
    TRY(loss_plan_jacobian_vector(s->plan, x, x, value));
    TRY(loss_plan_vector_jacobian(s->plan, x, value, back));
    return status;
}

static loss_status use_predictions(state *s)
{
    double scores[ROWS * 3];
    loss_data *outputs = NULL;
    loss_status status = use_exact(s);
    TRY(loss_data_create(&outputs, s->context));
    TRY(loss_data_set_output(outputs, "scores", scores, LOSS_FLOAT64, ROWS, 3, 3, 1));
    TRY(loss_objective_predict(s->objective, x, s->data, outputs));
    loss_data_free(outputs);
    return status;
}

static loss_status use_initial(state *s)
{
    double first[X];
    return loss_graph_initialize(s->graph, s->context, 3, first);
}

/* Each is tried with a graph and data that are there. */
static const struct way {
    const char *name;
    loss_status (*use)(state *s);
} ways[] = {{"loss_objective_create_graph, evaluated", use_objective},
            {"exact products", use_exact},
            {"loss_plan_create", use_plan},
            {"loss_objective_predict", use_predictions},
            {"loss_graph_initialize", use_initial}};

static void start(state *s)
{
    memset(s, 0, sizeof *s);
    allocator.fail_at = 0;
    assert_int_equal(loss_context_create_with_allocator(&s->context, test_allocate, test_release, &allocator),
                     LOSS_OK);
}

static void finish(state *s)
{
    loss_objective_free(s->objective);
    loss_plan_free(s->plan);
    loss_graph_free(s->graph);
    loss_data_free(s->data);
    loss_context_free(s->context);
    assert_int_equal(allocator.live, 0);
    assert_int_equal(allocator.live_bytes, 0);
}

static int32_t refuse_from(int64_t k, int32_t for_ever)
{
    allocator.calls = allocator.failed = 0;
    allocator.for_ever = for_ever;
    allocator.fail_at = k;
    return for_ever;
}

/* Making a graph: a call that failed has added nothing, and the same call works when there is memory again. */
static void making(void **unused)
{
    (void)unused;
    for (int32_t for_ever = 0; for_ever < 2; for_ever++) {
        int64_t k = 1, failed = 1;
        for (; failed > 0; k++) {
            state s;
            start(&s);
            refuse_from(k, for_ever);
            loss_status status = make_graph(&s);
            failed = allocator.failed;
            allocator.fail_at = 0;
            if (failed > 0) {
                assert_status(s.context, status, LOSS_ERROR_MEMORY);
                assert_true(strlen(loss_context_error(s.context)) > 0);
            } else {
                assert_status(s.context, status, LOSS_OK);
            }
            if (s.graph != NULL && failed > 0) { /* goes on: another node, with the graph as it is */
                int32_t node = -7;
                assert_status(s.context, loss_graph_parameter(s.graph, "another", 0, NULL, &node), LOSS_OK);
                assert_int_equal(node, loss_graph_node_count(s.graph) - 1);
            }
            finish(&s);
            assert_true(k < LIMIT);
        }
        assert_true(k > 20);
    }
}

/* One node more, again and again over the same graph: no failure adds to it or takes from it. */
static void a_node_more(void **unused)
{
    (void)unused;
    for (int32_t count = 0; count < 140; count++) {
        for (int64_t k = 1, failed = 1; failed > 0; k++) {
            state s;
            int32_t node = -7, last = 0;
            start(&s);
            assert_status(s.context, loss_graph_create(&s.graph, s.context, LOSS_FLOAT64), LOSS_OK);
            for (int32_t i = 0; i < count; i++) {
                assert_status(s.context,
                              i == 0 ? loss_graph_parameter(s.graph, "first", 0, NULL, &last)
                                     : loss_graph_apply(s.graph, "add", NULL, (int32_t[]){last, 0}, 2, &last),
                              LOSS_OK);
            }
            refuse_from(k, 0);
            loss_status status = loss_graph_parameter(s.graph, "another", 0, NULL, &node);
            failed = allocator.failed;
            assert_status(s.context, status, failed > 0 ? LOSS_ERROR_MEMORY : LOSS_OK);
            assert_int_equal(node, failed > 0 ? -7 : count);
            assert_int_equal(loss_graph_node_count(s.graph), count + (failed == 0));
            assert_status(s.context, loss_graph_parameter(s.graph, "another", 0, NULL, &node),
                          failed > 0 ? LOSS_OK : LOSS_ERROR_NAME);
            finish(&s);
        }
    }
}

static void using(void **unused)
{
    (void)unused;
    for (size_t w = 0; w < sizeof ways / sizeof ways[0]; w++) {
        for (int32_t for_ever = 0; for_ever < 2; for_ever++) {
            for (int64_t k = 1, failed = 1; failed > 0; k++) {
                state s;
                start(&s);
                assert_status(s.context, make_graph(&s), LOSS_OK);
                assert_status(s.context, make_data(&s), LOSS_OK);
                refuse_from(k, for_ever);
                loss_status status = ways[w].use(&s);
                failed = allocator.failed;
                allocator.fail_at = 0;
                if (failed > 0) {
                    assert_status(s.context, status, LOSS_ERROR_MEMORY);
                    assert_true(strlen(loss_context_error(s.context)) > 0);
                    loss_objective_free(s.objective); /* its options are settled */
                    s.objective = NULL;
                    status = ways[w].use(&s);
                }
                assert_status(s.context, status, LOSS_OK);
                finish(&s);
                assert_true(k < LIMIT);
            }
        }
    }
}

/* The same objective and plan go on when there is memory again. */
static void going_on(void **unused)
{
    (void)unused;
    for (int64_t k = 1, failed = 1; failed > 0; k++) {
        state s;
        double value[2] = {777, 777}, gradient[2][X], forward[ROWS * 3];
        start(&s);
        assert_status(s.context, make_graph(&s), LOSS_OK);
        assert_status(s.context, make_data(&s), LOSS_OK);
        assert_status(s.context,
                      loss_objective_create_graph(&s.objective, s.context, s.graph, s.cost, s.data), LOSS_OK);
        assert_status(s.context, loss_plan_create(&s.plan, s.context, s.graph, s.scores, s.data, 0), LOSS_OK);
        refuse_from(k, 0);
        loss_status status = loss_objective_evaluate(s.objective, x, &value[0], gradient[0]);
        TRY(loss_objective_hessian_product(s.objective, x, x, gradient[0]));
        TRY(loss_plan_jacobian_vector(s.plan, x, x, forward));
        failed = allocator.failed;
        allocator.fail_at = 0;
        assert_status(s.context, status, failed > 0 ? LOSS_ERROR_MEMORY : LOSS_OK);
        assert_status(s.context, loss_objective_evaluate(s.objective, x, &value[1], gradient[1]), LOSS_OK);
        assert_status(s.context, loss_objective_hessian_product(s.objective, x, x, gradient[1]), LOSS_OK);
        assert_status(s.context, loss_plan_jacobian_vector(s.plan, x, x, forward), LOSS_OK);
        assert_true(value[0] == 777 || value[0] == value[1]);
        finish(&s);
    }
}

static void no_allocation_the_second_time(void **unused)
{
    state s;
    (void)unused;
    start(&s);
    assert_status(s.context, make_graph(&s), LOSS_OK);
    assert_status(s.context, make_data(&s), LOSS_OK);
    assert_status(s.context, loss_context_set_int(s.context, "threads", 2), LOSS_OK);
    for (int32_t time = 0; time < 2; time++) {
        const int64_t before = allocator.calls;
        double value, gradient[X], product[X], scores[ROWS * 3];
        if (time == 0) {
            assert_status(s.context, use_objective(&s), LOSS_OK);
            assert_status(s.context, use_plan(&s), LOSS_OK);
        }
        assert_status(s.context, loss_objective_evaluate(s.objective, x, &value, gradient), LOSS_OK);
        assert_status(s.context, loss_objective_evaluate(s.objective, x, &value, NULL), LOSS_OK);
        assert_status(s.context,
                      loss_objective_evaluate_batch(s.objective, x, 2, (int64_t[]){5, 0}, &value, gradient),
                      LOSS_OK);
        assert_status(s.context, loss_objective_hessian_product(s.objective, x, x, product), LOSS_OK);
        assert_status(s.context, loss_plan_value(s.plan, x, scores), LOSS_OK);
        assert_status(s.context, loss_plan_jacobian_vector(s.plan, x, x, scores), LOSS_OK);
        assert_status(s.context, loss_plan_vector_jacobian(s.plan, x, scores, gradient), LOSS_OK);
        assert_true((allocator.calls == before) == (time == 1));
    }
    finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(making),
        cmocka_unit_test(a_node_more),
        cmocka_unit_test(using),
        cmocka_unit_test(going_on),
        cmocka_unit_test(no_allocation_the_second_time),
    };
    return cmocka_run_group_tests_name("graph_memory", tests, NULL, NULL);
}
