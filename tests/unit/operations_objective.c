/* Objectives of one operation: see operations.h. */
#include "operations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/batch.h"
#include "support/check.h"

static int32_t option_type(const loss_operation *operation, const char *name)
{
    for (int32_t i = 0; i < loss_operation_option_count(operation); i++) {
        const loss_option *option = loss_operation_option(operation, i);
        if (strcmp(loss_option_name(option), name) == 0) {
            return loss_option_type(option);
        }
    }
    return 0;
}

static loss_status set_option(loss_operation *operation, const char *name, const char *text)
{
    double numbers[16];
    int64_t count = 0;
    switch (option_type(operation, name)) {
    case LOSS_OPTION_STRING:
        return loss_operation_set_string(operation, name, text);
    case LOSS_OPTION_DOUBLE:
        return loss_operation_set_double(operation, name, strtod(text, NULL));
    case LOSS_OPTION_INT:
        return loss_operation_set_int(operation, name, strtoll(text, NULL, 10));
    case LOSS_OPTION_ARRAY:
        for (char *end; count < 16; text = end + 1) {
            numbers[count++] = strtod(text, &end);
            if (*end != ',') {
                break;
            }
        }
        return loss_operation_set_array(operation, name, numbers, LOSS_FLOAT64, count);
    default:
        return loss_operation_set_int(operation, name, 0); /* there is none: says so */
    }
}

loss_status operation_with(loss_operation **out, loss_context *context, const char *name, const char *options)
{
    char text[256], *rest = text;
    loss_status status = loss_operation_create(out, context, name);
    snprintf(text, sizeof text, "%s", options);
    while (status == LOSS_OK && *rest != '\0') {
        char *word = rest, *equals = strchr(rest, '=');
        char *space = strchr(rest, ' ');
        rest = space != NULL ? space + 1 : rest + strlen(rest);
        if (space != NULL) {
            *space = '\0';
        }
        *equals = '\0';
        status = set_option(*out, word, equals + 1);
    }
    return status;
}

/* Sizes of a specification, the type and the bound of indices before them. */
static int32_t read_shape(const char *text, int64_t *shape, loss_dtype *integer, int64_t *bound)
{
    int32_t rank = 0;
    const char *colon = strchr(text, ':');
    *integer = 0;
    if (colon != NULL) {
        *integer = *text == 'i' ? LOSS_INT64 : *text == 'j' ? LOSS_INT32 : LOSS_UINT8;
        *bound = strtoll(text + 1, NULL, 10);
        text = colon + 1;
    }
    while (*text != '\0') {
        char *end;
        shape[rank++] = *text == 'R' ? LOSS_ROWS : strtoll(text, &end, 10);
        text = *text == 'R' ? text + 1 : end;
        text += *text == ',';
    }
    return rank;
}

static int64_t elements_of(int32_t rank, const int64_t *shape)
{
    int64_t count = 1;
    for (int32_t i = 0; i < rank; i++) {
        count *= shape[i] == LOSS_ROWS ? OPERATION_ROWS : shape[i];
    }
    return count;
}

/* An array of the data: indices below the bound, or numbers about 1. */
static void add_data(operation_objective *made, const char *name, loss_dtype dtype, int32_t rank,
                     const int64_t *shape, int64_t bound)
{
    const int64_t count = elements_of(rank, shape),
                  rows = rank > 0 && shape[0] == LOSS_ROWS ? OPERATION_ROWS : 1;
    char *array = calloc((size_t)count + 1, 8);
    assert_non_null(array);
    made->arrays[made->array_count++] = array;
    for (int64_t i = 0; i < count; i++) {
        const double at = scatter(1000 * made->array_count + i);
        const int32_t small = (int32_t)(at * (double)bound);
        const int64_t large = small;
        if (dtype == LOSS_UINT8) {
            array[i] = (char)small;
        } else if (dtype == LOSS_INT32) {
            memcpy(array + 4 * i, &small, sizeof small);
        } else if (dtype == LOSS_INT64) {
            memcpy(array + 8 * i, &large, sizeof large);
        } else {
            set_element(array, dtype, i, (double)(float)(0.75 + at / 2));
        }
    }
    assert_status(made->context,
                  loss_data_set_input(made->data, name, array, dtype, rows, count / rows, count / rows, 1),
                  LOSS_OK);
}

static void extend(operation_objective *made, int64_t count, double low, double high)
{
    assert_in_range(made->n + count, 0, sizeof made->x / sizeof made->x[0]);
    for (int64_t i = made->n; i < made->n + count; i++) {
        made->x[i] = (double)(float)(low + (high - low) * scatter(31 * i + 7));
    }
    made->n += count;
}

/* Node of an input: a parameter, times data where it has rows. */
static int32_t add_input(operation_objective *made, const operation_case *of, int32_t which)
{
    char name[16], weights[16];
    int64_t shape[8], bound = 0;
    loss_dtype integer;
    const int32_t rank = read_shape(of->inputs[which], shape, &integer, &bound);
    const int32_t of_rows = rank > 0 && shape[0] == LOSS_ROWS;
    const loss_dtype dtype = integer != 0 ? integer : loss_graph_dtype(made->graph);
    int32_t node = -1, pair[2];
    snprintf(name, sizeof name, "input%d", (int)which);
    snprintf(weights, sizeof weights, "weight%d", (int)which);
    if (integer != 0 || of_rows) {
        assert_status(made->context, loss_graph_input(made->graph, name, dtype, rank, shape, &pair[0]),
                      LOSS_OK);
        add_data(made, name, dtype, rank, shape, bound);
        if (integer != 0) {
            return pair[0];
        }
    }
    extend(made, elements_of(rank - of_rows, shape + of_rows), of->low, of->high);
    assert_status(made->context,
                  loss_graph_parameter(made->graph, weights, rank - of_rows, shape + of_rows, &pair[1]),
                  LOSS_OK);
    if (!of_rows) {
        return pair[1];
    }
    assert_status(made->context, loss_graph_apply(made->graph, "multiply", NULL, pair, 2, &node), LOSS_OK);
    return node;
}

loss_status operation_apply(operation_objective *made, const operation_case *of)
{
    loss_operation *operation = NULL;
    int32_t inputs[OPERATION_INPUTS], count = 0;
    loss_status status = operation_with(&operation, made->context, of->operation, of->options);
    for (; status == LOSS_OK && count < OPERATION_INPUTS && of->inputs[count] != NULL; count++) {
        inputs[count] = add_input(made, of, count);
    }
    if (status == LOSS_OK) {
        status = loss_graph_apply(made->graph, NULL, operation, inputs, count, &made->result);
    }
    loss_operation_free(operation);
    return status;
}

static int32_t apply(operation_objective *made, const char *name, int32_t a, int32_t b)
{
    const int32_t inputs[] = {a, b};
    int32_t node = -1;
    assert_status(made->context, loss_graph_apply(made->graph, name, NULL, inputs, b < 0 ? 1 : 2, &node),
                  LOSS_OK);
    return node;
}

/* mean(c · hypotenuse(node − 0.3)) */
static int32_t smooth_mean(operation_objective *made, int32_t node)
{
    int64_t shape[8];
    const int32_t rank = loss_graph_node_rank(made->graph, node);
    const int32_t of_rows = rank > 0 && loss_graph_node_size(made->graph, node, 0) == LOSS_ROWS;
    int32_t weights = -1, shift = -1;
    for (int32_t i = of_rows; i < rank; i++) {
        shape[i - of_rows] = loss_graph_node_size(made->graph, node, i);
    }
    extend(made, elements_of(rank - of_rows, shape), 0.5, 1.5);
    assert_status(made->context, loss_graph_parameter(made->graph, "result", rank - of_rows, shape, &weights),
                  LOSS_OK);
    assert_status(made->context,
                  loss_graph_constant(made->graph, &(double){0.3}, LOSS_FLOAT64, 0, NULL, &shift), LOSS_OK);
    const int32_t curved = apply(made, "hypotenuse", apply(made, "subtract", node, shift), -1);
    return apply(made, "mean", apply(made, "multiply", curved, weights), -1);
}

void operation_create(operation_objective *made, loss_context *context, const operation_case *of,
                      loss_dtype dtype)
{
    memset(made, 0, sizeof *made);
    made->context = context;
    assert_status(context, loss_graph_create(&made->graph, context, dtype), LOSS_OK);
    assert_status(context, loss_data_create(&made->data, context), LOSS_OK);
    assert_status(context, operation_apply(made, of), LOSS_OK);
    const int32_t value = smooth_mean(made, made->result);
    assert_status(context,
                  loss_objective_create_graph(&made->objective, context, made->graph, value, made->data),
                  LOSS_OK);
    assert_int_equal(loss_objective_dimension(made->objective), made->n);
}

void operation_free(operation_objective *made)
{
    loss_objective_free(made->objective);
    loss_graph_free(made->graph);
    loss_data_free(made->data);
    for (int32_t i = 0; i < made->array_count; i++) {
        free(made->arrays[i]);
    }
}
