/*
 * A classifier: a linear model, cross-entropy with class labels and an L2 penalty, trained by Newton's
 * method. Introduces loss_objective_create_linear(), loss_penalty_create(), loss_objective_predict().
 */
#include "must.h"

enum { ROWS = 9, FEATURES = 2, CLASSES = 3, PARAMETERS = CLASSES * (FEATURES + 1) };

/* Petal length and width in cm of three irises of each kind (Fisher 1936). */
static const double features[ROWS][FEATURES] = {{1.4, 0.2}, {1.3, 0.2}, {1.7, 0.4}, {4.7, 1.4}, {4.5, 1.5},
                                                {3.9, 1.1}, {6.0, 2.5}, {5.1, 1.9}, {5.9, 2.1}};
static const int64_t kinds[ROWS] = {0, 0, 0, 1, 1, 1, 2, 2, 2};

static loss_objective *create_objective(loss_context *context, loss_data *data)
{
    loss_function *function;
    loss_penalty *penalty;
    loss_objective *objective;
    must(context, loss_function_create(&function, context, "cross_entropy"));
    must(context, loss_penalty_create(&penalty, context, "l2"));
    must(context, loss_penalty_set_double(penalty, "strength", 0.01));
    must(context, loss_objective_create_linear(&objective, context, function, data));
    must(context, loss_objective_add_penalty(objective, penalty));
    /* The objective holds on to what it needs; our own references may go. */
    loss_penalty_free(penalty);
    loss_function_free(function);
    return objective;
}

int main(void)
{
    double parameters[PARAMETERS] = {0}, scores[ROWS][CLASSES];
    loss_context *context;
    must(NULL, loss_context_create(&context));
    loss_data *data, *inputs, *outputs;
    must(context, loss_data_create(&data, context));
    must(context, loss_data_set_input(data, "features", features, LOSS_FLOAT64, ROWS, FEATURES, FEATURES, 1));
    must(context, loss_data_set_input(data, "target", kinds, LOSS_INT64, ROWS, 1, 1, 1));

    loss_objective *objective = create_objective(context, data);
    loss_optimizer *newton;
    must(context, loss_optimizer_create(&newton, context, "newton_cg", LOSS_FLOAT64, PARAMETERS));
    const loss_status outcome = must(context, loss_optimizer_minimize(newton, objective, parameters));
    printf("%s\n", loss_status_message(outcome));

    must(context, loss_data_create(&inputs, context));
    must(context, loss_data_create(&outputs, context));
    must(context,
         loss_data_set_input(inputs, "features", features, LOSS_FLOAT64, ROWS, FEATURES, FEATURES, 1));
    must(context,
         loss_data_set_output(outputs, "prediction", scores, LOSS_FLOAT64, ROWS, CLASSES, CLASSES, 1));
    must(context, loss_objective_predict(objective, parameters, inputs, outputs));
    int right = 0;
    for (int i = 0; i < ROWS; i++) {
        int best = 0;
        for (int k = 1; k < CLASSES; k++) {
            best = scores[i][k] > scores[i][best] ? k : best;
        }
        right += best == kinds[i];
    }
    printf("%d of %d right\n", right, ROWS);

    loss_optimizer_free(newton);
    loss_objective_free(objective);
    loss_data_free(outputs);
    loss_data_free(inputs);
    loss_data_free(data);
    loss_context_free(context);
    return 0;
}

/* Prints:
converged: the gradient is small enough
9 of 9 right
 */
