/*
 * What there is, asked of the library itself: the catalogue, the options of a loss, their bounds and
 * defaults. Introduces loss_function_catalogue_name(), loss_function_option(), loss_function_set_double().
 */
#include "must.h"

int main(void)
{
    double delta;
    loss_context *context;
    must(NULL, loss_context_create(&context));

    printf("huber is one of %s losses\n", loss_function_catalogue_count() >= 8 ? "at least 8" : "few");
    loss_function *huber;
    must(context, loss_function_create(&huber, context, "huber"));
    for (int32_t i = 0; i < loss_function_option_count(huber); i++) {
        const loss_option *option = loss_function_option(huber, i);
        if (loss_option_type(option) == LOSS_OPTION_DOUBLE) {
            printf("%s = %g\n", loss_option_name(option), loss_option_default(option));
        } else if (loss_option_type(option) == LOSS_OPTION_STRING) {
            printf("%s = %s, one of %s\n", loss_option_name(option), loss_option_default_string(option),
                   loss_option_choices(option));
        }
    }

    must(context,
         loss_function_set_double(huber, "delta", 1.345)); /* 95 % efficiency on normal errors (Huber 1981) */
    must(context, loss_function_get_double(huber, "delta", &delta));
    printf("delta is now %g\n", delta);

    loss_function_free(huber);
    loss_context_free(context);
    return 0;
}

/* Prints:
huber is one of at least 8 losses
curvature = exact, one of exact|gauss_newton|majorizer
delta = 1
delta is now 1.345
 */
