/*
 * Comma-separated text to cells (Shafranovich, RFC 4180, 2005).
 *
 * Cells are ended by NUL where the separator or line end stood, and doubled quotes are closed up in place, so that no cell is
 * copied. What they are part of is table_rows.c's (everything stays in memory) and csv_numbers.c's (a window at a time).
 */
#include "csv.h"

#include <inttypes.h>
#include <string.h>

static int fail_in_cell(struct lossi_io_cutter *cutter, int64_t line, const char *what)
{
    struct lossi_io_message message = {0};
    lossi_io_message_path(&message, cutter->path);
    lossi_io_message_add(&message, "line %" PRId64 ", column %" PRId64 ": %s", line, cutter->column + 1,
                         what);
    cutter->status = lossi_io_message_fail(&message, cutter->context, LOSS_ERROR_FORMAT);
    return END_IN_ERROR;
}

/* Spreadsheets write UTF-16 too, every other byte of which is NUL; it begins with a byte order mark. */
static int fail_nul(struct lossi_io_cutter *cutter)
{
    const int is_wide = cutter->line == 1 && (memcmp(cutter->text, "\xff\xfe", 2) == 0 ||
                                              memcmp(cutter->text, "\xfe\xff", 2) == 0);
    return fail_in_cell(cutter, cutter->line,
                        is_wide ? "a NUL byte; this is UTF-16, which iconv -f utf-16 -t utf-8 converts"
                                : "a NUL byte; this is no text");
}

int lossi_io_csv_finish_cell(struct lossi_io_cutter *cutter, char *cell_end)
{
    char *p = cutter->position;
    if (p == cutter->end) {
        *cell_end = '\0';
        return END_OF_TEXT;
    }
    int result = END_OF_LINE;
    switch (cutter->kind[(unsigned char)*p]) {
    case BYTE_SEPARATOR:
        result = END_OF_CELL;
        break;
    case BYTE_RETURN:
        if (p + 1 < cutter->end && p[1] == '\n') {
            p++;
            break;
        }
        return fail_in_cell(cutter, cutter->line, "a carriage return that no line feed follows");
    case BYTE_NEWLINE:
        break;
    case BYTE_NUL:
        return fail_nul(cutter);
    default:
        return fail_in_cell(cutter, cutter->line,
                            "a closing quote must be followed by a separator or the end of the line");
    }
    *cell_end = '\0';
    cutter->position = p + 1;
    cutter->line += result == END_OF_LINE;
    return result;
}

static int read_quoted(struct lossi_io_cutter *cutter)
{
    const int64_t opened = cutter->line;
    char *p = cutter->position + 1, *out = cutter->position;
    for (; p < cutter->end; p++) {
        if (*p == '"') {
            if (p + 1 == cutter->end || p[1] != '"') {
                cutter->position = p + 1;
                return lossi_io_csv_finish_cell(cutter, out);
            }
            p++;
        }
        if (*p == '\0') {
            return fail_nul(cutter);
        }
        cutter->line += *p == '\n';
        *out++ = *p;
    }
    return fail_in_cell(cutter, opened, "the quote that opens here is never closed");
}

int lossi_io_csv_cell(struct lossi_io_cutter *cutter, int64_t *start)
{
    char *p = cutter->position;
    *start = p - cutter->text;
    if (p < cutter->end && *p == '"') {
        return read_quoted(cutter);
    }
    while (p < cutter->end && cutter->kind[(unsigned char)*p] == 0) {
        p++;
    }
    cutter->position = p;
    if (p < cutter->end && *p == '"') {
        return fail_in_cell(cutter, cutter->line,
                            "a quote within a field; quote the whole field and double the quote");
    }
    return lossi_io_csv_finish_cell(cutter, p);
}

int64_t lossi_io_csv_record(struct lossi_io_cutter *cutter, int64_t *cells, int64_t keep)
{
    int64_t start;
    int ended;
    cutter->column = 0;
    do {
        ended = lossi_io_csv_cell(cutter, &start);
        if (ended == END_IN_ERROR) {
            return -1;
        }
        if (cutter->column < keep) {
            cells[cutter->column] = start;
        }
        cutter->column++;
    } while (ended == END_OF_CELL);
    return cutter->column;
}

int64_t lossi_io_csv_skip_empty_lines(struct lossi_io_cutter *cutter)
{
    int64_t first = 0;
    while (cutter->position < cutter->end) {
        char *p = cutter->position;
        p += *p == '\r' && p + 1 < cutter->end;
        if (*p != '\n') {
            break;
        }
        first = first ? first : cutter->line;
        cutter->line++;
        cutter->position = p + 1;
    }
    return first;
}

/* Semicolons stand between the fields, and commas within numbers, as spreadsheets write it in half of Europe. */
const char *lossi_io_csv_likely_separator(const char *name)
{
    return strchr(name, ';') ? "';'" : strchr(name, '\t') ? "a tab" : strchr(name, '|') ? "'|'" : NULL;
}

loss_status lossi_io_csv_fail_ragged(const struct lossi_io_cutter *cutter, int64_t line, int64_t fields,
                                     int64_t columns, const char *first, int has_header)
{
    struct lossi_io_message message = {0};
    lossi_io_message_path(&message, cutter->path);
    lossi_io_message_add(&message, "line %" PRId64 " has %" PRId64 " field%s, %s has %" PRId64, line, fields,
                         fields == 1 ? "" : "s", has_header ? "the header" : "the first line", columns);
    const char *likely = columns == 1 ? lossi_io_csv_likely_separator(first) : NULL;
    if (likely) {
        lossi_io_message_add(&message, "; the separator is probably %s", likely);
    }
    return lossi_io_message_fail(&message, cutter->context, LOSS_ERROR_FORMAT);
}

loss_status lossi_io_csv_fail_empty(loss_context *context, const char *path, int has_header)
{
    struct lossi_io_message message = {0};
    lossi_io_message_path(&message, path);
    lossi_io_message_add(&message, "the file is empty; %s",
                         has_header ? "a line with the names of the columns was expected, and rows below it"
                                    : "rows of fields were expected");
    return lossi_io_message_fail(&message, context, LOSS_ERROR_FORMAT);
}

loss_status lossi_io_csv_fail_line(const struct lossi_io_cutter *cutter, int64_t line, const char *what)
{
    struct lossi_io_message message = {0};
    lossi_io_message_path(&message, cutter->path);
    lossi_io_message_add(&message, "line %" PRId64 " %s", line, what);
    return lossi_io_message_fail(&message, cutter->context, LOSS_ERROR_FORMAT);
}

void lossi_io_csv_begin(struct lossi_io_cutter *cutter, loss_context *context, const char *path,
                        char separator)
{
    *cutter = (struct lossi_io_cutter){.context = context, .path = path, .separator = separator, .line = 1};
    cutter->kind[(unsigned char)separator] = BYTE_SEPARATOR;
    cutter->kind['\n'] = BYTE_NEWLINE;
    cutter->kind['\r'] = BYTE_RETURN;
    cutter->kind['"'] = BYTE_QUOTE;
    cutter->kind[0] = BYTE_NUL;
}
