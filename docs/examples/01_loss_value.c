/*
 * A loss function by its name, and the cost of some predictions: the mean of the losses.
 * Introduces loss_context_create(), loss_function_create(), loss_function_cost_float64().
 */
#include "must.h"

/* How far Mercury to Jupiter are from the sun, in astronomical units (Standish 1992), and what the law of Titius and Bode says (1772). */
static const double distance[5] = {0.387, 0.723, 1.000, 1.524, 5.203}, law[5] = {0.4, 0.7, 1.0, 1.6, 5.2};

int main(void)
{
    double cost;

    loss_context *context;
    must(NULL, loss_context_create(&context));
    loss_function *function;
    must(context, loss_function_create(&function, context, "squared_error"));
    must(context, loss_function_cost_float64(context, function, 5, law, distance, &cost, NULL));
    printf("%s: cost %.6f\n", loss_function_name(function), cost);

    loss_function_free(function);
    loss_context_free(context);
    return 0;
}

/* Prints:
squared_error: cost 0.001297
 */
