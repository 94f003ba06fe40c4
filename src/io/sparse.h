/* A sparse table as it is in memory: compressed sparse rows. */
#ifndef LOSSI_IO_SPARSE_H
#define LOSSI_IO_SPARSE_H

#include "input.h"

struct loss_sparse {
    loss_context *context; /* whose allocator holds everything below */
    loss_data *anchor;     /* keeps the context alive, see struct loss_table */
    int64_t rows, columns, entries;
    loss_dtype value_dtype, index_dtype;
    void *offsets;               /* rows + 1 of int64 */
    void *indices;               /* entries, of index_dtype, from 0 */
    void *values;                /* entries, of value_dtype */
    void *labels;                /* rows, of value_dtype */
    void *queries;               /* rows of int64; NULL without them */
    struct lossi_io_lines lines; /* of the rows as they were read */
    int is_reordered;            /* they stand in another order now */
};

/* ---- svmlight.c: fills the arrays; first_index −1 is found out, columns 0 too. The arrays stay with sparse also after a
 * failure. */
loss_status lossi_io_svmlight_read(struct loss_sparse *sparse, const struct lossi_io_input *source,
                                   int64_t first_index, int64_t columns);

#endif
