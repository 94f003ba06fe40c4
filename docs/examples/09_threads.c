/*
 * Threads are asked for, never assumed, and change nothing but the time: the bits of the result stay.
 * Introduces loss_context_set_int() and the option "threads".
 */
#include "must.h"

#include <loss/io.h>
#include <string.h>

enum { SKIPPED = 77 /* the exit code of a test that has nothing to test */ };

static const char path[] = "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz";

int main(void)
{
    const int64_t threads[3] = {1, 2, 4};
    double cost[3];
    loss_array *pictures;
    loss_function *function;
    loss_context *context;
    must(NULL, loss_context_create(&context));
    const loss_status status = loss_array_read_idx_as(&pictures, context, path, LOSS_FLOAT32, NULL, NULL);
    if (status == LOSS_ERROR_FILE || status == LOSS_ERROR_SUPPORT) {
        printf("%s\nThe pictures are in the Debian package dataset-fashion-mnist.\n",
               loss_context_error(context));
        return SKIPPED;
    }
    must(context, status);

    /* How much a pixel differs from the one before it: both are the same array, once without its last element, once without its first. */
    const int64_t pixels = loss_array_row_count(pictures) * loss_array_column_count(pictures);
    const float *values = loss_array_values(pictures);
    must(context, loss_function_create(&function, context, "absolute_error"));
    for (int i = 0; i < 3; i++) {
        must(context, loss_context_set_int(context, "threads", threads[i]));
        must(context,
             loss_function_cost_float32(context, function, pixels - 1, values, values + 1, &cost[i], NULL));
        printf("%d threads: %.4f, %s\n", (int)threads[i], cost[i],
               memcmp(&cost[i], &cost[0], sizeof *cost) == 0 ? "the same" : "other");
    }

    loss_function_free(function);
    loss_array_free(pictures);
    loss_context_free(context);
    return 0;
}

/* Prints:
1 threads: 21.9948, the same
2 threads: 21.9948, the same
4 threads: 21.9948, the same
 */
