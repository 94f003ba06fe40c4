/* The exact step of a trust region against the optimum, known where the matrix is diagonal and then turned. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "optimizer/more_sorensen.h"
#include "support/check.h"

enum { MOST = 60 };

typedef struct subject {
    int64_t n;
    double eigenvalue[MOST], gradient[MOST]; /* in the eigenvectors' frame */
    double radius;
} subject;

/* −1 … 1 from a fixed recurrence. */
static double scatter(uint64_t *word)
{
    *word = *word * 6364136223846793005u + 1442695040888963407u;
    return (double)(*word >> 11) * 0x1p-52 - 1.0;
}

/* ‖(Λ + λ)⁻¹g‖; components without gradient count nothing. */
static double length_at(const subject *s, double lambda)
{
    double squares = 0.0;
    for (int64_t i = 0; i < s->n; i++) {
        double p = s->gradient[i] == 0.0 ? 0.0 : s->gradient[i] / (s->eigenvalue[i] + lambda);
        squares += p * p;
    }
    return sqrt(squares);
}

/* The largest decrease within the radius, by bisection for λ; in the hard case what is missing goes along the least. */
static double best_decrease(const subject *s)
{
    double least = INFINITY, lower, upper, sum = 0.0;
    for (int64_t i = 0; i < s->n; i++) {
        least = fmin(least, s->eigenvalue[i]);
    }
    lower = fmax(0.0, -least);
    upper = lower + 1.0;
    while (length_at(s, upper) > s->radius) {
        upper = lower + 2.0 * (upper - lower);
    }
    if (least > 0.0 && length_at(s, 0.0) <= s->radius) {
        upper = 0.0;
    }
    for (int k = 0; k < 300 && upper > 0.0; k++) {
        double middle = lower + 0.5 * (upper - lower);
        if (length_at(s, middle) > s->radius) {
            lower = middle;
        } else {
            upper = middle;
        }
    }
    for (int64_t i = 0; i < s->n; i++) {
        double p = s->gradient[i] == 0.0 ? 0.0 : -s->gradient[i] / (s->eigenvalue[i] + upper);
        sum -= s->gradient[i] * p + 0.5 * s->eigenvalue[i] * p * p;
    }
    if (upper > 0.0 && length_at(s, upper) < 0.999 * s->radius) {
        double length = length_at(s, upper);
        sum -= 0.5 * least * (s->radius * s->radius - length * length);
    }
    return sum;
}

/* x ← x − 2vvᵀx/vᵀv, `count` vectors. */
static void reflect(double *x, int64_t n, int64_t count, const double *v)
{
    double squares = 0.0;
    for (int64_t i = 0; i < n; i++) {
        squares += v[i] * v[i];
    }
    for (int64_t k = 0; k < count; k++) {
        double along = 0.0;
        for (int64_t i = 0; i < n; i++) {
            along += x[k * n + i] * v[i];
        }
        for (int64_t i = 0; i < n; i++) {
            x[k * n + i] -= 2.0 * along / squares * v[i];
        }
    }
}

/* Solves the problem as it is (turned: 0) or turned by a reflection, which changes neither lengths nor values. */
static lossi_more_sorensen solve(loss_context *context, const subject *s, int turned)
{
    int64_t n = s->n;
    double *numbers = calloc((size_t)lossi_dense_numbers(n), sizeof(double)), v[MOST] = {0.0},
           transposed[MOST * MOST];
    double gradient[MOST], step[MOST];
    uint64_t seed = 77;
    lossi_dense dense = lossi_dense_at(context, n, numbers, NULL);
    assert_non_null(numbers);
    memcpy(gradient, s->gradient, sizeof gradient);
    for (int64_t i = 0; i < n; i++) {
        numbers[i * n + i] = s->eigenvalue[i];
        v[i] = scatter(&seed);
    }
    if (turned) {
        reflect(gradient, n, 1, v);
        reflect(numbers, n, n, v);
        for (int64_t i = 0; i < n * n; i++) {
            transposed[i] = numbers[i % n * n + i / n];
        }
        reflect(transposed, n, n, v);
        memcpy(numbers, transposed, (size_t)(n * n) * sizeof(double));
    }
    lossi_dense_take(&dense);
    lossi_more_sorensen problem = {
        .gradient = gradient, .step = step, .radius = s->radius, .epsilon = DBL_EPSILON};
    lossi_more_sorensen_solve(&dense, &problem);
    /* what it says of its step is so */
    double product[MOST], slope = 0.0, curvature = 0.0;
    lossi_dense_symv(&dense, step, product);
    for (int64_t i = 0; i < n; i++) {
        slope += gradient[i] * step[i];
        curvature += step[i] * product[i];
    }
    assert_close(problem.slope, slope, 1e-12, 0.0);
    assert_close(problem.predicted, -slope - 0.5 * curvature, 1e-9, 0.0);
    assert_close(problem.length, lossi_dense_norm(&dense, step), 0.0, 0.0);
    free(numbers);
    return problem;
}

/* Within κ_hard = 0.2 of the best decrease, and κ_easy = 0.1 of the radius. */
static void assert_good(const subject *s, const lossi_more_sorensen *found, int32_t most)
{
    double best = best_decrease(s);
    if (!(found->predicted >= 0.8 * best) || !(found->predicted <= 1.25 * best) ||
        !(found->length <= 1.1000001 * s->radius) || found->factorizations > most) {
        fail_msg("n %d, radius %g: %g of the best decrease %g, length %g, %d factors", (int)s->n, s->radius,
                 found->predicted / best, best, found->length, found->factorizations);
    }
}

static void random_problems_are_solved(void **unused)
{
    loss_context *context = NULL;
    uint64_t seed = 5;
    int64_t factors = 0, solved = 0;
    (void)unused;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    for (int64_t n = 1; n <= MOST; n += n < 6 ? 1 : 9) {
        for (int c = 0; c < 60; c++) {
            subject s = {.n = n, .radius = pow(10.0, 3.0 * scatter(&seed))};
            for (int64_t i = 0; i < n; i++) { /* definite, indefinite, negative */
                s.eigenvalue[i] = 5.0 * scatter(&seed) + (c % 3 == 0 ? 5.1 : c % 3 == 1 ? 0.0 : -5.1);
                s.gradient[i] = pow(10.0, 2.0 * scatter(&seed)) * scatter(&seed);
            }
            lossi_more_sorensen found = solve(context, &s, c % 2);
            assert_good(&s, &found, 25);
            factors += found.factorizations;
            solved++;
        }
    }
    assert_true(factors <= 4 * solved);
    loss_context_free(context);
}

/* g without any part along the least eigenvector: the step has to come from the matrix. */
static void the_hard_case_is_found(void **unused)
{
    loss_context *context = NULL;
    (void)unused;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    for (int64_t n = 2; n <= 40; n += 6) {
        for (int c = 0; c < 8; c++) {
            static const double tiny[] = {0.0, 1e-300, 1e-17, 1e-9};
            subject s = {.n = n, .radius = 7.5};
            for (int64_t i = 0; i < n; i++) {
                s.eigenvalue[i] = i == 0 ? -2.385 : 0.6 + (double)i;
                s.gradient[i] = i == 0 ? tiny[c / 2] : 0.4;
            }
            lossi_more_sorensen found = solve(context, &s, c % 2);
            assert_good(&s, &found, 25);
            assert_true(found.boundary);
        }
    }
    loss_context_free(context);
}

static void an_inner_minimum_takes_one_factor(void **unused)
{
    loss_context *context = NULL;
    (void)unused;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    subject s = {.n = 3, .eigenvalue = {2.0, 0.5, 8.0}, .gradient = {1.0, -0.75, 0.2}, .radius = 4.0};
    lossi_more_sorensen found = solve(context, &s, 0);
    assert_int_equal(found.factorizations, 1);
    assert_false(found.boundary || found.hard);
    assert_close(found.multiplier, 0.0, 0.0, 0.0);
    assert_close(found.length, sqrt(0.25 + 2.25 + 0.025 * 0.025), 1e-14, 0.0);
    loss_context_free(context);
}

/* An eigenvalue that only rounding tells from 0, and a gradient without it: nothing leads to the boundary. */
static void a_flat_direction_is_left_alone(void **unused)
{
    loss_context *context = NULL;
    (void)unused;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    for (int64_t n = 2; n <= 40; n += 2) {
        for (int c = 0; c < 8; c++) {
            static const double tiny[] = {0.0, 1e-17, -1e-17, -1e-16};
            subject s = {.n = n, .radius = 700.5};
            for (int64_t i = 1; i < n; i++) {
                s.eigenvalue[i] = 0.6 + (double)i;
                s.gradient[i] = 0.4;
            }
            s.eigenvalue[0] = tiny[c / 2];
            lossi_more_sorensen found = solve(context, &s, c % 2);
            assert_false(found.boundary || found.hard);
            assert_true(found.length <
                        0.5 * s.radius); /* where H passes for definite, rounding over rounding */
            assert_true(found.factorizations <= 3);
        }
    }
    loss_context_free(context);
}

/* A matrix of zeros, of one eigenvalue, of one row; and the same in other units. */
static void corners(void **unused)
{
    static const subject cases[] = {
        {3, {0.0, 0.0, 0.0}, {0.3, -0.4, 1.2}, 2.5},
        {3, {-1.5, -1.5, -1.5}, {0.3, -0.4, 1.2}, 0.1},
        {1, {-2.0}, {1e-12}, 3.0},
        {1, {0.0}, {5.0}, 1e-3},
        {2, {1e-18, 1.0}, {1.0, 1.0}, 10.0},
        {2, {-1.0, 1e12}, {0.0, 1.0}, 2.0},
        {4, {0.0, 0.0, 3.0, 5.0}, {0.0, 0.0, 1.0, 2.0}, 9.0},
    };
    loss_context *context = NULL;
    (void)unused;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static const double units[] = {1.0, 1e-150, 1e150};
        for (int u = 0; u < 3; u++) {
            subject s = cases[i];
            for (int64_t k = 0; k < s.n; k++) {
                s.eigenvalue[k] *= units[u];
                s.gradient[k] *= units[u];
            }
            lossi_more_sorensen found = solve(context, &s, 0);
            double best = best_decrease(&cases[i]) * units[u];
            assert_true(found.predicted >= 0.8 * best && found.predicted <= 1.25 * best);
            assert_true(found.factorizations <= 25);
        }
    }
    loss_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_problems_are_solved),
        cmocka_unit_test(the_hard_case_is_found),
        cmocka_unit_test(a_flat_direction_is_left_alone),
        cmocka_unit_test(an_inner_minimum_takes_one_factor),
        cmocka_unit_test(corners),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
