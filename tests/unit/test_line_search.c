/* The Hager–Zhang line search as a machine: tables of functions of one number, and every way it can end. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "support/check.h"

#include "optimizer/line_search/hager_zhang.h"

typedef double (*curve)(double step, double *slope);

static double parabola(double a, double *slope)
{
    *slope = 2.0 * (a - 3.7);
    return (a - 3.7) * (a - 3.7) + 0.4;
}

/* Moré & Thuente, ACM TOMS 20 (1994), functions 1 and 2 and, with β₁ = 0.001, β₂ = 0.01, the fourth. */
static double more_thuente_1(double a, double *slope)
{
    double d = a * a + 2.0;
    *slope = (a * a - 2.0) / (d * d);
    return -a / d;
}

static double more_thuente_2(double a, double *slope)
{
    double d = a + 0.004;
    *slope = d * d * d * (5.0 * d - 8.0);
    return d * d * d * d * d - 2.0 * d * d * d * d;
}

static double more_thuente_4(double a, double *slope)
{
    double p = 0.001, q = 0.01, gp = sqrt(1.0 + p * p) - p, gq = sqrt(1.0 + q * q) - q;
    double u = sqrt((1.0 - a) * (1.0 - a) + q * q), v = sqrt(a * a + p * p);
    *slope = gp * (a - 1.0) / u + gq * a / v;
    return gp * u + gq * v;
}

/* −log with a wall at 2.385: nothing beyond. */
static double wall(double a, double *slope)
{
    *slope = a < 2.385 ? -1.0 + 0.01 / (2.385 - a) : NAN;
    return a < 2.385 ? -a - 0.01 * log(2.385 - a) : NAN;
}

/* Falls for ever up to a wall where nothing bends upwards: the only end is to settle. */
static double cliff(double a, double *slope)
{
    *slope = a <= 1.3 ? -1.0 : NAN;
    return a <= 1.3 ? -a : NAN;
}

static double line(double a, double *slope)
{
    *slope = -1.0;
    return -a;
}

/* A slope that says down where the values go up. */
static double liar(double a, double *slope)
{
    *slope = -1.0;
    return a;
}

static double nowhere(double a, double *slope)
{
    *slope = NAN;
    return a > 0.0 ? NAN : 0.0;
}

/* A parabola whose values are rounded to multiples of 2^−26 around 1: T1 cannot be decided near its minimum. */
static double grainy(double a, double *slope)
{
    *slope = 2e-10 * (a - 3.7);
    return 1.0 + nearbyint(1e-10 * (a - 3.7) * (a - 3.7) * 0x1p26) * 0x1p-26;
}

/* Jumps at 0, where the slope promises what is not to be had: T1 has no solution, and slopes find the minimum before patience ends. */
static double jump(double a, double *slope)
{
    *slope = a > 0.0 ? 0.06 * (a - 3.7) : -1e6;
    return a > 0.0 ? 0.03 * (a - 3.7) * (a - 3.7) + 0.5 : 1.0;
}

typedef struct ended {
    lossi_search_status status;
    double step, value, slope;
    int32_t trials;
} ended;

static ended search(curve phi, double first, double tolerance, double band)
{
    lossi_hager_zhang machine, copy;
    ended end = {.trials = 0};
    double slope, value = phi(0.0, &slope);
    end.status = lossi_hager_zhang_start(&machine, value, slope, first, tolerance, band, DBL_EPSILON);
    while (end.status == LOSSI_SEARCH_TRY) {
        assert_true(machine.step > 0.0 && isfinite(machine.step));
        assert_true(++end.trials <= 100);
        end.step = machine.step;
        end.value = phi(machine.step, &end.slope);
        copy = machine; /* the state is plain: a copy goes on in the same way */
        lossi_search_status other = lossi_hager_zhang_tell(&copy, end.value, end.slope);
        end.status = lossi_hager_zhang_tell(&machine, end.value, end.slope);
        assert_int_equal(end.status, other);
        assert_memory_equal(&copy, &machine, sizeof machine);
    }
    return end;
}

static void wolfe_points_are_found_from_any_first_step(void **unused)
{
    static const struct {
        curve phi;
        int32_t most;
    } cases[] = {{parabola, 5}, {more_thuente_1, 17}, {more_thuente_2, 19}, {wall, 14}};
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (double first = 1e-3; first <= 1e3; first *= 10.0) {
            double slope0, value0 = cases[i].phi(0.0, &slope0);
            ended end = search(cases[i].phi, first, 0.0, 0.0);
            assert_int_equal(end.status, LOSSI_SEARCH_ACCEPTED);
            assert_true(end.value - value0 <= 0.1 * end.step * slope0 ||
                        (end.trials > 10 && end.value < value0 && end.slope <= -0.8 * slope0));
            assert_true(end.slope >= 0.9 * slope0);
            assert_in_range(end.trials, 1, cases[i].most);
        }
    }
}

/* T1 holds for steps below 0.01 only; what is left of the interval is judged by its slopes. */
static void an_interval_without_wolfe_points_ends_by_slopes(void **unused)
{
    (void)unused;
    for (double first = 0.1; first <= 1e3; first *= 10.0) {
        double slope0, value0 = more_thuente_4(0.0, &slope0);
        ended end = search(more_thuente_4, first, 0.0, 0.0);
        assert_int_equal(end.status, LOSSI_SEARCH_ACCEPTED);
        assert_true(end.value < value0);
        assert_true(end.slope >= 0.9 * slope0 && end.slope <= -0.8 * slope0);
        assert_in_range(end.trials, 10, 20);
    }
}

static void a_good_first_step_is_taken_at_once(void **unused)
{
    (void)unused;
    ended end = search(parabola, 3.6, 0.0, 0.0);
    assert_int_equal(end.status, LOSSI_SEARCH_ACCEPTED);
    assert_int_equal(end.trials, 1);
    assert_close(end.step, 3.6, 0.0, 0.0);
}

/* Trials of a curve whose slope hardly rises at the first one, until nine tenths of the slope are gone. */
static int trials_until_flat(int32_t by_slopes, double base)
{
    lossi_hager_zhang machine;
    double slope, value = more_thuente_1(0.0, &slope) + base;
    lossi_search_status status = lossi_hager_zhang_start(&machine, value, slope, 100.0, 0.0, 0.0,
                                                         DBL_EPSILON);
    machine.sigma = 0.1;
    machine.by_slopes = by_slopes;
    int trials = 0;
    while (status == LOSSI_SEARCH_TRY && trials < 50) {
        value = more_thuente_1(machine.step, &slope) + base;
        status = lossi_hager_zhang_tell(&machine, value, slope);
        trials++;
    }
    assert_int_equal(status, LOSSI_SEARCH_ACCEPTED);
    return trials;
}

/* And where f is so large that its rounding hides them, or on demand, slopes alone decide. */
static void values_find_what_slopes_take_longer_for(void **unused)
{
    (void)unused;
    assert_int_equal(trials_until_flat(0, 0.0), 4);
    assert_int_equal(trials_until_flat(1, 0.0), 11);
    assert_int_equal(trials_until_flat(0, 0x1p40), 11);
}

static void without_descent_it_does_not_start(void **unused)
{
    static const double slopes[] = {0.0, 1.0, (double)NAN, -(double)INFINITY};
    lossi_hager_zhang machine;
    (void)unused;
    for (size_t i = 0; i < sizeof slopes / sizeof slopes[0]; i++) {
        assert_int_equal(lossi_hager_zhang_start(&machine, 1.0, slopes[i], 1.0, 0.0, 0.0, DBL_EPSILON),
                         LOSSI_SEARCH_NO_DESCENT);
    }
    assert_int_equal(lossi_hager_zhang_start(&machine, 1.0, -1.0, 0.0, 0.0, 0.0, DBL_EPSILON),
                     LOSSI_SEARCH_NO_DESCENT);
}

static void trials_are_limited_on_a_line(void **unused)
{
    (void)unused;
    ended end = search(line, 1.0, 0.0, 0.0);
    assert_int_equal(end.status,
                     LOSSI_SEARCH_SETTLED); /* the last trial was the lowest: no need to go back */
    assert_int_equal(end.trials, 50);
}

static void it_settles_before_a_cliff(void **unused)
{
    (void)unused;
    ended end = search(cliff, 1.0, 0.0, 0.0);
    assert_int_equal(end.status, LOSSI_SEARCH_SETTLED);
    assert_true(end.step > 1.2 && end.step <= 1.3);
}

static void a_jump_is_crossed_where_values_fall(void **unused)
{
    (void)unused;
    for (double first = 1e-2; first <= 1e3; first *= 10.0) {
        ended end = search(jump, first, 0.0, 0.0);
        assert_true(end.status == LOSSI_SEARCH_SETTLED || end.status == LOSSI_SEARCH_ACCEPTED);
        assert_true(end.value < 0.51);
        assert_in_range(end.trials, 1, 20);
    }
}

static void values_that_contradict_the_slope_end_it(void **unused)
{
    (void)unused;
    ended end = search(liar, 1.0, 0.0, 0.0);
    assert_true(end.status == LOSSI_SEARCH_PRECISION || end.status == LOSSI_SEARCH_EXHAUSTED);
    assert_in_range(end.trials, 2, 51);
}

static void no_finite_value_at_all(void **unused)
{
    lossi_hager_zhang machine;
    (void)unused;
    lossi_search_status status = lossi_hager_zhang_start(&machine, 1.0, -1.0, 1.0, 0.0, 0.0, DBL_EPSILON);
    int32_t trials = 0;
    double slope;
    while (status == LOSSI_SEARCH_TRY) {
        double value = nowhere(machine.step, &slope);
        status = lossi_hager_zhang_tell(&machine, value, slope);
        trials++;
    }
    assert_int_equal(status, LOSSI_SEARCH_NONFINITE);
    assert_int_equal(trials, 40);
}

static void near_the_noise_slopes_decide(void **unused)
{
    (void)unused;
    ended exact = search(grainy, 3.5, 0.0, -1.0), approximate = search(grainy, 3.5, 1e-6, INFINITY);
    assert_int_equal(approximate.status, LOSSI_SEARCH_ACCEPTED);
    assert_int_equal(approximate.trials, 1);
    assert_true(exact.status != LOSSI_SEARCH_ACCEPTED || exact.trials > 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wolfe_points_are_found_from_any_first_step),
        cmocka_unit_test(an_interval_without_wolfe_points_ends_by_slopes),
        cmocka_unit_test(a_good_first_step_is_taken_at_once),
        cmocka_unit_test(values_find_what_slopes_take_longer_for),
        cmocka_unit_test(without_descent_it_does_not_start),
        cmocka_unit_test(trials_are_limited_on_a_line),
        cmocka_unit_test(it_settles_before_a_cliff),
        cmocka_unit_test(a_jump_is_crossed_where_values_fall),
        cmocka_unit_test(values_that_contradict_the_slope_end_it),
        cmocka_unit_test(no_finite_value_at_all),
        cmocka_unit_test(near_the_noise_slopes_decide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
