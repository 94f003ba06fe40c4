/* CSV as numbers: the same as from a table, which columns go where, and every way to fail. */
#include "io_support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loss/random.h"

static loss_context *context;
static loss_array *array;
static loss_table *others;

static int setup(void **state)
{
    (void)state;
    array = NULL;
    others = NULL;
    return loss_context_create(&context);
}

static int teardown(void **state)
{
    (void)state;
    loss_array_free(array);
    loss_table_free(others);
    loss_context_free(context);
    return 0;
}

static const char *const kind[] = {"kind"};

/* All columns but "kind". */
static loss_status parse(const char *text, loss_dtype dtype, int32_t finite)
{
    loss_array_free(array);
    loss_table_free(others);
    return loss_array_parse_csv(&array, &others, context, text, (int64_t)strlen(text), 1, 0, dtype, finite,
                                -1, NULL, 1, kind);
}

static void test_columns(void **state)
{
    (void)state;
    assert_int_equal(parse("\xef\xbb\xbf"
                           "a,kind,b,\"long\nname\"\n"
                           "0.1,red,-2e3,16777217.00000000000000000001\n"
                           " 5 ,\"bl\"\"ue\nish\",\t7,1e-400\r\n"
                           "0x1p-2,,3,4\n\n",
                           LOSS_FLOAT64, 1),
                     LOSS_OK);
    assert_int_equal(loss_array_row_count(array), 3);
    assert_int_equal(loss_array_column_count(array), 3);
    assert_int_equal(loss_array_dtype(array), LOSS_FLOAT64);
    assert_int_equal(loss_array_row_stride(array), 3);
    assert_int_equal(loss_array_column_stride(array), 1);
    assert_int_equal(loss_array_extent(array, 0), 3);
    static const double expected[] = {0.1, -2000, 16777217, 5, 7, 0, 0.25, 3, 4};
    assert_memory_equal(loss_array_values(array), expected, sizeof expected);
    assert_ptr_equal(loss_array_writable_values(array), loss_array_values(array));
    assert_string_equal(loss_array_column_name(array, 1), "b");
    assert_string_equal(loss_array_column_name(array, 2), "long\nname");
    assert_null(loss_array_column_name(array, 3));
    assert_null(loss_array_column_name(array, -1));
    static const int64_t lines[] = {3, 4, 6};
    for (int r = 0; r < 3; r++) {
        assert_int_equal(loss_array_row_line(array, r), lines[r]);
        assert_int_equal(loss_table_row_line(others, r), lines[r]);
    }
    assert_int_equal(loss_array_row_line(array, 3), 0);
    assert_int_equal(loss_table_row_count(others), 3);
    assert_int_equal(loss_table_column_count(others), 1);
    assert_string_equal(loss_table_column_name(others, 0), "kind");
    assert_int_equal(loss_table_column_position(others, 0), 2);
    assert_int_equal(loss_table_column_position(others, 1), 0);
    assert_string_equal(loss_table_cell(others, 1, 0), "bl\"ue\nish");
    assert_string_equal(loss_table_cell(others, 2, 0), "");
    assert_false(loss_table_column_is_numeric(others, 0));
    loss_classes *classes;
    assert_int_equal(loss_classes_create(&classes, context, others, 0), LOSS_ERROR_FORMAT);
    assert_string_equal(loss_context_error(context),
                        "line 6, column 2 (\"kind\"): an empty field is no class");

    assert_int_equal(parse("kind,a\n1,16777217.0000000000001\n2,0.1\n", LOSS_FLOAT32, 1), LOSS_OK);
    static const float floats[] = {16777218.0f, 0.1f};
    assert_memory_equal(loss_array_values(array), floats, sizeof floats);
    double numbers[2];
    assert_int_equal(loss_table_get_column_double(others, context, 0, numbers, 1), LOSS_OK);
    assert_true(numbers[0] == 1 && numbers[1] == 2);
}

static void test_names(void **state)
{
    (void)state;
    static const char *const two[] = {"c", "a"}, *const one[] = {"b"}, *const wrong[] = {"bb"};
    const char *text = "a,b,c,d\n1,2,3,x\n5,6,7,y\n";
    const int64_t length = (int64_t)strlen(text);
    assert_int_equal(
        loss_array_parse_csv(&array, &others, context, text, length, 1, 0, LOSS_FLOAT64, 0, 2, two, -1, NULL),
        LOSS_OK);
    static const double expected[] = {3, 1, 7, 5};
    assert_memory_equal(loss_array_values(array), expected, sizeof expected);
    assert_string_equal(loss_array_column_name(array, 0), "c");
    assert_int_equal(loss_table_column_count(others), 2);
    assert_string_equal(loss_table_cell(others, 1, 1), "y");
    assert_int_equal(loss_table_column_position(others, 1), 4);
    loss_array_free(array);
    loss_table_free(others);
    /* d is not looked at */
    assert_int_equal(
        loss_array_parse_csv(&array, &others, context, text, length, 1, 0, LOSS_FLOAT64, 0, 2, two, 1, one),
        LOSS_OK);
    assert_string_equal(loss_table_cell(others, 1, 0), "6");
    loss_array_free(array);
    loss_table_free(others);
    assert_int_equal(
        loss_array_parse_csv(&array, NULL, context, text, length, 1, 0, LOSS_FLOAT64, 0, 2, two, 0, NULL),
        LOSS_OK);
    loss_array_free(array);
    others = (loss_table *)(void *)&context;
    assert_int_equal(
        loss_array_parse_csv(&array, &others, context, text, length, 1, 0, LOSS_FLOAT64, 0, 2, two, 1, two),
        LOSS_ERROR_NAME);
    assert_null(others);
    assert_null(array);
    assert_string_equal(loss_context_error(context), "the column \"c\" is asked for twice");
    assert_int_equal(loss_array_parse_csv(&array, &others, context, text, length, 1, 0, LOSS_FLOAT64, 0, 1,
                                          wrong, 0, NULL),
                     LOSS_ERROR_NAME);
    assert_string_equal(loss_context_error(context), "no column \"bb\"; the columns are a, b, c, d");
    /* without a header they are named by their numbers */
    static const char *const third[] = {"3"};
    assert_int_equal(loss_array_parse_csv(&array, &others, context, "1;2;x\n3;4;y", 11, 0, ';', LOSS_FLOAT32,
                                          1, -1, NULL, 1, third),
                     LOSS_OK);
    static const float floats[] = {1, 2, 3, 4};
    assert_memory_equal(loss_array_values(array), floats, sizeof floats);
    assert_string_equal(loss_array_column_name(array, 1), "2");
    assert_string_equal(loss_table_column_name(others, 0), "3");
    assert_int_equal(loss_array_row_line(array, 1), 2);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"", "the file is empty; a line with the names of the columns was expected, and rows below it"},
        {"\n", "line 1 is empty; it must have the column names"},
        {"kind,a,a\n", "line 1 has the column name \"a\" twice"},
        {"kind,a\nx,2\ny,\n", "line 3, column 2 (\"a\"): an empty field is no number"},
        {"kind,a\nx,2\ny,1e\n", "line 3, column 2 (\"a\"): \"1e\" is no number"},
        {"kind,a\nx,2\n\"y\n\nz\",q\n", "line 3, column 2 (\"a\"): \"q\" is no number"},
        {"kind,a\nx,2\ny,nan\n", "line 3, column 2 (\"a\"): \"nan\" is no finite number"},
        {"kind,a\nx,2\ny,-1e400\n", "line 3, column 2 (\"a\"): \"-1e400\" is no finite number"},
        {"kind,a\nx,2\ny\n", "line 3 has 1 field, the header has 2"},
        {"kind,a\nx,2\ny,1,3\n", "line 3 has 3 fields, the header has 2"},
        {"kind,a\nx,2\ny,1,\n", "line 3 has 3 fields, the header has 2"},
        {"kind,a\nx,2\n\ny,1\n", "line 3 is empty, but rows follow"},
        {"kind,a\nx,2\n\n\n\"y\",1\n", "line 3 is empty, but rows follow"},
        {"kind,a\nx,2\ny\"y,1\n",
         "line 3, column 1: a quote within a field; quote the whole field and double the quote"},
        {"kind,a\nx,2\ny,\"1\n2\n", "line 3, column 2: the quote that opens here is never closed"},
        {"kind,a\nx,2\ny,\"1\"2\n",
         "line 3, column 2: a closing quote must be followed by a separator or the end of the line"},
        {"kind,a\nx,2\ny,1\r", "line 3, column 2: a carriage return that no line feed follows"},
        {"kind,a\nx,2\n\r,1\n", "line 3, column 1: a carriage return that no line feed follows"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(parse(cases[i].text, LOSS_FLOAT64, 1),
                         strstr(cases[i].sentence, "no column") ? LOSS_ERROR_NAME : LOSS_ERROR_FORMAT);
        assert_string_equal(loss_context_error(context), cases[i].sentence);
        assert_null(array);
        assert_null(others);
    }
    assert_int_equal(loss_array_parse_csv(&array, &others, context, "kind,a\nx\0,2\n", 12, 1, 0, LOSS_FLOAT64,
                                          1, -1, NULL, 1, kind),
                     LOSS_ERROR_FORMAT);
    assert_string_equal(loss_context_error(context), "line 2, column 1: a NUL byte; this is no text");
    assert_int_equal(parse("kind,a\nx,nan\n", LOSS_FLOAT64, 0), LOSS_OK);
    assert_true(isnan(*(const double *)loss_array_values(array)));
    /* finite as text, infinite as float32 */
    assert_int_equal(parse("kind,a\nx,1e39\n", LOSS_FLOAT32, 1), LOSS_ERROR_FORMAT);
    assert_int_equal(parse("kind,a\nx,1e39\n", LOSS_FLOAT64, 1), LOSS_OK);
}

static void assert_refused(loss_status status, loss_status expected, const char *sentence)
{
    assert_int_equal(status, expected);
    assert_string_equal(loss_context_error(context), sentence);
    assert_null(array);
    assert_null(others);
}

static void test_arguments(void **state)
{
    (void)state;
    static const char *const names[] = {"a", NULL};
    loss_context *c = context;
    assert_int_equal(
        loss_array_parse_csv(&array, &others, NULL, "a\n", 2, 1, 0, LOSS_FLOAT64, 0, -1, NULL, 0, NULL),
        LOSS_ERROR_ARGUMENT);
    assert_int_equal(
        loss_array_read_csv(&array, &others, NULL, "a", 1, 0, LOSS_FLOAT64, 0, -1, NULL, 0, NULL, NULL, NULL),
        LOSS_ERROR_ARGUMENT);
    assert_refused(
        loss_array_read_csv(NULL, &others, c, "a", 1, 0, LOSS_FLOAT64, 0, -1, NULL, 0, NULL, NULL, NULL),
        LOSS_ERROR_ARGUMENT, "out is NULL");
    assert_refused(
        loss_array_read_csv(&array, &others, c, NULL, 1, 0, LOSS_FLOAT64, 0, -1, NULL, 0, NULL, NULL, NULL),
        LOSS_ERROR_ARGUMENT, "the path is NULL");
    assert_refused(loss_array_parse_csv(NULL, &others, c, "a\n", 2, 1, 0, LOSS_FLOAT64, 0, -1, NULL, 0, NULL),
                   LOSS_ERROR_ARGUMENT, "out is NULL");
    assert_refused(
        loss_array_parse_csv(&array, &others, c, NULL, 2, 1, 0, LOSS_FLOAT64, 0, -1, NULL, 0, NULL),
        LOSS_ERROR_ARGUMENT, "the text is NULL");
    assert_refused(
        loss_array_parse_csv(&array, &others, c, "a\n", 2, 2, 0, LOSS_FLOAT64, 0, -1, NULL, 0, NULL),
        LOSS_ERROR_ARGUMENT, "has_header must be 0 or 1");
    assert_int_equal(
        loss_array_parse_csv(&array, &others, c, "a\n", 2, 1, 'x', LOSS_FLOAT64, 0, -1, NULL, 0, NULL),
        LOSS_ERROR_RANGE);
    assert_refused(loss_array_parse_csv(&array, &others, c, "a\n", 2, 1, 0, LOSS_INT64, 0, -1, NULL, 0, NULL),
                   LOSS_ERROR_TYPE, "the numbers must be float32 or float64");
    assert_refused(
        loss_array_parse_csv(&array, &others, c, "a\n", 2, 1, 0, LOSS_FLOAT64, 2, -1, NULL, 0, NULL),
        LOSS_ERROR_ARGUMENT, "finite must be 0 or 1");
    assert_refused(
        loss_array_parse_csv(&array, &others, c, "a\n", 2, 1, 0, LOSS_FLOAT64, 0, -2, NULL, 0, NULL),
        LOSS_ERROR_ARGUMENT, "the number of names is below -1");
    assert_refused(
        loss_array_parse_csv(&array, &others, c, "a\n", 2, 1, 0, LOSS_FLOAT64, 0, -1, NULL, -1, NULL),
        LOSS_ERROR_ARGUMENT, "only one of array and table can have all the columns that the other has not");
    assert_refused(
        loss_array_parse_csv(&array, &others, c, "a\n", 2, 1, 0, LOSS_FLOAT64, 0, 1, NULL, 0, NULL),
        LOSS_ERROR_ARGUMENT, "the names are NULL");
    assert_refused(
        loss_array_parse_csv(&array, &others, c, "a\n", 2, 1, 0, LOSS_FLOAT64, 0, -1, NULL, 2, names),
        LOSS_ERROR_ARGUMENT, "a name at 1 (counted from 0) of the other names is NULL");
    assert_refused(loss_array_parse_csv(&array, NULL, c, "a\n", 2, 1, 0, LOSS_FLOAT64, 0, -1, NULL, 1, names),
                   LOSS_ERROR_ARGUMENT, "others is NULL");
    assert_null(loss_array_column_name(NULL, 0));
    assert_null(loss_array_writable_values(NULL));
    assert_int_equal(loss_array_row_line(NULL, 0), 0);
    assert_int_equal(loss_table_column_position(NULL, 0), 0);
}

/* More rows than any window has, quotes that do not fit into one, plain and gzipped, and from a pipe's point of view. */
static void test_long_file(void **state)
{
    (void)state;
    enum { ROWS = 60000 };
    char *text = malloc(ROWS * 24 + 800000);
    int64_t length = sprintf(text, "a,kind,b\n");
    for (int64_t r = 0; r < ROWS; r++) {
        length += sprintf(text + length, "%d,", (int)(r * 7 % 1000));
        if (r == 30000) { /* longer than a window */
            text[length++] = '"';
            memset(text + length, '\n', 700000);
            length += 700000;
            text[length++] = '"';
        } else {
            length += sprintf(text + length, r % 1000 == 3 ? "\"k,%d\"" : "k%d", (int)(r % 3));
        }
        length += sprintf(text + length, ",%d.5\n", (int)r);
    }
    const char *path = store(text, length);
    struct progress progress = {0};
    for (int from_file = 0; from_file < 2; from_file++) {
        const loss_status status = from_file ? loss_array_read_csv(&array, &others, context, path, 1, 0,
                                                                   LOSS_FLOAT64, 1, -1, NULL, 1, kind,
                                                                   note_progress, &progress)
                                             : loss_array_parse_csv(&array, &others, context, text, length, 1,
                                                                    0, LOSS_FLOAT64, 1, -1, NULL, 1, kind);
        assert_int_equal(status, LOSS_OK);
        assert_int_equal(loss_array_row_count(array), ROWS);
        const double *values = loss_array_values(array);
        for (int64_t r = 0; r < ROWS; r++) {
            assert_true(values[2 * r] == (double)(r * 7 % 1000) && values[2 * r + 1] == (double)r + 0.5);
        }
        assert_int_equal(strlen(loss_table_cell(others, 30000, 0)), 700000);
        assert_string_equal(loss_table_cell(others, 59003, 0), "k,2");
        assert_int_equal(loss_array_row_line(array, 30000), 30002);
        assert_int_equal(loss_array_row_line(array, 30001), 730003);
        loss_array_free(array);
        loss_table_free(others);
        array = NULL;
        others = NULL;
    }
    assert_true(progress.calls > 1 && !progress.is_falling);
    assert_int_equal(progress.done, length);
    assert_int_equal(progress.total, length);
    progress = (struct progress){.cancel_at = 2};
    assert_int_equal(loss_array_read_csv(&array, &others, context, path, 1, 0, LOSS_FLOAT64, 1, -1, NULL, 1,
                                         kind, note_progress, &progress),
                     LOSS_ERROR_CALLBACK);
    assert_null(array);
    remove_stored();
    free(text);
    assert_int_equal(loss_array_read_csv(&array, &others, context, "no/such.csv", 1, 0, LOSS_FLOAT64, 1, -1,
                                         NULL, 1, kind, NULL, NULL),
                     LOSS_ERROR_FILE);
}

/* Real files: what a table gives, to the bit. */
static void test_against_tables(void **state)
{
    (void)state;
    static const char *const files[] = {FORMATS "table.csv", FORMATS "table.csv.gz",
                                        LOSS_TEST_DATA "/breast_cancer.csv", LOSS_TEST_DATA "/digits.csv"};
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        loss_table *table;
        assert_int_equal(loss_table_read_csv(&table, context, files[f], 1, 0), LOSS_OK);
        const int64_t rows = loss_table_row_count(table), columns = loss_table_column_count(table);
        const char *words[64];
        int64_t count = 0;
        for (int64_t c = 0; c < columns; c++) {
            if (!loss_table_column_is_numeric(table, c)) {
                words[count++] = loss_table_column_name(table, c);
            }
        }
        for (int is_float = 0; is_float < 2; is_float++) {
            assert_int_equal(loss_array_read_csv(&array, &others, context, files[f], 1, 0,
                                                 is_float ? LOSS_FLOAT32 : LOSS_FLOAT64, 1, -1, NULL, count,
                                                 words, NULL, NULL),
                             LOSS_OK);
            assert_int_equal(loss_array_row_count(array), rows);
            assert_int_equal(loss_array_column_count(array), columns - count);
            double *numbers = malloc((size_t)rows * sizeof *numbers);
            float *floats = malloc((size_t)rows * sizeof *floats);
            for (int64_t c = 0, k = 0; c < columns; c++) {
                if (!loss_table_column_is_numeric(table, c)) {
                    continue;
                }
                loss_table_get_column_double(table, context, c, numbers, 1);
                loss_table_get_column_float(table, context, c, floats, 1);
                for (int64_t r = 0; r < rows; r++) {
                    const int64_t at = r * (columns - count) + k;
                    assert_true(is_float ? ((const float *)loss_array_values(array))[at] == floats[r]
                                         : ((const double *)loss_array_values(array))[at] == numbers[r]);
                }
                k++;
            }
            free(numbers);
            free(floats);
            loss_array_free(array);
            loss_table_free(others);
            array = NULL;
            others = NULL;
        }
        loss_table_free(table);
    }
}

/* Random letters: numbers are read where a table has numbers, and refused where it has none. */
static void test_random_texts(void **state)
{
    (void)state;
    static const char letters[] = {',', ',', '"', '\n', '\n', '\r', '1', '7', '0', '.', 'e', '-', ' ', '8'};
    enum { TEXTS = 20000, MOST = 24 };
    int64_t good = 0;
    for (uint64_t i = 0; i < TEXTS; i++) {
        uint32_t words[MOST + 1];
        assert_int_equal(loss_random_words(31, i, 0, MOST + 1, words), LOSS_OK);
        const int64_t length = words[0] % MOST + 1;
        char *text = malloc((size_t)length);
        for (int64_t k = 0; k < length; k++) {
            text[k] = letters[words[k + 1] % sizeof letters];
        }
        loss_table *table = NULL;
        const loss_status whole = loss_table_parse_csv(&table, context, text, length, 0, 0);
        char sentence[512];
        snprintf(sentence, sizeof sentence, "%s", loss_context_error(context));
        const loss_status words_kept = loss_array_parse_csv(&array, &others, context, text, length, 0, 0,
                                                            LOSS_FLOAT64, 0, 0, NULL, -1, NULL);
        assert_int_equal(words_kept, whole);
        if (whole) {
            assert_string_equal(loss_context_error(context), sentence);
        }
        int is_numeric = !whole;
        const int64_t columns = loss_table_column_count(table), rows = loss_table_row_count(table);
        for (int64_t c = 0; c < columns; c++) {
            is_numeric &= loss_table_column_is_numeric(table, c);
            assert_int_equal(loss_table_column_is_numeric(others, c), loss_table_column_is_numeric(table, c));
            for (int64_t r = 0; r < rows; r++) {
                assert_string_equal(loss_table_cell(others, r, c), loss_table_cell(table, r, c));
                assert_int_equal(loss_table_row_line(others, r), loss_table_row_line(table, r));
            }
        }
        loss_array_free(array);
        loss_table_free(others);
        const loss_status numbers_kept = loss_array_parse_csv(&array, NULL, context, text, length, 0, 0,
                                                              LOSS_FLOAT64, 0, -1, NULL, 0, NULL);
        assert_int_equal(numbers_kept == LOSS_OK, is_numeric);
        for (int64_t c = 0; c < columns && is_numeric; c++) {
            double numbers[MOST + 1];
            assert_int_equal(loss_table_get_column_double(table, context, c, numbers, 1), LOSS_OK);
            for (int64_t r = 0; r < rows; r++) {
                assert_memory_equal((const double *)loss_array_values(array) + r * columns + c, &numbers[r],
                                    sizeof(double));
            }
        }
        good += is_numeric;
        loss_array_free(array);
        array = NULL;
        others = NULL;
        loss_table_free(table);
        free(text);
    }
    assert_true(good > TEXTS / 100);
}

static void test_file_format(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int32_t format;
    } files[] = {
        {FORMATS "table.csv", LOSS_FORMAT_CSV},           {FORMATS "table.csv.gz", LOSS_FORMAT_CSV},
        {LOSS_TEST_DATA "/digits.csv", LOSS_FORMAT_CSV},  {FORMATS "one_based.svm", LOSS_FORMAT_LIBSVM},
        {FORMATS "one_based.svm.gz", LOSS_FORMAT_LIBSVM}, {FORMATS "queries.svm", LOSS_FORMAT_LIBSVM},
        {FORMATS "float64_little.npy", LOSS_FORMAT_NPY},  {FORMATS "float64_little.npy.gz", LOSS_FORMAT_NPY},
        {FORMATS "images.idx.gz", LOSS_FORMAT_IDX},       {FORMATS "labels.idx", LOSS_FORMAT_IDX}};
    static const struct {
        const char *text;
        int32_t format;
    } texts[] = {{"", LOSS_FORMAT_CSV},
                 {"1\n2\n", LOSS_FORMAT_CSV},
                 {"# a comment\n\n+1\n-1 3:2\n", LOSS_FORMAT_LIBSVM},
                 {"\xef\xbb\xbf 1e-3\tqid:7 1:2\r\n", LOSS_FORMAT_LIBSVM},
                 {"1 a:2\n", LOSS_FORMAT_CSV},
                 {"1 2,3\n", LOSS_FORMAT_CSV},
                 {"1 qid\n", LOSS_FORMAT_CSV},
                 {"1,2 3:4\n", LOSS_FORMAT_CSV},
                 {"1 2:", LOSS_FORMAT_LIBSVM}};
    int32_t format;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        format = 0;
        assert_int_equal(loss_file_format(context, files[i].path, &format), LOSS_OK);
        assert_int_equal(format, files[i].format);
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        format = 0;
        const char *path = store(texts[i].text, (int64_t)strlen(texts[i].text));
        assert_int_equal(loss_file_format(context, path, &format), LOSS_OK);
        assert_int_equal(format, texts[i].format);
    }
    remove_stored();
    format = 17;
    assert_int_equal(loss_file_format(NULL, "x", &format), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_file_format(context, NULL, &format), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_file_format(context, "x", NULL), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_file_format(context, "no/such", &format), LOSS_ERROR_FILE);
    assert_int_equal(format, 17);
}

static loss_status read_everything(loss_context *counted)
{
    static const char text[] = "a,kind,b\n1,x,2\n3,\"y\nz\",4\n5,z,6\n";
    loss_array *read = NULL;
    loss_table *table = NULL;
    loss_status status = loss_array_parse_csv(&read, &table, counted, text, sizeof text - 1, 1, 0,
                                              LOSS_FLOAT32, 1, -1, NULL, 1, kind);
    loss_array_free(read);
    loss_table_free(table);
    if (!status) {
        status = loss_array_read_csv(&read, &table, counted, FORMATS "table.csv.gz", 0, 0, LOSS_FLOAT64, 0, 0,
                                     NULL, -1, NULL, NULL, NULL);
        loss_array_free(read);
        loss_table_free(table);
    }
    return status;
}

static void test_out_of_memory(void **state)
{
    (void)state;
    check_every_allocation(read_everything);
}

/* The context may be freed first. */
static void test_order_of_freeing(void **state)
{
    (void)state;
    assert_int_equal(parse("kind,a\nx,2\n", LOSS_FLOAT64, 1), LOSS_OK);
    loss_context_free(context);
    assert_string_equal(loss_array_column_name(array, 0), "a");
    loss_array_free(array);
    array = NULL;
    assert_string_equal(loss_table_cell(others, 0, 0), "x");
    assert_int_equal(loss_context_create(&context), LOSS_OK);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_columns),      TEST(test_names),         TEST(test_refused),
        TEST(test_arguments),    TEST(test_long_file),     TEST(test_against_tables),
        TEST(test_random_texts), TEST(test_out_of_memory), TEST(test_order_of_freeing),
        TEST(test_file_format),
    };
    return cmocka_run_group_tests_name("io_csv_numbers", tests, NULL, NULL);
}
