/*
 * A run that is interrupted, saved, and taken up by another optimizer as if nothing had happened.
 * Introduces loss_optimizer_save_size(), loss_optimizer_save(), loss_optimizer_load(), loss_optimizer_run(),
 * loss_optimizer_resume().
 */
#include <string.h>

#include "must.h"

static int32_t rosenbrock(void *user, int64_t n, const void *at, double *value, void *gradient)
{
    const double *x = at;
    const double a = 1.0 - x[0], b = x[1] - x[0] * x[0];
    (void)user;
    (void)n;
    *value = a * a + 100.0 * b * b;
    if (gradient != NULL) {
        ((double *)gradient)[0] = -2.0 * a - 400.0 * x[0] * b;
        ((double *)gradient)[1] = 200.0 * b;
    }
    return 0;
}

int main(void)
{
    double through[2] = {-1.2, 1.0}, x[2] = {-1.2, 1.0};
    loss_context *context;
    loss_objective *objective;
    loss_optimizer *first, *second;

    must(NULL, loss_context_create(&context));
    must(context,
         loss_objective_create_callback(&objective, context, LOSS_FLOAT64, 2, rosenbrock, NULL, NULL));
    must(context, loss_optimizer_create(&first, context, "lbfgs", LOSS_FLOAT64, 2));

    must(context, loss_optimizer_minimize(first, objective, through)); /* without a break */

    must(context, loss_optimizer_set_int(first, "max_evaluations", 20));
    loss_status outcome = must(context, loss_optimizer_minimize(first, objective, x));
    printf("first: %s\n", loss_status_name(outcome));

    int64_t size = loss_optimizer_save_size(first);
    void *blob = malloc((size_t)size);
    must(context, loss_optimizer_save(first, blob, size)); /* to a file, say */
    loss_optimizer_free(first);

    must(context, loss_optimizer_create(&second, context, "lbfgs", LOSS_FLOAT64, 2));
    must(context, loss_optimizer_load(second, blob, size)); /* in another process, tomorrow */
    must(context, loss_optimizer_set_int(second, "max_evaluations", 1000));
    must(context, loss_optimizer_resume(second));
    outcome = must(context, loss_optimizer_run(second, objective, x));
    printf("second: %s, %s\n", loss_status_name(outcome),
           memcmp(x, through, sizeof x) == 0 ? "the same bits" : "other bits");

    free(blob);
    loss_optimizer_free(second);
    loss_objective_free(objective);
    loss_context_free(context);
    return 0;
}

/* Prints:
first: LOSS_STOP_EVALUATIONS
second: LOSS_STOP_GRADIENT, the same bits
 */
