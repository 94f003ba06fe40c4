/*
 * Threads are asked for, never assumed, and change nothing but the time: the bits of the result stay.
 * Introduces loss_context_set_int() and the option "threads".
 */
#include "must.h"
#include <string.h>

enum { N = 1000000 };

int main(void)
{
    const int64_t threads[3] = {1, 2, 4};
    double cost[3], *prediction = malloc(N * sizeof *prediction), *target = calloc(N, sizeof *target);
    loss_context *context;
    must(NULL, loss_context_create(&context));
    must(context, loss_random_uniform(7, 0, 0, N, prediction));
    loss_function *function;
    must(context, loss_function_create(&function, context, "logistic"));

    for (int i = 0; i < 3; i++) {
        must(context, loss_context_set_int(context, "threads", threads[i]));
        must(context, loss_function_cost_float64(context, function, N, prediction, target, &cost[i], NULL));
        printf("%d threads: %s\n", (int)threads[i],
               memcmp(&cost[i], &cost[0], sizeof *cost) == 0 ? "the same" : "other");
    }

    loss_function_free(function);
    loss_context_free(context);
    free(target);
    free(prediction);
    return 0;
}

/* Prints:
1 threads: the same
2 threads: the same
4 threads: the same
 */
