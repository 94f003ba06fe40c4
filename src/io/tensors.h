/* Named tensors as they are in memory. */
#ifndef LOSSI_IO_TENSORS_H
#define LOSSI_IO_TENSORS_H

#include "input.h"

enum { LOSSI_IO_TENSOR_RANK = 8 };

/* The key of a header that is no tensor. */
#define LOSSI_IO_TENSORS_METADATA "__metadata__"

/* Element types of the format, by their place in lossi_io_tensor_types. */
struct lossi_io_tensor_type {
    const char *name; /* "F32" */
    int64_t size;
    loss_dtype dtype; /* 0: one that this library does not compute in */
};
extern const struct lossi_io_tensor_type lossi_io_tensor_types[];

struct lossi_io_tensor {
    char *name;
    const struct lossi_io_tensor_type *type;
    int32_t rank;
    int64_t sizes[LOSSI_IO_TENSOR_RANK];
    int64_t begin, end; /* bytes of the data */
};

struct loss_tensors {
    loss_context *context; /* whose allocator holds everything below */
    loss_data *anchor;     /* keeps the context alive, see struct loss_table */
    char *path;            /* NULL: from memory */
    int64_t count;
    struct lossi_io_tensor *list;
    void *data;
    int64_t length;
};

/* The type of that name, NULL when there is none. */
const struct lossi_io_tensor_type *lossi_io_tensor_type(const char *name);

/* ---- tensors_header.c, which knows JSON */

/* Fills in the list from the text of a header; `length` bytes of data follow it. */
loss_status lossi_io_tensors_header(struct loss_tensors *tensors, const char *text, int64_t size,
                                    int64_t length);

/* The text of a header for the list, allocated by jansson's allocator: give it to free(). NULL: no memory, or no JSON here. */
char *lossi_io_tensors_text(const struct lossi_io_tensor *list, int64_t count);

/* LOSS_ERROR_SUPPORT with a sentence when the build has no JSON. */
loss_status lossi_io_tensors_supported(loss_context *context);

#endif
