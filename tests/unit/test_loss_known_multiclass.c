/*
 * Losses over the columns of a row: identities between them, and mistakes that other libraries made and this one must not.
 */
#include <math.h>

#include "support/batch.h"
#include "support/check.h"
#include "support/known.h"

enum { COLUMNS = 4, ROWS = 60 };

/* Row i of generic logits, and of generic distributions. */
static void generic(int i, double *logits, double *target)
{
    double sum = 0;
    for (int j = 0; j < COLUMNS; j++) {
        logits[j] = 8 * scatter(COLUMNS * i + j) - 4;
        target[j] = 0.05 + scatter(COLUMNS * i + j + 1000);
        sum += target[j];
    }
    for (int j = 0; j < COLUMNS; j++) {
        target[j] /= sum;
    }
}

static void assert_same_row(const row *actual, const row *expected, double factor, double relative)
{
    assert_close(actual->value, factor * expected->value, relative, relative * factor);
    for (int j = 0; j < COLUMNS; j++) {
        assert_close(actual->gradient[j], factor * expected->gradient[j], relative, relative * factor);
        assert_close(actual->curvature[j], factor * expected->curvature[j], relative, relative * factor);
        assert_close(actual->product[j], factor * expected->product[j], relative, relative * factor);
    }
}

/* ---- identities ---- */

/* Cross-entropy is the divergence from the target and the target's entropy; of one-hot targets the divergence alone. */
static void test_divergence_is_cross_entropy(void **state)
{
    static const double direction[COLUMNS] = {0.5, -1.25, 2, 0.75};
    (void)state;
    for (int i = 0; i < ROWS; i++) {
        double logits[COLUMNS], target[COLUMNS], entropy = 0, one_hot[COLUMNS] = {0};
        row divergence, other;
        generic(i, logits, target);
        one_hot[i % COLUMNS] = 1;
        for (int j = 0; j < COLUMNS; j++) {
            entropy -= target[j] * log(target[j]);
        }
        divergence = evaluate_row("kullback_leibler", "", LOSS_FLOAT64, COLUMNS, logits, target, 0,
                                  direction);
        other = evaluate_row("cross_entropy", "", LOSS_FLOAT64, COLUMNS, logits, target, 0, direction);
        other.value -= entropy;
        assert_same_row(&divergence, &other, 1, 4e-15);
        divergence = evaluate_row("kullback_leibler", "", LOSS_FLOAT64, COLUMNS, logits, one_hot, 0,
                                  direction);
        other = evaluate_row("cross_entropy", "", LOSS_FLOAT64, COLUMNS, logits, NULL, i % COLUMNS,
                             direction);
        assert_same_row(&divergence, &other, 1, 4e-15);
    }
}

/* The mixture of one half is the same from both sides; the divergences at its ends come near at small beta. */
static void test_jensen_shannon(void **state)
{
    (void)state;
    for (int i = 0; i < ROWS; i++) {
        double logits[COLUMNS], target[COLUMNS], p[COLUMNS], sum = 0;
        row there, back, forward;
        generic(i, logits, target);
        for (int j = 0; j < COLUMNS; j++) {
            sum += exp(logits[j]);
        }
        for (int j = 0; j < COLUMNS; j++) {
            p[j] = exp(logits[j]) / sum;
        }
        there = evaluate_row("jensen_shannon", "input=probabilities", LOSS_FLOAT64, COLUMNS, p, target, 0,
                             NULL);
        back = evaluate_row("jensen_shannon", "input=probabilities", LOSS_FLOAT64, COLUMNS, target, p, 0,
                            NULL);
        assert_close(there.value, back.value, 1e-14, 0);
        assert_true(there.value > 0 && there.value < log(2));
        back = evaluate_row("jensen_shannon", "", LOSS_FLOAT64, COLUMNS, logits, target, 0, NULL);
        assert_close(there.value, back.value, 1e-12, 0);
        there = evaluate_row("jensen_shannon", "beta=1e-6", LOSS_FLOAT64, COLUMNS, logits, target, 0, NULL);
        forward = evaluate_row("kullback_leibler", "", LOSS_FLOAT64, COLUMNS, logits, target, 0, NULL);
        assert_close(there.value / 1e-6, forward.value, 1e-4, 0);
        there = evaluate_row("jensen_shannon", "beta=0.999999", LOSS_FLOAT64, COLUMNS, logits, target, 0,
                             NULL);
        forward = evaluate_row("reverse_kullback_leibler", "", LOSS_FLOAT64, COLUMNS, logits, target, 0,
                               NULL);
        assert_close(there.value / 1e-6, forward.value, 1e-4, 0);
    }
}

/* Of log-probabilities, in predictions or in targets, divergences are those of the probabilities. */
static void test_logarithms(void **state)
{
    static const char *const names[] = {"kullback_leibler", "reverse_kullback_leibler", "jensen_shannon",
                                        "total_variation"};
    (void)state;
    for (int i = 0; i < ROWS; i++) {
        double logits[COLUMNS], target[COLUMNS], logarithms[COLUMNS];
        generic(i, logits, target);
        for (int j = 0; j < COLUMNS; j++) {
            logarithms[j] = log(target[j]);
        }
        for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
            row plain = evaluate_row(names[k], "", LOSS_FLOAT64, COLUMNS, logits, target, 0, NULL);
            row other = evaluate_row(names[k], "target_input=log_probabilities", LOSS_FLOAT64, COLUMNS,
                                     logits, logarithms, 0, NULL);
            row same = evaluate_row(names[k], "", LOSS_FLOAT64, COLUMNS, logarithms, target, 0, NULL);
            assert_same_row(&other, &plain, 1, 1e-14);
            assert_close(same.value, 0, 0, 1e-15);
            if (k < 3) { /* total variation has a kink there */
                assert_close(same.gradient[0], 0, 0, 1e-14);
            }
        }
    }
}

/* Pinsker's inequality holds total variation and the divergence together. */
static void test_pinsker(void **state)
{
    (void)state;
    for (int i = 0; i < ROWS; i++) {
        double logits[COLUMNS], target[COLUMNS], distance, divergence;
        generic(i, logits, target);
        distance = evaluate_row("total_variation", "", LOSS_FLOAT64, COLUMNS, logits, target, 0, NULL).value;
        divergence =
            evaluate_row("kullback_leibler", "", LOSS_FLOAT64, COLUMNS, logits, target, 0, NULL).value;
        assert_true(distance > 0 && distance <= sqrt(divergence / 2));
    }
}

/* ---- mistakes of others ---- */

/* PyTorch gives NaN for a target of 0 whose log-probability is -infinity, optax gave it for targets of 0. */
static void test_nothing_times_infinity(void **state)
{
    static const double inf = (double)INFINITY;
    (void)state;
    for (int k = 0; k < 2; k++) {
        const double logarithms[] = {-inf, log(0.25), log(0.75)}, target[] = {0, 0.25, 0.75};
        static const char *const options[] = {"", "input=log_probabilities"};
        for (int i = 0; i < 2; i++) {
            row made = evaluate_row("kullback_leibler", options[i], dtypes[k], 3, logarithms, target, 0,
                                    NULL);
            assert_close(made.value, 0, 0, 4 * tolerance[k]);
            assert_close(made.gradient[0], 0, 0, 0);
        }
        row made = evaluate_row("reverse_kullback_leibler", "", dtypes[k], 3, logarithms, target, 0, NULL);
        assert_close(made.value, 0, 0, 4 * tolerance[k]);
        made = evaluate_row("jensen_shannon", "", dtypes[k], 3, logarithms, target, 0, NULL);
        assert_close(made.value, 0, 0, 4 * tolerance[k]);
        assert_close(made.gradient[0], 0, 0, 0);
    }
}

/* A divergence near 0 keeps its digits: here it is sum (t - p)^2 / (2 p) = 3e-12 but for higher terms. */
static void test_nearly_equal(void **state)
{
    static const double logits[] = {0, 0}, target[] = {0.5 + 0x1p-20, 0.5 - 0x1p-20};
    const double expected = 2 * 0x1p-40;
    (void)state;
    for (int k = 0; k < 2; k++) {
        assert_close(evaluate_row("kullback_leibler", "", dtypes[k], 2, logits, target, 0, NULL).value,
                     expected, 1e-6, 0);
        assert_close(
            evaluate_row("reverse_kullback_leibler", "", dtypes[k], 2, logits, target, 0, NULL).value,
            expected, 1e-6, 0);
        assert_close(evaluate_row("jensen_shannon", "", dtypes[k], 2, logits, target, 0, NULL).value,
                     expected / 4, 1e-6, 0);
    }
}

/* A tie of the total variation has the sign 0; Liger takes -1/2. */
static void test_ties(void **state)
{
    static const double p[] = {0.25, 0.5, 0.25}, target[] = {0.25, 0.25, 0.5}, logits[] = {1.5, 1.5},
                        half[] = {0.5, 0.5};
    row made = evaluate_row("total_variation", "input=probabilities", LOSS_FLOAT64, 3, p, target, 0, NULL);
    (void)state;
    assert_close(made.gradient[0], 0, 0, 0);
    assert_close(made.gradient[1], 0.5, 0, 0);
    assert_close(made.gradient[2], -0.5, 0, 0);
    made = evaluate_row("total_variation", "", LOSS_FLOAT64, 2, logits, half, 0, NULL);
    assert_close(made.value, 0, 0, 0);
    assert_close(made.gradient[0], 0, 0, 0);
}

/* A row counts as one, as in PyTorch's batchmean; its mean over elements is no divergence. */
static void test_denominator(void **state)
{
    static const double logits[] = {1, 2, 0, 1, 2, -1}, target[] = {0.5, 0.5, 0.25, 0.75, 0.125, 0.875};
    (void)state;
    for (int i = 0; i < 6; i += 2) {
        const double total = log(exp(logits[i]) + exp(logits[i + 1]));
        row made = evaluate_row("kullback_leibler", "", LOSS_FLOAT64, 2, logits + i, target + i, 0, NULL);
        assert_close(made.denominator, 1, 0, 0);
        assert_close(made.cost, made.value, 0, 0);
        assert_close(made.value,
                     target[i] * (log(target[i]) - logits[i] + total) +
                         target[i + 1] * (log(target[i + 1]) - logits[i + 1] + total),
                     0, 1e-15); /* what rounding makes of terms of size 1 */
    }
}

/* ---- the label's probability ---- */

/* A loss and the options at which it is cross-entropy. */
static const struct {
    const char *name, *options;
    double factor; /* times this */
} cross_entropies[] = {
    {"generalized_cross_entropy", "q=0", 1},          {"poly1_cross_entropy", "epsilon=0", 1},
    {"softmax_focal", "gamma=0;alpha=1", 1},          {"softmax_focal", "gamma=0", 0.25},
    {"symmetric_cross_entropy", "alpha=1;beta=0", 1}, {"symmetric_cross_entropy", "alpha=3;log_zero=0", 3},
};

enum { CROSS_ENTROPIES = sizeof cross_entropies / sizeof *cross_entropies };

/* Without what each of them adds they are cross-entropy, of labels and of distributions; their best constants too. */
static void test_cross_entropy_within(void **state)
{
    static const double direction[COLUMNS] = {0.5, -1.25, 2, 0.75};
    (void)state;
    for (int i = 0; i < ROWS; i++) {
        double logits[COLUMNS], target[COLUMNS];
        generic(i, logits, target);
        for (int k = 0; k < CROSS_ENTROPIES; k++) {
            for (int labels = 0; labels < 2; labels++) {
                const double *given = labels ? NULL : target;
                row made = evaluate_row(cross_entropies[k].name, cross_entropies[k].options, LOSS_FLOAT64,
                                        COLUMNS, logits, given, i % COLUMNS, direction);
                row plain = evaluate_row("cross_entropy", "", LOSS_FLOAT64, COLUMNS, logits, given,
                                         i % COLUMNS, direction);
                assert_same_row(&made, &plain, cross_entropies[k].factor, 4e-15);
            }
        }
    }
}

/* Where cross-entropy is all there is, the best constant is the logarithm of the shares; else there is no closed form. */
static void test_cross_entropy_constants(void **state)
{
    static const int64_t labels[] = {0, 1, 1, 2, 1, 0, 1, 1};
    static const double shares[] = {0.25, 0.625, 0.125};
    (void)state;
    for (int k = 0; k < CROSS_ENTROPIES; k++) {
        for (int plain = 0; plain < 2; plain++) {
            loss_function *function = make_function(cross_entropies[k].name,
                                                    plain ? cross_entropies[k].options : "");
            double constant[3] = {7, 7, 7};
            loss_data *inputs;
            assert_status(context, loss_data_create(&inputs, context), LOSS_OK);
            loss_data_set_input(inputs, "target", labels, LOSS_INT64, 8, 1, 1, 1);
            assert_status(context, loss_function_best_constant(context, function, inputs, 3, constant),
                          plain ? LOSS_OK : LOSS_ERROR_SUPPORT);
            for (int j = 0; j < 3; j++) {
                assert_close(constant[j], plain ? log(shares[j]) : 7, 4e-15, 0);
            }
            loss_data_free(inputs);
            loss_function_free(function);
        }
    }
}

/* A label is its one-hot distribution; q near 0 is near cross-entropy, and q = 1 is the probability missed. */
static void test_label_is_one_hot(void **state)
{
    static const double direction[COLUMNS] = {0.5, -1.25, 2, 0.75};
    static const char *const names[] = {"generalized_cross_entropy", "poly1_cross_entropy", "softmax_focal",
                                        "symmetric_cross_entropy"};
    (void)state;
    for (int i = 0; i < ROWS; i++) {
        double logits[COLUMNS], target[COLUMNS], one_hot[COLUMNS] = {0};
        generic(i, logits, target);
        one_hot[i % COLUMNS] = 1;
        for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
            row label = evaluate_row(names[k], "class_weight=0.5 2 1.25 3", LOSS_FLOAT64, COLUMNS, logits,
                                     NULL, i % COLUMNS, direction);
            row other = evaluate_row(names[k], "class_weight=0.5 2 1.25 3", LOSS_FLOAT64, COLUMNS, logits,
                                     one_hot, 0, direction);
            assert_same_row(&label, &other, 1, 1e-14);
            assert_close(label.value / label.denominator, label.cost, 1e-15, 0);
            assert_close(other.denominator, 1, 0, 0);
        }
        row plain = evaluate_row("cross_entropy", "", LOSS_FLOAT64, COLUMNS, logits, NULL, i % COLUMNS, NULL);
        row near = evaluate_row("generalized_cross_entropy", "q=1e-9", LOSS_FLOAT64, COLUMNS, logits, NULL,
                                i % COLUMNS, NULL);
        row missed = evaluate_row("generalized_cross_entropy", "q=1", LOSS_FLOAT64, COLUMNS, logits, NULL,
                                  i % COLUMNS, NULL);
        assert_close(near.value, plain.value, 1e-8, 0);
        assert_close(missed.value, -plain.gradient[i % COLUMNS], 1e-14, 0);
    }
}

/* Two classes are one logit: the losses of two classes are those of their difference. */
static void test_two_classes(void **state)
{
    static const struct {
        const char *name, *options, *binary, *binary_options;
    } pairs[] = {
        {"generalized_cross_entropy", "q=0.7", "generalized_logistic", "q=0.7"},
        {"generalized_cross_entropy", "q=1", "generalized_logistic", "q=1"},
        {"poly1_cross_entropy", "", "poly1_logistic", ""},
        {"poly1_cross_entropy", "epsilon=-1", "poly1_logistic", "epsilon=-1"},
        {"softmax_focal", "alpha=1", "focal", "alpha=-1"},
        {"softmax_focal", "alpha=1;gamma=0.5", "focal", "alpha=-1;gamma=0.5"},
        {"symmetric_cross_entropy", "alpha=1", "poly1_logistic", "epsilon=4"},
    };
    (void)state;
    for (int i = 0; i < ROWS; i++) {
        const double logits[] = {10 * scatter(i) - 5, 10 * scatter(i + 500) - 5}, x = logits[1] - logits[0];
        for (size_t k = 0; k < sizeof pairs / sizeof *pairs; k++) {
            for (int64_t label = 0; label < 2; label++) {
                row made = evaluate_row(pairs[k].name, pairs[k].options, LOSS_FLOAT64, 2, logits, NULL, label,
                                        NULL);
                row one = pair(pairs[k].binary, pairs[k].binary_options, LOSS_FLOAT64, x, (double)label);
                assert_close(made.value, one.value, 2e-14, 0);
                assert_close(made.gradient[1], one.gradient[0], 2e-14, 0);
                assert_close(made.gradient[0], -one.gradient[0], 2e-14, 0);
                assert_close(made.curvature[0], one.curvature[0], 2e-13, 1e-15);
                assert_close(made.curvature[1], made.curvature[0], 2e-13, 1e-15);
            }
        }
    }
}

/* Focal losses of kornia and optax gave NaN where 1 - p is 0 and gamma < 1; a sure label costs what is left of it. */
static void test_sure_labels(void **state)
{
    static const double sure[] = {2000, 0}, nearly[] = {20, 0},
                        tiny = 2.0611536203143807e-9; /* log(1 + e^-20) */
    static const char *const focal[] = {"gamma=0.5", "gamma=0.001", "gamma=1", "gamma=2", "gamma=0"};
    static const char *const names[] = {"generalized_cross_entropy", "poly1_cross_entropy", "softmax_focal",
                                        "symmetric_cross_entropy"};
    static const char *const options[] = {"", "", "gamma=0;alpha=1", ""};
    static const double factors[] = {1, 3, 1, 4.1}; /* the slope of each at p = 1 */
    const double first_order = 4 * tiny;            /* what is left out by it alone */
    (void)state;
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; i < sizeof focal / sizeof *focal; i++) {
            row made = evaluate_row("softmax_focal", focal[i], dtypes[k], 2, sure, NULL, 0, sure);
            for (int j = 0; j < 2; j++) {
                assert_close(made.value + made.gradient[j] + made.curvature[j] + made.product[j], 0, 0, 0);
            }
        }
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            row made = evaluate_row(names[i], options[i], dtypes[k], 2, nearly, NULL, 0, NULL);
            assert_close(made.value, factors[i] * tiny, first_order + 4 * tolerance[k], 0);
            assert_ulp(made.gradient[0], -made.gradient[1], 4, dtypes[k]); /* each is rounded by itself */
            assert_close(made.gradient[1], factors[i] * tiny, first_order + 4 * tolerance[k], 0);
        }
    }
}

/* torch.nn.NLLLoss: log-probabilities are taken as they are, so the gradient is −w of the label and nothing elsewhere. */
static void test_negative_log_likelihood(void **state)
{
    static const double logarithms[] = {-0.5, -1.75, -2.25, -40};
    (void)state;
    for (int k = 0; k < 2; k++) {
        for (int label = 0; label < COLUMNS; label++) {
            const row made = evaluate_row("nll_loss", "input=log_probabilities;class_weight=1 3 0.5 2",
                                          k == 0 ? LOSS_FLOAT32 : LOSS_FLOAT64, COLUMNS, logarithms, NULL,
                                          label, logarithms);
            static const double weight[] = {1, 3, 0.5, 2};
            assert_close(made.value, -weight[label] * logarithms[label], 0, 0);
            for (int j = 0; j < COLUMNS; j++) {
                assert_close(made.gradient[j], j == label ? -weight[label] : 0, 0, 0);
                assert_close(made.curvature[j], 0, 0, 0);
                assert_close(made.product[j], 0, 0, 0);
            }
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_negative_log_likelihood),
        cmocka_unit_test(test_divergence_is_cross_entropy),
        cmocka_unit_test(test_jensen_shannon),
        cmocka_unit_test(test_logarithms),
        cmocka_unit_test(test_pinsker),
        cmocka_unit_test(test_nothing_times_infinity),
        cmocka_unit_test(test_nearly_equal),
        cmocka_unit_test(test_ties),
        cmocka_unit_test(test_denominator),
        cmocka_unit_test(test_cross_entropy_within),
        cmocka_unit_test(test_cross_entropy_constants),
        cmocka_unit_test(test_label_is_one_hot),
        cmocka_unit_test(test_two_classes),
        cmocka_unit_test(test_sure_labels),
    };
    return cmocka_run_group_tests(tests, known_setup, known_teardown);
}
