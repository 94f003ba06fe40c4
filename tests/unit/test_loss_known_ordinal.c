/*
 * Losses of ordered classes: what they are for two classes, known numbers, and what may not change.
 */
#include <math.h>

#include "support/batch.h"
#include "support/check.h"
#include "support/known_roles.h"

enum { LEVELS = 3 };

static const char *level_role(const char *name)
{
    return name[1] == 'o' ? "biases" : "thresholds"; /* coral or cumulative_logit */
}

static known_outputs ordinal(const char *name, loss_dtype dtype, double x, double k, int64_t levels,
                             const double *level, const char *of)
{
    const known_role given[] = {{"prediction", 1, 1, &x, 0},
                                {"target", 1, 1, &k, 1},
                                {level_role(name), 1, levels, level, 0},
                                {NULL, 0, 0, NULL, 0}};
    return evaluate_roles(name, "", dtype, given, of, NULL, 1, 1);
}

/* With two classes both are the logistic loss of the score, seen from the one level there is. */
static void test_two_classes(void **state)
{
    static const double scores[] = {-40.5, -2.385, 0.125, 3, 60}, level = 0.75;
    (void)state;
    for (int t = 0; t < 2; t++) {
        for (size_t i = 0; i < sizeof scores / sizeof *scores; i++) {
            for (int k = 0; k < 2; k++) {
                const row above = pair("logistic", "", dtypes[t], scores[i] + level, k),
                          over = pair("logistic", "", dtypes[t], scores[i] - level, k);
                const known_outputs coral = ordinal("coral", dtypes[t], scores[i], k, 1, &level,
                                                    "prediction");
                const known_outputs odds = ordinal("cumulative_logit", dtypes[t], scores[i], k, 1, &level,
                                                   "prediction");
                assert_close(coral.value[0], above.value, 4 * tolerance[t], 0);
                assert_close(coral.gradient[0], above.gradient[0], 4 * tolerance[t], 0);
                assert_close(coral.curvature[0], above.curvature[0], 4 * tolerance[t], 0);
                assert_close(odds.value[0], over.value, 4 * tolerance[t], 0);
                assert_close(odds.gradient[0], over.gradient[0], 4 * tolerance[t], 0);
                assert_close(odds.curvature[0], over.curvature[0], 4 * tolerance[t], 0);
            }
        }
    }
}

/* A score of 1/2 with biases 1, 0, -1 is 3/2, 1/2 and -1/2 above the levels: the terms are log(1 + e^-t) of those or of their opposites. */
static void test_coral_numbers(void **state)
{
    static const double biases[LEVELS] = {1, 0, -1};
    static const double far = 0.20141327798275243, near = 0.47407698418010668; /* t = 3/2, 1/2 */
    static const double values[] = {far + 1.5 + near + 0.5 + near, far + near + 0.5 + near, far + near + near,
                                    far + near + near + 0.5};
    (void)state;
    for (int t = 0; t < 2; t++) {
        for (int k = 0; k <= LEVELS; k++) {
            const known_outputs score = ordinal("coral", dtypes[t], 0.5, k, LEVELS, biases, "prediction");
            const known_outputs level = ordinal("coral", dtypes[t], 0.5, k, LEVELS, biases, "biases");
            double slope = 0, bend = 0;
            assert_close(score.value[0], values[k], 4 * tolerance[t], 0);
            assert_close(score.denominator, 1, 0, 0);
            for (int j = 0; j < LEVELS; j++) { /* sigma(t) - [k > j] */
                assert_close(level.gradient[j], 1 / (1 + exp(-0.5 - biases[j])) - (k > j), 8 * tolerance[t],
                             0);
                slope += level.gradient[j];
                bend += level.curvature[j];
            }
            assert_close(score.gradient[0], slope, 8 * tolerance[t], tolerance[t]);
            assert_close(score.curvature[0], bend, 8 * tolerance[t], 0);
        }
    }
}

/* Thresholds at the logarithms of 1/3, 1 and 3 cut the logistic distribution into quarters. */
static void test_quarters(void **state)
{
    const double thresholds[LEVELS] = {-log(3), 0, log(3)};
    (void)state;
    for (int t = 0; t < 2; t++) {
        for (int k = 0; k <= LEVELS; k++) {
            const known_outputs made = ordinal("cumulative_logit", dtypes[t], 0, k, LEVELS, thresholds,
                                               "prediction");
            assert_close(made.value[0], log(4), 8 * tolerance[t], 0);
        }
    }
}

/* The classes' probabilities add up to 1, wherever the score is. */
static void test_probabilities(void **state)
{
    static const double thresholds[LEVELS] = {-1.25, 0.5, 2.385};
    (void)state;
    for (int t = 0; t < 2; t++) {
        for (double x = -9; x < 10; x += 1.7) {
            double sum = 0;
            for (int k = 0; k <= LEVELS; k++) {
                sum += exp(
                    -ordinal("cumulative_logit", dtypes[t], x, k, LEVELS, thresholds, "prediction").value[0]);
            }
            assert_close(sum, 1, 8 * tolerance[t], 0);
        }
    }
}

/* Scores and levels seen from elsewhere, and classes counted from the other end; numbers are multiples of 1/64. */
static void test_symmetries(void **state)
{
    static const char *const names[] = {"coral", "cumulative_logit"};
    static const double levels[2][LEVELS] = {{1.25, 0.5, -2.375}, {-1.25, 0.5, 2.375}};
    (void)state;
    for (int t = 0; t < 2; t++) {
        for (int n = 0; n < 2; n++) {
            for (int i = 0; i < 40; i++) {
                const double x = floor(64 * (8 * scatter(i) - 4)) / 64, by = n == 0 ? -3.5 : 3.5;
                const int k = i % (LEVELS + 1);
                double moved[LEVELS], opposite[LEVELS];
                for (int j = 0; j < LEVELS; j++) {
                    moved[j] = levels[n][j] + by;
                    opposite[j] = -levels[n][LEVELS - 1 - j];
                }
                const known_outputs here = ordinal(names[n], dtypes[t], x, k, LEVELS, levels[n],
                                                   "prediction");
                const known_outputs there = ordinal(names[n], dtypes[t], x + 3.5, k, LEVELS, moved,
                                                    "prediction");
                const known_outputs back = ordinal(names[n], dtypes[t], -x, LEVELS - k, LEVELS, opposite,
                                                   "prediction");
                assert_close(there.value[0], here.value[0], 0, 0);
                assert_close(there.gradient[0], here.gradient[0], 0, 0);
                assert_close(back.value[0], here.value[0], 8 * tolerance[t], 0);
                assert_close(back.gradient[0], -here.gradient[0], 8 * tolerance[t], tolerance[t]);
                assert_close(back.curvature[0], here.curvature[0], 8 * tolerance[t], 0);
            }
        }
    }
}

/* Far out the loss is a line, not infinite, and the right class costs e^-x, not 0. */
static void test_far_scores(void **state)
{
    static const double biases[LEVELS] = {0, 0, 0}, thresholds[LEVELS] = {-1, 0, 1};
    (void)state;
    for (int t = 0; t < 2; t++) {
        assert_close(ordinal("coral", dtypes[t], 1e4, 0, LEVELS, biases, "prediction").value[0], 3e4,
                     tolerance[t], 0);
        assert_close(ordinal("coral", dtypes[t], 50, LEVELS, LEVELS, biases, "prediction").value[0],
                     3 * exp(-50), 8 * tolerance[t], 0);
        assert_close(
            ordinal("cumulative_logit", dtypes[t], 1e4, 0, LEVELS, thresholds, "prediction").value[0],
            1e4 + 1, tolerance[t], 0);
        assert_close(
            ordinal("cumulative_logit", dtypes[t], 50, LEVELS, LEVELS, thresholds, "prediction").value[0],
            exp(-49), 8 * tolerance[t], 0);
    }
}

/* There is one class more than levels, and none below 0. */
static void test_labels(void **state)
{
    static const char *const names[] = {"coral", "cumulative_logit"};
    static const double levels[2][LEVELS] = {{1, 0, -1}, {-1, 0, 1}};
    (void)state;
    for (int n = 0; n < 2; n++) {
        for (int side = 0; side < 2; side++) {
            const double k = side == 0 ? -1 : LEVELS + 1;
            assert_status(context,
                          ordinal(names[n], LOSS_FLOAT64, 0.5, k, LEVELS, levels[n], "prediction").status,
                          LOSS_ERROR_LABEL);
            assert_sentence(context, "0 … 3");
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_classes), cmocka_unit_test(test_coral_numbers),
        cmocka_unit_test(test_quarters),    cmocka_unit_test(test_probabilities),
        cmocka_unit_test(test_symmetries),  cmocka_unit_test(test_far_scores),
        cmocka_unit_test(test_labels),
    };
    return cmocka_run_group_tests_name("loss_known_ordinal", tests, known_setup, known_teardown);
}
