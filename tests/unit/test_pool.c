/* max_pool2d and average_pool2d beside what they are, for all windows of a table; and their derivatives. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "operation_case.h"

#define IMAGE(n, h, w, c)                                                                                    \
    {                                                                                                        \
        4,                                                                                                   \
        {                                                                                                    \
            n, h, w, c                                                                                       \
        }                                                                                                    \
    }

static const operation_case cases[] = {
    {"max_pool2d", {{0}}, 1, {IMAGE(2, 4, 6, 3)}},
    {"max_pool2d", {{0}}, 1, {IMAGE(2, 5, 7, 19)}},
    {"max_pool2d", {{"window", 1, {3}}, {"stride", 1, {2}}, {"padding", 1, {1}}}, 1, {IMAGE(2, 7, 6, 4)}},
    {"max_pool2d", {{"window", 2, {2, 3}}, {"stride", 2, {1, 2}}}, 1, {IMAGE(1, 5, 7, 9)}},
    {"max_pool2d", {{"window", 1, {2}}, {"stride", 1, {3}}}, 1, {IMAGE(2, 8, 7, 2)}},
    {"max_pool2d", {{"window", 1, {3}}, {"same", 0, {1}}}, 1, {IMAGE(2, 7, 8, 5)}},
    {"max_pool2d",
     {{"window", 1, {3}}, {"padding", 4, {0, 2, 1, 0}}, {"stride", 1, {1}}},
     1,
     {IMAGE(1, 4, 4, 8)}},
    {"average_pool2d", {{0}}, 1, {IMAGE(2, 4, 6, 3)}},
    {"average_pool2d",
     {{"window", 1, {3}}, {"stride", 1, {2}}, {"padding", 1, {1}}},
     1,
     {IMAGE(2, 7, 6, 17)}},
    {"average_pool2d",
     {{"window", 1, {3}}, {"stride", 1, {2}}, {"padding", 1, {1}}, {"counted=inside", -1, {0}}},
     1,
     {IMAGE(2, 7, 6, 4)}},
    {"average_pool2d",
     {{"window", 2, {2, 4}}, {"stride", 2, {3, 1}}, {"same", 0, {1}}},
     1,
     {IMAGE(1, 8, 5, 8)}},
};
enum { CASES = sizeof cases / sizeof cases[0] };

typedef struct geometry {
    int64_t window[2], stride[2], before[2];
    int inside;
} geometry;

static const case_option *option_of(const operation_case *c, const char *name)
{
    for (int32_t i = 0; i < CASE_OPTIONS && c->options[i].name != NULL; i++) {
        if (strcmp(c->options[i].name, name) == 0) {
            return &c->options[i];
        }
    }
    return NULL;
}

static geometry geometry_of(const operation_case *c, const lossi_shape *y)
{
    geometry g = {{2, 2}, {0, 0}, {0, 0}, option_of(c, "counted=inside") != NULL};
    const case_option *window = option_of(c, "window"), *stride = option_of(c, "stride"),
                      *padding = option_of(c, "padding");
    for (int32_t i = 0; i < 2; i++) {
        g.window[i] = window != NULL ? (int64_t)window->numbers[window->count > 1 ? i : 0] : 2;
        g.stride[i] = stride != NULL ? (int64_t)stride->numbers[stride->count > 1 ? i : 0] : g.window[i];
        g.before[i] = padding != NULL ? (int64_t)padding->numbers[padding->count == 4 ? 2 * i : 0] : 0;
        if (option_of(c, "same") != NULL) {
            const int64_t missing = (y->size[1 + i] - 1) * g.stride[i] + g.window[i] -
                                    c->shapes[0].size[1 + i];
            g.before[i] = missing > 0 ? missing / 2 : 0;
        }
    }
    return g;
}

static double naive(const operation_case *c, const geometry *g, const void *x, loss_dtype dtype,
                    const int64_t at[4])
{
    const int64_t *image = c->shapes[0].size;
    double sum = 0, most = -INFINITY;
    int64_t inside = 0;
    for (int64_t k = 0; k < g->window[0]; k++) {
        for (int64_t l = 0; l < g->window[1]; l++) {
            const int64_t i = at[1] * g->stride[0] + k - g->before[0];
            const int64_t j = at[2] * g->stride[1] + l - g->before[1];
            if (i >= 0 && i < image[1] && j >= 0 && j < image[2]) {
                const double v = element(x, dtype,
                                         ((at[0] * image[1] + i) * image[2] + j) * image[3] + at[3]);
                sum += v;
                most = v > most ? v : most;
                inside++;
            }
        }
    }
    return c->operation[0] == 'm' ? most : sum / (double)(g->inside ? inside : g->window[0] * g->window[1]);
}

static void test_forward(void **state)
{
    loss_context *context = case_context(1);
    (void)state;
    for (int32_t i = 0; i < 2 * CASES; i++) {
        const operation_case *c = &cases[i / 2];
        const loss_dtype dtype = i % 2 == 0 ? LOSS_FLOAT32 : LOSS_FLOAT64;
        void *x = case_numbers(dtype, case_parameters(c), 11, 0);
        lossi_shape shape;
        void *y = case_forward(context, c, dtype, x, 1, &shape);
        const geometry g = geometry_of(c, &shape);
        assert_true(case_elements(&shape) > 0);
        for (int64_t at = 0; at < case_elements(&shape); at++) {
            const int64_t *s = shape.size, place[4] = {at / s[3] / s[2] / s[1], at / s[3] / s[2] % s[1],
                                                       at / s[3] % s[2], at % s[3]};
            const double rounding = dtype == LOSS_FLOAT32 ? 1e-6 : 1e-14;
            assert_close(element(y, dtype, at), naive(c, &g, x, dtype, place),
                         c->operation[0] == 'm' ? 0 : rounding, c->operation[0] == 'm' ? 0 : rounding);
        }
        free(x);
        free(y);
    }
    loss_context_free(context);
}

static void test_derivatives(void **state)
{
    (void)state;
    for (int32_t i = 0; i < CASES; i++) {
        case_check(&cases[i], (uint64_t)i);
    }
}

/* At whole numbers many pixels are equal. */
static void test_types(void **state)
{
    (void)state;
    for (int32_t i = 0; i < CASES; i++) {
        case_compare_types(&cases[i], 2e-6);
    }
}

static void test_bits(void **state)
{
    static const operation_case large[] = {
        {"max_pool2d", {{"window", 1, {3}}, {"stride", 1, {2}}}, 1, {IMAGE(7, 30, 30, 20)}},
        {"average_pool2d", {{"window", 1, {3}}, {"stride", 1, {2}}}, 1, {IMAGE(7, 30, 30, 20)}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof large / sizeof large[0]; i++) {
        case_compare_bits(&large[i], LOSS_FLOAT32);
        case_compare_bits(&large[i], LOSS_FLOAT64);
    }
}

/* Equal pixels share the adjoint: the element of least norm of the subdifferential. A NaN is the largest. */
static void test_ties(void **state)
{
    static const operation_case one = {"max_pool2d", {{0}}, 1, {IMAGE(1, 2, 2, 1)}};
    static const struct {
        double x[4], value, gradient[4];
    } ties[] = {
        {{1, 2, 3, 4}, 16, {0, 0, 0, 8}},
        {{3, 2, 3, 1}, 9, {3, 0, 3, 0}},
        {{2, 2, 2, 0}, 4, {4.0 / 3, 4.0 / 3, 4.0 / 3, 0}},
        {{-1, -1, -1, -1}, 1, {-0.5, -0.5, -0.5, -0.5}},
    };
    loss_context *context = case_context(1);
    loss_objective *objective = case_objective(context, &one, LOSS_FLOAT64);
    double value, gradient[4];
    lossi_shape shape;
    (void)state;
    for (size_t i = 0; i < sizeof ties / sizeof ties[0]; i++) {
        assert_status(context, loss_objective_evaluate(objective, ties[i].x, &value, gradient), LOSS_OK);
        assert_close(value, ties[i].value, 0, 0);
        for (int k = 0; k < 4; k++) {
            assert_close(gradient[k], ties[i].gradient[k], 0, 0);
        }
    }
    for (int at = 0; at < 4; at++) {
        double x[4] = {1, 2, 3, 4};
        x[at] = NAN;
        double *y = case_forward(context, &one, LOSS_FLOAT64, x, 1, &shape);
        assert_true(isnan(y[0]));
        free(y);
    }
    loss_objective_free(objective);
    loss_context_free(context);
}

static void test_refused(void **state)
{
    static const struct {
        operation_case c;
        loss_status status;
        const char *words;
    } wrong[] = {
        {{"max_pool2d", {{0}}, 1, {{3, {4, 4, 1}}}}, LOSS_ERROR_SHAPE, "rows × height × width × channels"},
        {{"max_pool2d", {{"window", 1, {5}}}, 1, {IMAGE(1, 4, 6, 1)}}, LOSS_ERROR_SHAPE, "does not fit"},
        {{"average_pool2d", {{"padding", 1, {2}}}, 1, {IMAGE(1, 4, 6, 1)}},
         LOSS_ERROR_SHAPE,
         "as large as the window"},
        {{"average_pool2d", {{"window", 3, {2, 2, 2}}}, 1, {IMAGE(1, 4, 6, 1)}},
         LOSS_ERROR_RANGE,
         "'window' of the operation 'average_pool2d'"},
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
        cmocka_unit_test(test_forward), cmocka_unit_test(test_derivatives), cmocka_unit_test(test_types),
        cmocka_unit_test(test_bits),    cmocka_unit_test(test_ties),        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
