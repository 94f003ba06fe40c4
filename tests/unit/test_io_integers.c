/* Tables of short whole numbers, which are read two at a time: the same numbers, cells and sentences as one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loss/io.h"
#include "loss/random.h"

enum { MOST_COLUMNS = 9, ROWS = 70, CELL = 16, TABLES = 1500 };

/* Cells as they stand in the file; the first row is the header. */
struct text {
    int columns;
    char separator;
    const char *line_end;
    int ends_open; /* the last line has no end */
    char cells[ROWS + 1][MOST_COLUMNS][CELL];
};

/* One in `others` cells is no short integer, in some rows none is: the reader gives up looking for pairs and must not mind. */
static void make_cell(char *cell, uint32_t word, uint32_t others, int is_plain_row)
{
    static const char *const kinds[] = {
        "-12", "1.5",  "+7",    "12e1", "0x1F", "1234567", "12345678",
        " 8",  "3\t",  "\"9\"", ".5",   "6.",   "-0",      "123456789012345678",
        "1e3", "00010"};
    if (!is_plain_row || word % others == 0) {
        snprintf(cell, CELL, "%.15s", kinds[word / 64 % (sizeof kinds / sizeof *kinds)]);
        return;
    }
    static const int limits[] = {10, 10, 100, 256, 1000, 10000, 100000};
    const int limit = limits[word / 64 % 7], number = (int)(word / 1024 % (uint32_t)limit);
    snprintf(cell, CELL, word % 5 == 1 ? "%03d" : "%d", number);
}

static void make_text(struct text *text, uint64_t index)
{
    static const char separators[] = {',', ';', '\t', ':'};
    uint32_t words[6 + ROWS * MOST_COLUMNS];
    loss_random_words(73, 0, index, sizeof words / sizeof *words, words);
    text->columns = 1 + (int)(words[0] % MOST_COLUMNS);
    text->separator = separators[words[1] % 4];
    text->line_end = words[2] % 3 ? "\n" : "\r\n";
    text->ends_open = words[3] % 2;
    const uint32_t others = words[4] % 3 ? 50 : 4, *next = words + 6;
    for (int r = 0; r <= ROWS; r++) {
        /* For a while nothing but others, now and then. */
        const int is_plain_row = words[5] % 4 || r < 10 || r >= 30;
        for (int c = 0; c < text->columns; c++) {
            if (r == 0) {
                snprintf(text->cells[0][c], CELL, "c%d", c);
                continue;
            }
            make_cell(text->cells[r][c], *next++, others, is_plain_row);
            if (strchr(text->cells[r][c], text->separator)) { /* a tab, which else is a blank */
                snprintf(text->cells[r][c], CELL, "77");
            }
        }
    }
}

/* In a block of its own size, so that a sanitizer sees a byte read too far. */
static char *write_text(const struct text *text, int64_t *length)
{
    char *bytes = malloc((ROWS + 1) * MOST_COLUMNS * (CELL + 2)), *p = bytes;
    assert_non_null(bytes);
    for (int r = 0; r <= ROWS; r++) {
        for (int c = 0; c < text->columns; c++) {
            p += sprintf(p, "%s", text->cells[r][c]);
            if (c + 1 < text->columns) {
                *p++ = text->separator;
            }
        }
        p += r < ROWS || !text->ends_open ? sprintf(p, "%s", text->line_end) : 0;
    }
    *length = p - bytes;
    return realloc(bytes, (size_t)*length);
}

/* What a cell is worth, by the C library; quotes and blanks count for nothing. */
static double worth(const char *cell)
{
    return strtod(*cell == '"' ? cell + 1 : cell, NULL);
}

static void check_array(loss_context *context, const struct text *text, const char *bytes, int64_t length,
                        loss_dtype dtype)
{
    loss_array *array;
    assert_int_equal(loss_array_parse_csv(&array, NULL, context, bytes, length, 1, text->separator, dtype, 1,
                                          -1, NULL, 0, NULL),
                     LOSS_OK);
    assert_int_equal(loss_array_row_count(array), ROWS);
    assert_int_equal(loss_array_column_count(array), text->columns);
    for (int r = 0; r < ROWS; r++) {
        assert_int_equal(loss_array_row_line(array, r), r + 2);
        for (int c = 0; c < text->columns; c++) {
            const int64_t at = (int64_t)r * text->columns + c;
            const double expected = worth(text->cells[r + 1][c]);
            if (dtype == LOSS_FLOAT64) {
                assert_memory_equal((const double *)loss_array_values(array) + at, &expected,
                                    sizeof expected);
            } else {
                const char *cell = text->cells[r + 1][c];
                const float narrow = strtof(*cell == '"' ? cell + 1 : cell, NULL);
                assert_memory_equal((const float *)loss_array_values(array) + at, &narrow, sizeof narrow);
            }
        }
    }
    loss_array_free(array);
}

static void check_table(loss_context *context, const struct text *text, const char *bytes, int64_t length)
{
    loss_table *table;
    assert_int_equal(loss_table_parse_csv(&table, context, bytes, length, 1, text->separator), LOSS_OK);
    assert_int_equal(loss_table_row_count(table), ROWS);
    assert_int_equal(loss_table_column_count(table), text->columns);
    for (int c = 0; c < text->columns; c++) {
        double numbers[ROWS];
        assert_int_equal(loss_table_get_column_double(table, context, c, numbers, 1), LOSS_OK);
        for (int r = 0; r < ROWS; r++) {
            const char *cell = text->cells[r + 1][c], *is = loss_table_cell(table, r, c);
            const double expected = worth(cell);
            assert_memory_equal(&numbers[r], &expected, sizeof expected);
            if (*cell != '"') {
                assert_string_equal(is, cell);
            }
            assert_int_equal(loss_table_row_line(table, r), r + 2);
        }
    }
    loss_table_free(table);
}

static void test_against_strtod(void **state)
{
    (void)state;
    static struct text text;
    loss_context *context;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    for (uint64_t i = 0; i < TABLES; i++) {
        int64_t length;
        make_text(&text, i);
        char *bytes = write_text(&text, &length);
        check_array(context, &text, bytes, length, LOSS_FLOAT64);
        check_array(context, &text, bytes, length, LOSS_FLOAT32);
        check_table(context, &text, bytes, length);
        free(bytes);
    }
    loss_context_free(context);
}

/* Every pair of lengths, at every place of a row: with one digit more a pair is none. */
static void test_every_length(void **state)
{
    (void)state;
    static const char *const numbers[] = {"4", "73", "905", "2618", "51746"};
    loss_context *context;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    for (int columns = 1; columns <= 5; columns++) {
        for (int code = 0; code < 3125; code++) {
            char bytes[64] = "", *p = bytes;
            double expected[5];
            for (int c = 0, rest = code; c < columns; c++, rest /= 5) {
                p += sprintf(p, c ? ",%s" : "%s", numbers[rest % 5]);
                expected[c] = atof(numbers[rest % 5]);
            }
            loss_array *array;
            assert_int_equal(loss_array_parse_csv(&array, NULL, context, bytes, p - bytes, 0, 0, LOSS_FLOAT64,
                                                  1, -1, NULL, 0, NULL),
                             LOSS_OK);
            assert_int_equal(loss_array_column_count(array), columns);
            assert_memory_equal(loss_array_values(array), expected, (size_t)columns * sizeof *expected);
            loss_array_free(array);
        }
    }
    loss_context_free(context);
}

/* A field too many or too few, and what is no number, in the middle of pairs. */
static void test_sentences(void **state)
{
    (void)state;
    static const struct {
        const char *row, *sentence;
        int is_of_tables; /* these keep text as it is */
    } cases[] = {
        {"1,2,3", "line 3 has 3 fields, the header has 4", 1},
        {"1,2,3,4,5", "line 3 has 5 fields, the header has 4", 1},
        {"1,2", "line 3 has 2 fields, the header has 4", 1},
        {"1,2,3,", "line 3, column 4 (\"d\"): an empty field is no number", 0},
        {",2,3,4", "line 3, column 1 (\"a\"): an empty field is no number", 0},
        {"1,,3,4", "line 3, column 2 (\"b\"): an empty field is no number", 0},
        {"1,2,3,4x", "line 3, column 4 (\"d\"): \"4x\" is no number", 0},
        {"1,2,3;4,5", "line 3, column 3 (\"c\"): \"3;4\" is no number", 0},
        {"1,2,12/,4", "line 3, column 3 (\"c\"): \"12/\" is no number", 0},
        {"1,2,3:,4", "line 3, column 3 (\"c\"): \"3:\" is no number", 0},
        {"1,2,3,\xb1", "line 3, column 4 (\"d\"): \"\xb1\" is no number", 0},
        {"1,2,3,4\r5", "line 3, column 4: a carriage return that no line feed follows", 1},
        {"1,2,3,4\"", "line 3, column 4: a quote within a field; quote the whole field and double the quote",
         1},
    };
    loss_context *context;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        char bytes[64];
        const int length = sprintf(bytes, "a,b,c,d\n5,67,890,1234\n%s\n", cases[k].row);
        loss_array *array;
        loss_table *table;
        assert_int_equal(loss_array_parse_csv(&array, NULL, context, bytes, length, 1, 0, LOSS_FLOAT64, 1, -1,
                                              NULL, 0, NULL),
                         LOSS_ERROR_FORMAT);
        assert_string_equal(loss_context_error(context), cases[k].sentence);
        assert_int_equal(loss_table_parse_csv(&table, context, bytes, length, 1, 0),
                         cases[k].is_of_tables ? LOSS_ERROR_FORMAT : LOSS_OK);
        if (cases[k].is_of_tables) {
            assert_string_equal(loss_context_error(context), cases[k].sentence);
        }
        loss_table_free(table);
    }
    loss_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_strtod),
        cmocka_unit_test(test_every_length),
        cmocka_unit_test(test_sentences),
    };
    return cmocka_run_group_tests_name("io_integers", tests, NULL, NULL);
}
