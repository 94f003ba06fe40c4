/* What losses with a structure say about themselves holds at random places, and every option has a result in float32. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "structured.h"
#include "support/batch.h"
#include "support/check.h"
#include "support/extreme.h"

/* ---- bounds ---- */

enum { PLACES = 60 };

typedef struct numbers {
    double lipschitz, curvature, minimum, maximum;
} numbers;

static numbers numbers_of(const loss_case *given, const loss_function *function)
{
    numbers made;
    assert_status(given->context, loss_function_number(function, "lipschitz", &made.lipschitz), LOSS_OK);
    assert_status(given->context, loss_function_number(function, "curvature_bound", &made.curvature),
                  LOSS_OK);
    assert_status(given->context, loss_function_number(function, "minimum", &made.minimum), LOSS_OK);
    assert_status(given->context, loss_function_number(function, "maximum", &made.maximum), LOSS_OK);
    assert_false(isnan(made.lipschitz) || isnan(made.curvature) || made.minimum > made.maximum);
    return made;
}

/* The first role somewhere else: near where it was, or some sizes farther out. */
static void scatter_first(structured_call *call, const case_array *first, int64_t place)
{
    const double size = ldexp(1, (int)(place % 7) - 1);
    for (int64_t i = 0; i < first->rows; i++) {
        for (int64_t j = 0; j < first->columns; j++) {
            const int64_t at = i * first->columns + j;
            call_set_input(call, 0, i, j, first->number[at] + size * (2 * scatter(at + 9176 * place) - 1));
        }
    }
}

/* Rows of the first role that belong to value i: a row, or those of a group. */
static void rows_of(const structured_call *call, int64_t i, int64_t *from, int64_t *end)
{
    const case_array *offsets = case_input(call->given, "offsets");
    *from = call->output_rows[0] == call->input_rows[0] ? i
            : offsets != NULL                           ? (int64_t)offsets->number[i]
                                                        : 0;
    *end = call->output_rows[0] == call->input_rows[0] ? i + 1
           : offsets != NULL                           ? (int64_t)offsets->number[i + 1]
                                                       : call->input_rows[0];
}

/* Where values, the gradient of the first role and its curvature are; −1: not among the outputs. */
static int32_t output_at(const structured_call *call, const char *role, const char *kind)
{
    char name[2 * CASE_NAME];
    snprintf(name, sizeof name, "%s.%s", role, kind);
    for (int32_t k = 0; k < call->outputs; k++) {
        if (strcmp(call->output_role[k], name) == 0) {
            return k;
        }
    }
    return -1;
}

static void check_place(const loss_case *given, const structured_call *call, const numbers *n, double part)
{
    const char *role = call->given->input[0].role;
    const int32_t gradient = output_at(call, role, "gradient"),
                  curvature = output_at(call, role, "curvature");
    const int32_t elements = call->output_columns[0] > 1; /* each has a value of its own */
    for (int64_t i = 0; i < call->output_rows[0]; i++) {
        int64_t from, end;
        double square = 0;
        rows_of(call, i, &from, &end);
        for (int64_t j = 0; j < call->output_columns[0]; j++) {
            const double value = call_output(call, 0, i, j);
            if (value < n->minimum - part || value > n->maximum + part) {
                fail_msg("%s [%s]: the loss %.17g is not in %g ... %g", given->name, call->given->options,
                         value, n->minimum, n->maximum);
            }
        }
        for (int64_t row = from; row < end; row++) {
            for (int64_t j = 0; j < call->given->input[0].columns; j++) {
                const double g = gradient < 0 ? 0 : call_output(call, gradient, row, j),
                             h = curvature < 0 ? 0 : call_output(call, curvature, row, j);
                square = elements ? fmax(square, g * g) : square + g * g;
                if (h > n->curvature * (1 + part)) {
                    fail_msg("%s [%s]: the curvature %.17g is above %g", given->name, call->given->options, h,
                             n->curvature);
                }
            }
        }
        if (sqrt(square) > n->lipschitz * (1 + part)) {
            fail_msg("%s [%s]: the gradient is %.17g long, which is above %g", given->name,
                     call->given->options, sqrt(square), n->lipschitz);
        }
    }
}

/* Minimum and maximum of every unit, and in the first role the length of its gradient and the curvature. */
void structured_test_bounds(void **state)
{
    const loss_case *given = *state;
    const double part = given->dtype == LOSS_FLOAT32 ? 1e-5 : 1e-13;
    for (int64_t c = structured_next(given, -1, 1); c >= 0; c = structured_next(given, c, 1)) {
        const structured_case *one = &given->file.cases[c];
        loss_function *function = structured_make(given, one->options);
        const numbers n = numbers_of(given, function);
        if (case_input(one, "weight") != NULL || one->input[0].integers) {
            loss_function_free(function);
            continue; /* weights multiply losses and bounds */
        }
        for (int64_t place = 0; place < PLACES; place++) {
            structured_call call = call_create(one, 1, 0);
            scatter_first(&call, &one->input[0], place);
            if (call_evaluate(given->context, function, &call) ==
                LOSS_OK) { /* else it is outside the domain */
                check_place(given, &call, &n, part);
            }
            call_free(&call);
        }
        loss_function_free(function);
    }
}

/* There are targets for a constant only where there is nothing else; the sentence names the loss, and nothing is written. */
void structured_test_no_constant(void **state)
{
    static const double targets[] = {1, 0, 2.385};
    const loss_case *given = *state;
    loss_function *function = structured_make(given, "");
    loss_data *inputs;
    double constant = 777;
    assert_status(given->context, loss_data_create(&inputs, given->context), LOSS_OK);
    loss_data_set_input(inputs, "target", targets, LOSS_FLOAT64, 3, 1, 1, 1);
    assert_status(given->context, loss_function_best_constant(given->context, function, inputs, 1, &constant),
                  LOSS_ERROR_SUPPORT);
    assert_sentence(given->context, given->name);
    assert_sentence(given->context, "best constant");
    assert_close(constant, 777, 0, 0);
    loss_data_free(inputs);
    loss_function_free(function);
}

/* ---- options that float32 does not hold ---- */

/* Of the values, or of all derivatives: shared ones may cancel. */
static double largest_of(const structured_call *call, int32_t output)
{
    double largest = 0;
    for (int32_t k = output > 0; k < (output > 0 ? call->outputs : 1); k++) {
        for (int64_t i = 0; i < call->output_rows[k]; i++) {
            for (int64_t j = 0; j < call->output_columns[k]; j++) {
                largest = fmax(largest, fabs(call_output(call, k, i, j)));
            }
        }
    }
    return largest;
}

static int32_t compare_extreme(const loss_case *given, const structured_case *one, const char *name,
                               double value)
{
    structured_case wide_case = *one;
    wide_case.dtype = LOSS_FLOAT64;
    loss_function *function = structured_make(given, one->options);
    structured_call narrow = call_create(one, 1, 0), wide = call_create(&wide_case, 1, 0);
    int32_t wrong = 0;
    assert_status(given->context, loss_function_set_double(function, name, value), LOSS_OK);
    assert_status(given->context, call_evaluate(given->context, function, &narrow), LOSS_OK);
    assert_status(given->context, call_evaluate(given->context, function, &wide), LOSS_OK);
    for (int32_t k = 0; k < narrow.outputs; k++) {
        const double largest = largest_of(&wide, k);
        for (int64_t i = 0; i < narrow.output_rows[k]; i++) {
            for (int64_t j = 0; j < narrow.output_columns[k]; j++) {
                const double a = call_output(&narrow, k, i, j), b = call_output(&wide, k, i, j);
                if (!extreme_agrees(a, b, largest) && wrong++ == 0) {
                    print_error("%s [%s] with %s = %g: %s is %.9g in float32, %.17g in float64\n",
                                given->name, one->options, name, value, narrow.output_role[k], a, b);
                }
            }
        }
    }
    call_free(&narrow);
    call_free(&wide);
    loss_function_free(function);
    return wrong;
}

void structured_test_extreme_options(void **state)
{
    const loss_case *given = *state;
    int32_t wrong = 0;
    for (int64_t c = structured_next(given, -1, 1); c >= 0; c = structured_next(given, c, 1)) {
        const structured_case *one = &given->file.cases[c];
        loss_function *function = structured_make(given, "");
        for (int32_t i = 0; i < loss_function_option_count(function); i++) {
            const loss_option *option = loss_function_option(function, i);
            const double low = loss_option_minimum(option), high = loss_option_maximum(option);
            if (loss_option_type(option) != LOSS_OPTION_DOUBLE) {
                continue;
            }
            wrong += compare_extreme(given, one, loss_option_name(option), low);
            wrong += compare_extreme(given, one, loss_option_name(option), high);
            for (int k = 0; k < EXTREMES; k++) {
                if (extremes[k] > low && extremes[k] < high) {
                    wrong += compare_extreme(given, one, loss_option_name(option), extremes[k]);
                }
            }
        }
        loss_function_free(function);
    }
    assert_int_equal(wrong, 0);
}
