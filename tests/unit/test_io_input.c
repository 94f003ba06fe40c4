/* What all readers share: gzipped files, good, cut and damaged; pipes; progress and cancelling. */
#include "io_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* Any of the formats by the ending of its name; what was read is thrown away. rows may be NULL. */
static loss_status read_any(const char *format, const char *path, struct progress *progress, int64_t *rows)
{
    loss_table *table = NULL;
    loss_sparse *sparse = NULL;
    loss_array *array = NULL;
    loss_progress_callback callback = progress ? note_progress : NULL;
    loss_status status;
    if (strstr(format, ".csv")) {
        status = loss_table_read_csv_progress(&table, context, path, 1, 0, callback, progress);
    } else if (strstr(format, ".svm")) {
        status = loss_sparse_read_svmlight(&sparse, context, path, LOSS_FLOAT64, LOSS_INT32, -1, 0, callback,
                                           progress);
    } else if (strstr(format, ".npy")) {
        status = loss_array_read_npy(&array, context, path, callback, progress);
    } else {
        status = loss_array_read_idx(&array, context, path, callback, progress);
    }
    assert_true((table || sparse || array) == (status == LOSS_OK));
    if (rows) {
        *rows = loss_table_row_count(table) + loss_sparse_row_count(sparse) + loss_array_row_count(array);
    }
    loss_table_free(table);
    loss_sparse_free(sparse);
    loss_array_free(array);
    return status;
}

static const struct {
    const char *path;
    int64_t rows;
} zipped[] = {
    {FORMATS "table.csv.gz", 4},  {FORMATS "one_based.svm.gz", 4}, {FORMATS "float64_little.npy.gz", 4},
    {FORMATS "images.idx.gz", 3}, {FORMATS "members.svm.gz", 8},
};

/* 0 when this build has no zlib; then it must say so. */
static int has_zlib(void)
{
    const loss_status status = read_any(zipped[0].path, zipped[0].path, NULL, NULL);
    if (status == LOSS_ERROR_SUPPORT) {
        assert_string_equal(loss_context_error(context), FORMATS
                            "table.csv.gz: the file is gzipped, and this build of libloss_io has no zlib");
        return 0;
    }
    assert_int_equal(status, LOSS_OK);
    return 1;
}

static void test_gzipped(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof zipped / sizeof *zipped; i++) {
        int64_t rows;
        const loss_status status = read_any(zipped[i].path, zipped[i].path, NULL, &rows);
        assert_int_equal(status, has_zlib() ? LOSS_OK : LOSS_ERROR_SUPPORT);
        assert_int_equal(rows, has_zlib() ? zipped[i].rows : 0);
    }
    loss_table *table = NULL;
    if (has_zlib()) {
        assert_int_equal(loss_table_read_csv(&table, context, FORMATS "table.csv.gz", 1, 0), LOSS_OK);
        double values[4];
        assert_int_equal(loss_table_get_column_double(table, context, 0, values, 1), LOSS_OK);
        assert_true(values[0] == real(0, 0) && values[3] == real(3, 0));
        loss_table_free(table);
    }
}

/* Where a member ends the file may end too; elsewhere it is cut short. A changed byte is found by the sum at the end. */
static void test_damaged(void **state)
{
    (void)state;
    if (!has_zlib()) {
        return;
    }
    for (size_t i = 0; i < sizeof zipped / sizeof *zipped; i++) {
        int64_t length, member;
        char *bytes = load(zipped[i].path, &length);
        free(load(FORMATS "one_based.svm.gz", &member));
        for (int64_t cut = 2; cut < length; cut++) {
            const char *path = store(bytes, cut);
            const int is_whole = strstr(zipped[i].path, "members") && cut == member;
            assert_int_equal(read_any(zipped[i].path, path, NULL, NULL),
                             is_whole ? LOSS_OK : LOSS_ERROR_FORMAT);
            char expected[200];
            snprintf(expected, sizeof expected, "%s: byte %d: the compressed file is cut short", path,
                     (int)cut + 1);
            /* Cut at the beginning of a member it is the same. */
            assert_true(is_whole || strcmp(loss_context_error(context), expected) == 0);
        }
        for (int64_t at = 10; at < length; at++) { /* 10: the header, most of which may be anything */
            if (strstr(zipped[i].path, "members") && at >= member && at < member + 10) {
                continue;
            }
            bytes[at] ^= 0x10;
            /* What comes out before that may be refused for another reason, as an unknown version. */
            assert_true(read_any(zipped[i].path, store(bytes, length), NULL, NULL) < 0);
            bytes[at] ^= 0x10;
        }
        free(bytes);
    }
    remove_stored();
}

/* Something after the last member. */
static void test_trailing_bytes(void **state)
{
    (void)state;
    if (!has_zlib()) {
        return;
    }
    int64_t length;
    char *bytes = load(FORMATS "one_based.svm.gz", &length), longer[300];
    memcpy(longer, bytes, (size_t)length);
    memcpy(longer + length, "spam", 4);
    assert_int_equal(read_any(".svm", store(longer, length + 4), NULL, NULL), LOSS_ERROR_FORMAT);
    assert_non_null(strstr(loss_context_error(context), "the compressed data are damaged"));
    remove_stored();
    free(bytes);
}

/* A file of a few MiB in a format. */
static char *large(const char *format, int64_t *length)
{
    const int64_t rows = 300000;
    char *text = malloc((size_t)rows * 16 + 200), *p = text;
    assert_non_null(text);
    if (strstr(format, ".csv")) {
        p += sprintf(p, "a,b\n");
        for (int64_t r = 0; r < rows; r++) {
            p += sprintf(p, "%d,2.385\n", (int)r);
        }
    } else if (strstr(format, ".svm")) {
        for (int64_t r = 0; r < rows; r++) {
            p += sprintf(p, "%d 3:2.385\n", (int)r);
        }
    } else if (strstr(format, ".npy")) {
        const char header[] = "{'descr': '<f8', 'fortran_order': False, 'shape': (300000, 2), }";
        memcpy(p, "\x93NUMPY\x01\0", 8);
        p[8] = (char)strlen(header);
        p[9] = 0;
        strcpy(p + 10, header);
        p += 10 + strlen(header);
        memset(p, 0x3f, (size_t)rows * 16);
        p += rows * 16;
    } else {
        memcpy(p, "\0\0\x08\x02\0\x04\x93\xe0\0\0\0\x0d", 12); /* 300000 × 13 */
        memset(p + 12, 7, (size_t)rows * 13);
        p += 12 + rows * 13;
    }
    *length = p - text;
    return text;
}

static const char *const formats[] = {".csv", ".svm", ".npy", ".idx"};

static void test_progress(void **state)
{
    (void)state;
    for (size_t f = 0; f < 4; f++) {
        int64_t length, rows;
        char *text = large(formats[f], &length);
        const char *path = store(text, length);
        struct progress progress = {0};
        assert_int_equal(read_any(formats[f], path, &progress, &rows), LOSS_OK);
        assert_int_equal(rows, 300000);
        assert_int_equal(progress.total, f == 0 ? 2 * length : length);
        assert_int_equal(progress.done, progress.total);
        assert_false(progress.is_falling);
        assert_true(progress.calls >= 3);
        const int64_t calls = progress.calls;
        for (int64_t k = 1; k <= calls; k++) {
            progress = (struct progress){.cancel_at = k};
            assert_int_equal(read_any(formats[f], path, &progress, NULL), LOSS_ERROR_CALLBACK);
            assert_int_equal(progress.calls, k);
            char expected[200];
            snprintf(expected, sizeof expected, "%s: cancelled: the progress callback returned 7", path);
            assert_string_equal(loss_context_error(context), expected);
        }
        free(text);
    }
    remove_stored();
}

/* A pipe has no size: total is −1, and everything is read all the same. */
static void test_pipe(void **state)
{
    (void)state;
    char folder[] = "/tmp/loss_test_io_XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/pipe", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    for (size_t f = 0; f < 4; f++) {
        int64_t length, rows;
        char *text = large(formats[f], &length), command[200];
        snprintf(command, sizeof command, "cat '%s' > '%s'", store(text, length), path);
        FILE *writer = popen(command, "w");
        assert_non_null(writer);
        struct progress progress = {0};
        assert_int_equal(read_any(formats[f], path, &progress, &rows), LOSS_OK);
        assert_int_equal(pclose(writer), 0);
        assert_int_equal(rows, 300000);
        assert_int_equal(progress.total, -1);
        assert_false(progress.is_falling);
        free(text);
    }
    remove_stored();
    unlink(path);
    rmdir(folder);
}

static void test_csv_arguments(void **state)
{
    (void)state;
    loss_table *table = NULL;
    assert_int_equal(loss_table_read_csv_progress(&table, NULL, "a", 1, 0, NULL, NULL), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_table_read_csv_progress(&table, context, NULL, 1, 0, NULL, NULL),
                     LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_table_read_csv_progress(NULL, context, "a", 1, 0, NULL, NULL), LOSS_ERROR_ARGUMENT);
    assert_string_equal(loss_context_error(context), "out is NULL");
}

static loss_status everything(loss_context *counted)
{
    loss_table *table = NULL;
    const loss_status status = loss_table_read_csv(&table, counted, FORMATS "table.csv.gz", 1, 0);
    assert_true((table != NULL) == (status == LOSS_OK));
    loss_table_free(table);
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
        cmocka_unit_test(test_gzipped),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_trailing_bytes),
        cmocka_unit_test(test_progress),
        cmocka_unit_test(test_pipe),
        cmocka_unit_test(test_csv_arguments),
        cmocka_unit_test(test_every_allocation_fails_once),
    };
    return cmocka_run_group_tests_name("io_input", tests, setup, teardown);
}
