/*
 * Losses of similarities: identities with other losses, and mistakes that other libraries made and this one must not.
 */
#include <math.h>

#include "support/batch.h"
#include "support/check.h"
#include "support/known_roles.h"

enum { TRIES = 40 };

/* Similarities of rows × columns; positives as labels or as a mask, negatives may be NULL. */
static known_outputs of_similarities(const char *name, const char *options, loss_dtype dtype, int64_t rows,
                                     int64_t columns, const double *s, const double *labels,
                                     const double *positives, const double *negatives,
                                     const double *direction)
{
    known_role roles[4] = {{"prediction", rows, columns, s, 0}};
    roles[1] = labels != NULL ? (known_role){"target", rows, 1, labels, 1}
                              : (known_role){"positives", rows, columns, positives, 0};
    roles[2] = negatives != NULL ? (known_role){"negatives", rows, columns, negatives, 0} : (known_role){0};
    return evaluate_roles(name, options, dtype, roles, "prediction", direction, rows, 1);
}

static double generic(int i, double spread)
{
    return spread * (2 * scatter(i) - 1);
}

/* ---- InfoNCE ---- */

/* With one positive and nothing left out: the cross-entropy of s/τ. N-pairs is that at temperature 1. */
static void test_info_nce_is_cross_entropy(void **state)
{
    static const double temperatures[] = {0.5, 1};
    static const char *const options[] = {"temperature=0.5", "temperature=1"};
    (void)state;
    for (int i = 0; i < 2 * TRIES; i++) {
        const double t = temperatures[i % 2], label = i % 4;
        double s[4], scaled[4], along[4];
        for (int j = 0; j < 4; j++) {
            s[j] = generic(4 * i + j, 2);
            scaled[j] = s[j] / t;
            along[j] = generic(4 * i + j + 2000, 1);
        }
        const row other = evaluate_row("cross_entropy", "", LOSS_FLOAT64, 4, scaled, NULL, i % 4, along);
        for (int which = 0; which < 2; which++) { /* of one positive SupCon is the same */
            const known_outputs made = of_similarities(which == 0 ? "n_pairs" : "supervised_contrastive",
                                                       options[i % 2], LOSS_FLOAT64, 1, 4, s, &label, NULL,
                                                       NULL, along);
            assert_close(made.value[0], other.value, 4e-15, 0);
            assert_close(made.denominator, 1, 0, 0);
            for (int j = 0; j < 4; j++) {
                assert_close(made.gradient[j] * t, other.gradient[j], 4e-15, 0);
                assert_close(made.curvature[j] * t * t, other.curvature[j], 4e-15, 0);
                assert_close(made.product[j] * t * t, other.product[j], 1e-14, 1e-16);
            }
        }
    }
}

/* Other positives of an anchor are not in the sum: each pair is a cross-entropy of its own, and the cost their mean. */
static void test_info_nce_several_positives(void **state)
{
    static const double s[] = {0.5, -0.25, 0.75, 0, 0.125}, positives[] = {1, 0, 1, 0, 0};
    static const double first[] = {0.5, -0.25, 0, 0.125}, second[] = {0.75, -0.25, 0, 0.125};
    (void)state;
    for (int k = 0; k < 2; k++) {
        const known_outputs made = of_similarities("nt_xent", "temperature=1", dtypes[k], 1, 5, s, NULL,
                                                   positives, NULL, NULL);
        const row one = evaluate_row("cross_entropy", "", dtypes[k], 4, first, NULL, 0, NULL);
        const row two = evaluate_row("cross_entropy", "", dtypes[k], 4, second, NULL, 0, NULL);
        assert_close(made.value[0], one.value + two.value, tolerance[k], 0);
        assert_close(made.denominator, 2, 0, 0);
        assert_close(made.gradient[2], two.gradient[0], 2 * tolerance[k], 0);
        assert_close(made.gradient[1], one.gradient[1] + two.gradient[1], 2 * tolerance[k], 0);
    }
}

/* log(numerator/denominator + smallest number) saturates near 87 in float32, and its gradient is 0 there. */
static void test_info_nce_does_not_saturate(void **state)
{
    static const double s[] = {-1, 1, 0.5}, label = 0;
    (void)state;
    for (int k = 0; k < 2; k++) {
        const known_outputs made = of_similarities("info_nce", "temperature=0.01", dtypes[k], 1, 3, s, &label,
                                                   NULL, NULL, NULL);
        assert_close(made.value[0], 200, tolerance[k], 0);
        assert_close(made.gradient[0], -100, tolerance[k], 0);
        assert_close(made.gradient[1], 100, tolerance[k], 0);
        assert_close(made.gradient[2], 100 * exp(-50), k == 0 ? 1e-6 : 1e-14, 0);
    }
}

/* Anchors without a positive or without a negative do not count. */
static void test_info_nce_skips(void **state)
{
    static const double s[] = {1, 2, 3, 1, 2, 3, 3, 0, 1};
    static const double positives[] = {0, 0, 0, 1, 1, 1, 0, 1, 0};
    (void)state;
    for (int k = 0; k < 2; k++) {
        const known_outputs made = of_similarities("info_nce", "temperature=1", dtypes[k], 3, 3, s, NULL,
                                                   positives, NULL, NULL);
        assert_close(made.denominator, 1, 0, 0);
        assert_close(made.sum, log(1 + exp(3) + exp(1)), 2 * tolerance[k], 0);
        for (int j = 0; j < 6; j++) {
            assert_close(made.gradient[j], 0, 0, 0);
            assert_close(made.curvature[j], 0, 0, 0);
        }
    }
    assert_status(
        context,
        of_similarities("info_nce", "", LOSS_FLOAT64, 1, 9, s, &(double){9}, NULL, NULL, NULL).status,
        LOSS_ERROR_LABEL);
    assert_sentence(context, "0 … 8");
    assert_status(context, of_similarities("info_nce", "", LOSS_FLOAT64, 1, 9, s, NULL, s, NULL, NULL).status,
                  LOSS_ERROR_DOMAIN);
    assert_sentence(context, "0 or 1");
}

/* What is no negative is not read: an anchor beside itself, whatever stands there. Far negatives cost nothing. */
static void test_left_out(void **state)
{
    static const double s[] = {(double)NAN, 0.5, -0.25, 0.125}, positives[] = {0, 1, 0, 0};
    static const double negatives[] = {0, 0, 1, 1}, kept[] = {0.5, -0.25, 0.125}, label = 0;
    static const double away[] = {0.5, -(double)INFINITY, -(double)INFINITY};
    static const char *const names[] = {"info_nce", "supervised_contrastive"};
    (void)state;
    for (int k = 0; k < 4; k++) {
        const known_outputs made = of_similarities(names[k / 2], "", dtypes[k % 2], 1, 4, s, NULL, positives,
                                                   negatives, NULL);
        const known_outputs other = of_similarities(names[k / 2], "", dtypes[k % 2], 1, 3, kept, &label, NULL,
                                                    NULL, NULL);
        const known_outputs far = of_similarities(names[k / 2], "", dtypes[k % 2], 1, 3, away, &label, NULL,
                                                  NULL, NULL);
        assert_close(made.value[0], other.value[0], 0, 0);
        assert_close(made.gradient[0], 0, 0, 0);
        assert_close(made.gradient[1], other.gradient[0], 0, 0);
        assert_close(made.gradient[3], other.gradient[2], 0, 0);
        assert_close(far.value[0], 0, 0, 0);
        assert_close(far.gradient[0], 0, 0, 0);
    }
}

/* ---- SupCon ---- */

/* Anchors without positives gave NaN elsewhere. */
static void test_anchors_without_positives(void **state)
{
    static const double s[] = {1, 2, 3, 3, 0, 1}, positives[] = {0, 0, 0, 0, 1, 1};
    (void)state;
    for (int k = 0; k < 2; k++) {
        const known_outputs made = of_similarities("sup_con", "temperature=1", dtypes[k], 2, 3, s, NULL,
                                                   positives, NULL, NULL);
        const known_outputs none = of_similarities("sup_con", "", dtypes[k], 1, 3, s, NULL, positives, NULL,
                                                   NULL);
        assert_close(made.value[0], 0, 0, 0);
        assert_close(made.gradient[1], 0, 0, 0);
        assert_close(made.denominator, 1, 0, 0);
        assert_close(made.sum, log(exp(3) + 1 + exp(1)) - 0.5, 2 * tolerance[k], 0);
        assert_close(none.sum, 0, 0, 0);
        assert_close(none.denominator, 0, 0, 0);
    }
}

/* The cross-entropy of s/τ with the positives as a distribution. */
static void test_supervised_is_cross_entropy(void **state)
{
    static const double positives[] = {0, 1, 1, 0}, target[] = {0, 0.5, 0.5, 0};
    (void)state;
    for (int i = 0; i < TRIES; i++) {
        double s[4], scaled[4], along[4];
        for (int j = 0; j < 4; j++) {
            s[j] = generic(4 * i + j, 2);
            scaled[j] = 2 * s[j];
            along[j] = generic(4 * i + j + 2000, 1);
        }
        const known_outputs made = of_similarities("supcon", "temperature=0.5", LOSS_FLOAT64, 1, 4, s, NULL,
                                                   positives, NULL, along);
        const row other = evaluate_row("cross_entropy", "", LOSS_FLOAT64, 4, scaled, target, 0, along);
        assert_close(made.value[0], other.value, 2e-15, 0);
        for (int j = 0; j < 4; j++) {
            assert_close(made.gradient[j], 2 * other.gradient[j], 2e-15, 4e-16);
            assert_close(made.curvature[j], 4 * other.curvature[j], 4e-15, 0);
            assert_close(made.product[j], 4 * other.product[j], 1e-14, 1e-15);
        }
    }
}

/* Positives that agree, negatives far away: the gradient is what the negatives leave, not a rounding error of 1/2. */
static void test_supervised_tail(void **state)
{
    static const double s[] = {30, 30, 0}, positives[] = {1, 1, 0};
    const double far = exp(-30);
    (void)state;
    for (int k = 0; k < 2; k++) {
        const known_outputs made = of_similarities("supervised_contrastive", "temperature=1", dtypes[k], 1, 3,
                                                   s, NULL, positives, NULL, NULL);
        assert_close(made.gradient[0], -far / (2 * (2 + far)), k == 0 ? 1e-6 : 4e-15, 0);
        assert_close(made.gradient[1], made.gradient[0], 0, 0);
        assert_close(made.gradient[2], far / (2 + far), k == 0 ? 1e-6 : 4e-15, 0);
    }
}

/* ---- NaN ---- */

/* Wherever it stands, in similarities or masks, in rows of every length: a vectorised loop must not lose it. */
static void test_nan_everywhere(void **state)
{
    static const char *const rows[] = {"info_nce", "supervised_contrastive"};
    enum { LONGEST = 21 };
    (void)state;
    for (int n = 2; n <= LONGEST; n++) {
        for (int at = 0; at < 2 * n; at++) {
            double score[LONGEST], mask[LONGEST];
            for (int i = 0; i < n; i++) {
                score[i] = generic(i, 2);
                mask[i] = i % 2;
            }
            *(at < n ? &score[at] : &mask[at - n]) = (double)NAN;
            for (int k = 0; k < 2; k++) {
                for (size_t l = 0; l < sizeof rows / sizeof *rows; l++) {
                    const known_outputs made = of_similarities(rows[l], "", dtypes[k], 1, n, score, NULL,
                                                               mask, NULL, NULL);
                    assert_close(made.value[0], (double)NAN, 0, 0);
                    assert_close(made.gradient[0], (double)NAN, 0, 0);
                }
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_info_nce_is_cross_entropy),
        cmocka_unit_test(test_info_nce_several_positives),
        cmocka_unit_test(test_info_nce_does_not_saturate),
        cmocka_unit_test(test_info_nce_skips),
        cmocka_unit_test(test_left_out),
        cmocka_unit_test(test_anchors_without_positives),
        cmocka_unit_test(test_supervised_is_cross_entropy),
        cmocka_unit_test(test_supervised_tail),
        cmocka_unit_test(test_nan_everywhere),
    };
    return cmocka_run_group_tests(tests, known_setup, known_teardown);
}
