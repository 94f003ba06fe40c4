/* Random CSV texts: nothing is read that is not there, and what was read can be written and read again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "loss/io.h"
#include "loss/random.h"

enum { TEXTS = 50000, MOST_LETTERS = 40 };

static int64_t write_cell(char *out, const char *cell)
{
    char *p = out;
    *p++ = '"';
    for (; *cell; cell++) {
        if (*cell == '"') {
            *p++ = '"';
        }
        *p++ = *cell;
    }
    *p++ = '"';
    return p - out;
}

/* Every cell quoted, every quote doubled. */
static int64_t write_table(char *text, const loss_table *table)
{
    int64_t length = 0;
    const int64_t columns = loss_table_column_count(table);
    for (int64_t r = 0; r < loss_table_row_count(table); r++) {
        for (int64_t c = 0; c < columns; c++) {
            length += write_cell(text + length, loss_table_cell(table, r, c));
            text[length++] = c + 1 < columns ? ',' : '\n';
        }
    }
    return length;
}

static void check_read_again(loss_context *context, const loss_table *table)
{
    char text[8 * MOST_LETTERS];
    const int64_t rows = loss_table_row_count(table), columns = loss_table_column_count(table);
    loss_table *again = NULL;
    assert_int_equal(loss_table_parse_csv(&again, context, text, write_table(text, table), 0, 0), LOSS_OK);
    assert_int_equal(loss_table_row_count(again), rows);
    assert_int_equal(loss_table_column_count(again), columns);
    for (int64_t c = 0; c < columns; c++) {
        assert_int_equal(loss_table_column_is_numeric(again, c), loss_table_column_is_numeric(table, c));
        for (int64_t r = 0; r < rows; r++) {
            assert_string_equal(loss_table_cell(again, r, c), loss_table_cell(table, r, c));
        }
    }
    loss_table_free(again);
}

/* The letters that mean something, the commoner ones more often; the last, NUL, only in every 16th text. */
static char *make_text(int64_t number, int64_t *length)
{
    static const char letters[] = {',', ',', ',', '"', '"', '\n', '\n', '\r',
                                   '1', '.', 'e', '-', ' ', 'x',  '\0'};
    uint32_t words[MOST_LETTERS + 2];
    assert_int_equal(loss_random_words(29, (uint64_t)number, 0, MOST_LETTERS + 2, words), LOSS_OK);
    *length = words[0] % MOST_LETTERS;
    const uint32_t count = words[1] % 16 == 0 ? sizeof letters : sizeof letters - 1;
    /* In a block of its own size, so that a sanitizer sees a byte read too far. */
    char *text = malloc(*length > 0 ? (size_t)*length : 1);
    assert_non_null(text);
    for (int64_t i = 0; i < *length; i++) {
        text[i] = letters[words[i + 2] % count];
    }
    return text;
}

static void test_random_texts(void **state)
{
    (void)state;
    loss_context *context = NULL;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    int64_t good = 0, bad = 0;
    for (int64_t i = 0; i < TEXTS; i++) {
        int64_t length;
        char *text = make_text(i, &length);
        loss_table *table = NULL;
        const loss_status status = loss_table_parse_csv(&table, context, text, length, 0, 0);
        if (status == LOSS_OK) {
            check_read_again(context, table);
            good++;
        } else {
            assert_int_equal(status, LOSS_ERROR_FORMAT);
            assert_null(table);
            bad++;
        }
        loss_table_free(table);
        free(text);
    }
    loss_context_free(context);
    /* Both ways were tried. */
    assert_true(good > TEXTS / 50);
    assert_true(bad > TEXTS / 2);
    print_message("%d texts, of which %d are tables\n", TEXTS, (int)good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_texts)};
    return cmocka_run_group_tests_name("io_random", tests, NULL, NULL);
}
