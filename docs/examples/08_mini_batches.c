/*
 * Stochastic gradient descent through ask and tell: the optimizer says which samples, you compute their mean
 * gradient. Introduces LOSS_REQUEST_BATCH_GRADIENT and the payload "indices".
 */
#include "must.h"

enum { SAMPLES = 64 };

static double inputs[SAMPLES], targets[SAMPLES];

/* Mean of ½(a·t + b − y)² over the samples, and its gradient. */
static double evaluate(const double *x, int64_t count, const int64_t *indices, double *gradient)
{
    double value = 0.0;
    gradient[0] = gradient[1] = 0.0;
    for (int64_t k = 0; k < count; k++) {
        const int64_t i = indices == NULL ? k : indices[k];
        const double residual = x[0] * inputs[i] + x[1] - targets[i];
        value += 0.5 * residual * residual / (double)count;
        gradient[0] += residual * inputs[i] / (double)count;
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
    for (int i = 0; i < SAMPLES; i++) {
        inputs[i] = (double)i / SAMPLES;
        targets[i] = 3.0 * inputs[i] - 1.0;
    }

    loss_context *context;
    must(NULL, loss_context_create(&context));
    loss_optimizer *sgd;
    must(context, loss_optimizer_create(&sgd, context, "sgd", LOSS_FLOAT64, 2));
    must(context, loss_optimizer_set_int(sgd, "samples", SAMPLES));
    must(context, loss_optimizer_set_int(sgd, "batch_size", 8));
    must(context, loss_optimizer_set_int(sgd, "epochs", 200));
    must(context, loss_optimizer_set_double(sgd, "learning_rate", 0.1));

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
    printf("y = %.2f t + %.2f\n", ((const double *)x)[0], ((const double *)x)[1]);

    loss_optimizer_free(sgd);
    loss_context_free(context);
    return 0;
}

/* Prints:
y = 3.00 t + -1.00
 */
