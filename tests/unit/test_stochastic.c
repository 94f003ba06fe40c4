/*
 * Stochastic methods against their formulas: every row of a table runs a method in both element types, step by step,
 * beside a reference in plain double arithmetic.
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "optimizer_run.h"
#include "stochastic.h"
#include "support/check.h"

/* 2 numbers, a 3 × 5 matrix, 3 numbers, a 4 × 2 matrix, 3 numbers. */
enum { N = 31, STEPS = 12, PARTS = 5 };
static const reference_part parts[PARTS] = {
    {0, 1, 2, 0.0}, {2, 3, 5, 0.0}, {17, 1, 3, 0.0}, {20, 4, 2, 0.0}, {28, 1, 3, 0.0}};

static loss_context *context_create(void)
{
    loss_context *context = NULL;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    return context;
}

static const struct {
    const char *name, *settings;
    int32_t segments;
    /* Roundings of a step that a parameter may keep, in spacings at the largest number about: counted generously for the
     * elementwise methods; five Newton–Schulz steps multiply what is small by up to 3.4445⁵ = 485. */
    double roundings;
} cases[] = {
    {"sgd", "momentum=0", 0, 8},
    {"sgd", "momentum=0.6 dampening=0.3", 0, 8},
    {"sgd", "momentum=0.6 nesterov=1 weight_decay=0.07 learning_rate=0.03", 0, 8},
    {"adagrad", "learning_rate=0.3", 0, 8},
    {"adagrad", "initial_accumulator=0.4 epsilon=0.01 weight_decay=0.1", 0, 8},
    {"adadelta", "", 0, 8},
    {"adadelta", "learning_rate=2.5 rho=0.8 epsilon=1e-3 weight_decay=0.2", 0, 8},
    {"rmsprop", "", 0, 8},
    {"rmsprop", "momentum=0.7 weight_decay=0.1", 0, 8},
    {"rmsprop", "centered=1 rho=0.8 epsilon=0.25", 0, 8},
    {"rmsprop", "centered=1 momentum=0.4 rho=0.9 epsilon=0.05 epsilon_inside=1", 0, 8},
    {"adam", "", 0, 8},
    {"adam", "amsgrad=1 beta2=0.4 learning_rate=0.02 weight_decay=0.1", 0, 8},
    {"adamw", "learning_rate=0.05 weight_decay=0.3 beta1=0.7 epsilon=1e-3", 0, 8},
    {"adamw", "amsgrad=1 beta2=0.5", 0, 8},
    {"nadam", "", 0, 8},
    {"nadam", "momentum_decay=0.3 weight_decay=0.1 decoupled=1 learning_rate=0.04", 0, 8},
    {"radam", "", 0, 8},
    {"radam", "beta2=0.9 weight_decay=0.2 learning_rate=0.03", 0, 8},
    {"radam", "decoupled=1 weight_decay=0.2", 0, 8},
    {"lion", "", 0, 8},
    {"lion", "learning_rate=0.02 beta1=0.8 beta2=0.95 weight_decay=0.4", 0, 8},
    {"adafactor", "", 0, 16},
    {"adafactor", "", 1, 16},
    {"adafactor", "learning_rate=0.4 decay_rate=0.6 clip_threshold=0.7 weight_decay=0.3 epsilon_scale=0.2", 1,
     16},
    {"muon", "", 0, 8},
    {"muon", "", 1, 4 * 485},
    {"muon", "learning_rate=0.05 momentum=0.8 nesterov=0 newton_schulz_iterations=3 adamw_learning_rate=0.02",
     1, 4 * 485},
};

static void add_segments(loss_context *context, loss_optimizer *optimizer)
{
    assert_status(context, loss_optimizer_add_segment(optimizer, "wide", 2, 3, 5), LOSS_OK);
    assert_status(context, loss_optimizer_add_segment(optimizer, "tall", 20, 4, 2), LOSS_OK);
}

/* The reference's step of everything: of the whole vector, or part by part. */
static void refer(const loss_optimizer *optimizer, loss_dtype dtype, int32_t segments, int64_t t, double *x,
                  double s[REFERENCE_STATE][N])
{
    static const reference_part whole = {0, 1, N, 0.0};
    double g[N];
    for (int64_t i = 0; i < N; i++) {
        g[i] = stochastic_gradient(t, i);
    }
    for (int k = 0; k < (segments ? PARTS : 1); k++) {
        reference_part part = segments ? parts[k] : whole;
        double *state[REFERENCE_STATE] = {s[0] + part.offset, s[1] + part.offset, s[2] + part.offset};
        part.epsilon = dtype == LOSS_FLOAT64 ? DBL_EPSILON : (double)FLT_EPSILON;
        reference_for(loss_optimizer_name(optimizer))(optimizer, part, t, g + part.offset, x + part.offset,
                                                      state);
    }
}

static void run_case(loss_context *context, size_t k, loss_dtype dtype)
{
    loss_optimizer *optimizer = stochastic_create(context, cases[k].name, "samples=1000 batch_size=1", dtype,
                                                  N);
    double x[N], s[REFERENCE_STATE][N] = {{0}}, epsilon = dtype == LOSS_FLOAT64 ? DBL_EPSILON : FLT_EPSILON;
    void *start = stochastic_start_vector(dtype, N);
    double g[N];
    int32_t request = 0;
    stochastic_set(context, optimizer, cases[k].settings);
    if (cases[k].segments) {
        add_segments(context, optimizer);
    }
    assert_status(context, loss_optimizer_start(optimizer, start), LOSS_OK);
    stochastic_feed(optimizer, dtype, N, 0);
    for (int64_t i = 0; i < N; i++) {
        x[i] = stochastic_start(i);
    }
    for (int64_t t = 1; t <= STEPS; t++) {
        assert_int_equal(loss_optimizer_ask(optimizer, &request), LOSS_OK);
        assert_int_equal(request, LOSS_REQUEST_BATCH_GRADIENT);
        for (int64_t i = 0; i < N; i++) {
            set_element(g, dtype, i, stochastic_gradient(t, i));
        }
        assert_int_equal(loss_optimizer_tell_gradient(optimizer, 0.5, g), LOSS_OK);
        refer(optimizer, dtype, cases[k].segments, t, x, s);
        assert_int_equal(loss_optimizer_ask(optimizer, &request), LOSS_OK);
        for (int64_t i = 0; i < N; i++) {
            double bound = (double)t * cases[k].roundings * epsilon * fmax(2.0, fabs(x[i]));
            double is = element(stochastic_x(optimizer), dtype, i);
            if (!(fabs(is - x[i]) <= bound)) {
                fail_msg("%s %s in %s, step %d, x[%d]: %.17g, not %.17g (± %g)", cases[k].name,
                         cases[k].settings, loss_dtype_name(dtype), (int)t, (int)i, is, x[i], bound);
            }
        }
    }
    free(start);
    loss_optimizer_free(optimizer);
}

static void steps_follow_their_formulas(void **unused)
{
    loss_context *context = context_create();
    (void)unused;
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        run_case(context, k, LOSS_FLOAT64);
        run_case(context, k, LOSS_FLOAT32);
    }
    loss_context_free(context);
}

/* Every method of the family is in the table, or has a test of its own below. */
static void every_method_has_a_reference(void **unused)
{
    (void)unused;
    for (int32_t i = 0; i < loss_optimizer_catalogue_count(); i++) {
        const char *name = loss_optimizer_catalogue_name(i);
        int32_t found = !is_stochastic(name) || strcmp(name, "svrg") == 0 || strcmp(name, "saga") == 0;
        for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
            found |= strcmp(cases[k].name, name) == 0;
        }
        if (!found) {
            fail_msg("%s has no row in the table", name);
        }
    }
}

/* Momentum is a share of 1 at most, and a mean of squares must forget: what an expert would expect to be refused is. */
static void bad_options_are_refused(void **unused)
{
    static const struct {
        const char *name, *option;
        double value;
    } bad[] = {{"sgd", "momentum", 1.01},       {"sgd", "learning_rate", -0.1},
               {"sgd", "weight_decay", -1e-9},  {"sgd", "clip_norm", -1.0},
               {"adam", "beta1", 1.0},          {"adam", "beta2", 1.0},
               {"adam", "epsilon", -1e-8},      {"rmsprop", "rho", 1.0},
               {"lion", "beta2", -0.1},         {"adafactor", "clip_threshold", 0.0},
               {"sgd", "decay_factor", 1.1},    {"sgd", "decay_every", 0.0},
               {"sgd", "averaging_decay", 1.5}, {"sgd", "improvement", -0.1},
               {"sgd", "warmup", -1.0}};
    loss_context *context = context_create();
    (void)unused;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        loss_optimizer *optimizer = stochastic_create(context, bad[i].name, "", LOSS_FLOAT64, 3);
        double before = stochastic_option(optimizer, bad[i].option);
        assert_int_equal(loss_optimizer_set_double(optimizer, bad[i].option, bad[i].value), LOSS_ERROR_RANGE);
        assert_int_equal(loss_optimizer_set_double(optimizer, bad[i].option, NAN), LOSS_ERROR_RANGE);
        assert_close(stochastic_option(optimizer, bad[i].option), before, 0.0, 0.0);
        loss_optimizer_free(optimizer);
    }
    loss_context_free(context);
}

/* ---- finite sums: f_i(x) = a_i/2·Σ_k (x_k − c_ik)², 5 samples in batches of 2 ---- */

enum { SAMPLES = 5, BATCH = 2, DIMENSION = 3 };

static double component(int64_t i, int k, double x)
{
    return (0.3 + 0.2 * (double)i) * (x - (0.7 * (double)i - 0.4 * k));
}

static void mean_gradient(const double *x, int64_t count, const int64_t *indices, double *g)
{
    for (int k = 0; k < DIMENSION; k++) {
        g[k] = 0.0;
        for (int64_t j = 0; j < count; j++) {
            g[k] += component(indices == NULL ? j : indices[j], k, x[k]) / (double)count;
        }
    }
}

/* Answers a request, and says what was asked. */
static int32_t answer_sum(loss_optimizer *optimizer, double *x, int64_t *indices, int64_t *count)
{
    int32_t request = 0;
    double g[DIMENSION];
    const int64_t *asked = NULL;
    assert_int_equal(loss_optimizer_ask(optimizer, &request), LOSS_OK);
    if (request == LOSS_REQUEST_DONE) {
        return request;
    }
    memcpy(x, stochastic_x(optimizer), DIMENSION * sizeof *x);
    *count = SAMPLES;
    if (request == LOSS_REQUEST_BATCH_GRADIENT) {
        assert_int_equal(loss_optimizer_get_pointer(optimizer, "indices", (const void **)&asked), LOSS_OK);
        *count = get_int(optimizer, "indices_count");
        memcpy(indices, asked, (size_t)*count * sizeof *indices);
    }
    mean_gradient(x, *count, asked, g);
    assert_int_equal(loss_optimizer_tell_gradient(optimizer, 1.5, g), LOSS_OK);
    return request;
}

static void assert_at(const double *x, const double *expected)
{
    for (int k = 0; k < DIMENSION; k++) {
        assert_close(x[k], expected[k], 0.0, 1e-13);
    }
}

static void svrg_corrects_by_the_snapshot(void **unused)
{
    static const double start[DIMENSION] = {2.385, -1.1, 0.6}, rate = 0.21;
    loss_context *context = context_create();
    loss_optimizer *optimizer = stochastic_create(
        context, "svrg", "samples=5 batch_size=2 epochs=6 evaluate_every=2 learning_rate=0.21", LOSS_FLOAT64,
        DIMENSION);
    double moving[DIMENSION], snapshot[DIMENSION], whole[DIMENSION], x[DIMENSION], g[DIMENSION],
        old[DIMENSION];
    int64_t indices[SAMPLES], again[SAMPLES], count = 0, batches = 0;
    (void)unused;
    memcpy(moving, start, sizeof moving);
    assert_int_equal(loss_optimizer_start(optimizer, start), LOSS_OK);
    for (int32_t request; (request = answer_sum(optimizer, x, indices, &count)) != LOSS_REQUEST_DONE;) {
        if (request == LOSS_REQUEST_VALUE_AND_GRADIENT) { /* the iterate is the next snapshot */
            assert_at(x, moving);
            memcpy(snapshot, x, sizeof snapshot);
            mean_gradient(x, SAMPLES, NULL, whole);
            continue;
        }
        assert_at(x, snapshot); /* first there, then where it moves: the same samples */
        assert_int_equal(answer_sum(optimizer, x, again, &count), LOSS_REQUEST_BATCH_GRADIENT);
        assert_memory_equal(indices, again, (size_t)count * sizeof *indices);
        assert_at(x, moving);
        mean_gradient(moving, count, indices, g);
        mean_gradient(snapshot, count, indices, old);
        for (int k = 0; k < DIMENSION; k++) {
            moving[k] -= rate * (g[k] - old[k] + whole[k]);
        }
        batches++;
    }
    assert_int_equal(batches, 6 * 3);
    assert_int_equal(get_int(optimizer, "batches"), 2 * batches);
    loss_optimizer_free(optimizer);
    loss_context_free(context);
}

static void saga_corrects_by_its_table(void **unused)
{
    static const double start[DIMENSION] = {2.385, -1.1, 0.6}, rate = 0.17;
    loss_context *context = context_create();
    loss_optimizer *optimizer = stochastic_create(
        context, "saga", "samples=5 batch_size=2 epochs=7 learning_rate=0.17 evaluate_every=3", LOSS_FLOAT64,
        DIMENSION);
    double moving[DIMENSION], x[DIMENSION], g[DIMENSION], table[SAMPLES][DIMENSION], mean[DIMENSION] = {0};
    int64_t partition[3][BATCH], indices[SAMPLES], count = 0;
    int filled = 0, steps = 0;
    (void)unused;
    memcpy(moving, start, sizeof moving);
    assert_int_equal(loss_optimizer_start(optimizer, start), LOSS_OK);
    for (int32_t request; (request = answer_sum(optimizer, x, indices, &count)) != LOSS_REQUEST_DONE;) {
        assert_at(x, moving);
        if (request == LOSS_REQUEST_VALUE_AND_GRADIENT) {
            continue;
        }
        double share = (double)count / SAMPLES;
        mean_gradient(moving, count, indices, g);
        if (filled < 3) { /* batch by batch at the start */
            assert_int_equal(count, filled < 2 ? 2 : 1);
            memcpy(partition[filled], indices, (size_t)count * sizeof *indices);
            memcpy(table[filled++], g, sizeof g);
            for (int k = 0; k < DIMENSION; k++) {
                mean[k] += share * g[k];
            }
            continue;
        }
        int j = 0; /* the batches stay what they were */
        while (j < 3 && partition[j][0] != indices[0]) {
            j++;
        }
        assert_true(j < 3 && memcmp(partition[j], indices, (size_t)count * sizeof *indices) == 0);
        for (int k = 0; k < DIMENSION; k++) {
            double d = g[k] - table[j][k];
            moving[k] -= rate * (share * 3.0 * d + mean[k]);
            mean[k] += share * d;
            table[j][k] = g[k];
        }
        steps++;
    }
    assert_int_equal(steps, 7 * 3);
    loss_optimizer_free(optimizer);
    loss_context_free(context);
}

/* With the variance gone a constant step converges: to the minimum itself, not to its neighbourhood. */
static void corrected_gradients_converge_with_a_constant_step(void **unused)
{
    static const char *const names[] = {"svrg", "saga", "saga"};
    static const char *const more[] = {"batch_size=8", "batch_size=8", "batch_size=1 learning_rate=0.05"};
    loss_context *context = context_create();
    (void)unused;
    for (int k = 0; k < 3; k++) {
        loss_optimizer *optimizer = stochastic_create(
            context, names[k], "samples=103 epochs=400 learning_rate=0.1", LOSS_FLOAT64, logistic.n);
        stochastic_set(context, optimizer, more[k]);
        assert_int_equal(LOGISTIC_SAMPLES, 103);
        run_result result = start_and_run(optimizer, &logistic, LOSS_FLOAT64, NULL);
        assert_int_equal(result.outcome, LOSS_STOP_GRADIENT);
        assert_close(get_double(optimizer, "value"), logistic.minimum, 1e-10, 0.0);
        loss_optimizer_free(optimizer);
    }
    loss_context_free(context);
}

/* ---- the same bits ---- */

enum { LARGE = 70001 };

static void large_run(const char *name, loss_dtype dtype, const char *isa, int64_t threads, void *x)
{
    loss_context *context = context_create();
    assert_int_equal(loss_context_set_string(context, "isa", isa), LOSS_OK);
    assert_int_equal(loss_context_set_int(context, "threads", threads), LOSS_OK);
    loss_optimizer *optimizer = stochastic_create(context, name, "samples=20 batch_size=8 clip_norm=5", dtype,
                                                  LARGE);
    assert_status(context, loss_optimizer_add_segment(optimizer, "wide", 1, 41, 517), LOSS_OK);
    assert_status(context, loss_optimizer_add_segment(optimizer, "tall", 22000, 701, 67), LOSS_OK);
    void *start = stochastic_start_vector(dtype, LARGE);
    assert_status(context, loss_optimizer_start(optimizer, start), LOSS_OK);
    stochastic_feed(optimizer, dtype, LARGE, 4);
    memcpy(x, stochastic_x(optimizer), (size_t)LARGE * (dtype == LOSS_FLOAT64 ? 8 : 4));
    free(start);
    loss_optimizer_free(optimizer);
    loss_context_free(context);
}

static void large_vectors_have_the_same_bits_everywhere(void **unused)
{
    loss_context *context = context_create();
    void *expected = calloc(LARGE, 8), *x = calloc(LARGE, 8);
    (void)unused;
    assert_true(expected != NULL && x != NULL);
    for (int32_t i = 0; i < 2 * loss_optimizer_catalogue_count(); i++) {
        const char *name = loss_optimizer_catalogue_name(i / 2);
        loss_dtype dtype = i % 2 == 0 ? LOSS_FLOAT32 : LOSS_FLOAT64;
        if (!is_stochastic(name)) {
            continue;
        }
        large_run(name, dtype, "base", 1, expected);
        for (int32_t isa = 0; isa < loss_context_isa_count(context); isa++) {
            large_run(name, dtype, loss_context_isa_name(context, isa), 3, x);
            assert_same_bits(x, expected, dtype, LARGE);
        }
    }
    free(expected);
    free(x);
    loss_context_free(context);
}

/* ---- standing still ---- */

static void what_does_not_move_runs_to_its_last_epoch(void **unused)
{
    static const struct {
        const char *name, *settings;
    } still[] = {{"sgd", "learning_rate=0"},
                 {"adam", "learning_rate=0"},
                 {"sgd", "clip_norm=0"},
                 {"lion", "clip_value=0 weight_decay=0"},
                 {"saga", "learning_rate=0"},
                 {"svrg", "learning_rate=0"},
                 {"adadelta", "learning_rate=1e-200"},
                 {"sgd", "learning_rate=0 averaging=exponential"}};
    loss_context *context = context_create();
    (void)unused;
    for (size_t k = 0; k < sizeof still / sizeof still[0]; k++) {
        for (int which = 0; which < 2; which++) {
            loss_dtype dtype = which == 0 ? LOSS_FLOAT64 : LOSS_FLOAT32;
            loss_optimizer *optimizer = stochastic_create(
                context, still[k].name, "samples=103 batch_size=40 epochs=37", dtype, logistic.n);
            stochastic_set(context, optimizer, still[k].settings);
            run_result result = start_and_run(optimizer, &logistic, dtype, NULL);
            const char *test = NULL;
            assert_int_equal(result.outcome, LOSS_STOP_ITERATIONS);
            assert_int_equal(get_int(optimizer, "epoch"), 37);
            assert_int_equal(loss_optimizer_get_string(optimizer, "test", &test), LOSS_OK);
            assert_string_equal(test, "epochs");
            loss_optimizer_free(optimizer);
        }
    }
    loss_context_free(context);
}

/* Derivatives whose squares overflow would hold their parameters where they are for good. */
static void squares_that_overflow_are_an_error(void **unused)
{
    static const char *const names[] = {"adadelta", "adagrad", "adam",  "adamw",
                                        "muon",     "nadam",   "radam", "rmsprop"};
    loss_context *context = context_create();
    (void)unused;
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        for (int which = 0; which < 4; which++) {
            loss_dtype dtype = which % 2 == 0 ? LOSS_FLOAT64 : LOSS_FLOAT32;
            loss_optimizer *optimizer = stochastic_create(context, names[k],
                                                          "samples=103 batch_size=40 epochs=3", dtype, 2);
            const double large = dtype == LOSS_FLOAT64 ? 1e180 : 1e28, start[2] = {0.625, -1.5};
            char x0[2 * sizeof(double)], g[2 * sizeof(double)];
            loss_status outcome = LOSS_OK;
            int32_t request = 0;
            if (which >= 2) { /* as the sentence says */
                stochastic_set(context, optimizer, "clip_value=10");
            }
            for (int i = 0; i < 2; i++) {
                set_element(x0, dtype, i, start[i]);
                set_element(g, dtype, i, i == 0 ? -1.7 : large);
            }
            assert_int_equal(loss_optimizer_start(optimizer, x0), LOSS_OK);
            while (loss_optimizer_ask(optimizer, &request) == LOSS_OK && request != LOSS_REQUEST_DONE) {
                assert_int_equal(loss_optimizer_tell_gradient(optimizer, 2.5, g), LOSS_OK);
            }
            assert_int_equal(loss_optimizer_outcome(optimizer, &outcome), LOSS_OK);
            assert_int_equal(outcome, which < 2 ? LOSS_ERROR_NONFINITE : LOSS_STOP_ITERATIONS);
            if (which < 2) {
                assert_sentence(context, "squares of derivatives");
                assert_sentence(context, "'clip_value'");
            }
            loss_optimizer_free(optimizer);
        }
    }
    loss_context_free(context);
}

/* Three batches of muon on a matrix, with gradients times a factor; 0 leaves the matrix where it is. */
static void move_matrix(loss_context *context, loss_dtype dtype, double factor, double *end)
{
    loss_optimizer *optimizer = stochastic_create(
        context, "muon",
        "samples=3 epochs=1 batch_size=1 learning_rate=0.1 weight_decay=0 "
        "evaluate_every=0 gradient_tolerance=0",
        dtype, 6);
    const double slopes[6] = {1.0, 2.0, 3.0, -1.0, 0.5, -2.5};
    char x0[6 * sizeof(double)], g[6 * sizeof(double)];
    const void *x = NULL;
    loss_status outcome = LOSS_OK;
    int32_t request = 0;
    for (int i = 0; i < 6; i++) {
        set_element(x0, dtype, i, 1.0);
        set_element(g, dtype, i, factor * slopes[i]);
    }
    assert_int_equal(loss_optimizer_add_segment(optimizer, "matrix", 0, 3, 2), LOSS_OK);
    assert_int_equal(loss_optimizer_start(optimizer, x0), LOSS_OK);
    for (int k = 0; loss_optimizer_ask(optimizer, &request) == LOSS_OK && request != LOSS_REQUEST_DONE; k++) {
        /* f itself has a gradient that is not 0, or the run would be over */
        const void *told = request == LOSS_REQUEST_BATCH_GRADIENT ? (const void *)g : x0;
        assert_int_equal(loss_optimizer_tell_gradient(optimizer, 2.5 - k, told), LOSS_OK);
    }
    assert_int_equal(loss_optimizer_outcome(optimizer, &outcome), LOSS_OK);
    assert_int_equal(outcome, LOSS_STOP_ITERATIONS);
    assert_int_equal(loss_optimizer_get_pointer(optimizer, "best_x", &x), LOSS_OK);
    for (int i = 0; i < 6; i++) {
        end[i] = dtype == LOSS_FLOAT64 ? ((const double *)x)[i] : (double)((const float *)x)[i];
    }
    loss_optimizer_free(optimizer);
}

/* The step of a matrix knows no units of f: powers of two change nothing, up to numbers whose squares are none. */
static void matrices_move_alike_in_any_units(void **unused)
{
    static const double factors[][4] = {{0x1p660, 0x1p-660, 0x1p-40, 0x1p1020},
                                        {0x1p120, 0x1p-120, 0x1p-40, 0x1p90}};
    loss_context *context = context_create();
    (void)unused;
    for (int which = 0; which < 2; which++) {
        const loss_dtype dtype = which == 0 ? LOSS_FLOAT64 : LOSS_FLOAT32;
        double plain[6], end[6];
        move_matrix(context, dtype, 1.0, plain);
        assert_true(fabs(plain[0] - 1.0) > 0.05);
        for (int k = 0; k < 4; k++) {
            move_matrix(context, dtype, factors[which][k], end);
            assert_memory_equal(end, plain, sizeof end);
        }
        move_matrix(context, dtype, 0.0, end);
        for (int i = 0; i < 6; i++) {
            assert_true(end[i] == 1.0);
        }
    }
    loss_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_follow_their_formulas),
        cmocka_unit_test(every_method_has_a_reference),
        cmocka_unit_test(bad_options_are_refused),
        cmocka_unit_test(svrg_corrects_by_the_snapshot),
        cmocka_unit_test(saga_corrects_by_its_table),
        cmocka_unit_test(corrected_gradients_converge_with_a_constant_step),
        cmocka_unit_test(what_does_not_move_runs_to_its_last_epoch),
        cmocka_unit_test(squares_that_overflow_are_an_error),
        cmocka_unit_test(matrices_move_alike_in_any_units),
        cmocka_unit_test(large_vectors_have_the_same_bits_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
