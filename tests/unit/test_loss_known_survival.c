/*
 * Times until an event, and counts: identities of Cox's partial likelihood, of failure times and of intensities, numbers
 * known from elsewhere, and mistakes that other libraries made and these must not.
 */
#include <math.h>
#include <stdlib.h>

#include "support/batch.h"
#include "support/check.h"
#include "support/known.h"

static const double infinity = (double)INFINITY;

enum { ROWS = 40 };

/* A call of one column a role. */
typedef struct call {
    int64_t rows, units;
    double value[ROWS], gradient[ROWS], curvature[ROWS], product[ROWS], sum, denominator;
} call;

typedef struct input {
    const char *role;
    const double *numbers;
} input;

static void *column(loss_dtype dtype, const double *numbers, int64_t rows)
{
    void *made = calloc((size_t)rows, 8);
    assert_non_null(made);
    for (int64_t i = 0; i < rows && numbers != NULL; i++) {
        set_element(made, dtype, i, numbers[i]);
    }
    return made;
}

/* Inputs up to one without a role; the direction is the prediction's index + 1. */
static call evaluate(const char *name, const char *options, loss_dtype dtype, int64_t rows, int64_t units,
                     const input *given)
{
    static const char *const outputs[] = {"value", "gradient", "curvature", "product"};
    loss_function *function = make_function(name, options);
    loss_data *in, *out;
    call result = {.rows = rows, .units = units};
    double *const to[] = {result.value, result.gradient, result.curvature, result.product};
    void *arrays[12], *made[4];
    double direction[ROWS];
    int count = 0;
    assert_status(context, loss_data_create(&in, context), LOSS_OK);
    assert_status(context, loss_data_create(&out, context), LOSS_OK);
    for (int64_t i = 0; i < rows; i++) {
        direction[i] = (double)i + 1;
    }
    arrays[count++] = column(dtype, direction, rows);
    loss_data_set_input(in, "direction", arrays[0], dtype, rows, 1, 1, 1);
    for (; given->role != NULL; given++) {
        arrays[count] = column(dtype, given->numbers, rows);
        assert_status(context, loss_data_set_input(in, given->role, arrays[count++], dtype, rows, 1, 1, 1),
                      LOSS_OK);
    }
    for (int k = 0; k < 4; k++) {
        made[k] = column(dtype, NULL, rows);
        assert_status(context,
                      loss_data_set_output(out, outputs[k], made[k], dtype, k == 0 ? units : rows, 1, 1, 1),
                      LOSS_OK);
    }
    assert_status(context,
                  loss_function_evaluate(context, function, in, out, &result.sum, &result.denominator),
                  LOSS_OK);
    for (int k = 0; k < 4; k++) {
        for (int64_t i = 0; i < (k == 0 ? units : rows); i++) {
            to[k][i] = element(made[k], dtype, i);
        }
        free(made[k]);
    }
    while (count > 0) {
        free(arrays[--count]);
    }
    loss_data_free(in);
    loss_data_free(out);
    loss_function_free(function);
    return result;
}

static call cox(const char *options, loss_dtype dtype, int64_t rows, const double *x, const double *time,
                const double *event, const double *weight)
{
    const input given[] = {{"prediction", x},
                           {"time", time},
                           {"event", event},
                           {weight == NULL ? NULL : "weight", weight},
                           {NULL, NULL}};
    return evaluate("cox", options, dtype, rows, 1, given);
}

static void assert_same(const call *a, const call *b)
{
    for (int64_t i = 0; i < a->rows; i++) {
        assert_true(same_bits(a->gradient[i], b->gradient[i]));
        assert_true(same_bits(a->curvature[i], b->curvature[i]));
        assert_true(same_bits(a->product[i], b->product[i]));
    }
    assert_true(same_bits(a->sum, b->sum));
    assert_true(same_bits(a->denominator, b->denominator));
}

/* Scores that keep all their digits when 10000 is added, also in float32; times with or without ties. */
static void cohort(int seed, int64_t ties, double *x, double *time, double *event)
{
    for (int i = 0; i < ROWS; i++) {
        x[i] = floor(1024 * (4 * scatter(seed + i) - 2)) / 1024;
        time[i] = ties > 0 ? (double)((i * 17 + seed) % ties) : scatter(seed + 1000 + i);
        event[i] = scatter(seed + 2000 + i) < 0.6;
    }
}

/* ---- Cox ---- */

/* XGBoost does not shift the exponentials and overflows from scores of 88 on in float32. */
static void test_shift(void **state)
{
    double x[ROWS], moved[ROWS], time[ROWS], event[ROWS];
    (void)state;
    for (int k = 0; k < 2; k++) {
        for (int64_t ties = 0; ties <= 8; ties += 8) {
            cohort(3, ties, x, time, event);
            for (int sign = -1; sign <= 1; sign += 2) {
                for (int i = 0; i < ROWS; i++) {
                    moved[i] = x[i] + sign * 10000.0;
                }
                for (int efron = 0; efron < 2; efron++) {
                    const char *options = efron ? "ties=efron" : "";
                    const call here = cox(options, dtypes[k], ROWS, x, time, event, NULL);
                    const call there = cox(options, dtypes[k], ROWS, moved, time, event, NULL);
                    assert_same(&here, &there);
                    assert_true(here.sum > 10);
                }
            }
        }
    }
}

static void test_ties(void **state)
{
    double x[ROWS], time[ROWS], event[ROWS];
    (void)state;
    for (int k = 0; k < 2; k++) {
        cohort(5, 0, x, time, event);
        const call breslow = cox("", dtypes[k], ROWS, x, time, event, NULL);
        const call efron = cox("ties=efron", dtypes[k], ROWS, x, time, event, NULL);
        assert_same(&breslow, &efron);
        cohort(5, 8, x, time, event);
        assert_true(cox("", dtypes[k], ROWS, x, time, event, NULL).sum >
                    cox("ties=efron", dtypes[k], ROWS, x, time, event, NULL).sum);
    }
}

/* Equal scores: log of the numbers at risk. Three events at once among four: 3 log 4, or log(4 · 3 · 2). */
static void test_counts(void **state)
{
    static const double x[] = {0.75, 0.75, 0.75, 0.75}, once[] = {1, 1, 1, 2}, late[] = {1, 2, 3, 4},
                        event[] = {1, 1, 1, 0}, all[] = {1, 1, 1, 1}, none[] = {0, 0, 0, 0};
    (void)state;
    for (int k = 0; k < 2; k++) {
        assert_close(cox("", dtypes[k], 4, x, once, event, NULL).value[0], 3 * log(4), tolerance[k], 0);
        assert_close(cox("ties=efron", dtypes[k], 4, x, once, event, NULL).value[0], log(24), tolerance[k],
                     0);
        const call ranks = cox("", dtypes[k], 4, x, late, all, NULL);
        assert_close(ranks.value[0], log(24), tolerance[k], 0);
        assert_close(ranks.denominator, 4, 0, 0);
        assert_close(ranks.gradient[0], 1.0 / 4 - 1, tolerance[k], 0);
        assert_close(ranks.gradient[1], 1.0 / 4 + 1.0 / 3 - 1, tolerance[k], 0);
        assert_close(ranks.gradient[3], 1.0 / 4 + 1.0 / 3 + 1.0 / 2, tolerance[k], 0);
        assert_close(ranks.curvature[3], 3.0 / 16 + 2.0 / 9 + 1.0 / 4, tolerance[k], 0);
        const call nothing = cox("", dtypes[k], 4, x, late, none, NULL);
        assert_close(nothing.sum, 0, 0, 0);
        assert_close(nothing.denominator, 0, 0, 0);
        assert_close(nothing.gradient[2], 0, 0, 0);
    }
}

/* An event whose score is far above the rest: e^-d, where S - e^x or 1 - p would give 0. */
static void test_cox_tails(void **state)
{
    static const double time[] = {1, 2}, event[] = {1, 1};
    (void)state;
    for (int k = 0; k < 2; k++) {
        for (int far = 20; far <= (k == 0 ? 80 : 700); far += 20) {
            const double x[] = {far, 0}, e = exp(-far), share = e / (1 + e), flank = share / (1 + e);
            const call c = cox("", dtypes[k], 2, x, time, event, NULL);
            assert_close(c.value[0], log1p(e), 4 * tolerance[k], 0);
            assert_close(c.gradient[0], -share, 4 * tolerance[k], 0);
            assert_close(c.gradient[1], share, 4 * tolerance[k], 0);
            assert_close(c.curvature[0], flank, 4 * tolerance[k], 0);
            assert_close(c.curvature[1], flank, 4 * tolerance[k], 0);
            assert_close(c.product[0], -flank, 4 * tolerance[k], 0);
        }
    }
}

/* XGBoost's weights multiply derivatives after the sums; here a weight of 2 is two rows with the ties of Breslow. */
static void test_case_weights(void **state)
{
    static const double x[] = {0.5, -1, 2, 0.25}, time[] = {1, 2, 3, 1.5}, event[] = {1, 1, 0, 1},
                        weight[] = {2, 1, 1, 2};
    static const double xs[] = {0.5, 0.5, -1, 2, 0.25, 0.25}, times[] = {1, 1, 2, 3, 1.5, 1.5},
                        events[] = {1, 1, 1, 0, 1, 1};
    (void)state;
    for (int k = 0; k < 2; k++) {
        const call weighed = cox("", dtypes[k], 4, x, time, event, weight);
        const call copied = cox("", dtypes[k], 6, xs, times, events, NULL);
        assert_close(weighed.sum, copied.sum, 2 * tolerance[k], 0);
        assert_close(weighed.denominator, copied.denominator, 0, 0);
        assert_close(weighed.gradient[0], copied.gradient[0] + copied.gradient[1], 8 * tolerance[k], 0);
        assert_close(weighed.gradient[2], copied.gradient[3], 8 * tolerance[k], 0);
    }
}

static void test_gradients_cancel(void **state)
{
    double x[ROWS], time[ROWS], event[ROWS];
    (void)state;
    for (int seed = 0; seed < 20; seed++) {
        double sum = 0;
        cohort(seed * 50, seed % 2 ? 6 : 0, x, time, event);
        const call c = cox("ties=efron", LOSS_FLOAT64, ROWS, x, time, event, NULL);
        for (int i = 0; i < ROWS; i++) {
            sum += c.gradient[i];
        }
        assert_close(sum, 0, 0, 1e-14);
    }
}

/* ---- failure times ---- */

static call failure(const char *options, loss_dtype dtype, double x, double lower, double upper)
{
    const input given[] = {{"prediction", &x}, {"lower", &lower}, {"upper", &upper}, {NULL, NULL}};
    return evaluate("accelerated_failure_time", options, dtype, 1, 1, given);
}

/* Extreme noise is Weibull's distribution with shape 1/sigma and scale e^x. */
static void test_weibull(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < 100; i++) {
            const double x = (double)(float)(4 * scatter(i) - 2),
                         t = (double)(float)(0.1 + 5 * scatter(500 + i));
            const double shape = 1.6, ratio = t / exp(x); /* scale 0.625 */
            const call c = failure("distribution=extreme;scale=0.625", dtypes[k], x, t, t);
            const double density = shape / exp(x) * pow(ratio, shape - 1) * exp(-pow(ratio, shape));
            assert_close(c.value[0], -log(density), 10 * tolerance[k], 10 * tolerance[k]);
            assert_close(failure("distribution=extreme;scale=0.625", dtypes[k], x, t, infinity).value[0],
                         pow(ratio, shape), 40 * tolerance[k], 0);
        }
    }
}

/* XGBoost clips probabilities at 1e-12, derivatives at 15: beyond that its loss is flat. */
static void test_failure_tails(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        /* Mills' ratio: h(30), and -log S(30); by mpmath */
        const call c = failure("", dtypes[k], -30, 1, infinity);
        assert_close(c.value[0], 454.3212439563432, 2 * tolerance[k], 0);
        assert_close(c.gradient[0], -30.033259667433677, 4 * tolerance[k], 0);
        assert_close(c.curvature[0], 0.9988962284881099, 4 * tolerance[k], 0);
        assert_close(failure("distribution=logistic", dtypes[k], 50, 1, infinity).value[0], exp(-50),
                     2 * tolerance[k], 0);
        assert_close(failure("distribution=logistic", dtypes[k], -50, 1, infinity).value[0], 50, tolerance[k],
                     0);
        assert_close(failure("distribution=extreme", dtypes[k], 50, 0, 1).value[0], 50, tolerance[k], 0);
        assert_close(failure("distribution=extreme", dtypes[k], 50, 0, infinity).value[0], 0, 0, 0);
        assert_true(isnan(failure("", dtypes[k], 0, 2, 1).value[0]));
        assert_close(failure("", dtypes[k], infinity, 1, infinity).value[0], 0, 0, 0);
        assert_close(failure("", dtypes[k], -infinity, 1, infinity).value[0], infinity, 0, 0);
        assert_close(failure("", dtypes[k], -infinity, 1, infinity).curvature[0], 1, 0, 0);
        assert_close(failure("distribution=logistic", dtypes[k], -infinity, 1, infinity).gradient[0], -1, 0,
                     0);
    }
}

/* The probabilities of left, interval and right add up to 1. */
static void test_failure_partition(void **state)
{
    static const char *const distributions[] = {"distribution=normal", "distribution=logistic",
                                                "distribution=extreme"};
    (void)state;
    for (int d = 0; d < 3; d++) {
        for (int i = 0; i < 100; i++) {
            const double x = 6 * scatter(i) - 3, a = 0.1 + 3 * scatter(200 + i),
                         b = a + 4 * scatter(300 + i) * scatter(400 + i);
            const double sum = exp(-failure(distributions[d], LOSS_FLOAT64, x, 0, a).value[0]) +
                               exp(-failure(distributions[d], LOSS_FLOAT64, x, a, b).value[0]) +
                               exp(-failure(distributions[d], LOSS_FLOAT64, x, b, infinity).value[0]);
            assert_close(sum, 1, 2e-15, 0);
        }
    }
}

/* The gradient where no value and no second derivative is wanted. */
static double plain_failure(const double *x, const double *lower, const double *upper, double *gradient)
{
    const char *const roles[] = {"prediction", "lower", "upper"};
    const double *const numbers[] = {x, lower, upper};
    loss_function *function = make_function("accelerated_failure_time", "");
    loss_data *in, *out;
    void *arrays[3], *made = column(LOSS_FLOAT32, NULL, ROWS);
    double sum, denominator;
    assert_status(context, loss_data_create(&in, context), LOSS_OK);
    assert_status(context, loss_data_create(&out, context), LOSS_OK);
    for (int k = 0; k < 3; k++) {
        arrays[k] = column(LOSS_FLOAT32, numbers[k], ROWS);
        loss_data_set_input(in, roles[k], arrays[k], LOSS_FLOAT32, ROWS, 1, 1, 1);
    }
    loss_data_set_output(out, "prediction.gradient", made, LOSS_FLOAT32, ROWS, 1, 1, 1);
    assert_status(context, loss_function_evaluate(context, function, in, out, &sum, &denominator), LOSS_OK);
    for (int i = 0; i < ROWS; i++) {
        gradient[i] = element(made, LOSS_FLOAT32, i);
    }
    for (int k = 0; k < 3; k++) {
        free(arrays[k]);
    }
    free(made);
    loss_data_free(in);
    loss_data_free(out);
    loss_function_free(function);
    return sum;
}

/* float32 is made in double: float64 but for one rounding, however narrow intervals are, and the same with second derivatives. */
static void test_failure_single(void **state)
{
    double x[ROWS], lower[ROWS], upper[ROWS], gradient[ROWS];
    (void)state;
    for (int power = 0; power < 24; power++) {
        for (int i = 0; i < ROWS; i++) {
            const double size = ldexp(1 + scatter(700 + i), -power);
            x[i] = (double)(float)(12 * scatter(800 + i) - 6);
            lower[i] = i % 5 == 4 ? 0 : (double)(float)(0.05 + 4 * scatter(900 + i + power));
            upper[i] = i % 5 == 3 ? infinity : (double)(float)((lower[i] + (i % 5 == 4)) * (1 + size));
        }
        const input given[] = {{"prediction", x}, {"lower", lower}, {"upper", upper}, {NULL, NULL}};
        const call all = evaluate("accelerated_failure_time", "", LOSS_FLOAT32, ROWS, ROWS, given);
        const double sum = plain_failure(x, lower, upper, gradient);
        for (int i = 0; i < ROWS; i++) {
            const call one = failure("", LOSS_FLOAT64, x[i], lower[i], upper[i]);
            assert_close(all.value[i], one.value[0], 1.25e-7, 0);
            assert_close(all.gradient[i], one.gradient[0], 1.25e-7, 1e-9);
            assert_true(same_bits(all.gradient[i], gradient[i]));
        }
        assert_true(same_bits(all.sum, sum));
    }
}

/* ---- intensities ---- */

static call intensity(loss_dtype dtype, double x, double t, double w)
{
    const input given[] = {
        {"prediction", &x}, {"target", &t}, {w == 1 ? NULL : "intensity", &w}, {NULL, NULL}};
    return evaluate("intensity_cross_entropy", "", dtype, 1, 1, given);
}

static void assert_numbers(const call *c, double value, double gradient, double curvature, double relative)
{
    assert_close(c->value[0], value, relative, 0);
    assert_close(c->gradient[0], gradient, relative, 0);
    assert_close(c->curvature[0], curvature, relative, 0);
}

/* An intensity of 1 gives the logistic loss, whose numbers come from another formula. */
static void test_intensity_of_one(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < 200; i++) {
            const double x = (double)(float)(60 * scatter(i) - 30);
            const double t = i % 4 == 0 ? 0 : i % 4 == 1 ? 1 : (double)(float)scatter(700 + i);
            const call c = intensity(dtypes[k], x, t, 1);
            const row r = pair("logistic", "", dtypes[k], x, t);
            assert_close(c.value[0], r.value, 4 * tolerance[k], 0);
            assert_close(c.gradient[0], r.gradient[0], 4 * tolerance[k], 4 * tolerance[k] * t);
            assert_close(c.curvature[0], r.curvature[0], 4 * tolerance[k], 0);
        }
    }
}

/* Differences in decimal arithmetic of 60 digits; and at x = 0, t = 1 powers of two: u = 100 log 2, p = 1 - 2^-100. */
static void test_intensity_numbers(void **state)
{
    const double far = ldexp(1, -100);
    (void)state;
    for (int k = 0; k < 2; k++) {
        const double relative = 4 * tolerance[k];
        call c = intensity(dtypes[k], 0, 1, 2);
        assert_numbers(&c, 0.2876820724517809, -1.0 / 3, 5.0 / 18, relative);
        c = intensity(dtypes[k], 0.5, 0.25, 3);
        assert_numbers(&c, 2.2055021097270648, 1.3739821383739874, 0.57113545308157365, relative);
        c = intensity(dtypes[k], 2, 0.75, 0.5);
        assert_numbers(&c, 0.58350123897831407, -0.064073121652916162, 0.10951592288889925, 4 * relative);
        c = intensity(dtypes[k], 0, 1, 100);
        assert_numbers(&c, far, -50 * far, 2475 * far, relative);
        /* e^x is no float32, and w e^x none where w = 1: -log(1 - e^-u) = -log w - x */
        c = intensity(dtypes[k], -200, 1, 2);
        assert_numbers(&c, 200 - log(2), -1, c.curvature[0], relative);
    }
}

static void test_intensity_limits(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        call c = intensity(dtypes[k], infinity, 1, 3);
        assert_numbers(&c, 0, 0, 0, 0);
        c = intensity(dtypes[k], infinity, 0, 3);
        assert_numbers(&c, infinity, 3, 0, 0);
        c = intensity(dtypes[k], -infinity, 0, 3);
        assert_numbers(&c, 0, 0, 0, 0);
        c = intensity(dtypes[k], -infinity, 1, 3);
        assert_numbers(&c, infinity, -1, 0, 0);
        c = intensity(dtypes[k], -infinity, 0.5, 3);
        assert_numbers(&c, infinity, -0.5, 0, 0);
        c = intensity(dtypes[k], 1, 0.5, (double)NAN);
        assert_true(isnan(c.value[0]) && isnan(c.gradient[0]) && isnan(c.curvature[0]));
        c = intensity(dtypes[k], (double)NAN, 0, 3);
        assert_true(isnan(c.value[0]) && isnan(c.gradient[0]) && isnan(c.curvature[0]));
    }
}

/* Convex for every intensity. */
static void test_intensity_is_convex(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < 400; i++) {
            const double x = 80 * scatter(i) - 40, w = exp(60 * scatter(900 + i) - 30);
            assert_true(intensity(dtypes[k], x, i % 2 ? 1 : scatter(1800 + i), w).curvature[0] >= 0);
        }
    }
}

/* ---- counts ---- */

/* PyTorch's full adds Stirling's formula, and only for y > 1: 1.22987 and 1.65181. */
static void test_poisson_full(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        for (int y = 0; y < 20; y++) { /* mean 1 */
            assert_close(pair("poisson", "full=1", dtypes[k], 0, y).value, 1 + lgamma(y + 1.0),
                         2 * tolerance[k], 0);
            assert_close(pair("poisson", "full=1;link=identity", dtypes[k], 1, y).value, 1 + lgamma(y + 1.0),
                         2 * tolerance[k], 0);
        }
        assert_close(pair("poisson", "full=1", dtypes[k], 0, 1.5).value, 1.2846828704729192, 2 * tolerance[k],
                     0);
        assert_close(pair("poisson", "full=1", dtypes[k], 0, 2).value, 1 + log(2), 2 * tolerance[k], 0);
    }
    /* a million where a million was expected: log(2 pi y)/2 + 1/(12 y), beside terms of 13 million */
    assert_close(pair("poisson", "full=1;link=identity", LOSS_FLOAT64, 1e6, 1e6).value,
                 0.5 * log(2 * 3.14159265358979323846e6) + 1 / 12e6, 1e-15, 0);
}

/* ---- constants of densities ---- */

/* Student's density at its centre: Cauchy's 1/pi, 1/(2 sqrt 2) of two degrees, 2/(pi sqrt 3) of three; the scale divides. */
static void test_student_full(void **state)
{
    const double pi = 3.14159265358979323846;
    (void)state;
    for (int k = 0; k < 2; k++) {
        assert_close(pair("student_t", "full=1", dtypes[k], 0, 0).value, log(pi), tolerance[k], 0);
        assert_close(pair("student_t", "full=1", dtypes[k], 2, 1).value, log(2 * pi), tolerance[k], 0);
        assert_close(pair("student_t", "full=1;degrees_of_freedom=2", dtypes[k], 1, 1).value, 1.5 * log(2),
                     tolerance[k], 0);
        assert_close(pair("student_t", "full=1;degrees_of_freedom=3;scale=4", dtypes[k], 1, 1).value,
                     log(2 * pi * sqrt(3)), tolerance[k], 0);
    }
    /* many degrees: the normal density, and at a distance of 1 half of one over the degrees */
    assert_close(pair("student_t", "full=1;degrees_of_freedom=1e6", LOSS_FLOAT64, 1, 0).value,
                 0.5 * log(2 * pi) + 0.5 + 0.5e-6, 0, 1e-11);
}

/* Laplace's: |r|/b + log 2b, by the scale or its logarithm; at |r| = b the loss in b is smallest. */
static void test_laplace_nll(void **state)
{
    static const double p[] = {1.5, -2, 0.25}, y[] = {1, 0, 0.25}, b[] = {0.5, 4, 1}, ell[] = {0, 1, -2};
    (void)state;
    for (int k = 0; k < 2; k++) {
        const input scaled[] = {{"prediction", p}, {"target", y}, {"scale", b}, {NULL, NULL}};
        const input logged[] = {{"prediction", p}, {"target", y}, {"log_scale", ell}, {NULL, NULL}};
        call plain = evaluate("laplace_nll", "", dtypes[k], 3, 3, scaled);
        call full = evaluate("laplace_nll", "full=1", dtypes[k], 3, 3, scaled);
        call by_log = evaluate("laplace_nll", "full=1", dtypes[k], 3, 3, logged);
        for (int i = 0; i < 3; i++) {
            const double r = fabs(p[i] - y[i]);
            assert_close(full.value[i], r / b[i] + log(2 * b[i]), 4 * tolerance[k], 4 * tolerance[k]);
            assert_close(full.value[i] - plain.value[i], log(2), 4 * tolerance[k], 0);
            assert_close(full.gradient[i], ((p[i] > y[i]) - (p[i] < y[i])) / b[i], tolerance[k], 0);
            assert_close(by_log.value[i], r * exp(-ell[i]) + ell[i] + log(2), 4 * tolerance[k],
                         4 * tolerance[k]);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shift),
        cmocka_unit_test(test_ties),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_cox_tails),
        cmocka_unit_test(test_case_weights),
        cmocka_unit_test(test_gradients_cancel),
        cmocka_unit_test(test_weibull),
        cmocka_unit_test(test_failure_tails),
        cmocka_unit_test(test_failure_partition),
        cmocka_unit_test(test_failure_single),
        cmocka_unit_test(test_intensity_of_one),
        cmocka_unit_test(test_intensity_numbers),
        cmocka_unit_test(test_intensity_limits),
        cmocka_unit_test(test_intensity_is_convex),
        cmocka_unit_test(test_poisson_full),
        cmocka_unit_test(test_student_full),
        cmocka_unit_test(test_laplace_nll),
    };
    return cmocka_run_group_tests_name("loss_known_survival", tests, known_setup, known_teardown);
}
