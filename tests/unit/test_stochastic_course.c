/*
 * The course of stochastic methods: schedules, clipping, averaging, evaluations, patience, plateaus, held-out data,
 * seeds.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "optimizer_run.h"
#include "stochastic.h"
#include "support/check.h"

static loss_context *context_create(void)
{
    loss_context *context = NULL;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    return context;
}

static int32_t ask(loss_optimizer *optimizer)
{
    int32_t request = 0;
    assert_int_equal(loss_optimizer_ask(optimizer, &request), LOSS_OK);
    return request;
}

static const char *test_name(const loss_optimizer *optimizer)
{
    const char *name = NULL;
    assert_int_equal(loss_optimizer_get_string(optimizer, "test", &name), LOSS_OK);
    return name;
}

static loss_status outcome(const loss_optimizer *optimizer)
{
    loss_status status = LOSS_OK;
    assert_int_equal(loss_optimizer_outcome(optimizer, &status), LOSS_OK);
    return status;
}

/* ---- schedules ---- */

/* The factor after `t` epochs of 5, for a batch that ends at `end`, as docs/optimizers.md has it; warm-up of w epochs. */
static double factor(int k, double w, double t, double end)
{
    const double pi = acos(-1.0);
    if (t < w) {
        return fmin(end / w, 1.0);
    }
    double s = t - w, total = 5.0 - w, u = s / total;
    switch (k) {
    case 1:
        return pow(0.3, floor(s / 1.5));
    case 2:
        return pow(0.3, s / 1.5);
    case 3:
        return 1.0 / (1.0 + 0.7 * s);
    case 4:
        return 0.2 + 0.8 * 0.5 * (1.0 + cos(pi * u));
    case 5:
        return u < 0.4 ? 1.0 + (0.1 - 1.0) * 0.5 * (1.0 + cos(pi * u / 0.4))
                       : 0.02 + (1.0 - 0.02) * 0.5 * (1.0 + cos(pi * (u - 0.4) / 0.6));
    default:
        return 1.0;
    }
}

static void schedules_follow_their_formulas(void **unused)
{
    static const char *const schedules[] = {"constant",     "step",   "exponential",
                                            "inverse_time", "cosine", "one_cycle"};
    static const double warmups[] = {0.0, 1.4, 7.0};
    loss_context *context = context_create();
    double x = 2.385, g = 0.25;
    (void)unused;
    for (int k = 0; k < 18; k++) {
        double w = warmups[k / 6];
        loss_optimizer *optimizer = stochastic_create(
            context, "adagrad",
            "samples=7 batch_size=2 epochs=5 decay=0.7 decay_factor=0.3 decay_every=1.5 final_factor=0.2 "
            "cycle_peak=0.4 cycle_start=0.1 cycle_end=0.02 learning_rate=0.3",
            LOSS_FLOAT64, 1);
        assert_int_equal(loss_optimizer_set_string(optimizer, "schedule", schedules[k % 6]), LOSS_OK);
        assert_int_equal(loss_optimizer_set_double(optimizer, "warmup", w), LOSS_OK);
        assert_int_equal(loss_optimizer_start(optimizer, &x), LOSS_OK);
        int batch = 0;
        for (int32_t request; (request = ask(optimizer)) != LOSS_REQUEST_DONE;) {
            assert_int_equal(loss_optimizer_tell_gradient(optimizer, 1.0, &g), LOSS_OK);
            if (request == LOSS_REQUEST_BATCH_GRADIENT) {
                double t = batch / 4 + batch % 4 * 2.0 / 7.0;
                double end = batch / 4 + fmin(1.0, (batch % 4 + 1) * 2.0 / 7.0);
                assert_close(get_double(optimizer, "step"), 0.3 * factor(k % 6, w, t, end), 1e-14, 1e-17);
                batch++;
            }
        }
        assert_int_equal(batch, 20);
        loss_optimizer_free(optimizer);
    }
    loss_context_free(context);
}

/* ---- clipping ---- */

/* One step of plain descent with rate 1: what x loses is the gradient that was used. */
static void clipping_cuts_values_first_and_then_the_norm(void **unused)
{
    static const struct {
        const char *settings;
        double told[4], used[4];
    } cases[] = {
        {"clip_value=inf", {3.5, -0.25, 1.0, 0.0}, {3.5, -0.25, 1.0, 0.0}},
        {"clip_value=0.75", {3.5, -0.25, -1.0, 0.0}, {0.75, -0.25, -0.75, 0.0}},
        {"clip_norm=2.5", {3.0, -4.0, 0.0, 0.0}, {1.5, -2.0, 0.0, 0.0}},
        {"clip_norm=5.5", {3.0, -4.0, 0.0, 0.0}, {3.0, -4.0, 0.0, 0.0}},
        {"clip_norm=2.5 clip_value=3",
         {3.0, -400.0, 4.0, 0.0},
         {1.4433756729740645, -1.4433756729740645, 1.4433756729740645, 0.0}},
        {"clip_norm=0", {3.0, -4.0, 0.0, 0.5}, {0.0, 0.0, 0.0, 0.0}},
        {"clip_norm=2.5", {3e200, -4e200, 0.0, 0.0}, {1.5, -2.0, 0.0, 0.0}},
        {"clip_norm=2.5 weight_decay=0.5", {3.0, -4.0, 0.0, 0.0}, {2.125, -2.625, 0.375, -0.5}},
    };
    static const double start[] = {1.25, -1.25, 0.75, -1.0};
    loss_context *context = context_create();
    (void)unused;
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        loss_optimizer *optimizer = stochastic_create(
            context, "sgd", "samples=10 batch_size=1 momentum=0 learning_rate=1", LOSS_FLOAT64, 4);
        stochastic_set(context, optimizer, cases[k].settings);
        assert_int_equal(loss_optimizer_start(optimizer, start), LOSS_OK);
        assert_int_equal(ask(optimizer), LOSS_REQUEST_VALUE_AND_GRADIENT);
        assert_int_equal(loss_optimizer_tell_gradient(optimizer, 1.0, start), LOSS_OK);
        assert_int_equal(ask(optimizer), LOSS_REQUEST_BATCH_GRADIENT);
        assert_int_equal(loss_optimizer_tell_gradient(optimizer, 1.0, cases[k].told), LOSS_OK);
        assert_int_equal(ask(optimizer), LOSS_REQUEST_BATCH_GRADIENT);
        for (int i = 0; i < 4; i++) {
            assert_close(start[i] - ((const double *)stochastic_x(optimizer))[i], cases[k].used[i], 1e-15,
                         1e-15);
        }
        loss_optimizer_free(optimizer);
    }
    loss_context_free(context);
}

/* A gradient that is not finite ends the run though clipping would have made it finite. */
static void a_bad_batch_ends_the_run_with_the_best_point(void **unused)
{
    static const double bad[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
    loss_context *context = context_create();
    (void)unused;
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        const char *name = loss_optimizer_catalogue_name(i);
        for (int k = 0; is_stochastic(name) && k < 18; k++) {
            loss_dtype dtype = k / 3 % 2 == 0 ? LOSS_FLOAT64 : LOSS_FLOAT32;
            int64_t n = 37, place = k / 6 == 0 ? 0 : k / 6 == 1 ? 20 : 36;
            loss_optimizer *optimizer = stochastic_create(
                context, name, "samples=10 batch_size=1 clip_value=0.5 clip_norm=0.25", dtype, n);
            assert_status(context, loss_optimizer_add_segment(optimizer, "matrix", 10, 4, 5), LOSS_OK);
            void *start = stochastic_start_vector(dtype, n), *g = stochastic_start_vector(dtype, n);
            const void *best = NULL;
            assert_int_equal(loss_optimizer_start(optimizer, start), LOSS_OK);
            assert_int_equal(stochastic_feed(optimizer, dtype, n, 2), 2);
            set_element(g, dtype, place, bad[k % 3]);
            assert_int_equal(loss_optimizer_tell_gradient(optimizer, 1.0, g), LOSS_OK);
            assert_int_equal(ask(optimizer), LOSS_REQUEST_DONE);
            assert_int_equal(outcome(optimizer), LOSS_ERROR_NONFINITE);
            assert_sentence(context, "not finite");
            assert_int_equal(loss_optimizer_get_pointer(optimizer, "best_x", &best), LOSS_OK);
            assert_same_bits(best, start, dtype, n);
            free(start);
            free(g);
            loss_optimizer_free(optimizer);
        }
    }
    loss_context_free(context);
}

/* ---- averaging ---- */

/* Plain descent by told gradients: the points are known, and so are their means, Σ decay^(t−k) xₖ/Σ decay^(t−k). */
static void the_mean_is_evaluated_and_returned(void **unused)
{
    static const struct {
        const char *settings;
        int exponential, begin; /* epochs before it begins */
    } cases[] = {{"averaging=polyak", 0, 0},
                 {"averaging=polyak averaging_start=2", 0, 2},
                 {"averaging=exponential averaging_decay=0.8", 1, 0},
                 {"averaging=exponential averaging_decay=0.9 averaging_start=1", 1, 1}};
    loss_context *context = context_create();
    (void)unused;
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        loss_optimizer *optimizer = stochastic_create(
            context, "sgd", "samples=6 batch_size=2 epochs=4 momentum=0 learning_rate=0.25", LOSS_FLOAT64, 2);
        stochastic_set(context, optimizer, cases[k].settings);
        double moving[2] = {0.625, -1.5}, mean[2] = {0.0, 0.0}, sums[2] = {0.0, 0.0}, weights = 0.0, g[2],
               decay = 0.0, least = INFINITY, best[2];
        int64_t points = 0, t = 0, evaluations = 0;
        const double *returned = NULL;
        assert_int_equal(loss_optimizer_start(optimizer, moving), LOSS_OK);
        decay = stochastic_option(optimizer, "averaging_decay");
        for (int32_t request; (request = ask(optimizer)) != LOSS_REQUEST_DONE;) {
            const double *x = stochastic_x(optimizer), *expected = moving;
            if (request == LOSS_REQUEST_VALUE_AND_GRADIENT && points > 0) {
                expected = mean;
            }
            for (int i = 0; i < 2; i++) {
                assert_close(x[i], expected[i], 1e-14, 1e-15);
                g[i] = stochastic_gradient(t + 1, i);
            }
            if (request == LOSS_REQUEST_VALUE_AND_GRADIENT) {
                double value = evaluations++ == 2 ? -3.0 : 1.0 / (double)evaluations;
                memcpy(best, value < least ? x : best, sizeof best);
                least = fmin(least, value);
                assert_int_equal(loss_optimizer_tell_gradient(optimizer, value, g), LOSS_OK);
                continue;
            }
            t++;
            assert_int_equal(loss_optimizer_tell_gradient(optimizer, 1.0, g), LOSS_OK);
            points += (t - 1) / 3 >= cases[k].begin;
            for (int i = 0; i < 2; i++) {
                moving[i] -= 0.25 * g[i];
                sums[i] = moving[i] + (cases[k].exponential ? decay : 1.0) * sums[i];
                sums[i] = points > 0 ? sums[i] : 0.0;
            }
            weights = points > 0 ? 1.0 + (cases[k].exponential ? decay : 1.0) * weights : 0.0;
            for (int i = 0; i < 2; i++) {
                mean[i] = sums[i] / weights;
            }
        }
        assert_int_equal(t, 12);
        assert_int_equal(loss_optimizer_get_pointer(optimizer, "best_x", (const void **)&returned), LOSS_OK);
        assert_same_bits(returned, best, LOSS_FLOAT64, 2);
        loss_optimizer_free(optimizer);
    }
    loss_context_free(context);
}

/* Of logistic regression the mean of the points is nearer to the minimum than the last of them. */
static void averaging_comes_closer(void **unused)
{
    loss_context *context = context_create();
    double plain = 0.0;
    (void)unused;
    for (int k = 0; k < 3; k++) {
        loss_optimizer *optimizer = stochastic_create(
            context, "sgd",
            "samples=103 batch_size=4 epochs=60 evaluate_every=0 learning_rate=0.5 momentum=0", LOSS_FLOAT64,
            logistic.n);
        if (k > 0) {
            stochastic_set(context, optimizer,
                           k == 1 ? "averaging=polyak averaging_start=20"
                                  : "averaging=exponential averaging_decay=0.99");
        }
        start_and_run(optimizer, &logistic, LOSS_FLOAT64, NULL);
        double gap = get_double(optimizer, "value") - logistic.minimum;
        assert_true(gap >= 0.0 && (k == 0 || gap < 0.5 * plain));
        plain = k == 0 ? gap : plain;
        assert_best_belongs_together(optimizer, &logistic, LOSS_FLOAT64);
        loss_optimizer_free(optimizer);
    }
    loss_context_free(context);
}

/* ---- patience, plateaus, held-out data ---- */

/* Values of evaluations, the last for ever, and of the held-out data after each when there are any. */
typedef struct script {
    const double *values, *held_out;
    int count;
} script;

/* One batch an epoch. Gives how many evaluations there were; x of the best held-out value is kept in *best. */
static int play(loss_optimizer *optimizer, script s, double *x_of_least)
{
    static const double start[2] = {0.625, -1.5};
    double g[2] = {0.5, -0.25}, least = INFINITY;
    int evaluations = 0;
    assert_int_equal(loss_optimizer_start(optimizer, start), LOSS_OK);
    for (int32_t request; (request = ask(optimizer)) != LOSS_REQUEST_DONE;) {
        int i = evaluations < s.count ? evaluations : s.count - 1;
        if (request == LOSS_REQUEST_HELD_OUT_VALUE) {
            i = evaluations - 1 < s.count ? evaluations - 1 : s.count - 1;
            if (s.held_out[i] < least) {
                least = s.held_out[i];
                memcpy(x_of_least, stochastic_x(optimizer), 2 * sizeof *x_of_least);
            }
            assert_int_equal(loss_optimizer_tell_gradient(optimizer, 1.0, g), LOSS_ERROR_STATE);
            assert_int_equal(loss_optimizer_tell_value(optimizer, s.held_out[i]), LOSS_OK);
            assert_close(get_double(optimizer, "held_out_value"), s.held_out[i], 0.0, 0.0);
            continue;
        }
        evaluations += request == LOSS_REQUEST_VALUE_AND_GRADIENT;
        assert_int_equal(loss_optimizer_tell_gradient(
                             optimizer, request == LOSS_REQUEST_VALUE_AND_GRADIENT ? s.values[i] : 1.0, g),
                         LOSS_OK);
    }
    return evaluations;
}

static void patience_ends_a_run_that_no_longer_improves(void **unused)
{
    static const double values[] = {5.0, 4.0, 3.9999, 4.1, 3.0, 3.5, 3.2, 3.1, 3.05, 2.0};
    static const struct {
        const char *settings;
        int evaluations;
        loss_status outcome;
    } cases[] = {
        {"patience=2", 4, LOSS_STOP_VALUE}, /* 3.9999 is no improvement on 4 by a part in 10⁴ */
        {"patience=2 improvement=0", 7, LOSS_STOP_VALUE}, /* 3.5 and 3.2 are none on 3 */
        {"patience=3", 8, LOSS_STOP_VALUE},
        {"patience=4", 9, LOSS_STOP_VALUE},
        {"patience=5", 15, LOSS_STOP_VALUE}, /* 2, and then nothing but 2 */
        {"patience=5 epochs=12", 13, LOSS_STOP_ITERATIONS},
        {"patience=0 epochs=20", 21, LOSS_STOP_ITERATIONS},
    };
    loss_context *context = context_create();
    (void)unused;
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        loss_optimizer *optimizer = stochastic_create(context, "sgd", "samples=4 batch_size=4", LOSS_FLOAT64,
                                                      2);
        stochastic_set(context, optimizer, cases[k].settings);
        assert_int_equal(play(optimizer, (script){values, NULL, 10}, NULL), cases[k].evaluations);
        assert_int_equal(outcome(optimizer), cases[k].outcome);
        if (cases[k].outcome == LOSS_STOP_VALUE) {
            double patience = stochastic_option(optimizer, "patience");
            assert_string_equal(test_name(optimizer), "patience");
            assert_close(get_double(optimizer, "test_value"), patience, 0.0, 0.0);
            assert_close(get_double(optimizer, "test_threshold"), patience, 0.0, 0.0);
        }
        loss_optimizer_free(optimizer);
    }
    loss_context_free(context);
}

static void the_held_out_value_decides_when_it_is_asked_for(void **unused)
{
    static const double values[] = {5.0, 4.0, 3.0, 2.0, 1.0, 0.5, 0.25, 0.125};
    static const double held_out[] = {6.0, 5.0, 4.5, 4.75, 4.6, 5.5, 7.0, 7.5};
    loss_context *context = context_create();
    loss_optimizer *optimizer = stochastic_create(
        context, "adam", "samples=4 batch_size=4 held_out=1 patience=3", LOSS_FLOAT64, 2);
    double expected[2];
    const double *best = NULL;
    (void)unused;
    assert_int_equal(play(optimizer, (script){values, held_out, 8}, expected), 6);
    assert_int_equal(outcome(optimizer), LOSS_STOP_VALUE);
    assert_string_equal(test_name(optimizer), "patience");
    assert_int_equal(get_int(optimizer, "epoch"), 5);
    assert_int_equal(get_int(optimizer, "value_evaluations"), 6);
    assert_int_equal(get_int(optimizer, "evaluations"), 6 + 6 + 5);
    assert_close(get_double(optimizer, "value"), 3.0, 0.0,
                 0.0); /* f of the point with 4.5, not the least f */
    assert_int_equal(loss_optimizer_get_pointer(optimizer, "best_x", (const void **)&best), LOSS_OK);
    assert_same_bits(best, expected, LOSS_FLOAT64, 2);
    loss_optimizer_free(optimizer);
    loss_context_free(context);
}

/* Told between the value of f and the held-out one, the point with the lower f is not yet the best. */
static void a_stop_before_the_held_out_value_keeps_the_best(void **unused)
{
    static const double start[2] = {0.625, -1.5};
    loss_context *context = context_create();
    loss_optimizer *optimizer = stochastic_create(context, "sgd", "samples=4 batch_size=4 held_out=1",
                                                  LOSS_FLOAT64, 2);
    const double *best = NULL;
    double g[2] = {0.5, -0.25};
    (void)unused;
    assert_int_equal(loss_optimizer_start(optimizer, start), LOSS_OK);
    for (int k = 0; k < 4; k++) {
        int32_t request = ask(optimizer);
        if (request == LOSS_REQUEST_HELD_OUT_VALUE) {
            assert_int_equal(loss_optimizer_tell_value(optimizer, 3.0), LOSS_OK);
        } else {
            assert_int_equal(loss_optimizer_tell_gradient(optimizer, 4.0 - k, g), LOSS_OK);
        }
    }
    assert_int_equal(ask(optimizer), LOSS_REQUEST_HELD_OUT_VALUE);
    loss_optimizer_stop(optimizer);
    assert_int_equal(ask(optimizer), LOSS_REQUEST_DONE);
    assert_int_equal(loss_optimizer_get_pointer(optimizer, "best_x", (const void **)&best), LOSS_OK);
    assert_same_bits(best, start, LOSS_FLOAT64, 2);
    assert_close(get_double(optimizer, "value"), 4.0, 0.0, 0.0);
    assert_int_equal(loss_optimizer_start(optimizer, start), LOSS_OK); /* a NaN is no held-out value */
    assert_int_equal(ask(optimizer), LOSS_REQUEST_VALUE_AND_GRADIENT);
    assert_int_equal(loss_optimizer_tell_gradient(optimizer, 4.0, g), LOSS_OK);
    assert_int_equal(ask(optimizer), LOSS_REQUEST_HELD_OUT_VALUE);
    assert_int_equal(loss_optimizer_tell_value(optimizer, NAN), LOSS_OK);
    assert_int_equal(ask(optimizer), LOSS_REQUEST_DONE);
    assert_int_equal(outcome(optimizer), LOSS_ERROR_NONFINITE);
    loss_optimizer_free(optimizer);
    loss_context_free(context);
}

/* Bears 2 evaluations without improvement, the third halves the rate; not below a fifth. */
static void a_plateau_lowers_the_learning_rate(void **unused)
{
    static const double values[] = {5.0, 4.0, 4.0, 4.5, 4.0, 3.0, 3.0, 3.0,
                                    3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0};
    static const double factors[] = {1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.2, 0.2, 0.2};
    static const double start[2] = {0.625, -1.5};
    loss_context *context = context_create();
    loss_optimizer *optimizer = stochastic_create(context, "sgd",
                                                  "samples=4 batch_size=4 epochs=14 schedule=plateau "
                                                  "plateau_patience=2 decay_factor=0.5 final_factor=0.2 "
                                                  "learning_rate=0.3",
                                                  LOSS_FLOAT64, 2);
    double g[2] = {0.5, -0.25};
    int evaluations = 0, batches = 0;
    (void)unused;
    assert_int_equal(loss_optimizer_start(optimizer, start), LOSS_OK);
    for (int32_t request; (request = ask(optimizer)) != LOSS_REQUEST_DONE;) {
        double value = request == LOSS_REQUEST_VALUE_AND_GRADIENT ? values[evaluations++] : 1.0;
        assert_int_equal(loss_optimizer_tell_gradient(optimizer, value, g), LOSS_OK);
        if (request == LOSS_REQUEST_BATCH_GRADIENT) {
            assert_close(get_double(optimizer, "step"), 0.3 * factors[batches++], 1e-15, 0.0);
        }
    }
    assert_int_equal(batches, 14);
    loss_optimizer_free(optimizer);
    loss_context_free(context);
}

/* ---- held-out data of minimize ---- */

typedef struct sum {
    double target;
    int64_t calls;
} sum;

static int32_t evaluate_sum(void *user, int64_t n, const void *x, double *value, void *gradient)
{
    sum *s = user;
    s->calls++;
    *value = 0.0;
    for (int64_t i = 0; i < n; i++) {
        double d = ((const double *)x)[i] - s->target;
        *value += 0.5 * d * d;
        if (gradient != NULL) {
            ((double *)gradient)[i] = d;
        }
    }
    return 0;
}

static int32_t evaluate_batch(void *user, int64_t n, const void *x, int64_t count, const int64_t *indices,
                              double *value, void *gradient)
{
    (void)count;
    (void)indices;
    return evaluate_sum(user, n, x, value, gradient);
}

static loss_objective *sum_objective(loss_context *context, loss_dtype dtype, int64_t n, sum *s)
{
    loss_objective *objective = NULL;
    assert_status(context,
                  loss_objective_create_callback(&objective, context, dtype, n, evaluate_sum, NULL, s),
                  LOSS_OK);
    assert_status(context, loss_objective_set_batch_callback(objective, 8, evaluate_batch), LOSS_OK);
    return objective;
}

/* From 0 towards 2.385 past the held-out 1.5: the point nearest to that comes back. */
static void minimize_evaluates_the_held_out_objective(void **unused)
{
    loss_context *context = context_create();
    sum training = {.target = 2.385}, other = {.target = 1.5};
    loss_objective *objective = sum_objective(context, LOSS_FLOAT64, 3, &training);
    loss_objective *held_out = sum_objective(context, LOSS_FLOAT64, 3, &other);
    loss_objective *narrow = sum_objective(context, LOSS_FLOAT32, 3, &other);
    loss_objective *longer = sum_objective(context, LOSS_FLOAT64, 4, &other);
    loss_optimizer *optimizer = stochastic_create(
        context, "sgd", "momentum=0 learning_rate=0.05 batch_size=8 patience=4 held_out=1", LOSS_FLOAT64, 3);
    loss_optimizer *lbfgs = stochastic_create(context, "lbfgs", "", LOSS_FLOAT64, 3);
    double x[3] = {0.0, 0.0, 0.0};
    (void)unused;
    assert_int_equal(loss_optimizer_minimize(optimizer, objective, x), LOSS_ERROR_STATE);
    assert_sentence(context, "loss_optimizer_set_held_out");
    assert_int_equal(loss_optimizer_set_held_out(NULL, held_out), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_optimizer_set_held_out(optimizer, narrow), LOSS_ERROR_TYPE);
    assert_int_equal(loss_optimizer_set_held_out(optimizer, longer), LOSS_ERROR_SHAPE);
    assert_int_equal(loss_optimizer_set_held_out(lbfgs, held_out), LOSS_ERROR_SUPPORT);
    assert_int_equal(loss_optimizer_set_held_out(optimizer, held_out), LOSS_OK);
    assert_int_equal(loss_optimizer_set_held_out(optimizer, held_out), LOSS_OK);
    loss_objective_free(held_out); /* the optimizer holds it */
    assert_int_equal(loss_optimizer_minimize(optimizer, objective, x), LOSS_STOP_VALUE);
    assert_string_equal(test_name(optimizer), "patience");
    for (int i = 0; i < 3; i++) {
        assert_close(x[i], 1.5, 0.0, 0.05 * 0.885 / 2.0); /* half a step */
    }
    assert_int_equal(other.calls, get_int(optimizer, "epoch") + 1);
    assert_int_equal(loss_optimizer_set_held_out(optimizer, NULL), LOSS_OK);
    assert_int_equal(loss_optimizer_minimize(optimizer, objective, x), LOSS_ERROR_STATE);
    loss_optimizer_free(optimizer);
    loss_optimizer_free(lbfgs);
    loss_objective_free(narrow);
    loss_objective_free(longer);
    loss_objective_free(objective);
    loss_context_free(context);
}

/* ---- seeds ---- */

static uint64_t digest(loss_context *context, const char *name, int64_t seed)
{
    loss_optimizer *optimizer = stochastic_create(context, name, "samples=103 batch_size=10 epochs=3",
                                                  LOSS_FLOAT64, logistic.n);
    assert_int_equal(loss_optimizer_set_int(optimizer, "seed", seed), LOSS_OK);
    uint64_t result = start_and_run(optimizer, &logistic, LOSS_FLOAT64, NULL).digest;
    loss_optimizer_free(optimizer);
    return result;
}

static void a_seed_gives_the_same_run_and_another_another(void **unused)
{
    loss_context *context = context_create();
    (void)unused;
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        const char *name = loss_optimizer_catalogue_name(i);
        if (is_stochastic(name)) {
            assert_true(digest(context, name, 17) == digest(context, name, 17));
            assert_true(digest(context, name, 17) != digest(context, name, 18));
        }
    }
    loss_context_free(context);
}

/* Steps too long for f at first, and then far too short for so large an x: that f stands there is no precision reached. */
static void a_run_gone_astray_is_not_at_its_precision(void **unused)
{
    const double x0 = 0.0;
    loss_context *context = context_create();
    loss_optimizer *optimizer = stochastic_create(context, "radam", "samples=64 batch_size=32 epochs=60",
                                                  LOSS_FLOAT64, 1);
    (void)unused;
    assert_int_equal(loss_optimizer_start(optimizer, &x0), LOSS_OK);
    while (ask(optimizer) != LOSS_REQUEST_DONE) {
        const void *x = NULL;
        assert_int_equal(loss_optimizer_get_pointer(optimizer, "x", &x), LOSS_OK);
        double way = *(const double *)x - 1.0, gradient = 2.385e6 * way;
        assert_int_equal(loss_optimizer_tell_gradient(optimizer, 0.5 * gradient * way, &gradient), LOSS_OK);
    }
    assert_int_equal(outcome(optimizer), LOSS_STOP_ITERATIONS);
    assert_string_equal(test_name(optimizer), "epochs");
    loss_optimizer_free(optimizer);
    loss_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schedules_follow_their_formulas),
        cmocka_unit_test(clipping_cuts_values_first_and_then_the_norm),
        cmocka_unit_test(a_bad_batch_ends_the_run_with_the_best_point),
        cmocka_unit_test(the_mean_is_evaluated_and_returned),
        cmocka_unit_test(averaging_comes_closer),
        cmocka_unit_test(patience_ends_a_run_that_no_longer_improves),
        cmocka_unit_test(the_held_out_value_decides_when_it_is_asked_for),
        cmocka_unit_test(a_stop_before_the_held_out_value_keeps_the_best),
        cmocka_unit_test(a_plateau_lowers_the_learning_rate),
        cmocka_unit_test(minimize_evaluates_the_held_out_objective),
        cmocka_unit_test(a_seed_gives_the_same_run_and_another_another),
        cmocka_unit_test(a_run_gone_astray_is_not_at_its_precision),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
