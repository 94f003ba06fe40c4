/* Arrays: the calls that make one, the elements after a header, and what an array tells. */
#include "array.h"

#include "store.h"

#include <inttypes.h>
#include <string.h>

loss_status lossi_io_array_shape(struct loss_array *array, const struct lossi_io_input *input)
{
    /* 8: the largest element; an array of more bytes has no place in memory. Extents of 0 do not hide the others. */
    int64_t room = INT64_MAX / 8;
    for (int32_t d = 0; d < array->dimensions; d++) {
        const int64_t extent = array->extents[d] > 1 ? array->extents[d] : 1;
        if (extent > room) {
            return lossi_io_input_fail(input, LOSS_ERROR_FORMAT, input->position,
                                       "the shape has more elements than memory can hold");
        }
        room /= extent;
    }
    array->rows = array->extents[0];
    array->columns = 1;
    for (int32_t d = 1; d < array->dimensions; d++) {
        array->columns *= array->extents[d];
    }
    array->row_stride = array->columns;
    array->column_stride = 1;
    return LOSS_OK;
}

static int is_big_machine(void)
{
    const uint16_t one = 1;
    unsigned char first;
    memcpy(&first, &one, 1);
    return first == 0;
}

static void swap_bytes(unsigned char *bytes, int64_t count, int64_t size)
{
    for (int64_t i = 0; i < count; i++, bytes += size) {
        for (int64_t low = 0, high = size - 1; low < high; low++, high--) {
            const unsigned char kept = bytes[low];
            bytes[low] = bytes[high];
            bytes[high] = kept;
        }
    }
}

/* The shape and the data do not agree: says how, in bytes. */
static loss_status fail_length(const struct lossi_io_input *input, int64_t wanted, int64_t got)
{
    struct lossi_io_message message = {0};
    lossi_io_message_path(&message, input->path);
    lossi_io_message_add(&message,
                         "byte %" PRId64 ": the shape needs %" PRId64 " bytes of data, there are %s",
                         input->position, wanted, got > wanted ? "more" : "");
    if (got <= wanted) {
        lossi_io_message_add(&message, "%" PRId64, got);
    }
    return lossi_io_message_fail(&message, input->context, LOSS_ERROR_FORMAT);
}

/* Elements that are read at once: 256 KiB of float64. */
enum { PIECE = 32768 };

/* The pieces of the elements, one after the other: as they are to their place, others by way of raw, which has room for one. */
static loss_status read_pieces(struct loss_array *array, struct lossi_io_input *input,
                               struct lossi_io_elements elements, struct lossi_io_store *store, void *raw,
                               int64_t piece)
{
    const int64_t count = array->rows * array->columns;
    for (int64_t done = 0; done < count; done += piece) {
        const int64_t here = count - done < piece ? count - done : piece;
        int64_t got;
        void *to = lossi_io_store_next(store), *from = raw ? raw : to;
        loss_status status = to ? lossi_io_input_read(input, from, here * elements.size, &got)
                                : LOSS_ERROR_MEMORY;
        if (!status && got < here * elements.size) {
            status = fail_length(input, count * elements.size, done * elements.size + got);
        }
        if (status) {
            return status;
        }
        if (elements.size > 1 && elements.is_big != is_big_machine()) {
            swap_bytes(from, here, elements.size);
        }
        if (raw) {
            lossi_io_convert(raw, array->dtype, elements.size, to, array->wanted, here);
        }
        lossi_io_store_keep(store);
    }
    return LOSS_OK;
}

loss_status lossi_io_array_elements(struct loss_array *array, struct lossi_io_input *input,
                                    struct lossi_io_elements elements)
{
    const int64_t count = array->rows * array->columns, wanted = count * elements.size;
    const int64_t piece = count > PIECE ? PIECE : count > 0 ? count : 1;
    /* What is stored as it is has as many bytes as are left of the file; of others a header may promise anything. */
    const int is_there = !input->gzip && input->total - input->stored >= wanted;
    struct lossi_io_store store;
    void *raw = NULL;
    loss_status status = LOSS_OK;
    array->wanted = array->wanted ? array->wanted : array->dtype;
    if (array->wanted != array->dtype || elements.size != loss_dtype_size(array->dtype)) {
        raw = lossi_io_table_allocate(input->context, piece, (size_t)elements.size);
        status = raw ? LOSS_OK : LOSS_ERROR_MEMORY;
    }
    lossi_io_store_begin(&store, input->context, piece * loss_dtype_size(array->wanted),
                         is_there ? (count + piece - 1) / piece : 0);
    if (!status) {
        status = read_pieces(array, input, elements, &store, raw, piece);
    }
    loss_context_release(input->context, raw);
    array->dtype = array->wanted;
    unsigned char byte;
    int64_t more = 0;
    if (!status) {
        status = lossi_io_input_read(input, &byte, 1, &more);
    }
    if (!status && more > 0) {
        status = fail_length(input, wanted, wanted + more);
    }
    if (!status) {
        status = lossi_io_store_finish(&store, &array->values);
    }
    lossi_io_store_end(&store);
    return status;
}

typedef loss_status reader(struct loss_array *array, struct lossi_io_input *input);

loss_status lossi_io_array_create(loss_array **out, loss_context *context)
{
    loss_array *array = lossi_io_table_allocate(context, 1, sizeof *array);
    if (!array) {
        return LOSS_ERROR_MEMORY;
    }
    *array = (loss_array){.context = context};
    const loss_status status = loss_data_create(&array->anchor, context);
    if (status) {
        loss_array_free(array);
        return status;
    }
    *out = array;
    return LOSS_OK;
}

static loss_status create(loss_array **out, struct lossi_io_input *input, loss_dtype wanted, reader *read)
{
    loss_array *array = NULL;
    loss_status status = lossi_io_array_create(&array, input->context);
    if (!status) {
        array->wanted = wanted;
        status = lossi_io_input_open(input);
    }
    if (!status) {
        status = read(array, input);
    }
    lossi_io_input_close(input);
    if (status) {
        loss_array_free(array);
        return status;
    }
    *out = array;
    return LOSS_OK;
}

static loss_status read_path(loss_array **out, loss_context *context, const char *path, loss_dtype wanted,
                             loss_progress_callback progress, void *user, reader *read)
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
    struct lossi_io_input input = {.context = context, .path = path, .progress = progress, .user = user};
    return create(out, &input, wanted, read);
}

static loss_status read_memory(loss_array **out, loss_context *context, const void *bytes, int64_t length,
                               loss_dtype wanted, reader *read)
{
    if (out) {
        *out = NULL;
    }
    const loss_status status = lossi_io_check_memory(context, out, bytes, length);
    if (status) {
        return status;
    }
    struct lossi_io_input input = {.context = context, .memory = bytes, .memory_size = length};
    return create(out, &input, wanted, read);
}

/* The type that elements are to become. */
static loss_status check_real(loss_array **out, loss_context *context, loss_dtype dtype)
{
    if (out) {
        *out = NULL;
    }
    if (!context) {
        return LOSS_ERROR_ARGUMENT;
    }
    return dtype == LOSS_FLOAT32 || dtype == LOSS_FLOAT64
               ? LOSS_OK
               : lossi_io_fail(context, LOSS_ERROR_TYPE, "the elements must become float32 or float64");
}

loss_status loss_array_read_npy(loss_array **out, loss_context *context, const char *path,
                                loss_progress_callback progress, void *user)
{
    return read_path(out, context, path, 0, progress, user, lossi_io_npy_read);
}

loss_status loss_array_read_npy_as(loss_array **out, loss_context *context, const char *path,
                                   loss_dtype dtype, loss_progress_callback progress, void *user)
{
    const loss_status status = check_real(out, context, dtype);
    return status ? status : read_path(out, context, path, dtype, progress, user, lossi_io_npy_read);
}

loss_status loss_array_parse_npy(loss_array **out, loss_context *context, const void *bytes, int64_t length)
{
    return read_memory(out, context, bytes, length, 0, lossi_io_npy_read);
}

loss_status loss_array_parse_npy_as(loss_array **out, loss_context *context, const void *bytes,
                                    int64_t length, loss_dtype dtype)
{
    const loss_status status = check_real(out, context, dtype);
    return status ? status : read_memory(out, context, bytes, length, dtype, lossi_io_npy_read);
}

loss_status loss_array_read_idx(loss_array **out, loss_context *context, const char *path,
                                loss_progress_callback progress, void *user)
{
    return read_path(out, context, path, 0, progress, user, lossi_io_idx_read);
}

loss_status loss_array_read_idx_as(loss_array **out, loss_context *context, const char *path,
                                   loss_dtype dtype, loss_progress_callback progress, void *user)
{
    const loss_status status = check_real(out, context, dtype);
    return status ? status : read_path(out, context, path, dtype, progress, user, lossi_io_idx_read);
}

loss_status loss_array_parse_idx(loss_array **out, loss_context *context, const void *bytes, int64_t length)
{
    return read_memory(out, context, bytes, length, 0, lossi_io_idx_read);
}

loss_status loss_array_parse_idx_as(loss_array **out, loss_context *context, const void *bytes,
                                    int64_t length, loss_dtype dtype)
{
    const loss_status status = check_real(out, context, dtype);
    return status ? status : read_memory(out, context, bytes, length, dtype, lossi_io_idx_read);
}

void loss_array_free(loss_array *array)
{
    if (!array) {
        return;
    }
    loss_context *context = array->context;
    loss_data *anchor = array->anchor;
    loss_table_free(array->header);
    loss_context_release(context, array->values);
    loss_context_release(context, array->origins);
    loss_context_release(context, array->lines.breaks);
    loss_context_release(context, array);
    loss_data_free(anchor); /* last: it may be what kept the context alive */
}

loss_dtype loss_array_dtype(const loss_array *array)
{
    return array ? array->dtype : 0;
}

int64_t loss_array_row_count(const loss_array *array)
{
    return array ? array->rows : 0;
}

int64_t loss_array_column_count(const loss_array *array)
{
    return array ? array->columns : 0;
}

int64_t loss_array_row_stride(const loss_array *array)
{
    return array ? array->row_stride : 0;
}

int64_t loss_array_column_stride(const loss_array *array)
{
    return array ? array->column_stride : 0;
}

const void *loss_array_values(const loss_array *array)
{
    return array ? array->values : NULL;
}

int32_t loss_array_dimension_count(const loss_array *array)
{
    return array ? array->dimensions : 0;
}

int64_t loss_array_extent(const loss_array *array, int32_t dimension)
{
    return array && dimension >= 0 && dimension < array->dimensions ? array->extents[dimension] : 0;
}

void *loss_array_writable_values(loss_array *array)
{
    return array ? array->values : NULL;
}

const char *loss_array_column_name(const loss_array *array, int64_t column)
{
    return array && array->header && column >= 0 && column < array->columns
               ? loss_table_column_name(array->header, array->origins[column])
               : NULL;
}

int64_t loss_array_row_line(const loss_array *array, int64_t row)
{
    return array && array->header && row >= 0 && row < array->rows ? lossi_io_lines_at(&array->lines, row)
                                                                   : 0;
}
