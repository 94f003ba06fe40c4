/* A CSV file as a matrix of numbers and a table of the columns that are something else. */
#ifndef LOSSI_IO_CSV_NUMBERS_H
#define LOSSI_IO_CSV_NUMBERS_H

#include "array.h"
#include "csv.h"
#include "store.h"

/* What is wanted of a file, as loss_array_read_csv() got it. */
struct lossi_io_numbers {
    int has_header, finite;
    char separator;
    loss_dtype dtype;
    int64_t count, other_count; /* −1: all columns that the other does not name */
    const char *const *names, *const *other_names;
};

/* Reads the file into an empty array, and an empty table or NULL; what they have got then is theirs also after a failure. */
loss_status lossi_io_numbers_read(struct loss_array *array, loss_table *others,
                                  const struct lossi_io_input *source, const struct lossi_io_numbers *wish);

/*
 * Says for each column of array->header where its cells go, and names the columns of the table; *text_used are the bytes that
 * the names take of its text.
 */
loss_status lossi_io_numbers_place(struct loss_array *array, loss_table *others, loss_context *context,
                                   const struct lossi_io_numbers *wish, int64_t *places, int64_t *text_used);

/* What a table needs besides its cells: which columns are numbers, and lines. */
loss_status lossi_io_numbers_finish_table(loss_table *others, const struct lossi_io_lines *lines);

#endif
