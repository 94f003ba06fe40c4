/* Sparse tables: the calls that make one, what it tells, and its end. */
#include "sparse.h"

#include <inttypes.h>
#include <math.h>

static loss_status check(loss_context *context, loss_dtype value_dtype, loss_dtype index_dtype,
                         int64_t first_index, int64_t columns)
{
    if (value_dtype != LOSS_FLOAT32 && value_dtype != LOSS_FLOAT64) {
        return lossi_io_fail(context, LOSS_ERROR_TYPE, "the values must be float32 or float64");
    }
    if (index_dtype != LOSS_INT32 && index_dtype != LOSS_INT64) {
        return lossi_io_fail(context, LOSS_ERROR_TYPE, "the column indices must be int32 or int64");
    }
    if (first_index < -1 || first_index > 1) {
        return lossi_io_fail(context, LOSS_ERROR_ARGUMENT, "first_index must be 0, 1, or -1 to find it out");
    }
    return columns < 0 ? lossi_io_fail(context, LOSS_ERROR_ARGUMENT, "the number of columns is negative")
                       : LOSS_OK;
}

static loss_status create(loss_sparse **out, const struct lossi_io_input *source, loss_dtype value_dtype,
                          loss_dtype index_dtype, int64_t first_index, int64_t columns)
{
    loss_context *context = source->context;
    loss_status status = check(context, value_dtype, index_dtype, first_index, columns);
    if (status) {
        return status;
    }
    loss_sparse *sparse = lossi_io_table_allocate(context, 1, sizeof *sparse);
    if (!sparse) {
        return LOSS_ERROR_MEMORY;
    }
    *sparse = (loss_sparse){.context = context, .value_dtype = value_dtype, .index_dtype = index_dtype};
    status = loss_data_create(&sparse->anchor, context);
    if (!status) {
        status = lossi_io_svmlight_read(sparse, source, first_index, columns);
    }
    if (status) {
        loss_sparse_free(sparse);
        return status;
    }
    *out = sparse;
    return LOSS_OK;
}

loss_status loss_sparse_read_svmlight(loss_sparse **out, loss_context *context, const char *path,
                                      loss_dtype value_dtype, loss_dtype index_dtype, int64_t first_index,
                                      int64_t columns, loss_progress_callback progress, void *user)
{
    if (out) {
        *out = NULL;
    }
    if (!context) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (!out || !path) {
        return lossi_io_fail_null(context, !out ? "out" : "the path");
    }
    const struct lossi_io_input source = {
        .context = context, .path = path, .progress = progress, .user = user};
    return create(out, &source, value_dtype, index_dtype, first_index, columns);
}

loss_status loss_sparse_parse_svmlight(loss_sparse **out, loss_context *context, const char *text,
                                       int64_t length, loss_dtype value_dtype, loss_dtype index_dtype,
                                       int64_t first_index, int64_t columns)
{
    if (out) {
        *out = NULL;
    }
    const loss_status status = lossi_io_check_memory(context, out, text, length);
    if (status) {
        return status;
    }
    const struct lossi_io_input source = {
        .context = context, .memory = (const unsigned char *)text, .memory_size = length};
    return create(out, &source, value_dtype, index_dtype, first_index, columns);
}

void loss_sparse_free(loss_sparse *sparse)
{
    if (!sparse) {
        return;
    }
    loss_context *context = sparse->context;
    loss_data *anchor = sparse->anchor;
    void *const blocks[] = {sparse->offsets, sparse->indices,      sparse->values, sparse->labels,
                            sparse->queries, sparse->lines.breaks, sparse};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        loss_context_release(context, blocks[i]);
    }
    loss_data_free(anchor); /* last: it may be what kept the context alive */
}

int64_t loss_sparse_row_count(const loss_sparse *sparse)
{
    return sparse ? sparse->rows : 0;
}

int64_t loss_sparse_column_count(const loss_sparse *sparse)
{
    return sparse ? sparse->columns : 0;
}

int64_t loss_sparse_entry_count(const loss_sparse *sparse)
{
    return sparse ? sparse->entries : 0;
}

loss_dtype loss_sparse_value_dtype(const loss_sparse *sparse)
{
    return sparse ? sparse->value_dtype : 0;
}

loss_dtype loss_sparse_index_dtype(const loss_sparse *sparse)
{
    return sparse ? sparse->index_dtype : 0;
}

const int64_t *loss_sparse_row_offsets(const loss_sparse *sparse)
{
    return sparse ? sparse->offsets : NULL;
}

const void *loss_sparse_column_indices(const loss_sparse *sparse)
{
    return sparse ? sparse->indices : NULL;
}

const void *loss_sparse_values(const loss_sparse *sparse)
{
    return sparse ? sparse->values : NULL;
}

const void *loss_sparse_labels(const loss_sparse *sparse)
{
    return sparse ? sparse->labels : NULL;
}

const int64_t *loss_sparse_query_ids(const loss_sparse *sparse)
{
    return sparse ? sparse->queries : NULL;
}

int64_t loss_sparse_row_line(const loss_sparse *sparse, int64_t row)
{
    return sparse && row >= 0 && row < sparse->rows ? lossi_io_lines_at(&sparse->lines, row) : 0;
}

/* ---- labels of classes ---- */

static double label_at(const loss_sparse *sparse, int64_t row)
{
    return sparse->value_dtype == LOSS_FLOAT32 ? (double)((const float *)sparse->labels)[row]
                                               : ((const double *)sparse->labels)[row];
}

/* From here on a label of the element type may stand for several whole numbers of the file. */
static double label_limit(const loss_sparse *sparse)
{
    return sparse->value_dtype == LOSS_FLOAT32 ? 0x1p24 : 0x1p53;
}

static loss_status fail_label(const loss_sparse *sparse, loss_context *context, int64_t row)
{
    struct lossi_io_message message = {0};
    if (sparse->is_reordered) {
        lossi_io_message_add(&message, "row %" PRId64 ": ", row);
    } else {
        lossi_io_message_add(&message, "line %" PRId64 ": ", lossi_io_lines_at(&sparse->lines, row));
    }
    lossi_io_message_add(&message, "the label %.17g is no integer below 2^%d", label_at(sparse, row),
                         sparse->value_dtype == LOSS_FLOAT32 ? 24 : 53);
    if (sparse->value_dtype == LOSS_FLOAT32) {
        lossi_io_message_add(&message, ", from which on float32 does not tell them apart");
    }
    return lossi_io_message_fail(&message, context, LOSS_ERROR_LABEL);
}

loss_status loss_sparse_get_labels(const loss_sparse *sparse, loss_context *context, int64_t *labels,
                                   int64_t stride)
{
    if (!context) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (!sparse || !labels) {
        return lossi_io_fail_null(context, !sparse ? "the sparse table" : "the labels");
    }
    for (int64_t i = 0; i < sparse->rows; i++) {
        const double label = label_at(sparse, i);
        if (!(fabs(label) < label_limit(sparse)) || label != trunc(label)) {
            return fail_label(sparse, context, i);
        }
    }
    for (int64_t i = 0; i < sparse->rows; i++) {
        labels[i * stride] = (int64_t)label_at(sparse, i);
    }
    return LOSS_OK;
}
