/* Iterates, for every deterministic optimizer by one table: what is reported of them, and what ends a run at one. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "optimizer_run.h"
#include "support/check.h"

/* ---- reports ---- */

static void reports_show_every_iterate(void **unused)
{
    (void)unused;
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        fixture f = fixture_make(i, suited(i), LOSS_FLOAT64);
        assert_int_equal(loss_optimizer_set_int(f.optimizer, "report", 1), LOSS_OK);
        run_result result = start_and_run(f.optimizer, suited(i), LOSS_FLOAT64, NULL);
        assert_int_equal(result.iterates, get_int(f.optimizer, "iterations") + 1);
        assert_true(result.outcome > 0);
        fixture_drop(&f);
    }
}

/* Iterates reported by a run that is stopped after an answer, and resumed; 0: never stopped. */
static int64_t reports_of(int32_t index, int64_t stop_after)
{
    fixture f = fixture_make(index, suited(index), LOSS_FLOAT64);
    const run_plan plan = {.stop_after = stop_after};
    assert_int_equal(loss_optimizer_set_int(f.optimizer, "report", 1), LOSS_OK);
    assert_int_equal(loss_optimizer_set_int(f.optimizer, "max_evaluations", 40), LOSS_OK);
    run_result result = start_and_run(f.optimizer, suited(index), LOSS_FLOAT64, &plan);
    int64_t iterates = result.iterates;
    if (result.outcome == LOSS_STOP_USER) {
        assert_status(f.context, loss_optimizer_resume(f.optimizer), LOSS_OK);
        iterates += run(f.optimizer, suited(index), LOSS_FLOAT64, NULL).iterates;
    }
    fixture_drop(&f);
    return iterates;
}

static void a_stop_loses_no_report(void **unused)
{
    (void)unused;
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        int64_t whole = reports_of(i, 0);
        for (int64_t after = 1; after < 8; after++) {
            assert_int_equal(reports_of(i, after), whole);
        }
    }
}

/* What "step" is at an iterate, as far as it can be told from outside. */
typedef enum { SOME_STEP, FIRST_ALONG_GRADIENT, ALL_ALONG_GRADIENT, LENGTH } step_kind;

static const struct {
    const char *name;
    step_kind kind;
    const char *end; /* how the search that found it ended; NULL: in several ways */
} steps[] = {
    {"accelerated_gradient", SOME_STEP, ""},
    {"bfgs", FIRST_ALONG_GRADIENT, NULL},
    {"conjugate_gradient", FIRST_ALONG_GRADIENT, NULL},
    {"dfp", FIRST_ALONG_GRADIENT, NULL},
    {"gradient_descent", ALL_ALONG_GRADIENT, "armijo"},
    {"lbfgs", FIRST_ALONG_GRADIENT, NULL},
    {"lbfgsb", FIRST_ALONG_GRADIENT, NULL},
    {"newton", SOME_STEP, NULL},
    {"newton_cg", SOME_STEP, NULL},
    {"owlqn", FIRST_ALONG_GRADIENT, "armijo"},
    {"spectral_projected_gradient", SOME_STEP, "armijo"},
    {"sr1", LENGTH, ""},
    {"trust_region", LENGTH, ""},
    {"trust_region_cg", LENGTH, ""},
};

/* An iterate as a caller sees it, with f and ∇f there. */
typedef struct seen {
    double x[2], g[2], f, norm;
    int64_t answers;
} seen;

static double norm_of(const double *v)
{
    return sqrt(v[0] * v[0] + v[1] * v[1]);
}

static void check_step(const loss_optimizer *optimizer, step_kind kind, int64_t k, const seen *before,
                       const seen *now)
{
    const double s[2] = {now->x[0] - before->x[0], now->x[1] - before->x[1]};
    double step = get_double(optimizer, "step"), moved = norm_of(s);
    if (k == 0) {
        assert_true(step == 0.0);
        return;
    }
    assert_true(step > 0.0);
    if (kind == LENGTH) {
        assert_close(step, moved, 1e-9, 1e-14);
    } else if (kind == ALL_ALONG_GRADIENT || (kind == FIRST_ALONG_GRADIENT && k == 1)) {
        assert_close(step, moved / norm_of(before->g), 1e-9, 0.0);
    }
}

static void check_report(const loss_optimizer *optimizer, size_t row, int64_t k, const seen *before,
                         seen *now)
{
    const void *x = NULL;
    const char *end = NULL;
    assert_int_equal(loss_optimizer_get_pointer(optimizer, "x", &x), LOSS_OK);
    memcpy(now->x, x, sizeof now->x);
    now->f = rosenbrock.evaluate(2, now->x, now->g);
    assert_int_equal(get_int(optimizer, "iterations"), k);
    assert_int_equal(get_int(optimizer, "evaluations"), now->answers);
    assert_true(get_double(optimizer, "value") == now->f);
    assert_true(get_double(optimizer, "gradient_norm") == fmax(fabs(now->g[0]), fabs(now->g[1])));
    check_step(optimizer, steps[row].kind, k, before, now);
    assert_int_equal(loss_optimizer_get_string(optimizer, "line_search_end", &end), LOSS_OK);
    if (k > 0 && steps[row].end != NULL) {
        assert_string_equal(end, steps[row].end);
    } else if (k > 0) {
        assert_true(strlen(end) > 0);
    }
}

/* Answers anything but a report. */
static void answer(fixture *f, int32_t request)
{
    const double *x = NULL, *d = NULL;
    double g[2], h[4], product[2];
    assert_int_equal(loss_optimizer_get_pointer(f->optimizer, "x", (const void **)&x), LOSS_OK);
    double value = rosenbrock.evaluate(2, x, g);
    h[0] = 1200.0 * x[0] * x[0] - 400.0 * x[1] + 2.0;
    h[1] = h[2] = -400.0 * x[0];
    h[3] = 200.0;
    if (request == LOSS_REQUEST_VALUE) {
        assert_int_equal(loss_optimizer_tell_value(f->optimizer, value), LOSS_OK);
    } else if (request == LOSS_REQUEST_HESSIAN) {
        assert_int_equal(loss_optimizer_tell_vector(f->optimizer, h), LOSS_OK);
    } else if (request == LOSS_REQUEST_HESSIAN_PRODUCT) {
        assert_int_equal(loss_optimizer_get_pointer(f->optimizer, "direction", (const void **)&d), LOSS_OK);
        product[0] = h[0] * d[0] + h[1] * d[1];
        product[1] = h[2] * d[0] + h[3] * d[1];
        assert_int_equal(loss_optimizer_tell_vector(f->optimizer, product), LOSS_OK);
    } else {
        assert_int_equal(request, LOSS_REQUEST_VALUE_AND_GRADIENT);
        assert_int_equal(loss_optimizer_tell_gradient(f->optimizer, value, g), LOSS_OK);
    }
}

static void a_report_is_of_its_iterate(void **unused)
{
    (void)unused;
    for (size_t row = 0; row < sizeof steps / sizeof *steps; row++) {
        fixture f = fixture_make(index_of(steps[row].name), &rosenbrock, LOSS_FLOAT64);
        double *x0 = starting_point(&rosenbrock, LOSS_FLOAT64);
        int32_t request = 0;
        int64_t k = 0;
        seen before = {0}, now = {0};
        assert_int_equal(loss_optimizer_set_int(f.optimizer, "report", 1), LOSS_OK);
        assert_int_equal(loss_optimizer_set_int(f.optimizer, "max_iterations", 12), LOSS_OK);
        assert_int_equal(loss_optimizer_start(f.optimizer, x0), LOSS_OK);
        while (loss_optimizer_ask(f.optimizer, &request) == LOSS_OK && request != LOSS_REQUEST_DONE) {
            if (request == LOSS_REQUEST_NEW_ITERATE) {
                check_report(f.optimizer, row, k++, &before, &now);
                before = now;
            } else {
                answer(&f, request);
                now.answers++;
            }
        }
        assert_int_equal(k, 13);
        free(x0);
        fixture_drop(&f);
    }
}

/* ---- the floor ---- */

/*
 * The precision floor is where f can tell nothing more, not where a step has become short for another reason: a gradient
 * that is wrong, a radius or a Hessian out of all proportion, what B has learnt where f was steeper, or an f that was
 * much larger before. `how` is what the run may end with; the floor is never among it.
 */
static double far_rosenbrock_scale;

static void far_rosenbrock_start(int64_t n, double *x)
{
    rosenbrock.start(n, x);
    for (int64_t i = 0; i < n; i++) {
        x[i] *= far_rosenbrock_scale;
    }
}

static void a_short_step_is_no_floor(void **unused)
{
    static const problem far = {"far rosenbrock", 2, 0.0, far_rosenbrock_start, NULL};
    static const struct {
        const char *name;
        loss_dtype dtype;
        double scale, gradient_factor, radius;
        loss_status how;
    } shorts[] = {
        {"dfp", LOSS_FLOAT32, 1e4, 0, 0, LOSS_STOP_GRADIENT},
        {"sr1", LOSS_FLOAT32, 1e4, 0, 0, LOSS_STOP_GRADIENT},
        {"trust_region_cg", LOSS_FLOAT64, 1e6, 0, 0, LOSS_STOP_EVALUATIONS},
        {"trust_region", LOSS_FLOAT64, 1, 100.0, 0, LOSS_ERROR_DERIVATIVE},
        {"trust_region_cg", LOSS_FLOAT64, 1, 100.0, 0, LOSS_ERROR_DERIVATIVE},
        {"sr1", LOSS_FLOAT64, 1, 100.0, 0, LOSS_ERROR_DERIVATIVE},
        {"trust_region", LOSS_FLOAT64, 1, 0, 1e-300, LOSS_STOP_GRADIENT},
        {"trust_region_cg", LOSS_FLOAT64, 1, 0, 1e-300, LOSS_ERROR_LINE_SEARCH},
        {"trust_region_cg", LOSS_FLOAT64, 1, 0, 1e-100, LOSS_STOP_GRADIENT},
    };
    (void)unused;
    for (size_t k = 0; k < sizeof shorts / sizeof *shorts; k++) {
        problem p = far;
        const run_plan plan = {.gradient_factor = shorts[k].gradient_factor};
        p.evaluate = rosenbrock.evaluate;
        far_rosenbrock_scale = shorts[k].scale;
        fixture f = fixture_make(index_of(shorts[k].name), &p, shorts[k].dtype);
        if (shorts[k].radius > 0.0) {
            assert_int_equal(loss_optimizer_set_double(f.optimizer, "radius", shorts[k].radius), LOSS_OK);
        }
        assert_int_equal(loss_optimizer_set_double(f.optimizer, "gradient_tolerance",
                                                   shorts[k].dtype == LOSS_FLOAT64 ? 1e-5 : 1e-2),
                         LOSS_OK);
        assert_int_equal(loss_optimizer_set_int(f.optimizer, "max_evaluations", 3000), LOSS_OK);
        run_result result = start_and_run(f.optimizer, &p, shorts[k].dtype, &plan);
        if (result.outcome != shorts[k].how) {
            fail_msg("%s, case %d: %s, f = %g", f.name, (int)k, loss_status_name(result.outcome),
                     get_double(f.optimizer, "value"));
        }
        fixture_drop(&f);
    }
}

/* A minimum that f shows only to half of its digits, where all but the gradient is lost in rounding. */
static double lifted_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    for (int64_t i = 0; i < n; i++) {
        g[i] = 2.0 * (x[i] - 1.0 / 3.0);
        f += (x[i] - 1.0 / 3.0) * (x[i] - 1.0 / 3.0);
    }
    return f + 7.0;
}

static void lifted_start(int64_t n, double *x)
{
    for (int64_t i = 0; i < n; i++) {
        x[i] = 5.0;
    }
}

static void the_floor_is_found_soon(void **unused)
{
    static const problem lifted = {"lifted", 1, 7.0, lifted_start, lifted_evaluate};
    const loss_dtype dtypes[] = {LOSS_FLOAT32, LOSS_FLOAT64};
    (void)unused;
    for (int32_t i = 0; i < 2 * loss_optimizer_catalogue_count(); i++) {
        fixture f = fixture_make(i / 2, &lifted, dtypes[i % 2]);
        if (!f.stochastic) {
            assert_int_equal(loss_optimizer_set_double(f.optimizer, "gradient_tolerance", 0.0), LOSS_OK);
            run_result result = start_and_run(f.optimizer, &lifted, dtypes[i % 2], NULL);
            if ((result.outcome != LOSS_STOP_PRECISION && result.outcome != LOSS_STOP_GRADIENT) ||
                result.answers > 500) {
                fail_msg("%s: %s after %d", f.name, loss_status_name(result.outcome), (int)result.answers);
            }
        }
        fixture_drop(&f);
    }
}

/* However long the first step: halving finds the right one, and the gradient is not blamed. */
static void a_long_first_step_is_no_contradiction(void **unused)
{
    static const double rates[] = {1e3, 1e10, 1e20, 1e30};
    (void)unused;
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        fixture f = fixture_make(index_of("accelerated_gradient"), &parabola, LOSS_FLOAT64);
        assert_int_equal(loss_optimizer_set_double(f.optimizer, "learning_rate", rates[i]), LOSS_OK);
        run_result result = start_and_run(f.optimizer, &parabola, LOSS_FLOAT64, NULL);
        assert_int_equal(result.outcome, LOSS_STOP_GRADIENT);
        fixture_drop(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_show_every_iterate), cmocka_unit_test(a_stop_loses_no_report),
        cmocka_unit_test(a_report_is_of_its_iterate), cmocka_unit_test(a_short_step_is_no_floor),
        cmocka_unit_test(the_floor_is_found_soon),    cmocka_unit_test(a_long_first_step_is_no_contradiction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
