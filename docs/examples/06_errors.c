/*
 * Failures: a status to decide by, and one sentence in the context that says what was wrong and what was
 * expected. After a failure nothing has changed. The library never prints. Introduces loss_status_name(),
 * loss_context_error(), loss_context_error_row().
 */
#include "must.h"

static void show(loss_context *context, loss_status status)
{
    printf("%s: %s\n", loss_status_name(status), loss_context_error(context));
}

int main(void)
{
    const double scores[6] = {0.1, 0.7, 0.2, 1.5, -0.5, 0.0};
    const int64_t labels[2] = {2, 3}; /* there are three classes: 0, 1, 2 */
    double cost = 0.0;
    loss_context *context;
    loss_function *function;
    must(NULL, loss_context_create(&context));

    show(context, loss_function_create(&function, context, "hubre"));
    must(context, loss_function_create(&function, context, "cross_entropy"));
    show(context, loss_function_set_double(function, "label_smoothing", 1.5));
    show(context, loss_function_cost_labels_float64(context, function, 2, 3, scores, labels, &cost, NULL));
    printf("the row to look at is %d\n", (int)loss_context_error_row(context));

    loss_function_free(function);
    loss_context_free(context);
    return 0;
}

/* Prints:
LOSS_ERROR_NAME: there is no loss called 'hubre'; did you mean 'huber'?
LOSS_ERROR_RANGE: the option 'label_smoothing' of the loss 'cross_entropy' is 0 … 1, not 1.5
LOSS_ERROR_LABEL: the label of row 1 is 3; with 3 classes it is 0 … 2
the row to look at is 1
 */
