/*
 * Losses of pairs and lists: identities with other losses, known numbers, and mistakes that other libraries made and
 * this one must not.
 */
#include <math.h>
#include <string.h>

#include "support/batch.h"
#include "support/check.h"
#include "support/known_roles.h"

enum { TRIES = 40, LONG = 300 };

static known_outputs of_pair(const char *options, loss_dtype dtype, double first, double second,
                             double target, const char *of)
{
    const known_role roles[] = {
        {"first", 1, 1, &first, 0}, {"second", 1, 1, &second, 0}, {"target", 1, 1, &target, 0}, {0}};
    return evaluate_roles("margin_ranking", options, dtype, roles, of, NULL, 1, 1);
}

/* One list. */
static known_outputs of_list(const char *name, const char *options, loss_dtype dtype, int64_t items,
                             const double *score, const double *relevance, const double *direction)
{
    const known_role roles[] = {{"prediction", items, 1, score, 0}, {"target", items, 1, relevance, 0}, {0}};
    return evaluate_roles(name, options, dtype, roles, "prediction", direction, 1, 1);
}

static double generic(int i, double spread)
{
    return spread * (2 * scatter(i) - 1);
}

/* ---- pairs ---- */

/* A target of 0 silently gives the margin and no gradient in PyTorch. */
static void test_margin_ranking(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        assert_status(context, of_pair("margin=0.5", dtypes[k], 1.25, 2, 0, "first").status,
                      LOSS_ERROR_DOMAIN);
        assert_sentence(context, "-1 or 1");
        known_outputs first = of_pair("margin=0.5", dtypes[k], 1.25, 2, 1, "first");
        known_outputs second = of_pair("margin=0.5", dtypes[k], 1.25, 2, 1, "second");
        assert_close(first.value[0], 1.25, 0, 0);
        assert_close(first.gradient[0], -1, 0, 0);
        assert_close(second.gradient[0], 1, 0, 0);
        assert_close(first.denominator, 1, 0, 0);
        /* at the kink the smallest subgradient; PyTorch has -1 */
        assert_close(of_pair("", dtypes[k], 2.5, 2.5, 1, "first").gradient[0], 0, 0, 0);
        assert_close(of_pair("", dtypes[k], 3, 2.5, -1, "first").value[0], 0.5, 0, 0);
        assert_close(of_pair("", dtypes[k], (double)INFINITY, 0, 1, "first").value[0], 0, 0, 0);
        assert_close(of_pair("", dtypes[k], (double)NAN, 0, 1, "second").gradient[0], (double)NAN, 0, 0);
    }
    for (int i = 0; i < TRIES; i++) {
        const double a = generic(i, 2), b = generic(i + 500, 2), y = i % 2 ? 1 : -1;
        const row hinge = pair("hinge", "margin=0.625", LOSS_FLOAT64, a - b, y);
        const known_outputs made = of_pair("margin=0.625", LOSS_FLOAT64, a, b, y, "second");
        assert_close(made.value[0], hinge.value, 0, 0);
        assert_close(made.gradient[0], -hinge.gradient[0], 0, 0);
    }
}

/* Two items are the hinge of the difference; the gradient of a list adds up to 0. */
static void test_pairwise_hinge(void **state)
{
    static const double relevance[] = {1, 0}, grades[] = {2, 0, 1, 0, 2, 1}, along[] = {1, 0};
    (void)state;
    for (int i = 0; i < TRIES; i++) {
        const double score[] = {generic(i, 2), generic(i + 500, 2)};
        for (int power = 1; power <= 2; power++) {
            const char *options = power == 1 ? "margin=0.625" : "margin=0.625;power=2";
            const known_outputs made = of_list("pairwise_hinge", options, LOSS_FLOAT64, 2, score, relevance,
                                               along);
            const row hinge = pair(power == 1 ? "hinge" : "squared_hinge", "margin=0.625", LOSS_FLOAT64,
                                   score[0] - score[1], 1);
            assert_close(made.value[0], hinge.value, 4e-16, 0);
            assert_close(made.gradient[0], hinge.gradient[0], 4e-16, 0);
            assert_close(made.gradient[1], -hinge.gradient[0], 4e-16, 0);
            assert_close(made.curvature[0], hinge.curvature[0], 0, 0);
            assert_close(made.product[1], -hinge.curvature[0], 0, 0);
            assert_close(made.denominator, 1, 0, 0);
        }
    }
    double score[6], sum = 0;
    for (int i = 0; i < 6; i++) {
        score[i] = generic(i, 1);
    }
    const known_outputs made = of_list("pairwise_hinge", "power=2", LOSS_FLOAT64, 6, score, grades, NULL);
    for (int i = 0; i < 6; i++) {
        sum += made.gradient[i];
        assert_close(made.product[i], 0, 0, 0); /* a common shift changes nothing */
    }
    assert_close(made.denominator, 12, 0, 0);
    assert_close(sum, 0, 0, 1e-14);
}

/* ---- ListNet ---- */

/* The cross-entropy of a row with the same distribution; libraries make three of them. */
static void test_list_net_is_cross_entropy(void **state)
{
    static const char *const options[] = {"", "target_transform=normalize", "target_transform=none"};
    (void)state;
    for (int i = 0; i < TRIES; i++) {
        double score[4], relevance[4], target[4], along[4], powers = 0, sum = 0;
        for (int j = 0; j < 4; j++) {
            score[j] = generic(4 * i + j, 3);
            relevance[j] = 3 * scatter(4 * i + j + 700);
            along[j] = generic(4 * i + j + 900, 1);
            powers += exp(relevance[j]);
            sum += relevance[j];
        }
        for (int k = 0; k < 3; k++) {
            for (int j = 0; j < 4; j++) {
                target[j] = k == 0 ? exp(relevance[j]) / powers : k == 1 ? relevance[j] / sum : relevance[j];
            }
            const known_outputs made = of_list("list_net", options[k], LOSS_FLOAT64, 4, score, relevance,
                                               along);
            const row other = evaluate_row("cross_entropy", "", LOSS_FLOAT64, 4, score, target, 0, along);
            assert_close(made.value[0], other.value, 2e-15, 0);
            assert_close(made.denominator, 1, 0, 0);
            for (int j = 0; j < 4; j++) {
                assert_close(made.gradient[j], other.gradient[j], 2e-15, 2e-15);
                assert_close(made.curvature[j], other.curvature[j], 4e-15, 0);
                assert_close(made.product[j], other.product[j], 4e-15, 4e-15);
            }
        }
    }
}

/* A list without a relevant item has nothing to say; divided by their sum the relevances would be NaN. */
static void test_list_without_relevance(void **state)
{
    static const double score[] = {0.5, -1, 2}, none[] = {0, 0, 0};
    static const char *const options[] = {"target_transform=normalize", "target_transform=none"};
    (void)state;
    for (int k = 0; k < 4; k++) {
        const known_outputs made = of_list("list_net", options[k / 2], dtypes[k % 2], 3, score, none, NULL);
        assert_close(made.sum, 0, 0, 0);
        assert_close(made.denominator, 0, 0, 0);
        assert_close(made.gradient[1], 0, 0, 0);
        assert_close(of_list("list_net", "", dtypes[k % 2], 3, score, none, NULL).denominator, 1, 0, 0);
        const known_outputs ranked = of_list("lambda_rank", "", dtypes[k % 2], 3, score, none, NULL);
        assert_close(ranked.sum, 0, 0, 0);
        assert_close(ranked.denominator, 0, 0, 0);
    }
}

/* Scores that have learned their relevances: no gradient is left, but what there is keeps its digits. */
static void test_list_net_learned(void **state)
{
    static const double relevance[] = {2, 0, 1}, learned[] = {5, 3, 4};
    double score[] = {2, 0, 1 + 0x1p-20};
    (void)state;
    const known_outputs none = of_list("list_net", "", LOSS_FLOAT64, 3, learned, relevance, NULL);
    const known_outputs near = of_list("list_net", "", LOSS_FLOAT64, 3, score, relevance, NULL);
    const double total = 1 + exp(-1) + exp(-2), p = exp(-1) / total;
    for (int j = 0; j < 3; j++) {
        assert_close(none.gradient[j], 0, 0, 0x1p-57);
    }
    /* to first order, and the second; exponentials keep four binary digits more than the 53 of a double */
    assert_close(near.gradient[2], p * (1 - p) * 0x1p-20 * (1 + (0.5 - p) * 0x1p-20), 1e-12, 0x1p-57);
}

/* ---- ListMLE ---- */

static void test_list_mle_of_two_is_rank_net(void **state)
{
    static const double relevance[] = {0, 1};
    (void)state;
    for (int i = 0; i < 2 * TRIES; i++) {
        const double spread = i < TRIES ? 3 : 300;
        const double score[] = {generic(i, spread), generic(i + 500, spread)};
        const double along[] = {generic(i + 700, 1), generic(i + 800, 1)};
        for (int k = 0; k < 2; k++) {
            const known_outputs made = of_list("list_mle", "", dtypes[k], 2, score, relevance, along);
            const known_outputs other = of_list("rank_net", "", dtypes[k], 2, score, relevance, along);
            /* RankNet's exponent is a difference of up to 600, rounded: half a unit of that */
            const double close = k == 0 ? 1e-6 : 3e-15, far = k == 0 ? 0x1p-15 : 0x1p-44;
            const double room = i < TRIES ? close : far + close, least = k == 0 ? 1e-37 : 1e-300;
            assert_close(made.value[0], other.value[0], room, least);
            for (int j = 0; j < 2; j++) {
                assert_close(made.gradient[j], other.gradient[j], room, least);
                assert_close(made.curvature[j], other.curvature[j], room, least);
                assert_close(made.product[j], other.product[j], room, least);
            }
        }
    }
}

/* The probabilities of all orders of three items add up to 1. */
static void test_list_mle_is_a_probability(void **state)
{
    static const double orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    (void)state;
    for (int i = 0; i < TRIES; i++) {
        const double score[] = {generic(i, 2), generic(i + 100, 2), generic(i + 200, 2)};
        double sum = 0;
        for (int k = 0; k < 6; k++) {
            sum += exp(-of_list("list_mle", "", LOSS_FLOAT64, 3, score, orders[k], NULL).value[0]);
        }
        assert_close(sum, 1, 4e-15, 0);
    }
}

/* Equal targets keep the order of their rows. */
static void test_list_mle_ties(void **state)
{
    static const double score[] = {0.5, -1, 2, 0.25}, tied[] = {1, 2, 1, 1}, strict[] = {3, 4, 2, 1};
    (void)state;
    const known_outputs made = of_list("list_mle", "", LOSS_FLOAT64, 4, score, tied, NULL);
    const known_outputs other = of_list("list_mle", "", LOSS_FLOAT64, 4, score, strict, NULL);
    assert_same_bits(&made.value[0], &other.value[0], LOSS_FLOAT64, 1);
    assert_same_bits(made.gradient, other.gradient, LOSS_FLOAT64, 4);
}

/* All orders of equal scores are as likely: log n!. And a common shift, however large, changes nothing. */
static void test_list_mle_long(void **state)
{
    double score[LONG], shifted[LONG], relevance[LONG], gradient[LONG], along[LONG], size = 0;
    (void)state;
    for (int i = 0; i < LONG; i++) {
        score[i] = 0.375;
        relevance[i] = -i;
    }
    assert_close(of_list("list_mle", "", LOSS_FLOAT64, LONG, score, relevance, NULL).value[0],
                 lgamma(LONG + 1), 1e-15, 0);
    for (int i = 0; i < LONG; i++) {
        score[i] = floor(generic(i, 8192)) / 1024; /* exact when shifted */
        shifted[i] = score[i] + 4096;
        along[i] = generic(i + 1000, 1);
        gradient[i] = -1;
    }
    const known_outputs made = of_list("list_mle", "", LOSS_FLOAT64, LONG, score, relevance, along);
    const known_outputs moved = of_list("list_mle", "", LOSS_FLOAT64, LONG, shifted, relevance, along);
    assert_same_bits(&made.value[0], &moved.value[0], LOSS_FLOAT64, 1);
    assert_same_bits(made.gradient, moved.gradient, LOSS_FLOAT64, LONG);
    assert_same_bits(made.product, moved.product, LOSS_FLOAT64, LONG);
    long double value = 0, sum = 0;
    for (int k = 0; k < LONG; k++) { /* the plain sums, O(n²) */
        long double left = 0;
        for (int j = k; j < LONG; j++) {
            left += expl((long double)score[j]);
        }
        value += logl(left) - (long double)score[k];
        for (int j = k; j < LONG; j++) {
            gradient[j] += (double)(expl((long double)score[j]) / left);
        }
        sum += (long double)made.gradient[k];
        size += fabs(made.gradient[k]);
    }
    assert_close(made.value[0], (double)value, 4e-16, 0);
    assert_close((double)sum, 0, 0, size * 0x1p-53); /* each is rounded once */
    for (int j = 0; j < LONG; j++) {
        assert_close(made.gradient[j], gradient[j], 1e-14, 1e-14);
    }
}

/* e to the score overflows in float32 from 89 on. */
static void test_list_mle_far_out(void **state)
{
    static const double score[] = {-1000, 0, 2000, 10}, relevance[] = {1, 4, 3, 2};
    (void)state;
    for (int k = 0; k < 2; k++) {
        const known_outputs made = of_list("list_mle", "", dtypes[k], 4, score, relevance, NULL);
        assert_close(made.value[0], 2000, tolerance[k], 0);
        assert_close(made.gradient[1], -1, tolerance[k], 0);
        assert_close(made.gradient[2], 1, tolerance[k], 0);
        assert_close(made.gradient[0], 0, 0, 0);
    }
}

/* ---- LambdaRank ---- */

/* The weighted pair in numbers: gain 2^3 − 1 at ranks 1 and 2, of which the best order has all. */
static void test_lambda_rank_pair(void **state)
{
    static const double relevance[] = {0, 3};
    const double weight = 1 - 1 / (log(3) / log(2));
    (void)state;
    for (int i = 0; i < TRIES; i++) {
        const double score[] = {generic(i, 4), generic(i + 300, 4)}, d = score[0] - score[1];
        for (int k = 0; k < 2; k++) {
            const double room = k == 0 ? 2e-6 : 4e-15;
            const known_outputs made = of_list("lambda_rank", "sharpness=2", dtypes[k], 2, score, relevance,
                                               NULL);
            assert_close(made.value[0], weight * log1p(exp(2 * d)), room, 0);
            assert_close(made.gradient[0], weight * 2 / (1 + exp(-2 * d)), room, 0);
            assert_close(made.gradient[1], -made.gradient[0], 0, 0);
            assert_close(made.curvature[1], weight * 4 / (1 + exp(-2 * d)) / (1 + exp(2 * d)), room, 0);
            assert_close(made.denominator, 1, 0, 0);
        }
    }
}

/* Boosting libraries look the sigmoid up in a table that ends; the tail is a number here, and the value belongs to it. */
static void test_lambda_rank_tail(void **state)
{
    static const double score[] = {60, 0}, relevance[] = {1, 0};
    (void)state;
    for (int k = 0; k < 2; k++) {
        const known_outputs made = of_list("lambda_rank", "", dtypes[k], 2, score, relevance, NULL);
        const double weight = 1 - log(2) / log(3);
        assert_close(made.gradient[1], weight * exp(-60), k == 0 ? 1e-6 : 4e-15, 0);
        assert_close(made.value[0], weight * exp(-60), k == 0 ? 1e-6 : 4e-15, 0);
    }
}

/* Against the plain sums, with the NDCG found by exchanging items; ties of scores stand in the order of the rows. */
static double gain_of_order(int64_t items, const int *order, const double *relevance, int truncation)
{
    double sum = 0;
    for (int r = 0; r < items && r < truncation; r++) {
        sum += (exp2(relevance[order[r]]) - 1) / log2(r + 2);
    }
    return sum;
}

static void sort_by(int items, const double *key, int *order)
{
    for (int i = 0; i < items; i++) {
        int at = i;
        for (; at > 0 && key[order[at - 1]] < key[i]; at--) {
            order[at] = order[at - 1];
        }
        order[at] = i;
    }
}

static void test_lambda_rank_long(void **state)
{
    enum { ITEMS = 40 };
    (void)state;
    for (int truncation = 5; truncation <= ITEMS; truncation += 35) {
        double score[ITEMS], relevance[ITEMS], gradient[ITEMS] = {0}, value = 0;
        int order[ITEMS], best[ITEMS];
        for (int i = 0; i < ITEMS; i++) {
            score[i] = floor(8 * generic(i, 2)) / 8;
            relevance[i] = floor(4 * scatter(i + 400));
        }
        sort_by(ITEMS, score, order);
        sort_by(ITEMS, relevance, best);
        const double ideal = gain_of_order(ITEMS, best, relevance, truncation);
        const double here = gain_of_order(ITEMS, order, relevance, truncation);
        for (int a = 0; a < ITEMS; a++) {
            for (int b = 0; b < ITEMS; b++) {
                const int i = order[a], j = order[b];
                if (relevance[i] <= relevance[j]) {
                    continue;
                }
                order[a] = j;
                order[b] = i;
                const double weight = fabs(gain_of_order(ITEMS, order, relevance, truncation) - here) / ideal;
                order[a] = i;
                order[b] = j;
                value += weight * log1p(exp(score[j] - score[i]));
                gradient[i] -= weight / (1 + exp(score[i] - score[j]));
                gradient[j] += weight / (1 + exp(score[i] - score[j]));
            }
        }
        const known_outputs made = of_list("lambda_rank", truncation == 5 ? "truncation=5" : "truncation=0",
                                           LOSS_FLOAT64, ITEMS, score, relevance, NULL);
        assert_close(made.value[0], value, 1e-12, 0);
        for (int i = 0; i < ITEMS; i++) {
            assert_close(made.gradient[i], gradient[i], 1e-11, 1e-13);
        }
    }
}

/* ---- NaN ---- */

/* Wherever it stands, in scores or relevances, in lists of every length: a vectorised loop must not lose it. */
static void test_nan_everywhere(void **state)
{
    static const char *const lists[] = {"rank_net", "pairwise_hinge", "list_net", "list_mle", "lambda_rank"};
    enum { LONGEST = 21 };
    (void)state;
    for (int n = 2; n <= LONGEST; n++) {
        for (int at = 0; at < 2 * n; at++) {
            double score[LONGEST], other[LONGEST];
            for (int i = 0; i < n; i++) {
                score[i] = generic(i, 2);
                other[i] = i % 3;
            }
            *(at < n ? &score[at] : &other[at - n]) = (double)NAN;
            for (int k = 0; k < 2; k++) {
                for (size_t l = 0; l < sizeof lists / sizeof *lists; l++) {
                    const known_outputs made = of_list(lists[l], "", dtypes[k], n, score, other, NULL);
                    assert_close(made.value[0], (double)NAN, 0, 0);
                    assert_close(made.gradient[n - 1], (double)NAN, 0, 0);
                }
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_margin_ranking),
        cmocka_unit_test(test_pairwise_hinge),
        cmocka_unit_test(test_list_net_is_cross_entropy),
        cmocka_unit_test(test_list_without_relevance),
        cmocka_unit_test(test_list_net_learned),
        cmocka_unit_test(test_list_mle_of_two_is_rank_net),
        cmocka_unit_test(test_list_mle_is_a_probability),
        cmocka_unit_test(test_list_mle_ties),
        cmocka_unit_test(test_list_mle_long),
        cmocka_unit_test(test_list_mle_far_out),
        cmocka_unit_test(test_lambda_rank_pair),
        cmocka_unit_test(test_lambda_rank_tail),
        cmocka_unit_test(test_lambda_rank_long),
        cmocka_unit_test(test_nan_everywhere),
    };
    return cmocka_run_group_tests(tests, known_setup, known_teardown);
}
