/* LIBSVM files: those of scikit-learn, what the format allows, bad ones word for word, and cut at every byte. */
#include "io_support.h"
#include "loss/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static loss_context *context;

static int setup(void **state)
{
    (void)state;
    return loss_context_create(&context);
}

static int teardown(void **state)
{
    (void)state;
    loss_context_free(context);
    return 0;
}

static loss_sparse *parse(const char *text, loss_dtype values, loss_dtype indices, int64_t first_index)
{
    loss_sparse *sparse = NULL;
    if (loss_sparse_parse_svmlight(&sparse, context, text, (int64_t)strlen(text), values, indices,
                                   first_index, 0)) {
        fail_msg("%s", loss_context_error(context));
    }
    return sparse;
}

static double value_at(const loss_sparse *sparse, const void *values, int64_t i)
{
    return loss_sparse_value_dtype(sparse) == LOSS_FLOAT32 ? (double)((const float *)values)[i]
                                                           : ((const double *)values)[i];
}

static int64_t index_at(const loss_sparse *sparse, int64_t i)
{
    const void *indices = loss_sparse_column_indices(sparse);
    return loss_sparse_index_dtype(sparse) == LOSS_INT32 ? ((const int32_t *)indices)[i]
                                                         : ((const int64_t *)indices)[i];
}

/* ---- good input ---- */

/* The matrix of generate.py: every third element is 0, and so is row 2. */
static void check_generated(const loss_sparse *sparse)
{
    const int64_t *offsets = loss_sparse_row_offsets(sparse);
    assert_int_equal(loss_sparse_row_count(sparse), 4);
    assert_int_equal(loss_sparse_column_count(sparse), 5);
    int64_t entry = 0;
    for (int64_t r = 0; r < 4; r++) {
        assert_int_equal(offsets[r], entry);
        assert_true(value_at(sparse, loss_sparse_labels(sparse), r) == real(r, 7));
        for (int64_t c = 0; c < 5; c++) {
            if (r != 2 && (r + c) % 3 != 0) {
                assert_int_equal(index_at(sparse, entry), c);
                assert_true(value_at(sparse, loss_sparse_values(sparse), entry) == real(r, c));
                entry++;
            }
        }
    }
    assert_int_equal(offsets[4], entry);
    assert_int_equal(loss_sparse_entry_count(sparse), entry);
}

static void test_scikit_learn(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int64_t first_index;
    } files[] = {{FORMATS "zero_based.svm", 0}, {FORMATS "zero_based.svm", -1},
                 {FORMATS "one_based.svm", 1},  {FORMATS "one_based.svm", -1},
                 {FORMATS "queries.svm", -1},   {FORMATS "one_based.svm.gz", -1}};
    static const loss_dtype types[][2] = {{LOSS_FLOAT64, LOSS_INT64},
                                          {LOSS_FLOAT64, LOSS_INT32},
                                          {LOSS_FLOAT32, LOSS_INT64},
                                          {LOSS_FLOAT32, LOSS_INT32}};
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        for (size_t t = 0; t < 4; t++) {
            loss_sparse *sparse = NULL;
            const loss_status status = loss_sparse_read_svmlight(&sparse, context, files[f].path, types[t][0],
                                                                 types[t][1], files[f].first_index, 0, NULL,
                                                                 NULL);
            if (status == LOSS_ERROR_SUPPORT) {
                continue; /* gzipped, and a build without zlib: test_io_input.c has the sentence */
            }
            assert_int_equal(status, LOSS_OK);
            check_generated(sparse);
            const int64_t *queries = loss_sparse_query_ids(sparse);
            assert_true((queries != NULL) == (strstr(files[f].path, "queries") != NULL));
            assert_true(!queries ||
                        (queries[0] == 3 && queries[1] == 3 && queries[2] == 8 && queries[3] == 8));
            loss_sparse_free(sparse);
        }
    }
}

static void test_what_is_allowed(void **state)
{
    (void)state;
    loss_sparse *sparse = parse("\xef\xbb\xbf# a comment\r\n\n"
                                " \t+1\tqid:7  1:2.385\t3:-0x1.8p1 4:0 # more: 5:6\r\n"
                                "-7.5e-1 qid:0#\n"
                                "  # nothing\n"
                                "nan qid:999999999999999999 2147483647:inf",
                                LOSS_FLOAT64, LOSS_INT32, -1);
    const int64_t *offsets = loss_sparse_row_offsets(sparse), *queries = loss_sparse_query_ids(sparse);
    const double *labels = loss_sparse_labels(sparse), *values = loss_sparse_values(sparse);
    const int32_t *indices = loss_sparse_column_indices(sparse);
    assert_int_equal(loss_sparse_row_count(sparse), 3);
    assert_int_equal(loss_sparse_column_count(sparse), INT32_MAX);
    assert_true(offsets[0] == 0 && offsets[1] == 3 && offsets[2] == 3 && offsets[3] == 4);
    assert_true(labels[0] == 1 && labels[1] == -0.75 && isnan(labels[2]));
    assert_true(queries[0] == 7 && queries[1] == 0 && queries[2] == INT64_C(999999999999999999));
    assert_true(indices[0] == 0 && indices[1] == 2 && indices[2] == 3 && indices[3] == 2147483646);
    assert_true(values[0] == 2.385 && values[1] == -3 && values[2] == 0 && isinf(values[3]));
    loss_sparse_free(sparse);
    sparse = parse("2.385 999999999999999999:0.1\n", LOSS_FLOAT32, LOSS_INT64, 0);
    assert_int_equal(loss_sparse_column_count(sparse), INT64_C(1000000000000000000));
    assert_true(*(const float *)loss_sparse_values(sparse) == 0.1f);
    loss_sparse_free(sparse);
    sparse = parse("2.385\n-1\n", LOSS_FLOAT32, LOSS_INT32, -1);
    assert_int_equal(loss_sparse_column_count(sparse), 0);
    assert_int_equal(loss_sparse_entry_count(sparse), 0);
    assert_int_equal(loss_sparse_row_offsets(sparse)[2], 0);
    loss_sparse_free(sparse);
}

static void test_columns(void **state)
{
    (void)state;
    loss_sparse *sparse = NULL;
    static const char text[] = "1 2:5\n\n1 1:2 7:2.385\n1 7:3\n";
    assert_int_equal(
        loss_sparse_parse_svmlight(&sparse, context, text, sizeof text - 1, LOSS_FLOAT64, LOSS_INT32, -1, 9),
        LOSS_OK);
    assert_int_equal(loss_sparse_column_count(sparse), 9);
    loss_sparse_free(sparse);
    assert_int_equal(
        loss_sparse_parse_svmlight(&sparse, context, text, sizeof text - 1, LOSS_FLOAT64, LOSS_INT32, -1, 6),
        LOSS_ERROR_FORMAT);
    assert_null(sparse);
    assert_string_equal(loss_context_error(context),
                        "line 3, column 7: index 7, but there are 6 columns, counted from 1");
    assert_int_equal(
        loss_sparse_parse_svmlight(&sparse, context, text, sizeof text - 1, LOSS_FLOAT64, LOSS_INT32, 1, 1),
        LOSS_ERROR_FORMAT);
    assert_string_equal(loss_context_error(context),
                        "line 3, column 7: index 7, but there is 1 column, counted from 1");
}

/* Lines that cross the window of the reader, and one that is longer than it. */
static void test_long_lines(void **state)
{
    (void)state;
    const int64_t rows = 300, most = 90000;
    char *text = malloc((size_t)(rows * 3000 + most * 14)), *p = text;
    assert_non_null(text);
    int64_t entries = 0;
    for (int64_t r = 0; r < rows; r++) {
        const int64_t count = r == 150 ? most : 100 + r % 57;
        p += sprintf(p, "%d", (int)r);
        for (int64_t c = 0; c < count; c++) {
            p += sprintf(p, " %d:%d.5", (int)(c + 1), (int)((r + c) % 100));
        }
        p += sprintf(p, "\n");
        entries += count;
    }
    loss_sparse *sparse = NULL;
    assert_int_equal(
        loss_sparse_parse_svmlight(&sparse, context, text, p - text, LOSS_FLOAT64, LOSS_INT32, -1, 0),
        LOSS_OK);
    assert_int_equal(loss_sparse_entry_count(sparse), entries);
    assert_int_equal(loss_sparse_column_count(sparse), most);
    const int64_t *offsets = loss_sparse_row_offsets(sparse);
    for (int64_t r = 0; r < rows; r++) {
        assert_true(((const double *)loss_sparse_labels(sparse))[r] == (double)r);
        for (int64_t e = offsets[r]; e < offsets[r + 1]; e++) {
            const int64_t c = e - offsets[r];
            assert_true(index_at(sparse, e) == c);
            assert_true(((const double *)loss_sparse_values(sparse))[e] == (double)((r + c) % 100) + 0.5);
        }
    }
    loss_sparse_free(sparse);
    free(text);
}

/* ---- bad input ---- */

static const struct {
    const char *text;
    loss_dtype index_dtype;
    int64_t first_index;
    const char *sentence;
} malformed[] = {
    {"", LOSS_INT32, -1, "there are no rows; lines such as \"1 3:0.5 7:-2\" were expected"},
    {"# only\n\n  \n", LOSS_INT32, -1, "there are no rows; lines such as \"1 3:0.5 7:-2\" were expected"},
    {"1 1:2\nspam 1:2\n", LOSS_INT32, -1,
     "line 2, column 1: \"spam\" is no label; a row begins with a number"},
    {"1:2 2:3\n", LOSS_INT32, -1, "line 1, column 1: \"1:2\" is no label; a row begins with a number"},
    {"1 1:2\n 1,3 1:2\n", LOSS_INT32, -1,
     "line 2, column 2: \"1,3\" has several labels; a row must have one"},
    {"1 1:2 1:3\n", LOSS_INT32, -1, "line 1, column 7: index 1 stands twice"},
    {"1 5:2 3:3\n", LOSS_INT32, -1, "line 1, column 7: index 3 after 5; indices must rise"},
    {"1 -5:2\n", LOSS_INT32, -1, "line 1, column 3: \"-5:2\" has a negative index"},
    {"1 0:2\n", LOSS_INT32, 1, "line 1, column 3: index 0, but the first column is 1"},
    {"1 2147483647:1 2147483648:2\n", LOSS_INT32, -1,
     "line 1, column 16: \"2147483648\" is too large an index for int32"},
    {"1 1000000000000000000:2\n", LOSS_INT64, -1,
     "line 1, column 3: \"1000000000000000000\" is too large an index"},
    {"1 99999999999999999999999999:2\n", LOSS_INT64, -1,
     "line 1, column 3: \"99999999999999999999999999\" is too large an index"},
    {"1 1:2\n1 1\n", LOSS_INT32, -1, "line 2, column 3: \"1\" is no index:value"},
    {"1 1.5:2\n", LOSS_INT32, -1, "line 1, column 3: \"1.5:2\" is no index:value"},
    {"1 :2\n", LOSS_INT32, -1, "line 1, column 3: \":2\" is no index:value"},
    {"1 1:\n", LOSS_INT32, -1, "line 1, column 3: \"1:\" has no value"},
    {"1 1: 2\n", LOSS_INT32, -1, "line 1, column 3: \"1:\" has no value"},
    {"1 1:2 2:1,5\n", LOSS_INT32, -1, "line 1, column 9: \"1,5\" is no number"},
    {"1 1:2:3\n", LOSS_INT32, -1, "line 1, column 5: \"2:3\" is no number"},
    {"1 1:2\r1 1:2\n", LOSS_INT32, -1, "line 1, column 5: \"2?1\" is no number"},
    {"1 1:2 qid:3\n", LOSS_INT32, -1, "line 1, column 7: a qid stands once, right after the label"},
    {"1 qid:3 qid:4\n", LOSS_INT32, -1, "line 1, column 9: a qid stands once, right after the label"},
    {"1 qid:x 1:2\n", LOSS_INT32, -1, "line 1, column 3: \"qid:x\" is no query identifier"},
    {"1 qid: 1:2\n", LOSS_INT32, -1, "line 1, column 3: \"qid:\" is no query identifier"},
    {"1 qid:-3 1:2\n", LOSS_INT32, -1, "line 1, column 3: \"qid:-3\" is no query identifier"},
    {"1 qid:9999999999999999999 1:2\n", LOSS_INT32, -1,
     "line 1, column 3: \"qid:9999999999999999999\" is no query identifier"},
    {"1 qid:3 1:2\n1 1:2\n", LOSS_INT32, -1, "line 2, column 3: no qid, but the rows before have one"},
    {"1 1:2\n1 qid:3 1:2\n", LOSS_INT32, -1, "line 2, column 3: a qid, but the rows before have none"},
};

static void test_malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        loss_sparse *sparse = (loss_sparse *)&malformed;
        const int64_t length = (int64_t)strlen(malformed[i].text);
        assert_int_equal(loss_sparse_parse_svmlight(&sparse, context, malformed[i].text, length, LOSS_FLOAT64,
                                                    malformed[i].index_dtype, malformed[i].first_index, 0),
                         LOSS_ERROR_FORMAT);
        assert_string_equal(loss_context_error(context), malformed[i].sentence);
        assert_null(sparse);
        /* The same from a file, whose path then comes first. */
        const char *path = store(malformed[i].text, length);
        char expected[300];
        snprintf(expected, sizeof expected, "%s: %s", path, malformed[i].sentence);
        assert_int_equal(loss_sparse_read_svmlight(&sparse, context, path, LOSS_FLOAT32,
                                                   malformed[i].index_dtype, malformed[i].first_index, 0,
                                                   NULL, NULL),
                         LOSS_ERROR_FORMAT);
        assert_string_equal(loss_context_error(context), expected);
        assert_null(sparse);
    }
    remove_stored();
    loss_sparse *sparse = NULL;
    assert_int_equal(
        loss_sparse_parse_svmlight(&sparse, context, "1 1:2\0\n", 7, LOSS_FLOAT64, LOSS_INT32, -1, 0),
        LOSS_ERROR_FORMAT);
}

/* A text may end anywhere: it is read, or refused with a sentence about its last line. */
static void test_cut_at_every_byte(void **state)
{
    (void)state;
    int64_t length;
    char *text = load(FORMATS "queries.svm", &length);
    for (int64_t cut = 0; cut < length; cut++) {
        char *exact = malloc(cut > 0 ? (size_t)cut : 1); /* so that a read beyond it is noticed */
        assert_non_null(exact);
        memcpy(exact, text, (size_t)cut);
        loss_sparse *sparse = NULL;
        const loss_status status = loss_sparse_parse_svmlight(&sparse, context, exact, cut, LOSS_FLOAT64,
                                                              LOSS_INT32, 0, 0);
        assert_true(status == LOSS_OK || status == LOSS_ERROR_FORMAT);
        assert_true((sparse != NULL) == (status == LOSS_OK));
        loss_sparse_free(sparse);
        free(exact);
    }
    free(text);
}

static void test_arguments(void **state)
{
    (void)state;
    loss_sparse *sparse = NULL;
    const struct {
        const char *text;
        int64_t length;
        loss_dtype values, indices;
        int64_t first_index, columns;
        loss_status status;
        const char *sentence;
    } calls[] = {
        {NULL, 1, LOSS_FLOAT64, LOSS_INT32, 0, 0, LOSS_ERROR_ARGUMENT, "the text is NULL"},
        {"1", -1, LOSS_FLOAT64, LOSS_INT32, 0, 0, LOSS_ERROR_ARGUMENT, "the length of the text is negative"},
        {"1", 1, LOSS_INT64, LOSS_INT32, 0, 0, LOSS_ERROR_TYPE, "the values must be float32 or float64"},
        {"1", 1, LOSS_FLOAT64, LOSS_UINT8, 0, 0, LOSS_ERROR_TYPE,
         "the column indices must be int32 or int64"},
        {"1", 1, LOSS_FLOAT64, LOSS_INT32, 2, 0, LOSS_ERROR_ARGUMENT,
         "first_index must be 0, 1, or -1 to find it out"},
        {"1", 1, LOSS_FLOAT64, LOSS_INT32, 0, -1, LOSS_ERROR_ARGUMENT, "the number of columns is negative"},
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        sparse = (loss_sparse *)&malformed;
        assert_int_equal(loss_sparse_parse_svmlight(&sparse, context, calls[i].text, calls[i].length,
                                                    calls[i].values, calls[i].indices, calls[i].first_index,
                                                    calls[i].columns),
                         calls[i].status);
        assert_string_equal(loss_context_error(context), calls[i].sentence);
        assert_null(sparse);
    }
    assert_int_equal(loss_sparse_parse_svmlight(NULL, context, "1", 1, LOSS_FLOAT64, LOSS_INT32, 0, 0),
                     LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_sparse_parse_svmlight(&sparse, NULL, "1", 1, LOSS_FLOAT64, LOSS_INT32, 0, 0),
                     LOSS_ERROR_ARGUMENT);
    assert_int_equal(
        loss_sparse_read_svmlight(&sparse, context, NULL, LOSS_FLOAT64, LOSS_INT32, 0, 0, NULL, NULL),
        LOSS_ERROR_ARGUMENT);
    assert_string_equal(loss_context_error(context), "the path is NULL");
    assert_int_equal(loss_sparse_read_svmlight(&sparse, context, "/nowhere/a.svm", LOSS_FLOAT64, LOSS_INT32,
                                               0, 0, NULL, NULL),
                     LOSS_ERROR_FILE);
    assert_string_equal(loss_context_error(context),
                        "/nowhere/a.svm: cannot open: No such file or directory");
    assert_int_equal(
        loss_sparse_read_svmlight(&sparse, context, "/", LOSS_FLOAT64, LOSS_INT32, 0, 0, NULL, NULL),
        LOSS_ERROR_FILE);
    assert_null(sparse);
    assert_null(loss_sparse_row_offsets(NULL));
    assert_null(loss_sparse_column_indices(NULL));
    assert_null(loss_sparse_values(NULL));
    assert_null(loss_sparse_labels(NULL));
    assert_null(loss_sparse_query_ids(NULL));
    assert_int_equal(loss_sparse_row_count(NULL) + loss_sparse_column_count(NULL) +
                         loss_sparse_entry_count(NULL) + loss_sparse_value_dtype(NULL) +
                         loss_sparse_index_dtype(NULL),
                     0);
    loss_sparse_free(NULL);
}

/* ---- labels of classes, and lines ---- */

static void test_labels(void **state)
{
    static const char text[] = "# classes\n3 1:0.5\n\n-2 2:1\n1e1 1:2 2:4\n";
    static const char *const bad[] = {"1\n\n2.5 1:1\n", "1\n\n9007199254740992\n", "1\n\nnan\n",
                                      "1\n\n-inf\n"};
    static const int64_t expected[] = {3, -2, 10}, order[] = {2, 0, 1}, swap[] = {1, 0};
    (void)state;
    for (int type = LOSS_FLOAT32; type <= LOSS_FLOAT64; type++) {
        int64_t labels[6] = {7, 7, 7, 7, 7, 7};
        loss_sparse *sparse = parse(text, type, LOSS_INT32, 1);
        assert_int_equal(loss_sparse_get_labels(sparse, context, labels + 4, -2), LOSS_OK);
        for (int64_t i = 0; i < 3; i++) {
            assert_int_equal(labels[4 - 2 * i], expected[i]);
            assert_int_equal(labels[5 - 2 * i], 7);
        }
        assert_int_equal(loss_sparse_reorder(sparse, order), LOSS_OK);
        assert_int_equal(loss_sparse_get_labels(sparse, context, labels, 1), LOSS_OK);
        for (int64_t i = 0; i < 3; i++) {
            assert_int_equal(labels[i], expected[order[i]]);
            assert_int_equal(loss_sparse_row_line(sparse, i),
                             2 + i + (i > 0)); /* of the rows as they were read */
        }
        assert_int_equal(loss_sparse_row_line(sparse, 3) + loss_sparse_row_line(sparse, -1), 0);
        loss_sparse_free(sparse);
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            sparse = parse(bad[i], type, LOSS_INT64, 1);
            labels[0] = labels[1] = 77;
            assert_int_equal(loss_sparse_get_labels(sparse, context, labels, 1), LOSS_ERROR_LABEL);
            assert_non_null(strstr(loss_context_error(context), "line 3: the label "));
            assert_true(labels[0] == 77 && labels[1] == 77);
            assert_int_equal(loss_sparse_reorder(sparse, swap), LOSS_OK);
            assert_int_equal(loss_sparse_get_labels(sparse, context, labels, 1), LOSS_ERROR_LABEL);
            assert_non_null(strstr(loss_context_error(context), "row 0: the label "));
            assert_int_equal(loss_sparse_get_labels(sparse, context, NULL, 1), LOSS_ERROR_ARGUMENT);
            assert_int_equal(loss_sparse_get_labels(sparse, NULL, labels, 1), LOSS_ERROR_ARGUMENT);
            loss_sparse_free(sparse);
        }
        assert_int_equal(loss_sparse_get_labels(NULL, context, labels, 1), LOSS_ERROR_ARGUMENT);
        assert_int_equal(loss_sparse_row_line(NULL, 0), 0);
    }
}

/* The labels next to those that their type keeps apart from all others, and these. */
static void test_labels_are_not_merged(void **state)
{
    static const struct {
        const char *text, *sentence; /* NULL: these are read */
        loss_dtype type;
        int64_t label;
    } cases[] = {
        {"16777215 1:1\n", NULL, LOSS_FLOAT32, 16777215},
        {"16777217 1:1\n",
         "line 1: the label 16777216 is no integer below 2^24, from which on float32 does not", LOSS_FLOAT32,
         0},
        {"-16777216 1:1\n", "line 1: the label -16777216 is no integer below 2^24", LOSS_FLOAT32, 0},
        {"16777217 1:1\n", NULL, LOSS_FLOAT64, 16777217},
        {"-9007199254740991 1:1\n", NULL, LOSS_FLOAT64, -9007199254740991},
        {"9007199254740993 1:1\n", "line 1: the label 9007199254740992 is no integer below 2^53",
         LOSS_FLOAT64, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t label = 77;
        loss_sparse *sparse = parse(cases[i].text, cases[i].type, LOSS_INT32, 1);
        assert_int_equal(loss_sparse_get_labels(sparse, context, &label, 1),
                         cases[i].sentence ? LOSS_ERROR_LABEL : LOSS_OK);
        assert_int_equal(label, cases[i].sentence ? 77 : cases[i].label);
        if (cases[i].sentence) {
            assert_non_null(strstr(loss_context_error(context), cases[i].sentence));
        }
        loss_sparse_free(sparse);
    }
}

/* ---- another order of the rows ---- */

static uint64_t state_of_draws;

static int64_t draw(int64_t below)
{
    state_of_draws = state_of_draws * UINT64_C(6364136223846793005) + 1442695040888963407; /* Knuth, MMIX */
    return (int64_t)(state_of_draws >> 33) % below;
}

/* Row r has the entries (j, r + j/1000) and the label r; every fifth row is empty, one is long. */
static loss_sparse *ragged(int64_t rows, loss_dtype values, loss_dtype indices, int64_t *lengths)
{
    char *text = calloc(1, 1 << 20);
    int64_t at = 0;
    for (int64_t r = 0; r < rows; r++) {
        lengths[r] = r % 5 == 4 ? 0 : r == 7 ? 300 : draw(9);
        at += sprintf(text + at, "%d qid:%d", (int)r, (int)(rows - r));
        for (int64_t j = 0; j < lengths[r]; j++) {
            at += sprintf(text + at, " %d:%.3f", (int)j + 1, (double)r + (double)j / 1000);
        }
        text[at++] = '\n';
    }
    loss_sparse *sparse = parse(text, values, indices, 1);
    free(text);
    return sparse;
}

static void check_order(const loss_sparse *sparse, const int64_t *order, const int64_t *lengths)
{
    const int64_t *offsets = loss_sparse_row_offsets(sparse);
    assert_int_equal(offsets[0], 0);
    for (int64_t i = 0; i < loss_sparse_row_count(sparse); i++) {
        const int64_t row = order[i];
        assert_int_equal(offsets[i + 1] - offsets[i], lengths[row]);
        assert_true(value_at(sparse, loss_sparse_labels(sparse), i) == (double)row);
        assert_int_equal(loss_sparse_query_ids(sparse)[i], loss_sparse_row_count(sparse) - row);
        for (int64_t j = 0; j < lengths[row]; j++) {
            const double value = value_at(sparse, loss_sparse_values(sparse), offsets[i] + j);
            assert_int_equal(index_at(sparse, offsets[i] + j), j);
            assert_true(fabs(value - ((double)row + (double)j / 1000)) < 1e-4);
        }
    }
}

static void test_reorder(void **state)
{
    (void)state;
    static const loss_dtype types[][2] = {
        {LOSS_FLOAT64, LOSS_INT32}, {LOSS_FLOAT32, LOSS_INT64}, {LOSS_FLOAT64, LOSS_INT64}};
    static const int64_t counts[] = {1, 2, 3, 8, 40, 411, 2000};
    for (size_t t = 0; t < 21; t++) {
        const int64_t rows = counts[t % 7];
        int64_t *lengths = calloc((size_t)rows, sizeof *lengths),
                *order = calloc((size_t)rows, sizeof *order);
        int64_t *back = calloc((size_t)rows, sizeof *back);
        loss_sparse *sparse = ragged(rows, types[t / 7][0], types[t / 7][1], lengths);
        const void *values = loss_sparse_values(sparse);
        assert_int_equal(loss_random_permutation(t, 0, rows, order), LOSS_OK);
        assert_int_equal(loss_sparse_reorder(sparse, order), LOSS_OK);
        assert_ptr_equal(loss_sparse_values(sparse), values);
        check_order(sparse, order, lengths);
        for (int64_t i = 0; i < rows; i++) {
            back[order[i]] = i;
        }
        assert_int_equal(loss_sparse_reorder(sparse, back), LOSS_OK);
        for (int64_t i = 0; i < rows; i++) {
            back[i] = i;
        }
        check_order(sparse, back, lengths);
        back[rows - 1] = rows == 1 ? 1 : 0;
        assert_int_equal(loss_sparse_reorder(sparse, back), LOSS_ERROR_ARGUMENT);
        back[rows - 1] = -1;
        assert_int_equal(loss_sparse_reorder(sparse, back), LOSS_ERROR_ARGUMENT);
        assert_non_null(strstr(loss_context_error(context), "the order is no permutation: place "));
        assert_int_equal(loss_sparse_reorder(sparse, NULL), LOSS_ERROR_ARGUMENT);
        back[rows - 1] = rows - 1;
        check_order(sparse, back, lengths);
        loss_sparse_free(sparse);
        free(lengths);
        free(order);
        free(back);
    }
    const int64_t none = 0;
    assert_int_equal(loss_sparse_reorder(NULL, &none), LOSS_ERROR_ARGUMENT);
}

static loss_status everything(loss_context *counted)
{
    static const int64_t order[] = {2, 0, 1};
    static const char text[] = "1 qid:1 1:2\n2 qid:2 1:3 2:4\n3 qid:2 1:3 2:4 3:5 4:6 5:7\n";
    loss_sparse *sparse = NULL;
    loss_status status = loss_sparse_parse_svmlight(&sparse, counted, text, sizeof text - 1, LOSS_FLOAT64,
                                                    LOSS_INT32, -1, 0);
    assert_true((sparse != NULL) == (status == LOSS_OK));
    if (!status) {
        status = loss_sparse_reorder(sparse, order);
        assert_int_equal(loss_sparse_query_ids(sparse)[1], status ? 2 : 1);
    }
    loss_sparse_free(sparse);
    if (!status) {
        status = loss_sparse_read_svmlight(&sparse, counted, FORMATS "one_based.svm.gz", LOSS_FLOAT64,
                                           LOSS_INT32, -1, 0, NULL, NULL);
        assert_true((sparse != NULL) == (status == LOSS_OK));
        loss_sparse_free(sparse);
    }
    return status == LOSS_ERROR_SUPPORT ? LOSS_OK : status;
}

static void test_every_allocation_fails_once(void **state)
{
    (void)state;
    check_every_allocation(everything);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scikit_learn),
        cmocka_unit_test(test_what_is_allowed),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_labels_are_not_merged),
        cmocka_unit_test(test_reorder),
        cmocka_unit_test(test_every_allocation_fails_once),
    };
    return cmocka_run_group_tests_name("io_svmlight", tests, setup, teardown);
}
