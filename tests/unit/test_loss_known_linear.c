/*
 * Linear cross-entropy beyond the sizes of the reference vectors, and what fused kernels of other libraries got wrong: offsets
 * common to all logits, factors of single rows, a bias, gradients rounded on the way, memory.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "linear_problem.h"
#include "support/batch.h"
#include "support/check.h"
#include "support/known.h"

typedef struct result {
    void *value, *gradient[ROLES];
    double sum, denominator;
} result;

static result solve(loss_context *with, const problem *p, int32_t gradients)
{
    loss_function *function;
    loss_data *inputs = create_inputs(with, p), *outputs;
    result made = {calloc((size_t)p->rows, 8), {NULL, NULL, NULL}, NAN, NAN};
    assert_non_null(made.value);
    assert_status(with, loss_function_create(&function, with, "linear_cross_entropy"), LOSS_OK);
    assert_status(with, loss_data_create(&outputs, with), LOSS_OK);
    loss_data_set_output(outputs, "value", made.value, p->dtype, p->rows, 1, 1, 1);
    for (int r = 0; r < ROLES && gradients; r++) {
        made.gradient[r] = set_result(outputs, p, r, "gradient");
    }
    assert_status(with, loss_function_evaluate(with, function, inputs, outputs, &made.sum, &made.denominator),
                  LOSS_OK);
    loss_data_free(inputs);
    loss_data_free(outputs);
    loss_function_free(function);
    return made;
}

static void free_result(result *made)
{
    free(made->value);
    for (int r = 0; r < ROLES; r++) {
        free(made->gradient[r]);
    }
}

/* ---- against the definition, in long double ---- */

/* `part` is of what the terms of the sum may add up to. */
static void check_sum(double found, long double wanted, long double terms, loss_dtype dtype)
{
    const long double part = dtype == LOSS_FLOAT32 ? 4e-7L : 2e-15L;
    if (!(fabsl(found - wanted) <= part * terms)) {
        fail_msg("%.17g is not %.17Lg of terms up to %.3Lg", found, wanted, terms);
    }
}

static void check_against_definition(const problem *p, const result *found)
{
    const int64_t stride = p->d + p->padding;
    long double total = 0, *z = calloc((size_t)p->classes, sizeof *z);
    long double *of_c = calloc((size_t)(p->classes * p->d), sizeof *of_c),
                *of_b = calloc((size_t)p->classes, sizeof *z);
    assert_true(z != NULL && of_c != NULL && of_b != NULL);
    for (int64_t i = 0; i < p->rows; i++) {
        long double largest = -INFINITY, all = 0;
        const long double weight = element(p->weight, p->dtype, i);
        const int64_t y = p->label[i];
        if (y < 0) {
            assert_close(element(found->value, p->dtype, i), 0, 0, 0);
            assert_close(element(found->gradient[FEATURES], p->dtype, i * stride), 0, 0, 0);
            continue;
        }
        for (int64_t c = 0; c < p->classes; c++) {
            z[c] = element(p->x[BIAS], p->dtype, c);
            for (int64_t k = 0; k < p->d; k++) {
                z[c] += (long double)element(p->x[FEATURES], p->dtype, i * stride + k) *
                        element(p->x[COEFFICIENTS], p->dtype, c * stride + k);
            }
            largest = fmaxl(largest, z[c]);
        }
        for (int64_t c = 0; c < p->classes; c++) {
            all += expl(z[c] - largest);
        }
        const long double loss = weight * (logl(all) + (largest - z[y]));
        check_sum(element(found->value, p->dtype, i), loss, 8 * weight, p->dtype);
        total += loss;
        for (int64_t c = 0; c < p->classes; c++) {
            z[c] = p->scale * weight * (expl(z[c] - largest) / all - (c == y));
            of_b[c] += z[c];
        }
        for (int64_t k = 0; k < p->d; k++) {
            long double sum = 0;
            for (int64_t c = 0; c < p->classes; c++) {
                sum += z[c] * element(p->x[COEFFICIENTS], p->dtype, c * stride + k);
                of_c[c * p->d + k] += z[c] * element(p->x[FEATURES], p->dtype, i * stride + k);
            }
            check_sum(element(found->gradient[FEATURES], p->dtype, i * stride + k), sum, 4, p->dtype);
        }
    }
    check_sum(found->sum, total, fabsl(total), p->dtype);
    for (int64_t c = 0; c < p->classes; c++) {
        check_sum(element(found->gradient[BIAS], p->dtype, c), of_b[c], 4, p->dtype);
        for (int64_t k = 0; k < p->d; k++) {
            check_sum(element(found->gradient[COEFFICIENTS], p->dtype, c * stride + k), of_c[c * p->d + k], 4,
                      p->dtype);
        }
    }
    free(z);
    free(of_c);
    free(of_b);
}

static void test_definition(void **state)
{
    (void)state;
    for (int k = 0; k < 4; k++) {
        problem p = make_problem(dtypes[k % 2], ROWS, CLASSES, D, k / 2 * 3);
        result found = solve(context, &p, 1);
        check_against_definition(&p, &found);
        free_result(&found);
        free_problem(&p);
    }
}

/* ---- the same bits ---- */

static void assert_same_result(const result *a, const result *b, const problem *p)
{
    assert_same_bits(a->value, b->value, p->dtype, p->rows);
    for (int r = 0; r < ROLES; r++) {
        assert_same_bits(a->gradient[r], b->gradient[r], p->dtype, role_rows(p, r) * role_stride(p, r));
    }
    assert_close(a->sum, b->sum, 0, 0);
    assert_close(a->denominator, b->denominator, 0, 0);
}

/* Threads share memory, so panels get smaller too; and instruction sets. */
static void test_same_bits(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        problem p = make_problem(dtypes[k], ROWS, CLASSES, D, 0);
        result first = solve(context, &p, 1);
        for (int32_t isa = 0; loss_context_isa_name(context, isa) != NULL; isa++) {
            for (int64_t threads = 1; threads <= 64; threads *= 8) {
                loss_context *other = create_with_isa(isa, threads);
                result again = solve(other, &p, 1);
                assert_same_result(&again, &first, &p);
                free_result(&again);
                loss_context_free(other);
            }
        }
        free_result(&first);
        free_problem(&p);
    }
}

/* ---- mistakes of others ---- */

/* An offset common to all classes changes nothing. It is a power of two, and biases are multiples of 2^-8: their sum is exact. */
static void test_common_offset(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        problem p = make_problem(dtypes[k], 70, 130, 5, 0);
        for (int64_t c = 0; c < p.classes; c++) {
            set_element(p.x[BIAS], p.dtype, c, (double)(c * 37 % 512 - 256) / 256);
        }
        result near = solve(context, &p, 1);
        for (int64_t c = 0; c < p.classes; c++) {
            set_element(p.x[BIAS], p.dtype, c, element(p.x[BIAS], p.dtype, c) + 32768);
        }
        result far = solve(context, &p, 1);
        assert_same_result(&far, &near, &p);
        free_result(&near);
        free_result(&far);
        free_problem(&p);
    }
}

/* A factor of a row is in its gradient before rows are added, also where factors are far apart; of 0 the row adds nothing. */
static void test_factors_of_rows(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        problem p = make_problem(dtypes[k], 90, 40, 6, 0);
        for (int64_t i = 0; i < p.rows; i++) {
            set_element(p.weight, p.dtype, i, i == 17 ? 0x1p20 : 0);
        }
        result found = solve(context, &p, 1);
        problem one = p;
        one.rows = 1;
        one.x[FEATURES] = (char *)p.x[FEATURES] + 17 * p.d * loss_dtype_size(p.dtype);
        one.weight = (char *)p.weight + 17 * loss_dtype_size(p.dtype);
        one.label = p.label + 17;
        result single = solve(context, &one, 1);
        assert_close(found.sum, single.sum, 0, 0);
        assert_same_bits(found.gradient[COEFFICIENTS], single.gradient[COEFFICIENTS], p.dtype,
                         p.classes * p.d);
        assert_same_bits(found.gradient[BIAS], single.gradient[BIAS], p.dtype, p.classes);
        free_result(&found);
        free_result(&single);
        free_problem(&p);
    }
}

/* 4096 equal rows in float32: a gradient rounded at every chunk would drift. */
static void test_many_equal_rows(void **state)
{
    problem p = make_problem(LOSS_FLOAT32, 4096, 3, 2, 0);
    (void)state;
    for (int64_t i = 0; i < p.rows; i++) {
        memcpy((float *)p.x[FEATURES] + 2 * i, p.x[FEATURES], 2 * sizeof(float));
        p.label[i] = 1;
        set_element(p.weight, p.dtype, i, 1);
    }
    result all = solve(context, &p, 1);
    p.rows = 1;
    result one = solve(context, &p, 1);
    for (int64_t i = 0; i < 6; i++) {
        assert_ulp(element(all.gradient[COEFFICIENTS], p.dtype, i),
                   4096 * element(one.gradient[COEFFICIENTS], p.dtype, i), 1, p.dtype);
    }
    p.rows = 4096;
    free_result(&all);
    free_result(&one);
    free_problem(&p);
}

/* Classes shut out by a bias of minus infinity, among them all of the first tile. */
static void test_shut_out(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        problem p = make_problem(dtypes[k], 20, 200, 4, 0);
        for (int64_t c = 0; c < p.classes; c++) {
            if (c < 100) {
                set_element(p.x[BIAS], p.dtype, c, -INFINITY);
            }
        }
        for (int64_t i = 0; i < p.rows; i++) {
            p.label[i] = 100 + (int32_t)i;
        }
        result found = solve(context, &p, 1);
        assert_true(isfinite(found.sum) && found.sum > 0);
        for (int64_t c = 0; c < 100; c++) {
            assert_close(element(found.gradient[BIAS], p.dtype, c), 0, 0, 0);
        }
        for (int64_t i = 0; i < p.rows * p.d; i++) {
            assert_true(isfinite(element(found.gradient[FEATURES], p.dtype, i)));
        }
        free_result(&found);
        free_problem(&p);
    }
}

/* ---- the loss of logits ---- */

enum { MOST_LOGITS = 300 };

/* The loss of one row with a label and its gradient by the logits: as the linear layer of the feature 1, or of the logits. */
static double of_logits(const char *name, const char *options, loss_dtype dtype, int64_t classes,
                        const double *logits, int32_t label, double *gradient)
{
    double z[MOST_LOGITS], g[MOST_LOGITS], one, value = NAN, sum, denominator; /* room for either type */
    const int32_t linear = strcmp(name, "linear_cross_entropy") == 0;
    loss_function *function = make_function(name, options);
    loss_data *inputs, *outputs;
    set_element(&one, dtype, 0, 1);
    for (int64_t c = 0; c < classes; c++) {
        set_element(z, dtype, c, logits[c]);
    }
    assert_status(context, loss_data_create(&inputs, context), LOSS_OK);
    assert_status(context, loss_data_create(&outputs, context), LOSS_OK);
    loss_data_set_input(inputs, "target", &label, LOSS_INT32, 1, 1, 1, 1);
    loss_data_set_output(outputs, "value", &value, dtype, 1, 1, 1, 1);
    if (linear) {
        loss_data_set_input(inputs, "features", &one, dtype, 1, 1, 1, 1);
        loss_data_set_input(inputs, "coefficients", z, dtype, classes, 1, 1, 1);
        loss_data_set_output(outputs, "coefficients.gradient", g, dtype, classes, 1, 1, 1);
    } else {
        loss_data_set_input(inputs, "prediction", z, dtype, 1, classes, classes, 1);
        loss_data_set_output(outputs, "gradient", g, dtype, 1, classes, classes, 1);
    }
    assert_status(context, loss_function_evaluate(context, function, inputs, outputs, &sum, &denominator),
                  LOSS_OK);
    for (int64_t c = 0; c < classes; c++) {
        gradient[c] = element(g, dtype, c);
    }
    loss_data_free(inputs);
    loss_data_free(outputs);
    loss_function_free(function);
    return element(&value, dtype, 0);
}

static void check_same_loss(const char *options, int64_t classes, const double *logits, int32_t label)
{
    for (int k = 0; k < 2; k++) {
        double by_logits[MOST_LOGITS], by_layer[MOST_LOGITS];
        const double part = dtypes[k] == LOSS_FLOAT32 ? 3e-6 : 1e-14;
        const double plain = of_logits("cross_entropy", options, dtypes[k], classes, logits, label,
                                       by_logits);
        const double layer = of_logits("linear_cross_entropy", options, dtypes[k], classes, logits, label,
                                       by_layer);
        assert_close(layer, plain, part, 0);
        for (int64_t c = 0; c < classes; c++) {
            assert_close(by_layer[c], by_logits[c], part, part * 1e-2);
        }
    }
}

/* What cross_entropy says of the logits, also where they are infinite and over many tiles of classes. */
static void test_cross_entropy_of_logits(void **state)
{
    static const char *const options[] = {"",
                                          "label_smoothing=0.3",
                                          "label_smoothing=1",
                                          "temperature=2.385",
                                          "temperature=0.07",
                                          "z_loss=0.25",
                                          "label_smoothing=0.125;temperature=0.7;z_loss=0.01",
                                          "soft_cap=3",
                                          "soft_cap=1e-320",
                                          "soft_cap=30;temperature=0.7",
                                          "label_smoothing=0.125;temperature=0.7;soft_cap=20;z_loss=0.01"};
    static const double rows[][3] = {{1.5, -0.75, 2.25},          {-INFINITY, 1, 0.5},
                                     {-INFINITY, -INFINITY, 0.5}, {-INFINITY, -INFINITY, -INFINITY},
                                     {INFINITY, 1, 0.5},          {NAN, 1, 0.5},
                                     {120, -1000, 119.5}};
    (void)state;
    for (size_t o = 0; o < sizeof options / sizeof *options; o++) {
        double many[MOST_LOGITS];
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            for (int32_t label = 0; label < 3; label++) {
                check_same_loss(options[o], 3, rows[i], label);
            }
        }
        for (int64_t c = 0; c < MOST_LOGITS; c++) { /* the largest so far comes again and again */
            many[c] = 0.125 * (double)c * scatter(c) - 3;
        }
        check_same_loss(options[o], MOST_LOGITS, many, 7);
        check_same_loss(options[o], MOST_LOGITS, many, MOST_LOGITS - 1);
        for (int64_t c = 0; c < 70; c++) {
            many[c] = -INFINITY;
        }
        check_same_loss(options[o], MOST_LOGITS, many, 7);
        check_same_loss(options[o], MOST_LOGITS, many, 170);
    }
}

/* A class alone has all of the probability, whatever its logit. */
static void test_single_class(void **state)
{
    static const double logits[] = {2.385, -INFINITY};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        check_same_loss("", 1, &logits[i], 0);
        check_same_loss("label_smoothing=0.3", 1, &logits[i], 0);
        double gradient = NAN;
        assert_close(of_logits("linear_cross_entropy", "", LOSS_FLOAT64, 1, &logits[i], 0, &gradient), 0, 0,
                     0);
        assert_close(gradient, 0, 0, 0);
    }
}

/* A logits matrix of 2048 x 16384 would be 128 MiB. */
static void test_memory(void **state)
{
    static const int64_t dimensions[] = {8, 2048};
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        test_allocator allocator = {0};
        loss_context *counted = create_counted(&allocator, 1);
        problem p = make_problem(LOSS_FLOAT32, k == 0 ? 2048 : 64, k == 0 ? 16384 : 512, dimensions[k], 0);
        result found = solve(counted, &p, k == 1);
        assert_true(allocator.live_bytes > 0 && allocator.live_bytes < 8 << 20);
        free_result(&found);
        free_problem(&p);
        loss_context_free(counted);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_definition),      cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_common_offset),   cmocka_unit_test(test_factors_of_rows),
        cmocka_unit_test(test_many_equal_rows), cmocka_unit_test(test_shut_out),
        cmocka_unit_test(test_memory),          cmocka_unit_test(test_cross_entropy_of_logits),
        cmocka_unit_test(test_single_class),
    };
    return cmocka_run_group_tests_name("linear cross-entropy", tests, known_setup, known_teardown);
}
