/* NumPy and IDX files: those of NumPy, bad ones word for word, cut at every byte, and memory that runs out. */
#include "io_support.h"

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

typedef loss_status reader(loss_array **out, loss_context *context, const char *path,
                           loss_progress_callback progress, void *user);
typedef loss_status parser(loss_array **out, loss_context *context, const void *bytes, int64_t length);

/* ---- good input ---- */

static double element(const loss_array *array, int64_t row, int64_t column)
{
    const int64_t i = row * loss_array_row_stride(array) + column * loss_array_column_stride(array);
    const void *values = loss_array_values(array);
    switch (loss_array_dtype(array)) {
    case LOSS_FLOAT32:
        return (double)((const float *)values)[i];
    case LOSS_FLOAT64:
        return ((const double *)values)[i];
    case LOSS_INT32:
        return ((const int32_t *)values)[i];
    case LOSS_INT64:
        return (double)((const int64_t *)values)[i];
    default:
        return ((const unsigned char *)values)[i];
    }
}

static const struct {
    const char *name;
    loss_dtype dtype;
    int32_t is_real;
    double offset; /* of whole numbers */
    int32_t dimensions;
    int64_t extents[3], columns, row_stride, column_stride;
    int64_t first_column; /* of the matrix of generate.py */
} files[] = {
    {"float32_little.npy", LOSS_FLOAT32, 1, 0, 2, {4, 3}, 3, 3, 1, 0},
    {"float32_big.npy", LOSS_FLOAT32, 1, 0, 2, {4, 3}, 3, 3, 1, 0},
    {"float64_little.npy", LOSS_FLOAT64, 1, 0, 2, {4, 3}, 3, 3, 1, 0},
    {"float64_big.npy", LOSS_FLOAT64, 1, 0, 2, {4, 3}, 3, 3, 1, 0},
    {"int32_little.npy", LOSS_INT32, 0, 0, 2, {4, 3}, 3, 3, 1, 0},
    {"int32_big.npy", LOSS_INT32, 0, 0, 2, {4, 3}, 3, 3, 1, 0},
    {"int64_little.npy", LOSS_INT64, 0, 0, 2, {4, 3}, 3, 3, 1, 0},
    {"int64_big.npy", LOSS_INT64, 0, 0, 2, {4, 3}, 3, 3, 1, 0},
    {"uint8.npy", LOSS_UINT8, 0, 0, 2, {4, 3}, 3, 3, 1, 0},
    {"version_2.npy", LOSS_FLOAT64, 1, 0, 2, {4, 3}, 3, 3, 1, 0},
    {"version_3.npy", LOSS_FLOAT64, 1, 0, 2, {4, 3}, 3, 3, 1, 0},
    {"fortran.npy", LOSS_FLOAT64, 1, 0, 2, {4, 3}, 3, 1, 4, 0},
    {"vector.npy", LOSS_FLOAT64, 1, 0, 1, {4}, 1, 1, 1, 1},
    {"no_rows.npy", LOSS_FLOAT64, 1, 0, 2, {0, 3}, 3, 3, 1, 0},
    {"float64_little.npy.gz", LOSS_FLOAT64, 1, 0, 2, {4, 3}, 3, 3, 1, 0},
    {"uint8.idx", LOSS_UINT8, 0, 0, 2, {4, 3}, 3, 3, 1, 0},
    {"int8.idx", LOSS_INT32, 0, 41, 2, {4, 3}, 3, 3, 1, 0},
    {"int16.idx", LOSS_INT32, 0, 41, 2, {4, 3}, 3, 3, 1, 0},
    {"int32.idx", LOSS_INT32, 0, 41, 2, {4, 3}, 3, 3, 1, 0},
    {"float32.idx", LOSS_FLOAT32, 1, 0, 2, {4, 3}, 3, 3, 1, 0},
    {"float64.idx", LOSS_FLOAT64, 1, 0, 2, {4, 3}, 3, 3, 1, 0},
    {"images.idx", LOSS_UINT8, 0, 0, 3, {3, 3, 2}, 6, 6, 1, 0},
    {"images.idx.gz", LOSS_UINT8, 0, 0, 3, {3, 3, 2}, 6, 6, 1, 0},
    {"labels.idx", LOSS_UINT8, 0, 0, 1, {4}, 1, 1, 1, 0},
};

static void check_file(const loss_array *array, size_t f, loss_dtype dtype)
{
    assert_int_equal(loss_array_dtype(array), dtype);
    assert_int_equal(loss_array_dimension_count(array), files[f].dimensions);
    for (int32_t d = -1; d < 4; d++) {
        const int is_there = d >= 0 && d < files[f].dimensions;
        assert_int_equal(loss_array_extent(array, d), is_there ? files[f].extents[d] : 0);
    }
    assert_int_equal(loss_array_row_count(array), files[f].extents[0]);
    assert_int_equal(loss_array_column_count(array), files[f].columns);
    assert_int_equal(loss_array_row_stride(array), files[f].row_stride);
    assert_int_equal(loss_array_column_stride(array), files[f].column_stride);
    for (int64_t r = 0; r < loss_array_row_count(array); r++) {
        for (int64_t c = 0; c < files[f].columns; c++) {
            const int64_t column = c + files[f].first_column;
            const double wanted = files[f].is_real ? real(r, column)
                                                   : (double)whole(r, column) - files[f].offset;
            assert_true(element(array, r, c) == (dtype == LOSS_FLOAT32 ? (double)(float)wanted : wanted));
        }
    }
}

static void test_files(void **state)
{
    (void)state;
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        char path[400];
        snprintf(path, sizeof path, FORMATS "%s", files[f].name);
        const int is_npy = strstr(path, ".npy") != NULL;
        reader *const read = is_npy ? loss_array_read_npy : loss_array_read_idx;
        parser *const parse = is_npy ? loss_array_parse_npy : loss_array_parse_idx;
        loss_array *array = NULL;
        const loss_status status = read(&array, context, path, NULL, NULL);
        if (status == LOSS_ERROR_SUPPORT) {
            continue; /* gzipped, and a build without zlib: test_io_input.c has the sentence */
        }
        assert_int_equal(status, LOSS_OK);
        check_file(array, f, files[f].dtype);
        loss_array_free(array);
        int64_t length;
        char *bytes = load(path, &length);
        assert_int_equal(parse(&array, context, bytes, length), LOSS_OK);
        free(bytes);
        check_file(array, f, files[f].dtype);
        loss_array_free(array);
    }
}

/* The same files as numbers of both real types. */
static void test_files_as_real_numbers(void **state)
{
    const loss_dtype dtypes[] = {LOSS_FLOAT32, LOSS_FLOAT64};
    (void)state;
    for (size_t f = 0; f < 2 * (sizeof files / sizeof *files); f++) {
        const loss_dtype dtype = dtypes[f % 2];
        char path[400];
        snprintf(path, sizeof path, FORMATS "%s", files[f / 2].name);
        const int is_npy = strstr(path, ".npy") != NULL;
        loss_array *array = NULL;
        const loss_status status = is_npy ? loss_array_read_npy_as(&array, context, path, dtype, NULL, NULL)
                                          : loss_array_read_idx_as(&array, context, path, dtype, NULL, NULL);
        if (status == LOSS_ERROR_SUPPORT) {
            continue;
        }
        assert_int_equal(status, LOSS_OK);
        check_file(array, f / 2, dtype);
        loss_array_free(array);
        int64_t length;
        char *bytes = load(path, &length);
        assert_int_equal(is_npy ? loss_array_parse_npy_as(&array, context, bytes, length, dtype)
                                : loss_array_parse_idx_as(&array, context, bytes, length, dtype),
                         LOSS_OK);
        free(bytes);
        check_file(array, f / 2, dtype);
        loss_array_free(array);
    }
}

/* What is read is what loss_data takes. */
static void test_into_data(void **state)
{
    (void)state;
    loss_array *array = NULL;
    loss_data *data = NULL;
    assert_int_equal(loss_array_read_npy(&array, context, FORMATS "fortran.npy", NULL, NULL), LOSS_OK);
    assert_int_equal(loss_data_create(&data, context), LOSS_OK);
    assert_int_equal(loss_data_set_input(data, "features", loss_array_values(array), loss_array_dtype(array),
                                         loss_array_row_count(array), loss_array_column_count(array),
                                         loss_array_row_stride(array), loss_array_column_stride(array)),
                     LOSS_OK);
    loss_data_free(data);
    loss_array_free(array);
}

/* ---- bad input ---- */

#define TYPES        " is none of float32, float64, int32, int64 and uint8"
#define NOT_A_HEADER "the header is no dictionary of descr, fortran_order and shape"
#define NOT_A_SHAPE  "the shape is no list of whole numbers"

/* Headers of version 1, after which come 8 bytes of data. */
static const struct {
    const char *header;
    loss_status status;
    const char *sentence;
} headers[] = {
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }\n", LOSS_OK, ""},
    {"{\"shape\":(1,1L),\"fortran_order\":True,\"descr\":\"=f8\"}", LOSS_OK, ""},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", LOSS_ERROR_FORMAT,
     "byte 75: the shape needs 16 bytes of data, there are 8"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", LOSS_ERROR_FORMAT,
     "byte 72: the shape needs 4 bytes of data, there are more"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (0, 7), }", LOSS_ERROR_FORMAT,
     "byte 70: the shape needs 0 bytes of data, there are more"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (1152921504606846976, 1), }", LOSS_ERROR_FORMAT,
     "byte 87: the shape has more elements than memory can hold"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", LOSS_ERROR_FORMAT,
     "byte 87: the shape has more elements than memory can hold"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,), }", LOSS_ERROR_FORMAT,
     "byte 79: the shape has more elements than memory can hold"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }", LOSS_ERROR_FORMAT,
     "byte 87: the shape needs 8000000000000 bytes of data, there are 8"},
    {"{'descr': '<c16', 'fortran_order': False, 'shape': (1,), }", LOSS_ERROR_TYPE,
     "byte 26: the element type \"<c16\"" TYPES},
    {"{'descr': '<f2', 'fortran_order': False, 'shape': (1,), }", LOSS_ERROR_TYPE,
     "byte 25: the element type \"<f2\"" TYPES},
    {"{'descr': '|f8', 'fortran_order': False, 'shape': (1,), }", LOSS_ERROR_TYPE,
     "byte 25: the element type \"|f8\"" TYPES},
    {"{'descr': '', 'fortran_order': False, 'shape': (1,), }", LOSS_ERROR_TYPE,
     "byte 22: the element type \"\"" TYPES},
    {"{'descr': '\tf8', 'fortran_order': False, 'shape': (1,), }", LOSS_ERROR_TYPE,
     "byte 25: the element type \"?f8\"" TYPES},
    {"{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }", LOSS_ERROR_TYPE,
     "byte 20: the elements are records of several fields"},
    {"{'descr': 3, 'fortran_order': False, 'shape': (1,), }", LOSS_ERROR_FORMAT,
     "byte 20: the element type is no short string"},
    {"{'descr': '<f8", LOSS_ERROR_FORMAT, "byte 20: the element type is no short string"},
    {"{'descr': '<f8', 'fortran_order': 0, 'shape': (1,), }", LOSS_ERROR_FORMAT,
     "byte 44: fortran_order is neither True nor False"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (), }", LOSS_ERROR_SHAPE,
     "byte 62: the array has no dimensions; it is one number"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1, 1), }", LOSS_ERROR_SHAPE,
     "byte 67: the array has more than 2 dimensions"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': 1, }", LOSS_ERROR_FORMAT,
     "byte 60: the shape is no list in parentheses"},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (1), }", LOSS_ERROR_FORMAT, "byte 63: " NOT_A_SHAPE},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }", LOSS_ERROR_FORMAT,
     "byte 61: " NOT_A_SHAPE},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (1 1), }", LOSS_ERROR_FORMAT,
     "byte 63: " NOT_A_SHAPE},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (1,", LOSS_ERROR_FORMAT, "byte 63: " NOT_A_SHAPE},
    {"{'descr': '<f8', 'fortran_order': False, }", LOSS_ERROR_FORMAT,
     "byte 52: the header lacks descr, fortran_order or shape"},
    {"{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", LOSS_ERROR_FORMAT,
     "byte 27: a key of the header stands twice"},
    {"{'descr': '<f8' 'fortran_order': False, 'shape': (1,), }", LOSS_ERROR_FORMAT,
     "byte 26: no comma after a value of the header"},
    {"{'descr': '<f8', 'order': False, 'shape': (1,), }", LOSS_ERROR_FORMAT, "byte 27: " NOT_A_HEADER},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (1,), } 7", LOSS_ERROR_FORMAT,
     "byte 68: something follows the dictionary of the header"},
    {"(1, 2)", LOSS_ERROR_FORMAT, "byte 10: " NOT_A_HEADER},
    {"{", LOSS_ERROR_FORMAT, "byte 11: " NOT_A_HEADER},
    {"", LOSS_ERROR_FORMAT, "byte 10: " NOT_A_HEADER},
};

static void test_headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        const size_t length = strlen(headers[i].header);
        char file[200] = "\x93NUMPY\x01";
        file[8] = (char)length;
        memcpy(file + 10, headers[i].header, length);
        loss_array *array = (loss_array *)&headers;
        assert_int_equal(loss_array_parse_npy(&array, context, file, (int64_t)length + 18),
                         headers[i].status);
        assert_true((array != NULL) == (headers[i].status == LOSS_OK));
        if (headers[i].status) {
            assert_string_equal(loss_context_error(context), headers[i].sentence);
        }
        loss_array_free(array);
    }
}

static const struct {
    parser *parse;
    const char *bytes;
    int64_t length;
    loss_status status;
    const char *sentence;
} starts[] = {
    {loss_array_parse_npy, "", 0, LOSS_ERROR_FORMAT, "the file is empty; an array of NumPy was expected"},
    {loss_array_parse_npy, "\x93NUMPZ\x01\0\0\0", 10, LOSS_ERROR_FORMAT,
     "byte 0: no .npy file: it does not begin with \\x93NUMPY"},
    {loss_array_parse_npy, "PK\x03\x04", 4, LOSS_ERROR_FORMAT,
     "byte 0: no .npy file: it does not begin with \\x93NUMPY"},
    {loss_array_parse_npy, "\x93NUMPY\x04\0\0\0", 10, LOSS_ERROR_SUPPORT,
     "byte 6: a version of .npy other than 1.0, 2.0 and 3.0"},
    {loss_array_parse_npy, "\x93NUMPY\x01\x01\0\0", 10, LOSS_ERROR_SUPPORT,
     "byte 6: a version of .npy other than 1.0, 2.0 and 3.0"},
    {loss_array_parse_npy, "\x93NUMPY\x01\0\x11\x27{", 11, LOSS_ERROR_FORMAT,
     "byte 8: the header is longer than 10000 bytes"},
    {loss_array_parse_npy, "\x93NUMPY\x02\0\xff\xff\xff\xff{", 13, LOSS_ERROR_FORMAT,
     "byte 8: the header is longer than 10000 bytes"},
    {loss_array_parse_idx, "", 0, LOSS_ERROR_FORMAT, "the file is empty; an IDX array was expected"},
    {loss_array_parse_idx, "\0\0\x08\x01\0\0", 6, LOSS_ERROR_FORMAT,
     "byte 6: the file ends within the header"},
    {loss_array_parse_idx, "\0\x01\x08\x01\0\0\0\0", 8, LOSS_ERROR_FORMAT,
     "byte 0: no IDX file: it does not begin with two zeros and an element type"},
    {loss_array_parse_idx, "\0\0\x0a\x01\0\0\0\0", 8, LOSS_ERROR_FORMAT,
     "byte 0: no IDX file: it does not begin with two zeros and an element type"},
    {loss_array_parse_idx, "\0\0\x08\0\x07", 5, LOSS_ERROR_SHAPE,
     "byte 3: the array must have 1, 2 or 3 dimensions"},
    {loss_array_parse_idx, "\0\0\x08\x04\0\0\0\0", 8, LOSS_ERROR_SHAPE,
     "byte 3: the array must have 1, 2 or 3 dimensions"},
    {loss_array_parse_idx, "\0\0\x08\x01\0\0\0\x03\x07\x07", 10, LOSS_ERROR_FORMAT,
     "byte 10: the shape needs 3 bytes of data, there are 2"},
    {loss_array_parse_idx, "\0\0\x08\x01\0\0\0\x01\x07\x07", 10, LOSS_ERROR_FORMAT,
     "byte 10: the shape needs 1 bytes of data, there are more"},
    {loss_array_parse_idx, "\0\0\x0e\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16,
     LOSS_ERROR_FORMAT, "byte 16: the shape has more elements than memory can hold"},
};

static void test_starts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        loss_array *array = (loss_array *)&starts;
        assert_int_equal(starts[i].parse(&array, context, starts[i].bytes, starts[i].length),
                         starts[i].status);
        assert_string_equal(loss_context_error(context), starts[i].sentence);
        assert_null(array);
    }
}

static void test_refused_files(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        loss_status status;
    } refused[] = {{FORMATS "complex.npy", LOSS_ERROR_TYPE}, {FORMATS "record.npy", LOSS_ERROR_TYPE},
                   {FORMATS "cube.npy", LOSS_ERROR_SHAPE},   {FORMATS "scalar.npy", LOSS_ERROR_SHAPE},
                   {FORMATS "table.csv", LOSS_ERROR_FORMAT}, {FORMATS "nowhere.npy", LOSS_ERROR_FILE}};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        loss_array *array = (loss_array *)&starts;
        assert_int_equal(loss_array_read_npy(&array, context, refused[i].path, NULL, NULL),
                         refused[i].status);
        assert_null(array);
        /* The path comes first. */
        assert_true(strncmp(loss_context_error(context), refused[i].path, strlen(refused[i].path)) == 0);
    }
}

/* Every beginning of a file is refused. */
static void test_cut_at_every_byte(void **state)
{
    (void)state;
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        char path[400];
        snprintf(path, sizeof path, FORMATS "%s", files[f].name);
        parser *const parse = strstr(path, ".npy") ? loss_array_parse_npy : loss_array_parse_idx;
        int64_t length;
        char *bytes = load(path, &length);
        for (int64_t cut = 0; cut < length; cut++) {
            char *exact = malloc(cut > 0 ? (size_t)cut : 1); /* so that a read beyond it is noticed */
            assert_non_null(exact);
            memcpy(exact, bytes, (size_t)cut);
            loss_array *array = (loss_array *)&starts;
            const loss_status status = parse(&array, context, exact, cut);
            assert_true(status == LOSS_ERROR_FORMAT || (status == LOSS_ERROR_SUPPORT && strstr(path, ".gz")));
            assert_null(array);
            free(exact);
        }
        free(bytes);
    }
}

static void test_arguments(void **state)
{
    (void)state;
    loss_array *array = NULL;
    assert_int_equal(loss_array_parse_npy(NULL, context, "1", 1), LOSS_ERROR_ARGUMENT);
    assert_string_equal(loss_context_error(context), "out is NULL");
    assert_int_equal(loss_array_parse_idx(&array, NULL, "1", 1), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_array_parse_idx(&array, context, NULL, 1), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_array_parse_npy(&array, context, "1", -1), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_array_read_npy(&array, context, NULL, NULL, NULL), LOSS_ERROR_ARGUMENT);
    assert_string_equal(loss_context_error(context), "the path is NULL");
    assert_int_equal(loss_array_read_idx(&array, NULL, "a", NULL, NULL), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_array_read_idx(NULL, context, "a", NULL, NULL), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_array_read_npy_as(&array, context, "a", LOSS_INT32, NULL, NULL), LOSS_ERROR_TYPE);
    assert_string_equal(loss_context_error(context), "the elements must become float32 or float64");
    assert_int_equal(loss_array_parse_idx_as(&array, context, "1", 1, 0), LOSS_ERROR_TYPE);
    assert_int_equal(loss_array_read_idx_as(&array, NULL, "a", LOSS_FLOAT32, NULL, NULL),
                     LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_array_parse_npy_as(NULL, context, "1", 1, LOSS_FLOAT32), LOSS_ERROR_ARGUMENT);
    assert_null(loss_array_values(NULL));
    assert_int_equal(loss_array_dtype(NULL) + loss_array_row_count(NULL) + loss_array_column_count(NULL) +
                         loss_array_row_stride(NULL) + loss_array_column_stride(NULL) +
                         loss_array_dimension_count(NULL) + loss_array_extent(NULL, 0),
                     0);
    loss_array_free(NULL);
}

static loss_status everything(loss_context *counted)
{
    static const char *const names[] = {FORMATS "float64_big.npy", FORMATS "int8.idx", FORMATS "images.idx",
                                        FORMATS "float64_little.npy.gz"};
    loss_status status = LOSS_OK;
    for (size_t i = 0; i < 4 && !status; i++) {
        loss_array *array = NULL;
        status = strstr(names[i], ".npy") ? loss_array_read_npy(&array, counted, names[i], NULL, NULL)
                                          : loss_array_read_idx(&array, counted, names[i], NULL, NULL);
        assert_true((array != NULL) == (status == LOSS_OK));
        loss_array_free(array);
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
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_into_data),
        cmocka_unit_test(test_files_as_real_numbers),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_starts),
        cmocka_unit_test(test_refused_files),
        cmocka_unit_test(test_cut_at_every_byte),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_every_allocation_fails_once),
    };
    return cmocka_run_group_tests_name("io_array", tests, setup, teardown);
}
