/* Bytes from a file or from memory, a piece at a time; what is gzipped goes through gzip.c. */
#include "input.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* Bytes between two calls of the progress callback, and the first size of a block that grows. */
#define PIECE (INT64_C(1) << 20)

/* How much of a file must have been read to tell the rest by. */
#define SAMPLE (INT64_C(1) << 16)

static loss_status fail_file(const struct lossi_io_input *input, const char *what)
{
    struct lossi_io_message message = {0};
    const int number = errno;
    lossi_io_message_add(&message, "%s: %s: %s", input->path, what, strerror(number));
    return lossi_io_message_fail(&message, input->context, LOSS_ERROR_FILE);
}

loss_status lossi_io_input_fail(const struct lossi_io_input *input, loss_status status, int64_t byte,
                                const char *what)
{
    struct lossi_io_message message = {0};
    lossi_io_message_path(&message, input->path);
    lossi_io_message_add(&message, "byte %" PRId64 ": %s", byte, what);
    return lossi_io_message_fail(&message, input->context, status);
}

loss_status lossi_io_input_fail_header(const struct lossi_io_input *input, const char *wanted)
{
    struct lossi_io_message message = {0};
    if (input->position > 0) {
        return lossi_io_input_fail(input, LOSS_ERROR_FORMAT, input->position,
                                   "the file ends within the header");
    }
    lossi_io_message_path(&message, input->path);
    lossi_io_message_add(&message, "the file is empty; %s was expected", wanted);
    return lossi_io_message_fail(&message, input->context, LOSS_ERROR_FORMAT);
}

loss_status lossi_io_input_tell(struct lossi_io_input *input, int64_t done)
{
    if (!input->progress) {
        return LOSS_OK;
    }
    const int64_t total = input->total < 0 ? -1 : input->total * input->passes;
    const int32_t answer = input->progress(input->user, done, total);
    if (!answer) {
        return LOSS_OK;
    }
    struct lossi_io_message message = {0};
    lossi_io_message_path(&message, input->path);
    lossi_io_message_add(&message, "cancelled: the progress callback returned %" PRId32, answer);
    return lossi_io_message_fail(&message, input->context, LOSS_ERROR_CALLBACK);
}

/* The size of a file that has one; a pipe has none, and what claims 0 bytes (as in /proc) may have more. */
static int64_t size_of(FILE *file)
{
    const long start = ftell(file);
    if (start != 0 || fseek(file, 0, SEEK_END)) {
        return -1;
    }
    const long size = ftell(file);
    rewind(file);
    return size > 0 ? (int64_t)size : -1;
}

/* At most size bytes, 0 at the end: those looked at first, then of the file or the memory. */
static loss_status read_piece(struct lossi_io_input *input, unsigned char *buffer, int64_t size, int64_t *got)
{
    *got = 0;
    while (*got < size && input->head_begin < input->head_end) {
        buffer[(*got)++] = input->head[input->head_begin++];
    }
    const int64_t room = size - *got;
    if (input->file) {
        errno = 0;
        *got += (int64_t)fread(buffer + *got, 1, (size_t)room, input->file);
        if (ferror(input->file)) {
            return fail_file(input, "cannot read");
        }
    } else if (input->memory_size > 0) {
        const int64_t count = room < input->memory_size ? room : input->memory_size;
        memcpy(buffer + *got, input->memory, (size_t)count);
        input->memory += count;
        input->memory_size -= count;
        *got += count;
    }
    input->stored += *got;
    return LOSS_OK;
}

loss_status lossi_io_input_open(struct lossi_io_input *input)
{
    input->total = input->memory_size;
    input->passes = input->passes ? input->passes : 1;
    if (input->path) {
        input->file = fopen(input->path, "rb");
        if (!input->file) {
            return fail_file(input, "cannot open");
        }
        input->total = size_of(input->file);
    }
    unsigned char first[2] = {0};
    int64_t got = 0, count = 1;
    while (got < 2 && count > 0) {
        const loss_status status = read_piece(input, first + got, 2 - got, &count);
        if (status) {
            return status;
        }
        got += count;
    }
    memcpy(input->head, first, sizeof first);
    input->head_end = got;
    input->stored = 0;
    /* RFC 1952, 2.3.1: the two bytes every gzip member begins with. */
    return got == 2 && first[0] == 0x1f && first[1] == 0x8b ? lossi_io_gzip_open(input) : LOSS_OK;
}

void lossi_io_input_close(struct lossi_io_input *input)
{
    lossi_io_gzip_close(input);
    if (input->file) {
        fclose(input->file);
        input->file = NULL;
    }
}

loss_status lossi_io_input_read_stored(struct lossi_io_input *input, void *buffer, int64_t size, int64_t *got)
{
    *got = 0;
    while (*got < size) {
        const int64_t piece = size - *got < PIECE ? size - *got : PIECE;
        int64_t count;
        loss_status status = read_piece(input, (unsigned char *)buffer + *got, piece, &count);
        if (!status && count > 0) {
            status = lossi_io_input_tell(input, input->stored);
        }
        if (status || count == 0) {
            return status;
        }
        *got += count;
    }
    return LOSS_OK;
}

loss_status lossi_io_input_read(struct lossi_io_input *input, void *buffer, int64_t size, int64_t *got)
{
    const loss_status status = input->gzip ? lossi_io_gzip_read(input, buffer, size, got)
                                           : lossi_io_input_read_stored(input, buffer, size, got);
    input->position += *got;
    return status;
}

loss_status lossi_io_check_memory(loss_context *context, const void *out, const void *bytes, int64_t length)
{
    if (!context) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (!out || (!bytes && length > 0)) {
        return lossi_io_fail_null(context, !out ? "out" : "the text");
    }
    if (length < 0) {
        return lossi_io_fail(context, LOSS_ERROR_ARGUMENT, "the length of the text is negative");
    }
    return LOSS_OK;
}

loss_status lossi_io_grow(loss_context *context, void **block, int64_t *capacity, int64_t used,
                          int64_t needed, int64_t size)
{
    if (needed <= *capacity) {
        return LOSS_OK;
    }
    const int64_t larger = needed > 2 * *capacity ? needed : 2 * *capacity;
    void *moved = lossi_io_table_allocate(context, larger, (size_t)size);
    if (!moved) {
        return LOSS_ERROR_MEMORY;
    }
    if (used > 0) {
        memcpy(moved, *block, (size_t)(used * size));
    }
    loss_context_release(context, *block);
    *block = moved;
    *capacity = larger;
    return LOSS_OK;
}

int64_t lossi_io_input_expect(const struct lossi_io_input *input, int64_t unread, int64_t used,
                              int64_t needed)
{
    const int64_t done = input->position - unread;
    const int64_t stored = input->gzip ? lossi_io_gzip_taken(input) : input->position;
    if (input->total < stored || stored < 1 || done < SAMPLE) {
        return needed;
    }
    const double part = (double)stored / (double)input->total * ((double)done / (double)input->position);
    const double expected = (double)used / part * 1.0625;
    return expected > (double)needed && expected < 0x1p60 ? (int64_t)expected : needed;
}

loss_status lossi_io_input_read_block(struct lossi_io_input *input, int64_t wanted, void **block,
                                      int64_t *got)
{
    /* What is stored as it is cannot have more bytes than are left of the file; the rest is found out. */
    int64_t capacity = 0;
    int64_t room = !input->gzip && input->total > input->stored ? input->total - input->stored : PIECE;
    *block = NULL;
    *got = 0;
    for (;;) {
        room = room < wanted ? room : wanted;
        loss_status status = lossi_io_grow(input->context, block, &capacity, *got, room > 0 ? room : 1, 1);
        int64_t count = 0;
        if (!status) {
            status = lossi_io_input_read(input, (char *)*block + *got, room - *got, &count);
        }
        if (status) {
            loss_context_release(input->context, *block);
            *block = NULL;
            return status;
        }
        *got += count;
        if (*got == wanted || *got < room) {
            return LOSS_OK;
        }
        room = room > wanted / 2 ? wanted : 2 * room;
    }
}
