/*
 * Functions that vary over less than the shortest step a check begins with: a right gradient of theirs does not fail, a wrong one still does
 * where shorter steps see it, and error bars of differences hold.
 */
#include "check_directions.h"

#include <math.h>
#include <string.h>

static double logarithm(double x, double w, double *slope)
{
    (void)w;
    *slope = 1 / x;
    return x > 0 ? log(x) : (double)NAN;
}

static double entropy(double x, double w, double *slope)
{
    (void)w;
    *slope = log(x) + 1;
    return x > 0 ? x * log(x) : (double)NAN;
}

static double root(double x, double w, double *slope)
{
    (void)w;
    *slope = 0.5 / sqrt(x);
    return x >= 0 ? sqrt(x) : (double)NAN;
}

static double reciprocal(double x, double w, double *slope)
{
    (void)w;
    *slope = -1 / (x * x);
    return 1 / x;
}

static double stair(double x, double w, double *slope)
{
    const double tangent = tanh(w * (x - 0.3));
    *slope = w * (1 - tangent * tangent);
    return tangent;
}

static double wave(double x, double w, double *slope)
{
    *slope = w * cos(w * x);
    return sin(w * x);
}

typedef struct steep_case {
    double (*value)(double x, double w, double *slope);
    double x, w;
    int32_t seen; /* whether shorter steps see the slope: right ones pass, and wrong ones fail */
} steep_case;

static const steep_case cases[] = {
    {logarithm, 1e-4, 0, 1},  {logarithm, 1e-6, 0, 1},  {logarithm, 1e-7, 0, 1},  {logarithm, 1e-8, 0, 0},
    {logarithm, 1e-10, 0, 0}, {entropy, 1e-6, 0, 1},    {entropy, 1e-8, 0, 1},    {entropy, 1e-10, 0, 0},
    {root, 1e-5, 0, 1},       {root, 1e-6, 0, 1},       {root, 1e-8, 0, 0},       {root, 1e-10, 0, 0},
    {reciprocal, 1e-4, 0, 1}, {reciprocal, 1e-6, 0, 1}, {reciprocal, 1e-8, 0, 0}, {reciprocal, 1e-10, 0, 0},
    {stair, 0.3, 1e5, 1},     {stair, 0.3, 1e6, 1},     {stair, 0.3, 1e7, 1},     {stair, 0.3, 1e9, 1},
    {wave, 0.3, 1e5, 1},      {wave, 0.3, 1e6, 1},      {wave, 0.3, 1e7, 1},      {wave, 0.3, 1e9, 0},
};
enum { CASES = sizeof cases / sizeof *cases };

typedef struct given {
    const steep_case *function;
    double factor; /* of the gradient: 1 is right */
} given;

static int32_t evaluate(void *user, int64_t n, const void *x, double *value, void *gradient)
{
    const given *g = user;
    double at, slope;
    memcpy(&at, x, sizeof at);
    assert_int_equal(n, 1);
    *value = g->function->value(at, g->function->w, &slope);
    if (gradient != NULL) {
        slope *= g->factor;
        memcpy(gradient, &slope, sizeof slope);
    }
    return 0;
}

/* Steps of the stairs are looked at where they are steep but not at their middle. */
static double place(const steep_case *c)
{
    return c->value == stair ? c->x + 0.4 / c->w : c->x;
}

static loss_objective *objective_of(loss_context *context, given *g)
{
    loss_objective *objective;
    assert_status(context,
                  loss_objective_create_callback(&objective, context, LOSS_FLOAT64, 1, evaluate, NULL, g),
                  LOSS_OK);
    return objective;
}

void steep_gradients(void **state)
{
    static const double factors[] = {1, -1, 3, 0};
    loss_context *context;
    (void)state;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    for (int c = 0; c < CASES; c++) {
        for (int k = 0; k < 4; k++) {
            given g = {&cases[c], factors[k]};
            loss_objective *objective = objective_of(context, &g);
            const double x = place(&cases[c]);
            for (int along = 0; along < 2; along++) {
                int32_t verdict = 0;
                assert_status(context,
                              along ? loss_objective_check_directions(objective, &x, 4, 1, &verdict)
                                    : loss_objective_check(objective, &x, 1, &verdict),
                              LOSS_OK);
                const int32_t fits = k == 0 ? verdict != LOSS_CHECK_WRONG : verdict != LOSS_CHECK_OK;
                const int32_t wanted = k == 0 ? LOSS_CHECK_OK : LOSS_CHECK_WRONG;
                if (!fits || (cases[c].seen && verdict != wanted)) {
                    fail_msg("case %d, factor %g, %s: %d, %s", c, factors[k],
                             along ? "directions" : "parameters", (int)verdict, loss_context_error(context));
                }
            }
            loss_objective_free(objective);
        }
    }
    loss_context_free(context);
}

/* A gradient that is NaN fails, beside differences that are numbers. */
void gradients_of_nan(void **state)
{
    const double x = 0.75;
    given g = {&cases[0], (double)NAN};
    loss_context *context;
    (void)state;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    loss_objective *objective = objective_of(context, &g);
    for (int along = 0; along < 2; along++) {
        int32_t verdict = 0;
        double difference = (double)NAN, error = (double)NAN;
        assert_status(context,
                      along ? loss_objective_check_directions(objective, &x, 3, 1, &verdict)
                            : loss_objective_check(objective, &x, 1, &verdict),
                      LOSS_OK);
        assert_int_equal(verdict, LOSS_CHECK_WRONG);
        assert_sentence(context, " is NaN; differences of values say ");
        assert_null(strstr(loss_context_error(context), "say NaN"));
        assert_null(strstr(loss_context_error(context), "take NaN"));
        assert_status(context, loss_objective_get_double(objective, "check_difference", &difference),
                      LOSS_OK);
        assert_status(context, loss_objective_get_double(objective, "check_error", &error), LOSS_OK);
        assert_true(isfinite(difference) && isfinite(error));
    }
    loss_objective_free(objective);
    loss_context_free(context);
}

/* The error bar of "ridders" covers the error, and is ∞ where the differences do not settle. */
void steep_differences(void **state)
{
    loss_context *context;
    (void)state;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    for (int c = 0; c < CASES; c++) {
        given g = {&cases[c], 1};
        loss_objective *objective = objective_of(context, &g);
        loss_difference *difference;
        const double x = place(&cases[c]);
        const void *pointer;
        double value, gradient, error, slope;
        assert_status(context, loss_difference_create(&difference, context, "ridders", LOSS_FLOAT64, 1),
                      LOSS_OK);
        assert_status(context, loss_objective_set_difference(objective, difference), LOSS_OK);
        assert_status(context, loss_objective_evaluate(objective, &x, &value, &gradient), LOSS_OK);
        assert_status(context, loss_difference_get_pointer(difference, "error", &pointer), LOSS_OK);
        memcpy(&error, pointer, sizeof error);
        cases[c].value(x, cases[c].w, &slope);
        if (!(fabs(gradient - slope) <= 4 * error)) { /* 4: as the checks have it */
            fail_msg("case %d: %g is off by %g, give or take %g", c, gradient, fabs(gradient - slope), error);
        }
        loss_difference_free(difference);
        loss_objective_free(objective);
    }
    loss_context_free(context);
}
