/* Every line search under every method of descent: it gets there, it keeps its conditions, and it fails as it should. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "optimizer_run.h"
#include "support/check.h"

static const char *const rows[] = {"bfgs", "conjugate_gradient", "dfp", "lbfgs", "newton_cg"};
static const char *const searches[] = {"hager_zhang", "more_thuente", "backtracking"};
enum { ROWS = sizeof rows / sizeof rows[0], SEARCHES = sizeof searches / sizeof searches[0] };

/* DFP cannot shorten directions that have become too long, unless the search is near exact. */
static int32_t fit_together(int row, int search)
{
    return strcmp(rows[row], "dfp") != 0 || strcmp(searches[search], "backtracking") != 0;
}

static fixture make(int row, int search, const problem *p, loss_dtype dtype)
{
    fixture f = fixture_make(index_of(rows[row]), p, dtype);
    assert_int_equal(loss_optimizer_set_string(f.optimizer, "line_search", searches[search]), LOSS_OK);
    return f;
}

static const char *end_of(const loss_optimizer *optimizer)
{
    const char *end = NULL;
    assert_int_equal(loss_optimizer_get_string(optimizer, "line_search_end", &end), LOSS_OK);
    return end;
}

/* ---- it gets there ---- */

static const problem *const problems[] = {&rosenbrock, &extended_rosenbrock, &quadratic, &logistic,
                                          &beale,      &brown_dennis,        &cosh_sum,  &parabola};

static void solve_all(loss_dtype dtype, double tolerance, double precision)
{
    for (int i = 0; i < ROWS * SEARCHES; i++) {
        for (size_t k = 0; k < sizeof problems / sizeof problems[0]; k++) {
            const problem *p = problems[k];
            if (!fit_together(i / SEARCHES, i % SEARCHES)) {
                continue;
            }
            fixture f = make(i / SEARCHES, i % SEARCHES, p, dtype);
            double scale = fmax(1.0, fabs(p->minimum));
            assert_int_equal(loss_optimizer_set_double(f.optimizer, "gradient_tolerance", tolerance * scale),
                             LOSS_OK);
            run_result result = start_and_run(f.optimizer, p, dtype, NULL);
            if (result.outcome != LOSS_STOP_GRADIENT && result.outcome != LOSS_STOP_PRECISION) {
                fail_msg("%s with %s on %s: %s, %s", f.name, searches[i % SEARCHES], p->name,
                         loss_status_name(result.outcome), loss_context_error(f.context));
            }
            assert_close(get_double(f.optimizer, "value"), p->minimum, precision, precision);
            assert_best_belongs_together(f.optimizer, p, dtype);
            fixture_drop(&f);
        }
    }
}

static void every_search_solves_every_problem(void **unused)
{
    (void)unused;
    solve_all(LOSS_FLOAT64, 1e-6, 1e-9);
}

static void also_in_float32(void **unused)
{
    (void)unused;
    solve_all(LOSS_FLOAT32, 2e-4, 1e-5);
}

/* Asked for more than there is, it ends at the precision floor, and soon. */
static void at_the_floor_it_is_precision(void **unused)
{
    static const loss_dtype dtypes[] = {LOSS_FLOAT64, LOSS_FLOAT32};
    static const problem *const floors[] = {&logistic, &beale, &brown_dennis, &cosh_sum, &parabola};
    (void)unused;
    for (int i = 0; i < 2 * ROWS * SEARCHES; i++) {
        for (size_t k = 0; k < sizeof floors / sizeof floors[0]; k++) {
            int row = i / 2 / SEARCHES, search = i / 2 % SEARCHES;
            fixture f = make(row, search, floors[k], dtypes[i % 2]);
            assert_int_equal(loss_optimizer_set_double(f.optimizer, "gradient_tolerance", 0.0), LOSS_OK);
            run_result result = start_and_run(f.optimizer, floors[k], dtypes[i % 2], NULL);
            if (result.outcome != LOSS_STOP_PRECISION && result.outcome != LOSS_STOP_GRADIENT) {
                fail_msg("%s with %s on %s in %s: %s", f.name, searches[search], floors[k]->name,
                         loss_dtype_name(dtypes[i % 2]), loss_status_name(result.outcome));
            }
            if (result.outcome ==
                LOSS_STOP_PRECISION) { /* no option did it; the numbers say what is lost in what */
                const char *test = NULL;
                assert_int_equal(loss_optimizer_get_string(f.optimizer, "test", &test), LOSS_OK);
                assert_string_equal(test, "");
                assert_true(get_double(f.optimizer, "test_value") <=
                            get_double(f.optimizer, "test_threshold"));
            }
            int32_t products = strcmp(rows[row], "newton_cg") == 0; /* answers too */
            if (fit_together(row, search) && result.answers > (products ? 1000 : 500)) {
                fail_msg("%s with %s on %s in %s: %d answers", f.name, searches[search], floors[k]->name,
                         loss_dtype_name(dtypes[i % 2]), (int)result.answers);
            }
            fixture_drop(&f);
        }
    }
}

/* ---- it keeps its conditions ---- */

typedef struct iterate {
    double x[4], g[4], value;
} iterate;

/* What the options say of a step s from a to b, by the slopes along it. */
static void check_step(const char *end, const iterate *a, const iterate *b, int64_t n, double decrease,
                       double curvature)
{
    double before = 0.0, after = 0.0;
    for (int64_t i = 0; i < n; i++) {
        before += a->g[i] * (b->x[i] - a->x[i]);
        after += b->g[i] * (b->x[i] - a->x[i]);
    }
    double slack = 1e-9 * fabs(before); /* x⁺ − x is rounded */
    if (strcmp(end, "wolfe") == 0 || strcmp(end, "strong_wolfe") == 0 || strcmp(end, "armijo") == 0) {
        assert_true(b->value - a->value <= decrease * before + slack + 1e-15 * fabs(a->value));
    }
    if (strcmp(end, "wolfe") == 0) {
        assert_true(after >= curvature * before - slack);
    } else if (strcmp(end, "strong_wolfe") == 0) {
        assert_true(fabs(after) <= -curvature * before + slack);
    } else if (strcmp(end, "approximate_wolfe") == 0) {
        assert_true(after >= curvature * before - slack && after <= (2.0 * decrease - 1.0) * before + slack);
    }
}

static void steps_fulfil_what_the_options_say(void **unused)
{
    static const struct {
        const char *end; /* besides which only approximate_wolfe and settled may be */
        double decrease, curvature;
    } cases[][2] = {{{"wolfe", 0.1, 0.9}, {"wolfe", 0.3, 0.4}},
                    {{"strong_wolfe", 1e-4, 0.9}, {"strong_wolfe", 0.01, 0.05}},
                    {{"armijo", 1e-4, 0.9}, {"armijo", 0.45, 0.9}}};
    static const problem *const smooth[] = {&rosenbrock, &beale, &brown_dennis};
    (void)unused;
    for (int i = 0; i < SEARCHES * 2 * 3; i++) {
        int search = i / 6, set = i / 3 % 2;
        const problem *p = smooth[i % 3];
        fixture f = make(3, search, p, LOSS_FLOAT64);
        double decrease = cases[search][set].decrease, curvature = cases[search][set].curvature;
        assert_int_equal(loss_optimizer_set_int(f.optimizer, "report", 1), LOSS_OK);
        if (set == 1) {
            assert_int_equal(loss_optimizer_set_double(f.optimizer, "sufficient_decrease", decrease),
                             LOSS_OK);
            assert_int_equal(loss_optimizer_set_double(f.optimizer, "curvature", curvature), LOSS_OK);
        }
        iterate before = {.value = NAN}, now = before, told = before;
        int32_t request = 0, seen = 0;
        void *x0 = starting_point(p, LOSS_FLOAT64);
        assert_int_equal(loss_optimizer_start(f.optimizer, x0), LOSS_OK);
        assert_string_equal(end_of(f.optimizer), "");
        while (loss_optimizer_ask(f.optimizer, &request) == LOSS_OK && request != LOSS_REQUEST_DONE) {
            const void *x = NULL;
            assert_int_equal(loss_optimizer_get_pointer(f.optimizer, "x", &x), LOSS_OK);
            if (request == LOSS_REQUEST_VALUE_AND_GRADIENT) {
                memcpy(told.x, x, (size_t)p->n * sizeof(double));
                told.value = p->evaluate(p->n, told.x, told.g);
                assert_int_equal(loss_optimizer_tell_gradient(f.optimizer, told.value, told.g), LOSS_OK);
                continue;
            }
            before = now;
            now = told;
            if (seen++ > 0) {
                const char *end = end_of(f.optimizer);
                assert_true(strcmp(end, cases[search][set].end) == 0 || strcmp(end, "settled") == 0 ||
                            (search == 0 && strcmp(end, "approximate_wolfe") == 0));
                check_step(end, &before, &now, p->n, decrease, curvature);
            }
        }
        assert_true(seen > 10);
        free(x0);
        fixture_drop(&f);
    }
}

static void conditions_that_cannot_be_met_are_refused(void **unused)
{
    static const struct {
        int search;
        double decrease, curvature;
        loss_status status;
    } cases[] = {{0, 0.4, 0.3, LOSS_ERROR_RANGE}, {1, 0.4, 0.3, LOSS_ERROR_RANGE},
                 {2, 0.4, 0.3, LOSS_OK},          {0, 0.0, 0.09, LOSS_ERROR_RANGE},
                 {0, 0.0, 0.1, LOSS_OK},          {1, 0.0, 0.1, LOSS_OK},
                 {0, 0.3, 0.4, LOSS_OK}};
    const double x[2] = {0.7, 1.9};
    (void)unused;
    for (int row = 0; row < ROWS; row++) {
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            fixture f = make(row, cases[i].search, &rosenbrock, LOSS_FLOAT64);
            loss_optimizer_set_double(f.optimizer, "sufficient_decrease", cases[i].decrease);
            loss_optimizer_set_double(f.optimizer, "curvature", cases[i].curvature);
            assert_int_equal(loss_optimizer_start(f.optimizer, x), cases[i].status);
            if (cases[i].status != LOSS_OK) {
                assert_sentence(f.context, "'sufficient_decrease'");
            }
            fixture_drop(&f);
        }
        fixture f = make(row, 0, &rosenbrock, LOSS_FLOAT64);
        assert_int_equal(loss_optimizer_set_string(f.optimizer, "line_search", "more_tuente"),
                         LOSS_ERROR_RANGE);
        assert_int_equal(loss_optimizer_set_double(f.optimizer, "curvature", 1.1), LOSS_ERROR_RANGE);
        assert_int_equal(loss_optimizer_set_int(f.optimizer, "nonmonotone", 0), LOSS_ERROR_RANGE);
        assert_int_equal(loss_optimizer_set_int(f.optimizer, "nonmonotone", 33), LOSS_ERROR_RANGE);
        fixture_drop(&f);
    }
}

/* ---- nonmonotone ---- */

typedef struct climb {
    double values[10];
    int64_t seen, rises;
    int64_t memory;
} climb;

static void watch(climb *c, double value)
{
    double largest = -INFINITY;
    for (int64_t i = 0; i < c->memory && i < c->seen; i++) {
        largest = fmax(largest, c->values[i]);
    }
    if (c->seen > 0) {
        assert_true(value <= largest);
        c->rises += value > c->values[(c->seen - 1) % c->memory];
    }
    c->values[c->seen++ % c->memory] = value;
}

static void values_may_rise_below_the_last_ones(void **unused)
{
    (void)unused;
    for (int64_t memory = 1; memory <= 10; memory += 9) {
        fixture f = make(0, 2, &rosenbrock, LOSS_FLOAT64);
        climb c = {.memory = memory};
        int32_t request = 0;
        double g[2], told = 0.0;
        void *x0 = starting_point(&rosenbrock, LOSS_FLOAT64);
        assert_int_equal(loss_optimizer_set_int(f.optimizer, "nonmonotone", memory), LOSS_OK);
        assert_int_equal(loss_optimizer_set_int(f.optimizer, "report", 1), LOSS_OK);
        assert_int_equal(loss_optimizer_start(f.optimizer, x0), LOSS_OK);
        while (loss_optimizer_ask(f.optimizer, &request) == LOSS_OK && request != LOSS_REQUEST_DONE) {
            const double *x = NULL;
            assert_int_equal(loss_optimizer_get_pointer(f.optimizer, "x", (const void **)&x), LOSS_OK);
            if (request == LOSS_REQUEST_NEW_ITERATE) {
                watch(&c, told);
                continue;
            }
            told = rosenbrock.evaluate(2, x, g);
            assert_int_equal(loss_optimizer_tell_gradient(f.optimizer, told, g), LOSS_OK);
        }
        assert_true(memory == 1 ? c.rises == 0 : c.rises > 0);
        assert_true(c.seen > 20);
        free(x0);
        fixture_drop(&f);
    }
}

/* ---- it fails as it should ---- */

static double line_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    for (int64_t i = 0; i < n; i++) {
        g[i] = i % 2 == 0 ? -1.3 : 0.4;
        f += g[i] * x[i];
    }
    return f;
}

static void failures_have_their_names(void **unused)
{
    const problem line = {"line", 3, -INFINITY, logistic.start, line_evaluate};
    const struct {
        const problem *p;
        run_plan plan;
        loss_status outcome;
    } cases[] = {
        {&rosenbrock, {.gradient_factor = -1.0}, LOSS_ERROR_DERIVATIVE},
        {&logistic, {.gradient_factor = -1.0}, LOSS_ERROR_DERIVATIVE},
        {&beale, {.gradient_factor = -1.0}, LOSS_ERROR_DERIVATIVE},
        {&cosh_sum, {.gradient_factor = -1.0}, LOSS_ERROR_DERIVATIVE},
        {&parabola, {.gradient_factor = -1.0}, LOSS_ERROR_DERIVATIVE},
        {&logistic, {.nan_at = 1}, LOSS_ERROR_NONFINITE},
        {&logistic, {.nan_from = 2}, LOSS_ERROR_NONFINITE},
        {&logistic, {.nan_from = 5}, LOSS_ERROR_NONFINITE},
        {&logistic, {.nan_at = 2}, LOSS_STOP_GRADIENT},
        {&logistic, {.nan_at = 3}, LOSS_STOP_GRADIENT},
        {&logistic, {.nan_at = 6}, LOSS_STOP_GRADIENT},
        {&line, {0}, LOSS_ERROR_UNBOUNDED},
    };
    (void)unused;
    for (int i = 0; i < ROWS * SEARCHES; i++) {
        for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
            fixture f = make(i / SEARCHES, i % SEARCHES, cases[k].p, LOSS_FLOAT64);
            run_result result = start_and_run(f.optimizer, cases[k].p, LOSS_FLOAT64, &cases[k].plan);
            /* along −∇f newton_cg does not learn how long a step may be, and backtracking makes none longer */
            int32_t slow = strcmp(rows[i / SEARCHES], "newton_cg") == 0 && i % SEARCHES == 2;
            if (result.outcome != cases[k].outcome || result.answers >= (slow ? 20000 : 400)) {
                fail_msg("%s with %s on %s, case %d: %s after %d answers", f.name, searches[i % SEARCHES],
                         cases[k].p->name, (int)k, loss_status_name(result.outcome), (int)result.answers);
            }
            if (cases[k].plan.nan_at != 1 && cases[k].plan.gradient_factor == 0.0) {
                assert_best_belongs_together(f.optimizer, cases[k].p, LOSS_FLOAT64);
            }
            fixture_drop(&f);
        }
    }
}

/* |x|, whose slope promises what no step keeps: the search fails, and so does the one along −∇f. */
static double kink_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    for (int64_t i = 0; i < n; i++) {
        g[i] = x[i] < 0.0 ? -1.0 : 1.0;
        f += fabs(x[i]);
    }
    return f;
}

static void kink_start(int64_t n, double *x)
{
    for (int64_t i = 0; i < n; i++) {
        x[i] = 0.0;
    }
}

static void where_no_step_goes_down_it_says_so(void **unused)
{
    const problem kink = {"kink", 2, 0.0, kink_start, kink_evaluate};
    (void)unused;
    for (int i = 0; i < ROWS * SEARCHES; i++) {
        fixture f = make(i / SEARCHES, i % SEARCHES, &kink, LOSS_FLOAT64);
        run_result result = start_and_run(f.optimizer, &kink, LOSS_FLOAT64, NULL);
        assert_int_equal(result.outcome, LOSS_ERROR_LINE_SEARCH);
        assert_sentence(f.context, "no acceptable step");
        assert_int_equal(get_int(f.optimizer, "restarts"), 1); /* steepest descent was tried too */
        assert_true(strlen(end_of(f.optimizer)) > 0);
        fixture_drop(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_search_solves_every_problem),
        cmocka_unit_test(also_in_float32),
        cmocka_unit_test(at_the_floor_it_is_precision),
        cmocka_unit_test(steps_fulfil_what_the_options_say),
        cmocka_unit_test(conditions_that_cannot_be_met_are_refused),
        cmocka_unit_test(values_may_rise_below_the_last_ones),
        cmocka_unit_test(failures_have_their_names),
        cmocka_unit_test(where_no_step_goes_down_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
