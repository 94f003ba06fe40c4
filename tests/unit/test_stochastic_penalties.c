/*
 * Penalties without derivatives in stochastic methods: a step is followed by the proximal map in its own metric, a momentum
 * goes on with the step that was taken, and what is found is what deterministic methods find.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "optimizer_run.h"
#include "stochastic.h"
#include "support/check.h"

enum { N = 37 };

static const struct {
    const char *name;
    int separable; /* takes those alone whose map is one of every parameter by itself */
    int batches;   /* told at the first step */
} methods[] = {
    {"sgd", 0, 1},     {"svrg", 0, 2}, {"saga", 0, 5},  {"adagrad", 1, 1}, {"adadelta", 1, 1},
    {"rmsprop", 1, 1}, {"adam", 1, 1}, {"adamw", 1, 1}, {"nadam", 1, 1},   {"radam", 1, 1},
};

enum { METHODS = sizeof methods / sizeof methods[0] };

static loss_context *context_make(void)
{
    loss_context *context = NULL;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    return context;
}

/* About `count` parameters from `first` on, 0 for all. */
static void attach_to(loss_context *context, loss_optimizer *optimizer, const char *name, const char *option,
                      double value, int64_t first, int64_t count)
{
    loss_penalty *penalty = NULL;
    assert_status(context, loss_penalty_create(&penalty, context, name), LOSS_OK);
    assert_status(context, loss_penalty_set_double(penalty, option, value), LOSS_OK);
    assert_status(context, loss_penalty_set_int(penalty, "first", first), LOSS_OK);
    assert_status(context, loss_penalty_set_int(penalty, "count", count), LOSS_OK);
    if (strcmp(name, "group_lasso") == 0) {
        assert_status(context, loss_penalty_set_int(penalty, "group_size", 2), LOSS_OK);
    }
    if (strcmp(name, "box") == 0) {
        assert_status(context, loss_penalty_set_double(penalty, "lower", -value), LOSS_OK);
    }
    assert_status(context, loss_optimizer_add_penalty(optimizer, penalty), LOSS_OK);
    loss_penalty_free(penalty);
}

static void attach(loss_context *context, loss_optimizer *optimizer, const char *name, const char *option,
                   double value)
{
    attach_to(context, optimizer, name, option, value, 0, 0);
}

static double shrink(double z, double by, double bound)
{
    double left = copysign(fmax(fabs(z) - by, 0.0), z);
    return fmin(bound, fmax(-bound, left));
}

/* ---- one step ---- */

static const double weight = 0.3, bound = 2.125; /* further out than any start */

/* Every method with and without penalties: of the step without, what a derivative was multiplied by is the metric. */
static void a_step_is_followed_by_its_proximal_map(void **unused)
{
    const loss_dtype dtypes[] = {LOSS_FLOAT32, LOSS_FLOAT64};
    int64_t zeros = 0, bounds = 0;
    (void)unused;
    for (int m = 0; m < METHODS; m++) {
        for (int t = 0; t < 2; t++) {
            loss_context *context = context_make();
            double *x0 = stochastic_start_vector(dtypes[t], N), x[2][N];
            const double epsilon = dtypes[t] == LOSS_FLOAT64 ? DBL_EPSILON : FLT_EPSILON;
            for (int with = 0; with < 2; with++) {
                loss_optimizer *optimizer = stochastic_create(
                    context, methods[m].name, "samples=4 batch_size=1 learning_rate=0.5 weight_decay=0",
                    dtypes[t], N);
                if (with) {
                    attach(context, optimizer, "l1", "strength", weight);
                    attach(context, optimizer, "box", "upper", bound);
                }
                assert_status(context, loss_optimizer_start(optimizer, x0), LOSS_OK);
                assert_int_equal(stochastic_feed(optimizer, dtypes[t], N, methods[m].batches),
                                 methods[m].batches);
                for (int64_t i = 0; i < N; i++) {
                    x[with][i] = element(stochastic_x(optimizer), dtypes[t], i);
                }
                loss_optimizer_free(optimizer);
            }
            for (int64_t i = 0; i < N; i++) {
                double z = x[0][i], start = stochastic_start(i), u = start - z;
                double a = methods[m].separable ? u / stochastic_gradient(1, i) : 0.5;
                double by = a * (dtypes[t] == LOSS_FLOAT64 ? weight : (double)(float)weight);
                double slack = 4.0 * epsilon * (fabs(z) + by * (1.0 + (fabs(start) + fabs(z)) / fabs(u)));
                assert_true(a > 0.0);
                assert_close(x[1][i], shrink(z, by, bound), 0.0, slack);
                zeros += x[1][i] == 0.0;
                bounds += fabs(x[1][i]) == bound;
            }
            free(x0);
            loss_context_free(context);
        }
    }
    assert_true(zeros > 2 * METHODS && bounds > 2 * METHODS);
}

/* ---- momentum ---- */

/* x₊ = prox(x + μ(x − x₋) − η(1 − τ)g): Ochs, Chen, Brox & Pock, SIAM J. Imaging Sci. 7 (2014), eq. 5. */
static void momentum_goes_on_with_the_step_taken(void **unused)
{
    const double rate = 0.0625, dampening = 0.25, momentum = 0.75;
    (void)unused;
    for (int kind = 0; kind < 3; kind++) { /* by itself, of all together, and with a rate of a segment */
        loss_context *context = context_make();
        double *x0 = stochastic_start_vector(LOSS_FLOAT64, N), now[N], before[N], next[N];
        int64_t zeros = 0;
        for (int64_t batches = 1; batches < 30; batches++) {
            loss_optimizer *optimizer = stochastic_create(
                context, "sgd",
                "samples=40 batch_size=1 learning_rate=0.0625 momentum=0.75 dampening=0.25 epochs=1",
                LOSS_FLOAT64, N);
            double speed = kind == 2 ? 0.5 : 1.0;
            attach_to(context, optimizer, "l1", "strength", weight, 0, N - 1);
            attach_to(context, optimizer, "box", "upper", bound, 0, N - 1);
            /* a group of one: the same, but its map is one of all together */
            attach_to(context, optimizer, kind == 1 ? "group_lasso" : "l1", "strength", weight, N - 1, 1);
            if (kind == 2) {
                assert_int_equal(loss_optimizer_add_segment(optimizer, "all", 0, 1, N), LOSS_OK);
                assert_int_equal(
                    loss_optimizer_set_segment_double(optimizer, "all", "learning_rate_scale", speed),
                    LOSS_OK);
            }
            assert_status(context, loss_optimizer_start(optimizer, x0), LOSS_OK);
            assert_int_equal(stochastic_feed(optimizer, LOSS_FLOAT64, N, batches), batches);
            for (int64_t i = 0; i < N; i++) {
                double eta = speed * rate * (batches == 1 ? 1.0 : 1.0 - dampening);
                if (batches == 1) {
                    now[i] = before[i] = x0[i];
                }
                next[i] = shrink(now[i] + momentum * (now[i] - before[i]) -
                                     eta * stochastic_gradient(batches, i),
                                 eta * weight, i < N - 1 ? bound : INFINITY);
                before[i] = now[i];
                now[i] = next[i];
                assert_close(((const double *)stochastic_x(optimizer))[i], next[i], 1e-13, 1e-13);
                zeros += next[i] == 0.0;
            }
            loss_optimizer_free(optimizer);
        }
        assert_true(zeros > 0);
        free(x0);
        loss_context_free(context);
    }
}

/* ---- minima ---- */

static const struct {
    const char *name, *option;
    double value;
    int together;
} cases[] = {
    {"l1", "strength", 0.015, 0},          {"elastic_net", "strength", 0.03, 0}, {"box", "upper", 0.65, 0},
    {"group_lasso", "strength", 0.012, 1}, {"simplex", "total", 1.3, 1},
};

enum { CASES = sizeof cases / sizeof cases[0] };

/* Methods with a constant step converge by themselves: sgd with batches of everything. Steps in units of a moving root mean
 * square become short as the rate does. */
static const struct {
    const char *name, *settings;
} runs[] = {
    {"sgd", "batch_size=103 learning_rate=1 momentum=0.5 epochs=3000"},
    {"sgd", "batch_size=103 learning_rate=2 momentum=0 epochs=3000"},
    {"svrg", "batch_size=5 learning_rate=0.2 epochs=1000"},
    {"saga", "batch_size=5 learning_rate=0.2 epochs=1000"},
    {"adagrad", "batch_size=103 learning_rate=0.5 epochs=9000"},
    {"adadelta", "batch_size=103 learning_rate=1 schedule=exponential decay_factor=0.999 epochs=9000"},
    {"rmsprop", "batch_size=103 learning_rate=0.1 schedule=exponential decay_factor=0.99 epochs=3000"},
    {"rmsprop", "batch_size=103 learning_rate=0.1 momentum=0.5 centered=1 schedule=exponential "
                "decay_factor=0.99 epochs=3000"},
    {"adam", "batch_size=103 learning_rate=0.1 schedule=exponential decay_factor=0.99 epochs=3000"},
    {"adam", "batch_size=103 learning_rate=0.1 amsgrad=1 schedule=exponential decay_factor=0.99 epochs=3000"},
    {"adamw",
     "batch_size=103 learning_rate=0.1 weight_decay=0 schedule=exponential decay_factor=0.99 epochs=3000"},
    {"nadam", "batch_size=103 learning_rate=0.1 schedule=exponential decay_factor=0.99 epochs=3000"},
    {"radam", "batch_size=103 learning_rate=0.1 schedule=exponential decay_factor=0.99 epochs=3000"},
};

static double minimum_of(int k)
{
    fixture f = fixture_make(index_of("spectral_projected_gradient"), &logistic, LOSS_FLOAT64);
    attach(f.context, f.optimizer, cases[k].name, cases[k].option, cases[k].value);
    assert_int_equal(loss_optimizer_set_double(f.optimizer, "gradient_tolerance", 1e-10), LOSS_OK);
    start_and_run(f.optimizer, &logistic, LOSS_FLOAT64, NULL);
    double value = get_double(f.optimizer, "value");
    fixture_drop(&f);
    return value;
}

static void they_find_what_deterministic_methods_find(void **unused)
{
    (void)unused;
    for (int k = 0; k < CASES; k++) {
        double minimum = minimum_of(k);
        int found = 0;
        for (size_t r = 0; r < sizeof runs / sizeof runs[0]; r++) {
            fixture f = fixture_make(index_of(runs[r].name), &logistic, LOSS_FLOAT64);
            stochastic_set(f.context, f.optimizer, runs[r].settings);
            stochastic_set(f.context, f.optimizer, "gradient_tolerance=1e-7 max_evaluations=1000000");
            attach(f.context, f.optimizer, cases[k].name, cases[k].option, cases[k].value);
            double *x = starting_point(&logistic, LOSS_FLOAT64);
            loss_status status = loss_optimizer_start(f.optimizer, x);
            found += status == LOSS_OK;
            if (status == LOSS_OK) { /* the excess is of the order of ‖gradient‖² */
                run_result result = run(f.optimizer, &logistic, LOSS_FLOAT64, NULL);
                assert_int_equal(result.outcome, LOSS_STOP_GRADIENT);
                assert_close(get_double(f.optimizer, "value"), minimum, 0.0, 1e-12);
            } else {
                assert_int_equal(status, LOSS_ERROR_SUPPORT);
            }
            free(x);
            fixture_drop(&f);
        }
        assert_int_equal(found, cases[k].together ? 4 : (int)(sizeof runs / sizeof runs[0]));
    }
}

/* ---- the course ---- */

/* Every point asked about is in the box, the mean too, whose rounding might leave it. */
static void points_stay_in_the_set(void **unused)
{
    const loss_dtype dtypes[] = {LOSS_FLOAT32, LOSS_FLOAT64};
    (void)unused;
    for (int m = 0; m < METHODS; m++) {
        for (int t = 0; t < 2; t++) {
            fixture f = fixture_make(index_of(methods[m].name), &logistic, dtypes[t]);
            void *x0 = starting_point(&logistic, dtypes[t]);
            int32_t request;
            stochastic_set(f.context, f.optimizer, "batch_size=7 epochs=40 averaging=exponential");
            attach(f.context, f.optimizer, "box", "upper", 0.65);
            assert_status(f.context, loss_optimizer_start(f.optimizer, x0), LOSS_OK);
            while (loss_optimizer_ask(f.optimizer, &request) == LOSS_OK && request != LOSS_REQUEST_DONE) {
                const void *x = stochastic_x(f.optimizer);
                for (int64_t i = 0; i < logistic.n; i++) {
                    double most = dtypes[t] == LOSS_FLOAT64 ? 0.65 : (double)0.65f;
                    assert_true(fabs(element(x, dtypes[t], i)) <= most);
                }
                run(f.optimizer, &logistic, dtypes[t], &(run_plan){.leave_after = 1});
            }
            assert_true(isfinite(get_double(f.optimizer, "value")));
            assert_true(get_int(f.optimizer, "epoch") > 0);
            free(x0);
            fixture_drop(&f);
        }
    }
}

/* Between any two answers, into a fresh optimizer that has the penalty too. */
static void a_checkpoint_goes_on_with_its_penalty(void **unused)
{
    const run_plan one = {.leave_after = 1};
    (void)unused;
    for (int m = 0; m < METHODS; m++) {
        uint64_t digests[2] = {17, 17};
        for (int relay = 0; relay < 2; relay++) {
            int32_t index = index_of(methods[m].name);
            const char *name = methods[m].separable ? "l1" : "group_lasso";
            fixture f = fixture_make(index, &logistic, LOSS_FLOAT32);
            void *x0 = starting_point(&logistic, LOSS_FLOAT32);
            run_result result = {0};
            stochastic_set(f.context, f.optimizer, "batch_size=31 epochs=3 learning_rate=0.5");
            attach(f.context, f.optimizer, name, "strength", 0.02);
            assert_status(f.context, loss_optimizer_start(f.optimizer, x0), LOSS_OK);
            free(x0);
            while (result.outcome == LOSS_OK) {
                result = run(f.optimizer, &logistic, LOSS_FLOAT32, &one);
                digests[relay] = digests[relay] * 0x100000001b3u ^ result.digest;
                if (relay) {
                    int64_t size = loss_optimizer_save_size(f.optimizer);
                    char *blob = malloc((size_t)size);
                    assert_non_null(blob);
                    assert_int_equal(loss_optimizer_save(f.optimizer, blob, size), LOSS_OK);
                    fixture_drop(&f);
                    f = fixture_make(index, &logistic, LOSS_FLOAT32);
                    attach(f.context, f.optimizer, name, "strength", 0.02);
                    assert_status(f.context, loss_optimizer_load(f.optimizer, blob, size), LOSS_OK);
                    free(blob);
                }
            }
            fixture_drop(&f);
        }
        assert_true(digests[0] == digests[1]);
    }
}

/* A rate of 0, as that of a frozen segment or at the begin of a warmup, leaves x where it is: also its momentum is a number. */
static void a_rate_of_zero_moves_nothing(void **unused)
{
    static const char *const names[] = {"sgd", "rmsprop"};
    (void)unused;
    for (int m = 0; m < 2; m++) {
        loss_context *context = context_make();
        loss_optimizer *optimizer = stochastic_create(
            context, names[m], "samples=40 batch_size=1 learning_rate=0.0625", LOSS_FLOAT32, N);
        float *x0 = stochastic_start_vector(LOSS_FLOAT32, N);
        stochastic_set(context, optimizer, "momentum=0.5");
        attach(context, optimizer, "l1", "strength", weight);
        assert_int_equal(loss_optimizer_add_segment(optimizer, "frozen", 0, 1, 9), LOSS_OK);
        assert_int_equal(loss_optimizer_set_segment_double(optimizer, "frozen", "learning_rate_scale", 0.0),
                         LOSS_OK);
        assert_status(context, loss_optimizer_start(optimizer, x0), LOSS_OK);
        assert_int_equal(stochastic_feed(optimizer, LOSS_FLOAT32, N, 11), 11);
        for (int64_t i = 0; i < N; i++) {
            float now = ((const float *)stochastic_x(optimizer))[i];
            assert_true(i < 9 ? now == x0[i] : isfinite(now) && now != x0[i]);
        }
        free(x0);
        loss_optimizer_free(optimizer);
        loss_context_free(context);
    }
}

static void what_has_no_rule_is_refused(void **unused)
{
    static const struct {
        const char *method, *settings, *penalty, *sentence;
        double scale;
    } refused[] = {
        {"lion", "", "l1", "take one of 'accelerated_gradient', 'adadelta', 'adagrad'", 1.0},
        {"muon", "", "l1", "'sgd', 'spectral_projected_gradient', 'svrg'", 1.0},
        {"adafactor", "", "l1", "cannot handle the penalty 'l1'", 1.0},
        {"adam", "", "group_lasso", "take one of 'accelerated_gradient', 'saga', 'sgd'", 1.0},
        {"sgd", "nesterov=1", "l1", "with the option 'nesterov': set it to 0", 1.0},
        {"sgd", "", "group_lasso", "the segment 'slow' has learning_rate_scale 0.5", 0.5},
        {"sgd", "nesterov=1 momentum=0", "l1", NULL, 1.0},
        {"sgd", "", "l1", NULL, 0.5},
    };
    (void)unused;
    for (size_t k = 0; k < sizeof refused / sizeof refused[0]; k++) {
        loss_context *context = context_make();
        loss_optimizer *optimizer = stochastic_create(context, refused[k].method, "samples=4", LOSS_FLOAT64,
                                                      N);
        void *x0 = stochastic_start_vector(LOSS_FLOAT64, N);
        stochastic_set(context, optimizer, refused[k].settings);
        attach(context, optimizer, refused[k].penalty, "strength", weight);
        assert_int_equal(loss_optimizer_add_segment(optimizer, "slow", 3, 1, 4), LOSS_OK);
        assert_int_equal(
            loss_optimizer_set_segment_double(optimizer, "slow", "learning_rate_scale", refused[k].scale),
            LOSS_OK);
        assert_status(context, loss_optimizer_start(optimizer, x0),
                      refused[k].sentence == NULL ? LOSS_OK : LOSS_ERROR_SUPPORT);
        if (refused[k].sentence != NULL) {
            assert_sentence(context, refused[k].sentence);
        }
        free(x0);
        loss_optimizer_free(optimizer);
        loss_context_free(context);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_is_followed_by_its_proximal_map),
        cmocka_unit_test(momentum_goes_on_with_the_step_taken),
        cmocka_unit_test(they_find_what_deterministic_methods_find),
        cmocka_unit_test(points_stay_in_the_set),
        cmocka_unit_test(a_checkpoint_goes_on_with_its_penalty),
        cmocka_unit_test(a_rate_of_zero_moves_nothing),
        cmocka_unit_test(what_has_no_rule_is_refused),
    };
    return cmocka_run_group_tests_name("penalties of stochastic methods", tests, NULL, NULL);
}
