/* Where bytes come from: a file or memory, gzipped or not, with progress told to the caller. */
#ifndef LOSSI_IO_INPUT_H
#define LOSSI_IO_INPUT_H

#include "table.h"

#include <stdio.h>

struct lossi_io_gzip;

struct lossi_io_input {
    loss_context *context;
    const char *path; /* NULL: from memory */
    FILE *file;
    const unsigned char *memory; /* what is left of it, of memory_size bytes */
    int64_t memory_size;
    int64_t total;    /* bytes as they are stored, −1 when that is not known */
    int64_t stored;   /* of those, taken so far */
    int64_t position; /* bytes handed out, that is after decompression */
    loss_progress_callback progress;
    void *user;
    int64_t
        passes; /* how often the reader goes through the bytes; what progress calls all is so many times total */
    unsigned char head[2]; /* the first bytes, looked at before anything else */
    int64_t head_begin, head_end;
    struct lossi_io_gzip *gzip; /* NULL for what is not compressed */
};

/*
 * Opens the path, or with path NULL the memory, and looks whether it is gzipped. input starts as
 * {.context, .path, .memory, .memory_size, .progress, .user}; lossi_io_input_close() also after a failure.
 */
loss_status lossi_io_input_open(struct lossi_io_input *input);
void lossi_io_input_close(struct lossi_io_input *input);

/* Reads size bytes, fewer only at the end; *got says how many. */
loss_status lossi_io_input_read(struct lossi_io_input *input, void *buffer, int64_t size, int64_t *got);

/*
 * Reads wanted bytes into memory of its own, *block, which grows with what there is: a header that promises too much
 * costs no memory. *got < wanted at the end.
 */
loss_status lossi_io_input_read_block(struct lossi_io_input *input, int64_t wanted, void **block,
                                      int64_t *got);

/* Tells the caller, who may cancel. */
loss_status lossi_io_input_tell(struct lossi_io_input *input, int64_t done);

/* Puts "data.npy: byte 80: <what>" into the context and returns status. */
loss_status lossi_io_input_fail(const struct lossi_io_input *input, loss_status status, int64_t byte,
                                const char *what);

/* The file ends within its header, or before it: then it says what was wanted. */
loss_status lossi_io_input_fail_header(const struct lossi_io_input *input, const char *wanted);

/* As lossi_io_input_read(), without a look at compression. */
loss_status lossi_io_input_read_stored(struct lossi_io_input *input, void *buffer, int64_t size,
                                       int64_t *got);

/* The arguments of a call that reads from memory. */
loss_status lossi_io_check_memory(loss_context *context, const void *out, const void *bytes, int64_t length);

/* Makes room for needed elements in *block, which has used of them; *capacity is at least doubled. */
loss_status lossi_io_grow(loss_context *context, void **block, int64_t *capacity, int64_t used,
                          int64_t needed, int64_t size);

/*
 * How many of something a file has when the rest of it is like what was read, where used are in that but for its last unread bytes; and a
 * sixteenth more: room for so many costs only addresses, whereas to move an array that grows costs it twice. At least needed; of a file of
 * unknown size just that.
 */
int64_t lossi_io_input_expect(const struct lossi_io_input *input, int64_t unread, int64_t used,
                              int64_t needed);

/* ---- gzip.c */

loss_status lossi_io_gzip_open(struct lossi_io_input *input);
void lossi_io_gzip_close(struct lossi_io_input *input);
loss_status lossi_io_gzip_read(struct lossi_io_input *input, void *buffer, int64_t size, int64_t *got);

/* How many of the stored bytes have been decompressed. */
int64_t lossi_io_gzip_taken(const struct lossi_io_input *input);

#endif
