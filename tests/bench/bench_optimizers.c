/*
 * How many evaluations optimizers need, and what they cost beside them.
 *
 *     bench_optimizers [--set cute|classic|overhead|dense] [--problem NAME] [OPTIMIZER[:option=value…]]…
 *
 * Without names: the defaults of the set, below. One JSON object a line, a problem and an optimizer each:
 *
 * - cute, classic: solved, values, gradients, products (told, each counted once; a product is a difference of gradients and
 *   costs one more), iterations, outcome, norm (‖∇f‖∞), value, seconds. A run on cute ends by its own test, the one of the
 *   published counts: ‖∇f‖∞ ≤ max(1e-6, 1e-12‖∇f at the start‖∞), without the second where the publication left it out. A
 *   run on classic is solved at the first evaluated point with ‖∇f‖∞ ≤ 1e-5 max(1, |f|) and f − f* ≤ 1e-6 max(1, |f*|).
 * - overhead: ns of an evaluation outside the user's function, the smallest of many runs of 25 evaluations of extended
 *   Rosenbrock in n = 10, 1e3, 1e6 variables, from creating the optimizer to freeing it; dense: the same in 10, 100, 1e3.
 */
#include <float.h>
#include <loss/loss.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "problems/problems.h"

enum { MOST_EVALUATIONS = 10000, MOST_NAMES = 32, OVERHEAD_EVALUATIONS = 25, OVERHEAD_RUNS = 301 };
static const double most_seconds = 120;

/*
 * Without names. On the classic problems, which are small, all that asks for no matrix told, each with its own defaults; on those of
 * CUTE, some with 10 000 variables, those that keep no matrix; overhead is timed with a million, dense is of those that do keep one.
 */
static const struct {
    const char *set, *names[9]; /* up to NULL */
} defaults[] = {
    {"cute", {"lbfgs", "conjugate_gradient", "newton_cg", "lbfgsb"}},
    {"classic",
     {"lbfgs", "conjugate_gradient", "newton_cg", "bfgs", "lbfgsb", "spectral_projected_gradient", "sr1",
      "trust_region_cg"}},
    {"overhead", {"lbfgs", "conjugate_gradient", "newton_cg"}},
    {"dense", {"bfgs"}},
};

typedef struct run {
    const test_problem *problem;
    loss_optimizer *optimizer;
    double *x, *gradient,
        *product; /* at the last evaluation with a gradient; a product, and its shifted point */
    double *shifted;
    int64_t values, gradients, products;
    double value, norm; /* there */
    int32_t classic, solved;
} run;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double largest(int64_t n, const double *x)
{
    double found = 0.0;
    for (int64_t i = 0; i < n; i++) {
        double size = fabs(x[i]);
        found = size <= found ? found : size; /* keeps a NaN */
    }
    return found;
}

static double length(int64_t n, const double *x)
{
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) {
        sum += x[i] * x[i];
    }
    return sqrt(sum);
}

/* ---- answers ---- */

static void evaluate(run *r, const double *x)
{
    const test_problem *p = r->problem;
    memcpy(r->x, x, (size_t)p->n * sizeof *x);
    r->value = p->evaluate(p->n, x, r->gradient);
    r->norm = largest(p->n, r->gradient);
    r->gradients++;
    if (r->classic && r->norm <= 1e-5 * fmax(1.0, fabs(r->value)) &&
        r->value - p->minimum <= 1e-6 * fmax(1.0, fabs(p->minimum))) {
        r->solved = 1;
    }
}

/* (∇f(x + hv) − ∇f(x))/h with h = √ε(1 + ‖x‖)/‖v‖. */
static void multiply(run *r, const double *x, const double *direction)
{
    const test_problem *p = r->problem;
    if (memcmp(x, r->x, (size_t)p->n * sizeof *x) != 0) {
        evaluate(r, x);
    }
    double h = sqrt(DBL_EPSILON) * (1.0 + length(p->n, x)) / length(p->n, direction);
    for (int64_t i = 0; i < p->n; i++) {
        r->shifted[i] = x[i] + h * direction[i];
    }
    p->evaluate(p->n, r->shifted, r->product);
    for (int64_t i = 0; i < p->n; i++) {
        r->product[i] = (r->product[i] - r->gradient[i]) / h;
    }
    r->products++;
}

static loss_status answer(run *r, int32_t request)
{
    const void *x = NULL, *direction = NULL;
    loss_status status = loss_optimizer_get_pointer(r->optimizer, "x", &x);
    if (status != LOSS_OK) {
        return status;
    }
    switch (request) {
    case LOSS_REQUEST_VALUE:
        r->values++;
        return loss_optimizer_tell_value(r->optimizer, r->problem->evaluate(r->problem->n, x, r->product));
    case LOSS_REQUEST_VALUE_AND_GRADIENT:
        evaluate(r, x);
        r->values++;
        return loss_optimizer_tell_gradient(r->optimizer, r->value, r->gradient);
    case LOSS_REQUEST_HESSIAN_PRODUCT:
        status = loss_optimizer_get_pointer(r->optimizer, "direction", &direction);
        if (status == LOSS_OK) {
            multiply(r, x, direction);
            status = loss_optimizer_tell_vector(r->optimizer, r->product);
        }
        return status;
    default:
        return LOSS_ERROR_SUPPORT;
    }
}

static loss_status drive(run *r, const double *x0)
{
    loss_status status = loss_optimizer_start(r->optimizer, x0);
    int32_t request = LOSS_REQUEST_DONE;
    while (status == LOSS_OK && !r->solved &&
           (!r->classic || r->values + r->gradients + r->products < 2 * MOST_EVALUATIONS)) {
        status = loss_optimizer_ask(r->optimizer, &request);
        if (status != LOSS_OK || request == LOSS_REQUEST_DONE) {
            break;
        }
        status = answer(r, request);
    }
    return status;
}

/* ---- optimizers ---- */

/* The published stop of cute, no stop but the limits for classic. */
static loss_status configure(const run *r)
{
    static const char *const absolute[] = {"DQRTIC", "PENALTY1", "POWER", "QUARTC", "VARDIM"};
    double tolerance = r->classic ? 0.0 : 1e-6, relative = r->classic ? 0.0 : 1e-12;
    for (size_t i = 0; i < sizeof absolute / sizeof absolute[0]; i++) {
        relative = strcmp(r->problem->name, absolute[i]) == 0 ? 0.0 : relative;
    }
    loss_status status = loss_optimizer_set_double(r->optimizer, "gradient_tolerance", tolerance);
    if (status == LOSS_OK) {
        status = loss_optimizer_set_double(r->optimizer, "gradient_tolerance_relative", relative);
    }
    if (status == LOSS_OK) {
        status = loss_optimizer_set_double(r->optimizer, "max_seconds", most_seconds);
    }
    return status == LOSS_OK ? loss_optimizer_set_int(r->optimizer, "max_iterations", 10000000) : status;
}

/* "name:option=value:…" */
static loss_status make(loss_optimizer **out, loss_context *context, const char *text, int64_t n)
{
    char copy[256];
    snprintf(copy, sizeof copy, "%s", text);
    char *options = strchr(copy, ':');
    if (options != NULL) {
        *options++ = '\0';
    }
    loss_status status = loss_optimizer_create(out, context, copy, LOSS_FLOAT64, n);
    while (status == LOSS_OK && options != NULL) {
        char *value = strchr(options, '='), *next = strchr(options, ':'), *end = NULL;
        if (value == NULL || (next != NULL && next < value)) {
            return LOSS_ERROR_ARGUMENT;
        }
        *value++ = '\0';
        if (next != NULL) {
            *next++ = '\0';
        }
        double number = strtod(value, &end);
        if (*end != '\0') {
            status = loss_optimizer_set_string(*out, options, value);
        } else if (number == trunc(number)) { /* a double option takes an int, but not the other way round */
            status = loss_optimizer_set_int(*out, options, (int64_t)number);
        } else {
            status = loss_optimizer_set_double(*out, options, number);
        }
        options = next;
    }
    return status;
}

static int fail(loss_context *context, const char *name)
{
    fprintf(stderr, "bench_optimizers: %s: %s\n", name, loss_context_error(context));
    return 1;
}

/* ---- evaluations ---- */

static int report(run *r, const char *set, const char *name, double seconds)
{
    int64_t iterations = 0;
    loss_status outcome = LOSS_OK;
    loss_optimizer_get_int(r->optimizer, "iterations", &iterations);
    loss_optimizer_outcome(r->optimizer, &outcome);
    if (!r->classic) {
        r->solved = outcome == LOSS_STOP_GRADIENT;
        loss_optimizer_get_double(r->optimizer, "gradient_norm", &r->norm);
        loss_optimizer_get_double(r->optimizer, "value", &r->value);
    }
    printf("{\"set\": \"%s\", \"problem\": \"%s\", \"n\": %lld, \"optimizer\": \"%s\", \"solved\": %s, "
           "\"values\": %lld, \"gradients\": %lld, \"products\": %lld, \"iterations\": %lld, \"outcome\": "
           "\"%s\", "
           "\"norm\": %.6g, \"value\": %.17g, \"minimum\": %.17g, \"seconds\": %.6g}\n",
           set, r->problem->name, (long long)r->problem->n, name, r->solved ? "true" : "false",
           (long long)r->values, (long long)r->gradients, (long long)r->products, (long long)iterations,
           loss_status_name(outcome), isfinite(r->norm) ? r->norm : DBL_MAX,
           isfinite(r->value) ? r->value : DBL_MAX, r->problem->minimum, seconds);
    fflush(stdout);
    return 0;
}

static int solve(loss_context *context, const test_problem *problem, const char *set, const char *name)
{
    int64_t n = problem->n;
    double *block = calloc((size_t)n * 5, sizeof *block);
    run r = {.problem = problem, .classic = strcmp(set, "classic") == 0};
    if (block == NULL) {
        return fail(context, "no memory");
    }
    r.x = block;
    r.gradient = block + n;
    r.product = block + 2 * n;
    r.shifted = block + 3 * n;
    problem->start(n, block + 4 * n);
    r.x[0] = NAN; /* no evaluation yet */
    loss_status status = make(&r.optimizer, context, name, n);
    if (status == LOSS_OK) {
        status = configure(&r);
    }
    double begin = now();
    if (status == LOSS_OK) {
        status = drive(&r, block + 4 * n);
    }
    int failed = 0;
    if (status == LOSS_ERROR_MEMORY) { /* a matrix of so many variables: the next problem may be smaller */
        fprintf(stderr, "left out: %s on %s, n = %lld: %s\n", name, problem->name, (long long)n,
                loss_context_error(context));
    } else {
        failed = status == LOSS_OK ? report(&r, set, name, now() - begin) : fail(context, name);
    }
    loss_optimizer_free(r.optimizer);
    free(block);
    return failed;
}

static int solve_all(loss_context *context, const char *set, const char *only, int count,
                     const char *const *names)
{
    const test_problem_table *table = strcmp(set, "cute") == 0 ? &cute_problems : &classic_problems;
    int failed = 0;
    for (int k = 0; k < count; k++) {
        for (int64_t i = 0; i < table->count && !failed; i++) {
            if (only == NULL || strcmp(only, table->rows[i].name) == 0) {
                failed = solve(context, &table->rows[i], set, names[k]);
            }
        }
    }
    return failed;
}

/* ---- overhead ---- */

/* user: where a gradient that is not wanted goes. */
static int32_t rosenbrock(void *user, int64_t n, const void *x, double *value, void *gradient)
{
    *value = extended_rosenbrock_evaluate(n, x, gradient != NULL ? gradient : user);
    return 0;
}

/* Seconds of one run of 25 evaluations; `evaluations` is what came of it. */
static double run_once(loss_context *context, loss_objective *objective, const char *name, int64_t n,
                       double *x, int64_t *evaluations)
{
    loss_optimizer *optimizer = NULL;
    start_pattern(n, x, (const double[]){-1.2, 1.0}, 2);
    double begin = now();
    if (make(&optimizer, context, name, n) == LOSS_OK) {
        loss_optimizer_set_int(optimizer, "max_evaluations", OVERHEAD_EVALUATIONS);
        loss_optimizer_minimize(optimizer, objective, x);
        loss_optimizer_get_int(optimizer, "evaluations", evaluations);
    }
    loss_optimizer_free(optimizer);
    return now() - begin;
}

static int measure(loss_context *context, const char *set, const char *name, int64_t n)
{
    double whole = INFINITY, alone = INFINITY, value = 0.0, sum = 0.0;
    double *block = malloc((size_t)n * 2 * sizeof *block), *x = block, *gradient = block + n;
    int runs = n > 100000 ? 9 : OVERHEAD_RUNS;
    int64_t evaluations = 0;
    loss_objective *objective = NULL;
    if (block == NULL || loss_objective_create_callback(&objective, context, LOSS_FLOAT64, n, rosenbrock,
                                                        NULL, gradient) != LOSS_OK) {
        free(block);
        return fail(context, name);
    }
    for (int i = 0; i < runs; i++) {
        whole = fmin(whole, run_once(context, objective, name, n, x, &evaluations));
        start_pattern(n, x, (const double[]){-1.2, 1.0}, 2);
        double begin = now();
        for (int64_t k = 0; k < evaluations; k++) {
            rosenbrock(NULL, n, x, &value, gradient);
            sum += value;
        }
        alone = fmin(alone, now() - begin);
    }
    double each = evaluations > 0 ? 1e9 / (double)evaluations : NAN;
    double all = whole * each, function = alone * each;
    printf("{\"set\": \"%s\", \"optimizer\": \"%s\", \"n\": %lld, \"evaluations\": %lld, \"ns\": %.6g, "
           "\"function_ns\": %.6g, \"overhead_ns\": %.6g}\n",
           set, name, (long long)n, (long long)evaluations, all, function, all - function);
    fflush(stdout);
    loss_objective_free(objective);
    free(block);
    return !(sum == sum);
}

static int measure_all(loss_context *context, const char *set, int count, const char *const *names)
{
    static const int64_t sizes[2][3] = {{10, 1000, 1000000}, {10, 100, 1000}};
    int failed = 0, dense = strcmp(set, "dense") == 0;
    for (int k = 0; k < count; k++) {
        for (int i = 0; i < 3 && !failed; i++) {
            failed = measure(context, set, names[k], sizes[dense][i]);
        }
    }
    return failed;
}

/* How many names the set has by itself; 0 when there is no such set. */
static int take_defaults(const char *set, const char **names)
{
    int count = 0;
    for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++) {
        while (strcmp(defaults[i].set, set) == 0 && defaults[i].names[count] != NULL) {
            names[count] = defaults[i].names[count];
            count++;
        }
    }
    return count;
}

int main(int argc, char **argv)
{
    const char *set = "cute", *only = NULL, *names[MOST_NAMES], *unused[MOST_NAMES];
    int count = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--set") == 0 && i + 1 < argc) {
            set = argv[++i];
        } else if (strcmp(argv[i], "--problem") == 0 && i + 1 < argc) {
            only = argv[++i];
        } else if (argv[i][0] != '-' && count < MOST_NAMES) {
            names[count++] = argv[i];
        } else {
            count = -1;
            break;
        }
    }
    int timed = strcmp(set, "overhead") == 0 || strcmp(set, "dense") == 0;
    if (count < 0 || take_defaults(set, unused) == 0) {
        fprintf(stderr, "usage: bench_optimizers [--set cute|classic|overhead|dense] [--problem NAME] "
                        "[OPTIMIZER[:option=value…]]…\n");
        return 2;
    }
    loss_context *context = NULL;
    if (loss_context_create(&context) != LOSS_OK) {
        return 1;
    }
    count = count == 0 ? take_defaults(set, names) : count;
    int failed = timed ? measure_all(context, set, count, names)
                       : solve_all(context, set, only, count, names);
    loss_context_free(context);
    return failed;
}
