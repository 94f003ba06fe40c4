/* Conjugate gradients: every direction against its formula, written with vectors; restarts. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "optimizer_run.h"
#include "support/check.h"

enum { N = 4 };

static double dot(const double *a, const double *b)
{
    double sum = 0.0;
    for (int i = 0; i < N; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

/* One run on the extended Rosenbrock function, with M = diag(weight). */
typedef struct follower {
    const char *formula;
    double weight[N];
    double powell;
    int64_t restart;
    double x[N], g[N], z[N], d[N]; /* of the iterate: z = M∇f, d the last direction seen */
    int64_t since;                 /* directions since the last that began anew */
    int64_t restarts, compared, anew;
} follower;

/* β as the names say, from vectors. */
static double beta(const follower *f, const double *g, const double *z)
{
    double y[N], my[N], inverse[N];
    for (int i = 0; i < N; i++) {
        y[i] = g[i] - f->g[i];
        my[i] = f->weight[i] * y[i];
        inverse[i] = f->d[i] / f->weight[i];
    }
    double dy = dot(f->d, y), hs = dot(y, z) / dy, dyn = dot(g, z) / dy;
    if (strcmp(f->formula, "fletcher_reeves") == 0) {
        return dot(g, z) / dot(f->g, f->z);
    }
    if (strcmp(f->formula, "polak_ribiere_plus") == 0) {
        return fmax(0.0, dot(z, y) / dot(f->g, f->z));
    }
    if (strcmp(f->formula, "hestenes_stiefel") == 0) {
        return hs;
    }
    if (strcmp(f->formula, "dai_yuan") == 0) {
        return dyn;
    }
    if (strcmp(f->formula, "hestenes_stiefel_dai_yuan") == 0) {
        return fmax(0.0, fmin(hs, dyn));
    }
    return fmax(hs - dot(y, my) * dot(f->d, g) / (dy * dy), 0.4 * dot(f->d, f->g) / dot(f->d, inverse));
}

/* The first point asked for from a new iterate shows the direction. */
static void compare(follower *f, const double *asked, double step, const double *x, const double *g,
                    int64_t restarts)
{
    double z[N], expected[N], size = 0.0;
    for (int i = 0; i < N; i++) {
        z[i] = f->weight[i] * g[i];
    }
    double b = beta(f, g, z);
    int32_t powell = f->powell > 0.0 && fabs(dot(f->g, z)) >= f->powell * dot(g, z);
    int32_t anew = restarts > f->restarts || powell || b == 0.0 ||
                   (f->restart > 0 && f->since + 1 >= f->restart * N);
    for (int i = 0; i < N; i++) {
        expected[i] = -z[i] + (anew ? 0.0 : b) * f->d[i];
        size = fmax(size, fabs(expected[i]));
        f->d[i] = (asked[i] - x[i]) / step;
    }
    for (int i = 0; i < N; i++) {
        assert_close(f->d[i], expected[i], 0.0, 1e-6 * size);
    }
    memcpy(f->x, x, sizeof f->x);
    memcpy(f->g, g, sizeof f->g);
    memcpy(f->z, z, sizeof f->z);
    f->since = anew ? 0 : f->since + 1;
    f->restarts = restarts;
    f->compared++;
    f->anew += anew;
}

static loss_optimizer *make(loss_context *context, const follower *f, const char *search, int32_t weighed)
{
    loss_optimizer *optimizer = NULL;
    assert_status(context, loss_optimizer_create(&optimizer, context, "conjugate_gradient", LOSS_FLOAT64, N),
                  LOSS_OK);
    assert_int_equal(loss_optimizer_set_string(optimizer, "formula", f->formula), LOSS_OK);
    assert_int_equal(loss_optimizer_set_string(optimizer, "line_search", search), LOSS_OK);
    assert_int_equal(loss_optimizer_set_string(optimizer, "preconditioner", weighed ? "user" : "none"),
                     LOSS_OK);
    assert_int_equal(loss_optimizer_set_int(optimizer, "restart", f->restart), LOSS_OK);
    assert_int_equal(loss_optimizer_set_double(optimizer, "powell", f->powell), LOSS_OK);
    assert_int_equal(loss_optimizer_set_double(optimizer, "gradient_tolerance", 1e-3), LOSS_OK);
    return optimizer;
}

static void follow(follower *f, loss_optimizer *optimizer)
{
    double x[N] = {-1.2, 1.0, 0.7, -0.9}, told[N], g[N], z[N];
    int32_t request = 0, fresh = 0;
    int64_t iterations = 0;
    loss_status outcome = LOSS_OK;
    assert_int_equal(loss_optimizer_start(optimizer, x), LOSS_OK);
    for (int64_t k = 0; loss_optimizer_ask(optimizer, &request) == LOSS_OK && request != LOSS_REQUEST_DONE;
         k++) {
        const double *asked = NULL, *direction = NULL;
        assert_int_equal(loss_optimizer_get_pointer(optimizer, "x", (const void **)&asked), LOSS_OK);
        if (request == LOSS_REQUEST_PRECONDITION) {
            assert_int_equal(loss_optimizer_get_pointer(optimizer, "direction", (const void **)&direction),
                             LOSS_OK);
            for (int i = 0; i < N; i++) {
                z[i] = f->weight[i] * direction[i];
            }
            assert_int_equal(loss_optimizer_tell_vector(optimizer, z), LOSS_OK);
            continue;
        }
        if (fresh && iterations == 0) { /* the first direction of all */
            for (int i = 0; i < N; i++) {
                f->x[i] = x[i];
                f->g[i] = g[i];
                f->z[i] = f->weight[i] * g[i];
                f->d[i] = -f->z[i];
            }
        } else if (fresh) {
            compare(f, asked, get_double(optimizer, "step"), x, g, get_int(optimizer, "restarts"));
        }
        fresh = 0;
        memcpy(told, asked, sizeof told);
        double gradient[N], value = extended_rosenbrock.evaluate(N, told, gradient);
        if (request == LOSS_REQUEST_VALUE) {
            assert_int_equal(loss_optimizer_tell_value(optimizer, value), LOSS_OK);
            continue;
        }
        assert_int_equal(loss_optimizer_tell_gradient(optimizer, value, gradient), LOSS_OK);
        if (k == 0 || get_int(optimizer, "iterations") > iterations) {
            iterations = get_int(optimizer, "iterations");
            memcpy(x, told, sizeof x);
            memcpy(g, gradient, sizeof g);
            fresh = 1;
        }
    }
    assert_int_equal(loss_optimizer_outcome(optimizer, &outcome), LOSS_OK);
    assert_int_equal(outcome, LOSS_STOP_GRADIENT);
}

static void directions_are_those_of_their_formulas(void **unused)
{
    static const char *const formulas[] = {"hager_zhang",        "fletcher_reeves",
                                           "polak_ribiere_plus", "hestenes_stiefel",
                                           "dai_yuan",           "hestenes_stiefel_dai_yuan"};
    loss_context *context = NULL;
    (void)unused;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    for (int i = 0; i < 6 * 8; i++) {
        int32_t weighed = i / 6 % 2;
        follower f = {
            .formula = formulas[i % 6], .restart = i / 12 % 2 ? 1 : 6, .powell = i / 24 ? 0.2 : 0.0};
        for (int k = 0; k < N; k++) {
            f.weight[k] = weighed ? 0.3 + 0.2 * k : 1.0;
        }
        loss_optimizer *optimizer = make(context, &f, i % 6 == 0 ? "hager_zhang" : "more_thuente", weighed);
        follow(&f, optimizer);
        assert_true(f.compared >= 10);
        assert_true(f.restart == 6 || f.anew > 2); /* every N directions */
        assert_true(weighed == 0 || get_int(optimizer, "preconditions") >= f.compared);
        loss_optimizer_free(optimizer);
    }
    loss_context_free(context);
}

static void every_formula_solves_every_problem(void **unused)
{
    static const char *const formulas[] = {"fletcher_reeves", "polak_ribiere_plus", "hestenes_stiefel",
                                           "dai_yuan", "hestenes_stiefel_dai_yuan"};
    static const char *const searches[] = {"hager_zhang", "more_thuente", "backtracking"};
    static const problem *const problems[] = {&rosenbrock, &extended_rosenbrock, &quadratic, &logistic,
                                              &beale,      &brown_dennis,        &cosh_sum,  &parabola};
    (void)unused;
    for (int i = 0; i < 5 * 3 * 8; i++) {
        const problem *p = problems[i % 8];
        fixture f = fixture_make(index_of("conjugate_gradient"), p, LOSS_FLOAT64);
        double scale = fmax(1.0, fabs(p->minimum));
        assert_int_equal(loss_optimizer_set_string(f.optimizer, "formula", formulas[i / 24]), LOSS_OK);
        assert_int_equal(loss_optimizer_set_string(f.optimizer, "line_search", searches[i / 8 % 3]), LOSS_OK);
        assert_int_equal(loss_optimizer_set_double(f.optimizer, "gradient_tolerance", 1e-6 * scale), LOSS_OK);
        run_result result = start_and_run(f.optimizer, p, LOSS_FLOAT64, NULL);
        if (result.outcome != LOSS_STOP_GRADIENT || result.answers > 2000) {
            fail_msg("%s with %s on %s: %s after %d answers", formulas[i / 24], searches[i / 8 % 3], p->name,
                     loss_status_name(result.outcome), (int)result.answers);
        }
        assert_close(get_double(f.optimizer, "value"), p->minimum, 1e-9, 1e-9);
        fixture_drop(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(directions_are_those_of_their_formulas),
        cmocka_unit_test(every_formula_solves_every_problem),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
