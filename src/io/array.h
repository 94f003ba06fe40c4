/* An array as it is in memory, and what its readers share. */
#ifndef LOSSI_IO_ARRAY_H
#define LOSSI_IO_ARRAY_H

#include "input.h"

#define LOSSI_IO_MOST_DIMENSIONS 3

struct loss_array {
    loss_context *context; /* whose allocator holds everything below */
    loss_data *anchor;     /* keeps the context alive, see struct loss_table */
    loss_dtype dtype;
    loss_dtype wanted; /* what the caller wants the elements to become; 0: they stay what they are */
    int32_t dimensions;
    int64_t extents[LOSSI_IO_MOST_DIMENSIONS];
    int64_t rows, columns, row_stride, column_stride;
    void *values;
    loss_table *header;          /* of a CSV file: the names of its columns; else NULL */
    int64_t *origins;            /* columns: which of those they are */
    struct lossi_io_lines lines; /* and the lines of the rows */
};

/* What a header says about the elements that follow it. */
struct lossi_io_elements {
    int64_t size; /* bytes of one, as stored */
    int is_big;   /* the byte order */
};

/* An empty array. */
loss_status lossi_io_array_create(loss_array **out, loss_context *context);

/* Rows and columns from the extents: the first is the rows, the others together are the columns. The sentence is set when
 * there are more elements than can be counted. */
loss_status lossi_io_array_shape(struct loss_array *array, const struct lossi_io_input *input);

/*
 * Reads the elements, to the byte as many as the shape has, in the byte order of this machine and in the type that is wanted. Those of fewer
 * bytes than array->dtype are signed whole numbers.
 */
loss_status lossi_io_array_elements(struct loss_array *array, struct lossi_io_input *input,
                                    struct lossi_io_elements elements);

/*
 * Makes count elements of another type, float32 or float64, or int32 of narrow ones; size are the bytes of one as it is stored, which are
 * fewer than dtype has where whole numbers are narrow. In convert.c.
 */
void lossi_io_convert(const void *from, loss_dtype dtype, int64_t size, void *to, loss_dtype wanted,
                      int64_t count);

/* ---- npy.c, idx.c: the header, then the two above. values stay with the array also after a failure. */
loss_status lossi_io_npy_read(struct loss_array *array, struct lossi_io_input *input);
loss_status lossi_io_idx_read(struct loss_array *array, struct lossi_io_input *input);

#endif
