/* The Moré–Thuente search: each case of its interpolation, the counts of its paper, and every way it can end. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "support/check.h"

#include "optimizer/line_search/more_thuente.h"

/* ---- the interpolation ---- */

/* Expected: minimisers of the cubic and parabola by their derivatives, in 40 digits, chosen as §4 of the paper says. */
static const struct {
    int32_t which; /* the case of the paper */
    lossi_trial x, y, p;
    int32_t bracketed;
    double expected;
} steps[] = {
    {1, {1.3, 2.0, -1.7}, {1.3, 2.0, -1.7}, {3.1, 2.9, 0.8}, 0, 1.7521054275288632},
    {1, {1.3, 2.0, -1.7}, {1.3, 2.0, -1.7}, {3.1, 2.1, 4.9}, 0, 2.2719086238976346},
    {1, {1.3, 2.0, -1.7}, {3.3, 6.0, 1.1}, {2.1, 2.05, -0.4}, 1, 1.5221788231277175},
    {2, {1.3, 2.0, -1.7}, {1.3, 2.0, -1.7}, {3.1, 0.9, 0.8}, 0, 2.524},
    {2, {1.3, 2.0, -1.7}, {1.3, 2.0, -1.7}, {3.1, 1.9, 2.3}, 0, 2.0650000000000001},
    {2, {1.3, 2.0, -1.7}, {4.3, 2.9, 0.7}, {2.2, 0.9, 0.2}, 1, 2.105263157894737},
    {3, {1.3, 2.0, -1.7}, {1.3, 2.0, -1.7}, {2.1, 1.1, -0.6}, 0, 2.6692106849791698},
    {3, {1.3, 2.0, -1.7}, {1.3, 2.0, -1.7}, {2.1, 0.2, -0.9}, 0, 3.0000000000000002},
    {3, {1.3, 2.0, -1.7}, {1.3, 2.0, -1.7}, {2.1, 1.3, -1.6}, 0, 7.1},
    {3, {1.3, 2.0, -1.7}, {5.9, 2.9, 0.7}, {2.1, 1.1, -0.6}, 1, 2.5363636363636365},
    {3, {1.3, 2.0, -1.7}, {2.5, 1.9, 0.7}, {2.1, 1.0, -0.9}, 1, 2.364},
    {4, {1.3, 2.0, -1.7}, {1.3, 2.0, -1.7}, {2.1, 0.4, -1.9}, 0, 7.0999999999999996},
    {4, {1.3, 2.0, -1.7}, {4.9, 2.9, 2.7}, {2.1, 0.4, -1.9}, 1, 2.891525969134102},
};
static const double least = 1.5, most = 7.1; /* where trials may lie */

static void each_case_gives_its_step(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        lossi_trial x = steps[i].x, y = steps[i].y;
        int32_t bracketed = steps[i].bracketed;
        double step = lossi_more_thuente_interpolate(&x, &y, &steps[i].p, &bracketed, least, most);
        assert_close(step, steps[i].expected, 4 * DBL_EPSILON, 8 * DBL_EPSILON);
        assert_int_equal(bracketed, steps[i].bracketed || steps[i].which <= 2);
        /* a higher trial bounds the interval; a lower one becomes its best end, and x the other where φ′ turns */
        const lossi_trial *best = steps[i].which == 1 ? &steps[i].x : &steps[i].p;
        const lossi_trial *other = steps[i].which == 1   ? &steps[i].p
                                   : steps[i].which == 2 ? &steps[i].x
                                                         : &steps[i].y;
        assert_memory_equal(&x, best, sizeof x);
        assert_memory_equal(&y, other, sizeof y);
    }
}

static lossi_trial mirrored(lossi_trial t)
{
    return (lossi_trial){8.25 - t.step, t.value, -t.slope};
}

static void each_case_gives_its_step_backwards(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        lossi_trial x = mirrored(steps[i].x), y = mirrored(steps[i].y), p = mirrored(steps[i].p);
        int32_t bracketed = steps[i].bracketed;
        double step = lossi_more_thuente_interpolate(&x, &y, &p, &bracketed, 8.25 - most, 8.25 - least);
        assert_close(8.25 - step, steps[i].expected, 0.0, 64 * DBL_EPSILON);
    }
}

static void formulas_without_a_number_are_cut_in_the_middle(void **unused)
{
    lossi_trial x = {1.0, 2.5, -1e-3}, y = {5.0, 3.0, 0.5}, p = {3.0, DBL_MAX, DBL_MAX};
    int32_t bracketed = 1;
    (void)unused;
    x.value = -DBL_MAX; /* the difference of the values overflows */
    assert_close(lossi_more_thuente_interpolate(&x, &y, &p, &bracketed, 1.0, 5.0), 2.0, 0.0, 0.0);
    assert_close(y.step, 3.0, 0.0, 0.0);
}

/* ---- the functions of the paper, §5 ---- */

typedef double (*curve)(double step, double *slope);

static double function_1(double a, double *slope)
{
    double d = a * a + 2.0;
    *slope = (a * a - 2.0) / (d * d);
    return -a / d;
}

static double function_2(double a, double *slope)
{
    double d = a + 0.004;
    *slope = d * d * d * (5.0 * d - 8.0);
    return d * d * d * d * d - 2.0 * d * d * d * d;
}

static double function_3(double a, double *slope)
{
    const double b = 0.01, wave = 39.0 * 1.5707963267948966;
    double base = fabs(a - 1.0), down = a < 1.0 ? -1.0 : 1.0;
    if (base < b) {
        down = (a - 1.0) / b;
        base = base * base / (2.0 * b) + 0.5 * b;
    }
    *slope = down + (1.0 - b) * cos(wave * a);
    return base + (1.0 - b) * sin(wave * a) / wave;
}

static double yanai(double a, double p, double q, double *slope)
{
    double gp = sqrt(1.0 + p * p) - p, gq = sqrt(1.0 + q * q) - q;
    double u = sqrt((1.0 - a) * (1.0 - a) + q * q), v = sqrt(a * a + p * p);
    *slope = gp * (a - 1.0) / u + gq * a / v;
    return gp * u + gq * v;
}

static double function_4(double a, double *slope)
{
    return yanai(a, 0.001, 0.001, slope);
}

static double function_5(double a, double *slope)
{
    return yanai(a, 0.01, 0.001, slope);
}

static double function_6(double a, double *slope)
{
    return yanai(a, 0.001, 0.01, slope);
}

typedef struct ended {
    lossi_search_status status;
    lossi_more_thuente machine;
    double value, slope;
} ended;

static ended search(curve phi, double first, const lossi_more_thuente_setup *setup)
{
    lossi_more_thuente copy;
    ended end;
    double slope, value = phi(0.0, &slope);
    end.status = lossi_more_thuente_start(&end.machine, value, slope, first, setup);
    for (int trials = 0; end.status == LOSSI_SEARCH_TRY; trials++) {
        assert_true(trials < 100);
        assert_true(end.machine.step >= setup->shortest && end.machine.step <= setup->longest);
        end.value = phi(end.machine.step, &end.slope);
        copy = end.machine; /* the state is plain: a copy goes on in the same way */
        lossi_search_status other = lossi_more_thuente_tell(&copy, end.value, end.slope);
        end.status = lossi_more_thuente_tell(&end.machine, end.value, end.slope);
        assert_int_equal(end.status, other);
        assert_memory_equal(&copy, &end.machine, sizeof copy);
    }
    return end;
}

/* Tables I to VI: trials and steps from first steps of 1e-3, 1e-1, 1e1 and 1e3. */
static void the_counts_of_the_paper_are_met(void **unused)
{
    static const struct {
        curve phi;
        double decrease, curvature;
        int32_t trials[4];
        double step[4];
    } tables[] = {{function_1, 0.001, 0.1, {6, 3, 1, 4}, {1.4, 1.4, 10, 37}},
                  {function_2, 0.1, 0.1, {12, 8, 8, 11}, {1.6, 1.6, 1.6, 1.6}},
                  {function_3, 0.1, 0.1, {12, 12, 10, 13}, {1.0, 1.0, 1.0, 1.0}},
                  {function_4, 0.001, 0.001, {4, 1, 3, 4}, {0.085, 0.10, 0.35, 0.83}},
                  {function_5, 0.001, 0.001, {6, 3, 7, 8}, {0.075, 0.078, 0.073, 0.076}},
                  {function_6, 0.001, 0.001, {13, 11, 8, 11}, {0.93, 0.93, 0.92, 0.92}}};
    (void)unused;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        double first = 1e-3;
        for (int k = 0; k < 4; k++, first *= 100.0) {
            const lossi_more_thuente_setup setup = {
                tables[i].decrease, tables[i].curvature, 1e-10, 0.0, 4.0 * fmax(1.0, first), 0.0};
            ended end = search(tables[i].phi, first, &setup);
            double slope0, value0 = tables[i].phi(0.0, &slope0);
            assert_int_equal(end.status, LOSSI_SEARCH_ACCEPTED);
            assert_int_equal(end.machine.trials, tables[i].trials[k]);
            assert_close(end.machine.step, tables[i].step[k], 0.05, 0.0); /* two digits are printed */
            assert_true(end.value <= value0 + setup.sufficient_decrease * end.machine.step * slope0);
            assert_true(fabs(end.slope) <= -setup.curvature * slope0);
        }
    }
}

/* ---- how it ends without the conditions ---- */

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

/* −log with a wall at 2.385: nothing beyond. */
static double wall(double a, double *slope)
{
    *slope = a < 2.385 ? -1.0 + 0.01 / (2.385 - a) : NAN;
    return a < 2.385 ? -a - 0.01 * log(2.385 - a) : NAN;
}

/* A hole between 0.5 and 2, right where the cubic looks first. */
static double hole(double a, double *slope)
{
    *slope = a > 0.5 && a < 2.0 ? NAN : 2.0 * (a - 0.37);
    return a > 0.5 && a < 2.0 ? INFINITY : (a - 0.37) * (a - 0.37);
}

/* Falls up to a kink, and rises as steeply: no flat point. */
static double kink(double a, double *slope)
{
    *slope = a < 1.3 ? -1.0 : 1.0;
    return fabs(a - 1.3);
}

static double nowhere(double a, double *slope)
{
    *slope = a > 0.0 ? NAN : -1.0;
    return a > 0.0 ? NAN : 0.0;
}

static const lossi_more_thuente_setup usual = {1e-4, 0.9, DBL_EPSILON, 0.0, (double)INFINITY, 0.0};

static void walls_and_holes_are_kept_away_from(void **unused)
{
    static const curve curves[] = {wall, hole};
    lossi_more_thuente_setup strict = usual;
    (void)unused;
    strict.curvature = 0.1;
    for (int i = 0; i < 2; i++) {
        for (double first = 1e-3; first <= 1e3; first *= 10.0) {
            double slope0, value0 = curves[i](0.0, &slope0);
            ended end = search(curves[i], first, &strict);
            assert_int_equal(end.status, LOSSI_SEARCH_ACCEPTED);
            assert_true(end.value < value0 && fabs(end.slope) <= -0.1 * slope0);
            assert_in_range(end.machine.trials + end.machine.nonfinite, 1, 25);
        }
    }
}

static void warnings_are_told_apart(void **unused)
{
    static const struct {
        curve phi;
        double shortest, longest, interval, rounding;
        lossi_search_status status;
        int32_t warning;
    } cases[] = {
        {line, 0.0, 4.1, 0.1, 0.0, LOSSI_SEARCH_SETTLED, LOSSI_MORE_THUENTE_LONGEST},
        {line, 0.0, (double)INFINITY, 0.1, 0.0, LOSSI_SEARCH_SETTLED, LOSSI_MORE_THUENTE_TRIALS},
        {liar, 0.02, 4.1, 1e-16, 0.0, LOSSI_SEARCH_PRECISION, LOSSI_MORE_THUENTE_SHORTEST},
        {liar, 0.0, 4.1, 1e-16, 1e-9, LOSSI_SEARCH_PRECISION, LOSSI_MORE_THUENTE_ROUNDING},
        {kink, 0.0, 4.1, 0.1, 0.0, LOSSI_SEARCH_SETTLED, LOSSI_MORE_THUENTE_INTERVAL},
    };
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const lossi_more_thuente_setup setup = {
            1e-3, 0.9, cases[i].interval, cases[i].shortest, cases[i].longest, cases[i].rounding};
        double slope0, value0 = cases[i].phi(0.0, &slope0);
        ended end = search(cases[i].phi, 0.7, &setup);
        assert_int_equal(end.machine.warning, cases[i].warning);
        assert_int_equal(end.status, cases[i].status);
        if (end.status == LOSSI_SEARCH_SETTLED) { /* the last value told is that of the step */
            assert_true(end.value <= value0 + 1e-3 * end.machine.step * slope0);
        }
    }
}

static void it_goes_back_to_the_best_end(void **unused)
{
    lossi_more_thuente machine;
    lossi_more_thuente_setup setup = usual;
    (void)unused;
    setup.interval = 0.5;
    assert_int_equal(lossi_more_thuente_start(&machine, 0.0, -1.0, 1.0, &setup), LOSSI_SEARCH_TRY);
    assert_int_equal(lossi_more_thuente_tell(&machine, -0.9, -0.95), LOSSI_SEARCH_TRY); /* the best one */
    assert_true(machine.step > 1.0);
    assert_int_equal(lossi_more_thuente_tell(&machine, 3.0, 2.0), LOSSI_SEARCH_TRY);
    while (machine.step != 1.0) {
        assert_int_equal(lossi_more_thuente_tell(&machine, 3.0, 2.0), LOSSI_SEARCH_TRY);
    }
    assert_int_equal(machine.warning, LOSSI_MORE_THUENTE_INTERVAL);
    assert_int_equal(lossi_more_thuente_tell(&machine, -0.9, -0.95), LOSSI_SEARCH_SETTLED);
}

static void without_descent_it_does_not_start(void **unused)
{
    static const double slopes[] = {0.0, 1.0, (double)NAN, -(double)INFINITY};
    lossi_more_thuente machine;
    (void)unused;
    for (size_t i = 0; i < sizeof slopes / sizeof slopes[0]; i++) {
        assert_int_equal(lossi_more_thuente_start(&machine, 1.0, slopes[i], 1.0, &usual),
                         LOSSI_SEARCH_NO_DESCENT);
    }
    assert_int_equal(lossi_more_thuente_start(&machine, 1.0, -1.0, 0.0, &usual), LOSSI_SEARCH_NO_DESCENT);
}

static void no_finite_value_at_all(void **unused)
{
    (void)unused;
    ended end = search(nowhere, 1.0, &usual);
    assert_int_equal(end.status, LOSSI_SEARCH_NONFINITE);
    assert_int_equal(end.machine.nonfinite, 40);
    assert_int_equal(end.machine.trials, 0);
}

/* The first trial is moved into the limits, and so are all others. */
static void limits_hold_from_the_first_trial_on(void **unused)
{
    const lossi_more_thuente_setup setup = {1e-3, 0.1, 1e-10, 0.4, 0.9, 0.0};
    (void)unused;
    for (double first = 1e-3; first <= 1e3; first *= 10.0) {
        ended end = search(function_2, first, &setup); /* its minimum is at 1.6 */
        assert_int_equal(end.status, LOSSI_SEARCH_SETTLED);
        assert_int_equal(end.machine.warning, LOSSI_MORE_THUENTE_LONGEST);
        assert_close(end.machine.step, 0.9, 0.0, 0.0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_case_gives_its_step),
        cmocka_unit_test(each_case_gives_its_step_backwards),
        cmocka_unit_test(formulas_without_a_number_are_cut_in_the_middle),
        cmocka_unit_test(the_counts_of_the_paper_are_met),
        cmocka_unit_test(walls_and_holes_are_kept_away_from),
        cmocka_unit_test(warnings_are_told_apart),
        cmocka_unit_test(it_goes_back_to_the_best_end),
        cmocka_unit_test(without_descent_it_does_not_start),
        cmocka_unit_test(no_finite_value_at_all),
        cmocka_unit_test(limits_hold_from_the_first_trial_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
