/* Bad input, for every optimizer by one table: what is refused, what ends a run and with which outcome, and what does not. */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "optimizer_run.h"
#include "support/check.h"

/* ---- before a run ---- */

static void no_variables_are_refused(void **unused)
{
    static const int64_t dimensions[] = {0, -1, INT64_MIN};
    static const loss_dtype dtypes[] = {LOSS_FLOAT64, LOSS_FLOAT32};
    loss_context *context = NULL;
    (void)unused;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        for (int k = 0; k < 6; k++) {
            loss_optimizer *out = (loss_optimizer *)&context;
            const char *name = loss_optimizer_catalogue_name(i);
            assert_int_equal(loss_optimizer_create(&out, context, name, dtypes[k / 3], dimensions[k % 3]),
                             LOSS_ERROR_ARGUMENT);
            assert_null(out);
            assert_sentence(context, "at least 1");
        }
    }
    loss_context_free(context);
}

/* A double out of the range of an option, or NaN, is refused and leaves what there was. */
static void refuse_double(const fixture *f, const loss_option *option, double number)
{
    const char *name = loss_option_name(option);
    double before = get_double(f->optimizer, name);
    if (loss_optimizer_set_double(f->optimizer, name, number) != LOSS_ERROR_RANGE) {
        fail_msg("%s took %s = %g", f->name, name, number);
    }
    assert_sentence(f->context, name);
    assert_close(get_double(f->optimizer, name), before, 0.0, 0.0);
}

static void refuse_int(const fixture *f, const loss_option *option, double number)
{
    const char *name = loss_option_name(option);
    int64_t before = get_int(f->optimizer, name);
    if (loss_optimizer_set_int(f->optimizer, name, (int64_t)number) != LOSS_ERROR_RANGE) {
        fail_msg("%s took %s = %g", f->name, name, number);
    }
    assert_sentence(f->context, name);
    assert_int_equal(get_int(f->optimizer, name), before);
}

static void refuse_around(const fixture *f, const loss_option *option)
{
    const double least = loss_option_minimum(option), most = loss_option_maximum(option);
    switch (loss_option_type(option)) {
    case LOSS_OPTION_DOUBLE:
        refuse_double(f, option, (double)NAN);
        if (isfinite(least)) {
            refuse_double(f, option, nextafter(least, -INFINITY));
            refuse_double(f, option, -INFINITY);
        }
        if (isfinite(most)) {
            refuse_double(f, option, nextafter(most, INFINITY));
            refuse_double(f, option, INFINITY);
        }
        return;
    case LOSS_OPTION_INT:
        if (least > -0x1p53) {
            refuse_int(f, option, least - 1.0);
        }
        if (most < 0x1p53) {
            refuse_int(f, option, most + 1.0);
        }
        return;
    case LOSS_OPTION_STRING:
        assert_int_equal(loss_optimizer_set_string(f->optimizer, loss_option_name(option), "none of these"),
                         LOSS_ERROR_RANGE);
        return;
    default:
        return;
    }
}

static void options_out_of_range_are_refused(void **unused)
{
    static const char *const tolerances[] = {"gradient_tolerance", "gradient_tolerance_relative",
                                             "value_tolerance", "step_tolerance", "max_seconds"};
    (void)unused;
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        fixture f = fixture_make(i, suited(i), LOSS_FLOAT64);
        for (int32_t k = 0; k < loss_optimizer_option_count(f.optimizer); k++) {
            refuse_around(&f, loss_optimizer_option(f.optimizer, k));
        }
        for (size_t k = 0; k < sizeof tolerances / sizeof tolerances[0]; k++) {
            assert_int_equal(loss_optimizer_set_double(f.optimizer, tolerances[k], -1e-300),
                             LOSS_ERROR_RANGE);
            assert_int_equal(loss_optimizer_set_double(f.optimizer, tolerances[k], 0.0), LOSS_OK);
        }
        fixture_drop(&f);
    }
}

static loss_status start_in_box(fixture *f, const double *lower, const double *upper)
{
    loss_penalty *box = NULL;
    const problem *p = suited(index_of(f->name));
    void *x = starting_point(p, LOSS_FLOAT64);
    assert_status(f->context, loss_penalty_create(&box, f->context, "box"), LOSS_OK);
    assert_status(f->context, loss_penalty_set_array(box, "lower_bounds", lower, LOSS_FLOAT64, p->n),
                  LOSS_OK);
    assert_status(f->context, loss_penalty_set_array(box, "upper_bounds", upper, LOSS_FLOAT64, p->n),
                  LOSS_OK);
    assert_status(f->context, loss_optimizer_add_penalty(f->optimizer, box), LOSS_OK);
    loss_penalty_free(box);
    loss_status status = loss_optimizer_start(f->optimizer, x);
    free(x);
    return status;
}

/* Crossed, or at one infinity; methods without bounds may say that first. Nothing has been started then. */
static void crossed_bounds_are_refused(void **unused)
{
    static const double lower[][6] = {{-9, 2, -9, -9, -9, -9},
                                      {-9, INFINITY, -9, -9, -9, -9},
                                      {-9, -INFINITY, -9, -9, -9, -9},
                                      {-9, -9, -9, -9, -9, -9}};
    static const double upper[][6] = {
        {9, 1.5, 9, 9, 9, 9}, {9, INFINITY, 9, 9, 9, 9}, {9, -INFINITY, 9, 9, 9, 9}, {9, 9, 9, 9, 9, 9}};
    int32_t takers = 0, request;
    (void)unused;
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        fixture plain = fixture_make(i, suited(i), LOSS_FLOAT64);
        loss_status taken = start_in_box(&plain, lower[3], upper[3]);
        assert_true(taken == LOSS_OK || taken == LOSS_ERROR_SUPPORT);
        takers += taken == LOSS_OK;
        for (int k = 0; k < 3; k++) {
            fixture f = fixture_make(i, suited(i), LOSS_FLOAT64);
            loss_status status = start_in_box(&f, lower[k], upper[k]);
            if (status != LOSS_ERROR_RANGE && (taken == LOSS_OK || status != LOSS_ERROR_SUPPORT)) {
                fail_msg("%s in box %d: %s", f.name, k, loss_status_name(status));
            }
            assert_int_equal(loss_optimizer_ask(f.optimizer, &request), LOSS_ERROR_STATE);
            fixture_drop(&f);
        }
        fixture_drop(&plain);
    }
    assert_true(takers >= 4);
}

/* ---- answers ---- */

enum { SOLVED = 1000 }; /* by whoever searches along a line; a stochastic method ends with an error */

/* Of the value, or of a derivative: at the first answer, at a later one, and at all from there on. */
static const struct {
    const char *words;
    run_plan plan;
    loss_status outcome;
} answers[] = {
    {"f is NaN at the start", {.nan_at = 1}, LOSS_ERROR_NONFINITE},
    {"f is +inf at the start", {.nan_at = 1, .infinite = INFINITY}, LOSS_ERROR_NONFINITE},
    {"f is -inf at the start", {.nan_at = 1, .infinite = -INFINITY}, LOSS_ERROR_UNBOUNDED},
    {"a derivative is NaN at the start", {.nan_at = 1, .in_gradient = 1}, LOSS_ERROR_NONFINITE},
    {"a derivative is +inf at the start",
     {.nan_at = 1, .in_gradient = 1, .infinite = INFINITY},
     LOSS_ERROR_NONFINITE},
    {"a derivative is -inf at the start",
     {.nan_at = 1, .in_gradient = 1, .infinite = -INFINITY},
     LOSS_ERROR_NONFINITE},
    {"f is NaN once", {.nan_at = 4}, SOLVED},
    {"f is +inf once", {.nan_at = 4, .infinite = INFINITY}, SOLVED},
    {"a derivative is NaN once", {.nan_at = 4, .in_gradient = 1}, SOLVED},
    {"a derivative is +inf once", {.nan_at = 4, .in_gradient = 1, .infinite = INFINITY}, SOLVED},
    {"a derivative is -inf once", {.nan_at = 4, .in_gradient = 1, .infinite = -INFINITY}, SOLVED},
    {"f is NaN from then on", {.nan_from = 4}, LOSS_ERROR_NONFINITE},
    {"f is +inf from then on", {.nan_from = 4, .infinite = INFINITY}, LOSS_ERROR_NONFINITE},
    {"a derivative is NaN from then on", {.nan_from = 4, .in_gradient = 1}, LOSS_ERROR_NONFINITE},
    {"a derivative is +inf from then on",
     {.nan_from = 4, .in_gradient = 1, .infinite = INFINITY},
     LOSS_ERROR_NONFINITE},
    {"a derivative is -inf from then on",
     {.nan_from = 4, .in_gradient = 1, .infinite = -INFINITY},
     LOSS_ERROR_NONFINITE},
};

static void answers_that_are_no_numbers_have_an_outcome(void **unused)
{
    static const loss_dtype dtypes[] = {LOSS_FLOAT64, LOSS_FLOAT32};
    (void)unused;
    for (int32_t i = 0; i < 2 * loss_optimizer_catalogue_count(); i++) {
        for (size_t k = 0; k < sizeof answers / sizeof answers[0]; k++) {
            loss_dtype dtype = dtypes[i % 2];
            fixture f = fixture_make(i / 2, &logistic, dtype);
            loss_status expected = answers[k].outcome;
            assert_int_equal(loss_optimizer_set_double(f.optimizer, "gradient_tolerance", 1e-3), LOSS_OK);
            if (expected == SOLVED) {
                expected = f.stochastic ? LOSS_ERROR_NONFINITE : LOSS_STOP_GRADIENT;
            }
            run_result result = start_and_run(f.optimizer, &logistic, dtype, &answers[k].plan);
            if (result.outcome != expected) {
                fail_msg("%s in %s when %s: %s", f.name, loss_dtype_name(dtype), answers[k].words,
                         loss_status_name(result.outcome));
            }
            assert_true(result.answers <= 210);
            if (result.outcome == LOSS_ERROR_NONFINITE) {
                assert_sentence(f.context, "not finite");
            }
            if (answers[k].plan.nan_at != 1) {
                assert_best_belongs_together(f.optimizer, &logistic, dtype);
            }
            fixture_drop(&f);
        }
    }
}

/* ---- what a run says at its end ---- */

static void assert_test(const fixture *f, const char *name, double value, double threshold)
{
    const char *test = NULL;
    assert_int_equal(loss_optimizer_get_string(f->optimizer, "test", &test), LOSS_OK);
    assert_string_equal(test, name);
    assert_close(get_double(f->optimizer, "test_value"), value, 0.0, 0.0);
    assert_close(get_double(f->optimizer, "test_threshold"), threshold, 0.0, 0.0);
}

/* A value at or below the limit that the option sets ends any run, inside a line search too. */
static void a_value_without_a_bottom_ends_it(void **unused)
{
    (void)unused;
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        for (int k = 0; k < 2; k++) {
            fixture f = fixture_make(i, suited(i), LOSS_FLOAT64);
            const char *option = k == 0 ? "unbounded_value" : "target_value";
            double limit = 1e30; /* all values are below */
            assert_int_equal(loss_optimizer_set_double(f.optimizer, option, limit), LOSS_OK);
            run_result result = start_and_run(f.optimizer, suited(i), LOSS_FLOAT64, NULL);
            assert_int_equal(result.outcome, k == 0 ? LOSS_ERROR_UNBOUNDED : LOSS_STOP_TARGET);
            assert_int_equal(result.answers, 1);
            assert_test(&f, option, result.least, limit);
            fixture_drop(&f);
        }
    }
}

static void limits_say_what_they_measured(void **unused)
{
    (void)unused;
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        fixture f = fixture_make(i, suited(i), LOSS_FLOAT64);
        assert_int_equal(loss_optimizer_set_int(f.optimizer, "max_evaluations", 5), LOSS_OK);
        assert_int_equal(start_and_run(f.optimizer, suited(i), LOSS_FLOAT64, NULL).outcome,
                         LOSS_STOP_EVALUATIONS);
        assert_test(&f, "max_evaluations", 5.0, 5.0);
        assert_int_equal(loss_optimizer_set_int(f.optimizer, "max_iterations", 2), LOSS_OK);
        assert_int_equal(loss_optimizer_set_int(f.optimizer, "max_evaluations", 1000), LOSS_OK);
        assert_int_equal(start_and_run(f.optimizer, suited(i), LOSS_FLOAT64, NULL).outcome,
                         LOSS_STOP_ITERATIONS);
        assert_test(&f, "max_iterations", 2.0, 2.0);
        assert_int_equal(loss_optimizer_set_double(f.optimizer, "max_seconds", 1e-9), LOSS_OK);
        assert_int_equal(start_and_run(f.optimizer, suited(i), LOSS_FLOAT64, NULL).outcome,
                         LOSS_STOP_SECONDS);
        double seconds = get_double(f.optimizer, "test_value");
        assert_test(&f, "max_seconds", seconds, 1e-9);
        assert_true(seconds >= 1e-9 && get_double(f.optimizer, "seconds") >= seconds);
        fixture_drop(&f);
    }
}

/* ---- stop ---- */

/* The flag is the only thing two threads may touch at a time. */
typedef struct bystander {
    loss_optimizer *optimizer;
    atomic_int seen, done; /* answers given so far; whether the flag is set */
} bystander;

static void *stop_from_elsewhere(void *argument)
{
    bystander *watch = argument;
    while (atomic_load(&watch->seen) < 3) {
    }
    loss_optimizer_stop(watch->optimizer);
    atomic_store(&watch->done, 1);
    return NULL;
}

static void another_thread_can_stop_every_run(void **unused)
{
    (void)unused;
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        fixture f = fixture_make(i, suited(i), LOSS_FLOAT64);
        bystander watch = {.optimizer = f.optimizer};
        int32_t request = 0;
        loss_status outcome = LOSS_OK;
        pthread_t thread;
        assert_int_equal(loss_optimizer_set_double(f.optimizer, "gradient_tolerance", 0.0), LOSS_OK);
        assert_int_equal(pthread_create(&thread, NULL, stop_from_elsewhere, &watch), 0);
        start_and_run(f.optimizer, suited(i), LOSS_FLOAT64, &(run_plan){.leave_after = 7});
        atomic_store(&watch.seen, 7);
        while (!atomic_load(&watch.done)) { /* between two calls of this thread */
        }
        assert_int_equal(loss_optimizer_ask(f.optimizer, &request), LOSS_OK);
        assert_int_equal(request, LOSS_REQUEST_DONE);
        assert_int_equal(loss_optimizer_outcome(f.optimizer, &outcome), LOSS_OK);
        assert_int_equal(outcome, LOSS_STOP_USER);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_equal(get_int(f.optimizer, "evaluations"), 7);
        assert_best_belongs_together(f.optimizer, suited(i), LOSS_FLOAT64);
        assert_int_equal(loss_optimizer_resume(f.optimizer), LOSS_OK);
        assert_true(run(f.optimizer, suited(i), LOSS_FLOAT64, NULL).answers > 0);
        fixture_drop(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_of_catalogue(no_variables_are_refused),
        test_of_catalogue(options_out_of_range_are_refused),
        test_of_catalogue(crossed_bounds_are_refused),
        test_of_catalogue(answers_that_are_no_numbers_have_an_outcome),
        test_of_catalogue(a_value_without_a_bottom_ends_it),
        test_of_catalogue(limits_say_what_they_measured),
        test_of_catalogue(another_thread_can_stop_every_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
