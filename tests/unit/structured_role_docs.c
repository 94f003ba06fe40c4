/* What every loss with a structure says about its roles, against what its reference cases are. */
#include <stdio.h>
#include <string.h>

#include "structured.h"
#include "support/check.h"

enum { PART = 64 };

/* "SHAPE, TYPE: meaning" or "SHAPE, TYPE, optional: meaning", taken apart. */
typedef struct role_doc {
    char shape[PART], type[PART];
    int32_t optional;
} role_doc;

static role_doc read_doc(const char *text)
{
    role_doc doc = {.optional = 0};
    assert_non_null(text);
    const char *meaning = strstr(text, ": ");
    assert_non_null(meaning);
    assert_true(strlen(meaning) > 8);
    assert_null(strchr(text, '\n'));
    assert_int_equal(sscanf(text, "%63[^,], %63[^,:]", doc.shape, doc.type), 2);
    assert_non_null(strstr(doc.shape, " x "));
    assert_true(strcmp(doc.type, "real") == 0 || strcmp(doc.type, "integer") == 0 ||
                strcmp(doc.type, "uint8 or integer") == 0);
    const char *optional = strstr(text, ", optional: ");
    doc.optional = optional != NULL && optional < meaning;
    return doc;
}

static int32_t role_index(const loss_function *function, const char *name)
{
    int32_t found = -1;
    for (int32_t i = 0; i < loss_function_role_count(function); i++) {
        found = strcmp(loss_function_role(function, i), name) == 0 ? i : found;
    }
    return found;
}

/* An input of a case has the type and the shape that its text says. */
static void check_input(const loss_function *function, const structured_case *c, const case_array *a)
{
    const int32_t index = role_index(function, a->role);
    if (strchr(a->role, '.') != NULL) { /* a direction */
        return;
    }
    assert_true(index >= 0);
    const role_doc doc = read_doc(loss_function_role_doc(function, index));
    const char *columns = strstr(doc.shape, " x ") + 3;
    assert_int_equal(a->integers, strcmp(doc.type, "integer") == 0);
    assert_int_equal(strcmp(a->layout, "offsets") == 0, strncmp(doc.shape, "(groups + 1) x 1", 16) == 0);
    assert_int_equal(strcmp(a->layout, "rows") == 0, strncmp(doc.shape, "rows x", 6) == 0);
    assert_true(strcmp(columns, "1") != 0 || a->columns == 1);
    assert_true(strcmp(columns, "4") != 0 || a->columns == 4);
    assert_true(strcmp(columns, "columns") != 0 || a->columns == c->input[0].columns);
    assert_true(strncmp(doc.shape, "1 x", 3) != 0 || a->rows == 1);
}

/* A role has the derivatives that it says. */
static void check_outputs(const loss_function *function, const structured_case *c)
{
    static const char *const kinds[] = {"gradient", "curvature", "product"};
    for (int32_t i = 0; i < loss_function_role_count(function); i++) {
        const char *outputs = loss_function_role_outputs(function, i),
                   *role = loss_function_role(function, i);
        for (int k = 0; k < 3 && case_input(c, role) != NULL; k++) {
            char name[2 * CASE_NAME];
            snprintf(name, sizeof name, "%s.%s", role, kinds[k]);
            assert_int_equal(strstr(outputs, kinds[k]) != NULL, case_output(c, name) != NULL);
        }
    }
}

/* The case without one of its inputs, and what belongs to it. */
static structured_case without(const structured_case *given, const char *role)
{
    structured_case left = *given;
    const size_t length = strlen(role);
    left.inputs = left.outputs = 0;
    for (int32_t k = 0; k < given->inputs + given->outputs; k++) {
        const int32_t input = k < given->inputs;
        const case_array *a = input ? &given->input[k] : &given->output[k - given->inputs];
        if (strncmp(a->role, role, length) == 0 && (a->role[length] == '\0' || a->role[length] == '.')) {
            continue;
        }
        *(input ? &left.input[left.inputs++] : &left.output[left.outputs++]) = *a;
    }
    return left;
}

/* Without a role: an error that names it, unless the text calls it optional. Gives whether the call was one. */
static int32_t check_left_out(const loss_case *given, const structured_case *c, const char *role)
{
    loss_function *function = structured_make(given, c->options);
    const structured_case left = without(c, role);
    structured_call call = call_create(&left, 1, 0);
    call.want = 0; /* the shapes of outputs may be others now */
    const loss_status status = call_evaluate(given->context, function, &call);
    if (!read_doc(loss_function_role_doc(function, role_index(function, role))).optional) {
        assert_status(given->context, status, LOSS_ERROR_ARGUMENT);
        assert_sentence(given->context, role);
    }
    call_free(&call);
    loss_function_free(function);
    return status == LOSS_OK;
}

void structured_test_role_docs(void **state)
{
    const loss_case *given = *state;
    const int64_t first = structured_next(given, -1, 1);
    loss_function *function = structured_make(given, given->file.cases[first].options);
    const int32_t roles = loss_function_role_count(function);
    for (int32_t i = 0; i < roles; i++) {
        const char *role = loss_function_role(function, i);
        const role_doc doc = read_doc(loss_function_role_doc(function, i));
        int32_t left_out = i >= roles - 2; /* weight and mask, which no case has */
        for (int64_t k = first; k >= 0; k = structured_next(given, k, 1)) {
            const structured_case *c = &given->file.cases[k];
            left_out |= i > 0 && (case_input(c, role) == NULL || check_left_out(given, c, role));
        }
        assert_int_equal(doc.optional, left_out);
    }
    for (int64_t k = first; k >= 0; k = structured_next(given, k, 1)) {
        const structured_case *c = &given->file.cases[k];
        for (int32_t j = 0; j < c->inputs; j++) {
            check_input(function, c, &c->input[j]);
        }
        check_outputs(function, c);
    }
    assert_non_null(strstr(loss_function_role_doc(function, roles - 2), "denominator: "));
    assert_string_equal(loss_function_role_outputs(function, roles - 1), "");
    assert_null(loss_function_role_doc(function, roles));
    assert_null(loss_function_role_doc(function, -1));
    assert_null(loss_function_role_outputs(function, roles));
    assert_null(loss_function_role_outputs(function, -1));
    loss_function_free(function);
}

/* A row of numbers that all rows share, given as a column: the sentence says the shape that was meant. */
void structured_test_turned(void **state)
{
    const loss_case *given = *state;
    for (int64_t k = structured_next(given, -1, 1); k >= 0; k = structured_next(given, k, 1)) {
        for (int32_t j = 0; j < given->file.cases[k].inputs; j++) {
            structured_case turned = given->file.cases[k];
            case_array *a = &turned.input[j];
            char expected[2 * PART];
            if (strcmp(a->layout, "shared") != 0 || a->rows != 1 || a->columns == 1 ||
                strchr(a->role, '.') != NULL) {
                continue;
            }
            loss_function *function = structured_make(given, turned.options);
            a->rows = a->columns;
            a->columns = 1;
            structured_call call = call_create(&turned, 1, 0);
            call.want = 0;
            assert_status(given->context, call_evaluate(given->context, function, &call), LOSS_ERROR_SHAPE);
            snprintf(expected, sizeof expected, "'%s' is %lld x 1; %s was expected", a->role,
                     (long long)a->rows,
                     read_doc(loss_function_role_doc(function, role_index(function, a->role))).shape);
            assert_sentence(given->context, expected);
            call_free(&call);
            loss_function_free(function);
        }
    }
}
