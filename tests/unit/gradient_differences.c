/* Hessian products that are differences of gradients, at odd lengths and where the domain of the function ends. */
#include "gradient_model.h"

#include <math.h>
#include <string.h>

enum { N = 3 };

typedef struct plan {
    /* The value and derivative of a term of the sum. */
    double (*term)(double x, double *slope);
    loss_dtype dtype;
} plan;

static double exponential(double x, double *slope)
{
    *slope = exp(x);
    return exp(x);
}

static double logarithm(double x, double *slope)
{
    *slope = 1 / x; /* finite outside, where the value is not */
    return x > 0 ? log(x) : (double)NAN;
}

static double square(double x, double *slope)
{
    *slope = 2e-200 * x;
    return 1e-200 * x * x;
}

/* Ends at 0, on one side or the other. */
static double from_zero(double x, double *slope)
{
    *slope = x >= 0 ? exp(x) : (double)NAN;
    return exp(x);
}

static double to_zero(double x, double *slope)
{
    *slope = exp(x);
    return x <= 0 ? exp(x) : INFINITY;
}

static double nowhere(double x, double *slope)
{
    *slope = x == 0 ? 1 : (double)NAN;
    return 1;
}

static int32_t evaluate(void *user, int64_t n, const void *x, double *value, void *gradient)
{
    const plan *p = user;
    *value = 0;
    for (int64_t i = 0; i < n; i++) {
        double slope;
        *value += p->term(element(x, p->dtype, i), &slope);
        if (gradient != NULL) {
            set_element(gradient, p->dtype, i, slope);
        }
    }
    return 0;
}

static loss_objective *objective_of(loss_context *context, plan *p)
{
    loss_objective *objective;
    assert_status(context,
                  loss_objective_create_callback(&objective, context, p->dtype, N, evaluate, NULL, p),
                  LOSS_OK);
    return objective;
}

/* A direction times a power of two gives the product times that, to the bit; x may be long. */
void gradient_hessian_lengths(void **state)
{
    static const int exponents[] = {-1040, -1000, -700, -530, -400, 400, 530, 700, 1000};
    const double x[N] = {0.3, -0.2, 0.5}, v[N] = {1, 2, -1}, far[N] = {1e200, 2e200, -1e199};
    double plain[N], scaled[N], direction[N];
    loss_context *context;
    plan p = {exponential, LOSS_FLOAT64};
    (void)state;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    loss_objective *objective = objective_of(context, &p);
    assert_status(context, loss_objective_hessian_product(objective, x, v, plain), LOSS_OK);
    for (int i = 0; i < N; i++) {
        assert_close(plain[i], v[i] * exp(x[i]), 1e-7, 0);
    }
    for (size_t k = 0; k < sizeof exponents / sizeof *exponents; k++) {
        for (int i = 0; i < N; i++) {
            direction[i] = ldexp(v[i], exponents[k]);
        }
        assert_status(context, loss_objective_hessian_product(objective, x, direction, scaled), LOSS_OK);
        for (int i = 0; i < N; i++) {
            assert_true(scaled[i] == ldexp(plain[i], exponents[k]));
        }
    }
    p.term = square;
    assert_status(context, loss_objective_hessian_product(objective, far, v, plain), LOSS_OK);
    for (int i = 0; i < N; i++) {
        assert_close(plain[i], 2e-200 * v[i], 1e-6, 0);
    }
    loss_objective_free(objective);
    loss_context_free(context);
}

/* Near an end of the domain, on it, and where there is nothing around x. */
void gradient_hessian_domains(void **state)
{
    static const struct {
        double (*term)(double x, double *slope);
        double x, second, tolerance; /* the second derivative */
    } cases[] = {
        {logarithm, 1e-3, -1e6, 1e-4}, {logarithm, 1e-9, -1e18, 1e-6}, {logarithm, 1e-12, -1e24, 1e-6},
        {from_zero, 0, 1, 1e-4},       {to_zero, 0, 1, 1e-4},          {nowhere, 0, (double)NAN, 0},
    };
    loss_context *context;
    (void)state;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        plan p = {cases[c].term, LOSS_FLOAT64};
        double x[N], out[N], matrix[N * N];
        const double v[N] = {1, 0.5, 2}, none = cases[c].second;
        const loss_status expected = isnan(none) ? LOSS_ERROR_NONFINITE : LOSS_OK;
        loss_objective *objective = objective_of(context, &p);
        for (int i = 0; i < N; i++) {
            x[i] = cases[c].x;
        }
        assert_status(context, loss_objective_hessian_product(objective, x, v, out), expected);
        if (expected != LOSS_OK) {
            assert_sentence(context, "no finite gradients around x");
        }
        assert_status(context, loss_objective_hessian(objective, x, matrix), expected);
        for (int i = 0; i < N; i++) {
            const double wanted = v[i] * cases[c].second;
            if (isnan(none) ? !isnan(out[i]) || !isnan(matrix[4 * i])
                            : !(fabs(out[i] - wanted) <= cases[c].tolerance * fabs(wanted)) ||
                                  !(fabs(matrix[4 * i] - none) <= cases[c].tolerance * fabs(none))) {
                fail_msg("case %d: product %g, Hessian %g; %g and %g were expected", (int)c, out[i],
                         matrix[4 * i], wanted, none);
            }
        }
        loss_objective_free(objective);
    }
    loss_context_free(context);
}
