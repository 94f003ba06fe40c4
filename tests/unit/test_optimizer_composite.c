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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_methods_agree),
        cmocka_unit_test(the_lasso_is_stationary_and_sparse),
        cmocka_unit_test(the_way_of_attaching_does_not_matter),
        cmocka_unit_test(batches_have_their_penalty_too),
        cmocka_unit_test(an_objective_counts_its_penalties),
    };
    return cmocka_run_group_tests_name("composite objectives", tests, NULL, NULL);
}
