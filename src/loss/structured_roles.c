/* From names to arrays: the roles of a loss with a structure, found in the data of a call and checked. */
#include <math.h>
#include <string.h>

#include "core/isa.h"
#include "loss/array_rows.h"
#include "loss/structured_call.h"

/* ---- names ---- */

static const char *const output_names[LOSSI_OF_COUNT] = {"gradient", "curvature", "product"};

/* Every name a call may use, with the place of its array. */
enum { NAMES = LOSSI_ROLES * 4 + 3 };

typedef struct name_list {
    char text[NAMES][LOSSI_ROLE_SIZE];
    const lossi_array **place[NAMES];
    int32_t count;
} name_list;

/* Copied by hand: to format a dozen names takes as long as a loss of thousands of numbers. */
static size_t put(char *text, size_t at, const char *word)
{
    while (*word != '\0' && at < LOSSI_ROLE_SIZE - 1) {
        text[at++] = *word++;
    }
    text[at] = '\0';
    return at;
}

static void add_name(name_list *list, const char *role, const char *of, const lossi_array **place)
{
    char *text = list->text[list->count];
    const size_t length = put(text, 0, role);
    if (of != NULL) {
        put(text, put(text, length, "."), of);
    }
    list->place[list->count++] = place;
}

static const char *name_at(const void *list, int32_t index)
{
    return ((const name_list *)list)->text[index];
}

static void list_inputs(lossi_structured_call *call, name_list *list)
{
    list->count = 0;
    for (int32_t r = 0; r < call->structure->role_count; r++) {
        lossi_bound_role *bound = &call->roles[r];
        add_name(list, bound->role->name, NULL, &bound->input);
        if ((bound->role->flags & LOSSI_DIFFERENTIABLE) != 0) {
            add_name(list, bound->role->name, "direction", &bound->direction);
        }
    }
    add_name(list, "weight", NULL, &call->weight);
    add_name(list, "mask", NULL, &call->mask);
}

static void list_outputs(lossi_structured_call *call, name_list *list)
{
    list->count = 0;
    add_name(list, "value", NULL, &call->value);
    for (int32_t r = 0; r < call->structure->role_count; r++) {
        lossi_bound_role *bound = &call->roles[r];
        for (int32_t k = 0; k < LOSSI_OF_COUNT && (bound->role->flags & LOSSI_DIFFERENTIABLE) != 0; k++) {
            add_name(list, bound->role->name, output_names[k], &bound->output[k]);
        }
    }
}

/* "gradient" is short for "prediction.gradient". */
static int32_t is_named(const char *listed, const char *name)
{
    static const char prefix[] = "prediction.";
    return strcmp(listed, name) == 0 ||
           (strncmp(listed, prefix, sizeof prefix - 1) == 0 && strcmp(listed + sizeof prefix - 1, name) == 0);
}

static loss_status resolve(loss_context *context, const char *kind, const loss_data *data,
                           const name_list *list, int32_t output)
{
    for (int32_t i = 0; data != NULL && i < lossi_data_count(data); i++) {
        const lossi_array *array = lossi_data_at(data, i);
        int32_t k = 0;
        while (k < list->count && !is_named(list->text[k], array->role)) {
            k++;
        }
        if (k == list->count) {
            return lossi_evaluation_fail_role(context, kind, array->role, name_at, list, list->count);
        }
        if (array->output != output) {
            return lossi_fail(context, LOSS_ERROR_ARGUMENT, "'%s' has to be set as an %s", array->role,
                              output ? "output" : "input");
        }
        *list->place[k] = array;
    }
    return LOSS_OK;
}

/* ---- types ---- */

static loss_status check_type(const lossi_structured_call *call, const lossi_array *array, int32_t kind)
{
    const int32_t integer = lossi_is_integer(array->dtype);
    if (kind == LOSSI_ROLE_REAL ? integer || array->dtype == call->dtype : integer) {
        return LOSS_OK;
    }
    return lossi_fail(call->context, LOSS_ERROR_TYPE, "'%s' is %s; %s%s was expected", array->role,
                      loss_dtype_name(array->dtype),
                      kind == LOSSI_ROLE_REAL ? loss_dtype_name(call->dtype) : "int32 or int64",
                      kind == LOSSI_ROLE_REAL ? ", int32 or int64" : "");
}

static loss_status check_real(const lossi_structured_call *call, const lossi_array *array)
{
    return array == NULL || array->dtype == call->dtype
               ? LOSS_OK
               : lossi_fail(call->context, LOSS_ERROR_TYPE, "'%s' is %s; %s like '%s' was expected",
                            array->role, loss_dtype_name(array->dtype), loss_dtype_name(call->dtype),
                            call->roles[0].role->name);
}

static loss_status check_mask(const lossi_structured_call *call)
{
    const lossi_array *mask = call->mask;
    return mask == NULL || mask->dtype == LOSS_UINT8 || lossi_is_integer(mask->dtype)
               ? LOSS_OK
               : lossi_fail(call->context, LOSS_ERROR_TYPE,
                            "'mask' is %s; uint8, int32 or int64 was expected", loss_dtype_name(mask->dtype));
}

/* ---- shapes ---- */

static loss_status check_shape(const lossi_structured_call *call, const lossi_array *array, int64_t rows,
                               int64_t columns)
{
    return array == NULL || (array->rows == rows && array->columns == columns)
               ? LOSS_OK
               : lossi_fail(call->context, LOSS_ERROR_SHAPE, "'%s' is %lld x %lld; %lld x %lld was expected",
                            array->role, (long long)array->rows, (long long)array->columns, (long long)rows,
                            (long long)columns);
}

int64_t lossi_offset(const lossi_array *offsets, int64_t index, int64_t rows)
{
    return offsets == NULL ? index * rows
                           : lossi_integer_at(offsets->pointer + index * offsets->row_stride *
                                                                     loss_dtype_size(offsets->dtype),
                                              offsets->dtype);
}

/* Offsets start at 0, do not decrease and end at `rows`; gives the rows of the largest group. */
static loss_status check_offsets(const lossi_structured_call *call, const lossi_array *offsets, int64_t rows,
                                 int64_t *largest)
{
    int64_t before = 0;
    const int32_t known = offsets != NULL && !call->shapes_only;
    *largest = known ? 0 : rows;
    for (int64_t g = 0; known && g < offsets->rows; g++) {
        const int64_t offset = lossi_offset(offsets, g, rows);
        if ((g == 0 && offset != 0) || offset < before || (g + 1 == offsets->rows && offset != rows)) {
            return lossi_fail_row(call->context, LOSS_ERROR_DOMAIN, g,
                                  "number %lld of '%s' is %lld; they start at 0, never decrease and end at "
                                  "%lld, the rows",
                                  (long long)g, offsets->role, (long long)offset, (long long)rows);
        }
        *largest = offset - before > *largest ? offset - before : *largest;
        before = offset;
    }
    return LOSS_OK;
}

/* How many groups offsets make; −1 when there are no offsets to say it. */
static int64_t groups_of(const lossi_array *offsets)
{
    return offsets == NULL ? 1 : offsets->rows - 1;
}

/* A number of columns that is free leaves nothing to expect but the shape that the row of the catalogue names. */
static loss_status check_input_shape(const lossi_structured_call *call, const lossi_bound_role *bound)
{
    const lossi_array *array = bound->input;
    const char *shape = bound->role->doc;
    return bound->role->columns != LOSSI_COLUMNS_ANY || array->rows == bound->rows
               ? check_shape(call, array, bound->rows, bound->columns)
               : lossi_fail(call->context, LOSS_ERROR_SHAPE, "'%s' is %lld x %lld; %.*s was expected",
                            array->role, (long long)array->rows, (long long)array->columns,
                            (int)strcspn(shape, ","), shape);
}

static loss_status check_role(lossi_structured_call *call, int32_t r)
{
    lossi_bound_role *bound = &call->roles[r];
    const lossi_role *role = bound->role;
    loss_status status = LOSS_OK;
    bound->rows = bound->columns = bound->classes = bound->blank = -1;
    if (bound->input == NULL) {
        if ((role->flags & LOSSI_OPTIONAL) == 0) {
            return lossi_fail(call->context, LOSS_ERROR_ARGUMENT, "%s needs the role '%s'",
                              call->function->title, role->name);
        }
        for (int32_t k = 0; k < LOSSI_OF_COUNT; k++) {
            if (bound->output[k] != NULL) {
                return lossi_fail(call->context, LOSS_ERROR_ARGUMENT, "the output '%s' needs the input '%s'",
                                  bound->output[k]->role, role->name);
            }
        }
        return bound->direction == NULL
                   ? LOSS_OK
                   : lossi_fail(call->context, LOSS_ERROR_ARGUMENT, "'%s' needs the input '%s'",
                                bound->direction->role, role->name);
    }
    status = check_type(call, bound->input, role->kind);
    bound->rows = role->kind == LOSSI_ROLE_OFFSETS || role->rows == LOSSI_ROWS_OWN ||
                          role->rows == LOSSI_ROWS_ANY
                      ? bound->input->rows
                  : role->rows == LOSSI_ROWS_SHARED ? 1
                                                    : call->rows;
    bound->columns = role->kind == LOSSI_ROLE_OFFSETS      ? 1
                     : role->columns == LOSSI_COLUMNS_SAME ? call->columns
                     : role->columns == LOSSI_COLUMNS_ANY  ? bound->input->columns
                                                           : role->columns;
    if (status == LOSS_OK) {
        status = check_input_shape(call, bound);
    }
    if (status == LOSS_OK && role->kind == LOSSI_ROLE_OFFSETS && bound->rows < 1) {
        status = lossi_fail(call->context, LOSS_ERROR_SHAPE,
                            "'%s' is empty; one more than groups was expected", role->name);
    }
    const lossi_array *const reals[] = {bound->direction, bound->output[0], bound->output[1],
                                        bound->output[2]};
    for (int32_t k = 0; k < 4 && status == LOSS_OK; k++) {
        status = check_real(call, reals[k]);
        if (status == LOSS_OK) {
            status = check_shape(call, reals[k], bound->rows, bound->columns);
        }
    }
    return status;
}

/* ---- groups and parts ---- */

static const lossi_array *find_groups(const lossi_structured_call *call, const char *name)
{
    for (int32_t r = 0; r < call->structure->role_count; r++) {
        if (strcmp(call->roles[r].role->name, name) == 0) {
            return call->roles[r].input;
        }
    }
    return NULL;
}

/* The rows of the largest part in each role, and how units are cut. */
static loss_status cut_units(lossi_structured_call *call)
{
    loss_status status = LOSS_OK;
    int64_t largest = 1;
    call->units = call->rows;
    if (call->grouped) {
        call->offsets = find_groups(call, "offsets");
        call->units = groups_of(call->offsets);
        status = check_offsets(call, call->offsets, call->rows, &largest);
    }
    /* groups are cut as rows of their average size would be */
    const int64_t average = call->units > 0 ? (call->rows + call->units - 1) / call->units : 0;
    call->cut = lossi_cut_rows(call->units, call->grouped && average * call->columns < 1
                                                ? 1
                                                : (call->grouped ? average : 1) * call->columns);
    call->shape.real_size = call->real_size;
    for (int32_t r = 0; r < call->structure->role_count && status == LOSS_OK; r++) {
        lossi_bound_role *bound = &call->roles[r];
        int64_t rows = call->grouped ? largest : call->cut.tile_rows;
        if (bound->input != NULL && bound->role->rows == LOSSI_ROWS_OWN &&
            bound->role->kind != LOSSI_ROLE_OFFSETS) {
            const char *name = bound->role->groups != NULL ? bound->role->groups : "offsets";
            bound->groups = find_groups(call, name);
            if (groups_of(bound->groups) != call->units) {
                return lossi_fail(call->context, LOSS_ERROR_SHAPE,
                                  "'%s' makes %lld groups; %lld were expected", name,
                                  (long long)groups_of(bound->groups), (long long)call->units);
            }
            status = check_offsets(call, bound->groups, bound->rows, &rows);
        }
        call->shape.rows[r] = bound->rows < 0                           ? -1
                              : bound->role->kind == LOSSI_ROLE_OFFSETS ? bound->rows
                              : bound->role->rows == LOSSI_ROWS_SHARED  ? 1
                              : bound->role->rows == LOSSI_ROWS_ANY     ? bound->rows
                                                                        : rows;
        call->shape.columns[r] = bound->columns;
    }
    return status;
}

static loss_status check_rest(lossi_structured_call *call)
{
    const lossi_structure *structure = call->structure;
    const int64_t weights = call->grouped && (structure->flags & LOSSI_OWN_WEIGHTS) == 0 ? call->units
                                                                                         : call->rows;
    loss_status status = check_real(call, call->weight);
    if (status == LOSS_OK) {
        status = check_shape(call, call->weight, weights, 1);
    }
    if (status == LOSS_OK) {
        status = check_mask(call);
    }
    if (status == LOSS_OK) {
        status = check_shape(call, call->mask, call->rows, 1);
    }
    if (status == LOSS_OK) {
        status = check_real(call, call->value);
    }
    if (status == LOSS_OK) {
        status = check_shape(call, call->value, call->pointwise ? call->rows : call->units,
                             call->pointwise ? call->columns : 1);
    }
    if (status == LOSS_OK && structure->check != NULL) {
        status = structure->check(call->context, call->function->title, &call->function->prepared,
                                  &call->shape);
    }
    for (int32_t r = 0; r < structure->role_count && status == LOSS_OK; r++) {
        if (call->roles[r].role->kind == LOSSI_ROLE_LABEL && structure->classes != NULL) {
            call->roles[r].classes = structure->classes(&call->function->prepared, &call->shape, r);
        }
        if (call->roles[r].role->kind == LOSSI_ROLE_LABEL && structure->blank != NULL) {
            call->roles[r].blank = structure->blank(&call->function->prepared, &call->shape, r);
        }
    }
    return status;
}

static loss_status check_products(lossi_structured_call *call)
{
    int32_t directions = 0;
    for (int32_t r = 0; r < call->structure->role_count; r++) {
        directions += call->roles[r].direction != NULL;
        call->product_wanted |= call->roles[r].output[LOSSI_OF_PRODUCT] != NULL;
    }
    return call->product_wanted && directions == 0
               ? lossi_fail(call->context, LOSS_ERROR_ARGUMENT,
                            "the output 'product' needs the input 'direction'")
               : LOSS_OK;
}

loss_status lossi_structured_bind(lossi_structured_call *call, const loss_data *inputs,
                                  const loss_data *outputs)
{
    name_list list;
    const lossi_structure *structure = call->structure;
    for (int32_t r = 0; r < structure->role_count; r++) {
        call->roles[r].role = &structure->roles[r];
    }
    list_inputs(call, &list);
    loss_status status = resolve(call->context, "input of this loss in the role", inputs, &list, 0);
    if (status == LOSS_OK) {
        list_outputs(call, &list);
        status = resolve(call->context, "output of this loss in the role", outputs, &list, 1);
    }
    const lossi_array *first = call->roles[0].input;
    if (status == LOSS_OK && first == NULL) {
        status = lossi_fail(call->context, LOSS_ERROR_ARGUMENT, "%s needs the role '%s'",
                            call->function->title, structure->roles[0].name);
    }
    if (status == LOSS_OK && first->dtype != LOSS_FLOAT32 && first->dtype != LOSS_FLOAT64) {
        status = lossi_fail(call->context, LOSS_ERROR_TYPE, "'%s' is %s; float32 or float64 was expected",
                            first->role, loss_dtype_name(first->dtype));
    }
    if (status != LOSS_OK) {
        return status;
    }
    call->dtype = first->dtype;
    call->real_size = (int32_t)loss_dtype_size(first->dtype);
    call->rows = first->rows;
    call->columns = first->columns;
    for (int32_t r = 0; r < structure->role_count && status == LOSS_OK; r++) {
        status = check_role(call, r);
    }
    if (status == LOSS_OK) {
        status = check_products(call);
    }
    if (status == LOSS_OK) {
        status = cut_units(call);
    }
    return status == LOSS_OK ? check_rest(call) : status;
}
