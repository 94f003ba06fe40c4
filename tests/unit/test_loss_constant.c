/*
 * The best constant prediction where it is known: closed forms, ties, weights, masks, infinities; a loss with several minima;
 * and what is wrong. That nothing is better, for every loss, is in losses_constant.c.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/batch.h"
#include "support/check.h"
#include "support/known.h"

static loss_data *targets(int64_t rows, const double *target, const double *weight)
{
    loss_data *made;
    assert_status(context, loss_data_create(&made, context), LOSS_OK);
    loss_data_set_input(made, "target", target, LOSS_FLOAT64, rows, 1, 1, 1);
    if (weight != NULL) {
        loss_data_set_input(made, "weight", weight, LOSS_FLOAT64, rows, 1, 1, 1);
    }
    return made;
}

/* The best constant of one column; weight may be NULL. */
static double best_of(const loss_function *function, int64_t rows, const double *target, const double *weight)
{
    double constant = 777;
    loss_data *inputs = targets(rows, target, weight);
    assert_status(context, loss_function_best_constant(context, function, inputs, 1, &constant), LOSS_OK);
    loss_data_free(inputs);
    return constant;
}

static double best(const char *name, int64_t rows, const double *target, const double *weight)
{
    loss_function *function = make_function(name, "");
    const double constant = best_of(function, rows, target, weight);
    loss_function_free(function);
    return constant;
}

/* ---- known ones ---- */

static void test_regression(void **state)
{
    const double odd[] = {5, -1, 2.5, 100, 3}, even[] = {7, 1, 2, 4}, weight[] = {1, 1, 1, 4};
    const double same[] = {2.385, 2.385, 2.385};
    (void)state;
    assert_close(best("squared_error", 5, odd, NULL), 109.5 / 5, 1e-15, 0);
    assert_close(best("squared_error", 4, even, weight), 26.0 / 7, 1e-15, 0);
    assert_close(best("absolute_error", 5, odd, NULL), 3, 0, 0);
    assert_close(best("absolute_error", 4, even, NULL), 3, 1e-15, 0); /* every number from 2 to 4 */
    assert_close(best("absolute_error", 4, even, weight), 4, 0, 0);
    assert_close(best("huber", 4, even, NULL), 3, 1e-15, 0); /* gradients −1, −½ − …: 1, 2 | 4, 7 */
    assert_close(best("huber", 3, same, NULL), 2.385, 0, 0);
    assert_close(best("absolute_error", 3, same, NULL), 2.385, 0, 0);
    assert_close(best("squared_error", 3, same, NULL), 2.385, 1e-15, 0);
}

static void test_classification(void **state)
{
    const double probability[] = {1, 0, 1, 1, 0.25}, ones[] = {1, 1, 1}, zeros[] = {0, 0};
    const double weight[] = {2, 0.5, 1, 0, 4}, signs[] = {1, 1, -1, 1}, plus[] = {1, 1};
    const double positive = 2 + 1 + 0.25 * 4, negative = 0.5 + 0.75 * 4;
    (void)state;
    assert_close(best("logistic", 5, probability, weight), log(positive / negative), 1e-14, 0);
    assert_close(best("logistic", 3, ones, NULL), (double)INFINITY, 0, 0);
    assert_close(best("logistic", 2, zeros, NULL), -(double)INFINITY, 0, 0);
    assert_close(best("binary_cross_entropy", 5, probability, weight), positive / (positive + negative),
                 1e-14, 0);
    assert_close(best("binary_cross_entropy", 3, ones, NULL), 1, 0, 0);
    assert_close(best("binary_cross_entropy", 2, zeros, NULL), 0, 0, 0);
    assert_close(best("hinge", 4, signs, NULL), 1, 0, 0);
    assert_close(best("hinge", 2, plus, NULL), 1, 0, 0); /* everything from 1 on: its end */
}

/* Log-odds near 0 keep their digits. */
static void test_log_odds(void **state)
{
    const double target[] = {0.5, 0.5 + 0x1p-40};
    loss_function *function = make_function("logistic", "");
    (void)state;
    assert_close(best_of(function, 2, target, NULL), 0x1p-39, 1e-12, 0);
    loss_function_free(function);
}

static void test_positive_weight(void **state)
{
    const double target[] = {1, 0, 0, 0, 1};
    loss_function *function = make_function("logistic", "");
    (void)state;
    assert_status(context, loss_function_set_double(function, "positive_weight", 2.5), LOSS_OK);
    assert_close(best_of(function, 5, target, NULL), log(2.5 * 2 / 3), 1e-14, 0);
    loss_function_free(function);
}

/* Classes that are questions of their own: each column as `logistic` has it, whatever the class weights are. */
static void test_multilabel(void **state)
{
    static const double target[] = {1, 0, 0.5, 1, 1, 0.25, 0, 1, 0.75, 1, 1, 0.5}, weight[] = {1, 2, 0.5, 1};
    static const double class_weight[] = {0.5, 3, 0}, positive[] = {2.5, 1, 17};
    double constant[3];
    loss_function *function = make_function("multilabel_soft_margin", "");
    loss_data *inputs;
    (void)state;
    loss_function_set_array(function, "class_weight", class_weight, LOSS_FLOAT64, 3);
    loss_function_set_array(function, "pos_weight", positive, LOSS_FLOAT64, 3);
    loss_data_create(&inputs, context);
    loss_data_set_input(inputs, "target", target, LOSS_FLOAT64, 4, 3, 3, 1);
    loss_data_set_input(inputs, "weight", weight, LOSS_FLOAT64, 4, 1, 1, 1);
    assert_status(context, loss_function_best_constant(context, function, inputs, 3, constant), LOSS_OK);
    assert_close(constant[0], log(2.5 * 4 / 0.5), 1e-14, 0);
    assert_close(constant[1], log(3.5 / 1), 1e-14, 0);
    assert_close(constant[2], 0, 0, 0); /* counts for nothing */
    loss_data_free(inputs);
    loss_function_free(function);
}

/* A margin for a class that has more than half the weight, and nothing for anybody where none has. */
static void test_majority(void **state)
{
    static const int32_t label[] = {2, 0, 2, 1, 2};
    static const struct {
        double weight[5], class_weight[3], expected[3];
    } cases[] = {
        {{1, 1, 1, 1, 1}, {1, 1, 1}, {0, 0, 1.5}},    {{1, 2, 1, 1, 1}, {1, 1, 1}, {0, 0, 0}},
        {{1, 1, 1, 1, 1}, {1, 1, 0.5}, {0, 0, 0}},    {{1, 1, 1, 1, 1}, {9, 1, 1}, {1.5, 0, 0}},
        {{0.25, 1, 0, 4, 1}, {1, 1, 1}, {0, 1.5, 0}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double constant[3];
        loss_function *function = make_function("crammer_singer", "");
        loss_data *inputs;
        loss_function_set_double(function, "margin", 1.5);
        loss_function_set_array(function, "class_weight", cases[i].class_weight, LOSS_FLOAT64, 3);
        loss_data_create(&inputs, context);
        loss_data_set_input(inputs, "target", label, LOSS_INT32, 5, 1, 1, 1);
        loss_data_set_input(inputs, "weight", cases[i].weight, LOSS_FLOAT64, 5, 1, 1, 1);
        assert_status(context, loss_function_best_constant(context, function, inputs, 3, constant), LOSS_OK);
        for (int j = 0; j < 3; j++) {
            assert_close(constant[j], cases[i].expected[j], 0, 0);
        }
        loss_data_free(inputs);
        loss_function_free(function);
    }
}

/* ---- rows that do not count ---- */

static void test_rows(void **state)
{
    const float target[] = {1, 2, 1e30f, 4, (float)NAN, 100};
    const double weight[] = {1, 2, (double)NAN, 1, -5, 0}, nan_target[] = {1, (double)NAN};
    const int32_t mask[] = {1, -1, 0, 7, 0, 1};
    double constant = 777;
    loss_function *function = make_function("squared_error", "");
    loss_data *inputs;
    (void)state;
    loss_data_create(&inputs, context);
    loss_data_set_input(inputs, "target", target, LOSS_FLOAT32, 6, 1, 1, 1);
    loss_data_set_input(inputs, "weight", weight, LOSS_FLOAT64, 6, 1, 1, 1);
    loss_data_set_input(inputs, "mask", mask, LOSS_INT32, 6, 1, 1, 1);
    assert_status(context, loss_function_best_constant(context, function, inputs, 1, &constant), LOSS_OK);
    assert_close(constant, 9.0 / 4, 1e-15, 0);
    loss_data_free(inputs);
    assert_close(best_of(function, 2, nan_target, NULL), (double)NAN, 0, 0);
    assert_close(best_of(function, 0, NULL, NULL), (double)NAN, 0, 0);
    assert_close(best_of(function, 1, nan_target, (const double[]){0}), (double)NAN, 0, 0);
    loss_function_free(function);
}

/* Several columns, integers, strides. */
static void test_columns(void **state)
{
    const int32_t target[] = {1, 10, -4, 2, 20, -5, 9, 90, -6};
    const double columns[] = {2, 20, -5};
    double constant[3];
    loss_function *function = make_function("absolute_error", "");
    loss_data *inputs;
    (void)state;
    loss_data_create(&inputs, context);
    loss_data_set_input(inputs, "target", target + 6, LOSS_INT32, 3, 3, -3, 1);
    assert_status(context, loss_function_best_constant(context, function, inputs, 3, constant), LOSS_OK);
    assert_same_bits(constant, columns, LOSS_FLOAT64, 3);
    assert_status(context, loss_function_best_constant(context, function, inputs, 2, constant),
                  LOSS_ERROR_SHAPE);
    loss_data_free(inputs);
    loss_function_free(function);
}

/* Enormous and tiny weights and targets: the scale does not matter. */
static void test_scale(void **state)
{
    const double target[] = {1.5e308, 1.5e308, 1.2e308}, weight[] = {1e300, 2e300, 3e300},
                 small[] = {1e-300, 2e-300, 3e-300}, plain[] = {1, 2, 3}, labels[] = {1, -1, 1};
    (void)state;
    assert_close(best("squared_error", 3, target, NULL) / 1e308, 1.4, 1e-15, 0);
    assert_close(best("squared_error", 3, plain, weight), 14.0 / 6, 1e-15, 0);
    assert_close(best("squared_error", 3, plain, small), 14.0 / 6, 1e-15, 0);
    assert_close(best("absolute_error", 3, plain, weight), 2.5, 1e-15, 0); /* 1 + 2 = 3: a tie */
    assert_close(best("hinge", 3, labels, small), 1, 0, 0);
    assert_close(best("logistic", 3, (const double[]){1, 1, 1}, small), (double)INFINITY, 0, 0);
}

/* ---- over classes ---- */

static void test_classes(void **state)
{
    const int64_t labels[] = {0, 2, 2, -100, 0, 2, 3}, bad[] = {0, 2, 9};
    const double weight[] = {1, 0.5, 2, 9, 1, 0.25, 0}, class_weight[] = {1, 7, 2, 3};
    double constant[4];
    loss_function *function = make_function("cross_entropy", "");
    loss_data *inputs;
    (void)state;
    loss_data_create(&inputs, context);
    loss_data_set_input(inputs, "target", labels, LOSS_INT64, 7, 1, 1, 1);
    loss_data_set_input(inputs, "weight", weight, LOSS_FLOAT64, 7, 1, 1, 1);
    assert_status(context, loss_function_best_constant(context, function, inputs, 4, constant), LOSS_OK);
    assert_close(constant[0], log(2 / 4.75), 1e-15, 0);
    assert_close(constant[2], log(2.75 / 4.75), 1e-15, 0);
    assert_close(constant[1], -(double)INFINITY, 0, 0);
    assert_close(constant[3], -(double)INFINITY, 0, 0);
    loss_function_free(function);

    function = make_function("cross_entropy", "");
    loss_function_set_array(function, "class_weight", class_weight, LOSS_FLOAT64, 4);
    loss_function_set_double(function, "label_smoothing", 0.25);
    assert_status(context, loss_function_best_constant(context, function, inputs, 4, constant), LOSS_OK);
    /* shares: class weight · (¾ of the labels' weight + ¼ of all weight / 4) */
    const double all = 4.75 / 16, shares[] = {1.5 + all, 7 * all, 2 * (0.75 * 2.75 + all), 3 * all};
    const double total = shares[0] + shares[1] + shares[2] + shares[3];
    for (int j = 0; j < 4; j++) {
        assert_close(constant[j], log(shares[j] / total), 1e-14, 0);
    }
    assert_status(context, loss_function_best_constant(context, function, inputs, 3, constant),
                  LOSS_ERROR_SHAPE);
    loss_data_free(inputs);
    loss_function_free(function);

    function = make_function("cross_entropy", "");
    loss_data_create(&inputs, context);
    loss_data_set_input(inputs, "target", bad, LOSS_INT64, 3, 1, 1, 1);
    constant[0] = 777;
    assert_status(context, loss_function_best_constant(context, function, inputs, 4, constant),
                  LOSS_ERROR_LABEL);
    assert_int_equal(loss_context_error_row(context), 2);
    assert_close(constant[0], 777, 0, 0);
    assert_status(context, loss_function_best_constant(context, function, inputs, 0, constant),
                  LOSS_ERROR_SHAPE);
    loss_data_free(inputs);
    loss_function_free(function);
}

/* Distributions, in float32, of many rows; and a single class. */
static void test_distributions(void **state)
{
    enum { ROWS = 3000, CLASSES = 5 };
    static float target[ROWS * CLASSES];
    double shares[CLASSES] = {0}, constant[CLASSES], total = 0;
    loss_function *function = make_function("cross_entropy", "");
    loss_data *inputs;
    (void)state;
    for (int i = 0; i < ROWS * CLASSES; i++) {
        target[i] = i % CLASSES == 3 ? 0 : (float)scatter(i);
        shares[i % CLASSES] += (double)target[i];
        total += (double)target[i];
    }
    loss_data_create(&inputs, context);
    loss_data_set_input(inputs, "target", target, LOSS_FLOAT32, ROWS, CLASSES, CLASSES, 1);
    assert_status(context, loss_function_best_constant(context, function, inputs, CLASSES, constant),
                  LOSS_OK);
    for (int j = 0; j < CLASSES; j++) {
        assert_close(constant[j], log(shares[j] / total), 1e-13, 0);
    }
    loss_data_free(inputs);
    loss_data_create(&inputs, context);
    loss_data_set_input(inputs, "target", target, LOSS_FLOAT32, ROWS, 1, CLASSES, 1);
    assert_status(context, loss_function_best_constant(context, function, inputs, 1, constant), LOSS_OK);
    assert_close(constant[0], 0, 0, 0);
    loss_data_free(inputs);
    loss_function_free(function);
}

/* ---- the caller's own losses ---- */

/* Welsch's loss of width 1, 1 − e^(−r²/2): as many minima as there are clusters. */
static int32_t welsch(void *user, loss_dtype dtype, int64_t n, const void *prediction, const void *target,
                      void *value, void *gradient, void *curvature)
{
    const double *p = prediction, *t = target;
    (void)curvature;
    if (dtype != LOSS_FLOAT64 || *(int32_t *)user != 0) {
        return *(int32_t *)user;
    }
    for (int64_t i = 0; i < n; i++) {
        const double r = p[i] - t[i], e = exp(-0.5 * r * r);
        ((double *)value)[i] = -expm1(-0.5 * r * r);
        if (gradient != NULL) {
            ((double *)gradient)[i] = e == 0 ? 0 : r * e;
        }
    }
    return 0;
}

/* A naive logistic loss of ±1, which overflows far out. */
static int32_t naive(void *user, loss_dtype dtype, int64_t n, const void *prediction, const void *target,
                     void *value, void *gradient, void *curvature)
{
    const double *p = prediction, *t = target;
    (void)user, (void)dtype, (void)curvature;
    for (int64_t i = 0; i < n; i++) {
        const double e = exp(-t[i] * p[i]);
        ((double *)value)[i] = log(1 + e);
        if (gradient != NULL) {
            ((double *)gradient)[i] = -t[i] * e / (1 + e);
        }
    }
    return 0;
}

/* The cluster with more weight is found, though the median lies between the two. */
static void test_several_minima(void **state)
{
    double target[101], constant;
    int32_t answer = 0;
    loss_function *function;
    loss_data *inputs;
    (void)state;
    for (int i = 0; i < 101; i++) {
        target[i] = i < 45 ? -6 + 0.01 * scatter(i) : i < 55 ? 20 * scatter(i) - 10 : 9 + 0.01 * scatter(i);
    }
    assert_status(context, loss_function_create_user(&function, context, "w", welsch, &answer, NULL),
                  LOSS_OK);
    constant = best_of(function, 101, target, NULL);
    assert_true(constant > 8.9 && constant < 9.1);
    /* a zero of the derivative, to its rounding */
    double sum = 0, size = 0;
    for (int i = 0; i < 101; i++) {
        const double r = constant - target[i];
        sum += r * exp(-0.5 * r * r);
        size += fabs(r) * exp(-0.5 * r * r);
    }
    assert_true(size > 0.1 && fabs(sum) <= 101 * (double)ulp_of(constant, LOSS_FLOAT64));
    inputs = targets(101, target, NULL);
    answer = 99;
    constant = 777;
    assert_status(context, loss_function_best_constant(context, function, inputs, 1, &constant),
                  LOSS_ERROR_CALLBACK);
    assert_int_equal(loss_context_error_callback(context), 99);
    assert_close(constant, 777, 0, 0);
    loss_data_free(inputs);
    loss_function_free(function);
}

static void test_naive_callback(void **state)
{
    const double signs[] = {1, 1, -1, 1, 1};
    loss_function *function;
    (void)state;
    assert_status(context, loss_function_create_user(&function, context, "n", naive, NULL, NULL), LOSS_OK);
    assert_status(context, loss_function_set_property(function, "convex", 1), LOSS_OK);
    assert_close(best_of(function, 5, signs, NULL), log(4), 1e-15, 0);
    assert_close(best_of(function, 2, signs, NULL), (double)INFINITY, 0, 0);
    assert_close(best_of(function, 1, signs + 2, NULL), -(double)INFINITY, 0, 0);
    loss_function_free(function);
}

/* ---- the same bits, and what is wrong ---- */

static void test_determinism(void **state)
{
    enum { ROWS = 60001 };
    static const char *const names[] = {"squared_error", "absolute_error", "huber", "logistic", "hinge"};
    double *target = calloc(ROWS, sizeof *target), *weight = calloc(ROWS, sizeof *weight);
    (void)state;
    assert_true(target != NULL && weight != NULL);
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        double first = (double)NAN;
        for (int i = 0; i < ROWS; i++) {
            target[i] = k == 4 ? (scatter(i) > 0.4 ? 1 : -1) : scatter(i);
            weight[i] = 0.1 + scatter(3 * i);
        }
        for (int32_t isa = 0; isa < loss_context_isa_count(context); isa++) {
            loss_context_set_string(context, "isa", loss_context_isa_name(context, isa));
            for (int32_t threads = 1; threads <= 3; threads += 2) {
                double again;
                loss_context_set_int(context, "threads", threads);
                again = best(names[k], ROWS, target, weight);
                first = isa == 0 && threads == 1 ? again : first;
                assert_same_bits(&again, &first, LOSS_FLOAT64, 1);
            }
        }
        loss_context_set_int(context, "threads", 1);
    }
    free(target);
    free(weight);
}

static void test_wrong(void **state)
{
    const double target[] = {0.5, 1.5, 0.25}, weight[] = {1, -1, 1};
    double constant = 777;
    loss_function *function = make_function("logistic", ""), *regression = make_function("huber", "");
    loss_data *inputs = targets(3, target, NULL);
    (void)state;
    assert_int_equal(loss_function_best_constant(NULL, function, inputs, 1, &constant), LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_function_best_constant(context, NULL, inputs, 1, &constant),
                  LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_function_best_constant(context, function, NULL, 1, &constant),
                  LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_function_best_constant(context, function, inputs, 1, NULL),
                  LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_function_best_constant(context, function, inputs, -1, &constant),
                  LOSS_ERROR_ARGUMENT);
    assert_sentence(context, "-1 columns: from 0 to ");
    assert_status(context, loss_function_best_constant(context, function, inputs, 1, &constant),
                  LOSS_ERROR_DOMAIN);
    assert_int_equal(loss_context_error_row(context), 1);
    assert_sentence(context, "1.5");
    assert_close(constant, 777, 0, 0);
    loss_data_free(inputs);
    inputs = targets(3, target, weight);
    assert_status(context, loss_function_best_constant(context, regression, inputs, 1, &constant),
                  LOSS_ERROR_DOMAIN);
    assert_int_equal(loss_context_error_row(context), 1);
    assert_sentence(context, "weight");
    loss_data_free(inputs);
    loss_data_create(&inputs, context);
    assert_status(context, loss_function_best_constant(context, regression, inputs, 1, &constant),
                  LOSS_ERROR_ARGUMENT);
    assert_sentence(context, "target");
    loss_data_set_input(inputs, "target", target, LOSS_UINT8, 3, 1, 1, 1);
    assert_status(context, loss_function_best_constant(context, regression, inputs, 1, &constant),
                  LOSS_ERROR_TYPE);
    loss_data_set_input(inputs, "target", target, LOSS_FLOAT64, 3, 1, 1, 1);
    loss_data_set_input(inputs, "weight", target, LOSS_FLOAT64, 2, 1, 1, 1);
    assert_status(context, loss_function_best_constant(context, regression, inputs, 1, &constant),
                  LOSS_ERROR_SHAPE);
    loss_data_set_input(inputs, "predicton", target, LOSS_FLOAT64, 3, 1, 1, 1);
    assert_status(context, loss_function_best_constant(context, regression, inputs, 1, &constant),
                  LOSS_ERROR_NAME);
    loss_data_free(inputs);
    loss_function_free(function);
    loss_function_free(regression);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_regression),     cmocka_unit_test(test_classification),
        cmocka_unit_test(test_log_odds),       cmocka_unit_test(test_positive_weight),
        cmocka_unit_test(test_multilabel),     cmocka_unit_test(test_majority),
        cmocka_unit_test(test_rows),           cmocka_unit_test(test_columns),
        cmocka_unit_test(test_scale),          cmocka_unit_test(test_classes),
        cmocka_unit_test(test_distributions),  cmocka_unit_test(test_several_minima),
        cmocka_unit_test(test_naive_callback), cmocka_unit_test(test_determinism),
        cmocka_unit_test(test_wrong),
    };
    return cmocka_run_group_tests_name("loss_constant", tests, known_setup, known_teardown);
}
