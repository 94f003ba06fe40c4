/*
 * Losses of the caller's: a Huber loss from a callback gives the bits of the catalogue's wherever that one can be used, and
 * everything that can go wrong with a callback has its status.
 */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "support/batch.h"
#include "support/check.h"
#include "support/known.h"

enum { ROWS = 301, COLUMNS = 3, MANY = 150000, ALIGNMENT = 64 };

/* ---- Huber's loss with delta 1, in the arithmetic of src/loss/huber.c ---- */

typedef struct watched {
    atomic_int calls, elsewhere, badly_placed, released;
    int32_t fail_with; /* 0: never */
    int32_t fail_at;   /* which call */
    pthread_t thread;
} watched;

static int32_t overlap(const void *a, const void *b, int64_t bytes)
{
    const uintptr_t x = (uintptr_t)a, y = (uintptr_t)b;
    return a != NULL && b != NULL && x < y + (uintptr_t)bytes && y < x + (uintptr_t)bytes;
}

/* Arrays are aligned and apart from each other. */
static void watch(watched *w, int64_t bytes, const void *const arrays[5])
{
    w->calls++;
    w->elsewhere += !pthread_equal(w->thread, pthread_self());
    for (int i = 0; i < 5; i++) {
        w->badly_placed += (uintptr_t)arrays[i] % ALIGNMENT != 0;
        for (int k = 0; k < i; k++) {
            w->badly_placed += overlap(arrays[i], arrays[k], bytes);
        }
    }
    w->badly_placed += arrays[4] != NULL && arrays[3] == NULL;
}

static void huber32(int64_t n, const float *p, const float *t, float *value, float *gradient,
                    float *curvature)
{
    for (int64_t i = 0; i < n; i++) {
        const float r = p[i] - t[i], a = fabsf(r);
        value[i] = a > 1 ? 1.0f * (a - 0.5f * 1.0f) : 0.5f * r * r;
        if (gradient != NULL) {
            gradient[i] = a > 1 ? copysignf(1, r) : r;
        }
        if (curvature != NULL) {
            curvature[i] = isnan(r) ? r : a > 1 ? 0 : 1;
        }
    }
}

static void huber64(int64_t n, const double *p, const double *t, double *value, double *gradient,
                    double *curvature)
{
    for (int64_t i = 0; i < n; i++) {
        const double r = p[i] - t[i], a = fabs(r);
        value[i] = a > 1 ? 1.0 * (a - 0.5 * 1.0) : 0.5 * r * r;
        if (gradient != NULL) {
            gradient[i] = a > 1 ? copysign(1, r) : r;
        }
        if (curvature != NULL) {
            curvature[i] = isnan(r) ? r : a > 1 ? 0 : 1;
        }
    }
}

static int32_t huber(void *user, loss_dtype dtype, int64_t n, const void *prediction, const void *target,
                     void *value, void *gradient, void *curvature)
{
    const void *const arrays[5] = {prediction, target, value, gradient, curvature};
    watched *w = user;
    watch(w, n * loss_dtype_size(dtype), arrays);
    if (w->fail_with != 0 && w->calls >= w->fail_at) {
        return w->fail_with;
    }
    if (dtype == LOSS_FLOAT32) {
        huber32(n, prediction, target, value, gradient, curvature);
    } else {
        huber64(n, prediction, target, value, gradient, curvature);
    }
    return 0;
}

static int32_t release(void *user)
{
    ((watched *)user)->released++;
    return 77; /* ignored */
}

static loss_function *make(watched *w)
{
    loss_function *function;
    memset(w, 0, sizeof *w);
    w->thread = pthread_self();
    assert_status(context, loss_function_create_user(&function, context, "my_huber", huber, w, release),
                  LOSS_OK);
    assert_status(context, loss_function_set_property(function, "convex", 1), LOSS_OK);
    assert_status(context, loss_function_set_number(function, "lipschitz", 1), LOSS_OK);
    assert_status(context, loss_function_set_number(function, "curvature_bound", 1), LOSS_OK);
    assert_status(context, loss_function_set_number(function, "minimum", 0), LOSS_OK);
    assert_status(context, loss_function_set_number(function, "continuous_derivatives", 1), LOSS_OK);
    return function;
}

static loss_function *catalogue(const char *name)
{
    loss_function *function;
    assert_status(context, loss_function_create(&function, context, name), LOSS_OK);
    return function;
}

static batch filled(loss_dtype dtype, int64_t rows, int64_t columns)
{
    batch made = batch_create(dtype, rows, columns, columns, 0);
    for (int64_t i = 0; i < rows * columns; i++) {
        set_element(made.prediction, dtype, i, 6 * scatter(i) - 3);
        set_element(made.target, dtype, i, 4 * scatter(3 * i + 1) - 2);
        set_element(made.direction, dtype, i, 2 * scatter(5 * i) - 1);
    }
    for (int64_t i = 0; i < rows; i++) {
        set_element(made.weight, dtype, i, 0.25 + scatter(7 * i));
        made.mask[i] = scatter(11 * i) > 0.3;
    }
    set_element(made.prediction, dtype, 5, (double)NAN);
    set_element(made.target, dtype, 17, (double)INFINITY);
    return made;
}

/* ---- the same bits ---- */

/* All outputs, weights, masks, scale, in both types. */
static void test_evaluate(void **state)
{
    static const char *const kinds[] = {"exact", "gauss_newton"};
    (void)state;
    for (int d = 0; d < 2; d++) {
        for (int k = 0; k < 2; k++) {
            const loss_dtype dtype = d == 0 ? LOSS_FLOAT32 : LOSS_FLOAT64;
            batch ours = filled(dtype, ROWS, COLUMNS), theirs = filled(dtype, ROWS, COLUMNS);
            loss_function *known = catalogue("huber");
            watched w;
            loss_function *mine = make(&w);
            assert_status(context, loss_function_set_string(mine, "curvature", kinds[k]), LOSS_OK);
            assert_status(context, loss_function_set_string(known, "curvature", kinds[k]), LOSS_OK);
            ours.give |= GIVE_WEIGHT | GIVE_MASK | GIVE_SCALE;
            theirs.give = ours.give;
            ours.scale = theirs.scale = 0.375;
            assert_status(context, batch_evaluate(context, mine, &ours), LOSS_OK);
            assert_status(context, batch_evaluate(context, known, &theirs), LOSS_OK);
            assert_same_batch(&ours, &theirs);
            for (int want = 1; want < WANT_ALL; want++) {
                batch_forget(&ours);
                batch_forget(&theirs);
                ours.want = theirs.want = want;
                assert_status(context, batch_evaluate(context, mine, &ours), LOSS_OK);
                assert_status(context, batch_evaluate(context, known, &theirs), LOSS_OK);
                assert_same_batch(&ours, &theirs);
            }
            assert_true(w.calls > 0);
            assert_int_equal(w.badly_placed, 0);
            batch_free(&ours);
            batch_free(&theirs);
            loss_function_free(mine);
            loss_function_free(known);
        }
    }
}

/* Arrays with strides, misaligned, the gradient in the place of the prediction. */
static void test_layout(void **state)
{
    enum { N = 1500 };
    static char room[2][(2 * N + 1) * sizeof(double)];
    double target[N], sums[2];
    watched w;
    loss_function *functions[] = {make(&w), catalogue("huber")};
    (void)state;
    for (int f = 0; f < 2; f++) {
        char *const misaligned = room[f] + 3;
        loss_data *inputs, *outputs;
        for (int i = 0; i < N; i++) {
            const double x = 6 * scatter(i) - 3;
            target[i] = scatter(9 * i);
            memcpy(misaligned + 16 * i, &x, sizeof x);
        }
        loss_data_create(&inputs, context);
        loss_data_create(&outputs, context);
        /* backwards, every other element */
        loss_data_set_input(inputs, "prediction", misaligned + 16 * (N - 1), LOSS_FLOAT64, N, 1, -2, 1);
        loss_data_set_input(inputs, "target", target, LOSS_FLOAT64, N, 1, 1, 1);
        loss_data_set_output(outputs, "gradient", misaligned + 16 * (N - 1), LOSS_FLOAT64, N, 1, -2, 1);
        assert_status(context, loss_function_evaluate(context, functions[f], inputs, outputs, &sums[f], NULL),
                      LOSS_OK);
        loss_data_free(inputs);
        loss_data_free(outputs);
    }
    assert_memory_equal(room[0], room[1], sizeof room[0]);
    assert_true(same_bits(sums[0], sums[1]));
    assert_int_equal(w.badly_placed, 0);
    loss_function_free(functions[0]);
    loss_function_free(functions[1]);
}

static void test_short_calls(void **state)
{
    batch made = filled(LOSS_FLOAT32, 20000, 1);
    watched w;
    loss_function *functions[] = {make(&w), catalogue("huber")};
    double costs[2];
    (void)state;
    made.rows = 20000;
    set_element(made.prediction, made.dtype, 5, 1.5);
    set_element(made.target, made.dtype, 17, 0.5);
    for (int f = 0; f < 2; f++) {
        assert_status(context,
                      loss_function_cost_float32(context, functions[f], made.rows, made.prediction,
                                                 made.target, &costs[f], made.output[f]),
                      LOSS_OK);
        loss_function_free(functions[f]);
    }
    assert_true(same_bits(costs[0], costs[1]));
    assert_true(costs[0] > 0.1);
    assert_same_bits(made.output[0], made.output[1], made.dtype, made.rows);
    batch_free(&made);
}

/* ---- threads ---- */

static void test_threads(void **state)
{
    batch alone = filled(LOSS_FLOAT64, MANY, 1), together = filled(LOSS_FLOAT64, MANY, 1);
    (void)state;
    for (int32_t safe = 0; safe < 2; safe++) {
        watched w;
        loss_function *function = make(&w);
        assert_status(context, loss_function_set_property(function, "thread_safe", safe), LOSS_OK);
        assert_status(context, loss_context_set_int(context, "threads", 1), LOSS_OK);
        assert_status(context, batch_evaluate(context, function, &alone), LOSS_OK);
        assert_status(context, loss_context_set_int(context, "threads", 4), LOSS_OK);
        for (int i = 0; i < 3; i++) {
            assert_status(context, batch_evaluate(context, function, &together), LOSS_OK);
            assert_same_batch(&together, &alone);
        }
        assert_true(safe || w.elsewhere == 0);
        assert_int_equal(w.badly_placed, 0);
        loss_function_free(function);
    }
    assert_status(context, loss_context_set_int(context, "threads", 1), LOSS_OK);
    batch_free(&alone);
    batch_free(&together);
}

/* ---- objectives ---- */

enum { FEATURES = 4 };

static loss_objective *linear(const loss_function *function, const batch *rows, const double *features)
{
    loss_objective *objective;
    loss_data *data;
    assert_status(context, loss_data_create(&data, context), LOSS_OK);
    loss_data_set_input(data, "features", features, LOSS_FLOAT64, rows->rows, FEATURES, FEATURES, 1);
    loss_data_set_input(data, "target", rows->target, LOSS_FLOAT64, rows->rows, 1, 1, 1);
    loss_data_set_input(data, "weight", rows->weight, LOSS_FLOAT64, rows->rows, 1, 1, 1);
    loss_data_set_input(data, "mask", rows->mask, LOSS_UINT8, rows->rows, 1, 1, 1);
    assert_status(context, loss_objective_create_linear(&objective, context, function, data), LOSS_OK);
    loss_data_free(data);
    return objective;
}

static void test_linear_model(void **state)
{
    static double features[ROWS * FEATURES];
    const double x[FEATURES + 1] = {0.5, -0.25, 1.5, 2, 0.125}, v[FEATURES + 1] = {1, 0.5, -2, 0.25, 3};
    double values[2], gradients[2][FEATURES + 1], products[2][FEATURES + 1];
    batch rows = filled(LOSS_FLOAT64, ROWS, 1);
    watched w;
    loss_function *functions[] = {make(&w), catalogue("huber")};
    int64_t returned = 777;
    (void)state;
    set_element(rows.target, rows.dtype, 17, 0.5);
    for (int i = 0; i < ROWS * FEATURES; i++) {
        features[i] = 2 * scatter(13 * i) - 1;
    }
    for (int f = 0; f < 2; f++) {
        loss_objective *objective = linear(functions[f], &rows, features);
        assert_status(context, loss_objective_evaluate(objective, x, &values[f], gradients[f]), LOSS_OK);
        assert_status(context, loss_objective_hessian_product(objective, x, v, products[f]), LOSS_OK);
        if (f == 0) {
            w.fail_with = 42;
            assert_status(context, loss_objective_evaluate(objective, x, NULL, NULL), LOSS_ERROR_CALLBACK);
            assert_status(context, loss_objective_get_int(objective, "callback_status", &returned), LOSS_OK);
            assert_int_equal(returned, 42);
            w.fail_with = 0;
            assert_status(context, loss_objective_evaluate(objective, x, NULL, NULL), LOSS_OK);
            assert_status(context, loss_objective_get_int(objective, "callback_status", &returned), LOSS_OK);
            assert_int_equal(returned, 0);
        }
        loss_objective_free(objective);
        loss_function_free(functions[f]);
    }
    assert_true(same_bits(values[0], values[1]));
    assert_same_bits(gradients[0], gradients[1], LOSS_FLOAT64, FEATURES + 1);
    assert_same_bits(products[0], products[1], LOSS_FLOAT64, FEATURES + 1);
    assert_int_equal(w.badly_placed, 0);
    batch_free(&rows);
}

/* ---- what was said about it ---- */

static void test_majorizer(void **state)
{
    batch made = filled(LOSS_FLOAT64, 7, 1);
    watched w;
    loss_function *function = make(&w);
    (void)state;
    assert_status(context, loss_function_set_number(function, "curvature_bound", 2.5), LOSS_OK);
    assert_status(context, loss_function_set_string(function, "curvature", "majorizer"), LOSS_OK);
    made.give |= GIVE_SCALE;
    made.scale = 3;
    assert_status(context, batch_evaluate(context, function, &made), LOSS_OK);
    assert_close(batch_at(&made, 2, 0, 0), 7.5, 0, 0);
    assert_close(batch_at(&made, 2, 5, 0), (double)NAN, 0, 0);
    assert_close(batch_at(&made, 3, 1, 0), 7.5 * element(made.direction, made.dtype, 1), 0, 0);
    loss_function_free(function);
    batch_free(&made);

    assert_status(context, loss_function_create_user(&function, context, "bare", huber, &w, NULL), LOSS_OK);
    assert_status(context, loss_function_set_string(function, "curvature", "majorizer"), LOSS_ERROR_SUPPORT);
    assert_sentence(context, "bare");
    loss_function_free(function);
}

/* A domain is checked before the callback sees a number. */
static void test_domain(void **state)
{
    batch made = filled(LOSS_FLOAT64, 40, 1);
    watched w;
    loss_function *function = make(&w);
    (void)state;
    for (int i = 0; i < 40; i++) {
        set_element(made.target, made.dtype, i, scatter(i));
    }
    assert_status(context, loss_function_set_number(function, "target_minimum", 0), LOSS_OK);
    assert_status(context, loss_function_set_number(function, "target_maximum", 1), LOSS_OK);
    set_element(made.target, made.dtype, 23, 1.5);
    assert_status(context, batch_evaluate(context, function, &made), LOSS_ERROR_DOMAIN);
    assert_int_equal(loss_context_error_row(context), 23);
    assert_sentence(context, "my_huber");
    assert_int_equal(loss_context_error_callback(context), 0);
    assert_int_equal(w.calls, 0);
    set_element(made.target, made.dtype, 23, 0.5);
    assert_status(context, batch_evaluate(context, function, &made), LOSS_OK);
    loss_function_free(function);
    batch_free(&made);
}

static void test_properties(void **state)
{
    static const char *const settable[] = {"convex", "classification", "margin", "probabilistic",
                                           "thread_safe"};
    static const char *const links[] = {"identity", "logit", "log", "softmax"};
    loss_function *function, *known = catalogue("huber");
    int32_t value = 777;
    double number = 777;
    (void)state;
    assert_status(context, loss_function_create_user(&function, context, "bare", huber, NULL, NULL), LOSS_OK);
    assert_string_equal(loss_function_name(function), "bare");
    assert_string_equal(loss_function_aliases(function), "");
    assert_string_equal(loss_function_elsewhere(function), "");
    assert_string_equal(loss_function_link(function), "identity");
    assert_string_equal(loss_function_role(function, 1), "target");
    assert_int_equal(loss_function_option_count(function), 1);
    for (size_t i = 0; i < sizeof settable / sizeof *settable; i++) {
        for (int32_t wanted = 1; wanted >= 0; wanted--) {
            assert_status(context, loss_function_set_property(function, settable[i], wanted), LOSS_OK);
            assert_status(context, loss_function_property(function, settable[i], &value), LOSS_OK);
            assert_int_equal(value, wanted);
        }
        assert_status(context, loss_function_set_property(function, settable[i], 2), LOSS_ERROR_RANGE);
    }
    for (int32_t i = 0; i < loss_function_number_count(); i++) {
        const char *name = loss_function_number_name(i);
        assert_status(context, loss_function_set_number(function, name, 2.385), LOSS_OK);
        assert_status(context, loss_function_number(function, name, &number), LOSS_OK);
        assert_close(number, 2.385, 0, 0);
        assert_status(context, loss_function_set_number(function, name, (double)NAN), LOSS_ERROR_RANGE);
    }
    assert_status(context, loss_function_set_number(function, "lipschitz", -1), LOSS_ERROR_RANGE);
    assert_sentence(context, "lipschitz");
    assert_status(context, loss_function_property(function, "smooth", &value), LOSS_OK);
    assert_int_equal(value, 1);
    assert_status(context, loss_function_property(function, "majorizer", &value), LOSS_OK);
    assert_int_equal(value, 1);
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        assert_status(context, loss_function_set_link(function, links[i]), LOSS_OK);
        assert_string_equal(loss_function_link(function), links[i]);
    }
    assert_status(context, loss_function_set_link(function, "logti"), LOSS_ERROR_NAME);
    assert_sentence(context, "logit");
    assert_status(context, loss_function_set_property(function, "smooth", 1), LOSS_ERROR_SUPPORT);
    assert_status(context, loss_function_set_property(function, "covnex", 1), LOSS_ERROR_NAME);
    assert_sentence(context, "convex");
    assert_status(context, loss_function_set_number(function, "lipshitz", 1), LOSS_ERROR_NAME);
    assert_sentence(context, "lipschitz");
    assert_status(context, loss_function_set_property(known, "convex", 0), LOSS_ERROR_SUPPORT);
    assert_status(context, loss_function_set_number(known, "lipschitz", 0), LOSS_ERROR_SUPPORT);
    assert_status(context, loss_function_set_link(known, "log"), LOSS_ERROR_SUPPORT);
    loss_function_free(function);
    loss_function_free(known);
}

/* ---- life ---- */

static void test_clone(void **state)
{
    batch first = filled(LOSS_FLOAT64, 50, 1), second = filled(LOSS_FLOAT64, 50, 1);
    loss_context *other;
    watched w;
    loss_function *function = make(&w), *copy;
    int32_t convex = 777;
    (void)state;
    assert_int_equal(loss_context_create(&other), LOSS_OK);
    assert_status(context, batch_evaluate(context, function, &first), LOSS_OK);
    assert_status(context, loss_function_set_property(function, "convex", 0), LOSS_ERROR_STATE);
    assert_status(context, loss_function_set_number(function, "lipschitz", 2), LOSS_ERROR_STATE);
    assert_status(context, loss_function_set_link(function, "log"), LOSS_ERROR_STATE);
    assert_status(other, loss_function_clone(&copy, other, function), LOSS_OK);
    loss_function_free(function);
    assert_int_equal(w.released, 0);
    assert_string_equal(loss_function_name(copy), "my_huber");
    assert_status(other, loss_function_property(copy, "convex", &convex), LOSS_OK);
    assert_int_equal(convex, 1);
    assert_status(other, loss_function_set_link(copy, "log"), LOSS_OK);
    assert_status(other, batch_evaluate(other, copy, &second), LOSS_OK);
    assert_same_batch(&second, &first);
    loss_function_free(copy);
    assert_int_equal(w.released, 1);
    loss_context_free(other);
    batch_free(&first);
    batch_free(&second);
}

static void test_wrong(void **state)
{
    watched w = {.fail_with = 0};
    loss_function *function = (loss_function *)&function;
    char name[64];
    (void)state;
    memset(name, 'n', sizeof name);
    name[48] = '\0';
    assert_int_equal(loss_function_create_user(NULL, context, "x", huber, &w, release), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_function_create_user(&function, NULL, "x", huber, &w, release),
                     LOSS_ERROR_ARGUMENT);
    assert_null(function);
    assert_status(context, loss_function_create_user(&function, context, NULL, huber, &w, release),
                  LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_function_create_user(&function, context, "x", NULL, &w, release),
                  LOSS_ERROR_ARGUMENT);
    assert_sentence(context, "evaluate");
    assert_status(context, loss_function_create_user(&function, context, "", huber, &w, release),
                  LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_function_create_user(&function, context, name, huber, &w, release),
                  LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_function_create_user(&function, context, "mse", huber, &w, release),
                  LOSS_ERROR_ARGUMENT);
    assert_sentence(context, "mse");
    assert_null(function);
    assert_int_equal(w.released, 0);
    name[47] = '\0';
    assert_status(context, loss_function_create_user(&function, context, name, huber, &w, release), LOSS_OK);
    assert_string_equal(loss_function_name(function), name);
    assert_int_equal(loss_function_set_property(NULL, "convex", 1), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_function_set_number(NULL, "lipschitz", 1), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_function_set_link(NULL, "log"), LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_function_set_property(function, NULL, 1), LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_function_set_number(function, NULL, 1), LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_function_set_link(function, NULL), LOSS_ERROR_ARGUMENT);
    loss_function_free(function);
    assert_int_equal(w.released, 1);
}

/* The callback says no in its third block: the number is there, sum and denominator are not touched. */
static void test_failure(void **state)
{
    batch made = filled(LOSS_FLOAT32, 5000, 1);
    (void)state;
    for (int32_t threads = 1; threads <= 4; threads += 3) {
        watched w;
        loss_function *function = make(&w);
        double cost = 777;
        assert_status(context, loss_function_set_property(function, "thread_safe", 1), LOSS_OK);
        assert_status(context, loss_context_set_int(context, "threads", threads), LOSS_OK);
        w.fail_with = -12345;
        w.fail_at = 3;
        assert_status(context, batch_evaluate(context, function, &made), LOSS_ERROR_CALLBACK);
        assert_close(made.sum, 777, 0, 0);
        assert_close(made.denominator, 777, 0, 0);
        assert_int_equal(loss_context_error_callback(context), -12345);
        assert_int_equal(loss_context_error_row(context), -1);
        assert_sentence(context, "my_huber");
        assert_sentence(context, "-12345");
        assert_status(
            context,
            loss_function_cost_float32(context, function, 5000, made.prediction, made.target, &cost, NULL),
            LOSS_ERROR_CALLBACK);
        assert_close(cost, 777, 0, 0);
        assert_status(context, loss_function_property(function, NULL, NULL), LOSS_ERROR_ARGUMENT);
        assert_int_equal(loss_context_error_callback(context), 0);
        loss_function_free(function);
    }
    assert_status(context, loss_context_set_int(context, "threads", 1), LOSS_OK);
    assert_int_equal(loss_context_error_callback(NULL), 0);
    batch_free(&made);
}

/* Nothing that counts is nothing to call for. */
static void test_nothing(void **state)
{
    batch made = filled(LOSS_FLOAT64, 30, 2);
    watched w;
    loss_function *function = make(&w);
    (void)state;
    memset(made.mask, 0, 30);
    made.give |= GIVE_MASK;
    assert_status(context, batch_evaluate(context, function, &made), LOSS_OK);
    assert_close(made.sum, 0, 0, 0);
    assert_close(made.denominator, 0, 0, 0);
    assert_int_equal(w.calls, 0);
    loss_function_free(function);
    batch_free(&made);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_evaluate),     cmocka_unit_test(test_layout),
        cmocka_unit_test(test_short_calls),  cmocka_unit_test(test_threads),
        cmocka_unit_test(test_linear_model), cmocka_unit_test(test_majorizer),
        cmocka_unit_test(test_domain),       cmocka_unit_test(test_properties),
        cmocka_unit_test(test_clone),        cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_failure),      cmocka_unit_test(test_nothing),
    };
    return cmocka_run_group_tests_name("loss_user", tests, known_setup, known_teardown);
}
