/* Formulas over the nodes of a graph: what they add, their stable forms, their derivatives, and what is refused. */
#include <math.h>
#include <string.h>

#include "support/allocator.h"
#include "support/check.h"

enum { ROWS = 9, COLUMNS = 3 };

typedef struct model {
    loss_graph *graph;
    loss_data *data;
    double values[ROWS * COLUMNS], labels[ROWS];
    double x[COLUMNS + 1];
} model;

static loss_context *context;

/* Inputs p (rows × 3) and y (rows × 1), parameters w (3) and b. */
static void make(model *m, loss_context *own, double size)
{
    static const int64_t rows[] = {LOSS_ROWS, COLUMNS}, row[] = {LOSS_ROWS, 1}, width = COLUMNS;
    int32_t node;
    for (int i = 0; i < ROWS * COLUMNS; i++) {
        m->values[i] = size * sin(1.7 * i + 0.3);
    }
    for (int i = 0; i < ROWS; i++) {
        m->labels[i] = i % 3 == 0 ? 1 : -1;
    }
    for (int i = 0; i <= COLUMNS; i++) {
        m->x[i] = 0.35 * cos(2.1 * i + 1);
    }
    assert_status(own, loss_graph_create(&m->graph, own, LOSS_FLOAT64), LOSS_OK);
    assert_status(own, loss_graph_input(m->graph, "p", LOSS_FLOAT64, 2, rows, &node), LOSS_OK);
    assert_status(own, loss_graph_input(m->graph, "y", LOSS_FLOAT64, 2, row, &node), LOSS_OK);
    assert_status(own, loss_graph_parameter(m->graph, "w", 1, &width, &node), LOSS_OK);
    assert_status(own, loss_graph_parameter(m->graph, "b", 0, NULL, &node), LOSS_OK);
    assert_status(own, loss_data_create(&m->data, own), LOSS_OK);
    assert_status(own, loss_data_set_input(m->data, "p", m->values, LOSS_FLOAT64, ROWS, COLUMNS, COLUMNS, 1),
                  LOSS_OK);
    assert_status(own, loss_data_set_input(m->data, "y", m->labels, LOSS_FLOAT64, ROWS, 1, 1, 1), LOSS_OK);
}

static void drop(model *m)
{
    loss_data_free(m->data);
    loss_graph_free(m->graph);
}

/* ---- what they are ---- */

/* Each formula beside its definition, in C. */
static double margins(const model *m)
{
    double sum = 0;
    for (int i = 0; i < ROWS * COLUMNS; i++) {
        const double z = -m->labels[i / COLUMNS] * (m->values[i] * m->x[i % COLUMNS] + m->x[COLUMNS]);
        sum += z > 0 ? z + log1p(exp(-z)) : log1p(exp(z));
    }
    return sum / (ROWS * COLUMNS);
}

static double norms(const model *m)
{
    double sum = 0;
    for (int j = 0; j < COLUMNS; j++) {
        sum += m->x[j] * m->x[j];
    }
    return sum;
}

static const struct {
    const char *text;
    double margins, norms, constant; /* what it is made of */
} formulas[] = {
    {"c*sum(w^2) + d; c=0.25, d=-2", 0, 0.25, -2},
    {"mean(log(1 + exp(-y*(p*w + b))))", 1, 0, 0},
    {"0.25*sum(w^2) + mean(log(1 + exp(-y*(p*w + b))))", 1, 0.25, 0},
    {"mean(log(1 + exp(-y*(p*w + b)))) - sum(w*w)/3 + 2.385", 1, -1.0 / 3, 2.385},
    {"max(sum(w^2), 0)*mean(1 + 0*p) + 0*b", 0, 1, 0},
};

static void a_formula_is_its_definition(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof formulas / sizeof formulas[0]; i++) {
        for (int large = 0; large < 2; large++) { /* margins of some hundreds: exp() alone would overflow */
            model m;
            loss_objective *objective;
            int32_t node, verdict;
            double value;
            make(&m, context, large ? 4000 : 2);
            assert_status(context, loss_graph_formula(m.graph, formulas[i].text, NULL, NULL, 0, &node),
                          LOSS_OK);
            assert_status(context, loss_objective_create_graph(&objective, context, m.graph, node, m.data),
                          LOSS_OK);
            assert_status(context, loss_objective_evaluate(objective, m.x, &value, NULL), LOSS_OK);
            assert_close(value,
                         formulas[i].margins * margins(&m) + formulas[i].norms * norms(&m) +
                             formulas[i].constant,
                         1e-14, 0);
            assert_status(context, loss_objective_check(objective, m.x, 3, &verdict), LOSS_OK);
            assert_int_equal(verdict, LOSS_CHECK_OK);
            assert_status(context, loss_objective_check_product(objective, m.x, 3, 3, &verdict), LOSS_OK);
            assert_true(verdict == LOSS_CHECK_OK || (large && verdict == LOSS_CHECK_INCONCLUSIVE));
            loss_objective_free(objective);
            drop(&m);
        }
    }
}

/* The names of a call stand before those of the graph. */
static void names_of_a_call(void **unused)
{
    (void)unused;
    static const char *const names[] = {"penalty", "b"};
    model m;
    int32_t nodes[2], node;
    char text[2048];
    make(&m, context, 2);
    assert_status(context, loss_graph_formula(m.graph, "sum(w^2)", NULL, NULL, 0, &nodes[0]), LOSS_OK);
    nodes[1] = loss_graph_find(m.graph, "w");
    assert_status(context, loss_graph_formula(m.graph, "penalty + sum(b)", names, nodes, 2, &node), LOSS_OK);
    assert_status(context, loss_graph_print(m.graph, "text", text, sizeof text, NULL), LOSS_OK);
    assert_string_equal(text, "0  input  float64 [rows, 3]  p\n"
                              "1  input  float64 [rows, 1]  y\n"
                              "2  parameter  float64 [3]  w\n"
                              "3  parameter  float64 []  b\n"
                              "4  square (2)  float64 [3]\n"
                              "5  sum (4)  float64 []\n"
                              "6  sum (2)  float64 []\n"
                              "7  add (5, 6)  float64 []\n");
    assert_status(context, loss_graph_formula(m.graph, "0*7", NULL, NULL, 0, &node), LOSS_OK);
    assert_string_equal(loss_graph_node_operation(m.graph, node), "constant");
    drop(&m);
}

/* ---- pieces of the rows ---- */

/* Means over rows of what looks across rows are no means of those of pieces, however they are written. */
static const struct {
    const char *text;
    loss_status in_pieces;
} across[] = {
    {"mean(p)", LOSS_OK},
    {"mean(p*w) + sum(w^2) - b", LOSS_OK},
    {"mean(p)^2", LOSS_ERROR_SUPPORT},
    {"mean(p*mean(p))", LOSS_ERROR_SUPPORT},
    {"mean((p - mean(p))^2)", LOSS_ERROR_SUPPORT},
    {"mean(p/sum(abs(p)))", LOSS_ERROR_SUPPORT},
    {"mean(softplus(p - mean(p*y)))", LOSS_ERROR_SUPPORT},
};

static void evaluate_in_pieces(model *m, int32_t node, loss_status expected)
{
    for (int64_t chunk = 4; chunk <= ROWS; chunk += ROWS - 4) {
        loss_objective *objective;
        double value;
        assert_status(context, loss_objective_create_graph(&objective, context, m->graph, node, m->data),
                      LOSS_OK);
        assert_status(context, loss_objective_set_int(objective, "chunk_rows", chunk), LOSS_OK);
        assert_status(context, loss_objective_evaluate(objective, m->x, &value, NULL),
                      chunk < ROWS ? expected : LOSS_OK);
        if (chunk < ROWS && expected != LOSS_OK) {
            assert_sentence(context, "is no mean over the rows");
        }
        loss_objective_free(objective);
    }
}

static void what_looks_across_rows(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof across / sizeof across[0]; i++) {
        model m;
        int32_t node;
        make(&m, context, 2);
        assert_status(context, loss_graph_formula(m.graph, across[i].text, NULL, NULL, 0, &node), LOSS_OK);
        evaluate_in_pieces(&m, node, across[i].in_pieces);
        drop(&m);
    }
    static const char *const losses[] = {"squared_error", "list_net", "pairwise_hinge", "lambda_rank"};
    static const char *const roles[] = {"prediction", "target"};
    for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++) {
        model m;
        loss_function *function;
        int32_t nodes[2], node;
        make(&m, context, 2);
        for (int k = 0; k < ROWS; k++) {
            m.labels[k] = k % 3; /* grades */
        }
        assert_status(context, loss_graph_formula(m.graph, "y*b + 0.1*y^2", NULL, NULL, 0, &nodes[0]),
                      LOSS_OK);
        nodes[1] = loss_graph_find(m.graph, "y");
        assert_status(context, loss_function_create(&function, context, losses[i]), LOSS_OK);
        assert_status(context, loss_graph_loss(m.graph, function, roles, nodes, 2, &node), LOSS_OK);
        evaluate_in_pieces(&m, node, i == 0 ? LOSS_OK : LOSS_ERROR_SUPPORT);
        loss_function_free(function);
        drop(&m);
    }
}

/* A name of the graph stands before the number that has it too. */
static void a_parameter_called_pi(void **unused)
{
    (void)unused;
    model m;
    int32_t pi, node;
    char text[2048];
    make(&m, context, 2);
    assert_status(context, loss_graph_parameter(m.graph, "pi", 0, NULL, &pi), LOSS_OK);
    assert_status(context, loss_graph_formula(m.graph, "2*pi", NULL, NULL, 0, &node), LOSS_OK);
    assert_status(context, loss_graph_print(m.graph, "text", text, sizeof text, NULL), LOSS_OK);
    assert_non_null(strstr(text, "multiply (5, 4)"));
    drop(&m);
}

/* What is set of an operation is told with its node, whatever it is that was set. */
static void options_are_printed(void **unused)
{
    (void)unused;
    static const int64_t axes[] = {0, -1};
    model m;
    loss_operation *sum, *gelu;
    char text[2048];
    make(&m, context, 2);
    int32_t node = loss_graph_find(m.graph, "p");
    assert_status(context, loss_operation_create(&gelu, context, "gelu"), LOSS_OK);
    assert_status(context, loss_operation_set_string(gelu, "approximate", "tanh"), LOSS_OK);
    assert_status(context, loss_graph_apply(m.graph, NULL, gelu, &node, 1, &node), LOSS_OK);
    assert_status(context, loss_operation_create(&sum, context, "sum"), LOSS_OK);
    assert_status(context, loss_operation_set_array(sum, "axes", axes, LOSS_INT64, 2), LOSS_OK);
    assert_status(context, loss_operation_set_int(sum, "keep_axes", 1), LOSS_OK);
    assert_status(context, loss_graph_apply(m.graph, NULL, sum, &node, 1, &node), LOSS_OK);
    assert_status(context, loss_graph_print(m.graph, "text", text, sizeof text, NULL), LOSS_OK);
    assert_non_null(strstr(text, "4  gelu approximate=tanh (0)  float64 [rows, 3]\n"
                                 "5  sum axes=0,-1 keep_axes=1 (4)  float64 [1, 1]\n"));
    loss_operation_free(sum);
    loss_operation_free(gelu);
    drop(&m);
}

/* ---- what is refused ---- */

static const struct {
    const char *text;
    loss_status status;
    const char *words;
} refused[] = {
    {"", LOSS_ERROR_FORMULA, "character 1:"},
    {"p + ", LOSS_ERROR_FORMULA, "character 5:"},
    {"p*(w", LOSS_ERROR_FORMULA, "character 5:"},
    {"p + q", LOSS_ERROR_FORMULA, "character 5: there is no name 'q'"},
    {"mean(pp)", LOSS_ERROR_FORMULA, "character 6: there is no name 'pp'; did you mean 'p'?"},
    {"mena(p)", LOSS_ERROR_FORMULA, "character 1: there is no function 'mena'"},
    {"mean(p, w)", LOSS_ERROR_FORMULA, "character 7:"},
    {"mean(w*v)", LOSS_ERROR_SHAPE, "character 7: the operation 'multiply' cannot take [3] and [4]"},
    {"w*v + 1", LOSS_ERROR_SHAPE, "character 2: the operation 'multiply' cannot take [3] and [4]"},
    {"log(1 + exp(w)) < 2*v", LOSS_ERROR_SHAPE, "character 17: the operation 'less' cannot take [3] and [4]"},
    {"mean(w) + clip(w, v, 1)", LOSS_ERROR_SHAPE,
     "character 11: the operation 'maximum' cannot take [3] and [4]"},
    {"w > 0 ? v : w", LOSS_ERROR_SHAPE, "character 7: the operation 'select' cannot take [3], [4] and [3]"},
    {"c*w; c", LOSS_ERROR_FORMULA, "character 7: '=' and the value"},
    {"c*w; c=2, c=3", LOSS_ERROR_FORMULA, "character 11: 'c' was given a value before"},
    {"cc*w; c=2", LOSS_ERROR_FORMULA, "character 1: there is no name 'cc'; did you mean 'c'?"},
    {"p*k", LOSS_ERROR_TYPE, "character 3: node 5 is int32; float64 was expected"},
};

static void mistakes(void **unused)
{
    (void)unused;
    static const int64_t four = 4, rows = LOSS_ROWS;
    model m;
    int32_t node, kept = -7;
    make(&m, context, 2);
    assert_status(context, loss_graph_parameter(m.graph, "v", 1, &four, &node), LOSS_OK);
    assert_status(context, loss_graph_input(m.graph, "k", LOSS_INT32, 1, &rows, &node), LOSS_OK);
    const int32_t before = loss_graph_node_count(m.graph);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        assert_status(context, loss_graph_formula(m.graph, refused[i].text, NULL, NULL, 0, &kept),
                      refused[i].status);
        assert_sentence(context, refused[i].words);
        assert_int_equal(loss_graph_node_count(m.graph), before); /* nothing stays of it */
    }
    static const char *const names[] = {"a", NULL};
    const int32_t nodes[] = {0, 99};
    assert_int_equal(loss_graph_formula(NULL, "p", NULL, NULL, 0, &kept), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_graph_formula(m.graph, NULL, NULL, NULL, 0, &kept), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_graph_formula(m.graph, "p", NULL, NULL, 0, NULL), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_graph_formula(m.graph, "p", NULL, nodes, 1, &kept), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_graph_formula(m.graph, "p", names, NULL, 1, &kept), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_graph_formula(m.graph, "p", names, nodes, -1, &kept), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_graph_formula(m.graph, "p", names, nodes, 2, &kept), LOSS_ERROR_RANGE);
    assert_int_equal(loss_graph_formula(m.graph, "p", names, (int32_t[]){0, 0}, 2, &kept),
                     LOSS_ERROR_ARGUMENT);
    assert_int_equal(kept, -7);
    drop(&m);
}

static void roles_of_a_loss(void **unused)
{
    (void)unused;
    static const char *const turned[] = {"target", "prediction"};
    model m;
    loss_function *function;
    loss_plan *plan;
    int32_t kept = -7;
    const int32_t nodes[] = {1, 1};
    make(&m, context, 2);
    assert_status(context, loss_function_create(&function, context, "squared_error"), LOSS_OK);
    assert_status(context, loss_graph_loss(m.graph, function, turned, nodes, 2, &kept), LOSS_ERROR_TYPE);
    assert_status(context, loss_graph_loss(m.graph, function, turned + 1, nodes, 1, &kept),
                  LOSS_ERROR_ARGUMENT);
    assert_sentence(context, "the loss 'squared_error' needs the role 'target'");
    assert_status(context, loss_plan_create(&plan, context, m.graph, 1, m.data, 7), LOSS_ERROR_RANGE);
    assert_int_equal(kept, -7);
    loss_function_free(function);
    drop(&m);
}

static void memory_runs_out(void **unused)
{
    (void)unused;
    for (int64_t fail_at = 1, failed = 1; failed > 0; fail_at++) {
        test_allocator allocator = {0};
        loss_context *own;
        model m;
        int32_t node = -7;
        assert_int_equal(loss_context_create_with_allocator(&own, test_allocate, test_release, &allocator),
                         LOSS_OK);
        make(&m, own, 2);
        const int32_t before = loss_graph_node_count(m.graph);
        allocator.fail_at = allocator.calls + fail_at;
        loss_status status = loss_graph_formula(m.graph, formulas[1].text, NULL, NULL, 0, &node);
        failed = allocator.failed;
        assert_status(own, status, failed > 0 ? LOSS_ERROR_MEMORY : LOSS_OK);
        if (failed > 0) {
            assert_int_equal(node, -7);
            assert_int_equal(loss_graph_node_count(m.graph), before);
            assert_status(own, loss_graph_formula(m.graph, formulas[1].text, NULL, NULL, 0, &node), LOSS_OK);
        }
        drop(&m);
        loss_context_free(own);
        assert_int_equal(allocator.live, 0);
    }
}

static int set_up(void **unused)
{
    (void)unused;
    return loss_context_create(&context);
}

static int tear_down(void **unused)
{
    (void)unused;
    loss_context_free(context);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_formula_is_its_definition),
        cmocka_unit_test(names_of_a_call),
        cmocka_unit_test(what_looks_across_rows),
        cmocka_unit_test(a_parameter_called_pi),
        cmocka_unit_test(options_are_printed),
        cmocka_unit_test(mistakes),
        cmocka_unit_test(roles_of_a_loss),
        cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
