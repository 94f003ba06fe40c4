/*
 * Rows of many classes: sums over a hundred thousand columns, gradients stored past the caches, and the same bits on every
 * instruction set. The vectors of tests/reference/ have few columns.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"
#include "support/known.h"

/* Logits between −4 and 4 and labels without a pattern; every seventh row is ignored. */
typedef struct data {
    int64_t rows, columns;
    void *prediction,
        *gradient; /* as float32 or float64; the second begins with a cache line, and has one too many */
    int64_t *label;
    loss_dtype dtype;
} data;

static int64_t size_of(loss_dtype dtype)
{
    return dtype == LOSS_FLOAT32 ? 4 : 8;
}

static data make_data(loss_dtype dtype, int64_t rows, int64_t columns)
{
    const int64_t count = rows * columns;
    data made = {rows,
                 columns,
                 malloc((size_t)(count * size_of(dtype))),
                 aligned_alloc(64, (size_t)((count * size_of(dtype) + 127) / 64 * 64)),
                 malloc((size_t)rows * sizeof(int64_t)),
                 dtype};
    assert_true(made.prediction != NULL && made.gradient != NULL && made.label != NULL);
    for (int64_t i = 0; i < count; i++) {
        const double z = (double)((i * 7919 + i / 911) % 80021) / 10002.625 - 4;
        if (dtype == LOSS_FLOAT32) {
            ((float *)made.prediction)[i] = (float)z;
        } else {
            ((double *)made.prediction)[i] = z;
        }
    }
    for (int64_t i = 0; i < rows; i++) {
        made.label[i] = i % 7 == 3 ? -100 : i * 104729 % columns;
    }
    return made;
}

static void free_data(data *made)
{
    free(made->prediction);
    free(made->gradient);
    free(made->label);
}

static double at(const data *made, const void *array, int64_t i)
{
    return made->dtype == LOSS_FLOAT32 ? (double)((const float *)array)[i] : ((const double *)array)[i];
}

static double evaluate(const loss_function *function, const data *made, int64_t first, int64_t rows,
                       void *gradient)
{
    const char *prediction = (const char *)made->prediction + first * made->columns * size_of(made->dtype);
    loss_data *inputs, *outputs;
    double sum = NAN;
    assert_status(context, loss_data_create(&inputs, context), LOSS_OK);
    assert_status(context, loss_data_create(&outputs, context), LOSS_OK);
    loss_data_set_input(inputs, "prediction", prediction, made->dtype, rows, made->columns, made->columns, 1);
    loss_data_set_input(inputs, "target", made->label + first, LOSS_INT64, rows, 1, 1, 1);
    loss_data_set_output(outputs, "gradient", gradient, made->dtype, rows, made->columns, made->columns, 1);
    assert_status(context, loss_function_evaluate(context, function, inputs, outputs, &sum, NULL), LOSS_OK);
    loss_data_free(inputs);
    loss_data_free(outputs);
    return sum;
}

/* ---- accuracy ---- */

/*
 * What the definition gives in long double, and how far moving every logit by one unit in the last place may move it: the exponentials
 * of logits up to `most`, relatively.
 */
static void check_row(const data *made, int64_t which, double most, double value)
{
    const int64_t first = which * made->columns, label = made->label[which];
    const long double epsilon = made->dtype == LOSS_FLOAT32 ? 0x1p-23L : 0x1p-52L;
    const long double smallest = made->dtype == LOSS_FLOAT32 ? 0x1p-149L : 0x1p-1074L;
    const long double moved = most * epsilon,
                      own = expl((long double)at(made, made->prediction, first + label));
    long double others = 0;
    for (int64_t j = 0; j < made->columns; j++) {
        others += j == label ? 0 : expl((long double)at(made, made->prediction, first + j));
    }
    const long double loss = log1pl(others / own);
    if (fabsl(value - loss) > 4 * epsilon * loss + 2 * moved * fminl(1, loss)) {
        fail_msg("the loss of %lld columns is %.17g, not %.17Lg", (long long)made->columns, value, loss);
    }
    for (int64_t j = 0; j < made->columns; j++) {
        const long double e = expl((long double)at(made, made->prediction, first + j));
        const long double expected = (j == label ? -others : e) / (own + others);
        const long double off = fabsl(at(made, made->gradient, first + j) - expected);
        if (!(off <= (4 * epsilon + 2 * moved) * fabsl(expected) + 2 * smallest)) {
            fail_msg("gradient %lld of %lld columns is off by %.3Lg of %.17Lg", (long long)j,
                     (long long)made->columns, off, expected);
        }
    }
}

static void test_many_columns(void **state)
{
    static const int64_t columns[] = {31, 33, 127, 128, 129, 1000, 2047, 2048, 2049, 128256, 140000};
    loss_function *function = make_function("cross_entropy", "");
    (void)state;
    for (size_t k = 0; k < 2 * sizeof columns / sizeof *columns; k++) {
        data made = make_data(dtypes[k % 2], 2, columns[k / 2]);
        for (int64_t which = 0; which < 2; which++) {
            char *place = (char *)made.gradient + which * made.columns * size_of(made.dtype);
            check_row(&made, which, 4, evaluate(function, &made, which, 1, place));
        }
        free_data(&made);
    }
    loss_function_free(function);
}

static void put(data *made, int64_t i, double z)
{
    if (made->dtype == LOSS_FLOAT32) {
        ((float *)made->prediction)[i] = (float)z;
    } else {
        ((double *)made->prediction)[i] = z;
    }
}

/* Logits whose largest, or what there is at all, is not in the piece of a row that is read first. */
static double change_logits(data *made, int kind)
{
    double most = 0;
    for (int64_t j = 0; j < made->columns; j++) {
        const double z = at(made, made->prediction, j), steps = (double)(j / 1000);
        const double rising[] = {z + 0.5 * steps,
                                 z + 25 * steps,
                                 z - 40 * steps,
                                 j < 2100 ? -INFINITY : z,
                                 j % 3 == 1 ? -INFINITY : z,
                                 j % 2900 == 100 ? 4.75 : z,
                                 j == made->label[0] ? 50 : z};
        put(made, j, rising[kind]);
        most = isfinite(rising[kind]) ? fmax(most, fabs(rising[kind])) : most;
    }
    return most;
}

static void test_pieces(void **state)
{
    enum { COLUMNS = 7001, KINDS = 7 };
    static const int64_t labels[] = {2102, 6999, 4200};
    loss_function *function = make_function("cross_entropy", "");
    (void)state;
    for (size_t k = 0; k < 2 * 3 * KINDS; k++) {
        data made = make_data(dtypes[k % 2], 1, COLUMNS);
        made.label[0] = labels[k / 2 % 3];
        const double most = change_logits(&made, (int)(k / 6));
        check_row(&made, 0, most, evaluate(function, &made, 0, 1, made.gradient));
        evaluate(function, &made, 0, 1, made.prediction); /* in place */
        assert_same_bits(made.prediction, made.gradient, made.dtype, COLUMNS);
        free_data(&made);
    }
    loss_function_free(function);
}

/* Infinity in two pieces has no limit; in one it takes everything. A row without numbers has no largest. */
static void test_infinite_pieces(void **state)
{
    enum { COLUMNS = 5000 };
    static const double columns[][2] = {{3000, 3000}, {100, 4100}, {-1, -1}};
    loss_function *function = make_function("cross_entropy", "");
    (void)state;
    for (size_t k = 0; k < 6; k++) {
        data made = make_data(dtypes[k % 2], 1, COLUMNS);
        const double *where = columns[k / 2];
        made.label[0] = 3000;
        for (int64_t j = 0; j < COLUMNS; j++) {
            const int there = (double)j == where[0] || (double)j == where[1];
            put(&made, j, where[0] < 0 ? -INFINITY : there ? INFINITY : at(&made, made.prediction, j));
        }
        const double sum = evaluate(function, &made, 0, 1, made.gradient);
        assert_true(k < 2 ? sum == 0 : isnan(sum));
        for (int64_t j = 0; j < COLUMNS; j++) {
            const double slope = at(&made, made.gradient, j);
            assert_true(k < 2 ? slope == 0 : isnan(slope));
        }
        free_data(&made);
    }
    loss_function_free(function);
}

/* Equal terms round alike: a plain float32 sum of them would drift away by a hundredth. */
static void test_equal_columns(void **state)
{
    enum { K = 128256 };
    float *prediction = malloc(K * sizeof *prediction);
    const int64_t label = 5;
    double cost = NAN;
    loss_function *function = make_function("cross_entropy", "");
    (void)state;
    assert_non_null(prediction);
    for (int64_t j = 0; j < K; j++) {
        prediction[j] = j == label ? 12.5F : 0.25F;
    }
    assert_status(context,
                  loss_function_cost_labels_float32(context, function, 1, K, prediction, &label, &cost, NULL),
                  LOSS_OK);
    assert_ulp(cost, log1p((K - 1) * exp(-12.25)), 4, LOSS_FLOAT32);
    free(prediction);
    loss_function_free(function);
}

/* ---- NaN ---- */

/* A row of nothing but NaN has no largest logit to leave out: all of it is NaN, also in a single column. */
static void test_nothing_but_nan(void **state)
{
    static const char *const options[] = {"", "label_smoothing=0.25"};
    const double nothing[MOST] = {NAN, NAN, NAN}, direction[MOST] = {1, 2, 3},
                 target[MOST] = {0.5, 0.25, 0.25};
    (void)state;
    for (size_t k = 0; k < 12; k++) {
        const int64_t columns = 1 + (int64_t)(k / 4);
        const row made = evaluate_row("cross_entropy", options[k / 2 % 2], dtypes[k % 2], columns, nothing,
                                      NULL, 0, direction);
        const row of_distribution = evaluate_row("cross_entropy", options[k / 2 % 2], dtypes[k % 2], columns,
                                                 nothing, target, 0, direction);
        assert_true(isnan(made.value) && isnan(of_distribution.value));
        for (int64_t j = 0; j < columns; j++) {
            assert_true(isnan(made.gradient[j]) && isnan(of_distribution.gradient[j]));
            assert_true(isnan(made.curvature[j]) && isnan(of_distribution.curvature[j]));
            assert_true(isnan(made.product[j]) && isnan(of_distribution.product[j]));
        }
    }
}

/* A single class is certain, however far out its logit. */
static void test_one_column(void **state)
{
    static const double logits[] = {0, 2.5, -1e30, INFINITY, -INFINITY};
    (void)state;
    for (size_t k = 0; k < 2 * sizeof logits / sizeof *logits; k++) {
        const row made = evaluate_row("cross_entropy", "", dtypes[k % 2], 1, &logits[k / 2], NULL, 0, NULL);
        assert_close(made.value, 0, 0, 0);
        assert_close(made.gradient[0], 0, 0, 0);
        assert_close(made.curvature[0], 0, 0, 0);
    }
}

/* The gradient by itself goes another way. */
static void test_gradient_of_nan(void **state)
{
    static const int64_t columns[] = {1, 2, 33, 200};
    loss_function *function = make_function("cross_entropy", "");
    (void)state;
    for (size_t k = 0; k < 2 * sizeof columns / sizeof *columns; k++) {
        data made = make_data(dtypes[k % 2], 2, columns[k / 2]);
        const int64_t count = made.rows * made.columns;
        for (int64_t i = 0; i < count; i++) {
            if (made.dtype == LOSS_FLOAT32) {
                ((float *)made.prediction)[i] = NAN;
            } else {
                ((double *)made.prediction)[i] = NAN;
            }
        }
        assert_true(isnan(evaluate(function, &made, 0, made.rows, made.gradient)));
        for (int64_t i = 0; i < count; i++) {
            assert_true(isnan(at(&made, made.gradient, i)));
        }
        free_data(&made);
    }
    loss_function_free(function);
}

/* ---- past the caches ---- */

/* 17 MiB of gradient in one call, which are streamed, and in small pieces, which are not. */
static void check_streamed(const char *loss, loss_dtype dtype, int64_t columns, int64_t offset)
{
    const int64_t size = size_of(dtype), rows = (17 << 20) / (columns * size) + 1, piece = 50;
    loss_function *function = make_function(loss, "");
    data made = make_data(dtype, rows, columns);
    char *all = (char *)made.gradient + offset, *part = malloc((size_t)(piece * columns * size));
    char *copy = malloc((size_t)(piece * columns * size));
    assert_true(part != NULL && copy != NULL);
    memset(all, 0x5a, (size_t)(rows * columns * size));
    evaluate(function, &made, 0, rows, all);
    for (int64_t which = 0; which < rows; which += piece) {
        const int64_t count = rows - which < piece ? rows - which : piece;
        evaluate(function, &made, which, count, part);
        memcpy(copy, all + which * columns * size, (size_t)(count * columns * size));
        assert_same_bits(copy, part, dtype, count * columns);
    }
    free(part);
    free(copy);
    free_data(&made);
    loss_function_free(function);
}

static void test_streaming(void **state)
{
    static const int64_t columns[] = {1, 7, 10, 33, 130, 1003, 5003, 140001};
    static const char *const others[] = {"crammer_singer", "weston_watkins", "softmax_focal", "sparsemax"};
    (void)state;
    for (size_t k = 0; k < sizeof columns / sizeof *columns; k++) {
        check_streamed("cross_entropy", LOSS_FLOAT32, columns[k], k % 2 == 0 ? 0 : 4);
        check_streamed("cross_entropy", LOSS_FLOAT64, columns[k], k % 2 == 0 ? 8 : 0);
    }
    check_streamed("cross_entropy", LOSS_FLOAT32, 100, 1); /* no vector of it is aligned */
    for (int k = 0; k < 4;
         k++) { /* rows of whole cache lines, which go as exponentials; and not, a number further */
        static const int64_t wide[] = {36, 1004, 2064, 4096, 32000, 140000};
        check_streamed("cross_entropy", LOSS_FLOAT32, wide[k], 0);
        check_streamed("cross_entropy", LOSS_FLOAT32, wide[k], 4);
        check_streamed("cross_entropy", LOSS_FLOAT64, wide[k], 0);
    }
    for (size_t k = 0; k < sizeof others / sizeof *others; k++) {
        check_streamed(others[k], LOSS_FLOAT32, 1003, 4);
        check_streamed(others[k], LOSS_FLOAT64, 70001, 1);
    }
}

/* ---- the same bits everywhere ---- */

static void test_instruction_sets(void **state)
{
    static const int64_t columns[] = {2, 16, 17, 32, 33, 128, 255, 1003, 5003};
    loss_function *function = make_function("cross_entropy", "");
    (void)state;
    for (size_t k = 0; k < 2 * sizeof columns / sizeof *columns; k++) {
        data made = make_data(dtypes[k % 2], 37, columns[k / 2]);
        const int64_t count = made.rows * made.columns;
        void *first = malloc((size_t)(count * size_of(made.dtype)));
        double sum = NAN;
        const char *name;
        assert_non_null(first);
        for (int32_t isa = 0; (name = loss_context_isa_name(context, isa)) != NULL; isa++) {
            assert_status(context, loss_context_set_string(context, "isa", name), LOSS_OK);
            const double found = evaluate(function, &made, 0, made.rows, isa == 0 ? first : made.gradient);
            sum = isa == 0 ? found : sum;
            assert_close(found, sum, 0, 0);
            assert_same_bits(isa == 0 ? first : made.gradient, first, made.dtype, count);
        }
        free(first);
        free_data(&made);
    }
    loss_function_free(function);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_columns),     cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_infinite_pieces),  cmocka_unit_test(test_equal_columns),
        cmocka_unit_test(test_nothing_but_nan),  cmocka_unit_test(test_one_column),
        cmocka_unit_test(test_gradient_of_nan),  cmocka_unit_test(test_streaming),
        cmocka_unit_test(test_instruction_sets),
    };
    return cmocka_run_group_tests_name("wide rows", tests, known_setup, known_teardown);
}
