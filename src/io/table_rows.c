/* A CSV text that is wholly in memory, to the cells and numbers of a table in one pass. */
#include "csv.h"
#include "number.h"

#include <inttypes.h>
#include <string.h>

/* Bytes of text between two calls of the progress callback while cells are read. */
#define CUT_PIECE (INT64_C(1) << 20)

loss_status lossi_io_lines_note(struct lossi_io_lines *lines, loss_context *context, int64_t row,
                                int64_t line)
{
    if (line == lossi_io_lines_at(lines, row)) {
        return LOSS_OK;
    }
    void *breaks = lines->breaks;
    const loss_status status = lossi_io_grow(context, &breaks, &lines->capacity, lines->count,
                                             lines->count + 1, sizeof *lines->breaks);
    lines->breaks = breaks;
    if (!status) {
        lines->breaks[lines->count++] = (struct lossi_io_break){row, line};
    }
    return status;
}

int64_t lossi_io_lines_at(const struct lossi_io_lines *lines, int64_t row)
{
    int64_t low = 0, high = lines->count;
    while (low < high) { /* the first break behind the row */
        const int64_t middle = low + (high - low) / 2;
        if (lines->breaks[middle].row <= row) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == 0 ? row + 1 : lines->breaks[low - 1].line + (row - lines->breaks[low - 1].row);
}

/*
 * A cell that is a number and nothing else, the most of all; 0 when it is something else, and nothing has happened. A line
 * that it ends is counted.
 */
static int read_number(struct lossi_io_cutter *cutter, double *number)
{
    char *stop = (char *)lossi_io_scan_decimal(cutter->position, number);
    if (!stop || stop >= cutter->end) {
        return 0;
    }
    const int kind = cutter->kind[(unsigned char)*stop];
    if (kind != BYTE_SEPARATOR && kind != BYTE_NEWLINE) {
        return 0;
    }
    *stop = '\0';
    cutter->position = stop + 1;
    cutter->line += kind == BYTE_NEWLINE;
    return kind;
}

/*
 * Two such cells at a time from column c on, as long as both are short integers, see number.h. Returns the column it came to, as many as
 * there are when the line is ended.
 */
static int64_t read_pairs(struct lossi_io_cutter *cutter, loss_table *table, unsigned char *pairs, int64_t c)
{
    const int64_t last = table->columns - 1, *bad_row = table->bad_row;
    int64_t *cells = table->cells + table->rows * table->columns;
    double *numbers = table->numbers + table->rows * table->columns;
    const char separator = cutter->separator;
    char *p = cutter->position;
    while (c < last && pairs[c] > 0 && bad_row[c] < 0 && bad_row[c + 1] < 0) {
        struct lossi_io_pair pair;
        int found = lossi_io_two_integers(p, separator, &pair);
        char *end = p + (found ? pair.ends[1] : 0);
        found = found && *end == (c + 1 < last ? separator : '\n');
        lossi_io_pair_count(&pairs[c], found);
        if (!found) {
            break;
        }
        cells[c] = p - cutter->text;
        cells[c + 1] = cells[c] + pair.ends[0] + 1;
        numbers[c] = (double)pair.numbers[0];
        numbers[c + 1] = (double)pair.numbers[1];
        p[pair.ends[0]] = *end = '\0';
        p = end + 1;
        c += 2;
    }
    cutter->position = p;
    cutter->line += c > last;
    return c;
}

/* Reads a row's cells, and numbers where all cells above were numbers; returns how many there were, −1 after an error. */
static int64_t read_row(struct lossi_io_cutter *cutter, loss_table *table, unsigned char *pairs)
{
    const int64_t columns = table->columns;
    int64_t *cells = table->cells + table->rows * columns, unwanted;
    double *numbers = table->numbers + table->rows * columns;
    int ended;
    cutter->column = 0;
    do {
        int64_t c = cutter->column;
        if (c < columns && pairs[c] > 0) {
            cutter->column = c = read_pairs(cutter, table, pairs, c);
            if (c == columns) {
                break;
            }
        }
        const int is_number = c < columns && table->bad_row[c] < 0;
        if (is_number) {
            cells[c] = cutter->position - cutter->text;
            const int kind = read_number(cutter, &numbers[c]);
            if (kind) {
                cutter->column++;
                ended = kind == BYTE_SEPARATOR ? END_OF_CELL : END_OF_LINE;
                continue;
            }
        }
        ended = lossi_io_csv_cell(cutter, c < columns ? &cells[c] : &unwanted);
        if (ended == END_IN_ERROR) {
            return -1;
        }
        cutter->column++;
        if (is_number && lossi_io_parse_cell(cutter->text + cells[c], &numbers[c])) {
            table->bad_row[c] = table->rows;
        }
    } while (ended == END_OF_CELL);
    return cutter->column;
}

/* Tells how much of the text was gone through, in bytes of the file; length of text are total of these. */
static loss_status tell(const struct lossi_io_cutter *cutter, struct lossi_io_input *input, int64_t length)
{
    const int64_t stored = input->total < 0 ? length : input->total;
    const double part = (double)(cutter->position - cutter->text) / (double)length;
    return lossi_io_input_tell(input, stored + (int64_t)((double)stored * part));
}

static loss_status read_rows(struct lossi_io_cutter *cutter, loss_table *table, struct lossi_io_input *input,
                             int64_t length, int has_header, unsigned char *pairs)
{
    int64_t next_told = CUT_PIECE;
    for (;;) {
        const int64_t empty = lossi_io_csv_skip_empty_lines(cutter);
        if (cutter->position == cutter->end) {
            return tell(cutter, input, length);
        }
        if (empty) {
            return lossi_io_csv_fail_line(cutter, empty, "is empty, but rows follow");
        }
        const int64_t line = cutter->line;
        const int64_t fields = read_row(cutter, table, pairs);
        if (fields < 0) {
            return cutter->status;
        }
        if (fields != table->columns) {
            const char *first = table->names ? table->text + table->names[0] : table->text + table->cells[0];
            return lossi_io_csv_fail_ragged(cutter, line, fields, table->columns, first, has_header);
        }
        loss_status status = lossi_io_lines_note(&table->lines, table->context, table->rows++, line);
        if (!status && cutter->position - cutter->text >= next_told) {
            next_told += CUT_PIECE;
            status = tell(cutter, input, length);
        }
        if (status) {
            return status;
        }
    }
}

/* The first line settles the number of columns. */
static loss_status read_first_line(struct lossi_io_cutter *cutter, loss_table *table, int has_header)
{
    if (lossi_io_csv_skip_empty_lines(cutter) || cutter->position == cutter->end) {
        return lossi_io_csv_fail_line(cutter, 1,
                                      has_header ? "is empty; it must have the column names"
                                                 : "is empty; it must have the first row");
    }
    table->columns = lossi_io_csv_record(cutter, table->cells, INT64_MAX);
    if (table->columns < 0) {
        return cutter->status;
    }
    if (!has_header) {
        return LOSS_OK;
    }
    table->names = lossi_io_table_allocate(table->context, table->columns, sizeof *table->names);
    if (!table->names) {
        return LOSS_ERROR_MEMORY;
    }
    memcpy(table->names, table->cells, (size_t)table->columns * sizeof *table->names);
    return LOSS_OK;
}

/* How often the byte is in the text, eight at a time: a byte of a word is 0 where it is the byte sought. */
static int64_t count_byte(const char *p, const char *end, char byte)
{
    const uint64_t ones = 0x0101010101010101u, sevens = 0x7f7f7f7f7f7f7f7fu;
    const uint64_t pattern = ones * (unsigned char)byte;
    int64_t count = 0;
    for (; end - p >= 8; p += 8) {
        uint64_t word;
        memcpy(&word, p, sizeof word);
        word ^= pattern;
        /* The highest bit of every byte that is not 0; the number of the others is added up by the product. */
        const uint64_t others = ~(((word & sevens) + sevens) | word | sevens) >> 7;
        count += (int64_t)(others * ones >> 56);
    }
    for (; p < end; p++) {
        count += *p == byte;
    }
    return count;
}

/* The cells of the first line are those of the first row; the numbers they are. */
static void take_first_row(struct lossi_io_cutter *cutter, loss_table *table)
{
    for (int64_t c = 0; c < table->columns; c++) {
        if (lossi_io_parse_cell(cutter->text + table->cells[c], &table->numbers[c])) {
            table->bad_row[c] = 0;
        }
    }
    table->rows = 1;
}

loss_status lossi_io_table_cut(loss_table *table, struct lossi_io_input *input, int64_t length,
                               int has_header, char separator)
{
    loss_context *context = table->context;
    struct lossi_io_cutter cutter;
    lossi_io_csv_begin(&cutter, context, table->path, separator);
    cutter.text = cutter.position = table->text;
    cutter.end = table->text + length;
    memset(cutter.end, 0, LOSSI_IO_SLACK);
    /* No file has more cells than separators and line ends, give or take the last. */
    const int64_t most_cells = count_byte(table->text, cutter.end, separator) +
                               count_byte(table->text, cutter.end, '\n') + 1;
    table->cells = lossi_io_table_allocate(context, most_cells, sizeof *table->cells);
    table->numbers = lossi_io_table_allocate(context, most_cells, sizeof *table->numbers);
    if (!table->cells || !table->numbers) {
        return LOSS_ERROR_MEMORY;
    }
    if (length >= 3 && memcmp(table->text, "\xef\xbb\xbf", 3) == 0) {
        cutter.position += 3; /* the byte order mark some editors write before UTF-8 */
    }
    loss_status status = read_first_line(&cutter, table, has_header);
    if (!status) {
        status = lossi_io_table_check_names(table);
    }
    if (!status) {
        status = lossi_io_table_start_numbers(table);
    }
    if (!status && !has_header) {
        take_first_row(&cutter, table);
    }
    unsigned char *pairs = status ? NULL : lossi_io_table_allocate(context, table->columns, 1);
    if (pairs) {
        memset(pairs, PAIRS_TRIED, (size_t)table->columns);
        status = read_rows(&cutter, table, input, length, has_header, pairs);
        loss_context_release(context, pairs);
        return status;
    }
    return status ? status : LOSS_ERROR_MEMORY;
}
