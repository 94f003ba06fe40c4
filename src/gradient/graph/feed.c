/*
 * Batches for a graph. Arrays that are dense and of the right type are read where they are, unless their rows are picked by
 * indices; others are copied row by row into a buffer, integers converted where the input is real.
 */
#include "gradient/graph/feed.h"

#include <string.h>

#include "gradient/graph/builder.h"
#include "core/sparse.h"
#include "gradient/graph/shape.h"

static const lossi_tape_node *input_node(const lossi_feed *feed, int32_t input)
{
    return &feed->graph->tape.nodes[feed->graph->inputs[input]];
}

static int32_t is_real(loss_dtype dtype)
{
    return dtype == LOSS_FLOAT32 || dtype == LOSS_FLOAT64;
}

/* An array of a type may stand for an input of another: integers for real numbers, and narrow ones for wide ones. */
static int32_t converts(loss_dtype from, loss_dtype to)
{
    return from == to || (!is_real(from) && (is_real(to) || loss_dtype_size(from) < loss_dtype_size(to)));
}

static loss_status check_array(lossi_feed *feed, int32_t input, const lossi_array *array)
{
    char text[LOSSI_SHAPE_TEXT];
    const lossi_tape_node *node = input_node(feed, input);
    const int32_t of_rows = lossi_shape_of_rows(&node->shape);
    const int64_t row = lossi_shape_row(&node->shape);
    if (lossi_array_sparse(array) != NULL) {
        return lossi_fail(feed->context, LOSS_ERROR_TYPE, "'%s' is sparse; a graph reads dense arrays",
                          array->role);
    }
    if (!converts(array->dtype, node->dtype)) {
        return lossi_fail(feed->context, LOSS_ERROR_TYPE, "'%s' is %s; the graph's input is %s", array->role,
                          loss_dtype_name(array->dtype), loss_dtype_name(node->dtype));
    }
    if (of_rows ? array->columns != row : array->rows * array->columns != row) {
        return lossi_fail(feed->context, LOSS_ERROR_SHAPE,
                          "'%s' has %lld rows and %lld columns; the input's shape is %s", array->role,
                          (long long)array->rows, (long long)array->columns,
                          lossi_shape_text(&node->shape, text));
    }
    if (of_rows && feed->samples >= 0 && array->rows != feed->samples) {
        return lossi_fail(feed->context, LOSS_ERROR_SHAPE, "'%s' has %lld rows; another input has %lld",
                          array->role, (long long)array->rows, (long long)feed->samples);
    }
    feed->samples = of_rows ? array->rows : feed->samples;
    return LOSS_OK;
}

loss_status lossi_feed_create(lossi_feed *feed, loss_context *context, const loss_graph *graph,
                              const uint8_t *needed, const loss_data *data)
{
    const int64_t count = graph->input_count + 1;
    loss_status status = LOSS_OK;
    *feed = (lossi_feed){.context = context, .graph = graph, .capacity = -1, .samples = -1};
    feed->arrays = lossi_allocate(context, count * (int64_t)sizeof *feed->arrays);
    feed->pointers = lossi_allocate(context, count * (int64_t)sizeof *feed->pointers);
    feed->buffers = lossi_allocate(context, count * (int64_t)sizeof *feed->buffers);
    if (feed->arrays == NULL || feed->pointers == NULL || feed->buffers == NULL) {
        status = lossi_fail_memory(context, "the inputs of a graph");
    }
    for (int32_t i = 0; i < graph->input_count && status == LOSS_OK; i++) {
        if (needed[graph->inputs[i]]) {
            const char *name = lossi_graph_node_name(graph, graph->inputs[i]);
            feed->arrays[i] = lossi_data_find(data, name);
            status = feed->arrays[i] != NULL
                         ? check_array(feed, i, feed->arrays[i])
                         : lossi_fail(context, LOSS_ERROR_NAME,
                                      "the data has no array '%s', which the graph reads", name);
        }
    }
    feed->samples = feed->samples < 0 ? 1 : feed->samples;
    if (status != LOSS_OK) {
        lossi_feed_destroy(feed);
    }
    return status;
}

loss_status lossi_feed_check(loss_context *context, const void *out, const loss_graph *graph, int32_t node,
                             const loss_data *data)
{
    if (out == NULL || context == NULL || graph == NULL || data == NULL) {
        return lossi_fail_null(context, out == NULL       ? "out"
                                        : context == NULL ? "the context"
                                        : graph == NULL   ? "the graph"
                                                          : "the data");
    }
    if (node < 0 || node >= graph->tape.count) {
        return lossi_fail(context, LOSS_ERROR_RANGE, "there is no node %d; the graph has nodes 0 … %d",
                          (int)node, (int)graph->tape.count - 1);
    }
    return LOSS_OK;
}

loss_status lossi_feed_node(lossi_feed *feed, lossi_statistics *statistics, loss_context *context,
                            const loss_graph *graph, int32_t node, const loss_data *data)
{
    uint8_t *needed = lossi_allocate(context, graph->tape.count);
    if (needed == NULL) {
        return lossi_fail_memory(context, "the inputs of a graph");
    }
    lossi_graph_mark(graph, node, needed);
    loss_status status = lossi_feed_create(feed, context, graph, needed, data);
    if (status == LOSS_OK) {
        status = lossi_statistics_create(statistics, graph, needed);
    }
    lossi_release(context, needed);
    return status;
}

void lossi_feed_destroy(lossi_feed *feed)
{
    for (int32_t i = 0; feed->buffers != NULL && i < feed->graph->input_count; i++) {
        lossi_release(feed->context, feed->buffers[i]);
    }
    lossi_release(feed->context, feed->arrays);
    lossi_release(feed->context, feed->pointers);
    lossi_release(feed->context, feed->buffers);
    *feed = (lossi_feed){0};
}

/* Whether the elements lie as the graph wants them. */
static int32_t in_place(const lossi_array *array, loss_dtype dtype)
{
    return array->dtype == dtype && lossi_array_dense(array);
}

loss_status lossi_feed_reserve(lossi_feed *feed, int64_t rows)
{
    if (rows <= feed->capacity) {
        return LOSS_OK;
    }
    for (int32_t i = 0; i < feed->graph->input_count; i++) {
        const lossi_tape_node *node = input_node(feed, i);
        if (feed->arrays[i] != NULL) {
            char *buffer = lossi_allocate(feed->context, lossi_shape_elements(&node->shape, rows) *
                                                             loss_dtype_size(node->dtype));
            if (buffer == NULL) {
                return lossi_fail_memory(feed->context, "a batch");
            }
            lossi_release(feed->context, feed->buffers[i]);
            feed->buffers[i] = buffer;
        }
    }
    feed->capacity = rows;
    return LOSS_OK;
}

static int64_t integer_at(loss_dtype dtype, const char *from)
{
    int32_t small;
    int64_t large;
    switch (dtype) {
    case LOSS_UINT8:
        return (uint8_t)*from;
    case LOSS_INT32:
        memcpy(&small, from, sizeof small);
        return small;
    default:
        memcpy(&large, from, sizeof large);
        return large;
    }
}

static void put_integer(loss_dtype dtype, char *to, int64_t value)
{
    const float single = (float)value;
    const double number = (double)value;
    const int32_t small = (int32_t)value;
    switch (dtype) {
    case LOSS_FLOAT32:
        memcpy(to, &single, sizeof single);
        break;
    case LOSS_FLOAT64:
        memcpy(to, &number, sizeof number);
        break;
    case LOSS_INT32:
        memcpy(to, &small, sizeof small);
        break;
    default:
        memcpy(to, &value, sizeof value);
        break;
    }
}

static void copy_row(const lossi_array *array, int64_t row, loss_dtype dtype, char *to)
{
    const int64_t from_size = loss_dtype_size(array->dtype), size = loss_dtype_size(dtype);
    const char *from = array->pointer + row * array->row_stride * from_size;
    if (array->dtype == dtype && (array->column_stride == 1 || array->columns == 1)) {
        memcpy(to, from, (size_t)(array->columns * size));
        return;
    }
    for (int64_t j = 0; j < array->columns; j++) {
        const char *at = from + j * array->column_stride * from_size;
        if (array->dtype == dtype) {
            memcpy(to + j * size, at, (size_t)size);
        } else {
            put_integer(dtype, to + j * size, integer_at(array->dtype, at));
        }
    }
}

loss_status lossi_feed_rows(lossi_feed *feed, int64_t first, int64_t rows, const int64_t *indices)
{
    loss_status status = LOSS_OK;
    for (int32_t i = 0; i < feed->graph->input_count; i++) {
        const lossi_array *array = feed->arrays[i];
        if (array == NULL) {
            continue;
        }
        const lossi_tape_node *node = input_node(feed, i);
        const int32_t of_rows = lossi_shape_of_rows(&node->shape);
        if (in_place(array, node->dtype) && (!of_rows || indices == NULL)) {
            feed->pointers[i] = array->pointer +
                                (of_rows ? first * array->columns * loss_dtype_size(array->dtype) : 0);
            continue;
        }
        status = lossi_feed_reserve(feed, rows);
        if (status != LOSS_OK) {
            return status;
        }
        const int64_t count = of_rows ? rows : array->rows;
        for (int64_t r = 0; r < count; r++) {
            copy_row(array, of_rows ? (indices != NULL ? indices[r] : first + r) : r, node->dtype,
                     feed->buffers[i] + r * array->columns * loss_dtype_size(node->dtype));
        }
        feed->pointers[i] = feed->buffers[i];
    }
    return status;
}
