/* Backtracking: the cuts against their formulas, both references, and every way it can end. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "support/check.h"

#include "optimizer/line_search/backtracking.h"

static const double decrease = 1e-4;

static lossi_backtracking begin(double value0, double slope0, double reference, double first, double rounding)
{
    lossi_backtracking machine;
    assert_int_equal(lossi_backtracking_start(&machine, value0, slope0, reference, first, decrease, rounding),
                     LOSSI_SEARCH_TRY);
    assert_close(machine.step, first, 0.0, 0.0);
    return machine;
}

/* φ = 1.7 − 2.3α + 4.1α² has its minimum at 2.3/8.2, which the first cut finds from any step not too long. */
static void the_first_cut_is_that_of_a_parabola(void **unused)
{
    (void)unused;
    for (double first = 0.6; first < 2.7; first += 0.31) {
        lossi_backtracking machine = begin(1.7, -2.3, 1.7, first, 0.0);
        assert_int_equal(lossi_backtracking_tell(&machine, 1.7 - 2.3 * first + 4.1 * first * first),
                         LOSSI_SEARCH_TRY);
        assert_close(machine.step, 2.3 / 8.2, 1e-14, 0.0);
        assert_int_equal(
            lossi_backtracking_tell(&machine, 1.7 - 2.3 * machine.step + 4.1 * machine.step * machine.step),
            LOSSI_SEARCH_ACCEPTED);
    }
}

static double quartic(double a)
{
    return 0.9 - 1.3 * a + 2.1 * a * a - 0.4 * a * a * a + 5.7 * a * a * a * a;
}

/* The second cut: the cubic through φ(0), φ′(0) and the last two values has no slope there. */
static void the_second_cut_is_that_of_a_cubic(void **unused)
{
    lossi_backtracking machine = begin(0.9, -1.3, 0.9, 2.0, 0.0);
    (void)unused;
    double a = machine.step, fa = quartic(a);
    assert_int_equal(lossi_backtracking_tell(&machine, fa), LOSSI_SEARCH_TRY);
    double b = machine.step, fb = quartic(b);
    assert_close(b, 0.1 * a, 1e-15, 0.0); /* the parabola says less than a tenth */
    fb += 3.0;                            /* so that it is refused */
    assert_int_equal(lossi_backtracking_tell(&machine, fb), LOSSI_SEARCH_TRY);
    double ra = (fa - 0.9 + 1.3 * a) / (a * a), rb = (fb - 0.9 + 1.3 * b) / (b * b);
    double c3 = (rb - ra) / (b - a), c2 = rb - c3 * b, c = machine.step;
    double clamped = fmin(fmax(c, 0.1 * b), 0.5 * b);
    assert_close(c, clamped, 0.0, 0.0);
    if (c > 0.1 * b && c < 0.5 * b) {
        assert_close(-1.3 + 2.0 * c2 * c + 3.0 * c3 * c * c, 0.0, 0.0, 1e-12);
    }
}

static void a_cubic_in_range_is_met_exactly(void **unused)
{
    /* φ(α) = −α + 2α² + 3α³ with the first trial refused by a lie, the second exact */
    lossi_backtracking machine = begin(0.0, -1.0, 0.0, 1.0, 0.0);
    (void)unused;
    assert_int_equal(lossi_backtracking_tell(&machine, 4.0), LOSSI_SEARCH_TRY); /* parabola: 0.1 */
    machine.step = 0.7;
    double value = -0.7 + 2.0 * 0.49 + 3.0 * 0.343;
    assert_int_equal(lossi_backtracking_tell(&machine, value), LOSSI_SEARCH_TRY);
    assert_close(machine.step, (-2.0 + sqrt(4.0 + 9.0)) / 9.0, 1e-14, 0.0);
}

static void cuts_stay_within_a_tenth_and_a_half(void **unused)
{
    static const double values[] = {1e-3, 0.5, 7.0, 1e5, 1e300};
    (void)unused;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        lossi_backtracking machine = begin(0.0, -1.0, 0.0, 1.0, 0.0);
        double before = machine.step;
        while (machine.step > 1e-12) {
            assert_int_equal(lossi_backtracking_tell(&machine, values[i]), LOSSI_SEARCH_TRY);
            assert_true(machine.step >= 0.1 * before && machine.step <= 0.5 * before);
            before = machine.step;
        }
    }
}

/* The units of φ do not matter, however large they are. */
static void units_change_no_step(void **unused)
{
    (void)unused;
    for (int power = -900; power <= 900; power += 300) {
        lossi_backtracking one = begin(0.9, -1.3, 0.9, 2.0, 0.0);
        lossi_backtracking other = begin(ldexp(0.9, power), ldexp(-1.3, power), ldexp(0.9, power), 2.0, 0.0);
        for (int k = 0; k < 5; k++) {
            assert_int_equal(lossi_backtracking_tell(&one, 5.0 + k), LOSSI_SEARCH_TRY);
            assert_int_equal(lossi_backtracking_tell(&other, ldexp(5.0 + k, power)), LOSSI_SEARCH_TRY);
            assert_close(one.step, other.step, 0.0, 0.0);
        }
    }
}

static void a_higher_reference_lets_values_rise(void **unused)
{
    lossi_backtracking strict = begin(2.0, -1.0, 2.0, 0.5, 0.0), loose = begin(2.0, -1.0, 3.5, 0.5, 0.0);
    (void)unused;
    assert_int_equal(lossi_backtracking_tell(&strict, 3.4), LOSSI_SEARCH_TRY);
    assert_int_equal(lossi_backtracking_tell(&loose, 3.4), LOSSI_SEARCH_ACCEPTED);
    loose = begin(2.0, -1.0, 3.5, 0.5, 0.0);
    assert_int_equal(lossi_backtracking_tell(&loose, 3.5), LOSSI_SEARCH_TRY); /* c₁ counts here too */
    loose = begin(2.0, -1.0, 0.7, 0.5, 0.0);                                  /* never below φ(0) */
    assert_int_equal(lossi_backtracking_tell(&loose, 1.9), LOSSI_SEARCH_ACCEPTED);
}

static void it_backs_off_from_what_is_not_finite(void **unused)
{
    lossi_backtracking machine = begin(1.0, -1.0, 1.0, 8.0, 0.0);
    (void)unused;
    assert_int_equal(lossi_backtracking_tell(&machine, NAN), LOSSI_SEARCH_TRY);
    assert_close(machine.step, 0.8, 1e-15, 0.0);
    assert_int_equal(lossi_backtracking_tell(&machine, INFINITY), LOSSI_SEARCH_TRY);
    assert_int_equal(lossi_backtracking_tell(&machine, 0.95), LOSSI_SEARCH_ACCEPTED);
    machine = begin(1.0, -1.0, 1.0, 8.0, 0.0);
    int32_t trials = 0;
    lossi_search_status status = LOSSI_SEARCH_TRY;
    while (status == LOSSI_SEARCH_TRY) {
        status = lossi_backtracking_tell(&machine, NAN);
        trials++;
    }
    assert_int_equal(status, LOSSI_SEARCH_NONFINITE);
    assert_int_equal(trials, 40);
}

/* Values that never fall: an end by the number of trials, or before, where the slope promises only rounding. */
static void it_gives_up(void **unused)
{
    static const struct {
        double rounding;
        lossi_search_status status;
        int32_t least, most;
    } cases[] = {{0.0, LOSSI_SEARCH_EXHAUSTED, 60, 60}, {1e-12, LOSSI_SEARCH_PRECISION, 12, 41}};
    (void)unused;
    for (size_t i = 0; i < 2; i++) {
        lossi_backtracking machine = begin(1.0, -1.0, 1.0, 1.0, cases[i].rounding);
        lossi_search_status status = LOSSI_SEARCH_TRY;
        while (status == LOSSI_SEARCH_TRY) {
            status = lossi_backtracking_tell(&machine, 1.0 + 0.5 * machine.step);
        }
        assert_int_equal(status, cases[i].status);
        assert_in_range(machine.trials, cases[i].least, cases[i].most);
    }
}

/* As a Wolfe search does, it takes no step that leaves the value as it is. */
static void a_decrease_that_rounds_away_is_none(void **unused)
{
    lossi_backtracking machine = begin(1.0, -1e-18, 1.0, 1.0, 0.0);
    (void)unused;
    assert_int_equal(lossi_backtracking_tell(&machine, 1.0), LOSSI_SEARCH_TRY);
    assert_int_equal(lossi_backtracking_tell(&machine, 1.0 - DBL_EPSILON), LOSSI_SEARCH_ACCEPTED);
}

static void without_descent_it_does_not_start(void **unused)
{
    static const double slopes[] = {0.0, 1.0, (double)NAN, -(double)INFINITY};
    lossi_backtracking machine;
    (void)unused;
    for (size_t i = 0; i < sizeof slopes / sizeof slopes[0]; i++) {
        assert_int_equal(lossi_backtracking_start(&machine, 1.0, slopes[i], 1.0, 1.0, decrease, 0.0),
                         LOSSI_SEARCH_NO_DESCENT);
    }
    assert_int_equal(lossi_backtracking_start(&machine, 1.0, -1.0, 1.0, 0.0, decrease, 0.0),
                     LOSSI_SEARCH_NO_DESCENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_cut_is_that_of_a_parabola),
        cmocka_unit_test(the_second_cut_is_that_of_a_cubic),
        cmocka_unit_test(a_cubic_in_range_is_met_exactly),
        cmocka_unit_test(cuts_stay_within_a_tenth_and_a_half),
        cmocka_unit_test(units_change_no_step),
        cmocka_unit_test(a_higher_reference_lets_values_rise),
        cmocka_unit_test(it_backs_off_from_what_is_not_finite),
        cmocka_unit_test(it_gives_up),
        cmocka_unit_test(a_decrease_that_rounds_away_is_none),
        cmocka_unit_test(without_descent_it_does_not_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
