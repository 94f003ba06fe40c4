/* Preconditioners of first-order methods: good ones, bad ones, and L-BFGS with one against the BFGS matrix. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "optimizer_run.h"
#include "support/check.h"

static const char *const names[] = {"conjugate_gradient", "lbfgs"};
enum { NAMES = sizeof names / sizeof names[0] };

/* Another optimizer that goes on from a checkpoint of this one, whose options come with it. */
static loss_optimizer *handed_over(loss_context *context, loss_optimizer *optimizer, const char *name,
                                   int64_t n)
{
    loss_optimizer *next = NULL;
    const int64_t size = loss_optimizer_save_size(optimizer);
    void *blob = malloc((size_t)size);
    assert_non_null(blob);
    assert_status(context, loss_optimizer_save(optimizer, blob, size), LOSS_OK);
    assert_status(context, loss_optimizer_create(&next, context, name, LOSS_FLOAT64, n), LOSS_OK);
    assert_status(context, loss_optimizer_load(next, blob, size), LOSS_OK);
    loss_optimizer_free(optimizer);
    free(blob);
    return next;
}

/* What a caller may answer; factor 1 is the exact inverse of the quadratic's Hessian. Relayed: by a new optimizer at every ask. */
static run_result run_preconditioned(const char *name, const problem *p, double factor, int relayed,
                                     double *value)
{
    run_result result = {.outcome = LOSS_OK};
    loss_context *context = NULL;
    loss_optimizer *optimizer = NULL;
    int32_t request = 0;
    double *g = calloc((size_t)p->n, sizeof *g), *z = calloc((size_t)p->n, sizeof *z);
    void *x0 = starting_point(p, LOSS_FLOAT64);
    assert_true(g != NULL && z != NULL);
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    assert_int_equal(loss_optimizer_create(&optimizer, context, name, LOSS_FLOAT64, p->n), LOSS_OK);
    assert_int_equal(loss_optimizer_set_string(optimizer, "preconditioner", "user"), LOSS_OK);
    assert_int_equal(loss_optimizer_start(optimizer, x0), LOSS_OK);
    while (loss_optimizer_ask(optimizer, &request) == LOSS_OK && request != LOSS_REQUEST_DONE) {
        const double *x = NULL, *direction = NULL;
        optimizer = relayed ? handed_over(context, optimizer, name, p->n) : optimizer;
        result.answers += request != LOSS_REQUEST_PRECONDITION;
        assert_int_equal(loss_optimizer_get_pointer(optimizer, "x", (const void **)&x), LOSS_OK);
        if (request == LOSS_REQUEST_PRECONDITION) {
            assert_int_equal(loss_optimizer_get_pointer(optimizer, "direction", (const void **)&direction),
                             LOSS_OK);
            for (int64_t i = 0; i < p->n; i++) {
                z[i] = factor * direction[i] / pow(1e4, (double)i / (double)(p->n - 1));
            }
            assert_int_equal(loss_optimizer_tell_vector(optimizer, z), LOSS_OK);
        } else if (request == LOSS_REQUEST_VALUE) {
            assert_int_equal(loss_optimizer_tell_value(optimizer, p->evaluate(p->n, x, g)), LOSS_OK);
        } else {
            double f = p->evaluate(p->n, x, g);
            assert_int_equal(loss_optimizer_tell_gradient(optimizer, f, g), LOSS_OK);
        }
    }
    assert_int_equal(loss_optimizer_outcome(optimizer, &result.outcome), LOSS_OK);
    *value = get_double(optimizer, "value");
    loss_optimizer_free(optimizer);
    loss_context_free(context);
    free(x0);
    free(g);
    free(z);
    return result;
}

static void a_good_preconditioner_makes_it_short(void **unused)
{
    (void)unused;
    static const double factors[] = {1e-150, 1e-40, 1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0, 1e3, 1e40, 1e150};
    const size_t count = sizeof factors / sizeof factors[0];
    for (size_t i = 0; i < NAMES * count; i++) {
        double value = NAN;
        run_result result = run_preconditioned(names[i / count], &quadratic, factors[i % count], 0, &value);
        assert_int_equal(result.outcome, LOSS_STOP_GRADIENT);
        assert_close(value, 0.0, 0.0, 1e-10);
        assert_in_range(result.answers, 1, 20); /* about a thousand without */
    }
}

static void a_bad_preconditioner_is_not_followed(void **unused)
{
    static const double factors[] = {0.0, -1.0, (double)NAN, (double)INFINITY};
    static const problem *const problems[] = {&rosenbrock, &beale, &cosh_sum};
    (void)unused;
    const size_t count = sizeof factors / sizeof factors[0];
    for (size_t i = 0; i < NAMES * count; i++) {
        for (int k = 0; k < 3; k++) {
            double value = NAN;
            run_result result = run_preconditioned(names[i / count], problems[k], factors[i % count], 0,
                                                   &value);
            assert_int_equal(result.outcome, LOSS_STOP_GRADIENT);
            assert_close(value, problems[k]->minimum, 1e-9, 1e-9);
            assert_in_range(result.answers, 1, 400); /* steepest descent takes thousands */
        }
    }
}

/* Also between the question for M⁻¹∇f and its answer. */
static void a_checkpoint_keeps_what_was_preconditioned(void **unused)
{
    static const problem *const problems[] = {&rosenbrock, &beale, &quadratic};
    (void)unused;
    for (int i = 0; i < NAMES * 3; i++) {
        double value = NAN, relayed_value = NAN;
        run_result straight = run_preconditioned(names[i / 3], problems[i % 3], 0.75, 0, &value),
                   relayed = run_preconditioned(names[i / 3], problems[i % 3], 0.75, 1, &relayed_value);
        assert_int_equal(relayed.outcome, straight.outcome);
        assert_int_equal(relayed.answers, straight.answers);
        assert_memory_equal(&relayed_value, &value, sizeof value);
    }
}

/* ---- L-BFGS that forgets nothing is BFGS from γM⁻¹ ---- */

enum { N = 4 };

typedef struct matrix {
    double a[N][N];
} matrix;

/* H⁺ = VᵀHV + ρssᵀ, V = I − ρysᵀ */
static matrix updated(matrix h, const double *s, const double *y)
{
    matrix v, left = {{{0}}}, sum = {{{0}}};
    double sy = 0;
    for (int i = 0; i < N; i++) {
        sy += s[i] * y[i];
    }
    for (int i = 0; i < N * N; i++) {
        v.a[i / N][i % N] = (i / N == i % N) - y[i / N] * s[i % N] / sy;
    }
    for (int i = 0; i < N * N * N; i++) {
        left.a[i / N / N][i % N] += v.a[i / N % N][i / N / N] * h.a[i / N % N][i % N];
    }
    for (int i = 0; i < N * N * N; i++) {
        sum.a[i / N / N][i % N] += left.a[i / N / N][i / N % N] * v.a[i / N % N][i % N];
    }
    for (int i = 0; i < N * N; i++) {
        sum.a[i / N][i % N] += s[i / N] * s[i % N] / sy;
    }
    return sum;
}

enum { PAIRS = 20 };

typedef struct history {
    double weight[N]; /* M⁻¹ = diag(weight) */
    double x[PAIRS + 1][N], g[PAIRS + 1][N];
    int count; /* iterates */
} history;

/* −H∇f at the last iterate, H from γM⁻¹ of the newest pair by all pairs. */
static void direction(const history *t, double *d)
{
    matrix h = {{{0}}};
    double s[N], y[N], sy = 0, yy = 0;
    for (int i = 0; i < N; i++) {
        y[i] = t->g[t->count - 1][i] - t->g[t->count - 2][i];
        sy += y[i] * (t->x[t->count - 1][i] - t->x[t->count - 2][i]);
        yy += y[i] * y[i] * t->weight[i];
    }
    for (int i = 0; i < N; i++) {
        h.a[i][i] = sy / yy * t->weight[i];
    }
    for (int k = 1; k < t->count; k++) {
        for (int i = 0; i < N; i++) {
            s[i] = t->x[k][i] - t->x[k - 1][i];
            y[i] = t->g[k][i] - t->g[k - 1][i];
        }
        h = updated(h, s, y);
    }
    for (int i = 0; i < N; i++) {
        d[i] = 0;
        for (int j = 0; j < N; j++) {
            d[i] -= h.a[i][j] * t->g[t->count - 1][j];
        }
    }
}

/* The first point asked for from a new iterate is a step of 1 along the direction. */
static void compare(const history *t, const double *asked)
{
    double d[N], longest = 0;
    if (t->count < 2) { /* along −M⁻¹∇f */
        for (int i = 0; i < N; i++) {
            assert_close(asked[i] - t->x[0][i], -t->weight[i] * t->g[0][i], 1e-12, 0);
        }
        return;
    }
    direction(t, d);
    for (int i = 0; i < N; i++) {
        longest = fmax(longest, fabs(d[i]));
    }
    for (int i = 0; i < N; i++) {
        assert_close(asked[i] - t->x[t->count - 1][i], d[i], 1e-7, 1e-7 * longest);
    }
}

/* From a start to the end; gives how many directions were compared. */
static int follow(history *t, loss_optimizer *optimizer, const double *start)
{
    int32_t request = 0, fresh = 0;
    int64_t iterations = -1;
    int compared = 0;
    assert_int_equal(loss_optimizer_start(optimizer, start), LOSS_OK);
    while (loss_optimizer_ask(optimizer, &request) == LOSS_OK && request != LOSS_REQUEST_DONE &&
           t->count < PAIRS) {
        const double *asked = NULL, *vector = NULL;
        double g[N], told[N];
        assert_int_equal(loss_optimizer_get_pointer(optimizer, "x", (const void **)&asked), LOSS_OK);
        if (request == LOSS_REQUEST_PRECONDITION) {
            assert_int_equal(loss_optimizer_get_pointer(optimizer, "direction", (const void **)&vector),
                             LOSS_OK);
            for (int i = 0; i < N; i++) {
                g[i] = t->weight[i] * vector[i];
            }
            assert_int_equal(loss_optimizer_tell_vector(optimizer, g), LOSS_OK);
            continue;
        }
        assert_int_equal(request, LOSS_REQUEST_VALUE_AND_GRADIENT);
        if (fresh) {
            compare(t, asked);
            compared++;
        }
        memcpy(told, asked, sizeof told);
        const double value = extended_rosenbrock.evaluate(N, told, g);
        assert_int_equal(loss_optimizer_tell_gradient(optimizer, value, g), LOSS_OK);
        fresh = iterations < 0 || get_int(optimizer, "iterations") > iterations;
        if (fresh) {
            iterations = get_int(optimizer, "iterations");
            memcpy(t->x[t->count], told, sizeof told);
            memcpy(t->g[t->count++], g, sizeof g);
        }
    }
    return compared;
}

static void directions_are_those_of_the_whole_matrix(void **unused)
{
    static const double start[N] = {-1.2, 1.0, 0.7, -0.9};
    loss_context *context = NULL;
    (void)unused;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    for (int k = 0; k < 3; k++) {
        loss_optimizer *optimizer = NULL;
        history t = {.weight = {0}};
        for (int i = 0; i < N; i++) {
            t.weight[i] = 0.004 + 0.003 * k * i;
        }
        assert_status(context, loss_optimizer_create(&optimizer, context, "lbfgs", LOSS_FLOAT64, N), LOSS_OK);
        assert_int_equal(loss_optimizer_set_string(optimizer, "preconditioner", "user"), LOSS_OK);
        assert_int_equal(loss_optimizer_set_string(optimizer, "line_search", "more_thuente"), LOSS_OK);
        assert_int_equal(loss_optimizer_set_int(optimizer, "memory", 2 * PAIRS), LOSS_OK);
        assert_in_range(follow(&t, optimizer, start), 12, PAIRS);
        assert_true(get_int(optimizer, "preconditions") >= t.count - 1);
        loss_optimizer_free(optimizer);
    }
    loss_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_preconditioner_makes_it_short),
        cmocka_unit_test(a_bad_preconditioner_is_not_followed),
        cmocka_unit_test(a_checkpoint_keeps_what_was_preconditioned),
        cmocka_unit_test(directions_are_those_of_the_whole_matrix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
