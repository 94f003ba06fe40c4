#include "support/known_roles.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"

enum { NUMBERS = KNOWN_MOST, ROLES = 8, DERIVATIVES = 3 };

/* The array of an input as the library reads it; the caller frees it. */
static void *array_of(const known_role *role, loss_dtype dtype)
{
    const int64_t count = role->rows * role->columns;
    void *made = calloc((size_t)count + 1, sizeof(double));
    assert_non_null(made);
    for (int64_t i = 0; i < count; i++) {
        if (role->integers) {
            ((int64_t *)made)[i] = (int64_t)role->numbers[i];
        } else {
            set_element(made, dtype, i, role->numbers[i]);
        }
    }
    return made;
}

static void read_back(const void *array, loss_dtype dtype, double *to)
{
    for (int64_t i = 0; i < NUMBERS; i++) {
        to[i] = element(array, dtype, i);
    }
}

static void *filled(loss_dtype dtype, double number)
{
    void *made = calloc(NUMBERS, sizeof(double));
    assert_non_null(made);
    for (int64_t i = 0; i < NUMBERS; i++) {
        set_element(made, dtype, i, number);
    }
    return made;
}

known_outputs evaluate_roles(const char *name, const char *options, loss_dtype dtype, const known_role *roles,
                             const char *of, const double *direction, int64_t value_rows,
                             int64_t value_columns)
{
    static const char *const derivatives[DERIVATIVES] = {"gradient", "curvature", "product"};
    loss_function *function = make_function(name, options);
    known_outputs out = {.sum = 777, .denominator = 777};
    void *arrays[ROLES], *made[DERIVATIVES + 2];
    loss_data *inputs, *outputs;
    char text[64];
    int count = 0;
    assert_status(context, loss_data_create(&inputs, context), LOSS_OK);
    assert_status(context, loss_data_create(&outputs, context), LOSS_OK);
    for (int k = 0; k < DERIVATIVES + 2; k++) {
        made[k] = filled(dtype, k == DERIVATIVES + 1 ? 1 : 777);
    }
    assert_true(value_rows * value_columns <= NUMBERS);
    assert_status(context,
                  loss_data_set_output(outputs, "value", made[DERIVATIVES], dtype, value_rows, value_columns,
                                       value_columns, 1),
                  LOSS_OK);
    for (; roles[count].name != NULL; count++) {
        const known_role *role = &roles[count];
        arrays[count] = array_of(role, dtype);
        assert_status(context,
                      loss_data_set_input(inputs, role->name, arrays[count],
                                          role->integers ? LOSS_INT64 : dtype, role->rows, role->columns,
                                          role->columns, 1),
                      LOSS_OK);
        if (strcmp(role->name, of) != 0) {
            continue;
        }
        assert_true(role->rows * role->columns <= NUMBERS);
        for (int64_t i = 0; direction != NULL && i < role->rows * role->columns; i++) {
            set_element(made[DERIVATIVES + 1], dtype, i, direction[i]);
        }
        snprintf(text, sizeof text, "%s.direction", of);
        assert_status(context,
                      loss_data_set_input(inputs, text, made[DERIVATIVES + 1], dtype, role->rows,
                                          role->columns, role->columns, 1),
                      LOSS_OK);
        for (int k = 0; k < DERIVATIVES; k++) {
            snprintf(text, sizeof text, "%s.%s", of, derivatives[k]);
            assert_status(context,
                          loss_data_set_output(outputs, text, made[k], dtype, role->rows, role->columns,
                                               role->columns, 1),
                          LOSS_OK);
        }
    }
    out.status = loss_function_evaluate(context, function, inputs, outputs, &out.sum, &out.denominator);
    read_back(made[0], dtype, out.gradient);
    read_back(made[1], dtype, out.curvature);
    read_back(made[2], dtype, out.product);
    read_back(made[DERIVATIVES], dtype, out.value);
    for (int k = 0; k < count; k++) {
        free(arrays[k]);
    }
    for (int k = 0; k < DERIVATIVES + 2; k++) {
        free(made[k]);
    }
    loss_data_free(inputs);
    loss_data_free(outputs);
    loss_function_free(function);
    return out;
}
