/*
 * libloss_io: tables read from CSV files, and numbers as text, exact both ways and the same in every locale.
 *
 * A component of its own, so that libloss needs nothing for files. It uses only the public calls of libloss.
 *
 * A loss_table is constant once it was read: any number of threads may read it, each with its own context, which gets
 * the sentence about a failure. It says where: "data.csv: line 17 has 30 fields, the header has 31".
 */
#ifndef LOSS_IO_H
#define LOSS_IO_H

#include <stdint.h>

#include "loss/context.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct loss_table loss_table;
typedef struct loss_classes loss_classes;

/* ---- numbers as text ---- */

/*
 * The number that the whole of text spells, correctly rounded, once (also to float32):
 *   [+-] digits [. digits] [e [+-] digits]   with a point in every locale
 *   [+-] 0x1.8p3                             the hexadecimal form of C
 *   [+-] inf, infinity, nan                  in any case
 * Nothing may stand around it, no blanks either. Beyond the range the result is the ±infinity or ±0 that rounding gives.
 *   text    not NULL; need not end in NUL     length  ≥ 1, bytes of text
 *   value   not NULL; untouched on failure
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, or LOSS_ERROR_FORMAT when it is no number. Any thread. Since 0.1.
 */
LOSS_API loss_status loss_parse_double(const char *text, int64_t length, double *value);
LOSS_API loss_status loss_parse_float(const char *text, int64_t length, float *value);

/*
 * The shortest decimal text that reads back to the same bits: "0.1", "1e-7", "-0", "inf", "nan" (every NaN is "nan");
 * without exponent from 1e-4 up to below 1e16.
 *   buffer  not NULL when size > 0; gets the text and a NUL     size  ≥ 0, bytes of buffer; 32 are always enough
 *   length  may be NULL; the bytes of the text without the NUL, also when the buffer is too small for it
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, or LOSS_ERROR_SHAPE when the buffer is too small; then it is untouched. Any
 * thread. Since 0.1.
 */
LOSS_API loss_status loss_format_double(double value, char *buffer, int64_t size, int64_t *length);
LOSS_API loss_status loss_format_float(float value, char *buffer, int64_t size, int64_t *length);

/* ---- tables ---- */

/*
 * Reads a CSV file as RFC 4180 has it: fields in double quotes may hold separators, line ends and doubled quotes; lines
 * end in \n or \r\n, the last one need not; a UTF-8 byte order mark and empty lines at the end are skipped.
 *   out, context, path  not NULL; *out is NULL on failure. The caller owns it: loss_table_free().
 *   has_header          1: the first line has the column names, all different; 0: the columns are named "1", "2", …
 *   separator           a character as its code: ',' ';' '\t' or another printable one that is no letter, digit, quote,
 *                       sign or point; 0 stands for ','
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_RANGE (separator), LOSS_ERROR_MEMORY, LOSS_ERROR_FILE, and
 * LOSS_ERROR_FORMAT for rows of different length, an unterminated or misplaced quote, a NUL byte, a repeated column name,
 * an empty line between others, an empty file. Since 0.1.
 */
LOSS_API loss_status loss_table_read_csv(loss_table **out, loss_context *context, const char *path,
                                         int32_t has_header, int32_t separator);

/*
 * The same from memory, which is copied.
 *   text  not NULL when length > 0     length ≥ 0, bytes
 * Returns as loss_table_read_csv(), without LOSS_ERROR_FILE. Since 0.1.
 */
LOSS_API loss_status loss_table_parse_csv(loss_table **out, loss_context *context, const char *text,
                                          int64_t length, int32_t has_header, int32_t separator);

/* NULL is allowed. Since 0.1. */
LOSS_API void loss_table_free(loss_table *table);

/* The path it was read from, "" when it was memory or NULL. Owned by the table. Since 0.1. */
LOSS_API const char *loss_table_path(const loss_table *table);

/* Rows (the header not counted) and columns; 0 for NULL. Since 0.1. */
LOSS_API int64_t loss_table_row_count(const loss_table *table);
LOSS_API int64_t loss_table_column_count(const loss_table *table);

/* The name of a column, counted from 0; NULL outside the range. Owned by the table. Since 0.1. */
LOSS_API const char *loss_table_column_name(const loss_table *table, int64_t column);

/*
 * The column with that name.
 *   table, context, name  not NULL     column  not NULL; untouched on failure
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, or LOSS_ERROR_NAME: the sentence has the nearest name and the columns
 * there are. Since 0.1.
 */
LOSS_API loss_status loss_table_find_column(const loss_table *table, loss_context *context, const char *name,
                                            int64_t *column);

/*
 * 1 when every cell of the column is a number, else 0; 0 outside the range. A column of no rows is numeric. Since 0.1.
 */
LOSS_API int32_t loss_table_column_is_numeric(const loss_table *table, int64_t column);

/* The text of a cell without its quotes; NULL outside the range. Owned by the table. Since 0.1. */
LOSS_API const char *loss_table_cell(const loss_table *table, int64_t row, int64_t column);

/* The line of the file, from 1, on which a row starts; 0 outside the range. Since 0.1. */
LOSS_API int64_t loss_table_row_line(const loss_table *table, int64_t row);

/*
 * Copies a column as numbers: cell of row r to values[r · stride].
 *   table, context  not NULL     column  in range
 *   values          not NULL when there are rows     stride  in elements, may be negative
 * Blanks around a number do not count. int64 takes whole numbers of any spelling ("3", "3.0", "3e0").
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, or LOSS_ERROR_FORMAT: a cell that is no number, no whole number
 * within int64, or empty; the sentence has its line, column and text, and nothing is copied. Since 0.1.
 */
LOSS_API loss_status loss_table_get_column_double(const loss_table *table, loss_context *context,
                                                  int64_t column, double *values, int64_t stride);
LOSS_API loss_status loss_table_get_column_float(const loss_table *table, loss_context *context,
                                                 int64_t column, float *values, int64_t stride);
LOSS_API loss_status loss_table_get_column_int64(const loss_table *table, loss_context *context,
                                                 int64_t column, int64_t *values, int64_t stride);

/* ---- classes ---- */

/*
 * The different values of a column, as classes. They are sorted, by number in a numeric column and by byte in others, so
 * that the order of the rows does not matter; a number is named in its shortest form ("1" for 1.0).
 *   out, context, table  not NULL; *out is NULL on failure. The caller owns it: loss_classes_free().
 *   column               in range
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_MEMORY, LOSS_ERROR_FORMAT (an empty cell or a NaN). Since 0.1.
 */
LOSS_API loss_status loss_classes_create(loss_classes **out, loss_context *context, const loss_table *table,
                                         int64_t column);

/*
 * Classes by their names, in this order; the names are copied.
 *   out, context  not NULL; *out is NULL on failure     count ≥ 1     names  not NULL, no two the same
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_NAME (a name twice), LOSS_ERROR_MEMORY. Since 0.1.
 */
LOSS_API loss_status loss_classes_create_named(loss_classes **out, loss_context *context, int64_t count,
                                               const char *const *names);

/* NULL is allowed. Since 0.1. */
LOSS_API void loss_classes_free(loss_classes *classes);

/* How many; 0 for NULL. Since 0.1. */
LOSS_API int64_t loss_classes_count(const loss_classes *classes);

/* The name of class index, from 0; NULL outside the range. Owned by the classes. Since 0.1. */
LOSS_API const char *loss_classes_name(const loss_classes *classes, int64_t index);

/*
 * The class of every cell of a column, of the same table or another: cell of row r to labels[r · stride].
 *   classes, context, table  not NULL     column  in range
 *   labels                   not NULL when there are rows     stride  in elements, may be negative
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, or LOSS_ERROR_LABEL: a cell that is none of the classes; the sentence
 * has its line, column and text, and nothing is copied. Since 0.1.
 */
LOSS_API loss_status loss_classes_get_labels(const loss_classes *classes, loss_context *context,
                                             const loss_table *table, int64_t column, int64_t *labels,
                                             int64_t stride);

#ifdef __cplusplus
}
#endif

#endif
