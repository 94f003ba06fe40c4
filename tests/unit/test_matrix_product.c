/* Matrix products: element by element the chains, blocks, pieces and tree that matrix_product.h lays down, to the bit. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "gradient/matrix_product.h"
#include "support/check.h"

typedef struct shape {
    int64_t rows, columns, inner;
} shape;

/* Nothing; one; edges of tiles of 4, 6, 8, 12 and 14 rows and of 4 … 32 columns, of blocks, and of what is copied at a time; pieces; a
   row and columns of matrices that fill caches, and rows that are pages apart. */
static const shape shapes[] = {
    {0, 3, 5},     {3, 0, 5},      {3, 5, 0},      {1, 1, 1},     {1, 1, 300},    {2, 3, 4},
    {6, 16, 7},    {7, 17, 9},     {14, 32, 33},   {15, 33, 31},  {13, 15, 256},  {5, 8, 257},
    {11, 24, 255}, {1, 40, 77},    {40, 1, 77},    {97, 31, 20},  {100, 10, 64},  {64, 10, 256},
    {3, 259, 40},  {29, 130, 513}, {197, 35, 300}, {2, 300, 19},  {1, 70, 600},   {3, 5, 4095},
    {3, 5, 4096},  {2, 17, 6000},  {1, 3, 20001},  {3, 2, 70001}, {200, 200, 40}, {260, 180, 33},
    {30, 96, 300}, {100, 48, 130}, {12, 80, 17},   {1, 700, 300}, {1, 4117, 70},  {37, 1, 1024},
    {40, 2, 512},  {5003, 1, 50},  {4100, 3, 47},
};

/* The matrices of a case; elements between −1 and 1, some of them NaN or infinite when asked for. */
typedef struct matrices {
    loss_dtype dtype;
    shape of;
    void *a, *b, *before, *expected;
} matrices;

static int64_t size_of(loss_dtype dtype)
{
    return loss_dtype_size(dtype);
}

static void *new_array(loss_dtype dtype, int64_t count, uint64_t seed)
{
    void *array = calloc((size_t)count + 1, (size_t)size_of(dtype));
    assert_non_null(array);
    for (int64_t i = 0; i < count; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        set_element(array, dtype, i, (double)(int64_t)seed * 0x1p-63);
    }
    return array;
}

/* Sums of pieces to one, in place: the tree. */
static double tree(double *sums, int64_t count, loss_dtype dtype)
{
    for (; count > 1; count = (count + 1) / 2) {
        for (int64_t i = 0; i < count / 2; i++) {
            const double sum = sums[2 * i] + sums[2 * i + 1];
            sums[i] = dtype == LOSS_FLOAT32 ? (double)(float)sum : sum;
        }
        if (count % 2 != 0) {
            sums[count / 2] = sums[count - 1];
        }
    }
    return sums[0];
}

/* The rule, written down once more; a sum of two floats rounded by way of double is the sum of floats. */
static double by_the_rule(const matrices *m, int64_t i, int64_t j, int accumulate)
{
    const shape s = m->of;
    const int64_t each = 256 * lossi_product_piece_blocks(s.rows, s.columns, s.inner);
    double pieces[LOSSI_PRODUCT_PIECES];
    int64_t count = 0;
    for (int64_t begin = 0; begin < s.inner; begin += each) {
        const int64_t end = begin + each < s.inner ? begin + each : s.inner;
        int fresh = begin > 0 || !accumulate;
        double sum = fresh ? 0.0 : element(m->before, m->dtype, i * s.columns + j);
        for (int64_t k = begin; k < end; k += 256) {
            double chain = 0.0;
            for (int64_t l = k; l < end && l < k + 256; l++) {
                const double x = element(m->a, m->dtype, i * s.inner + l),
                             y = element(m->b, m->dtype, l * s.columns + j);
                chain = m->dtype == LOSS_FLOAT32 ? (double)fmaf((float)x, (float)y, (float)chain)
                                                 : fma(x, y, chain);
            }
            const double both = sum + chain;
            sum = fresh ? chain : m->dtype == LOSS_FLOAT32 ? (double)(float)both : both;
            fresh = 0;
        }
        pieces[count++] = sum;
    }
    if (count == 0) {
        return accumulate ? element(m->before, m->dtype, i * s.columns + j) : 0.0;
    }
    return tree(pieces, count, m->dtype);
}

static matrices new_matrices(loss_dtype dtype, shape of, int accumulate, int hard)
{
    static const double hards[] = {NAN, INFINITY, -INFINITY, 0.0, -0.0, 0x1p-1040, 0x1p127};
    matrices m = {dtype,
                  of,
                  new_array(dtype, of.rows * of.inner, 7),
                  new_array(dtype, of.inner * of.columns, 11),
                  new_array(dtype, of.rows * of.columns, 13),
                  new_array(dtype, of.rows * of.columns, 0)};
    for (int k = 0; k < 7 && hard; k++) {
        set_element(m.a, dtype, of.rows * of.inner * k / 7, hards[k]);
        set_element(m.b, dtype, of.inner * of.columns * k / 7, hards[(k + 3) % 7]);
    }
    for (int64_t i = 0; i < of.rows * of.columns; i++) {
        set_element(m.expected, dtype, i, by_the_rule(&m, i / of.columns, i % of.columns, accumulate));
    }
    return m;
}

static void free_matrices(matrices *m)
{
    free(m->a);
    free(m->b);
    free(m->before);
    free(m->expected);
}

/* A copy of a matrix with other strides; *view is where it is. To be freed. */
static void *with_strides(const void *from, loss_dtype dtype, int64_t rows, int64_t columns, int layout,
                          lossi_matrix_view *view)
{
    const int64_t row[] = {columns, 1, columns + 3, 2, 2 * columns + 1, -columns - 1};
    const int64_t column[] = {1, rows, 1, 2 * rows + 1, 2, 1};
    const int64_t first = layout == 5 ? (rows > 0 ? rows - 1 : 0) * (columns + 1) : 0;
    void *to = calloc((size_t)((2 * rows + 3) * (2 * columns + 3)), (size_t)size_of(dtype));
    assert_non_null(to);
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t j = 0; j < columns; j++) {
            set_element(to, dtype, first + i * row[layout] + j * column[layout],
                        element(from, dtype, i * columns + j));
        }
    }
    *view = (lossi_matrix_view){(char *)to + first * size_of(dtype), row[layout], column[layout]};
    return to;
}

/* Packs a row-major matrix, and notes nothing: threads may be at it together. */
typedef struct packed_matrix {
    const void *data;
    int64_t columns, size, together;
} packed_matrix;

static void pack(const void *argument, int64_t row_begin, int64_t row_end, int64_t column_begin,
                 int64_t column_end, void *panel, int64_t panel_stride)
{
    const packed_matrix *matrix = argument;
    assert_true(row_end - row_begin <= LOSSI_PRODUCT_PANEL_ROWS && row_begin < row_end);
    assert_true(column_end - column_begin <= LOSSI_PRODUCT_PANEL_ROWS && column_begin < column_end);
    assert_true(panel_stride >= column_end - column_begin && (uintptr_t)panel % 64 == 0);
    assert_true(panel_stride * matrix->size % 64 == 0);
    for (int64_t i = row_begin; i < row_end; i++) {
        char *to = (char *)panel + (i - row_begin) * panel_stride * matrix->size;
        memset(to, 0xff, (size_t)(panel_stride * matrix->size)); /* NaN, which may not be read */
        memcpy(to, (const char *)matrix->data + (i * matrix->columns + column_begin) * matrix->size,
               (size_t)((column_end - column_begin) * matrix->size));
    }
}

/*
 * The same laid out: runs of some columns a gap apart, rows too, and a wider one after every fifth row. In gaps there are NaN, which may
 * not be read.
 */
enum { TOGETHER = 16, FEW_TOGETHER = 5, GAP_OF_RUNS = 2, GAP_OF_ROWS = 3 };

static int64_t place_of_column(const packed_matrix *matrix, int64_t column)
{
    return column + column / matrix->together * GAP_OF_RUNS;
}

static int64_t place_of_row(const packed_matrix *matrix, int64_t row)
{
    return row * (place_of_column(matrix, matrix->columns) + GAP_OF_ROWS) + row / 5 * GAP_OF_ROWS;
}

static int64_t room(const void *argument, int64_t rows)
{
    const packed_matrix *matrix = argument;
    return place_of_row(matrix, rows + 5) * matrix->size;
}

static void lay(const void *argument, int64_t begin, int64_t end, void *to, int64_t *rows)
{
    const packed_matrix *matrix = argument;
    const int64_t size = matrix->size, skipped = place_of_row(matrix, begin);
    assert_true(end - begin <= LOSSI_PRODUCT_PANEL_ROWS && begin < end);
    memset(to, 0xff, (size_t)((place_of_row(matrix, end) - skipped) * size));
    for (int64_t i = begin; i < end; i++) {
        rows[i - begin] = place_of_row(matrix, i) - skipped;
        for (int64_t j = 0; j < matrix->columns; j++) {
            memcpy((char *)to + (rows[i - begin] + place_of_column(matrix, j)) * size,
                   (const char *)matrix->data + (i * matrix->columns + j) * size, (size_t)size);
        }
    }
}

static int32_t list_runs(const void *argument, int64_t begin, int64_t end, lossi_matrix_run *runs)
{
    const packed_matrix *matrix = argument;
    int32_t count = 0;
    for (int64_t j = begin; j < end;) {
        const int64_t stop = (j / matrix->together + 1) * matrix->together;
        runs[count++] = (lossi_matrix_run){place_of_column(matrix, j), (stop < end ? stop : end) - j};
        j = stop;
    }
    return count;
}

/* A factor in one of its forms: 6 layouts, packed, packed as its transpose; laid out in runs of whole vectors, and of fewer columns. */
enum { PACKED = 6, TRANSPOSED, LAID, LAID_APART, FORMS };

typedef struct form {
    lossi_matrix_factor factor;
    packed_matrix packed;
    void *memory;
} form;

static void make_form(form *f, int which, const void *from, loss_dtype dtype, int64_t rows, int64_t columns)
{
    memset(f, 0, sizeof *f);
    f->memory = with_strides(from, dtype, rows, columns,
                             which < PACKED        ? which
                             : which == TRANSPOSED ? 1
                                                   : 0,
                             &f->factor.view);
    if (which >= PACKED) {
        f->packed = (packed_matrix){f->memory, which == TRANSPOSED ? rows : columns, size_of(dtype),
                                    which == LAID ? TOGETHER : FEW_TOGETHER};
        f->factor = (lossi_matrix_factor){
            .pack = pack, .argument = &f->packed, .transposed = which == TRANSPOSED};
    }
    if (which == LAID || which == LAID_APART) {
        f->factor.lay = lay;
        f->factor.room = room;
        f->factor.runs = list_runs;
        f->factor.together = columns % f->packed.together == 0 ? f->packed.together : 1;
    }
}

/* One product against the rule; C has rows of its own stride, and nothing outside them is touched, nor behind the scratch. */
static void check_product(loss_context *context, const matrices *m, const lossi_matrix_factor *a,
                          const lossi_matrix_factor *b, int accumulate)
{
    enum { GAP = 3, GUARD = 64 };
    const shape s = m->of;
    const int64_t stride = s.columns + GAP, size = size_of(m->dtype);
    const int64_t bytes = lossi_matrix_product_scratch(context, m->dtype, s.rows, s.columns, s.inner);
    char *scratch = aligned_alloc(64, ((size_t)bytes + GUARD + 63) / 64 * 64);
    char *c = calloc((size_t)(s.rows * stride + 1), (size_t)size);
    assert_non_null(scratch);
    assert_non_null(c);
    memset(scratch, 0xff, (size_t)bytes + GUARD);
    for (int64_t i = 0; i < s.rows * stride; i++) {
        set_element(
            c, m->dtype, i,
            i % stride < s.columns
                ? (accumulate ? element(m->before, m->dtype, i / stride * s.columns + i % stride) : NAN)
                : 0.625);
    }
    const loss_status status = a->pack == NULL && b->pack == NULL
                                   ? lossi_matrix_product(context, m->dtype, s.rows, s.columns, s.inner,
                                                          a->view, b->view, c, stride, accumulate, scratch)
                                   : lossi_matrix_product_packed(context, m->dtype, s.rows, s.columns,
                                                                 s.inner, a, b, c, stride, accumulate,
                                                                 scratch);
    assert_status(context, status, LOSS_OK);
    for (int64_t i = 0; i < s.rows; i++) {
        assert_same_bits(c + i * stride * size, (const char *)m->expected + i * s.columns * size, m->dtype,
                         s.columns);
        for (int64_t j = s.columns; j < stride; j++) {
            assert_true(element(c, m->dtype, i * stride + j) == 0.625);
        }
    }
    for (int64_t i = 0; i < GUARD; i++) {
        assert_int_equal((unsigned char)scratch[bytes + i], 0xff);
    }
    free(c);
    free(scratch);
}

/* Every form of A with one of B and the other way round, or some of them. */
static void check_forms(loss_context *context, const matrices *m, int accumulate, int step)
{
    for (int k = 0; k < 2 * FORMS; k += step) {
        const int of_a = k < FORMS ? k : (k + 1) % 2, of_b = k < FORMS ? k % 2 : k - FORMS;
        form a, b;
        make_form(&a, of_a, m->a, m->dtype, m->of.rows, m->of.inner);
        make_form(&b, of_b, m->b, m->dtype, m->of.inner, m->of.columns);
        check_product(context, m, &a.factor, &b.factor, accumulate);
        free(a.memory);
        free(b.memory);
    }
}

/* On every instruction set and for 1, 2 and 3 threads. */
static void check_everywhere(const matrices *m, int accumulate)
{
    loss_context *context = NULL;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    for (int32_t i = 0; i < loss_context_isa_count(context); i++) {
        assert_int_equal(loss_context_set_string(context, "isa", loss_context_isa_name(context, i)), LOSS_OK);
        for (int32_t threads = 1; threads <= 3; threads++) {
            assert_int_equal(loss_context_set_int(context, "threads", threads), LOSS_OK);
            check_forms(context, m, accumulate, threads == 1 ? 1 : 3);
        }
    }
    loss_context_free(context);
}

static void check_shapes(loss_dtype dtype, int hard)
{
    for (size_t k = 0; k < sizeof shapes / sizeof shapes[0]; k += hard ? 2 : 1) {
        for (int accumulate = 0; accumulate < 2; accumulate++) {
            matrices m = new_matrices(dtype, shapes[k], accumulate, hard);
            check_everywhere(&m, accumulate);
            free_matrices(&m);
        }
    }
}

/* A BLAS has an order of its own, and may skip zeros. */
static void skip_with_blas(void)
{
    if (loss_has_blas()) {
        skip();
    }
}

static void float32_products_are_the_chains(void **state)
{
    skip_with_blas();
    (void)state;
    check_shapes(LOSS_FLOAT32, 0);
}

static void float64_products_are_the_chains(void **state)
{
    skip_with_blas();
    (void)state;
    check_shapes(LOSS_FLOAT64, 0);
}

static void nothing_is_skipped(void **state)
{
    skip_with_blas();
    (void)state;
    check_shapes(LOSS_FLOAT32, 1);
    check_shapes(LOSS_FLOAT64, 1);
}

static void pieces_follow_the_shape(void **state)
{
    static const struct {
        shape of;
        int64_t blocks, pieces;
    } rows[] = {
        {{3, 5, 0}, 0, 0},         {{3, 5, 1}, 1, 1},          {{3, 5, 4095}, 8, 2},
        {{3, 5, 3840}, 15, 1},     {{784, 10, 60000}, 9, 27},  {{288, 64, 12544}, 9, 6},
        {{512, 512, 8192}, 32, 1}, {{1, 1, 1000000}, 123, 32}, {{0, 0, 9999}, 40, 1},
    };
    (void)state;
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        const shape s = rows[k].of;
        assert_int_equal(lossi_product_piece_blocks(s.rows, s.columns, s.inner), rows[k].blocks);
        assert_int_equal(lossi_product_pieces(s.rows, s.columns, s.inner), rows[k].pieces);
    }
}

static void bad_arguments_change_nothing(void **state)
{
    static const struct {
        loss_dtype dtype;
        shape of;
        loss_status status;
        const char *words;
    } rows[] = {
        {LOSS_INT32, {2, 2, 2}, LOSS_ERROR_TYPE, "int32"},
        {LOSS_FLOAT32, {-1, 2, 2}, LOSS_ERROR_ARGUMENT, "-1 × 2 by 2 × 2"},
        {LOSS_FLOAT32, {2, -3, 2}, LOSS_ERROR_ARGUMENT, "2 × 2 by 2 × -3"},
        {LOSS_FLOAT64, {2, 2, -4}, LOSS_ERROR_ARGUMENT, "2 × -4 by -4 × 2"},
    };
    loss_context *context = NULL;
    double a[4] = {1.5, 2.5, 3.5, 4.5}, c[4] = {5.5, 6.5, 7.5, 8.5};
    const double before[4] = {5.5, 6.5, 7.5, 8.5};
    (void)state;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        const lossi_matrix_view view = {a, 2, 1};
        const shape s = rows[k].of;
        assert_int_equal(lossi_matrix_product_scratch(context, rows[k].dtype, s.rows, s.columns, s.inner),
                         -1);
        assert_status(context,
                      lossi_matrix_product(context, rows[k].dtype, s.rows, s.columns, s.inner, view, view, c,
                                           2, 0, NULL),
                      rows[k].status);
        assert_sentence(context, rows[k].words);
        assert_memory_equal(c, before, sizeof c);
    }
    loss_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(float32_products_are_the_chains),
        cmocka_unit_test(float64_products_are_the_chains),
        cmocka_unit_test(nothing_is_skipped),
        cmocka_unit_test(pieces_follow_the_shape),
        cmocka_unit_test(bad_arguments_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
