/*
 * Numbers outside the domain of a loss: found wherever the loop that looks for them in passing may be, and named with the row of
 * the first; the caller's sums stay as they were.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/check.h"
#include "support/known.h"

static loss_data *data(void)
{
    loss_data *made;
    assert_status(context, loss_data_create(&made, context), LOSS_OK);
    return made;
}

/* ---- a table of wrong numbers ---- */

typedef struct wrong_number {
    const char *name, *option, *setting, *role;
    double bad, good;
    loss_status expected;
    const char *words;
} wrong_number;

/* `bad` in a row far from the first, among rows of `good`. */
static const wrong_number wrong_numbers[] = {
    {"binary_cross_entropy", NULL, NULL, "prediction", 1.5, 0.5, LOSS_ERROR_DOMAIN, "1.5"},
    {"binary_cross_entropy", NULL, NULL, "prediction", -0.25, 0.5, LOSS_ERROR_DOMAIN, "-0.25"},
    {"binary_cross_entropy", NULL, NULL, "target", 1.0000001, 0.5, LOSS_ERROR_DOMAIN, "target"},
    {"binary_cross_entropy", NULL, NULL, "target", -1, 0.5, LOSS_ERROR_DOMAIN, "-1"},
    {"binary_cross_entropy", NULL, NULL, "prediction", (double)INFINITY, 0.5, LOSS_ERROR_DOMAIN,
     "prediction"},
    {"logistic", NULL, NULL, "target", 1.5, 0.5, LOSS_ERROR_DOMAIN, "1.5"},
    {"logistic", NULL, NULL, "target", -1, 0.5, LOSS_ERROR_DOMAIN, "-1"},
    {"hinge", NULL, NULL, "target", 0, 1, LOSS_ERROR_DOMAIN, "0"},
    {"hinge", NULL, NULL, "target", 0.5, 1, LOSS_ERROR_DOMAIN, "0.5"},
    {"hinge", "target_encoding", "zero_one", "target", -1, 1, LOSS_ERROR_DOMAIN, "-1"},
    {"hinge", "target_encoding", "zero_one", "target", 0.5, 0, LOSS_ERROR_DOMAIN, "0.5"},
    /* what differs from −1 and +1 by bits of the exponent, by the last ones, by all */
    {"hinge", NULL, NULL, "target", 2, -1, LOSS_ERROR_DOMAIN, "2"},
    {"hinge", NULL, NULL, "target", -3, 1, LOSS_ERROR_DOMAIN, "-3"},
    {"hinge", NULL, NULL, "target", 1.0000001192092896, -1, LOSS_ERROR_DOMAIN, "1.000000119"},
    {"hinge", NULL, NULL, "target", -0.99999994039535522, 1, LOSS_ERROR_DOMAIN, "-0.99999994"},
    {"hinge", NULL, NULL, "target", 0x1p-149, 1, LOSS_ERROR_DOMAIN, "1.40129846432"},
    {"hinge", NULL, NULL, "target", (double)-INFINITY, -1, LOSS_ERROR_DOMAIN, "target"},
};

/* Where the gradient goes: the number is found even where it is overwritten. */
enum { GRADIENT_UNWANTED, GRADIENT_APART, GRADIENT_IN_PLACE };

static void try_wrong_number(const wrong_number *wrong, int64_t rows, int64_t bad_row, loss_dtype dtype,
                             int gradient)
{
    enum { MOST_ROWS = 100000 };
    static double prediction[MOST_ROWS], target[MOST_ROWS], apart[MOST_ROWS];
    static float narrow_prediction[MOST_ROWS], narrow_target[MOST_ROWS];
    void *predictions = dtype == LOSS_FLOAT32 ? (void *)narrow_prediction : (void *)prediction;
    loss_function *function = make_function(wrong->name, "");
    loss_data *inputs = data(), *outputs = data();
    double sum = 777, denominator = 888;
    char row_text[32];
    if (wrong->option != NULL) {
        assert_status(context, loss_function_set_string(function, wrong->option, wrong->setting), LOSS_OK);
    }
    for (int64_t i = 0; i < rows; i++) {
        prediction[i] = target[i] = wrong->good;
    }
    /* a second bad row, later: the first one is named */
    for (int64_t i = bad_row; i<rows; i += rows - 1 - bad_row> 0 ? rows - 1 - bad_row : rows) {
        (strcmp(wrong->role, "target") == 0 ? target : prediction)[i] = wrong->bad;
    }
    for (int64_t i = 0; i < rows; i++) {
        narrow_prediction[i] = (float)prediction[i];
        narrow_target[i] = (float)target[i];
    }
    loss_data_set_input(inputs, "prediction", predictions, dtype, rows, 1, 1, 1);
    loss_data_set_input(inputs, "target", dtype == LOSS_FLOAT32 ? (void *)narrow_target : (void *)target,
                        dtype, rows, 1, 1, 1);
    if (gradient != GRADIENT_UNWANTED) {
        loss_data_set_output(outputs, "gradient", gradient == GRADIENT_APART ? (void *)apart : predictions,
                             dtype, rows, 1, 1, 1);
    }
    assert_status(context, loss_function_evaluate(context, function, inputs, outputs, &sum, &denominator),
                  wrong->expected);
    assert_sentence(context, wrong->words);
    snprintf(row_text, sizeof row_text, "row %lld", (long long)bad_row);
    assert_sentence(context, row_text);
    assert_true(loss_context_error_row(context) == bad_row);
    assert_close(sum, 777, 0, 0);
    assert_close(denominator, 888, 0, 0);
    loss_data_free(inputs);
    loss_data_free(outputs);
    loss_function_free(function);
}

static void test_wrong_numbers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong_numbers / sizeof *wrong_numbers; i++) {
        for (int gradient = GRADIENT_UNWANTED; gradient <= GRADIENT_IN_PLACE; gradient++) {
            try_wrong_number(&wrong_numbers[i], 1, 0, LOSS_FLOAT64, gradient);
            try_wrong_number(&wrong_numbers[i], 100, 77, LOSS_FLOAT64, gradient);
            try_wrong_number(&wrong_numbers[i], 100, 99, LOSS_FLOAT64, gradient);
            try_wrong_number(&wrong_numbers[i], 100, 77, LOSS_FLOAT32, gradient);
            try_wrong_number(&wrong_numbers[i], 99999, 70001, LOSS_FLOAT32, gradient);
        }
    }
    assert_status(context, loss_context_set_int(context, "threads", 4), LOSS_OK);
    for (size_t i = 0; i < sizeof wrong_numbers / sizeof *wrong_numbers; i++) {
        try_wrong_number(&wrong_numbers[i], 99999, 33333, LOSS_FLOAT64, GRADIENT_APART);
    }
    assert_status(context, loss_context_set_int(context, "threads", 1), LOSS_OK);
}

/* NaN lies in every domain, beside good numbers and at the end of a pack of 16; it does not hide a bad number after it. */
static void test_nan_in_domain(void **state)
{
    enum { ROWS = 67 };
    static const char *const names[] = {"hinge", "logistic", "binary_cross_entropy"};
    double prediction[ROWS], target[ROWS], gradient[ROWS], cost;
    (void)state;
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        loss_function *function = make_function(names[k], "");
        for (int i = 0; i < ROWS; i++) {
            prediction[i] = i % 7 == 3 ? (double)NAN : 0.5;
            target[i] = i % 5 == 1 ? (double)NAN : 1;
        }
        assert_status(
            context, loss_function_cost_float64(context, function, ROWS, prediction, target, &cost, gradient),
            LOSS_OK);
        assert_true(isnan(cost));
        for (int i = 0; i < ROWS; i++) {
            assert_true(isnan(gradient[i]) == (isnan(prediction[i]) || isnan(target[i])));
        }
        target[62] = 3;
        assert_status(
            context, loss_function_cost_float64(context, function, ROWS, prediction, target, &cost, gradient),
            LOSS_ERROR_DOMAIN);
        assert_true(loss_context_error_row(context) == 62);
        loss_function_free(function);
    }
}

/* The status of a call with one odd number among good ones; weights lead past the loop that looks for it in passing. */
static loss_status status_of_odd(const loss_function *function, double prediction, double target,
                                 int weighted)
{
    enum { ROWS = 40 };
    double predictions[ROWS], targets[ROWS], weights[ROWS], sum;
    loss_data *inputs = data();
    for (int i = 0; i < ROWS; i++) {
        predictions[i] = i == 21 ? prediction : 0.5;
        targets[i] = i == 21 ? target : 1;
        weights[i] = 2.385;
    }
    loss_data_set_input(inputs, "prediction", predictions, LOSS_FLOAT64, ROWS, 1, 1, 1);
    loss_data_set_input(inputs, "target", targets, LOSS_FLOAT64, ROWS, 1, 1, 1);
    if (weighted) {
        loss_data_set_input(inputs, "weight", weights, LOSS_FLOAT64, ROWS, 1, 1, 1);
    }
    loss_status status = loss_function_evaluate(context, function, inputs, NULL, &sum, NULL);
    loss_data_free(inputs);
    return status;
}

/* A loss that declares where it need not look (LOSSI_DOMAINS) looks wherever it has a domain. */
static void test_every_domain(void **state)
{
    static const double odd[] = {-2.385, -1, -0.25, 0, 0.25, 0.75, 2.385};
    int found = 0;
    (void)state;
    for (int32_t k = 0; k < loss_function_catalogue_count(); k++) {
        loss_function *function = make_function(loss_function_catalogue_name(k), "");
        int32_t pointwise = 0, structured = 0;
        loss_function_property(function, "pointwise", &pointwise);
        loss_function_property(function, "structured", &structured);
        for (size_t i = 0; i < sizeof odd / sizeof *odd && pointwise && !structured; i++) {
            const loss_status of_prediction = status_of_odd(function, odd[i], 1, 1),
                              of_target = status_of_odd(function, 0.5, odd[i], 1);
            assert_int_equal(status_of_odd(function, odd[i], 1, 0), of_prediction);
            assert_int_equal(status_of_odd(function, 0.5, odd[i], 0), of_target);
            found += (of_prediction == LOSS_ERROR_DOMAIN) + (of_target == LOSS_ERROR_DOMAIN);
        }
        loss_function_free(function);
    }
    assert_true(found > 50); /* twenty-odd losses have a domain, of three odd numbers or more */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_numbers),
        cmocka_unit_test(test_nan_in_domain),
        cmocka_unit_test(test_every_domain),
    };
    return cmocka_run_group_tests_name("loss_domain", tests, known_setup, known_teardown);
}
