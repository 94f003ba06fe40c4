/* The machine, for every optimizer by one table: limits, calls out of order, bad answers, stopping. */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "optimizer_run.h"
#include "support/check.h"

static const char *test_name(const loss_optimizer *optimizer)
{
    const char *name = NULL;
    assert_int_equal(loss_optimizer_get_string(optimizer, "test", &name), LOSS_OK);
    return name;
}

/* ---- the catalogue ---- */

static void the_catalogue_is_in_order_and_described(void **unused)
{
    int32_t count = loss_optimizer_catalogue_count();
    (void)unused;
    assert_in_range(count, 5, 1000);
    assert_null(loss_optimizer_catalogue_name(-1));
    assert_null(loss_optimizer_catalogue_name(count));
    for (int32_t i = 0; i < count; i++) {
        fixture f = fixture_make(i, &parabola, LOSS_FLOAT64);
        assert_true(i == 0 || strcmp(loss_optimizer_catalogue_name(i - 1), f.name) < 0);
        assert_string_equal(loss_optimizer_name(f.optimizer), f.name);
        assert_true(strlen(loss_optimizer_family(f.optimizer)) > 3);
        assert_true(strlen(loss_optimizer_summary(f.optimizer)) > 10);
        assert_true(strlen(loss_optimizer_reference(f.optimizer)) > 10);
        assert_null(loss_optimizer_option(f.optimizer, -1));
        assert_null(loss_optimizer_option(f.optimizer, loss_optimizer_option_count(f.optimizer)));
        for (int32_t k = 0; k < loss_optimizer_option_count(f.optimizer); k++) {
            const loss_option *option = loss_optimizer_option(f.optimizer, k);
            assert_true(strlen(loss_option_name(option)) >= 3 && strlen(loss_option_doc(option)) > 10);
        }
        fixture_drop(&f);
    }
}

static void making_one_refuses_bad_arguments(void **unused)
{
    loss_context *context = NULL;
    loss_optimizer *out = (loss_optimizer *)&context;
    (void)unused;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    assert_int_equal(loss_optimizer_create(NULL, context, "lbfgs", LOSS_FLOAT64, 3), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_optimizer_create(&out, NULL, "lbfgs", LOSS_FLOAT64, 3), LOSS_ERROR_ARGUMENT);
    assert_null(out);
    assert_int_equal(loss_optimizer_create(&out, context, NULL, LOSS_FLOAT64, 3), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_optimizer_create(&out, context, "lbgfs", LOSS_FLOAT64, 3), LOSS_ERROR_NAME);
    assert_sentence(context, "did you mean 'lbfgs'");
    assert_int_equal(loss_optimizer_create(&out, context, "lbfgs", LOSS_INT32, 3), LOSS_ERROR_TYPE);
    assert_int_equal(loss_optimizer_create(&out, context, "lbfgs", 4711, 3), LOSS_ERROR_TYPE);
    assert_int_equal(loss_optimizer_create(&out, context, "lbfgs", LOSS_FLOAT64, 0), LOSS_ERROR_ARGUMENT);
    assert_sentence(context, "at least 1, not 0");
    assert_int_equal(loss_optimizer_create(&out, context, "lbfgs", LOSS_FLOAT64, -5), LOSS_ERROR_ARGUMENT);
    assert_null(out);
    assert_int_equal(loss_optimizer_create(&out, context, "lbfgs", LOSS_FLOAT64, INT64_MAX / 2), LOSS_OK);
    loss_optimizer_free(out);
    loss_optimizer_free(NULL);
    loss_context_free(context);
}

static void options_are_checked(void **unused)
{
    fixture f = fixture_make(index_of("lbfgs"), &rosenbrock, LOSS_FLOAT64);
    double number = 7.0;
    int64_t integer = -5;
    const char *text = NULL;
    (void)unused;
    assert_int_equal(loss_optimizer_set_double(f.optimizer, "gradient_tolerence", 1.0), LOSS_ERROR_NAME);
    assert_sentence(f.context, "did you mean 'gradient_tolerance'");
    assert_int_equal(loss_optimizer_set_int(f.optimizer, "memory", -1), LOSS_ERROR_RANGE);
    assert_int_equal(loss_optimizer_set_int(f.optimizer, "memory", 101), LOSS_ERROR_RANGE);
    assert_int_equal(loss_optimizer_set_double(f.optimizer, "memory", 3.0), LOSS_ERROR_TYPE);
    assert_int_equal(loss_optimizer_set_int(f.optimizer, "max_evaluations", 0), LOSS_ERROR_RANGE);
    assert_int_equal(loss_optimizer_set_double(f.optimizer, "max_seconds", NAN), LOSS_ERROR_RANGE);
    assert_int_equal(loss_optimizer_set_double(f.optimizer, "gradient_tolerance", -1.0), LOSS_ERROR_RANGE);
    assert_int_equal(get_int(f.optimizer, "memory"), 0);
    assert_int_equal(loss_optimizer_get_double(f.optimizer, "nonsense", &number), LOSS_ERROR_NAME);
    assert_int_equal(loss_optimizer_get_double(f.optimizer, "value", NULL), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_optimizer_get_double(f.optimizer, NULL, &number), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_optimizer_get_double(f.optimizer, "iterations", &number), LOSS_ERROR_TYPE);
    assert_sentence(f.context, "'iterations' of the optimizer 'lbfgs' is an int, not a double");
    assert_int_equal(loss_optimizer_get_int(f.optimizer, "value", &integer), LOSS_ERROR_TYPE);
    assert_int_equal(loss_optimizer_get_int(f.optimizer, "test", &integer), LOSS_ERROR_TYPE);
    assert_int_equal(loss_optimizer_get_string(f.optimizer, "step", &text), LOSS_ERROR_TYPE);
    assert_int_equal(loss_optimizer_get_int(f.optimizer, "max_seconds", &integer), LOSS_ERROR_TYPE);
    assert_int_equal(loss_optimizer_get_double(f.optimizer, "memory", &number), LOSS_ERROR_TYPE);
    assert_int_equal(integer, -5);
    assert_close(number, 7.0, 0.0, 0.0);
    double start[8] = {0.0};
    assert_int_equal(loss_optimizer_set_double(f.optimizer, "curvature", 0.0999), LOSS_OK);
    assert_int_equal(loss_optimizer_start(f.optimizer, start), LOSS_ERROR_RANGE);
    assert_sentence(f.context, "'sufficient_decrease' (0.1) is at most 'curvature' (0.0999");
    assert_int_equal(loss_optimizer_set_double(f.optimizer, "curvature", 0.1), LOSS_OK);
    assert_int_equal(loss_optimizer_start(f.optimizer, start),
                     LOSS_OK); /* what formulas with flat ends take */
    fixture_drop(&f);
}

/* ---- calls out of order ---- */

static void calls_out_of_order_change_nothing(void **unused)
{
    (void)unused;
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        const problem *p = suited(i);
        fixture f = fixture_make(i, p, LOSS_FLOAT64), plain = fixture_make(i, p, LOSS_FLOAT64);
        double g[8] = {0.0};
        int32_t request = 77, again = 78;
        loss_status outcome = 79;
        const void *x = NULL, *same = NULL, *none = &none;
        void *x0 = starting_point(p, LOSS_FLOAT64);
        assert_int_equal(loss_optimizer_ask(f.optimizer, &request), LOSS_ERROR_STATE);
        assert_int_equal(loss_optimizer_outcome(f.optimizer, &outcome), LOSS_ERROR_STATE);
        assert_int_equal(loss_optimizer_tell_value(f.optimizer, 1.0), LOSS_ERROR_STATE);
        assert_true(isnan(get_double(f.optimizer, "value")) &&
                    isnan(get_double(f.optimizer, "held_out_value")));
        assert_int_equal(loss_optimizer_get_pointer(f.optimizer, "x", &none), LOSS_ERROR_STATE);
        assert_true(request == 77 && outcome == 79 && none == &none);
        assert_int_equal(loss_optimizer_start(f.optimizer, x0), LOSS_OK);
        assert_int_equal(loss_optimizer_tell_gradient(f.optimizer, 1.0, g),
                         LOSS_ERROR_STATE); /* not asked yet */
        assert_int_equal(loss_optimizer_ask(f.optimizer, NULL), LOSS_ERROR_ARGUMENT);
        assert_int_equal(loss_optimizer_ask(f.optimizer, &request), LOSS_OK);
        assert_int_equal(loss_optimizer_get_pointer(f.optimizer, "x", &x), LOSS_OK);
        assert_int_equal(loss_optimizer_ask(f.optimizer, &again), LOSS_OK); /* the same request again */
        assert_int_equal(loss_optimizer_get_pointer(f.optimizer, "x", &same), LOSS_OK);
        assert_true(again == request && same == x && request == LOSS_REQUEST_VALUE_AND_GRADIENT);
        assert_int_equal(loss_optimizer_tell_value(f.optimizer, 1.0), LOSS_ERROR_STATE); /* wrong kind */
        assert_sentence(f.context, "asked for another thing, a value and a gradient");
        assert_int_equal(loss_optimizer_tell_vector(f.optimizer, g), LOSS_ERROR_STATE);
        assert_int_equal(loss_optimizer_tell_gradient(f.optimizer, 1.0, NULL), LOSS_ERROR_ARGUMENT);
        assert_int_equal(loss_optimizer_get_pointer(f.optimizer, "direction", &none), LOSS_ERROR_STATE);
        assert_int_equal(loss_optimizer_get_pointer(f.optimizer, "indices", &none), LOSS_ERROR_STATE);
        assert_int_equal(loss_optimizer_get_pointer(f.optimizer, "best_gradient", &none), LOSS_ERROR_STATE);
        assert_int_equal(loss_optimizer_get_pointer(f.optimizer, "best_y", &none), LOSS_ERROR_NAME);
        assert_sentence(f.context, "did you mean 'best_x'");
        assert_int_equal(loss_optimizer_set_int(f.optimizer, "max_iterations", 3), LOSS_ERROR_STATE);
        assert_int_equal(loss_optimizer_outcome(f.optimizer, &outcome), LOSS_OK);
        assert_int_equal(outcome, LOSS_OK);
        assert_int_equal(loss_optimizer_start(f.optimizer, NULL), LOSS_ERROR_ARGUMENT);
        assert_int_equal(get_int(f.optimizer, "evaluations"), 0);
        run_result disturbed = run(f.optimizer, p, LOSS_FLOAT64, NULL);
        run_result undisturbed = start_and_run(plain.optimizer, p, LOSS_FLOAT64, NULL);
        assert_true(disturbed.digest == undisturbed.digest);
        assert_int_equal(loss_optimizer_tell_gradient(f.optimizer, 1.0, g),
                         LOSS_ERROR_STATE); /* it is done */
        assert_int_equal(loss_optimizer_ask(f.optimizer, &request), LOSS_OK);
        assert_int_equal(request, LOSS_REQUEST_DONE);
        assert_int_equal(loss_optimizer_set_int(f.optimizer, "max_iterations", 3), LOSS_OK);
        free(x0);
        fixture_drop(&f);
        fixture_drop(&plain);
    }
}

static void a_null_optimizer_is_an_argument_error(void **unused)
{
    int32_t request;
    double number = 0.5;
    const void *pointer;
    (void)unused;
    assert_int_equal(loss_optimizer_start(NULL, &number), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_optimizer_ask(NULL, &request), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_optimizer_tell_value(NULL, 1.0), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_optimizer_tell_gradient(NULL, 1.0, &number), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_optimizer_tell_vector(NULL, &number), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_optimizer_get_pointer(NULL, "x", &pointer), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_optimizer_outcome(NULL, &request), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_optimizer_get_double(NULL, "value", &number), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_optimizer_set_double(NULL, "max_seconds", 1.0), LOSS_ERROR_ARGUMENT);
    assert_string_equal(loss_optimizer_name(NULL), "");
    assert_int_equal(loss_optimizer_option_count(NULL), 0);
    loss_optimizer_stop(NULL);
}

static void a_bad_start_is_refused(void **unused)
{
    static const double bad[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
    (void)unused;
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        const problem *p = suited(i);
        fixture f = fixture_make(i, p, LOSS_FLOAT64);
        for (int k = 0; k < 3; k++) {
            double *x0 = starting_point(p, LOSS_FLOAT64);
            x0[1] = bad[k];
            assert_int_equal(loss_optimizer_start(f.optimizer, x0), LOSS_ERROR_NONFINITE);
            assert_sentence(f.context, "at 1");
            free(x0);
        }
        int32_t request;
        assert_int_equal(loss_optimizer_ask(f.optimizer, &request), LOSS_ERROR_STATE); /* still not started */
        fixture_drop(&f);
    }
}

static void sgd_wants_to_know_its_samples(void **unused)
{
    loss_context *context = NULL;
    loss_optimizer *optimizer = NULL;
    double x = 0.5;
    (void)unused;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    assert_int_equal(loss_optimizer_create(&optimizer, context, "sgd", LOSS_FLOAT64, 1), LOSS_OK);
    assert_int_equal(loss_optimizer_start(optimizer, &x), LOSS_ERROR_STATE);
    assert_sentence(context, "'samples'");
    loss_optimizer_free(optimizer);
    loss_context_free(context);
}

/* ---- limits ---- */

/* Cut off after 1, 2, 3, … answers: never one more, and the point returned is the best of those told. */
static void every_number_of_evaluations_is_a_hard_limit(void **unused)
{
    (void)unused;
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        const problem *p = suited(i);
        for (int64_t most = 1; most < 70; most++) {
            fixture f = fixture_make(i, p, LOSS_FLOAT64);
            assert_int_equal(loss_optimizer_set_double(f.optimizer, "gradient_tolerance", 0.0), LOSS_OK);
            assert_int_equal(loss_optimizer_set_int(f.optimizer, "max_evaluations", most), LOSS_OK);
            run_result result = start_and_run(f.optimizer, p, LOSS_FLOAT64, NULL);
            if (result.outcome == LOSS_STOP_EVALUATIONS) {
                assert_int_equal(result.answers, most);
                assert_int_equal(get_int(f.optimizer, "evaluations"), most);
                assert_string_equal(test_name(f.optimizer), "max_evaluations");
                assert_close(get_double(f.optimizer, "test_threshold"), (double)most, 0.0, 0.0);
            } else { /* at the precision floor, or at the last epoch, before */
                assert_true(result.answers <= most && result.outcome > 0);
            }
            double rounding = result.outcome == LOSS_STOP_PRECISION ? 1e-13 : 0.0;
            assert_close(get_double(f.optimizer, "value"), result.least, rounding, rounding);
            assert_best_belongs_together(f.optimizer, p, LOSS_FLOAT64);
            fixture_drop(&f);
        }
    }
}

static void iterations_seconds_and_targets_end_a_run(void **unused)
{
    (void)unused;
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        const problem *p = suited(i);
        fixture f = fixture_make(i, p, LOSS_FLOAT64);
        for (int64_t most = 0; most < 4; most++) {
            assert_int_equal(loss_optimizer_set_int(f.optimizer, "max_iterations", most), LOSS_OK);
            assert_int_equal(loss_optimizer_set_int(f.optimizer, "report", 1), LOSS_OK);
            run_result result = start_and_run(f.optimizer, p, LOSS_FLOAT64, NULL);
            assert_int_equal(result.outcome, LOSS_STOP_ITERATIONS);
            assert_int_equal(get_int(f.optimizer, "iterations"), most);
            assert_int_equal(result.iterates, most + 1);
            assert_string_equal(test_name(f.optimizer), "max_iterations");
        }
        assert_int_equal(loss_optimizer_set_int(f.optimizer, "max_iterations", 10000), LOSS_OK);
        double reached = get_double(f.optimizer, "value");
        assert_int_equal(loss_optimizer_set_double(f.optimizer, "target_value", reached), LOSS_OK);
        assert_int_equal(start_and_run(f.optimizer, p, LOSS_FLOAT64, NULL).outcome, LOSS_STOP_TARGET);
        assert_true(get_double(f.optimizer, "value") <= reached);
        assert_best_belongs_together(f.optimizer, p, LOSS_FLOAT64);
        assert_int_equal(loss_optimizer_set_double(f.optimizer, "max_seconds", 0.0), LOSS_OK);
        assert_int_equal(loss_optimizer_set_double(f.optimizer, "target_value", -INFINITY), LOSS_OK);
        run_result result = start_and_run(f.optimizer, p, LOSS_FLOAT64, NULL);
        assert_int_equal(result.outcome, LOSS_STOP_SECONDS);
        assert_int_equal(result.answers, 1);
        assert_true(get_double(f.optimizer, "seconds") >= 0.0);
        fixture_drop(&f);
    }
}

static void stop_tests_say_what_they_measured(void **unused)
{
    static const struct {
        const char *option;
        double tolerance;
        loss_status outcome;
    } cases[] = {{"gradient_tolerance", 1e-2, LOSS_STOP_GRADIENT},
                 {"gradient_tolerance_relative", 1e-3, LOSS_STOP_GRADIENT},
                 {"value_tolerance", 1e-2, LOSS_STOP_VALUE},
                 {"step_tolerance", 1e-2, LOSS_STOP_STEP}};
    (void)unused;
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
            fixture f = fixture_make(i, &logistic, LOSS_FLOAT64);
            double factor = f.stochastic ? 10.0 : 1.0; /* it never gets as close */
            if (f.stochastic) {
                assert_int_equal(loss_optimizer_set_int(f.optimizer, "epochs", 5000), LOSS_OK);
                int32_t corrected = strcmp(f.name, "saga") == 0 || strcmp(f.name, "svrg") == 0;
                assert_int_equal(loss_optimizer_set_string(f.optimizer, "schedule",
                                                           corrected ? "constant" : "inverse_time"),
                                 LOSS_OK);
                double rate = strcmp(f.name, "adadelta") == 0 ? 100.0 : 0.3; /* there it is a factor */
                assert_int_equal(loss_optimizer_set_double(f.optimizer, "learning_rate", rate), LOSS_OK);
                loss_optimizer_set_double(f.optimizer, "adamw_learning_rate", rate); /* only muon has it */
            }
            assert_int_equal(loss_optimizer_set_double(f.optimizer, "gradient_tolerance", 0.0), LOSS_OK);
            assert_int_equal(
                loss_optimizer_set_double(f.optimizer, cases[k].option, factor * cases[k].tolerance),
                LOSS_OK);
            run_result result = start_and_run(f.optimizer, &logistic, LOSS_FLOAT64, NULL);
            if (result.outcome != cases[k].outcome) {
                fail_msg("%s with %s: %s, f = %g", f.name, cases[k].option, loss_status_name(result.outcome),
                         get_double(f.optimizer, "value"));
            }
            assert_string_equal(test_name(f.optimizer), cases[k].option);
            assert_true(get_double(f.optimizer, "test_value") <= get_double(f.optimizer, "test_threshold"));
            assert_true(get_double(f.optimizer, "test_threshold") > 0.0);
            assert_best_belongs_together(f.optimizer, &logistic, LOSS_FLOAT64);
            fixture_drop(&f);
        }
    }
}

/* ---- bad answers ---- */

static void nan_at_the_start_ends_it(void **unused)
{
    static const run_plan plan = {.nan_at = 1};
    (void)unused;
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        fixture f = fixture_make(i, suited(i), LOSS_FLOAT64);
        run_result result = start_and_run(f.optimizer, suited(i), LOSS_FLOAT64, &plan);
        const double *x = NULL;
        double *x0 = starting_point(suited(i), LOSS_FLOAT64);
        assert_int_equal(result.outcome, LOSS_ERROR_NONFINITE);
        assert_int_equal(result.answers, 1);
        assert_sentence(f.context, "not finite");
        assert_int_equal(loss_optimizer_get_pointer(f.optimizer, "best_x", (const void **)&x), LOSS_OK);
        assert_same_bits(x, x0, LOSS_FLOAT64, suited(i)->n);
        free(x0);
        fixture_drop(&f);
    }
}

/* One NaN anywhere: a line search backs off and gets there all the same; SGD and a fixed step end. */
static void one_nan_is_no_end_for_a_line_search(void **unused)
{
    (void)unused;
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        for (int64_t at = 2; at < 12; at++) {
            run_plan plan = {.nan_at = at};
            fixture f = fixture_make(i, &logistic, LOSS_FLOAT64);
            run_result result = start_and_run(f.optimizer, &logistic, LOSS_FLOAT64, &plan);
            if (f.stochastic) {
                assert_int_equal(result.outcome, LOSS_ERROR_NONFINITE);
                assert_int_equal(result.answers, at);
            } else {
                assert_int_equal(result.outcome, LOSS_STOP_GRADIENT);
                assert_close(get_double(f.optimizer, "value"), logistic.minimum, 1e-9, 0.0);
            }
            assert_best_belongs_together(f.optimizer, &logistic, LOSS_FLOAT64);
            fixture_drop(&f);
        }
    }
}

static void only_nan_ends_it_soon(void **unused)
{
    (void)unused;
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        for (int64_t from = 2; from < 12; from++) { /* of the value, and then of the gradient alone */
            run_plan plan = {.nan_from = from < 7 ? from : from - 5, .in_gradient = from >= 7};
            fixture f = fixture_make(i, &logistic, LOSS_FLOAT64);
            run_result result = start_and_run(f.optimizer, &logistic, LOSS_FLOAT64, &plan);
            assert_int_equal(result.outcome, LOSS_ERROR_NONFINITE);
            assert_true(result.answers <= from + 200);
            assert_close(get_double(f.optimizer, "value"), result.least, 0.0, 0.0);
            assert_best_belongs_together(f.optimizer, &logistic, LOSS_FLOAT64);
            fixture_drop(&f);
        }
    }
}

static void a_wrong_gradient_is_found_out(void **unused)
{
    static const run_plan plan = {.gradient_factor = -1.0};
    static const problem *const problems[] = {&rosenbrock, &logistic, &beale, &cosh_sum, &parabola};
    (void)unused;
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        for (int k = 0; k < 5; k++) {
            fixture f = fixture_make(i, problems[k], LOSS_FLOAT64);
            if (!f.stochastic) {
                run_result result = start_and_run(f.optimizer, problems[k], LOSS_FLOAT64, &plan);
                if (result.outcome != LOSS_ERROR_DERIVATIVE) {
                    fail_msg("%s on %s with the wrong sign: %s", f.name, problems[k]->name,
                             loss_status_name(result.outcome));
                }
                assert_sentence(f.context, "contradict");
            }
            fixture_drop(&f);
        }
    }
}

static double one_sign(int64_t n, const double *x, double *g)
{
    double f = rosenbrock.evaluate(n, x, g);
    g[0] = -g[0];
    return f;
}

static double exchanged(int64_t n, const double *x, double *g)
{
    double f = rosenbrock.evaluate(n, x, g), first = g[0];
    g[0] = g[1];
    g[1] = first;
    return f;
}

/*
 * A mistake in one or two derivatives. A derivative that is 0 nobody can see: no step then goes where f would tell.
 */
static void a_wrong_derivative_is_found_out(void **unused)
{
    double (*const mistakes[])(int64_t n, const double *x, double *g) = {one_sign, exchanged};
    (void)unused;
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        for (int k = 0; k < 2; k++) {
            const problem wrong = {"wrong", rosenbrock.n, 0.0, rosenbrock.start, mistakes[k]};
            fixture f = fixture_make(i, &wrong, LOSS_FLOAT64);
            if (!f.stochastic) {
                assert_int_equal(loss_optimizer_set_int(f.optimizer, "max_evaluations", 2000), LOSS_OK);
                run_result result = start_and_run(f.optimizer, &wrong, LOSS_FLOAT64, NULL);
                if (result.outcome != LOSS_ERROR_DERIVATIVE) {
                    fail_msg("%s with mistake %d: %s", f.name, k, loss_status_name(result.outcome));
                }
            }
            fixture_drop(&f);
        }
    }
}

static double line_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    for (int64_t i = 0; i < n; i++) {
        g[i] = i % 2 == 0 ? -1.3 : 0.4;
        f += g[i] * x[i];
    }
    return f;
}

static void a_line_is_unbounded(void **unused)
{
    (void)unused;
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        const problem line = {"line", 3, -INFINITY, quadratic.start, line_evaluate};
        fixture f = fixture_make(i, &line, LOSS_FLOAT64);
        if (!f.stochastic) {
            run_result result = start_and_run(f.optimizer, &line, LOSS_FLOAT64, NULL);
            assert_status(f.context, result.outcome, LOSS_ERROR_UNBOUNDED);
            assert_string_equal(test_name(f.optimizer), "unbounded_value");
            assert_true(result.answers < 300);
            assert_best_belongs_together(f.optimizer, &line, LOSS_FLOAT64);
        }
        fixture_drop(&f);
    }
}

/* ---- stopping and starting again ---- */

static void stop_ends_a_run_at_the_next_ask(void **unused)
{
    (void)unused;
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        for (int64_t after = 1; after < 6; after++) {
            run_plan plan = {.stop_after = after};
            fixture f = fixture_make(i, suited(i), LOSS_FLOAT64);
            run_result result = start_and_run(f.optimizer, suited(i), LOSS_FLOAT64, &plan);
            assert_int_equal(result.outcome, LOSS_STOP_USER);
            assert_int_equal(result.answers, after);
            assert_best_belongs_together(f.optimizer, suited(i), LOSS_FLOAT64);
            fixture_drop(&f);
        }
    }
}

/* The flag is the only thing two threads may touch at a time. */
typedef struct bystander {
    loss_optimizer *optimizer;
    atomic_int seen; /* answers given so far */
} bystander;

static void *stop_from_elsewhere(void *argument)
{
    bystander *watch = argument;
    while (atomic_load(&watch->seen) < 100) {
    }
    loss_optimizer_stop(watch->optimizer);
    return NULL;
}

static void another_thread_can_stop_it(void **unused)
{
    fixture f = fixture_make(index_of("gradient_descent"), &parabola, LOSS_FLOAT64);
    bystander watch = {.optimizer = f.optimizer};
    double x = 0.5, g = 1.0, value = 0.0;
    int32_t request = 0;
    loss_status outcome = LOSS_OK;
    pthread_t thread;
    (void)unused;
    assert_int_equal(loss_optimizer_set_string(f.optimizer, "step", "fixed"), LOSS_OK);
    assert_int_equal(loss_optimizer_set_int(f.optimizer, "max_iterations", INT64_C(1) << 50), LOSS_OK);
    assert_int_equal(loss_optimizer_start(f.optimizer, &x), LOSS_OK);
    assert_int_equal(pthread_create(&thread, NULL, stop_from_elsewhere, &watch), 0);
    for (;;) { /* would go on for ever */
        assert_int_equal(loss_optimizer_ask(f.optimizer, &request), LOSS_OK);
        if (request == LOSS_REQUEST_DONE) {
            break;
        }
        value -= 1.0;
        assert_int_equal(loss_optimizer_tell_gradient(f.optimizer, value, &g), LOSS_OK);
        atomic_fetch_add(&watch.seen, 1);
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(loss_optimizer_outcome(f.optimizer, &outcome), LOSS_OK);
    assert_int_equal(outcome, LOSS_STOP_USER);
    assert_true(get_int(f.optimizer, "evaluations") >= 100);
    assert_close(get_double(f.optimizer, "value"), value, 0.0, 0.0);
    assert_int_equal(loss_optimizer_tell_gradient(f.optimizer, 1.0, &g), LOSS_ERROR_STATE);
    fixture_drop(&f);
}

static void starting_again_forgets_everything(void **unused)
{
    (void)unused;
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        fixture fresh = fixture_make(i, suited(i), LOSS_FLOAT64);
        uint64_t expected = start_and_run(fresh.optimizer, suited(i), LOSS_FLOAT64, NULL).digest;
        for (int64_t after = 1; after < 40; after += 5) {
            run_plan plan = {.leave_after = after};
            fixture f = fixture_make(i, suited(i), LOSS_FLOAT64);
            start_and_run(f.optimizer, suited(i), LOSS_FLOAT64, &plan);
            assert_true(start_and_run(f.optimizer, suited(i), LOSS_FLOAT64, NULL).digest == expected);
            fixture_drop(&f);
        }
        fixture_drop(&fresh);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_of_catalogue(the_catalogue_is_in_order_and_described),
        test_of_catalogue(making_one_refuses_bad_arguments),
        test_of_catalogue(options_are_checked),
        test_of_catalogue(calls_out_of_order_change_nothing),
        test_of_catalogue(a_null_optimizer_is_an_argument_error),
        test_of_catalogue(a_bad_start_is_refused),
        test_of_catalogue(sgd_wants_to_know_its_samples),
        test_of_catalogue(every_number_of_evaluations_is_a_hard_limit),
        test_of_catalogue(iterations_seconds_and_targets_end_a_run),
        test_of_catalogue(stop_tests_say_what_they_measured),
        test_of_catalogue(nan_at_the_start_ends_it),
        test_of_catalogue(one_nan_is_no_end_for_a_line_search),
        test_of_catalogue(only_nan_ends_it_soon),
        test_of_catalogue(a_wrong_gradient_is_found_out),
        test_of_catalogue(a_wrong_derivative_is_found_out),
        test_of_catalogue(a_line_is_unbounded),
        test_of_catalogue(stop_ends_a_run_at_the_next_ask),
        test_of_catalogue(another_thread_can_stop_it),
        test_of_catalogue(starting_again_forgets_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
