/*
 * LIBSVM text to compressed sparse rows: "label [qid:query] index:value … [# comment]" (Joachims, SVMlight, 1999, data
 * format; Chang & Lin, LIBSVM, 2011).
 *
 * One pass over a window of whole lines, so that the file is never in memory as a whole; the arrays grow.
 */
#include "number.h"
#include "sparse.h"

#include <inttypes.h>
#include <string.h>

/* Bytes read at once: the lines are still in the second level cache when they are parsed. */
#define WINDOW (INT64_C(1) << 18)

/* 10^18: indices and query identifiers are below, and ten times as much still fits into uint64. */
#define INDEX_LIMIT UINT64_C(1000000000000000000)

struct reader {
    struct lossi_io_input input;
    struct loss_sparse *sparse;
    void *window;
    int64_t capacity, begin, end; /* of the window, and what is unread in it */
    int at_end;                   /* the input has no more */
    const char *line_start;
    int64_t line;
    int64_t row_room, offset_room, query_room, index_room, value_room; /* capacities of the arrays */
    int64_t greatest, greatest_line, greatest_column; /* index as the file has it, and where it is first */
    int has_zero;
    int64_t first_index, columns;
};

/* "data.svm: line 17, column 5: " */
static void begin_sentence(const struct reader *reader, struct lossi_io_message *message, int64_t line,
                           int64_t column)
{
    lossi_io_message_path(message, reader->input.path);
    lossi_io_message_add(message, "line %" PRId64 ", column %" PRId64 ": ", line, column);
}

/* A sentence about the text [p, end), in quotes when it is given. */
static loss_status fail_at(const struct reader *reader, const char *p, const char *end, const char *what)
{
    struct lossi_io_message message = {0};
    begin_sentence(reader, &message, reader->line, p - reader->line_start + 1);
    if (end) {
        char text[64] = {0};
        const size_t length = (size_t)(end - p);
        memcpy(text, p, length < sizeof text - 1 ? length : sizeof text - 1);
        lossi_io_message_quote(&message, text);
        lossi_io_message_add(&message, " ");
    }
    lossi_io_message_add(&message, "%s", what);
    return lossi_io_message_fail(&message, reader->input.context, LOSS_ERROR_FORMAT);
}

static int is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && is_blank(*p)) {
        p++;
    }
    return p;
}

static const char *token_end(const char *p, const char *end)
{
    while (p < end && !is_blank(*p)) {
        p++;
    }
    return p;
}

/* Digits as a number, INDEX_LIMIT for that and all that is greater; returns where they end. */
static const char *read_digits(const char *p, const char *end, int64_t *number)
{
    uint64_t total = 0;
    for (; p < end && *p >= '0' && *p <= '9'; p++) {
        if (total < INDEX_LIMIT) {
            total = 10 * total + (uint64_t)(*p - '0');
        }
    }
    *number = (int64_t)(total < INDEX_LIMIT ? total : INDEX_LIMIT);
    return p;
}

/* Writes the number that ends at a blank or at end to values[at]; *stop is where it ends, also when it is no number. */
static loss_status read_number(const struct reader *reader, const char *p, const char *end, void *values,
                               int64_t at, const char **stop)
{
    const int is_float = reader->sparse->value_dtype == LOSS_FLOAT32;
    double number;
    *stop = lossi_io_scan_decimal(p, &number);
    if (*stop && (*stop == end || is_blank(**stop)) && !(is_float && lossi_io_float_is_doubtful(number))) {
        if (is_float) {
            ((float *)values)[at] = (float)number;
        } else {
            ((double *)values)[at] = number;
        }
        return LOSS_OK;
    }
    *stop = token_end(p, end);
    return is_float ? loss_parse_float(p, *stop - p, (float *)values + at)
                    : loss_parse_double(p, *stop - p, (double *)values + at);
}

/* Why the text where an index should begin is none. */
static loss_status fail_index(const struct reader *reader, const char *p, const char *end)
{
    const char *stop = token_end(p, end);
    if (stop - p >= 4 && memcmp(p, "qid:", 4) == 0) {
        return fail_at(reader, p, NULL, "a qid stands once, right after the label");
    }
    if (stop - p >= 2 && *p == '-' && p[1] >= '0' && p[1] <= '9') {
        return fail_at(reader, p, stop, "has a negative index");
    }
    return fail_at(reader, p, stop, "is no index:value");
}

static loss_status fail_order(const struct reader *reader, const char *p, int64_t index, int64_t before)
{
    struct lossi_io_message message = {0};
    begin_sentence(reader, &message, reader->line, p - reader->line_start + 1);
    if (index == before) {
        lossi_io_message_add(&message, "index %" PRId64 " stands twice", index);
    } else {
        lossi_io_message_add(&message, "index %" PRId64 " after %" PRId64 "; indices must rise", index,
                             before);
    }
    return lossi_io_message_fail(&message, reader->input.context, LOSS_ERROR_FORMAT);
}

/* The entries of a row; there is room for them. */
static loss_status read_entries(struct reader *reader, const char *p, const char *end)
{
    struct loss_sparse *sparse = reader->sparse;
    const int is_wide = sparse->index_dtype == LOSS_INT64;
    const int64_t most = is_wide ? (int64_t)INDEX_LIMIT - 1 : INT32_MAX;
    int64_t before = -1, entry = sparse->entries;
    while ((p = skip_blanks(p, end)) < end) {
        int64_t index;
        const char *colon = read_digits(p, end, &index);
        if (colon == p || colon == end || *colon != ':') {
            return fail_index(reader, p, end);
        }
        if (index > most) {
            return fail_at(reader, p, colon,
                           is_wide ? "is too large an index" : "is too large an index for int32");
        }
        if (index <= before) {
            return fail_order(reader, p, index, before);
        }
        if (index == 0 && reader->first_index == 1) {
            return fail_at(reader, p, NULL, "index 0, but the first column is 1");
        }
        const char *stop;
        if (read_number(reader, colon + 1, end, sparse->values, entry, &stop)) {
            return colon + 1 == stop ? fail_at(reader, p, stop, "has no value")
                                     : fail_at(reader, colon + 1, stop, "is no number");
        }
        if (is_wide) {
            ((int64_t *)sparse->indices)[entry] = index;
        } else {
            ((int32_t *)sparse->indices)[entry] = (int32_t)index;
        }
        reader->has_zero |= index == 0;
        if (index > reader->greatest) {
            reader->greatest = index;
            reader->greatest_line = reader->line;
            reader->greatest_column = p - reader->line_start + 1;
        }
        entry++;
        before = index;
        p = stop;
    }
    sparse->entries = entry;
    return LOSS_OK;
}

/* Grows an array that has no room for so many, to what is expected of it. */
static loss_status make_room_in(const struct reader *reader, void **block, int64_t *room, int64_t used,
                                int64_t needed, int64_t size)
{
    return needed <= *room
               ? LOSS_OK
               : lossi_io_grow(
                     reader->sparse->context, block, room, used,
                     lossi_io_input_expect(&reader->input, reader->end - reader->begin, used, needed), size);
}

/* Room for one more row, and for as many entries as a line of that length can have: " 1:2" is the shortest. */
static loss_status make_room(struct reader *reader, int64_t length)
{
    struct loss_sparse *sparse = reader->sparse;
    const int64_t rows = sparse->rows, entries = sparse->entries, needed = entries + length / 4 + 1;
    const int64_t value_size = loss_dtype_size(sparse->value_dtype);
    loss_status status = make_room_in(reader, &sparse->labels, &reader->row_room, rows, rows + 1, value_size);
    if (!status) {
        status = make_room_in(reader, &sparse->offsets, &reader->offset_room, rows + 1, rows + 2,
                              sizeof(int64_t));
    }
    if (!status) {
        status = make_room_in(reader, &sparse->indices, &reader->index_room, entries, needed,
                              loss_dtype_size(sparse->index_dtype));
    }
    if (!status) {
        status = make_room_in(reader, &sparse->values, &reader->value_room, entries, needed, value_size);
    }
    return status;
}

/* The qid that may stand at *p; all rows have one or none has. */
static loss_status read_query(struct reader *reader, const char **p, const char *end)
{
    struct loss_sparse *sparse = reader->sparse;
    const char *start = *p, *stop = token_end(start, end);
    const int is_there = stop - start >= 4 && memcmp(start, "qid:", 4) == 0;
    if (sparse->rows > 0 && is_there != (sparse->queries != NULL)) {
        return fail_at(reader, start, NULL,
                       is_there ? "a qid, but the rows before have none"
                                : "no qid, but the rows before have one");
    }
    if (!is_there) {
        return LOSS_OK;
    }
    int64_t query;
    const char *digits_end = read_digits(start + 4, stop, &query);
    if (digits_end == start + 4 || digits_end != stop || query == (int64_t)INDEX_LIMIT) {
        return fail_at(reader, start, stop, "is no query identifier");
    }
    const loss_status status = lossi_io_grow(sparse->context, &sparse->queries, &reader->query_room,
                                             sparse->rows, sparse->rows + 1, sizeof(int64_t));
    if (!status) {
        ((int64_t *)sparse->queries)[sparse->rows] = query;
        *p = stop;
    }
    return status;
}

static loss_status read_line(struct reader *reader, const char *p, const char *end)
{
    struct loss_sparse *sparse = reader->sparse;
    reader->line_start = p;
    const char *comment = memchr(p, '#', (size_t)(end - p));
    if (comment) {
        end = comment;
    } else if (end > p && end[-1] == '\r') {
        end--;
    }
    if (reader->line == 1 && end - p >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
        p += 3; /* the byte order mark some editors write before UTF-8 */
    }
    p = skip_blanks(p, end);
    if (p == end) {
        return LOSS_OK;
    }
    loss_status status = make_room(reader, end - p);
    if (status) {
        return status;
    }
    const char *stop;
    if (read_number(reader, p, end, sparse->labels, sparse->rows, &stop)) {
        return fail_at(reader, p, stop,
                       memchr(p, ',', (size_t)(stop - p)) ? "has several labels; a row must have one"
                                                          : "is no label; a row begins with a number");
    }
    p = skip_blanks(stop, end);
    status = read_query(reader, &p, end);
    if (!status) {
        status = read_entries(reader, p, end);
    }
    if (!status) {
        status = lossi_io_lines_note(&sparse->lines, sparse->context, sparse->rows, reader->line);
    }
    if (!status) {
        sparse->rows++;
        ((int64_t *)sparse->offsets)[sparse->rows] = sparse->entries;
    }
    return status;
}

/* Moves what is unread to the front of the window, which grows when a line does not fit, and reads more. */
static loss_status refill(struct reader *reader)
{
    int64_t kept = reader->end - reader->begin, got = 0;
    if (kept > 0) {
        memmove(reader->window, (char *)reader->window + reader->begin, (size_t)kept);
    }
    reader->begin = 0;
    reader->end = kept;
    loss_status status = lossi_io_grow(reader->input.context, &reader->window, &reader->capacity, kept,
                                       (kept < WINDOW ? WINDOW : kept + 1) + LOSSI_IO_SLACK, 1);
    const int64_t room = reader->capacity - LOSSI_IO_SLACK - kept;
    if (!status) {
        status = lossi_io_input_read(&reader->input, (char *)reader->window + kept, room, &got);
    }
    if (!status) {
        reader->at_end = got < room;
        reader->end = kept + got;
        memset((char *)reader->window + reader->end, 0, LOSSI_IO_SLACK);
    }
    return status;
}

static loss_status read_lines(struct reader *reader)
{
    loss_status status = refill(reader);
    while (!status) {
        const char *p = (const char *)reader->window + reader->begin;
        const int64_t left = reader->end - reader->begin;
        const char *newline = left > 0 ? memchr(p, '\n', (size_t)left) : NULL;
        if (!newline && !reader->at_end) {
            status = refill(reader);
            continue;
        }
        if (left == 0) {
            break;
        }
        const int64_t length = newline ? newline - p : left;
        reader->line++;
        status = read_line(reader, p, p + length);
        reader->begin += length + (newline != NULL);
    }
    return status;
}

/* Counts the columns, and the indices from 0. */
static loss_status finish(struct reader *reader)
{
    struct loss_sparse *sparse = reader->sparse;
    struct lossi_io_message message = {0};
    if (sparse->rows == 0) {
        lossi_io_message_path(&message, reader->input.path);
        lossi_io_message_add(&message, "there are no rows; lines such as \"1 3:0.5 7:-2\" were expected");
        return lossi_io_message_fail(&message, sparse->context, LOSS_ERROR_FORMAT);
    }
    const int64_t first = reader->first_index >= 0 ? reader->first_index : !reader->has_zero;
    const int64_t needed = reader->greatest < 0 ? 0 : reader->greatest + 1 - first;
    if (reader->columns > 0 && needed > reader->columns) {
        begin_sentence(reader, &message, reader->greatest_line, reader->greatest_column);
        lossi_io_message_add(&message,
                             "index %" PRId64 ", but there %s %" PRId64 " column%s, counted from %" PRId64,
                             reader->greatest, reader->columns == 1 ? "is" : "are", reader->columns,
                             reader->columns == 1 ? "" : "s", first);
        return lossi_io_message_fail(&message, sparse->context, LOSS_ERROR_FORMAT);
    }
    sparse->columns = reader->columns > 0 ? reader->columns : needed;
    for (int64_t e = 0; first && e < sparse->entries; e++) {
        if (sparse->index_dtype == LOSS_INT64) {
            ((int64_t *)sparse->indices)[e]--;
        } else {
            ((int32_t *)sparse->indices)[e]--;
        }
    }
    return LOSS_OK;
}

loss_status lossi_io_svmlight_read(struct loss_sparse *sparse, const struct lossi_io_input *source,
                                   int64_t first_index, int64_t columns)
{
    struct reader reader = {
        .input = *source, .sparse = sparse, .greatest = -1, .first_index = first_index, .columns = columns};
    loss_status status = lossi_io_input_open(&reader.input);
    if (!status) {
        status = lossi_io_grow(sparse->context, &sparse->offsets, &reader.offset_room, 0, 2, sizeof(int64_t));
    }
    if (!status) {
        ((int64_t *)sparse->offsets)[0] = 0;
        status = read_lines(&reader);
    }
    if (!status) {
        status = finish(&reader);
    }
    loss_context_release(sparse->context, reader.window);
    lossi_io_input_close(&reader.input);
    return status;
}
