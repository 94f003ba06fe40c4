/*
 * Gzipped files (Deutsch, RFC 1952, 1996) through zlib, where the build has it; several members after one another are
 * one file, as gzip itself has it.
 */
#include "input.h"

#include <string.h>

#ifdef LOSSI_IO_ZLIB

#include <zlib.h>

/* Compressed bytes read at once. */
#define GZIP_PIECE 65536

struct lossi_io_gzip {
    z_stream stream;
    int is_between; /* at the end of a member */
    int is_open;
    unsigned char stored[GZIP_PIECE];
};

static voidpf allocate(voidpf context, uInt count, uInt size)
{
    return loss_context_allocate(context, (int64_t)count * size);
}

static void release(voidpf context, voidpf block)
{
    loss_context_release(context, block);
}

static loss_status fail_memory(const struct lossi_io_input *input)
{
    return lossi_io_fail(input->context, LOSS_ERROR_MEMORY, "no memory to decompress the file");
}

loss_status lossi_io_gzip_open(struct lossi_io_input *input)
{
    struct lossi_io_gzip *gzip = lossi_io_table_allocate(input->context, 1, sizeof *gzip);
    if (!gzip) {
        return LOSS_ERROR_MEMORY;
    }
    memset(&gzip->stream, 0, sizeof gzip->stream);
    gzip->stream.zalloc = allocate;
    gzip->stream.zfree = release;
    gzip->stream.opaque = input->context;
    gzip->is_between = 0;
    input->gzip = gzip;
    /* zlib.h: 16 more than the window bits is the gzip format and no other. */
    gzip->is_open = inflateInit2(&gzip->stream, 16 + MAX_WBITS) == Z_OK;
    return gzip->is_open ? LOSS_OK : fail_memory(input);
}

void lossi_io_gzip_close(struct lossi_io_input *input)
{
    if (!input->gzip) {
        return;
    }
    if (input->gzip->is_open) {
        inflateEnd(&input->gzip->stream);
    }
    loss_context_release(input->context, input->gzip);
    input->gzip = NULL;
}

int64_t lossi_io_gzip_taken(const struct lossi_io_input *input)
{
    return input->stored - (int64_t)input->gzip->stream.avail_in;
}

/* Where in the stored bytes the decompressor is, counted from 1. */
static int64_t stored_byte(const struct lossi_io_input *input)
{
    return lossi_io_gzip_taken(input) + 1;
}

/* More stored bytes; *ended at the end of the file, which must be the end of a member. */
static loss_status refill(struct lossi_io_input *input, int *ended)
{
    struct lossi_io_gzip *gzip = input->gzip;
    int64_t got;
    const loss_status status = lossi_io_input_read_stored(input, gzip->stored, GZIP_PIECE, &got);
    gzip->stream.next_in = gzip->stored;
    gzip->stream.avail_in = status ? 0 : (uInt)got;
    *ended = !status && got == 0;
    if (*ended && !gzip->is_between) {
        return lossi_io_input_fail(input, LOSS_ERROR_FORMAT, stored_byte(input),
                                   "the compressed file is cut short");
    }
    return status;
}

loss_status lossi_io_gzip_read(struct lossi_io_input *input, void *buffer, int64_t size, int64_t *got)
{
    struct lossi_io_gzip *gzip = input->gzip;
    z_stream *stream = &gzip->stream;
    *got = 0;
    while (*got < size) {
        int ended = 0;
        const loss_status status = stream->avail_in ? LOSS_OK : refill(input, &ended);
        if (status || ended) {
            return status;
        }
        if (gzip->is_between) {
            gzip->is_between = 0;
            inflateReset(stream);
        }
        const int64_t room = size - *got < (1 << 30) ? size - *got : 1 << 30;
        stream->next_out = (unsigned char *)buffer + *got;
        stream->avail_out = (uInt)room;
        const int result = inflate(stream, Z_NO_FLUSH);
        *got += room - (int64_t)stream->avail_out;
        if (result == Z_MEM_ERROR) {
            return fail_memory(input);
        }
        if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
            return lossi_io_input_fail(input, LOSS_ERROR_FORMAT, stored_byte(input),
                                       "the compressed data are damaged");
        }
        gzip->is_between = result == Z_STREAM_END;
    }
    return LOSS_OK;
}

#else

loss_status lossi_io_gzip_open(struct lossi_io_input *input)
{
    struct lossi_io_message message = {0};
    lossi_io_message_path(&message, input->path);
    lossi_io_message_add(&message, "the file is gzipped, and this build of libloss_io has no zlib");
    return lossi_io_message_fail(&message, input->context, LOSS_ERROR_SUPPORT);
}

void lossi_io_gzip_close(struct lossi_io_input *input)
{
    (void)input;
}

loss_status lossi_io_gzip_read(struct lossi_io_input *input, void *buffer, int64_t size, int64_t *got)
{
    (void)buffer;
    (void)size;
    *got = 0;
    return lossi_io_gzip_open(input);
}

int64_t lossi_io_gzip_taken(const struct lossi_io_input *input)
{
    return input->stored;
}

#endif
