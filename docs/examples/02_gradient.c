/*
 * Arrays by role: value, gradient and curvature of every sample in one pass, with weights and a mask.
 * Introduces loss_data_set_input(), loss_data_set_output(), loss_function_evaluate().
 */
#include "must.h"

enum { ROWS = 4 };

/*
 * Beetles under a gas at four doses, log10 of mg/l: how many there were, and the share that died (Bliss 1935). The scores are log-odds
 * of dying, 34.3 dose - 60.7 as fitted to all his doses.
 */
static const double dose[ROWS] = {1.6907, 1.7842, 1.8610, 1.8839};
static const double died[ROWS] = {6.0 / 59, 28.0 / 56, 61.0 / 62, 60.0 / 60}; /* soft targets are allowed */
static const double beetles[ROWS] = {59, 56, 62, 60};
static const int32_t mask[ROWS] = {1, 1, 1, 0}; /* the last row is never looked at */

static loss_data *create_data(loss_context *context)
{
    loss_data *data;
    must(context, loss_data_create(&data, context));
    return data;
}

int main(void)
{
    double score[ROWS], value[ROWS], gradient[ROWS], curvature[ROWS], sum, denominator;
    for (int i = 0; i < ROWS; i++) {
        score[i] = 34.3 * dose[i] - 60.7;
    }

    loss_context *context;
    must(NULL, loss_context_create(&context));
    loss_function *logistic;
    must(context, loss_function_create(&logistic, context, "logistic"));

    loss_data *inputs = create_data(context), *outputs = create_data(context);
    must(context, loss_data_set_input(inputs, "prediction", score, LOSS_FLOAT64, ROWS, 1, 1, 1));
    must(context, loss_data_set_input(inputs, "target", died, LOSS_FLOAT64, ROWS, 1, 1, 1));
    must(context, loss_data_set_input(inputs, "weight", beetles, LOSS_FLOAT64, ROWS, 1, 1, 1));
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
20.05825 -2.31575  3.45419
40.53503  6.83219 13.16645
 5.77926 -1.59125  2.48295
 0.00000  0.00000  0.00000
cost 0.37499 = 66.37254 / 177
 */
