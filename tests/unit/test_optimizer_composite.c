/* Penalties with a part that has no derivative: all methods that handle one find the same minimum, which is one. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "optimizer_run.h"
#include "support/check.h"

static const struct {
    const char *penalty, *option;
    double value;
} cases[] = {
    {"l1", "strength", 0.05},
    {"elastic_net", "strength", 0.07},
    {"group_lasso", "strength", 0.04},
    {"simplex", "total", 1.3},
    {"box", "upper", 0.25},
    {"l2", "strength", 0.03},
};

enum { CASES = sizeof cases / sizeof cases[0] };

static loss_penalty *penalty_make(loss_context *context, int k)
{
    loss_penalty *penalty = NULL;
    assert_status(context, loss_penalty_create(&penalty, context, cases[k].penalty), LOSS_OK);
    assert_status(context, loss_penalty_set_double(penalty, cases[k].option, cases[k].value), LOSS_OK);
    if (strcmp(cases[k].penalty, "group_lasso") == 0) {
        assert_status(context, loss_penalty_set_int(penalty, "group_size", 2), LOSS_OK);
    }
    return penalty;
}

static fixture composite(int32_t index, int k, loss_dtype dtype)
{
    fixture f = fixture_make(index, &logistic, dtype);
    loss_penalty *penalty = penalty_make(f.context, k);
    assert_status(f.context, loss_optimizer_add_penalty(f.optimizer, penalty), LOSS_OK);
    loss_penalty_free(penalty);
    assert_int_equal(
        loss_optimizer_set_double(f.optimizer, "gradient_tolerance", dtype == LOSS_FLOAT64 ? 1e-9 : 1e-4),
        LOSS_OK);
    return f;
}

/* The first method that handles the case is the measure for the others; and moving a little in any direction is worse. */
static void all_methods_agree(void **unused)
{
    (void)unused;
    for (int k = 0; k < CASES; k++) {
        double minimum = NAN;
        int found = 0;
        for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
            fixture f = composite(i, k, LOSS_FLOAT64);
            void *x = starting_point(&logistic, LOSS_FLOAT64);
            loss_status status = f.stochastic ? LOSS_ERROR_SUPPORT : loss_optimizer_start(f.optimizer, x);
            if (status == LOSS_OK) {
                run_result result = run(f.optimizer, &logistic, LOSS_FLOAT64, NULL);
                double value = get_double(f.optimizer, "value");
                assert_true(result.outcome == LOSS_STOP_GRADIENT || result.outcome == LOSS_STOP_PRECISION);
                assert_true(get_double(f.optimizer, "gradient_norm") < 1e-6);
                minimum = found++ == 0 ? value : minimum;
                assert_close(value, minimum, 1e-12, 0.0);
            } else {
                assert_int_equal(status, LOSS_ERROR_SUPPORT);
            }
            free(x);
            fixture_drop(&f);
        }
        assert_true(found >= 2);
    }
}

/* The conditions of a minimum with l1: |∂f/∂x_j| ≤ c where x_j = 0, and = −c·sign(x_j) elsewhere. */
static void the_lasso_is_stationary_and_sparse(void **unused)
{
    const loss_dtype dtypes[] = {LOSS_FLOAT32, LOSS_FLOAT64};
    (void)unused;
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        for (int t = 0; t < 2; t++) {
            fixture f = composite(i, 0, dtypes[t]);
            void *x0 = starting_point(&logistic, dtypes[t]);
            int zeros = 0;
            if (!f.stochastic && loss_optimizer_start(f.optimizer, x0) == LOSS_OK) {
                double *x = calloc((size_t)logistic.n, sizeof *x), *g = calloc((size_t)logistic.n, sizeof *g);
                const void *best = NULL;
                assert_true(x != NULL && g != NULL);
                run(f.optimizer, &logistic, dtypes[t], NULL);
                assert_int_equal(loss_optimizer_get_pointer(f.optimizer, "best_x", &best), LOSS_OK);
                for (int64_t j = 0; j < logistic.n; j++) {
                    x[j] = element(best, dtypes[t], j);
                }
                logistic.evaluate(logistic.n, x, g);
                for (int64_t j = 0; j < logistic.n; j++) {
                    double slack = dtypes[t] == LOSS_FLOAT64 ? 1e-7 : 3e-4;
                    zeros += x[j] == 0.0;
                    assert_true(x[j] == 0.0 ? fabs(g[j]) <= 0.05 + slack
                                            : fabs(g[j] + copysign(0.05, x[j])) <= slack);
                }
                assert_true(zeros > 0);
                free(x);
                free(g);
            }
            free(x0);
            fixture_drop(&f);
        }
    }
}

static int32_t evaluate(void *user, int64_t n, const void *x, double *value, void *gradient)
{
    double unwanted[64];
    (void)user;
    assert_true(n <= 64);
    *value = logistic.evaluate(n, x, gradient != NULL ? gradient : unwanted);
    return 0;
}

/* A penalty of the objective and the same one of the optimizer: the same bits. */
static void the_way_of_attaching_does_not_matter(void **unused)
{
    (void)unused;
    for (int k = 0; k < CASES; k++) {
        for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
            double *x[2] = {starting_point(&logistic, LOSS_FLOAT64), starting_point(&logistic, LOSS_FLOAT64)};
            loss_status outcomes[2] = {0};
            fixture probe = composite(i, k, LOSS_FLOAT64);
            for (int of_objective = 0; of_objective < 2 && !probe.stochastic; of_objective++) {
                fixture f = of_objective ? fixture_make(i, &logistic, LOSS_FLOAT64)
                                         : composite(i, k, LOSS_FLOAT64);
                loss_objective *objective = NULL;
                loss_penalty *penalty = penalty_make(f.context, k);
                assert_status(f.context,
                              loss_objective_create_callback(&objective, f.context, LOSS_FLOAT64, logistic.n,
                                                             evaluate, NULL, NULL),
                              LOSS_OK);
                if (of_objective) {
                    assert_int_equal(loss_objective_add_penalty(objective, penalty), LOSS_OK);
                }
                assert_int_equal(loss_optimizer_set_double(f.optimizer, "gradient_tolerance", 1e-6), LOSS_OK);
                outcomes[of_objective] = loss_optimizer_minimize(f.optimizer, objective, x[of_objective]);
                loss_penalty_free(penalty);
                loss_objective_free(objective);
                fixture_drop(&f);
            }
            assert_int_equal(outcomes[0], outcomes[1]);
            for (int64_t j = 0; j < logistic.n; j++) {
                assert_close(x[0][j], x[1][j], cases[k].penalty[1] == '2' ? 1e-5 : 0.0, 1e-9);
            }
            fixture_drop(&probe);
            free(x[0]);
            free(x[1]);
        }
    }
}

/* A batch's gradient with l2 in it, told whole or in parts: the machine adds the same numbers. */
static void batches_have_their_penalty_too(void **unused)
{
    (void)unused;
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        double x[2][64];
        for (int by_machine = 0; by_machine < 2; by_machine++) {
            fixture f = by_machine ? composite(i, 5, LOSS_FLOAT64) : fixture_make(i, &logistic, LOSS_FLOAT64);
            double *x0 = starting_point(&logistic, LOSS_FLOAT64), g[64];
            int32_t request;
            assert_int_equal(loss_optimizer_start(f.optimizer, x0), LOSS_OK);
            for (int answers = 0; f.stochastic && answers < 9; answers++) {
                const void *at = NULL, *indices = NULL;
                double value;
                assert_int_equal(loss_optimizer_ask(f.optimizer, &request), LOSS_OK);
                assert_int_equal(loss_optimizer_get_pointer(f.optimizer, "x", &at), LOSS_OK);
                memcpy(x[by_machine], at, (size_t)logistic.n * sizeof(double));
                if (request == LOSS_REQUEST_BATCH_GRADIENT) {
                    assert_int_equal(loss_optimizer_get_pointer(f.optimizer, "indices", &indices), LOSS_OK);
                    value = logistic_batch(at, get_int(f.optimizer, "indices_count"), indices, g);
                } else {
                    value = logistic.evaluate(logistic.n, at, g);
                }
                for (int64_t j = 0; j < logistic.n && !by_machine; j++) {
                    g[j] += 0.03 * x[0][j];
                    value += 0.5 * 0.03 * x[0][j] * x[0][j];
                }
                assert_int_equal(loss_optimizer_tell_gradient(f.optimizer, value, g), LOSS_OK);
            }
            free(x0);
            fixture_drop(&f);
            if (!f.stochastic) {
                break;
            }
            for (int64_t j = 0; j < logistic.n && by_machine; j++) {
                assert_close(x[1][j], x[0][j], 1e-12, 1e-13);
            }
        }
    }
}

/* An objective tells its whole value, sets as 0 or ∞, and the gradient of the smooth part. */
static void an_objective_counts_its_penalties(void **unused)
{
    loss_context *context = NULL;
    double *x = starting_point(&logistic, LOSS_FLOAT64), g[64], expected[64], magnitudes = 0.0, value;
    loss_objective *objective = NULL;
    (void)unused;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    loss_penalty *penalty = penalty_make(context, 1);
    assert_int_equal(
        loss_objective_create_callback(&objective, context, LOSS_FLOAT64, logistic.n, evaluate, NULL, NULL),
        LOSS_OK);
    assert_int_equal(loss_objective_add_penalty(objective, penalty), LOSS_OK);
    double plain = logistic.evaluate(logistic.n, x, expected), squares = 0.0;
    for (int64_t j = 0; j < logistic.n; j++) {
        magnitudes += fabs(x[j]);
        squares += x[j] * x[j];
        expected[j] += 0.035 * x[j];
    }
    assert_status(context, loss_objective_evaluate(objective, x, &value, g), LOSS_OK);
    assert_close(value, plain + 0.035 * magnitudes + 0.5 * 0.035 * squares, 1e-14, 0.0);
    for (int64_t j = 0; j < logistic.n; j++) {
        assert_close(g[j], expected[j], 1e-14, 1e-16);
    }
    loss_penalty_free(penalty);
    loss_objective_free(objective);
    loss_context_free(context);
    free(x);
}

/* Falls for ever along the first parameter, which none of the penalties below can hold. */
static double slide_evaluate(int64_t n, const double *x, double *g)
{
    double f = 0.0;
    for (int64_t i = 0; i < n; i++) {
        g[i] = i == 0 ? -1.0 : 0.2;
        f += g[i] * x[i];
    }
    return f;
}

static void slide_start(int64_t n, double *x)
{
    for (int64_t i = 0; i < n; i++) {
        x[i] = 1.0;
    }
}

static const problem slide = {"slide", 2, -INFINITY, slide_start, slide_evaluate};

/* No penalty makes a gradient vanish beside a large x: f without a minimum is found out with one, too. */
static void a_penalty_does_not_hide_that_there_is_no_minimum(void **unused)
{
    static const struct {
        const char *penalty, *option;
        double value;
        int64_t size;
    } held[] = {
        {"box", "lower", -5.0, 0},
        {"l1", "strength", 0.25, 0},
        {"elastic_net", "strength", 0.25, 0},
        {"group_lasso", "strength", 0.25, 2},
    };
    (void)unused;
    for (size_t k = 0; k < sizeof held / sizeof *held; k++) {
        int found = 0;
        for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
            fixture f = fixture_make(i, &slide, LOSS_FLOAT64);
            loss_penalty *penalty = NULL;
            double *x = starting_point(&slide, LOSS_FLOAT64);
            assert_status(f.context, loss_penalty_create(&penalty, f.context, held[k].penalty), LOSS_OK);
            assert_int_equal(loss_penalty_set_double(penalty, held[k].option, held[k].value), LOSS_OK);
            if (strcmp(held[k].penalty, "elastic_net") == 0) { /* without its squares, which would hold f */
                assert_int_equal(loss_penalty_set_double(penalty, "l1_ratio", 1.0), LOSS_OK);
            }
            if (held[k].size > 0) {
                assert_int_equal(loss_penalty_set_int(penalty, "group_size", held[k].size), LOSS_OK);
            }
            assert_int_equal(loss_optimizer_add_penalty(f.optimizer, penalty), LOSS_OK);
            if (!f.stochastic && loss_optimizer_start(f.optimizer, x) == LOSS_OK) {
                run_result result = run(f.optimizer, &slide, LOSS_FLOAT64, NULL);
                if (result.outcome != LOSS_ERROR_UNBOUNDED) {
                    fail_msg("%s with %s: %s, f = %g", f.name, held[k].penalty,
                             loss_status_name(result.outcome), get_double(f.optimizer, "value"));
                }
                found++;
            }
            loss_penalty_free(penalty);
            free(x);
            fixture_drop(&f);
        }
        assert_true(found >= 2);
    }
}

/* Rosenbrock's function with x in other units. */
static double unit_of_x;

static double in_units_evaluate(int64_t n, const double *x, double *g)
{
    double scaled[2] = {x[0] / unit_of_x, x[1] / unit_of_x};
    double f = rosenbrock.evaluate(n, scaled, g);
    g[0] /= unit_of_x;
    g[1] /= unit_of_x;
    return f;
}

static void in_units_start(int64_t n, double *x)
{
    rosenbrock.start(n, x);
    x[0] *= unit_of_x;
    x[1] *= unit_of_x;
}

static void the_units_of_x_do_not_matter(void **unused)
{
    static const problem in_units = {"in units", 2, 0.0, in_units_start, in_units_evaluate};
    static const double units[] = {1e-60, 1e-40, 1e-10, 1e10, 1e40, 1e60};
    (void)unused;
    for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
        unit_of_x = units[u];
        for (int32_t i = 0; i < 2 * loss_optimizer_catalogue_count(); i++) {
            fixture f = fixture_make(i / 2, &in_units, LOSS_FLOAT64);
            loss_penalty *penalty = NULL;
            double *x = starting_point(&in_units, LOSS_FLOAT64);
            assert_int_equal(loss_optimizer_set_double(f.optimizer, "gradient_tolerance", 0.0), LOSS_OK);
            assert_int_equal(loss_optimizer_set_double(f.optimizer, "gradient_tolerance_relative", 1e-7),
                             LOSS_OK);
            assert_status(f.context, loss_penalty_create(&penalty, f.context, "box"), LOSS_OK);
            assert_int_equal(loss_penalty_set_double(penalty, "lower", -1e300), LOSS_OK);
            if (i % 2 == 1) {
                assert_int_equal(loss_optimizer_add_penalty(f.optimizer, penalty), LOSS_OK);
            }
            if (!f.stochastic && loss_optimizer_start(f.optimizer, x) == LOSS_OK) {
                run_result result = run(f.optimizer, &in_units, LOSS_FLOAT64, NULL);
                /* the driver's second derivatives are differences in one unit */
                int32_t second = result.hessians + result.products > 0;
                if (!second &&
                    (result.outcome != LOSS_STOP_GRADIENT || !(get_double(f.optimizer, "value") < 1e-6))) {
                    fail_msg("%s%s, x times %g: %s, f = %g", f.name, i % 2 ? " in a box" : "", unit_of_x,
                             loss_status_name(result.outcome), get_double(f.optimizer, "value"));
                }
            }
            loss_penalty_free(penalty);
            free(x);
            fixture_drop(&f);
        }
    }
}

/*
 * gradient_norm is ‖x − prox(x − ∇f)‖∞, also where ∇f is far below the rounding of x. Expected by hand for a gradient of
 * (g, −g, g) at x = (X, X, −X): inactive bounds leave g, l1 adds c to it or takes c from it.
 */
static double far_evaluate(int64_t n, const double *x, double *g)
{
    (void)x;
    for (int64_t i = 0; i < n; i++) {
        g[i] = i == 1 ? -1e-3 : 1e-3;
    }
    return 1.0;
}

static void far_start(int64_t n, double *x)
{
    for (int64_t i = 0; i < n; i++) {
        x[i] = i == 2 ? -0x1p60 : 0x1p60;
    }
}

static void the_norm_has_the_digits_of_the_gradient(void **unused)
{
    static const problem far = {"far", 3, 1.0, far_start, far_evaluate};
    static const struct {
        const char *penalty, *option;
        double value, norm;
    } expected[] = {
        {"box", "lower", -0x1p70, 1e-3},
        {"box", "lower", -0x1p60, 1e-3}, /* the last is at its bound: of it nothing is left */
        {"l1", "strength", 0x1p-12, 1e-3 + 0x1p-12},
        {"group_lasso", "strength", 0x1p-12, 1e-3 + 0x1p-12}, /* groups of 1: the same */
    };
    const loss_dtype dtypes[] = {LOSS_FLOAT32, LOSS_FLOAT64};
    (void)unused;
    for (size_t k = 0; k < sizeof expected / sizeof *expected; k++) {
        for (int32_t i = 0; i < 2 * loss_optimizer_catalogue_count(); i++) {
            const loss_dtype dtype = dtypes[i % 2];
            fixture f = fixture_make(i / 2, &far, dtype);
            loss_penalty *penalty = NULL;
            void *x = starting_point(&far, dtype);
            const run_plan plan = {.leave_after = 1};
            assert_status(f.context, loss_penalty_create(&penalty, f.context, expected[k].penalty), LOSS_OK);
            assert_int_equal(loss_penalty_set_double(penalty, expected[k].option, expected[k].value),
                             LOSS_OK);
            assert_int_equal(loss_optimizer_add_penalty(f.optimizer, penalty), LOSS_OK);
            if (!f.stochastic && loss_optimizer_start(f.optimizer, x) == LOSS_OK) {
                run(f.optimizer, &far, dtype, &plan);
                assert_close(get_double(f.optimizer, "gradient_norm"), expected[k].norm,
                             dtype == LOSS_FLOAT64 ? 1e-15 : 1e-7, 0.0);
            }
            loss_penalty_free(penalty);
            free(x);
            fixture_drop(&f);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_methods_agree),
        cmocka_unit_test(the_lasso_is_stationary_and_sparse),
        cmocka_unit_test(the_way_of_attaching_does_not_matter),
        cmocka_unit_test(batches_have_their_penalty_too),
        cmocka_unit_test(an_objective_counts_its_penalties),
        cmocka_unit_test(a_penalty_does_not_hide_that_there_is_no_minimum),
        cmocka_unit_test(the_units_of_x_do_not_matter),
        cmocka_unit_test(the_norm_has_the_digits_of_the_gradient),
    };
    return cmocka_run_group_tests_name("composite objectives", tests, NULL, NULL);
}
