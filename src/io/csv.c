/*
 * Comma-separated text to cells (Shafranovich, RFC 4180, 2005).
 *
 * One pass over a text that is wholly in memory. Cells are ended by NUL where the separator or line end
 * stood, and doubled quotes are closed up in place, so that no cell is copied.
 */
#include "table.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* What a byte means outside quotes; 0 is any other byte. */
enum { BYTE_SEPARATOR = 1, BYTE_NEWLINE, BYTE_RETURN, BYTE_QUOTE, BYTE_NUL };

/* How a cell ended. */
enum { END_OF_CELL, END_OF_LINE, END_OF_TEXT, END_IN_ERROR };

struct cutter {
    loss_table *table;
    unsigned char kind[256];
    char *position, *end;
    int64_t line;   /* of position */
    int64_t column; /* of the cell being read */
    loss_status status;
};

static int fail_in_cell(struct cutter *cutter, int64_t line, const char *what)
{
    struct lossi_io_message message = {0};
    lossi_io_message_path(&message, cutter->table->path);
    lossi_io_message_add(&message, "line %" PRId64 ", column %" PRId64 ": %s", line, cutter->column + 1,
                         what);
    cutter->status = lossi_io_message_fail(&message, cutter->table->context, LOSS_ERROR_FORMAT);
    return END_IN_ERROR;
}

/* Steps over what follows a cell, and puts the NUL that ends it at cell_end. */
static int finish_cell(struct cutter *cutter, char *cell_end)
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
        return fail_in_cell(cutter, cutter->line, "a NUL byte; this is no text");
    default:
        return fail_in_cell(cutter, cutter->line,
                            "a closing quote must be followed by a separator or the end of the line");
    }
    *cell_end = '\0';
    cutter->position = p + 1;
    cutter->line += result == END_OF_LINE;
    return result;
}

static int read_quoted(struct cutter *cutter)
{
    const int64_t opened = cutter->line;
    char *p = cutter->position + 1, *out = cutter->position;
    for (; p < cutter->end; p++) {
        if (*p == '"') {
            if (p + 1 == cutter->end || p[1] != '"') {
                cutter->position = p + 1;
                return finish_cell(cutter, out);
            }
            p++;
        }
        if (*p == '\0') {
            return fail_in_cell(cutter, cutter->line, "a NUL byte; this is no text");
        }
        cutter->line += *p == '\n';
        *out++ = *p;
    }
    return fail_in_cell(cutter, opened, "the quote that opens here is never closed");
}

/* Reads the cell at position; *start is where its text begins. */
static int read_cell(struct cutter *cutter, int64_t *start)
{
    char *p = cutter->position;
    *start = p - cutter->table->text;
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
    return finish_cell(cutter, p);
}

/* Reads a line's cells; keeps the first `keep` of their offsets. Returns how many there were, −1 after an
 * error. */
static int64_t read_record(struct cutter *cutter, int64_t *cells, int64_t keep)
{
    int64_t start;
    int ended;
    cutter->column = 0;
    do {
        ended = read_cell(cutter, &start);
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

/* Steps over empty lines; returns the number of the first, 0 when there was none. */
static int64_t skip_empty_lines(struct cutter *cutter)
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

static loss_status fail_ragged(const struct cutter *cutter, int64_t line, int64_t fields, int has_header)
{
    struct lossi_io_message message = {0};
    const int64_t columns = cutter->table->columns;
    lossi_io_message_path(&message, cutter->table->path);
    lossi_io_message_add(&message, "line %" PRId64 " has %" PRId64 " field%s, %s has %" PRId64, line, fields,
                         fields == 1 ? "" : "s", has_header ? "the header" : "the first line", columns);
    /* One column with semicolons in it, and decimal commas in the rows, as spreadsheets write it in half of Europe. */
    const char *first = cutter->table->text + (has_header ? cutter->table->names : cutter->table->cells)[0];
    if (columns == 1 && strchr(first, ';')) {
        lossi_io_message_add(&message, "; the separator is probably ';'");
    }
    return lossi_io_message_fail(&message, cutter->table->context, LOSS_ERROR_FORMAT);
}

static loss_status fail_at_line(const struct cutter *cutter, int64_t line, const char *what)
{
    struct lossi_io_message message = {0};
    lossi_io_message_path(&message, cutter->table->path);
    lossi_io_message_add(&message, "line %" PRId64 " %s", line, what);
    return lossi_io_message_fail(&message, cutter->table->context, LOSS_ERROR_FORMAT);
}

/* Reads the rows after the first line; their cells follow those of the first in table->cells. */
static loss_status read_rows(struct cutter *cutter, int has_header)
{
    loss_table *table = cutter->table;
    for (;;) {
        const int64_t empty = skip_empty_lines(cutter);
        if (cutter->position == cutter->end) {
            return LOSS_OK;
        }
        if (empty) {
            return fail_at_line(cutter, empty, "is empty, but rows follow");
        }
        const int64_t line = cutter->line;
        const int64_t fields = read_record(cutter, table->cells + table->rows * table->columns,
                                           table->columns);
        if (fields < 0) {
            return cutter->status;
        }
        if (fields != table->columns) {
            return fail_ragged(cutter, line, fields, has_header);
        }
        table->lines[table->rows++] = line;
    }
}

/*
 * The first line settles the number of columns. Its cells are its fields, or with a header the names, which
 * are moved out of the way of the rows.
 */
static loss_status read_first_line(struct cutter *cutter, int64_t most_cells, int has_header)
{
    loss_table *table = cutter->table;
    if (skip_empty_lines(cutter) || cutter->position == cutter->end) {
        return fail_at_line(cutter, 1,
                            has_header ? "is empty; it must have the column names"
                                       : "is empty; it must have the first row");
    }
    table->columns = read_record(cutter, table->cells, most_cells);
    if (table->columns < 0) {
        return cutter->status;
    }
    if (!has_header) {
        table->lines[0] = 1;
        table->rows = 1;
        return LOSS_OK;
    }
    table->names = lossi_io_table_allocate(table->context, table->columns, sizeof *table->names);
    if (!table->names) {
        return LOSS_ERROR_MEMORY;
    }
    memcpy(table->names, table->cells, (size_t)table->columns * sizeof *table->names);
    return LOSS_OK;
}

loss_status lossi_io_csv_cut(loss_table *table, int64_t length, int has_header, char separator)
{
    struct cutter cutter = {.table = table, .position = table->text, .end = table->text + length, .line = 1};
    cutter.kind[(unsigned char)separator] = BYTE_SEPARATOR;
    cutter.kind['\n'] = BYTE_NEWLINE;
    cutter.kind['\r'] = BYTE_RETURN;
    cutter.kind['"'] = BYTE_QUOTE;
    cutter.kind[0] = BYTE_NUL;
    /* No file has more cells than separators and line ends, nor more rows than line ends, give or take the
     * last. */
    int64_t most_cells = 1, most_rows = 1;
    for (const char *p = table->text; p < cutter.end; p++) {
        most_rows += *p == '\n';
        most_cells += *p == separator;
    }
    most_cells += most_rows;
    table->cells = lossi_io_table_allocate(table->context, most_cells, sizeof *table->cells);
    table->lines = lossi_io_table_allocate(table->context, most_rows, sizeof *table->lines);
    if (!table->cells || !table->lines) {
        return LOSS_ERROR_MEMORY;
    }
    if (length >= 3 && memcmp(table->text, "\xef\xbb\xbf", 3) == 0) {
        cutter.position += 3; /* the byte order mark some editors write before UTF-8 */
    }
    const loss_status status = read_first_line(&cutter, most_cells, has_header);
    return status ? status : read_rows(&cutter, has_header);
}
