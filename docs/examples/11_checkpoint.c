/*
 * A run that is interrupted, saved, and taken up by another optimizer as if nothing had happened.
 * Introduces loss_optimizer_save_size(), loss_optimizer_save(), loss_optimizer_load(), loss_optimizer_run(),
 * loss_optimizer_resume().
 */
#include <string.h>

#include "must.h"

enum { SPEEDS = 12 };

/* How fast an enzyme works, counts/min², at concentrations of its substrate in ppm (Treloar 1974; Bates & Watts 1988, table A1.3). */
static const double concentration[SPEEDS] = {0.02, 0.02, 0.06, 0.06, 0.11, 0.11,
                                             0.22, 0.22, 0.56, 0.56, 1.10, 1.10};
static const double speed[SPEEDS] = {76, 47, 97, 107, 123, 139, 159, 152, 191, 201, 207, 200};

/* The law of Michaelis and Menten, speed = 100 x0 c/(x1/10 + c): half the mean squared residual, and its gradient. */
static int32_t misfit(void *user, int64_t n, const void *at, double *value, void *gradient)
{
    const double *x = at;
    double sum = 0, g[2] = {0, 0};
    (void)user;
    (void)n;
    for (int i = 0; i < SPEEDS; i++) {
        const double share = concentration[i] / (x[1] / 10 + concentration[i]);
        const double residual = 100 * x[0] * share - speed[i];
        sum += 0.5 * residual * residual / SPEEDS;
        g[0] += 100 * residual * share / SPEEDS;
        g[1] -= 10 * residual * x[0] * share * share / concentration[i] / SPEEDS;
    }
    *value = sum;
    if (gradient != NULL) {
        memcpy(gradient, g, sizeof g);
    }
    return 0;
}

int main(void)
{
    double through[2] = {1, 1}, x[2] = {1, 1};
    loss_context *context;
    loss_objective *objective;
    loss_optimizer *first, *second;

    must(NULL, loss_context_create(&context));
    must(context, loss_objective_create_callback(&objective, context, LOSS_FLOAT64, 2, misfit, NULL, NULL));
    must(context, loss_optimizer_create(&first, context, "lbfgs", LOSS_FLOAT64, 2));

    must(context, loss_optimizer_minimize(first, objective, through)); /* without a break */

    must(context, loss_optimizer_set_int(first, "max_evaluations", 5));
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
