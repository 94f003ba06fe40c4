/* The driver of optimizer_run.h: every request is answered by hand, and checked against the header. */
#include "optimizer_run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"

static uint64_t hash(uint64_t digest, const void *bytes, size_t size)
{
    const unsigned char *p = bytes;
    for (size_t i = 0; i < size; i++) {
        digest = (digest ^ p[i]) * 0x100000001b3u;
    }
    return digest;
}

static size_t size_of(loss_dtype dtype)
{
    return dtype == LOSS_FLOAT64 ? sizeof(double) : sizeof(float);
}

double get_double(const loss_optimizer *optimizer, const char *name)
{
    double value = -777.0;
    assert_int_equal(loss_optimizer_get_double(optimizer, name, &value), LOSS_OK);
    return value;
}

int64_t get_int(const loss_optimizer *optimizer, const char *name)
{
    int64_t value = -777;
    assert_int_equal(loss_optimizer_get_int(optimizer, name, &value), LOSS_OK);
    return value;
}

static const void *pointer(const loss_optimizer *optimizer, const char *name)
{
    const void *found = NULL;
    assert_int_equal(loss_optimizer_get_pointer(optimizer, name, &found), LOSS_OK);
    assert_non_null(found);
    return found;
}

/* Vectors of one run: x and v widened, the answer wide and in the element type. */
typedef struct work {
    const problem *p;
    loss_dtype dtype;
    double *x, *v, *g, *h;
    void *told, *matrix; /* the matrix when it is asked for */
} work;

static work work_create(const problem *p, loss_dtype dtype)
{
    size_t n = (size_t)p->n;
    work w = {p,
              dtype,
              calloc(n, sizeof(double)),
              calloc(n, sizeof(double)),
              calloc(n, sizeof(double)),
              calloc(n, sizeof(double)),
              calloc(n, sizeof(double)),
              NULL};
    assert_true(w.x != NULL && w.v != NULL && w.g != NULL && w.h != NULL && w.told != NULL);
    return w;
}

static void work_free(work *w)
{
    free(w->x);
    free(w->v);
    free(w->g);
    free(w->h);
    free(w->told);
    free(w->matrix);
}

static void widen(const work *w, const void *from, double *to)
{
    for (int64_t i = 0; i < w->p->n; i++) {
        to[i] = element(from, w->dtype, i);
    }
}

static const void *narrow(const work *w, const double *from, double factor)
{
    for (int64_t i = 0; i < w->p->n; i++) {
        set_element(w->told, w->dtype, i, from[i] * factor);
    }
    return w->told;
}

/* Central differences of gradients along v, of the length of x, which is taken for 1 unless it is next to nothing. */
static const void *product(work *w)
{
    double norm_x = 0.0, norm_v = 0.0;
    for (int64_t i = 0; i < w->p->n; i++) {
        norm_x = fmax(norm_x, fabs(w->x[i]));
        norm_v = fmax(norm_v, fabs(w->v[i]));
    }
    double h = 1e-5 * (norm_x > 0.0 && norm_x < 1e-18 ? norm_x : fmax(1.0, norm_x)) / norm_v;
    for (int64_t i = 0; i < w->p->n; i++) {
        w->x[i] += h * w->v[i];
    }
    w->p->evaluate(w->p->n, w->x, w->g);
    for (int64_t i = 0; i < w->p->n; i++) {
        w->x[i] -= 2.0 * h * w->v[i];
    }
    w->p->evaluate(w->p->n, w->x, w->h);
    for (int64_t i = 0; i < w->p->n; i++) {
        w->g[i] = (w->g[i] - w->h[i]) / (2.0 * h);
    }
    return narrow(w, w->g, 1.0);
}

/* Column by column, by the products above: what a user without second derivatives would do. */
static const void *hessian(work *w)
{
    int64_t n = w->p->n;
    w->matrix = w->matrix != NULL ? w->matrix : calloc((size_t)(n * n), sizeof(double));
    assert_non_null(w->matrix);
    for (int64_t j = 0; j < n; j++) {
        double kept = w->x[j];
        for (int64_t i = 0; i < n; i++) {
            w->v[i] = i == j;
        }
        const void *column = product(w);
        w->x[j] = kept;
        for (int64_t i = 0; i < n; i++) {
            set_element(w->matrix, w->dtype, i * n + j, element(column, w->dtype, i));
        }
    }
    return w->matrix;
}

/* The direction over the diagonal of the Hessian, where that is positive. */
static const void *precondition(work *w, const run_plan *plan)
{
    const void *matrix;
    double *v = calloc((size_t)w->p->n, sizeof(double));
    assert_non_null(v);
    memcpy(v, w->v, (size_t)w->p->n * sizeof(double));
    matrix = hessian(w);
    for (int64_t i = 0; i < w->p->n; i++) {
        double diagonal = element(matrix, w->dtype, i * w->p->n + i);
        v[i] = diagonal > 0.0 ? v[i] / diagonal : v[i];
    }
    const void *told = narrow(w, v, plan->precondition_factor == 0.0 ? 1.0 : plan->precondition_factor);
    free(v);
    return told;
}

/* What is told where the plan wants no number. */
static double no_number(const run_plan *plan)
{
    return plan->infinite == 0.0 ? (double)NAN : plan->infinite;
}

/* A second derivative as told, with a NaN in it when the plan says so. */
static const void *spoiled(work *w, const void *told, const run_plan *plan, int64_t count)
{
    if (count == plan->nan_second_at || (plan->nan_second_from > 0 && count >= plan->nan_second_from)) {
        set_element(told == w->told ? w->told : w->matrix, w->dtype, w->p->n - 1, (double)NAN);
    }
    return told;
}

static void answer_gradient(loss_optimizer *optimizer, work *w, const run_plan *plan, double value,
                            int32_t wrong, run_result *result)
{
    double factor = plan->gradient_factor == 0.0 ? 1.0 : plan->gradient_factor;
    if (wrong && plan->in_gradient) {
        w->g[w->p->n - 1] = no_number(plan);
    } else if (wrong) {
        value = no_number(plan);
    }
    if (isfinite(value) && !wrong) {
        result->least = fmin(result->least, value);
    }
    result->gradients++;
    assert_int_equal(loss_optimizer_tell_gradient(optimizer, value, narrow(w, w->g, factor)), LOSS_OK);
}

static void answer(loss_optimizer *optimizer, work *w, int32_t request, const run_plan *plan,
                   run_result *result)
{
    int32_t wrong = result->answers == plan->nan_at ||
                    (plan->nan_from > 0 && result->answers >= plan->nan_from);
    int64_t count, second;
    switch (request) {
    case LOSS_REQUEST_VALUE:
        result->values++;
        assert_int_equal(loss_optimizer_tell_value(optimizer, wrong && !plan->in_gradient
                                                                  ? no_number(plan)
                                                                  : w->p->evaluate(w->p->n, w->x, w->g)),
                         LOSS_OK);
        return;
    case LOSS_REQUEST_VALUE_AND_GRADIENT:
        answer_gradient(optimizer, w, plan, w->p->evaluate(w->p->n, w->x, w->g), wrong, result);
        return;
    case LOSS_REQUEST_BATCH_GRADIENT:
        count = get_int(optimizer, "indices_count");
        const int64_t *indices = pointer(optimizer, "indices");
        result->batches++;
        result->digest = hash(result->digest, indices, (size_t)count * sizeof *indices);
        double value = logistic_batch(w->x, count, indices, w->g);
        w->g[0] = wrong && plan->in_gradient ? no_number(plan) : w->g[0];
        value = wrong && !plan->in_gradient ? no_number(plan) : value;
        assert_int_equal(loss_optimizer_tell_gradient(optimizer, value, narrow(w, w->g, 1.0)), LOSS_OK);
        return;
    case LOSS_REQUEST_HESSIAN_PRODUCT:
        second = ++result->products;
        widen(w, pointer(optimizer, "direction"), w->v);
        result->digest = hash(result->digest, pointer(optimizer, "direction"),
                              (size_t)w->p->n * size_of(w->dtype));
        assert_int_equal(loss_optimizer_tell_vector(optimizer, spoiled(w, product(w), plan, second)),
                         LOSS_OK);
        return;
    case LOSS_REQUEST_HESSIAN:
        second = ++result->hessians;
        assert_int_equal(loss_optimizer_tell_vector(optimizer, spoiled(w, hessian(w), plan, second)),
                         LOSS_OK);
        return;
    case LOSS_REQUEST_PRECONDITION:
        widen(w, pointer(optimizer, "direction"), w->v);
        result->preconditions++;
        assert_int_equal(loss_optimizer_tell_vector(optimizer, precondition(w, plan)), LOSS_OK);
        return;
    default:
        fail_msg("request %d is not known here", request);
    }
}

run_result run(loss_optimizer *optimizer, const problem *p, loss_dtype dtype, const run_plan *plan)
{
    static const run_plan plain;
    run_result result = {.least = INFINITY, .digest = 0xcbf29ce484222325u};
    work w = work_create(p, dtype);
    int32_t request = 0;
    plan = plan == NULL ? &plain : plan;
    for (;;) {
        assert_int_equal(loss_optimizer_ask(optimizer, &request), LOSS_OK);
        if (request == LOSS_REQUEST_DONE) {
            break;
        }
        widen(&w, pointer(optimizer, "x"), w.x);
        result.digest = hash(result.digest, pointer(optimizer, "x"), (size_t)p->n * size_of(dtype));
        if (request == LOSS_REQUEST_NEW_ITERATE) {
            result.iterates++;
            continue;
        }
        result.answers++;
        answer(optimizer, &w, request, plan, &result);
        if (result.answers == plan->stop_after) {
            loss_optimizer_stop(optimizer);
        }
        if (result.answers == plan->leave_after) {
            break;
        }
    }
    double measured[] = {get_double(optimizer, "value"), get_double(optimizer, "gradient_norm")};
    result.digest = hash(result.digest, measured, sizeof measured);
    assert_int_equal(loss_optimizer_outcome(optimizer, &result.outcome), LOSS_OK);
    work_free(&w);
    return result;
}

void *starting_point(const problem *p, loss_dtype dtype)
{
    work w = work_create(p, dtype);
    p->start(p->n, w.x);
    void *x = calloc((size_t)p->n, sizeof(double));
    assert_non_null(x);
    memcpy(x, narrow(&w, w.x, 1.0), (size_t)p->n * size_of(dtype));
    work_free(&w);
    return x;
}

run_result start_and_run(loss_optimizer *optimizer, const problem *p, loss_dtype dtype, const run_plan *plan)
{
    void *x = starting_point(p, dtype);
    assert_int_equal(loss_optimizer_start(optimizer, x), LOSS_OK);
    free(x);
    return run(optimizer, p, dtype, plan);
}

void assert_best_belongs_together(const loss_optimizer *optimizer, const problem *p, loss_dtype dtype)
{
    work w = work_create(p, dtype);
    double norm = 0.0;
    widen(&w, pointer(optimizer, "best_x"), w.x);
    double value = p->evaluate(p->n, w.x, w.g);
    const void *gradient = narrow(&w, w.g, 1.0);
    assert_same_bits(pointer(optimizer, "best_gradient"), gradient, dtype, p->n);
    for (int64_t i = 0; i < p->n; i++) {
        norm = fmax(norm, fabs(element(gradient, dtype, i)));
    }
    double measured[] = {get_double(optimizer, "value"), get_double(optimizer, "gradient_norm")};
    double expected[] = {value, norm};
    assert_same_bits(measured, expected, LOSS_FLOAT64, 2);
    work_free(&w);
}

int32_t is_stochastic(const char *name)
{
    loss_context *context = NULL;
    loss_optimizer *optimizer = NULL;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    assert_status(context, loss_optimizer_create(&optimizer, context, name, LOSS_FLOAT64, 1), LOSS_OK);
    int32_t stochastic = strcmp(loss_optimizer_family(optimizer), "stochastic gradient descent") == 0;
    loss_optimizer_free(optimizer);
    loss_context_free(context);
    return stochastic;
}

/* The fixtures that are there, and the optimizer of the last one: a test that fails leaves its own. */
static int fixtures;
static const char *last_name;

fixture fixture_make(int32_t index, const problem *p, loss_dtype dtype)
{
    fixture f = {.name = loss_optimizer_catalogue_name(index)};
    fixtures++;
    last_name = f.name;
    assert_int_equal(loss_context_create(&f.context), LOSS_OK);
    assert_status(f.context, loss_optimizer_create(&f.optimizer, f.context, f.name, dtype, p->n), LOSS_OK);
    f.stochastic = is_stochastic(f.name);
    if (f.stochastic) {
        assert_int_equal(loss_optimizer_set_int(f.optimizer, "samples", LOGISTIC_SAMPLES), LOSS_OK);
        assert_int_equal(loss_optimizer_set_int(f.optimizer, "epochs", 7), LOSS_OK);
    }
    return f;
}

void fixture_drop(fixture *f)
{
    fixtures--;
    loss_optimizer_free(f->optimizer);
    loss_context_free(f->context);
}

int fixture_tell(void **unused)
{
    (void)unused;
    if (fixtures > 0) {
        print_error("the optimizer was '%s'\n", last_name);
    }
    fixtures = 0;
    return 0;
}

int32_t index_of(const char *name)
{
    int32_t index = 0;
    while (index < loss_optimizer_catalogue_count() &&
           strcmp(loss_optimizer_catalogue_name(index), name) != 0) {
        index++;
    }
    assert_in_range(index, 0, loss_optimizer_catalogue_count() - 1);
    return index;
}

int32_t keeps_a_matrix(int32_t index)
{
    static const char *const dense[] = {"bfgs", "dfp", "newton", "sr1", "trust_region"};
    for (size_t i = 0; i < sizeof dense / sizeof dense[0]; i++) {
        if (strcmp(loss_optimizer_catalogue_name(index), dense[i]) == 0) {
            return 1;
        }
    }
    return 0;
}

const problem *suited(int32_t index)
{
    return is_stochastic(loss_optimizer_catalogue_name(index)) ? &logistic : &rosenbrock;
}
