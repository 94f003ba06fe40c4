/*
 * Bounds and the lasso: penalties without derivatives, and the methods that handle them.
 * Introduces loss_penalty_create(), loss_penalty_set_double(), loss_optimizer_add_penalty(), loss_optimizer_add_segment().
 */
#include "must.h"

/* ½‖x − c‖², the rest of the objective, with its gradient */
static const double c[3] = {2.0, 0.3, -1.5};

static double distance(const double *x, double *gradient)
{
    double sum = 0.0;
    for (int i = 0; i < 3; i++) {
        gradient[i] = x[i] - c[i];
        sum += 0.5 * gradient[i] * gradient[i];
    }
    return sum;
}

static void solve(loss_context *context, const char *method, const char *name, const char *option,
                  double number, const char *groups)
{
    const double start[3] = {0.0, 0.0, 0.0};
    double gradient[3], value;
    const void *x;
    int32_t request;
    loss_penalty *penalty;
    loss_optimizer *optimizer;

    must(context, loss_penalty_create(&penalty, context, name));
    must(context, loss_penalty_set_double(penalty, option, number));
    must(context, loss_optimizer_create(&optimizer, context, method, LOSS_FLOAT64, 3));
    if (groups) { /* the first two parameters leave together, the third is as free as without a penalty */
        must(context, loss_penalty_set_string(penalty, "groups", groups));
        must(context, loss_optimizer_add_segment(optimizer, "pair", 0, 1, 2));
        must(context, loss_optimizer_add_segment(optimizer, "bias", 2, 1, 1));
        must(context, loss_optimizer_set_segment_double(optimizer, "bias", "penalty_factor", 0.0));
    }
    must(context, loss_optimizer_add_penalty(optimizer, penalty));
    must(context, loss_optimizer_start(optimizer, start));
    while (must(context, loss_optimizer_ask(optimizer, &request)) == LOSS_OK &&
           request != LOSS_REQUEST_DONE) {
        must(context, loss_optimizer_get_pointer(optimizer, "x", &x));
        value = distance(x, gradient);
        must(context, request == LOSS_REQUEST_VALUE
                          ? loss_optimizer_tell_value(optimizer, value)
                          : loss_optimizer_tell_gradient(optimizer, value, gradient));
    }
    must(context, loss_optimizer_get_pointer(optimizer, "best_x", &x));
    const double *best = x;
    printf("%s by %s: (%.4f, %.4f, %.4f)\n", name, method, best[0], best[1], best[2]);
    loss_optimizer_free(optimizer);
    loss_penalty_free(penalty);
}

int main(void)
{
    loss_context *context;
    must(NULL, loss_context_create(&context));
    solve(context, "lbfgsb", "box", "upper", 1.0, NULL);
    solve(context, "owlqn", "l1", "strength", 0.5, NULL);
    solve(context, "accelerated_gradient", "simplex", "total", 1.0, NULL);
    solve(context, "spectral_projected_gradient", "group_lasso", "strength", 0.5, "segments");

    loss_penalty *penalty;
    loss_optimizer *optimizer;
    const double start[3] = {0.0, 0.0, 0.0};
    must(context, loss_penalty_create(&penalty, context, "l1"));
    must(context, loss_optimizer_create(&optimizer, context, "lbfgs", LOSS_FLOAT64, 3));
    must(context, loss_optimizer_add_penalty(optimizer, penalty));
    if (loss_optimizer_start(optimizer, start) == LOSS_ERROR_SUPPORT) {
        printf("%s\n", loss_context_error(context));
    }
    loss_optimizer_free(optimizer);
    loss_penalty_free(penalty);
    loss_context_free(context);
    return 0;
}

/* Prints:
box by lbfgsb: (1.0000, 0.3000, -1.5000)
l1 by owlqn: (1.5000, 0.0000, -1.0000)
simplex by accelerated_gradient: (1.0000, 0.0000, 0.0000)
group_lasso by spectral_projected_gradient: (1.3007, 0.1951, -1.5000)
the optimizer 'lbfgs' cannot handle the penalty 'l1'; take one of 'accelerated_gradient', 'owlqn', 'spectral_projected_gradient'
 */
