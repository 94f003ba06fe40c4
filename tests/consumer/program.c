/* The smallest user of libloss: one loss, checked to the last bit. Returns 0 when all is well. */
#include <loss/loss.h>
#include <stdio.h>

int main(void)
{
    const double prediction[2] = {1.5, -3.0}, target[2] = {1.0, -1.0};
    double cost = 0.0, gradient[2];
    loss_context *context;
    loss_function *huber;
    if (loss_version() != LOSS_VERSION_NUMBER || loss_context_create(&context) != LOSS_OK) {
        return 1;
    }
    loss_status status = loss_function_create(&huber, context, "huber");
    if (status == LOSS_OK) {
        status = loss_function_cost_float64(context, huber, 2, prediction, target, &cost, gradient);
    }
    printf("libloss %s: cost %.17g %s\n", loss_version_string(), cost, loss_context_error(context));
    loss_function_free(huber);
    loss_context_free(context);
    /* Residuals 0.5 and -2: (0.125 + 1.5) / 2, and half of 0.5 and of the slope -1. */
    return !(status == LOSS_OK && cost == 0.8125 && gradient[0] == 0.25 && gradient[1] == -0.5);
}
