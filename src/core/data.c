/* Named arrays, dense and sparse: a short list, searched by role. */
#include "core/data.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "core/option.h"
#include "core/sparse.h"

enum { FIRST_CAPACITY = 4 };

struct loss_data {
    loss_context *context;
    atomic_int references;
    atomic_int sealed;
    double scale;
    int32_t count, capacity;
    lossi_sparse_array *arrays; /* the dense ones too */
};

int64_t loss_dtype_size(loss_dtype dtype)
{
    switch (dtype) {
    case LOSS_FLOAT32:
    case LOSS_INT32:
        return 4;
    case LOSS_FLOAT64:
    case LOSS_INT64:
        return 8;
    case LOSS_UINT8:
        return 1;
    default:
        return 0;
    }
}

const char *loss_dtype_name(loss_dtype dtype)
{
    switch (dtype) {
    case LOSS_FLOAT32:
        return "float32";
    case LOSS_FLOAT64:
        return "float64";
    case LOSS_INT32:
        return "int32";
    case LOSS_INT64:
        return "int64";
    case LOSS_UINT8:
        return "uint8";
    default:
        return "unknown";
    }
}

loss_status loss_data_create(loss_data **out, loss_context *context)
{
    if (out == NULL || context == NULL) {
        if (out != NULL) {
            *out = NULL;
        }
        return lossi_fail_null(context, "out or context");
    }
    *out = NULL;
    loss_data *data = lossi_allocate(context, (int64_t)sizeof *data);
    if (data == NULL) {
        return lossi_fail_memory(context, "a set of arrays");
    }
    data->context = lossi_context_retain(context);
    atomic_init(&data->references, 1);
    atomic_init(&data->sealed, 0);
    data->scale = 1;
    *out = data;
    return LOSS_OK;
}

/* References and the seal are bookkeeping, not contents: a const loss_data may still be held and sealed. */
void lossi_data_seal(const loss_data *data)
{
    atomic_store_explicit(&((loss_data *)data)->sealed, 1, memory_order_release);
}

const loss_data *lossi_data_retain(const loss_data *data)
{
    lossi_data_seal(data);
    atomic_fetch_add_explicit(&((loss_data *)data)->references, 1, memory_order_relaxed);
    return data;
}

void lossi_data_drop(const loss_data *data)
{
    loss_data *mutable = (loss_data *)data;
    if (atomic_fetch_sub_explicit(&mutable->references, 1, memory_order_acq_rel) == 1) {
        loss_context *context = mutable->context;
        lossi_release(context, mutable->arrays);
        lossi_release(context, mutable);
        lossi_context_drop(context);
    }
}

void lossi_data_clear(loss_data *data)
{
    atomic_store_explicit(&data->sealed, 0, memory_order_release);
    data->count = 0;
}

void loss_data_free(loss_data *data)
{
    if (data != NULL) {
        lossi_data_drop(data);
    }
}

const lossi_array *lossi_data_find(const loss_data *data, const char *role)
{
    for (int32_t i = 0; i < data->count; i++) {
        if (strcmp(data->arrays[i].values.role, role) == 0) {
            return &data->arrays[i].values;
        }
    }
    return NULL;
}

int32_t lossi_data_count(const loss_data *data)
{
    return data->count;
}

const lossi_array *lossi_data_at(const loss_data *data, int32_t index)
{
    return &data->arrays[index].values;
}

loss_status lossi_data_check_dense(loss_context *context, const loss_data *data)
{
    for (int32_t i = 0; data != NULL && i < data->count; i++) {
        if (data->arrays[i].offset_dtype != 0) {
            return lossi_fail(context, LOSS_ERROR_TYPE,
                              "'%s' is sparse: a dense array was expected, as only the features of a linear "
                              "model can be sparse",
                              data->arrays[i].values.role);
        }
    }
    return LOSS_OK;
}

double lossi_data_scale(const loss_data *data)
{
    return data->scale;
}

/* Place for one more array, NULL when there is no memory. */
static lossi_sparse_array *append(loss_data *data)
{
    if (data->count == data->capacity) {
        int32_t capacity = data->capacity == 0 ? FIRST_CAPACITY : 2 * data->capacity;
        lossi_sparse_array *arrays = lossi_allocate(data->context, capacity * (int64_t)sizeof *arrays);
        if (arrays == NULL) {
            return NULL;
        }
        if (data->count > 0) {
            memcpy(arrays, data->arrays, (size_t)data->count * sizeof *arrays);
        }
        lossi_release(data->context, data->arrays);
        data->arrays = arrays;
        data->capacity = capacity;
    }
    return &data->arrays[data->count++];
}

static void take_away(loss_data *data, const lossi_sparse_array *array)
{
    int64_t index = array - data->arrays;
    memmove(&data->arrays[index], &data->arrays[index + 1],
            (size_t)(data->count - index - 1) * sizeof *data->arrays);
    data->count--;
}

static loss_status check(const loss_data *data, const lossi_array *array)
{
    loss_context *context = data->context;
    if (array->rows < 0 || array->columns < 0) {
        return lossi_fail(context, LOSS_ERROR_ARGUMENT,
                          "'%s' has %lld rows and %lld columns: neither may be negative", array->role,
                          (long long)array->rows, (long long)array->columns);
    }
    if (array->pointer == NULL && array->rows > 0 && array->columns > 0) {
        return lossi_fail(context, LOSS_ERROR_ARGUMENT, "the pointer of '%s' is NULL", array->role);
    }
    if (loss_dtype_size(array->dtype) == 0) {
        return lossi_fail(context, LOSS_ERROR_TYPE, "'%s' has the element type %d, which there is not",
                          array->role, (int)array->dtype);
    }
    /* strides of nothing say nothing: NumPy has them 0 there */
    if (array->output && array->rows > 0 && array->columns > 0 &&
        ((array->row_stride == 0 && array->rows > 1) || (array->column_stride == 0 && array->columns > 1))) {
        return lossi_fail(context, LOSS_ERROR_ARGUMENT,
                          "the output '%s' has stride 0: its elements would overwrite each other",
                          array->role);
    }
    return LOSS_OK;
}

static loss_status check_sparse(const loss_data *data, const lossi_sparse_array *array)
{
    loss_context *context = data->context;
    const char *role = array->values.role;
    if (array->values.dtype != LOSS_FLOAT32 && array->values.dtype != LOSS_FLOAT64) {
        return lossi_fail(context, LOSS_ERROR_TYPE,
                          "the values of '%s' are %s; float32 or float64 was expected", role,
                          loss_dtype_name(array->values.dtype));
    }
    for (int32_t i = 0; i < 2; i++) {
        const loss_dtype dtype = i == 0 ? array->offset_dtype : array->index_dtype;
        if (dtype != LOSS_INT32 && dtype != LOSS_INT64) {
            return lossi_fail(context, LOSS_ERROR_TYPE, "the %s of '%s' are %s; int32 or int64 was expected",
                              i == 0 ? "row offsets" : "column indices", role, loss_dtype_name(dtype));
        }
    }
    if (array->values.rows < 0 || array->values.columns < 0 || array->entries < 0) {
        return lossi_fail(context, LOSS_ERROR_ARGUMENT,
                          "'%s' has %lld rows, %lld columns and %lld entries: none may be negative", role,
                          (long long)array->values.rows, (long long)array->values.columns,
                          (long long)array->entries);
    }
    if (array->row_offsets == NULL && array->values.rows > 0) {
        return lossi_fail(context, LOSS_ERROR_ARGUMENT, "the row offsets of '%s' are NULL", role);
    }
    if ((array->column_indices == NULL || array->values.pointer == NULL) && array->entries > 0) {
        return lossi_fail(context, LOSS_ERROR_ARGUMENT, "the %s of '%s' are NULL",
                          array->column_indices == NULL ? "column indices" : "values", role);
    }
    return LOSS_OK;
}

/* Takes the array in, or the role away when there is nothing in it at all. */
static loss_status set(loss_data *data, const lossi_sparse_array *array)
{
    if (atomic_load_explicit(&data->sealed, memory_order_acquire)) {
        return lossi_fail(data->context, LOSS_ERROR_STATE,
                          "'%s' cannot be set: the data is sealed since its first use", array->values.role);
    }
    loss_status status = array->offset_dtype != 0 ? check_sparse(data, array) : check(data, &array->values);
    if (status != LOSS_OK) {
        return status;
    }
    lossi_sparse_array *place = (lossi_sparse_array *)(void *)lossi_data_find(data, array->values.role);
    if (array->values.pointer == NULL && array->values.rows == 0 && array->values.columns == 0) {
        if (place != NULL) {
            take_away(data, place);
        }
        return LOSS_OK;
    }
    place = place != NULL ? place : append(data);
    if (place == NULL) {
        return lossi_fail_memory(data->context, "one more array");
    }
    *place = *array;
    return LOSS_OK;
}

/* Fills in the role, or says what is wrong with it. */
static loss_status name_role(const loss_data *data, lossi_array *array, const char *role)
{
    if (data == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (role == NULL) {
        return lossi_fail_null(data->context, "the role");
    }
    size_t length = strlen(role);
    if (length == 0 || length >= LOSSI_ROLE_SIZE) {
        return lossi_fail(data->context, LOSS_ERROR_ARGUMENT, "a role has 1 … %d characters, not %zu",
                          LOSSI_ROLE_SIZE - 1, length);
    }
    memcpy(array->role, role, length + 1);
    return LOSS_OK;
}

loss_status loss_data_set_input(loss_data *data, const char *role, const void *pointer, loss_dtype dtype,
                                int64_t rows, int64_t columns, int64_t row_stride, int64_t column_stride)
{
    lossi_sparse_array array = {
        .values = {"", (char *)pointer, dtype, 0, rows, columns, row_stride, column_stride}};
    loss_status status = name_role(data, &array.values, role);
    return status == LOSS_OK ? set(data, &array) : status;
}

loss_status loss_data_set_output(loss_data *data, const char *role, void *pointer, loss_dtype dtype,
                                 int64_t rows, int64_t columns, int64_t row_stride, int64_t column_stride)
{
    lossi_sparse_array array = {.values = {"", pointer, dtype, 1, rows, columns, row_stride, column_stride}};
    loss_status status = name_role(data, &array.values, role);
    return status == LOSS_OK ? set(data, &array) : status;
}

loss_status loss_data_set_sparse_input(loss_data *data, const char *role, int64_t rows, int64_t columns,
                                       int64_t entries, const void *row_offsets, loss_dtype offset_dtype,
                                       const void *column_indices, loss_dtype index_dtype, const void *values,
                                       loss_dtype dtype)
{
    lossi_sparse_array array = {.values = {"", (char *)values, dtype, 0, rows, columns, 0, 0},
                                .row_offsets = row_offsets,
                                .column_indices = column_indices,
                                .offset_dtype = offset_dtype,
                                .index_dtype = index_dtype,
                                .entries = entries};
    loss_status status = name_role(data, &array.values, role);
    if (status == LOSS_OK && offset_dtype == 0) { /* which would make it a dense one */
        return lossi_fail(data->context, LOSS_ERROR_TYPE,
                          "the row offsets of '%s' are unknown; int32 or int64 was expected", role);
    }
    return status == LOSS_OK ? set(data, &array) : status;
}

static const char *scalar_name(const void *names, int32_t index)
{
    return ((const char *const *)names)[index];
}

loss_status loss_data_set_double(loss_data *data, const char *name, double value)
{
    static const char *const names[] = {"scale"};
    if (data == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (name == NULL) {
        return lossi_fail_null(data->context, "the name of the scalar");
    }
    if (strcmp(name, names[0]) != 0) {
        return lossi_fail_name(data->context, "scalar of the data called", name, scalar_name, names, 1);
    }
    if (!isfinite(value)) {
        return lossi_fail(data->context, LOSS_ERROR_RANGE, "the scale has to be finite");
    }
    if (atomic_load_explicit(&data->sealed, memory_order_acquire)) {
        return lossi_fail(data->context, LOSS_ERROR_STATE,
                          "the scale cannot be set: the data is sealed since its first use");
    }
    data->scale = value;
    return LOSS_OK;
}
