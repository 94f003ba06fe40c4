/*
 * A loss written as a formula: its options, its derivatives, and what a mistake looks like. "formula:" in
 * loss_function_create(); docs/formulas.md has the functions.
 */
#include "must.h"

enum { ROWS = 4 };

int main(void)
{
    const double prediction[ROWS] = {2.0, -0.5, 800.0, -3.0}, target[ROWS] = {1, 1, -1, -1};
    double value[ROWS], gradient[ROWS], curvature[ROWS];

    loss_context *context;
    must(NULL, loss_context_create(&context));
    loss_function *loss;
    must(context, loss_function_create(&loss, context, "formula:log(1 + exp(-y*p)) + c*p^2; c=0"));
    must(context, loss_function_set_double(loss, "c", 0.001));

    loss_data *inputs, *outputs;
    must(context, loss_data_create(&inputs, context));
    must(context, loss_data_create(&outputs, context));
    must(context, loss_data_set_input(inputs, "prediction", prediction, LOSS_FLOAT64, ROWS, 1, 1, 1));
    must(context, loss_data_set_input(inputs, "target", target, LOSS_FLOAT64, ROWS, 1, 1, 1));
    must(context, loss_data_set_output(outputs, "value", value, LOSS_FLOAT64, ROWS, 1, 1, 1));
    must(context, loss_data_set_output(outputs, "gradient", gradient, LOSS_FLOAT64, ROWS, 1, 1, 1));
    must(context, loss_data_set_output(outputs, "curvature", curvature, LOSS_FLOAT64, ROWS, 1, 1, 1));
    must(context, loss_function_evaluate(context, loss, inputs, outputs, NULL, NULL));
    for (int i = 0; i < ROWS; i++) { /* e^800 is no number, and does not matter */
        printf("%10.5f %9.5f %9.5f\n", value[i], gradient[i], curvature[i]);
    }

    loss_function *wrong;
    if (loss_function_create(&wrong, context, "formula:log(1 + epx(-y*p))") == LOSS_ERROR_FORMULA) {
        printf("%s\n", loss_context_error(context));
    }

    loss_data_free(inputs);
    loss_data_free(outputs);
    loss_function_free(loss);
    loss_context_free(context);
    return 0;
}

/* Prints:
   0.13093  -0.11520   0.10699
   0.97433  -0.62346   0.23700
1440.00000   2.60000   0.00200
   0.05759   0.04143   0.04718
formula, character 9: there is no function 'epx'; did you mean 'exp'?
 */
