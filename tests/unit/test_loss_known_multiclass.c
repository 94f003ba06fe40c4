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

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_divergence_is_cross_entropy),
        cmocka_unit_test(test_jensen_shannon),
        cmocka_unit_test(test_logarithms),
        cmocka_unit_test(test_pinsker),
        cmocka_unit_test(test_nothing_times_infinity),
        cmocka_unit_test(test_nearly_equal),
        cmocka_unit_test(test_ties),
        cmocka_unit_test(test_denominator),
    };
    return cmocka_run_group_tests(tests, known_setup, known_teardown);
}
