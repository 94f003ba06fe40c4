/* NLopt's methods with derivatives; its tests are off. */
#include <nlopt.h>

#include "peer.h"

const char *const peer_name = "NLopt";

typedef struct call {
    peer_run *run;
    nlopt_opt optimizer;
} call;

static double evaluate(unsigned n, const double *x, double *gradient, void *user)
{
    call *c = user;
    (void)n;
    double value = gradient != NULL ? peer_value_and_gradient(c->run, x, gradient) : peer_value(c->run, x);
    if (c->run->over) {
        nlopt_force_stop(c->optimizer);
    }
    return value;
}

static void solve(peer_run *run, double *x, nlopt_algorithm algorithm)
{
    double value;
    call c = {run, nlopt_create(algorithm, (unsigned)run->problem->n)};
    nlopt_set_min_objective(c.optimizer, evaluate, &c);
    nlopt_optimize(c.optimizer, x, &value);
    nlopt_destroy(c.optimizer);
}

static void lbfgs(peer_run *run, double *x)
{
    solve(run, x, NLOPT_LD_LBFGS);
}

static void variable_metric(peer_run *run, double *x)
{
    solve(run, x, NLOPT_LD_VAR2);
}

static void truncated_newton(peer_run *run, double *x)
{
    solve(run, x, NLOPT_LD_TNEWTON_PRECOND_RESTART);
}

const peer_method peer_methods[] = {{"LBFGS", INT64_MAX, lbfgs},
                                    {"VAR2", INT64_MAX, variable_metric},
                                    {"TNEWTON", INT64_MAX, truncated_newton},
                                    {NULL, 0, NULL}};
