/* Rows of a matrix while nobody knows how many there will be, see store.c. */
#ifndef LOSSI_IO_STORE_H
#define LOSSI_IO_STORE_H

#include "table.h"

/* (1 + 1/8)^400 blocks of 1 MiB. */
#define LOSSI_IO_MOST_BLOCKS 400

struct lossi_io_store {
    loss_context *context;
    int64_t row_size; /* bytes */
    int64_t guess, rows, room, count;
    void *blocks[LOSSI_IO_MOST_BLOCKS];
    int64_t block_rows[LOSSI_IO_MOST_BLOCKS];
};

/* guess is how many rows there will be; 0 when nothing is known. */
void lossi_io_store_begin(struct lossi_io_store *store, loss_context *context, int64_t row_size,
                          int64_t guess);

/* Where the next row goes, NULL when there is no memory; it counts when it is kept. */
void *lossi_io_store_next(struct lossi_io_store *store);
void lossi_io_store_keep(struct lossi_io_store *store);

/* Hands the rows over, one after another. */
loss_status lossi_io_store_finish(struct lossi_io_store *store, void **values);

/* Gives back what was not handed over. */
void lossi_io_store_end(struct lossi_io_store *store);

#endif
