/*
 * Out of memory, everywhere: the k-th allocation fails once, and then from the k-th on for ever, for k = 1, 2, … until the
 * call succeeds: so every allocation has been refused. The status is LOSS_ERROR_MEMORY, *out is NULL, and nothing leaks.
 */
#include <stdio.h>
#include <string.h>

#include "support/allocator.h"
#include "support/batch.h"
#include "support/check.h"

enum { ROWS = 100, COLUMNS = 3, LIMIT = 200 };

/* What a path needs: prepared by its start without failures. */
typedef struct path_state {
    loss_context *context;
    loss_function *function;
    loss_data *inputs, *outputs;
    batch rows;
} path_state;

typedef struct path {
    const char *name, *loss;
    loss_status (*call)(path_state *state, void **out); /* *out: what it made, NULL when it makes nothing */
    void (*release)(void *made);
    int32_t threads;
} path;

static test_allocator allocator;

/* ---- the paths ---- */

static loss_status create_data(path_state *state, void **out)
{
    return loss_data_create((loss_data **)out, state->context);
}

static loss_status create_function(path_state *state, void **out)
{
    return loss_function_create((loss_function **)out, state->context, "cross_entropy");
}

static loss_status create_formula(path_state *state, void **out)
{
    return loss_function_create((loss_function **)out, state->context,
                                "formula:log(1 + exp(-y*p)) + c*max(p, y)^2; c=0.1");
}

static loss_status clone_function(path_state *state, void **out)
{
    return loss_function_clone((loss_function **)out, state->context, state->function);
}

/* Far more roles than anything has room for at the start. */
static loss_status set_arrays(path_state *state, void **out)
{
    static const double numbers[ROWS];
    loss_status status = LOSS_OK;
    char role[16];
    *out = NULL;
    for (int i = 0; i < 40 && status == LOSS_OK; i++) {
        snprintf(role, sizeof role, "role_%d", i);
        status = loss_data_set_input(state->inputs, role, numbers, LOSS_FLOAT64, ROWS, 1, 1, 1);
    }
    return status;
}

static loss_status set_class_weight(path_state *state, void **out)
{
    static const double weights[COLUMNS] = {1, 2, 0.5};
    *out = NULL;
    return loss_function_set_array(state->function, "class_weight", weights, LOSS_FLOAT64, COLUMNS);
}

static loss_status evaluate(path_state *state, void **out)
{
    double sum = 777;
    loss_status status = loss_function_evaluate(state->context, state->function, state->inputs,
                                                state->outputs, &sum, NULL);
    assert_true((status == LOSS_OK) == (sum != 777));
    *out = NULL;
    return status;
}

static loss_status short_call(path_state *state, void **out)
{
    double cost = 777;
    loss_status status = loss_function_cost_float64(state->context, state->function, ROWS * COLUMNS,
                                                    state->rows.prediction, state->rows.target, &cost,
                                                    state->rows.output[1]);
    assert_true((status == LOSS_OK) == (cost != 777));
    *out = NULL;
    return status;
}

static loss_status short_labels(path_state *state, void **out)
{
    *out = NULL;
    return loss_function_cost_labels_float64(state->context, state->function, ROWS, COLUMNS,
                                             state->rows.prediction, state->rows.label, NULL,
                                             state->rows.output[1]);
}

static loss_status set_text(path_state *state, void **out)
{
    *out = NULL;
    return loss_function_set_string(state->function, "curvature", "gauss_newton");
}

/* Quadratic; the data is not looked at twice. */
static int32_t square(void *user, loss_dtype dtype, int64_t n, const void *prediction, const void *target,
                      void *value, void *gradient, void *curvature)
{
    const double *p = prediction, *t = target;
    (void)user, (void)dtype, (void)curvature;
    for (int64_t i = 0; i < n; i++) {
        ((double *)value)[i] = (p[i] - t[i]) * (p[i] - t[i]);
        if (gradient != NULL) {
            ((double *)gradient)[i] = 2 * (p[i] - t[i]);
        }
    }
    return 0;
}

static loss_status create_user(path_state *state, void **out)
{
    return loss_function_create_user((loss_function **)out, state->context, "square", square, NULL, NULL);
}

static loss_status clone_user(path_state *state, void **out)
{
    loss_function *function;
    loss_status status = create_user(state, (void **)&function);
    *out = NULL;
    if (status == LOSS_OK) {
        status = loss_function_clone((loss_function **)out, state->context, function);
        loss_function_free(function);
    }
    return status;
}

static loss_status best_constant(path_state *state, void **out)
{
    double constant[COLUMNS] = {777, 777, 777};
    loss_data *inputs;
    loss_status status = loss_data_create(&inputs, state->context);
    *out = NULL;
    if (status != LOSS_OK) {
        return status;
    }
    status = state->rows.labels
                 ? loss_data_set_input(inputs, "target", state->rows.label, LOSS_INT64, ROWS, 1, 1, 1)
                 : loss_data_set_input(inputs, "target", state->rows.target, LOSS_FLOAT64, ROWS, COLUMNS,
                                       COLUMNS, 1);
    if (status == LOSS_OK) {
        status = loss_function_best_constant(state->context, state->function, inputs, COLUMNS, constant);
    }
    loss_data_free(inputs);
    assert_true((status == LOSS_OK) == (constant[0] != 777));
    return status;
}

static loss_status inverse_link(path_state *state, void **out)
{
    static double mean[ROWS * COLUMNS];
    *out = NULL;
    return loss_function_inverse_link_float64(state->context, state->function, ROWS, COLUMNS,
                                              state->rows.prediction, mean);
}

/* Σ x⁴, and a Hessian of it: by differences, or by products. */
static int32_t quartic(void *user, int64_t n, const void *x, double *value, void *gradient)
{
    const double *at = x;
    (void)user;
    *value = 0;
    for (int64_t i = 0; i < n; i++) {
        *value += at[i] * at[i] * at[i] * at[i];
        if (gradient != NULL) {
            ((double *)gradient)[i] = 4 * at[i] * at[i] * at[i];
        }
    }
    return 0;
}

static int32_t quartic_product(void *user, int64_t n, const void *x, const void *direction, void *product)
{
    (void)user;
    for (int64_t i = 0; i < n; i++) {
        const double at = ((const double *)x)[i];
        ((double *)product)[i] = 12 * at * at * ((const double *)direction)[i];
    }
    return 0;
}

static loss_status hessian(path_state *state, loss_product_callback product)
{
    static const double x[COLUMNS] = {0.75, -1.5, 2.125};
    double matrix[COLUMNS * COLUMNS];
    loss_objective *objective;
    loss_status status = loss_objective_create_callback(&objective, state->context, LOSS_FLOAT64, COLUMNS,
                                                        quartic, product, NULL);
    if (status == LOSS_OK) {
        status = loss_objective_hessian(objective, x, matrix);
        status = status == LOSS_OK ? loss_objective_hessian_diagonal(objective, x, matrix) : status;
        loss_objective_free(objective);
    }
    return status;
}

static loss_status hessian_by_differences(path_state *state, void **out)
{
    *out = NULL;
    return hessian(state, NULL);
}

static loss_status hessian_by_products(path_state *state, void **out)
{
    *out = NULL;
    return hessian(state, quartic_product);
}

/* A linear model of sparse features, rows of which have a column twice, with all that it ever allocates. */
static loss_status sparse_model(path_state *state, void **out)
{
    static const int32_t offsets[] = {0, 2, 2, 5}, indices[] = {1, 1, 0, 3, 2};
    static const double values[] = {0.5, -2, 1.5, 3, -0.25}, targets[3] = {1, 0, 1}, x[5] = {0.5, -1, 2};
    double product[25];
    loss_data *data;
    loss_objective *objective = NULL;
    loss_status status = loss_data_create(&data, state->context);
    *out = NULL;
    status = status == LOSS_OK ? loss_data_set_sparse_input(data, "features", 3, 4, 5, offsets, LOSS_INT32,
                                                            indices, LOSS_INT32, values, LOSS_FLOAT64)
                               : status;
    status = status == LOSS_OK ? loss_data_set_input(data, "target", targets, LOSS_FLOAT64, 3, 1, 1, 1)
                               : status;
    status = status == LOSS_OK
                 ? loss_objective_create_linear(&objective, state->context, state->function, data)
                 : status;
    status = status == LOSS_OK ? loss_objective_set_int(objective, "center_columns", 1) : status;
    status = status == LOSS_OK ? loss_objective_set_int(objective, "scale_columns", 1) : status;
    status = status == LOSS_OK ? loss_objective_precondition(objective, x, x, product) : status;
    status = status == LOSS_OK ? loss_objective_hessian(objective, x, product) : status;
    status = status == LOSS_OK ? loss_objective_hessian_diagonal(objective, x, product) : status;
    loss_objective_free(objective);
    loss_data_free(data);
    return status;
}

static void release_data(void *made)
{
    loss_data_free(made);
}

static void release_function(void *made)
{
    loss_function_free(made);
}

static const path paths[] = {
    {"loss_data_create", "huber", create_data, release_data, 1},
    {"loss_function_create", "huber", create_function, release_function, 1},
    {"loss_function_create of a formula", "huber", create_formula, release_function, 1},
    {"loss_function_clone", "huber", clone_function, release_function, 1},
    {"loss_function_clone with an array", "cross_entropy", clone_function, release_function, 1},
    {"loss_function_set_string", "huber", set_text, NULL, 1},
    {"loss_data_set_input", "huber", set_arrays, NULL, 1},
    {"loss_function_set_array", "cross_entropy", set_class_weight, NULL, 1},
    {"loss_function_evaluate", "huber", evaluate, NULL, 1},
    {"loss_function_evaluate of classes", "cross_entropy", evaluate, NULL, 1},
    {"loss_function_evaluate with threads", "logistic", evaluate, NULL, 4},
    {"loss_function_create_user", "huber", create_user, release_function, 1},
    {"loss_function_clone of a callback", "huber", clone_user, release_function, 1},
    {"loss_function_best_constant, a search", "huber", best_constant, NULL, 1},
    {"loss_function_best_constant, a median", "absolute_error", best_constant, NULL, 1},
    {"loss_function_best_constant of classes", "cross_entropy", best_constant, NULL, 1},
    {"loss_function_inverse_link", "logistic", inverse_link, NULL, 1},
    {"loss_objective_hessian by differences", "huber", hessian_by_differences, NULL, 1},
    {"loss_objective_hessian by products", "huber", hessian_by_products, NULL, 1},
    {"loss_objective_create_linear with sparse features", "huber", sparse_model, NULL, 1},
    {"loss_function_cost_float64", "logistic", short_call, NULL, 1},
    {"loss_function_cost_labels_float64", "cross_entropy", short_labels, NULL, 1},
};

/* ---- the loop ---- */

static void start(const path *tried, path_state *state)
{
    /* enough rows that threads are worth starting */
    int64_t rows = tried->threads > 1 ? 200000 : ROWS;
    int32_t labels = strcmp(tried->loss, "cross_entropy") == 0;
    memset(state, 0, sizeof *state);
    allocator.fail_at = 0;
    assert_int_equal(
        loss_context_create_with_allocator(&state->context, test_allocate, test_release, &allocator),
        LOSS_OK);
    assert_status(state->context, loss_context_set_int(state->context, "threads", tried->threads), LOSS_OK);
    assert_status(state->context, loss_function_create(&state->function, state->context, tried->loss),
                  LOSS_OK);
    if (labels && tried->call == clone_function) {
        void *nothing;
        assert_status(state->context, set_class_weight(state, &nothing), LOSS_OK);
    }
    state->rows = batch_create(LOSS_FLOAT64, rows, COLUMNS, labels ? 1 : COLUMNS, labels);
    state->inputs = batch_inputs(state->context, &state->rows);
    state->outputs = batch_outputs(state->context, &state->rows);
}

static void finish(path_state *state)
{
    loss_data_free(state->inputs);
    loss_data_free(state->outputs);
    loss_function_free(state->function);
    loss_context_free(state->context);
    batch_free(&state->rows);
}

/* Runs the path with the k-th allocation failing; returns whether any was refused. */
static int32_t fail_at(const path *tried, int64_t k, int32_t for_ever)
{
    path_state state;
    void *made = &made;
    int64_t failed;
    loss_status status;
    start(tried, &state);
    allocator.calls = 0;
    allocator.failed = 0;
    allocator.for_ever = for_ever;
    allocator.fail_at = k;
    status = tried->call(&state, &made);
    failed = allocator.failed;
    allocator.fail_at = 0;
    if (failed > 0 &&
        !(tried->threads > 1 && status == LOSS_OK)) { /* without memory for threads there are fewer */
        assert_status(state.context, status, LOSS_ERROR_MEMORY);
        assert_null(made);
        assert_true(strlen(loss_context_error(state.context)) > 0);
        /* nothing is broken: the same call works when there is memory again */
        status = tried->call(&state, &made);
    }
    assert_status(state.context, status, LOSS_OK);
    assert_true((made != NULL) == (tried->release != NULL));
    if (made != NULL) {
        tried->release(made);
    }
    finish(&state);
    assert_int_equal(allocator.live, 0);
    assert_int_equal(allocator.live_bytes, 0);
    return failed > 0;
}

static void test_path(void **state)
{
    const path *tried = *state;
    for (int32_t for_ever = 0; for_ever < 2; for_ever++) {
        int64_t k = 1;
        while (fail_at(tried, k, for_ever)) {
            k++;
            assert_true(k < LIMIT);
        }
        print_message("           %s: %lld allocations\n", tried->name, (long long)(k - 1));
    }
}

/* A context that cannot be made: there is none to ask for the sentence. */
static void test_context(void **state)
{
    (void)state;
    for (int32_t for_ever = 0; for_ever < 2; for_ever++) {
        loss_status status = LOSS_ERROR_MEMORY;
        for (int64_t k = 1; status != LOSS_OK; k++) {
            loss_context *context = (loss_context *)&context;
            memset(&allocator, 0, sizeof allocator);
            allocator.fail_at = k;
            allocator.for_ever = for_ever;
            status = loss_context_create_with_allocator(&context, test_allocate, test_release, &allocator);
            assert_true(k < LIMIT);
            if (status != LOSS_OK) {
                assert_int_equal(status, LOSS_ERROR_MEMORY);
                assert_null(context);
            }
            loss_context_free(context);
            assert_int_equal(allocator.live, 0);
        }
    }
}

int main(void)
{
    enum { PATHS = sizeof paths / sizeof *paths };
    struct CMUnitTest tests[PATHS + 1] = {cmocka_unit_test(test_context)};
    for (int i = 0; i < PATHS; i++) {
        tests[i + 1] = (struct CMUnitTest){paths[i].name, test_path, NULL, NULL,
                                           (void *)(uintptr_t)&paths[i]};
    }
    return cmocka_run_group_tests_name("oom", tests, NULL, NULL);
}
