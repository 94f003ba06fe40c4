/*
 * A function of your own, minimised: you give value and gradient in a callback, libloss does the rest.
 * Introduces loss_objective_create_callback(), loss_objective_check(), loss_optimizer_minimize().
 */
#include "must.h"

static int32_t rosenbrock(void *user, int64_t n, const void *at, double *value, void *gradient)
{
    (void)user, (void)n;
    const double *x = at;
    const double a = 1.0 - x[0], b = x[1] - x[0] * x[0];
    *value = a * a + 100.0 * b * b;
    if (gradient != NULL) {
        double *g = gradient;
        g[0] = -2.0 * a - 400.0 * x[0] * b;
        g[1] = 200.0 * b;
    }
    return 0;
}

int main(void)
{
    double x[2] = {-1.2, 1.0};
    int32_t verdict;
    int64_t evaluations;

    loss_context *context;
    must(NULL, loss_context_create(&context));
    loss_objective *objective;
    must(context,
         loss_objective_create_callback(&objective, context, LOSS_FLOAT64, 2, rosenbrock, NULL, NULL));
    must(context, loss_objective_check(objective, x, 1, &verdict));
    printf("the gradient is %s\n", verdict == LOSS_CHECK_OK ? "right" : loss_context_error(context));

    loss_optimizer *lbfgs;
    must(context, loss_optimizer_create(&lbfgs, context, "lbfgs", LOSS_FLOAT64, 2));
    must(context, loss_optimizer_set_double(lbfgs, "gradient_tolerance", 1e-8));
    const loss_status outcome = must(context, loss_optimizer_minimize(lbfgs, objective, x));
    must(context, loss_optimizer_get_int(lbfgs, "evaluations", &evaluations));
    printf("x = (%.6f, %.6f): %s\n", x[0], x[1], loss_status_message(outcome));
    printf("%s\n", evaluations < 60 ? "fewer than 60 evaluations" : "60 evaluations or more");

    loss_optimizer_free(lbfgs);
    loss_objective_free(objective);
    loss_context_free(context);
    return 0;
}

/* Prints:
the gradient is right
x = (1.000000, 1.000000): converged: the gradient is small enough
fewer than 60 evaluations
 */
