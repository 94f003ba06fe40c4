/* What graphs refuse, and with which words: NULL, names, types, shapes, data. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "graph_model.h"
#include "support/known.h"

static loss_graph *empty(void)
{
    loss_graph *graph;
    assert_status(context, loss_graph_create(&graph, context, LOSS_FLOAT64), LOSS_OK);
    return graph;
}

/* ---- NULL ---- */

static void all_refused(const loss_status *refused, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (refused[i] != LOSS_ERROR_ARGUMENT) {
            fail_msg("call %d gave %s", (int)i, loss_status_name(refused[i]));
        }
    }
}

static void null_for_what_is_made(void **unused)
{
    static const double numbers[] = {1, 2};
    double out[1];
    loss_graph *graph = (loss_graph *)out;
    loss_operation *operation = (loss_operation *)out;
    (void)unused;
    assert_int_equal(loss_graph_create(NULL, context, LOSS_FLOAT64), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_graph_create(&graph, NULL, LOSS_FLOAT64), LOSS_ERROR_ARGUMENT);
    assert_null(graph);
    assert_int_equal(loss_operation_create(NULL, context, "sum"), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_operation_create(&operation, context, NULL), LOSS_ERROR_ARGUMENT);
    assert_null(operation);
    assert_int_equal(loss_operation_create(&operation, NULL, "sum"), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_operation_set_int(NULL, "transpose", 1), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_operation_set_double(NULL, "transpose", 1), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_operation_set_string(NULL, "transpose", ""), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_operation_set_array(NULL, "axes", numbers, LOSS_FLOAT64, 2), LOSS_ERROR_ARGUMENT);
    loss_plan_free(NULL);
    loss_graph_free(NULL);
    loss_operation_free(NULL);
}

static void null_for_nodes(void **unused)
{
    static const int64_t shape[] = {2};
    static const double numbers[] = {1, 2};
    graph_model m;
    int32_t node = -7;
    (void)unused;
    graph_model_make(&m, LOSS_FLOAT64);
    const loss_status refused[] = {
        loss_graph_input(NULL, "a", LOSS_FLOAT64, 1, shape, &node),
        loss_graph_input(m.graph, NULL, LOSS_FLOAT64, 1, shape, &node),
        loss_graph_input(m.graph, "a", LOSS_FLOAT64, 1, NULL, &node),
        loss_graph_input(m.graph, "a", LOSS_FLOAT64, 1, shape, NULL),
        loss_graph_parameter(NULL, "a", 1, shape, &node),
        loss_graph_parameter(m.graph, NULL, 1, shape, &node),
        loss_graph_parameter(m.graph, "a", 1, NULL, &node),
        loss_graph_parameter(m.graph, "a", 1, shape, NULL),
        loss_graph_constant(NULL, numbers, LOSS_FLOAT64, 1, shape, &node),
        loss_graph_constant(m.graph, NULL, LOSS_FLOAT64, 1, shape, &node),
        loss_graph_constant(m.graph, NULL, LOSS_FLOAT64, 0, NULL, &node),
        loss_graph_constant(m.graph, numbers, LOSS_FLOAT64, 1, NULL, &node),
        loss_graph_constant(m.graph, numbers, LOSS_FLOAT64, 1, shape, NULL),
        loss_graph_apply(NULL, "tanh", NULL, &m.scores, 1, &node),
        loss_graph_apply(m.graph, NULL, NULL, &m.scores, 1, &node),
        loss_graph_apply(m.graph, "tanh", NULL, NULL, 1, &node),
        loss_graph_apply(m.graph, "tanh", NULL, &m.scores, 1, NULL),
        loss_graph_apply(m.graph, "tanh", NULL, &m.scores, 0, &node),
        loss_graph_apply(m.graph, "tanh", NULL, &m.scores, -1, &node),
    };
    all_refused(refused, sizeof refused / sizeof refused[0]);
    assert_int_equal(node, -7);
    graph_model_free(&m);
}

static void null_for_losses_and_graphs(void **unused)
{
    double out[GRAPH_MODEL_X];
    graph_model m;
    loss_function *function;
    int32_t node = -7;
    int64_t length;
    const char *const roles[] = {"prediction", NULL};
    (void)unused;
    graph_model_make(&m, LOSS_FLOAT64);
    assert_status(context, loss_function_create(&function, context, "squared_error"), LOSS_OK);
    const loss_status refused[] = {
        loss_graph_loss(NULL, function, roles, &m.scores, 1, &node),
        loss_graph_loss(m.graph, NULL, roles, &m.scores, 1, &node),
        loss_graph_loss(m.graph, function, NULL, &m.scores, 1, &node),
        loss_graph_loss(m.graph, function, roles, NULL, 1, &node),
        loss_graph_loss(m.graph, function, roles, &m.scores, 1, NULL),
        loss_graph_loss(m.graph, function, roles, (int32_t[]){m.scores, m.scores}, 2, &node),
        loss_graph_loss(m.graph, function, roles, &m.scores, 0, &node),
        loss_graph_loss(m.graph, function, roles, &m.scores, 9, &node),
        loss_graph_set_output(NULL, "a", m.scores),
        loss_graph_set_output(m.graph, NULL, m.scores),
        loss_graph_set_initializer(NULL, m.bias, "ones", 1),
        loss_graph_set_initializer(m.graph, m.bias, NULL, 1),
        loss_graph_initialize(NULL, context, 1, out),
        loss_graph_initialize(m.graph, NULL, 1, out),
        loss_graph_initialize(m.graph, context, 1, NULL),
        loss_graph_print(NULL, "text", NULL, 0, &length),
        loss_graph_print(m.graph, NULL, NULL, 0, &length),
        loss_graph_print(m.graph, "text", NULL, 5, &length),
        loss_graph_print(m.graph, "text", (char *)out, -1, &length),
    };
    all_refused(refused, sizeof refused / sizeof refused[0]);
    assert_int_equal(node, -7);
    loss_function_free(function);
    graph_model_free(&m);
}

static void null_for_plans(void **unused)
{
    double out[GRAPH_MODEL_ROWS * 3];
    graph_model m;
    loss_plan *plan;
    (void)unused;
    graph_model_make(&m, LOSS_FLOAT64);
    assert_status(context, loss_plan_create(&plan, context, m.graph, m.scores, m.data, 0), LOSS_OK);
    assert_int_equal(loss_plan_value(NULL, m.x, out), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_plan_value(plan, NULL, out), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_plan_value(plan, m.x, NULL), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_plan_jacobian_vector(plan, NULL, m.x, out), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_plan_jacobian_vector(plan, m.x, NULL, out), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_plan_jacobian_vector(plan, m.x, m.x, NULL), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_plan_vector_jacobian(plan, NULL, m.x, out), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_plan_vector_jacobian(plan, m.x, NULL, out), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_plan_vector_jacobian(plan, m.x, m.x, NULL), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_plan_vector_jacobian(NULL, m.x, m.x, out), LOSS_ERROR_ARGUMENT);
    loss_plan_free(plan);
    graph_model_free(&m);
}

static void reading_nothing(void **unused)
{
    loss_graph *graph = empty();
    (void)unused;
    const loss_graph *const of[] = {NULL, graph};
    for (int32_t i = 0; i < 2; i++) {
        assert_int_equal(loss_graph_dtype(of[i]), i == 0 ? 0 : LOSS_FLOAT64);
        assert_int_equal(loss_graph_node_count(of[i]), 0);
        assert_string_equal(loss_graph_node_operation(of[i], 0), "");
        assert_string_equal(loss_graph_node_name(of[i], -1), "");
        assert_int_equal(loss_graph_node_dtype(of[i], 3), 0);
        assert_int_equal(loss_graph_node_rank(of[i], 0), 0);
        assert_int_equal(loss_graph_node_size(of[i], 0, 0), 0);
        assert_int_equal(loss_graph_find(of[i], NULL), -1);
        assert_int_equal(loss_graph_find(of[i], "a"), -1);
        assert_int_equal(loss_graph_parameter_count(of[i]), 0);
        assert_int_equal(loss_graph_parameter_node(of[i], 0), -1);
        assert_int_equal(loss_graph_parameter_offset(of[i], -1), 0);
        assert_int_equal(loss_graph_dimension(of[i]), 0);
    }
    assert_string_equal(loss_operation_name(NULL), "");
    assert_string_equal(loss_operation_summary(NULL), "");
    assert_string_equal(loss_operation_inputs(NULL), "");
    assert_string_equal(loss_operation_formula(NULL), "");
    assert_string_equal(loss_operation_reference(NULL), "");
    assert_int_equal(loss_operation_option_count(NULL), 0);
    assert_null(loss_operation_option(NULL, 0));
    assert_null(loss_operation_catalogue_name(-1));
    assert_null(loss_operation_catalogue_name(loss_operation_catalogue_count()));
    assert_int_equal(loss_plan_size(NULL), 0);
    loss_graph_free(graph);
}

/* ---- words ---- */

#define REFUSED(call, status, words)                                                                         \
    assert_status(context, call, status);                                                                    \
    assert_sentence(context, words)

static void names_and_types(void **unused)
{
    static const char long_name[] = "0123456789012345678901234567890123456789012345678";
    static const double numbers[3] = {1, 2, 3};
    const int64_t rows[] = {LOSS_ROWS, 3}, three[] = {3};
    loss_graph *graph = empty();
    int32_t a, b, node = -7;
    (void)unused;
    assert_status(context, loss_graph_input(graph, "a", LOSS_FLOAT64, 2, rows, &a), LOSS_OK);
    assert_status(context, loss_graph_input(graph, "b", LOSS_INT32, 2, rows, &b), LOSS_OK);
    REFUSED(loss_graph_input(graph, "a", LOSS_FLOAT64, 2, rows, &node), LOSS_ERROR_NAME, "'a'");
    REFUSED(loss_graph_parameter(graph, "a", 1, three, &node), LOSS_ERROR_NAME, "'a'");
    REFUSED(loss_graph_set_output(graph, "b", a), LOSS_ERROR_NAME, "'b'");
    REFUSED(loss_graph_parameter(graph, "", 1, three, &node), LOSS_ERROR_NAME, "1 … 47");
    REFUSED(loss_graph_parameter(graph, long_name, 1, three, &node), LOSS_ERROR_NAME, "47");
    REFUSED(loss_graph_parameter(graph, "two words", 1, three, &node), LOSS_ERROR_NAME,
            "'two words' has a character");
    REFUSED(loss_graph_input(graph, "a\n", LOSS_FLOAT64, 2, rows, &node), LOSS_ERROR_NAME, "at place 2");
    REFUSED(loss_graph_set_output(graph, "it's", a), LOSS_ERROR_NAME, "at place 3");
    assert_status(context, loss_graph_set_output(graph, "Layer_1/out.a-b:0", a), LOSS_OK);
    assert_status(context, loss_graph_parameter(graph, long_name + 2, 1, three, &node), LOSS_OK);
    assert_int_equal(loss_graph_find(graph, long_name + 2), node);
    node = -7;
    REFUSED(loss_graph_input(graph, "c", LOSS_FLOAT32, 2, rows, &node), LOSS_ERROR_TYPE, "float32");
    REFUSED(loss_graph_input(graph, "c", (loss_dtype)77, 2, rows, &node), LOSS_ERROR_TYPE, "'c'");
    REFUSED(loss_graph_constant(graph, numbers, LOSS_INT64, 1, three, &node), LOSS_ERROR_TYPE, "int64");
    REFUSED(loss_graph_apply(graph, "tangent", NULL, &a, 1, &node), LOSS_ERROR_NAME, "'tangent'");
    REFUSED(loss_graph_apply(graph, "_view", NULL, &a, 1, &node), LOSS_ERROR_NAME, "'_view'");
    REFUSED(loss_graph_apply(graph, "tanh", NULL, (int32_t[]){a, a}, 2, &node), LOSS_ERROR_ARGUMENT,
            "takes 1 input (a), not 2");
    REFUSED(loss_graph_apply(graph, "embedding", NULL, &a, 1, &node), LOSS_ERROR_ARGUMENT,
            "the operation 'gather' takes 2 inputs");
    REFUSED(loss_graph_apply(graph, "tanh", NULL, &b, 1, &node), LOSS_ERROR_TYPE, "int32");
    REFUSED(loss_graph_apply(graph, "sum", NULL, &b, 1, &node), LOSS_ERROR_TYPE, "'sum'");
    REFUSED(loss_graph_apply(graph, "matrix_product", NULL, (int32_t[]){b, a}, 2, &node), LOSS_ERROR_SHAPE,
            "[rows, 3] and [rows, 3]");
    REFUSED(loss_graph_apply(graph, "add", NULL, (int32_t[]){a}, 1, &node), LOSS_ERROR_ARGUMENT, "2 inputs");
    REFUSED(loss_graph_apply(graph, "add", NULL, (int32_t[]){a, a, a}, 3, &node), LOSS_ERROR_ARGUMENT,
            "not 3");
    REFUSED(loss_graph_apply(graph, "add", NULL, (int32_t[]){a, 99}, 2, &node), LOSS_ERROR_RANGE, "99");
    REFUSED(loss_graph_apply(graph, "add", NULL, (int32_t[]){-1, a}, 2, &node), LOSS_ERROR_RANGE, "-1");
    REFUSED(loss_graph_set_output(graph, "out", 99), LOSS_ERROR_RANGE, "99");
    REFUSED(loss_graph_set_initializer(graph, a, "ones", 1), LOSS_ERROR_RANGE, "no parameter");
    REFUSED(loss_graph_set_initializer(graph, 2, "one", 1), LOSS_ERROR_NAME, "'ones'");
    REFUSED(loss_graph_set_initializer(graph, 2, "ones", (double)NAN), LOSS_ERROR_RANGE, "finite");
    REFUSED(loss_graph_set_initializer(graph, 2, "orthogonal", 1), LOSS_ERROR_SHAPE, "two sizes");
    REFUSED(loss_graph_print(graph, "dot", NULL, 0, NULL), LOSS_ERROR_NAME, "'dot'");
    assert_int_equal(node, -7);
    assert_int_equal(loss_graph_node_count(graph), 3);
    loss_graph_free(graph);
    REFUSED(loss_graph_create(&graph, context, LOSS_INT32), LOSS_ERROR_TYPE, "int32");
    assert_null(graph);
}

static void losses_that_do_not_fit(void **unused)
{
    loss_graph *graph = empty();
    loss_function *function;
    const int64_t rows[] = {LOSS_ROWS, 3};
    const char *const roles[] = {"prediction", "target"}, *const turned[] = {"target", "prediction"},
                      *const wrong[] = {"prediction", "goal"}, *const twice[] = {"prediction", "prediction"};
    int32_t a, labels, node = -7;
    (void)unused;
    assert_status(context, loss_graph_input(graph, "a", LOSS_FLOAT64, 2, rows, &a), LOSS_OK);
    assert_status(context, loss_graph_input(graph, "labels", LOSS_INT64, 2, rows, &labels), LOSS_OK);
    assert_status(context, loss_function_create(&function, context, "squared_error"), LOSS_OK);
    REFUSED(loss_graph_loss(graph, function, wrong, (int32_t[]){a, a}, 2, &node), LOSS_ERROR_NAME, "'goal'");
    REFUSED(loss_graph_loss(graph, function, twice, (int32_t[]){a, a}, 2, &node), LOSS_ERROR_NAME, "twice");
    REFUSED(loss_graph_loss(graph, function, turned, (int32_t[]){a, a}, 1, &node), LOSS_ERROR_TYPE,
            "prediction");
    REFUSED(loss_graph_loss(graph, function, roles, (int32_t[]){labels, a}, 2, &node), LOSS_ERROR_TYPE,
            "prediction");
    REFUSED(loss_graph_loss(graph, function, roles, (int32_t[]){a, 7}, 2, &node), LOSS_ERROR_RANGE, "7");
    assert_int_equal(node, -7);
    loss_function_free(function);
    loss_graph_free(graph);
}

static void shapes(void **unused)
{
    const int64_t large[] = {INT64_C(1) << 62, 4}, seven[] = {1, 1, 1, 1, 1, 1, 1}, late[] = {3, LOSS_ROWS},
                  negative[] = {-3}, hidden[] = {0, INT64_C(1) << 62, INT64_C(1) << 62};
    const int64_t sizes[][2] = {{LOSS_ROWS, 3}, {4, 5}, {3, 2}, {2, 3}};
    int32_t node = -7, n[4];
    loss_graph *graph = empty();
    (void)unused;
    REFUSED(loss_graph_parameter(graph, "a", 2, large, &node), LOSS_ERROR_SHAPE, "4611686018427387904");
    REFUSED(loss_graph_parameter(graph, "a", 3, hidden, &node), LOSS_ERROR_SHAPE, "2^40");
    REFUSED(loss_graph_parameter(graph, "a", 7, seven, &node), LOSS_ERROR_SHAPE, "7");
    REFUSED(loss_graph_parameter(graph, "a", -1, seven, &node), LOSS_ERROR_SHAPE, "-1");
    REFUSED(loss_graph_input(graph, "a", LOSS_FLOAT64, 2, late, &node), LOSS_ERROR_SHAPE, "rows");
    REFUSED(loss_graph_input(graph, "a", LOSS_FLOAT64, 1, negative, &node), LOSS_ERROR_SHAPE, "-3");
    REFUSED(loss_graph_parameter(graph, "a", 2, sizes[0], &node), LOSS_ERROR_SHAPE, "LOSS_ROWS");
    for (int32_t i = 0; i < 4; i++) {
        static const char *const names[] = {"a", "b", "c", "d"};
        assert_status(context,
                      i == 0 ? loss_graph_input(graph, names[i], LOSS_FLOAT64, 2, sizes[i], &n[i])
                             : loss_graph_parameter(graph, names[i], 2, sizes[i], &n[i]),
                      LOSS_OK);
    }
    REFUSED(loss_graph_apply(graph, "matrix_product", NULL, (int32_t[]){n[0], n[1]}, 2, &node),
            LOSS_ERROR_SHAPE, "the operation 'matrix_product' cannot take [rows, 3] and [4, 5]");
    REFUSED(loss_graph_apply(graph, "add", NULL, (int32_t[]){n[0], n[1]}, 2, &node), LOSS_ERROR_SHAPE,
            "the operation 'add' cannot take [rows, 3] and [4, 5] (node 0 'a' and node 1 'b'): ");
    REFUSED(loss_graph_apply(graph, "add", NULL, (int32_t[]){n[0], n[3]}, 2, &node), LOSS_ERROR_SHAPE,
            "[rows, 3] and [2, 3]");
    REFUSED(loss_graph_apply(graph, "select", NULL, (int32_t[]){n[2], n[2], n[1]}, 3, &node),
            LOSS_ERROR_SHAPE, "the operation 'select' cannot take [3, 2], [3, 2] and [4, 5]");
    assert_int_equal(node, -7);
    assert_int_equal(loss_graph_node_count(graph), 4);
    loss_graph_free(graph);
}

static void axes_and_other_shapes(void **unused)
{
    const int64_t rows[] = {LOSS_ROWS, 3};
    int32_t node = -7, n[1];
    loss_graph *graph = empty();
    loss_operation *operation;
    (void)unused;
    assert_status(context, loss_graph_input(graph, "a", LOSS_FLOAT64, 2, rows, n), LOSS_OK);
    assert_status(context, loss_operation_create(&operation, context, "sum"), LOSS_OK);
    assert_status(context, loss_operation_set_array(operation, "axes", (double[]){2}, LOSS_FLOAT64, 1),
                  LOSS_OK);
    REFUSED(loss_graph_apply(graph, NULL, operation, n, 1, &node), LOSS_ERROR_SHAPE,
            "'sum' cannot take [rows, 3]");
    assert_status(context, loss_operation_set_array(operation, "axes", (double[]){-3}, LOSS_FLOAT64, 1),
                  LOSS_OK);
    REFUSED(loss_graph_apply(graph, NULL, operation, n, 1, &node), LOSS_ERROR_SHAPE, "axes");
    assert_status(context, loss_operation_set_array(operation, "axes", (double[]){0.5}, LOSS_FLOAT64, 1),
                  LOSS_OK);
    REFUSED(loss_graph_apply(graph, NULL, operation, n, 1, &node), LOSS_ERROR_RANGE, "whole");
    loss_operation_free(operation);
    assert_status(context, loss_operation_create(&operation, context, "reshape"), LOSS_OK);
    static const struct {
        double size[3];
        int32_t count;
        loss_status status;
    } others[] = {{{-1, 2, 2}, 3, LOSS_ERROR_SHAPE},
                  {{3, -1}, 2, LOSS_ERROR_SHAPE},
                  {{3}, 1, LOSS_ERROR_SHAPE},
                  {{-1, 1.5, 2}, 3, LOSS_ERROR_RANGE}};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_status(
            context,
            loss_operation_set_array(operation, "shape", others[i].size, LOSS_FLOAT64, others[i].count),
            LOSS_OK);
        assert_status(context, loss_graph_apply(graph, NULL, operation, n, 1, &node), others[i].status);
    }
    loss_operation_free(operation);
    assert_int_equal(node, -7);
    assert_int_equal(loss_graph_node_count(graph), 1);
    loss_graph_free(graph);
}

/* Shapes grow by broadcasting and products, the dimension by parameters: neither beyond what an int64 counts. */
static void sizes_that_overflow(void **unused)
{
    enum { AXES = 4 };
    loss_graph *graph = empty();
    int32_t node[AXES], product = -7;
    char name[16];
    loss_status status = LOSS_OK;
    (void)unused;
    for (int32_t i = 0; i < AXES; i++) {
        int64_t shape[AXES] = {1, 1, 1, 1};
        shape[i] = INT64_C(1) << 30;
        snprintf(name, sizeof name, "a%d", i);
        assert_status(context, loss_graph_input(graph, name, LOSS_FLOAT64, AXES, shape, &node[i]), LOSS_OK);
    }
    REFUSED(loss_graph_apply(graph, "add", NULL, node, 2, &product), LOSS_ERROR_SHAPE, "'add'");
    REFUSED(loss_graph_apply(graph, "add", NULL, node, 2, &product), LOSS_ERROR_SHAPE,
            "[1073741824, 1073741824, 1, 1]");
    assert_int_equal(product, -7);
    const int64_t most[] = {INT64_C(1) << 40};
    for (int32_t i = 0; i < 1 << 20 && status == LOSS_OK; i++) {
        snprintf(name, sizeof name, "%d", i);
        status = loss_graph_parameter(graph, name, 1, most, &product);
    }
    assert_status(context, status, LOSS_ERROR_SHAPE);
    assert_sentence(context, "the parameters");
    assert_true(loss_graph_dimension(graph) > 0);
    loss_graph_free(graph);
}

/* ---- sealed, and data ---- */

static void sealed_graphs_stay(void **unused)
{
    graph_model m;
    int32_t node = -7;
    const int64_t shape[] = {2};
    (void)unused;
    graph_model_make(&m, LOSS_FLOAT64);
    const int32_t cost = graph_model_loss(&m, "squared_error", "targets", "");
    loss_objective *objective = graph_model_objective(&m, cost);
    loss_graph_free(m.graph); /* the objective has it */
    REFUSED(loss_graph_input(m.graph, "z", LOSS_FLOAT64, 1, shape, &node), LOSS_ERROR_STATE, "sealed");
    REFUSED(loss_graph_parameter(m.graph, "z", 1, shape, &node), LOSS_ERROR_STATE, "sealed");
    REFUSED(loss_graph_constant(m.graph, m.x, LOSS_FLOAT64, 1, shape, &node), LOSS_ERROR_STATE, "sealed");
    REFUSED(loss_graph_apply(m.graph, "tanh", NULL, &m.scores, 1, &node), LOSS_ERROR_STATE, "sealed");
    REFUSED(loss_graph_set_output(m.graph, "z", m.scores), LOSS_ERROR_STATE, "sealed");
    REFUSED(loss_graph_set_initializer(m.graph, m.bias, "ones", 1), LOSS_ERROR_STATE, "sealed");
    assert_int_equal(node, -7);
    m.graph = NULL;
    loss_objective_free(objective);
    graph_model_free(&m);
}

static void objectives_of_the_wrong_thing(void **unused)
{
    graph_model m;
    loss_objective *objective = (loss_objective *)&m;
    loss_plan *plan = (loss_plan *)&m;
    (void)unused;
    graph_model_make(&m, LOSS_FLOAT64);
    const int32_t cost = graph_model_loss(&m, "cross_entropy", "labels", ""), labels = m.named[0];
    const int32_t wrong[] = {m.scores, m.bias, labels, -1, 999};
    for (int32_t i = 0; i < 5; i++) {
        assert_status(context, loss_objective_create_graph(&objective, context, m.graph, wrong[i], m.data),
                      i < 3 ? LOSS_ERROR_SUPPORT : LOSS_ERROR_RANGE);
        assert_null(objective);
    }
    assert_int_equal(loss_objective_create_graph(NULL, context, m.graph, cost, m.data), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_objective_create_graph(&objective, NULL, m.graph, cost, m.data),
                     LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_objective_create_graph(&objective, context, NULL, cost, m.data),
                     LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_objective_create_graph(&objective, context, m.graph, cost, NULL),
                     LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_plan_create(NULL, context, m.graph, cost, m.data, 0), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_plan_create(&plan, NULL, m.graph, cost, m.data, 0), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_plan_create(&plan, context, NULL, cost, m.data, 0), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_plan_create(&plan, context, m.graph, cost, NULL, 0), LOSS_ERROR_ARGUMENT);
    REFUSED(loss_plan_create(&plan, context, m.graph, labels, m.data, 0), LOSS_ERROR_TYPE, "int64");
    REFUSED(loss_plan_create(&plan, context, m.graph, 999, m.data, 0), LOSS_ERROR_RANGE, "999");
    assert_null(plan);
    graph_model_free(&m);
}

static void data_that_does_not_fit(void **unused)
{
    static const int64_t offsets[GRAPH_MODEL_ROWS + 1], indices[1];
    graph_model m;
    loss_objective *objective;
    float narrow[GRAPH_MODEL_ROWS * 4];
    (void)unused;
    graph_model_make(&m, LOSS_FLOAT64);
    const int32_t cost = graph_model_loss(&m, "cross_entropy", "labels", "");
    const struct {
        const void *features;
        loss_dtype dtype;
        int64_t rows, columns;
        loss_status status;
        const char *words;
    } bad[] = {
        {m.features, LOSS_FLOAT64, GRAPH_MODEL_ROWS, 3, LOSS_ERROR_SHAPE,
         "3 columns; the input's shape is [rows, 4]"},
        {m.features, LOSS_FLOAT64, GRAPH_MODEL_ROWS - 1, 4, LOSS_ERROR_SHAPE, "23 rows"},
        {narrow, LOSS_FLOAT32, GRAPH_MODEL_ROWS, 4, LOSS_ERROR_TYPE, "'features' is float32"},
        {NULL, LOSS_FLOAT64, 0, 0, LOSS_ERROR_NAME, "'features'"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_status(context,
                      loss_data_set_input(m.data, "features", bad[i].features, bad[i].dtype, bad[i].rows,
                                          bad[i].columns, bad[i].columns, 1),
                      LOSS_OK);
        REFUSED(loss_objective_create_graph(&objective, context, m.graph, cost, m.data), bad[i].status,
                bad[i].words);
    }
    assert_status(context,
                  loss_data_set_sparse_input(m.data, "features", GRAPH_MODEL_ROWS, 4, 0, offsets, LOSS_INT64,
                                             indices, LOSS_INT64, m.features, LOSS_FLOAT64),
                  LOSS_OK);
    REFUSED(loss_objective_create_graph(&objective, context, m.graph, cost, m.data), LOSS_ERROR_TYPE,
            "sparse");
    graph_model_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_for_what_is_made),
        cmocka_unit_test(null_for_nodes),
        cmocka_unit_test(null_for_losses_and_graphs),
        cmocka_unit_test(null_for_plans),
        cmocka_unit_test(reading_nothing),
        cmocka_unit_test(names_and_types),
        cmocka_unit_test(losses_that_do_not_fit),
        cmocka_unit_test(shapes),
        cmocka_unit_test(axes_and_other_shapes),
        cmocka_unit_test(sizes_that_overflow),
        cmocka_unit_test(sealed_graphs_stay),
        cmocka_unit_test(objectives_of_the_wrong_thing),
        cmocka_unit_test(data_that_does_not_fit),
    };
    return cmocka_run_group_tests_name("graph_input", tests, known_setup, known_teardown);
}
