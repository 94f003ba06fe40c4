/*
 * The losses of two classes: numbers that can be checked by hand, identities between them, and mistakes that other libraries
 * made and these must not.
 */
#include <math.h>
#include <string.h>

#include "support/check.h"
#include "support/known.h"
#include "support/batch.h"

/* Losses of a margin, targets −1/+1; and losses of a logit, targets 0 … 1. */
static const char *const margins[] = {"distance_weighted_discrimination",
                                      "exponential",
                                      "hinge",
                                      "hinge_embedding",
                                      "modified_huber",
                                      "perceptron",
                                      "savage",
                                      "soft_margin",
                                      "smoothed_hinge",
                                      "squared_hinge"};
static const char *const logits[] = {"asymmetric", "focal", "generalized_logistic", "logistic",
                                     "poly1_logistic"};

enum { MARGINS = sizeof margins / sizeof *margins, LOGITS = sizeof logits / sizeof *logits, POINTS = 200 };

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

/* A logit of every size, and a target that is certain every other time. */
static double logit_at(int i)
{
    return (16 * scatter(i) - 8) * (i % 3 == 0 ? 1e-3 : 1);
}

static double target_at(int i)
{
    return i % 2 ? scatter(3 * i) : i % 4 / 2;
}

/* Three results of two losses, up to a factor and so many roundings, which cancellation may not enlarge. */
static void check_same(row actual, row expected, double factor, double relative)
{
    assert_close(actual.value, factor * expected.value, relative, 0);
    assert_close(actual.gradient[0], factor * expected.gradient[0], relative, 1e-16);
    assert_close(actual.curvature[0], factor * expected.curvature[0], relative, 1e-16);
}

/* ---- labels ---- */

static loss_status status_of(const char *name, const char *options, double target)
{
    loss_function *function = make_function(name, options);
    const double prediction = 0.25;
    double cost = 777;
    loss_status status = loss_function_cost_float64(context, function, 1, &prediction, &target, &cost, NULL);
    assert_true(status == LOSS_OK || same_bits(cost, 777));
    loss_function_free(function);
    return status;
}

/* A label 0 with ±1 in mind takes both branches of PyTorch's hinge embedding, and is a margin of 0 in other libraries. */
static void test_labels_are_of_their_encoding(void **state)
{
    static const double never[] = {0.5, 2, -2, 1e-300, (double)INFINITY};
    (void)state;
    for (int k = 0; k < MARGINS; k++) {
        assert_status(context, status_of(margins[k], "", 1), LOSS_OK);
        assert_status(context, status_of(margins[k], "", -1), LOSS_OK);
        assert_status(context, status_of(margins[k], "", 0), LOSS_ERROR_DOMAIN);
        assert_status(context, status_of(margins[k], "target_encoding=zero_one", 0), LOSS_OK);
        assert_status(context, status_of(margins[k], "target_encoding=zero_one", -1), LOSS_ERROR_DOMAIN);
        for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
            assert_status(context, status_of(margins[k], "", never[i]), LOSS_ERROR_DOMAIN);
            assert_status(context, status_of(margins[k], "target_encoding=zero_one", never[i]),
                          LOSS_ERROR_DOMAIN);
        }
    }
}

/* A target of 1.5 makes a logistic loss of −0.687 where nobody looks. */
static void test_targets_are_probabilities(void **state)
{
    (void)state;
    for (int k = 0; k < LOGITS; k++) {
        assert_status(context, status_of(logits[k], "", 0.3), LOSS_OK);
        assert_status(context, status_of(logits[k], "", 1.5), LOSS_ERROR_DOMAIN);
        assert_status(context, status_of(logits[k], "", -0.125), LOSS_ERROR_DOMAIN);
        assert_sentence(context, "-0.125");
    }
}

static void test_encodings_agree(void **state)
{
    (void)state;
    for (int k = 0; k < MARGINS; k++) {
        for (int i = 0; i < POINTS; i++) {
            const double x = logit_at(i), y = i % 2 ? 1 : -1;
            row signs = pair(margins[k], "", LOSS_FLOAT64, x, y);
            row zero_one = pair(margins[k], "target_encoding=zero_one", LOSS_FLOAT64, x, y > 0);
            assert_same_bits(&zero_one.value, &signs.value, LOSS_FLOAT64, 1);
            assert_same_bits(zero_one.gradient, signs.gradient, LOSS_FLOAT64, 1);
            assert_same_bits(zero_one.curvature, signs.curvature, LOSS_FLOAT64, 1);
        }
    }
}

/* ---- NaN and infinity ---- */

/* NaN > 0 is false, and so a score of NaN costs nothing in a margin loss that does not look. */
static void test_nan_is_never_nothing(void **state)
{
    (void)state;
    for (int k = 0; k < MARGINS + LOGITS; k++) {
        const char *name = k < MARGINS ? margins[k] : logits[k - MARGINS];
        for (int d = 0; d < 2; d++) {
            for (int target = 0; target < 2; target++) {
                row made = pair(name, k < MARGINS ? "target_encoding=zero_one" : "", dtypes[d], (double)NAN,
                                target);
                assert_close(made.value, (double)NAN, 0, 0);
                assert_close(made.gradient[0], (double)NAN, 0, 0);
                assert_close(made.curvature[0], (double)NAN, 0, 0);
            }
        }
    }
}

/* BCEWithLogitsLoss of +∞ and 1 is NaN with gradient 0 in PyTorch, since 2023; here it is the limit, on both sides. */
static void test_infinite_logits(void **state)
{
    static const struct {
        const char *name, *options;
        double wrong, slope; /* of the wrong side */
    } cases[] = {{"logistic", "", (double)INFINITY, 1},
                 {"logistic", "positive_weight=2.5", (double)INFINITY, 2.5},
                 {"soft_margin", "target_encoding=zero_one", (double)INFINITY, 1},
                 {"focal", "alpha=-1", (double)INFINITY, 1},
                 {"focal", "gamma=0;alpha=-1", (double)INFINITY, 1},
                 {"focal", "gamma=0.5;alpha=-1", (double)INFINITY, 1},
                 {"focal", "gamma=2.375;alpha=-1", (double)INFINITY, 1},
                 {"poly1_logistic", "", (double)INFINITY, 1},
                 {"poly1_logistic", "epsilon=-1", (double)INFINITY, 1},
                 {"generalized_logistic", "", 2, 0},
                 {"generalized_logistic", "q=0", (double)INFINITY, 1},
                 {"asymmetric", "", (double)INFINITY, 1},
                 {"savage", "target_encoding=zero_one", 1, 0},
                 {"exponential", "target_encoding=zero_one", (double)INFINITY, (double)INFINITY},
                 {"squared_hinge", "target_encoding=zero_one", (double)INFINITY, (double)INFINITY},
                 {"modified_huber", "target_encoding=zero_one", (double)INFINITY, 4},
                 {"smoothed_hinge", "target_encoding=zero_one", (double)INFINITY, 1},
                 {"distance_weighted_discrimination", "q=2.5;target_encoding=zero_one", (double)INFINITY, 1},
                 {"perceptron", "target_encoding=zero_one", (double)INFINITY, 1}};
    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        for (int d = 0; d < 2; d++) {
            row right = pair(cases[k].name, cases[k].options, dtypes[d], (double)INFINITY, 1);
            row wrong = pair(cases[k].name, cases[k].options, dtypes[d], -(double)INFINITY, 1);
            assert_close(right.value, 0, 0, 0);
            assert_close(right.gradient[0], 0, 0, 0);
            assert_close(right.curvature[0], 0, 0, 0);
            assert_close(wrong.value, cases[k].wrong, 0, 0);
            assert_close(wrong.gradient[0], -cases[k].slope, 0, 0);
        }
    }
    /* a negative of the asymmetric loss that is as wrong as can be: 0.95⁴ (−log 0.05), and no gradient left */
    row saturated = pair("asymmetric", "", LOSS_FLOAT64, (double)INFINITY, 0);
    assert_close(saturated.value, -pow(0.95, 4) * log(0.05), 1e-15, 0);
    assert_close(saturated.gradient[0], 0, 0, 0);
}

/* ---- far from 0 ---- */

/* log(1 + e^−yx) as it is written is infinite at −100 in float32, with a gradient of NaN. */
static void test_soft_margin_far_out(void **state)
{
    (void)state;
    for (int d = 0; d < 2; d++) {
        row made = pair("soft_margin", "", dtypes[d], -100, 1);
        assert_close(made.value, 100, 0, 0);
        assert_close(made.gradient[0], -1, 0, 0);
        made = pair("soft_margin", "", dtypes[d], 20, 1);
        assert_close(made.value, 2.0611536203143807e-9, d == 0 ? 4e-7 : 1e-15, 0);
        assert_close(made.gradient[0], -2.0611536181902037e-9, d == 0 ? 4e-7 : 1e-15, 0);
    }
}

/* The gradient at 0 is not lost, nor next to it; far out one implementation gives value, gradient and curvature alike. */
static void test_logistic_grid(void **state)
{
    static const double tiny[] = {0, 1e-300, -1e-300, 1e-40, -1e-40, 1e-20, -1e-20};
    (void)state;
    for (int d = 0; d < 2; d++) {
        for (size_t i = 0; i < sizeof tiny / sizeof *tiny; i++) {
            row made = pair("logistic", "", dtypes[d], tiny[i], 1);
            assert_close(made.value, log(2.0), tolerance[d], 0);
            assert_close(made.gradient[0], -0.5, 0, 0);
            assert_close(made.curvature[0], 0.25, 0, 0);
        }
        row far = pair("logistic", "", dtypes[d], -1000, 0.3);
        assert_close(far.value, 300, tolerance[d], 0);
        assert_close(far.gradient[0], -0.3, tolerance[d], 0);
        assert_close(far.curvature[0], 0, 0, 0);
        row tail = pair("logistic", "", dtypes[d], 30, 1);
        assert_close(tail.curvature[0], exp(-30.0) / pow(1 + exp(-30.0), 2), 4 * tolerance[d], 0);
    }
}

/* (1 − t) x + (1 + (P − 1) t) log(1 + e⁻ˣ), with gradient (P t + 1 − t) σ(x) − P t. */
static void test_positive_weight(void **state)
{
    (void)state;
    for (int i = 0; i < POINTS; i++) {
        const double x = logit_at(i), t = target_at(i), p = 2.625, sum = p * t + 1 - t;
        row made = pair("bce_with_logits", "positive_weight=2.625", LOSS_FLOAT64, x, t);
        assert_close(made.value, (1 - t) * x + (1 + (p - 1) * t) * log1p(exp(-x)), 1e-12, 1e-13);
        assert_close(made.gradient[0], sum * sigmoid(x) - p * t, 1e-12, 1e-14);
        assert_close(made.curvature[0], sum * sigmoid(x) * sigmoid(-x), 1e-13, 0);
    }
}

/* Where σ(x) is the target the gradient is 0, and next to it its digits are those of the difference. */
static void test_logistic_next_to_its_minimum(void **state)
{
    (void)state;
    for (int i = 0; i < POINTS; i++) {
        const double x = logit_at(i), t = sigmoid(x) + 1e-9 * (scatter(i) - 0.5);
        const long double exact = 1 / (1 + expl(-(long double)x)) - t;
        assert_close(pair("logistic", "", LOSS_FLOAT64, x, t).gradient[0], (double)exact, 1e-15, 1.2e-16);
    }
}

/* ---- focal losses ---- */

/* Gamma below 1, and gamma 0, made NaN of a gradient wherever 1 − p was 0; an autodiff of (1 − p)^γ does. */
static void test_focal_is_finite(void **state)
{
    static const char *const options[] = {"gamma=0",    "gamma=0.25", "gamma=0.5;alpha=-1", "gamma=0.999",
                                          "gamma=1",    "",           "gamma=2.5",          "gamma=5",
                                          "gamma=17.3", "gamma=1000", "gamma=1e-300"};
    static const double sizes[] = {0, 1e-30, 1, 18, 37, 88.7, 100, 104, 710, 746, 1e4, 1e30};
    static const double targets[] = {0, 1, 0.3, 1e-30};
    (void)state;
    for (size_t k = 0; k < sizeof options / sizeof *options; k++) {
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            for (size_t j = 0; j < 8 * (size_t)2; j++) {
                row made = pair("focal", options[k], dtypes[j % 2], j & 2 ? sizes[i] : -sizes[i],
                                targets[j / 4]);
                assert_true(isfinite(made.value) && made.value >= 0);
                assert_true(fabs(made.gradient[0]) < 4);
                assert_true(fabs(made.curvature[0]) < 4);
            }
        }
    }
    /* at x = 100, t = 1: value e^−150 and gradient −1.5 e^−150 */
    row made = pair("focal", "gamma=0.5;alpha=-1", LOSS_FLOAT64, 100, 1);
    assert_close(made.value, exp(-150.0), 1e-13, 0);
    assert_close(made.gradient[0], -1.5 * exp(-150.0), 1e-13, 0);
    made = pair("focal", "gamma=0.25;alpha=-1", LOSS_FLOAT32, 82, 1); /* e⁻⁸² to the power 1.25: e^−102.5 */
    assert_close(made.gradient[0], -1.25 * exp(-102.5), 0, 4 * 0x1p-149);
}

/* "An example with p = 0.9 has 100 times lower loss than with cross-entropy" (Lin et al., section 3.2). */
static void test_focal_numbers(void **state)
{
    const double x = log(9.0);
    (void)state;
    for (int d = 0; d < 2; d++) {
        row plain = pair("logistic", "", dtypes[d], x, 1);
        assert_close(pair("focal", "alpha=-1", dtypes[d], x, 1).value, 0.01 * plain.value, 16 * tolerance[d],
                     0);
        /* alpha weighs positives, 1 − alpha negatives; the default is torchvision's 0.25 */
        assert_close(pair("focal", "", dtypes[d], x, 1).value, 0.0025 * plain.value, 16 * tolerance[d], 0);
        assert_close(pair("focal", "", dtypes[d], -x, 0).value, 0.0075 * plain.value, 16 * tolerance[d], 0);
        assert_close(pair("sigmoid_focal_loss", "gamma=0;alpha=0.875", dtypes[d], x, 1).value,
                     0.875 * plain.value, 4 * tolerance[d], 0);
    }
}

/* gamma = 0 is the logistic loss; a negative alpha takes the weights away. */
static void test_focal_without_focus(void **state)
{
    (void)state;
    for (int i = 0; i < POINTS; i++) {
        const double x = logit_at(i), t = target_at(i);
        row logistic = pair("logistic", "", LOSS_FLOAT64, x, t);
        check_same(pair("focal", "gamma=0;alpha=-1", LOSS_FLOAT64, x, t), logistic, 1, 1e-15);
        check_same(pair("focal", "gamma=0;alpha=0.5", LOSS_FLOAT64, x, t), logistic, 0.5, 1e-15);
        check_same(pair("focal", "gamma=1e-12;alpha=-1", LOSS_FLOAT64, x, t), logistic, 1, 1e-10);
    }
}

/* Whole powers are products and others logarithms: next to each other they are the same. */
static void test_focal_powers_meet(void **state)
{
    static const char *const whole[] = {"gamma=1", "gamma=2", "gamma=5", "gamma=8"};
    static const char *const next[] = {"gamma=1.0000000000000002", "gamma=2.0000000000000004",
                                       "gamma=5.000000000000001", "gamma=8.000000000000002"};
    (void)state;
    for (int k = 0; k < 4; k++) {
        for (int i = 0; i < POINTS; i++) {
            row a = pair("focal", whole[k], LOSS_FLOAT64, logit_at(i), target_at(i));
            row b = pair("focal", next[k], LOSS_FLOAT64, logit_at(i), target_at(i));
            assert_close(b.value, a.value, 3e-14, 0);
            assert_close(b.gradient[0], a.gradient[0], 3e-14, 1e-17);
        }
    }
}

/* Without a shift the asymmetric loss is a focal loss for each class. */
static void test_asymmetric_is_two_focal_losses(void **state)
{
    (void)state;
    for (int i = 0; i < POINTS; i++) {
        const double x = logit_at(i);
        check_same(pair("asymmetric", "clip=0", LOSS_FLOAT64, x, 1),
                   pair("focal", "gamma=1;alpha=-1", LOSS_FLOAT64, x, 1), 1, 1e-14);
        check_same(pair("asymmetric", "clip=0;gamma_negative=2.5", LOSS_FLOAT64, x, 0),
                   pair("focal", "gamma=2.5;alpha=-1", LOSS_FLOAT64, x, 0), 1, 1e-14);
        check_same(
            pair("asymmetric", "clip=0;gamma_positive=0;gamma_negative=0", LOSS_FLOAT64, x, target_at(i)),
            pair("logistic", "", LOSS_FLOAT64, x, target_at(i)), 1, 1e-14);
        check_same(pair("asymmetric", "clip=1e-12;gamma_negative=2.5", LOSS_FLOAT64, x, 0),
                   pair("focal", "gamma=2.5;alpha=-1", LOSS_FLOAT64, x, 0), 1, 1e-6);
    }
}

/* A negative below the clip counts exactly nothing; above, p − clip has the digits of a difference. */
static void test_asymmetric_clip(void **state)
{
    (void)state;
    for (int d = 0; d < 2; d++) {
        row easy = pair("asymmetric", "", dtypes[d], -3, 0); /* p = 0.047 */
        assert_close(easy.value, 0, 0, 0);
        assert_close(easy.gradient[0], 0, 0, 0);
        assert_close(easy.curvature[0], 0, 0, 0);
        /* p = ½: u = 0.45, u⁴ (−log 0.55), and ¼ u³ (4 (−log 0.55) + 0.45/0.55) */
        row even = pair("asymmetric", "", dtypes[d], 0, 0);
        assert_close(even.value, -pow(0.45, 4) * log(0.55), 2 * tolerance[d], 0);
        assert_close(even.gradient[0], 0.25 * pow(0.45, 3) * (0.45 / 0.55 - 4 * log(0.55)), 2 * tolerance[d],
                     0);
    }
}

/* ---- identities ---- */

static void test_poly_and_generalized(void **state)
{
    (void)state;
    for (int i = 0; i < POINTS; i++) {
        const double x = logit_at(i), t = target_at(i), missed = t * sigmoid(-x) + (1 - t) * sigmoid(x);
        row logistic = pair("logistic", "", LOSS_FLOAT64, x, t);
        check_same(pair("poly1_logistic", "epsilon=0", LOSS_FLOAT64, x, t), logistic, 1, 1e-15);
        check_same(pair("generalized_logistic", "q=0", LOSS_FLOAT64, x, t), logistic, 1, 2e-15);
        check_same(pair("generalized_logistic", "q=1e-40", LOSS_FLOAT64, x, t), logistic, 1, 2e-15);
        check_same(pair("generalized_logistic", "q=1e-12", LOSS_FLOAT64, x, t), logistic, 1, 1e-8);
        assert_close(pair("generalized_logistic", "q=1", LOSS_FLOAT64, x, t).value, missed, 1e-14, 0);
        assert_close(pair("poly1_logistic", "epsilon=3.5", LOSS_FLOAT64, x, t).value,
                     logistic.value + 3.5 * missed, 1e-14, 0);
    }
    /* p = ¼: (1 − ½)/½ = 1, and −log ¼ + 2 · ¾ */
    assert_close(pair("generalized_logistic", "", LOSS_FLOAT64, -log(3.0), 1).value, 1, 1e-15, 0);
    assert_close(pair("poly1_logistic", "", LOSS_FLOAT64, -log(3.0), 1).value, log(4.0) + 1.5, 1e-15, 0);
    /* with epsilon −1 the loss of a sure hit is half the square of what is missed, not the difference of two like numbers */
    for (int d = 0; d < 2; d++) {
        assert_close(pair("poly1_logistic", "epsilon=-1", dtypes[d], 20, 1).value, exp(-40.0) / 2, 4e-7, 0);
        assert_close(pair("poly1_logistic", "epsilon=-1", dtypes[d], 20, 1).gradient[0], -exp(-40.0), 4e-7,
                     0);
    }
}

static void test_margins_of_the_logit(void **state)
{
    (void)state;
    for (int i = 0; i < POINTS; i++) {
        const double x = logit_at(i), y = i % 2 ? 1 : -1;
        row logistic = pair("logistic", "", LOSS_FLOAT64, x, y > 0);
        check_same(pair("soft_margin", "", LOSS_FLOAT64, x, y), logistic, 1, 1e-15);
        row savage = pair("savage", "target_encoding=zero_one", LOSS_FLOAT64, x, y > 0);
        row brier = pair("squared_error", "", LOSS_FLOAT64, sigmoid(x), y > 0);
        assert_close(savage.value, brier.value, 1e-12, 0);
        assert_close(savage.gradient[0], brier.gradient[0] * sigmoid(x) * sigmoid(-x), 1e-12, 0);
        assert_close(pair("adaboost", "", LOSS_FLOAT64, x, y).value, exp(-y * x), 1e-15, 0);
    }
}

static void test_hinges(void **state)
{
    (void)state;
    for (int i = 0; i < POINTS; i++) {
        const double x = (i % 9 - 4) * 0.5 + (i % 2 ? 0 : scatter(i)), y = i % 4 < 2 ? 1 : -1;
        row hinge = pair("hinge", "", LOSS_FLOAT64, x, y);
        row squared = pair("squared_hinge", "", LOSS_FLOAT64, x, y);
        check_same(pair("perceptron", "", LOSS_FLOAT64, x, y), pair("hinge", "margin=0", LOSS_FLOAT64, x, y),
                   1, 0);
        check_same(pair("smoothed_hinge", "gamma=0", LOSS_FLOAT64, x, y), hinge, 1, 0);
        check_same(pair("modified_huber", "", LOSS_FLOAT64, x, y),
                   pair("smoothed_hinge", "gamma=2", LOSS_FLOAT64, x, y), 4, 1e-15);
        assert_close(squared.value, hinge.value * hinge.value, 1e-15, 0);
        assert_close(squared.gradient[0], 2 * hinge.value * hinge.gradient[0], 1e-15, 0);
        /* a high power discriminates like a hinge: apart by less than 1/(q + 1) */
        assert_close(pair("dwd", "q=100", LOSS_FLOAT64, x, y).value, hinge.value, 0, 1.0 / 101);
        /* an embedding's distance */
        assert_close(pair("hinge_embedding", "margin=1.5", LOSS_FLOAT64, x, y).value,
                     y > 0 ? x : fmax(0, 1.5 - x), 0, 0);
    }
    assert_close(pair("dwd", "", LOSS_FLOAT64, 2, 1).value, 0.125, 0, 0);
    assert_close(pair("dwd", "", LOSS_FLOAT64, -2, -1).gradient[0], 0.0625, 0, 0);
}

/* ---- kinks ---- */

/* At its corner a hinge has gradient 0: −1 in scikit-learn and PyTorch's embedding, −½ in JAX. */
static void test_corners(void **state)
{
    (void)state;
    for (int d = 0; d < 2; d++) {
        for (int y = -1; y <= 1; y += 2) {
            assert_close(pair("perceptron", "", dtypes[d], 0, y).gradient[0], 0, 0, 0);
            assert_close(pair("smoothed_hinge", "gamma=0", dtypes[d], y, y).gradient[0], 0, 0, 0);
            assert_close(pair("squared_hinge", "", dtypes[d], y, y).gradient[0], 0, 0, 0);
            assert_close(pair("squared_hinge", "", dtypes[d], y, y).curvature[0], 0, 0, 0);
            assert_close(pair("smoothed_hinge", "gamma=0.75", dtypes[d], 0.25 * y, y).gradient[0], -y, 0, 0);
            assert_close(pair("smoothed_hinge", "gamma=0.5", dtypes[d], 0.5 * y, y).curvature[0], 2, 0, 0);
            assert_close(pair("modified_huber", "", dtypes[d], -y, y).gradient[0], -4 * y, 0, 0);
            assert_close(pair("modified_huber", "", dtypes[d], -y, y).curvature[0], 2, 0, 0);
            assert_close(pair("modified_huber", "", dtypes[d], y, y).curvature[0], 0, 0, 0);
            assert_close(pair("dwd", "", dtypes[d], 0.5 * y, y).gradient[0], -y, 0, 0);
            assert_close(pair("dwd", "", dtypes[d], 0.5 * y, y).curvature[0], 4, 0, 0);
        }
        assert_close(pair("hinge_embedding", "", dtypes[d], 1, -1).gradient[0], 0, 0, 0);
    }
}

/* ---- properties ---- */

static void check_property(const char *name, const char *options, const char *property, int32_t expected)
{
    loss_function *function = make_function(name, options);
    int32_t got = -1;
    assert_status(context, loss_function_property(function, property, &got), LOSS_OK);
    assert_int_equal(got, expected);
    loss_function_free(function);
}

static void check_number(const char *name, const char *options, const char *number, double expected)
{
    loss_function *function = make_function(name, options);
    double got = -777;
    assert_status(context, loss_function_number(function, number, &got), LOSS_OK);
    assert_close(got, expected, 1e-12, 0);
    loss_function_free(function);
}

static void test_properties_follow_options(void **state)
{
    loss_function *function = make_function("smoothed_hinge", "gamma=0");
    (void)state;
    assert_status(context, loss_function_set_string(function, "curvature", "majorizer"), LOSS_ERROR_SUPPORT);
    loss_function_free(function);
    check_property("smoothed_hinge", "", "smooth", 1);
    check_property("smoothed_hinge", "gamma=0", "smooth", 0);
    check_property("focal", "", "convex", 0);
    check_property("focal", "gamma=0", "convex", 1);
    check_property("poly1_logistic", "", "convex", 0);
    check_property("poly1_logistic", "epsilon=1", "convex", 1);
    check_property("poly1_logistic", "epsilon=-1", "convex", 1);
    check_property("generalized_logistic", "", "convex", 0);
    check_property("generalized_logistic", "q=0", "convex", 1);
    check_property("asymmetric", "gamma_positive=0;gamma_negative=0;clip=0", "convex", 1);
    check_property("asymmetric", "gamma_negative=0", "smooth", 0);
    check_property("asymmetric", "", "smooth", 1);
    check_number("logistic", "positive_weight=3", "lipschitz", 3);
    check_number("logistic", "positive_weight=3", "curvature_bound", 0.75);
    check_number("smoothed_hinge", "gamma=0.25", "curvature_bound", 4);
    check_number("dwd", "q=2", "curvature_bound", 4.5);
    check_number("poly1_logistic", "epsilon=2", "lipschitz", 1.125);
    check_number("generalized_logistic", "q=1", "lipschitz", 0.25);
    /* where the second and the third derivative of −(1 − p)² log p are 0, found with 30 digits */
    check_number("focal", "alpha=-1", "lipschitz", 1.1289832185683982);
    check_number("focal", "alpha=-1", "curvature_bound", 0.49619134616812506);
    check_number("focal", "gamma=0", "curvature_bound", 0.1875);
    check_number("asymmetric", "", "continuous_derivatives", 4);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels_are_of_their_encoding),
        cmocka_unit_test(test_targets_are_probabilities),
        cmocka_unit_test(test_encodings_agree),
        cmocka_unit_test(test_nan_is_never_nothing),
        cmocka_unit_test(test_infinite_logits),
        cmocka_unit_test(test_soft_margin_far_out),
        cmocka_unit_test(test_logistic_grid),
        cmocka_unit_test(test_positive_weight),
        cmocka_unit_test(test_logistic_next_to_its_minimum),
        cmocka_unit_test(test_focal_is_finite),
        cmocka_unit_test(test_focal_numbers),
        cmocka_unit_test(test_focal_without_focus),
        cmocka_unit_test(test_focal_powers_meet),
        cmocka_unit_test(test_asymmetric_is_two_focal_losses),
        cmocka_unit_test(test_asymmetric_clip),
        cmocka_unit_test(test_poly_and_generalized),
        cmocka_unit_test(test_margins_of_the_logit),
        cmocka_unit_test(test_hinges),
        cmocka_unit_test(test_corners),
        cmocka_unit_test(test_properties_follow_options),
    };
    return cmocka_run_group_tests_name("loss_known_binary", tests, known_setup, known_teardown);
}
