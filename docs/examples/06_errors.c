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

/*
 * How far the petals of two irises, 1.4 and 5.1 cm long, are from the mean length of each of three kinds (Fisher 1936), as scores; the
 * kinds are numbered from 1, as they often are in files: here they are 0, 1 and 2.
 */
static const double scores[6] = {-0.062, -2.860, -4.152, -3.638, -0.840, -0.452};
static const int64_t labels[2] = {1, 3};

int main(void)
{
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
