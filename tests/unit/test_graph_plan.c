/* Plans after training: running statistics, and what dropout drops; and the samples that sentences name. */
#include <math.h>
#include <string.h>

#include "support/check.h"
#include "support/known.h"

enum { ROWS = 40, COLUMNS = 3, X = 2 * COLUMNS };

typedef struct model {
    loss_graph *graph;
    loss_data *data;
    loss_objective *objective;
    int32_t norm, dropped, cost; /* nodes */
    double features[ROWS][COLUMNS], target[ROWS][COLUMNS], x[X];
} model;

static int32_t apply(loss_graph *graph, const char *name, const int32_t *inputs, int32_t count)
{
    int32_t node = -1;
    assert_status(context, loss_graph_apply(graph, name, NULL, inputs, count, &node), LOSS_OK);
    return node;
}

/* dropout(batch_norm(features, scale, shift)) against targets. */
static void make(model *m)
{
    const int64_t rows[] = {LOSS_ROWS, COLUMNS}, columns[] = {COLUMNS};
    int32_t n[4];
    loss_function *function;
    for (int r = 0; r < ROWS; r++) {
        for (int j = 0; j < COLUMNS; j++) {
            m->features[r][j] = sin(7.0 * r + j) * (j + 1) + j;
            m->target[r][j] = cos(3.0 * r - j);
        }
    }
    for (int k = 0; k < X; k++) {
        m->x[k] = 0.75 + 0.25 * k;
    }
    assert_status(context, loss_graph_create(&m->graph, context, LOSS_FLOAT64), LOSS_OK);
    assert_status(context, loss_graph_input(m->graph, "features", LOSS_FLOAT64, 2, rows, &n[0]), LOSS_OK);
    assert_status(context, loss_graph_input(m->graph, "target", LOSS_FLOAT64, 2, rows, &n[1]), LOSS_OK);
    assert_status(context, loss_graph_parameter(m->graph, "scale", 1, columns, &n[2]), LOSS_OK);
    assert_status(context, loss_graph_parameter(m->graph, "shift", 1, columns, &n[3]), LOSS_OK);
    m->norm = apply(m->graph, "batch_norm", (int32_t[]){n[0], n[2], n[3]}, 3);
    m->dropped = apply(m->graph, "dropout", &m->norm, 1);
    assert_status(context, loss_graph_set_output(m->graph, "norm", m->norm), LOSS_OK);
    assert_status(context, loss_function_create(&function, context, "squared_error"), LOSS_OK);
    assert_status(context,
                  loss_graph_loss(m->graph, function, (const char *[]){"prediction", "target"},
                                  (int32_t[]){m->dropped, n[1]}, 2, &m->cost),
                  LOSS_OK);
    loss_function_free(function);
    assert_status(context, loss_data_create(&m->data, context), LOSS_OK);
    assert_status(
        context,
        loss_data_set_input(m->data, "features", m->features, LOSS_FLOAT64, ROWS, COLUMNS, COLUMNS, 1),
        LOSS_OK);
    assert_status(context,
                  loss_data_set_input(m->data, "target", m->target, LOSS_FLOAT64, ROWS, COLUMNS, COLUMNS, 1),
                  LOSS_OK);
    assert_status(context, loss_objective_create_graph(&m->objective, context, m->graph, m->cost, m->data),
                  LOSS_OK);
}

static void free_model(model *m)
{
    loss_objective_free(m->objective);
    loss_graph_free(m->graph);
    loss_data_free(m->data);
}

static void plans_take_statistics(void **unused)
{
    model m;
    loss_plan *plan;
    loss_data *outputs;
    double value, mean[COLUMNS], variance[COLUMNS], again[COLUMNS], predicted[ROWS][COLUMNS],
        planned[ROWS][COLUMNS];
    (void)unused;
    make(&m);
    for (int k = 0; k < 5; k++) {
        assert_status(context, loss_objective_evaluate(m.objective, m.x, &value, NULL), LOSS_OK);
        assert_status(context, loss_objective_new_iterate(m.objective), LOSS_OK);
    }
    assert_status(context, loss_data_create(&outputs, context), LOSS_OK);
    assert_status(context,
                  loss_data_set_output(outputs, "norm", predicted, LOSS_FLOAT64, ROWS, COLUMNS, COLUMNS, 1),
                  LOSS_OK);
    assert_status(context, loss_objective_predict(m.objective, m.x, m.data, outputs), LOSS_OK);
    assert_status(context, loss_plan_create(&plan, context, m.graph, m.norm, m.data, 0), LOSS_OK);
    assert_status(context, loss_plan_value(plan, m.x, planned), LOSS_OK);
    assert_true(memcmp(planned, predicted, sizeof planned) != 0); /* the means are 0 still */
    assert_status(context, loss_objective_get_statistics(m.objective, m.norm, mean, variance), LOSS_OK);
    assert_status(context, loss_plan_set_statistics(plan, m.norm, mean, variance), LOSS_OK);
    assert_status(context, loss_plan_value(plan, m.x, planned), LOSS_OK);
    assert_memory_equal(planned, predicted, sizeof planned);
    assert_status(context, loss_plan_get_statistics(plan, m.norm, again, variance), LOSS_OK);
    assert_memory_equal(again, mean, sizeof mean);
    variance[1] = -1;
    assert_status(context, loss_plan_set_statistics(plan, m.norm, mean, variance), LOSS_ERROR_RANGE);
    assert_sentence(context, "channel 1");
    assert_status(context, loss_plan_set_statistics(plan, m.cost, mean, mean), LOSS_ERROR_RANGE);
    assert_status(context, loss_plan_set_statistics(plan, m.norm, NULL, mean), LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_plan_get_statistics(plan, m.norm, mean, NULL), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_plan_set_statistics(NULL, m.norm, mean, mean), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_plan_get_statistics(NULL, m.norm, mean, mean), LOSS_ERROR_ARGUMENT);
    loss_plan_free(plan);
    loss_data_free(outputs);
    free_model(&m);
}

/* The objective's value from the elements of a plan that drops. */
static double cost_of_plan(loss_plan *plan, const model *m, int64_t seed, int64_t iterate)
{
    double dropped[ROWS][COLUMNS], sum = 0;
    assert_status(context, loss_plan_set_int(plan, "seed", seed), LOSS_OK);
    assert_status(context, loss_plan_set_int(plan, "iterate", iterate), LOSS_OK);
    assert_status(context, loss_plan_value(plan, m->x, dropped), LOSS_OK);
    for (int r = 0; r < ROWS; r++) {
        for (int j = 0; j < COLUMNS; j++) {
            sum += (dropped[r][j] - m->target[r][j]) * (dropped[r][j] - m->target[r][j]);
        }
    }
    return sum;
}

static void plans_drop_what_objectives_drop(void **unused)
{
    model m;
    loss_plan *plan;
    double value;
    (void)unused;
    make(&m);
    assert_status(context, loss_objective_set_int(m.objective, "seed", 5), LOSS_OK);
    assert_status(context, loss_objective_set_int(m.objective, "iterate", 3), LOSS_OK);
    assert_status(context, loss_objective_evaluate(m.objective, m.x, &value, NULL), LOSS_OK);
    assert_status(context, loss_plan_create(&plan, context, m.graph, m.dropped, m.data, 1), LOSS_OK);
    const double same = cost_of_plan(plan, &m, 5, 3), other = cost_of_plan(plan, &m, 5, 4);
    const double scale = value / same; /* halves, and a mean over rows and columns or over rows */
    assert_true(same != other && same != cost_of_plan(plan, &m, 6, 3));
    assert_status(context, loss_objective_new_iterate(m.objective), LOSS_OK);
    assert_status(context, loss_objective_evaluate(m.objective, m.x, &value, NULL), LOSS_OK);
    assert_close(value, scale * other, 1e-12, 0);
    assert_close(cost_of_plan(plan, &m, 5, 3), same, 0, 0);
    assert_status(context, loss_plan_set_int(plan, "sead", 1), LOSS_ERROR_NAME);
    assert_sentence(context, "'seed'");
    assert_status(context, loss_plan_set_int(plan, "iterate", -1), LOSS_ERROR_RANGE);
    assert_int_equal(loss_plan_set_int(NULL, "seed", 1), LOSS_ERROR_ARGUMENT);
    loss_plan_free(plan);
    free_model(&m);
}

/* ---- sentences about samples ---- */

/* mean(cross-entropy of features · x) with bad labels and bad features, in pieces of four rows. */
static void samples_are_named(void **unused)
{
    const int64_t rows[] = {LOSS_ROWS, 2}, one[] = {LOSS_ROWS}, indices[] = {30, 7, 21};
    static double features[ROWS][2];
    static int64_t labels[ROWS];
    const double x = 0.5;
    double value;
    int32_t n[4], cost;
    loss_graph *graph;
    loss_function *function;
    loss_data *data;
    loss_objective *objective;
    (void)unused;
    for (int r = 0; r < ROWS; r++) {
        features[r][r % 2] = 1 + r;
        labels[r] = r % 2;
    }
    labels[21] = 5;
    assert_status(context, loss_graph_create(&graph, context, LOSS_FLOAT64), LOSS_OK);
    assert_status(context, loss_graph_input(graph, "features", LOSS_FLOAT64, 2, rows, &n[0]), LOSS_OK);
    assert_status(context, loss_graph_input(graph, "label", LOSS_INT64, 1, one, &n[1]), LOSS_OK);
    assert_status(context, loss_graph_parameter(graph, "x", 0, NULL, &n[2]), LOSS_OK);
    n[3] = apply(graph, "multiply", (int32_t[]){n[0], n[2]}, 2);
    assert_status(context, loss_function_create(&function, context, "cross_entropy"), LOSS_OK);
    assert_status(context,
                  loss_graph_loss(graph, function, (const char *[]){"prediction", "target"},
                                  (int32_t[]){n[3], n[1]}, 2, &cost),
                  LOSS_OK);
    assert_status(context, loss_data_create(&data, context), LOSS_OK);
    assert_status(context, loss_data_set_input(data, "features", features, LOSS_FLOAT64, ROWS, 2, 2, 1),
                  LOSS_OK);
    assert_status(context, loss_data_set_input(data, "label", labels, LOSS_INT64, ROWS, 1, 1, 1), LOSS_OK);
    assert_status(context, loss_objective_create_graph(&objective, context, graph, cost, data), LOSS_OK);
    assert_status(context, loss_objective_set_int(objective, "chunk_rows", 4), LOSS_OK);
    assert_status(context, loss_objective_evaluate(objective, &x, &value, NULL), LOSS_ERROR_LABEL);
    assert_int_equal(loss_context_error_row(context), 21);
    assert_sentence(context, "of sample 21 is 5");
    assert_null(strstr(loss_context_error(context), "row"));
    assert_status(context, loss_objective_evaluate_batch(objective, &x, 3, indices, &value, NULL),
                  LOSS_ERROR_LABEL);
    assert_sentence(context, "of sample 21 is 5");
    labels[21] = 1;
    features[27][0] = (double)NAN;
    assert_status(context, loss_objective_evaluate(objective, &x, &value, NULL), LOSS_ERROR_NONFINITE);
    assert_sentence(context, "the objective is NaN: that of sample 27 alone is not finite");
    assert_int_equal(loss_context_error_row(context), 27);
    features[27][0] = 0;
    features[7][1] = (double)INFINITY;
    labels[7] = 0;
    assert_status(context, loss_objective_evaluate_batch(objective, &x, 3, indices, &value, NULL),
                  LOSS_ERROR_NONFINITE);
    assert_sentence(context, "that of sample 7 alone");
    loss_objective_free(objective);
    loss_function_free(function);
    loss_graph_free(graph);
    loss_data_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_take_statistics),
        cmocka_unit_test(plans_drop_what_objectives_drop),
        cmocka_unit_test(samples_are_named),
    };
    return cmocka_run_group_tests_name("graph_plan", tests, known_setup, known_teardown);
}
