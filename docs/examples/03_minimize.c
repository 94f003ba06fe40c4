/*
 * A function of your own, minimised: you give value and gradient in a callback, libloss does the rest.
 * Introduces loss_objective_create_callback(), loss_objective_check(), loss_optimizer_minimize().
 */
#include "must.h"

#include <math.h>
#include <string.h>

enum { DAYS = 6 };

/* The oxygen that was used up in bottles of water after so many days, in units of 100 mg/l (Box, Hunter & Hunter 1978; BoxBOD of NIST). */
static const double days[DAYS] = {1, 2, 3, 5, 7, 10}, used[DAYS] = {1.09, 1.49, 1.49, 1.91, 2.13, 2.24};

/* Half the sum of squared residuals of used = x0 (1 - exp(-x1 days)), and its gradient. */
static int32_t misfit(void *user, int64_t n, const void *at, double *value, void *gradient)
{
    (void)user, (void)n;
    const double *x = at;
    double sum = 0, g[2] = {0, 0};
    for (int i = 0; i < DAYS; i++) {
        const double left = exp(-x[1] * days[i]);
        const double residual = x[0] * (1 - left) - used[i];
        sum += 0.5 * residual * residual;
        g[0] += residual * (1 - left);
        g[1] += residual * x[0] * days[i] * left;
    }
    *value = sum;
    if (gradient != NULL) {
        memcpy(gradient, g, sizeof g);
    }
    return 0;
}

int main(void)
{
    double x[2] = {1.0, 0.75};
    int32_t verdict;
    int64_t evaluations;

    loss_context *context;
    must(NULL, loss_context_create(&context));
    loss_objective *objective;
    must(context, loss_objective_create_callback(&objective, context, LOSS_FLOAT64, 2, misfit, NULL, NULL));
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
x = (2.138094, 0.547237): converged: the gradient is small enough
fewer than 60 evaluations
 */
