#include "linear_problem.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/batch.h"
#include "support/check.h"
#include "support/known.h"

const char *const role_names[ROLES] = {"features", "coefficients", "bias"};

int64_t role_rows(const problem *p, int role)
{
    return role == FEATURES ? p->rows : role == COEFFICIENTS ? p->classes : 1;
}

int64_t role_columns(const problem *p, int role)
{
    return role == BIAS ? p->classes : p->d;
}

int64_t role_stride(const problem *p, int role)
{
    return role_columns(p, role) + (role == BIAS ? 0 : p->padding);
}

static void *numbers(loss_dtype dtype, int64_t count, double size, int64_t seed)
{
    void *made = malloc((size_t)(count + 1) * 8);
    assert_non_null(made);
    for (int64_t i = 0; i < count; i++) {
        set_element(made, dtype, i, size * (2 * scatter(seed + i) - 1));
    }
    return made;
}

problem make_problem(loss_dtype dtype, int64_t rows, int64_t classes, int64_t d, int64_t padding)
{
    problem made = {
        .dtype = dtype, .rows = rows, .classes = classes, .d = d, .padding = padding, .scale = 0.5};
    for (int r = 0; r < ROLES; r++) {
        const int64_t count = role_rows(&made, r) * role_stride(&made, r);
        made.x[r] = numbers(dtype, count, r == BIAS ? 2 : 1, 1 + 70001 * r);
        made.direction[r] = numbers(dtype, count, 1.5, 900001 + 70001 * r);
    }
    made.weight = numbers(dtype, rows, 1, 1000003);
    made.label = malloc((size_t)rows * sizeof *made.label);
    assert_non_null(made.label);
    for (int64_t i = 0; i < rows; i++) {
        set_element(made.weight, dtype, i, 1.25 + element(made.weight, dtype, i));
        made.label[i] = i % 11 == 5 ? -100 : (int32_t)(i * 7919 % classes);
    }
    return made;
}

void free_problem(problem *made)
{
    for (int r = 0; r < ROLES; r++) {
        free(made->x[r]);
        free(made->direction[r]);
    }
    free(made->weight);
    free(made->label);
}

loss_data *create_inputs(loss_context *with, const problem *p)
{
    loss_data *inputs;
    assert_status(with, loss_data_create(&inputs, with), LOSS_OK);
    for (int r = 0; r < ROLES; r++) {
        loss_data_set_input(inputs, role_names[r], p->x[r], p->dtype, role_rows(p, r), role_columns(p, r),
                            role_stride(p, r), 1);
    }
    loss_data_set_input(inputs, "target", p->label, LOSS_INT32, p->rows, 1, 1, 1);
    loss_data_set_input(inputs, "weight", p->weight, p->dtype, p->rows, 1, 1, 1);
    assert_status(with, loss_data_set_double(inputs, "scale", p->scale), LOSS_OK);
    return inputs;
}

void *set_result(loss_data *outputs, const problem *p, int role, const char *kind)
{
    char name[64];
    void *array = calloc((size_t)(role_rows(p, role) * role_stride(p, role)), 8);
    assert_non_null(array);
    snprintf(name, sizeof name, "%s.%s", role_names[role], kind);
    loss_data_set_output(outputs, name, array, p->dtype, role_rows(p, role), role_columns(p, role),
                         role_stride(p, role), 1);
    return array;
}

loss_context *create_with_isa(int32_t isa, int64_t threads)
{
    const char *name = loss_context_isa_name(context, isa);
    loss_context *made = NULL;
    if (name != NULL) {
        assert_int_equal(loss_context_create(&made), LOSS_OK);
        assert_status(made, loss_context_set_string(made, "isa", name), LOSS_OK);
        assert_status(made, loss_context_set_int(made, "threads", threads), LOSS_OK);
    }
    return made;
}

loss_context *create_counted(test_allocator *allocator, int64_t threads)
{
    loss_context *made;
    assert_int_equal(loss_context_create_with_allocator(&made, test_allocate, test_release, allocator),
                     LOSS_OK);
    assert_status(made, loss_context_set_int(made, "threads", threads), LOSS_OK);
    return made;
}
