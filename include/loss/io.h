/*
 * libloss_io: readers of data files (CSV, LIBSVM, NumPy, IDX; also gzipped), and numbers as text, exact both ways and
 * the same in every locale. docs/data.md has the formats, their limits, and what they take of memory.
 *
 * A component of its own, so that libloss needs nothing for files. It uses only the public calls of libloss.
 *
 * What was read (loss_table, loss_sparse, loss_array) is constant: any number of threads may read it, each with its own
 * context, which gets the sentence about a failure. It says where: "data.csv: line 17 has 30 fields, the header has 31".
 */
#ifndef LOSS_IO_H
#define LOSS_IO_H

#include <stdint.h>

#include "loss/graph.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct loss_table loss_table;
typedef struct loss_classes loss_classes;
typedef struct loss_sparse loss_sparse;
typedef struct loss_array loss_array;

/*
 * Told while a file is read, about once a MiB, on the thread that called: done of total bytes as they are stored (before
 * decompression); a CSV file counts twice, because it is gone through twice. total is −1 for a pipe. A result other than
 * 0 cancels: the reader returns LOSS_ERROR_CALLBACK. It must not use the context of the call.
 */
typedef int32_t (*loss_progress_callback)(void *user, int64_t done, int64_t total);

/* ---- formats ---- */

#define LOSS_FORMAT_CSV    1 /* loss_table_read_csv(), loss_array_read_csv() */
#define LOSS_FORMAT_LIBSVM 2 /* loss_sparse_read_svmlight() */
#define LOSS_FORMAT_NPY    3 /* loss_array_read_npy() */
#define LOSS_FORMAT_IDX    4 /* loss_array_read_idx() */

/*
 * Which of these a file has, by its first 4096 bytes, decompressed when it is gzipped: the bytes .npy and IDX begin with; LIBSVM
 * when the first line that has more than a label goes on with an index and a colon, or with "qid:"; else CSV, whatever it is.
 *   context, path  not NULL     format  not NULL; untouched on failure
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_FILE, LOSS_ERROR_MEMORY, LOSS_ERROR_SUPPORT (gzipped, and the build has no zlib),
 * LOSS_ERROR_FORMAT (damaged compression). Since 0.1.
 */
LOSS_API loss_status loss_file_format(loss_context *context, const char *path, int32_t *format);

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
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_RANGE (separator), LOSS_ERROR_MEMORY, LOSS_ERROR_FILE,
 * LOSS_ERROR_SUPPORT (gzipped, and the build has no zlib), and LOSS_ERROR_FORMAT for damaged compression, rows of different length, an unterminated or misplaced quote, a NUL byte, a repeated column name,
 * an empty line between others, an empty file. Since 0.1.
 */
LOSS_API loss_status loss_table_read_csv(loss_table **out, loss_context *context, const char *path,
                                         int32_t has_header, int32_t separator);

/*
 * The same, with progress told; loss_table_read_csv() tells none.
 *   progress  may be NULL; user is handed to it
 * Returns as loss_table_read_csv(), and LOSS_ERROR_CALLBACK. Since 0.1.
 */
LOSS_API loss_status loss_table_read_csv_progress(loss_table **out, loss_context *context, const char *path,
                                                  int32_t has_header, int32_t separator,
                                                  loss_progress_callback progress, void *user);

/*
 * The same from memory, which is copied and must not be gzipped.
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

/* Where in the file the column stands, from 1; 0 outside the range. Since 0.1. */
LOSS_API int64_t loss_table_column_position(const loss_table *table, int64_t column);

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
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_MEMORY, LOSS_ERROR_FORMAT (an empty cell, a NaN, or a
 * number of 2^53 and more, which is not told apart from its neighbours). Since 0.1.
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

/* ---- sparse tables ---- */

/*
 * Reads a LIBSVM (svmlight) file: a row a line, "label [qid:query] index:value index:value … [# comment]", indices rising.
 * The result is in compressed sparse rows (CSR): row r has the entries offsets[r] … offsets[r + 1] − 1, and entry e is
 * values[e] in column indices[e], counted from 0. Lines that are empty or a comment are skipped; values of 0 are kept.
 *   out, context, path  not NULL; *out is NULL on failure. The caller owns it: loss_sparse_free().
 *   value_dtype         LOSS_FLOAT64 or LOSS_FLOAT32, of values and labels; each is rounded once
 *   index_dtype         LOSS_INT32 or LOSS_INT64, of the column indices
 *   first_index         1 or 0: what the file calls the first column; −1: 0 when that index occurs in the file, else 1
 *   columns             ≥ 0; 0 stands for as many as the greatest index needs
 *   progress            may be NULL; user is handed to it
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_TYPE, LOSS_ERROR_MEMORY, LOSS_ERROR_FILE, LOSS_ERROR_SUPPORT (gzipped, and
 * the build has no zlib), LOSS_ERROR_CALLBACK (cancelled), and LOSS_ERROR_FORMAT, with line and column (in bytes, from 1):
 * what is no number, an index that is negative, repeated, smaller than the one before, or too large for columns or
 * index_dtype, several labels, a qid on some rows only, a file without rows. Since 0.1.
 */
LOSS_API loss_status loss_sparse_read_svmlight(loss_sparse **out, loss_context *context, const char *path,
                                               loss_dtype value_dtype, loss_dtype index_dtype,
                                               int64_t first_index, int64_t columns,
                                               loss_progress_callback progress, void *user);

/*
 * The same from memory, which is not kept.
 *   text  not NULL when length > 0     length  ≥ 0, bytes
 * Returns as loss_sparse_read_svmlight(), without LOSS_ERROR_FILE and LOSS_ERROR_CALLBACK. Since 0.1.
 */
LOSS_API loss_status loss_sparse_parse_svmlight(loss_sparse **out, loss_context *context, const char *text,
                                                int64_t length, loss_dtype value_dtype,
                                                loss_dtype index_dtype, int64_t first_index, int64_t columns);

/* NULL is allowed. Since 0.1. */
LOSS_API void loss_sparse_free(loss_sparse *sparse);

/* Rows, columns, entries stored; 0 for NULL. Since 0.1. */
LOSS_API int64_t loss_sparse_row_count(const loss_sparse *sparse);
LOSS_API int64_t loss_sparse_column_count(const loss_sparse *sparse);
LOSS_API int64_t loss_sparse_entry_count(const loss_sparse *sparse);

/* The types of values and labels, and of the column indices; 0 for NULL. Since 0.1. */
LOSS_API loss_dtype loss_sparse_value_dtype(const loss_sparse *sparse);
LOSS_API loss_dtype loss_sparse_index_dtype(const loss_sparse *sparse);

/*
 * The arrays, owned by the sparse table: rows + 1 offsets; indices and values, one an entry, of the types above; labels and
 * query identifiers, one a row. NULL for NULL, and query_ids also when the file has none. Since 0.1.
 */
LOSS_API const int64_t *loss_sparse_row_offsets(const loss_sparse *sparse);
LOSS_API const void *loss_sparse_column_indices(const loss_sparse *sparse);
LOSS_API const void *loss_sparse_values(const loss_sparse *sparse);
LOSS_API const void *loss_sparse_labels(const loss_sparse *sparse);
LOSS_API const int64_t *loss_sparse_query_ids(const loss_sparse *sparse);

/*
 * The labels as integers, as losses over classes want them: that of row r to labels[r · stride].
 *   sparse, context, labels  not NULL     stride  in elements, may be negative
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, or LOSS_ERROR_LABEL: a label that is no integer, or so far away from 0 that it may have been
 * rounded: 2^53 and more, of labels read as float32 2^24; the sentence has its line (of rows in another order, its row), and nothing is copied. Any thread may call it, each with its own context. Since 0.1.
 */
LOSS_API loss_status loss_sparse_get_labels(const loss_sparse *sparse, loss_context *context, int64_t *labels,
                                            int64_t stride);

/*
 * The line of the file, from 1, that a row was read from; row counts as the rows were read, also after loss_sparse_reorder().
 * 0 for NULL or a row out of range. Since 0.1.
 */
LOSS_API int64_t loss_sparse_row_line(const loss_sparse *sparse, int64_t row);

/*
 * Puts row order[i] into place i, for all i, where they are: entries, labels and query identifiers. A set of rows is drawn or
 * shuffled so, and lent as a range, without a copy: beyond the arrays it takes the memory of a thirty-second of the entries (or
 * of the longest row), without their indices, and five bytes a row for a while. Pointers to the arrays stay good; nobody else may
 * use the table meanwhile, nor a loss_data that has lent it.
 *   sparse  not NULL     order  not NULL, every number 0 … rows − 1 once
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_MEMORY; after a failure nothing is changed. Since 0.1.
 */
LOSS_API loss_status loss_sparse_reorder(loss_sparse *sparse, const int64_t *order);

/* ---- arrays ---- */

/*
 * Reads an array of NumPy, .npy of versions 1 to 3: float32, float64, int32, int64 or uint8 of either byte order, of one
 * dimension (a column) or two, in C or Fortran order, which the strides say.
 *   out, context, path  not NULL; *out is NULL on failure. The caller owns it: loss_array_free().
 *   progress            may be NULL; user is handed to it
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_MEMORY, LOSS_ERROR_FILE, LOSS_ERROR_TYPE (another element type),
 * LOSS_ERROR_SHAPE (another number of dimensions), LOSS_ERROR_SUPPORT (a version of the format, or gzipped and the build has
 * no zlib), LOSS_ERROR_CALLBACK (cancelled), LOSS_ERROR_FORMAT (what is no .npy file, is cut short, or has more data than
 * its shape). Since 0.1.
 */
LOSS_API loss_status loss_array_read_npy(loss_array **out, loss_context *context, const char *path,
                                         loss_progress_callback progress, void *user);

/*
 * Reads an IDX file, the format of MNIST: of one dimension (a column), two, or three, of which the last two become the
 * columns: images × (rows · columns). int8 and int16 become int32; the other types are kept: uint8, int32, float32, float64.
 * Parameters and results as for loss_array_read_npy(). Since 0.1.
 */
LOSS_API loss_status loss_array_read_idx(loss_array **out, loss_context *context, const char *path,
                                         loss_progress_callback progress, void *user);

/*
 * The same, with elements of a type that features have, whatever the file's is: each is rounded once, when it is read, and nothing
 * holds them all in the other type.
 *   dtype  LOSS_FLOAT32 or LOSS_FLOAT64; what is beyond the range of float32 becomes an infinity
 * Return as the functions above, and LOSS_ERROR_TYPE for another dtype. Since 0.1.
 */
LOSS_API loss_status loss_array_read_npy_as(loss_array **out, loss_context *context, const char *path,
                                            loss_dtype dtype, loss_progress_callback progress, void *user);
LOSS_API loss_status loss_array_read_idx_as(loss_array **out, loss_context *context, const char *path,
                                            loss_dtype dtype, loss_progress_callback progress, void *user);

/*
 * The same from memory, which is not kept.
 *   bytes  not NULL when length > 0     length  ≥ 0
 * Return as the functions above, without LOSS_ERROR_FILE and LOSS_ERROR_CALLBACK. Since 0.1.
 */
LOSS_API loss_status loss_array_parse_npy_as(loss_array **out, loss_context *context, const void *bytes,
                                             int64_t length, loss_dtype dtype);
LOSS_API loss_status loss_array_parse_idx_as(loss_array **out, loss_context *context, const void *bytes,
                                             int64_t length, loss_dtype dtype);
LOSS_API loss_status loss_array_parse_npy(loss_array **out, loss_context *context, const void *bytes,
                                          int64_t length);
LOSS_API loss_status loss_array_parse_idx(loss_array **out, loss_context *context, const void *bytes,
                                          int64_t length);

/*
 * Reads a CSV file, as loss_table_read_csv() takes it, as numbers: the columns named become an array, rows × columns, without
 * their text ever being in memory as a whole; other columns, a target of class names for one, become a table.
 *   out, context, path         not NULL; *out is NULL on failure. The caller owns it: loss_array_free().
 *   others                     gets the table, NULL on failure, the caller's: loss_table_free(). May be NULL: it is not wanted
 *   has_header, separator      as for loss_table_read_csv()
 *   dtype                      LOSS_FLOAT64 or LOSS_FLOAT32, to which each number is rounded once
 *   finite                     1: NaN and infinities are refused; 0: they are numbers like others. In the table they always are
 *   count, names               the columns of the array, in this order; count ≥ 0, names not NULL when count > 0. −1: all that
 *                              the table does not have, in the order of the file
 *   other_count, other_names   the same of the table; −1: all that the array does not have. Not both are −1. Columns that nobody
 *                              names are not looked at
 *   progress                   may be NULL; user is handed to it. The file is gone through once
 * Returns as loss_table_read_csv(), LOSS_ERROR_TYPE, LOSS_ERROR_NAME (a column that there is not, or asked for twice),
 * LOSS_ERROR_CALLBACK, and LOSS_ERROR_FORMAT also for a cell of the array that is no number; the sentence has its line, column
 * and text. Since 0.1.
 */
LOSS_API loss_status loss_array_read_csv(loss_array **out, loss_table **others, loss_context *context,
                                         const char *path, int32_t has_header, int32_t separator,
                                         loss_dtype dtype, int32_t finite, int64_t count,
                                         const char *const *names, int64_t other_count,
                                         const char *const *other_names, loss_progress_callback progress,
                                         void *user);

/*
 * The same from memory, which is not kept.
 *   text  not NULL when length > 0     length  ≥ 0, bytes
 * Returns as loss_array_read_csv(), without LOSS_ERROR_FILE and LOSS_ERROR_CALLBACK. Since 0.1.
 */
LOSS_API loss_status loss_array_parse_csv(loss_array **out, loss_table **others, loss_context *context,
                                          const char *text, int64_t length, int32_t has_header,
                                          int32_t separator, loss_dtype dtype, int32_t finite, int64_t count,
                                          const char *const *names, int64_t other_count,
                                          const char *const *other_names);

/* Of an array from CSV: the name of a column, and the line of the file on which a row starts, from 1; NULL and 0 outside the
 * range and for other arrays. The name is owned by the array. Since 0.1. */
LOSS_API const char *loss_array_column_name(const loss_array *array, int64_t column);
LOSS_API int64_t loss_array_row_line(const loss_array *array, int64_t row);

/* NULL is allowed. Since 0.1. */
LOSS_API void loss_array_free(loss_array *array);

/*
 * What loss_data_set_input() takes: type, rows, columns, strides in elements, and the elements, owned by the array and
 * aligned. 0 or NULL for NULL. Since 0.1.
 */
LOSS_API loss_dtype loss_array_dtype(const loss_array *array);
LOSS_API int64_t loss_array_row_count(const loss_array *array);
LOSS_API int64_t loss_array_column_count(const loss_array *array);
LOSS_API int64_t loss_array_row_stride(const loss_array *array);
LOSS_API int64_t loss_array_column_stride(const loss_array *array);
LOSS_API const void *loss_array_values(const loss_array *array);

/* The elements, to be changed in place; nobody else may use the array meanwhile. Since 0.1. */
LOSS_API void *loss_array_writable_values(loss_array *array);

/* The dimensions as the file has them: how many, and the extent of one, counted from 0; 0 outside the range. Since 0.1. */
LOSS_API int32_t loss_array_dimension_count(const loss_array *array);
LOSS_API int64_t loss_array_extent(const loss_array *array, int32_t dimension);

/* ---- named tensors -------------------------------------------------------------------------------------------------- */

typedef struct loss_tensors loss_tensors;

/*
 * Reads a safetensors file, in which other frameworks keep parameters: names, shapes, elements. All of its bytes are kept in memory; the
 * tensors are in the order of the data.
 *   out, context, path  not NULL; *out is NULL on failure. The caller owns it: loss_tensors_free()
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_MEMORY, LOSS_ERROR_FILE, LOSS_ERROR_SUPPORT (the build has no jansson; gzipped without
 * zlib), LOSS_ERROR_FORMAT (no header, one that is no JSON or repeats a name, offsets outside the data, overlapping, with gaps, or not
 * as far apart as the shape says; more than 8 sizes). Since 0.1.
 */
LOSS_API loss_status loss_tensors_read(loss_tensors **out, loss_context *context, const char *path);

/* The same from memory, which is not kept. bytes: not NULL when length > 0. Without LOSS_ERROR_FILE. Since 0.1. */
LOSS_API loss_status loss_tensors_parse(loss_tensors **out, loss_context *context, const void *bytes,
                                        int64_t length);

/* NULL is allowed. Since 0.1. */
LOSS_API void loss_tensors_free(loss_tensors *tensors);

/*
 * What is there: how many; of each its name, its type as the file calls it ("F32", "BF16", …), how many sizes and each of them; and the
 * index of a name, −1 when there is none. Outside the range NULL, "" or 0. Strings live as long as the tensors. Since 0.1.
 */
LOSS_API int64_t loss_tensors_count(const loss_tensors *tensors);
LOSS_API const char *loss_tensors_name(const loss_tensors *tensors, int64_t index);
LOSS_API const char *loss_tensors_type(const loss_tensors *tensors, int64_t index);
LOSS_API int32_t loss_tensors_rank(const loss_tensors *tensors, int64_t index);
LOSS_API int64_t loss_tensors_size(const loss_tensors *tensors, int64_t index, int32_t axis);
LOSS_API int64_t loss_tensors_find(const loss_tensors *tensors, const char *name);

/*
 * The elements of a tensor, row-major, into out.
 *   context  not NULL     out  not NULL when there are elements
 *   dtype    LOSS_FLOAT32 or LOSS_FLOAT64 of F64, F32, F16 and BF16, rounded once; of I64, I32 and U8 their own
 * Returns LOSS_OK, LOSS_ERROR_ARGUMENT (also no such index), LOSS_ERROR_TYPE. Since 0.1.
 */
LOSS_API loss_status loss_tensors_get(const loss_tensors *tensors, loss_context *context, int64_t index,
                                      void *out, loss_dtype dtype);

/*
 * Writes the parameters of a graph, by their names and shapes, from x; reads them back into x. A file is replaced only when the new
 * one is whole; what a link leads to is replaced, not the link, and a pipe or a device is written to. Reading takes the tensors whose names are those of parameters, of whatever real type, and leaves x as it is on failure.
 *   graph, context, x, path  not NULL; x has the graph's dimension of elements of its type
 * Return LOSS_OK, LOSS_ERROR_ARGUMENT, LOSS_ERROR_MEMORY, LOSS_ERROR_FILE, LOSS_ERROR_SUPPORT, the writer LOSS_ERROR_NAME (a
 * parameter named "__metadata__", which the format keeps for itself), and the reader what loss_tensors_read() returns,
 * LOSS_ERROR_NAME (a parameter that the file has not), LOSS_ERROR_SHAPE, LOSS_ERROR_TYPE. Since 0.1.
 */
LOSS_API loss_status loss_graph_write_parameters(const loss_graph *graph, loss_context *context,
                                                 const void *x, const char *path);
LOSS_API loss_status loss_graph_read_parameters(const loss_graph *graph, loss_context *context,
                                                const char *path, void *x);

#ifdef __cplusplus
}
#endif

#endif
