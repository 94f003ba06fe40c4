/* conv2d beside the sum that it is, for all strides, paddings, dilations and groups of a table; and its derivatives. */
#include <stdlib.h>

#include "operation_case.h"

#define IMAGE(n, h, w, c)                                                                                    \
    {                                                                                                        \
        4,                                                                                                   \
        {                                                                                                    \
            n, h, w, c                                                                                       \
        }                                                                                                    \
    }
#define WEIGHTS(h, w, c, o)                                                                                  \
    {                                                                                                        \
        4,                                                                                                   \
        {                                                                                                    \
            h, w, c, o                                                                                       \
        }                                                                                                    \
    }

static const operation_case cases[] = {
    {"conv2d", {{0}}, 2, {IMAGE(2, 5, 6, 3), WEIGHTS(3, 2, 3, 4)}},
    {"conv2d", {{0}}, 2, {IMAGE(3, 4, 5, 7), WEIGHTS(1, 1, 7, 5)}},
    {"conv2d", {{"stride", 1, {2}}}, 2, {IMAGE(2, 5, 4, 3), WEIGHTS(1, 1, 3, 2)}},
    {"conv2d", {{"padding", 1, {1}}}, 2, {IMAGE(2, 6, 5, 1), WEIGHTS(3, 3, 1, 9)}},
    {"conv2d", {{"padding", 1, {1}}}, 2, {IMAGE(1, 4, 4, 3), WEIGHTS(1, 1, 3, 2)}},
    {"conv2d", {{"padding", 4, {0, 3, 2, 1}}}, 2, {IMAGE(2, 4, 3, 2), WEIGHTS(2, 3, 2, 3)}},
    {"conv2d", {{"padding", 2, {4, 3}}}, 2, {IMAGE(1, 3, 3, 2), WEIGHTS(2, 2, 2, 3)}},
    {"conv2d", {{"stride", 2, {2, 3}}, {"padding", 1, {1}}}, 2, {IMAGE(2, 7, 8, 2), WEIGHTS(3, 3, 2, 3)}},
    {"conv2d", {{"stride", 1, {4}}}, 2, {IMAGE(2, 9, 7, 2), WEIGHTS(2, 3, 2, 3)}},
    {"conv2d", {{"dilation", 2, {2, 1}}, {"padding", 1, {2}}}, 2, {IMAGE(2, 6, 5, 3), WEIGHTS(3, 3, 3, 2)}},
    {"conv2d", {{"dilation", 2, {1, 3}}}, 2, {IMAGE(1, 5, 9, 2), WEIGHTS(2, 3, 2, 3)}},
    {"conv2d",
     {{"dilation", 1, {2}}, {"stride", 1, {2}}, {"padding", 1, {3}}},
     2,
     {IMAGE(2, 7, 6, 2), WEIGHTS(3, 2, 2, 3)}},
    {"conv2d", {{"same", 0, {1}}}, 2, {IMAGE(2, 5, 6, 3), WEIGHTS(4, 3, 3, 2)}},
    {"conv2d", {{"same", 0, {1}}, {"stride", 2, {2, 3}}}, 2, {IMAGE(2, 7, 7, 2), WEIGHTS(3, 5, 2, 2)}},
    {"conv2d", {{"groups", 0, {2}}, {"padding", 1, {1}}}, 2, {IMAGE(2, 5, 4, 6), WEIGHTS(3, 3, 3, 4)}},
    {"conv2d", {{"groups", 0, {4}}, {"padding", 1, {1}}}, 2, {IMAGE(2, 5, 4, 4), WEIGHTS(3, 3, 1, 4)}},
    {"conv2d", {{"groups", 0, {3}}, {"stride", 1, {2}}}, 2, {IMAGE(2, 5, 5, 3), WEIGHTS(2, 3, 1, 6)}},
    {"conv2d", {{"groups", 0, {2}}}, 2, {IMAGE(2, 3, 3, 4), WEIGHTS(1, 1, 2, 6)}},
    {"conv2d", {{"padding", 1, {1}}}, 2, {IMAGE(2, 5, 5, 33), WEIGHTS(3, 3, 33, 17)}},
};
enum { CASES = sizeof cases / sizeof cases[0] };

/* What the options of a case say, spelled out once more. */
typedef struct geometry {
    int64_t stride[2], before[2], dilation[2], groups;
} geometry;

static geometry geometry_of(const operation_case *c, const lossi_shape *y)
{
    geometry g = {{1, 1}, {0, 0}, {1, 1}, 1};
    int same = 0;
    for (int32_t i = 0; i < CASE_OPTIONS && c->options[i].name != NULL; i++) {
        const case_option *o = &c->options[i];
        const int64_t first = (int64_t)o->numbers[0], second = (int64_t)o->numbers[o->count > 1];
        if (o->name[0] == 's' && o->name[1] == 't') {
            g.stride[0] = first;
            g.stride[1] = second;
        } else if (o->name[0] == 'p') {
            g.before[0] = first;
            g.before[1] = o->count == 4 ? (int64_t)o->numbers[2] : second;
        } else if (o->name[0] == 'd') {
            g.dilation[0] = first;
            g.dilation[1] = second;
        } else if (o->name[0] == 'g') {
            g.groups = first;
        } else {
            same = 1;
        }
    }
    for (int32_t i = 0; same && i < 2; i++) {
        const int64_t missing = (y->size[1 + i] - 1) * g.stride[i] +
                                (c->shapes[1].size[i] - 1) * g.dilation[i] + 1 - c->shapes[0].size[1 + i];
        g.before[i] = missing > 0 ? missing / 2 : 0;
    }
    return g;
}

static double naive(const operation_case *c, const geometry *g, const void *x, loss_dtype dtype,
                    const lossi_shape *y, const int64_t at[4])
{
    const int64_t *image = c->shapes[0].size, *w = c->shapes[1].size, weights = case_elements(&c->shapes[0]);
    const int64_t group = at[3] / (y->size[3] / g->groups);
    double sum = 0;
    for (int64_t k = 0; k < w[0]; k++) {
        for (int64_t l = 0; l < w[1]; l++) {
            const int64_t i = at[1] * g->stride[0] + k * g->dilation[0] - g->before[0];
            const int64_t j = at[2] * g->stride[1] + l * g->dilation[1] - g->before[1];
            for (int64_t d = 0; d < w[2] && i >= 0 && i < image[1] && j >= 0 && j < image[2]; d++) {
                const int64_t pixel = ((at[0] * image[1] + i) * image[2] + j) * image[3] + group * w[2] + d;
                sum += element(x, dtype, pixel) *
                       element(x, dtype, weights + ((k * w[1] + l) * w[2] + d) * w[3] + at[3]);
            }
        }
    }
    return sum;
}

/* Of whole numbers both are exact. */
static void test_forward(void **state)
{
    loss_context *context = case_context(1);
    (void)state;
    for (int32_t i = 0; i < 2 * CASES; i++) {
        const operation_case *c = &cases[i / 2];
        const loss_dtype dtype = i % 2 == 0 ? LOSS_FLOAT32 : LOSS_FLOAT64;
        void *x = case_numbers(dtype, case_parameters(c), 11, 1);
        lossi_shape shape;
        void *y = case_forward(context, c, dtype, x, 1, &shape);
        const geometry g = geometry_of(c, &shape);
        assert_true(case_elements(&shape) > 0);
        for (int64_t at = 0; at < case_elements(&shape); at++) {
            const int64_t *s = shape.size, place[4] = {at / s[3] / s[2] / s[1], at / s[3] / s[2] % s[1],
                                                       at / s[3] % s[2], at % s[3]};
            assert_close(element(y, dtype, at), naive(c, &g, x, dtype, &shape, place), 0, 0);
        }
        free(x);
        free(y);
    }
    loss_context_free(context);
}

/* Sizes that textbooks give. */
static void test_sizes(void **state)
{
    static const struct {
        operation_case c;
        int64_t height, width;
    } sizes[] = {
        {{"conv2d", {{"padding", 1, {1}}}, 2, {IMAGE(1, 28, 28, 1), WEIGHTS(3, 3, 1, 1)}}, 28, 28},
        {{"conv2d",
          {{"stride", 1, {2}}, {"padding", 1, {3}}},
          2,
          {IMAGE(1, 224, 224, 1), WEIGHTS(7, 7, 1, 1)}},
         112,
         112},
        {{"conv2d", {{"same", 0, {1}}, {"stride", 1, {2}}}, 2, {IMAGE(1, 7, 8, 1), WEIGHTS(3, 3, 1, 1)}},
         4,
         4},
        {{"conv2d", {{"padding", 4, {1, 0, 0, 2}}}, 2, {IMAGE(1, 5, 5, 1), WEIGHTS(3, 3, 1, 1)}}, 4, 5},
        {{"conv2d", {{"dilation", 2, {2, 3}}}, 2, {IMAGE(1, 9, 9, 1), WEIGHTS(3, 3, 1, 1)}}, 5, 3},
    };
    loss_context *context = case_context(1);
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const operation_case *c = &sizes[i].c;
        void *x = case_numbers(LOSS_FLOAT32, case_parameters(c), 1, 1);
        lossi_shape shape;
        free(case_forward(context, c, LOSS_FLOAT32, x, 1, &shape));
        assert_int_equal(shape.size[1], sizes[i].height);
        assert_int_equal(shape.size[2], sizes[i].width);
        free(x);
    }
    loss_context_free(context);
}

static void test_derivatives(void **state)
{
    (void)state;
    for (int32_t i = 0; i + 1 < CASES; i++) {
        case_check(&cases[i], (uint64_t)i);
    }
}

/* Everything is a whole number below 2²⁴ but in the last case, which is the largest. */
static void test_types(void **state)
{
    (void)state;
    for (int32_t i = 0; i < CASES; i++) {
        case_compare_types(&cases[i], i + 1 < CASES ? 1e-6 : 1e-5);
    }
}

static void test_bits(void **state)
{
    static const operation_case large[] = {
        {"conv2d", {{"padding", 1, {1}}}, 2, {IMAGE(5, 28, 27, 8), WEIGHTS(3, 3, 8, 24)}},
        {"conv2d", {{"padding", 1, {1}}, {"stride", 1, {2}}}, 2, {IMAGE(7, 29, 28, 9), WEIGHTS(3, 3, 9, 20)}},
        {"conv2d", {{"padding", 1, {2}}}, 2, {IMAGE(6, 28, 28, 1), WEIGHTS(5, 5, 1, 32)}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof large / sizeof large[0]; i++) {
        case_compare_bits(&large[i], LOSS_FLOAT32);
        case_compare_bits(&large[i], LOSS_FLOAT64);
    }
}

static void test_refused(void **state)
{
    static const struct {
        operation_case c;
        loss_status status;
        const char *words;
    } wrong[] = {
        {{"conv2d", {{0}}, 2, {IMAGE(2, 5, 6, 3), WEIGHTS(3, 2, 2, 4)}},
         LOSS_ERROR_SHAPE,
         ": the image has not as many channels as the weights take"},
        {{"conv2d", {{0}}, 2, {{3, {5, 6, 3}}, WEIGHTS(3, 2, 3, 4)}}, LOSS_ERROR_SHAPE, "height × width"},
        {{"conv2d", {{0}}, 2, {IMAGE(2, 5, 6, 3), {2, {3, 4}}}}, LOSS_ERROR_SHAPE, "height × width"},
        {{"conv2d", {{0}}, 2, {IMAGE(2, 2, 6, 3), WEIGHTS(3, 2, 3, 4)}}, LOSS_ERROR_SHAPE, "do not fit"},
        {{"conv2d", {{"dilation", 1, {3}}}, 2, {IMAGE(2, 6, 6, 3), WEIGHTS(3, 2, 3, 4)}},
         LOSS_ERROR_SHAPE,
         "do not fit"},
        {{"conv2d", {{"groups", 0, {2}}}, 2, {IMAGE(2, 6, 6, 3), WEIGHTS(3, 2, 3, 4)}},
         LOSS_ERROR_SHAPE,
         "that many groups"},
        {{"conv2d", {{"stride", 3, {1, 2, 3}}}, 2, {IMAGE(2, 6, 6, 3), WEIGHTS(3, 2, 3, 4)}},
         LOSS_ERROR_RANGE,
         "'stride' of the operation 'conv2d' is one number"},
        {{"conv2d", {{"stride", 1, {1.5}}}, 2, {IMAGE(2, 6, 6, 3), WEIGHTS(3, 2, 3, 4)}},
         LOSS_ERROR_RANGE,
         "1.5 is no integer"},
        {{"conv2d", {{"padding", 3, {1, 2, 3}}}, 2, {IMAGE(2, 6, 6, 3), WEIGHTS(3, 2, 3, 4)}},
         LOSS_ERROR_RANGE,
         "four for above, below, left and right"},
        {{"conv2d", {{"padding", 2, {1, 2.5}}}, 2, {IMAGE(2, 6, 6, 3), WEIGHTS(3, 2, 3, 4)}},
         LOSS_ERROR_RANGE,
         "2.5 is no integer"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        case_refused(&wrong[i].c, wrong[i].status, wrong[i].words);
    }
}

static void test_memory(void **state)
{
    (void)state;
    case_without_memory(&cases[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forward), cmocka_unit_test(test_sizes), cmocka_unit_test(test_derivatives),
        cmocka_unit_test(test_types),   cmocka_unit_test(test_bits),  cmocka_unit_test(test_refused),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
