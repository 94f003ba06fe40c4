/* Dense factorisations, seen from inside: residuals, inertia, what is not definite, and the same bits everywhere. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "optimizer/dense.h"
#include "support/check.h"

typedef struct fixture {
    loss_context *context;
    int64_t n;
    double *a, *numbers, *x, *y;
    int64_t *order;
    lossi_dense dense;
} fixture;

/* −1 … 1 from a fixed recurrence. */
static double scatter(uint64_t *word)
{
    *word = *word * 6364136223846793005u + 1442695040888963407u;
    return (double)(*word >> 11) * 0x1p-52 - 1.0;
}

static void *numbers_create(int64_t count)
{
    void *numbers = calloc((size_t)count, sizeof(double));
    assert_non_null(numbers);
    return numbers;
}

static void make(fixture *f, int64_t n)
{
    f->n = n;
    f->a = numbers_create(n * n);
    f->numbers = numbers_create(lossi_dense_numbers(n));
    f->x = numbers_create(n);
    f->y = numbers_create(n);
    f->order = numbers_create(n);
    assert_int_equal(loss_context_create(&f->context), LOSS_OK);
    f->dense = lossi_dense_at(f->context, n, f->numbers, f->order);
}

static void drop(fixture *f)
{
    free(f->a);
    free(f->numbers);
    free(f->x);
    free(f->y);
    free(f->order);
    loss_context_free(f->context);
}

/* A = HΛH with H = I − 2vvᵀ/vᵀv: its eigenvalues are those given; the work is O(n²). */
static void reflect(double *a, int64_t n, const double *v, double squares)
{
    for (int64_t i = 0; i < n; i++) {
        double along = 0.0;
        for (int64_t j = 0; j < n; j++) {
            along += a[i * n + j] * v[j];
        }
        for (int64_t j = 0; j < n; j++) {
            a[i * n + j] -= 2.0 * along / squares * v[j];
        }
    }
}

static void transpose(double *a, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < i; j++) {
            double kept = a[i * n + j];
            a[i * n + j] = a[j * n + i];
            a[j * n + i] = kept;
        }
    }
}

static void fill(fixture *f, double (*eigenvalue)(int64_t i, int64_t n), uint64_t seed)
{
    int64_t n = f->n;
    memset(f->a, 0, (size_t)(n * n) * sizeof(double));
    for (int64_t i = 0; i < n; i++) {
        f->a[i * n + i] = eigenvalue(i, n);
    }
    for (int round = 0; round < 3; round++) {
        double squares = 0.0;
        for (int64_t i = 0; i < n; i++) {
            f->x[i] = scatter(&seed);
            squares += f->x[i] * f->x[i];
        }
        reflect(f->a, n, f->x, squares);
        transpose(f->a, n);
        reflect(f->a, n, f->x, squares);
    }
    for (int64_t i = 0; i < n; i++) {
        f->x[i] = scatter(&seed);
    }
    memcpy(f->numbers, f->a, (size_t)(n * n) * sizeof(double));
    lossi_dense_take(&f->dense);
}

static double positive(int64_t i, int64_t n)
{
    return 0.37 + 12.5 * (double)i / (double)n;
}

static double mixed(int64_t i, int64_t n)
{
    return (i % 3 == 1 ? -1.0 : 1.0) * positive(i, n);
}

static const int64_t sizes[] = {1, 2, 3, 15, 16, 17, 40, 63, 64, 65, 100, 129, 300};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static double largest(const double *x, int64_t n)
{
    double most = 0.0;
    for (int64_t i = 0; i < n; i++) {
        most = fmax(most, fabs(x[i]));
    }
    return most;
}

/* ‖(A + shift)y − x‖∞ ≤ what rounding of a backward stable solution leaves. */
static void assert_solved(const fixture *f, double shift)
{
    int64_t n = f->n;
    for (int64_t i = 0; i < n; i++) {
        double rest = shift * f->y[i] - f->x[i];
        for (int64_t j = 0; j < n; j++) {
            rest += f->a[i * n + j] * f->y[j];
        }
        assert_close(rest, 0.0, 0.0, 10.0 * (double)n * DBL_EPSILON * (13.0 + shift) * largest(f->y, n));
    }
}

static void cholesky_solves(void **unused)
{
    (void)unused;
    for (int s = 0; s < 2 * SIZES; s++) {
        double shift = s % 2 == 0 ? 0.0 : 2.385, pivot = 0.0;
        fixture f;
        make(&f, sizes[s / 2]);
        fill(&f, positive, 17 + (uint64_t)s);
        for (int again = 0; again < 2; again++) { /* the matrix is still there */
            assert_int_equal(lossi_dense_cholesky(&f.dense, shift, DBL_EPSILON, &pivot), f.n);
            memcpy(f.y, f.x, (size_t)f.n * sizeof(double));
            lossi_dense_solve_lower(&f.dense, f.n, f.y);
            lossi_dense_solve_upper(&f.dense, f.n, f.y);
            assert_solved(&f, shift);
        }
        drop(&f);
    }
}

/* LLᵀ itself, element by element. */
static void the_factor_is_the_factor(void **unused)
{
    double pivot = 0.0;
    fixture f;
    (void)unused;
    make(&f, 150);
    fill(&f, positive, 5);
    assert_int_equal(lossi_dense_cholesky(&f.dense, 0.0, DBL_EPSILON, &pivot), f.n);
    for (int64_t i = 0; i < f.n; i++) {
        for (int64_t j = 0; j <= i; j++) {
            double sum = 0.0;
            for (int64_t k = 0; k <= j; k++) {
                sum += f.numbers[i * f.n + k] * f.numbers[j * f.n + k];
            }
            assert_close(sum, f.a[i * f.n + j], 0.0, 1e-12);
        }
    }
    drop(&f);
}

/* Rows before the first bad pivot are factored, and the pivot says by how much it failed. */
static void cholesky_says_where_it_ends(void **unused)
{
    (void)unused;
    for (int64_t bad = 0; bad < 200; bad += 19) {
        double pivot = 777.0;
        fixture f;
        make(&f, 200);
        fill(&f, positive, 23);
        f.dense.diagonal[bad] -= 40.0;
        assert_int_equal(lossi_dense_cholesky(&f.dense, 0.0, DBL_EPSILON, &pivot), bad);
        assert_true(pivot < -20.0 && pivot > -45.0);
        double sum = 0.0; /* the row of L before it is complete: a_bad,bad = ‖l‖² + pivot */
        for (int64_t j = 0; j < bad; j++) {
            sum += f.numbers[bad * f.n + j] * f.numbers[bad * f.n + j];
        }
        assert_close(sum + pivot, f.dense.diagonal[bad], 1e-13, 1e-13);
        drop(&f);
    }
    fixture f; /* semidefinite: a last pivot that is rounding is no pivot */
    double pivot = 0.0;
    make(&f, 2);
    memcpy(f.numbers, (double[]){4.0, 2.0, 2.0, 1.0 + 1e-16}, 4 * sizeof(double));
    lossi_dense_take(&f.dense);
    assert_int_equal(lossi_dense_cholesky(&f.dense, 0.0, DBL_EPSILON, &pivot), 1);
    f.dense.diagonal[0] = (double)NAN;
    assert_int_equal(lossi_dense_cholesky(&f.dense, 0.0, DBL_EPSILON, &pivot), 0);
    drop(&f);
}

static void products_and_norms(void **unused)
{
    (void)unused;
    for (int s = 0; s < SIZES; s++) {
        fixture f;
        make(&f, sizes[s]);
        fill(&f, mixed, 3);
        lossi_dense_symv(&f.dense, f.x, f.y);
        for (int64_t i = 0; i < f.n; i++) {
            double sum = 0.0;
            for (int64_t j = 0; j < f.n; j++) {
                sum += f.a[i * f.n + j] * f.x[j];
            }
            assert_close(f.y[i], sum, 0.0, 1e-12);
        }
        drop(&f);
    }
    fixture f;
    make(&f, 3);
    assert_close(lossi_dense_norm(&f.dense, (double[]){3e200, -4e200, 0.0}), 5e200, 1e-15, 0.0);
    assert_close(lossi_dense_norm(&f.dense, (double[]){3e-200, 0.0, -4e-200}), 5e-200, 1e-15, 0.0);
    assert_close(lossi_dense_norm(&f.dense, (double[]){0.0, 0.0, 0.0}), 0.0, 0.0, 0.0);
    assert_true(isnan(lossi_dense_norm(&f.dense, (double[]){1.0, (double)NAN, 2.0})));
    drop(&f);
}

/* The symmetric part of what was told is what counts. */
static void halves_are_averaged(void **unused)
{
    fixture f;
    (void)unused;
    make(&f, 2);
    memcpy(f.numbers, (double[]){4.5, 1.0, 2.0, 7.25}, 4 * sizeof(double));
    lossi_dense_take(&f.dense);
    lossi_dense_symv(&f.dense, (double[]){1.0, 10.0}, f.y);
    assert_true(f.y[0] == 4.5 + 15.0 && f.y[1] == 1.5 + 72.5);
    drop(&f);
}

/* As many negative eigenvalues as were put in; a direction with the curvature it says; definite where A is. */
static void ldl_knows_the_inertia(void **unused)
{
    (void)unused;
    for (int s = 0; s < 2 * SIZES; s++) {
        int64_t negative = 0;
        fixture f;
        make(&f, sizes[s / 2]);
        fill(&f, s % 2 == 0 ? mixed : positive, 31 + (uint64_t)s);
        lossi_inertia inertia = lossi_dense_ldl(&f.dense, DBL_EPSILON);
        for (int64_t i = 0; i < f.n; i++) {
            negative += s % 2 == 0 && i % 3 == 1;
        }
        assert_int_equal(inertia.negative, negative);
        memcpy(f.y, f.x, (size_t)f.n * sizeof(double));
        lossi_dense_ldl_solve(&f.dense, f.y);
        if (negative == 0) {
            assert_solved(&f, 0.0);
        } else {
            double along = 0.0, *z = f.dense.work[1];
            for (int64_t i = 0; i < f.n; i++) {
                along += f.x[i] * f.y[i];
            }
            assert_true(along > 0.0);
            lossi_dense_negative(&f.dense, &inertia, f.x);
            lossi_dense_symv(&f.dense, f.x, z);
            along = 0.0;
            for (int64_t i = 0; i < f.n; i++) {
                along += f.x[i] * z[i];
            }
            assert_true(inertia.least < 0.0);
            assert_close(along, inertia.least, 1e-11, 0.0);
        }
        drop(&f);
    }
}

/* Two by two, by hand: eigenvalues 5 and −3 count as 5 and 3; zeros get the floor; a zero matrix is the identity. */
static void ldl_takes_sizes(void **unused)
{
    static const struct {
        double a[4], b[2], x[2];
        int64_t negative;
    } cases[] = {
        {{1.0, 4.0, 4.0, 1.0}, {2.0, 0.0}, {1.0 / 5 + 1.0 / 3, 1.0 / 5 - 1.0 / 3}, 1},
        {{0.0, 2.5, 2.5, 0.0}, {1.0, -3.0}, {0.4, -1.2}, 1},
        {{-8.0, 0.0, 0.0, 0.5}, {2.0, 3.0}, {0.25, 6.0}, 1},
        {{-2.0, 0.0, 0.0, -0.25}, {1.0, 1.0}, {0.5, 4.0}, 2},
        {{4.0, 0.0, 0.0, 0.0}, {1.0, 0x1p-30}, {0.25, 0x1p-6}, 0},
        {{0.0, 0.0, 0.0, 0.0}, {1.5, -2.5}, {1.5, -2.5}, 0},
    };
    fixture f;
    (void)unused;
    make(&f, 2);
    for (size_t i = 0; i < 2 * (sizeof cases / sizeof cases[0]); i++) {
        const double scale = i % 2 == 0 ? 1.0 : 0x1p500; /* of the matrix */
        for (int k = 0; k < 4; k++) {
            f.numbers[k] = cases[i / 2].a[k] * scale;
        }
        lossi_dense_take(&f.dense);
        memcpy(f.x, cases[i / 2].b, sizeof cases[0].b);
        assert_int_equal(lossi_dense_ldl(&f.dense, DBL_EPSILON).negative, cases[i / 2].negative);
        lossi_dense_ldl_solve(&f.dense, f.x);
        const double factor = cases[i / 2].a[0] == 0.0 && cases[i / 2].a[1] == 0.0 ? 1.0 : scale;
        assert_close(f.x[0] * factor, cases[i / 2].x[0], 1e-15, 0.0);
        assert_close(f.x[1] * factor, cases[i / 2].x[1], 1e-15, 0.0);
    }
    drop(&f);
}

/*
 * (0 B; Bᵀ 0) has no pivot of one row, and as many negative eigenvalues as rows of B: pivots of two rows over the ends of
 * panels, brought from afar where rows of B are of different sizes.
 */
static void ldl_pivots_by_twos(void **unused)
{
    static const int64_t halves[] = {1, 5, 15, 16, 17, 33, 150};
    (void)unused;
    for (int s = 0; s < 2 * (int)(sizeof halves / sizeof halves[0]); s++) {
        int64_t half = halves[s / 2], n = 2 * half;
        uint64_t random = 12345 + (uint64_t)s;
        double along = 0.0;
        fixture f;
        make(&f, n);
        memset(f.numbers, 0, (size_t)(n * n) * sizeof(double));
        for (int64_t i = 0; i < half; i++) {
            const double size = s % 2 == 0 ? 1.0 : ldexp(1.0, (int)(i % 7) - 3);
            for (int64_t j = 0; j < half; j++) {
                random = random * 6364136223846793005u + 1442695040888963407u;
                const double b = size *
                                 ((double)(int64_t)(random >> 11) * 0x1p-52 - 1.0 + (i == j ? 4.0 : 0.0));
                f.numbers[i * n + half + j] = f.numbers[(half + j) * n + i] = b;
            }
        }
        lossi_dense_take(&f.dense);
        lossi_inertia inertia = lossi_dense_ldl(&f.dense, DBL_EPSILON);
        assert_int_equal(inertia.negative, half);
        lossi_dense_negative(&f.dense, &inertia, f.x);
        lossi_dense_symv(&f.dense, f.x, f.dense.work[1]);
        for (int64_t i = 0; i < n; i++) {
            along += f.x[i] * f.dense.work[1][i];
        }
        assert_close(along, inertia.least, 1e-10, 0.0);
        drop(&f);
    }
}

/* What is no number has no pivots, but ends. */
static void ldl_survives_what_is_no_number(void **unused)
{
    (void)unused;
    for (int64_t n = 1; n < 40; n += 19) {
        fixture f;
        make(&f, n);
        for (int64_t i = 0; i < n * n; i++) {
            f.numbers[i] = (double)NAN;
        }
        lossi_dense_take(&f.dense);
        lossi_dense_ldl(&f.dense, DBL_EPSILON);
        assert_true(f.dense.order[n - 1] == n - 1);
        drop(&f);
    }
}

/* One thread or four, whatever the instruction set: the same factors to the bit. */
static void the_same_bits_everywhere(void **unused)
{
    double *expected = NULL, pivot = 0.0;
    fixture f;
    (void)unused;
    make(&f, 333);
    expected = numbers_create(2 * f.n * f.n + f.n);
    for (int32_t isa = 0; isa < loss_context_isa_count(f.context); isa++) {
        for (int64_t threads = 1; threads <= 4; threads += 3) {
            size_t size = (size_t)(f.n * f.n) * sizeof(double);
            assert_int_equal(loss_context_set_string(f.context, "isa", loss_context_isa_name(f.context, isa)),
                             LOSS_OK);
            assert_int_equal(loss_context_set_int(f.context, "threads", threads), LOSS_OK);
            f.dense = lossi_dense_at(f.context, f.n, f.numbers, f.order);
            fill(&f, positive, 41);
            assert_int_equal(lossi_dense_cholesky(&f.dense, 0.0, DBL_EPSILON, &pivot), f.n);
            lossi_dense_solve_lower(&f.dense, f.n, f.x);
            lossi_dense_solve_upper(&f.dense, f.n, f.x);
            if (isa == 0 && threads == 1) {
                memcpy(expected, f.numbers, size);
                memcpy(expected + 2 * f.n * f.n, f.x, (size_t)f.n * sizeof(double));
            }
            assert_memory_equal(f.numbers, expected, size);
            assert_memory_equal(f.x, expected + 2 * f.n * f.n, (size_t)f.n * sizeof(double));
            fill(&f, mixed, 41);
            lossi_dense_ldl(&f.dense, DBL_EPSILON);
            if (isa == 0 && threads == 1) {
                memcpy(expected + f.n * f.n, f.numbers, size);
            }
            assert_memory_equal(f.numbers, expected + f.n * f.n, size);
        }
    }
    free(expected);
    drop(&f);
}

/* Dimensions whose square no count holds are refused before anything is counted. */
static void too_large_is_said(void **unused)
{
    fixture f;
    (void)unused;
    make(&f, 1);
    assert_int_equal(lossi_dense_check(f.context, INT64_C(1) << 20), LOSS_OK);
    assert_int_equal(lossi_dense_check(f.context, INT64_C(1) << 40), LOSS_ERROR_MEMORY);
    assert_sentence(f.context, "a dense matrix");
    drop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cholesky_solves),
        cmocka_unit_test(the_factor_is_the_factor),
        cmocka_unit_test(cholesky_says_where_it_ends),
        cmocka_unit_test(products_and_norms),
        cmocka_unit_test(halves_are_averaged),
        cmocka_unit_test(ldl_knows_the_inertia),
        cmocka_unit_test(ldl_takes_sizes),
        cmocka_unit_test(ldl_pivots_by_twos),
        cmocka_unit_test(ldl_survives_what_is_no_number),
        cmocka_unit_test(the_same_bits_everywhere),
        cmocka_unit_test(too_large_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
