/* Plans from the inside: what steps hand on to each other. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gradient/graph/channels.h"
#include "gradient/graph/operations.h"
#include "gradient/graph/plan.h"
#include "loss/expression/expression.h"
#include "support/check.h"

/*
 * select(maximum(p·p, 0) > 0, maximum(p·p, 0) · p, 0): the result of the rectifier is kept for the product, and what is above 0 follows
 * from it, so that the arena has two matrices and no third one for the comparison.
 */
static void comparisons_follow_from_what_is_kept(void **unused)
{
    enum { SIDE = 16 };
    const lossi_attributes shape = {.integer = {0, 2, SIDE, SIDE}};
    static double x[SIDE][SIDE], made[SIDE][SIDE];
    lossi_tape tape;
    lossi_plan *plan;
    loss_context *context;
    (void)unused;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    lossi_tape_create(&tape, context, LOSS_FLOAT64, (lossi_purpose){0});
    const int32_t p = lossi_tape_add(&tape, &lossi_operation_parameter, &shape, NULL, 0);
    const int32_t zero = lossi_tape_number(&tape, 0);
    const int32_t kept = lossi_tape_scalar(&tape, LOSSI_SCALAR_maximum,
                                           lossi_tape_scalar(&tape, LOSSI_SCALAR_add, p, p, LOSSI_NONE), zero,
                                           LOSSI_NONE);
    const int32_t above = lossi_tape_scalar(&tape, LOSSI_SCALAR_greater, kept, zero, LOSSI_NONE);
    const int32_t product = lossi_tape_add(&tape, &lossi_operation_matrix_product, NULL, (int32_t[]){kept, p},
                                           2);
    const lossi_plan_output output = {lossi_tape_scalar(&tape, LOSSI_SCALAR_select, above, product, zero), 0,
                                      0};
    assert_status(context, lossi_plan_create(&plan, &tape, &output, 1), LOSS_OK);
    for (int i = 0; i < SIDE * SIDE; i++) {
        x[i / SIDE][i % SIDE] = i % 3 - 1 + i % 5 * 0.25;
    }
    const lossi_bindings bindings = {.batch = {.rows = 1}, .x = x, .outputs = {made}};
    assert_status(context, lossi_plan_run(plan, &bindings), LOSS_OK);
    assert_int_equal(lossi_plan_bytes(plan), 2 * sizeof x);
    for (int i = 0; i < SIDE * SIDE; i++) {
        double expected = 0;
        for (int k = 0; k < SIDE && x[i / SIDE][i % SIDE] > 0; k++) {
            expected += fmax(2 * x[i / SIDE][k], 0) * x[k][i % SIDE];
        }
        assert_close(made[i / SIDE][i % SIDE], expected, 1e-14, 1e-14);
    }
    lossi_plan_free(plan);
    loss_context_free(context);
}

/*
 * z = (p − 2) · 3, a = (p p) · z, a p + z: z follows from p, which is there, so the second step that reads it computes it again, and
 * the arena has two matrices and no third one for it.
 */
static void cheap_arrays_are_computed_again(void **unused)
{
    enum { SIDE = 128 };
    const lossi_attributes shape = {.integer = {0, 2, SIDE, SIDE}};
    static double x[SIDE][SIDE], a[SIDE][SIDE], made[SIDE][SIDE];
    lossi_tape tape;
    lossi_plan *plan;
    loss_context *context;
    (void)unused;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    lossi_tape_create(&tape, context, LOSS_FLOAT64, (lossi_purpose){0});
    const int32_t p = lossi_tape_add(&tape, &lossi_operation_parameter, &shape, NULL, 0);
    const int32_t z = lossi_tape_multiply(&tape, lossi_tape_subtract(&tape, p, lossi_tape_number(&tape, 2)),
                                          lossi_tape_number(&tape, 3));
    const int32_t square = lossi_tape_add(&tape, &lossi_operation_matrix_product, NULL, (int32_t[]){p, p}, 2);
    const int32_t product = lossi_tape_add(&tape, &lossi_operation_matrix_product, NULL,
                                           (int32_t[]){lossi_tape_multiply(&tape, square, z), p}, 2);
    const lossi_plan_output output = {lossi_tape_sum(&tape, product, z), 0, 0};
    assert_status(context, lossi_plan_create(&plan, &tape, &output, 1), LOSS_OK);
    for (int i = 0; i < SIDE * SIDE; i++) { /* small whole numbers: every sum is exact */
        x[i / SIDE][i % SIDE] = i % 3 - 1;
    }
    const lossi_bindings bindings = {.batch = {.rows = 1}, .x = x, .outputs = {made}};
    assert_status(context, lossi_plan_run(plan, &bindings), LOSS_OK);
    assert_int_equal(lossi_plan_bytes(plan), 2 * sizeof x);
    for (int i = 0; i < SIDE * SIDE; i++) {
        a[i / SIDE][i % SIDE] = 0;
        for (int k = 0; k < SIDE; k++) {
            a[i / SIDE][i % SIDE] += x[i / SIDE][k] * x[k][i % SIDE];
        }
        a[i / SIDE][i % SIDE] *= (x[i / SIDE][i % SIDE] - 2) * 3;
    }
    for (int i = 0; i < SIDE * SIDE; i++) {
        double expected = (x[i / SIDE][i % SIDE] - 2) * 3;
        for (int k = 0; k < SIDE; k++) {
            expected += a[i / SIDE][k] * x[k][i % SIDE];
        }
        assert_true(made[i / SIDE][i % SIDE] == expected);
    }
    lossi_plan_free(plan);
    loss_context_free(context);
}

/* ---- sums ---- */

typedef struct sums_case {
    int64_t rows, columns;
} sums_case;

/* No row, one; lanes abreast; several blocks and pieces; the most columns, and more, which are sums of their own. */
static const sums_case sums_cases[] = {{0, 3},     {1, 5},     {40, 2},     {41, 3},  {37, 7},
                                       {5000, 16}, {50001, 3}, {777, 17},   {70, 32}, {600, 250},
                                       {9000, 64}, {40, 1024}, {100, 1025}, {513, 33}};

/* Σ a·b over rows, Σ a·b (x − mean) scale, and a·b itself: on one tape, or with a·b given instead of made. */
static void run_sums(loss_dtype dtype, const sums_case *c, int32_t threads, int32_t given, int32_t wanted,
                     const void *const *arrays, char *sum, char *dot, char *products)
{
    lossi_attributes input = {.integer = {0, 2, LOSSI_ROWS, c->columns, [2 + LOSSI_RANK] = dtype}};
    lossi_tape tape;
    lossi_plan *plan;
    loss_context *context;
    int32_t n[4];
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    assert_status(context, loss_context_set_int(context, "threads", threads), LOSS_OK);
    lossi_tape_create(&tape, context, dtype, (lossi_purpose){0});
    for (int32_t k = 0; k < 4; k++) { /* a, b, x, a·b */
        input.integer[0] = k;
        n[k] = lossi_tape_add(&tape, &lossi_operation_input, &input, NULL, 0);
    }
    const int32_t product = given ? n[3] : lossi_tape_multiply(&tape, n[0], n[1]);
    const int32_t moments = lossi_tape_add(&tape, &lossi_operation_channel_moments,
                                           &(lossi_attributes){.number = {1e-5}}, &n[2], 1);
    const int32_t sums = lossi_tape_reduce(&tape, product, 1);
    const int32_t dots = lossi_tape_add(&tape, &lossi_operation_channel_dot, NULL,
                                        (int32_t[]){product, n[2], moments}, 3);
    const lossi_plan_output outputs[] = {{sums, 0, 0}, {dots, 1, 0}, {product, 2, 0}};
    assert_status(context, lossi_plan_create(&plan, &tape, outputs, 2 + wanted), LOSS_OK);
    if (!given && c->columns <= 1024) {
        assert_int_equal(lossi_plan_steps(plan), 2); /* the moments, and the product with its sums */
    }
    const lossi_bindings bindings = {
        .batch = {.rows = c->rows}, .inputs = arrays, .outputs = {sum, dot, products}};
    assert_status(context, lossi_plan_run(plan, &bindings), LOSS_OK);
    lossi_plan_free(plan);
    loss_context_free(context);
}

/* The same bits whether an array is made with its sums or before them, is wanted itself or not, for any threads. */
static void compare_sums(loss_dtype dtype, const sums_case *c)
{
    const int64_t count = c->rows * c->columns, size = loss_dtype_size(dtype);
    const size_t bytes = (size_t)(c->columns * size), all = (size_t)(count * size);
    char *memory = calloc(6, all + 2 * bytes + 1);
    assert_non_null(memory);
    char *a = memory, *b = a + all, *x = b + all, *product = x + all, *made = product + all;
    char *sums = made + all, *dots = sums + bytes, *other_sums = dots + bytes,
         *other_dots = other_sums + bytes;
    for (int64_t i = 0; i < count; i++) {
        set_element(a, dtype, i, sin(3.0 * (double)i) + 0.5);
        set_element(b, dtype, i, cos(7.0 * (double)i));
        set_element(x, dtype, i, sin(11.0 * (double)i) * (double)(1 + i % c->columns) - 2);
        set_element(product, dtype, i,
                    dtype == LOSS_FLOAT32 ? (float)element(a, dtype, i) * (float)element(b, dtype, i)
                                          : element(a, dtype, i) * element(b, dtype, i));
    }
    const void *const arrays[] = {a, b, x, product};
    run_sums(dtype, c, 1, 1, 0, arrays, sums, dots, made);
    for (int32_t threads = 1; threads <= 3; threads++) {
        for (int32_t wanted = 0; wanted <= 1; wanted++) {
            memset(made, 0x55, all);
            memset(other_sums, 0x55, 2 * bytes);
            run_sums(dtype, c, threads, 0, wanted, arrays, other_sums, other_dots, made);
            assert_memory_equal(other_sums, sums, bytes);
            assert_memory_equal(other_dots, dots, bytes);
            if (wanted && count > 0) {
                assert_memory_equal(made, product, all);
            }
        }
    }
    free(memory);
}

static void sums_are_made_with_what_they_add_up(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof sums_cases / sizeof sums_cases[0]; i++) {
        compare_sums(LOSS_FLOAT32, &sums_cases[i]);
        compare_sums(LOSS_FLOAT64, &sums_cases[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparisons_follow_from_what_is_kept),
        cmocka_unit_test(cheap_arrays_are_computed_again),
        cmocka_unit_test(sums_are_made_with_what_they_add_up),
    };
    return cmocka_run_group_tests_name("plan_steps", tests, NULL, NULL);
}
