/*
 * Arrays by role: value, gradient and curvature of every sample in one pass, with weights and a mask.
 * Introduces loss_data_set_input(), loss_data_set_output(), loss_function_evaluate().
 */
#include "must.h"

enum { ROWS = 4 };

static loss_data *create_data(loss_context *context)
{
    loss_data *data;
    must(context, loss_data_create(&data, context));
    return data;
}

int main(void)
{
    const double score[ROWS] = {2.5, -0.5, 4.0, -3.0}; /* logits: log-odds of the class 1 */
    const double target[ROWS] = {1.0, 0.25, 0.0, 1.0}; /* soft targets are allowed */
    const double weight[ROWS] = {1.0, 2.0, 1.0, 1.0};
    const int32_t mask[ROWS] = {1, 1, 1, 0}; /* the last row is never looked at */
    double value[ROWS], gradient[ROWS], curvature[ROWS], sum, denominator;

    loss_context *context;
    must(NULL, loss_context_create(&context));
    loss_function *logistic;
    must(context, loss_function_create(&logistic, context, "logistic"));

    loss_data *inputs = create_data(context), *outputs = create_data(context);
    must(context, loss_data_set_input(inputs, "prediction", score, LOSS_FLOAT64, ROWS, 1, 1, 1));
    must(context, loss_data_set_input(inputs, "target", target, LOSS_FLOAT64, ROWS, 1, 1, 1));
    must(context, loss_data_set_input(inputs, "weight", weight, LOSS_FLOAT64, ROWS, 1, 1, 1));
    must(context, loss_data_set_input(inputs, "mask", mask, LOSS_INT32, ROWS, 1, 1, 1));
    must(context, loss_data_set_output(outputs, "value", value, LOSS_FLOAT64, ROWS, 1, 1, 1));
    must(context, loss_data_set_output(outputs, "gradient", gradient, LOSS_FLOAT64, ROWS, 1, 1, 1));
    must(context, loss_data_set_output(outputs, "curvature", curvature, LOSS_FLOAT64, ROWS, 1, 1, 1));
    must(context, loss_function_evaluate(context, logistic, inputs, outputs, &sum, &denominator));

    for (int i = 0; i < ROWS; i++) {
        printf("%8.5f %8.5f %8.5f\n", value[i], gradient[i], curvature[i]);
    }
    printf("cost %.5f = %.5f / %g\n", sum / denominator, sum, denominator);

    loss_data_free(outputs);
    loss_data_free(inputs);
    loss_function_free(logistic);
    loss_context_free(context);
    return 0;
}

/* Prints:
 0.07889 -0.07586  0.07010
 1.19815  0.25508  0.47001
 4.01815  0.98201  0.01766
 0.00000  0.00000  0.00000
cost 1.32380 = 5.29519 / 4
 */
