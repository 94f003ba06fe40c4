/* liblbfgs with its own line searches; its tests are off. */
#include <lbfgs.h>
#include <string.h>

#include "peer.h"

const char *const peer_name = "liblbfgs";

static lbfgsfloatval_t evaluate(void *user, const lbfgsfloatval_t *x, lbfgsfloatval_t *gradient, const int n,
                                const lbfgsfloatval_t step)
{
    (void)n;
    (void)step;
    return peer_value_and_gradient(user, x, gradient);
}

/* It leaves between iterations, and frees what it has. */
static int progress(void *user, const lbfgsfloatval_t *x, const lbfgsfloatval_t *gradient,
                    const lbfgsfloatval_t value, const lbfgsfloatval_t x_norm, const lbfgsfloatval_t norm,
                    const lbfgsfloatval_t step, int n, int iteration, int evaluations)
{
    const void *unused[] = {x, gradient, &value, &x_norm, &norm, &step, &n, &iteration, &evaluations};
    (void)unused;
    return ((const peer_run *)user)->over;
}

static void solve(peer_run *run, double *x, int memory)
{
    lbfgs_parameter_t parameters;
    lbfgs_parameter_init(&parameters);
    parameters.m = memory;
    parameters.epsilon = 0.0;
    parameters.max_linesearch = 40;
    double value;
    lbfgsfloatval_t *copy = lbfgs_malloc((int)run->problem->n);
    memcpy(copy, x, (size_t)run->problem->n * sizeof *x);
    lbfgs((int)run->problem->n, copy, &value, evaluate, progress, run, &parameters);
    lbfgs_free(copy);
}

static void memory_6(peer_run *run, double *x)
{
    solve(run, x, 6);
}

static void memory_10(peer_run *run, double *x)
{
    solve(run, x, 10);
}

const peer_method peer_methods[] = {
    {"L-BFGS (6)", INT64_MAX, memory_6}, {"L-BFGS (10)", INT64_MAX, memory_10}, {NULL, 0, NULL}};
