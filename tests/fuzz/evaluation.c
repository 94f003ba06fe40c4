/* See evaluation.h. */
#include "fuzz/evaluation.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_ROWS = 40, MOST_COLUMNS = 5, MOST_ARRAYS = 24, NAME = 48, OUTPUTS = 3 };

static const loss_dtype dtypes[] = {LOSS_FLOAT32, LOSS_FLOAT64, LOSS_INT32, LOSS_INT64, LOSS_UINT8};

/* An array of its own block of memory, so that a sanitizer sees its end. */
typedef struct array {
    char role[2 * NAME];
    loss_dtype dtype;
    int64_t rows, columns;
    void *elements;
} array;

typedef struct table {
    array all[MOST_ARRAYS];
    int32_t count;
} table;

typedef struct outcome {
    loss_status status;
    double sum, denominator;
} outcome;

loss_context *fuzz_context(void)
{
    static loss_context *context;
    if (context == NULL) {
        fuzz_expect(loss_context_create(&context) == LOSS_OK, "a context can be made");
    }
    return context;
}

static array *add(table *t, const char *role, const char *suffix, loss_dtype dtype, int64_t rows,
                  int64_t columns)
{
    array *a = &t->all[t->count++];
    fuzz_expect(t->count <= MOST_ARRAYS, "there is room for the arrays");
    *a = (array){.dtype = dtype, .rows = rows, .columns = columns};
    strncat(a->role, role, NAME - 1);
    strncat(a->role, suffix, NAME - 1);
    a->elements = calloc((size_t)(rows * columns) + (rows * columns == 0), (size_t)loss_dtype_size(dtype));
    fuzz_expect(a->elements != NULL, "there is memory for the arrays");
    return a;
}

static void drop(table *t)
{
    for (int32_t i = 0; i < t->count; i++) {
        free(t->all[i].elements);
    }
    t->count = 0;
}

/* Numbers that never fall, from 0 to the rows, but for a few that do not keep to it. */
static void fill_offsets(fuzz_stream *s, array *a, int64_t rows)
{
    int64_t at = 0;
    for (int64_t i = 0; i < a->rows; i++) {
        const int64_t number = i + 1 == a->rows && fuzz_byte(s) < 250 ? rows : at;
        if (a->dtype == LOSS_INT32) {
            ((int32_t *)a->elements)[i] = (int32_t)number;
        } else {
            ((int64_t *)a->elements)[i] = number;
        }
        at += fuzz_below(s, 5);
        at = at > rows && fuzz_byte(s) < 250 ? rows : at;
    }
}

/* Most arrays are what the loss wants: as many rows as the first, its type, one column or as many as it has. */
static void add_role(fuzz_stream *s, table *t, const char *role)
{
    const uint32_t odd = fuzz_byte(s); /* above 240 something does not fit, in one way or another */
    const array *first = t->count > 0 ? &t->all[0] : NULL;
    loss_dtype dtype = first != NULL ? first->dtype : dtypes[fuzz_below(s, 2)];
    int64_t rows = first != NULL ? first->rows : fuzz_below(s, MOST_ROWS);
    int64_t columns = first == NULL ? 1 + fuzz_below(s, MOST_COLUMNS) : odd % 4 == 3 ? 1 : first->columns;
    if (strcmp(role, "offsets") == 0) {
        dtype = dtypes[2 + fuzz_below(s, 2)];
        fill_offsets(s, add(t, role, "", dtype, 1 + fuzz_below(s, 6), 1), rows);
        return;
    }
    if (strcmp(role, "mask") == 0 || strcmp(role, "weight") == 0) {
        columns = 1;
    }
    if (strcmp(role, "mask") == 0 || odd > 250 || (first != NULL && odd % 8 == 3)) {
        dtype = dtypes[2 + fuzz_below(s, 3)]; /* of a target: class labels */
    }
    rows = odd == 250 ? fuzz_below(s, MOST_ROWS) : rows;
    columns = odd == 249 ? 1 + fuzz_below(s, MOST_COLUMNS) : columns;
    array *a = add(t, role, "", dtype, rows, columns);
    fuzz_fill(s, a->elements, dtype, rows * columns);
}

static void make_inputs(fuzz_stream *s, table *t, const loss_function *function)
{
    const int32_t roles = loss_function_role_count(function);
    for (int32_t i = 0; i < roles && t->count < MOST_ARRAYS / 2; i++) {
        const char *role = loss_function_role(function, i);
        const int optional = strcmp(role, "weight") == 0 || strcmp(role, "mask") == 0 ||
                             strcmp(role, "offsets") == 0;
        if (i == 0 || fuzz_byte(s) < (optional ? 80 : 250)) {
            add_role(s, t, role);
        }
    }
    if (t->count == 0) {
        add_role(s, t, "prediction");
    }
    if (fuzz_byte(s) < 128) {
        const array first = t->all[0];
        array *a = add(t, first.role, ".direction", first.dtype, first.rows, first.columns);
        fuzz_fill(s, a->elements, a->dtype, a->rows * a->columns);
    }
}

/* `which` has a bit for each; a product needs the direction, which is the last of the inputs. */
static void make_outputs(table *t, const table *inputs, uint32_t which, int pointwise)
{
    static const char *const names[OUTPUTS] = {".gradient", ".curvature", ".product"};
    const array first = inputs->all[0];
    const int directed = strstr(inputs->all[inputs->count - 1].role, ".direction") != NULL;
    for (int k = 0; k < OUTPUTS; k++) {
        if (((which >> k) & 1) && (k < 2 || directed)) {
            add(t, first.role, names[k], first.dtype, first.rows, first.columns);
        }
    }
    if (which & 8) {
        add(t, "value", "", first.dtype, first.rows, pointwise ? first.columns : 1);
    }
}

static loss_data *lend(const table *t, int output)
{
    loss_data *data = NULL;
    fuzz_expect(loss_data_create(&data, fuzz_context()) == LOSS_OK, "data can be made");
    for (int32_t i = 0; i < t->count; i++) {
        const array *a = &t->all[i];
        const loss_status status = output ? loss_data_set_output(data, a->role, a->elements, a->dtype,
                                                                 a->rows, a->columns, a->columns, 1)
                                          : loss_data_set_input(data, a->role, a->elements, a->dtype, a->rows,
                                                                a->columns, a->columns, 1);
        fuzz_expect_status(fuzz_context(), status, "loss_data_set_…()");
    }
    return data;
}

static outcome evaluate(const loss_function *function, const table *inputs, const table *outputs,
                        double scale)
{
    loss_data *in = lend(inputs, 0), *out = lend(outputs, 1);
    outcome o = {0, -7, -7};
    loss_data_set_double(in, "scale", scale);
    o.status = loss_function_evaluate(fuzz_context(), function, in, out, &o.sum, &o.denominator);
    fuzz_expect_status(fuzz_context(), o.status, "loss_function_evaluate()");
    fuzz_expect(o.status == LOSS_OK || (o.sum == -7 && o.denominator == -7),
                "a failure leaves sum and denominator alone");
    loss_data_free(in);
    loss_data_free(out);
    return o;
}

static void compare(const outcome *a, const outcome *b, const table *first, const table *second)
{
    fuzz_expect(a->status == b->status, "the status is the same everywhere");
    if (a->status != LOSS_OK) {
        return;
    }
    fuzz_expect(fuzz_same_or_say("sum", &a->sum, &b->sum, LOSS_FLOAT64, 1),
                "the sum has the same bits everywhere");
    fuzz_expect(fuzz_same_or_say("denominator", &a->denominator, &b->denominator, LOSS_FLOAT64, 1),
                "the denominator has the same bits everywhere");
    for (int32_t i = 0; i < first->count; i++) {
        fuzz_expect(fuzz_same_or_say(first->all[i].role, first->all[i].elements, second->all[i].elements,
                                     first->all[i].dtype, first->all[i].rows * first->all[i].columns),
                    "outputs have the same bits everywhere");
    }
}

static void set_option(fuzz_stream *s, loss_function *function, const loss_option *option)
{
    const char *name = loss_option_name(option), *choices = loss_option_choices(option);
    char word[NAME];
    double numbers[MOST_COLUMNS], old = 0, now = 0;
    loss_status status, before = loss_function_get_double(function, name, &old);
    switch (loss_option_type(option)) {
    case LOSS_OPTION_DOUBLE:
        status = loss_function_set_double(function, name, fuzz_number(s));
        break;
    case LOSS_OPTION_INT:
        status = loss_function_set_int(function, name, fuzz_integer(s));
        break;
    case LOSS_OPTION_STRING:
        for (int32_t k = fuzz_below(s, 4); k > 0 && strchr(choices, '|') != NULL; k--) {
            choices = strchr(choices, '|') + 1;
        }
        memset(word, 0, sizeof word);
        memcpy(word, choices, strcspn(choices, "|") % NAME);
        status = loss_function_set_string(function, name, word);
        break;
    default:
        fuzz_fill(s, numbers, LOSS_FLOAT64, MOST_COLUMNS);
        status = loss_function_set_array(function, name, numbers, LOSS_FLOAT64,
                                         fuzz_below(s, MOST_COLUMNS + 1));
    }
    fuzz_expect_status(fuzz_context(), status, "loss_function_set_…()");
    if (status != LOSS_OK && before == LOSS_OK && loss_function_get_double(function, name, &now) == LOSS_OK) {
        fuzz_expect(fuzz_same(&old, &now, LOSS_FLOAT64, 1), "a value refused leaves the option as it was");
    }
}

void fuzz_evaluate(fuzz_stream *s, loss_function *function)
{
    loss_context *context = fuzz_context();
    table inputs = {.count = 0}, outputs = {.count = 0};
    const int32_t options = loss_function_option_count(function);
    for (uint32_t k = fuzz_byte(s) % 4; k > 0; k--) {
        set_option(s, function, loss_function_option(function, fuzz_below(s, options)));
    }
    const uint32_t which = fuzz_byte(s);
    const double scale = fuzz_byte(s) < 200 ? 1 : fuzz_number(s);
    int32_t pointwise = 0;
    loss_function_property(function, "pointwise", &pointwise);
    make_inputs(s, &inputs, function);
    make_outputs(&outputs, &inputs, which, pointwise);
    const outcome usual = evaluate(function, &inputs, &outputs, scale);
    for (int32_t i = 0; i < loss_context_isa_count(context); i++) {
        table again = {.count = 0};
        make_outputs(&again, &inputs, which, pointwise);
        loss_context_set_string(context, "isa", loss_context_isa_name(context, i));
        loss_context_set_int(context, "threads", 1 + i % 2);
        const outcome other = evaluate(function, &inputs, &again, scale);
        compare(&usual, &other, &outputs, &again);
        drop(&again);
    }
    loss_context_set_int(context, "threads", 1);
    drop(&inputs);
    drop(&outputs);
}
