/*
 * Cross-entropy of logits with a temperature, a soft cap and a z-loss: identities, Gauss-Newton from the matrices themselves, links.
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/check.h"
#include "support/known.h"

enum { K = 5 };

static const double logits[][K] = {
    {0.5, -1.25, 3, 2.75, -6}, {-60, -70, -61.5, -80, -59}, {40, 12, -33, 38, 0.25}};
static const double direction[K] = {1, -0.5, 2, 0.75, -1.5};
enum { ROWS = sizeof logits / sizeof *logits };

/* ---- the definition, in long double ---- */

typedef struct setting {
    const char *options;
    long double cap, temperature, z_loss;
} setting;

static const setting settings[] = {
    {"temperature=2.5", 0, 2.5L, 0},
    {"soft_cap=5", 5, 1, 0},
    {"soft_cap=30;temperature=0.5", 30, 0.5L, 0},
    {"z_loss=0.25", 0, 1, 0.25L},
    {"soft_cap=20;temperature=1.5;z_loss=0.03125", 20, 1.5L, 0.03125L},
};
enum { SETTINGS = sizeof settings / sizeof *settings };

typedef struct expected {
    long double value, p[K], gradient[K], matrix[K][K], gauss_newton[K][K];
} expected;

static expected define(const setting *s, const double *x, int64_t label)
{
    long double z[K], slope[K], bend[K], total = 0, top = -INFINITY, sum;
    expected made;
    for (int j = 0; j < K; j++) {
        const long double t = s->cap > 0 ? tanhl(x[j] / s->cap) : 0;
        z[j] = (s->cap > 0 ? s->cap * t : (long double)x[j]) / s->temperature;
        slope[j] = (s->cap > 0 ? powl(coshl(x[j] / s->cap), -2) : 1) / s->temperature;
        bend[j] = s->cap > 0 ? -2 * t * slope[j] / s->cap : 0;
        top = fmaxl(top, z[j]);
    }
    for (int j = 0; j < K; j++) {
        total += expl(z[j] - top);
    }
    sum = top + logl(total);
    made.value = sum - z[label] + s->z_loss * sum * sum;
    for (int j = 0; j < K; j++) {
        made.p[j] = expl(z[j] - sum);
    }
    const long double raised = 1 + 2 * s->z_loss * sum, positive = fmaxl(raised, 0);
    for (int j = 0; j < K; j++) {
        long double rest = 0; /* 1 − p, which the others add up to */
        for (int k = 0; k < K; k++) {
            rest += k == j ? 0 : made.p[k];
        }
        const long double by_z = (j == label ? -rest : made.p[j]) + 2 * s->z_loss * sum * made.p[j];
        made.gradient[j] = slope[j] * by_z;
        for (int k = 0; k < K; k++) {
            const long double m = made.p[j] * (j == k ? rest : -made.p[k]),
                              outer = 2 * s->z_loss * made.p[j] * made.p[k], both = slope[j] * slope[k],
                              turn = j == k ? by_z * bend[j] : 0;
            made.matrix[j][k] = both * (raised * m + outer) + turn;
            made.gauss_newton[j][k] = both * (positive * m + outer) + fmaxl(turn, 0);
        }
    }
    return made;
}

static void check_near(double found, long double wanted, double size, loss_dtype dtype)
{
    const double off = (double)fabsl((long double)found - wanted),
                 part = dtype == LOSS_FLOAT32 ? 3e-5 : 5e-14;
    const double smallest = dtype == LOSS_FLOAT32 ? 0x1p-149 : 0x1p-1074;
    if (!(off <= part * (size + (double)fabsl(wanted)) + 4 * smallest)) {
        fail_msg("%.17g is not %.17Lg", found, wanted);
    }
}

/* `size` is that of the terms: they cancel where a row bends both ways. */
static void check_matrix(const row *found, long double (*matrix)[K], loss_dtype dtype)
{
    for (int j = 0; j < K; j++) {
        long double product = 0, size = 0;
        for (int k = 0; k < K; k++) {
            product += matrix[j][k] * direction[k];
            size += fabsl(matrix[j][k] * direction[k]);
        }
        check_near(found->curvature[j], matrix[j][j], (double)fabsl(matrix[j][j]), dtype);
        check_near(found->product[j], product, (double)size, dtype);
    }
}

static void test_definition(void **state)
{
    (void)state;
    for (int i = 0; i < SETTINGS * ROWS * K * 2; i++) {
        const setting *s = &settings[i % SETTINGS];
        const double *x = logits[i / SETTINGS % ROWS];
        const int64_t label = i / (SETTINGS * ROWS) % K;
        const loss_dtype dtype = dtypes[i / (SETTINGS * ROWS * K)];
        expected wanted = define(s, x, label);
        row found = evaluate_row("cross_entropy", s->options, dtype, K, x, NULL, label, direction);
        char text[160];
        check_near(found.value, wanted.value, 0, dtype);
        for (int j = 0; j < K; j++) {
            check_near(found.gradient[j], wanted.gradient[j], 0, dtype);
        }
        check_matrix(&found, wanted.matrix, dtype);
        snprintf(text, sizeof text, "%s;curvature=gauss_newton", s->options);
        found = evaluate_row("cross_entropy", text, dtype, K, x, NULL, label, direction);
        check_matrix(&found, wanted.gauss_newton, dtype);
    }
}

/* ---- identities ---- */

/* A temperature of 1, no cap and no z-loss are the cross-entropy to the bit; a wide cap is nearly that. */
static void test_nothing_changed(void **state)
{
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        const row plain = evaluate_row("cross_entropy", "", dtypes[k], K, logits[0], NULL, 1, direction);
        const row same = evaluate_row("cross_entropy", "temperature=1;soft_cap=0;z_loss=0", dtypes[k], K,
                                      logits[0], NULL, 1, direction);
        const row wide = evaluate_row("cross_entropy", "soft_cap=1e6", dtypes[k], K, logits[0], NULL, 1,
                                      direction);
        assert_memory_equal(&same, &plain, sizeof plain);
        assert_close(wide.value, plain.value, tolerance[k], 1e-10);
        assert_close(wide.gradient[0], plain.gradient[0], tolerance[k], 1e-10);
    }
}

/* At temperature t logits t times as large are the same: a power of two changes no bit of the differences. */
static void test_temperature_scales(void **state)
{
    double larger[K];
    (void)state;
    for (int j = 0; j < K; j++) {
        larger[j] = 4 * logits[0][j];
    }
    for (size_t k = 0; k < 2; k++) {
        const row plain = evaluate_row("cross_entropy", "", dtypes[k], K, logits[0], NULL, 1, direction);
        const row hot = evaluate_row("cross_entropy", "temperature=4", dtypes[k], K, larger, NULL, 1,
                                     direction);
        assert_ulp(hot.value, plain.value, 2, dtypes[k]);
        for (int j = 0; j < K; j++) {
            assert_ulp(4 * hot.gradient[j], plain.gradient[j], 4, dtypes[k]);
            assert_ulp(16 * hot.curvature[j], plain.curvature[j], 4, dtypes[k]);
        }
    }
}

/* A common offset does not change a cross-entropy; a z-loss sees it, and nothing else. */
static void test_offset(void **state)
{
    const double near[2] = {0.25, -1}, far[2] = {1024.25, 1023};
    const double sum = 0.25 + log1p(exp(-1.25));
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        const row plain = evaluate_row("cross_entropy", "temperature=0.5", dtypes[k], 2, near, NULL, 0,
                                       direction);
        const row moved = evaluate_row("cross_entropy", "temperature=0.5", dtypes[k], 2, far, NULL, 0,
                                       direction);
        const row raised = evaluate_row("cross_entropy", "z_loss=1e-4", dtypes[k], 2, far, NULL, 0,
                                        direction);
        const row of_near = evaluate_row("cross_entropy", "", dtypes[k], 2, near, NULL, 0, direction);
        assert_close(moved.value, plain.value, 0, 0);
        assert_close(moved.gradient[0], plain.gradient[0], 0, 0);
        assert_close(raised.value, of_near.value + 1e-4 * (1024 + sum) * (1024 + sum), tolerance[k], 0);
        assert_close(raised.gradient[1], of_near.gradient[1] * (1 + 2e-4 * (1024 + sum)), tolerance[k], 0);
    }
}

/* Logits far beyond the cap have no gradient left, but tell the classes apart; the certain one keeps its tail. */
static void test_saturated(void **state)
{
    const double x[2] = {1e4, -1e4};
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        const row made = evaluate_row("cross_entropy", "soft_cap=15", dtypes[k], 2, x, NULL, 0, direction);
        assert_ulp(made.value, log1p(exp(-30)), 4, dtypes[k]);
        assert_close(made.gradient[0], 0, 0, 0);
        assert_close(made.curvature[0], 0, 0, 0);
    }
}

/* Rows that do not count give 0, and NaN reaches all of its row. */
static void test_rows(void **state)
{
    double x[K];
    (void)state;
    for (int i = 0; i < SETTINGS * 2; i++) {
        const loss_dtype dtype = dtypes[i / SETTINGS];
        row made = evaluate_row("cross_entropy", settings[i % SETTINGS].options, dtype, K, logits[0], NULL,
                                -100, direction);
        assert_close(made.value, 0, 0, 0);
        assert_close(made.denominator, 0, 0, 0);
        assert_close(made.gradient[2], 0, 0, 0);
        assert_close(made.product[2], 0, 0, 0);
        memcpy(x, logits[0], sizeof x);
        x[3] = NAN;
        made = evaluate_row("cross_entropy", settings[i % SETTINGS].options, dtype, K, x, NULL, 1, direction);
        assert_true(isnan(made.value));
        for (int j = 0; j < K; j++) {
            assert_true(isnan(made.gradient[j]) && isnan(made.curvature[j]) && isnan(made.product[j]));
        }
    }
}

/* ---- what the options do to the function ---- */

static void test_link(void **state)
{
    double mean[K];
    (void)state;
    for (int i = 0; i < SETTINGS * ROWS; i++) {
        loss_function *function = make_function("cross_entropy", settings[i % SETTINGS].options);
        const double *x = logits[i / SETTINGS];
        const expected wanted = define(&settings[i % SETTINGS], x, 0);
        assert_status(context, loss_function_inverse_link_float64(context, function, 1, K, x, mean), LOSS_OK);
        for (int j = 0; j < K; j++) {
            check_near(mean[j], wanted.p[j], 0, LOSS_FLOAT64);
        }
        loss_function_free(function);
    }
}

static void check_properties(const char *options, int32_t convex, int32_t majorizer, double lipschitz)
{
    static const char *const names[] = {"convex", "majorizer"};
    const int32_t wanted[] = {convex, majorizer};
    loss_function *function = make_function("cross_entropy", options);
    double bound = 0;
    for (int k = 0; k < 2; k++) {
        int32_t found = -1;
        assert_status(context, loss_function_property(function, names[k], &found), LOSS_OK);
        assert_int_equal(found, wanted[k]);
    }
    assert_status(context, loss_function_number(function, "lipschitz", &bound), LOSS_OK);
    assert_close(bound, lipschitz, 1e-15, 0);
    loss_function_free(function);
}

static void test_properties(void **state)
{
    (void)state;
    check_properties("", 1, 1, sqrt(2));
    check_properties("temperature=2", 1, 1, sqrt(0.5));
    check_properties("soft_cap=30", 0, 0, sqrt(2));
    check_properties("z_loss=1e-4", 0, 0, INFINITY);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_definition),
        cmocka_unit_test(test_nothing_changed),
        cmocka_unit_test(test_temperature_scales),
        cmocka_unit_test(test_offset),
        cmocka_unit_test(test_saturated),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_link),
        cmocka_unit_test(test_properties),
    };
    return cmocka_run_group_tests_name("adjusted logits", tests, known_setup, known_teardown);
}
