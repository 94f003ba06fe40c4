/*
 * Every stochastic method trains logistic regression on the bundled data sets, in float32, to a stated cost: so many
 * epochs, and then at most so much above the minimum that lbfgs finds in float64.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "loss/io.h"
#include "optimizer_run.h"
#include "stochastic.h"
#include "support/check.h"

/* A table's standardised features and class labels, in both element types. */
typedef struct data_set {
    int64_t rows, features, classes;
    double *wide;
    float *narrow;
    int64_t *labels;
} data_set;

static void *allocate(int64_t count, size_t size)
{
    void *block = calloc((size_t)count, size);
    assert_non_null(block);
    return block;
}

/* Columns to mean 0 and variance 1; one that is the same everywhere becomes 0. */
static void standardize(data_set *set, int64_t j)
{
    double mean = 0.0, square = 0.0;
    for (int64_t i = 0; i < set->rows; i++) {
        mean += set->wide[i * set->features + j] / (double)set->rows;
    }
    for (int64_t i = 0; i < set->rows; i++) {
        double *x = &set->wide[i * set->features + j];
        *x -= mean;
        square += *x * *x / (double)set->rows;
    }
    for (int64_t i = 0; i < set->rows; i++) {
        double *x = &set->wide[i * set->features + j];
        *x = square > 0.0 ? *x / sqrt(square) : 0.0;
        set->narrow[i * set->features + j] = (float)*x;
    }
}

/* The last column is the target. */
static data_set read_set(loss_context *context, const char *path)
{
    loss_table *table = NULL;
    loss_classes *classes = NULL;
    data_set set;
    assert_status(context, loss_table_read_csv(&table, context, path, 1, ','), LOSS_OK);
    set.rows = loss_table_row_count(table);
    set.features = loss_table_column_count(table) - 1;
    set.wide = allocate(set.rows * set.features, sizeof *set.wide);
    set.narrow = allocate(set.rows * set.features, sizeof *set.narrow);
    set.labels = allocate(set.rows, sizeof *set.labels);
    for (int64_t j = 0; j < set.features; j++) {
        assert_status(context, loss_table_get_column_double(table, context, j, set.wide + j, set.features),
                      LOSS_OK);
        standardize(&set, j);
    }
    assert_status(context, loss_classes_create(&classes, context, table, set.features), LOSS_OK);
    assert_status(context, loss_classes_get_labels(classes, context, table, set.features, set.labels, 1),
                  LOSS_OK);
    set.classes = loss_classes_count(classes);
    loss_classes_free(classes);
    loss_table_free(table);
    return set;
}

static void free_set(data_set *set)
{
    free(set->wide);
    free(set->narrow);
    free(set->labels);
}

/* Mean cross-entropy of a linear model with a penalty of 0.005·‖W‖². */
static loss_objective *objective_over(loss_context *context, const data_set *set, loss_dtype dtype)
{
    loss_function *function = NULL;
    loss_penalty *penalty = NULL;
    loss_data *data = NULL;
    loss_objective *objective = NULL;
    const void *features = dtype == LOSS_FLOAT64 ? (const void *)set->wide : set->narrow;
    assert_status(context, loss_function_create(&function, context, "cross_entropy"), LOSS_OK);
    assert_status(context, loss_penalty_create(&penalty, context, "l2"), LOSS_OK);
    assert_status(context, loss_penalty_set_double(penalty, "strength", 0.01), LOSS_OK);
    assert_status(context, loss_data_create(&data, context), LOSS_OK);
    assert_status(
        context,
        loss_data_set_input(data, "features", features, dtype, set->rows, set->features, set->features, 1),
        LOSS_OK);
    assert_status(context, loss_data_set_input(data, "target", set->labels, LOSS_INT64, set->rows, 1, 1, 1),
                  LOSS_OK);
    assert_status(context, loss_objective_create_linear(&objective, context, function, data), LOSS_OK);
    assert_status(context, loss_objective_add_penalty(objective, penalty), LOSS_OK);
    loss_penalty_free(penalty);
    loss_function_free(function);
    loss_data_free(data);
    return objective;
}

static double minimum_of(loss_context *context, const data_set *set)
{
    loss_objective *objective = objective_over(context, set, LOSS_FLOAT64);
    int64_t n = set->classes * (set->features + 1);
    loss_optimizer *lbfgs = stochastic_create(context, "lbfgs", "gradient_tolerance=1e-8", LOSS_FLOAT64, n);
    void *x = allocate(n, sizeof(double));
    assert_status(context, loss_optimizer_minimize(lbfgs, objective, x), LOSS_STOP_GRADIENT);
    double minimum = get_double(lbfgs, "value");
    free(x);
    loss_optimizer_free(lbfgs);
    loss_objective_free(objective);
    return minimum;
}

/* Batches of 32 and 30 epochs; what was reached when this was written was at most seven tenths of what is allowed. */
static const struct {
    const char *name, *settings;
    double most[2]; /* parts of the minimum above it: digits, breast cancer */
} cases[] = {
    {"sgd", "learning_rate=0.05", {0.001, 0.001}},
    {"sgd", "learning_rate=0.05 nesterov=1 schedule=one_cycle", {0.001, 0.0005}},
    {"adagrad", "learning_rate=0.1", {0.002, 0.01}},
    {"adadelta", "learning_rate=10", {0.01, 0.002}},
    {"rmsprop", "learning_rate=0.01", {0.0005, 0.002}},
    {"rmsprop", "learning_rate=0.01 centered=1 momentum=0.5", {0.001, 0.0005}},
    {"adam", "learning_rate=0.02", {0.001, 0.001}},
    {"adam", "learning_rate=0.03 amsgrad=1 warmup=3", {0.001, 0.002}},
    {"adamw", "learning_rate=0.02 weight_decay=0", {0.001, 0.001}},
    {"nadam", "learning_rate=0.02", {0.001, 0.001}},
    {"radam", "learning_rate=0.05", {0.001, 0.005}},
    {"lion", "learning_rate=0.01 weight_decay=0", {0.005, 0.01}},
    {"adafactor", "learning_rate=0.1", {0.01, 0.01}},
    {"muon", "learning_rate=0.02 weight_decay=0 adamw_learning_rate=0.01", {0.002, 0.001}},
    {"svrg", "learning_rate=0.3", {0.001, 0.005}},
    {"saga", "learning_rate=0.3", {0.002, 0.01}},
};

static void train(loss_context *context, const data_set *set, loss_objective *objective, double minimum,
                  int which)
{
    int64_t n = set->classes * (set->features + 1);
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        loss_optimizer *optimizer = stochastic_create(
            context, cases[k].name, "epochs=30 schedule=cosine evaluate_every=5 seed=3", LOSS_FLOAT32, n);
        void *x = allocate(n, sizeof(float));
        stochastic_set(context, optimizer, cases[k].settings);
        assert_status(context,
                      loss_optimizer_add_segment(optimizer, "weights", 0, set->classes, set->features),
                      LOSS_OK);
        loss_status outcome = loss_optimizer_minimize(optimizer, objective, x);
        double above = get_double(optimizer, "value") / minimum - 1.0;
        if (outcome != LOSS_STOP_ITERATIONS || !(above <= cases[k].most[which])) {
            fail_msg("%s %s: %s, %g of the minimum above it", cases[k].name, cases[k].settings,
                     loss_status_name(outcome), above);
        }
        free(x);
        loss_optimizer_free(optimizer);
    }
}

static void the_data_sets_are_learned(void **unused)
{
    static const char *const paths[] = {LOSS_TEST_DATA "/digits.csv", LOSS_TEST_DATA "/breast_cancer.csv"};
    loss_context *context = NULL;
    (void)unused;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    for (int i = 0; i < 2; i++) {
        data_set set = read_set(context, paths[i]);
        loss_objective *objective = objective_over(context, &set, LOSS_FLOAT32);
        train(context, &set, objective, minimum_of(context, &set), i);
        loss_objective_free(objective);
        free_set(&set);
    }
    loss_context_free(context);
}

/* Nothing is stated for a method that is not there. */
static void every_method_is_in_the_table(void **unused)
{
    (void)unused;
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        const char *name = loss_optimizer_catalogue_name(i);
        int32_t found = !is_stochastic(name);
        for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
            found |= strcmp(cases[k].name, name) == 0;
        }
        if (!found) {
            fail_msg("%s has no row in the table", name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_data_sets_are_learned),
        cmocka_unit_test(every_method_is_in_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
