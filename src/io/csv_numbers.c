/*
 * CSV as numbers: a file goes through a window of whole lines, and every number goes once, to its place in a matrix. Of the
 * text only the columns asked for are kept, as a table.
 *
 * Most lines are numbers and separators and nothing else. They are read by read_plain_row(); whatever it does not understand,
 * quotes, blanks, words, a wrong number of fields, it leaves to read_any_row(), which goes the way of all other CSV and says what
 * is wrong.
 */
#include "csv_numbers.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "number.h"

/* Bytes read at once: the lines are still in the second level cache when they become numbers. */
#define WINDOW (INT64_C(1) << 18)

/* Where the cells of a column go: ≥ 0 a column of the matrix, −1 nowhere, −2 − k column k of the table. */
enum { NOWHERE = -1, FIRST_OTHER = -2 };

struct reader {
    struct lossi_io_input input;
    struct lossi_io_cutter cutter;
    const struct lossi_io_numbers *wish;
    struct loss_array *array;
    loss_table *others;
    int64_t columns;      /* of the file */
    int64_t *places;      /* of each of them */
    int64_t *cells;       /* of the row being read */
    unsigned char *pairs; /* whether two short integers are looked for there, see lossi_io_pair_count() */
    void *window;
    int64_t capacity, begin, end; /* of the window, and what is unread in it */
    int at_end;                   /* the input has no more */
    int64_t line, empty_line;     /* of begin; the first of the empty lines before it, 0 for none */
    struct lossi_io_store store;
    int64_t text_used, text_room, cell_room; /* of the table */
};

static char *unread(const struct reader *reader)
{
    return (char *)reader->window + reader->begin;
}

/* Moves what is unread to the front of the window, which grows when a line does not fit, and reads more. */
static loss_status refill(struct reader *reader)
{
    const int64_t kept = reader->end - reader->begin, total = reader->input.total;
    /* A byte more than there is, so that its missing tells the end. */
    const int64_t window = !reader->input.gzip && total >= 0 && total < WINDOW ? total + 1 : WINDOW;
    int64_t got = 0;
    if (kept > 0) {
        memmove(reader->window, unread(reader), (size_t)kept);
    }
    reader->begin = 0;
    reader->end = kept;
    loss_status status = lossi_io_grow(reader->input.context, &reader->window, &reader->capacity, kept,
                                       (kept < window ? window : kept + 1) + LOSSI_IO_SLACK, 1);
    const int64_t room = reader->capacity - LOSSI_IO_SLACK - kept;
    if (!status) {
        status = lossi_io_input_read(&reader->input, unread(reader) + kept, room, &got);
    }
    if (!status) {
        reader->at_end = got < room;
        reader->end = kept + got;
        memset((char *)reader->window + reader->end, 0, LOSSI_IO_SLACK);
    }
    return status;
}

/* ---- rows that are numbers and nothing else */

/* How many there will be, of which there are used so far. */
static int64_t expect(const struct reader *reader, int64_t used, int64_t needed)
{
    return lossi_io_input_expect(&reader->input, reader->end - reader->begin, used, needed);
}

/* Keeps a cell of the table. */
static loss_status keep_text(struct reader *reader, int64_t place, const char *text, int64_t length)
{
    loss_table *others = reader->others;
    loss_context *context = reader->input.context;
    const int64_t columns = others->columns, at = others->rows * columns;
    const int64_t text_end = reader->text_used + length + 1;
    loss_status status = LOSS_OK;
    if (text_end > reader->text_room) {
        void *block = others->text;
        status = lossi_io_grow(context, &block, &reader->text_room, reader->text_used,
                               expect(reader, reader->text_used, text_end), 1);
        others->text = block;
    }
    if (!status && at + columns > reader->cell_room) {
        void *block = others->cells;
        status = lossi_io_grow(context, &block, &reader->cell_room, at, expect(reader, at, at + columns),
                               sizeof *others->cells);
        others->cells = block;
    }
    if (!status) {
        others->cells[at + (FIRST_OTHER - place)] = reader->text_used;
        memcpy(others->text + reader->text_used, text, (size_t)length);
        others->text[reader->text_used + length] = '\0';
        reader->text_used += length + 1;
    }
    return status;
}

/* The end of a cell without quotes, NULL when there is more in it than the plain way takes. */
static const char *plain_end(const struct lossi_io_cutter *cutter, const char *p, const char *stop)
{
    while (p < stop && cutter->kind[(unsigned char)*p] == 0) {
        p++;
    }
    return p == stop || cutter->kind[(unsigned char)*p] == BYTE_SEPARATOR ? p : NULL;
}

/* Puts the number where it belongs; 0 when its rounding to float is not settled. */
static inline int put_number(int is_double, double number, char *row, int64_t place)
{
    if (is_double) {
        ((double *)row)[place] = number;
        return 1;
    }
    ((float *)row)[place] = (float)number;
    return !lossi_io_float_is_doubtful(number);
}

static inline void put_integer(int is_double, int32_t number, char *row, int64_t place)
{
    if (is_double) {
        ((double *)row)[place] = (double)number;
    } else {
        ((float *)row)[place] = (float)number;
    }
}

/*
 * Two short integers at a time from column c on, for as long as there are some: tables of pixels, of counts and of codes have nothing
 * else. Where they are missing too often, they are looked for no more. Returns the column it came to, whose text *next is.
 */
static int64_t put_pairs(const struct reader *reader, int64_t c, const char **next, const char *stop,
                         char *row)
{
    const int64_t last = reader->columns - 1, *places = reader->places;
    const int is_double = reader->wish->dtype == LOSS_FLOAT64;
    const char separator = reader->wish->separator, *p = *next;
    unsigned char *pairs = reader->pairs;
    while (c < last && pairs[c] > 0) {
        struct lossi_io_pair pair;
        int found = lossi_io_two_integers(p, separator, &pair);
        const char *end = p + (found ? pair.ends[1] : 0);
        found = found && (c + 1 < last ? *end == separator : end == stop);
        lossi_io_pair_count(&pairs[c], found);
        if (!found) {
            break;
        }
        put_integer(is_double, pair.numbers[0], row, places[c]);
        put_integer(is_double, pair.numbers[1], row, places[c + 1]);
        p = end + 1;
        c += 2;
    }
    *next = p;
    return c;
}

/* Reads [p, stop), a line without its end; 0 when there is something else in it. */
static int read_plain_row(struct reader *reader, const char *p, const char *stop, char *row,
                          loss_status *status)
{
    const int64_t used = reader->text_used, last = reader->columns - 1, *places = reader->places;
    const int is_double = reader->wish->dtype == LOSS_FLOAT64;
    const char separator = reader->wish->separator;
    const unsigned char *pairs = reader->pairs;
    for (int64_t c = 0; c <= last; c++) {
        if (pairs[c] > 0) {
            c = put_pairs(reader, c, &p, stop, row);
            if (c > last) {
                return 1;
            }
        }
        const int64_t place = places[c];
        const char *end;
        double number;
        if (place >= 0) {
            end = lossi_io_scan_decimal(p, &number);
            if (!end || !put_number(is_double, number, row, place)) {
                break;
            }
        } else {
            end = plain_end(&reader->cutter, p, stop);
            if (!end) {
                break;
            }
            if (place != NOWHERE) {
                *status = keep_text(reader, place, p, end - p);
                if (*status) {
                    break;
                }
            }
        }
        if (c == last) {
            if (end == stop) {
                return 1;
            }
            break;
        }
        if (end >= stop || *end != separator) {
            break;
        }
        p = end + 1;
    }
    reader->text_used = used;
    return 0;
}

/* ---- all other rows */

static loss_status fail_cell(const struct reader *reader, int64_t line, int64_t column, const char *cell,
                             const char *wanted)
{
    struct lossi_io_message message = {0};
    lossi_io_message_path(&message, reader->input.path);
    lossi_io_message_add(&message, "line %" PRId64 ", column %" PRId64, line, column + 1);
    if (reader->wish->has_header) {
        lossi_io_message_add(&message, " (");
        lossi_io_message_quote(&message, loss_table_column_name(reader->array->header, column));
        lossi_io_message_add(&message, ")");
    }
    lossi_io_message_add(&message, ": ");
    if (*cell) {
        lossi_io_message_quote(&message, cell);
    } else {
        lossi_io_message_add(&message, "an empty field");
    }
    lossi_io_message_add(&message, " is no %s", wanted);
    return lossi_io_message_fail(&message, reader->input.context, LOSS_ERROR_FORMAT);
}

static loss_status take_number(const struct reader *reader, int64_t line, int64_t column, const char *cell,
                               char *row)
{
    const int64_t place = reader->places[column];
    const char *p = cell + strspn(cell, " \t");
    double number = NAN;
    int64_t length = (int64_t)strlen(p);
    while (length > 0 && (p[length - 1] == ' ' || p[length - 1] == '\t')) {
        length--;
    }
    if (length == 0 || loss_parse_double(p, length, &number)) {
        return fail_cell(reader, line, column, cell, "number");
    }
    if (reader->wish->dtype == LOSS_FLOAT64) {
        ((double *)row)[place] = number;
    } else {
        loss_parse_float(p, length, (float *)row + place);
        number = (double)((float *)row)[place];
    }
    return reader->wish->finite && !isfinite(number) ? fail_cell(reader, line, column, cell, "finite number")
                                                     : LOSS_OK;
}

/* Where the record at begin ends, its line end included: outside quotes. NULL when that is not in the window. */
static char *record_end(const struct reader *reader)
{
    char *end = (char *)reader->window + reader->end;
    int is_quoted = 0;
    for (char *p = unread(reader); p < end; p++) {
        if (*p == '"') {
            is_quoted = !is_quoted;
        } else if (*p == '\n' && !is_quoted) {
            return p + 1;
        }
    }
    return reader->at_end ? end : NULL;
}

static loss_status take_cells(struct reader *reader, int64_t line, char *row)
{
    loss_status status = LOSS_OK;
    for (int64_t c = 0; c < reader->columns && !status; c++) {
        const char *cell = (const char *)reader->window + reader->cells[c];
        if (reader->places[c] >= 0) {
            status = take_number(reader, line, c, cell, row);
        } else if (reader->places[c] != NOWHERE) {
            status = keep_text(reader, reader->places[c], cell, (int64_t)strlen(cell));
        }
    }
    return status;
}

/* Reads the record at begin, or more of the file when it is not all there. *kept says whether it was a row. */
static loss_status read_any_row(struct reader *reader, char *row, int *kept)
{
    struct lossi_io_cutter *cutter = &reader->cutter;
    char *end = record_end(reader);
    *kept = 0;
    if (!end) {
        return refill(reader);
    }
    cutter->text = reader->window;
    cutter->position = unread(reader);
    cutter->end = end;
    cutter->line = reader->line;
    const int64_t empty = lossi_io_csv_skip_empty_lines(cutter), line = cutter->line;
    reader->empty_line = reader->empty_line ? reader->empty_line : empty;
    if (cutter->position < end) {
        if (reader->empty_line) {
            return lossi_io_csv_fail_line(cutter, reader->empty_line, "is empty, but rows follow");
        }
        const int64_t fields = lossi_io_csv_record(cutter, reader->cells, reader->columns);
        if (fields < 0) {
            return cutter->status;
        }
        if (fields != reader->columns) {
            return lossi_io_csv_fail_ragged(cutter, line, fields, reader->columns,
                                            reader->wish->has_header
                                                ? loss_table_column_name(reader->array->header, 0)
                                                : loss_table_cell(reader->array->header, 0, 0),
                                            reader->wish->has_header);
        }
        const loss_status status = take_cells(reader, line, row);
        if (status) {
            return status;
        }
        *kept = 1;
    }
    reader->line = cutter->line;
    reader->begin = end - (char *)reader->window;
    return LOSS_OK;
}

/* ---- the file */

static loss_status keep_row(struct reader *reader, int64_t line)
{
    const loss_status status = lossi_io_lines_note(&reader->array->lines, reader->input.context,
                                                   reader->store.rows, line);
    lossi_io_store_keep(&reader->store);
    if (reader->others) {
        reader->others->rows++;
    }
    return status;
}

static loss_status read_rows(struct reader *reader)
{
    loss_status status = LOSS_OK;
    for (;;) {
        const char *p = unread(reader);
        const int64_t left = reader->end - reader->begin;
        const char *newline = left > 0 ? memchr(p, '\n', (size_t)left) : NULL;
        if (!newline && !reader->at_end) {
            status = refill(reader);
            if (status) {
                return status;
            }
            continue;
        }
        if (left == 0) {
            return LOSS_OK;
        }
        char *row = lossi_io_store_next(&reader->store);
        if (!row) {
            return LOSS_ERROR_MEMORY;
        }
        const char *stop = newline ? newline : p + left;
        stop -= newline && stop > p && stop[-1] == '\r';
        const int64_t line = reader->line;
        int kept = stop > p && !reader->empty_line && read_plain_row(reader, p, stop, row, &status);
        if (kept) {
            reader->begin += (newline ? newline + 1 : stop) - p;
            reader->line += newline != NULL;
        } else if (!status) {
            status = read_any_row(reader, row, &kept);
        }
        if (kept && !status) {
            status = keep_row(reader, line);
        }
        if (status) {
            return status;
        }
    }
}

/* How many rows there will be, by the lines in the window; 0 when that is not known. */
static int64_t guess_rows(const struct reader *reader)
{
    const struct lossi_io_input *input = &reader->input;
    int64_t lines = 1;
    const char *p = unread(reader), *end = (const char *)reader->window + reader->end;
    while (p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
        lines++;
        p++;
    }
    if (reader->at_end) {
        return lines;
    }
    if (input->gzip || input->total < 0 || reader->end == reader->begin) {
        return 0;
    }
    /* A fiftieth more, because lines are not all of one length; memory that is never touched costs nothing. */
    const double per_byte = (double)lines / (double)(reader->end - reader->begin);
    return (int64_t)(1.02 * per_byte * (double)(input->total - input->stored + reader->end - reader->begin)) +
           16;
}

static loss_status read_header(struct reader *reader, char separator)
{
    loss_status status = refill(reader);
    if (!status && reader->end == 0) {
        return lossi_io_csv_fail_empty(reader->input.context, reader->input.path, reader->wish->has_header);
    }
    char *end = NULL;
    while (!status && (end = record_end(reader)) == NULL) {
        status = refill(reader);
    }
    if (status) {
        return status;
    }
    const int64_t length = end - unread(reader);
    const int has_header = reader->wish->has_header;
    status = lossi_io_table_from_text(&reader->array->header, reader->input.context, reader->input.path,
                                      unread(reader), length, has_header, separator);
    if (status) {
        return status;
    }
    reader->columns = reader->array->header->columns;
    if (has_header) {
        for (const char *p = unread(reader); p < end; p++) {
            reader->line += *p == '\n';
        }
        reader->begin += length;
    } else if (length >= 3 && memcmp(unread(reader), "\xef\xbb\xbf", 3) == 0) {
        reader->begin += 3;
    }
    return LOSS_OK;
}

static loss_status prepare(struct reader *reader)
{
    loss_context *context = reader->input.context;
    reader->places = lossi_io_table_allocate(context, reader->columns, sizeof *reader->places);
    reader->cells = lossi_io_table_allocate(context, reader->columns, sizeof *reader->cells);
    reader->pairs = lossi_io_table_allocate(context, reader->columns, 1);
    if (!reader->places || !reader->cells || !reader->pairs) {
        return LOSS_ERROR_MEMORY;
    }
    const loss_status status = lossi_io_numbers_place(reader->array, reader->others, context, reader->wish,
                                                      reader->places, &reader->text_used);
    for (int64_t c = 0; c < reader->columns && !status; c++) {
        const int is_pair = c + 1 < reader->columns && reader->places[c] >= 0 && reader->places[c + 1] >= 0;
        reader->pairs[c] = is_pair ? PAIRS_TRIED : 0;
    }
    reader->text_room = reader->text_used;
    lossi_io_store_begin(&reader->store, context,
                         reader->array->columns * loss_dtype_size(reader->wish->dtype), guess_rows(reader));
    return status;
}

static loss_status finish(struct reader *reader)
{
    struct loss_array *array = reader->array;
    array->dtype = reader->wish->dtype;
    array->dimensions = 2;
    array->extents[0] = array->rows = reader->store.rows;
    array->extents[1] = array->row_stride = array->columns;
    array->column_stride = 1;
    loss_status status = lossi_io_store_finish(&reader->store, &array->values);
    if (!status && reader->others) {
        status = lossi_io_numbers_finish_table(reader->others, &array->lines);
    }
    return status;
}

loss_status lossi_io_numbers_read(struct loss_array *array, loss_table *others,
                                  const struct lossi_io_input *source, const struct lossi_io_numbers *wish)
{
    struct reader reader = {.input = *source, .array = array, .others = others, .wish = wish, .line = 1};
    loss_context *context = source->context;
    lossi_io_csv_begin(&reader.cutter, context, source->path, wish->separator);
    loss_status status = lossi_io_input_open(&reader.input);
    if (!status) {
        status = read_header(&reader, wish->separator);
    }
    if (!status) {
        status = prepare(&reader);
    }
    if (!status) {
        status = read_rows(&reader);
    }
    if (!status) {
        loss_context_release(context, reader.window); /* no more needed when rows are moved together */
        reader.window = NULL;
        status = finish(&reader);
    }
    void *const blocks[] = {reader.window, reader.places, reader.cells, reader.pairs};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        loss_context_release(context, blocks[i]);
    }
    lossi_io_store_end(&reader.store);
    lossi_io_input_close(&reader.input);
    return status;
}
