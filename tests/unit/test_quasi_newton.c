/*
 * The matrices of quasi-Newton methods against a second implementation: full matrices, textbook formulas, long
 * double; and the equations an update has to fulfil.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"

#include "optimizer/quasi_newton.h"

/* Numbers between −1 and 1, the same every time. */
static double next_number(uint64_t *word)
{
    *word = *word * 6364136223846793005u + 1442695040888963407u;
    return (double)(*word >> 11) * 0x1p-52 - 1.0;
}

static double *numbers(int64_t n, uint64_t seed)
{
    int64_t rows = lossi_dense_rows(n);
    double *v = calloc((size_t)rows, sizeof *v);
    assert_non_null(v);
    for (int64_t i = 0; i < n; i++) {
        v[i] = next_number(&seed);
    }
    return v;
}

static double *doubles(int64_t count)
{
    double *v = malloc((size_t)count * sizeof *v);
    assert_non_null(v);
    return v;
}

/* Element (i, j) of the packed half. */
static double at(const double *matrix, int64_t i, int64_t j)
{
    int64_t row = i > j ? i : j, column = i > j ? j : i, strip = row / LOSSI_STRIP;
    return matrix[lossi_strip_offset(strip) + row % LOSSI_STRIP * LOSSI_STRIP * (strip + 1) + column];
}

/* ---- the pass ---- */

static loss_context *context_with(const char *isa, int64_t threads)
{
    loss_context *context = NULL;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    assert_int_equal(loss_context_set_string(context, "isa", isa), LOSS_OK);
    assert_int_equal(loss_context_set_int(context, "threads", threads), LOSS_OK);
    return context;
}

static const double coefficients[] = {0.7, -1.1, 0.4};

/* Three changes and products, one after the other, of a matrix of n rows; the last product is left in product. */
static void three_passes(loss_context *context, int64_t n, double *matrix, double *product)
{
    double *scratch = doubles(lossi_dense_scratch(n));
    lossi_dense_set_diagonal(matrix, n, 1.3);
    for (uint64_t k = 0; k < 3; k++) {
        double *a = numbers(n, 11 + k), *b = numbers(n, 23 + k), *v = numbers(n, 37 + k);
        const lossi_rank_two change = {a, b, coefficients[0], coefficients[1], coefficients[2]};
        const lossi_dense_pass pass = {matrix, k == 1 ? NULL : &change, v};
        lossi_dense_run(context, &pass, n, product, scratch);
        free(a);
        free(b);
        free(v);
    }
    free(scratch);
}

/* Row i of the matrix after three_passes(), in long double. */
static void expected_row(int64_t n, int64_t i, double *const a[2], double *const b[2], long double *row)
{
    for (int64_t j = 0; j < n; j++) {
        row[j] = i == j ? 1.3L : 0.0L;
        for (int k = 0; k < 2; k++) {
            row[j] += (long double)coefficients[0] * a[k][i] * a[k][j] +
                      (long double)coefficients[1] *
                          ((long double)a[k][i] * b[k][j] + (long double)b[k][i] * a[k][j]) +
                      (long double)coefficients[2] * b[k][i] * b[k][j];
        }
    }
}

static const int64_t sizes[] = {1, 2, 7, 8, 9, 16, 31, 64, 130, 397, 594};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static void a_pass_changes_and_multiplies(void **unused)
{
    loss_context *context = context_with("base", 1);
    (void)unused;
    for (int s = 0; s < SIZES; s++) {
        int64_t n = sizes[s];
        double *matrix = doubles(lossi_dense_size(n)), *product = doubles(lossi_dense_rows(n));
        double *a[] = {numbers(n, 11), numbers(n, 13)}, *b[] = {numbers(n, 23), numbers(n, 25)};
        double *v = numbers(n, 39);
        long double *row = calloc((size_t)n, sizeof *row);
        assert_non_null(row);
        three_passes(context, n, matrix, product);
        for (int64_t i = 0; i < n; i++) {
            long double sum = 0.0L, size = 0.0L;
            expected_row(n, i, a, b, row);
            for (int64_t j = 0; j < n; j++) {
                assert_close(at(matrix, i, j), (double)row[j], 0.0, 16 * DBL_EPSILON);
                sum += row[j] * v[j];
                size += fabsl(row[j] * v[j]) + 16.0L * fabsl(v[j]);
            }
            assert_close(product[i], (double)sum, 0.0, (double)(16 * DBL_EPSILON * size));
        }
        free(matrix);
        free(product);
        free(row);
        free(v);
        for (int k = 0; k < 2; k++) {
            free(a[k]);
            free(b[k]);
        }
    }
    loss_context_free(context);
}

static void a_pass_has_the_same_bits_everywhere(void **unused)
{
    loss_context *all = context_with("base", 1);
    (void)unused;
    for (int s = 0; s < SIZES; s++) {
        int64_t n = sizes[s], rows = lossi_dense_rows(n), size = lossi_dense_size(n);
        double *expected = doubles(size), *expected_product = doubles(rows);
        double *matrix = doubles(size), *product = doubles(rows);
        three_passes(all, n, expected, expected_product);
        for (int32_t isa = 0; isa < loss_context_isa_count(all); isa++) {
            for (int64_t threads = 1; threads <= 4; threads += 3) {
                loss_context *context = context_with(loss_context_isa_name(all, isa), threads);
                three_passes(context, n, matrix, product);
                assert_same_bits(matrix, expected, LOSS_FLOAT64, size);
                assert_same_bits(product, expected_product, LOSS_FLOAT64, rows);
                loss_context_free(context);
            }
        }
        free(expected);
        free(expected_product);
        free(matrix);
        free(product);
    }
    loss_context_free(all);
}

static void what_fills_the_last_strip_stays_zero(void **unused)
{
    const int64_t n = 13, rows = lossi_dense_rows(n);
    loss_context *context = context_with("base", 1);
    double *matrix = doubles(lossi_dense_size(n)), *product = doubles(rows);
    (void)unused;
    three_passes(context, n, matrix, product);
    for (int64_t i = n; i < rows; i++) {
        assert_close(product[i], 0.0, 0.0, 0.0);
        for (int64_t j = 0; j <= i; j++) {
            assert_close(at(matrix, i, j), 0.0, 0.0, 0.0);
        }
    }
    free(matrix);
    free(product);
    loss_context_free(context);
}

/* H⁺y = s, whatever H; and rows of the inverse formula multiply out to it. */
static void updates_fulfil_the_secant_equation(void **unused)
{
    loss_context *context = context_with("base", 1);
    (void)unused;
    for (int s = 1; s < SIZES; s++) {
        for (int32_t formula = LOSSI_UPDATE_BFGS; formula <= LOSSI_UPDATE_DFP; formula++) {
            int64_t n = sizes[s], rows = lossi_dense_rows(n);
            double *matrix = doubles(lossi_dense_size(n)), *u = doubles(rows), *product = doubles(rows);
            double *scratch = doubles(lossi_dense_scratch(n)), *y = numbers(n, 5), *step = numbers(n, 6);
            double *a = numbers(n, 7);
            const lossi_rank_two lift = {a, a, 0.3, 0.0, 0.0};
            lossi_dense_set_diagonal(matrix, n, 0.9);
            lossi_dense_run(context, &(lossi_dense_pass){matrix, &lift, y}, n, u, scratch); /* u = Hy */
            for (int64_t i = 0; i < n; i++) {
                step[i] = 0.2 * step[i] + y[i]; /* so that sᵀy > 0 */
            }
            double sy = lossi_dense_dot(n, step, y), yu = lossi_dense_dot(n, y, u);
            lossi_rank_two_coefficients c = lossi_quasi_newton_coefficients(formula, sy, yu);
            const lossi_rank_two change = {step, u, c.ss, c.su, c.uu};
            lossi_dense_run(context, &(lossi_dense_pass){matrix, &change, y}, n, product, scratch);
            for (int64_t i = 0; i < n; i++) {
                assert_close(product[i], step[i], 0.0, 64 * DBL_EPSILON * (double)n);
            }
            free(matrix);
            free(u);
            free(product);
            free(scratch);
            free(y);
            free(step);
            free(a);
        }
    }
    loss_context_free(context);
}

static void too_large_a_matrix_is_refused(void **unused)
{
    static const char *const names[] = {"bfgs", "dfp", "sr1"};
    loss_context *context = context_with("base", 1);
    (void)unused;
    for (int i = 0; i < 3; i++) {
        for (int power = 31; power <= 61; power += 15) {
            const int64_t n = INT64_C(1) << power;
            loss_optimizer *optimizer = NULL;
            lossi_layout layout = {.pairs = 3};
            assert_int_equal(loss_optimizer_create(&optimizer, context, names[i], LOSS_FLOAT64, n), LOSS_OK);
            assert_int_equal(optimizer->row->layout(optimizer, &layout), LOSS_ERROR_MEMORY);
            assert_sentence(context, "matrix");
            loss_optimizer_free(optimizer);
        }
    }
    loss_context_free(context);
}

/* ---- a run beside its textbook ---- */

enum { N = 5 };
typedef struct point {
    double x[N], g[N], f;
} point;

/* Rosenbrock's function as a chain: Moré, Garbow & Hillstrom, ACM TOMS 7 (1981) 17–41, problem 1, with each pair of neighbours. */
static void evaluate(point *p)
{
    p->f = 0.0;
    memset(p->g, 0, sizeof p->g);
    for (int i = 0; i + 1 < N; i++) {
        double a = 1.0 - p->x[i], b = p->x[i + 1] - p->x[i] * p->x[i];
        p->f += a * a + 100.0 * b * b;
        p->g[i] += -2.0 * a - 400.0 * p->x[i] * b;
        p->g[i + 1] += 200.0 * b;
    }
}

typedef struct textbook {
    double h[N][N]; /* of the inverse Hessian, or, for SR1, of the Hessian */
    int known, changes, grown;
} textbook;

static double dot(const double *a, const double *b)
{
    double sum = 0.0;
    for (int i = 0; i < N; i++) {
        sum += a[i] * b[i];
    }
    return sum;
}

static void multiply(double h[N][N], const double *v, double *out)
{
    for (int i = 0; i < N; i++) {
        out[i] = dot(h[i], v);
    }
}

static void set_identity(double h[N][N], double scale)
{
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            h[i][j] = i == j ? scale : 0.0;
        }
    }
}

/* h⁻¹v by Gauss, without a choice of pivots: h is nearly definite. */
static void solve(double h[N][N], const double *v, double *out)
{
    double a[N][N];
    memcpy(a, h, sizeof a);
    memcpy(out, v, sizeof a[0]);
    for (int k = 0; k < N; k++) {
        for (int i = k + 1; i < N; i++) {
            double factor = a[i][k] / a[k][k];
            for (int j = k; j < N; j++) {
                a[i][j] -= factor * a[k][j];
            }
            out[i] -= factor * out[k];
        }
    }
    for (int i = N - 1; i >= 0; i--) {
        for (int j = i + 1; j < N; j++) {
            out[i] -= a[i][j] * out[j];
        }
        out[i] /= a[i][i];
    }
}

/* y moved towards Bs as Powell says, with B as the inverse of H. */
static void damp(textbook *book, double share, const double *s, double *y)
{
    double bs[N];
    solve(book->h, s, bs);
    double sbs = dot(s, bs), sy = dot(s, y);
    if (sy < share * sbs) {
        double theta = (1.0 - share) * sbs / (sbs - sy);
        for (int i = 0; i < N; i++) {
            y[i] = theta * y[i] + (1.0 - theta) * bs[i];
        }
    }
}

/* H too small along a step, while there are directions it has not learned. */
static void grow(textbook *book, const double *s, const double *y)
{
    double u[N];
    multiply(book->h, y, u);
    double times = sqrt(dot(s, y) / dot(y, u));
    if (times <= 1.0 || book->changes >= N - 1) {
        return;
    }
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            book->h[i][j] *= times;
        }
    }
    book->grown++;
}

/* (I − ρsyᵀ)H(I − ρysᵀ) + ρssᵀ, multiplied out as it stands, or H + ssᵀ/sᵀy − uuᵀ/yᵀu. */
static void learn(textbook *book, const char *name, double share, const double *s, double *y)
{
    double u[N], left[N][N], half[N][N];
    if (book->known && share > 0.0) {
        damp(book, share, s, y);
    }
    double sy = dot(s, y), rho = 1.0 / sy;
    if (sy <= 0.0) {
        return;
    }
    if (!book->known) {
        set_identity(book->h, sy / dot(y, y));
        book->known = 1;
        book->changes = 0;
    } else if (strcmp(name, "bfgs") == 0) {
        grow(book, s, y);
    }
    book->changes++;
    multiply(book->h, y, u);
    double yu = dot(y, u);
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            left[i][j] = (i == j ? 1.0 : 0.0) - rho * s[i] * y[j];
        }
    }
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            half[i][j] = 0.0;
            for (int k = 0; k < N; k++) {
                half[i][j] += left[i][k] * book->h[k][j];
            }
        }
    }
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            double bfgs = dot(half[i], left[j]) + rho * s[i] * s[j];
            double dfp = book->h[i][j] + s[i] * s[j] / sy - u[i] * u[j] / yu;
            book->h[i][j] = strcmp(name, "dfp") == 0 ? dfp : bfgs;
        }
    }
}

/* A run that is told Rosenbrock's function; after() sees every point told. */
typedef struct follower {
    loss_context *context;
    loss_optimizer *optimizer;
    textbook book;
    const char *name;
    double share;
    point at, told;
    int64_t iterations, restarts;
    int fresh, compared,
        pushed; /* the next trial is the first along a direction; directions compared; see push() */
} follower;

static int64_t counter(const follower *f, const char *name)
{
    int64_t value = -1;
    assert_int_equal(loss_optimizer_get_int(f->optimizer, name, &value), LOSS_OK);
    return value;
}

static follower follow(const char *name, const char *search, double share)
{
    follower f = {.name = name, .share = share, .context = context_with("base", 1)};
    const double x0[N] = {-1.2, 1.0, 0.7, -0.4, 1.6};
    assert_status(f.context, loss_optimizer_create(&f.optimizer, f.context, name, LOSS_FLOAT64, N), LOSS_OK);
    assert_int_equal(loss_optimizer_set_double(f.optimizer, "gradient_tolerance", 1e-8), LOSS_OK);
    if (search != NULL) {
        assert_int_equal(loss_optimizer_set_string(f.optimizer, "line_search", search), LOSS_OK);
    }
    if (share > 0.0) {
        assert_int_equal(loss_optimizer_set_double(f.optimizer, "damping", share), LOSS_OK);
    }
    assert_int_equal(loss_optimizer_start(f.optimizer, x0), LOSS_OK);
    return f;
}

/* The next point asked for, evaluated; 0 at the end. */
static int asked(follower *f)
{
    const double *x = NULL;
    int32_t request = 0;
    assert_int_equal(loss_optimizer_ask(f->optimizer, &request), LOSS_OK);
    if (request == LOSS_REQUEST_DONE) {
        return 0;
    }
    assert_int_equal(request, LOSS_REQUEST_VALUE_AND_GRADIENT);
    assert_int_equal(loss_optimizer_get_pointer(f->optimizer, "x", (const void **)&x), LOSS_OK);
    memcpy(f->told.x, x, sizeof f->told.x);
    evaluate(&f->told);
    return 1;
}

static void drop(follower *f)
{
    loss_status outcome = LOSS_OK;
    assert_int_equal(loss_optimizer_outcome(f->optimizer, &outcome), LOSS_OK);
    assert_int_equal(outcome, LOSS_STOP_GRADIENT);
    loss_optimizer_free(f->optimizer);
    loss_context_free(f->context);
}

static void difference(const follower *f, double *s, double *y)
{
    for (int i = 0; i < N; i++) {
        s[i] = f->told.x[i] - f->at.x[i];
        y[i] = f->told.g[i] - f->at.g[i];
    }
}

/* The first trial along a direction shows it: it has to be −H∇f. */
static void compare_direction(follower *f)
{
    double step = 0.0, expected[N], s[N], y[N];
    assert_int_equal(loss_optimizer_get_double(f->optimizer, "step", &step), LOSS_OK);
    difference(f, s, y);
    multiply(f->book.h, f->at.g, expected);
    double size = sqrt(dot(expected, expected));
    for (int i = 0; i < N; i++) {
        assert_close(s[i] / step, -expected[i], 0.0, 1e-6 * size + 1e-14);
    }
    f->compared++;
}

static void tell_and_learn(follower *f)
{
    assert_int_equal(loss_optimizer_tell_gradient(f->optimizer, f->told.f, f->told.g), LOSS_OK);
    f->fresh = counter(f, "iterations") > f->iterations;
    if (f->fresh) {
        double s[N], y[N];
        difference(f, s, y);
        learn(&f->book, f->name, f->share, s, y);
        f->at = f->told;
    }
    f->iterations = counter(f, "iterations");
    f->book.known = f->book.known && counter(f, "restarts") == f->restarts;
    f->restarts = counter(f, "restarts");
}

/* The same H as a matrix near the lower end of double, and a factor that the next growth takes over its limit. */
static void push(follower *f)
{
    lossi_quasi_newton *state = f->optimizer->state;
    lossi_dense_multiply(f->optimizer->doubles, N, state->factor * 0x1p-300);
    state->ss *= state->factor * 0x1p-300;
    state->su *= state->factor * 0x1p-300;
    state->factor = 0x1p300;
}

static void directions_are_those_of_the_textbook(void **unused)
{
    static const struct {
        const char *name, *search;
        double share;
        int least;
    } cases[] = {
        {"bfgs", "hager_zhang", 0.0, 30},  {"bfgs", "more_thuente", 0.0, 30},
        {"bfgs", "backtracking", 0.0, 30}, {"bfgs", "backtracking", 0.2, 30},
        {"bfgs", "backtracking", 0.8, 20}, {"dfp", "more_thuente", 0.0, 20},
    };
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        follower f = follow(cases[i].name, cases[i].search, cases[i].share);
        assert_int_equal(asked(&f), 1);
        f.at = f.told;
        assert_int_equal(loss_optimizer_tell_gradient(f.optimizer, f.told.f, f.told.g), LOSS_OK);
        while (asked(&f)) {
            if (f.fresh && f.book.known) {
                compare_direction(&f);
            }
            if (f.book.known && f.compared == 1 && strcmp(cases[i].name, "bfgs") == 0) {
                push(&f);
                f.pushed = 1;
            }
            tell_and_learn(&f);
        }
        assert_true(!f.pushed || ((lossi_quasi_newton *)f.optimizer->state)->factor < 0x1p300);
        assert_true(f.compared >= cases[i].least);
        assert_int_equal(f.book.grown > 0, strcmp(cases[i].name, "bfgs") == 0);
        drop(&f);
    }
}

/* ---- SR1: the matrix itself, from the inside ---- */

/* w = s − B⁻¹y is orthogonal to y. */
static int would_be_singular(textbook *book, const double *s, const double *y)
{
    double w[N];
    solve(book->h, y, w);
    for (int i = 0; i < N; i++) {
        w[i] = s[i] - w[i];
    }
    return fabs(dot(w, y)) <= 1e-8 * sqrt(dot(w, w) * dot(y, y));
}

static void sr1_learns_as_the_textbook_does(void **unused)
{
    follower f = follow("sr1", NULL, 0.0);
    int exponent = 0, scaled = 0, partly = 0;
    (void)unused;
    assert_int_equal(asked(&f), 1);
    f.at = f.told;
    double largest = 0.0;
    for (int i = 0; i < N; i++) {
        largest = fmax(largest, fabs(f.at.g[i]));
    }
    frexp(largest, &exponent);
    assert_int_equal(loss_optimizer_tell_gradient(f.optimizer, f.told.f, f.told.g), LOSS_OK);
    while (asked(&f)) {
        double s[N], y[N], r[N], bs[N], size = 0.0;
        for (int i = 0; i < N; i++) { /* the matrix is that of f times a power of two */
            for (int j = 0; j < N; j++) {
                double b = ldexp(at(f.optimizer->doubles, i, j), exponent);
                if (f.compared == 0) {
                    f.book.h[i][j] = b;
                }
                size = fmax(size, fabs(f.book.h[i][j]));
                assert_close(b, f.book.h[i][j], 0.0, 1e-7 * size);
            }
        }
        f.compared++;
        difference(&f, s, y);
        if (!scaled && dot(s, y) > 0.0) {
            set_identity(f.book.h, dot(y, y) / dot(s, y));
            scaled = 1;
        }
        multiply(f.book.h, s, bs);
        for (int i = 0; i < N; i++) {
            r[i] = y[i] - bs[i];
        }
        if (fabs(dot(r, s)) > 1e-8 * sqrt(dot(r, r) * dot(s, s))) {
            double theta = would_be_singular(&f.book, s, y) ? 0.9 : 1.0;
            for (int i = 0; i < N; i++) {
                for (int j = 0; j < N; j++) {
                    f.book.h[i][j] += theta * r[i] * r[j] / dot(r, s);
                }
            }
            multiply(f.book.h, s, bs); /* B⁺s = y */
            for (int i = 0; i < N; i++) {
                assert_close(bs[i], y[i] - (1.0 - theta) * r[i], 0.0, 1e-9 * sqrt(dot(y, y)));
            }
            partly += theta < 1.0;
        }
        assert_int_equal(loss_optimizer_tell_gradient(f.optimizer, f.told.f, f.told.g), LOSS_OK);
        if (counter(&f, "iterations") > f.iterations) {
            f.iterations = counter(&f, "iterations");
            f.at = f.told;
        }
    }
    assert_true(f.compared > 30);
    assert_int_equal(partly, 1); /* the first: B had its size from the same s and y */
    drop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pass_changes_and_multiplies),
        cmocka_unit_test(a_pass_has_the_same_bits_everywhere),
        cmocka_unit_test(what_fills_the_last_strip_stays_zero),
        cmocka_unit_test(updates_fulfil_the_secant_equation),
        cmocka_unit_test(too_large_a_matrix_is_refused),
        cmocka_unit_test(directions_are_those_of_the_textbook),
        cmocka_unit_test(sr1_learns_as_the_textbook_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
