/*
 * The program around a driver of peer.h: every method on every classic, one JSON object a line, as bench_optimizers
 * --set classic prints them.
 */
#include "peer.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_EVALUATIONS = 20000 }; /* values plus gradients */
static const double most_seconds = 120;

/* Of the processor: what else the machine does takes nothing off a run. */
static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void judge(peer_run *run, const double *gradient)
{
    const test_problem *p = run->problem;
    run->norm = 0.0;
    for (int64_t i = 0; i < p->n; i++) {
        double size = fabs(gradient[i]);
        run->norm = size <= run->norm ? run->norm : size;
    }
    if (run->norm <= 1e-5 * fmax(1.0, fabs(run->value)) &&
        run->value - p->minimum <= 1e-6 * fmax(1.0, fabs(p->minimum))) {
        run->solved = 1;
    }
}

static double evaluate(peer_run *run, const double *x, double *gradient, int values, int gradients)
{
    double value = run->problem->evaluate(run->problem->n, x, gradient);
    if (run->over) {
        return value;
    }
    run->value = value;
    run->values += values;
    run->gradients += gradients;
    if (gradients > 0) {
        judge(run, gradient);
    }
    run->over = run->solved || run->values + run->gradients >= MOST_EVALUATIONS ||
                now() - run->begin > most_seconds;
    return value;
}

double peer_value(peer_run *run, const double *x)
{
    return evaluate(run, x, run->scratch, 1, 0);
}

void peer_gradient(peer_run *run, const double *x, double *gradient)
{
    evaluate(run, x, gradient, 0, 1);
}

double peer_value_and_gradient(peer_run *run, const double *x, double *gradient)
{
    return evaluate(run, x, gradient, 1, 1);
}

void peer_leave(peer_run *run)
{
    if (run->over) {
        longjmp(run->leave, 1);
    }
}

static int solve(const peer_method *method, const test_problem *problem)
{
    double *block = malloc((size_t)problem->n * 2 * sizeof *block);
    peer_run *run = calloc(1, sizeof *run);
    if (block == NULL || run == NULL) {
        free(block);
        free(run);
        return 1;
    }
    run->problem = problem;
    run->scratch = block + problem->n;
    run->begin = now();
    problem->start(problem->n, block);
    if (setjmp(run->leave) == 0) {
        method->solve(run, block);
    }
    printf(
        "{\"set\": \"classic\", \"problem\": \"%s\", \"n\": %lld, \"optimizer\": \"%s %s\", \"solved\": %s, "
        "\"values\": %lld, \"gradients\": %lld, \"products\": 0, \"norm\": %.6g, \"value\": %.17g, "
        "\"seconds\": %.6g}\n",
        problem->name, (long long)problem->n, peer_name, method->name, run->solved ? "true" : "false",
        (long long)run->values, (long long)run->gradients, isfinite(run->norm) ? run->norm : DBL_MAX,
        isfinite(run->value) ? run->value : DBL_MAX, now() - run->begin);
    fflush(stdout);
    free(block);
    free(run);
    return 0;
}

int main(void)
{
    int failed = 0;
    for (const peer_method *method = peer_methods; method->name != NULL; method++) {
        for (int64_t i = 0; i < classic_problems.count && !failed; i++) {
            if (classic_problems.rows[i].n <= method->most) {
                failed = solve(method, &classic_problems.rows[i]);
            }
        }
    }
    return failed;
}
