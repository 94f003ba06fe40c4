/*
 * The losses of regression: identities between them, numbers known from elsewhere, and mistakes that other libraries made and
 * these must not.
 */
#include <float.h>
#include <math.h>

#include "support/batch.h"
#include "support/check.h"
#include "support/known.h"

static const double infinity = (double)INFINITY;

/* The same row with the majorizer for curvature. */
static double majorizer(const char *name, const char *options, loss_dtype dtype, double x, double target)
{
    loss_function *function = make_function(name, options);
    batch made = batch_create(dtype, 1, 1, 1, 0);
    double bound;
    assert_status(context, loss_function_set_string(function, "curvature", "majorizer"), LOSS_OK);
    set_element(made.prediction, dtype, 0, x);
    set_element(made.target, dtype, 0, target);
    assert_status(context, batch_evaluate(context, function, &made), LOSS_OK);
    bound = batch_at(&made, 2, 0, 0);
    batch_free(&made);
    loss_function_free(function);
    return bound;
}

/* The value, gradient and curvature of a row are a factor times those of another. */
static void check_multiple(row actual, double factor, row expected, double relative)
{
    assert_close(actual.value, factor * expected.value, relative, 0);
    assert_close(actual.gradient[0], factor * expected.gradient[0], relative, 0);
    assert_close(actual.curvature[0], factor * expected.curvature[0], relative, 0);
}

static double number(const char *name, const char *options, const char *which)
{
    loss_function *function = make_function(name, options);
    double value;
    assert_status(context, loss_function_number(function, which, &value), LOSS_OK);
    loss_function_free(function);
    return value;
}

static int32_t property(const char *name, const char *options, const char *which)
{
    loss_function *function = make_function(name, options);
    int32_t value;
    assert_status(context, loss_function_property(function, which, &value), LOSS_OK);
    loss_function_free(function);
    return value;
}

static double best_constant(const char *name, const char *options, int64_t n, const double *target)
{
    loss_function *function = make_function(name, options);
    loss_data *inputs;
    double constant;
    assert_status(context, loss_data_create(&inputs, context), LOSS_OK);
    loss_data_set_input(inputs, "target", target, LOSS_FLOAT64, n, 1, 1, 1);
    assert_status(context, loss_function_best_constant(context, function, inputs, 1, &constant), LOSS_OK);
    loss_data_free(inputs);
    loss_function_free(function);
    return constant;
}

/* ---- identities ---- */

/* The half quantile is half the absolute error, the half expectile half the square, and so on. */
static void test_special_cases(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        const double x = 8 * scatter(i) - 4, t = 0.25, exact = 4e-15;
        const row absolute = pair("absolute_error", "", LOSS_FLOAT64, x, t),
                  square = pair("squared_error", "", LOSS_FLOAT64, x, t),
                  huber = pair("huber", "delta=0.625", LOSS_FLOAT64, x, t);
        check_multiple(pair("quantile", "", LOSS_FLOAT64, x, t), 0.5, absolute, 0);
        check_multiple(pair("expectile", "", LOSS_FLOAT64, x, t), 0.5, square, exact);
        check_multiple(pair("expectile", "half=1", LOSS_FLOAT64, x, t), 0.25, square, exact);
        check_multiple(pair("quantile_huber", "delta=0.625", LOSS_FLOAT64, x, t), 0.5, huber, exact);
        check_multiple(pair("epsilon_insensitive", "epsilon=0", LOSS_FLOAT64, x, t), 1, absolute, 0);
        check_multiple(pair("squared_epsilon_insensitive", "epsilon=0", LOSS_FLOAT64, x, t), 1, square, 0);
        check_multiple(pair("power_error", "power=1", LOSS_FLOAT64, x, t), 1, absolute, exact);
        check_multiple(pair("power_error", "", LOSS_FLOAT64, x, t), 1, square, exact);
    }
}

/* The smoothed quantile loss is the log-cosh loss of half the residual, shifted: h (log cosh(r/2h) + log 2) at the median. */
static void test_smoothed_quantile_is_log_cosh(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        const double x = 20 * scatter(i) - 10, h = 0.75;
        const row smooth = pair("smoothed_quantile", "width=0.75", LOSS_FLOAT64, x, 0.25),
                  cosh = pair("log_cosh", "scale=2", LOSS_FLOAT64, (x - 0.25) / (4 * h), 0);
        assert_close(smooth.value, h * (2 * cosh.value + log(2)), 1e-14, 0);
        assert_close(smooth.gradient[0], cosh.gradient[0] / 2, 1e-14, 0);
        assert_close(smooth.curvature[0], cosh.curvature[0] / (8 * h), 4e-14, 0);
    }
}

/* As the width goes to 0 the smoothed quantile loss becomes the quantile loss; at the kink it keeps h log 2. */
static void test_smoothed_quantile_sharpens(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < 100; i++) {
            const double x = 8 * scatter(i) - 4;
            const row sharp = pair("quantile", "quantile=0.875", dtypes[k], x, 0.25),
                      smooth = pair("smoothed_quantile", "quantile=0.875;width=1e-6", dtypes[k], x, 0.25);
            assert_true(fabs(x - 0.25) > 1e-3);
            assert_close(smooth.value, sharp.value, tolerance[k], 0);
            assert_close(smooth.gradient[0], sharp.gradient[0], tolerance[k], 0);
            assert_close(smooth.curvature[0], 0, 0, 0);
        }
        assert_close(pair("smoothed_quantile", "quantile=0.875;width=0.25", dtypes[k], 2.5, 2.5).value,
                     0.25 * log(2), tolerance[k], 0);
    }
}

/* Quantile Huber, pseudo-Huber and log-cosh between their quadratic and their linear ends. */
static void test_ends(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        const double near = 1e-3, far = 1e6, loose = 3e-6;
        assert_close(pair("quantile_huber", "quantile=0.75;delta=2", dtypes[k], -5, 0).value, 6, 0, 0);
        assert_close(pair("quantile_huber", "quantile=0.75;delta=2", dtypes[k], 5, 0).value, 2, 0, 0);
        assert_close(pair("quantile_huber", "quantile=0.75;delta=2", dtypes[k], -5, 0).gradient[0], -1.5, 0,
                     0);
        assert_close(pair("pseudo_huber", "delta=2", dtypes[k], near, 0).value, near * near / 2, loose, 0);
        assert_close(pair("pseudo_huber", "delta=2", dtypes[k], far, 0).value, 2 * far - 4, loose, 0);
        assert_close(pair("log_cosh", "scale=2", dtypes[k], near, 0).value, near * near, loose, 0);
        assert_close(pair("log_cosh", "scale=2", dtypes[k], far, 0).value, far - log(2) / 2, tolerance[k], 0);
    }
}

/* ---- what the same names mean elsewhere ---- */

/* A quantile weighs predictions that are too low; so does an expectile, which Vowpal Wabbit mirrors. */
static void test_directions(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        assert_close(pair("quantile", "quantile=0.75", dtypes[k], 1, 3).value, 1.5, 0, 0);
        assert_close(pair("quantile", "quantile=0.75", dtypes[k], 3, 1).value, 0.5, 0, 0);
        assert_close(pair("quantile", "quantile=0.75", dtypes[k], 1, 3).gradient[0], -0.75, 0, 0);
        assert_close(pair("quantile", "quantile=0.75", dtypes[k], 3, 1).gradient[0], 0.25, 0, 0);
        assert_close(pair("expectile", "expectile=0.75", dtypes[k], 1, 3).value, 3, 0, 0);
        assert_close(pair("expectile", "expectile=0.75", dtypes[k], 3, 1).value, 1, 0, 0);
        assert_close(pair("expectile", "expectile=0.75", dtypes[k], 1, 3).gradient[0], -3, 0, 0);
        assert_close(pair("expectile", "expectile=0.75;half=1", dtypes[k], 1, 3).gradient[0], -1.5, 0, 0);
        assert_close(pair("smoothed_quantile", "quantile=0.75;width=0.01", dtypes[k], 1, 3).gradient[0],
                     -0.75, tolerance[k], 0);
        assert_close(pair("quantile_huber", "quantile=0.75", dtypes[k], 1, 3).gradient[0], -0.75, 0, 0);
    }
}

/* The best constant of the loss of a quantile is that quantile, from below and from above. */
static void test_best_constants(void **state)
{
    static const double target[] = {7, 1, 4, 2, 11, 3, 5};
    (void)state;
    assert_close(best_constant("quantile", "quantile=0.8", 7, target), 7, 0, 0);
    assert_close(best_constant("quantile", "quantile=0.2", 7, target), 2, 0, 0);
    assert_close(best_constant("absolute_error", "", 7, target), 4, 0, 0);
    assert_close(best_constant("smooth_l1", "beta=0", 7, target), 4, 0, 0);
    assert_close(best_constant("epsilon_insensitive", "epsilon=0", 7, target), 4, 0, 0);
    assert_close(best_constant("power_error", "power=1", 7, target), 4, 0, 0);
    assert_close(best_constant("squared_error", "", 7, target), 33.0 / 7, 1e-15, 0);
    assert_close(best_constant("expectile", "", 7, target), 33.0 / 7, 1e-15, 0);
    assert_close(best_constant("power_error", "", 7, target), 33.0 / 7, 1e-15, 0);
    /* far out the power counts the ends alone: (1 + 11)/2 */
    assert_close(best_constant("power_error", "power=200", 7, target), 6, 1e-2, 0);
    /* the expectile's own equation: the weighted residuals add up to 0 */
    const double e = best_constant("expectile", "expectile=0.9", 7, target);
    double sum = 0;
    for (int i = 0; i < 7; i++) {
        sum += (e < target[i] ? 0.9 : 0.1) * (e - target[i]);
    }
    assert_close(sum, 0, 0, 1e-13);
}

/* With or without the half, as the options say; smooth L1 is tested in test_loss_known.c. */
static void test_halves(void **state)
{
    (void)state;
    assert_close(pair("squared_error", "", LOSS_FLOAT32, 4, 1).value, 9, 0, 0);
    assert_close(pair("squared_error", "half=1", LOSS_FLOAT32, 4, 1).value, 4.5, 0, 0);
    assert_close(pair("huber", "delta=5", LOSS_FLOAT32, 4, 1).value, 4.5, 0, 0);
    /* the slope far out is delta, as in XGBoost, and not 1 */
    assert_close(pair("pseudo_huber", "delta=3", LOSS_FLOAT64, 1e9, 0).gradient[0], 3, 1e-15, 0);
    assert_close(pair("log_cosh", "scale=3", LOSS_FLOAT64, 1e9, 0).gradient[0], 1, 0, 0);
}

/* Libraries floor the target at 1e-7 or at 1; Keras gives a percentage. Here the floor is an option and 1 means 100 per cent. */
static void test_percentage_floor(void **state)
{
    (void)state;
    assert_close(pair("mape", "", LOSS_FLOAT64, 1.5, 2).value, 0.25, 0, 0);
    assert_close(pair("mape", "", LOSS_FLOAT64, 1, 0).value, 1e7, 1e-15, 0);
    assert_close(pair("mape", "floor=1", LOSS_FLOAT64, 0.75, 0.5).value, 0.25, 0, 0);
    assert_close(pair("mape", "floor=1", LOSS_FLOAT64, 0.75, -0.5).gradient[0], 1, 0, 0);
    assert_close(pair("mape", "", LOSS_FLOAT64, -2, -4).gradient[0], 0.25, 0, 0);
}

/* ---- small residuals ---- */

/* Keras and optax give 0 for log-cosh of 1e-4 in float32, Ceres 0 for soft L1 of 1e-17. */
static void test_small_residuals(void **state)
{
    (void)state;
    assert_close(pair("log_cosh", "", LOSS_FLOAT32, 1e-4, 0).value, 5.0e-9, 3e-7, 0);
    assert_close(pair("log_cosh", "", LOSS_FLOAT32, 1e-3, 0).value, 4.9999991666669e-7, 3e-7, 0);
    assert_close(pair("log_cosh", "", LOSS_FLOAT64, 1e-9, 0).value, 5e-19, 1e-15, 0);
    assert_close(pair("pseudo_huber", "", LOSS_FLOAT32, 1e-4, 0).value, 5.0e-9, 3e-7, 0);
    assert_close(pair("pseudo_huber", "", LOSS_FLOAT64, 1e-17, 0).value, 5e-35, 1e-15, 0);
    assert_close(pair("smoothed_quantile", "", LOSS_FLOAT32, 1e-12, 0).gradient[0], 2.5e-13, 3e-7, 0);
    /* log1p(p) and log1p(t) are the same number in float32; the loss is not 0 */
    assert_close(pair("msle", "", LOSS_FLOAT32, 1e-10, 0).value, 1e-20, 3e-7, 0);
    assert_close(pair("msle", "", LOSS_FLOAT32, 1e-10, 0).gradient[0], 2e-10, 3e-7, 0);
    assert_close(pair("msle", "", LOSS_FLOAT64, 1e8 + 1e-4, 1e8).value, 9.9995e-25, 1e-3, 0);
}

/* mlpack's log-cosh goes up hill: its gradient has the other sign. Here every gradient points away from the target. */
static void test_gradients_point_away(void **state)
{
    static const char *const names[] = {
        "absolute_error",
        "squared_error",
        "huber",
        "smooth_l1",
        "pseudo_huber",
        "log_cosh",
        "quantile",
        "smoothed_quantile",
        "quantile_huber",
        "expectile",
        "epsilon_insensitive",
        "mape",
        "power_error",
        "msle",
        "squared_epsilon_insensitive",
    };
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        for (int k = 0; k < 2; k++) {
            assert_true(pair(names[i], "", dtypes[k], 3, 1.5).gradient[0] > 0);
            assert_true(pair(names[i], "", dtypes[k], 0.5, 1.5).gradient[0] < 0);
        }
    }
}

/* The zero of the gradient of a smoothed quantile, at h logit τ: between two neighbours, and there alone. */
static void test_zero_of_smoothed_quantile(void **state)
{
    static const char *const options[] = {"quantile=0.25;width=0.375", "quantile=0.9;width=2",
                                          "quantile=0.1"};
    static const long double quantiles[] = {0.25, 0.9, 0.1}, widths[] = {0.375, 2, 1};
    (void)state;
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < 3; i++) {
            const long double tau = quantiles[i], zero = widths[i] * logl(tau / (1 - tau));
            const double x = k == 0 ? (double)(float)zero : (double)zero;
            const double ulp = (double)ulp_of(zero, dtypes[k]);
            for (int step = -3; step <= 3; step++) {
                const double p = x + step * ulp;
                const double slope = (double)((p - zero) * tau * (1 - tau) / widths[i]);
                const row made = pair("smoothed_quantile", options[i], dtypes[k], p, 0);
                /* as exact as a residual moved by one ulp leaves it, which is far less than an ulp of a sigmoid */
                assert_close(made.gradient[0], slope, 1e-6,
                             1.01 * ulp * (double)(tau * (1 - tau) / widths[i]));
                assert_true(step == 0 || (made.gradient[0] > 0) == (step > 0) || (step * step == 1));
            }
        }
    }
}

/* ---- large residuals ---- */

/* PyTorch's Huber loss of 1e20 is infinite in float32, for the square that is not selected; mlpack's log-cosh is from 88 on. */
static void test_large_residuals(void **state)
{
    (void)state;
    assert_close(pair("huber", "", LOSS_FLOAT32, 1e20, 0).value, (double)1e20F, 1e-7, 0);
    assert_close(pair("huber", "", LOSS_FLOAT32, -1e20, 0).gradient[0], -1, 0, 0);
    assert_close(pair("smooth_l1", "", LOSS_FLOAT32, 1e20, 0).value, (double)1e20F, 1e-7, 0);
    assert_close(pair("pseudo_huber", "", LOSS_FLOAT32, 1e20, 0).value, (double)1e20F, 1e-7, 0);
    assert_close(pair("pseudo_huber", "", LOSS_FLOAT32, 1e20, 0).gradient[0], 1, 0, 0);
    assert_close(pair("pseudo_huber", "delta=1e-20", LOSS_FLOAT32, 1e20, 0).value, 1, 1e-6, 0);
    assert_close(pair("quantile_huber", "quantile=0.75", LOSS_FLOAT32, -1e20, 0).value, 0.75 * (double)1e20F,
                 1e-7, 0);
    assert_close(pair("power_error", "power=1.5", LOSS_FLOAT32, 1e20, 0).value, 1e30, 1e-6, 0);
    for (int k = 0; k < 2; k++) {
        const double far_out[] = {89, 711, 1e10, 1e37};
        for (int i = 0; i < 4; i++) {
            const row made = pair("log_cosh", "scale=10", dtypes[k], far_out[i], 0);
            assert_close(made.value, far_out[i] - log(2) / 10, 2e-7, 0);
            assert_close(made.gradient[0], 1, 0, 0);
            assert_close(made.curvature[0], 0, 0, 1e-300);
        }
        /* 2 although the difference is beyond the largest number */
        const double largest = k == 0 ? (double)FLT_MAX : DBL_MAX;
        assert_close(pair("mape", "", dtypes[k], largest, -largest).value, 2, 0, 0);
        /* log(largest/epsilon)² although the quotient is */
        const double least = k == 0 ? 0x1p-24 : 0x1p-53;
        const double size = log(largest) - log(least);
        const row made = pair("msle", "", dtypes[k], largest, least - 1);
        assert_close(made.value, size * size, 10 * tolerance[k], 0);
        assert_close(made.gradient[0], 2 * size / largest, 10 * tolerance[k], k == 0 ? 2e-45 : 1e-323);
        assert_close(pair("msle", "", dtypes[k], least - 1, largest).gradient[0], -2 * size / least,
                     10 * tolerance[k], 0);
    }
}

/* Tails are exact where e⁻ˣ underflows and the width brings it back. */
static void test_tails(void **state)
{
    (void)state;
    assert_close(pair("smoothed_quantile", "quantile=0;width=1e20", LOSS_FLOAT32, -1e22, 0).value,
                 1e20 * exp(-100), 4e-5, 0);
    assert_close(pair("smoothed_quantile", "width=1e-8", LOSS_FLOAT32, 1e-6, 0).curvature[0],
                 1e8 * exp(-(double)1e-6F / (double)1e-8F), 4e-5, 0);
    assert_close(pair("log_cosh", "scale=1073741824", LOSS_FLOAT32, 0x1.b8p-25, 0).curvature[0],
                 0x1p32 * exp(-2 * 0x1.b8p-25 * 0x1p30), 1e-5, 0);
}

/* ---- kinks, infinities, NaN ---- */

static void test_kinks(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        assert_close(pair("quantile", "quantile=0.9", dtypes[k], 2.5, 2.5).gradient[0], 0, 0, 0);
        assert_close(pair("mape", "", dtypes[k], 2.5, 2.5).gradient[0], 0, 0, 0);
        assert_close(pair("power_error", "power=1", dtypes[k], 2.5, 2.5).gradient[0], 0, 0, 0);
        assert_close(pair("power_error", "power=1.5", dtypes[k], 2.5, 2.5).gradient[0], 0, 0, 0);
        assert_close(pair("power_error", "power=1.5", dtypes[k], 2.5, 2.5).curvature[0], infinity, 0, 0);
        assert_close(pair("power_error", "power=2.5", dtypes[k], 2.5, 2.5).curvature[0], 0, 0, 0);
        assert_close(pair("epsilon_insensitive", "epsilon=0.5", dtypes[k], 3, 2.5).gradient[0], 0, 0, 0);
        assert_close(pair("epsilon_insensitive", "epsilon=0.5", dtypes[k], 2, 2.5).gradient[0], 0, 0, 0);
        assert_close(pair("squared_epsilon_insensitive", "epsilon=0.5", dtypes[k], 3, 2.5).curvature[0], 0, 0,
                     0);
        assert_close(pair("expectile", "expectile=0.75", dtypes[k], 2.5, 2.5).curvature[0], 0.5, 0, 0);
        assert_close(pair("quantile_huber", "quantile=0.75", dtypes[k], 2.5, 2.5).curvature[0], 0.25, 0, 0);
        assert_close(pair("quantile_huber", "quantile=0.75;delta=2", dtypes[k], 4.5, 2.5).curvature[0], 0.25,
                     0, 0);
        assert_close(pair("squared_error", "", dtypes[k], 2.5, 2.5).curvature[0], 2, 0, 0);
    }
    /* scikit-learn's default in float32: the option is the float nearest to it, and so is the kink */
    assert_close(pair("epsilon_insensitive", "", LOSS_FLOAT32, 0.1, 0).gradient[0], 0, 0, 0);
}

/* A quantile or expectile of 0 or 1 takes one side away, infinite residuals too; the other side stays. */
static void test_one_sided(void **state)
{
    static const char *const names[] = {"quantile", "quantile_huber", "expectile", "smoothed_quantile"};
    (void)state;
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < 4; i++) {
            const char *none = i == 2 ? "expectile=0" : "quantile=0",
                       *all = i == 2 ? "expectile=1" : "quantile=1";
            const double big = k == 0 ? 1e38 : 1e308;
            assert_close(pair(names[i], none, dtypes[k], -infinity, 0).value, 0, 0, 0);
            assert_close(pair(names[i], none, dtypes[k], -infinity, 0).gradient[0], 0, 0, 0);
            assert_close(pair(names[i], none, dtypes[k], -big, 0).value, 0, 0, 0);
            assert_close(pair(names[i], none, dtypes[k], infinity, 0).value, infinity, 0, 0);
            assert_close(pair(names[i], all, dtypes[k], infinity, 0).value, 0, 0, 0);
            assert_close(pair(names[i], all, dtypes[k], infinity, 0).gradient[0], 0, 0, 0);
            assert_close(pair(names[i], all, dtypes[k], -infinity, 0).value, infinity, 0, 0);
            assert_close(pair(names[i], all, dtypes[k], 0, (double)NAN).value, (double)NAN, 0, 0);
            assert_close(pair(names[i], none, dtypes[k], (double)NAN, 0).gradient[0], (double)NAN, 0, 0);
        }
    }
}

/* NaN is NaN with every option, also where the loss is another one: smooth L1 with beta 0 gave 0. */
static void test_nan(void **state)
{
    static const char *const cases[][2] = {
        {"smooth_l1", "beta=0"},           {"epsilon_insensitive", "epsilon=0"},
        {"power_error", "power=1"},        {"power_error", "power=1.5"},
        {"power_error", "power=3"},        {"squared_epsilon_insensitive", "epsilon=0"},
        {"epsilon_insensitive", ""},       {"quantile", "quantile=1"},
        {"absolute_percentage_error", ""}, {"squared_logarithmic_error", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int k = 0; k < 4; k++) {
            const row made = pair(cases[i][0], cases[i][1], dtypes[k / 2], k % 2 ? (double)NAN : 0.5,
                                  k % 2 ? 0.5 : (double)NAN);
            assert_close(made.value, (double)NAN, 0, 0);
            assert_close(made.gradient[0], (double)NAN, 0, 0);
            assert_close(made.curvature[0], (double)NAN, 0, 0);
        }
    }
}

/* Limits of the power error at infinity and of the logarithmic one at the end of its domain; beyond that is an error. */
static void test_limits(void **state)
{
    loss_function *function = make_function("msle", "");
    (void)state;
    for (int k = 0; k < 2; k++) {
        assert_close(pair("power_error", "power=1", dtypes[k], -infinity, 0).gradient[0], -1, 0, 0);
        assert_close(pair("power_error", "power=1.5", dtypes[k], infinity, 0).gradient[0], infinity, 0, 0);
        assert_close(pair("power_error", "power=1.5", dtypes[k], infinity, 0).curvature[0], 0, 0, 0);
        assert_close(pair("power_error", "", dtypes[k], infinity, 0).curvature[0], 2, 0, 0);
        assert_close(pair("power_error", "power=3", dtypes[k], infinity, 0).curvature[0], infinity, 0, 0);
        assert_close(pair("msle", "", dtypes[k], -1, 0).value, infinity, 0, 0);
        assert_close(pair("msle", "", dtypes[k], -1, 0).gradient[0], -infinity, 0, 0);
        for (int which = 0; which < 2; which++) {
            batch made = batch_create(dtypes[k], 1, 1, 1, 0);
            set_element(which ? made.target : made.prediction, dtypes[k], 0, -1.5);
            assert_status(context, batch_evaluate(context, function, &made), LOSS_ERROR_DOMAIN);
            assert_sentence(context, "-1.5");
            batch_free(&made);
        }
    }
    loss_function_free(function);
}

/* ---- curvature and bounds ---- */

/* XGBoost floors this curvature at 1e-6; it is negative where the prediction is more than e times too large. */
static void test_logarithmic_curvature(void **state)
{
    (void)state;
    assert_close(pair("msle", "", LOSS_FLOAT64, 19, 1).curvature[0], 2 * (1 - log(10)) / 400, 1e-14, 0);
    assert_close(pair("msle", "curvature=gauss_newton", LOSS_FLOAT64, 19, 1).curvature[0], 0, 0, 0);
    /* at its zero, 1 + p = e (1 + t), it keeps the digits that the inputs leave it */
    for (int k = 0; k < 2; k++) {
        const double t = k == 0 ? (double)0.1F : 0.1, p = 1.9901100397109985;
        const long double left = 1 - (log1pl(p) - log1pl(t)), moved = ulp_of(p, dtypes[k]) / (1 + p);
        assert_true(fabsl(left) < 1e-7);
        assert_close(pair("msle", "", dtypes[k], p, t).curvature[0], (double)(2 * left / ((1 + p) * (1 + p))),
                     1e-6, (double)(2 * moved / ((1 + p) * (1 + p))));
    }
}

/* Far from the target the curvature may be 0 while the majorizer, the weight of reweighted least squares, is not. */
static void test_majorizers(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        assert_close(majorizer("quantile", "quantile=0.9", dtypes[k], 4, 0), 0.125, 0, 0);
        assert_close(majorizer("smoothed_quantile", "width=0.001", dtypes[k], 4, 0), 0.125, tolerance[k], 0);
        assert_close(majorizer("smoothed_quantile", "width=0.5", dtypes[k], 0, 0), 0.5, 0, 0);
        assert_close(majorizer("quantile_huber", "quantile=0.75;delta=2", dtypes[k], 8, 0), 0.1875, 0, 0);
        assert_close(majorizer("quantile_huber", "quantile=0.75;delta=2", dtypes[k], 1, 0), 0.75, 0, 0);
        assert_close(majorizer("expectile", "expectile=0.75", dtypes[k], 1, 0), 1.5, 0, 0);
        assert_close(majorizer("epsilon_insensitive", "epsilon=0.5", dtypes[k], 4, 0), 0.25, 0, 0);
        assert_close(majorizer("epsilon_insensitive", "epsilon=0.5", dtypes[k], 0.625, 0), 4, 0, 0);
        assert_close(majorizer("epsilon_insensitive", "epsilon=0.5", dtypes[k], 0.25, 0), 2, 0, 0);
        assert_close(majorizer("epsilon_insensitive", "epsilon=0.5", dtypes[k], 0.5, 0), infinity, 0, 0);
        assert_close(majorizer("power_error", "power=1.5", dtypes[k], 4, 0), 0.75, 4 * tolerance[k], 0);
        assert_close(majorizer("power_error", "power=1", dtypes[k], 0, 0), infinity, 0, 0);
        assert_close(majorizer("power_error", "power=2", dtypes[k], 0, 0), 2, 0, 0);
    }
    assert_int_equal(property("power_error", "power=2", "majorizer"), 1);
    assert_int_equal(property("power_error", "power=2.125", "majorizer"), 0);
}

/* A tight bound touches: the parabola of the ε-insensitive loss meets another piece, from each of its three kinds of place. */
static void test_insensitive_majorizer_touches(void **state)
{
    static const double points[] = {0.25, -0.375, 0.625, -0.75, 1.25, -6};
    (void)state;
    for (int i = 0; i < 6; i++) {
        const row here = pair("epsilon_insensitive", "epsilon=0.5", LOSS_FLOAT64, points[i], 0);
        const double bound = majorizer("epsilon_insensitive", "epsilon=0.5", LOSS_FLOAT64, points[i], 0);
        double least = infinity;
        for (int j = -4000; j <= 4000; j++) {
            const double d = j / 256.0,
                         there =
                             pair("epsilon_insensitive", "epsilon=0.5", LOSS_FLOAT64, points[i] + d, 0).value;
            const double gap = here.value + here.gradient[0] * d + bound * d * d / 2 - there;
            assert_true(gap >= -1e-14);
            least = fabs(d) > 0.1 ? fmin(least, gap) : least;
        }
        assert_true(least < 1e-4);
    }
}

/* What a solver may count on. */
static void test_numbers(void **state)
{
    (void)state;
    assert_close(number("huber", "delta=2", "lipschitz"), 2, 0, 0);
    assert_close(number("pseudo_huber", "delta=2", "lipschitz"), 2, 0, 0);
    assert_close(number("log_cosh", "scale=2", "curvature_bound"), 2, 0, 0);
    assert_close(number("quantile", "quantile=0.2", "lipschitz"), 0.8, 0, 0);
    assert_close(number("quantile_huber", "quantile=0.2;delta=2", "lipschitz"), 1.6, 0, 0);
    assert_close(number("smoothed_quantile", "width=0.5", "curvature_bound"), 0.5, 0, 0);
    assert_close(number("smoothed_quantile", "width=0.5", "minimum"), 0.5 * log(2), 1e-15, 0);
    assert_close(number("expectile", "expectile=0.2", "curvature_bound"), 1.6, 0, 0);
    assert_close(number("smooth_l1", "beta=4", "curvature_bound"), 0.25, 0, 0);
    assert_close(number("power_error", "power=1", "lipschitz"), 1, 0, 0);
    assert_close(number("power_error", "power=1.5", "continuous_derivatives"), 1, 0, 0);
    assert_close(number("power_error", "power=3", "continuous_derivatives"), 2, 0, 0);
    assert_close(number("power_error", "power=4", "continuous_derivatives"), infinity, 0, 0);
    assert_close(number("squared_epsilon_insensitive", "", "continuous_derivatives"), 1, 0, 0);
}

/* The other names of these losses lead to them. */
static void test_aliases(void **state)
{
    static const char *const names[][2] = {
        {"charbonnier", "pseudo_huber"},
        {"soft_l1", "pseudo_huber"},
        {"pinball", "quantile"},
        {"lq", "power_error"},
        {"lp_loss", "power_error"},
        {"msle", "squared_logarithmic_error"},
        {"mape", "absolute_percentage_error"},
        {"mse", "squared_error"},
        {"squared_log_error", "squared_logarithmic_error"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        loss_function *function = make_function(names[i][0], "");
        assert_string_equal(loss_function_name(function), names[i][1]);
        loss_function_free(function);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_special_cases),
        cmocka_unit_test(test_smoothed_quantile_is_log_cosh),
        cmocka_unit_test(test_smoothed_quantile_sharpens),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_directions),
        cmocka_unit_test(test_best_constants),
        cmocka_unit_test(test_halves),
        cmocka_unit_test(test_percentage_floor),
        cmocka_unit_test(test_small_residuals),
        cmocka_unit_test(test_gradients_point_away),
        cmocka_unit_test(test_zero_of_smoothed_quantile),
        cmocka_unit_test(test_large_residuals),
        cmocka_unit_test(test_tails),
        cmocka_unit_test(test_kinks),
        cmocka_unit_test(test_one_sided),
        cmocka_unit_test(test_nan),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_logarithmic_curvature),
        cmocka_unit_test(test_majorizers),
        cmocka_unit_test(test_insensitive_majorizer_touches),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_aliases),
    };
    return cmocka_run_group_tests_name("loss_known_regression", tests, known_setup, known_teardown);
}
