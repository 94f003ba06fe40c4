/* Comma-separated text, cut into cells where it lies. */
#ifndef LOSSI_IO_CSV_H
#define LOSSI_IO_CSV_H

#include "input.h"

/* What a byte means outside quotes; 0 is any other byte. */
enum { BYTE_SEPARATOR = 1, BYTE_NEWLINE, BYTE_RETURN, BYTE_QUOTE, BYTE_NUL };

/* How a cell ended. */
enum { END_OF_CELL, END_OF_LINE, END_OF_TEXT, END_IN_ERROR };

struct lossi_io_cutter {
    loss_context *context;
    const char *path;
    unsigned char kind[256];
    char separator;
    char *position, *end; /* of the text, behind which one byte may be written */
    const char *text;     /* what offsets of cells count from */
    int64_t line;         /* of position */
    int64_t column;       /* of the cell being read */
    loss_status status;   /* of END_IN_ERROR; the sentence is in the context */
};

/* A cutter at line 1 of a text that is still to be given. */
void lossi_io_csv_begin(struct lossi_io_cutter *cutter, loss_context *context, const char *path,
                        char separator);

/* Reads the cell at position; *start is where its text begins. Returns how it ended. */
int lossi_io_csv_cell(struct lossi_io_cutter *cutter, int64_t *start);

/* Steps over what follows a cell, and puts the NUL that ends it at cell_end. */
int lossi_io_csv_finish_cell(struct lossi_io_cutter *cutter, char *cell_end);

/* Reads a line's cells; keeps the first `keep` of their offsets. Returns how many there were, −1 after an error. */
int64_t lossi_io_csv_record(struct lossi_io_cutter *cutter, int64_t *cells, int64_t keep);

/* Steps over empty lines; returns the number of the first, 0 when there was none. */
int64_t lossi_io_csv_skip_empty_lines(struct lossi_io_cutter *cutter);

/* What the fields of a file are separated by, in words, when name is its only column for a reader that looks for others; NULL when that
 * is not seen. */
const char *lossi_io_csv_likely_separator(const char *name);

/* "line 17 has 30 fields, the header has 31"; first is the name or the cell of the first column. */
loss_status lossi_io_csv_fail_ragged(const struct lossi_io_cutter *cutter, int64_t line, int64_t fields,
                                     int64_t columns, const char *first, int has_header);

/* "the file is empty; …", and what was expected. */
loss_status lossi_io_csv_fail_empty(loss_context *context, const char *path, int has_header);

/* "line 17 <what>" */
loss_status lossi_io_csv_fail_line(const struct lossi_io_cutter *cutter, int64_t line, const char *what);

#endif
