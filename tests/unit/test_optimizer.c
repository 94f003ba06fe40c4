/* Every optimizer on every problem: it gets there, within its number of evaluations, and returns what it says. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "optimizer_run.h"
#include "support/allocator.h"
#include "support/check.h"

static loss_optimizer *create(loss_context *context, const char *name, loss_dtype dtype, int64_t n)
{
    loss_optimizer *optimizer = NULL;
    assert_status(context, loss_optimizer_create(&optimizer, context, name, dtype, n), LOSS_OK);
    return optimizer;
}

static loss_context *context_create(void)
{
    loss_context *context = NULL;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    return context;
}

static const problem *const problems[] = {&rosenbrock, &extended_rosenbrock, &quadratic, &logistic,
                                          &beale,      &brown_dennis,        &cosh_sum,  &parabola};
enum { PROBLEMS = sizeof problems / sizeof problems[0] };

/* Answers needed at most, for each of the problems: a fifth above what was counted when this was written. */
static const struct {
    const char *name;
    int64_t most[PROBLEMS];
} deterministic[] = {
    {"accelerated_gradient", {964, 964, 5340, 38, 209, 254, 30, 35}},
    {"bfgs", {58, 60, 282, 10, 21, 38, 10, 4}},
    {"conjugate_gradient", {126, 123, 1211, 16, 33, 78, 12, 6}},
    {"dfp", {153, 156, 366, 14, 26, 47, 11, 4}},
    {"gradient_descent", {150, 149, 1880, 10, 51, 65, 11, 4}},
    {"lbfgs", {57, 57, 1043, 9, 20, 27, 10, 4}},
    {"lbfgsb", {54, 59, 1058, 9, 20, 24, 11, 4}},
    {"newton", {58, 58, 4, 9, 18, 18, 18, 4}},
    {"newton_cg", {100, 100, 678, 16, 34, 44, 28, 4}},
    {"owlqn", {57, 51, 1023, 9, 20, 24, 11, 4}},
    {"spectral_projected_gradient", {80, 80, 2542, 10, 57, 53, 11, 4}},
    {"sr1", {78, 172, 80, 10, 23, 35, 10, 4}},
    {"trust_region", {80, 80, 4, 9, 18, 18, 9, 6}},
    {"trust_region_cg", {144, 144, 487, 13, 34, 45, 11, 6}},
};
enum { DETERMINISTIC = sizeof deterministic / sizeof deterministic[0] };

static void every_problem_is_solved(void **unused)
{
    loss_context *context = context_create();
    (void)unused;
    for (size_t i = 0; i < PROBLEMS; i++) {
        for (int k = 0; k < DETERMINISTIC; k++) {
            const problem *p = problems[i];
            loss_optimizer *optimizer = create(context, deterministic[k].name, LOSS_FLOAT64, p->n);
            double scale = fmax(1.0, fabs(p->minimum));
            assert_int_equal(loss_optimizer_set_double(optimizer, "gradient_tolerance", 1e-6 * scale),
                             LOSS_OK);
            run_result result = start_and_run(optimizer, p, LOSS_FLOAT64, NULL);
            assert_int_equal(result.outcome, LOSS_STOP_GRADIENT);
            assert_in_range(result.answers, 1, deterministic[k].most[i]);
            assert_close(get_double(optimizer, "value"), p->minimum, 1e-9, 1e-9);
            assert_best_belongs_together(optimizer, p, LOSS_FLOAT64);
            assert_int_equal(get_int(optimizer, "evaluations"), result.answers);
            assert_int_equal(get_int(optimizer, "value_evaluations"), result.values + result.gradients);
            assert_int_equal(get_int(optimizer, "gradient_evaluations"), result.gradients);
            assert_int_equal(get_int(optimizer, "hessian_products"), result.products);
            assert_int_equal(get_int(optimizer, "hessians"), result.hessians);
            assert_int_equal(get_int(optimizer, "preconditions"), result.preconditions);
            loss_optimizer_free(optimizer);
        }
    }
    loss_context_free(context);
}

/* ---- the units of the objective ---- */

static double unit; /* of the objective below */

static double scaled_rosenbrock(int64_t n, const double *x, double *g)
{
    double f = rosenbrock.evaluate(n, x, g);
    for (int64_t i = 0; i < n; i++) {
        g[i] *= unit;
    }
    return f * unit;
}

static run_result run_scaled(loss_context *context, const char *name, double scale, double *value)
{
    problem scaled = rosenbrock;
    scaled.evaluate = scaled_rosenbrock;
    unit = scale;
    loss_optimizer *optimizer = create(context, name, LOSS_FLOAT64, scaled.n);
    assert_int_equal(loss_optimizer_set_double(optimizer, "gradient_tolerance", 0.0), LOSS_OK);
    assert_int_equal(loss_optimizer_set_double(optimizer, "gradient_tolerance_relative", 1e-6), LOSS_OK);
    assert_int_equal(loss_optimizer_set_int(optimizer, "max_evaluations", 2000), LOSS_OK);
    run_result result = start_and_run(optimizer, &scaled, LOSS_FLOAT64, NULL);
    *value = get_double(optimizer, "value");
    loss_optimizer_free(optimizer);
    return result;
}

/* Powers of two change no digit, so the steps are the same; powers of ten do, and nearly the same have to do. */
static void the_units_of_the_objective_do_not_matter(void **unused)
{
    static const struct {
        double scale, most; /* answers, as a multiple of those without the factor */
    } units[] = {{0x1p-332, 1.0}, {0x1p-166, 1.0}, {0x1p166, 1.0}, {0x1p332, 1.0}, {0x1p460, 1.0},
                 {1e-100, 1.25},  {1e-50, 1.25},   {1e50, 1.25},   {1e100, 1.25}};
    loss_context *context = context_create();
    (void)unused;
    for (int k = 0; k < DETERMINISTIC; k++) {
        double value = NAN;
        run_result plain = run_scaled(context, deterministic[k].name, 1.0, &value);
        assert_int_equal(plain.outcome, LOSS_STOP_GRADIENT);
        for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
            run_result result = run_scaled(context, deterministic[k].name, units[i].scale, &value);
            double multiple = (double)result.answers / (double)plain.answers;
            if (result.outcome != LOSS_STOP_GRADIENT || multiple > units[i].most ||
                (units[i].most == 1.0 && multiple != 1.0)) {
                fail_msg("%s on Rosenbrock x %g: outcome %d after %lld answers, without the factor %lld",
                         deterministic[k].name, units[i].scale, result.outcome, (long long)result.answers,
                         (long long)plain.answers);
            }
            assert_close(value / units[i].scale, 0.0, 0.0, 1e-5);
        }
    }
    loss_context_free(context);
}

static double variable_unit; /* of the variables below */

static double stretched_rosenbrock(int64_t n, const double *x, double *g)
{
    double y[2] = {x[0] / variable_unit, x[1] / variable_unit}, f = rosenbrock.evaluate(n, y, g);
    g[0] /= variable_unit;
    g[1] /= variable_unit;
    return f;
}

static void stretched_start(int64_t n, double *x)
{
    rosenbrock.start(n, x);
    x[0] *= variable_unit;
    x[1] *= variable_unit;
}

/* A step of another length may come first, so it need not be as many answers. */
static void the_units_of_the_variables_do_not_matter_much(void **unused)
{
    static const double units[] = {1.0, 1e20, 1e40, 1e80, 1e-20, 1e-40, 1e-80};
    const problem stretched = {"stretched", 2, 0.0, stretched_start, stretched_rosenbrock};
    loss_context *context = context_create();
    (void)unused;
    for (int k = 0; k < DETERMINISTIC; k++) {
        int64_t plain = 0;
        for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
            loss_optimizer *optimizer = create(context, deterministic[k].name, LOSS_FLOAT64, 2);
            variable_unit = units[i];
            assert_int_equal(loss_optimizer_set_double(optimizer, "gradient_tolerance", 0.0), LOSS_OK);
            assert_int_equal(loss_optimizer_set_double(optimizer, "gradient_tolerance_relative", 1e-6),
                             LOSS_OK);
            run_result result = start_and_run(optimizer, &stretched, LOSS_FLOAT64, NULL);
            plain = i == 0 ? result.answers : plain;
            if (result.outcome != LOSS_STOP_GRADIENT || result.answers > 2 * plain) {
                fail_msg("%s in units of %g: %s after %lld answers, in units of 1 %lld",
                         deterministic[k].name, units[i], loss_status_name(result.outcome),
                         (long long)result.answers, (long long)plain);
            }
            assert_close(get_double(optimizer, "value"), 0.0, 0.0, 1e-5);
            loss_optimizer_free(optimizer);
        }
    }
    loss_context_free(context);
}

/* Where squares of derivatives overflow, or vanish, slopes say nothing: that is no precision reached. A method may solve it all
 * the same. */
static void squares_out_of_range_are_solved_or_refused(void **unused)
{
    static const double scales[] = {1e155, 1e200, 1e300, 1e-165, 1e-250};
    loss_context *context = context_create();
    (void)unused;
    for (int k = 0; k < DETERMINISTIC; k++) {
        for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++) {
            double value = NAN;
            run_result result = run_scaled(context, deterministic[k].name, scales[i], &value);
            int32_t there = result.outcome == LOSS_STOP_GRADIENT && value <= 1e-5 * scales[i];
            int32_t refused = result.outcome == LOSS_ERROR_LINE_SEARCH &&
                              strstr(loss_context_error(context), "multiply the objective") != NULL;
            if (!there && !refused) {
                fail_msg("%s on Rosenbrock x %g: outcome %d: %s", deterministic[k].name, scales[i],
                         result.outcome, loss_context_error(context));
            }
        }
    }
    loss_context_free(context);
}

static void float32_reaches_its_own_precision(void **unused)
{
    static const problem *const singles[] = {&rosenbrock, &extended_rosenbrock, &quadratic, &logistic,
                                             &beale,      &brown_dennis,        &cosh_sum,  &parabola};
    loss_context *context = context_create();
    (void)unused;
    for (size_t i = 0; i < sizeof singles / sizeof singles[0]; i++) {
        for (int k = 0; k < DETERMINISTIC; k++) {
            const problem *p = singles[i];
            loss_optimizer *optimizer = create(context, deterministic[k].name, LOSS_FLOAT32, p->n);
            double scale = fmax(1.0, fabs(p->minimum));
            assert_int_equal(loss_optimizer_set_double(optimizer, "gradient_tolerance", 2e-4 * scale),
                             LOSS_OK);
            run_result result = start_and_run(optimizer, p, LOSS_FLOAT32, NULL);
            assert_true(result.outcome == LOSS_STOP_GRADIENT || result.outcome == LOSS_STOP_PRECISION);
            assert_close(get_double(optimizer, "value"), p->minimum, 1e-5, 1e-5);
            assert_best_belongs_together(optimizer, p, LOSS_FLOAT32);
            loss_optimizer_free(optimizer);
        }
    }
    loss_context_free(context);
}

/* Asked for more than there is, a run ends at the precision floor and says so: never with an error. */
static void at_the_floor_it_is_precision(void **unused)
{
    static const loss_dtype dtypes[] = {LOSS_FLOAT64, LOSS_FLOAT32};
    loss_context *context = context_create();
    (void)unused;
    for (size_t i = 0; i < PROBLEMS; i++) {
        for (int k = 0; k < 2 * DETERMINISTIC; k++) {
            const problem *p = problems[i];
            loss_dtype dtype = dtypes[k % 2];
            loss_optimizer *optimizer = create(context, deterministic[k / 2].name, dtype, p->n);
            assert_int_equal(loss_optimizer_set_double(optimizer, "gradient_tolerance", 0.0), LOSS_OK);
            run_result result = start_and_run(optimizer, p, dtype, NULL);
            if (result.outcome < 0) {
                fail_msg("%s on %s in %s: %s", deterministic[k / 2].name, p->name, loss_dtype_name(dtype),
                         loss_context_error(context));
            }
            /* It must not turn on the spot. Where the minimum is 0, f has no floor to stand on: methods that do not go down
             * at every step may wander in the rounding of x until their limit. */
            if (strcmp(loss_optimizer_family(optimizer), "gradient descent") != 0) {
                assert_int_not_equal(result.outcome, LOSS_STOP_ITERATIONS);
            }
            double told = dtype == LOSS_FLOAT64 ? 1e-12 : 1e-5;
            assert_close(get_double(optimizer, "value"), p->minimum, told, told);
            assert_best_belongs_together(optimizer, p, dtype);
            loss_optimizer_free(optimizer);
        }
    }
    loss_context_free(context);
}

static void at_the_solution_nothing_is_done(void **unused)
{
    static const double solution[] = {1.0, 1.0};
    loss_context *context = context_create();
    const char *test = NULL;
    (void)unused;
    for (int k = 0; k < DETERMINISTIC; k++) {
        loss_optimizer *optimizer = create(context, deterministic[k].name, LOSS_FLOAT64, 2);
        assert_int_equal(loss_optimizer_start(optimizer, solution), LOSS_OK);
        run_result result = run(optimizer, &rosenbrock, LOSS_FLOAT64, NULL);
        assert_int_equal(result.outcome, LOSS_STOP_GRADIENT);
        assert_int_equal(result.answers, 1);
        assert_int_equal(get_int(optimizer, "iterations"), 0);
        assert_int_equal(loss_optimizer_get_string(optimizer, "test", &test), LOSS_OK);
        assert_string_equal(test, "gradient_tolerance");
        assert_close(get_double(optimizer, "test_value"), 0.0, 0.0, 0.0);
        assert_close(get_double(optimizer, "test_threshold"), 1e-6, 0.0, 0.0);
        loss_optimizer_free(optimizer);
    }
    loss_context_free(context);
}

static loss_optimizer *create_sgd(loss_context *context, loss_dtype dtype)
{
    loss_optimizer *optimizer = create(context, "sgd", dtype, logistic.n);
    assert_int_equal(loss_optimizer_set_int(optimizer, "samples", LOGISTIC_SAMPLES), LOSS_OK);
    assert_int_equal(loss_optimizer_set_int(optimizer, "batch_size", 10), LOSS_OK);
    assert_int_equal(loss_optimizer_set_int(optimizer, "seed", 17), LOSS_OK);
    return optimizer;
}

static void sgd_comes_close_with_every_schedule(void **unused)
{
    static const struct {
        const char *schedule;
        double gap;
    } cases[] = {{"constant", 2e-2}, {"inverse_time", 2e-3}, {"cosine", 1e-3}};
    static const loss_dtype dtypes[] = {LOSS_FLOAT64, LOSS_FLOAT32};
    loss_context *context = context_create();
    const char *test = NULL;
    (void)unused;
    for (int i = 0; i < 12; i++) {
        loss_dtype dtype = dtypes[i % 2];
        loss_optimizer *optimizer = create_sgd(context, dtype);
        assert_int_equal(loss_optimizer_set_string(optimizer, "schedule", cases[i / 4].schedule), LOSS_OK);
        assert_int_equal(loss_optimizer_set_int(optimizer, "nesterov", i / 2 % 2), LOSS_OK);
        run_result result = start_and_run(optimizer, &logistic, dtype, NULL);
        assert_int_equal(result.outcome, LOSS_STOP_ITERATIONS);
        assert_int_equal(loss_optimizer_get_string(optimizer, "test", &test), LOSS_OK);
        assert_string_equal(test, "epochs");
        assert_int_equal(get_int(optimizer, "epoch"), 100);
        assert_int_equal(get_int(optimizer, "iterations"), 100);
        assert_int_equal(result.batches, 100 * 11); /* the last of the 11 has 3 samples */
        assert_int_equal(get_int(optimizer, "batches"), result.batches);
        assert_close(get_double(optimizer, "value"), logistic.minimum, cases[i / 4].gap, 0.0);
        assert_best_belongs_together(optimizer, &logistic, dtype);
        loss_optimizer_free(optimizer);
    }
    loss_context_free(context);
}

/* x and v of a step by hand: three batches of one sample, Polyak and Nesterov. */
static void sgd_takes_the_steps_of_its_formula(void **unused)
{
    static const double gradients[] = {0.7, -1.3, 0.25}, rate = 0.3, momentum = 0.6;
    loss_context *context = context_create();
    (void)unused;
    for (int nesterov = 0; nesterov < 2; nesterov++) {
        loss_optimizer *optimizer = create(context, "sgd", LOSS_FLOAT64, 1);
        double x = 2.385, v = 0.0;
        const double *asked = NULL;
        int32_t request = 0;
        assert_int_equal(loss_optimizer_set_int(optimizer, "samples", 3), LOSS_OK);
        assert_int_equal(loss_optimizer_set_int(optimizer, "batch_size", 1), LOSS_OK);
        assert_int_equal(loss_optimizer_set_int(optimizer, "nesterov", nesterov), LOSS_OK);
        assert_int_equal(loss_optimizer_set_double(optimizer, "learning_rate", rate), LOSS_OK);
        assert_int_equal(loss_optimizer_set_double(optimizer, "momentum", momentum), LOSS_OK);
        assert_int_equal(loss_optimizer_start(optimizer, &x), LOSS_OK);
        for (int i = 0; i < 4; i++) {
            double g = i == 0 ? 1.0 : gradients[i - 1];
            assert_int_equal(loss_optimizer_ask(optimizer, &request), LOSS_OK);
            assert_int_equal(request, i == 0 ? LOSS_REQUEST_VALUE_AND_GRADIENT : LOSS_REQUEST_BATCH_GRADIENT);
            assert_int_equal(loss_optimizer_get_pointer(optimizer, "x", (const void **)&asked), LOSS_OK);
            assert_close(*asked, x, 1e-15, 0.0);
            assert_int_equal(loss_optimizer_tell_gradient(optimizer, 1.0, &g), LOSS_OK);
            if (i > 0) {
                v = momentum * v + g;
                x -= rate * (nesterov ? g + momentum * v : v);
            }
        }
        loss_optimizer_free(optimizer);
    }
    loss_context_free(context);
}

/* The learning rate of every batch against its formula. */
static void schedules_follow_their_formulas(void **unused)
{
    static const char *const schedules[] = {"constant", "inverse_time", "cosine"};
    loss_context *context = context_create();
    (void)unused;
    for (int k = 0; k < 3; k++) {
        loss_optimizer *optimizer = create(context, "sgd", LOSS_FLOAT64, 1);
        double x = 0.4, g = 0.5;
        int32_t request = 0;
        int64_t batch = 0;
        assert_int_equal(loss_optimizer_set_int(optimizer, "samples", 7), LOSS_OK);
        assert_int_equal(loss_optimizer_set_int(optimizer, "batch_size", 2), LOSS_OK);
        assert_int_equal(loss_optimizer_set_int(optimizer, "epochs", 5), LOSS_OK);
        assert_int_equal(loss_optimizer_set_double(optimizer, "decay", 0.3), LOSS_OK);
        assert_int_equal(loss_optimizer_set_string(optimizer, "schedule", schedules[k]), LOSS_OK);
        assert_int_equal(loss_optimizer_start(optimizer, &x), LOSS_OK);
        while (loss_optimizer_ask(optimizer, &request) == LOSS_OK && request != LOSS_REQUEST_DONE) {
            assert_int_equal(loss_optimizer_tell_gradient(optimizer, 1.0, &g), LOSS_OK);
            if (request == LOSS_REQUEST_BATCH_GRADIENT) {
                double t = (double)(batch / 4) + (double)(batch % 4) * 2.0 / 7.0;
                double rates[] = {0.1, 0.1 / (1.0 + 0.3 * t), 0.05 * (1.0 + cos(acos(-1.0) * t / 5.0))};
                assert_close(get_double(optimizer, "step"), rates[k], 1e-15, 1e-17);
                batch++;
            }
        }
        assert_int_equal(batch, 20);
        loss_optimizer_free(optimizer);
    }
    loss_context_free(context);
}

static void an_epoch_draws_every_sample_once(void **unused)
{
    loss_context *context = context_create();
    loss_optimizer *optimizer = create_sgd(context, LOSS_FLOAT64);
    int64_t orders[3][LOGISTIC_SAMPLES];
    void *x = starting_point(&logistic, LOSS_FLOAT64);
    double g[8] = {0.1};
    int32_t request = 0;
    (void)unused;
    assert_int_equal(loss_optimizer_set_int(optimizer, "epochs", 3), LOSS_OK);
    assert_int_equal(loss_optimizer_start(optimizer, x), LOSS_OK);
    for (int64_t drawn = 0;
         loss_optimizer_ask(optimizer, &request) == LOSS_OK && request != LOSS_REQUEST_DONE;) {
        if (request == LOSS_REQUEST_BATCH_GRADIENT) {
            const int64_t *indices = NULL;
            assert_int_equal(loss_optimizer_get_pointer(optimizer, "indices", (const void **)&indices),
                             LOSS_OK);
            for (int64_t i = 0; i < get_int(optimizer, "indices_count"); i++, drawn++) {
                orders[drawn / LOGISTIC_SAMPLES][drawn % LOGISTIC_SAMPLES] = indices[i];
            }
        }
        assert_int_equal(loss_optimizer_tell_gradient(optimizer, 1.0, g), LOSS_OK);
    }
    for (int epoch = 0; epoch < 3; epoch++) {
        int64_t expected[LOGISTIC_SAMPLES];
        assert_int_equal(loss_random_permutation(17, (uint64_t)epoch, LOGISTIC_SAMPLES, expected), LOSS_OK);
        assert_memory_equal(orders[epoch], expected, sizeof expected);
        assert_true(epoch == 0 || memcmp(orders[epoch], orders[epoch - 1], sizeof expected) != 0);
    }
    free(x);
    loss_optimizer_free(optimizer);
    loss_context_free(context);
}

static void evaluate_every_thins_out_the_iterates(void **unused)
{
    static const struct {
        int64_t every, iterates;
    } cases[] = {{1, 10}, {3, 4}, {0, 1}, {50, 1}};
    loss_context *context = context_create();
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        loss_optimizer *optimizer = create_sgd(context, LOSS_FLOAT64);
        assert_int_equal(loss_optimizer_set_int(optimizer, "epochs", 10), LOSS_OK);
        assert_int_equal(loss_optimizer_set_int(optimizer, "evaluate_every", cases[i].every), LOSS_OK);
        assert_int_equal(loss_optimizer_set_int(optimizer, "report", 1), LOSS_OK);
        run_result result = start_and_run(optimizer, &logistic, LOSS_FLOAT64, NULL);
        assert_int_equal(result.outcome, LOSS_STOP_ITERATIONS);
        assert_int_equal(result.iterates, cases[i].iterates + 1); /* and the start */
        assert_best_belongs_together(optimizer, &logistic, LOSS_FLOAT64);
        loss_optimizer_free(optimizer);
    }
    loss_context_free(context);
}

/* An epoch whose end has no finite value, or that broke off, is none. Batches of 32 of 103: 4 and a value an epoch. */
static void a_failed_epoch_is_not_counted(void **unused)
{
    static const int64_t answers[] = {2, 5, 6, 9, 11, 12, 15, 16}, epochs[] = {0, 0, 0, 1, 1, 2, 2, 2};
    loss_context *context = context_create();
    (void)unused;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        loss_optimizer *optimizer = create(context, "sgd", LOSS_FLOAT64, logistic.n);
        assert_int_equal(loss_optimizer_set_int(optimizer, "samples", LOGISTIC_SAMPLES), LOSS_OK);
        run_result result = start_and_run(optimizer, &logistic, LOSS_FLOAT64,
                                          &(run_plan){.nan_from = answers[i]});
        assert_int_equal(result.outcome, LOSS_ERROR_NONFINITE);
        assert_int_equal(get_int(optimizer, "epoch"), epochs[i]);
        assert_int_equal(get_int(optimizer, "iterations"), epochs[i]);
        loss_optimizer_free(optimizer);
    }
    loss_context_free(context);
}

static void a_fixed_step_is_what_it_says(void **unused)
{
    loss_context *context = context_create();
    loss_optimizer *optimizer = create(context, "gradient_descent", LOSS_FLOAT64, 1);
    double x = 0.9;
    const double *best = NULL;
    (void)unused;
    assert_int_equal(loss_optimizer_set_string(optimizer, "step", "fixed"), LOSS_OK);
    assert_int_equal(loss_optimizer_set_double(optimizer, "learning_rate", 0.125), LOSS_OK);
    assert_int_equal(loss_optimizer_set_int(optimizer, "max_iterations", 5), LOSS_OK);
    assert_int_equal(loss_optimizer_start(optimizer, &x), LOSS_OK);
    run_result result = run(optimizer, &parabola, LOSS_FLOAT64, NULL);
    for (int i = 0; i < 5; i++) {
        x -= 0.125 * 3.1 * (x - 2.385);
    }
    assert_int_equal(result.outcome, LOSS_STOP_ITERATIONS);
    assert_int_equal(result.answers, 6);
    assert_int_equal(loss_optimizer_get_pointer(optimizer, "best_x", (const void **)&best), LOSS_OK);
    assert_close(*best, x, 1e-14, 0.0);
    assert_close(get_double(optimizer, "step"), 0.125, 0.0, 0.0);
    loss_optimizer_free(optimizer);
    loss_context_free(context);
}

/* Twice the largest stable step: values grow without bound, until they are not finite; the start is returned. */
static void a_diverging_fixed_step_ends_and_keeps_the_best(void **unused)
{
    loss_context *context = context_create();
    loss_optimizer *optimizer = create(context, "gradient_descent", LOSS_FLOAT64, 1);
    (void)unused;
    assert_int_equal(loss_optimizer_set_string(optimizer, "step", "fixed"), LOSS_OK);
    assert_int_equal(loss_optimizer_set_double(optimizer, "learning_rate", 1.3), LOSS_OK);
    run_result result = start_and_run(optimizer, &parabola, LOSS_FLOAT64, NULL);
    assert_int_equal(result.outcome, LOSS_ERROR_NONFINITE);
    assert_sentence(context, "not finite");
    assert_best_belongs_together(optimizer, &parabola, LOSS_FLOAT64);
    loss_optimizer_free(optimizer);
    loss_context_free(context);
}

/* Whatever the memory, L-BFGS needs at most (2m + 6)n numbers and 2m(m + 1) for products; and nothing is allocated after
 * the start. */
static void lbfgs_keeps_to_its_memory(void **unused)
{
    static const struct {
        int32_t n, option, memory; /* vectors begin at cache lines: 48 bytes more than their numbers */
    } cases[] = {{1002, 1, 1}, {1002, 14, 14}, {1002, 27, 27}, {1002, 40, 40}, {1002, 0, 20}, {10002, 0, 10}};
    problem large = extended_rosenbrock;
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t memory = cases[i].memory;
        large.n = cases[i].n;
        test_allocator counter = {0};
        loss_context *context = NULL;
        assert_int_equal(loss_context_create_with_allocator(&context, test_allocate, test_release, &counter),
                         LOSS_OK);
        loss_optimizer *optimizer = create(context, "lbfgs", LOSS_FLOAT64, large.n);
        assert_int_equal(loss_optimizer_set_int(optimizer, "memory", cases[i].option), LOSS_OK);
        void *x = starting_point(&large, LOSS_FLOAT64);
        int64_t before = counter.live_bytes;
        assert_int_equal(loss_optimizer_start(optimizer, x), LOSS_OK);
        assert_true(counter.live_bytes - before >= (2 * memory + 5) * large.n * 8);
        assert_true(counter.live_bytes - before <=
                    ((2 * memory + 6) * large.n + 2 * memory * (memory + 1)) * 8);
        int64_t calls = counter.calls;
        run_result result = run(optimizer, &large, LOSS_FLOAT64, NULL);
        assert_int_equal(result.outcome, LOSS_STOP_GRADIENT);
        assert_int_equal(counter.calls, calls);
        assert_int_equal(loss_optimizer_start(optimizer, x),
                         LOSS_OK); /* starting again takes what there is */
        assert_int_equal(counter.calls, calls);
        free(x);
        loss_optimizer_free(optimizer);
        loss_context_free(context);
        assert_int_equal(counter.live, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_problem_is_solved),
        cmocka_unit_test(the_units_of_the_objective_do_not_matter),
        cmocka_unit_test(the_units_of_the_variables_do_not_matter_much),
        cmocka_unit_test(squares_out_of_range_are_solved_or_refused),
        cmocka_unit_test(float32_reaches_its_own_precision),
        cmocka_unit_test(at_the_floor_it_is_precision),
        cmocka_unit_test(at_the_solution_nothing_is_done),
        cmocka_unit_test(sgd_comes_close_with_every_schedule),
        cmocka_unit_test(sgd_takes_the_steps_of_its_formula),
        cmocka_unit_test(schedules_follow_their_formulas),
        cmocka_unit_test(an_epoch_draws_every_sample_once),
        cmocka_unit_test(evaluate_every_thins_out_the_iterates),
        cmocka_unit_test(a_failed_epoch_is_not_counted),
        cmocka_unit_test(a_fixed_step_is_what_it_says),
        cmocka_unit_test(a_diverging_fixed_step_ends_and_keeps_the_best),
        cmocka_unit_test(lbfgs_keeps_to_its_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
