/*
 * The problems of the literature: their derivatives are right, and optimizers reach the published stop on them.
 *
 * Without an argument what takes seconds; with "long" every instance.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "problems/problems.h"
#include "support/check.h"

static loss_context *context;
static int32_t everything; /* the long tier */

static int setup(void **state)
{
    (void)state;
    return loss_context_create(&context) == LOSS_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    loss_context_free(context);
    return 0;
}

/* ---- derivatives ---- */

static int32_t evaluate(void *user, int64_t n, const void *x, double *value, void *gradient)
{
    const test_problem *problem = user;
    double *unwanted = gradient == NULL ? malloc((size_t)n * sizeof *unwanted) : NULL;
    if (gradient == NULL && unwanted == NULL) {
        return 1;
    }
    *value = problem->evaluate(n, x, gradient == NULL ? unwanted : gradient);
    free(unwanted);
    return 0;
}

/* 24 variables do for functions of any number; they are multiples of 2, 3 and 4. */
static void check_derivatives(const test_problem *problem)
{
    int64_t n = problem->n < 24 ? problem->n : 24;
    double x[24];
    loss_objective *objective = NULL;
    int32_t verdict = 0;
    problem->start(n, x);
    for (int64_t i = 0; i < n; i++) {
        x[i] += 0.137 * sin(2.385 * (double)(i + 1));
    }
    assert_status(context,
                  loss_objective_create_callback(&objective, context, LOSS_FLOAT64, n, evaluate, NULL,
                                                 (void *)(uintptr_t)problem),
                  LOSS_OK);
    assert_status(context, loss_objective_check(objective, x, 1, &verdict), LOSS_OK);
    if (verdict != LOSS_CHECK_OK) {
        fail_msg("%s: verdict %d: %s", problem->name, (int)verdict, loss_context_error(context));
    }
    loss_objective_free(objective);
}

static void test_derivatives(void **state)
{
    (void)state;
    for (int64_t i = 0; i < classic_problems.count; i++) {
        check_derivatives(&classic_problems.rows[i]);
    }
    for (int64_t i = 0; i < cute_problems.count; i++) {
        check_derivatives(&cute_problems.rows[i]);
    }
}

/* ---- runs ---- */

typedef struct run {
    loss_status outcome;
    double value;
} run;

/* Minimises from the start times a factor, with products by differences where they are asked for. */
static run minimize(const char *name, const test_problem *problem, double factor, double tolerance,
                    double relative)
{
    int64_t n = problem->n;
    double *x = malloc((size_t)n * sizeof *x);
    loss_objective *objective = NULL;
    loss_optimizer *optimizer = NULL;
    run result = {LOSS_OK, NAN};
    assert_non_null(x);
    problem->start(n, x);
    for (int64_t i = 0; i < n; i++) {
        x[i] *= factor;
    }
    assert_status(context,
                  loss_objective_create_callback(&objective, context, LOSS_FLOAT64, n, evaluate, NULL,
                                                 (void *)(uintptr_t)problem),
                  LOSS_OK);
    assert_status(context, loss_optimizer_create(&optimizer, context, name, LOSS_FLOAT64, n), LOSS_OK);
    loss_optimizer_set_double(optimizer, "gradient_tolerance", tolerance);
    loss_optimizer_set_double(optimizer, "gradient_tolerance_relative", relative);
    loss_optimizer_set_int(optimizer, "max_iterations", 1000000);
    result.outcome = loss_optimizer_minimize(optimizer, objective, x);
    loss_optimizer_get_double(optimizer, "value", &result.value);
    loss_optimizer_free(optimizer);
    loss_objective_free(objective);
    free(x);
    return result;
}

/* The published stop has no relative part for these. */
static double relative_tolerance(const char *name)
{
    static const char *const absolute[] = {"DQRTIC", "PENALTY1", "POWER", "QUARTC", "VARDIM"};
    for (size_t i = 0; i < sizeof absolute / sizeof absolute[0]; i++) {
        if (strcmp(name, absolute[i]) == 0) {
            return 0.0;
        }
    }
    return 1e-12;
}

/* Thousands of iterations, or of sines an iteration: more variables than these are for the long tier. */
static int32_t takes_long(const test_problem *problem)
{
    static const struct {
        const char *name;
        int64_t most;
    } limits[] = {{"CURLY10", 200}, {"CURLY20", 0},    {"CURLY30", 0},   {"FLETCHCR", 0},
                  {"GENHUMPS", 0},  {"NONCVXU2", 100}, {"SPARSINE", 200}};
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        if (strcmp(problem->name, limits[i].name) == 0) {
            return problem->n > limits[i].most;
        }
    }
    return problem->n > 1000;
}

static void reach_published_stop(const char *name, int64_t most, int64_t least_runs)
{
    int64_t runs = 0;
    for (int64_t i = 0; i < cute_problems.count; i++) {
        const test_problem *problem = &cute_problems.rows[i];
        if ((takes_long(problem) && !everything) || problem->n > most) {
            continue;
        }
        run result = minimize(name, problem, 1.0, 1e-6, relative_tolerance(problem->name));
        if (result.outcome != LOSS_STOP_GRADIENT) {
            fail_msg("%s on %s, n = %lld: %s", name, problem->name, (long long)problem->n,
                     loss_status_name(result.outcome));
        }
        runs++;
    }
    assert_true(runs >= least_runs);
}

static void test_lbfgs_reaches_the_published_stop(void **state)
{
    (void)state;
    reach_published_stop("lbfgs", INT64_MAX, 20);
}

/* Without bounds, where it has to be as good as it is known to be inside of some. */
static void test_lbfgsb_reaches_the_published_stop(void **state)
{
    (void)state;
    reach_published_stop("lbfgsb", INT64_MAX, 20);
}

static void test_conjugate_gradient_reaches_the_published_stop(void **state)
{
    (void)state;
    reach_published_stop("conjugate_gradient", INT64_MAX, 20);
}

static void test_newton_cg_reaches_the_published_stop(void **state)
{
    (void)state;
    if (everything) {
        reach_published_stop("newton_cg", INT64_MAX, 20);
    }
}

/* Methods with a matrix: where that is small, and then all that 2000 variables allow. */
static void test_dense_methods_reach_the_published_stop(void **state)
{
    (void)state;
    reach_published_stop("bfgs", everything ? 2000 : 200, everything ? 34 : 4);
    reach_published_stop("sr1", everything ? 2000 : 200, everything ? 34 : 4);
}

/*
 * ARWHEAD is a sum whose terms cancel at the minimum: f is 0 there, its rounding that of terms near 3. Whoever is asked for
 * more than there is may end at the precision floor, but not blame the gradient.
 */
static void test_a_right_gradient_is_not_blamed(void **state)
{
    static const char *const names[] = {"accelerated_gradient",
                                        "bfgs",
                                        "conjugate_gradient",
                                        "dfp",
                                        "gradient_descent",
                                        "lbfgs",
                                        "lbfgsb",
                                        "newton",
                                        "newton_cg",
                                        "owlqn",
                                        "spectral_projected_gradient",
                                        "sr1",
                                        "trust_region",
                                        "trust_region_cg"};
    static const int64_t sizes[] = {7, 100, 400};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
            test_problem problem = cute_problems.rows[0];
            assert_string_equal(problem.name, "ARWHEAD");
            problem.n = sizes[k];
            for (double factor = 1.0; factor < 4.0; factor += 0.7) {
                run result = minimize(names[i], &problem, factor, 0.0, 0.0);
                if (result.outcome != LOSS_STOP_GRADIENT && result.outcome != LOSS_STOP_PRECISION) {
                    fail_msg("%s, n = %lld, %g: %s", names[i], (long long)problem.n, factor,
                             loss_status_name(result.outcome));
                }
            }
        }
    }
    assert_int_equal(minimize("sr1", &cute_problems.rows[0], 1.0, 1e-6, 1e-12).outcome, LOSS_STOP_GRADIENT);
}

/* From the standard start and from 10 and 100 times it: no failure, whatever the scale. */
static void start_from_afar(const char *name)
{
    static const double factors[] = {1.0, 10.0, 100.0};
    for (int64_t i = 0; i < MGH_PROBLEMS; i++) {
        for (size_t k = 0; k < sizeof factors / sizeof factors[0]; k++) {
            const test_problem *problem = &classic_problems.rows[i];
            run result = minimize(name, problem, factors[k], 1e-6, 1e-12);
            if (result.outcome != LOSS_STOP_GRADIENT && result.outcome != LOSS_STOP_PRECISION) {
                fail_msg("%s on %s from %g times its start: %s", name, problem->name, factors[k],
                         loss_status_name(result.outcome));
            }
        }
    }
}

static void test_lbfgs_starts_from_afar(void **state)
{
    (void)state;
    start_from_afar("lbfgs");
}

static void test_conjugate_gradient_starts_from_afar(void **state)
{
    (void)state;
    start_from_afar("conjugate_gradient");
}

static void test_newton_cg_starts_from_afar(void **state)
{
    (void)state;
    start_from_afar("newton_cg");
}

/* Small, and large but for the two whose last digits take thousands of iterations. */
static void test_lbfgs_finds_the_known_minima(void **state)
{
    (void)state;
    for (int64_t i = 0; i < classic_problems.count; i++) {
        const test_problem *problem = &classic_problems.rows[i];
        if (!everything && (problem->n > 10000 || strcmp(problem->name, "power") == 0 ||
                            strcmp(problem->name, "gen_rosenbrock_1e3") == 0)) {
            continue;
        }
        run result = minimize("lbfgs", problem, 1.0, 1e-9, 0.0);
        double gap = (result.value - problem->minimum) / fmax(1.0, fabs(problem->minimum));
        if (result.outcome < 0 || !(gap <= 1e-6)) {
            fail_msg("%s: %s, %g above its minimum", problem->name, loss_status_name(result.outcome), gap);
        }
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_derivatives),
        cmocka_unit_test(test_lbfgs_reaches_the_published_stop),
        cmocka_unit_test(test_lbfgsb_reaches_the_published_stop),
        cmocka_unit_test(test_conjugate_gradient_reaches_the_published_stop),
        cmocka_unit_test(test_newton_cg_reaches_the_published_stop),
        cmocka_unit_test(test_dense_methods_reach_the_published_stop),
        cmocka_unit_test(test_a_right_gradient_is_not_blamed),
        cmocka_unit_test(test_lbfgs_starts_from_afar),
        cmocka_unit_test(test_conjugate_gradient_starts_from_afar),
        cmocka_unit_test(test_newton_cg_starts_from_afar),
        cmocka_unit_test(test_lbfgs_finds_the_known_minima),
    };
    everything = argc > 1 && strcmp(argv[1], "long") == 0;
    return cmocka_run_group_tests(tests, setup, teardown);
}
