/* Rows of arrays copied to and from contiguous places, whatever their strides, alignment and element type. */
#ifndef LOSSI_LOSS_ARRAY_ROWS_H
#define LOSSI_LOSS_ARRAY_ROWS_H

#include <stdint.h>
#include <string.h>

#include "loss/data.h"

static inline int32_t lossi_is_integer(loss_dtype dtype)
{
    return dtype == LOSS_INT32 || dtype == LOSS_INT64;
}

static inline int64_t lossi_integer_at(const char *pointer, loss_dtype dtype)
{
    int32_t small;
    int64_t large;
    if (dtype == LOSS_INT32) {
        memcpy(&small, pointer, sizeof small);
        return small;
    }
    memcpy(&large, pointer, sizeof large);
    return large;
}

/* One row of `columns` elements to a contiguous place, integers converted. */
static inline void lossi_copy_row(const char *from, loss_dtype from_dtype, int64_t column_stride, char *to,
                                  loss_dtype to_dtype, int64_t columns)
{
    int64_t size = loss_dtype_size(from_dtype), step = column_stride * size;
    if (from_dtype == to_dtype && column_stride == 1) {
        memcpy(to, from, (size_t)(columns * size));
    } else if (from_dtype == to_dtype && size == 4) {
        for (int64_t j = 0; j < columns; j++) {
            memcpy(to + 4 * j, from + j * step, 4);
        }
    } else if (from_dtype == to_dtype) {
        for (int64_t j = 0; j < columns; j++) {
            memcpy(to + 8 * j, from + j * step, 8);
        }
    } else {
        for (int64_t j = 0; j < columns; j++) {
            int64_t integer = lossi_integer_at(from + j * step, from_dtype);
            if (to_dtype == LOSS_FLOAT32) {
                ((float *)(void *)to)[j] = (float)integer;
            } else if (to_dtype == LOSS_FLOAT64) {
                ((double *)(void *)to)[j] = (double)integer;
            } else {
                ((int64_t *)(void *)to)[j] = integer;
            }
        }
    }
}

/* A contiguous row to where it belongs; NULL: zeros. */
static inline void lossi_put_row(const char *from, char *to, int64_t column_stride, int64_t columns,
                                 int64_t size)
{
    for (int64_t j = 0; j < columns; j++) {
        if (from != NULL) {
            memcpy(to + j * column_stride * size, from + j * size, (size_t)size);
        } else {
            memset(to + j * column_stride * size, 0, (size_t)size);
        }
    }
}

#endif
