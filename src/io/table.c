/* Tables: a file read whole, cut into cells, every cell read as a number once; then copies of columns. */
#include "csv.h"
#include "number.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __linux__
#include <sys/mman.h>
#include <unistd.h>
#endif

/* Bytes asked for at first when the size of a file is not known (a pipe, gzip); doubled from there. */
#define FIRST_READ (1 << 16)

/* From so many bytes on large pages are asked for. */
#define LARGE_BLOCK (INT64_C(8) << 20)

/*
 * Most of what short numbers cost is the first touch of the pages they go to, which is hundreds of times rarer with large ones;
 * this is advice to the system and nothing else.
 */
static void ask_for_large_pages(void *block, int64_t bytes)
{
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    if (bytes >= LARGE_BLOCK) {
        const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
        const uintptr_t first = ((uintptr_t)block + page - 1) / page * page;
        const uintptr_t last = ((uintptr_t)block + (uintptr_t)bytes) / page * page;
        madvise((void *)first, last - first, MADV_HUGEPAGE);
    }
#else
    (void)block;
    (void)bytes;
#endif
}

void *lossi_io_table_allocate(loss_context *context, int64_t count, size_t size)
{
    void *memory = NULL;
    if (count <= INT64_MAX / (int64_t)size) {
        memory = loss_context_allocate(context, (count > 0 ? count : 1) * (int64_t)size);
    }
    if (!memory) {
        struct lossi_io_message message = {0};
        lossi_io_message_add(&message, "no memory for %" PRId64 " elements of %zu bytes", count, size);
        lossi_io_message_fail(&message, context, LOSS_ERROR_MEMORY);
        return NULL;
    }
    ask_for_large_pages(memory, count * (int64_t)size);
    return memory;
}

loss_status lossi_io_parse_cell(const char *cell, double *value)
{
    while (*cell == ' ' || *cell == '\t') {
        cell++;
    }
    size_t length = strlen(cell);
    while (length > 0 && (cell[length - 1] == ' ' || cell[length - 1] == '\t')) {
        length--;
    }
    return length == 0 ? LOSS_ERROR_FORMAT : loss_parse_double(cell, (int64_t)length, value);
}

/* ---- reading ---- */

/* Everything that is in the file, and LOSSI_IO_SLACK more bytes; works for pipes too. */
static loss_status read_file(loss_table *table, struct lossi_io_input *input, int64_t *length)
{
    loss_status status = lossi_io_input_open(input);
    int64_t size = input->gzip || input->total < 0 ? FIRST_READ : input->total;
    char *text = status ? NULL : lossi_io_table_allocate(table->context, size + 1 + LOSSI_IO_SLACK, 1);
    int64_t used = 0, got = 0;
    while (text) {
        /* One byte more than there should be: that it stays unread is how the end is noticed. */
        status = lossi_io_input_read(input, text + used, size + 1 - used, &got);
        used += got;
        if (status || used <= size) {
            break;
        }
        char *larger = lossi_io_table_allocate(table->context, 2 * size + 1 + LOSSI_IO_SLACK, 1);
        if (larger) {
            memcpy(larger, text, (size_t)used);
        }
        loss_context_release(table->context, text);
        text = larger;
        size *= 2;
    }
    lossi_io_input_close(input);
    table->text = text;
    *length = used;
    return status ? status : text ? LOSS_OK : LOSS_ERROR_MEMORY;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static loss_status check_names(const loss_table *table)
{
    const char **names = lossi_io_table_allocate(table->context, table->columns, sizeof *names);
    if (!names) {
        return LOSS_ERROR_MEMORY;
    }
    for (int64_t c = 0; c < table->columns; c++) {
        names[c] = loss_table_column_name(table, c);
    }
    qsort(names, (size_t)table->columns, sizeof *names, compare_names);
    loss_status status = LOSS_OK;
    for (int64_t c = 1; c < table->columns && !status; c++) {
        if (strcmp(names[c - 1], names[c]) != 0) {
            continue;
        }
        struct lossi_io_message message = {0};
        lossi_io_message_path(&message, table->path);
        lossi_io_message_add(&message, "line 1 has the column name ");
        lossi_io_message_quote(&message, names[c]);
        lossi_io_message_add(&message, " twice");
        status = lossi_io_message_fail(&message, table->context, LOSS_ERROR_FORMAT);
    }
    loss_context_release(table->context, names);
    return status;
}

static loss_status number_columns(loss_table *table)
{
    table->numbering = lossi_io_table_allocate(table->context, table->columns, NUMBER_WIDTH);
    if (!table->numbering) {
        return LOSS_ERROR_MEMORY;
    }
    for (int64_t c = 0; c < table->columns; c++) {
        snprintf(table->numbering + c * NUMBER_WIDTH, NUMBER_WIDTH, "%" PRId64, c + 1);
    }
    return LOSS_OK;
}

loss_status lossi_io_table_check_names(loss_table *table)
{
    return table->names ? check_names(table) : number_columns(table);
}

loss_status lossi_io_table_start_numbers(loss_table *table)
{
    table->bad_row = lossi_io_table_allocate(table->context, table->columns, sizeof *table->bad_row);
    for (int64_t c = 0; table->bad_row && c < table->columns; c++) {
        table->bad_row[c] = -1;
    }
    return table->bad_row ? LOSS_OK : LOSS_ERROR_MEMORY;
}

static loss_status fill(loss_table *table, struct lossi_io_input *input, int has_header, char separator)
{
    loss_status status = LOSS_OK;
    int64_t length = input->memory_size;
    if (input->path) {
        status = read_file(table, input, &length);
    } else {
        table->text = lossi_io_table_allocate(table->context, length + LOSSI_IO_SLACK, 1);
        if (!table->text) {
            return LOSS_ERROR_MEMORY;
        }
        if (length > 0) {
            memcpy(table->text, input->memory, (size_t)length);
        }
    }
    if (!status && length == 0) {
        return lossi_io_csv_fail_empty(table->context, table->path, has_header);
    }
    return status ? status : lossi_io_table_cut(table, input, length, has_header, separator);
}

static int is_possible_separator(int32_t separator)
{
    return separator == '\t' || (separator >= ' ' && separator < 0x7f && !strchr("\"'+-.", separator) &&
                                 !(separator >= '0' && separator <= '9') &&
                                 !((separator | 0x20) >= 'a' && (separator | 0x20) <= 'z'));
}

loss_status lossi_io_check_csv(loss_context *context, int32_t has_header, int32_t separator)
{
    if (has_header != 0 && has_header != 1) {
        return lossi_io_fail(context, LOSS_ERROR_ARGUMENT, "has_header must be 0 or 1");
    }
    if (!is_possible_separator(separator ? separator : ',')) {
        return lossi_io_fail(
            context, LOSS_ERROR_RANGE,
            "the separator must be a tab or a printable ASCII character that is no letter, digit, "
            "quote, sign or point");
    }
    return LOSS_OK;
}

loss_status lossi_io_table_create(loss_table **out, loss_context *context, const char *path)
{
    loss_table *table = lossi_io_table_allocate(context, 1, sizeof *table);
    if (!table) {
        return LOSS_ERROR_MEMORY;
    }
    *table = (loss_table){.context = context};
    loss_status status = loss_data_create(&table->anchor, context);
    if (!status && path) {
        table->path = lossi_io_table_allocate(context, (int64_t)strlen(path) + 1, 1);
        if (table->path) {
            strcpy(table->path, path);
        } else {
            status = LOSS_ERROR_MEMORY;
        }
    }
    if (status) {
        loss_table_free(table);
        return status;
    }
    *out = table;
    return LOSS_OK;
}

/* path is what the table calls itself; what it is read from the input says. */
static loss_status create(loss_table **out, struct lossi_io_input *input, const char *path,
                          int32_t has_header, int32_t separator)
{
    loss_table *table = NULL;
    loss_status status = lossi_io_check_csv(input->context, has_header, separator);
    if (!status) {
        status = lossi_io_table_create(&table, input->context, path);
    }
    if (!status) {
        status = fill(table, input, has_header, (char)(separator ? separator : ','));
    }
    if (status) {
        loss_table_free(table);
        return status;
    }
    *out = table;
    return LOSS_OK;
}

loss_status lossi_io_table_from_text(loss_table **out, loss_context *context, const char *path,
                                     const char *text, int64_t length, int32_t has_header, int32_t separator)
{
    struct lossi_io_input input = {
        .context = context, .memory = (const unsigned char *)text, .memory_size = length};
    return create(out, &input, path, has_header, separator);
}

loss_status loss_table_read_csv(loss_table **out, loss_context *context, const char *path, int32_t has_header,
                                int32_t separator)
{
    return loss_table_read_csv_progress(out, context, path, has_header, separator, NULL, NULL);
}

loss_status loss_table_read_csv_progress(loss_table **out, loss_context *context, const char *path,
                                         int32_t has_header, int32_t separator,
                                         loss_progress_callback progress, void *user)
{
    if (out) {
        *out = NULL;
    }
    if (!context) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (!out || !path) {
        return lossi_io_fail_null(context, !out ? "out" : "the path");
    }
    struct lossi_io_input input = {
        .context = context, .path = path, .progress = progress, .user = user, .passes = 2};
    return create(out, &input, path, has_header, separator);
}

loss_status loss_table_parse_csv(loss_table **out, loss_context *context, const char *text, int64_t length,
                                 int32_t has_header, int32_t separator)
{
    if (out) {
        *out = NULL;
    }
    const loss_status status = lossi_io_check_memory(context, out, text, length);
    if (status) {
        return status;
    }
    return lossi_io_table_from_text(out, context, NULL, text, length, has_header, separator);
}

void loss_table_free(loss_table *table)
{
    if (!table) {
        return;
    }
    loss_context *context = table->context;
    loss_data *anchor = table->anchor;
    void *const blocks[] = {
        table->path,      table->text,    table->cells,   table->lines.breaks, table->names,
        table->numbering, table->numbers, table->bad_row, table->origins,      table};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        loss_context_release(context, blocks[i]);
    }
    loss_data_free(anchor); /* last: it may be what kept the context alive */
}
