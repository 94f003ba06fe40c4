/*
 * Rows of a matrix that come one after another, of which nobody knows how many there will be.
 *
 * They fill blocks; a full one is followed by one of an eighth of all before, so that what is in memory is never much more than
 * what it holds: nothing is moved while it grows, and at the end, when there are several blocks, each is given back as soon
 * as it was copied to its place. The first block is as large as a guess says; a good one is the only block.
 */
#include "store.h"

#include <string.h>

/* Bytes of a block at least, but for one that was guessed. */
#define SMALLEST_BLOCK (INT64_C(1) << 20)

static loss_status add_block(struct lossi_io_store *store)
{
    int64_t rows = store->guess;
    if (store->count > 0 || rows == 0) {
        const int64_t bytes = store->rows / 8 * store->row_size;
        rows = (bytes > SMALLEST_BLOCK ? bytes : SMALLEST_BLOCK) / store->row_size;
        rows = rows > 0 ? rows : 1;
    }
    /* As the blocks grow by an eighth, so many hold more than any memory. */
    void *block = store->count < LOSSI_IO_MOST_BLOCKS
                      ? lossi_io_table_allocate(store->context, rows, (size_t)store->row_size)
                      : NULL;
    if (!block) {
        return LOSS_ERROR_MEMORY;
    }
    store->blocks[store->count] = block;
    store->block_rows[store->count++] = 0;
    store->room = rows;
    return LOSS_OK;
}

void lossi_io_store_begin(struct lossi_io_store *store, loss_context *context, int64_t row_size,
                          int64_t guess)
{
    *store = (struct lossi_io_store){.context = context, .row_size = row_size > 0 ? row_size : 1};
    /* A guess of more than memory could hold is none. */
    store->guess = guess > 0 && guess < INT64_MAX / 16 / store->row_size ? guess : 0;
}

void *lossi_io_store_next(struct lossi_io_store *store)
{
    if (store->room == 0 && add_block(store)) {
        return NULL;
    }
    const int64_t last = store->count - 1;
    return (char *)store->blocks[last] + store->block_rows[last] * store->row_size;
}

void lossi_io_store_keep(struct lossi_io_store *store)
{
    store->block_rows[store->count - 1]++;
    store->rows++;
    store->room--;
}

loss_status lossi_io_store_finish(struct lossi_io_store *store, void **values)
{
    if (store->count == 0 && add_block(store)) {
        return LOSS_ERROR_MEMORY;
    }
    if (store->count == 1) {
        *values = store->blocks[0];
        store->count = 0;
        return LOSS_OK;
    }
    char *joined = lossi_io_table_allocate(store->context, store->rows, (size_t)store->row_size);
    if (!joined) {
        return LOSS_ERROR_MEMORY;
    }
    *values = joined;
    for (int64_t b = 0; b < store->count; b++) {
        const size_t bytes = (size_t)(store->block_rows[b] * store->row_size);
        memcpy(joined, store->blocks[b], bytes);
        joined += bytes;
        loss_context_release(store->context, store->blocks[b]);
    }
    store->count = 0;
    return LOSS_OK;
}

void lossi_io_store_end(struct lossi_io_store *store)
{
    for (int64_t b = 0; b < store->count; b++) {
        loss_context_release(store->context, store->blocks[b]);
    }
    store->count = 0;
}
