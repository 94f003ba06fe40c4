/* loss_optimizer_minimize(): the same bits as ask and tell by hand, and what the objective may do in between. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "optimizer_run.h"
#include "support/allocator.h"
#include "support/check.h"

/* The logistic problem as an objective of callbacks. */
typedef struct caller {
    loss_dtype dtype;
    int64_t calls, fail_at; /* evaluations; the one that returns 42, 0: none */
    int64_t nan_at;
    int64_t iterates, stop_at; /* seen by the iterate callback; where it asks to stop, 0: nowhere */
    double last_value;
} caller;

enum { N = 6 };

static void widen(const caller *c, const void *x, double *wide)
{
    for (int i = 0; i < N; i++) {
        wide[i] = element(x, c->dtype, i);
    }
}

static int32_t evaluate(void *user, int64_t n, const void *x, double *value, void *gradient)
{
    caller *c = user;
    double wide[N], g[N];
    assert_int_equal(n, N);
    if (++c->calls == c->fail_at) {
        return 42;
    }
    widen(c, x, wide);
    *value = logistic.evaluate(N, wide, g);
    if (c->calls == c->nan_at) {
        *value = NAN;
    }
    for (int i = 0; gradient != NULL && i < N; i++) {
        set_element(gradient, c->dtype, i, g[i]);
    }
    return 0;
}

static int32_t evaluate_batch(void *user, int64_t n, const void *x, int64_t count, const int64_t *indices,
                              double *value, void *gradient)
{
    caller *c = user;
    double wide[N], g[N];
    assert_int_equal(n, N);
    if (++c->calls == c->fail_at) {
        return 42;
    }
    widen(c, x, wide);
    *value = logistic_batch(wide, count, indices, g);
    for (int i = 0; gradient != NULL && i < N; i++) {
        set_element(gradient, c->dtype, i, g[i]);
    }
    return 0;
}

static int32_t on_iterate(void *user, loss_optimizer *optimizer)
{
    caller *c = user;
    c->iterates++;
    c->last_value = get_double(optimizer, "value");
    return c->iterates == c->stop_at;
}

typedef struct duel {
    loss_context *context;
    loss_optimizer *optimizer;
    loss_objective *objective;
    caller *user;
    void *x;
} duel;

static duel make(const char *name, caller *c)
{
    duel f = {.user = c, .x = starting_point(&logistic, c->dtype)};
    assert_int_equal(loss_context_create(&f.context), LOSS_OK);
    assert_status(f.context, loss_optimizer_create(&f.optimizer, f.context, name, c->dtype, N), LOSS_OK);
    assert_status(f.context,
                  loss_objective_create_callback(&f.objective, f.context, c->dtype, N, evaluate, NULL, c),
                  LOSS_OK);
    assert_status(f.context, loss_objective_set_batch_callback(f.objective, LOGISTIC_SAMPLES, evaluate_batch),
                  LOSS_OK);
    if (is_stochastic(name)) {
        assert_int_equal(loss_optimizer_set_int(f.optimizer, "epochs", 9), LOSS_OK);
    }
    return f;
}

static void drop(duel *f)
{
    loss_objective_free(f->objective);
    loss_optimizer_free(f->optimizer);
    loss_context_free(f->context);
    free(f->x);
}

/* The loop as anybody would write it, with the objective's own functions. */
static loss_status by_hand(duel *f)
{
    loss_status outcome = LOSS_OK;
    int32_t request = 0;
    double value = 0.0, vector[N * N];
    const void *x = NULL, *extra = NULL;
    int64_t count = 0;
    assert_int_equal(loss_optimizer_start(f->optimizer, f->x), LOSS_OK);
    while (loss_optimizer_ask(f->optimizer, &request) == LOSS_OK && request != LOSS_REQUEST_DONE) {
        assert_int_equal(loss_optimizer_get_pointer(f->optimizer, "x", &x), LOSS_OK);
        if (request == LOSS_REQUEST_VALUE) {
            assert_int_equal(loss_objective_evaluate(f->objective, x, &value, NULL), LOSS_OK);
            assert_int_equal(loss_optimizer_tell_value(f->optimizer, value), LOSS_OK);
        } else if (request == LOSS_REQUEST_VALUE_AND_GRADIENT) {
            assert_int_equal(loss_objective_evaluate(f->objective, x, &value, vector), LOSS_OK);
            assert_int_equal(loss_optimizer_tell_gradient(f->optimizer, value, vector), LOSS_OK);
        } else if (request == LOSS_REQUEST_HESSIAN_PRODUCT) {
            assert_int_equal(loss_optimizer_get_pointer(f->optimizer, "direction", &extra), LOSS_OK);
            assert_int_equal(loss_objective_hessian_product(f->objective, x, extra, vector), LOSS_OK);
            assert_int_equal(loss_optimizer_tell_vector(f->optimizer, vector), LOSS_OK);
        } else if (request == LOSS_REQUEST_HESSIAN) {
            assert_int_equal(loss_objective_hessian(f->objective, x, vector), LOSS_OK);
            assert_int_equal(loss_optimizer_tell_vector(f->optimizer, vector), LOSS_OK);
        } else {
            assert_int_equal(request, LOSS_REQUEST_BATCH_GRADIENT);
            assert_int_equal(loss_optimizer_get_int(f->optimizer, "indices_count", &count), LOSS_OK);
            assert_int_equal(loss_optimizer_get_pointer(f->optimizer, "indices", &extra), LOSS_OK);
            assert_int_equal(loss_objective_evaluate_batch(f->objective, x, count, extra, &value, vector),
                             LOSS_OK);
            assert_int_equal(loss_optimizer_tell_gradient(f->optimizer, value, vector), LOSS_OK);
        }
    }
    assert_int_equal(loss_optimizer_outcome(f->optimizer, &outcome), LOSS_OK);
    assert_int_equal(loss_optimizer_get_pointer(f->optimizer, "best_x", &x), LOSS_OK);
    memcpy(f->x, x, N * (f->user->dtype == LOSS_FLOAT64 ? sizeof(double) : sizeof(float)));
    return outcome;
}

static void it_is_ask_and_tell_to_the_bit(void **unused)
{
    (void)unused;
    for (int32_t i = 0; i < 2 * loss_optimizer_catalogue_count(); i++) {
        caller one = {.dtype = i % 2 == 0 ? LOSS_FLOAT64 : LOSS_FLOAT32}, other = one;
        const char *name = loss_optimizer_catalogue_name(i / 2);
        duel a = make(name, &one), b = make(name, &other);
        if (is_stochastic(name)) { /* by hand nobody tells it the objective's samples */
            assert_int_equal(loss_optimizer_set_int(b.optimizer, "samples", LOGISTIC_SAMPLES), LOSS_OK);
        }
        loss_status outcome = loss_optimizer_minimize(a.optimizer, a.objective, a.x);
        assert_int_equal(outcome, by_hand(&b));
        assert_true(outcome > 0);
        assert_same_bits(a.x, b.x, one.dtype, N);
        assert_int_equal(one.calls, other.calls);
        assert_int_equal(get_int(a.optimizer, "evaluations"), get_int(b.optimizer, "evaluations"));
        assert_close(get_double(a.optimizer, "value"), get_double(b.optimizer, "value"), 0.0, 0.0);
        drop(&a);
        drop(&b);
    }
}

/* The sample count of the objective is for one run: afterwards the option is still 0. */
static void sgd_learns_the_samples_from_the_objective(void **unused)
{
    caller c = {.dtype = LOSS_FLOAT64};
    duel f = make("sgd", &c);
    (void)unused;
    assert_int_equal(loss_optimizer_minimize(f.optimizer, f.objective, f.x), LOSS_STOP_ITERATIONS);
    assert_int_equal(get_int(f.optimizer, "batches"), 9 * 4); /* 103 samples, 32 at a time */
    assert_int_equal(get_int(f.optimizer, "samples"), 0);
    assert_int_equal(loss_optimizer_start(f.optimizer, f.x), LOSS_ERROR_STATE);
    drop(&f);
}

static void a_failing_callback_ends_it_with_the_best_point(void **unused)
{
    (void)unused;
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        for (int64_t at = 1; at < 7; at++) {
            caller c = {.dtype = LOSS_FLOAT64, .fail_at = at};
            duel f = make(loss_optimizer_catalogue_name(i), &c);
            double start = 0.0, end = 0.0, g[N];
            start = logistic.evaluate(N, f.x, g);
            assert_int_equal(loss_optimizer_minimize(f.optimizer, f.objective, f.x), LOSS_ERROR_CALLBACK);
            assert_int_equal(get_int(f.optimizer, "callback_status"), 42);
            assert_int_equal(c.calls, at);
            loss_status outcome = LOSS_OK;
            assert_int_equal(loss_optimizer_outcome(f.optimizer, &outcome), LOSS_OK);
            assert_int_equal(outcome, LOSS_ERROR_CALLBACK);
            end = logistic.evaluate(N, f.x, g);
            assert_true(end <= start);
            drop(&f);
        }
    }
}

static void a_nan_from_the_callback_is_an_answer(void **unused)
{
    (void)unused;
    caller c = {.dtype = LOSS_FLOAT64, .nan_at = 3};
    duel f = make("lbfgs", &c);
    double g[N];
    assert_int_equal(loss_optimizer_minimize(f.optimizer, f.objective, f.x), LOSS_STOP_GRADIENT);
    assert_close(logistic.evaluate(N, f.x, g), logistic.minimum, 1e-9, 0.0);
    drop(&f);
    c = (caller){.dtype = LOSS_FLOAT64, .nan_at = 1};
    f = make("lbfgs", &c);
    assert_int_equal(loss_optimizer_minimize(f.optimizer, f.objective, f.x), LOSS_ERROR_NONFINITE);
    drop(&f);
}

static void the_iterate_callback_sees_everything_and_can_stop(void **unused)
{
    (void)unused;
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        const char *name = loss_optimizer_catalogue_name(i);
        caller c = {.dtype = LOSS_FLOAT64};
        duel f = make(name, &c);
        assert_int_equal(loss_optimizer_set_iterate_callback(f.optimizer, on_iterate, &c), LOSS_OK);
        assert_true(loss_optimizer_minimize(f.optimizer, f.objective, f.x) > 0);
        assert_int_equal(c.iterates, get_int(f.optimizer, "iterations") + 1);
        drop(&f);
        c = (caller){.dtype = LOSS_FLOAT64, .stop_at = 3};
        f = make(name, &c);
        assert_int_equal(loss_optimizer_set_iterate_callback(f.optimizer, on_iterate, &c), LOSS_OK);
        assert_int_equal(loss_optimizer_minimize(f.optimizer, f.objective, f.x), LOSS_STOP_USER);
        assert_int_equal(c.iterates, 3);
        assert_true(get_double(f.optimizer, "value") <= c.last_value);
        assert_int_equal(loss_optimizer_set_iterate_callback(f.optimizer, NULL, NULL), LOSS_OK);
        assert_true(loss_optimizer_minimize(f.optimizer, f.objective, f.x) > 0);
        assert_int_equal(c.iterates, 3);
        drop(&f);
    }
    assert_int_equal(loss_optimizer_set_iterate_callback(NULL, NULL, NULL), LOSS_ERROR_ARGUMENT);
}

/* A callback of a run that tries to begin another with the same optimizer. */
typedef struct intruder {
    caller inner; /* first: the objective's callbacks are the caller's */
    loss_optimizer *optimizer;
    loss_objective *objective;
    loss_context *context;
    int64_t refused;
} intruder;

static void intrude(intruder *c)
{
    double x[N] = {0.0};
    const char blob[8] = {0};
    assert_int_equal(loss_optimizer_minimize(c->optimizer, c->objective, x), LOSS_ERROR_STATE);
    assert_sentence(c->context, "is minimising");
    assert_int_equal(loss_optimizer_run(c->optimizer, c->objective, x), LOSS_ERROR_STATE);
    assert_sentence(c->context, "is minimising");
    assert_int_equal(loss_optimizer_start(c->optimizer, x), LOSS_ERROR_STATE);
    assert_sentence(c->context, "is minimising");
    assert_int_equal(loss_optimizer_load(c->optimizer, blob, 8), LOSS_ERROR_STATE);
    assert_sentence(c->context, "is minimising");
    c->refused++;
}

static int32_t intrude_at_iterates(void *user, loss_optimizer *optimizer)
{
    (void)optimizer;
    intrude(user);
    return 0;
}

static int32_t intrude_at_evaluations(void *user, int64_t n, const void *x, double *value, void *gradient)
{
    intrude(user);
    return evaluate(user, n, x, value, gradient);
}

static void a_run_cannot_be_begun_within_itself(void **unused)
{
    static const char *const names[] = {"lbfgs", "trust_region_cg", "sgd"};
    (void)unused;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        caller alone = {.dtype = LOSS_FLOAT64};
        intruder c = {.inner = {.dtype = LOSS_FLOAT64}};
        duel a = make(names[i], &alone), b = make(names[i], &c.inner);
        loss_objective *objective = NULL;
        assert_status(b.context,
                      loss_objective_create_callback(&objective, b.context, LOSS_FLOAT64, N,
                                                     intrude_at_evaluations, NULL, &c),
                      LOSS_OK);
        assert_status(b.context,
                      loss_objective_set_batch_callback(objective, LOGISTIC_SAMPLES, evaluate_batch),
                      LOSS_OK);
        c.optimizer = b.optimizer;
        c.objective = objective;
        c.context = b.context;
        assert_int_equal(loss_optimizer_set_iterate_callback(b.optimizer, intrude_at_iterates, &c), LOSS_OK);
        loss_status outcome = loss_optimizer_minimize(a.optimizer, a.objective, a.x);
        assert_int_equal(loss_optimizer_minimize(b.optimizer, objective, b.x), outcome);
        assert_true(outcome > 0 && c.refused > 10);
        assert_same_bits(a.x, b.x, LOSS_FLOAT64, N); /* nothing was disturbed */
        assert_int_equal(alone.calls, c.inner.calls);
        assert_int_equal(loss_optimizer_set_iterate_callback(b.optimizer, NULL, NULL), LOSS_OK);
        assert_int_equal(loss_optimizer_minimize(b.optimizer, b.objective, b.x) > 0,
                         1); /* and afterwards it can */
        loss_objective_free(objective);
        drop(&a);
        drop(&b);
    }
}

static void what_does_not_fit_is_refused(void **unused)
{
    caller c = {.dtype = LOSS_FLOAT64};
    duel f = make("lbfgs", &c);
    loss_optimizer *narrow = NULL, *longer = NULL;
    double *x = f.x;
    (void)unused;
    assert_int_equal(loss_optimizer_create(&narrow, f.context, "lbfgs", LOSS_FLOAT32, N), LOSS_OK);
    assert_int_equal(loss_optimizer_create(&longer, f.context, "lbfgs", LOSS_FLOAT64, N + 1), LOSS_OK);
    assert_int_equal(loss_optimizer_minimize(NULL, f.objective, x), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_optimizer_minimize(f.optimizer, NULL, x), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_optimizer_minimize(f.optimizer, f.objective, NULL), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_optimizer_minimize(narrow, f.objective, x), LOSS_ERROR_TYPE);
    assert_int_equal(loss_optimizer_minimize(longer, f.objective, x), LOSS_ERROR_SHAPE);
    assert_sentence(f.context, "dimension 7");
    x[2] = NAN;
    assert_int_equal(loss_optimizer_minimize(f.optimizer, f.objective, x), LOSS_ERROR_NONFINITE);
    assert_int_equal(c.calls, 0);
    loss_optimizer_free(narrow);
    loss_optimizer_free(longer);
    drop(&f);
}

/* A NaN in the features ends the run at its first evaluation, and the sentence is the one that names the row. */
static void a_nan_in_the_data_names_its_row(void **unused)
{
    static const char *const names[] = {
        "gradient_descent", "lbfgs",        "newton_cg",      "conjugate_gradient", "sgd",
        "newton",           "trust_region", "trust_region_cg"};
    double features[12], target[12], x[2];
    (void)unused;
    for (int i = 0; i < 12; i++) {
        features[i] = i == 7 ? (double)NAN : 0.385 * i;
        target[i] = 2.125 - i;
    }
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        loss_context *context = NULL;
        loss_function *function;
        loss_data *data;
        loss_objective *objective;
        loss_optimizer *optimizer;
        x[0] = x[1] = 0.25;
        assert_int_equal(loss_context_create(&context), LOSS_OK);
        assert_int_equal(loss_function_create(&function, context, "huber"), LOSS_OK);
        assert_int_equal(loss_data_create(&data, context), LOSS_OK);
        assert_int_equal(loss_data_set_input(data, "features", features, LOSS_FLOAT64, 12, 1, 1, 1), LOSS_OK);
        assert_int_equal(loss_data_set_input(data, "target", target, LOSS_FLOAT64, 12, 1, 1, 1), LOSS_OK);
        assert_int_equal(loss_objective_create_linear(&objective, context, function, data), LOSS_OK);
        assert_int_equal(loss_optimizer_create(&optimizer, context, names[k], LOSS_FLOAT64, 2), LOSS_OK);
        assert_int_equal(loss_optimizer_minimize(optimizer, objective, x), LOSS_ERROR_NONFINITE);
        assert_int_equal(loss_context_error_row(context), 7);
        assert_sentence(context, "row 7");
        assert_true(x[0] == 0.25 && x[1] == 0.25);
        loss_optimizer_free(optimizer);
        loss_objective_free(objective);
        loss_data_free(data);
        loss_function_free(function);
        loss_context_free(context);
    }
}

/* Half the direction: some preconditioner. */
static int32_t halve(void *user, int64_t n, const void *x, const void *vector, void *product)
{
    caller *c = user;
    (void)x;
    c->iterates++;
    for (int64_t i = 0; i < n; i++) {
        set_element(product, c->dtype, i, 0.5 * element(vector, c->dtype, i));
    }
    return c->iterates == c->stop_at ? 17 : 0;
}

/* The preconditioner asked for is the objective's; one that has none says so, and one that fails ends the run. */
static void preconditioners_come_from_the_objective(void **unused)
{
    static const char *const names[] = {"newton_cg", "trust_region_cg"};
    (void)unused;
    for (int k = 0; k < 2; k++) {
        caller c = {.dtype = LOSS_FLOAT64};
        duel f = make(names[k], &c);
        double before = logistic.evaluate(N, f.x, (double[N]){0.0});
        assert_int_equal(loss_optimizer_set_string(f.optimizer, "preconditioner", "user"), LOSS_OK);
        assert_int_equal(loss_optimizer_minimize(f.optimizer, f.objective, f.x), LOSS_ERROR_SUPPORT);
        assert_sentence(f.context, "the objective has no preconditioner");
        assert_close(logistic.evaluate(N, f.x, (double[N]){0.0}), before, 0.0, 0.0);
        assert_int_equal(loss_objective_set_precondition_callback(f.objective, halve, &c), LOSS_OK);
        c.stop_at = 3;
        assert_int_equal(loss_optimizer_minimize(f.optimizer, f.objective, f.x), LOSS_ERROR_CALLBACK);
        assert_int_equal(get_int(f.optimizer, "callback_status"), 17);
        c.stop_at = 0;
        assert_int_equal(loss_optimizer_minimize(f.optimizer, f.objective, f.x), LOSS_STOP_GRADIENT);
        assert_int_equal(get_int(f.optimizer, "preconditions"), c.iterates - 3);
        assert_close(logistic.evaluate(N, f.x, (double[N]){0.0}), logistic.minimum, 1e-9, 0.0);
        drop(&f);
    }
}

/* A linear model with features of very different sizes: its own diagonal makes up for them. */
static void linear_models_bring_a_preconditioner(void **unused)
{
    static const char *const names[] = {"newton_cg", "trust_region_cg"};
    static const int64_t most[] = {386, 146}; /* a fifth above what was counted when this was written */
    enum { ROWS = 200, FEATURES = 12 };
    double features[ROWS * FEATURES], target[ROWS], x[FEATURES + 1];
    uint64_t word = 9;
    (void)unused;
    for (int i = 0; i < ROWS * FEATURES; i++) {
        word = word * 6364136223846793005u + 1442695040888963407u;
        features[i] = ((double)(word >> 11) * 0x1p-53 - 0.5) * pow(4.0, i % FEATURES - 6);
        target[i / FEATURES] = (word >> 40) % 3 == 0 ? 1.0 : 0.0;
    }
    for (int k = 0; k < 2; k++) {
        loss_context *context = NULL;
        loss_function *function;
        loss_data *data;
        loss_objective *objective;
        loss_optimizer *optimizer;
        int64_t products[2];
        assert_int_equal(loss_context_create(&context), LOSS_OK);
        assert_int_equal(loss_function_create(&function, context, "logistic"), LOSS_OK);
        assert_int_equal(loss_data_create(&data, context), LOSS_OK);
        assert_int_equal(
            loss_data_set_input(data, "features", features, LOSS_FLOAT64, ROWS, FEATURES, FEATURES, 1),
            LOSS_OK);
        assert_int_equal(loss_data_set_input(data, "target", target, LOSS_FLOAT64, ROWS, 1, 1, 1), LOSS_OK);
        for (int with = 0; with < 2; with++) {
            memset(x, 0, sizeof x);
            assert_int_equal(loss_objective_create_linear(&objective, context, function, data), LOSS_OK);
            assert_int_equal(loss_optimizer_create(&optimizer, context, names[k], LOSS_FLOAT64, FEATURES + 1),
                             LOSS_OK);
            assert_int_equal(loss_optimizer_set_string(optimizer, "preconditioner", with ? "user" : "none"),
                             LOSS_OK);
            assert_status(context, loss_optimizer_minimize(optimizer, objective, x), LOSS_STOP_GRADIENT);
            products[with] = get_int(optimizer, "hessian_products");
            loss_optimizer_free(optimizer);
            loss_objective_free(objective);
        }
        assert_true(2 * products[1] < products[0]);
        assert_in_range(products[1], 1, most[k]);
        loss_data_free(data);
        loss_function_free(function);
        loss_context_free(context);
    }
}

/*
 * Where all scores are equal, so are all rivals, and the gradient is the mean of theirs. One class more than others, a feature that is
 * 1: 0 is the minimum, that gradient is not 0, and along it the loss rises at once.
 */
static void a_kink_that_leaves_no_step_is_named(void **state)
{
    enum { ROWS = 11, CLASSES = 10 };
    static const char *const names[] = {"lbfgs", "bfgs", "newton_cg", "conjugate_gradient"};
    double features[ROWS], x[CLASSES];
    int64_t label[ROWS];
    (void)state;
    for (int i = 0; i < ROWS; i++) {
        features[i] = 1;
        label[i] = i % CLASSES;
    }
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        loss_context *context;
        loss_function *function;
        loss_data *data;
        loss_objective *objective;
        loss_optimizer *optimizer;
        memset(x, 0, sizeof x);
        assert_int_equal(loss_context_create(&context), LOSS_OK);
        assert_int_equal(loss_function_create(&function, context, "crammer_singer"), LOSS_OK);
        assert_int_equal(loss_data_create(&data, context), LOSS_OK);
        assert_int_equal(loss_data_set_input(data, "features", features, LOSS_FLOAT64, ROWS, 1, 1, 1),
                         LOSS_OK);
        assert_int_equal(loss_data_set_input(data, "target", label, LOSS_INT64, ROWS, 1, 1, 1), LOSS_OK);
        assert_int_equal(loss_objective_create_linear(&objective, context, function, data), LOSS_OK);
        assert_int_equal(loss_objective_set_int(objective, "intercept", 0), LOSS_OK);
        assert_int_equal(loss_optimizer_create(&optimizer, context, names[k], LOSS_FLOAT64, CLASSES),
                         LOSS_OK);
        assert_int_equal(loss_optimizer_minimize(optimizer, objective, x), LOSS_ERROR_LINE_SEARCH);
        assert_sentence(context, names[k]);
        assert_sentence(context, "the loss 'crammer_singer' has kinks");
        assert_sentence(context, "such as 'sgd'");
        for (int c = 0; c < CLASSES; c++) {
            assert_true(x[c] == 0);
        }
        loss_optimizer_free(optimizer);
        loss_objective_free(objective);
        loss_data_free(data);
        loss_function_free(function);
        loss_context_free(context);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_ask_and_tell_to_the_bit),
        cmocka_unit_test(sgd_learns_the_samples_from_the_objective),
        cmocka_unit_test(a_failing_callback_ends_it_with_the_best_point),
        cmocka_unit_test(a_nan_from_the_callback_is_an_answer),
        cmocka_unit_test(the_iterate_callback_sees_everything_and_can_stop),
        cmocka_unit_test(a_run_cannot_be_begun_within_itself),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(a_nan_in_the_data_names_its_row),
        cmocka_unit_test(preconditioners_come_from_the_objective),
        cmocka_unit_test(linear_models_bring_a_preconditioner),
        cmocka_unit_test(a_kink_that_leaves_no_step_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
