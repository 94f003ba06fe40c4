/*
 * The header of a safetensors file, by jansson:
 *
 *     {"layer.weights": {"dtype": "F32", "shape": [784, 10], "data_offsets": [0, 31360]}, …, LOSSI_IO_TENSORS_METADATA: {…}}
 *
 * Offsets count from the end of the header. Every byte behind it belongs to one tensor.
 */
#include "tensors.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const struct lossi_io_tensor_type lossi_io_tensor_types[] = {
    {"F64", 8, LOSS_FLOAT64},
    {"F32", 4, LOSS_FLOAT32},
    {"I64", 8, LOSS_INT64},
    {"I32", 4, LOSS_INT32},
    {"U8", 1, LOSS_UINT8},
    {"F16", 2, 0},
    {"BF16", 2, 0},
    {"BOOL", 1, 0},
    {"I8", 1, 0},
    {"I16", 2, 0},
    {"U16", 2, 0},
    {"U32", 4, 0},
    {"U64", 8, 0},
    {"F8_E4M3", 1, 0},
    {"F8_E5M2", 1, 0},
};

enum { TYPES = sizeof lossi_io_tensor_types / sizeof lossi_io_tensor_types[0] };

const struct lossi_io_tensor_type *lossi_io_tensor_type(const char *name)
{
    for (int i = 0; name != NULL && i < TYPES; i++) {
        if (strcmp(lossi_io_tensor_types[i].name, name) == 0) {
            return &lossi_io_tensor_types[i];
        }
    }
    return NULL;
}

#ifdef LOSSI_IO_JANSSON

#include <jansson.h>

loss_status lossi_io_tensors_supported(loss_context *context)
{
    (void)context;
    return LOSS_OK;
}

static loss_status fail(const struct loss_tensors *tensors, const char *name, const char *what)
{
    struct lossi_io_message message = {0};
    lossi_io_message_path(&message, tensors->path);
    if (name != NULL) {
        lossi_io_message_add(&message, "the tensor ");
        lossi_io_message_quote(&message, name);
        lossi_io_message_add(&message, " ");
    }
    lossi_io_message_add(&message, "%s", what);
    return lossi_io_message_fail(&message, tensors->context, LOSS_ERROR_FORMAT);
}

/* Sizes, and the bytes they make, in *bytes. */
static loss_status read_shape(const struct loss_tensors *tensors, struct lossi_io_tensor *tensor,
                              json_t *shape, int64_t *bytes)
{
    if (!json_is_array(shape) || json_array_size(shape) > LOSSI_IO_TENSOR_RANK) {
        return fail(tensors, tensor->name, "has a shape that is no list of at most 8 sizes");
    }
    tensor->rank = (int32_t)json_array_size(shape);
    *bytes = tensor->type->size;
    for (int32_t i = 0; i < tensor->rank; i++) {
        json_t *size = json_array_get(shape, (size_t)i);
        tensor->sizes[i] = json_is_integer(size) ? (int64_t)json_integer_value(size) : -1;
        if (tensor->sizes[i] < 0 || (tensor->sizes[i] > 0 && *bytes > INT64_MAX / tensor->sizes[i])) {
            return fail(tensors, tensor->name, "has a shape with a size that is none");
        }
        *bytes *= tensor->sizes[i];
    }
    return LOSS_OK;
}

static loss_status read_tensor(const struct loss_tensors *tensors, struct lossi_io_tensor *tensor,
                               json_t *entry, int64_t length)
{
    json_t *offsets = json_object_get(entry, "data_offsets");
    int64_t bytes = 0;
    tensor->type = lossi_io_tensor_type(json_string_value(json_object_get(entry, "dtype")));
    if (tensor->type == NULL) {
        return fail(tensors, tensor->name, "has no dtype of the format");
    }
    loss_status status = read_shape(tensors, tensor, json_object_get(entry, "shape"), &bytes);
    if (status) {
        return status;
    }
    if (!json_is_array(offsets) || json_array_size(offsets) != 2 ||
        !json_is_integer(json_array_get(offsets, 0)) || !json_is_integer(json_array_get(offsets, 1))) {
        return fail(tensors, tensor->name, "has data_offsets that are no two whole numbers");
    }
    tensor->begin = (int64_t)json_integer_value(json_array_get(offsets, 0));
    tensor->end = (int64_t)json_integer_value(json_array_get(offsets, 1));
    if (tensor->begin < 0 || tensor->end < tensor->begin || tensor->end > length) {
        return fail(tensors, tensor->name, "has data_offsets outside the data");
    }
    return tensor->end - tensor->begin == bytes
               ? LOSS_OK
               : fail(tensors, tensor->name, "has data_offsets that are not as far apart as its shape says");
}

static int by_place(const void *a, const void *b)
{
    const struct lossi_io_tensor *x = a, *y = b;
    return x->begin != y->begin ? (x->begin > y->begin) - (x->begin < y->begin)
                                : (x->end > y->end) - (x->end < y->end);
}

/* In the order of the data, which they share without gaps. */
static loss_status check_places(const struct loss_tensors *tensors, int64_t length)
{
    int64_t end = 0;
    qsort(tensors->list, (size_t)tensors->count, sizeof *tensors->list, by_place);
    for (int64_t i = 0; i < tensors->count; i++) {
        if (tensors->list[i].begin != end) {
            return fail(tensors, tensors->list[i].name, "does not begin where the one before ends");
        }
        end = tensors->list[i].end;
    }
    return end == length ? LOSS_OK : fail(tensors, NULL, "there is data that belongs to no tensor");
}

static loss_status read_object(struct loss_tensors *tensors, json_t *root, int64_t length)
{
    const char *key;
    json_t *entry;
    loss_status status = LOSS_OK;
    if (!json_is_object(root)) {
        return fail(tensors, NULL, "the header is no JSON object");
    }
    tensors->list = lossi_io_table_allocate(tensors->context, (int64_t)json_object_size(root) + 1,
                                            sizeof *tensors->list);
    if (tensors->list == NULL) {
        return LOSS_ERROR_MEMORY;
    }
    memset(tensors->list, 0, (json_object_size(root) + 1) * sizeof *tensors->list);
    json_object_foreach(root, key, entry)
    {
        struct lossi_io_tensor *tensor = &tensors->list[tensors->count];
        if (strcmp(key, LOSSI_IO_TENSORS_METADATA) == 0) {
            continue;
        }
        tensor->name = lossi_io_table_allocate(tensors->context, (int64_t)strlen(key) + 1, 1);
        if (tensor->name == NULL) {
            return LOSS_ERROR_MEMORY;
        }
        tensors->count++;
        memcpy(tensor->name, key, strlen(key) + 1);
        status = read_tensor(tensors, tensor, entry, length);
        if (status) {
            return status;
        }
    }
    return check_places(tensors, length);
}

loss_status lossi_io_tensors_header(struct loss_tensors *tensors, const char *text, int64_t size,
                                    int64_t length)
{
    json_error_t error;
    json_t *root = json_loadb(text, (size_t)size, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) {
        struct lossi_io_message message = {0};
        lossi_io_message_path(&message, tensors->path);
        lossi_io_message_add(&message, "byte %" PRId64 ": the header is no JSON: %s",
                             (int64_t)error.position + 8, error.text);
        return lossi_io_message_fail(&message, tensors->context, LOSS_ERROR_FORMAT);
    }
    const loss_status status = read_object(tensors, root, length);
    json_decref(root);
    return status;
}

char *lossi_io_tensors_text(const struct lossi_io_tensor *list, int64_t count)
{
    json_t *root = json_object();
    int failed = root == NULL;
    for (int64_t i = 0; i < count && !failed; i++) {
        json_t *shape = json_array();
        for (int32_t k = 0; k < list[i].rank; k++) {
            failed |= json_array_append_new(shape, json_integer((json_int_t)list[i].sizes[k]));
        }
        json_t *entry = json_pack("{s:s, s:o, s:[I, I]}", "dtype", list[i].type->name, "shape", shape,
                                  "data_offsets", (json_int_t)list[i].begin, (json_int_t)list[i].end);
        failed |= json_object_set_new(root, list[i].name, entry);
    }
    char *text = failed ? NULL : json_dumps(root, JSON_COMPACT);
    json_decref(root);
    return text;
}

#else

loss_status lossi_io_tensors_supported(loss_context *context)
{
    return lossi_io_fail(context, LOSS_ERROR_SUPPORT,
                         "this build of libloss_io reads and writes no safetensors: it has no jansson");
}

loss_status lossi_io_tensors_header(struct loss_tensors *tensors, const char *text, int64_t size,
                                    int64_t length)
{
    (void)text;
    (void)size;
    (void)length;
    return lossi_io_tensors_supported(tensors->context);
}

char *lossi_io_tensors_text(const struct lossi_io_tensor *list, int64_t count)
{
    (void)list;
    (void)count;
    return NULL;
}

#endif
