/*
 * Robust losses: numbers known from elsewhere, identities between them, and mistakes that other libraries made and this one
 * must not.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/batch.h"
#include "support/check.h"
#include "support/known.h"

static double residual(int i)
{
    return 9 * scatter(i) - 4.5;
}

static void assert_rows(const row *actual, const row *expected, double factor)
{
    assert_close(actual->value, factor * expected->value, 1e-14, 0);
    assert_close(actual->gradient[0], factor * expected->gradient[0], 1e-14, 0);
    assert_close(actual->curvature[0], factor * expected->curvature[0], 1e-13, 1e-15);
}

/* ---- one family ---- */

/* Barron's loss at its special shapes is a named loss divided by the square of the scale, whatever that one calls its scale. */
static void test_shapes_have_names(void **state)
{
    static const struct {
        const char *barron, *name, *options;
    } same[] = {
        {"shape=2;scale=1.5", "squared_error", "half=1"},
        {"shape=1;scale=1.5", "pseudo_huber", "delta=1.5"},
        {"shape=0;scale=1.5", "cauchy", "scale=2.1213203435596424"},    /* 1.5 √2 */
        {"shape=-2;scale=1.5", "geman_mcclure", "scale=3"},             /* 1.5 · 2 */
        {"shape=-inf;scale=1.5", "welsch", "scale=2.1213203435596424"}, /* 1.5 √2 */
    };
    (void)state;
    for (size_t k = 0; k < sizeof same / sizeof *same; k++) {
        for (int i = 0; i < 60; i++) {
            const row general = pair("barron", same[k].barron, LOSS_FLOAT64, residual(i), 0);
            const row named = pair(same[k].name, same[k].options, LOSS_FLOAT64, residual(i), 0);
            assert_rows(&general, &named, 1 / (1.5 * 1.5));
        }
    }
}

/* Continuous in the shape: next to a special shape the loss is next to that of the shape, without the loss of a digit. */
static void test_shapes_are_continuous(void **state)
{
    static const char *const near[][2] = {
        {"shape=2", "shape=2.0000000000000004"},
        {"shape=2", "shape=1.9999999999999998"},
        {"shape=0", "shape=1e-16"},
        {"shape=0", "shape=-1e-16"},
        {"shape=0", "shape=1e-300"},
        {"shape=1", "shape=0.9999999999999999"},
        {"shape=-2", "shape=-2.0000000000000004"},
        {"shape=-inf", "shape=-1e18"},
        {"shape=-inf", "shape=-1e300"},
        {"shape=inf", "shape=1e18"},
    };
    (void)state;
    for (size_t k = 0; k < sizeof near / sizeof *near; k++) {
        for (int i = 0; i < 40; i++) {
            const row at = pair("barron", near[k][0], LOSS_FLOAT64, residual(i), 0);
            const row beside = pair("barron", near[k][1], LOSS_FLOAT64, residual(i), 0);
            assert_rows(&beside, &at, 1);
        }
    }
    for (int i = 0; i < 40;
         i++) { /* the reference implementation bounds |shape| from below by the epsilon of float32 */
        const row at = pair("barron", "shape=0", LOSS_FLOAT32, residual(i), 0);
        const row beside = pair("barron", "shape=1e-9", LOSS_FLOAT32, residual(i), 0);
        assert_close(beside.value, at.value, 1e-6, 0);
        assert_close(beside.gradient[0], at.gradient[0], 1e-6, 0);
    }
}

static void test_shapes_decide_the_properties(void **state)
{
    static const struct {
        const char *options;
        int32_t convex, majorizer;
    } shapes[] = {
        {"shape=1", 1, 1}, {"shape=0.5", 0, 1}, {"shape=2", 1, 1}, {"shape=3", 1, 0}, {"shape=-inf", 0, 1}};
    (void)state;
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
        loss_function *function = make_function("barron", shapes[k].options);
        int32_t convex = -1;
        assert_status(context, loss_function_property(function, "convex", &convex), LOSS_OK);
        assert_int_equal(convex, shapes[k].convex);
        assert_status(context, loss_function_set_string(function, "curvature", "majorizer"),
                      shapes[k].majorizer ? LOSS_OK : LOSS_ERROR_SUPPORT);
        loss_function_free(function);
    }
}

/* With one degree of freedom Student's t is Cauchy's distribution. */
static void test_student_is_cauchy(void **state)
{
    (void)state;
    for (int i = 0; i < 60; i++) {
        const row student = pair("student_t", "scale=1.5", LOSS_FLOAT64, residual(i), 0);
        const row cauchy = pair("cauchy", "scale=1.5", LOSS_FLOAT64, residual(i), 0);
        assert_rows(&student, &cauchy, 2 / (1.5 * 1.5));
    }
}

/* ---- nothing cancels, nothing overflows ---- */

static const char *const kinds[] = {"kind=huber",  "kind=soft_l1",           "kind=cauchy",
                                    "kind=tukey",  "kind=geman_mcclure",     "kind=welsch",
                                    "kind=arctan", "kind=barron;shape=-3.5", "kind=barron;shape=3"};
static const char *const losses[] = {"cauchy", "geman_mcclure", "welsch", "tukey", "fair", "arctan"};

/* Ceres' log(1 + s) and √(1 + s) − 1 are 0 at s = 1e-17; s is right. */
static void test_small_squares(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        const row made = pair("robust_squared_norm", kinds[k], LOSS_FLOAT64, 1e-17, 0);
        assert_close(made.value, 1e-17, 1e-15, 0);
        assert_close(made.gradient[0], 1, 1e-15, 0);
    }
    for (size_t k = 0; k < sizeof losses / sizeof *losses; k++) {
        for (int t = 0; t < 2; t++) {
            const row made = pair(losses[k], "scale=1", dtypes[t], 0x1p-60, 0);
            assert_close(made.value, 0x1p-121, 2 * tolerance[t], 0);
            assert_close(made.gradient[0], 0x1p-60, tolerance[t], 0);
        }
    }
    assert_close(pair("fair", "", LOSS_FLOAT32, 1e-4, 0).value, 4.9996667e-9, 1e-6, 0);
}

/* (r/c)² is beyond float32 where the loss is not: the limits, and no NaN. */
static void test_large_ratios(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof losses / sizeof *losses; k++) {
        const row far = pair(losses[k], "scale=1e-20", LOSS_FLOAT32, 1e20, 0);
        const row negative = pair(losses[k], "scale=1e-20", LOSS_FLOAT32, -1e20, 0);
        assert_true(far.value >= 0 && far.value <= 1.01); /* Fair's is c |r| */
        assert_true(far.gradient[0] >= 0 && far.gradient[0] <= 1e-19 && far.curvature[0] <= 0);
        assert_close(negative.value, far.value, 0, 0);
        assert_close(negative.gradient[0], -far.gradient[0], 0, 0);
    }
    /* ½ c² log(1 + 1e80), c²/r */
    assert_close(pair("cauchy", "scale=0.0625", LOSS_FLOAT32, 3e38, 0).value, 0x1p-8 * log(16 * 3e38), 1e-6,
                 0);
    assert_close(pair("cauchy", "scale=1", LOSS_FLOAT32, 1e20, 0).gradient[0], 1e-20, 1e-6, 0);
    assert_close(pair("fair", "scale=1e-10", LOSS_FLOAT32, 1e38, 0).value, 1e28, 1e-6, 0);
    assert_close(pair("student_t", "scale=0.0625", LOSS_FLOAT32, 3e38, 0).value, 2 * log(16 * 3e38), 1e-6, 0);
    assert_close(pair("barron", "shape=0.5;scale=0.0625", LOSS_FLOAT32, 3e38, 0).value,
                 3 * (pow(16 * 3e38 / sqrt(1.5), 0.5) - 1), 1e-5, 0);
}

/* ---- rho of a squared norm ---- */

/* ρ(r²) is twice the loss of r, 2 ρ′ r its gradient twice; and its curvature has the factor 2: ρ′ + 2 ρ″ s. */
static void test_rho_and_residual(void **state)
{
    static const struct {
        const char *kind, *name, *options;
    } same[] = {
        {"kind=huber;scale=1.5", "huber", "delta=1.5"},
        {"kind=soft_l1;scale=1.5", "pseudo_huber", "delta=1.5"},
        {"kind=cauchy;scale=1.5", "cauchy", "scale=1.5"},
        {"kind=tukey;scale=1.5", "tukey", "scale=1.5"},
        {"kind=geman_mcclure;scale=1.5", "geman_mcclure", "scale=1.5"},
        {"kind=welsch;scale=1.5", "welsch", "scale=1.5"},
        {"kind=arctan;scale=1.5", "arctan", "scale=1.5"},
        {"kind=fair;scale=1.5", "fair", "scale=1.5"},
        {"kind=tolerant;scale=1.5;width=0.75", "tolerant", "scale=1.5;width=0.75"},
    };
    (void)state;
    for (size_t k = 0; k < sizeof same / sizeof *same; k++) {
        for (int i = 0; i < 60; i++) {
            const double r = residual(i), s = r * r;
            const row rho = pair("robust_squared_norm", same[k].kind, LOSS_FLOAT64, s, 0);
            const row loss = pair(same[k].name, same[k].options, LOSS_FLOAT64, r, 0);
            assert_close(rho.value, 2 * loss.value, 1e-14, 0);
            assert_close(rho.gradient[0] * r, loss.gradient[0], 1e-13, 1e-30);
            assert_close(rho.gradient[0] + 2 * rho.curvature[0] * s, loss.curvature[0], 1e-12, 1e-14);
        }
    }
}

/* Barron's loss of a residual in units of a: ρ(r²) is 2a² times as large; and of four shapes it is another kind, of other scales. */
static void test_general(void **state)
{
    static const char *const shapes[] = {"-inf", "-7.5", "-2", "0", "0.625", "1", "1.75", "2", "3.5", "inf"};
    static const char *const same[][2] = {{"shape=1;scale=1.5", "soft_l1;scale=1.5"},
                                          {"shape=-2;scale=1.5", "geman_mcclure;scale=3"},
                                          {"shape=0;scale=1.5", "cauchy;scale=2.1213203435596424"},
                                          {"shape=-inf;scale=1.5", "welsch;scale=2.1213203435596424"}};
    const double square = 1.5 * 1.5;
    char one[80], other[80];
    (void)state;
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
        snprintf(one, sizeof one, "kind=barron;scale=1.5;shape=%s", shapes[k]);
        snprintf(other, sizeof other, "scale=1.5;shape=%s", shapes[k]);
        for (int i = 0; i < 60; i++) {
            const double r = residual(i), s = r * r;
            const row rho = pair("robust_squared_norm", one, LOSS_FLOAT64, s, 0);
            const row loss = pair("barron", other, LOSS_FLOAT64, r, 0);
            assert_close(rho.value, 2 * square * loss.value, 1e-13, 0);
            assert_close(rho.gradient[0] * r, square * loss.gradient[0], 1e-13, 1e-30);
            assert_close(rho.gradient[0] + 2 * rho.curvature[0] * s, square * loss.curvature[0], 1e-12,
                         1e-13);
        }
    }
    for (size_t k = 0; k < sizeof same / sizeof *same; k++) {
        snprintf(one, sizeof one, "kind=barron;%s", same[k][0]);
        snprintf(other, sizeof other, "kind=%s", same[k][1]);
        for (int i = 0; i < 60; i++) {
            const double s = 5 * scatter(i);
            const row made = pair("robust_squared_norm", one, LOSS_FLOAT64, s, 0);
            const row as = pair("robust_squared_norm", other, LOSS_FLOAT64, s, 0);
            assert_rows(&made, &as, 1);
        }
    }
    /* b|α − 2| is beyond float32 where the loss is not */
    const row far = pair("robust_squared_norm", "kind=barron;shape=1e6;scale=1e17", LOSS_FLOAT32, 1e35, 0);
    assert_close(far.value, 2e34 * 0.999998 * expm1(5e5 * log1p(10 / 999998.0)), 1e-6, 0);
}

/* b log((1 + e^((s − a)/b))/(1 + e^(−a/b))) starts at 0, with digits, and tends to s − a. */
static void test_tolerant(void **state)
{
    static const char options[] = "kind=tolerant;scale=2;width=0.125";
    row made = pair("robust_squared_norm", options, LOSS_FLOAT64, 0, 0);
    (void)state;
    assert_close(made.value, 0, 0, 0);
    assert_close(made.gradient[0], exp(-16.0) / (1 + exp(-16.0)), 1e-14, 0);
    made = pair("robust_squared_norm", options, LOSS_FLOAT64, 1e-12, 0);
    assert_close(made.value, 1e-12 * exp(-16.0) / (1 + exp(-16.0)), 1e-10, 0);
    made = pair("robust_squared_norm", options, LOSS_FLOAT64, 2, 0);
    assert_close(made.value, 0.125 * (log(2) - log1p(exp(-16.0))), 1e-13, 0);
    assert_close(made.curvature[0], 2, 1e-14, 0);
    made = pair("robust_squared_norm", options, LOSS_FLOAT32, 1e30, 0);
    assert_close(made.value, 1e30, 1e-6, 0);
    assert_close(made.gradient[0], 1, 0, 0);
    assert_close(made.curvature[0], 0, 0, 0);
}

/* ρ_a(s) = a² ρ₁(s/a²), to the bit for a power of two; of the scales in units of s a ρ₁(s/a). */
static void test_scaling_rule(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        const int linear = strcmp(kinds[k], "kind=arctan") == 0;
        const double factor = linear ? 4 : 16;
        char options[64];
        snprintf(options, sizeof options, "%s;scale=4", kinds[k]);
        for (int i = 0; i < 30; i++) {
            const double s = 5 * scatter(i);
            const row one = pair("robust_squared_norm", kinds[k], LOSS_FLOAT64, s, 0);
            const row four = pair("robust_squared_norm", options, LOSS_FLOAT64, factor * s, 0);
            assert_close(four.value, factor * one.value, 0, 0);
            assert_close(four.gradient[0], one.gradient[0], 0, 0);
            assert_close(four.curvature[0], one.curvature[0] / factor, 0, 0);
        }
    }
}

/* ρ′ is not raised to a smallest number: where nothing counts it is 0. And ρ″ < 0 is told as it is, unless not wanted. */
static void test_no_floor(void **state)
{
    row made = pair("robust_squared_norm", "kind=welsch", LOSS_FLOAT64, 1e4, 0);
    (void)state;
    assert_close(made.gradient[0], 0, 0, 0);
    made = pair("robust_squared_norm", "kind=tukey;scale=2", LOSS_FLOAT64, 4.000001, 0);
    assert_close(made.gradient[0], 0, 0, 0);
    assert_close(made.value, 4.0 / 3, 1e-15, 0);
    assert_close(pair("tukey", "scale=2", LOSS_FLOAT64, 3, 0).value, 4.0 / 6, 1e-15, 0);
    made = pair("robust_squared_norm", "kind=cauchy", LOSS_FLOAT64, 3, 0);
    assert_close(made.curvature[0], -0.0625, 1e-15, 0);
    made = pair("robust_squared_norm", "kind=cauchy;curvature=gauss_newton", LOSS_FLOAT64, 3, 0);
    assert_close(made.curvature[0], 0, 0, 0);
    made = pair("cauchy", "", LOSS_FLOAT64, 3, 0); /* ρ′ + 2ρ″s < 0 */
    assert_close(made.curvature[0], -0.08, 1e-15, 0);
}

/*
 * Andrews's wave by its formula, to 20 digits. statsmodels had a (1 - cos(z/a)) for long, whose derivative is not the a sin(z/a) of
 * which its weights are made; here the loss begins as r^2/2, as its gradient says. Past pi a it is constant.
 */
static void test_andrews(void **state)
{
    static const double far = 2 * 1.339 * 1.339;
    row made = pair("andrews", "", LOSS_FLOAT64, 1, 0);
    (void)state;
    assert_close(made.value, 0.47718824032894588182, 1e-15, 0);
    assert_close(made.gradient[0], 0.90960002970554273328, 1e-15, 0);
    assert_close(made.curvature[0], 0.73384870815337324856, 1e-15, 0);
    made = pair("andrews", "", LOSS_FLOAT64, 0, 3.5);
    assert_close(made.value, 3.3419449733232723279, 1e-15, 0);
    assert_close(made.gradient[0], -0.67425212415001560401, 1e-15, 0);
    assert_close(made.curvature[0], -0.86396666296131972795, 1e-15, 0);
    made = pair("andrews", "", LOSS_FLOAT64, 4.2, 0);
    assert_true(made.value < far && made.gradient[0] > 0 && made.curvature[0] < -0.99);
    made = pair("andrews", "", LOSS_FLOAT64, 4.21, 0);
    assert_close(made.value, far, 1e-15, 0);
    assert_close(made.gradient[0], 0, 0, 0);
    assert_close(made.curvature[0], 0, 0, 0);
    assert_close(pair("andrews", "", LOSS_FLOAT64, 1e-9, 0).value, 0.5e-18, 1e-15, 0);
}

/* There is no target: NULL in the short calls, refused as a role, and no linear model. */
static void test_no_target(void **state)
{
    static const double squares[] = {0.25, 16}, negative[] = {0.25, -1};
    loss_function *function = make_function("robust_squared_norm", "scale=2");
    loss_objective *objective;
    loss_data *inputs;
    double cost = 777, gradient[2] = {777, 777}, sum = 777;
    (void)state;
    assert_status(context, loss_function_cost_float64(context, function, 2, squares, NULL, &cost, gradient),
                  LOSS_OK);
    assert_close(cost, (0.25 + 12) / 2, 0, 0);
    assert_close(gradient[1], 0.25, 0, 0);
    assert_status(context,
                  loss_function_cost_float64(context, function, 2, squares, squares, &cost, gradient),
                  LOSS_ERROR_NAME);
    assert_sentence(context, "target");
    assert_status(context, loss_function_cost_float64(context, function, 2, negative, NULL, &cost, gradient),
                  LOSS_ERROR_DOMAIN);
    assert_status(context, loss_data_create(&inputs, context), LOSS_OK);
    loss_data_set_input(inputs, "prediction", squares, LOSS_FLOAT64, 2, 1, 1, 1);
    loss_data_set_input(inputs, "target", squares, LOSS_FLOAT64, 2, 1, 1, 1);
    assert_status(context, loss_function_evaluate(context, function, inputs, NULL, &sum, NULL),
                  LOSS_ERROR_NAME);
    assert_sentence(context, "target");
    assert_close(sum, 777, 0, 0);
    loss_data_free(inputs);
    assert_status(context, loss_data_create(&inputs, context), LOSS_OK);
    loss_data_set_input(inputs, "features", squares, LOSS_FLOAT64, 2, 1, 1, 1);
    loss_data_set_input(inputs, "target", squares, LOSS_FLOAT64, 2, 1, 1, 1);
    assert_status(context, loss_objective_create_linear(&objective, context, function, inputs),
                  LOSS_ERROR_SUPPORT);
    assert_sentence(context, "target");
    loss_data_free(inputs);
    loss_function_free(function);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes_have_names),
        cmocka_unit_test(test_shapes_are_continuous),
        cmocka_unit_test(test_shapes_decide_the_properties),
        cmocka_unit_test(test_student_is_cauchy),
        cmocka_unit_test(test_small_squares),
        cmocka_unit_test(test_large_ratios),
        cmocka_unit_test(test_rho_and_residual),
        cmocka_unit_test(test_general),
        cmocka_unit_test(test_tolerant),
        cmocka_unit_test(test_scaling_rule),
        cmocka_unit_test(test_no_floor),
        cmocka_unit_test(test_andrews),
        cmocka_unit_test(test_no_target),
    };
    return cmocka_run_group_tests_name("loss_known_robust", tests, known_setup, known_teardown);
}
