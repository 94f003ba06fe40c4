/* Tables of libloss_io: good files, bad files word for word, and memory that runs out at every
 * place. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io_table.h"

/* ---- good input ---- */

static void test_quotes_and_line_ends(void **state)
{
    (void)state;
    loss_table *table = parse_text("\xef\xbb\xbf"
                                   "name,\"a \"\"b\"\"\",\"two\nlines\"\r\n"
                                   "\"Huber, P.\",2.385, -7.5e-3\t\r\n"
                                   "\"\",\"1.5\",0x1.8p1\n"
                                   "x,inf,-nan\n\r\n\n",
                                   1);
    assert_int_equal(loss_table_row_count(table), 3);
    assert_int_equal(loss_table_column_count(table), 3);
    assert_string_equal(loss_table_column_name(table, 0), "name");
    assert_string_equal(loss_table_column_name(table, 1), "a \"b\"");
    assert_string_equal(loss_table_column_name(table, 2), "two\nlines");
    assert_string_equal(loss_table_cell(table, 0, 0), "Huber, P.");
    assert_string_equal(loss_table_cell(table, 1, 0), "");
    assert_string_equal(loss_table_cell(table, 0, 2), " -7.5e-3\t");
    assert_int_equal(loss_table_row_line(table, 0), 3); /* the header took two lines */
    assert_int_equal(loss_table_row_line(table, 2), 5);
    assert_int_equal(loss_table_column_is_numeric(table, 0), 0);
    assert_int_equal(loss_table_column_is_numeric(table, 1), 1);
    double values[6] = {-3, -3, -3, -3, -3, -3};
    assert_int_equal(loss_table_get_column_double(table, context, 1, values, 2), LOSS_OK);
    assert_true(values[0] == 2.385 && values[2] == 1.5 && values[4] == INFINITY);
    assert_true(values[1] == -3 && values[3] == -3 && values[5] == -3);
    assert_int_equal(loss_table_get_column_double(table, context, 2, values + 2, -1), LOSS_OK);
    assert_true(values[2] == -7.5e-3 && values[1] == 3 && isnan(values[0]));
    loss_table_free(table);
}

static void test_outside_the_table(void **state)
{
    (void)state;
    loss_table *table = parse_text("2.385,7\n", 0);
    double value = -3;
    assert_string_equal(loss_table_path(table), "");
    assert_string_equal(loss_table_column_name(table, 1), "2");
    assert_null(loss_table_column_name(table, 2));
    assert_null(loss_table_column_name(table, -1));
    assert_null(loss_table_cell(table, 1, 0));
    assert_null(loss_table_cell(table, -1, 0));
    assert_null(loss_table_cell(table, 0, 2));
    assert_int_equal(loss_table_row_line(table, 1), 0);
    assert_int_equal(loss_table_column_is_numeric(table, 2), 0);
    assert_int_equal(loss_table_get_column_double(table, context, 2, &value, 1), LOSS_ERROR_ARGUMENT);
    assert_string_equal(loss_context_error(context), "column 2 (counted from 0) of a table with 2 columns");
    assert_int_equal(loss_table_get_column_double(table, context, 0, NULL, 1), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_table_get_column_double(NULL, context, 0, &value, 1), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_table_get_column_double(table, NULL, 0, &value, 1), LOSS_ERROR_ARGUMENT);
    assert_true(value == -3);
    assert_int_equal(loss_table_row_count(NULL), 0);
    assert_int_equal(loss_table_column_count(NULL), 0);
    assert_null(loss_table_cell(NULL, 0, 0));
    loss_table_free(table);
    loss_table_free(NULL);
}

static void test_separator_and_header_only(void **state)
{
    (void)state;
    loss_table *table = NULL;
    const char *text = "a;b\n1,5;\"2;5\"";
    assert_int_equal(loss_table_parse_csv(&table, context, text, (int64_t)strlen(text), 1, ';'), LOSS_OK);
    assert_string_equal(loss_table_cell(table, 0, 0), "1,5");
    assert_string_equal(loss_table_cell(table, 0, 1), "2;5");
    loss_table_free(table);
    table = parse_text("a,b", 1);
    assert_int_equal(loss_table_row_count(table), 0);
    assert_int_equal(loss_table_column_is_numeric(table, 1), 1);
    assert_int_equal(loss_table_get_column_double(table, context, 1, NULL, 1), LOSS_OK);
    loss_table_free(table);
}

static void test_float_is_rounded_once(void **state)
{
    (void)state;
    /* 1 + 2^−24 + 2^−60: above the midpoint of two floats, and its double is that midpoint, which rounds to
     * even. */
    loss_table *table = parse_text(" 1.000000059604644776257986737988 \n1.00000005960464477539\n0.1\n1e39\n",
                                   0);
    float values[4];
    assert_int_equal(loss_table_get_column_float(table, context, 0, values, 1), LOSS_OK);
    assert_true(values[0] == 0x1.000002p0f && values[1] == 1.0f && values[2] == 0.1f && isinf(values[3]));
    loss_table_free(table);
}

static void test_whole_numbers(void **state)
{
    (void)state;
    loss_table *table = parse_text(
        "9223372036854775807,3\n-9223372036854775808,3.0\n+9007199254740993 ,30e-1\n", 0);
    int64_t values[3];
    assert_int_equal(loss_table_get_column_int64(table, context, 0, values, 1), LOSS_OK);
    assert_true(values[0] == INT64_MAX && values[1] == INT64_MIN && values[2] == INT64_C(9007199254740993));
    assert_int_equal(loss_table_get_column_int64(table, context, 1, values, 1), LOSS_OK);
    assert_true(values[0] == 3 && values[1] == 3 && values[2] == 3);
    loss_table_free(table);
    static const char *const refused[] = {
        "1\n2.5",  "1\n9223372036854775808", "1\n-9223372036854775809", "1\ninf", "1\n1e16", "1\nnan",
        "1\nseven"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        table = parse_text(refused[i], 0);
        values[0] = -3;
        char expected[100];
        snprintf(expected, sizeof expected, "line 2, column 1: \"%s\" is no whole number", refused[i] + 2);
        assert_int_equal(loss_table_get_column_int64(table, context, 0, values, 1), LOSS_ERROR_FORMAT);
        assert_string_equal(loss_context_error(context), expected);
        assert_int_equal(values[0], -3);
        loss_table_free(table);
    }
}

/* ---- bad input ---- */

static const struct {
    const char *text;
    int64_t length; /* 0: up to the NUL */
    int32_t has_header;
    const char *sentence;
} malformed[] = {
    {"", 0, 1, "the file is empty; a line with the names of the columns was expected, and rows below it"},
    {"", 0, 0, "the file is empty; rows of fields were expected"},
    {"\n1,2\n", 0, 1, "line 1 is empty; it must have the column names"},
    {"\xef\xbb\xbf", 0, 0, "line 1 is empty; it must have the first row"},
    {"a,b\n1,2\n3\n", 0, 1, "line 3 has 1 field, the header has 2"},
    {"a,b\n1,2\n3,4,5\n", 0, 1, "line 3 has 3 fields, the header has 2"},
    {"1,2\n3,4,5\n", 0, 0, "line 2 has 3 fields, the first line has 2"},
    {"a;b\n1,5;2\n", 0, 1, "line 2 has 2 fields, the header has 1; the separator is probably ';'"},
    {"a\tb\n1,5\t2\n", 0, 1, "line 2 has 2 fields, the header has 1; the separator is probably a tab"},
    {"a|b\n1,5|2\n", 0, 1, "line 2 has 2 fields, the header has 1; the separator is probably '|'"},
    {"7;5\n1,5;2\n", 0, 0, "line 2 has 2 fields, the first line has 1; the separator is probably ';'"},
    {"a,b\n1,2\n3,4,", 0, 1, "line 3 has 3 fields, the header has 2"},
    {"a,b\n\"x\ny\",2\n3\n", 0, 1, "line 4 has 1 field, the header has 2"},
    {"a,b\n1,2\n\n\n3,4\n", 0, 1, "line 3 is empty, but rows follow"},
    {"a,b\r\n1,2\r\n\r\n3,4\r\n", 0, 1, "line 3 is empty, but rows follow"},
    {"a,b,a\n1,2,3\n", 0, 1, "line 1 has the column name \"a\" twice"},
    {",,b\n1,2,3\n", 0, 1, "line 1 has the column name \"\" twice"},
    {"a,b\n1,\"2\n3,4\n", 0, 1, "line 2, column 2: the quote that opens here is never closed"},
    {"a,b\n1,\"2\"3\n", 0, 1,
     "line 2, column 2: a closing quote must be followed by a separator or the end of the line"},
    {"a,b\n1,2\"3\n", 0, 1,
     "line 2, column 2: a quote within a field; quote the whole field and double the quote"},
    {"a,b\n1,2\r3,4\n", 0, 1, "line 2, column 2: a carriage return that no line feed follows"},
    {"a,b\n1,2\r", 0, 1, "line 2, column 2: a carriage return that no line feed follows"},
    {"a,b\n1\0,2\n", 9, 1, "line 2, column 1: a NUL byte; this is no text"},
    {"a,b\n1,\"2\0\"\n", 11, 1, "line 2, column 2: a NUL byte; this is no text"},
};

static void test_malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        loss_table *table = (loss_table *)&malformed;
        const int64_t length = malformed[i].length ? malformed[i].length : (int64_t)strlen(malformed[i].text);
        assert_int_equal(
            loss_table_parse_csv(&table, context, malformed[i].text, length, malformed[i].has_header, 0),
            LOSS_ERROR_FORMAT);
        assert_null(table);
        assert_string_equal(loss_context_error(context), malformed[i].sentence);
    }
}

static void test_no_number(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sentence;
    } rows[] = {
        {"a,radius\n1,2.5\n3,abc\n4,def\n", "line 3, column 2 (\"radius\"): \"abc\" is no number"},
        {"a,radius\n1,\n", "line 2, column 2 (\"radius\"): an empty field is no number"},
        {"a,radius\n1,1 000\n", "line 2, column 2 (\"radius\"): \"1 000\" is no number"},
        {"a,radius\n1,\"1,5\"\n", "line 2, column 2 (\"radius\"): \"1,5\" is no number"},
        {"a,radius\n1,\"x\ny\"\n", "line 2, column 2 (\"radius\"): \"x?y\" is no number"},
        /* cut before the character that would not fit, not within */
        {"a,b\n1,123456789012345678901234567890123456789\xc3\xa9\n",
         "line 2, column 2 (\"b\"): \"123456789012345678901234567890123456789…\" is no number"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        loss_table *table = parse_text(rows[i].text, 1);
        double values[3] = {-3, -3, -3};
        float floats[3] = {-3, -3, -3};
        assert_int_equal(loss_table_get_column_double(table, context, 1, values, 1), LOSS_ERROR_FORMAT);
        assert_string_equal(loss_context_error(context), rows[i].sentence);
        assert_int_equal(loss_table_get_column_float(table, context, 1, floats, 1), LOSS_ERROR_FORMAT);
        assert_true(values[0] == -3 && floats[0] == -3);
        assert_int_equal(loss_table_get_column_double(table, context, 0, values, 1), LOSS_OK);
        loss_table_free(table);
    }
}

static void test_missing_column(void **state)
{
    (void)state;
    loss_table *table = parse_text("mean_radius,mean_texture,diagnosis\n1,2,3\n", 1);
    int64_t column = -3;
    assert_int_equal(loss_table_find_column(table, context, "diagnosis", &column), LOSS_OK);
    assert_int_equal(column, 2);
    assert_int_equal(loss_table_find_column(table, context, "diagonsis", &column), LOSS_ERROR_NAME);
    assert_string_equal(loss_context_error(context),
                        "no column \"diagonsis\"; did you mean \"diagnosis\"? The "
                        "columns are mean_radius, mean_texture, diagnosis");
    assert_int_equal(loss_table_find_column(table, context, "price", &column), LOSS_ERROR_NAME);
    assert_string_equal(loss_context_error(context),
                        "no column \"price\"; the columns are mean_radius, mean_texture, diagnosis");
    assert_int_equal(column, 2);
    loss_table_free(table);
    table = parse_text("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n", 0);
    assert_int_equal(loss_table_find_column(table, context, "target", &column), LOSS_ERROR_NAME);
    assert_string_equal(
        loss_context_error(context),
        "no column \"target\"; the columns are 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, … (3 more), 15");
    loss_table_free(table);
}

static void assert_refused(loss_status status, const char *sentence)
{
    assert_int_equal(status, LOSS_ERROR_ARGUMENT);
    assert_string_equal(loss_context_error(context), sentence);
}

/* Which argument is wrong is said. */
static void test_sentences_about_arguments(void **state)
{
    (void)state;
    loss_table *table = parse_text("1,2\n", 0), *read = NULL;
    loss_classes *classes = NULL;
    const char *const names[] = {"a", NULL};
    int64_t label = 0;
    double value;
    assert_refused(loss_table_read_csv(NULL, context, "a.csv", 1, 0), "out is NULL");
    assert_refused(loss_table_read_csv(&read, context, NULL, 1, 0), "the path is NULL");
    assert_refused(loss_table_parse_csv(&read, context, NULL, 1, 1, 0), "the text is NULL");
    assert_refused(loss_table_parse_csv(&read, context, "1", -1, 1, 0), "the length of the text is negative");
    assert_refused(loss_table_find_column(NULL, context, "1", &label), "the table is NULL");
    assert_refused(loss_table_find_column(table, context, NULL, &label), "the name is NULL");
    assert_refused(loss_table_find_column(table, context, "1", NULL), "column is NULL");
    assert_refused(loss_table_get_column_double(NULL, context, 0, &value, 1), "the table is NULL");
    assert_refused(loss_table_get_column_double(table, context, 0, NULL, 1), "values is NULL");
    assert_refused(loss_table_get_column_int64(table, context, -1, &label, 1),
                   "column -1 (counted from 0) of a table with 2 columns");
    assert_refused(loss_classes_create(NULL, context, table, 0), "out is NULL");
    assert_refused(loss_classes_create(&classes, context, NULL, 0), "the table is NULL");
    assert_refused(loss_classes_create(&classes, context, table, 2),
                   "column 2 (counted from 0) of a table with 2 columns");
    assert_refused(loss_classes_create_named(NULL, context, 1, names), "out is NULL");
    assert_refused(loss_classes_create_named(&classes, context, 1, NULL), "names is NULL");
    assert_refused(loss_classes_create_named(&classes, context, 0, names), "classes need at least 1 name");
    assert_refused(loss_classes_create_named(&classes, context, 2, names),
                   "the name of class 1 (counted from 0) is NULL");
    assert_refused(loss_classes_get_labels(NULL, context, table, 0, &label, 1), "classes is NULL");
    assert_int_equal(loss_classes_create(&classes, context, table, 0), LOSS_OK);
    assert_refused(loss_classes_get_labels(classes, context, NULL, 0, &label, 1), "the table is NULL");
    assert_refused(loss_classes_get_labels(classes, context, table, 2, &label, 1),
                   "column 2 (counted from 0) of a table with 2 columns");
    assert_refused(loss_classes_get_labels(classes, context, table, 0, NULL, 1), "labels is NULL");
    assert_int_equal(label, 0);
    loss_classes_free(classes);
    loss_table_free(table);
}

static void test_arguments(void **state)
{
    (void)state;
    loss_table *table = (loss_table *)&context;
    assert_int_equal(loss_table_parse_csv(NULL, context, "1", 1, 0, 0), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_table_parse_csv(&table, NULL, "1", 1, 0, 0), LOSS_ERROR_ARGUMENT);
    assert_null(table);
    assert_int_equal(loss_table_parse_csv(&table, context, NULL, 1, 0, 0), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_table_parse_csv(&table, context, "1", -1, 0, 0), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_table_parse_csv(&table, context, "1", 1, 2, 0), LOSS_ERROR_ARGUMENT);
    static const int32_t separators[] = {'"', '\n', '.', '-', '5', 'e', 'E', 0x1f, 0x7f, 0xe9, -1, 1 << 20};
    for (size_t i = 0; i < sizeof separators / sizeof *separators; i++) {
        assert_int_equal(loss_table_parse_csv(&table, context, "1", 1, 0, separators[i]), LOSS_ERROR_RANGE);
    }
    assert_int_equal(loss_table_read_csv(&table, context, NULL, 0, 0), LOSS_ERROR_ARGUMENT);
}

/* ---- files ---- */

static void test_files(void **state)
{
    (void)state;
    loss_table *table = (loss_table *)&context;
    assert_int_equal(loss_table_read_csv(&table, context, "no/such/file.csv", 1, 0), LOSS_ERROR_FILE);
    assert_null(table);
    assert_string_equal(loss_context_error(context),
                        "no/such/file.csv: cannot open: No such file or directory");
    assert_int_equal(loss_table_read_csv(&table, context, "/", 1, 0), LOSS_ERROR_FILE);
    assert_string_equal(loss_context_error(context), "/: cannot read: Is a directory");

    char path[] = "test_io_XXXXXX";
    const int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    FILE *file = fdopen(descriptor, "wb");
    /* Above the size of the first read, so that the text has to move. */
    enum { ROWS = 30000 };
    fputs("i,square\n", file);
    for (int i = 0; i < ROWS; i++) {
        fprintf(file, "%d,%d\n", i, i * i % 1000003);
    }
    fclose(file);
    assert_int_equal(loss_table_read_csv(&table, context, path, 1, ','), LOSS_OK);
    assert_string_equal(loss_table_path(table), path);
    assert_int_equal(loss_table_row_count(table), ROWS);
    assert_string_equal(loss_table_cell(table, 29999, 1), "937304");
    loss_table_free(table);

    file = fopen(path, "ab");
    fputs("7\n", file);
    fclose(file);
    char expected[100];
    snprintf(expected, sizeof expected, "%s: line 30002 has 1 field, the header has 2", path);
    assert_int_equal(loss_table_read_csv(&table, context, path, 1, ','), LOSS_ERROR_FORMAT);
    assert_string_equal(loss_context_error(context), expected);
    unlink(path);
}

static void test_bundled_data(void **state)
{
    (void)state;
    loss_table *table = NULL;
    loss_classes *classes = NULL;
    int64_t column, labels[569], benign = 0;
    assert_int_equal(loss_table_read_csv(&table, context, LOSS_TEST_DATA "/breast_cancer.csv", 1, 0),
                     LOSS_OK);
    assert_int_equal(loss_table_row_count(table), 569);
    assert_int_equal(loss_table_column_count(table), 31);
    assert_int_equal(loss_table_find_column(table, context, "diagnosis", &column), LOSS_OK);
    assert_int_equal(loss_classes_create(&classes, context, table, column), LOSS_OK);
    assert_int_equal(loss_classes_count(classes), 2);
    assert_string_equal(loss_classes_name(classes, 0), "benign");
    assert_int_equal(loss_classes_get_labels(classes, context, table, column, labels, 1), LOSS_OK);
    for (int r = 0; r < 569; r++) {
        benign += labels[r] == 0;
    }
    assert_int_equal(benign, 357);
    loss_classes_free(classes);
    loss_table_free(table);
    assert_int_equal(loss_table_read_csv(&table, context, LOSS_TEST_DATA "/digits.csv", 1, 0), LOSS_OK);
    assert_int_equal(loss_table_row_count(table), 1797);
    assert_int_equal(loss_table_column_count(table), 65);
    assert_int_equal(loss_classes_create(&classes, context, table, 64), LOSS_OK);
    assert_int_equal(loss_classes_count(classes), 10);
    loss_classes_free(classes);
    loss_table_free(table);
}

/* ---- ownership and memory ---- */

struct counting {
    int64_t until_failure, blocks;
};

static int32_t counting_allocate(void *user, int64_t size, void **pointer)
{
    struct counting *counting = user;
    *pointer = counting->until_failure-- == 0 ? NULL : malloc((size_t)size);
    counting->blocks += *pointer != NULL;
    return 0;
}

static int32_t counting_release(void *user, void *pointer)
{
    ((struct counting *)user)->blocks--;
    free(pointer);
    return 0;
}

static loss_status everything(loss_context *counted)
{
    static const char text[] = "x,class\n1,a\n2,b\n";
    loss_table *table = NULL;
    loss_classes *classes = NULL, *named = NULL;
    loss_status status = loss_table_parse_csv(&table, counted, text, sizeof text - 1, 1, 0);
    if (!status) {
        loss_table *unnamed = NULL;
        status = loss_table_read_csv(&unnamed, counted, LOSS_TEST_DATA "/breast_cancer.csv", 0, 0);
        assert_true(status ? unnamed == NULL : unnamed != NULL);
        loss_table_free(unnamed);
    }
    if (!status) {
        status = loss_classes_create(&classes, counted, table, 0);
    }
    if (!status) {
        const char *names[] = {"b", "a"};
        status = loss_classes_create_named(&named, counted, 2, names);
    }
    loss_classes_free(named);
    loss_classes_free(classes);
    loss_table_free(table);
    return status;
}

static void test_every_allocation_fails_once(void **state)
{
    (void)state;
    loss_status status = LOSS_ERROR_MEMORY;
    int64_t k = 0;
    for (; status == LOSS_ERROR_MEMORY && k < 1000; k++) {
        struct counting counting = {.until_failure = -1};
        loss_context *counted = NULL;
        assert_int_equal(
            loss_context_create_with_allocator(&counted, counting_allocate, counting_release, &counting),
            LOSS_OK);
        counting.until_failure = k;
        status = everything(counted);
        if (status) {
            assert_int_equal(loss_context_error_status(counted), LOSS_ERROR_MEMORY);
            assert_string_not_equal(loss_context_error(counted), "");
        }
        loss_context_free(counted);
        assert_int_equal(counting.blocks, 0);
    }
    assert_int_equal(status, LOSS_OK);
    assert_true(k > 20); /* the loop did fail something */
}

static void test_context_freed_first(void **state)
{
    (void)state;
    struct counting counting = {.until_failure = -1};
    loss_context *counted = NULL;
    loss_table *table = NULL;
    loss_classes *classes = NULL;
    assert_int_equal(
        loss_context_create_with_allocator(&counted, counting_allocate, counting_release, &counting),
        LOSS_OK);
    assert_int_equal(loss_table_parse_csv(&table, counted, "a\nb\n", 4, 0, 0), LOSS_OK);
    assert_int_equal(loss_classes_create(&classes, counted, table, 0), LOSS_OK);
    loss_context_free(counted);
    assert_string_equal(loss_table_cell(table, 1, 0), "b");
    loss_table_free(table);
    assert_string_equal(loss_classes_name(classes, 1), "b");
    loss_classes_free(classes);
    assert_int_equal(counting.blocks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quotes_and_line_ends),
        cmocka_unit_test(test_outside_the_table),
        cmocka_unit_test(test_separator_and_header_only),
        cmocka_unit_test(test_float_is_rounded_once),
        cmocka_unit_test(test_whole_numbers),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_no_number),
        cmocka_unit_test(test_missing_column),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_sentences_about_arguments),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_bundled_data),
        cmocka_unit_test(test_every_allocation_fails_once),
        cmocka_unit_test(test_context_freed_first),
    };
    return cmocka_run_group_tests_name("io", tests, setup, teardown);
}
