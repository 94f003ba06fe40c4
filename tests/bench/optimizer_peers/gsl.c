/* GSL's multimin, started again where it makes no progress, as its manual advises. */
#include <gsl/gsl_errno.h>
#include <gsl/gsl_multimin.h>
#include <string.h>

#include "peer.h"

const char *const peer_name = "GSL";

enum { RESTARTS = 20 }; /* in a row without an iteration */

static double value(const gsl_vector *x, void *user)
{
    double f = peer_value(user, x->data);
    peer_leave(user);
    return f;
}

static void gradient(const gsl_vector *x, void *user, gsl_vector *g)
{
    peer_gradient(user, x->data, g->data);
    peer_leave(user);
}

static void both(const gsl_vector *x, void *user, double *f, gsl_vector *g)
{
    *f = peer_value_and_gradient(user, x->data, g->data);
    peer_leave(user);
}

static void solve(peer_run *run, double *x0, const gsl_multimin_fdfminimizer_type *type)
{
    size_t n = (size_t)run->problem->n;
    gsl_set_error_handler_off();
    gsl_multimin_function_fdf function = {value, gradient, both, n, run};
    gsl_vector *x = gsl_vector_alloc(n);
    gsl_multimin_fdfminimizer *minimizer = gsl_multimin_fdfminimizer_alloc(type, n);
    memcpy(x->data, x0, n * sizeof *x0);
    gsl_multimin_fdfminimizer_set(minimizer, &function, x, 0.1, 0.1);
    for (int restarts = 0; restarts < RESTARTS;) {
        int status = gsl_multimin_fdfminimizer_iterate(minimizer);
        if (status == GSL_ENOPROG) {
            gsl_multimin_fdfminimizer_restart(minimizer);
            restarts++;
        } else if (status != GSL_SUCCESS) {
            break;
        } else {
            restarts = 0;
        }
    }
    gsl_multimin_fdfminimizer_free(minimizer);
    gsl_vector_free(x);
}

static void bfgs2(peer_run *run, double *x)
{
    solve(run, x, gsl_multimin_fdfminimizer_vector_bfgs2);
}

static void conjugate_pr(peer_run *run, double *x)
{
    solve(run, x, gsl_multimin_fdfminimizer_conjugate_pr);
}

const peer_method peer_methods[] = {
    {"vector_bfgs2", INT64_MAX, bfgs2}, {"conjugate_pr", INT64_MAX, conjugate_pr}, {NULL, 0, NULL}};
