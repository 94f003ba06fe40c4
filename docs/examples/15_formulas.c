/*
 * A loss written as a formula: its options, its derivatives, and what a mistake looks like. "formula:" in
 * loss_function_create(); docs/formulas.md has the functions.
 */
#include "must.h"

enum { ROWS = 4 };

/*
 * Launches of the space shuttle before its accident, at 53, 75, 67 and 81 degrees Fahrenheit: whether a seal was damaged, and a score
 * of that, 15 − 0.23 temperature (Dalal, Fowlkes & Hoadley 1989).
 */
static const double damaged[ROWS] = {1, 1, -1, -1}, score[ROWS] = {2.81, -2.25, -0.41, -3.63};

int main(void)
{
    double value[ROWS], gradient[ROWS], curvature[ROWS];

    loss_context *context;
    must(NULL, loss_context_create(&context));
    loss_function *loss;
    must(context, loss_function_create(&loss, context, "formula:log(1 + exp(-y*p)) + c*p^2; c=0"));
    must(context, loss_function_set_double(loss, "c", 0.001));

    loss_data *inputs, *outputs;
    must(context, loss_data_create(&inputs, context));
    must(context, loss_data_create(&outputs, context));
    must(context, loss_data_set_input(inputs, "prediction", score, LOSS_FLOAT64, ROWS, 1, 1, 1));
    must(context, loss_data_set_input(inputs, "target", damaged, LOSS_FLOAT64, ROWS, 1, 1, 1));
    must(context, loss_data_set_output(outputs, "value", value, LOSS_FLOAT64, ROWS, 1, 1, 1));
    must(context, loss_data_set_output(outputs, "gradient", gradient, LOSS_FLOAT64, ROWS, 1, 1, 1));
    must(context, loss_data_set_output(outputs, "curvature", curvature, LOSS_FLOAT64, ROWS, 1, 1, 1));
    must(context, loss_function_evaluate(context, loss, inputs, outputs, NULL, NULL));
    for (int i = 0; i < ROWS; i++) {
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
   0.06636  -0.05117   0.05556
   2.35527  -0.90915   0.08826
   0.50918   0.39809   0.24178
   0.03935   0.01857   0.02716
formula, character 9: there is no function 'epx'; did you mean 'exp'?
 */
