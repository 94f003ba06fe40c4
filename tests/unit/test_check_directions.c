/* The checks along random directions: of gradients, and of Hessian products. */
#include <math.h>
#include <string.h>

#include "check_directions.h"
#include "support/allocator.h"

static int32_t evaluate(void *user, int64_t n, const void *x, double *value, void *gradient)
{
    plan *p = user;
    double at[MOST], g[MOST];
    assert_in_range(n, 1, MOST);
    for (int64_t i = 0; i < n; i++) {
        at[i] = element(x, p->dtype, i);
    }
    p->calls++;
    *value = p->value(at, n, g) + p->offset + p->noise * (scatter(p->calls) - 0.5);
    for (int64_t i = 0; gradient != NULL && i < n; i++) {
        set_element(gradient, p->dtype, i, i == p->wrong ? -g[i] : p->factor * g[i]);
    }
    return p->status;
}

/* Σ exp(x_i / 2) + x_i x_{i+1} + ½ (1 + i mod 7) x_i² */
double chain(const double *x, int64_t n, double *gradient)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        const double a = (double)(1 + i % 7), next = i + 1 < n ? x[i + 1] : 0, last = i > 0 ? x[i - 1] : 0;
        sum += exp(x[i] / 2) + x[i] * next + a / 2 * x[i] * x[i];
        gradient[i] = exp(x[i] / 2) / 2 + next + last + a * x[i];
    }
    return sum;
}

int32_t chain_product(void *user, int64_t n, const void *x, const void *direction, void *product)
{
    const plan *p = user;
    for (int64_t i = 0; i < n; i++) {
        const double v = element(direction, p->dtype, i);
        double sum = (exp(element(x, p->dtype, i) / 2) / 4 + (double)(1 + i % 7)) * v;
        sum += i + 1 < n ? element(direction, p->dtype, i + 1) : 0;
        sum += i > 0 && p->product != PRODUCT_UNSYMMETRIC ? element(direction, p->dtype, i - 1) : 0;
        sum *= p->product == PRODUCT_ZERO ? 0 : p->product == PRODUCT_FACTOR ? 1.05 : 1;
        set_element(product, p->dtype, i, p->product == PRODUCT_ELEMENT && i == n / 2 ? -sum : sum);
    }
    return p->status;
}

/* Σ |x_i| + x_i²/4, and its square-like neighbour Σ x_i|x_i| whose gradient has the kink. */
static double kinked(const double *x, int64_t n, double *gradient)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += fabs(x[i]) + x[i] * x[i] / 4;
        gradient[i] = (x[i] > 0) - (x[i] < 0) + x[i] / 2;
    }
    return sum;
}

static double half_kinked(const double *x, int64_t n, double *gradient)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += x[i] * fabs(x[i]);
        gradient[i] = 2 * fabs(x[i]);
    }
    return sum;
}

static double linear(const double *x, int64_t n, double *gradient)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += (double)(i + 2) * x[i];
        gradient[i] = (double)(i + 2);
    }
    return sum;
}

/* At its minimum 0 the gradient is 0. */
static double bowl(const double *x, int64_t n, double *gradient)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += x[i] * x[i] * (1 + x[i]);
        gradient[i] = 2 * x[i] + 3 * x[i] * x[i];
    }
    return sum;
}

void make(fixture *f, loss_dtype dtype, int64_t n, const plan *p, loss_product_callback product,
          int32_t at_zero)
{
    f->p = *p;
    f->p.dtype = dtype;
    assert_int_equal(loss_context_create(&f->context), LOSS_OK);
    assert_status(
        f->context,
        loss_objective_create_callback(&f->objective, f->context, dtype, n, evaluate, product, &f->p),
        LOSS_OK);
    for (int64_t i = 0; i < n; i++) {
        set_element(f->x, dtype, i, at_zero ? 0 : 3 * scatter(i) - 1.3);
    }
}

void unmake(fixture *f)
{
    loss_objective_free(f->objective);
    loss_context_free(f->context);
}

static double number(const fixture *f, const char *name)
{
    double value = 777;
    assert_status(f->context, loss_objective_get_double(f->objective, name, &value), LOSS_OK);
    return value;
}

static int64_t integer(const fixture *f, const char *name)
{
    int64_t value = 777;
    assert_status(f->context, loss_objective_get_int(f->objective, name, &value), LOSS_OK);
    return value;
}

/* ---- gradients ---- */

static const loss_dtype dtypes[] = {LOSS_FLOAT64, LOSS_FLOAT32};

static const struct {
    plan p;
    int32_t at_zero, verdict;
    double slope; /* 0: none is seen */
    const char *words;
} gradient_cases[] = {
    {{.value = chain, .wrong = -1, .factor = 1}, 0, LOSS_CHECK_OK, 2, NULL},
    {{.value = chain, .wrong = 0, .factor = 1}, 0, LOSS_CHECK_WRONG, 1, "the derivative along direction"},
    {{.value = chain, .wrong = -1, .factor = 1.01}, 0, LOSS_CHECK_WRONG, -1, "differences of values say"},
    {{.value = chain, .wrong = -1, .factor = -1}, 0, LOSS_CHECK_WRONG, 1, "the derivative along direction"},
    {{.value = kinked, .wrong = -1, .factor = 1}, 1, LOSS_CHECK_KINK, 1, "there is a kink along direction"},
    {{.value = linear, .wrong = -1, .factor = 1}, 0, LOSS_CHECK_OK, 0, NULL},
    {{.value = chain, .wrong = -1, .factor = NAN}, 0, LOSS_CHECK_WRONG, -1, "differences of values say"},
    {{.value = linear, .wrong = 0, .factor = 1}, 0, LOSS_CHECK_WRONG, 1, NULL},
    {{.value = bowl, .wrong = -1, .factor = 1}, 1, LOSS_CHECK_OK, 2, NULL},
    {{.value = chain, .wrong = -1, .factor = 1, .noise = 1e4},
     0,
     LOSS_CHECK_INCONCLUSIVE,
     0,
     "too noisy along direction"},
    {{.value = chain, .wrong = -1, .factor = 1, .offset = 1e9}, 0, LOSS_CHECK_OK, -1, NULL},
    {{.value = chain, .wrong = -1, .factor = -1, .offset = 1e9}, 0, LOSS_CHECK_WRONG, -1, NULL},
};

static void gradients(void **state)
{
    static const int64_t lengths[] = {1, 7, MOST};
    enum { DIRECTIONS = 4 };
    (void)state;
    for (size_t c = 0; c < sizeof gradient_cases / sizeof *gradient_cases; c++) {
        for (int run = 0; run < 6; run++) {
            const int64_t n = lengths[run / 2];
            int32_t verdict = 0;
            fixture f;
            double before[MOST];
            make(&f, dtypes[run % 2], n, &gradient_cases[c].p, NULL, gradient_cases[c].at_zero);
            memcpy(before, f.x, sizeof before);
            assert_int_equal(integer(&f, "check_direction"), -1);
            assert_true(isnan(number(&f, "check_slope")));
            assert_status(f.context,
                          loss_objective_check_directions(f.objective, f.x, DIRECTIONS, 5, &verdict),
                          LOSS_OK);
            const double slope = number(&f, "check_slope");
            const double wanted = gradient_cases[c].slope;
            if (verdict != gradient_cases[c].verdict || (wanted > 0 && !(fabs(slope - wanted) < 0.35))) {
                print_error("case %d, n = %d, %s: verdict %d, slope %g: %s\n", (int)c, (int)n,
                            loss_dtype_name(dtypes[run % 2]), verdict, slope, loss_context_error(f.context));
            }
            assert_int_equal(verdict, gradient_cases[c].verdict);
            assert_true(wanted <= 0 || fabs(slope - wanted) < 0.35);
            assert_true(wanted != 0 || isnan(slope));
            assert_memory_equal(f.x, before, sizeof before);
            assert_in_range(integer(&f, "check_direction"), 0, DIRECTIONS - 1);
            assert_int_equal(integer(&f, "check_index"), -1);
            const double apart = fabs(number(&f, "check_derivative") - number(&f, "check_difference"));
            assert_true(!(apart <= number(&f, "check_error")) ==
                        (verdict == LOSS_CHECK_WRONG || isnan(number(&f, "check_error"))));
            if (gradient_cases[c].words != NULL) {
                assert_sentence(f.context, gradient_cases[c].words);
            }
            unmake(&f);
        }
    }
}

/* Any one of a thousand derivatives is seen by four directions, which a check of 256 of them misses three times in four. */
static void any_parameter(void **state)
{
    (void)state;
    for (int64_t wrong = 3; wrong < MOST; wrong += 111) {
        const plan p = {.value = chain, .wrong = wrong, .factor = 1};
        int32_t verdict = 0;
        fixture f;
        make(&f, LOSS_FLOAT64, MOST, &p, NULL, 0);
        assert_status(f.context, loss_objective_check_directions(f.objective, f.x, 4, 1, &verdict), LOSS_OK);
        assert_int_equal(verdict, LOSS_CHECK_WRONG);
        unmake(&f);
    }
}

/* Element i of direction k is the one that the header says: here seen as the derivative of Σ x_i·(i == which). */
static int64_t which;
static double one_of(const double *x, int64_t n, double *gradient)
{
    memset(gradient, 0, (size_t)n * sizeof *gradient);
    gradient[which] = 1;
    return x[which];
}

static void directions_as_said(void **state)
{
    enum { N = 11 };
    const plan p = {.value = one_of, .wrong = -1, .factor = 1};
    (void)state;
    for (which = 0; which < N; which++) {
        int32_t verdict = 0;
        int exponent;
        double u;
        fixture f;
        make(&f, LOSS_FLOAT64, N, &p, NULL, 0);
        f.x[3] = 5.5;
        assert_status(f.context, loss_objective_check_directions(f.objective, f.x, 1, 42, &verdict), LOSS_OK);
        loss_random_uniform(42, 2, which, 1, &u);
        frexp(fmax(fabs(f.x[which]), 1), &exponent);
        const double m = 8 + floor(32 * (u < 0.5 ? u : u - 0.5));
        const double v = (u < 0.5 ? -m : m) / 16 * ldexp(1, exponent - 1) / 4; /* ⌊½(1 + log2 11)⌋ = 2 */
        assert_true(number(&f, "check_derivative") == v);
        unmake(&f);
    }
}

/* ---- products ---- */

static const struct {
    plan p;
    int32_t given, at_zero, verdict;
    double slope; /* 0: none is looked for */
    const char *words;
} product_cases[] = {
    {{.value = chain, .wrong = -1, .factor = 1}, 1, 0, LOSS_CHECK_OK, 3, NULL},
    {{.value = chain, .wrong = -1, .factor = 1}, 0, 0, LOSS_CHECK_OK, 0, NULL},
    {{.value = chain, .wrong = -1, .factor = 1, .product = PRODUCT_ELEMENT},
     1,
     0,
     LOSS_CHECK_WRONG,
     0,
     "Hessian product with direction"},
    {{.value = chain, .wrong = -1, .factor = 1, .product = PRODUCT_FACTOR},
     1,
     0,
     LOSS_CHECK_WRONG,
     0,
     "differences of gradients say"},
    {{.value = chain, .wrong = -1, .factor = 1, .product = PRODUCT_ZERO}, 1, 0, LOSS_CHECK_WRONG, 2, NULL},
    {{.value = half_kinked, .wrong = -1, .factor = 1, .product = PRODUCT_ZERO},
     1,
     1,
     LOSS_CHECK_KINK,
     0,
     "a kink of the gradient along direction"},
    {{.value = linear, .wrong = -1, .factor = 1, .product = PRODUCT_ZERO}, 1, 0, LOSS_CHECK_OK, 0, NULL},
};

static void products(void **state)
{
    static const int64_t lengths[] = {1, 7, MOST};
    (void)state;
    for (size_t c = 0; c < sizeof product_cases / sizeof *product_cases; c++) {
        for (int run = 0; run < 6; run++) {
            const int64_t n = lengths[run / 2];
            int32_t verdict = 0;
            fixture f;
            make(&f, dtypes[run % 2], n, &product_cases[c].p, product_cases[c].given ? chain_product : NULL,
                 product_cases[c].at_zero);
            assert_status(f.context, loss_objective_check_product(f.objective, f.x, 2, 5, &verdict), LOSS_OK);
            const double slope = number(&f, "check_slope"), wanted = product_cases[c].slope;
            /* float32 parameters are moved by their rounding, which leaves few remainders of the third order */
            const int32_t seen = wanted == 0 || fabs(slope - wanted) < 0.35 || (run % 2 == 1 && isnan(slope));
            if (verdict != product_cases[c].verdict || !seen) {
                print_error("case %d, n = %d, %s: verdict %d, slope %g: %s\n", (int)c, (int)n,
                            loss_dtype_name(dtypes[run % 2]), verdict, slope, loss_context_error(f.context));
            }
            assert_int_equal(verdict, product_cases[c].verdict);
            assert_true(seen);
            assert_in_range(integer(&f, "check_direction"), 0, 1);
            if (product_cases[c].p.product == PRODUCT_ELEMENT && n <= 256) {
                assert_int_equal(integer(&f, "check_index"), n / 2);
            }
            if (product_cases[c].words != NULL) {
                assert_sentence(f.context, product_cases[c].words);
            }
            unmake(&f);
        }
    }
}

/*
 * Not symmetric, and still the derivative of what is handed out as the gradient: ∂_i of ½ Σ x_i² + Σ x_i x_{i+1} without the part
 * of the neighbour before. Only the symmetry gives it away.
 */
static double lopsided(const double *x, int64_t n, double *gradient)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        const double a = (double)(1 + i % 7), next = i + 1 < n ? x[i + 1] : 0;
        sum += exp(x[i] / 2) + a / 2 * x[i] * x[i] + x[i] * next;
        gradient[i] = exp(x[i] / 2) / 2 + a * x[i] + next;
    }
    return sum;
}

static void symmetry(void **state)
{
    const plan p = {.value = lopsided, .wrong = -1, .factor = 1, .product = PRODUCT_UNSYMMETRIC};
    (void)state;
    for (int run = 0; run < 4; run++) {
        int32_t verdict = 0;
        fixture f;
        make(&f, dtypes[run % 2], run < 2 ? 7 : MOST, &p, chain_product, 0);
        assert_status(f.context, loss_objective_check_product(f.objective, f.x, 1, 5, &verdict), LOSS_OK);
        assert_int_equal(verdict, LOSS_CHECK_WRONG);
        assert_sentence(f.context,
                        "the Hessian product is not symmetric: with the directions u = 0 and v = 1");
        assert_int_equal(integer(&f, "check_index"), -1);
        unmake(&f);
    }
}

/* Objectives of values alone: what the library's own differences make agrees with itself. */
static void values_alone(void **state)
{
    static const char *const methods[] = {"forward", "central", "ridders"};
    const plan p = {.value = chain, .wrong = -1, .factor = 1};
    (void)state;
    for (int c = 0; c < 3; c++) {
        int32_t verdict = 0;
        loss_difference *d;
        fixture f;
        make(&f, LOSS_FLOAT64, 7, &p, NULL, 0);
        assert_status(f.context, loss_difference_create(&d, f.context, methods[c], LOSS_FLOAT64, 7), LOSS_OK);
        assert_status(f.context, loss_objective_set_difference(f.objective, d), LOSS_OK);
        assert_status(f.context, loss_objective_check(f.objective, f.x, 3, &verdict), LOSS_OK);
        assert_int_equal(verdict, LOSS_CHECK_OK);
        assert_status(f.context, loss_objective_check_directions(f.objective, f.x, 3, 3, &verdict), LOSS_OK);
        assert_int_equal(verdict, LOSS_CHECK_OK);
        assert_status(f.context, loss_objective_check_product(f.objective, f.x, 3, 3, &verdict), LOSS_OK);
        if (verdict != LOSS_CHECK_OK) {
            print_error("%s: %s\n", methods[c], loss_context_error(f.context));
        }
        assert_int_equal(verdict, LOSS_CHECK_OK);
        loss_difference_free(d);
        unmake(&f);
    }
}

/* At a kink of f its gradient jumps, and differences of it, the library's own products too, are what the step makes them. */
static void products_at_a_kink(void **state)
{
    (void)state;
    for (int type = 0; type < 2; type++) {
        const plan p = {.value = kinked, .wrong = -1, .factor = 1};
        int32_t verdict = 0;
        fixture f;
        make(&f, dtypes[type], 4, &p, NULL, 1);
        assert_status(f.context, loss_objective_check_product(f.objective, f.x, 2, 3, &verdict), LOSS_OK);
        if (type == 0) {
            assert_int_equal(verdict, LOSS_CHECK_KINK);
            assert_sentence(f.context, "kink of the gradient");
        }
        assert_int_not_equal(verdict, LOSS_CHECK_WRONG);
        unmake(&f);
    }
}

/* ---- failures ---- */

typedef loss_status (*checking)(loss_objective *objective, const void *x, int64_t count, uint64_t seed,
                                int32_t *verdict);
static const checking checks[] = {loss_objective_check_directions, loss_objective_check_product};

static double infinite(const double *x, int64_t n, double *gradient)
{
    (void)x, (void)n;
    gradient[0] = 1;
    return INFINITY;
}

static void refused(void **state)
{
    (void)state;
    for (int c = 0; c < 2; c++) {
        const plan p = {.value = chain, .wrong = -1, .factor = 1};
        int32_t verdict = 777;
        fixture f;
        make(&f, LOSS_FLOAT64, 3, &p, chain_product, 0);
        assert_int_equal(checks[c](NULL, f.x, 1, 1, &verdict), LOSS_ERROR_ARGUMENT);
        assert_status(f.context, checks[c](f.objective, NULL, 1, 1, &verdict), LOSS_ERROR_ARGUMENT);
        assert_status(f.context, checks[c](f.objective, f.x, 1, 1, NULL), LOSS_ERROR_ARGUMENT);
        assert_status(f.context, checks[c](f.objective, f.x, 0, 1, &verdict), LOSS_ERROR_ARGUMENT);
        assert_sentence(f.context, "0 directions: from 1 to 2147483647 were expected");
        assert_status(f.context, checks[c](f.objective, f.x, INT64_C(2147483648), 1, &verdict),
                      LOSS_ERROR_ARGUMENT);
        assert_sentence(f.context, "2147483648 directions: from 1 to 2147483647 were expected");
        f.p.status = 3;
        assert_status(f.context, checks[c](f.objective, f.x, 1, 1, &verdict), LOSS_ERROR_CALLBACK);
        f.p.status = 0;
        f.p.value = infinite;
        assert_status(f.context, checks[c](f.objective, f.x, 1, 1, &verdict), LOSS_ERROR_NONFINITE);
        assert_int_equal(verdict, 777);
        assert_int_equal(integer(&f, "check_direction"), -1);
        unmake(&f);
    }
}

static void memory(void **state)
{
    const double x[2] = {1, 2};
    (void)state;
    for (int c = 0; c < 2; c++) {
        int32_t refused_one = 1;
        for (int64_t k = 1; refused_one; k++) {
            test_allocator allocator = {0};
            plan p = {.dtype = LOSS_FLOAT64, .value = chain, .wrong = -1, .factor = 1};
            int32_t verdict = 777;
            loss_context *context;
            loss_objective *objective;
            assert_int_equal(
                loss_context_create_with_allocator(&context, test_allocate, test_release, &allocator),
                LOSS_OK);
            assert_status(context,
                          loss_objective_create_callback(&objective, context, LOSS_FLOAT64, 2, evaluate,
                                                         chain_product, &p),
                          LOSS_OK);
            allocator.fail_at = allocator.calls + k;
            const loss_status status = checks[c](objective, x, 2, 1, &verdict);
            refused_one = allocator.failed > 0;
            assert_status(context, status, refused_one ? LOSS_ERROR_MEMORY : LOSS_OK);
            assert_int_equal(verdict, refused_one ? 777 : LOSS_CHECK_OK);
            loss_objective_free(objective);
            loss_context_free(context);
            assert_int_equal(allocator.live, 0);
        }
    }
}

/* What has no derivative in a penalty is no part of the gradient, and so no part of the values compared. */
static void penalties_without_derivatives(void **state)
{
    static const char *const names[] = {"l1", "elastic_net", "group_lasso", "box", "simplex", "l2"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        for (int32_t single = 0; single < 2; single++) {
            const plan p = {.value = chain, .wrong = -1, .factor = 1};
            int32_t verdicts[3] = {0};
            double value;
            fixture f;
            loss_penalty *penalty;
            make(&f, dtypes[single], 7, &p, chain_product, 0);
            assert_status(f.context, loss_penalty_create(&penalty, f.context, names[i]), LOSS_OK);
            assert_status(f.context, loss_objective_add_penalty(f.objective, penalty), LOSS_OK);
            loss_penalty_free(penalty);
            assert_status(f.context, loss_objective_check(f.objective, f.x, 5, &verdicts[0]), LOSS_OK);
            assert_status(f.context, loss_objective_check_directions(f.objective, f.x, 4, 5, &verdicts[1]),
                          LOSS_OK);
            assert_status(f.context, loss_objective_check_product(f.objective, f.x, 4, 5, &verdicts[2]),
                          LOSS_OK);
            for (int k = 0; k < 3; k++) {
                assert_int_equal(verdicts[k], LOSS_CHECK_OK);
            }
            /* and afterwards they count again */
            const loss_status status = loss_objective_evaluate(f.objective, f.x, &value, NULL);
            assert_true(strcmp(names[i], "simplex") != 0 || (status != LOSS_OK && isinf(value)));
            unmake(&f);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients),
        cmocka_unit_test(any_parameter),
        cmocka_unit_test(directions_as_said),
        cmocka_unit_test(products),
        cmocka_unit_test(symmetry),
        cmocka_unit_test(values_alone),
        cmocka_unit_test(in_a_corner),
        cmocka_unit_test(on_an_edge),
        cmocka_unit_test(refused),
        cmocka_unit_test(memory),
        cmocka_unit_test(penalties_without_derivatives),
        cmocka_unit_test(a_fixed_parameter),
        cmocka_unit_test(gradients_of_nan),
        cmocka_unit_test(steep_gradients),
        cmocka_unit_test(steep_differences),
        cmocka_unit_test(products_at_a_kink),
    };
    return cmocka_run_group_tests_name("check_directions", tests, NULL, NULL);
}
