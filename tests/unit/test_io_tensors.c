/* Named tensors: files word for word, bad ones with what is said of them, cut at every byte; parameters of graphs there and back. */
#include "io_support.h"

#include <fcntl.h>
#include <math.h>
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
    remove_stored();
    loss_context_free(context);
    return 0;
}

enum { MOST = 4096 };

/* A file of a header and data; gives its length. */
static int64_t make_file(unsigned char *bytes, const char *header, const void *data, int64_t length)
{
    const size_t size = strlen(header);
    memset(bytes, 0, 8);
    bytes[0] = (unsigned char)(size & 255);
    bytes[1] = (unsigned char)(size >> 8);
    memcpy(bytes + 8, header, size);
    memcpy(bytes + 8 + size, data, (size_t)length);
    return 8 + (int64_t)size + length;
}

/* ---- good files ---- */

/* The same four numbers in each real type: 1, −2.5, 2⁻²⁴ (the smallest of F16; BF16 has it too), infinity. */
static const unsigned char reals[] = {
    0,    0,    0x80, 0x3f, 0,    0,    0x20, 0xc0, 0, 0, 0x80, 0x33, 0, 0, 0x80, 0x7f, /* F32 */
    0,    0x3c, 0,    0xc1, 1,    0,    0,    0x7c,                                     /* F16 */
    0x80, 0x3f, 0x20, 0xc0, 0x80, 0x33, 0x80, 0x7f,                                     /* BF16 */
    0,    0,    0,    0,    0,    0,    0xf0, 0x3f, 0, 0, 0,    0,    0, 0, 4,    0xc0, /* F64 */
    0,    0,    0,    0,    0,    0,    0x70, 0x3e, 0, 0, 0,    0,    0, 0, 0xf0, 0x7f,
    7,    0,    0,    0,    0xfe, 0xff, 0xff, 0xff, /* I32: 7, −2 */
};

static const char good[] = "{\"__metadata__\":{\"format\":\"pt\"},"
                           "\"whole\":{\"dtype\":\"I32\",\"shape\":[2],\"data_offsets\":[64,72]},"
                           "\"single\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},"
                           "\"half\":{\"dtype\":\"F16\",\"shape\":[4],\"data_offsets\":[16,24]},"
                           "\"brain\":{\"dtype\":\"BF16\",\"shape\":[1,4],\"data_offsets\":[24,32]},"
                           "\"empty\":{\"dtype\":\"F32\",\"shape\":[3,0],\"data_offsets\":[72,72]},"
                           "\"double\":{\"dtype\":\"F64\",\"shape\":[4],\"data_offsets\":[32,64]}}   ";

static void every_type_is_read(void **state)
{
    (void)state;
    static const char *const names[] = {"single", "half", "brain", "double"};
    static const double expected[] = {1, -2.5, 0x1p-24, INFINITY};
    unsigned char bytes[MOST];
    const int64_t length = make_file(bytes, good, reals, sizeof reals);
    for (int from_file = 0; from_file < 2; from_file++) {
        loss_tensors *tensors;
        int32_t whole[2];
        assert_int_equal(from_file ? loss_tensors_read(&tensors, context, store(bytes, length))
                                   : loss_tensors_parse(&tensors, context, bytes, length),
                         LOSS_OK);
        assert_int_equal(loss_tensors_count(tensors), 6);
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            double doubles[4];
            float floats[4];
            const int64_t index = loss_tensors_find(tensors, names[i]);
            assert_int_equal(loss_tensors_get(tensors, context, index, doubles, LOSS_FLOAT64), LOSS_OK);
            assert_int_equal(loss_tensors_get(tensors, context, index, floats, LOSS_FLOAT32), LOSS_OK);
            for (int k = 0; k < 4; k++) {
                assert_true(doubles[k] == expected[k] && (double)floats[k] == expected[k]);
            }
        }
        const int64_t single = loss_tensors_find(tensors, "single"),
                      empty = loss_tensors_find(tensors, "empty");
        assert_string_equal(loss_tensors_type(tensors, single), "F32");
        assert_int_equal(loss_tensors_rank(tensors, single), 2);
        assert_int_equal(loss_tensors_size(tensors, single, 1), 2);
        assert_int_equal(loss_tensors_get(tensors, context, empty, NULL, LOSS_FLOAT64), LOSS_OK);
        assert_int_equal(
            loss_tensors_get(tensors, context, loss_tensors_find(tensors, "whole"), whole, LOSS_INT32),
            LOSS_OK);
        assert_true(whole[0] == 7 && whole[1] == -2);
        assert_int_equal(loss_tensors_get(tensors, context, single, whole, LOSS_INT32), LOSS_ERROR_TYPE);
        assert_non_null(strstr(loss_context_error(context), "\"single\" is F32, which is not read as int32"));
        assert_int_equal(loss_tensors_get(tensors, context, 6, whole, LOSS_INT32), LOSS_ERROR_ARGUMENT);
        assert_non_null(
            strstr(loss_context_error(context), "tensor 6 (counted from 0) of a file with 6 tensors"));
        assert_int_equal(loss_tensors_get(NULL, context, 0, whole, LOSS_INT32), LOSS_ERROR_ARGUMENT);
        assert_string_equal(loss_context_error(context), "the file of tensors is NULL");
        assert_int_equal(loss_tensors_get(tensors, NULL, 0, whole, LOSS_INT32), LOSS_ERROR_ARGUMENT);
        assert_null(loss_tensors_name(tensors, -1));
        assert_int_equal(loss_tensors_find(tensors, "none"), -1);
        assert_int_equal(loss_tensors_find(tensors, NULL), -1);
        loss_tensors_free(tensors);
    }
    assert_int_equal(loss_tensors_count(NULL), 0);
    loss_tensors_free(NULL);
}

/* ---- bad files ---- */

#define ONE "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}"

static const struct {
    const char *header, *words;
} bad[] = {
    {"[]", "the header is no JSON object"},
    {"{\"a\":", "the header is no JSON"},
    {"{" ONE "," ONE "}", "the header is no JSON: duplicate object key"},
    {"{\"a\":3}", "the tensor \"a\" has no dtype of the format"},
    {"{\"a\":{\"dtype\":\"F7\",\"shape\":[2],\"data_offsets\":[0,8]}}", "has no dtype of the format"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":2,\"data_offsets\":[0,8]}}", "no list of at most 8 sizes"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,2],\"data_offsets\":[0,8]}}",
     "no list of at most 8 sizes"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", "a size that is none"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2.5],\"data_offsets\":[0,8]}}", "a size that is none"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,8]}}",
     "a size that is none"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}", "no two whole numbers"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", "outside the data"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", "outside the data"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}",
     "not as far apart as its shape says"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
     "does not begin where the one before ends"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"F32\",\"shape\":[2],"
     "\"data_offsets\":[0,8]}}",
     "does not begin where the one before ends"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", "data that belongs to no tensor"},
};

static void bad_files_are_refused(void **state)
{
    (void)state;
    static const unsigned char data[8];
    unsigned char bytes[MOST];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        loss_tensors *tensors = (loss_tensors *)bytes;
        const int64_t length = make_file(bytes, bad[i].header, data, sizeof data);
        assert_int_equal(loss_tensors_parse(&tensors, context, bytes, length), LOSS_ERROR_FORMAT);
        assert_null(tensors);
        if (strstr(loss_context_error(context), bad[i].words) == NULL) {
            fail_msg("%s: %s", bad[i].header, loss_context_error(context));
        }
    }
    const int64_t length = make_file(bytes, good, reals, sizeof reals);
    for (int64_t cut = 0; cut < length; cut++) {
        loss_tensors *tensors;
        assert_int_equal(loss_tensors_parse(&tensors, context, bytes, cut), LOSS_ERROR_FORMAT);
    }
    memset(bytes, 0xff, 8); /* a header of 2⁶⁴ − 1 bytes */
    loss_tensors *tensors;
    assert_int_equal(loss_tensors_parse(&tensors, context, bytes, length), LOSS_ERROR_FORMAT);
    assert_int_equal(loss_tensors_read(&tensors, context, "/no/such/file"), LOSS_ERROR_FILE);
    assert_int_equal(loss_tensors_read(&tensors, context, NULL), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_tensors_read(NULL, context, "x"), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_tensors_read(&tensors, NULL, "x"), LOSS_ERROR_ARGUMENT);
}

/* ---- parameters ---- */

enum { DIMENSION = 6 + 3 + 1 };

static loss_graph *make_graph(loss_context *own, loss_dtype dtype, int64_t last)
{
    const int64_t shape[] = {2, last};
    loss_graph *graph = NULL;
    int32_t node;
    loss_status status = loss_graph_create(&graph, own, dtype);
    if (status == LOSS_OK && (loss_graph_parameter(graph, "layer1.weights", 2, shape, &node) != LOSS_OK ||
                              loss_graph_parameter(graph, "layer1.bias", 1, shape + 1, &node) != LOSS_OK ||
                              loss_graph_parameter(graph, "a/name-2", 0, NULL, &node) != LOSS_OK)) {
        loss_graph_free(graph);
        return NULL;
    }
    return graph;
}

static void parameters_come_back(void **state)
{
    (void)state;
    double x[DIMENSION], back[DIMENSION];
    float narrow[DIMENSION];
    const char *path = store("", 0);
    loss_graph *graph = make_graph(context, LOSS_FLOAT64, 3), *single = make_graph(context, LOSS_FLOAT32, 3);
    loss_graph *other = make_graph(context, LOSS_FLOAT64, 4);
    for (int i = 0; i < DIMENSION; i++) {
        x[i] = real(i, 3) / 3;
        back[i] = -1;
    }
    assert_int_equal(loss_graph_write_parameters(graph, context, x, path), LOSS_OK);
    assert_int_equal(loss_graph_read_parameters(graph, context, path, back), LOSS_OK);
    assert_memory_equal(back, x, sizeof x);
    assert_int_equal(loss_graph_read_parameters(single, context, path, narrow), LOSS_OK);
    for (int i = 0; i < DIMENSION; i++) {
        assert_true(narrow[i] == (float)x[i]);
    }
    assert_int_equal(loss_graph_read_parameters(other, context, path, back), LOSS_ERROR_SHAPE);
    assert_non_null(
        strstr(loss_context_error(context), "\"layer1.weights\" has another shape than the parameter"));
    int32_t node;
    assert_int_equal(loss_graph_parameter(graph, "more", 0, NULL, &node), LOSS_OK);
    assert_int_equal(loss_graph_read_parameters(graph, context, path, back), LOSS_ERROR_NAME);
    assert_non_null(strstr(loss_context_error(context), "there is no tensor \"more\""));
    assert_memory_equal(back, x, sizeof x); /* as it was */
    assert_int_equal(loss_graph_write_parameters(graph, context, x, "/no/such/directory/file"),
                     LOSS_ERROR_FILE);
    assert_int_equal(loss_graph_write_parameters(NULL, context, x, path), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_graph_write_parameters(graph, NULL, x, path), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_graph_write_parameters(graph, context, NULL, path), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_graph_write_parameters(graph, context, x, NULL), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_graph_read_parameters(NULL, context, path, back), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_graph_read_parameters(graph, context, NULL, back), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_graph_read_parameters(graph, context, path, NULL), LOSS_ERROR_ARGUMENT);
    loss_graph_free(other);
    loss_graph_free(single);
    loss_graph_free(graph);
}

/* ---- what a path may be ---- */

static mode_t type_of(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0 ? status.st_mode & S_IFMT : 0;
}

/* In a directory of its own, which has to be as empty at the end as it was. */
static void only_files_are_replaced(void **state)
{
    (void)state;
    char folder[] = "/tmp/loss_test_io_XXXXXX", old[64], link[64], stray[64], fifo[64], part[64], fresh[64];
    const double x[DIMENSION] = {0.375, -7};
    double back[DIMENSION];
    loss_graph *graph = make_graph(context, LOSS_FLOAT64, 3);
    assert_non_null(mkdtemp(folder));
    snprintf(old, sizeof old, "%s/old", folder);
    snprintf(part, sizeof part, "%s/old.part", folder);
    snprintf(link, sizeof link, "%s/link", folder);
    snprintf(stray, sizeof stray, "%s/stray", folder);
    snprintf(fresh, sizeof fresh, "%s/fresh", folder);
    snprintf(fifo, sizeof fifo, "%s/fifo", folder);
    FILE *file = fopen(part, "w");
    assert_true(file && fputs("mine", file) >= 0 && fclose(file) == 0);
    file = fopen(old, "w");
    assert_true(file && fclose(file) == 0 && chmod(old, 0640) == 0);
    assert_int_equal(symlink("old", link), 0);
    assert_int_equal(symlink("fresh", stray), 0);
    assert_int_equal(mkfifo(fifo, 0600), 0);

    /* A link stays one, and what it leads to is the file, with the rights it had. */
    assert_int_equal(loss_graph_write_parameters(graph, context, x, link), LOSS_OK);
    assert_int_equal(loss_graph_write_parameters(graph, context, x, stray), LOSS_OK);
    assert_true(type_of(link) == S_IFLNK && type_of(stray) == S_IFLNK);
    struct stat status;
    assert_true(stat(old, &status) == 0 && (status.st_mode & 0777) == 0640);
    const char *const written[] = {old, fresh};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(type_of(written[i]), S_IFREG);
        assert_int_equal(loss_graph_read_parameters(graph, context, written[i], back), LOSS_OK);
        assert_memory_equal(back, x, sizeof x);
    }
    int64_t length, whole_length;
    char *bytes = load(part, &length), *whole = load(old, &whole_length);
    assert_true(length == 4 && memcmp(bytes, "mine", 4) == 0);
    free(bytes);

    /* A pipe is written to: what its reader gets is the file. */
    char got[MOST];
    const int reader = open(fifo, O_RDONLY | O_NONBLOCK);
    assert_true(reader >= 0);
    assert_int_equal(loss_graph_write_parameters(graph, context, x, fifo), LOSS_OK);
    assert_int_equal(type_of(fifo), S_IFIFO);
    assert_int_equal(read(reader, got, sizeof got), whole_length);
    assert_memory_equal(got, whole, (size_t)whole_length);
    close(reader);
    free(whole);

    /* A failure leaves nothing behind. */
    assert_int_equal(loss_graph_write_parameters(graph, context, x, folder), LOSS_ERROR_FILE);
    assert_non_null(strstr(loss_context_error(context), "cannot write: Is a directory"));
    const char *const all[] = {old, link, stray, fifo, part, fresh};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        assert_int_equal(unlink(all[i]), 0);
    }
    assert_int_equal(rmdir(folder), 0);
    loss_graph_free(graph);
}

static void the_format_keeps_a_name(void **state)
{
    (void)state;
    const double x[] = {2.5};
    const char *path = store("mine", 4);
    loss_graph *graph;
    int32_t node;
    int64_t length;
    assert_int_equal(loss_graph_create(&graph, context, LOSS_FLOAT64), LOSS_OK);
    assert_int_equal(loss_graph_parameter(graph, "__metadata__", 0, NULL, &node), LOSS_OK);
    assert_int_equal(loss_graph_write_parameters(graph, context, x, path), LOSS_ERROR_NAME);
    assert_non_null(
        strstr(loss_context_error(context),
               "a parameter named \"__metadata__\" cannot be written: the format keeps that name"));
    char *bytes = load(path, &length);
    assert_int_equal(length, 4); /* as it was */
    free(bytes);
    loss_graph_free(graph);
}

static loss_status everything(loss_context *own)
{
    double x[DIMENSION] = {0.625};
    const char *path = store("", 0);
    loss_graph *graph = make_graph(own, LOSS_FLOAT64, 3);
    loss_status status = graph != NULL ? loss_graph_write_parameters(graph, own, x, path) : LOSS_ERROR_MEMORY;
    if (status == LOSS_OK) {
        status = loss_graph_read_parameters(graph, own, path, x);
    }
    loss_graph_free(graph);
    return status;
}

static void memory_runs_out(void **state)
{
    (void)state;
    check_every_allocation(everything);
}

int main(void)
{
    loss_context *probe = NULL;
    loss_tensors *tensors;
    if (loss_context_create(&probe) != LOSS_OK) {
        return 1;
    }
    const loss_status supported = loss_tensors_parse(&tensors, probe, "", 0);
    loss_context_free(probe);
    if (supported == LOSS_ERROR_SUPPORT) {
        printf("this build reads no safetensors\n");
        return 77;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_read),      cmocka_unit_test(bad_files_are_refused),
        cmocka_unit_test(parameters_come_back),    cmocka_unit_test(only_files_are_replaced),
        cmocka_unit_test(the_format_keeps_a_name), cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
