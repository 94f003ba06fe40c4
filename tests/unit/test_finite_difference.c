/* Finite differences: accuracy, bounds, values that are not finite, questions and answers, and objectives of values alone. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "finite_difference.h"
#include "support/allocator.h"

static const loss_dtype dtypes[] = {LOSS_FLOAT64, LOSS_FLOAT32};
static const char *const methods[] = {"forward", "central", "ridders"};

static double unit_of(loss_dtype dtype)
{
    return dtype == LOSS_FLOAT32 ? FLT_EPSILON : DBL_EPSILON;
}

/* What a method promises, relative to the function and its derivatives: a few times ε^½, ε^⅔; Ridders says it himself. */
static double promised(int method, loss_dtype dtype)
{
    return method == 0 ? 4 * sqrt(unit_of(dtype)) : method == 1 ? 8 * pow(unit_of(dtype), 2 / 3.0) : 0;
}

/* ---- functions ---- */

double chain(const double *x, int64_t n, double *gradient)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += exp(x[i] / 2) + (double)(i + 1) / 2 * x[i] * x[i] + (i + 1 < n ? x[i] * x[i + 1] : 0);
        if (gradient != NULL) {
            gradient[i] = exp(x[i] / 2) / 2 + (double)(i + 1) * x[i] + (i + 1 < n ? x[i + 1] : 0) +
                          (i > 0 ? x[i - 1] : 0);
        }
    }
    return sum;
}

/* Element (i, j) of its Hessian. */
static double chain_hessian(const double *x, int64_t i, int64_t j)
{
    return i == j ? exp(x[i] / 2) / 4 + (double)(i + 1) : (double)(i - j == 1 || j - i == 1);
}

double rosenbrock(const double *x, int64_t n, double *gradient)
{
    double sum = 0;
    (void)gradient;
    for (int64_t i = 0; i + 1 < n; i += 2) {
        const double a = 1 - x[i], b = x[i + 1] - x[i] * x[i];
        sum += a * a + 100 * b * b;
    }
    return sum;
}

static double square_roots(const double *x, int64_t n, double *gradient)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += sqrt(x[i] - 1);
        gradient[i] = 0.5 / sqrt(x[i] - 1);
    }
    return sum;
}

/* ---- a function with a guard, as a machine and as an objective ---- */

/* The value at x as it is typed; never outside the bounds, never a gradient. */
static double guarded(guard *g, const void *x)
{
    double at[GUARD_MAX], unwanted[GUARD_MAX];
    assert_true(g->n <= GUARD_MAX);
    for (int64_t i = 0; i < g->n; i++) {
        at[i] = element(x, g->dtype, i);
        assert_true(g->lower == NULL || at[i] >= element(g->lower, g->dtype, i));
        assert_true(g->upper == NULL || at[i] <= element(g->upper, g->dtype, i));
    }
    g->calls++;
    return g->value(at, g->n, unwanted) + (g->noise > 0 ? g->noise * (scatter(g->calls) - 0.5) : 0);
}

int32_t guard_evaluate(void *user, int64_t n, const void *x, double *value, void *gradient)
{
    guard *g = user;
    assert_int_equal(n, g->n);
    assert_null(gradient);
    *value = guarded(g, x);
    return g->status;
}

void guard_answer(loss_context *context, loss_difference *d, guard *g)
{
    int32_t request = 0;
    const void *x;
    while (assert_status(context, loss_difference_ask(d, &request), LOSS_OK), request == LOSS_REQUEST_VALUE) {
        assert_status(context, loss_difference_get_pointer(d, "x", &x), LOSS_OK);
        assert_status(context, loss_difference_tell_value(d, guarded(g, x)), LOSS_OK);
    }
    assert_int_equal(request, LOSS_REQUEST_DONE);
}

/* ---- gradients ---- */

enum { N = 5 };

static const double points[][N] = {
    {0.3, -1.2, 2.385, 0.7, -0.4}, {0, -0.0, 0, 0, 0}, {30, -12, 2.385, 0, 1e-5}, {-0.3, 1e-9, 4, -8, 0.125}};

/* Rounds the point to the type, and returns the sum of what differences lose digits to: values and derivatives. */
static double take_point(loss_dtype dtype, const double *point, double *typed, double *exact)
{
    double x[N], scale = 0;
    for (int i = 0; i < N; i++) {
        set_element(typed, dtype, i, point[i]);
        x[i] = element(typed, dtype, i);
        scale = fmax(scale, chain_hessian(x, i, i) * fmax(fabs(x[i]), 1));
    }
    scale += fabs(chain(x, N, exact));
    for (int i = 0; i < N; i++) {
        scale = fmax(scale, fabs(exact[i]));
    }
    return scale;
}

static void gradient_of(loss_context *context, int method, loss_dtype dtype, const double *point)
{
    double typed[N], exact[N], value;
    const void *gradient, *error = NULL;
    int64_t evaluations;
    loss_difference *d;
    guard g = {.dtype = dtype, .n = N, .value = chain};
    const double scale = take_point(dtype, point, typed, exact);
    assert_status(context, loss_difference_create(&d, context, methods[method], dtype, N), LOSS_OK);
    assert_status(context, loss_difference_start(d, typed), LOSS_OK);
    guard_answer(context, d, &g);
    assert_status(context, loss_difference_get_pointer(d, "gradient", &gradient), LOSS_OK);
    if (method == 2) {
        assert_status(context, loss_difference_get_pointer(d, "error", &error), LOSS_OK);
    }
    for (int i = 0; i < N; i++) {
        const double bar = error == NULL
                               ? promised(method, dtype) * scale
                               : 4 * element(error, LOSS_FLOAT64, i) + unit_of(dtype) * fabs(exact[i]);
        assert_close(element(gradient, dtype, i), exact[i], 0, bar);
        assert_true(method != 2 || bar < promised(1, dtype) * scale); /* a bar that says something */
    }
    assert_status(context, loss_difference_get_int(d, "evaluations", &evaluations), LOSS_OK);
    assert_int_equal(evaluations, g.calls);
    assert_true(method == 2 ? evaluations >= 1 + 8 * N && evaluations <= 1 + 24 * N
                            : evaluations == 1 + (method + 1) * N);
    assert_status(context, loss_difference_get_double(d, "value", &value), LOSS_OK);
    for (int i = 0; i < N; i++) {
        exact[i] = element(typed, dtype, i);
    }
    assert_true(value == chain(exact, N, NULL));
    loss_difference_free(d);
}

static void gradients(void **state)
{
    (void)state;
    for (int method = 0; method < 3; method++) {
        for (int type = 0; type < 2; type++) {
            for (size_t p = 0; p < sizeof points / sizeof *points; p++) {
                loss_context *context;
                assert_int_equal(loss_context_create(&context), LOSS_OK);
                gradient_of(context, method, dtypes[type], points[p]);
                loss_context_free(context);
            }
        }
    }
}

/* x in a corner, near a bound by less than a step, between two bounds, between bounds less than a step apart, and fixed. */
static void bounds(void **state)
{
    const double x[N] = {0.3, 1.2, 2.385 - 1e-9, 0.7, -0.4};
    const double lower[N] = {0.3, -INFINITY, -7, 0.7 - 1e-10, -0.4},
                 upper[N] = {5, 1.2, 2.385, 0.7 + 3e-10, -0.4};
    (void)state;
    for (int method = 0; method < 3; method++) {
        double exact[N], scale;
        const void *gradient, *error;
        loss_context *context;
        loss_difference *d;
        guard g = {.dtype = LOSS_FLOAT64, .n = N, .value = chain, .lower = lower, .upper = upper};
        assert_int_equal(loss_context_create(&context), LOSS_OK);
        assert_status(context, loss_difference_create(&d, context, methods[method], LOSS_FLOAT64, N),
                      LOSS_OK);
        assert_status(context, loss_difference_set_array(d, "lower_bounds", lower, LOSS_FLOAT64, N), LOSS_OK);
        assert_status(context, loss_difference_set_array(d, "upper_bounds", upper, LOSS_FLOAT64, N), LOSS_OK);
        assert_status(context, loss_difference_start(d, x), LOSS_OK);
        guard_answer(context, d, &g);
        assert_status(context, loss_difference_get_pointer(d, "gradient", &gradient), LOSS_OK);
        scale = fabs(chain(x, N, exact)) + 10;
        for (int i = 0; i < N - 1;
             i++) { /* the one with hardly any room: as good as ε over the room allows */
            const double bar = i == 3 ? 16 * DBL_EPSILON * scale / 1e-10
                                      : fmax(promised(method, LOSS_FLOAT64), 1e-10) * scale;
            assert_close(element(gradient, LOSS_FLOAT64, i), exact[i], 0, bar);
        }
        assert_true(element(gradient, LOSS_FLOAT64, N - 1) == 0);
        assert_status(context, loss_difference_get_pointer(d, "error", &error),
                      method == 2 ? LOSS_OK : LOSS_ERROR_SUPPORT);
        assert_true(method != 2 || element(error, LOSS_FLOAT64, N - 1) == 0);
        loss_difference_free(d);
        loss_context_free(context);
    }
}

/* Bounds as float32 has them: a bound like 0.1 is itself allowed. */
static void bounds_of_floats(void **state)
{
    const float x[2] = {0.1F, 0.1F}, lower[2] = {0.1F, -1}, upper[2] = {2, 0.1F};
    const double low[2] = {0.1, -1}, high[2] = {2, 0.1};
    loss_context *context;
    (void)state;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    for (int method = 0; method < 3; method++) {
        loss_difference *d;
        guard g = {.dtype = LOSS_FLOAT32, .n = 2, .value = chain, .lower = lower, .upper = upper};
        assert_status(context, loss_difference_create(&d, context, methods[method], LOSS_FLOAT32, 2),
                      LOSS_OK);
        assert_status(context, loss_difference_set_array(d, "lower_bounds", low, LOSS_FLOAT64, 2), LOSS_OK);
        assert_status(context, loss_difference_set_array(d, "upper_bounds", high, LOSS_FLOAT64, 2), LOSS_OK);
        assert_status(context, loss_difference_start(d, x), LOSS_OK);
        guard_answer(context, d, &g);
        assert_status(context, loss_difference_start_product(d, x, upper), LOSS_OK);
        guard_answer(context, d, &g);
        loss_difference_free(d);
    }
    loss_context_free(context);
}

/* √(x − 1) where the step would leave what there is, and where there is nothing on either side. */
static void values_that_are_not_finite(void **state)
{
    const double cases[] = {1 + 1e-9, 1 + 1e-6, 1.004, 3};
    loss_context *context;
    (void)state;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    for (int method = 0; method < 3; method++) {
        for (int c = 0; c < 4; c++) {
            double exact[1];
            const void *gradient;
            loss_difference *d;
            guard g = {.dtype = LOSS_FLOAT64, .n = 1, .value = square_roots};
            assert_status(context, loss_difference_create(&d, context, methods[method], LOSS_FLOAT64, 1),
                          LOSS_OK);
            assert_status(context, loss_difference_set_double(d, "typical", 1e-3), LOSS_OK);
            assert_status(context, loss_difference_start(d, &cases[c]), LOSS_OK);
            guard_answer(context, d, &g);
            assert_status(context, loss_difference_get_pointer(d, "gradient", &gradient), LOSS_OK);
            square_roots(&cases[c], 1, exact);
            assert_true(isfinite(element(gradient, LOSS_FLOAT64, 0)));
            if (c >= 2) { /* where the function is smooth on the scale of the step */
                assert_close(element(gradient, LOSS_FLOAT64, 0), exact[0], 1e-5, 0);
            }
            const double nowhere = 0.5; /* the square root of a negative number */
            assert_status(context, loss_difference_start(d, &nowhere), LOSS_OK);
            guard_answer(context, d, &g);
            assert_status(context, loss_difference_get_pointer(d, "gradient", &gradient), LOSS_OK);
            assert_true(isnan(element(gradient, LOSS_FLOAT64, 0)));
            loss_difference_free(d);
        }
    }
    loss_context_free(context);
}

/* Values good to six digits: default steps drown in their noise, those of the right precision do not. */
static void noise(void **state)
{
    const double x[N] = {0.3, -1.2, 2.385, 0.7, -0.4};
    loss_context *context;
    (void)state;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    for (int method = 0; method < 3; method++) {
        double worst[2] = {0, 0}, exact[N];
        const double size = fabs(chain(x, N, exact));
        for (int told = 0; told < 2; told++) {
            const void *gradient;
            loss_difference *d;
            guard g = {.dtype = LOSS_FLOAT64, .n = N, .value = chain, .noise = 1e-6 * size};
            assert_status(context, loss_difference_create(&d, context, methods[method], LOSS_FLOAT64, N),
                          LOSS_OK);
            assert_status(context, loss_difference_set_double(d, "function_precision", told ? 1e-6 : 0),
                          LOSS_OK);
            assert_status(context, loss_difference_start(d, x), LOSS_OK);
            guard_answer(context, d, &g);
            assert_status(context, loss_difference_get_pointer(d, "gradient", &gradient), LOSS_OK);
            for (int i = 0; i < N; i++) {
                worst[told] = fmax(worst[told], fabs(element(gradient, LOSS_FLOAT64, i) - exact[i]));
            }
            loss_difference_free(d);
        }
        assert_true(worst[1] < 2e-2 * size);
        assert_true(worst[1] < 0.1 * worst[0] || method == 2); /* Ridders starts wide, told or not */
    }
    loss_context_free(context);
}

/* Parameters in float32, values in double, and said so: steps of a few units of x, and all digits that float32 has. */
static void values_in_double(void **state)
{
    loss_context *context;
    (void)state;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    for (int method = 0; method < 3; method++) {
        double worst[2] = {0, 0}, typed[N], exact[N];
        const double scale = take_point(LOSS_FLOAT32, points[0], typed, exact);
        for (int told = 0; told < 2; told++) {
            const void *gradient;
            loss_difference *d;
            guard g = {.dtype = LOSS_FLOAT32, .n = N, .value = chain};
            assert_status(context, loss_difference_create(&d, context, methods[method], LOSS_FLOAT32, N),
                          LOSS_OK);
            assert_status(context, loss_difference_set_double(d, "function_precision", told ? 1e-16 : 0),
                          LOSS_OK);
            assert_status(context, loss_difference_start(d, typed), LOSS_OK);
            guard_answer(context, d, &g);
            assert_status(context, loss_difference_get_pointer(d, "gradient", &gradient), LOSS_OK);
            for (int i = 0; i < N; i++) {
                worst[told] = fmax(worst[told], fabs(element(gradient, LOSS_FLOAT32, i) - exact[i]));
            }
            loss_difference_free(d);
        }
        assert_true(worst[1] < 4 * FLT_EPSILON * scale);
        assert_true(worst[1] < worst[0] || method == 2);
    }
    loss_context_free(context);
}

/* ---- products and Hessians ---- */

static void products(void **state)
{
    const double v[N] = {0.7, -0.2, 0, 1.5, -0.9};
    (void)state;
    for (int c = 0; c < 12; c++) { /* method, type, with bounds that x lies on */
        const int method = c / 4;
        const loss_dtype dtype = dtypes[c % 2];
        const double order = method == 0 ? 1 / 3.0 : 0.5, tolerance = 32 * pow(unit_of(dtype), order);
        double typed[N], exact[N], direction[N], x[N];
        int64_t evaluations;
        const void *product;
        loss_context *context;
        loss_difference *d;
        guard g = {.dtype = dtype, .n = N, .value = chain};
        assert_int_equal(loss_context_create(&context), LOSS_OK);
        assert_status(context, loss_difference_create(&d, context, methods[method], dtype, N), LOSS_OK);
        take_point(dtype, points[0], typed, exact);
        for (int i = 0; i < N; i++) {
            x[i] = element(typed, dtype, i);
            set_element(direction, dtype, i, v[i]);
        }
        if (c % 4 >= 2) { /* the first is fixed, the others at the upper bound */
            const double lower[N] = {x[0], -9, -9, -9, -9};
            assert_status(context, loss_difference_set_array(d, "lower_bounds", lower, LOSS_FLOAT64, N),
                          LOSS_OK);
            assert_status(context, loss_difference_set_array(d, "upper_bounds", x, LOSS_FLOAT64, N), LOSS_OK);
            g.upper = typed;
        }
        assert_status(context, loss_difference_start_product(d, typed, direction), LOSS_OK);
        guard_answer(context, d, &g);
        assert_status(context, loss_difference_get_pointer(d, "product", &product), LOSS_OK);
        assert_status(context, loss_difference_get_int(d, "evaluations", &evaluations), LOSS_OK);
        const int free_ones = c % 4 >= 2 ? N - 1 : N;
        assert_int_equal(evaluations, method == 0 ? 2 * free_ones + 2 : 4 * free_ones);
        for (int i = 0; i < N; i++) {
            double sum = 0;
            for (int j = N - free_ones; j < N; j++) {
                sum += chain_hessian(x, i, j) * element(direction, dtype, j);
            }
            /* the values are near 15 */
            assert_close(element(product, dtype, i), i < N - free_ones ? 0 : sum, 0,
                         c % 4 >= 2 ? fmax(tolerance, pow(unit_of(dtype), 0.25)) : tolerance);
        }
        loss_difference_free(d);
        loss_context_free(context);
    }
}

static void products_of_nothing(void **state)
{
    const double x[2] = {1, 2}, zero[2] = {0, 0}, nan[2] = {0, NAN};
    const void *product;
    int32_t request;
    loss_context *context;
    loss_difference *d;
    (void)state;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    assert_status(context, loss_difference_create(&d, context, "central", LOSS_FLOAT64, 2), LOSS_OK);
    assert_status(context, loss_difference_start_product(d, x, zero), LOSS_OK);
    assert_status(context, loss_difference_ask(d, &request), LOSS_OK);
    assert_int_equal(request, LOSS_REQUEST_DONE);
    assert_status(context, loss_difference_get_pointer(d, "product", &product), LOSS_OK);
    assert_true(element(product, LOSS_FLOAT64, 0) == 0 && element(product, LOSS_FLOAT64, 1) == 0);
    assert_status(context, loss_difference_get_pointer(d, "gradient", &product), LOSS_ERROR_STATE);
    assert_status(context, loss_difference_start_product(d, x, nan), LOSS_OK);
    assert_status(context, loss_difference_ask(d, &request), LOSS_OK);
    assert_int_equal(request, LOSS_REQUEST_DONE);
    assert_status(context, loss_difference_get_pointer(d, "product", &product), LOSS_OK);
    assert_true(isnan(element(product, LOSS_FLOAT64, 0)) && isnan(element(product, LOSS_FLOAT64, 1)));
    loss_difference_free(d);
    loss_context_free(context);
}

/* ---- arguments ---- */

static void refused_at_creation(void **state)
{
    loss_context *context;
    loss_difference *d;
    (void)state;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    assert_status(context, loss_difference_create(NULL, context, "central", LOSS_FLOAT64, 2),
                  LOSS_ERROR_ARGUMENT);
    d = (loss_difference *)&d;
    assert_int_equal(loss_difference_create(&d, NULL, "central", LOSS_FLOAT64, 2), LOSS_ERROR_ARGUMENT);
    assert_null(d);
    assert_status(context, loss_difference_create(&d, context, NULL, LOSS_FLOAT64, 2), LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_difference_create(&d, context, "centrl", LOSS_FLOAT64, 2), LOSS_ERROR_NAME);
    assert_sentence(context, "did you mean 'central'");
    assert_status(context, loss_difference_create(&d, context, "central", LOSS_INT32, 2), LOSS_ERROR_TYPE);
    assert_status(context, loss_difference_create(&d, context, "central", LOSS_FLOAT64, 0),
                  LOSS_ERROR_ARGUMENT);
    assert_null(d);
    loss_difference_free(NULL);
    loss_context_free(context);
}

static void refused_without_a_handle(void **state)
{
    const double x[2] = {1, 2};
    double number;
    int64_t integer;
    int32_t request = 777;
    const void *pointer = &pointer;
    (void)state;
    assert_int_equal(loss_difference_start(NULL, x), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_difference_start_product(NULL, x, x), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_difference_ask(NULL, &request), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_difference_tell_value(NULL, 1), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_difference_get_pointer(NULL, "x", &pointer), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_difference_set_double(NULL, "typical", 1), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_difference_set_array(NULL, "typical_sizes", x, LOSS_FLOAT64, 2),
                     LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_difference_get_double(NULL, "typical", &number), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_difference_get_int(NULL, "dimension", &integer), LOSS_ERROR_ARGUMENT);
    assert_int_equal(loss_difference_option_count(NULL), 0);
    assert_null(loss_difference_option(NULL, 0));
    assert_int_equal(request, 777);
    assert_ptr_equal(pointer, &pointer);
}

/* A difference of two parameters. */
static void make(loss_context **context, loss_difference **d)
{
    assert_int_equal(loss_context_create(context), LOSS_OK);
    assert_status(*context, loss_difference_create(d, *context, "central", LOSS_FLOAT64, 2), LOSS_OK);
}

static void refused_by_a_handle(void **state)
{
    const double x[2] = {1, 2};
    double number;
    int64_t integer;
    int32_t request = 777;
    const void *pointer = &pointer;
    loss_context *context;
    loss_difference *d;
    (void)state;
    make(&context, &d);
    assert_status(context, loss_difference_start(d, NULL), LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_difference_start_product(d, x, NULL), LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_difference_ask(d, NULL), LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_difference_get_pointer(d, NULL, &pointer), LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_difference_get_pointer(d, "x", NULL), LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_difference_get_pointer(d, "gradients", &pointer), LOSS_ERROR_NAME);
    assert_status(context, loss_difference_get_pointer(d, "error", &pointer), LOSS_ERROR_SUPPORT);
    /* not started */
    assert_status(context, loss_difference_ask(d, &request), LOSS_ERROR_STATE);
    assert_status(context, loss_difference_tell_value(d, 1), LOSS_ERROR_STATE);
    assert_status(context, loss_difference_get_pointer(d, "x", &pointer), LOSS_ERROR_STATE);
    assert_status(context, loss_difference_get_pointer(d, "gradient", &pointer), LOSS_ERROR_STATE);
    assert_int_equal(request, 777);
    assert_ptr_equal(pointer, &pointer);
    /* options */
    assert_int_equal(loss_difference_option_count(d), 7);
    assert_string_equal(loss_option_name(loss_difference_option(d, 0)), "function_precision");
    assert_status(context, loss_difference_set_double(d, "function_precision", -1), LOSS_ERROR_RANGE);
    assert_status(context, loss_difference_set_double(d, "typical", 0), LOSS_ERROR_RANGE);
    assert_status(context, loss_difference_set_double(d, "upper_bounds", 0), LOSS_ERROR_TYPE);
    assert_status(context, loss_difference_get_int(d, "dimensions", &integer), LOSS_ERROR_NAME);
    assert_status(context, loss_difference_get_int(d, "dimension", &integer), LOSS_OK);
    assert_int_equal(integer, 2);
    assert_status(context, loss_difference_get_double(d, "value", &number), LOSS_OK);
    assert_true(isnan(number));
    /* a run under way, and one that was forgotten */
    assert_status(context, loss_difference_start(d, x), LOSS_OK);
    assert_status(context, loss_difference_tell_value(d, 1), LOSS_ERROR_STATE); /* nobody asked */
    assert_status(context, loss_difference_set_double(d, "typical", 2), LOSS_ERROR_STATE);
    assert_status(context, loss_difference_get_pointer(d, "gradient", &pointer), LOSS_ERROR_STATE);
    assert_status(context, loss_difference_ask(d, &request), LOSS_OK);
    assert_status(context, loss_difference_start(d, x), LOSS_OK);
    assert_status(context, loss_difference_tell_value(d, 1), LOSS_ERROR_STATE);
    loss_difference_free(d);
    loss_context_free(context);
}

static void refused_bounds(void **state)
{
    const double x[2] = {1, 2}, three[3] = {1, 2, 3}, below[2] = {3, 0};
    loss_context *context;
    loss_difference *d;
    (void)state;
    make(&context, &d);
    assert_status(context, loss_difference_set_array(d, "lower_bound", three, LOSS_FLOAT64, 3),
                  LOSS_ERROR_NAME);
    assert_status(context, loss_difference_set_array(d, "lower", three, LOSS_FLOAT64, 3), LOSS_ERROR_TYPE);
    assert_status(context, loss_difference_set_array(d, NULL, three, LOSS_FLOAT64, 3), LOSS_ERROR_ARGUMENT);
    assert_status(context, loss_difference_set_array(d, "lower_bounds", three, LOSS_FLOAT64, 3),
                  LOSS_ERROR_SHAPE);
    assert_sentence(context, "3 lower_bounds for the difference 'central', which is about 2 parameters");
    assert_status(context, loss_difference_set_array(d, "lower_bounds", below, LOSS_FLOAT64, 2), LOSS_OK);
    assert_status(context, loss_difference_start(d, x), LOSS_ERROR_RANGE);
    assert_sentence(context, "parameter 0 is 1, outside its bounds 3");
    const double nowhere[] = {NAN, 9};
    assert_status(context, loss_difference_start(d, nowhere), LOSS_ERROR_RANGE);
    assert_sentence(context, "parameter 0 is NaN, outside its bounds 3");
    assert_status(context, loss_difference_set_double(d, "upper", 2.5), LOSS_OK);
    assert_status(context, loss_difference_start(d, x), LOSS_ERROR_RANGE);
    assert_sentence(context, "crossed");
    loss_difference_free(d);
    loss_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients),
        cmocka_unit_test(bounds),
        cmocka_unit_test(bounds_of_floats),
        cmocka_unit_test(values_that_are_not_finite),
        cmocka_unit_test(noise),
        cmocka_unit_test(values_in_double),
        cmocka_unit_test(products),
        cmocka_unit_test(products_of_nothing),
        cmocka_unit_test(refused_at_creation),
        cmocka_unit_test(refused_without_a_handle),
        cmocka_unit_test(refused_by_a_handle),
        cmocka_unit_test(refused_bounds),
        cmocka_unit_test(values_only_same_bits),
        cmocka_unit_test(values_only_minimize),
        cmocka_unit_test(values_only_by_asking),
        cmocka_unit_test(values_only_bounds),
        cmocka_unit_test(values_only_hessian),
        cmocka_unit_test(values_only_batches),
        cmocka_unit_test(values_only_failures),
        cmocka_unit_test(values_only_narrow),
        cmocka_unit_test(values_only_refused),
        cmocka_unit_test(values_only_memory),
    };
    return cmocka_run_group_tests_name("finite_difference", tests, NULL, NULL);
}
