/*
 * Inverse links: within the promised distance of the exact means also far out, limits at infinity, NaN where it belongs, the
 * same bits for every layout, thread count and instruction set, and a status for what is wrong.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/batch.h"
#include "support/check.h"
#include "support/guard.h"
#include "support/known.h"

enum { N = 4000, WIDE = 41 };

static int32_t never(void *user, loss_dtype dtype, int64_t n, const void *prediction, const void *target,
                     void *value, void *gradient, void *curvature)
{
    (void)user, (void)dtype, (void)n, (void)prediction, (void)target, (void)value, (void)gradient,
        (void)curvature;
    fail_msg("an inverse link has nothing to do with the callback");
    return 1;
}

/* A function that has the link; which one of the catalogue does is the catalogue's affair. */
static loss_function *linked(const char *link)
{
    loss_function *function;
    assert_status(context, loss_function_create_user(&function, context, "linked", never, NULL, NULL),
                  LOSS_OK);
    assert_status(context, loss_function_set_link(function, link), LOSS_OK);
    return function;
}

static loss_status apply(const loss_function *function, loss_dtype dtype, int64_t rows, int64_t columns,
                         const void *prediction, void *mean)
{
    return dtype == LOSS_FLOAT32
               ? loss_function_inverse_link_float32(context, function, rows, columns, prediction, mean)
               : loss_function_inverse_link_float64(context, function, rows, columns, prediction, mean);
}

/* Around 0, out to where results underflow, and tiny ones. */
static double argument(loss_dtype dtype, int64_t i)
{
    const double u = 2 * scatter(i) - 1;
    switch (i % 4) {
    case 0:
        return 4 * u;
    case 1:
        return (dtype == LOSS_FLOAT32 ? 110 : 760) * u;
    case 2:
        return u * pow(10, -30 * scatter(3 * i));
    default:
        return 40 * u;
    }
}

/* Within 4 ulp of the exact mean, or what an ulp of each argument makes of it. */
static void check_mean(double got, long double exact, long double move, double x, loss_dtype dtype)
{
    const long double allowed = 4 * ulp_of(exact, dtype) + move;
    const double largest = dtype == LOSS_FLOAT32 ? FLT_MAX : DBL_MAX;
    const int good = exact > largest ? got == (double)INFINITY || got > largest / 2
                                     : fabsl((long double)got - exact) <= allowed;
    if (!good) {
        fail_msg("the mean of %.17g is %.17g, exactly %.20Lg; %.3Lg apart is allowed", x, got, exact,
                 allowed);
    }
}

static long double logistic(long double x)
{
    return x >= 0 ? 1 / (1 + expl(-x)) : expl(x) / (1 + expl(x));
}

/* ---- exactness ---- */

static void test_elements(void **state)
{
    static double prediction[N], mean[N];
    loss_function *logit = linked("logit"), *log = linked("log"), *identity = linked("identity");
    (void)state;
    for (int d = 0; d < 2; d++) {
        const loss_dtype dtype = d == 0 ? LOSS_FLOAT32 : LOSS_FLOAT64;
        for (int64_t i = 0; i < N; i++) {
            set_element(prediction, dtype, i, argument(dtype, i));
        }
        assert_status(context, apply(logit, dtype, N, 1, prediction, mean), LOSS_OK);
        for (int64_t i = 0; i < N; i++) {
            const long double x = element(prediction, dtype, i), exact = logistic(x);
            check_mean(element(mean, dtype, i), exact, exact * ulp_of(x, dtype), (double)x, dtype);
        }
        assert_status(context, apply(log, dtype, 1, N, prediction, mean), LOSS_OK);
        for (int64_t i = 0; i < N; i++) {
            const long double x = element(prediction, dtype, i), exact = expl(x);
            check_mean(element(mean, dtype, i), exact, exact * ulp_of(x, dtype), (double)x, dtype);
        }
        assert_status(context, apply(identity, dtype, N / 8, 8, prediction, mean), LOSS_OK);
        assert_same_bits(mean, prediction, dtype, N);
    }
    loss_function_free(logit);
    loss_function_free(log);
    loss_function_free(identity);
}

static void check_softmax(loss_dtype dtype, int64_t columns, double stretch)
{
    enum { ROWS = 60 };
    static double prediction[ROWS * WIDE], mean[ROWS * WIDE];
    loss_function *softmax = linked("softmax");
    for (int64_t i = 0; i < ROWS * columns; i++) {
        set_element(prediction, dtype, i, stretch * (2 * scatter(i) - 1));
    }
    assert_status(context, apply(softmax, dtype, ROWS, columns, prediction, mean), LOSS_OK);
    for (int64_t i = 0; i < ROWS; i++) {
        long double sum = 0, move = 0, total = 0, largest = -INFINITY;
        for (int64_t j = 0; j < columns; j++) {
            largest = fmaxl(largest, element(prediction, dtype, i * columns + j));
        }
        for (int64_t j = 0; j < columns; j++) {
            const double z = element(prediction, dtype, i * columns + j);
            sum += expl(z - largest);
            move = fmaxl(move, 2 * ulp_of(z, dtype));
        }
        for (int64_t j = 0; j < columns; j++) {
            const double z = element(prediction, dtype, i * columns + j),
                         got = element(mean, dtype, i * columns + j);
            const long double exact = expl(z - largest) / sum;
            check_mean(got, exact, exact * move, z, dtype);
            total += got;
        }
        assert_close((double)total, 1, dtype == LOSS_FLOAT32 ? 1e-6 : 1e-14, 0);
    }
    loss_function_free(softmax);
}

static void test_softmax(void **state)
{
    static const double stretches[] = {1e-3, 3, 50, 700};
    (void)state;
    for (int64_t columns = 1; columns <= WIDE; columns++) {
        for (size_t s = 0; s < sizeof stretches / sizeof *stretches; s++) {
            check_softmax(LOSS_FLOAT32, columns, stretches[s]);
            check_softmax(LOSS_FLOAT64, columns, stretches[s]);
        }
    }
}

/* ---- limits and NaN ---- */

static void test_limits(void **state)
{
    const double inf = (double)INFINITY, nan = (double)NAN;
    const double element_cases[] = {inf, -inf, nan, 0, -0.0, 740, -740};
    const double logit[] = {1, 0, nan, 0.5, 0.5, 1, 4.2e-322};
    const double log[] = {inf, 0, nan, 1, 1, inf, 4.2e-322};
    const struct {
        int64_t columns;
        double logits[3], means[3];
    } rows[] = {
        {3, {inf, 1, 0.5}, {1, 0, 0}},
        {3, {-inf, 0, 0}, {0, 0.5, 0.5}},
        {3, {1, nan, 2}, {nan, nan, nan}},
        {3, {inf, nan, 2}, {nan, nan, nan}},
        {3, {inf, inf, 2}, {nan, nan, nan}},
        {3, {-inf, -inf, -inf}, {nan, nan, nan}},
        {3, {-inf, -inf, 7}, {0, 0, 1}},
        {2, {inf, -inf}, {1, 0}},
        {2, {nan, nan}, {nan, nan}},
        {1, {nan}, {nan}},
        {1, {-inf}, {1}},
        {1, {inf}, {1}},
        {1, {2.385}, {1}},
        {2, {2000, 0}, {1, 0}},
    };
    loss_function *functions[] = {linked("logit"), linked("log"), linked("softmax")};
    double mean[7];
    (void)state;
    assert_status(context, apply(functions[0], LOSS_FLOAT64, 7, 1, element_cases, mean), LOSS_OK);
    for (int i = 0; i < 7; i++) {
        assert_close(mean[i], logit[i], 1e-15, 5e-324);
    }
    assert_status(context, apply(functions[1], LOSS_FLOAT64, 7, 1, element_cases, mean), LOSS_OK);
    for (int i = 0; i < 7; i++) {
        assert_close(mean[i], log[i], 1e-15, 5e-324);
    }
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        assert_status(context, apply(functions[2], LOSS_FLOAT64, 1, rows[r].columns, rows[r].logits, mean),
                      LOSS_OK);
        for (int64_t j = 0; j < rows[r].columns; j++) {
            assert_close(mean[j], rows[r].means[j], 0, 0);
        }
    }
    for (int f = 0; f < 3; f++) {
        loss_function_free(functions[f]);
    }
}

/* The logits [20, 0]: the small one is not 1 − 1, and a row of NaN is not its neighbour's affair. */
static void test_tails(void **state)
{
    const float logits[] = {20, 0, (float)NAN, 1, 0, 20};
    float means[6];
    loss_function *softmax = linked("softmax");
    (void)state;
    assert_status(context, loss_function_inverse_link_float32(context, softmax, 3, 2, logits, means),
                  LOSS_OK);
    assert_ulp((double)means[1], 2.0611536181902037e-9, 1, LOSS_FLOAT32);
    assert_ulp((double)means[0], 1 - 2.0611536181902037e-9, 1, LOSS_FLOAT32);
    assert_true(isnan(means[2]) && isnan(means[3]));
    assert_ulp((double)means[4], 2.0611536181902037e-9, 1, LOSS_FLOAT32);
    loss_function_free(softmax);
}

/* ---- layouts ---- */

static const char *const links[] = {"identity", "logit", "log", "softmax"};

/* In place, column-major, backwards, misaligned, up to the last byte of the memory there is. */
static void check_layouts(const loss_function *function, loss_dtype dtype, int64_t rows, int64_t columns)
{
    const int64_t count = rows * columns, size = loss_dtype_size(dtype);
    guarded dense = guard_create((size_t)(count * size)), mean = guard_create((size_t)(count * size));
    char *turned = calloc((size_t)count + 1, (size_t)size), *out = calloc((size_t)count + 1, (size_t)size);
    loss_data *inputs, *outputs;
    assert_true(dense.start != NULL && mean.start != NULL && turned != NULL && out != NULL);
    for (int64_t i = 0; i < count; i++) {
        const int64_t r = i / columns, c = i % columns;
        set_element(dense.start, dtype, i, argument(dtype, i));
        set_element(turned + 1, dtype, c * rows + (rows - 1 - r), argument(dtype, i));
    }
    assert_status(context, apply(function, dtype, rows, columns, dense.start, mean.start), LOSS_OK);
    loss_data_create(&inputs, context);
    loss_data_create(&outputs, context);
    loss_data_set_input(inputs, "prediction", turned + 1 + (rows - 1) * size, dtype, rows, columns, -1, rows);
    loss_data_set_output(outputs, "mean", out + 1, dtype, rows, columns, 1, rows);
    assert_status(context, loss_function_inverse_link(context, function, inputs, outputs), LOSS_OK);
    for (int64_t i = 0; i < count; i++) {
        const double got = element(out + 1, dtype, i % columns * rows + i / columns),
                     wanted = element(mean.start, dtype, i);
        assert_same_bits(&got, &wanted, LOSS_FLOAT64, 1);
    }
    assert_status(context, loss_data_set_input(inputs, "weight", turned, dtype, rows, 1, 1, 1),
                  LOSS_ERROR_STATE);
    assert_status(context, apply(function, dtype, rows, columns, dense.start, dense.start), LOSS_OK);
    assert_same_bits(dense.start, mean.start, dtype, count);
    loss_data_free(inputs);
    loss_data_free(outputs);
    guard_free(&dense);
    guard_free(&mean);
    free(turned);
    free(out);
}

static void test_layouts(void **state)
{
    static const int64_t shapes[][2] = {{1, 1},    {7, 1},    {1, 33}, {200, 17},
                                        {3, 1500}, {1100, 3}, {0, 5},  {5, 0}};
    (void)state;
    for (size_t l = 0; l < sizeof links / sizeof *links; l++) {
        loss_function *function = linked(links[l]);
        for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
            if (shapes[s][0] * shapes[s][1] > 0) {
                check_layouts(function, LOSS_FLOAT32, shapes[s][0], shapes[s][1]);
                check_layouts(function, LOSS_FLOAT64, shapes[s][0], shapes[s][1]);
            } else {
                assert_status(context, apply(function, LOSS_FLOAT32, shapes[s][0], shapes[s][1], NULL, NULL),
                              LOSS_OK);
            }
        }
        loss_function_free(function);
    }
}

/* ---- the same bits ---- */

static void test_determinism(void **state)
{
    enum { ROWS = 30011, COLUMNS = 5, COUNT = ROWS * COLUMNS };
    double *prediction = calloc(COUNT, sizeof *prediction), *first = calloc(COUNT, sizeof *first),
           *other = calloc(COUNT, sizeof *other);
    (void)state;
    assert_true(prediction != NULL && first != NULL && other != NULL);
    for (int d = 0; d < 2; d++) {
        const loss_dtype dtype = d == 0 ? LOSS_FLOAT32 : LOSS_FLOAT64;
        for (int64_t i = 0; i < COUNT; i++) {
            set_element(prediction, dtype, i, argument(dtype, i));
        }
        for (size_t l = 0; l < sizeof links / sizeof *links; l++) {
            loss_function *function = linked(links[l]);
            for (int32_t isa = 0; isa < loss_context_isa_count(context); isa++) {
                loss_context_set_string(context, "isa", loss_context_isa_name(context, isa));
                for (int32_t threads = 1; threads <= 3; threads += 2) {
                    loss_context_set_int(context, "threads", threads);
                    assert_status(context,
                                  apply(function, dtype, ROWS, COLUMNS, prediction,
                                        isa == 0 && threads == 1 ? first : other),
                                  LOSS_OK);
                    if (isa > 0 || threads > 1) {
                        assert_same_bits(other, first, dtype, COUNT);
                    }
                }
            }
            loss_context_set_int(context, "threads", 1);
            loss_function_free(function);
        }
    }
    free(prediction);
    free(first);
    free(other);
}

/* ---- what is wrong ---- */

static void test_wrong(void **state)
{
    double numbers[6] = {0};
    float narrow[6];
    loss_function *function = linked("logit");
    loss_data *inputs, *outputs;
    (void)state;
    loss_data_create(&inputs, context);
    loss_data_create(&outputs, context);
    assert_int_equal(loss_function_inverse_link(NULL, function, inputs, outputs), LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_function_inverse_link(context, NULL, inputs, outputs), LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_function_inverse_link(context, function, NULL, outputs), LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_function_inverse_link(context, function, inputs, NULL), LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_function_inverse_link(context, function, inputs, outputs),
                  LOSS_ERROR_ARGUMENT);
    assert_sentence(context, "prediction");
    loss_data_set_input(inputs, "prediction", numbers, LOSS_INT64, 3, 2, 2, 1);
    assert_status(context, loss_function_inverse_link(context, function, inputs, outputs),
                  LOSS_ERROR_ARGUMENT);
    assert_sentence(context, "mean");
    loss_data_set_output(outputs, "mean", narrow, LOSS_FLOAT32, 3, 2, 2, 1);
    assert_status(context, loss_function_inverse_link(context, function, inputs, outputs), LOSS_ERROR_TYPE);
    loss_data_set_input(inputs, "prediction", numbers, LOSS_FLOAT64, 3, 2, 2, 1);
    assert_status(context, loss_function_inverse_link(context, function, inputs, outputs), LOSS_ERROR_TYPE);
    assert_sentence(context, "float32");
    loss_data_set_output(outputs, "mean", numbers, LOSS_FLOAT64, 2, 3, 3, 1);
    assert_status(context, loss_function_inverse_link(context, function, inputs, outputs), LOSS_ERROR_SHAPE);
    loss_data_set_output(outputs, "maen", numbers, LOSS_FLOAT64, 3, 2, 2, 1);
    assert_status(context, loss_function_inverse_link(context, function, inputs, outputs), LOSS_ERROR_NAME);
    assert_sentence(context, "mean");
    loss_data_set_input(inputs, "target", numbers, LOSS_FLOAT64, 3, 2, 2, 1);
    assert_status(context, loss_function_inverse_link(context, function, inputs, outputs), LOSS_ERROR_NAME);
    assert_int_equal(loss_function_inverse_link_float64(NULL, function, 3, 2, numbers, numbers),
                     LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_function_inverse_link_float64(context, NULL, 3, 2, numbers, numbers),
                  LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_function_inverse_link_float64(context, function, 3, 2, NULL, numbers),
                  LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_function_inverse_link_float64(context, function, 3, 2, numbers, NULL),
                  LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_function_inverse_link_float64(context, function, -1, 2, numbers, numbers),
                  LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_function_inverse_link_float32(context, function, 3, -2, narrow, narrow),
                  LOSS_ERROR_ARGUMENT);
    assert_string_equal(loss_function_link(NULL), "");
    loss_data_free(inputs);
    loss_data_free(outputs);
    loss_function_free(function);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elements), cmocka_unit_test(test_softmax), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_tails),    cmocka_unit_test(test_layouts), cmocka_unit_test(test_determinism),
        cmocka_unit_test(test_wrong),
    };
    return cmocka_run_group_tests_name("loss_link", tests, known_setup, known_teardown);
}
