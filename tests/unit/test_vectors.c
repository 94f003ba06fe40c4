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

/* Groups of vectors of every size there is, and what is left over of them. */
static const int32_t counts[] = {0, 2, 4, 8, 10, 14, 24};
enum { COUNTS = sizeof counts / sizeof counts[0] };

/* `learn` is `pair` and `products` in one, and an answer is measured as it is when it is taken. */
static void agree(const loss_optimizer *optimizer, int32_t count)
{
    lossi_many many = {.count = count};
    double sums[LOSSI_MANY_SUMS], made[2], products[LOSSI_MANY];
    lossi_pass_result pair = lossi_run(optimizer, optimizer->kernels->pair,
                                       &(lossi_operands){.in = {0, 2, 1, 3}, .out = {4, 5}});
    made[0] = lossi_dot(optimizer, 4, 1);
    made[1] = lossi_dot(optimizer, 5, 1);
    for (int32_t i = 0; i < count; i++) {
        many.vector[i] = lossi_vector(optimizer, (i + 3) % 4);
        products[i] = lossi_dot(optimizer, (i + 3) % 4, 1);
    }
    many.a = lossi_vector(optimizer, 1);
    many.b = lossi_vector(optimizer, 0);
    many.c = lossi_vector(optimizer, 2);
    many.d = lossi_vector(optimizer, 3);
    many.out[0] = lossi_vector(optimizer, 4);
    many.out[1] = lossi_vector(optimizer, 5);
    lossi_run_many(optimizer, optimizer->memory_kernels->learn, &many, LOSSI_PAIR_SUMS + count, sums);
    assert_memory_equal(sums, pair.sum, 3 * sizeof *sums);
    assert_memory_equal(sums + 3, made, sizeof made);
    assert_memory_equal(sums + LOSSI_PAIR_SUMS, products, (size_t)count * sizeof *sums);
    lossi_run_many(optimizer, optimizer->memory_kernels->products, &many, count, sums);
    assert_memory_equal(sums, products, (size_t)count * sizeof *sums);
}

static void passes_agree(void **state)
{
    loss_context *context = new_context();
    (void)state;
    for (size_t k = 0; k < sizeof shapes / sizeof shapes[0]; k++) {
        loss_optimizer *optimizer = begin(context, &shapes[k]);
        for (int i = 0; i < COUNTS; i++) {
            agree(optimizer, counts[i]);
        }
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

/*
 * The same bits as by `combine` and `move`, which round float32 after every vector: there all weights but the first are 0. Backwards,
 * in place of its first vector, and with the trial moved on the way.
 */
static void weigh(const loss_optimizer *optimizer, int32_t count)
{
    double weights[LOSSI_MANY] = {0.625}, product;
    lossi_many many = {.count = count, .weight = weights, .scalar = -1.5, .step = 0.75, .backwards = 1};
    lossi_run(optimizer, optimizer->kernels->combine,
              &(lossi_operands){.in = {0, 1}, .out = {3}, .scalar = {-1.5, weights[0]}});
    many.vector[0] = many.out[1] = lossi_vector(optimizer, 1);
    for (int32_t i = 1; i < count; i++) {
        weights[i] = optimizer->dtype == LOSS_FLOAT64 ? (double)(i % 5 - 2) / 3.0 : 0.0;
        many.vector[i] = lossi_vector(optimizer, i % 2 * 2);
        lossi_run(optimizer, optimizer->kernels->move,
                  &(lossi_operands){.in = {3, i % 2 * 2}, .out = {3}, .scalar = {weights[i]}});
    }
    lossi_run(optimizer, optimizer->kernels->move,
              &(lossi_operands){.in = {2, 3}, .out = {4}, .scalar = {0.75}});
    many.a = many.b = lossi_vector(optimizer, 0);
    many.c = lossi_vector(optimizer, 2);
    many.out[0] = lossi_vector(optimizer, 5);
    lossi_run_many(optimizer, optimizer->memory_kernels->weigh, &many, 1, &product);
    assert_true(product == lossi_dot(optimizer, 3, 0));
    assert_memory_equal(lossi_vector(optimizer, 5), lossi_vector(optimizer, 3), optimizer->stride);
    assert_memory_equal(lossi_vector(optimizer, 1), lossi_vector(optimizer, 4), optimizer->stride);
    check_padding(optimizer);
}

static void a_weighed_sum_moves_the_trial(void **state)
{
    loss_context *context = new_context();
    (void)state;
    for (size_t k = 0; k < sizeof shapes / sizeof shapes[0]; k++) {
        for (int i = 1; i < COUNTS; i++) {
            loss_optimizer *optimizer = begin(context, &shapes[k]);
            weigh(optimizer, counts[i]);
            loss_optimizer_free(optimizer);
        }
    }
    loss_context_free(context);
}

/* ---- the recursion ---- */

typedef struct numbers {
    double with_s[LOSSI_LARGEST_ROW], with_y[LOSSI_LARGEST_ROW];
    double sy[LOSSI_LARGEST_ROW * LOSSI_LARGEST_ROW], yy[LOSSI_LARGEST_ROW * LOSSI_LARGEST_ROW];
} numbers;

static int32_t place_of(const lossi_recursion *r, int32_t age)
{
    return (r->oldest + age) % r->places;
}

/* Numbers for the pairs there are, and NaN for all others. */
static void fill(numbers *to, const lossi_recursion *r)
{
    for (int64_t i = 0; i < LOSSI_LARGEST_ROW * LOSSI_LARGEST_ROW; i++) {
        to->with_s[i % LOSSI_LARGEST_ROW] = to->with_y[i % LOSSI_LARGEST_ROW] = to->sy[i] = to->yy[i] = NAN;
    }
    for (int32_t i = 0; i < r->count; i++) {
        const int64_t at = place_of(r, i);
        to->with_s[at] = (double)((i * 7 + 5) % 23 - 11) / 8.0;
        to->with_y[at] = (double)((i * 5 + 3) % 19 - 9) / 8.0;
        for (int32_t j = 0; j < r->count; j++) {
            const int64_t other = place_of(r, j);
            to->sy[at * r->row + other] = (double)((i * j * 3 + i + j) % 17 - 8) / 64.0 /
                                          (1.0 + (double)r->count);
            to->yy[at * r->row + other] = (double)((i * j * 5 + i + j) % 13 - 6) / 32.0 /
                                          (1.0 + (double)r->count);
        }
        to->sy[at * r->row + at] = 0.75 + (double)(i % 3) / 4.0;
    }
}

/* The two loops as they are written down, on the same numbers. */
static void two_loops(const lossi_recursion *r, double *weight)
{
    double q_s[LOSSI_LARGEST_ROW], q_y[LOSSI_LARGEST_ROW], alpha[LOSSI_LARGEST_ROW];
    memcpy(q_s, r->with_s, sizeof q_s);
    memcpy(q_y, r->with_y, sizeof q_y);
    for (int32_t i = r->count - 1; i >= 0; i--) {
        const int64_t at = place_of(r, i);
        alpha[i] = q_s[at] * r->sy[at * r->row + at];
        for (int32_t j = 0; j < r->places; j++) {
            q_s[j] -= alpha[i] * r->sy[at * r->row + j];
            q_y[j] -= alpha[i] * r->yy[at * r->row + j];
        }
    }
    for (int32_t j = 0; j < r->places; j++) {
        q_y[j] *= r->scale;
    }
    for (int32_t i = 0; i < r->count; i++) {
        const int64_t at = place_of(r, i);
        const double factor = alpha[i] - q_y[at] * r->sy[at * r->row + at];
        weight[2 * i] = -factor;
        weight[2 * i + 1] = r->scale * alpha[i];
        for (int32_t j = 0; j < r->places; j++) {
            q_y[j] += factor * r->sy[at * r->row + j];
        }
    }
}

static void compare_recursion(const loss_optimizer *optimizer, int32_t places, int32_t oldest, int32_t count)
{
    static numbers all;
    double weight[2 * LOSSI_LARGEST_ROW], expected[2 * LOSSI_LARGEST_ROW];
    const lossi_recursion r = {.with_s = all.with_s,
                               .with_y = all.with_y,
                               .sy = all.sy,
                               .yy = all.yy,
                               .weight = weight,
                               .scale = 0.625,
                               .row = (places + 7) / 8 * 8,
                               .count = count,
                               .places = places,
                               .oldest = oldest};
    fill(&all, &r);
    two_loops(&r, expected);
    assert_true(optimizer->memory_kernels->recur(&r));
    assert_same_bits(weight, expected, LOSS_FLOAT64, 2 * (int64_t)count);
    all.with_y[place_of(&r, count - 1)] = INFINITY;
    assert_false(optimizer->memory_kernels->recur(&r));
}

/* On every part of a ring; what is in places without a pair does not matter. */
static void the_recursion_is_the_two_loops(void **state)
{
    static const int32_t rings[] = {1, 2, 3, 4, 5, 8, 9, 10, 13, 16, 17, 20, 24, 25, 40, 60, 100};
    loss_context *context = new_context();
    (void)state;
    for (int32_t isa = 0; loss_context_isa_name(context, isa) != NULL; isa++) {
        if (loss_context_set_string(context, "isa", loss_context_isa_name(context, isa)) != LOSS_OK) {
            continue; /* not this processor's */
        }
        loss_optimizer *optimizer = begin(context, &shapes[0]);
        for (size_t k = 0; k < sizeof rings / sizeof rings[0]; k++) {
            for (int32_t oldest = 0; oldest < rings[k]; oldest += 1 + rings[k] / 8) {
                for (int32_t count = 1; count <= rings[k]; count += 1 + rings[k] / 30) {
                    compare_recursion(optimizer, rings[k], oldest, count);
                }
            }
        }
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
        cmocka_unit_test(the_recursion_is_the_two_loops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
