/*
 * Bounds and the lasso: penalties without derivatives, and the methods that handle them.
 * Introduces loss_penalty_create(), loss_penalty_set_double(), loss_optimizer_add_penalty(), loss_optimizer_add_segment().
 */
#include "must.h"

enum { DAYS = 21, FEATURES = 3 };

/* A plant that makes nitric acid, 21 days (Brownlee 1960): flow of air, temperature of the cooling water, concentration of the acid. */
static const double measured[DAYS][FEATURES] = {
    {80, 27, 89}, {80, 27, 88}, {75, 25, 90}, {62, 24, 87}, {62, 22, 87}, {62, 23, 87}, {62, 24, 93},
    {62, 24, 93}, {58, 23, 87}, {58, 18, 80}, {58, 18, 89}, {58, 17, 88}, {58, 18, 82}, {58, 19, 93},
    {50, 18, 89}, {50, 18, 86}, {50, 19, 72}, {50, 19, 79}, {50, 20, 80}, {56, 20, 82}, {70, 20, 91},
};
/* Ten times the percentage of ammonia that was lost. */
static const double lost[DAYS] = {42, 37, 37, 28, 18, 18, 19, 20, 15, 14, 14,
                                  13, 11, 12, 8,  7,  8,  8,  9,  15, 15};
/* The means: what is explained are the differences from them. */
static const double usual[FEATURES] = {60.43, 21.1, 86.29}, usual_loss = 17.52;

/* ½ of the mean squared residual, the rest of the objective, with its gradient */
static double misfit(const double *x, double *gradient)
{
    double sum = 0.0;
    gradient[0] = gradient[1] = gradient[2] = 0.0;
    for (int i = 0; i < DAYS; i++) {
        double residual = usual_loss - lost[i];
        for (int j = 0; j < FEATURES; j++) {
            residual += x[j] * (measured[i][j] - usual[j]);
        }
        for (int j = 0; j < FEATURES; j++) {
            gradient[j] += residual * (measured[i][j] - usual[j]) / DAYS;
        }
        sum += 0.5 * residual * residual / DAYS;
    }
    return sum;
}

static void solve(loss_context *context, const char *method, const char *name, const char *option,
                  double number, const char *groups)
{
    const double start[FEATURES] = {0.0};
    double gradient[FEATURES], value;
    const void *x;
    int32_t request;
    loss_penalty *penalty;
    loss_optimizer *optimizer;

    must(context, loss_penalty_create(&penalty, context, name));
    must(context, loss_penalty_set_double(penalty, option, number));
    must(context, loss_optimizer_create(&optimizer, context, method, LOSS_FLOAT64, FEATURES));
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
        value = misfit(x, gradient);
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
    solve(context, "owlqn", "l1", "strength", 5.0, NULL);
    solve(context, "accelerated_gradient", "simplex", "total", 1.0, NULL);
    solve(context, "spectral_projected_gradient", "group_lasso", "strength", 5.0, "segments");

    loss_penalty *penalty;
    loss_optimizer *optimizer;
    const double start[FEATURES] = {0.0};
    must(context, loss_penalty_create(&penalty, context, "l1"));
    must(context, loss_optimizer_create(&optimizer, context, "lbfgs", LOSS_FLOAT64, FEATURES));
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
box by lbfgsb: (0.7952, 1.0000, -0.1521)
l1 by owlqn: (0.8749, 0.3078, 0.0000)
simplex by accelerated_gradient: (0.9224, 0.0776, 0.0000)
group_lasso by spectral_projected_gradient: (0.8108, 0.5888, -0.0706)
the optimizer 'lbfgs' cannot handle the penalty 'l1'; take one of 'accelerated_gradient', 'owlqn', 'spectral_projected_gradient'
 */
