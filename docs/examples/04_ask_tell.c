/*
 * The same without a callback: the optimizer asks, you answer. For languages that cannot be called back, for
 * functions that are computed elsewhere, for loops that must stay yours.
 * Introduces loss_optimizer_start(), loss_optimizer_ask(), loss_optimizer_get_pointer(),
 * loss_optimizer_tell_gradient().
 */
#include "must.h"

static double rosenbrock(const double *x, double *gradient)
{
    const double a = 1.0 - x[0], b = x[1] - x[0] * x[0];
    gradient[0] = -2.0 * a - 400.0 * x[0] * b;
    gradient[1] = 200.0 * b;
    return a * a + 100.0 * b * b;
}

int main(void)
{
    const double start[2] = {-1.2, 1.0};
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
        value = rosenbrock(x, gradient);
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
x = (1.000000, 1.000000): converged: the gradient is small enough
 */
