/* Predictions to the means they stand for: arrays in and out of the kernels, tile by tile. */
#include <string.h>

#include "core/data.h"
#include "core/isa.h"
#include "core/sparse.h"
#include "core/sum.h"
#include "loss/array_rows.h"
#include "loss/handle.h"
#include "loss/link_kernels.h"

enum {
    PARALLEL_ELEMENTS = 32768, /* fewer cost more to hand out than to do */
    ALIGNMENT = 64
};

typedef struct call {
    const lossi_link_kernels *kernels;
    const lossi_array *from, *to;
    const lossi_prepared *prepared;
    int64_t size; /* of an element */
    lossi_cut cut;
    char *scratch;
    int64_t scratch_each;
} call;

/* ---- tiles ---- */

static void copy_in(const call *c, int64_t first, int64_t rows, char *tile)
{
    const lossi_array *from = c->from;
    for (int64_t i = 0; i < rows; i++) {
        lossi_copy_row(from->pointer + (first + i) * from->row_stride * c->size, from->dtype,
                       from->column_stride, tile + i * from->columns * c->size, from->dtype, from->columns);
    }
}

static void copy_out(const call *c, int64_t first, int64_t rows, const char *tile)
{
    const lossi_array *to = c->to;
    for (int64_t i = 0; i < rows; i++) {
        lossi_put_row(tile + i * to->columns * c->size, to->pointer + (first + i) * to->row_stride * c->size,
                      to->column_stride, to->columns, c->size);
    }
}

static void apply(const call *c, int64_t rows, const char *x, char *y)
{
    const int64_t columns = c->from->columns, count = rows * columns;
    switch (c->prepared->link) {
    case LOSSI_LINK_LOGIT:
        c->kernels->logistic(count, x, y);
        break;
    case LOSSI_LINK_LOG:
        c->kernels->exponential(count, x, y);
        break;
    case LOSSI_LINK_SOFTMAX:
        c->kernels->softmax(c->prepared, rows, columns, x, y);
        break;
    default:
        memmove(y, x, (size_t)(count * c->size));
    }
}

static void apply_slice(void *argument, int64_t slice, int32_t worker)
{
    const call *c = argument;
    const int64_t row_bytes = c->from->columns * c->size;
    char *tile = c->scratch + worker * c->scratch_each;
    int64_t row = slice * c->cut.slice_rows, end = row + c->cut.slice_rows;
    end = end < c->cut.rows ? end : c->cut.rows;
    while (row < end) {
        const int64_t rows = end - row < c->cut.tile_rows ? end - row : c->cut.tile_rows;
        const char *x = lossi_array_dense(c->from) ? c->from->pointer + row * row_bytes : tile;
        char *y = lossi_array_dense(c->to) ? c->to->pointer + row * row_bytes : tile;
        if (x == tile) {
            copy_in(c, row, rows, tile);
        }
        apply(c, rows, x, y);
        if (y == tile) {
            copy_out(c, row, rows, tile);
        }
        row += rows;
    }
}

/* ---- calls ---- */

static loss_status run(loss_context *context, const loss_function *function, const lossi_array *from,
                       const lossi_array *to)
{
    const int64_t elements = from->rows * from->columns;
    call c = {.from = from, .to = to, .prepared = &function->prepared, .size = loss_dtype_size(from->dtype)};
    lossi_function_seal(function);
    if (elements == 0) {
        return LOSS_OK;
    }
    c.kernels = lossi_link_kernels_for(lossi_context_isa(context), lossi_real_index(from->dtype));
    c.cut = lossi_cut_rows(from->rows, from->columns);
    const int32_t workers = elements >= PARALLEL_ELEMENTS ? lossi_context_threads(context) : 1;
    c.scratch_each = (c.cut.tile_rows * from->columns * c.size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    c.scratch = lossi_scratch(context, c.scratch_each * workers);
    if (c.scratch == NULL) {
        return lossi_fail_memory(context, "scratch");
    }
    if (workers > 1) {
        lossi_parallel(context, c.cut.slices, apply_slice, &c);
    } else {
        for (int64_t slice = 0; slice < c.cut.slices; slice++) {
            apply_slice(&c, slice, 0);
        }
    }
    return LOSS_OK;
}

static const char *only_name(const void *name, int32_t index)
{
    (void)index;
    return name;
}

/* The one array of such data. */
static loss_status only_array(loss_context *context, const loss_data *data, const char *role, int32_t output,
                              const lossi_array **array)
{
    loss_status status = lossi_data_check_dense(context, data);
    if (status != LOSS_OK) {
        return status;
    }
    for (int32_t i = 0; i < lossi_data_count(data); i++) {
        const lossi_array *given = lossi_data_at(data, i);
        if (strcmp(given->role, role) != 0) {
            return lossi_fail_name(context,
                                   output ? "output of an inverse link in the role"
                                          : "input of an inverse link in the role",
                                   given->role, only_name, role, 1);
        }
    }
    *array = lossi_data_find(data, role);
    if (*array == NULL || (*array)->output != output) {
        return lossi_fail(context, LOSS_ERROR_ARGUMENT, "an inverse link needs the role '%s' as an %s", role,
                          output ? "output" : "input");
    }
    return LOSS_OK;
}

static loss_status check(loss_context *context, const lossi_array *from, const lossi_array *to)
{
    if (from->dtype != LOSS_FLOAT32 && from->dtype != LOSS_FLOAT64) {
        return lossi_fail(context, LOSS_ERROR_TYPE, "predictions are float32 or float64, not %s",
                          loss_dtype_name(from->dtype));
    }
    if (to->dtype != from->dtype) {
        return lossi_fail(context, LOSS_ERROR_TYPE, "'%s' is %s; %s like the prediction was expected",
                          to->role, loss_dtype_name(to->dtype), loss_dtype_name(from->dtype));
    }
    if (to->rows != from->rows || to->columns != from->columns) {
        return lossi_fail(context, LOSS_ERROR_SHAPE, "'%s' is %lld x %lld; %lld x %lld was expected",
                          to->role, (long long)to->rows, (long long)to->columns, (long long)from->rows,
                          (long long)from->columns);
    }
    return LOSS_OK;
}

loss_status loss_function_inverse_link(loss_context *context, const loss_function *function,
                                       const loss_data *inputs, const loss_data *outputs)
{
    const lossi_array *from = NULL, *to = NULL;
    if (context == NULL || function == NULL || inputs == NULL || outputs == NULL) {
        return lossi_fail_null(context, context == NULL    ? "the context"
                                        : function == NULL ? "the loss function"
                                        : inputs == NULL   ? "inputs"
                                                           : "outputs");
    }
    loss_status status = only_array(context, inputs, "prediction", 0, &from);
    if (status == LOSS_OK) {
        status = only_array(context, outputs, "mean", 1, &to);
    }
    if (status == LOSS_OK) {
        status = check(context, from, to);
    }
    if (status != LOSS_OK) {
        return status;
    }
    lossi_data_seal(inputs);
    lossi_data_seal(outputs);
    return run(context, function, from, to);
}

static loss_status dense_call(loss_context *context, const loss_function *function, int64_t rows,
                              int64_t columns, loss_dtype dtype, const void *prediction, void *mean)
{
    const lossi_array from = {"prediction", (char *)prediction, dtype, 0, rows, columns, columns, 1};
    const lossi_array to = {"mean", mean, dtype, 1, rows, columns, columns, 1};
    if (context == NULL || function == NULL) {
        return lossi_fail_null(context, context == NULL ? "the context" : "the loss function");
    }
    if (rows < 0 || columns < 0) {
        return lossi_fail(context, LOSS_ERROR_ARGUMENT, "a size is negative");
    }
    if (rows > 0 && columns > 0 && (prediction == NULL || mean == NULL)) {
        return lossi_fail_null(context, prediction == NULL ? "prediction" : "mean");
    }
    return run(context, function, &from, &to);
}

loss_status loss_function_inverse_link_float32(loss_context *context, const loss_function *function,
                                               int64_t rows, int64_t columns, const float *prediction,
                                               float *mean)
{
    return dense_call(context, function, rows, columns, LOSS_FLOAT32, prediction, mean);
}

loss_status loss_function_inverse_link_float64(loss_context *context, const loss_function *function,
                                               int64_t rows, int64_t columns, const double *prediction,
                                               double *mean)
{
    return dense_call(context, function, rows, columns, LOSS_FLOAT64, prediction, mean);
}
