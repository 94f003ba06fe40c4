/* Objectives from callbacks, and the derivative check, which they put to the test. */
#include "gradient_model.h"

#include <math.h>
#include <string.h>

enum { MANY = 1000 };

/* What a callback is to do. */
typedef struct plan {
    loss_dtype dtype;
    double (*value)(const double *x, int64_t n, double *gradient);
    int64_t wrong; /* the coordinate whose derivative has the wrong sign, −1 */
    double noise;  /* added to values, other every time */
    int64_t calls, samples;
    int32_t status; /* to return */
} plan;

static int32_t evaluate(void *user, int64_t n, const void *x, double *value, void *gradient)
{
    plan *p = user;
    double at[MANY], g[MANY];
    assert_true(n <= MANY);
    for (int64_t i = 0; i < n; i++) {
        at[i] = element(x, p->dtype, i);
    }
    p->calls++;
    *value = p->value(at, n, g) + p->noise * (scatter(p->calls) - 0.5);
    for (int64_t i = 0; gradient != NULL && i < n; i++) {
        set_element(gradient, p->dtype, i, i == p->wrong ? -g[i] : g[i]);
    }
    return p->status;
}

/* Σ exp(x_i / 2) + x_i x_{i+1} + ½ (i + 1) x_i²: everywhere smooth, every derivative another. */
static double smooth(const double *x, int64_t n, double *gradient)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += exp(x[i] / 2) + (double)(i + 1) / 2 * x[i] * x[i] + (i + 1 < n ? x[i] * x[i + 1] : 0);
        gradient[i] = exp(x[i] / 2) / 2 + (double)(i + 1) * x[i] + (i + 1 < n ? x[i + 1] : 0) +
                      (i > 0 ? x[i - 1] : 0);
    }
    return sum;
}

/* Its Hessian times a direction. */
static int32_t smooth_product(void *user, int64_t n, const void *x, const void *direction, void *product)
{
    const plan *p = user;
    for (int64_t i = 0; i < n; i++) {
        double sum = (exp(element(x, p->dtype, i) / 2) / 4 + (double)(i + 1)) *
                     element(direction, p->dtype, i);
        sum += i + 1 < n ? element(direction, p->dtype, i + 1) : 0;
        sum += i > 0 ? element(direction, p->dtype, i - 1) : 0;
        set_element(product, p->dtype, i, sum);
    }
    return p->status;
}

/* Σ |x_i| + x_i² / 4, with the least subgradient at 0. */
static double kinked(const double *x, int64_t n, double *gradient)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += fabs(x[i]) + x[i] * x[i] / 4;
        gradient[i] = (x[i] > 0) - (x[i] < 0) + x[i] / 2;
    }
    return sum;
}

/* A kink every 1/37 of the way, of a height of its own, as an objective of many hinges has them. */
static double many_kinks(const double *x, int64_t n, double *gradient)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += x[i] * x[i] / 4;
        gradient[i] = x[i] / 2;
        for (int k = -99; k < 99; k++) {
            const double gap = x[i] - (k + scatter(k + 100)) / 37, height = 0.01 * (1 + scatter(k + 300));
            sum += gap > 0 ? height * gap : 0;
            gradient[i] += gap > 0 ? height : 0;
        }
    }
    return sum;
}

/* Σ x_i² (1 + x_i): at its minimum 0 the value, the gradient and all rounding are 0, but not what extrapolation leaves. */
static double cubic_bowl(const double *x, int64_t n, double *gradient)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += x[i] * x[i] * (1 + x[i]);
        gradient[i] = 2 * x[i] + 3 * x[i] * x[i];
    }
    return sum;
}

/* √(x_0 − 1) + …: not there on the left of 1. */
static double half_line(const double *x, int64_t n, double *gradient)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += sqrt(x[i] - 1);
        gradient[i] = 0.5 / sqrt(x[i] - 1);
    }
    return sum;
}

/* The samples of a batch: (x_0 − s)² / 2, their mean. */
static int32_t evaluate_batch(void *user, int64_t n, const void *x, int64_t count, const int64_t *indices,
                              double *value, void *gradient)
{
    plan *p = user;
    double sum = 0, slope = 0;
    for (int64_t i = 0; i < count; i++) {
        const double r = element(x, p->dtype, 0) - (double)indices[i];
        assert_true(indices[i] >= 0 && indices[i] < p->samples);
        sum += r * r / 2;
        slope += r;
    }
    *value = sum / (double)count;
    for (int64_t i = 0; gradient != NULL && i < n; i++) {
        set_element(gradient, p->dtype, i, i == 0 ? slope / (double)count : 0);
    }
    return p->status;
}

typedef struct fixture {
    loss_context *context;
    loss_objective *objective;
    plan p;
} fixture;

static void make(fixture *f, loss_dtype dtype, int64_t n, double (*value)(const double *, int64_t, double *),
                 loss_product_callback product, double strength)
{
    loss_penalty *penalty;
    f->p = (plan){.dtype = dtype, .value = value, .wrong = -1};
    assert_int_equal(loss_context_create(&f->context), LOSS_OK);
    assert_status(
        f->context,
        loss_objective_create_callback(&f->objective, f->context, dtype, n, evaluate, product, &f->p),
        LOSS_OK);
    if (strength > 0) {
        assert_status(f->context, loss_penalty_create(&penalty, f->context, "l2"), LOSS_OK);
        assert_status(f->context, loss_penalty_set_double(penalty, "strength", strength), LOSS_OK);
        assert_status(f->context, loss_objective_add_penalty(f->objective, penalty), LOSS_OK);
        loss_penalty_free(penalty);
    }
}

static void unmake(fixture *f)
{
    loss_objective_free(f->objective);
    loss_context_free(f->context);
}

static const loss_dtype dtypes[] = {LOSS_FLOAT64, LOSS_FLOAT32};

void gradient_callback_values(void **state)
{
    const double start[] = {0.75, -1.5, 2.125};
    (void)state;
    for (int type = 0; type < 2; type++) {
        const double tolerance = type == 0 ? 1e-15 : 1e-7;
        double x[3], out[3], value, expected, gradient[3], squares = 0;
        int64_t integer;
        fixture f;
        make(&f, dtypes[type], 3, smooth, NULL, 0.37);
        for (int i = 0; i < 3; i++) {
            set_element(x, dtypes[type], i, start[i]);
            squares += start[i] * start[i];
        }
        expected = smooth(start, 3, gradient) + 0.37 / 2 * squares;
        assert_status(f.context, loss_objective_evaluate(f.objective, x, &value, out), LOSS_OK);
        assert_close(value, expected, 1e-15, 0);
        for (int i = 0; i < 3; i++) {
            assert_close(element(out, dtypes[type], i), gradient[i] + 0.37 * start[i], tolerance, tolerance);
        }
        assert_int_equal(loss_objective_dimension(f.objective), 3);
        assert_int_equal(loss_objective_dtype(f.objective), dtypes[type]);
        assert_int_equal(loss_objective_option_count(f.objective), 0);
        assert_status(f.context, loss_objective_get_int(f.objective, "intercept", &integer), LOSS_ERROR_NAME);
        unmake(&f);
    }
}

static double infinite(const double *x, int64_t n, double *gradient)
{
    (void)n;
    gradient[0] = 1;
    return x[0] > 0 ? (double)INFINITY : (double)NAN;
}

void gradient_callback_status(void **state)
{
    double x[] = {1}, value = 777, gradient[1];
    int64_t number;
    int32_t verdict = 777;
    fixture f;
    (void)state;
    make(&f, LOSS_FLOAT64, 1, smooth, smooth_product, 0);
    f.p.status = -17;
    assert_status(f.context, loss_objective_evaluate(f.objective, x, &value, gradient), LOSS_ERROR_CALLBACK);
    assert_sentence(f.context, "the evaluate callback returned -17");
    assert_true(value == 777);
    assert_status(f.context, loss_objective_get_int(f.objective, "callback_status", &number), LOSS_OK);
    assert_int_equal(number, -17);
    f.p.status = 9;
    assert_status(f.context, loss_objective_hessian_product(f.objective, x, x, gradient),
                  LOSS_ERROR_CALLBACK);
    assert_sentence(f.context, "the product callback returned 9");
    assert_status(f.context, loss_objective_check(f.objective, x, 3, &verdict), LOSS_ERROR_CALLBACK);
    assert_int_equal(verdict, 777);
    f.p.status = 0;
    f.p.value = infinite;
    assert_status(f.context, loss_objective_evaluate(f.objective, x, &value, gradient), LOSS_ERROR_NONFINITE);
    assert_sentence(f.context, "the objective is Infinity");
    assert_true(isinf(value) && gradient[0] == 1);
    x[0] = -1;
    assert_status(f.context, loss_objective_evaluate(f.objective, x, &value, NULL), LOSS_ERROR_NONFINITE);
    assert_true(isnan(value));
    assert_status(f.context, loss_objective_check(f.objective, x, 3, &verdict), LOSS_ERROR_NONFINITE);
    loss_data *none;
    assert_status(f.context, loss_data_create(&none, f.context), LOSS_OK);
    assert_status(f.context, loss_objective_predict(f.objective, x, none, none), LOSS_ERROR_SUPPORT);
    loss_data_free(none);
    unmake(&f);
}

/* ½ Σ x², and nothing else. */
static int32_t value_alone(void *user, int64_t n, const void *x, double *value, void *gradient)
{
    const loss_dtype dtype = *(const loss_dtype *)user;
    (void)gradient;
    for (int64_t i = 0; i < n; i++) {
        *value += element(x, dtype, i) * element(x, dtype, i) / 2;
    }
    return 0;
}

/* Values alone are told apart from a gradient: no run may converge on what was in the memory before. */
void gradient_callback_unwritten(void **state)
{
    (void)state;
    for (int type = 0; type < 2; type++) {
        double x[3], gradient[3] = {0}, value;
        loss_context *context;
        loss_objective *objective;
        loss_optimizer *optimizer;
        loss_dtype dtype = dtypes[type];
        for (int i = 0; i < 3; i++) {
            set_element(x, dtype, i, 2.5 - i);
        }
        assert_int_equal(loss_context_create(&context), LOSS_OK);
        assert_status(
            context, loss_objective_create_callback(&objective, context, dtype, 3, value_alone, NULL, &dtype),
            LOSS_OK);
        assert_status(context, loss_objective_evaluate(objective, x, &value, NULL), LOSS_OK);
        assert_true(value == (2.5 * 2.5 + 1.5 * 1.5 + 0.5 * 0.5) / 2);
        assert_status(context, loss_objective_evaluate(objective, x, &value, gradient),
                      LOSS_ERROR_DERIVATIVE);
        assert_sentence(context, "loss_objective_set_difference()");
        assert_status(context, loss_optimizer_create(&optimizer, context, "lbfgs", dtype, 3), LOSS_OK);
        assert_status(context, loss_optimizer_minimize(optimizer, objective, x), LOSS_ERROR_DERIVATIVE);
        assert_true(element(x, dtype, 0) == 2.5);
        loss_optimizer_free(optimizer);
        loss_objective_free(objective);
        loss_context_free(context);
    }
}

void gradient_callback_batches(void **state)
{
    const double x[] = {2.5, 1};
    const int64_t indices[] = {1, 4, 1, 6}, outside[] = {7};
    double value, gradient[2];
    int64_t samples;
    fixture f;
    (void)state;
    make(&f, LOSS_FLOAT64, 2, smooth, NULL, 2);
    assert_status(f.context, loss_objective_evaluate_batch(f.objective, x, 4, indices, &value, gradient),
                  LOSS_ERROR_SUPPORT);
    assert_status(f.context, loss_objective_set_batch_callback(f.objective, 0, evaluate_batch),
                  LOSS_ERROR_ARGUMENT);
    assert_status(f.context, loss_objective_set_batch_callback(f.objective, 7, NULL), LOSS_ERROR_ARGUMENT);
    assert_status(f.context, loss_objective_set_batch_callback(f.objective, 7, evaluate_batch), LOSS_OK);
    f.p.samples = 7;
    assert_status(f.context, loss_objective_get_int(f.objective, "samples", &samples), LOSS_OK);
    assert_int_equal(samples, 7);
    assert_status(f.context, loss_objective_evaluate_batch(f.objective, x, 4, indices, &value, gradient),
                  LOSS_OK);
    /* residuals 1.5, −1.5, 1.5, −3.5 and the whole penalty */
    assert_true(value == (3 * 1.125 + 6.125) / 4 + 7.25);
    assert_true(gradient[0] == -2.0 / 4 + 5 && gradient[1] == 2);
    assert_status(f.context, loss_objective_evaluate_batch(f.objective, x, 0, NULL, &value, gradient),
                  LOSS_OK);
    assert_true(value == 7.25 && gradient[0] == 5 && gradient[1] == 2);
    assert_status(f.context, loss_objective_evaluate_batch(f.objective, x, 1, outside, &value, NULL),
                  LOSS_ERROR_ARGUMENT);
    unmake(&f);
}

void gradient_callback_product(void **state)
{
    enum { N = 6 };
    (void)state;
    for (int type = 0; type < 2; type++) {
        const double tolerance = type == 0 ? 1e-8 : 1e-3;
        double x[N], v[N], exact[N], differences[N];
        fixture given, none;
        make(&given, dtypes[type], N, smooth, smooth_product, 0.5);
        make(&none, dtypes[type], N, smooth, NULL, 0.5);
        for (int i = 0; i < N; i++) {
            set_element(x, dtypes[type], i, 3 * scatter(i) - 1);
            set_element(v, dtypes[type], i, scatter(i + 9) - 0.5);
        }
        assert_status(given.context, loss_objective_hessian_product(given.objective, x, v, exact), LOSS_OK);
        assert_int_equal(given.p.calls, 0);
        assert_status(none.context, loss_objective_hessian_product(none.objective, x, v, differences),
                      LOSS_OK);
        assert_int_equal(none.p.calls, 2);
        for (int i = 0; i < N; i++) {
            assert_close(element(differences, dtypes[type], i), element(exact, dtypes[type], i), tolerance,
                         tolerance);
        }
        memset(v, 0, sizeof v); /* no direction: no step to take */
        assert_status(none.context, loss_objective_hessian_product(none.objective, x, v, differences),
                      LOSS_OK);
        for (int i = 0; i < N; i++) {
            assert_true(element(differences, dtypes[type], i) == 0);
        }
        unmake(&given);
        unmake(&none);
    }
}

/* ---- the check ---- */

enum { CHECKED = 5 };

static const struct {
    double (*value)(const double *, int64_t, double *);
    double x[CHECKED];
    int64_t wrong;
    double noise;
    int32_t verdict;
    int64_t index; /* of the worst, −1: any */
    const char *words;
} check_cases[] = {
    {smooth, {0.3, -1.2, 2.385, 0.7, -0.4}, -1, 0, LOSS_CHECK_OK, -1, NULL},
    {smooth, {300, -120, 23.85, 0, 1e-5}, -1, 0, LOSS_CHECK_OK, -1, NULL},
    {smooth,
     {0.3, -1.2, 2.385, 0.7, -0.4},
     3,
     0,
     LOSS_CHECK_WRONG,
     3,
     "the derivative along parameter 3 is -"},
    {kinked, {0.3, -1.2, 2.385, 0.7, -0.4}, -1, 0, LOSS_CHECK_OK, -1, NULL},
    {kinked, {0.3, -1.2, 0, 0.7, -0.4}, -1, 0, LOSS_CHECK_KINK, 2, "there is a kink along parameter 2"},
    {kinked, {0.3, -1.2, 0, 0.7, -0.4}, 1, 0, LOSS_CHECK_WRONG, 1, "the derivative along parameter 1"},
    {many_kinks, {0.3, -1.2, 2.385, 0.7, -0.4}, -1, 0, LOSS_CHECK_OK, -1, NULL},
    {many_kinks,
     {0.3, -1.2, 2.385, 0.7, -0.4},
     3,
     0,
     LOSS_CHECK_WRONG,
     3,
     "the derivative along parameter 3"},
    {smooth,
     {0.3, -1.2, 2.385, 0.7, -0.4},
     -1,
     0.5,
     LOSS_CHECK_INCONCLUSIVE,
     -1,
     "too noisy along parameter"},
    {half_line, {1.004, 1.3, 2.4, 5, 1.04}, -1, 0, LOSS_CHECK_OK, -1, NULL},
    {cubic_bowl, {0, 0, 0, 0, 0}, -1, 0, LOSS_CHECK_OK, -1, NULL},
    {half_line, {1.004, 1.3, 2.4, 5, 1.04}, 0, 0, LOSS_CHECK_WRONG, 0, "along parameter 0"},
};

void gradient_check_verdicts(void **state)
{
    (void)state;
    for (size_t c = 0; c < sizeof check_cases / sizeof *check_cases; c++) {
        for (int type = 0; type < 2; type++) {
            double x[CHECKED], before[CHECKED], derivative, difference, error;
            int64_t index;
            int32_t verdict = 0;
            fixture f;
            make(&f, dtypes[type], CHECKED, check_cases[c].value, NULL, 0);
            f.p.wrong = check_cases[c].wrong;
            f.p.noise = check_cases[c].noise;
            for (int i = 0; i < CHECKED; i++) {
                set_element(x, dtypes[type], i, check_cases[c].x[i]);
            }
            memcpy(before, x, sizeof x);
            assert_status(f.context, loss_objective_check(f.objective, x, 5, &verdict), LOSS_OK);
            if (verdict != check_cases[c].verdict) {
                print_error("case %d, %s: %s\n", (int)c, loss_dtype_name(dtypes[type]),
                            loss_context_error(f.context));
            }
            assert_int_equal(verdict, check_cases[c].verdict);
            assert_memory_equal(x, before, sizeof(float) * CHECKED);
            loss_objective_get_int(f.objective, "check_index", &index);
            loss_objective_get_double(f.objective, "check_derivative", &derivative);
            loss_objective_get_double(f.objective, "check_difference", &difference);
            loss_objective_get_double(f.objective, "check_error", &error);
            assert_true(index >= 0 && index < CHECKED && error > 0);
            assert_true((fabs(derivative - difference) > error) == (verdict == LOSS_CHECK_WRONG));
            assert_true(check_cases[c].index < 0 || index == check_cases[c].index);
            if (check_cases[c].words != NULL) {
                assert_sentence(f.context, check_cases[c].words);
            }
            unmake(&f);
        }
    }
}

/* A thousand parameters: 256 are looked at, which ones the seed says. */
void gradient_check_large(void **state)
{
    double x[MANY];
    int32_t verdict = 0, found = 0;
    fixture f;
    (void)state;
    make(&f, LOSS_FLOAT64, MANY, smooth, NULL, 0);
    for (int i = 0; i < MANY; i++) {
        x[i] = 2 * scatter(i) - 1;
    }
    assert_status(f.context, loss_objective_check(f.objective, x, 1, &verdict), LOSS_OK);
    assert_int_equal(verdict, LOSS_CHECK_OK);
    assert_true(f.p.calls > 256 * 8 && f.p.calls < 256 * 24 + 32);
    f.p.wrong = 700; /* one seed in four sees it */
    for (uint64_t seed = 0; seed < 16; seed++) {
        int64_t index;
        assert_status(f.context, loss_objective_check(f.objective, x, seed, &verdict), LOSS_OK);
        loss_objective_get_int(f.objective, "check_index", &index);
        assert_true(verdict == LOSS_CHECK_OK || (verdict == LOSS_CHECK_WRONG && index == 700));
        found += verdict == LOSS_CHECK_WRONG;
    }
    assert_in_range(found, 1, 12);
    unmake(&f);
}

/* A gradient that is nearly right, at several sizes of the error: found while it is larger than the error bar. */
static double wrong_by;
static int32_t with_kinks;
static double nearly(const double *x, int64_t n, double *gradient)
{
    const double value = with_kinks ? many_kinks(x, n, gradient) : smooth(x, n, gradient);
    gradient[1] *= 1 + wrong_by;
    return value;
}

void gradient_check_errors(void **state)
{
    const double x[] = {0.3, -1.2, 2.385};
    const struct {
        double by;
        int32_t verdict;
    } cases[] = {
        {1e-1, LOSS_CHECK_WRONG}, {1e-3, LOSS_CHECK_WRONG}, {1e-5, LOSS_CHECK_WRONG}, {1e-9, LOSS_CHECK_OK}};
    (void)state;
    for (size_t c = 0; c < 2 * (sizeof cases / sizeof *cases); c++) {
        int32_t verdict = 0;
        fixture f;
        make(&f, LOSS_FLOAT64, 3, nearly, NULL, 0.1);
        with_kinks = c % 2 == 1;
        wrong_by = cases[c / 2].by;
        assert_status(f.context, loss_objective_check(f.objective, x, 5, &verdict), LOSS_OK);
        assert_int_equal(verdict, cases[c / 2].verdict);
        unmake(&f);
    }
}
