/* NaN, roles that are missing and names that are none, for every loss with a structure. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "structured.h"
#include "support/check.h"

/* Whether a number is in a place that is neither a positive nor a negative: that is not read. */
static int32_t left_out(const structured_case *c, int32_t k, int64_t row, int64_t column)
{
    const case_array *a = &c->input[k], *positives = case_input(c, "positives"),
                     *negatives = case_input(c, "negatives");
    const int64_t at = row * a->columns + column;
    return strcmp(a->role, "prediction") == 0 && positives != NULL && negatives != NULL &&
           positives->number[at] == 0 && negatives->number[at] == 0;
}

/*
 * A NaN in any number makes its unit NaN, value and gradients, and leaves the other copy alone; where it is left out it leaves
 * everything alone.
 */
static void check_nan(const loss_case *given, const structured_case *c, int32_t k, int64_t row,
                      int64_t column)
{
    loss_function *function = structured_make(given, c->options);
    structured_call good = call_create(c, 2, 0), bad = call_create(c, 2, 0);
    const int32_t by_row = good.output_rows[0] == good.input_rows[0];
    const int32_t unread = left_out(c, k, row, column);
    int32_t seen = 0;
    call_set_input(&bad, k, row, column, NAN);
    assert_status(given->context, call_evaluate(given->context, function, &good), LOSS_OK);
    assert_status(given->context, call_evaluate(given->context, function, &bad), LOSS_OK);
    for (int64_t i = 0; i < bad.output_rows[0]; i++) {
        for (int64_t j = 0; j < bad.output_columns[0]; j++) {
            const double got = call_output(&bad, 0, i, j);
            const int32_t touched = by_row ? i == row : i < bad.output_rows[0] / 2;
            seen += isnan(got) != 0;
            assert_true(isnan(got) ? touched : same_bits(got, call_output(&good, 0, i, j)));
        }
    }
    assert_int_equal(seen == 0, unread);
    for (int32_t o = 1; o < bad.outputs && !unread; o++) { /* the gradient of every role, in that unit */
        int32_t nans = !call_is_gradient(&bad, o);
        for (int64_t i = 0; i < bad.output_rows[o]; i++) {
            for (int64_t j = 0; j < bad.output_columns[o]; j++) {
                nans += isnan(call_output(&bad, o, i, j)) != 0;
            }
        }
        assert_true(nans > 0);
    }
    call_free(&good);
    call_free(&bad);
    loss_function_free(function);
}

void structured_test_nan(void **state)
{
    const loss_case *given = *state;
    for (int64_t c = structured_next(given, -1, 1); c >= 0; c = structured_next(given, c, 1)) {
        const structured_case *one = &given->file.cases[c];
        const case_array *value = case_output(one, "value");
        const int32_t single = value->rows != one->input[0].rows * one->input[0].columns &&
                               value->rows != one->input[0].rows && case_input(one, "offsets") == NULL;
        for (int32_t k = 0; k < one->inputs && !single; k++) {
            const case_array *a = &one->input[k];
            if (!a->integers && strcmp(a->layout, "shared") != 0 && strstr(a->role, "direction") == NULL) {
                /* the ends, and of a small array every place between: a loop over vectors has a middle of its own */
                const int64_t count = a->rows * a->columns, step = count <= 48 || count == 1 ? 1 : count - 1;
                for (int64_t i = 0; i < count; i += step) {
                    check_nan(given, one, k, i / a->columns, i % a->columns);
                }
            }
        }
    }
}

void structured_test_roles(void **state)
{
    const loss_case *given = *state;
    const structured_case *one = &given->file.cases[structured_next(given, -1, 1)];
    loss_function *function = structured_make(given, one->options);
    structured_call call = call_create(one, 1, 0);
    const int32_t roles = loss_function_role_count(function);
    assert_true(roles >= 4);
    assert_string_equal(loss_function_role(function, 0), one->input[0].role);
    assert_string_equal(loss_function_role(function, roles - 1), "mask");
    assert_null(loss_function_role(function, roles));
    assert_null(loss_function_role(function, -1));
    snprintf(call.output_role[0], CASE_NAME, "valeu");
    assert_status(given->context, call_evaluate(given->context, function, &call), LOSS_ERROR_NAME);
    assert_sentence(given->context, "did you mean 'value'?");
    assert_close(call.sum, 777, 0, 0);
    snprintf(call.output_role[0], CASE_NAME, "value");
    call.output_rows[0]--;
    assert_status(given->context, call_evaluate(given->context, function, &call), LOSS_ERROR_SHAPE);
    assert_sentence(given->context, "'value' is");
    call_free(&call);
    loss_function_free(function);
}

/* Without a required role the sentence names it. */
void structured_test_missing(void **state)
{
    const loss_case *given = *state;
    const structured_case *one = &given->file.cases[structured_next(given, -1, 1)];
    loss_function *function = structured_make(given, one->options);
    loss_data *inputs;
    assert_status(given->context, loss_data_create(&inputs, given->context), LOSS_OK);
    assert_status(given->context, loss_function_evaluate(given->context, function, inputs, NULL, NULL, NULL),
                  LOSS_ERROR_ARGUMENT);
    assert_sentence(given->context, one->input[0].role);
    loss_data_free(inputs);
    loss_function_free(function);
}
