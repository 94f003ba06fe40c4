/*
 * Linear models on the bundled data end where scikit-learn's end: the optima of tests/data/optima, written by
 * tests/reference/optima.py, every parameter to the tolerance of the task times the largest, by several methods each.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loss/io.h"
#include "support/check.h"

typedef struct problem {
    loss_context *context;
    loss_table *tasks, *table;
    int64_t task, rows, features;
    double *x, *y, *weight, *optimum;
    int64_t *labels;
    int64_t parameters;
} problem;

static void *allocate(int64_t count, size_t size)
{
    void *block = calloc((size_t)count, size);
    assert_non_null(block);
    return block;
}

static loss_table *read_table(loss_context *context, const char *format, const char *name)
{
    char path[512];
    loss_table *table;
    snprintf(path, sizeof path, format, LOSS_TEST_DATA, name);
    assert_status(context, loss_table_read_csv(&table, context, path, 1, ','), LOSS_OK);
    return table;
}

static const char *text(const problem *p, const char *field)
{
    int64_t column;
    assert_status(p->context, loss_table_find_column(p->tasks, p->context, field, &column), LOSS_OK);
    return loss_table_cell(p->tasks, p->task, column);
}

static double number(const problem *p, const char *field)
{
    double value;
    const char *cell = text(p, field);
    assert_status(p->context, loss_parse_double(cell, (int64_t)strlen(cell), &value), LOSS_OK);
    return value;
}

static void read_column(const problem *p, int64_t column, double *values, int64_t stride)
{
    assert_status(p->context, loss_table_get_column_double(p->table, p->context, column, values, stride),
                  LOSS_OK);
}

/* Columns divided by the power of two that brings their largest magnitude into (½, 1]. */
static void read_features(problem *p)
{
    p->x = allocate(p->rows * p->features, sizeof *p->x);
    for (int64_t j = 0; j < p->features; j++) {
        double largest = 0;
        int exponent = 0;
        read_column(p, j, p->x + j, p->features);
        for (int64_t i = 0; i < p->rows; i++) {
            largest = fmax(largest, fabs(p->x[i * p->features + j]));
        }
        frexp(largest, &exponent);
        for (int64_t i = 0; i < p->rows; i++) {
            p->x[i * p->features + j] = ldexp(p->x[i * p->features + j], -exponent);
        }
    }
}

static void read_target(problem *p)
{
    const char *target = text(p, "target");
    loss_classes *classes;
    p->labels = allocate(p->rows, sizeof *p->labels);
    p->y = allocate(p->rows, sizeof *p->y);
    p->weight = allocate(p->rows, sizeof *p->weight);
    assert_status(p->context, loss_classes_create(&classes, p->context, p->table, p->features), LOSS_OK);
    assert_status(p->context,
                  loss_classes_get_labels(classes, p->context, p->table, p->features, p->labels, 1), LOSS_OK);
    loss_classes_free(classes);
    for (int64_t i = 0; i < p->rows; i++) {
        const double label = (double)p->labels[i];
        p->y[i] = strcmp(target, "sign") == 0        ? 2 * label - 1
                  : strcmp(target, "successor") == 0 ? label + 1
                                                     : label;
        p->weight[i] = 1.0 + (double)(i % 3);
    }
}

static void read_problem(problem *p, int64_t task)
{
    loss_table *optimum;
    p->task = task;
    p->table = read_table(p->context, "%s/%s.csv", text(p, "data"));
    p->rows = loss_table_row_count(p->table);
    p->features = loss_table_column_count(p->table) - 1;
    read_features(p);
    read_target(p);
    optimum = read_table(p->context, "%s/optima/%s.csv", text(p, "name"));
    p->parameters = loss_table_row_count(optimum);
    p->optimum = allocate(p->parameters, sizeof *p->optimum);
    assert_status(p->context, loss_table_get_column_double(optimum, p->context, 0, p->optimum, 1), LOSS_OK);
    loss_table_free(optimum);
}

static void free_problem(problem *p)
{
    loss_table_free(p->table);
    free(p->x);
    free(p->y);
    free(p->weight);
    free(p->labels);
    free(p->optimum);
}

/* "name=value", or nothing */
static void set_options(const problem *p, loss_function *function)
{
    char name[48];
    const char *options = text(p, "options"), *equals = strchr(options, '=');
    double value;
    if (equals == NULL) {
        return;
    }
    snprintf(name, sizeof name, "%.*s", (int)(equals - options), options);
    assert_status(p->context, loss_parse_double(equals + 1, (int64_t)strlen(equals + 1), &value), LOSS_OK);
    assert_status(p->context, loss_function_set_double(function, name, value), LOSS_OK);
}

static loss_objective *create_objective(const problem *p)
{
    loss_context *c = p->context;
    const int64_t rows = p->rows, features = p->features;
    loss_function *function;
    loss_penalty *penalty;
    loss_objective *objective;
    loss_data *data;
    assert_status(c, loss_function_create(&function, c, text(p, "loss")), LOSS_OK);
    set_options(p, function);
    assert_status(c, loss_penalty_create(&penalty, c, text(p, "penalty")), LOSS_OK);
    assert_status(c, loss_penalty_set_double(penalty, "strength", number(p, "strength")), LOSS_OK);
    if (strcmp(text(p, "penalty"), "elastic_net") == 0) {
        assert_status(c, loss_penalty_set_double(penalty, "l1_ratio", number(p, "l1_ratio")), LOSS_OK);
    }
    assert_status(c, loss_data_create(&data, c), LOSS_OK);
    assert_status(c, loss_data_set_input(data, "features", p->x, LOSS_FLOAT64, rows, features, features, 1),
                  LOSS_OK);
    if (strcmp(text(p, "loss"), "cross_entropy") == 0) {
        assert_status(c, loss_data_set_input(data, "target", p->labels, LOSS_INT64, rows, 1, 1, 1), LOSS_OK);
    } else {
        assert_status(c, loss_data_set_input(data, "target", p->y, LOSS_FLOAT64, rows, 1, 1, 1), LOSS_OK);
    }
    if (number(p, "weighted") != 0) {
        assert_status(c, loss_data_set_input(data, "weight", p->weight, LOSS_FLOAT64, rows, 1, 1, 1),
                      LOSS_OK);
    }
    assert_status(c, loss_objective_create_linear(&objective, c, function, data), LOSS_OK);
    assert_status(c, loss_objective_set_int(objective, "intercept", (int64_t)number(p, "intercept")),
                  LOSS_OK);
    assert_status(c, loss_objective_add_penalty(objective, penalty), LOSS_OK);
    loss_penalty_free(penalty);
    loss_function_free(function);
    loss_data_free(data);
    return objective;
}

/* A constant added to all scores of a classifier changes nothing: its intercepts are compared without their mean. */
static void centre_intercepts(const problem *p, double *x)
{
    const int64_t outputs = p->parameters / (p->features + 1);
    double *intercept = x + outputs * p->features, mean = 0;
    for (int64_t k = 0; k < outputs; k++) {
        mean += intercept[k] / (double)outputs;
    }
    for (int64_t k = 0; outputs > 1 && k < outputs; k++) {
        intercept[k] -= mean;
    }
}

static void run(const problem *p, const char *method)
{
    loss_optimizer *optimizer;
    loss_objective *objective = create_objective(p);
    double *x = allocate(p->parameters, sizeof *x), largest = 0, apart = 0;
    assert_int_equal(loss_objective_dimension(objective), p->parameters);
    assert_status(p->context,
                  loss_optimizer_create(&optimizer, p->context, method, LOSS_FLOAT64, p->parameters),
                  LOSS_OK);
    assert_status(p->context, loss_optimizer_set_double(optimizer, "gradient_tolerance", 1e-11), LOSS_OK);
    const loss_status status = loss_optimizer_minimize(optimizer, objective, x);
    assert_true(status >= 0); /* small enough, or as small as the precision allows */
    centre_intercepts(p, x);
    for (int64_t i = 0; i < p->parameters; i++) {
        largest = fmax(largest, fabs(p->optimum[i]));
        apart = fmax(apart, fabs(x[i] - p->optimum[i]));
    }
    if (!(apart <= number(p, "tolerance") * largest)) {
        fail_msg("%s by %s: a parameter is %.3g off the optimum, of %.3g", text(p, "name"), method, apart,
                 largest);
    }
    loss_optimizer_free(optimizer);
    loss_objective_free(objective);
    free(x);
}

static void test_optima(void **state)
{
    static const char *const smooth[] = {"lbfgs", "newton_cg", "trust_region", NULL};
    static const char *const rough[] = {"owlqn", "accelerated_gradient", NULL};
    problem p = {0};
    (void)state;
    assert_status(NULL, loss_context_create(&p.context), LOSS_OK);
    p.tasks = read_table(p.context, "%s/optima/%s.csv", "tasks");
    assert_true(loss_table_row_count(p.tasks) >= 15);
    for (int64_t task = 0; task < loss_table_row_count(p.tasks); task++) {
        read_problem(&p, task);
        const int l2 = strcmp(text(&p, "penalty"), "l2") == 0;
        for (const char *const *method = l2 ? smooth : rough; *method != NULL; method++) {
            run(&p, *method);
        }
        free_problem(&p);
    }
    loss_table_free(p.tasks);
    loss_context_free(p.context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_optima)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
