/*
 * The same without a callback: the optimizer asks, you answer. For languages that cannot be called back, for
 * functions that are computed elsewhere, for loops that must stay yours.
 * Introduces loss_optimizer_start(), loss_optimizer_ask(), loss_optimizer_get_pointer(),
 * loss_optimizer_tell_gradient().
 */
#include "must.h"

#include <math.h>

enum { DAYS = 6 };

/* The oxygen that was used up in bottles of water after so many days, in units of 100 mg/l (Box, Hunter & Hunter 1978; BoxBOD of NIST). */
static const double days[DAYS] = {1, 2, 3, 5, 7, 10}, used[DAYS] = {1.09, 1.49, 1.49, 1.91, 2.13, 2.24};

/* Half the sum of squared residuals of used = x0 (1 - exp(-x1 days)), and its gradient. */
static double misfit(const double *x, double *gradient)
{
    double sum = 0;
    gradient[0] = gradient[1] = 0;
    for (int i = 0; i < DAYS; i++) {
        const double left = exp(-x[1] * days[i]);
        const double residual = x[0] * (1 - left) - used[i];
        sum += 0.5 * residual * residual;
        gradient[0] += residual * (1 - left);
        gradient[1] += residual * x[0] * days[i] * left;
    }
    return sum;
}

int main(void)
{
    const double start[2] = {1.0, 0.75};
    double gradient[2], value;
    const void *x;
    int32_t request;
    loss_status outcome;

    loss_context *context;
    must(NULL, loss_context_create(&context));
    loss_optimizer *optimizer;
    must(context, loss_optimizer_create(&optimizer, context, "conjugate_gradient", LOSS_FLOAT64, 2));
    must(context, loss_optimizer_set_double(optimizer, "gradient_tolerance", 1e-8));

    must(context, loss_optimizer_start(optimizer, start));
    while (must(context, loss_optimizer_ask(optimizer, &request)) == LOSS_OK &&
           request != LOSS_REQUEST_DONE) {
        /* Other methods ask for other things: see LOSS_REQUEST_… */
        must(context, loss_optimizer_get_pointer(optimizer, "x", &x));
        value = misfit(x, gradient);
        must(context, request == LOSS_REQUEST_VALUE
                          ? loss_optimizer_tell_value(optimizer, value)
                          : loss_optimizer_tell_gradient(optimizer, value, gradient));
    }
    must(context, loss_optimizer_outcome(optimizer, &outcome));
    must(context, loss_optimizer_get_pointer(optimizer, "best_x", &x));
    printf("x = (%.6f, %.6f): %s\n", ((const double *)x)[0], ((const double *)x)[1],
           loss_status_message(outcome));

    loss_optimizer_free(optimizer);
    loss_context_free(context);
    return 0;
}

/* Prints:
x = (2.138094, 0.547237): converged: the gradient is small enough
 */
