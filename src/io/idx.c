/*
 * IDX, the format of the MNIST files (LeCun, Cortes & Burges, "The MNIST database of handwritten digits", 1998): two bytes of
 * 0, the element type, the number of dimensions, the extents as big-endian uint32, the elements, big-endian.
 */
#include "array.h"

#include <string.h>

static const struct {
    int code;
    int64_t size;
    loss_dtype dtype; /* what it becomes when nothing else is wanted */
} types[] = {
    {0x08, 1, LOSS_UINT8}, {0x09, 1, LOSS_INT32},   {0x0b, 2, LOSS_INT32},
    {0x0c, 4, LOSS_INT32}, {0x0d, 4, LOSS_FLOAT32}, {0x0e, 8, LOSS_FLOAT64},
};

static loss_status read_extents(struct loss_array *array, struct lossi_io_input *input)
{
    for (int32_t d = 0; d < array->dimensions; d++) {
        unsigned char bytes[4];
        int64_t got;
        const loss_status status = lossi_io_input_read(input, bytes, sizeof bytes, &got);
        if (status) {
            return status;
        }
        if (got < (int64_t)sizeof bytes) {
            return lossi_io_input_fail_header(input, "an IDX array");
        }
        array->extents[d] = (int64_t)bytes[0] << 24 | (int64_t)bytes[1] << 16 | (int64_t)bytes[2] << 8 |
                            bytes[3];
    }
    return LOSS_OK;
}

loss_status lossi_io_idx_read(struct loss_array *array, struct lossi_io_input *input)
{
    unsigned char magic[4];
    int64_t got;
    loss_status status = lossi_io_input_read(input, magic, sizeof magic, &got);
    if (status) {
        return status;
    }
    if (got < (int64_t)sizeof magic) {
        return lossi_io_input_fail_header(input, "an IDX array");
    }
    size_t t = 0;
    while (t < sizeof types / sizeof *types && types[t].code != magic[2]) {
        t++;
    }
    if (magic[0] != 0 || magic[1] != 0 || t == sizeof types / sizeof *types) {
        return lossi_io_input_fail(input, LOSS_ERROR_FORMAT, 0,
                                   "no IDX file: it does not begin with two zeros and an element type");
    }
    if (magic[3] < 1 || magic[3] > LOSSI_IO_MOST_DIMENSIONS) {
        return lossi_io_input_fail(input, LOSS_ERROR_SHAPE, 3, "the array must have 1, 2 or 3 dimensions");
    }
    array->dimensions = magic[3];
    array->dtype = types[t].dtype;
    status = read_extents(array, input);
    if (!status) {
        status = lossi_io_array_shape(array, input);
    }
    return status ? status
                  : lossi_io_array_elements(array, input, (struct lossi_io_elements){types[t].size, 1});
}
