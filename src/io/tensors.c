/*
 * Named tensors in files of the format safetensors (Hugging Face, 2022): eight bytes, the length of the header, little-endian; the
 * header, JSON; the elements, little-endian and row-major, one tensor behind the other.
 */
#include "output.h"
#include "tensors.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_HEADER = 100000000, ALIGNMENT = 8 }; /* as the format's own reader has it */

/* ---- reading ---- */

void loss_tensors_free(loss_tensors *tensors)
{
    if (!tensors) {
        return;
    }
    loss_context *context = tensors->context;
    loss_data *anchor = tensors->anchor;
    for (int64_t i = 0; i < tensors->count; i++) {
        loss_context_release(context, tensors->list[i].name);
    }
    loss_context_release(context, tensors->list);
    loss_context_release(context, tensors->data);
    loss_context_release(context, tensors->path);
    loss_context_release(context, tensors);
    loss_data_free(anchor); /* last: it may be what kept the context alive */
}

static loss_status read_header(struct loss_tensors *tensors, struct lossi_io_input *input, void **text,
                               int64_t *size)
{
    unsigned char bytes[8];
    int64_t got;
    uint64_t length = 0;
    loss_status status = lossi_io_input_read(input, bytes, 8, &got);
    if (status) {
        return status;
    }
    for (int64_t i = 7; i >= 0 && got == 8; i--) {
        length = length << 8 | bytes[i];
    }
    if (got < 8 || length > MOST_HEADER || length < 2) {
        return lossi_io_input_fail(input, LOSS_ERROR_FORMAT, 0,
                                   "no safetensors file: it does not begin with the length of a header");
    }
    *size = (int64_t)length;
    status = lossi_io_input_read_block(input, *size, text, &got);
    if (!status && got < *size) {
        status = lossi_io_input_fail(input, LOSS_ERROR_FORMAT, input->position,
                                     "the file ends within the header");
    }
    (void)tensors;
    return status;
}

/* The data is all that is left, however much the header promises. */
static loss_status read_data(struct loss_tensors *tensors, struct lossi_io_input *input)
{
    int64_t capacity = 0, got = 1;
    loss_status status = LOSS_OK;
    while (!status && got > 0) {
        status = lossi_io_grow(tensors->context, &tensors->data, &capacity, tensors->length,
                               tensors->length + 65536, 1);
        if (!status) {
            status = lossi_io_input_read(input, (char *)tensors->data + tensors->length,
                                         capacity - tensors->length, &got);
        }
        tensors->length += status ? 0 : got;
    }
    return status;
}

static loss_status read_all(struct loss_tensors *tensors, struct lossi_io_input *input)
{
    void *text = NULL;
    int64_t size = 0;
    loss_status status = lossi_io_tensors_supported(tensors->context);
    if (!status) {
        status = lossi_io_input_open(input);
    }
    if (!status) {
        status = read_header(tensors, input, &text, &size);
    }
    if (!status) {
        status = read_data(tensors, input);
    }
    if (!status) {
        status = lossi_io_tensors_header(tensors, text, size, tensors->length);
    }
    loss_context_release(tensors->context, text);
    lossi_io_input_close(input);
    return status;
}

static loss_status create(loss_tensors **out, struct lossi_io_input *input)
{
    loss_context *context = input->context;
    loss_tensors *tensors = lossi_io_table_allocate(context, 1, sizeof *tensors);
    if (!tensors) {
        return LOSS_ERROR_MEMORY;
    }
    *tensors = (loss_tensors){.context = context};
    loss_status status = loss_data_create(&tensors->anchor, context);
    if (!status && input->path) {
        tensors->path = lossi_io_table_allocate(context, (int64_t)strlen(input->path) + 1, 1);
        status = tensors->path ? LOSS_OK : LOSS_ERROR_MEMORY;
    }
    if (!status && tensors->path) {
        memcpy(tensors->path, input->path, strlen(input->path) + 1);
    }
    if (!status) {
        status = read_all(tensors, input);
    }
    if (status) {
        loss_tensors_free(tensors);
        return status;
    }
    *out = tensors;
    return LOSS_OK;
}

loss_status loss_tensors_read(loss_tensors **out, loss_context *context, const char *path)
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
    struct lossi_io_input input = {.context = context, .path = path};
    return create(out, &input);
}

loss_status loss_tensors_parse(loss_tensors **out, loss_context *context, const void *bytes, int64_t length)
{
    if (out) {
        *out = NULL;
    }
    const loss_status status = lossi_io_check_memory(context, out, bytes, length);
    if (status) {
        return status;
    }
    struct lossi_io_input input = {.context = context, .memory = bytes, .memory_size = length};
    return create(out, &input);
}

/* ---- what is there ---- */

static const struct lossi_io_tensor *tensor_at(const loss_tensors *tensors, int64_t index)
{
    return tensors && index >= 0 && index < tensors->count ? &tensors->list[index] : NULL;
}

int64_t loss_tensors_count(const loss_tensors *tensors)
{
    return tensors ? tensors->count : 0;
}

const char *loss_tensors_name(const loss_tensors *tensors, int64_t index)
{
    const struct lossi_io_tensor *tensor = tensor_at(tensors, index);
    return tensor ? tensor->name : NULL;
}

const char *loss_tensors_type(const loss_tensors *tensors, int64_t index)
{
    const struct lossi_io_tensor *tensor = tensor_at(tensors, index);
    return tensor ? tensor->type->name : "";
}

int32_t loss_tensors_rank(const loss_tensors *tensors, int64_t index)
{
    const struct lossi_io_tensor *tensor = tensor_at(tensors, index);
    return tensor ? tensor->rank : 0;
}

int64_t loss_tensors_size(const loss_tensors *tensors, int64_t index, int32_t axis)
{
    const struct lossi_io_tensor *tensor = tensor_at(tensors, index);
    return tensor && axis >= 0 && axis < tensor->rank ? tensor->sizes[axis] : 0;
}

int64_t loss_tensors_find(const loss_tensors *tensors, const char *name)
{
    for (int64_t i = 0; name && i < loss_tensors_count(tensors); i++) {
        if (strcmp(tensors->list[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

/* ---- elements ---- */

/* Little-endian bytes as an integer. */
static uint64_t word_at(const unsigned char *bytes, int64_t size)
{
    uint64_t word = 0;
    for (int64_t i = size - 1; i >= 0; i--) {
        word = word << 8 | bytes[i];
    }
    return word;
}

/* IEEE 754 binary16: a sign, five bits of exponent, ten of significand. */
static double from_half(uint64_t word)
{
    const int exponent = (int)(word >> 10 & 31), fraction = (int)(word & 1023);
    const double size = exponent == 31  ? (fraction ? (double)NAN : (double)INFINITY)
                        : exponent == 0 ? ldexp(fraction, -24)
                                        : ldexp(1024 + fraction, exponent - 25);
    return word >> 15 ? -size : size;
}

static double from_single(uint64_t word)
{
    const uint32_t bits = (uint32_t)word;
    float single;
    memcpy(&single, &bits, sizeof single);
    return (double)single;
}

/* An element as a double; only of types that have such. */
static double real_at(const struct lossi_io_tensor *tensor, const unsigned char *at)
{
    const uint64_t word = word_at(at, tensor->type->size);
    double number;
    if (strcmp(tensor->type->name, "F64") == 0) {
        memcpy(&number, &word, sizeof number);
        return number;
    }
    return strcmp(tensor->type->name, "F32") == 0    ? from_single(word)
           : strcmp(tensor->type->name, "BF16") == 0 ? from_single(word << 16)
                                                     : from_half(word);
}

static void put_integer(const struct lossi_io_tensor *tensor, const unsigned char *at, char *to)
{
    const uint64_t word = word_at(at, tensor->type->size);
    const uint32_t half = (uint32_t)word;
    const uint8_t byte = (uint8_t)word;
    memcpy(to,
           tensor->type->size == 8   ? (const void *)&word
           : tensor->type->size == 4 ? (const void *)&half
                                     : (const void *)&byte,
           (size_t)tensor->type->size);
}

static loss_status fail_index(const loss_tensors *tensors, loss_context *context, int64_t index)
{
    if (!tensors) {
        return lossi_io_fail_null(context, "the file of tensors");
    }
    struct lossi_io_message message = {0};
    lossi_io_message_path(&message, tensors->path);
    lossi_io_message_add(&message, "tensor %" PRId64 " (counted from 0) of a file with %" PRId64 " tensor%s",
                         index, tensors->count, tensors->count == 1 ? "" : "s");
    return lossi_io_message_fail(&message, context, LOSS_ERROR_ARGUMENT);
}

loss_status loss_tensors_get(const loss_tensors *tensors, loss_context *context, int64_t index, void *out,
                             loss_dtype dtype)
{
    const struct lossi_io_tensor *tensor = tensor_at(tensors, index);
    if (!context) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (!tensor) {
        return fail_index(tensors, context, index);
    }
    if (!out && tensor->end > tensor->begin) {
        return lossi_io_fail_null(context, "out");
    }
    const int is_real = tensor->type->name[0] == 'F' ? tensor->type->name[1] != '8'
                                                     : tensor->type->name[1] == 'F';
    const int wants_real = dtype == LOSS_FLOAT32 || dtype == LOSS_FLOAT64;
    if (!(is_real && wants_real) && (is_real || tensor->type->dtype != dtype || dtype == 0)) {
        struct lossi_io_message message = {0};
        lossi_io_message_path(&message, tensors->path);
        lossi_io_message_add(&message, "the tensor ");
        lossi_io_message_quote(&message, tensor->name);
        lossi_io_message_add(&message, " is %s, which is not read as %s", tensor->type->name,
                             loss_dtype_name(dtype));
        return lossi_io_message_fail(&message, context, LOSS_ERROR_TYPE);
    }
    const unsigned char *at = (const unsigned char *)tensors->data + tensor->begin;
    char *to = out;
    for (int64_t left = tensor->end - tensor->begin; left > 0;
         left -= tensor->type->size, at += tensor->type->size) {
        if (is_real) {
            const double number = real_at(tensor, at);
            const float single = (float)number;
            memcpy(to, dtype == LOSS_FLOAT32 ? (const void *)&single : (const void *)&number,
                   dtype == LOSS_FLOAT32 ? 4 : 8);
        } else {
            put_integer(tensor, at, to);
        }
        to += loss_dtype_size(dtype);
    }
    return LOSS_OK;
}

/* ---- writing ---- */

/* Elements in little-endian order. */
static int put_elements(FILE *file, const void *elements, int64_t count, int64_t size)
{
    const uint16_t one = 1;
    unsigned char first, bytes[8];
    memcpy(&first, &one, 1);
    if (first == 1) {
        return count == 0 || fwrite(elements, (size_t)size, (size_t)count, file) == (size_t)count;
    }
    for (int64_t i = 0; i < count; i++) {
        for (int64_t k = 0; k < size; k++) {
            bytes[k] = ((const unsigned char *)elements)[i * size + size - 1 - k];
        }
        if (fwrite(bytes, (size_t)size, 1, file) != 1) {
            return 0;
        }
    }
    return 1;
}

static int put_all(FILE *file, const char *text, const struct lossi_io_tensor *list,
                   const void *const *elements, int64_t count)
{
    static const char blanks[ALIGNMENT + 1] = "        ";
    const size_t length = strlen(text), padding = (ALIGNMENT - length % ALIGNMENT) % ALIGNMENT;
    uint64_t total = length + padding;
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++, total >>= 8) {
        bytes[i] = (unsigned char)total;
    }
    int is_fine = fwrite(bytes, 8, 1, file) == 1 && fwrite(text, 1, length, file) == length &&
                  fwrite(blanks, 1, padding, file) == padding;
    for (int64_t i = 0; i < count && is_fine; i++) {
        is_fine = put_elements(file, elements[i], (list[i].end - list[i].begin) / list[i].type->size,
                               list[i].type->size);
    }
    return is_fine;
}

static loss_status write_file(loss_context *context, const char *path, const char *text,
                              const struct lossi_io_tensor *list, const void *const *elements, int64_t count)
{
    struct lossi_io_output output = {.context = context, .path = path};
    const loss_status status = lossi_io_output_open(&output);
    if (status) {
        return status;
    }
    errno = 0;
    return lossi_io_output_close(&output, put_all(output.file, text, list, elements, count));
}

/* What the format keeps for itself, or no JSON can hold, is no name of a tensor. */
static loss_status check_names(const loss_graph *graph, loss_context *context, const char *path)
{
    for (int32_t i = 0; i < loss_graph_parameter_count(graph); i++) {
        const char *name = loss_graph_node_name(graph, loss_graph_parameter_node(graph, i));
        if (strcmp(name, LOSSI_IO_TENSORS_METADATA) == 0) {
            struct lossi_io_message message = {0};
            lossi_io_message_path(&message, path);
            lossi_io_message_add(
                &message, "a parameter named \"%s\" cannot be written: the format keeps that name for itself",
                name);
            return lossi_io_message_fail(&message, context, LOSS_ERROR_NAME);
        }
    }
    return LOSS_OK;
}

static const struct lossi_io_tensor_type *type_of(loss_dtype dtype)
{
    return lossi_io_tensor_type(dtype == LOSS_FLOAT32   ? "F32"
                                : dtype == LOSS_FLOAT64 ? "F64"
                                : dtype == LOSS_INT32   ? "I32"
                                : dtype == LOSS_INT64   ? "I64"
                                : dtype == LOSS_UINT8   ? "U8"
                                                        : NULL);
}

loss_status loss_graph_write_parameters(const loss_graph *graph, loss_context *context, const void *x,
                                        const char *path)
{
    const int32_t count = loss_graph_parameter_count(graph);
    if (!context) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (!graph || !x || !path) {
        return lossi_io_fail_null(context, !graph ? "the graph" : !x ? "x" : "the path");
    }
    loss_status status = lossi_io_tensors_supported(context);
    if (!status) {
        status = check_names(graph, context, path);
    }
    if (status) {
        return status;
    }
    struct lossi_io_tensor *list = lossi_io_table_allocate(context, count + 1, sizeof *list);
    const void **elements = lossi_io_table_allocate(context, count + 1, sizeof *elements);
    const struct lossi_io_tensor_type *type = type_of(loss_graph_dtype(graph));
    for (int32_t i = 0; i < count && list && elements; i++) {
        const int32_t node = loss_graph_parameter_node(graph, i);
        const int64_t begin = loss_graph_parameter_offset(graph, i) * type->size;
        int64_t size = type->size;
        list[i] = (struct lossi_io_tensor){.name = (char *)loss_graph_node_name(graph, node), .type = type};
        list[i].rank = loss_graph_node_rank(graph, node);
        for (int32_t axis = 0; axis < list[i].rank; axis++) {
            list[i].sizes[axis] = loss_graph_node_size(graph, node, axis);
            size *= list[i].sizes[axis];
        }
        list[i].begin = begin;
        list[i].end = begin + size;
        elements[i] = (const char *)x + begin;
    }
    char *text = list && elements ? lossi_io_tensors_text(list, count) : NULL;
    status = text ? write_file(context, path, text, list, elements, count)
                  : lossi_io_fail(context, LOSS_ERROR_MEMORY, "no memory for the header of a file");
    free(text);
    loss_context_release(context, elements);
    loss_context_release(context, list);
    return status;
}

/* Whether a tensor is what a parameter is; with a sentence. */
static loss_status check_parameter(const loss_tensors *tensors, loss_context *context, int64_t index,
                                   const loss_graph *graph, int32_t node)
{
    struct lossi_io_message message = {0};
    int is_same = loss_tensors_rank(tensors, index) == loss_graph_node_rank(graph, node);
    lossi_io_message_path(&message, tensors->path);
    if (index < 0) {
        lossi_io_message_add(&message, "there is no tensor ");
        lossi_io_message_quote(&message, loss_graph_node_name(graph, node));
        return lossi_io_message_fail(&message, context, LOSS_ERROR_NAME);
    }
    for (int32_t axis = 0; axis < loss_graph_node_rank(graph, node); axis++) {
        is_same &= loss_tensors_size(tensors, index, axis) == loss_graph_node_size(graph, node, axis);
    }
    if (is_same) {
        return LOSS_OK;
    }
    lossi_io_message_add(&message, "the tensor ");
    lossi_io_message_quote(&message, loss_tensors_name(tensors, index));
    lossi_io_message_add(&message, " has another shape than the parameter");
    return lossi_io_message_fail(&message, context, LOSS_ERROR_SHAPE);
}

loss_status loss_graph_read_parameters(const loss_graph *graph, loss_context *context, const char *path,
                                       void *x)
{
    loss_tensors *tensors;
    if (!context) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (!graph || !x) {
        return lossi_io_fail_null(context, !graph ? "the graph" : "x");
    }
    loss_status status = loss_tensors_read(&tensors, context, path);
    if (status) {
        return status;
    }
    const int32_t count = loss_graph_parameter_count(graph);
    const loss_dtype dtype = loss_graph_dtype(graph);
    char *copy = lossi_io_table_allocate(context, loss_graph_dimension(graph) + 1, loss_dtype_size(dtype));
    status = copy ? LOSS_OK : LOSS_ERROR_MEMORY;
    for (int32_t i = 0; i < count && !status; i++) {
        const int32_t node = loss_graph_parameter_node(graph, i);
        const int64_t index = loss_tensors_find(tensors, loss_graph_node_name(graph, node));
        status = check_parameter(tensors, context, index, graph, node);
        if (!status) {
            status = loss_tensors_get(tensors, context, index,
                                      copy + loss_graph_parameter_offset(graph, i) * loss_dtype_size(dtype),
                                      dtype);
        }
    }
    if (!status) {
        memcpy(x, copy, (size_t)(loss_graph_dimension(graph) * loss_dtype_size(dtype)));
    }
    loss_context_release(context, copy);
    loss_tensors_free(tensors);
    return status;
}
