/* What the files of libloss_io share: the table as it is in memory, and how its errors are told. */
#ifndef LOSSI_IO_TABLE_H
#define LOSSI_IO_TABLE_H

#include "loss/data.h"
#include "loss/io.h"

#include <stddef.h>

/*
 * On which line of the file each row starts: row r on line r + 1 up to the first break, and from a break on, which has a row and
 * its line, on the lines after that. Only a header and cells of several lines make breaks.
 */
struct lossi_io_break {
    int64_t row, line;
};

struct lossi_io_lines {
    struct lossi_io_break *breaks;
    int64_t count, capacity;
};

struct loss_table {
    loss_context *context; /* whose allocator holds everything below */
    loss_data *anchor; /* an empty handle of that context: it keeps the context alive as long as the table */
    char *path;
    char *text; /* the file's bytes; cells are ended by NUL in place */
    int64_t rows, columns;
    int64_t *cells; /* rows × columns offsets into text */
    struct lossi_io_lines lines;
    int64_t *origins; /* columns: where in the file they are, from 0; NULL when that is where they are here */
    int64_t *names;   /* columns offsets into text; NULL without a header */
    char *numbering;  /* the names "1", "2", … then, NUMBER_WIDTH bytes each */
    double *
        numbers; /* rows × columns; of a column with a bad_row nothing. NULL: read from the text when asked for */
    int64_t *bad_row; /* columns: the first row whose cell is no number, −1 when there is none */
};

#define NUMBER_WIDTH 24

/* ---- message.c */

/* A sentence being put together in fixed memory; what does not fit is cut off. */
struct lossi_io_message {
    char text[480];
    size_t length;
};

void lossi_io_message_add(struct lossi_io_message *message, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Somebody else's text in double quotes: cut after 40 bytes, control characters as '?', so that it stays one
 * line. */
void lossi_io_message_quote(struct lossi_io_message *message, const char *text);

/* "data.csv: ", or nothing for a table from memory. */
void lossi_io_message_path(struct lossi_io_message *message, const char *path);

/* "data.csv: line 17, column 3 ("radius"): " */
void lossi_io_message_cell(struct lossi_io_message *message, const loss_table *table, int64_t row,
                           int64_t column);

/* Puts the sentence into the context and returns status. */
loss_status lossi_io_message_fail(const struct lossi_io_message *message, loss_context *context,
                                  loss_status status);

/* The same for a sentence that is known beforehand. */
loss_status lossi_io_fail(loss_context *context, loss_status status, const char *sentence);

/* "<what> is NULL" */
loss_status lossi_io_fail_null(loss_context *context, const char *what);

/* The table and a column of it as arguments of a public call; the sentence says which of them is wrong. */
loss_status lossi_io_check_column(loss_context *context, const loss_table *table, int64_t column);

/* The position of the name in the list most like this one, −1 when none is alike. */
typedef const char *(*lossi_io_name_at)(const void *list, int64_t index);
int64_t lossi_io_nearest_name(const void *list, lossi_io_name_at name_at, int64_t count, const char *name);

/* ---- table.c */

/* count elements of that size from the table's allocator; the sentence is set when there is no memory. */
void *lossi_io_table_allocate(loss_context *context, int64_t count, size_t size);

/* An empty table, which calls itself by the path (NULL: nothing). */
loss_status lossi_io_table_create(loss_table **out, loss_context *context, const char *path);

/* A table of a text, as loss_table_parse_csv(), that calls itself by the path of a file. */
loss_status lossi_io_table_from_text(loss_table **out, loss_context *context, const char *path,
                                     const char *text, int64_t length, int32_t has_header, int32_t separator);

/* Arguments of the calls that read CSV. */
loss_status lossi_io_check_csv(loss_context *context, int32_t has_header, int32_t separator);

/* Two columns of one name could not be told apart; without a header they get their numbers for names. */
loss_status lossi_io_table_check_names(loss_table *table);

/* Every column is one of numbers until a cell is none. */
loss_status lossi_io_table_start_numbers(loss_table *table);

/* A number with blanks around it. */
loss_status lossi_io_parse_cell(const char *cell, double *value);

/* ---- table_rows.c */

/* A row further down than all before; and the line of a row. */
loss_status lossi_io_lines_note(struct lossi_io_lines *lines, loss_context *context, int64_t row,
                                int64_t line);
int64_t lossi_io_lines_at(const struct lossi_io_lines *lines, int64_t row);

/* Cuts table->text, length bytes with room for LOSSI_IO_SLACK more, into cells, numbers and lines. */
struct lossi_io_input;
loss_status lossi_io_table_cut(loss_table *table, struct lossi_io_input *input, int64_t length,
                               int has_header, char separator);

/* Where the cell is, without a check of the range. */
static inline const char *lossi_io_table_cell(const loss_table *table, int64_t row, int64_t column)
{
    return table->text + table->cells[row * table->columns + column];
}

/* The number that a cell is, of a column where all are. */
static inline double lossi_io_table_number(const loss_table *table, int64_t row, int64_t column)
{
    if (table->numbers) {
        return table->numbers[row * table->columns + column];
    }
    double number = 0;
    lossi_io_parse_cell(lossi_io_table_cell(table, row, column), &number);
    return number;
}

static inline int lossi_io_table_has_column(const loss_table *table, int64_t column)
{
    return column >= 0 && column < table->columns;
}

#endif
