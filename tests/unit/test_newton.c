/* What Newton methods do with second derivatives: negative curvature, bad Hessians, radii, preconditioners. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "optimizer_run.h"
#include "support/check.h"

static const char *const names[] = {"newton", "newton_cg", "trust_region", "trust_region_cg"};
enum { NAMES = 4 };

static fixture make(const char *name, const problem *p, loss_dtype dtype)
{
    return fixture_make(index_of(name), p, dtype);
}

static const double *best(const fixture *f)
{
    const double *x = NULL;
    assert_int_equal(loss_optimizer_get_pointer(f->optimizer, "best_x", (const void **)&x), LOSS_OK);
    return x;
}

/* ---- quadratics ---- */

static double coupled_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    for (int64_t i = 0; i < n; i++) {
        double d = x[i] - 0.37 + (i > 0 ? 0.5 * x[i - 1] : 0.0);
        f += 0.5 * d * d;
        g[i] = d;
    }
    for (int64_t i = 0; i + 1 < n; i++) { /* g holds the residuals: each also hangs on the x before it */
        g[i] += 0.5 * g[i + 1];
    }
    return f;
}

/* The model is the function: one step, whatever its size. */
static void a_quadratic_takes_one_step(void **unused)
{
    static const char *const exact[] = {"newton", "trust_region"};
    (void)unused;
    for (int64_t n = 1; n < 40; n += 19) {
        for (int k = 0; k < 2; k++) {
            const problem p = {"coupled", n, 0.0, quadratic.start, coupled_evaluate};
            fixture f = make(exact[k], &p, LOSS_FLOAT64);
            if (k == 1) {
                assert_int_equal(loss_optimizer_set_double(f.optimizer, "radius", 1e3), LOSS_OK);
            }
            run_result result = start_and_run(f.optimizer, &p, LOSS_FLOAT64, NULL);
            assert_int_equal(result.outcome, LOSS_STOP_GRADIENT);
            assert_int_equal(get_int(f.optimizer, "iterations"), 1);
            assert_int_equal(result.hessians, 1);
            fixture_drop(&f);
        }
    }
}

/* ---- negative curvature ---- */

/* ∇f has nothing along the direction that goes down: a matrix shows it all the same. */
static void a_saddle_is_left(void **unused)
{
    static const char *const exact[] = {"newton", "trust_region"};
    (void)unused;
    for (int k = 0; k < 4; k++) {
        loss_dtype dtype = k < 2 ? LOSS_FLOAT64 : LOSS_FLOAT32;
        fixture f = make(exact[k % 2], &saddle, dtype);
        assert_int_equal(loss_optimizer_set_double(f.optimizer, "gradient_tolerance", 1e-4), LOSS_OK);
        run_result result = start_and_run(f.optimizer, &saddle, dtype, NULL);
        assert_int_equal(result.outcome, LOSS_STOP_GRADIENT);
        assert_close(get_double(f.optimizer, "value"), 0.0, 0.0, 1e-7);
        assert_close(fabs(element(best(&f), dtype, 1)), 1.0, 1e-4, 0.0);
        assert_true(result.answers < 60);
        fixture_drop(&f);
    }
}

/* Every eigenvalue is negative at the start, and all methods come down. */
static void an_indefinite_start_is_no_obstacle(void **unused)
{
    (void)unused;
    for (int k = 0; k < 2 * NAMES; k++) {
        loss_dtype dtype = k < NAMES ? LOSS_FLOAT64 : LOSS_FLOAT32;
        fixture f = make(names[k % NAMES], &wells, dtype);
        assert_int_equal(loss_optimizer_set_double(f.optimizer, "gradient_tolerance", 1e-4), LOSS_OK);
        run_result result = start_and_run(f.optimizer, &wells, dtype, NULL);
        if (result.outcome != LOSS_STOP_GRADIENT || !(get_double(f.optimizer, "value") <= 1e-7) ||
            result.answers > 100) {
            fail_msg("%s: outcome %d at %g after %d answers", f.name, result.outcome,
                     get_double(f.optimizer, "value"), (int)result.answers);
        }
        assert_best_belongs_together(f.optimizer, &wells, dtype);
        fixture_drop(&f);
    }
}

/* −Σ x²/2, and nothing else: there is no minimum to find. */
static double dome_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    for (int64_t i = 0; i < n; i++) {
        f -= 0.5 * x[i] * x[i];
        g[i] = -x[i];
    }
    return f;
}

static void a_dome_is_unbounded(void **unused)
{
    (void)unused;
    for (int k = 0; k < NAMES; k++) {
        const problem dome = {"dome", 3, -INFINITY, quadratic.start, dome_evaluate};
        fixture f = make(names[k], &dome, LOSS_FLOAT64);
        run_result result = start_and_run(f.optimizer, &dome, LOSS_FLOAT64, NULL);
        assert_int_equal(result.outcome, LOSS_ERROR_UNBOUNDED);
        assert_true(result.answers < 300);
        fixture_drop(&f);
    }
}

static double line_factor;

static double line_evaluate(int64_t n, const double *x, double *g)
{
    for (int64_t i = 0; i < n; i++) {
        g[i] = i == 0 ? -line_factor : 0.0;
    }
    return -line_factor * x[0];
}

/* A Hessian of zeros has no units: how far to go must not hang on those of f. */
static void a_line_is_unbounded_in_any_units(void **unused)
{
    static const double factors[] = {1.0, 1e-5, 1e-10, 1e-100, 1e100};
    const problem line = {"line", 2, -INFINITY, quadratic.start, line_evaluate};
    (void)unused;
    for (int k = 0; k < NAMES; k++) {
        int64_t answers = 0;
        for (int i = 0; i < 5; i++) {
            fixture f = make(names[k], &line, LOSS_FLOAT64);
            line_factor = factors[i];
            assert_int_equal(loss_optimizer_set_double(f.optimizer, "gradient_tolerance", 0.0), LOSS_OK);
            assert_int_equal(loss_optimizer_set_double(f.optimizer, "unbounded_value", -1e30 * line_factor),
                             LOSS_OK);
            run_result result = start_and_run(f.optimizer, &line, LOSS_FLOAT64, NULL);
            assert_int_equal(result.outcome, LOSS_ERROR_UNBOUNDED);
            answers = i == 0 ? result.answers : answers;
            assert_true(result.answers < 300 && llabs(result.answers - answers) <= 2);
            fixture_drop(&f);
        }
    }
}

/* Biggs' EXP6 (Moré, Garbow & Hillstrom 1981, problem 18): indefinite nearly everywhere, and a plateau beside the way. */
static double biggs_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    memset(g, 0, (size_t)n * sizeof *g);
    for (int i = 1; i <= 13; i++) {
        double t = 0.1 * i, a = exp(-t * x[0]), b = exp(-t * x[1]), c = exp(-t * x[4]);
        double r = x[2] * a - x[3] * b + x[5] * c - exp(-t) + 5.0 * exp(-10.0 * t) - 3.0 * exp(-4.0 * t);
        f += r * r;
        g[0] -= 2.0 * r * t * x[2] * a;
        g[1] += 2.0 * r * t * x[3] * b;
        g[2] += 2.0 * r * a;
        g[3] -= 2.0 * r * b;
        g[4] -= 2.0 * r * t * x[5] * c;
        g[5] += 2.0 * r * c;
    }
    return f;
}

static void biggs_start(int64_t n, double *x)
{
    for (int64_t i = 0; i < n; i++) {
        x[i] = i == 1 ? 2.0 : 1.0;
    }
}

/* The minimum is 0; there is another at 5.6556e-3. */
static void a_plateau_does_not_lead_astray(void **unused)
{
    (void)unused;
    for (int k = 0; k < NAMES; k++) {
        const problem biggs = {"biggs_exp6", 6, 0.0, biggs_start, biggs_evaluate};
        fixture f = make(names[k], &biggs, LOSS_FLOAT64);
        assert_int_equal(loss_optimizer_set_int(f.optimizer, "max_iterations", 200), LOSS_OK);
        run_result result = start_and_run(f.optimizer, &biggs, LOSS_FLOAT64, NULL);
        assert_int_equal(result.outcome, LOSS_STOP_GRADIENT);
        assert_true(get_double(f.optimizer, "value") < 5.657e-3);
        fixture_drop(&f);
    }
}

/* Powell's badly scaled function (problem 3 there): one curvature is less than the rounding of the other. */
static double powell_evaluate(int64_t n, const double *x, double *g)
{
    double a = 1e4 * x[0] * x[1] - 1.0, b = exp(-x[0]) + exp(-x[1]) - 1.0001;
    (void)n;
    g[0] = 2.0 * a * 1e4 * x[1] - 2.0 * b * exp(-x[0]);
    g[1] = 2.0 * a * 1e4 * x[0] - 2.0 * b * exp(-x[1]);
    return a * a + b * b;
}

static void powell_start(int64_t n, double *x)
{
    (void)n;
    x[0] = 0.0;
    x[1] = 1.0;
}

static void curvature_below_the_rounding_of_another_is_used(void **unused)
{
    static const char *const regions[] = {"trust_region", "trust_region_cg"};
    (void)unused;
    for (int k = 0; k < 2; k++) {
        const problem powell = {"powell_badly_scaled", 2, 0.0, powell_start, powell_evaluate};
        fixture f = make(regions[k], &powell, LOSS_FLOAT64);
        run_result result = start_and_run(f.optimizer, &powell, LOSS_FLOAT64, NULL);
        assert_int_equal(result.outcome, LOSS_STOP_GRADIENT);
        assert_true(result.answers < 1000);
        fixture_drop(&f);
    }
}

/* Terms near 1 that cancel: f has their rounding, far above that of its small value, and the Hessian told is near the
 * true one only, so that it takes a while. */
static void terms_that_cancel_are_no_obstacle(void **unused)
{
    static const char *const exact[] = {"newton", "trust_region"};
    enum { N = 40 };
    (void)unused;
    for (int k = 0; k < 2; k++) {
        const problem terms = {"terms", N, 0.0, quadratic.start, coupled_evaluate};
        fixture f = make(exact[k], &terms, LOSS_FLOAT64);
        double *x0 = starting_point(&terms, LOSS_FLOAT64), g[N], h[N * N] = {0.0};
        int32_t request = 0;
        loss_status outcome = LOSS_OK;
        assert_int_equal(loss_optimizer_set_double(f.optimizer, "gradient_tolerance", 1e-8), LOSS_OK);
        assert_int_equal(loss_optimizer_start(f.optimizer, x0), LOSS_OK);
        while (loss_optimizer_ask(f.optimizer, &request) == LOSS_OK && request != LOSS_REQUEST_DONE) {
            const double *x = NULL;
            double value = 0.0;
            assert_int_equal(loss_optimizer_get_pointer(f.optimizer, "x", (const void **)&x), LOSS_OK);
            for (int i = 0; i < N; i++) {
                value += 1e3 * (x[i] * x[i] + cosh(x[i] / 10.0) - 1.0);
                g[i] = 1e3 * (2.0 * x[i] + sinh(x[i] / 10.0) / 10.0);
                h[i * N + i] = 2.05e3 + (double)i;
            }
            assert_int_equal(request == LOSS_REQUEST_HESSIAN
                                 ? loss_optimizer_tell_vector(f.optimizer, h)
                                 : loss_optimizer_tell_gradient(f.optimizer, value, g),
                             LOSS_OK);
        }
        assert_int_equal(loss_optimizer_outcome(f.optimizer, &outcome), LOSS_OK);
        assert_int_equal(outcome, LOSS_STOP_GRADIENT);
        free(x0);
        fixture_drop(&f);
    }
}

/* ---- second derivatives that are not finite ---- */

static void one_bad_hessian_is_survived(void **unused)
{
    (void)unused;
    for (int k = 0; k < NAMES; k++) {
        for (int64_t at = 1; at < 6; at++) {
            const run_plan plan = {.nan_second_at = at};
            fixture f = make(names[k], &rosenbrock, LOSS_FLOAT64);
            run_result result = start_and_run(f.optimizer, &rosenbrock, LOSS_FLOAT64, &plan);
            assert_int_equal(result.outcome, LOSS_STOP_GRADIENT);
            assert_close(get_double(f.optimizer, "value"), 0.0, 0.0, 1e-9);
            assert_best_belongs_together(f.optimizer, &rosenbrock, LOSS_FLOAT64);
            fixture_drop(&f);
        }
    }
}

static void bad_hessians_end_it(void **unused)
{
    (void)unused;
    for (int k = 0; k < NAMES; k++) {
        for (int64_t from = 1; from < 5; from++) {
            const run_plan plan = {.nan_second_from = from};
            fixture f = make(names[k], &rosenbrock, LOSS_FLOAT64);
            assert_int_equal(loss_optimizer_set_int(f.optimizer, "max_evaluations", 5000), LOSS_OK);
            run_result result = start_and_run(f.optimizer, &rosenbrock, LOSS_FLOAT64, &plan);
            if (strcmp(names[k], "newton_cg") == 0) { /* goes on along −∇f, as far as it gets */
                assert_true(result.outcome > 0);
            } else {
                assert_int_equal(result.outcome, LOSS_ERROR_NONFINITE);
                assert_sentence(f.context, "was told Hessian");
                assert_true(result.answers < from + 60);
            }
            assert_best_belongs_together(f.optimizer, &rosenbrock, LOSS_FLOAT64);
            fixture_drop(&f);
        }
    }
}

/* ---- radii ---- */

static double step_length(loss_optimizer *optimizer, const problem *p, double *from)
{
    const double *x = NULL;
    double squares = 0.0;
    assert_int_equal(loss_optimizer_get_pointer(optimizer, "x", (const void **)&x), LOSS_OK);
    for (int64_t i = 0; i < p->n; i++) {
        squares += (x[i] - from[i]) * (x[i] - from[i]);
        from[i] = x[i];
    }
    return sqrt(squares);
}

/* No step is longer than the radius, or a tenth more where the exact step is found within that. */
static void steps_keep_to_the_radius(void **unused)
{
    static const char *const regions[] = {"trust_region", "trust_region_cg"};
    (void)unused;
    for (int k = 0; k < 2; k++) {
        fixture f = make(regions[k], &rosenbrock, LOSS_FLOAT64);
        double *x = starting_point(&rosenbrock, LOSS_FLOAT64), longest = 0.0;
        int32_t request = 0;
        assert_int_equal(loss_optimizer_set_double(f.optimizer, "radius", -0.1), LOSS_ERROR_RANGE);
        assert_int_equal(loss_optimizer_set_double(f.optimizer, "radius", 0.03), LOSS_OK);
        assert_int_equal(loss_optimizer_set_double(f.optimizer, "largest_radius", 0.05), LOSS_OK);
        assert_int_equal(loss_optimizer_set_int(f.optimizer, "report", 1), LOSS_OK);
        assert_int_equal(loss_optimizer_set_int(f.optimizer, "max_iterations", 20), LOSS_OK);
        assert_int_equal(loss_optimizer_start(f.optimizer, x), LOSS_OK);
        for (int64_t iterate = -1; request != LOSS_REQUEST_DONE;) { /* the driver keeps iterates to itself */
            double value, g[2], h[4];
            const double *at = NULL, *d = NULL;
            assert_int_equal(loss_optimizer_ask(f.optimizer, &request), LOSS_OK);
            if (request == LOSS_REQUEST_DONE) {
                break;
            }
            assert_int_equal(loss_optimizer_get_pointer(f.optimizer, "x", (const void **)&at), LOSS_OK);
            value = rosenbrock.evaluate(2, at, g);
            h[0] = 2.0 - 400.0 * (at[1] - 3.0 * at[0] * at[0]);
            h[1] = h[2] = -400.0 * at[0];
            h[3] = 200.0;
            switch (request) {
            case LOSS_REQUEST_NEW_ITERATE:
                iterate++;
                double length = step_length(f.optimizer, &rosenbrock, x);
                longest = fmax(longest, length);
                assert_true(length <= 1.1 * (iterate == 1 ? 0.03 : 0.05));
                break;
            case LOSS_REQUEST_HESSIAN:
                assert_int_equal(loss_optimizer_tell_vector(f.optimizer, h), LOSS_OK);
                break;
            case LOSS_REQUEST_HESSIAN_PRODUCT:
                assert_int_equal(loss_optimizer_get_pointer(f.optimizer, "direction", (const void **)&d),
                                 LOSS_OK);
                g[0] = h[0] * d[0] + h[1] * d[1];
                g[1] = h[2] * d[0] + h[3] * d[1];
                assert_int_equal(loss_optimizer_tell_vector(f.optimizer, g), LOSS_OK);
                break;
            default:
                assert_int_equal(request, LOSS_REQUEST_VALUE_AND_GRADIENT);
                assert_int_equal(loss_optimizer_tell_gradient(f.optimizer, value, g), LOSS_OK);
            }
        }
        assert_true(longest > 0.045);
        free(x);
        fixture_drop(&f);
    }
}

/* ---- conjugate gradients ---- */

static run_result run_with(const char *name, const problem *p, const char *preconditioner, double forcing,
                           int64_t most, const run_plan *plan, int64_t *restarts)
{
    fixture f = make(name, p, LOSS_FLOAT64);
    assert_int_equal(loss_optimizer_set_string(f.optimizer, "preconditioner", preconditioner), LOSS_OK);
    assert_int_equal(loss_optimizer_set_double(f.optimizer, "forcing", forcing), LOSS_OK);
    assert_int_equal(loss_optimizer_set_int(f.optimizer, "cg_iterations", most), LOSS_OK);
    run_result result = start_and_run(f.optimizer, p, LOSS_FLOAT64, plan);
    assert_int_equal(result.outcome, LOSS_STOP_GRADIENT);
    assert_close(get_double(f.optimizer, "value"), p->minimum, 1e-8, 1e-8);
    assert_int_equal(get_int(f.optimizer, "hessian_products"), result.products);
    assert_int_equal(get_int(f.optimizer, "preconditions"), result.preconditions);
    *restarts = get_int(f.optimizer, "restarts");
    fixture_drop(&f);
    return result;
}

/* Of a diagonal Hessian the diagonal is everything; of others it costs one request a product, and leads there too. */
static void preconditioners_are_asked_for(void **unused)
{
    static const char *const products[] = {"newton_cg", "trust_region_cg"};
    static const problem *const problems[] = {
        &quadratic, &rosenbrock, &extended_rosenbrock, &logistic, &beale, &cosh_sum, &parabola};
    int64_t restarts = 0;
    (void)unused;
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; i < sizeof problems / sizeof problems[0]; i++) {
            run_result plain = run_with(products[k], problems[i], "none", 0.5, 0, NULL, &restarts);
            run_result better = run_with(products[k], problems[i], "user", 0.5, 0, NULL, &restarts);
            assert_int_equal(plain.preconditions, 0);
            assert_true(better.preconditions >= better.products - 1);
            assert_true(i > 0 || better.products * 50 < plain.products);
            assert_int_equal(restarts, 0);
        }
    }
}

/* One that is negative, or NaN, is left out, and that is counted. */
static void bad_preconditioners_are_left_out(void **unused)
{
    static const char *const products[] = {"newton_cg", "trust_region_cg"};
    static const double factors[] = {-1.0, (double)NAN};
    (void)unused;
    for (int k = 0; k < 4; k++) {
        const run_plan plan = {.precondition_factor = factors[k / 2]};
        int64_t restarts = 0;
        run_result result = run_with(products[k % 2], &quadratic, "user", 0.5, 0, &plan, &restarts);
        assert_int_equal(result.preconditions, restarts);
        assert_true(restarts > 0);
    }
}

static void conjugate_gradients_obey_their_options(void **unused)
{
    static const char *const products[] = {"newton_cg", "trust_region_cg"};
    int64_t restarts = 0;
    (void)unused;
    for (int k = 0; k < 2; k++) {
        run_result rough = run_with(products[k], &quadratic, "none", 0.5, 0, NULL, &restarts);
        run_result exact = run_with(products[k], &quadratic, "none", 0.0, 0, NULL, &restarts);
        run_result one = run_with(products[k], &logistic, "none", 0.0, 1, NULL, &restarts);
        assert_true(exact.gradients < rough.gradients);
        assert_true(one.products <= one.gradients); /* one for each step tried */
    }
}

static double afar; /* times the start of Rosenbrock's function */

static void start_afar(int64_t n, double *x)
{
    rosenbrock.start(n, x);
    x[0] *= afar;
    x[1] *= afar;
}

/*
 * Far up Rosenbrock's valley its curvature along the valley, about 2, drowns in float32: what is lost in rounding the second derivative
 * across it, 1200x², is more. So where such a run ends at the precision floor the Hessian told has nothing left to say.
 */
static void a_float32_hessian_loses_the_valley(void **unused)
{
    static const char *const exact[] = {"newton", "trust_region"};
    static const double factors[] = {3e3, 1e4, 3e4, 1e5};
    const problem far_off = {"rosenbrock from afar", 2, 0.0, start_afar, rosenbrock.evaluate};
    int32_t floors = 0;
    (void)unused;
    for (int k = 0; k < 8; k++) {
        const float *x = NULL;
        afar = factors[k / 2];
        fixture f = make(exact[k % 2], &far_off, LOSS_FLOAT32);
        run_result result = start_and_run(f.optimizer, &far_off, LOSS_FLOAT32, NULL);
        if (result.outcome == LOSS_STOP_PRECISION) {
            assert_int_equal(loss_optimizer_get_pointer(f.optimizer, "best_x", (const void **)&x), LOSS_OK);
            double u = x[0], v = x[1], across = 2.0 + 1200.0 * u * u - 400.0 * v,
                   along = 2.0 + 400.0 * (u * u - v);
            assert_true(fabs(along) <= FLT_EPSILON * across); /* along = across − (400u)²/200 */
            floors++;
        } else {
            assert_true(result.outcome > 0);
        }
        fixture_drop(&f);
    }
    assert_true(floors >= 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quadratic_takes_one_step),
        cmocka_unit_test(a_saddle_is_left),
        cmocka_unit_test(an_indefinite_start_is_no_obstacle),
        cmocka_unit_test(a_dome_is_unbounded),
        cmocka_unit_test(a_line_is_unbounded_in_any_units),
        cmocka_unit_test(a_plateau_does_not_lead_astray),
        cmocka_unit_test(curvature_below_the_rounding_of_another_is_used),
        cmocka_unit_test(terms_that_cancel_are_no_obstacle),
        cmocka_unit_test(one_bad_hessian_is_survived),
        cmocka_unit_test(bad_hessians_end_it),
        cmocka_unit_test(steps_keep_to_the_radius),
        cmocka_unit_test(preconditioners_are_asked_for),
        cmocka_unit_test(bad_preconditioners_are_left_out),
        cmocka_unit_test(conjugate_gradients_obey_their_options),
        cmocka_unit_test(a_float32_hessian_loses_the_valley),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
