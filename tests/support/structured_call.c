/* One call made from a reference case: see structured_call.h. */
#include "support/structured_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"

static void *array(int64_t count, int64_t size)
{
    void *made = calloc(count > 0 ? (size_t)count : 1, (size_t)size);
    assert_non_null(made);
    return made;
}

static int32_t layout_is(const case_array *a, const char *layout)
{
    return strcmp(a->layout, layout) == 0;
}

/* Rows of an input in a call of several copies; offsets share their first number. */
static int64_t rows_of(const case_array *a, int64_t copies)
{
    return layout_is(a, "shared")    ? a->rows
           : layout_is(a, "offsets") ? copies * (a->rows - 1) + 1
                                     : copies * a->rows;
}

static void set_number(void *to, const structured_call *call, const case_array *a, int64_t i, double number)
{
    if (a->integers) {
        ((int64_t *)to)[i] = (int64_t)number;
    } else {
        set_element(to, call->given->dtype, i, number);
    }
}

static void fill_input(structured_call *call, int32_t k)
{
    const case_array *a = &call->given->input[k];
    const int64_t rows = rows_of(a, call->copies), stride = a->columns + call->padding;
    const double last = layout_is(a, "offsets") ? a->number[a->rows - 1] : 0;
    call->input_rows[k] = rows;
    call->input[k] = array(rows * stride, 8);
    for (int64_t i = 0; i < rows; i++) {
        const int64_t each = layout_is(a, "offsets") ? a->rows - 1 : a->rows;
        const int64_t copy = i == rows - 1 && layout_is(a, "offsets") ? call->copies - 1
                             : each > 0                               ? i / each
                                                                      : 0;
        const int64_t from = i - copy * each;
        for (int64_t j = 0; j < a->columns; j++) {
            set_number(call->input[k], call, a, i * stride + j,
                       a->number[from * a->columns + j] + (double)copy * last);
        }
    }
}

static void add_output(structured_call *call, const char *role, const char *of, int64_t rows, int64_t columns)
{
    const int32_t k = call->outputs++;
    assert_true(k < CASE_ARRAYS);
    snprintf(call->output_role[k], CASE_NAME, "%s%s%s", role, of != NULL ? "." : "", of != NULL ? of : "");
    call->output_rows[k] = rows;
    call->output_columns[k] = columns;
    call->output[k] = array(rows * (columns + call->padding), loss_dtype_size(call->given->dtype));
    call->want |= 1u << k;
}

structured_call call_create(const structured_case *given, int64_t copies, int64_t padding)
{
    structured_call call = {.given = given, .copies = copies, .padding = padding, .scale = 1};
    const case_array *value = case_output(given, "value"), *first = &given->input[0];
    /* a pointwise value has the shape of the first role; one of rows or groups is a column */
    const int32_t elements = first->columns > 1 && value->rows == first->rows * first->columns &&
                             case_input(given, "offsets") == NULL;
    add_output(&call, "value", NULL, copies * (elements ? first->rows : value->rows),
               elements ? first->columns : 1);
    for (int32_t k = 0; k < given->inputs; k++) {
        char name[CASE_NAME + 16];
        const case_array *a = &given->input[k];
        fill_input(&call, k);
        snprintf(name, sizeof name, "%s.direction", a->role);
        const int32_t second = case_input(given, name) !=
                               NULL; /* without a direction there is the gradient alone */
        snprintf(name, sizeof name, "%s.gradient", a->role);
        if (case_output(given, name) != NULL) {
            add_output(&call, a->role, "gradient", call.input_rows[k], a->columns);
        }
        if (second) {
            add_output(&call, a->role, "curvature", call.input_rows[k], a->columns);
            add_output(&call, a->role, "product", call.input_rows[k], a->columns);
        }
    }
    return call;
}

void call_free(structured_call *call)
{
    for (int32_t k = 0; k < CASE_ARRAYS; k++) {
        free(call->input[k]);
        free(call->output[k]);
    }
    free(call->weight);
    free(call->mask);
    memset(call, 0, sizeof *call);
}

int32_t call_is_gradient(const structured_call *call, int32_t output)
{
    return strstr(call->output_role[output], ".gradient") != NULL;
}

double call_input(const structured_call *call, int32_t input, int64_t row, int64_t column)
{
    const case_array *a = &call->given->input[input];
    const int64_t i = row * (a->columns + call->padding) + column;
    return a->integers ? (double)((const int64_t *)call->input[input])[i]
                       : element(call->input[input], call->given->dtype, i);
}

void call_set_input(structured_call *call, int32_t input, int64_t row, int64_t column, double number)
{
    const case_array *a = &call->given->input[input];
    set_number(call->input[input], call, a, row * (a->columns + call->padding) + column, number);
}

double call_output(const structured_call *call, int32_t output, int64_t row, int64_t column)
{
    return element(call->output[output], call->given->dtype,
                   row * (call->output_columns[output] + call->padding) + column);
}

static loss_data *inputs_of(loss_context *context, const structured_call *call)
{
    loss_data *inputs;
    assert_status(context, loss_data_create(&inputs, context), LOSS_OK);
    for (int32_t k = 0; k < call->given->inputs; k++) {
        const case_array *a = &call->given->input[k];
        assert_status(context,
                      loss_data_set_input(inputs, a->role, call->input[k],
                                          a->integers ? LOSS_INT64 : call->given->dtype, call->input_rows[k],
                                          a->columns, a->columns + call->padding, 1),
                      LOSS_OK);
    }
    if (call->weight != NULL) {
        loss_data_set_input(inputs, "weight", call->weight, call->given->dtype, call->weight_rows, 1, 1, 1);
    }
    if (call->mask != NULL) {
        loss_data_set_input(inputs, "mask", call->mask, LOSS_UINT8, call->input_rows[0], 1, 1, 1);
    }
    assert_status(context, loss_data_set_double(inputs, "scale", call->scale), LOSS_OK);
    return inputs;
}

loss_status call_evaluate(loss_context *context, const loss_function *function, structured_call *call)
{
    loss_data *inputs = inputs_of(context, call), *outputs;
    assert_status(context, loss_data_create(&outputs, context), LOSS_OK);
    call->sum = call->denominator = 777;
    for (int32_t k = 0; k < call->outputs; k++) {
        const int64_t stride = call->output_columns[k] + call->padding;
        for (int64_t i = 0; i < call->output_rows[k] * stride; i++) {
            set_element(call->output[k], call->given->dtype, i, 777);
        }
        if (call->want & (1u << k)) {
            assert_status(context,
                          loss_data_set_output(outputs, call->output_role[k], call->output[k],
                                               call->given->dtype, call->output_rows[k],
                                               call->output_columns[k], stride, 1),
                          LOSS_OK);
        }
    }
    loss_status status = loss_function_evaluate(context, function, inputs, outputs, &call->sum,
                                                &call->denominator);
    loss_data_free(inputs);
    loss_data_free(outputs);
    return status;
}

void assert_same_call(const structured_call *actual, const structured_call *expected)
{
    for (int32_t k = 0; k < actual->outputs; k++) {
        for (int64_t i = 0; i < actual->output_rows[k] && (actual->want & expected->want & (1u << k)); i++) {
            for (int64_t j = 0; j < actual->output_columns[k]; j++) {
                const double a = call_output(actual, k, i, j), b = call_output(expected, k, i, j);
                if (!same_bits(a, b)) {
                    fail_msg("line %d: %s of row %lld, column %lld is %.17g, not %.17g", actual->given->line,
                             actual->output_role[k], (long long)i, (long long)j, a, b);
                }
            }
        }
    }
    assert_true(same_bits(actual->sum, expected->sum));
    assert_true(same_bits(actual->denominator, expected->denominator));
}
