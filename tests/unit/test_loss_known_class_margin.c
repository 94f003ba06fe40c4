/*
 * Losses of a margin between classes, and of several labels a row: numbers and identities, and mistakes that other libraries made
 * and this one must not.
 */
#include <math.h>
#include <string.h>

#include "support/batch.h"
#include "support/check.h"
#include "support/known.h"

enum { ROWS = 60 };

/* ---- margins over other classes ---- */

static const char *const margin_losses[] = {"crammer_singer", "categorical_hinge", "weston_watkins",
                                            "multi_margin"};

enum { MARGIN_LOSSES = sizeof margin_losses / sizeof *margin_losses };

/* Numbers of PyTorch 1.13; the class weight is inside the sum, and the mean is one of rows, here of those not ignored. */
static void test_multi_margin_of_pytorch(void **state)
{
    static const double logits[] = {1, 2, -0.5, 0, 1, 0.25, 2, -1, 1.5};
    static const struct {
        const char *options;
        double values[3];
    } known[] = {
        {"", {2.0 / 3, 1.0 / 12, 0.5}},
        {"p=2", {4.0 / 3, 1.0 / 48, 0.75}},
        {"margin=0.5", {0.5, 0, 1.0 / 3}},
        {"class_weight=1 3 0.5", {2.0 / 3, 0.25, 0.25}},
    };
    static const int64_t labels[] = {0, 1, 2}, few[] = {0, -100, 2};
    (void)state;
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
            for (int64_t label = 0; label < 3; label++) {
                row made = evaluate_row("multi_margin", known[i].options, dtypes[k], 3, logits + 3 * label,
                                        NULL, label, NULL);
                row sum = evaluate_row("weston_watkins", known[i].options, dtypes[k], 3, logits + 3 * label,
                                       NULL, label, NULL);
                assert_close(made.value, known[i].values[label], tolerance[k], 0);
                assert_close(sum.value, 3 * known[i].values[label], tolerance[k], 0);
            }
        }
        assert_close(cost_of("multi_margin", "", dtypes[k], 3, 3, logits, labels, NULL), 5.0 / 12,
                     tolerance[k], 0);
        assert_close(cost_of("multi_margin", "class_weight=1 3 0.5", dtypes[k], 3, 3, logits, labels, NULL),
                     (2.0 / 3 + 0.25 + 0.25) / 3, tolerance[k], 0);
        assert_close(cost_of("multi_margin", "class_weight=1 3 0.5", dtypes[k], 3, 3, logits, few, NULL),
                     (2.0 / 3 + 0.25) / 2, tolerance[k], 0);
        assert_close(cost_of("multi_margin", "class_weight=0 3 0.5", dtypes[k], 3, 3, logits, few, NULL),
                     0.125, tolerance[k], 0);
    }
}

/* PyTorch takes a NaN for a class far below the margin; here the row is NaN, whichever logit it is. */
static void test_nan_is_no_margin(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < MARGIN_LOSSES; i++) {
            for (int at = 0; at < 3; at++) {
                double logits[] = {0.5, 1, 2};
                logits[at] = (double)NAN;
                row made = evaluate_row(margin_losses[i], "", dtypes[k], 3, logits, NULL, 1, NULL);
                assert_close(made.value, (double)NAN, 0, 0);
                for (int j = 0; j < 3; j++) {
                    assert_close(made.gradient[j], (double)NAN, 0, 0);
                    assert_close(made.curvature[j], (double)NAN, 0, 0);
                }
            }
        }
    }
}

/* With two classes the sums are the largest, and all of them the hinge loss of the difference. */
static void test_two_class_margins(void **state)
{
    static const double direction[] = {0.75, -1.5};
    (void)state;
    for (int i = 0; i < ROWS; i++) {
        const double logits[] = {4 * scatter(i) - 2, 4 * scatter(i + 500) - 2}, x = logits[1] - logits[0];
        for (int64_t label = 0; label < 2; label++) {
            row one = pair("hinge", "target_encoding=zero_one", LOSS_FLOAT64, x, (double)label);
            row square = pair("squared_hinge", "target_encoding=zero_one", LOSS_FLOAT64, x, (double)label);
            row all = evaluate_row("weston_watkins", "", LOSS_FLOAT64, 2, logits, NULL, label, NULL);
            row largest = evaluate_row("crammer_singer", "", LOSS_FLOAT64, 2, logits, NULL, label, NULL);
            row squares = evaluate_row("weston_watkins", "p=2", LOSS_FLOAT64, 2, logits, NULL, label,
                                       direction);
            assert_close(all.value, one.value, 1e-15, 0);
            assert_close(all.gradient[1], one.gradient[0], 0, 0);
            assert_close(largest.value, one.value, 1e-15, 0);
            assert_close(largest.gradient[0], -one.gradient[0], 0, 0);
            assert_close(squares.value, square.value, 1e-15, 0);
            assert_close(squares.gradient[1], square.gradient[0], 1e-15, 0);
            assert_close(squares.curvature[0], square.curvature[0], 0, 0);
            assert_close(squares.product[1], square.curvature[0] * (direction[1] - direction[0]), 0, 0);
        }
    }
}

/* Keras's label leaves a 0 among its rivals: not the loss of Crammer and Singer where they are all negative. */
static void test_masked_label(void **state)
{
    static const double negative[] = {-0.25, -3, -4}, mixed[] = {-0.25, 3, -4};
    (void)state;
    for (int k = 0; k < 2; k++) {
        row keras = evaluate_row("categorical_hinge", "", dtypes[k], 3, negative, NULL, 0, NULL);
        row other = evaluate_row("crammer_singer", "", dtypes[k], 3, negative, NULL, 0, NULL);
        assert_close(keras.value, 1.25, 0, 0);
        assert_close(keras.gradient[0], -1, 0, 0);
        assert_close(keras.gradient[1], 0, 0, 0);
        assert_close(other.value, 0, 0, 0);
        keras = evaluate_row("categorical_hinge", "", dtypes[k], 3, mixed, NULL, 0, NULL);
        other = evaluate_row("crammer_singer", "", dtypes[k], 3, mixed, NULL, 0, NULL);
        assert_close(keras.value, 4.25, 0, 0);
        assert_close(other.value, 4.25, 0, 0);
        assert_close(keras.gradient[1], other.gradient[1], 0, 0);
    }
}

/* The smallest subgradient: rivals that are equal share it, a margin just reached has none. */
static void test_margin_kinks(void **state)
{
    static const double ties[] = {2, 0.5, 2, 2}, reached[] = {3, 2, 2, 1}, zeros[] = {0.5, 0, 0, -1};
    (void)state;
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < MARGIN_LOSSES; i++) {
            row made = evaluate_row(margin_losses[i], "", dtypes[k], 4, reached, NULL, 0, NULL);
            for (int j = 0; j < 4; j++) {
                assert_close(made.gradient[j], 0, 0, 0);
            }
        }
        for (int i = 0; i < 2; i++) {
            row made = evaluate_row(margin_losses[i], "", dtypes[k], 4, ties, NULL, 1, NULL);
            assert_close(made.value, 2.5, 0, 0);
            assert_close(made.gradient[0], 1.0 / 3, tolerance[k], 0);
            assert_close(made.gradient[2], made.gradient[0], 0, 0);
            assert_close(made.gradient[1], -1, 0, 0);
        }
        row made = evaluate_row("categorical_hinge", "", dtypes[k], 4, zeros, NULL, 0, NULL);
        assert_close(made.gradient[0], -1, 0, 0);
        assert_close(made.gradient[1], 0, 0, 0);
        made = evaluate_row("crammer_singer", "", dtypes[k], 4, zeros, NULL, 0, NULL);
        assert_close(made.gradient[1], 0.5, 0, 0);
    }
}

/* They take labels and nothing else, and say so. */
static void test_labels_only(void **state)
{
    static const double logits[] = {0.5, 1, 2}, one_hot[] = {0, 1, 0};
    (void)state;
    for (int i = 0; i < MARGIN_LOSSES; i++) {
        loss_function *function = make_function(margin_losses[i], "");
        double sum = 777;
        loss_data *inputs;
        assert_status(context, loss_data_create(&inputs, context), LOSS_OK);
        loss_data_set_input(inputs, "prediction", logits, LOSS_FLOAT64, 1, 3, 3, 1);
        loss_data_set_input(inputs, "target", one_hot, LOSS_FLOAT64, 1, 3, 3, 1);
        assert_status(context, loss_function_evaluate(context, function, inputs, NULL, &sum, NULL),
                      LOSS_ERROR_TYPE);
        assert_sentence(context, "class labels");
        assert_close(sum, 777, 0, 0);
        loss_data_free(inputs);
        loss_function_free(function);
    }
}

/* ---- sparsemax ---- */

/* Of two classes it is the smoothed hinge loss of their difference; the projection of few logits is known. */
static void test_sparsemax(void **state)
{
    static const double logits[] = {1, 0.5, -0.5, 0.75}, p[] = {7.0 / 12, 1.0 / 12, 0, 1.0 / 3};
    (void)state;
    for (int i = 0; i < ROWS; i++) {
        const double two[] = {2 * scatter(i) - 1, 2 * scatter(i + 500) - 1}, x = two[1] - two[0];
        for (int64_t label = 0; label < 2; label++) {
            row one = pair("smoothed_hinge", "gamma=2;target_encoding=zero_one", LOSS_FLOAT64, x,
                           (double)label);
            row made = evaluate_row("sparsemax", "", LOSS_FLOAT64, 2, two, NULL, label, NULL);
            assert_close(made.value, one.value, 4e-15, 0);
            assert_close(made.gradient[1], one.gradient[0], 4e-15, 0);
            assert_close(made.curvature[0], one.curvature[0], 1e-15, 0);
        }
    }
    for (int k = 0; k < 2; k++) {
        for (int64_t label = 0; label < 4; label++) {
            row made = evaluate_row("sparsemax", "", dtypes[k], 4, logits, NULL, label, NULL);
            double value = 0.5 - logits[label];
            for (int j = 0; j < 4; j++) {
                value += p[j] * (logits[j] - p[j] / 2);
                assert_close(made.gradient[j], p[j] - (j == label), 4 * tolerance[k], tolerance[k]);
                assert_close(made.curvature[j], j == 2 ? 0 : 2.0 / 3, tolerance[k], 0);
            }
            assert_close(made.value, value, 4 * tolerance[k], tolerance[k]);
        }
    }
}

/* A label nearly certain: (1 - margin)^2 / 4 of the margin between two classes, and nothing from a margin of 1 on. */
static void test_sparsemax_near_its_margin(void **state)
{
    static const double nearly[] = {1 - 0x1p-12, 0}, sure[] = {1, 0}, far_out[] = {1e30, -1e30};
    (void)state;
    for (int k = 0; k < 2; k++) {
        row made = evaluate_row("sparsemax", "", dtypes[k], 2, nearly, NULL, 0, NULL);
        assert_close(made.value, 0x1p-26, 0, 0);
        assert_close(made.gradient[0], -0x1p-13, 0, 0);
        assert_close(evaluate_row("sparsemax", "", dtypes[k], 2, sure, NULL, 0, NULL).value, 0, 0, 0);
        made = evaluate_row("sparsemax", "", dtypes[k], 2, far_out, NULL, 0, NULL);
        assert_close(made.value, 0, 0, 0);
        assert_close(made.gradient[1], 0, 0, 0);
    }
}

/* ---- several labels ---- */

/* PyTorch 1.13 on the same rows; the mean of logistic losses, and of one column the loss itself. */
static void test_multilabel_soft_margin(void **state)
{
    static const double logits[] = {1, 2, -0.5, 0, 1, 0.25, 2, -1, 1.5},
                        target[] = {1, 0, 0, 0, 1, 1, 0, 0, 1};
    static const double known[] = {0.9714222275804341, 0.5274494293190038, 0.8805343255146494};
    (void)state;
    for (int k = 0; k < 2; k++) {
        double sum = 0;
        for (int i = 0; i < 3; i++) {
            row made = evaluate_row("multilabel_soft_margin", "", dtypes[k], 3, logits + 3 * i,
                                    target + 3 * i, 0, NULL);
            assert_close(made.value, known[i], tolerance[k], 0);
            assert_close(made.denominator, 1, 0, 0);
            for (int j = 0; j < 3; j++) {
                row one = pair("logistic", "", dtypes[k], logits[3 * i + j], target[3 * i + j]);
                assert_close(made.gradient[j], one.gradient[0] / 3, tolerance[k], 0);
                assert_close(made.curvature[j], one.curvature[0] / 3, tolerance[k], 0);
            }
            made = evaluate_row("multilabel_soft_margin", "curvature=majorizer", dtypes[k], 3, logits + 3 * i,
                                target + 3 * i, 0, NULL);
            for (int j = 0; j < 3; j++) {
                row one = pair("logistic", "curvature=majorizer", dtypes[k], logits[3 * i + j],
                               target[3 * i + j]);
                assert_close(made.curvature[j], one.curvature[0] / 3, tolerance[k], 0);
            }
            sum += evaluate_row("multilabel_soft_margin", "class_weight=1 3 0.5", dtypes[k], 3,
                                logits + 3 * i, target + 3 * i, 0, NULL)
                       .value;
        }
        assert_close(sum / 3, 1.3354895420422495, tolerance[k], 0);
    }
}

/* torch.nn.BCEWithLogitsLoss with a pos_weight for each class: the mean over rows and columns of logistic losses of their own. */
static void test_positive_weights(void **state)
{
    static const char *const weights[] = {"positive_weight=2.5", "positive_weight=1",
                                          "positive_weight=0.125"};
    static const double logits[] = {1, 2, -0.5, 0, 1, 0.25, 2, -1, 1.5, 40, -40, 3},
                        target[] = {1, 0, 0.75, 0, 1, 1, 0.25, 0.5, 1, 1, 1, 0};
    (void)state;
    for (int i = 0; i < 8; i++) {
        const int k = i % 2, first = 3 * (i / 2);
        double sum = 0;
        const row made = evaluate_row("multilabel_soft_margin", "positive_weight=2.5 1 0.125", dtypes[k], 3,
                                      logits + first, target + first, 0, logits);
        for (int j = 0; j < 3; j++) {
            const row one = pair("logistic", weights[j], dtypes[k], logits[first + j], target[first + j]);
            sum += one.value / 3;
            assert_close(made.gradient[j], one.gradient[0] / 3, 4 * tolerance[k], 0);
            assert_close(made.curvature[j], one.curvature[0] / 3, 4 * tolerance[k], 0);
            assert_close(made.product[j], logits[j] * one.curvature[0] / 3, 4 * tolerance[k], 0);
        }
        assert_close(made.value, sum, 2 * tolerance[k], 0);
    }
}

/* A weight too few or too many is an error that names the option, and a weight below 0 one of the option. */
static void test_positive_weights_of_wrong_shape(void **state)
{
    static const double weights[] = {1, 2.5, 0.25, 3, -1};
    static const float prediction[] = {1, -2, 0.5f}, target[] = {1, 0, 1};
    double sum = 777, denominator = 777;
    loss_data *inputs, *outputs;
    (void)state;
    loss_data_create(&inputs, context);
    loss_data_create(&outputs, context);
    loss_data_set_input(inputs, "prediction", prediction, LOSS_FLOAT32, 1, 3, 3, 1);
    loss_data_set_input(inputs, "target", target, LOSS_FLOAT32, 1, 3, 3, 1);
    for (int64_t count = 2; count <= 4; count++) {
        loss_function *function;
        loss_function_create(&function, context, "multilabel_soft_margin");
        assert_status(context, loss_function_set_array(function, "pos_weight", weights, LOSS_FLOAT64, count),
                      LOSS_OK);
        assert_status(context, loss_function_evaluate(context, function, inputs, outputs, &sum, &denominator),
                      count == 3 ? LOSS_OK : LOSS_ERROR_SHAPE);
        if (count != 3) {
            assert_sentence(context, "'positive_weight'");
            assert_sentence(context, count == 2 ? "has 2 elements" : "has 4 elements");
        }
        loss_function_free(function);
        loss_function_create(&function, context, "multilabel_soft_margin");
        assert_status(context, loss_function_set_array(function, "pos_weight", weights, LOSS_FLOAT64, 5),
                      LOSS_ERROR_RANGE);
        loss_function_free(function);
    }
    loss_data_free(inputs);
    loss_data_free(outputs);
}

/* The example of PyTorch's documentation, whose target is (3, 0, -1, 1): labels 3 and 0; and of it the gradient by hand. */
static void test_multilabel_margin(void **state)
{
    static const double logits[] = {0.1, 0.2, 0.4, 0.8}, target[] = {1, 0, 0, 1}, signs[] = {1, -1, -1, 1};
    static const double all[] = {1, 1, 1, 1}, none[] = {0, 0, 0, 0}, gradient[] = {-0.5, 0.5, 0.5, -0.5};
    (void)state;
    for (int k = 0; k < 2; k++) {
        row made = evaluate_row("multilabel_margin", "", dtypes[k], 4, logits, target, 0, NULL);
        row other = evaluate_row("multilabel_margin", "target_encoding=signs", dtypes[k], 4, logits, signs, 0,
                                 NULL);
        assert_close(made.value, 0.85, tolerance[k], 0);
        assert_close(made.denominator, 1, 0, 0);
        assert_close(other.value, made.value, 0, 0);
        for (int j = 0; j < 4; j++) {
            assert_close(made.gradient[j], gradient[j], 0, 0);
            assert_close(other.gradient[j], gradient[j], 0, 0);
            assert_close(made.curvature[j], 0, 0, 0);
        }
        assert_close(evaluate_row("multilabel_margin", "", dtypes[k], 4, logits, all, 0, NULL).value, 0, 0,
                     0);
        assert_close(evaluate_row("multilabel_margin", "", dtypes[k], 4, logits, none, 0, NULL).value, 0, 0,
                     0);
    }
}

/* A single label makes it multi_margin; a margin just reached has no gradient. */
static void test_multilabel_margin_of_one_label(void **state)
{
    static const double reached[] = {2, 1, 0.5, 1};
    (void)state;
    for (int i = 0; i < ROWS; i++) {
        double logits[4];
        for (int j = 0; j < 4; j++) {
            logits[j] = i == 0 ? reached[j] : 4 * scatter(4 * i + j) - 2;
        }
        for (int64_t label = 0; label < 4; label++) {
            double target[4] = {0};
            target[label] = 1;
            row made = evaluate_row("multilabel_margin", "", LOSS_FLOAT64, 4, logits, target, 0, NULL);
            row other = evaluate_row("multi_margin", "", LOSS_FLOAT64, 4, logits, NULL, label, NULL);
            assert_close(made.value, other.value, 1e-15, 0);
            for (int j = 0; j < 4; j++) {
                assert_close(made.gradient[j], other.gradient[j], 0, 0);
                assert_close(made.gradient[j], 0, 0, i == 0 && label == 0 ? 0 : 1);
            }
        }
    }
}

/* A NaN that is compared with nothing: in a row of labels only, of none, and as a target. */
static void test_multilabel_margin_of_nan(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        for (int at = 0; at < 12; at++) {
            double logits[] = {0.5, 1, 2}, target[] = {at / 6, at / 6, at / 6};
            (at % 6 < 3 ? logits : target)[at % 3] = (double)NAN;
            row made = evaluate_row("multilabel_margin", "", dtypes[k], 3, logits, target, 0, NULL);
            assert_close(made.value, (double)NAN, 0, 0);
            for (int j = 0; j < 3; j++) {
                assert_close(made.gradient[j], (double)NAN, 0, 0);
            }
        }
    }
}

/* The gradient counts pairs, yet it may take the place of the logits: with and without what makes an evaluation special. */
static void test_multilabel_margin_in_place(void **state)
{
    enum { COLUMNS = 21, COUNT = ROWS * COLUMNS };
    static double logits[COUNT], target[COUNT], apart[COUNT], within[COUNT], weight[ROWS];
    loss_function *function = make_function("multilabel_margin", "");
    (void)state;
    for (int i = 0; i < COUNT; i++) {
        logits[i] = 4 * scatter(i) - 2;
        target[i] = scatter(i + 7) < 0.3;
        weight[i / COLUMNS] = 1;
    }
    for (int weighed = 0; weighed < 2; weighed++) {
        for (int k = 0; k < 2; k++) {
            double *gradient = k == 0 ? apart : within;
            loss_data *inputs, *outputs;
            assert_status(context, loss_data_create(&inputs, context), LOSS_OK);
            assert_status(context, loss_data_create(&outputs, context), LOSS_OK);
            memcpy(within, logits, sizeof within);
            loss_data_set_input(inputs, "prediction", within, LOSS_FLOAT64, ROWS, COLUMNS, COLUMNS, 1);
            loss_data_set_input(inputs, "target", target, LOSS_FLOAT64, ROWS, COLUMNS, COLUMNS, 1);
            if (weighed) {
                loss_data_set_input(inputs, "weight", weight, LOSS_FLOAT64, ROWS, 1, 1, 1);
            }
            loss_data_set_output(outputs, "gradient", gradient, LOSS_FLOAT64, ROWS, COLUMNS, COLUMNS, 1);
            assert_status(context, loss_function_evaluate(context, function, inputs, outputs, NULL, NULL),
                          LOSS_OK);
            loss_data_free(inputs);
            loss_data_free(outputs);
        }
        assert_true(apart[0] != 0);
        assert_same_bits(within, apart, LOSS_FLOAT64, COUNT);
    }
    loss_function_free(function);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_multi_margin_of_pytorch),
        cmocka_unit_test(test_nan_is_no_margin),
        cmocka_unit_test(test_two_class_margins),
        cmocka_unit_test(test_masked_label),
        cmocka_unit_test(test_margin_kinks),
        cmocka_unit_test(test_labels_only),
        cmocka_unit_test(test_sparsemax),
        cmocka_unit_test(test_sparsemax_near_its_margin),
        cmocka_unit_test(test_multilabel_soft_margin),
        cmocka_unit_test(test_positive_weights),
        cmocka_unit_test(test_positive_weights_of_wrong_shape),
        cmocka_unit_test(test_multilabel_margin),
        cmocka_unit_test(test_multilabel_margin_of_one_label),
        cmocka_unit_test(test_multilabel_margin_of_nan),
        cmocka_unit_test(test_multilabel_margin_in_place),
    };
    return cmocka_run_group_tests(tests, known_setup, known_teardown);
}
