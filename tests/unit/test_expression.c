/* Expressions: each operation and its derivatives, the identities, the kinks. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "expression.h"

enum { MOST = 10000 };

static loss_context *new_context(void)
{
    loss_context *context = NULL;
    assert_int_equal(loss_context_create(&context), LOSS_OK);
    return context;
}

/* ---- helpers for all ---- */

double run_once(lossi_expression *e, int32_t node, loss_dtype dtype, int32_t inputs, const double *values)
{
    lossi_program *program;
    double numbers[8] = {0}, result = 0;
    const void *pointers[8];
    void *output = &result;
    for (int32_t k = 0; k < inputs; k++) {
        set_element(&numbers[k], dtype, 0, values[k]);
        pointers[k] = &numbers[k];
    }
    assert_int_equal(lossi_program_compile(&program, e, &node, 1, inputs, NULL), 0);
    void *scratch = lossi_scratch(lossi_expression_context(e), lossi_program_scratch(program));
    assert_non_null(scratch);
    lossi_program_run(program, LOSSI_BASE, lossi_real_index(dtype), 1, pointers, &output, scratch);
    lossi_program_free(program);
    return element(&result, dtype, 0);
}

double difference_of(lossi_expression *e, int32_t node, int32_t inputs, const double *values, int32_t input,
                     double *error)
{
    enum { LEVELS = 8 };
    double table[LEVELS][LEVELS], best = NAN, step = 0.02 * fmax(1e-3, fabs(values[input])), at[8];
    memcpy(at, values, (size_t)inputs * sizeof *at);
    *error = INFINITY;
    for (int i = 0; i < LEVELS; i++, step /= 1.6) {
        at[input] = values[input] + step;
        const double high = at[input], above = run_once(e, node, LOSS_FLOAT64, inputs, at);
        at[input] = values[input] - step;
        const double below = run_once(e, node, LOSS_FLOAT64, inputs, at);
        table[i][0] = (above - below) / (high - at[input]);
        double factor = 1.6 * 1.6;
        for (int j = 1; j <= i; j++, factor *= 1.6 * 1.6) {
            table[i][j] = (table[i][j - 1] * factor - table[i - 1][j - 1]) / (factor - 1);
            const double off = fmax(fabs(table[i][j] - table[i][j - 1]),
                                    fabs(table[i][j] - table[i - 1][j - 1]));
            if (off <= *error) {
                *error = off;
                best = table[i][j];
            }
        }
    }
    return best;
}

/* ---- operations ---- */

static const double numbers[] = {-710, -89,  -30,  -7.25, -3,  -1.5,  -1,   -0.75, -0.3, -1e-3, -1e-9, -0.0,
                                 0.0,  1e-9, 1e-3, 0.3,   0.5, 0.875, 1.25, 2,     3.5,  11,    40,    700};

/* Largest errors in ulp: the bounds of docs/numerics.md, and for what is made of several, of its parts. */
static double bound_of(int32_t operation)
{
    switch (operation) {
    case LOSSI_SCALAR_normal_hazard_slope:
        return 8;
    case LOSSI_SCALAR_xlogy:
    case LOSSI_SCALAR_log_cosh:
    case LOSSI_SCALAR_logistic_density:
    case LOSSI_SCALAR_normal_density:
    case LOSSI_SCALAR_normal_cdf:
    case LOSSI_SCALAR_log_normal_cdf:
    case LOSSI_SCALAR_normal_hazard:
    case LOSSI_SCALAR_erfc:
        return 4;
    default:
        return 2.5;
    }
}

/* Where the long double of libm is not exact enough to judge. */
static int32_t is_hard(int32_t operation, double a)
{
    const int32_t slope = operation == LOSSI_SCALAR_normal_hazard_slope;
    return (slope && fabs(a) > 6) ||
           ((operation == LOSSI_SCALAR_normal_hazard || operation == LOSSI_SCALAR_log_normal_cdf) &&
            fabs(a) > 100);
}

static void check_operation(lossi_expression *e, int32_t operation, loss_dtype dtype, const double *values)
{
    double rounded[3];
    int32_t inputs[3];
    for (int32_t k = 0; k < 3; k++) {
        rounded[k] = dtype == LOSS_FLOAT32 ? (double)(float)values[k] : values[k];
        inputs[k] = lossi_expression_input(e, k);
    }
    const int32_t node = lossi_expression_make(e, operation, inputs[0], inputs[1], inputs[2]);
    const long double exact = reference_of(operation, rounded[0], rounded[1], rounded[2]);
    const double made = run_once(e, node, dtype, 3, rounded);
    const double largest = dtype == LOSS_FLOAT32 ? FLT_MAX : DBL_MAX;
    if (is_hard(operation, values[0])) {
        return;
    }
    if (fabsl(exact) > largest || isnan((double)exact)) {
        if (isnan((double)exact) ? !isnan(made) : !isinf(made) || (made > 0) != (exact > 0)) {
            fail_msg("%s(%.17g, %.17g, %.17g) is %.17g; %Lg was expected", lossi_scalar_name(operation),
                     rounded[0], rounded[1], rounded[2], made, exact);
        }
        return;
    }
    if (!(fabsl((long double)made - exact) <= bound_of(operation) * ulp_of(exact, dtype))) {
        fail_msg("%s(%.17g, %.17g, %.17g) is %.17g; %.20Lg was expected", lossi_scalar_name(operation),
                 rounded[0], rounded[1], rounded[2], made, exact);
    }
}

static void operations_are_what_libm_says(void **state)
{
    enum { COUNT = sizeof numbers / sizeof *numbers };
    loss_context *context = new_context();
    lossi_expression *e = lossi_expression_create(context, MOST);
    (void)state;
    for (int32_t operation = 0; operation < LOSSI_SCALAR_COUNT; operation++) {
        const int32_t second = lossi_scalar_operands(operation) > 1 ? COUNT : 1;
        for (int32_t i = 0; i < COUNT * second; i++) {
            const double values[3] = {numbers[i % COUNT], numbers[i / COUNT], 2.75};
            check_operation(e, operation, LOSS_FLOAT32, values);
            check_operation(e, operation, LOSS_FLOAT64, values);
        }
    }
    lossi_expression_free(e);
    loss_context_free(context);
}

static void not_a_number_stays(void **state)
{
    loss_context *context = new_context();
    lossi_expression *e = lossi_expression_create(context, MOST);
    (void)state;
    for (int32_t operation = 0; operation < LOSSI_SCALAR_COUNT; operation++) {
        for (int32_t k = 0; k < lossi_scalar_operands(operation); k++) {
            double values[3] = {0.25, 0.25, 0.25};
            int32_t inputs[3];
            for (int32_t i = 0; i < 3; i++) {
                inputs[i] = lossi_expression_input(e, i);
            }
            if (operation == LOSSI_SCALAR_select && k == 2) {
                values[0] = 0;
            }
            values[k] = NAN;
            const int32_t node = lossi_expression_make(e, operation, inputs[0], inputs[1], inputs[2]);
            const int32_t slope = lossi_expression_derivative(e, node, k);
            const int32_t constant = lossi_expression_node(e, slope)->operation == LOSSI_SCALAR_CONSTANT;
            assert_true(isnan(run_once(e, node, LOSS_FLOAT32, 3, values)));
            assert_true(isnan(run_once(e, node, LOSS_FLOAT64, 3, values)));
            assert_true(constant || isnan(run_once(e, slope, LOSS_FLOAT64, 3, values)) ||
                        operation == LOSSI_SCALAR_multiply || operation == LOSSI_SCALAR_select ||
                        operation == LOSSI_SCALAR_xlogy || operation == LOSSI_SCALAR_divide);
        }
    }
    lossi_expression_free(e);
    loss_context_free(context);
}

/* ---- derivatives ---- */

static void check_derivative(lossi_expression *e, int32_t node, const double *values, int32_t input)
{
    double error, second_error;
    const int32_t slope = lossi_expression_derivative(e, node, input);
    const int32_t curvature = lossi_expression_derivative(e, slope, input);
    const int32_t back = lossi_expression_adjoint(e, node, lossi_expression_constant(e, 1), input);
    const double expected = difference_of(e, node, 3, values, input, &error);
    const double made = run_once(e, slope, LOSS_FLOAT64, 3, values);
    const double second = difference_of(e, slope, 3, values, input, &second_error);
    if (isfinite(expected) && error < 1e-6 * (1 + fabs(expected))) {
        assert_close(made, expected, 1e-7, 1e-9 + 4 * error);
        assert_close(run_once(e, back, LOSS_FLOAT64, 3, values), made, 1e-13, 1e-300);
    }
    if (isfinite(second) && second_error < 1e-6 * (1 + fabs(second))) {
        assert_close(run_once(e, curvature, LOSS_FLOAT64, 3, values), second, 1e-7, 1e-9 + 4 * second_error);
    }
}

static void operations_derive(void **state)
{
    static const double places[] = {-9.5, -2.3, -0.7, -0.02, 0.013, 0.41, 0.93, 1.7, 4.25, 31};
    enum { COUNT = sizeof places / sizeof *places };
    loss_context *context = new_context();
    lossi_expression *e = lossi_expression_create(context, MOST);
    (void)state;
    for (int32_t operation = 0; operation < LOSSI_SCALAR_COUNT; operation++) {
        const int32_t operands = lossi_scalar_operands(operation);
        for (int32_t i = 0; i < (operands > 1 ? COUNT * COUNT : COUNT); i++) {
            const double values[3] = {places[i % COUNT], places[i / COUNT] * 1.01, 2.75};
            const int32_t a = lossi_expression_input(e, 0), b = lossi_expression_input(e, 1);
            const int32_t node = lossi_expression_make(e, operation, a, b, lossi_expression_input(e, 2));
            for (int32_t k = 0; k < operands; k++) {
                check_derivative(e, node, values, k);
            }
        }
    }
    lossi_expression_free(e);
    loss_context_free(context);
}

typedef struct graph {
    lossi_expression *e;
    int32_t x, y, zero, one, two;
} graph;

static graph new_graph(loss_context *context)
{
    graph g = {.e = lossi_expression_create(context, MOST)};
    assert_non_null(g.e);
    g.x = lossi_expression_input(g.e, 0);
    g.y = lossi_expression_input(g.e, 1);
    g.zero = lossi_expression_constant(g.e, 0);
    g.one = lossi_expression_constant(g.e, 1);
    g.two = lossi_expression_constant(g.e, 2);
    return g;
}

static int32_t of(graph *g, int32_t operation, int32_t a, int32_t b)
{
    return lossi_expression_apply(g->e, operation, a, b, LOSSI_NO_NODE);
}

#define OF(name, a)       of(&g, LOSSI_SCALAR_##name, a, LOSSI_NO_NODE)
#define WITH(name, a, b)  of(&g, LOSSI_SCALAR_##name, a, b)
#define NUMBER(value)     lossi_expression_constant(g.e, value)
#define SAME(node, other) assert_int_equal(node, other)

static void kinks_have_the_smallest_slope(void **state)
{
    loss_context *context = new_context();
    graph g = new_graph(context);
    (void)state;
    const int32_t q = WITH(subtract, g.y, g.x); /* the quantile loss at 0.3: slopes −0.3 and 0.7 */
    const struct {
        int32_t node;
        double x, y, slope, curvature;
    } rows[] = {
        {OF(abs, g.x), 0, 0, 0, 0},
        {OF(abs, WITH(subtract, g.x, g.y)), 2.5, 2.5, 0, 0},
        {WITH(maximum, g.x, g.zero), 0, 0, 0, 0},
        {WITH(minimum, g.x, g.zero), 0, 0, 0, 0},
        {WITH(maximum, WITH(multiply, NUMBER(0.3), q), WITH(multiply, NUMBER(-0.7), q)), 1.5, 1.5, 0, 0},
        {WITH(maximum, WITH(multiply, NUMBER(3), g.x), WITH(multiply, NUMBER(5), g.x)), 0, 0, 3, 0},
        {WITH(minimum, WITH(multiply, NUMBER(-3), g.x), WITH(multiply, NUMBER(-5), g.x)), 0, 0, -3, 0},
        {WITH(maximum, g.x, OF(square, g.x)), 1, 0, 1, 0},
        {WITH(maximum, g.x, OF(square, g.x)), 2, 0, 4, 2},
        {WITH(maximum, g.x, OF(square, g.x)), 0.5, 0, 1, 0},
        {OF(square, WITH(maximum, g.zero, WITH(subtract, g.one, g.x))), 1, 0, 0, 0},
        {OF(square, WITH(maximum, g.zero, WITH(subtract, g.one, g.x))), 0.25, 0, -1.5, 2},
        {OF(sign, g.x), 0, 0, 0, 0},
        {OF(floor, g.x), 2, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const double at[2] = {rows[i].x, rows[i].y};
        const int32_t slope = lossi_expression_derivative(g.e, rows[i].node, 0);
        const int32_t curvature = lossi_expression_derivative(g.e, slope, 0);
        assert_close(run_once(g.e, slope, LOSS_FLOAT64, 2, at), rows[i].slope, 0, 0);
        assert_close(run_once(g.e, curvature, LOSS_FLOAT32, 2, at), rows[i].curvature, 0, 0);
    }
    /* backwards, two that tie get half each, and a constant nothing */
    const double tie[2] = {1.5, 1.5};
    const int32_t seed = NUMBER(3), most = WITH(maximum, g.x, g.y), held = WITH(minimum, g.x, NUMBER(1.5));
    assert_close(run_once(g.e, lossi_expression_adjoint(g.e, most, seed, 0), LOSS_FLOAT64, 2, tie), 1.5, 0,
                 0);
    assert_close(run_once(g.e, lossi_expression_adjoint(g.e, most, seed, 1), LOSS_FLOAT64, 2, tie), 1.5, 0,
                 0);
    assert_close(run_once(g.e, lossi_expression_adjoint(g.e, held, seed, 0), LOSS_FLOAT64, 2, tie), 0, 0, 0);
    lossi_expression_free(g.e);
    loss_context_free(context);
}

/* ---- identities ---- */

static void stable_forms_are_found(void **state)
{
    loss_context *context = new_context();
    graph g = new_graph(context);
    (void)state;
    const int32_t e = OF(exp, g.x), decay = OF(exp, OF(negate, g.x)), s = OF(sigmoid, g.x);
    const int32_t minus = OF(negate, g.x);
    SAME(OF(log, WITH(add, g.one, g.x)), OF(log1p, g.x));
    SAME(OF(log, WITH(add, g.x, g.one)), OF(log1p, g.x));
    SAME(OF(log, WITH(add, g.one, e)), OF(softplus, g.x));
    SAME(OF(log, WITH(subtract, g.one, g.x)), OF(log1p, minus));
    SAME(OF(log, WITH(subtract, g.one, decay)), OF(log1mexp, g.x));
    SAME(OF(log, e), g.x);
    SAME(OF(log1p, OF(expm1, g.x)), g.x);
    SAME(WITH(subtract, e, g.one), OF(expm1, g.x));
    SAME(WITH(subtract, g.one, e), OF(negate, OF(expm1, g.x)));
    SAME(WITH(divide, g.one, WITH(add, g.one, decay)), s);
    SAME(WITH(divide, e, WITH(add, g.one, e)), s);
    SAME(WITH(subtract, g.one, s), OF(sigmoid, minus));
    SAME(WITH(subtract, g.one, OF(erf, g.x)), OF(erfc, g.x));
    SAME(WITH(add, g.one, OF(erf, g.x)), OF(erfc, minus));
    SAME(WITH(add, g.one, OF(erf, minus)), OF(erfc, g.x));
    SAME(WITH(subtract, g.one, OF(erfc, g.x)), OF(erf, g.x));
    SAME(OF(sin, minus), OF(negate, OF(sin, g.x)));
    SAME(OF(cos, minus), OF(cos, g.x));
    SAME(OF(log, s), OF(negate, OF(softplus, minus)));
    SAME(OF(log, WITH(subtract, g.one, s)), OF(negate, OF(softplus, g.x)));
    SAME(OF(sqrt, WITH(multiply, g.x, g.x)), OF(abs, g.x));
    SAME(OF(sqrt, WITH(power, g.x, g.two)), OF(abs, g.x));
    SAME(OF(sqrt, WITH(add, g.one, OF(square, g.x))), OF(hypotenuse, g.x));
    SAME(WITH(subtract, OF(hypotenuse, g.x), g.one), OF(pseudo_huber, g.x));
    SAME(OF(log, OF(cosh, g.x)), OF(log_cosh, g.x));
    SAME(OF(log, OF(normal_cdf, g.x)), OF(log_normal_cdf, g.x));
    SAME(WITH(subtract, g.one, OF(normal_cdf, g.x)), OF(normal_cdf, minus));
    SAME(WITH(subtract, g.x, OF(log1p, g.x)), OF(x_minus_log1p, g.x));
    SAME(WITH(subtract, g.one, OF(square, OF(tanh, g.x))),
         WITH(multiply, NUMBER(4), OF(logistic_density, WITH(multiply, g.two, g.x))));
    lossi_expression_free(g.e);
    loss_context_free(context);
}

static void shorter_forms_are_found(void **state)
{
    loss_context *context = new_context();
    graph g = new_graph(context);
    (void)state;
    const int32_t minus_x = OF(negate, g.x), xy = WITH(multiply, g.x, g.y);
    SAME(WITH(add, g.y, g.x), WITH(add, g.x, g.y));
    SAME(WITH(multiply, g.one, g.x), g.x);
    SAME(WITH(multiply, g.x, NUMBER(-1)), minus_x);
    SAME(WITH(multiply, minus_x, g.y), OF(negate, xy));
    SAME(WITH(multiply, minus_x, OF(negate, g.y)), xy);
    SAME(OF(negate, minus_x), g.x);
    SAME(WITH(add, g.y, minus_x), WITH(subtract, g.y, g.x));
    SAME(WITH(subtract, g.y, minus_x), WITH(add, g.y, g.x));
    SAME(WITH(subtract, g.x, g.two), WITH(add, g.x, NUMBER(-2)));
    SAME(WITH(subtract, g.x, g.zero), g.x);
    SAME(WITH(divide, g.x, NUMBER(4)), WITH(multiply, NUMBER(0.25), g.x));
    SAME(WITH(divide, g.one, g.x), OF(reciprocal, g.x));
    SAME(WITH(divide, minus_x, g.y), OF(negate, WITH(divide, g.x, g.y)));
    SAME(WITH(multiply, NUMBER(0.5), WITH(multiply, g.two, g.x)), g.x);
    SAME(OF(square, minus_x), OF(square, g.x));
    SAME(OF(tanh, minus_x), OF(negate, OF(tanh, g.x)));
    SAME(WITH(power, g.x, NUMBER(3)), WITH(multiply, g.x, OF(square, g.x)));
    SAME(WITH(add, NUMBER(0.75), NUMBER(2)), NUMBER(2.75));
    SAME(lossi_expression_apply(g.e, LOSSI_SCALAR_select, g.two, g.x, g.y), g.x);
    /* and not what a zero, an infinity or a NaN would show */
    assert_int_not_equal(WITH(multiply, g.zero, g.x), g.zero);
    assert_int_not_equal(WITH(add, g.zero, g.x), g.x);
    assert_int_not_equal(WITH(subtract, g.x, g.x), g.zero);
    assert_int_not_equal(WITH(power, g.x, g.zero), g.one);
    lossi_expression_free(g.e);
    loss_context_free(context);
}

/* Written as anyone would write it, exact in the tails: the logistic loss of a margin, its slope and its curvature. */
static void tails_are_exact(void **state)
{
    loss_context *context = new_context();
    graph g = new_graph(context);
    (void)state;
    const int32_t margin = WITH(multiply, OF(negate, g.y), g.x);
    const int32_t loss = OF(log, WITH(add, g.one, OF(exp, margin)));
    const int32_t slope = lossi_expression_derivative(g.e, loss, 0);
    const int32_t curvature = lossi_expression_derivative(g.e, slope, 0);
    const double far[2] = {80, 1}, wrong[2] = {-1e30, 1}, beyond[2] = {INFINITY, -1};
    assert_ulp(run_once(g.e, loss, LOSS_FLOAT32, 2, far), (double)expl(-80), 4, LOSS_FLOAT32);
    assert_ulp(run_once(g.e, slope, LOSS_FLOAT32, 2, far), (double)-expl(-80), 4, LOSS_FLOAT32);
    assert_ulp(run_once(g.e, curvature, LOSS_FLOAT64, 2, far), (double)expl(-80), 4, LOSS_FLOAT64);
    assert_ulp(run_once(g.e, loss, LOSS_FLOAT32, 2, wrong), (double)1e30f, 0, LOSS_FLOAT32);
    assert_ulp(run_once(g.e, slope, LOSS_FLOAT64, 2, wrong), -1, 0, LOSS_FLOAT64);
    assert_close(run_once(g.e, loss, LOSS_FLOAT64, 2, beyond), INFINITY, 0, 0);
    assert_close(run_once(g.e, slope, LOSS_FLOAT64, 2, beyond), 1, 0, 0);
    assert_close(run_once(g.e, curvature, LOSS_FLOAT64, 2, beyond), 0, 0, 0);
    lossi_expression_free(g.e);
    loss_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations_are_what_libm_says),
        cmocka_unit_test(not_a_number_stays),
        cmocka_unit_test(operations_derive),
        cmocka_unit_test(kinks_have_the_smallest_slope),
        cmocka_unit_test(stable_forms_are_found),
        cmocka_unit_test(shorter_forms_are_found),
        cmocka_unit_test(tails_are_exact),
        cmocka_unit_test(random_graphs_are_what_libm_says),
        cmocka_unit_test(random_graphs_derive),
        cmocka_unit_test(random_graphs_have_the_same_bits),
        cmocka_unit_test(any_length_and_place),
        cmocka_unit_test(outputs_of_every_kind),
        cmocka_unit_test(outputs_over_inputs),
        cmocka_unit_test(scalars_are_computed_once),
        cmocka_unit_test(choices_are_their_parts),
        cmocka_unit_test(extremes_are_their_parts),
        cmocka_unit_test(pieces_are_their_parts),
        cmocka_unit_test(quotients_by_a_number),
        cmocka_unit_test(registers_are_used_again),
        cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(nodes_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
