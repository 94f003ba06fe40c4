/*
 * Stochastic gradient descent through ask and tell: the optimizer says which samples, you compute their mean
 * gradient. Introduces LOSS_REQUEST_BATCH_GRADIENT and the payload "indices".
 */
#include "must.h"

enum { SAMPLES = 17 };

/* Where water boils, in degrees Fahrenheit, and what the barometer shows, in inches of mercury (Forbes 1857, in the Alps). */
static const double boils[SAMPLES] = {194.5, 194.3, 197.9, 198.4, 199.4, 199.9, 200.9, 201.1, 201.4,
                                      201.3, 203.6, 204.6, 209.5, 208.6, 210.7, 211.9, 212.2};
static const double pressure[SAMPLES] = {20.79, 20.79, 22.40, 22.67, 23.15, 23.35, 23.89, 23.99, 24.02,
                                         24.01, 25.14, 26.57, 28.49, 27.76, 29.04, 29.88, 30.06};

/* Mean of ½(a t + b − pressure)² over the samples, t counted from 203 °F in tens, and its gradient. */
static double evaluate(const double *x, int64_t count, const int64_t *indices, double *gradient)
{
    double value = 0.0;
    gradient[0] = gradient[1] = 0.0;
    for (int64_t k = 0; k < count; k++) {
        const int64_t i = indices == NULL ? k : indices[k];
        const double t = (boils[i] - 203) / 10;
        const double residual = x[0] * t + x[1] - pressure[i];
        value += 0.5 * residual * residual / (double)count;
        gradient[0] += residual * t / (double)count;
        gradient[1] += residual / (double)count;
    }
    return value;
}

int main(void)
{
    const double start[2] = {0.0, 0.0};
    double gradient[2], value;
    const void *x, *indices = NULL;
    int32_t request;

    loss_context *context;
    must(NULL, loss_context_create(&context));
    loss_optimizer *sgd;
    must(context, loss_optimizer_create(&sgd, context, "sgd", LOSS_FLOAT64, 2));
    must(context, loss_optimizer_set_int(sgd, "samples", SAMPLES));
    must(context, loss_optimizer_set_int(sgd, "batch_size", 4));
    must(context, loss_optimizer_set_int(sgd, "epochs", 200));
    must(context, loss_optimizer_set_double(sgd, "learning_rate", 0.02));

    must(context, loss_optimizer_start(sgd, start));
    while (must(context, loss_optimizer_ask(sgd, &request)) == LOSS_OK && request != LOSS_REQUEST_DONE) {
        int64_t count = SAMPLES;
        must(context, loss_optimizer_get_pointer(sgd, "x", &x));
        indices = NULL;
        if (request == LOSS_REQUEST_BATCH_GRADIENT) {
            must(context, loss_optimizer_get_int(sgd, "indices_count", &count));
            must(context, loss_optimizer_get_pointer(sgd, "indices", &indices));
        }
        value = evaluate(x, count, indices, gradient);
        must(context, loss_optimizer_tell_gradient(sgd, value, gradient));
    }
    must(context, loss_optimizer_get_pointer(sgd, "best_x", &x));
    printf("%.2f inches at 203 degrees, %.2f more for each ten\n", ((const double *)x)[1],
           ((const double *)x)[0]);

    loss_optimizer_free(sgd);
    loss_context_free(context);
    return 0;
}

/* Prints:
25.08 inches at 203 degrees, 5.23 more for each ten
 */
