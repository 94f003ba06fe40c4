/*
 * A loss function by its name, and the cost of some predictions: the mean of the losses.
 * Introduces loss_context_create(), loss_function_create(), loss_function_cost_float64().
 */
#include "must.h"

int main(void)
{
    const double prediction[5] = {1.2, 1.8, 2.9, 3.8, 4.9}, target[5] = {1, 2, 3, 4, 5};
    double cost;

    loss_context *context;
    must(NULL, loss_context_create(&context));
    loss_function *function;
    must(context, loss_function_create(&function, context, "squared_error"));
    must(context, loss_function_cost_float64(context, function, 5, prediction, target, &cost, NULL));
    printf("%s: cost %.3f\n", loss_function_name(function), cost);

    loss_function_free(function);
    loss_context_free(context);
    return 0;
}

/* Prints:
squared_error: cost 0.028
 */
