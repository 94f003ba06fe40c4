/* Digests over reference cases: see results_structured.h. */
#include "results_structured.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PLACES = 4096 };

static const char *const derivatives[] = {"gradient", "curvature", "product"};

static void set(void *to, loss_dtype dtype, int64_t i, double number)
{
    if (dtype == LOSS_INT64) {
        ((int64_t *)to)[i] = (int64_t)number;
    } else if (dtype == LOSS_FLOAT32) {
        ((float *)to)[i] = (float)number;
    } else {
        ((double *)to)[i] = number;
    }
}

/* The inputs of a case; the arrays go into `arrays`, to be freed. */
static loss_status add_inputs(loss_data *inputs, const structured_case *given, void **arrays)
{
    loss_status status = LOSS_OK;
    for (int32_t k = 0; k < given->inputs && status == LOSS_OK; k++) {
        const case_array *a = &given->input[k];
        const loss_dtype dtype = a->integers ? LOSS_INT64 : given->dtype;
        arrays[k] = calloc((size_t)(a->rows * a->columns) + 1, 8);
        for (int64_t i = 0; i < a->rows * a->columns; i++) {
            set(arrays[k], dtype, i, a->number[i]);
        }
        status = loss_data_set_input(inputs, a->role, arrays[k], dtype, a->rows, a->columns, a->columns, 1);
    }
    return status;
}

/* value and every derivative, one behind the other in `place`; gives how many numbers. */
static int64_t add_outputs(loss_data *outputs, const structured_case *given, char *place)
{
    const case_array *value = case_output(given, "value"), *first = &given->input[0];
    const int64_t size = loss_dtype_size(given->dtype);
    const int32_t elements = value->rows == first->rows * first->columns && first->columns > 1 &&
                             case_input(given, "offsets") == NULL;
    int64_t used = value->rows;
    loss_data_set_output(outputs, "value", place, given->dtype, elements ? first->rows : value->rows,
                         elements ? first->columns : 1, elements ? first->columns : 1, 1);
    for (int32_t k = 0; k < given->inputs; k++) {
        const case_array *a = &given->input[k];
        char name[2 * CASE_NAME];
        snprintf(name, sizeof name, "%s.direction", a->role);
        const int32_t second = case_input(given, name) != NULL;
        for (int d = 0; d < 3; d++) {
            char output[2 * CASE_NAME];
            snprintf(output, sizeof output, "%s.%s", a->role, derivatives[d]);
            if (d == 0 ? case_output(given, output) == NULL : !second) {
                continue;
            }
            loss_data_set_output(outputs, output, place + used * size, given->dtype, a->rows, a->columns,
                                 a->columns, 1);
            used += a->rows * a->columns;
        }
    }
    return used;
}

static loss_status digest_case(loss_context *context, const char *name, const structured_case *given,
                               uint64_t (*hash)(uint64_t, double), uint64_t *digest)
{
    static double place[PLACES];
    void *arrays[CASE_ARRAYS] = {NULL};
    loss_function *function = NULL;
    loss_data *inputs = NULL, *outputs = NULL;
    double sum = 0, denominator = 0;
    int64_t used = 0;
    loss_status status = loss_function_create(&function, context, name);
    status = status == LOSS_OK ? vectors_configure(function, given->options) : status;
    status = status == LOSS_OK ? loss_data_create(&inputs, context) : status;
    status = status == LOSS_OK ? loss_data_create(&outputs, context) : status;
    status = status == LOSS_OK ? add_inputs(inputs, given, arrays) : status;
    if (status == LOSS_OK) {
        used = add_outputs(outputs, given, (char *)place);
        status = loss_function_evaluate(context, function, inputs, outputs, &sum, &denominator);
    }
    for (int64_t i = 0; i < used && status == LOSS_OK; i++) {
        *digest = hash(*digest, given->dtype == LOSS_FLOAT32 ? (double)((const float *)(const void *)place)[i]
                                                             : place[i]);
    }
    *digest = hash(hash(*digest, sum), denominator);
    for (int32_t k = 0; k < CASE_ARRAYS; k++) {
        free(arrays[k]);
    }
    loss_data_free(outputs);
    loss_data_free(inputs);
    loss_function_free(function);
    return status;
}

loss_status digest_cases(loss_context *context, const char *name, const case_file *file, loss_dtype dtype,
                         uint64_t (*hash)(uint64_t, double), uint64_t *digest)
{
    loss_status status = LOSS_OK;
    for (int64_t c = 0; c < file->count && status == LOSS_OK; c++) {
        if (file->cases[c].dtype == dtype) {
            status = digest_case(context, name, &file->cases[c], hash, digest);
        }
    }
    return status;
}
