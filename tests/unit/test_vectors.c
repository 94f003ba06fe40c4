/* Whole vectors of a workspace: the zeros behind their elements, and passes over many of them. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "optimizer/optimizer.h"
#include "support/check.h"

static loss_context *new_context(void)
{
    loss_context *context = NULL;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    return context;
}

typedef struct shape {
    loss_dtype dtype;
    int64_t n;
} shape;

static const shape shapes[] = {
    {LOSS_FLOAT64, 1},  {LOSS_FLOAT64, 15}, {LOSS_FLOAT64, 16},   {LOSS_FLOAT64, 17},
    {LOSS_FLOAT32, 31}, {LOSS_FLOAT32, 5},  {LOSS_FLOAT64, 4097}, {LOSS_FLOAT32, 4111},
};

/* A run that has begun, with vectors 0 … 5 full of numbers. */
static loss_optimizer *begin(loss_context *context, const shape *s)
{
    loss_optimizer *optimizer = NULL;
    void *x0 = calloc((size_t)s->n, sizeof(double));
    assert_non_null(x0);
    assert_int_equal(loss_optimizer_create(&optimizer, context, "lbfgs", s->dtype, s->n), LOSS_OK);
    assert_int_equal(loss_optimizer_start(optimizer, x0), LOSS_OK);
    free(x0);
    for (int32_t vector = 0; vector < 6; vector++) {
        for (int64_t i = 0; i < s->n; i++) {
            lossi_set_element(optimizer, vector, i, (double)((i * 7 + vector * 5) % 23 - 11) / 8.0);
        }
    }
    return optimizer;
}

static void check_padding(const loss_optimizer *optimizer)
{
    assert_true(optimizer->padded >= optimizer->dimension && optimizer->padded % 16 == 0);
    for (int32_t vector = 0; vector < 6; vector++) {
        assert_int_equal((uintptr_t)lossi_vector(optimizer, vector) % 64, 0);
        for (int64_t i = optimizer->dimension; i < optimizer->padded; i++) {
            assert_true(lossi_element(optimizer, vector, i) == 0.0);
        }
    }
}

/* Also when a scalar is not finite, and the elements are spoilt for good reason. */
static void zeros_behind_the_elements_stay(void **state)
{
    static const double scalars[] = {0.375, -DBL_MAX, INFINITY, -INFINITY, NAN};
    loss_context *context = new_context();
    (void)state;
    for (size_t k = 0; k < sizeof shapes / sizeof shapes[0]; k++) {
        for (size_t i = 0; i < sizeof scalars / sizeof scalars[0]; i++) {
            loss_optimizer *optimizer = begin(context, &shapes[k]);
            const lossi_vector_kernels *kernels = optimizer->kernels;
            double s = scalars[i];
            lossi_run(optimizer, kernels->move, &(lossi_operands){.in = {0, 1}, .out = {2}, .scalar = {s}});
            lossi_run(optimizer, kernels->combine,
                      &(lossi_operands){.in = {0, 1}, .out = {3}, .scalar = {s, -1.0}});
            lossi_run(optimizer, kernels->recur,
                      &(lossi_operands){.in = {0, 1, 1}, .out = {4}, .scalar = {1.0, s}});
            lossi_run(optimizer, kernels->conjugate,
                      &(lossi_operands){.in = {0, 1, 1}, .out = {2, 5}, .scalar = {s}});
            lossi_copy(optimizer, 1, 2);
            check_padding(optimizer);
            loss_optimizer_free(optimizer);
        }
    }
    loss_context_free(context);
}

/* `learn` is `pair` and `products` in one, and an answer is measured as it is when it is taken. */
static void passes_agree(void **state)
{
    loss_context *context = new_context();
    (void)state;
    for (size_t k = 0; k < sizeof shapes / sizeof shapes[0]; k++) {
        loss_optimizer *optimizer = begin(context, &shapes[k]);
        lossi_many many = {.count = 3};
        double sums[LOSSI_PAIR_SUMS + LOSSI_MANY], products[LOSSI_MANY];
        lossi_pass_result pair = lossi_run(optimizer, optimizer->kernels->pair,
                                           &(lossi_operands){.in = {0, 2, 1, 3}, .out = {4, 5}});
        const int32_t with[] = {4, 5, 0, 1, 2};
        for (int i = 0; i < 5; i++) {
            products[i] = lossi_dot(optimizer, with[i], 1);
        }
        for (int i = 0; i < 3; i++) {
            many.vector[i] = lossi_vector(optimizer, with[2 + i]);
        }
        many.a = lossi_vector(optimizer, 1);
        many.b = lossi_vector(optimizer, 0);
        many.c = lossi_vector(optimizer, 2);
        many.d = lossi_vector(optimizer, 3);
        many.out[0] = lossi_vector(optimizer, 4);
        many.out[1] = lossi_vector(optimizer, 5);
        lossi_run_many(optimizer, optimizer->memory_kernels->learn, &many, LOSSI_PAIR_SUMS + 3, sums);
        assert_memory_equal(sums, pair.sum, 3 * sizeof *sums);
        assert_memory_equal(sums + 3, products, 5 * sizeof *sums);
        lossi_run_many(optimizer, optimizer->memory_kernels->products, &many, 3, sums);
        assert_memory_equal(sums, products + 2, 3 * sizeof *sums);
        lossi_pass_result taken = lossi_run(optimizer, optimizer->kernels->take,
                                            &(lossi_operands){.in = {0, 1}, .out = {0}});
        lossi_pass_result measured = lossi_run(optimizer, optimizer->kernels->measure,
                                               &(lossi_operands){.in = {0, 1}});
        assert_true(taken.sum[0] == measured.sum[0] && taken.maximum[0] == measured.maximum[0]);
        check_padding(optimizer);
        loss_optimizer_free(optimizer);
    }
    loss_context_free(context);
}

/* Backwards, in place of its first vector, and with the trial moved on the way: the same bits as by `combine` and `move`. */
static void a_weighed_sum_moves_the_trial(void **state)
{
    loss_context *context = new_context();
    const double weight = 0.625;
    (void)state;
    for (size_t k = 0; k < sizeof shapes / sizeof shapes[0]; k++) {
        loss_optimizer *optimizer = begin(context, &shapes[k]);
        lossi_many many = {.count = 1, .weight = &weight, .scalar = -1.5, .step = 0.75, .backwards = 1};
        double product,
            expected = lossi_run(optimizer, optimizer->kernels->combine,
                                 &(lossi_operands){.in = {0, 1}, .out = {3}, .scalar = {-1.5, weight}})
                           .sum[0];
        lossi_run(optimizer, optimizer->kernels->move,
                  &(lossi_operands){.in = {2, 3}, .out = {4}, .scalar = {0.75}});
        many.a = many.b = lossi_vector(optimizer, 0);
        many.c = lossi_vector(optimizer, 2);
        many.vector[0] = many.out[1] = lossi_vector(optimizer, 1);
        many.out[0] = lossi_vector(optimizer, 5);
        lossi_run_many(optimizer, optimizer->memory_kernels->weigh, &many, 1, &product);
        assert_true(product == expected);
        assert_memory_equal(lossi_vector(optimizer, 5), lossi_vector(optimizer, 3), optimizer->stride);
        assert_memory_equal(lossi_vector(optimizer, 1), lossi_vector(optimizer, 4), optimizer->stride);
        check_padding(optimizer);
        loss_optimizer_free(optimizer);
    }
    loss_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zeros_behind_the_elements_stay),
        cmocka_unit_test(passes_agree),
        cmocka_unit_test(a_weighed_sum_moves_the_trial),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
