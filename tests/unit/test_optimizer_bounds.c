/* Methods that handle bounds: the published trace of L-BFGS-B, bounded problems with known minima, what is refused. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "optimizer_run.h"
#include "support/check.h"

/* ---- the problem of the drivers of algorithm 778 (ACM TOMS 23 (1997) 550–560) ---- */

enum { DRIVER_N = 25 };

static void driver_start(int64_t n, double *x)
{
    for (int64_t i = 0; i < n; i++) {
        x[i] = 3.0;
    }
}

static double driver_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.25 * (x[0] - 1.0) * (x[0] - 1.0), before = 0.0;
    for (int64_t i = 0; i < n; i++) {
        double after = i + 1 < n ? x[i + 1] - x[i] * x[i] : 0.0;
        f += i + 1 < n ? after * after : 0.0;
        g[i] = (i == 0 ? 2.0 * (x[0] - 1.0) : 8.0 * before) - 16.0 * x[i] * after;
        before = after;
    }
    return 4.0 * f;
}

static const problem driver = {"driver of algorithm 778", DRIVER_N, 0.0, driver_start, driver_evaluate};

static void add_box(fixture *f, int64_t n, const double *lower, const double *upper)
{
    loss_penalty *box = NULL;
    assert_status(f->context, loss_penalty_create(&box, f->context, "box"), LOSS_OK);
    assert_status(f->context, loss_penalty_set_array(box, "lower_bounds", lower, LOSS_FLOAT64, n), LOSS_OK);
    assert_status(f->context, loss_penalty_set_array(box, "upper_bounds", upper, LOSS_FLOAT64, n), LOSS_OK);
    assert_status(f->context, loss_optimizer_add_penalty(f->optimizer, box), LOSS_OK);
    loss_penalty_free(box);
}

static fixture driver_make(void)
{
    double lower[DRIVER_N], upper[DRIVER_N];
    fixture f = fixture_make(index_of("lbfgsb"), &driver, LOSS_FLOAT64);
    for (int i = 0; i < DRIVER_N; i++) {
        lower[i] = i % 2 == 0 ? 1.0 : -100.0;
        upper[i] = 100.0;
    }
    add_box(&f, DRIVER_N, lower, upper);
    assert_int_equal(loss_optimizer_set_int(f.optimizer, "memory", 5), LOSS_OK);
    assert_int_equal(loss_optimizer_set_double(f.optimizer, "gradient_tolerance", 0.0), LOSS_OK);
    return f;
}

/* Iteration, evaluations so far, f, ‖projected gradient‖∞ as the distributed output of driver 1 prints them. */
static const struct {
    int64_t iteration, evaluations;
    double value, norm;
} trace[] = {
    {0, 1, 3460.0, 103.0},          {1, 5, 2397.69, NAN},       {2, 6, 143.806, NAN},  {3, 7, 72.8161, NAN},
    {4, 8, 16.0308, NAN},           {5, 9, 5.18725, NAN},       {6, 10, 2.12716, NAN}, {7, 11, 0.207568, NAN},
    {23, 28, 1.08349e-9, 1.721e-4}, {46, 53, 5.80702e-15, NAN},
};

static void the_published_trace_is_reproduced(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof trace / sizeof trace[0]; i++) {
        fixture f = driver_make();
        assert_int_equal(loss_optimizer_set_int(f.optimizer, "max_iterations", trace[i].iteration), LOSS_OK);
        run_result result = start_and_run(f.optimizer, &driver, LOSS_FLOAT64, NULL);
        assert_int_equal(result.outcome, LOSS_STOP_ITERATIONS);
        assert_int_equal(get_int(f.optimizer, "iterations"), trace[i].iteration);
        assert_int_equal(result.answers, trace[i].evaluations);
        assert_close(get_double(f.optimizer, "value"), trace[i].value, 5e-6,
                     0.0); /* as many digits are printed */
        if (isfinite(trace[i].norm)) {
            assert_close(get_double(f.optimizer, "gradient_norm"), trace[i].norm, 5e-4, 0.0);
        }
        fixture_drop(&f);
    }
}

/* The rule factr = 1e7 of driver 1, (f − f⁺)/max(|f|, |f⁺|, 1) ≤ 1e7 · ε, holds at iteration 23 and not before. */
static void the_published_rule_stops_at_iteration_23(void **unused)
{
    double values[25];
    (void)unused;
    for (int64_t k = 0; k < 25; k++) {
        fixture f = driver_make();
        assert_int_equal(loss_optimizer_set_int(f.optimizer, "max_iterations", k), LOSS_OK);
        start_and_run(f.optimizer, &driver, LOSS_FLOAT64, NULL);
        values[k] = get_double(f.optimizer, "value");
        fixture_drop(&f);
    }
    for (int64_t k = 1; k <= 23; k++) {
        double change = (values[k - 1] - values[k]) / fmax(fmax(fabs(values[k - 1]), fabs(values[k])), 1.0);
        assert_int_equal(change <= 1e7 * 0x1p-52, k == 23);
    }
}

/* ---- bounded problems (Gay 1984), with the minima that Ceres tests against ---- */

static const struct {
    const problem *p;
    double lower[4], upper[4], minimum;
} bounded[] = {
    {&beale, {0.6, 0.5}, {10.0, 100.0}, 0.0},
    {&brown_dennis, {-10.0, 0.0, -100.0, -20.0}, {100.0, 15.0, 0.0, 0.2}, 88860.479},
};

static void bounded_problems_are_solved(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof bounded / sizeof bounded[0]; i++) {
        for (int32_t k = 0; k < loss_optimizer_catalogue_count(); k++) {
            const problem *p = bounded[i].p;
            fixture f = fixture_make(k, p, LOSS_FLOAT64);
            if (f.stochastic) { /* these are no means over samples: see test_stochastic_penalties.c */
                fixture_drop(&f);
                continue;
            }
            void *x = starting_point(p, LOSS_FLOAT64);
            add_box(&f, p->n, bounded[i].lower, bounded[i].upper);
            assert_int_equal(loss_optimizer_set_double(f.optimizer, "gradient_tolerance", 0.0), LOSS_OK);
            assert_int_equal(loss_optimizer_set_double(f.optimizer, "gradient_tolerance_relative", 1e-9),
                             LOSS_OK);
            loss_status status = loss_optimizer_start(f.optimizer, x);
            if (status == LOSS_OK) {
                run(f.optimizer, p, LOSS_FLOAT64, NULL);
                assert_close(get_double(f.optimizer, "value"), bounded[i].minimum, 1e-8, 1e-8);
            } else {
                assert_status(f.context, status, LOSS_ERROR_SUPPORT);
                assert_sentence(f.context, "cannot handle the penalty 'box'; take one of ");
                assert_sentence(f.context, "'lbfgsb'");
            }
            free(x);
            fixture_drop(&f);
        }
    }
}

/* Every point that is asked for keeps to the bounds, also from a start outside them. */
static void no_point_is_outside(void **unused)
{
    const double lower[] = {-0.7, 0.25}, upper[] = {3.5, 0.25};
    const loss_dtype dtypes[] = {LOSS_FLOAT32, LOSS_FLOAT64};
    (void)unused;
    for (int k = 0; k < 2; k++) {
        fixture f = fixture_make(index_of("lbfgsb"), &beale, dtypes[k]);
        void *x = starting_point(&beale, dtypes[k]);
        int32_t request;
        int64_t answers = 0;
        add_box(&f, 2, lower, upper);
        assert_status(f.context, loss_optimizer_start(f.optimizer, x), LOSS_OK);
        while (loss_optimizer_ask(f.optimizer, &request) == LOSS_OK && request != LOSS_REQUEST_DONE) {
            const void *at = NULL;
            assert_int_equal(loss_optimizer_get_pointer(f.optimizer, "x", &at), LOSS_OK);
            assert_true(element(at, dtypes[k], 0) >= (double)(float)-0.7 - 1e-9);
            assert_true(element(at, dtypes[k], 0) <= (double)(float)3.5);
            assert_true(element(at, dtypes[k], 1) == 0.25); /* lower = upper: it stays */
            double point[2] = {element(at, dtypes[k], 0), element(at, dtypes[k], 1)}, g[2];
            char told[16];
            double value = beale.evaluate(2, point, g);
            set_element(told, dtypes[k], 0, g[0]);
            set_element(told, dtypes[k], 1, g[1]);
            assert_int_equal(loss_optimizer_tell_gradient(f.optimizer, value, told), LOSS_OK);
            answers++;
        }
        assert_true(answers > 2);
        free(x);
        fixture_drop(&f);
    }
}

static void crossed_bounds_are_refused(void **unused)
{
    const double lower[] = {0.5, 2.0}, upper[] = {1.0, 1.5};
    fixture f = fixture_make(index_of("lbfgsb"), &beale, LOSS_FLOAT64);
    void *x = starting_point(&beale, LOSS_FLOAT64);
    (void)unused;
    add_box(&f, 2, lower, upper);
    assert_status(f.context, loss_optimizer_start(f.optimizer, x), LOSS_ERROR_RANGE);
    assert_sentence(f.context, "the bounds of parameter 1 in the penalty 'box' are crossed");
    free(x);
    fixture_drop(&f);
}

/* Of two boxes each may be right and both together not; and float32 may have no number between two float64 ones. */
static void boxes_without_a_common_number_are_refused(void **unused)
{
    const double from[] = {1.0, 1.0}, infinite[] = {INFINITY, INFINITY}, to[] = {2.0, 0.5};
    const double none[] = {-INFINITY, -INFINITY}, tenths[] = {0.5, 0.1}, tenth[] = {0.5, 0.1 + 0x1p-50};
    (void)unused;
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        fixture f = fixture_make(i, &beale, LOSS_FLOAT64), g = fixture_make(i, &beale, LOSS_FLOAT32);
        void *x = starting_point(&beale, LOSS_FLOAT64), *y = starting_point(&beale, LOSS_FLOAT32);
        add_box(&f, 2, from, infinite);
        loss_status status = loss_optimizer_start(f.optimizer, x);
        if (status == LOSS_OK) { /* the others do not take bounds */
            fixture_drop(&f);
            f = fixture_make(i, &beale, LOSS_FLOAT64);
            add_box(&f, 2, from, infinite);
            add_box(&f, 2, none, to);
            assert_status(f.context, loss_optimizer_start(f.optimizer, x), LOSS_ERROR_RANGE);
            assert_sentence(f.context,
                            "the bounds of parameter 1 leave it no float64 number: at least 1 and at "
                            "most 0.5");
            add_box(&g, 2, tenths, tenth);
            assert_status(g.context, loss_optimizer_start(g.optimizer, y), LOSS_ERROR_RANGE);
            assert_sentence(g.context, "the bounds of parameter 1 leave it no float32 number: at least 0.1");
        }
        free(x);
        free(y);
        fixture_drop(&f);
        fixture_drop(&g);
    }
}

/* Bounds are doubles: a float32 parameter stays inside of them, not of their nearest float32 numbers. */
static void float32_points_are_inside(void **unused)
{
    const double lower[] = {0.7, 1e-50}, upper[] = {0.8, 1e300};
    const float ends[][2] = {{0x1.666668p-1f, 0x1p-149f},
                             {0x1.999998p-1f, 3.0f}}; /* 0.7f, 0.8f: the other side */
    const float from[][2] = {{0.0f, -1.0f}, {5.0f, 3.0f}};
    (void)unused;
    assert_true((double)0.7f < lower[0] && (double)0.8f > upper[0]);
    for (int end = 0; end < 2; end++) {
        for (int which = 0; which < 2; which++) {
            const char *names[] = {"lbfgsb", "accelerated_gradient"};
            fixture f = fixture_make(index_of(names[which]), &beale, LOSS_FLOAT32);
            const void *x = NULL;
            int32_t request;
            add_box(&f, 2, lower, upper);
            assert_status(f.context, loss_optimizer_start(f.optimizer, from[end]), LOSS_OK);
            assert_status(f.context, loss_optimizer_ask(f.optimizer, &request), LOSS_OK);
            assert_status(f.context, loss_optimizer_get_pointer(f.optimizer, "x", &x), LOSS_OK);
            assert_memory_equal(x, ends[end], sizeof ends[end]);
            fixture_drop(&f);
        }
    }
}

/* Bounds that are equal fix a parameter, also where float32 has no such number: at the nearest. */
static void equal_bounds_fix_a_parameter(void **unused)
{
    const double tenths[] = {0.5, 0.1};
    const float from[] = {3.0f, -2.0f}, expected[] = {0.5f, 0.1f};
    fixture f = fixture_make(index_of("lbfgsb"), &beale, LOSS_FLOAT32);
    const void *x = NULL;
    int32_t request;
    (void)unused;
    add_box(&f, 2, tenths, tenths);
    assert_status(f.context, loss_optimizer_start(f.optimizer, from), LOSS_OK);
    assert_status(f.context, loss_optimizer_ask(f.optimizer, &request), LOSS_OK);
    assert_status(f.context, loss_optimizer_get_pointer(f.optimizer, "x", &x), LOSS_OK);
    assert_memory_equal(x, expected, sizeof expected);
    fixture_drop(&f);
}

/* The checkpoint of a run with bounds goes on only where the same bounds are; elsewhere nothing is changed by it. */
static void a_checkpoint_wants_its_bounds(void **unused)
{
    const double lower[] = {0.6, 0.5}, upper[] = {10.0, 100.0}, other[] = {10.0, 99.0};
    (void)unused;
    for (int same = 0; same < 2; same++) {
        fixture f = fixture_make(index_of("lbfgsb"), &beale, LOSS_FLOAT64);
        fixture g = fixture_make(index_of("lbfgsb"), &beale, LOSS_FLOAT64);
        int32_t request;
        add_box(&f, 2, lower, upper);
        add_box(&g, 2, lower, same ? upper : other);
        start_and_run(f.optimizer, &beale, LOSS_FLOAT64, &(run_plan){.leave_after = 4});
        int64_t size = loss_optimizer_save_size(f.optimizer);
        void *blob = malloc((size_t)size);
        assert_non_null(blob);
        assert_int_equal(loss_optimizer_save(f.optimizer, blob, size), LOSS_OK);
        if (same) {
            assert_status(g.context, loss_optimizer_load(g.optimizer, blob, size), LOSS_OK);
            assert_true(run(f.optimizer, &beale, LOSS_FLOAT64, NULL).digest ==
                        run(g.optimizer, &beale, LOSS_FLOAT64, NULL).digest);
        } else {
            void *x = starting_point(&beale, LOSS_FLOAT64);
            const void *asked;
            assert_status(g.context, loss_optimizer_start(g.optimizer, x), LOSS_OK);
            assert_status(g.context, loss_optimizer_load(g.optimizer, blob, size), LOSS_ERROR_CHECKPOINT);
            assert_sentence(g.context, "its run had other penalties; add the same ones before it is loaded");
            assert_status(g.context, loss_optimizer_ask(g.optimizer, &request), LOSS_OK);
            assert_int_equal(request, LOSS_REQUEST_VALUE_AND_GRADIENT);
            assert_status(g.context, loss_optimizer_get_pointer(g.optimizer, "x", &asked), LOSS_OK);
            assert_true(((const double *)asked)[0] == 1.0 && ((const double *)asked)[1] == 1.0);
            free(x);
        }
        free(blob);
        fixture_drop(&f);
        fixture_drop(&g);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_trace_is_reproduced),
        cmocka_unit_test(the_published_rule_stops_at_iteration_23),
        cmocka_unit_test(bounded_problems_are_solved),
        cmocka_unit_test(no_point_is_outside),
        cmocka_unit_test(crossed_bounds_are_refused),
        cmocka_unit_test(boxes_without_a_common_number_are_refused),
        cmocka_unit_test(float32_points_are_inside),
        cmocka_unit_test(equal_bounds_fix_a_parameter),
        cmocka_unit_test(a_checkpoint_wants_its_bounds),
    };
    return cmocka_run_group_tests_name("bounds", tests, NULL, NULL);
}
