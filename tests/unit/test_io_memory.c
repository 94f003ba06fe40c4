/* What readers hold at the peak, counted by the allocator of a context: little more than what they read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loss/io.h"
#include "loss/random.h"

/* In front of every block: its size. */
typedef union block {
    int64_t size;
    max_align_t align;
} block;

static struct peak {
    int64_t live, most; /* bytes */
} peak;

static int32_t peak_allocate(void *user, int64_t size, void **pointer)
{
    struct peak *const of = user;
    block *const memory = malloc(sizeof *memory + (size_t)size);
    assert_non_null(memory);
    memory->size = size;
    of->live += size;
    of->most = of->live > of->most ? of->live : of->most;
    *pointer = memory + 1;
    return 0;
}

static int32_t peak_release(void *user, void *pointer)
{
    if (pointer) {
        block *const memory = (block *)pointer - 1;
        ((struct peak *)user)->live -= memory->size;
        free(memory);
    }
    return 0;
}

static double element(const loss_array *array, int64_t i)
{
    const void *values = loss_array_values(array);
    return loss_array_dtype(array) == LOSS_FLOAT64   ? ((const double *)values)[i]
           : loss_array_dtype(array) == LOSS_FLOAT32 ? (double)((const float *)values)[i]
                                                     : ((const int32_t *)values)[i];
}

static loss_context *counted(void)
{
    loss_context *context = NULL;
    assert_int_equal(loss_context_create_with_allocator(&context, peak_allocate, peak_release, &peak),
                     LOSS_OK);
    return context;
}

/* Many pieces of another type take little more than what becomes of them, and all have their place. */
static void test_memory_of_conversions(void **state)
{
    enum { ROWS = 4001, COLUMNS = 250, HEADER = 12 };
    static const struct {
        unsigned char code, size;
        loss_dtype dtype;
    } cases[] = {{0x08, 1, LOSS_FLOAT32}, {0x08, 1, LOSS_FLOAT64}, {0x0b, 2, LOSS_FLOAT32},
                 {0x0c, 4, LOSS_FLOAT64}, {0x0e, 8, LOSS_FLOAT32}, {0x0b, 2, 0}};
    unsigned char *bytes = calloc(HEADER + ROWS * COLUMNS, 8);
    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        loss_context *context = counted();
        loss_array *array = NULL;
        const unsigned char header[HEADER] = {
            0, 0, cases[k].code, 2, 0, 0, ROWS >> 8, ROWS & 255, 0, 0, COLUMNS >> 8, COLUMNS & 255};
        const int64_t length = HEADER + (int64_t)ROWS * COLUMNS * cases[k].size;
        memset(bytes, 0, (size_t)length);
        memcpy(bytes, header, HEADER);
        for (int64_t i = 0; i < (int64_t)ROWS * COLUMNS;
             i++) { /* of float64 a number below the normal ones */
            bytes[HEADER + (i + 1) * cases[k].size - 1] = (unsigned char)(i % 127);
        }
        const int64_t before = peak.live;
        peak.most = 0;
        assert_int_equal(cases[k].dtype
                             ? loss_array_parse_idx_as(&array, context, bytes, length, cases[k].dtype)
                             : loss_array_parse_idx(&array, context, bytes, length),
                         LOSS_OK);
        const int64_t elements = (int64_t)ROWS * COLUMNS * loss_dtype_size(loss_array_dtype(array));
        assert_true((double)(peak.most - before) < 1.2 * (double)elements);
        for (int64_t i = 0; i < (int64_t)ROWS * COLUMNS && cases[k].size < 8; i++) {
            assert_true(element(array, i) == (double)(i % 127));
        }
        loss_array_free(array);
        loss_context_free(context);
        assert_int_equal(peak.live, 0);
    }
    free(bytes);
}

static void put_little(unsigned char **p, uint32_t number, int bytes)
{
    for (int b = 0; b < bytes; b++) {
        *(*p)++ = (unsigned char)(number >> 8 * b);
    }
}

/* A gzipped file (RFC 1952) of the text in blocks that are not compressed (RFC 1951, 3.2.4); malloced. */
static unsigned char *pack(const char *text, int64_t length, int64_t *packed)
{
    enum { BLOCK = 60000 };
    static const unsigned char header[10] = {0x1f, 0x8b, 8, [9] = 255};
    unsigned char *bytes = malloc((size_t)(length + length / BLOCK * 5 + 64)), *p = bytes;
    uint32_t check = UINT32_MAX;
    assert_non_null(bytes);
    memcpy(p, header, sizeof header);
    p += sizeof header;
    for (int64_t at = 0; at < length; at += BLOCK) {
        const int64_t here = length - at < BLOCK ? length - at : BLOCK;
        *p++ = at + here == length;
        put_little(&p, (uint32_t)here, 2);
        put_little(&p, ~(uint32_t)here, 2);
        memcpy(p, text + at, (size_t)here);
        p += here;
    }
    for (int64_t i = 0; i < length; i++) {
        check ^= (unsigned char)text[i];
        for (int bit = 0; bit < 8; bit++) {
            check = check & 1 ? check >> 1 ^ 0xedb88320u : check >> 1;
        }
    }
    put_little(&p, ~check, 4);
    put_little(&p, (uint32_t)length, 4);
    *packed = p - bytes;
    return bytes;
}

/* Ten entries a row: what has one element a row weighs as much as an entry. */
static void test_memory_of_sparse_rows(void **state)
{
    enum { ROWS = 60000, ENTRIES = 10, LINE = 4 + 12 * ENTRIES };
    char *text = malloc((size_t)ROWS * LINE), *p = text;
    int64_t *order = malloc(ROWS * sizeof *order);
    (void)state;
    for (int r = 0; r < ROWS; r++) {
        p += sprintf(p, r % 2 ? "+1" : "-1");
        for (int j = 0; j < ENTRIES; j++) {
            p += sprintf(p, " %d:%d.%03d", 90 * j + r % 90 + 1, r % 7, (r + 31 * j) % 1000);
        }
        *p++ = '\n';
    }
    int64_t packed_length;
    unsigned char *packed = pack(text, p - text, &packed_length);
    assert_int_equal(loss_random_permutation(3, 0, ROWS, order), LOSS_OK);
    for (int k = 0; k < 4; k++) {
        loss_context *context = counted();
        const int t = k % 2, is_packed = k / 2;
        const loss_dtype dtype = t ? LOSS_FLOAT32 : LOSS_FLOAT64;
        const int64_t size = loss_dtype_size(dtype);
        const int64_t held = ROWS *
                             (ENTRIES * (size + (int64_t)sizeof(int32_t)) + size + (int64_t)sizeof(int64_t));
        const int64_t before = peak.live;
        loss_sparse *sparse;
        peak.most = 0;
        const loss_status status = loss_sparse_parse_svmlight(
            &sparse, context, is_packed ? (const char *)packed : text, is_packed ? packed_length : p - text,
            dtype, LOSS_INT32, 1, 0);
        if (is_packed && status == LOSS_ERROR_SUPPORT) {
            loss_context_free(context);
            continue;
        }
        assert_int_equal(status, LOSS_OK);
        /* What unpacks has a buffer and a window. */
        assert_true((double)(peak.most - before) < (is_packed ? 1.18 : 1.15) * (double)held);
        const int64_t read = peak.live;
        peak.most = 0;
        assert_int_equal(loss_sparse_reorder(sparse, order), LOSS_OK);
        assert_true((double)(peak.most - read) < 0.08 * (double)held);
        const void *labels = loss_sparse_labels(sparse);
        for (int64_t i = 0; i < ROWS; i++) {
            const double label = t ? (double)((const float *)labels)[i] : ((const double *)labels)[i];
            assert_true(label == (order[i] % 2 ? 1 : -1));
        }
        loss_sparse_free(sparse);
        loss_context_free(context);
        assert_int_equal(peak.live, 0);
    }
    free(packed);
    free(order);
    free(text);
}

/* Ten numbers a row and a target that may be a class: its text, of which the numbers are made when they are asked for. */
static void test_memory_of_tables(void **state)
{
    enum { ROWS = 60000, COLUMNS = 10, LINE = 8 + 8 * COLUMNS };
    static const char header[] = "a,b,c,d,e,f,g,h,i,j,target\n", *const target = "target";
    char *text = malloc((size_t)ROWS * LINE), *p = text + sizeof header - 1;
    (void)state;
    memcpy(text, header, sizeof header - 1);
    for (int r = 0; r < ROWS; r++) {
        for (int j = 0; j < COLUMNS; j++) {
            p += sprintf(p, "%d.%03d,", r % 7, (r + 31 * j) % 1000);
        }
        p += sprintf(p, "%05d.5\n", r % 50000);
    }
    loss_context *context = counted();
    const int64_t before = peak.live;
    loss_array *array;
    loss_table *table;
    peak.most = 0;
    assert_int_equal(loss_array_parse_csv(&array, &table, context, text, p - text, 1, 0, LOSS_FLOAT64, 1, -1,
                                          NULL, 1, &target),
                     LOSS_OK);
    const int64_t held = ROWS * (COLUMNS * (int64_t)sizeof(double) + (int64_t)sizeof(int64_t) + 8);
    assert_true((double)(peak.most - before) < 1.2 * (double)held);
    double *numbers = malloc(ROWS * sizeof *numbers);
    assert_int_equal(loss_table_get_column_double(table, context, 0, numbers, 1), LOSS_OK);
    for (int64_t r = 0; r < ROWS; r++) {
        assert_true(numbers[r] == (double)(r % 50000) + 0.5);
    }
    free(numbers);
    loss_table_free(table);
    loss_array_free(array);
    loss_context_free(context);
    assert_int_equal(peak.live, 0);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_of_conversions),
        cmocka_unit_test(test_memory_of_sparse_rows),
        cmocka_unit_test(test_memory_of_tables),
    };
    return cmocka_run_group_tests_name("io_memory", tests, NULL, NULL);
}
