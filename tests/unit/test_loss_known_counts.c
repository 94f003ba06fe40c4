/*
 * Counts and positive numbers, the logarithm of the mean predicted: Poisson, gamma, and the two families that lead to them,
 * Tweedie and the negative binomial; and mistakes that other libraries made and these must not.
 */
#include <math.h>
#include <stdio.h>

#include "support/batch.h"
#include "support/check.h"
#include "support/known_roles.h"

enum { TRIES = 60, TEXT = 64 };

static const double infinity = (double)INFINITY;

/* Predictions −3 … 3 and targets 0.125 … 8 as both types hold them. */
static double prediction(int i)
{
    return (float)(6 * scatter(i) - 3);
}

static double target(int i)
{
    return (float)(0.125 + 7.875 * scatter(i + 5000));
}

/* How far the value, gradient and curvature of a row may be from those of another less a constant. */
typedef struct room {
    double value, gradient, curvature;
} room;

static void check_row(row made, row other, double less, room most)
{
    assert_close(made.value, other.value - less, 0, most.value);
    assert_close(made.gradient[0], other.gradient[0], 0, most.gradient);
    assert_close(made.curvature[0], other.curvature[0], 0, most.curvature);
}

/* What roundings make of terms of this size. */
static room rounding(double size, int k)
{
    return (room){tolerance[k] * size, tolerance[k] * size, tolerance[k] * size};
}

/* ---- Tweedie ---- */

/* With B(x, λ) = (e^λx − 1)/λ between 0 and (1 + |x|) e^|x| in size, the size of all terms. */
static double size_of(double x, double y)
{
    return (1 + y) * (1 + fabs(x)) * exp(fabs(x));
}

/*
 * At its ends the family is Poisson's loss less 1 and the gamma loss less y. xgboost#12444: a constant divided by 1 − power makes
 * it −∞ there.
 */
static void test_tweedie_ends(void **state)
{
    (void)state;
    for (int i = 0; i < 2 * TRIES; i++) {
        const int k = i % 2;
        const double x = prediction(i), y = target(i);
        const row one = pair("tweedie", "power=1", dtypes[k], x, y),
                  two = pair("tweedie", "power=2", dtypes[k], x, y);
        check_row(one, pair("poisson", "", dtypes[k], x, y), 1, rounding(size_of(x, y), k));
        check_row(two, pair("gamma", "", dtypes[k], x, y), y, rounding(size_of(x, y), k));
        check_row(pair("tweedie", "power=1", dtypes[k], x, 0), pair("poisson", "", dtypes[k], x, 0), 1,
                  rounding(size_of(x, 0), k)); /* only the gamma loss needs a target above 0 */
    }
    /* mean 2, target 3, in numbers: 2 − 1 − 3 log 2, and log 2 + 3 (1/2 − 1) */
    for (int k = 0; k < 2; k++) {
        const double x = log(2);
        assert_close(pair("tweedie", "power=1", dtypes[k], x, 3).value, 1 - 3 * log(2), 4 * tolerance[k], 0);
        assert_close(pair("tweedie", "power=2", dtypes[k], x, 3).value, log(2) - 1.5, 4 * tolerance[k], 0);
        assert_close(pair("tweedie", "power=1", dtypes[k], x, 3).cost, 1 - 3 * log(2), 4 * tolerance[k], 0);
    }
}

/*
 * Next to an end the loss is next to that of the end: B(x, λ) changes by at most h x²/2 e^|x| when λ does by h, its derivative
 * e^λx by h |x| e^|x|, and λ e^λx by h (1 + |x|) e^|x|.
 */
static void test_tweedie_is_continuous(void **state)
{
    static const double steps[] = {0x1p-52, 1e-12, 1e-9, 1e-6, 1e-3, 0.0625};
    (void)state;
    for (int i = 0; i < 2 * TRIES; i++) {
        const int k = i % 2;
        const double x = prediction(i), y = target(i), grown = (1 + y) * exp(fabs(x));
        for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
            for (int end = 1; end <= 2; end++) {
                const double h = steps[s], error = tolerance[k] * size_of(x, y);
                const room most = {h * grown * x * x / 2 + error, h * grown * fabs(x) + error,
                                   h * grown * (1 + fabs(x)) + error};
                char beside[TEXT];
                snprintf(beside, TEXT, "power=%.17g", end == 1 ? 1 + h : 2 - h);
                check_row(pair("tweedie", beside, dtypes[k], x, y),
                          pair("tweedie", end == 1 ? "power=1" : "power=2", dtypes[k], x, y), 0, most);
            }
        }
    }
}

/* A target of 0 has no logarithm and needs none: (e^((2 − ρ)x) − 1)/(2 − ρ), which has no smallest value. */
static void test_tweedie_of_nothing(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        const row made = pair("tweedie", "power=1.25", dtypes[k], 0.5, 0),
                  far = pair("tweedie", "power=1.25", dtypes[k], -600, 0);
        assert_close(made.value, expm1(0.375) / 0.75, 4 * tolerance[k], 0);
        assert_close(made.gradient[0], exp(0.375), 4 * tolerance[k], 0);
        assert_close(made.curvature[0], 0.75 * exp(0.375), 4 * tolerance[k], 0);
        assert_close(far.value, -1 / 0.75, 4 * tolerance[k], 0);
        /* xgboost#2473: what is next to nothing has no floor */
        assert_close(far.curvature[0], 0.75 * exp(-450), k == 0 ? 0 : 1e-12, k == 0 ? 1e-45 : 0);
    }
}

/* ---- negative binomial ---- */

/*
 * As the dispersion α goes to 0 it is Poisson's loss: with μ = e^x the difference is α (yμ − μ²/2) but for a part of α², which
 * is at most α² (yμ²/2 + μ³/3); that of gradients is at most αμ|μ − y|, and of curvatures αμ (y + 2μ).
 */
static void test_without_dispersion(void **state)
{
    static const double dispersions[] = {1e-6, 1e-5, 1e-4, 1e-3};
    (void)state;
    for (int i = 0; i < 2 * TRIES; i++) {
        const int k = i % 2;
        const double x = prediction(i), y = i % 10 == 4 ? 0 : target(i), mean = exp(x);
        const row limit = pair("poisson", "", dtypes[k], x, y);
        for (size_t d = 0; d < sizeof dispersions / sizeof *dispersions; d++) {
            const double alpha = dispersions[d], error = tolerance[k] * size_of(x, y);
            char options[TEXT];
            snprintf(options, TEXT, "dispersion=%.17g", alpha);
            const row made = pair("negative_binomial", options, dtypes[k], x, y);
            assert_close(made.value - limit.value, alpha * (y * mean - mean * mean / 2), 0,
                         alpha * alpha * (y * mean * mean / 2 + mean * mean * mean / 3) + error);
            assert_close(made.gradient[0], limit.gradient[0], 0, alpha * mean * fabs(mean - y) + error);
            assert_close(made.curvature[0], limit.curvature[0], 0, alpha * mean * (y + 2 * mean) + error);
        }
    }
}

/* The probabilities of all counts add up to 1: e^−loss Γ(y + 1/α) α^y / (Γ(1/α) y!). Of dispersion 1 they are geometric. */
static void test_probabilities(void **state)
{
    static const double dispersions[] = {0.0625, 0.5, 1, 2.5};
    (void)state;
    for (size_t d = 0; d < sizeof dispersions / sizeof *dispersions; d++) {
        const double alpha = dispersions[d], mean = 1.75;
        double sum = 0, expected = 0;
        char options[TEXT];
        snprintf(options, TEXT, "dispersion=%.17g", alpha);
        for (int y = 0; y < 200; y++) {
            const double constant = lgamma(y + 1 / alpha) - lgamma(1 / alpha) - lgamma(y + 1.0) +
                                    y * log(alpha);
            const double loss = pair("negative_binomial", options, LOSS_FLOAT64, log(mean), y).value;
            sum += exp(constant - loss);
            expected += y * exp(constant - loss);
            if (alpha == 1) {
                assert_close(exp(-loss), pow(mean, y) / pow(1 + mean, y + 1), 1e-13 * (y + 1), 0);
            }
        }
        assert_close(sum, 1, 1e-12, 0);
        assert_close(expected, mean, 1e-11, 0);
    }
}

/* With the terms of the target it is the logarithm of a probability: they add up to 1, and of dispersion 1 they are geometric. */
static void test_full_probabilities(void **state)
{
    static const double dispersions[] = {1e-6, 0.0625, 0.25, 0.3, 1, 24.5};
    (void)state;
    for (size_t d = 0; d < sizeof dispersions / sizeof *dispersions; d++) {
        const double alpha = dispersions[d], mean = 1.75;
        double sum = 0;
        char options[TEXT];
        snprintf(options, TEXT, "dispersion=%.17g;full=1", alpha);
        for (int y = 0; y < 3000; y++) {
            const double loss = pair("negative_binomial", options, LOSS_FLOAT64, log(mean), y).value;
            assert_true(loss > 0);
            sum += exp(-loss);
            if (alpha == 1) {
                const double geometric = (y + 1) * log1p(mean) - y * log(mean);
                assert_close(loss, geometric, 0, 8 * tolerance[1] * (1 + 1.6 * y));
            }
        }
        assert_close(sum, 1, 1e-12, 0);
    }
}

/* ---- gamma ---- */

/* With its constants it is the logarithm of the density, by the gamma function of C; of shape 1 nothing is added to x + y/μ. */
static void test_gamma_density(void **state)
{
    static const double shapes[] = {0.0078125, 0.75, 1, 2.5, 199.5, 1000.5};
    (void)state;
    for (int i = 0; i < 6 * TRIES; i++) {
        const double a = shapes[i % 6], x = prediction(i), y = 0.01 + target(i), mean = exp(x);
        const double density = a * log(a / mean) + (a - 1) * log(y) - a * y / mean - lgamma(a);
        char full[TEXT], plain[TEXT];
        snprintf(full, TEXT, "shape=%.17g;full=1", a);
        snprintf(plain, TEXT, "shape=%.17g", a);
        const row all = pair("gamma", full, LOSS_FLOAT64, x, y),
                  part = pair("gamma", plain, LOSS_FLOAT64, x, y);
        const double size = a * (1 + fabs(log(a)) + fabs(x) + y / mean + fabs(log(y))) + fabs(log(y));
        assert_close(all.value, -density, 0, 8 * tolerance[1] * (1 + size));
        assert_close(part.value, a * (x + y / mean), 0, 4 * tolerance[1] * (1 + size));
        assert_close(part.gradient[0], a * (1 - y / mean), 0, 4 * tolerance[1] * (1 + size));
        assert_close(all.gradient[0], part.gradient[0], 0, 0);
        assert_close(all.curvature[0], part.curvature[0], 0, 0);
    }
}

/* Targets below the normal numbers of float32 are positive too. */
static void test_gamma_of_least(void **state)
{
    static const double y[] = {0x1p-149, 0x1.8p-140, 0x1p-126};
    (void)state;
    for (int i = 0; i < 6; i++) {
        const int k = i % 2;
        const double x = (float)log(y[i / 2]), ratio = y[i / 2] * exp(-x);
        const row made = pair("gamma", "", dtypes[k], x, y[i / 2]);
        assert_close(made.value, x + ratio, 2 * tolerance[k], 0);
        assert_close(made.gradient[0], 1 - ratio, 0, 2 * tolerance[k]);
        assert_close(made.curvature[0], ratio, 2 * tolerance[k], 0);
    }
}

/* ---- Poisson ---- */

/* xgboost#10486, #5423: large targets have their best prediction, and steps are the caller's to limit: nothing is cut off. */
static void test_large_counts(void **state)
{
    static const double counts[] = {1e3, 1e6, 1e9, 1e12};
    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        for (int k = 0; k < 2; k++) {
            const double y = k == 0 ? (double)(float)counts[i] : counts[i], x = log(y);
            const double moved = fabs(x) * (k == 0 ? 0x1p-24 : 0x1p-53); /* by rounding x */
            const row made = pair("poisson", "", dtypes[k], x, y), low = pair("poisson", "", dtypes[k], 0, y);
            assert_close(made.gradient[0], 0, 0, y * (2 * moved + 2 * tolerance[k]));
            assert_close(made.curvature[0], y, 2 * moved + 2 * tolerance[k], 0);
            assert_close(made.value, y - y * x, 2 * tolerance[k], 0);
            assert_close(low.gradient[0], 1 - y, tolerance[k], 0);
            assert_close(low.curvature[0], 1, 0, 0);
        }
    }
}

/* PyTorch's 1e-8 inside the logarithm makes 36.8 and −2e8 of a mean of 0 with target 2; the loss is infinite, and so is its slope. */
static void test_mean_of_nothing(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        const row none = pair("poisson", "link=identity", dtypes[k], 0, 2),
                  small = pair("poisson", "link=identity", dtypes[k], 0x1p-40, 2),
                  both = pair("poisson", "link=identity", dtypes[k], 0, 0);
        assert_close(none.value, infinity, 0, 0);
        assert_close(none.gradient[0], -infinity, 0, 0);
        assert_close(small.value, 80 * log(2) + 0x1p-40, 2 * tolerance[k], 0);
        assert_close(small.gradient[0], 1 - 0x1p41, 2 * tolerance[k], 0);
        assert_close(both.value, 0, 0, 0);
        assert_close(both.gradient[0], 1, 0, 0);
    }
}

/* ---- a variance ---- */

/* PyTorch raises a variance of 1e-9 to 1e-6 and passes the gradient on: 499993 and −5e11 at r = 1. Nothing is raised here. */
static void test_small_variance(void **state)
{
    static const double variances[] = {0x1p-30, 0x1p-40, 0.75};
    (void)state;
    for (size_t i = 0; i < 2 * (sizeof variances / sizeof *variances); i++) {
        const int k = (int)(i % 2);
        const double v = variances[i / 2], p = 1.25, y = 0.25;
        const known_role roles[] = {{"prediction", 1, 1, &p, 0},
                                    {"target", 1, 1, &y, 0},
                                    {"variance", 1, 1, &v, 0},
                                    {NULL, 0, 0, NULL, 0}};
        const known_outputs made = evaluate_roles("gaussian_nll", "", dtypes[k], roles, "variance", NULL, 1,
                                                  1);
        assert_close(made.value[0], 0.5 * (log(v) + 1 / v), 2 * tolerance[k], 0);
        assert_close(made.gradient[0], 0.5 * (1 - 1 / v) / v, 4 * tolerance[k], 0);
        assert_close(made.curvature[0], (1 / v - 0.5) / (v * v), 4 * tolerance[k], 0);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tweedie_ends),       cmocka_unit_test(test_tweedie_is_continuous),
        cmocka_unit_test(test_tweedie_of_nothing), cmocka_unit_test(test_without_dispersion),
        cmocka_unit_test(test_full_probabilities), cmocka_unit_test(test_gamma_density),
        cmocka_unit_test(test_gamma_of_least),     cmocka_unit_test(test_probabilities),
        cmocka_unit_test(test_large_counts),       cmocka_unit_test(test_mean_of_nothing),
        cmocka_unit_test(test_small_variance),
    };
    return cmocka_run_group_tests_name("loss_known_counts", tests, known_setup, known_teardown);
}
