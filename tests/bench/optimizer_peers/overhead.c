/*
 * Another program around a driver of peer.h: what an evaluation costs outside the user's function, as bench_optimizers
 * --set overhead measures and prints it. Of the driver's methods it is L-BFGS with ten pairs.
 *
 * A run ends after 25 evaluations of extended Rosenbrock; a library that cannot leave at once may go on to the end of its
 * iteration, and every evaluation counts. One that asks for a value and a gradient with two calls is charged with neither.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "peer.h"

enum { EVALUATIONS = 25, RUNS = 301, FEW_RUNS = 9 };

static int64_t calls; /* of the function, by the run under way */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double evaluate(peer_run *run, const double *x, double *gradient, int gradients)
{
    calls++;
    run->gradients += gradients;
    run->over = run->gradients >= EVALUATIONS;
    return run->problem->evaluate(run->problem->n, x, gradient);
}

double peer_value(peer_run *run, const double *x)
{
    return evaluate(run, x, run->scratch, 0);
}

void peer_gradient(peer_run *run, const double *x, double *gradient)
{
    evaluate(run, x, gradient, 1);
}

double peer_value_and_gradient(peer_run *run, const double *x, double *gradient)
{
    return evaluate(run, x, gradient, 1);
}

void peer_leave(peer_run *run)
{
    if (run->over) {
        longjmp(run->leave, 1);
    }
}

static void start(int64_t n, double *x)
{
    start_pattern(n, x, (const double[]){-1.2, 1.0}, 2);
}

/* Seconds of a run. */
static double solve(const peer_method *method, peer_run *run, double *x)
{
    run->gradients = run->over = 0;
    calls = 0;
    start(run->problem->n, x);
    double begin = now();
    if (setjmp(run->leave) == 0) {
        method->solve(run, x);
    }
    return now() - begin;
}

/* Seconds of one call of the function. */
static double call(const peer_run *run, double *x)
{
    start(run->problem->n, x);
    double begin = now();
    for (int i = 0; i < EVALUATIONS; i++) {
        run->problem->evaluate(run->problem->n, x, run->scratch);
    }
    return (now() - begin) / EVALUATIONS;
}

static int measure(const peer_method *method, int64_t n)
{
    const test_problem problem = {"", n, start, extended_rosenbrock_evaluate, 0.0};
    const int runs = n > 100000 ? FEW_RUNS : RUNS;
    double *x = malloc((size_t)n * 2 * sizeof *x), whole = INFINITY, alone = INFINITY;
    static peer_run run;
    if (x == NULL) {
        return 1;
    }
    run.problem = &problem;
    run.scratch = x + n;
    for (int i = 0; i < runs; i++) {
        whole = fmin(whole, solve(method, &run, x));
        alone = fmin(alone, call(&run, x));
    }
    const double evaluations = (double)run.gradients, all = 1e9 * whole / evaluations;
    const double function = 1e9 * alone * (double)calls / evaluations;
    printf("{\"set\": \"overhead\", \"optimizer\": \"%s\", \"n\": %lld, \"evaluations\": %.0f, \"ns\": %.6g, "
           "\"function_ns\": %.6g, \"overhead_ns\": %.6g}\n",
           peer_name, (long long)n, evaluations, all, function, all - function);
    fflush(stdout);
    free(x);
    return 0;
}

int main(void)
{
    static const int64_t sizes[] = {10, 1000, 1000000};
    const peer_method *method = peer_methods;
    while (method->name != NULL && strcmp(method->name, "L-BFGS (10)") != 0) {
        method++;
    }
    int failed = method->name == NULL;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0] && !failed; i++) {
        failed = measure(method, sizes[i]);
    }
    return failed;
}
