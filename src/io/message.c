/* Sentences about failures: where in the file, what was there, what was expected, and the nearest name. */
#include "table.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define QUOTE_LIMIT 40

void lossi_io_message_add(struct lossi_io_message *message, const char *format, ...)
{
    const size_t room = sizeof message->text - message->length;
    va_list arguments;
    va_start(arguments, format);
    const int wanted = vsnprintf(message->text + message->length, room, format, arguments);
    va_end(arguments);
    if (wanted > 0) {
        message->length += (size_t)wanted < room ? (size_t)wanted : room - 1;
    }
}

void lossi_io_message_quote(struct lossi_io_message *message, const char *text)
{
    char copy[QUOTE_LIMIT + 1];
    size_t length = 0;
    for (; length < QUOTE_LIMIT && text[length]; length++) {
        const unsigned char c = (unsigned char)text[length];
        copy[length] = c < 0x20 || c == 0x7f ? '?' : (char)c;
    }
    const int is_cut = text[length] != '\0';
    /* Cut before a UTF-8 character, not within: its later bytes are 10xxxxxx. */
    while (is_cut && length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80) {
        length--;
    }
    copy[length] = '\0';
    lossi_io_message_add(message, "\"%s%s\"", copy, is_cut ? "…" : "");
}

void lossi_io_message_path(struct lossi_io_message *message, const char *path)
{
    if (path && *path) {
        lossi_io_message_add(message, "%s: ", path);
    }
}

void lossi_io_message_cell(struct lossi_io_message *message, const loss_table *table, int64_t row,
                           int64_t column)
{
    lossi_io_message_path(message, table->path);
    lossi_io_message_add(message, "line %" PRId64 ", column %" PRId64, lossi_io_lines_at(&table->lines, row),
                         (table->origins ? table->origins[column] : column) + 1);
    if (table->names) {
        lossi_io_message_add(message, " (");
        lossi_io_message_quote(message, loss_table_column_name(table, column));
        lossi_io_message_add(message, ")");
    }
    lossi_io_message_add(message, ": ");
}

loss_status lossi_io_message_fail(const struct lossi_io_message *message, loss_context *context,
                                  loss_status status)
{
    return loss_context_set_error(context, status, message->text);
}

loss_status lossi_io_fail(loss_context *context, loss_status status, const char *sentence)
{
    return loss_context_set_error(context, status, sentence);
}

loss_status lossi_io_fail_null(loss_context *context, const char *what)
{
    struct lossi_io_message message = {0};
    lossi_io_message_add(&message, "%s is NULL", what);
    return lossi_io_message_fail(&message, context, LOSS_ERROR_ARGUMENT);
}

loss_status lossi_io_check_column(loss_context *context, const loss_table *table, int64_t column)
{
    if (!table) {
        return lossi_io_fail_null(context, "the table");
    }
    if (lossi_io_table_has_column(table, column)) {
        return LOSS_OK;
    }
    struct lossi_io_message message = {0};
    lossi_io_message_path(&message, table->path);
    lossi_io_message_add(&message, "column %" PRId64 " (counted from 0) of a table with %" PRId64 " column%s",
                         column, table->columns, table->columns == 1 ? "" : "s");
    return lossi_io_message_fail(&message, context, LOSS_ERROR_ARGUMENT);
}

/*
 * Edit distance (Levenshtein 1966, with neighbours exchanged counted once as by Damerau 1964), one row of the
 * table at a time; names longer than the row count as unlike.
 */
#define NAME_LIMIT 64

static int edit_distance(const char *a, const char *b)
{
    const size_t rows = strlen(a), columns = strlen(b);
    if (rows > NAME_LIMIT || columns > NAME_LIMIT) {
        return NAME_LIMIT;
    }
    int before[NAME_LIMIT + 1], last[NAME_LIMIT + 1], row[NAME_LIMIT + 1];
    memset(before, 0, sizeof before);
    for (size_t j = 0; j <= columns; j++) {
        last[j] = (int)j;
    }
    for (size_t i = 1; i <= rows; i++) {
        row[0] = (int)i;
        for (size_t j = 1; j <= columns; j++) {
            int best = last[j - 1] + (a[i - 1] != b[j - 1]);
            if (last[j] + 1 < best) {
                best = last[j] + 1;
            }
            if (row[j - 1] + 1 < best) {
                best = row[j - 1] + 1;
            }
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < best) {
                best = before[j - 2] + 1;
            }
            row[j] = best;
        }
        memcpy(before, last, sizeof before);
        memcpy(last, row, sizeof last);
    }
    return last[columns];
}

int64_t lossi_io_nearest_name(const void *list, lossi_io_name_at name_at, int64_t count, const char *name)
{
    /* A third of the letters wrong is still the same word; more is another one. */
    const int limit = (int)(strlen(name) / 3 < 2 ? 2 : strlen(name) / 3);
    int64_t nearest = -1;
    int best = limit + 1;
    for (int64_t i = 0; i < count; i++) {
        const char *candidate = name_at(list, i);
        const int distance = edit_distance(name, candidate);
        if (distance < best && distance < (int)strlen(candidate)) {
            best = distance;
            nearest = i;
        }
    }
    return nearest;
}
