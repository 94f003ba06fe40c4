/*
 * Numbers known from elsewhere, identities between losses, and mistakes that other libraries made and this one must not.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/batch.h"
#include "support/check.h"
#include "support/known.h"

/* ---- the worked examples of docs/losses.md ---- */

static void test_worked_examples(void **state)
{
    static const double target[] = {1, 2, 3, 4, 5}, prediction[] = {1.2, 1.8, 2.9, 3.8, 4.9};
    static const double table[] = {0.2, 0.8, 0.7, 0.3};
    static const int64_t labels[] = {1, 0};
    (void)state;
    for (int k = 0; k < 2; k++) {
        double probabilities = cost_of("cross_entropy", "input=probabilities", dtypes[k], 2, 2, table, labels,
                                       NULL);
        double logits = cost_of("cross_entropy", "", dtypes[k], 2, 2, table, labels, NULL);
        assert_close(cost_of("squared_error", "", dtypes[k], 5, 1, prediction, NULL, target), 0.028,
                     k == 0 ? 3e-6 : 1e-14, 0);
        assert_close(probabilities, 0.28990924762647107, tolerance[k], 0);
        assert_close(probabilities, -(log(0.8) + log(0.7)) / 2, tolerance[k], 0);
        assert_close(logits, 0.47525160144291913, tolerance[k], 0);
        assert_close(logits, (log1p(exp(-0.6)) + log1p(exp(-0.4))) / 2, tolerance[k], 0);
    }
}

/*
 * Class weights, label smoothing and both kinds of target: PyTorch 1.13 gives 1.6284011, 3.7996027, 1.5634214 and 3.6479833 in
 * float32; these are the same numbers to more digits.
 */
static void test_class_weights_and_smoothing(void **state)
{
    static const double logits[] = {1, 2, 0, 1, 2, -1}, one_hot[] = {1, 0, 0, 1, 0, 1};
    static const int64_t labels[] = {0, 1, 1};
    static const char weights[] = "class_weight=1 3", both[] = "class_weight=1 3;label_smoothing=0.1";
    (void)state;
    for (int k = 0; k < 2; k++) {
        double index = cost_of("cross_entropy", weights, dtypes[k], 3, 2, logits, labels, NULL);
        double soft = cost_of("cross_entropy", weights, dtypes[k], 3, 2, logits, NULL, one_hot);
        double smooth_index = cost_of("cross_entropy", both, dtypes[k], 3, 2, logits, labels, NULL);
        double smooth_soft = cost_of("cross_entropy", both, dtypes[k], 3, 2, logits, NULL, one_hot);
        assert_close(index, 1.6284012578277311, tolerance[k], 0);
        assert_close(soft, 3.7996029349313725, tolerance[k], 0);
        assert_close(smooth_index, 1.5634214385195348, tolerance[k], 0);
        assert_close(smooth_soft, 3.6479833565455811, tolerance[k], 0);
    }
}

/* ---- tails ---- */

/* log(1 + e^-20) is 2.06e-9, not 0, and the gradient of the row sums to 0. */
static void test_small_losses(void **state)
{
    static const double logits[] = {20, 0};
    (void)state;
    for (int k = 0; k < 2; k++) {
        row made = evaluate_row("cross_entropy", "", dtypes[k], 2, logits, NULL, 0, NULL);
        assert_close(made.value, 2.0611536203143807e-9, k == 0 ? 4e-7 : 1e-15, 0);
        assert_close(made.gradient[0], -made.gradient[1], 0, 0);
        assert_true(made.gradient[1] > 2e-9 && made.curvature[0] > 2e-9);
        made = pair("logistic", "", dtypes[k], 20, 1);
        assert_close(made.value, 2.0611536203143807e-9, k == 0 ? 4e-7 : 1e-15, 0);
        assert_true(made.gradient[0] < -2e-9);
    }
    assert_close(pair("logistic", "", LOSS_FLOAT64, 700, 1).value, 9.8596765437597714e-305, 1e-13, 0);
}

/* Where other libraries overflow, lose the gradient, or give NaN. */
static void test_logistic_far_out(void **state)
{
    static const double far_out[] = {100, 710, 1000, 1e30};
    (void)state;
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; i < sizeof far_out / sizeof *far_out; i++) {
            row wrong = pair("logistic", "", dtypes[k], -far_out[i], 1);
            row right = pair("logistic", "", dtypes[k], far_out[i], 1);
            assert_close(wrong.value, (double)(float)far_out[i], tolerance[k] + 1e-7, 0);
            assert_close(wrong.gradient[0], -1, tolerance[k], 0);
            assert_true(right.value >= 0 && right.value < 1e-40);
            assert_true(right.gradient[0] <= 0 && right.gradient[0] > -1e-40);
        }
        assert_close(pair("logistic", "", dtypes[k], 0, 1).gradient[0], -0.5, 0, 0);
        assert_close(pair("logistic", "", dtypes[k], (double)INFINITY, 1).value, 0, 0, 0);
        assert_close(pair("logistic", "", dtypes[k], (double)INFINITY, 1).gradient[0], 0, 0, 0);
        assert_close(pair("logistic", "", dtypes[k], (double)INFINITY, 0).value, (double)INFINITY, 0, 0);
        assert_close(pair("logistic", "", dtypes[k], (double)INFINITY, 0).gradient[0], 1, 0, 0);
        assert_close(pair("logistic", "", dtypes[k], -(double)INFINITY, 1).gradient[0], -1, 0, 0);
    }
}

/* Value and gradient of a probability are of the same function: no clamp at -100, none at 1e-12. */
static void test_probabilities_are_not_clamped(void **state)
{
    static const double wrong[] = {0, 1};
    double p = 1 / (1 + exp(50.0));
    row made = pair("binary_cross_entropy", "", LOSS_FLOAT64, 0, 1);
    (void)state;
    assert_close(made.value, (double)INFINITY, 0, 0);
    assert_close(made.gradient[0], -(double)INFINITY, 0, 0);
    made = pair("binary_cross_entropy", "", LOSS_FLOAT64, p, 1);
    assert_close(made.value, 50, 1e-14, 0);
    assert_close(made.gradient[0] * p * (1 - p), -1, 1e-14, 0);
    made = pair("binary_cross_entropy", "", LOSS_FLOAT64, 1e-300, 1);
    assert_close(made.value, 690.77552789821368, 1e-15, 0);
    assert_close(made.gradient[0], -1e300, 1e-15, 0);
    made = evaluate_row("cross_entropy", "input=probabilities", LOSS_FLOAT64, 2, wrong, NULL, 0, NULL);
    assert_close(made.value, (double)INFINITY, 0, 0);
}

/* Far below zero every exponential underflows; the softmax does not. No limit exists where all are -infinity. */
static void test_low_scores(void **state)
{
    static const double low[] = {-120, -110, -115}, high[] = {1e4, 1e4 - 10, 1e4 - 5};
    static const double none[] = {-(double)INFINITY, -(double)INFINITY};
    (void)state;
    for (int k = 0; k < 2; k++) {
        row made = evaluate_row("cross_entropy", "", dtypes[k], 3, low, NULL, 1, NULL);
        row shifted = evaluate_row("cross_entropy", "", dtypes[k], 3, high, NULL, 0, NULL);
        assert_close(made.value, log1p(exp(-10.0) + exp(-5.0)), 4 * tolerance[k], 0);
        assert_close(shifted.value, made.value, 4 * tolerance[k], 0);
        made = evaluate_row("cross_entropy", "", dtypes[k], 2, none, NULL, 0, NULL);
        assert_close(made.value, (double)NAN, 0, 0);
        assert_close(made.gradient[0], (double)NAN, 0, 0);
    }
}

/* ---- kinks ---- */

static void test_kinks(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        assert_close(pair("absolute_error", "", dtypes[k], 2.5, 2.5).gradient[0], 0, 0, 0);
        assert_close(pair("smooth_l1", "beta=0", dtypes[k], 2.5, 2.5).gradient[0], 0, 0, 0);
        assert_close(pair("smooth_l1", "beta=0", dtypes[k], 2.5, 2.5).value, 0, 0, 0);
        assert_close(pair("hinge", "", dtypes[k], 1, 1).gradient[0], 0, 0, 0);
        assert_close(pair("hinge", "", dtypes[k], -1, -1).gradient[0], 0, 0, 0);
        assert_close(pair("huber", "delta=2", dtypes[k], 3, 1).gradient[0], 2, 0, 0);
        assert_close(pair("huber", "delta=2", dtypes[k], 3, 1).curvature[0], 1, 0, 0);
        assert_close(pair("smooth_l1", "beta=2", dtypes[k], 3, 1).curvature[0], 0.5, 0, 0);
    }
}

/* ---- identities ---- */

/* The same names mean different things elsewhere: smooth L1 is Huber / beta. */
static void test_smooth_l1_is_huber_over_beta(void **state)
{
    (void)state;
    assert_close(pair("smooth_l1", "beta=2", LOSS_FLOAT64, 4, 0).value, 3, 0, 0);
    assert_close(pair("huber", "delta=2", LOSS_FLOAT64, 4, 0).value, 6, 0, 0);
    for (int i = 0; i < 200; i++) {
        double x = 8 * scatter(i) - 4;
        row smooth = pair("smooth_l1", "beta=0.625", LOSS_FLOAT64, x, 0.25);
        row huber = pair("huber", "delta=0.625", LOSS_FLOAT64, x, 0.25);
        row straight = pair("smooth_l1", "beta=0", LOSS_FLOAT64, x, 0.25);
        row absolute = pair("absolute_error", "", LOSS_FLOAT64, x, 0.25);
        assert_close(smooth.value, huber.value / 0.625, 1e-15, 0);
        assert_close(smooth.gradient[0], huber.gradient[0] / 0.625, 1e-15, 0);
        assert_close(smooth.curvature[0], huber.curvature[0] / 0.625, 1e-15, 0);
        assert_close(straight.value, absolute.value, 0, 0);
        assert_close(straight.gradient[0], absolute.gradient[0], 0, 0);
    }
}

static void test_options_halve_and_encode(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        double x = 8 * scatter(i) - 4, sign = i % 2 ? 1 : -1;
        row whole = pair("squared_error", "", LOSS_FLOAT64, x, 0.3),
            half = pair("squared_error", "half=1", LOSS_FLOAT64, x, 0.3);
        row signs = pair("hinge", "", LOSS_FLOAT64, x, sign);
        row zero_one = pair("hinge", "target_encoding=zero_one", LOSS_FLOAT64, x, sign > 0);
        assert_close(half.value, whole.value / 2, 0, 0);
        assert_close(half.gradient[0], x - 0.3, 0, 0);
        assert_close(half.curvature[0], 1, 0, 0);
        assert_close(zero_one.value, signs.value, 0, 0);
        assert_close(zero_one.gradient[0], signs.gradient[0], 0, 0);
    }
}

/* binary cross-entropy at sigma(x) = logistic at x = cross-entropy of [x, 0], and each is symmetric. */
static void test_three_ways_to_logistic(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        double x = 20 * scatter(i) - 10, t = scatter(3 * i), p = 1 / (1 + exp(-x));
        double logits[] = {x, 0}, target[] = {t, 1 - t};
        row logistic = pair("logistic", "", LOSS_FLOAT64, x, t);
        row mirrored = pair("logistic", "", LOSS_FLOAT64, -x, 0);
        row probability = pair("binary_cross_entropy", "", LOSS_FLOAT64, p, t);
        row classes = evaluate_row("cross_entropy", "", LOSS_FLOAT64, 2, logits, target, 0, NULL);
        assert_close(probability.value, logistic.value, 1e-12, 0);
        assert_close(probability.gradient[0] * p * (1 - p), logistic.gradient[0], 1e-11, 1e-14);
        assert_close(classes.value, logistic.value, 1e-14, 0);
        assert_close(classes.gradient[0], logistic.gradient[0], 1e-13, 1e-16);
        assert_close(classes.curvature[0], logistic.curvature[0], 1e-14, 0);
        assert_close(mirrored.value, pair("logistic", "", LOSS_FLOAT64, x, 1).value, 0, 0);
    }
}

/* A label is its one-hot row; the gradients of a row sum to 0, the product with all ones is 0. */
static void test_labels_are_one_hot(void **state)
{
    static const char *const options[] = {"", "label_smoothing=0.125", "class_weight=0.5 2 1.25 3"};
    static const double ones[] = {1, 1, 1, 1};
    (void)state;
    for (int i = 0; i < 100; i++) {
        double logits[4], target[4] = {0};
        for (int j = 0; j < 4; j++) {
            logits[j] = 12 * scatter(4 * i + j) - 6;
        }
        target[i % 4] = 1;
        for (size_t k = 0; k < sizeof options / sizeof *options; k++) {
            row label = evaluate_row("cross_entropy", options[k], LOSS_FLOAT64, 4, logits, NULL, i % 4, ones);
            row one_hot = evaluate_row("cross_entropy", options[k], LOSS_FLOAT64, 4, logits, target, 0, ones);
            double sum = 0;
            assert_ulp(one_hot.value, label.value, 4, LOSS_FLOAT64);
            for (int j = 0; j < 4; j++) {
                assert_close(one_hot.gradient[j], label.gradient[j], 1e-15, 1e-15);
                assert_close(one_hot.curvature[j], label.curvature[j], 1e-15, 0);
                assert_close(label.product[j], 0, 0, 1e-15);
                sum += label.gradient[j];
            }
            assert_close(sum, 0, 0, 2e-15);
        }
    }
}

/* The majorizer's product is W/2 (v - mean of v): the matrix bound of Boehning. */
static void test_majorizer_product(void **state)
{
    static const double logits[] = {1.5, -0.25, 2.385}, direction[] = {0.5, -1.25, 2};
    row made = evaluate_row("cross_entropy", "curvature=majorizer;class_weight=0.5 2 1.25", LOSS_FLOAT64, 3,
                            logits, NULL, 1, direction);
    double mean = (0.5 - 1.25 + 2) / 3;
    (void)state;
    for (int j = 0; j < 3; j++) {
        assert_close(made.curvature[j], 1, 1e-15, 0);
        assert_close(made.product[j], direction[j] - mean, 1e-15, 0);
    }
}

/* Properties are those of the options as they are. */
static void test_properties_follow_options(void **state)
{
    loss_function *function = make_function("smooth_l1", "");
    int32_t smooth = -1;
    (void)state;
    assert_status(context, loss_function_property(function, "smooth", &smooth), LOSS_OK);
    assert_int_equal(smooth, 1);
    assert_status(context, loss_function_set_double(function, "beta", 0), LOSS_OK);
    assert_status(context, loss_function_property(function, "smooth", &smooth), LOSS_OK);
    assert_int_equal(smooth, 0);
    loss_function_free(function);
    function = make_function("cross_entropy", "input=probabilities");
    assert_status(context, loss_function_set_string(function, "curvature", "majorizer"), LOSS_ERROR_SUPPORT);
    loss_function_free(function);
}

/* ---- labels, and what they are divided by ---- */

/* Ignored rows are never touched; when all are ignored the cost is 0 and not NaN. */
static void test_ignored_labels(void **state)
{
    static const double logits[] = {1, 2, (double)NAN, 1, 2, -1};
    static const int64_t some[] = {0, -100, 1}, none[] = {-100, -100, -100}, other[] = {0, 7, 1};
    static const double left[] = {1, 2, 2, -1};
    static const int64_t left_labels[] = {0, 1};
    (void)state;
    for (int k = 0; k < 2; k++) {
        double expected = cost_of("cross_entropy", "class_weight=1 3", dtypes[k], 2, 2, left, left_labels,
                                  NULL);
        assert_close(cost_of("cross_entropy", "class_weight=1 3", dtypes[k], 3, 2, logits, some, NULL),
                     expected, 1e-15, 0);
        assert_close(
            cost_of("cross_entropy", "class_weight=1 3;ignore_label=7", dtypes[k], 3, 2, logits, other, NULL),
            expected, 1e-15, 0);
        assert_close(cost_of("cross_entropy", "", dtypes[k], 3, 2, logits, none, NULL), 0, 0, 0);
    }
    row made = evaluate_row("cross_entropy", "", LOSS_FLOAT64, 2, logits, NULL, -100, NULL);
    assert_close(made.value, 0, 0, 0);
    assert_close(made.gradient[0], 0, 0, 0);
    assert_close(made.product[1], 0, 0, 0);
    assert_close(made.denominator, 0, 0, 0);
}

/* (sum, denominator) of the pieces add up to those of the whole; means of means do not. */
static void test_pieces_add_up(void **state)
{
    enum { N = 3000, CUT = 1111 };
    static float prediction[N], target[N], weight[N];
    loss_function *function = make_function("huber", "");
    double sum[3], denominator[3];
    int64_t first[] = {0, 0, CUT}, count[] = {N, CUT, N - CUT};
    (void)state;
    for (int i = 0; i < N; i++) {
        prediction[i] = (float)(4 * scatter(i) - 2);
        weight[i] = (float)(0.5 + scatter(5 * i));
    }
    for (int k = 0; k < 3; k++) {
        loss_data *inputs;
        assert_status(context, loss_data_create(&inputs, context), LOSS_OK);
        loss_data_set_input(inputs, "prediction", prediction + first[k], LOSS_FLOAT32, count[k], 1, 1, 1);
        loss_data_set_input(inputs, "target", target + first[k], LOSS_FLOAT32, count[k], 1, 1, 1);
        loss_data_set_input(inputs, "weight", weight + first[k], LOSS_FLOAT32, count[k], 1, 1, 1);
        assert_status(context,
                      loss_function_evaluate(context, function, inputs, NULL, &sum[k], &denominator[k]),
                      LOSS_OK);
        loss_data_free(inputs);
    }
    assert_close(sum[1] + sum[2], sum[0], 1e-14, 0);
    assert_close(denominator[1] + denominator[2], denominator[0], 1e-14, 0);
    loss_function_free(function);
}

/* A float32 sum of a hundred million 0.1 would stick at 2^21: sums are double. */
static void test_long_sums(void **state)
{
    enum { N = 1 << 22 };
    static const float zero = 0, tenth = 0.1F;
    loss_function *function = make_function("absolute_error", "");
    loss_data *inputs;
    double sum, denominator;
    (void)state;
    assert_status(context, loss_data_create(&inputs, context), LOSS_OK);
    loss_data_set_input(inputs, "prediction", &tenth, LOSS_FLOAT32, N, 1, 0, 1);
    loss_data_set_input(inputs, "target", &zero, LOSS_FLOAT32, N, 1, 0, 1);
    assert_status(context, loss_function_evaluate(context, function, inputs, NULL, &sum, &denominator),
                  LOSS_OK);
    assert_close(sum, N * (double)tenth, 1e-15, 0);
    assert_close(denominator, N, 0, 0);
    loss_data_free(inputs);
    loss_function_free(function);
}

/* Outputs larger than the caches may be stored past them, whatever their alignment. */
static void test_large_outputs(void **state)
{
    enum { N = 9 << 20 };
    float *prediction = malloc(N * sizeof *prediction), *gradient = malloc(N * sizeof *gradient);
    float *value = malloc(N * sizeof *value);
    static const float zero = 0;
    loss_function *function = make_function("huber", "");
    (void)state;
    assert_true(prediction != NULL && gradient != NULL && value != NULL);
    for (int64_t i = 0; i < N; i++) {
        prediction[i] = (float)(i % 4001) * 0.001F - 2.0F;
    }
    for (int with_value = 0; with_value < 2; with_value++) {
        loss_data *inputs, *outputs;
        memset(gradient, 0, N * sizeof *gradient);
        assert_status(context, loss_data_create(&inputs, context), LOSS_OK);
        assert_status(context, loss_data_create(&outputs, context), LOSS_OK);
        loss_data_set_input(inputs, "prediction", prediction, LOSS_FLOAT32, N - 1, 1, 1, 1);
        loss_data_set_input(inputs, "target", &zero, LOSS_FLOAT32, N - 1, 1, 0, 1);
        loss_data_set_output(outputs, "gradient", gradient + 1, LOSS_FLOAT32, N - 1, 1, 1, 1);
        if (with_value) {
            loss_data_set_output(outputs, "value", value + 1, LOSS_FLOAT32, N - 1, 1, 1, 1);
        }
        assert_status(context, loss_function_evaluate(context, function, inputs, outputs, NULL, NULL),
                      LOSS_OK);
        for (int64_t i = 0; i < N - 1; i++) {
            float r = prediction[i], expected = r > 1 ? 1.0F : r < -1 ? -1.0F : r;
            if (gradient[i + 1] != expected) {
                print_error("gradient %lld\n", (long long)i);
                fail();
            }
        }
        assert_true(gradient[0] == 0);
        loss_data_free(inputs);
        loss_data_free(outputs);
    }
    free(prediction);
    free(gradient);
    free(value);
    loss_function_free(function);
}

/* Integer targets of a pointwise loss are numbers, not labels. */
static void test_integer_targets(void **state)
{
    static const double prediction[] = {1.5, -2.25, 40};
    static const int32_t narrow[] = {1, -3, 42};
    static const int64_t wide[] = {1, -3, 42};
    loss_function *function = make_function("squared_error", "");
    (void)state;
    for (int k = 0; k < 2; k++) {
        loss_data *inputs;
        double sum;
        assert_status(context, loss_data_create(&inputs, context), LOSS_OK);
        loss_data_set_input(inputs, "prediction", prediction, LOSS_FLOAT64, 3, 1, 1, 1);
        loss_data_set_input(inputs, "target", k == 0 ? (const void *)narrow : (const void *)wide,
                            k == 0 ? LOSS_INT32 : LOSS_INT64, 3, 1, 1, 1);
        assert_status(context, loss_function_evaluate(context, function, inputs, NULL, &sum, NULL), LOSS_OK);
        assert_close(sum, 0.25 + 0.5625 + 4, 0, 0);
        loss_data_free(inputs);
    }
    loss_function_free(function);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worked_examples),
        cmocka_unit_test(test_class_weights_and_smoothing),
        cmocka_unit_test(test_small_losses),
        cmocka_unit_test(test_logistic_far_out),
        cmocka_unit_test(test_probabilities_are_not_clamped),
        cmocka_unit_test(test_low_scores),
        cmocka_unit_test(test_kinks),
        cmocka_unit_test(test_smooth_l1_is_huber_over_beta),
        cmocka_unit_test(test_options_halve_and_encode),
        cmocka_unit_test(test_three_ways_to_logistic),
        cmocka_unit_test(test_labels_are_one_hot),
        cmocka_unit_test(test_majorizer_product),
        cmocka_unit_test(test_properties_follow_options),
        cmocka_unit_test(test_ignored_labels),
        cmocka_unit_test(test_pieces_add_up),
        cmocka_unit_test(test_long_sums),
        cmocka_unit_test(test_large_outputs),
        cmocka_unit_test(test_integer_targets),
    };
    return cmocka_run_group_tests_name("loss_known", tests, known_setup, known_teardown);
}
