/*
 * Identities tried when an operation is built.
 *
 * Shorter: those that change no bit, but for the sign of a zero and which NaN it is: x 1 is x, (-x) y is -(x y), x / 4 is 0.25 x.
 * Stable: where the arithmetic as written loses digits or overflows and the mathematics does not. docs/formulas.md lists them;
 * Higham, Accuracy and Stability of Numerical Algorithms (2nd ed., 2002), sections 1.7 to 1.14, says why.
 */
#include "loss/expression/expression.h"

#include <float.h>
#include <math.h>
#include <stddef.h>

typedef lossi_expression *graph;

static int32_t operation_of(graph e, int32_t node)
{
    return node > 0 ? lossi_expression_node(e, node)->operation : -1;
}

/* The operand of a node that is that operation; LOSSI_NO_NODE when it is another. */
static int32_t operand_of(graph e, int32_t node, int32_t operation)
{
    return operation_of(e, node) == operation ? lossi_expression_node(e, node)->a : LOSSI_NO_NODE;
}

static int32_t unary(graph e, int32_t operation, int32_t a)
{
    return lossi_expression_apply(e, operation, a, LOSSI_NO_NODE, LOSSI_NO_NODE);
}

static int32_t binary(graph e, int32_t operation, int32_t a, int32_t b)
{
    return lossi_expression_apply(e, operation, a, b, LOSSI_NO_NODE);
}

static int32_t negated(graph e, int32_t a)
{
    return unary(e, LOSSI_SCALAR_negate, a);
}

static int32_t is_constant(graph e, int32_t node)
{
    return operation_of(e, node) == LOSSI_SCALAR_CONSTANT;
}

static double value_of(graph e, int32_t node)
{
    return lossi_expression_node(e, node)->value;
}

/* x of x + value; LOSSI_NO_NODE when a node is no such sum. */
static int32_t added_to(graph e, int32_t node, double value)
{
    if (operation_of(e, node) != LOSSI_SCALAR_add) {
        return LOSSI_NO_NODE;
    }
    const lossi_node sum = *lossi_expression_node(e, node);
    return lossi_expression_is(e, sum.a, value)   ? sum.b
           : lossi_expression_is(e, sum.b, value) ? sum.a
                                                  : LOSSI_NO_NODE;
}

/* x of value − x */
static int32_t taken_from(graph e, int32_t node, double value)
{
    if (operation_of(e, node) != LOSSI_SCALAR_subtract) {
        return LOSSI_NO_NODE;
    }
    const lossi_node difference = *lossi_expression_node(e, node);
    return lossi_expression_is(e, difference.a, value) ? difference.b : LOSSI_NO_NODE;
}

/* Whether a constant is a power of two whose reciprocal is a normal number in float32 too. */
static int32_t is_power_of_two(graph e, int32_t node)
{
    int exponent;
    return is_constant(e, node) && fabs(frexp(value_of(e, node), &exponent)) == 0.5 &&
           exponent > FLT_MIN_EXP && exponent < FLT_MAX_EXP;
}

/* ---- sums ---- */

/* value − 1 of a function that comes near 1 */
static int32_t less_one(graph e, int32_t a)
{
    const int32_t power = operand_of(e, a, LOSSI_SCALAR_exp), logit = operand_of(e, a, LOSSI_SCALAR_sigmoid),
                  score = operand_of(e, a, LOSSI_SCALAR_normal_cdf),
                  error = operand_of(e, a, LOSSI_SCALAR_erf), rest = operand_of(e, a, LOSSI_SCALAR_erfc),
                  leg = operand_of(e, a, LOSSI_SCALAR_hypotenuse);
    if (power > 0) {
        return unary(e, LOSSI_SCALAR_expm1, power);
    }
    if (logit > 0) {
        return negated(e, unary(e, LOSSI_SCALAR_sigmoid, negated(e, logit)));
    }
    if (score > 0) {
        return negated(e, unary(e, LOSSI_SCALAR_normal_cdf, negated(e, score)));
    }
    if (error > 0 || rest > 0) {
        return negated(e, error > 0 ? unary(e, LOSSI_SCALAR_erfc, error) : unary(e, LOSSI_SCALAR_erf, rest));
    }
    return leg > 0 ? unary(e, LOSSI_SCALAR_pseudo_huber, leg) : LOSSI_NO_NODE;
}

/* 1 + erf z, which 0 comes near below */
static int32_t one_more(graph e, int32_t b)
{
    const int32_t error = operand_of(e, b, LOSSI_SCALAR_erf);
    return error > 0 ? unary(e, LOSSI_SCALAR_erfc, negated(e, error)) : LOSSI_NO_NODE;
}

static int32_t identity_add(graph e, int32_t a, int32_t b)
{
    const int32_t minus_a = operand_of(e, a, LOSSI_SCALAR_negate),
                  minus_b = operand_of(e, b, LOSSI_SCALAR_negate);
    if (minus_b > 0) {
        return binary(e, LOSSI_SCALAR_subtract, a, minus_b);
    }
    if (minus_a > 0) {
        return binary(e, LOSSI_SCALAR_subtract, b, minus_a);
    }
    if (a == b) {
        return binary(e, LOSSI_SCALAR_multiply, lossi_expression_constant(e, 2), a);
    }
    if (lossi_expression_is(e, a, -0.0) || lossi_expression_is(e, b, -0.0)) {
        return lossi_expression_is(e, a, -0.0) ? b : a;
    }
    if (lossi_expression_is(e, a, -1) || lossi_expression_is(e, b, -1)) {
        return less_one(e, lossi_expression_is(e, a, -1) ? b : a);
    }
    if (lossi_expression_is(e, a, 1) || lossi_expression_is(e, b, 1)) {
        return one_more(e, lossi_expression_is(e, a, 1) ? b : a);
    }
    return LOSSI_NO_NODE;
}

/* 1 − value of a function that comes near 1 */
static int32_t one_less(graph e, int32_t b)
{
    const int32_t root = operand_of(e, operand_of(e, b, LOSSI_SCALAR_square), LOSSI_SCALAR_tanh);
    if (root > 0) { /* 1 − tanh² x = 4 e^(−2x) / (1 + e^(−2x))² */
        const int32_t twice = binary(e, LOSSI_SCALAR_multiply, lossi_expression_constant(e, 2), root);
        return binary(e, LOSSI_SCALAR_multiply, lossi_expression_constant(e, 4),
                      unary(e, LOSSI_SCALAR_logistic_density, twice));
    }
    const int32_t found = less_one(e, b);
    return found > 0 ? negated(e, found) : found;
}

static int32_t identity_subtract(graph e, int32_t a, int32_t b)
{
    const int32_t minus_b = operand_of(e, b, LOSSI_SCALAR_negate);
    if (is_constant(e, b)) {
        return binary(e, LOSSI_SCALAR_add, a, lossi_expression_constant(e, -value_of(e, b)));
    }
    if (minus_b > 0) {
        return binary(e, LOSSI_SCALAR_add, a, minus_b);
    }
    if (lossi_expression_is(e, a, 1)) {
        return one_less(e, b);
    }
    return a == operand_of(e, b, LOSSI_SCALAR_log1p) ? unary(e, LOSSI_SCALAR_x_minus_log1p, a)
                                                     : LOSSI_NO_NODE;
}

/* ---- products ---- */

/* c x of a constant */
static int32_t identity_scaled(graph e, int32_t c, int32_t x)
{
    const int32_t minus_x = operand_of(e, x, LOSSI_SCALAR_negate);
    if (lossi_expression_is(e, c, 1)) {
        return x;
    }
    if (lossi_expression_is(e, c, -1)) {
        return negated(e, x);
    }
    if (minus_x > 0) {
        return binary(e, LOSSI_SCALAR_multiply, lossi_expression_constant(e, -value_of(e, c)), minus_x);
    }
    if (is_power_of_two(e, c) && operation_of(e, x) == LOSSI_SCALAR_multiply) {
        const lossi_node inner = *lossi_expression_node(e, x);
        const int32_t factor = is_constant(e, inner.a) ? inner.a : inner.b;
        if (is_power_of_two(e, factor)) {
            return binary(e, LOSSI_SCALAR_multiply,
                          lossi_expression_constant(e, value_of(e, c) * value_of(e, factor)),
                          factor == inner.a ? inner.b : inner.a);
        }
    }
    return LOSSI_NO_NODE;
}

static int32_t identity_multiply(graph e, int32_t a, int32_t b)
{
    if (is_constant(e, a) || is_constant(e, b)) {
        return is_constant(e, a) ? identity_scaled(e, a, b) : identity_scaled(e, b, a);
    }
    if (a == b) {
        return unary(e, LOSSI_SCALAR_square, a);
    }
    const int32_t minus_a = operand_of(e, a, LOSSI_SCALAR_negate),
                  minus_b = operand_of(e, b, LOSSI_SCALAR_negate);
    if (minus_a > 0) {
        return negated(e, binary(e, LOSSI_SCALAR_multiply, minus_a, b));
    }
    return minus_b > 0 ? negated(e, binary(e, LOSSI_SCALAR_multiply, a, minus_b)) : LOSSI_NO_NODE;
}

static int32_t identity_divide(graph e, int32_t a, int32_t b)
{
    const int32_t minus_a = operand_of(e, a, LOSSI_SCALAR_negate),
                  minus_b = operand_of(e, b, LOSSI_SCALAR_negate);
    if (is_power_of_two(e, b)) {
        return binary(e, LOSSI_SCALAR_multiply, lossi_expression_constant(e, 1 / value_of(e, b)), a);
    }
    if (lossi_expression_is(e, a, 1)) {
        return unary(e, LOSSI_SCALAR_reciprocal, b);
    }
    if (lossi_expression_is(e, a, -1)) {
        return negated(e, unary(e, LOSSI_SCALAR_reciprocal, b));
    }
    if (minus_a > 0) {
        return negated(e, binary(e, LOSSI_SCALAR_divide, minus_a, b));
    }
    if (minus_b > 0) {
        return negated(e, binary(e, LOSSI_SCALAR_divide, a, minus_b));
    }
    if (operation_of(e, a) == LOSSI_SCALAR_exp && added_to(e, b, 1) == a) {
        return unary(e, LOSSI_SCALAR_sigmoid, operand_of(e, a, LOSSI_SCALAR_exp));
    }
    return LOSSI_NO_NODE;
}

static int32_t identity_power(graph e, int32_t a, int32_t b)
{
    const int32_t squared = LOSSI_SCALAR_square;
    if (!is_constant(e, b)) {
        return LOSSI_NO_NODE;
    }
    const double exponent = value_of(e, b);
    return exponent == 1      ? a
           : exponent == 2    ? unary(e, squared, a)
           : exponent == 3    ? binary(e, LOSSI_SCALAR_multiply, a, unary(e, squared, a))
           : exponent == 4    ? unary(e, squared, unary(e, squared, a))
           : exponent == -1   ? unary(e, LOSSI_SCALAR_reciprocal, a)
           : exponent == -2   ? unary(e, LOSSI_SCALAR_reciprocal, unary(e, squared, a))
           : exponent == 0.5  ? unary(e, LOSSI_SCALAR_sqrt, a)
           : exponent == -0.5 ? unary(e, LOSSI_SCALAR_reciprocal, unary(e, LOSSI_SCALAR_sqrt, a))
                              : LOSSI_NO_NODE;
}

/* ---- functions of one operand ---- */

static int32_t identity_log(graph e, int32_t a)
{
    static const struct {
        int32_t inner, outer;
    } functions[] = {{LOSSI_SCALAR_cosh, LOSSI_SCALAR_log_cosh},
                     {LOSSI_SCALAR_normal_cdf, LOSSI_SCALAR_log_normal_cdf}};
    const int32_t more = added_to(e, a, 1), less = taken_from(e, a, 1),
                  logit = operand_of(e, a, LOSSI_SCALAR_sigmoid),
                  decay = operand_of(e, operand_of(e, a, LOSSI_SCALAR_negate), LOSSI_SCALAR_expm1);
    if (decay > 0) {
        return unary(e, LOSSI_SCALAR_log1mexp, negated(e, decay));
    }
    if (more > 0) {
        return unary(e, LOSSI_SCALAR_log1p, more);
    }
    if (less > 0) {
        return unary(e, LOSSI_SCALAR_log1p, negated(e, less));
    }
    if (logit > 0) {
        return negated(e, unary(e, LOSSI_SCALAR_softplus, negated(e, logit)));
    }
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        const int32_t inner = operand_of(e, a, functions[i].inner);
        if (inner > 0) {
            return unary(e, functions[i].outer, inner);
        }
    }
    return operand_of(e, a, LOSSI_SCALAR_exp); /* log(exp(x)) is x */
}

static int32_t identity_log1p(graph e, int32_t a)
{
    const int32_t power = operand_of(e, a, LOSSI_SCALAR_exp), minus = operand_of(e, a, LOSSI_SCALAR_negate);
    if (power > 0) {
        return unary(e, LOSSI_SCALAR_softplus, power);
    }
    const int32_t decay = operand_of(e, minus, LOSSI_SCALAR_exp);
    return decay > 0 ? unary(e, LOSSI_SCALAR_log1mexp, negated(e, decay))
                     : operand_of(e, a, LOSSI_SCALAR_expm1); /* log1p(expm1(x)) is x */
}

static int32_t identity_sqrt(graph e, int32_t a)
{
    const int32_t root = operand_of(e, a, LOSSI_SCALAR_square),
                  leg = operand_of(e, added_to(e, a, 1), LOSSI_SCALAR_square);
    return root > 0  ? unary(e, LOSSI_SCALAR_abs, root)
           : leg > 0 ? unary(e, LOSSI_SCALAR_hypotenuse, leg)
                     : LOSSI_NO_NODE;
}

static int32_t identity_reciprocal(graph e, int32_t a)
{
    const int32_t power = operand_of(e, added_to(e, a, 1), LOSSI_SCALAR_exp),
                  minus = operand_of(e, a, LOSSI_SCALAR_negate);
    return power > 0   ? unary(e, LOSSI_SCALAR_sigmoid, negated(e, power))
           : minus > 0 ? negated(e, unary(e, LOSSI_SCALAR_reciprocal, minus))
                       : LOSSI_NO_NODE;
}

static int32_t identity_negate(graph e, int32_t a)
{
    const int32_t minus = operand_of(e, a, LOSSI_SCALAR_negate);
    if (minus > 0 || operation_of(e, a) != LOSSI_SCALAR_multiply) {
        return minus;
    }
    const lossi_node product = *lossi_expression_node(e, a);
    const int32_t factor = is_constant(e, product.a) ? product.a : product.b;
    return !is_constant(e, factor)
               ? LOSSI_NO_NODE
               : binary(e, LOSSI_SCALAR_multiply, lossi_expression_constant(e, -value_of(e, factor)),
                        factor == product.a ? product.b : product.a);
}

/* f(−x) = f(x) */
static int32_t identity_even(graph e, int32_t operation, int32_t a)
{
    const int32_t minus = operand_of(e, a, LOSSI_SCALAR_negate), size = operand_of(e, a, LOSSI_SCALAR_abs);
    return minus > 0 ? unary(e, operation, minus) : size > 0 ? unary(e, operation, size) : LOSSI_NO_NODE;
}

/* f(−x) = −f(x) */
static int32_t identity_odd(graph e, int32_t operation, int32_t a)
{
    const int32_t minus = operand_of(e, a, LOSSI_SCALAR_negate);
    return minus > 0 ? negated(e, unary(e, operation, minus)) : LOSSI_NO_NODE;
}

static int32_t identity_select(graph e, int32_t a, int32_t b, int32_t c)
{
    if (!is_constant(e, a) || isnan(value_of(e, a))) {
        return LOSSI_NO_NODE;
    }
    return value_of(e, a) != 0 ? b : c;
}

/* A truth is not 0 where it is true. */
static int32_t identity_not_equal(graph e, int32_t a, int32_t b)
{
    const int32_t operation = operation_of(e, a);
    return operation >= LOSSI_SCALAR_less && operation <= LOSSI_SCALAR_not_equal && is_constant(e, b) &&
                   value_of(e, b) == 0
               ? a
               : LOSSI_NO_NODE;
}

int32_t lossi_expression_identity(lossi_expression *expression, int32_t operation, int32_t a, int32_t b,
                                  int32_t c)
{
    graph e = expression;
    switch (operation) {
    case LOSSI_SCALAR_add:
        return identity_add(e, a, b);
    case LOSSI_SCALAR_subtract:
        return identity_subtract(e, a, b);
    case LOSSI_SCALAR_multiply:
        return identity_multiply(e, a, b);
    case LOSSI_SCALAR_divide:
        return identity_divide(e, a, b);
    case LOSSI_SCALAR_power:
        return identity_power(e, a, b);
    case LOSSI_SCALAR_negate:
        return identity_negate(e, a);
    case LOSSI_SCALAR_reciprocal:
        return identity_reciprocal(e, a);
    case LOSSI_SCALAR_sqrt:
        return identity_sqrt(e, a);
    case LOSSI_SCALAR_log:
        return identity_log(e, a);
    case LOSSI_SCALAR_log1p:
        return identity_log1p(e, a);
    case LOSSI_SCALAR_select:
        return identity_select(e, a, b, c);
    case LOSSI_SCALAR_not_equal:
        return identity_not_equal(e, a, b);
    case LOSSI_SCALAR_minimum:
    case LOSSI_SCALAR_maximum:
        return a == b ? a : LOSSI_NO_NODE;
    case LOSSI_SCALAR_abs:
    case LOSSI_SCALAR_square:
    case LOSSI_SCALAR_cosh:
    case LOSSI_SCALAR_log_cosh:
    case LOSSI_SCALAR_hypotenuse:
    case LOSSI_SCALAR_pseudo_huber:
    case LOSSI_SCALAR_logistic_density:
    case LOSSI_SCALAR_normal_density:
    case LOSSI_SCALAR_cos:
    case LOSSI_SCALAR_erf_slope:
        return identity_even(e, operation, a);
    case LOSSI_SCALAR_sign:
    case LOSSI_SCALAR_sinh:
    case LOSSI_SCALAR_tanh:
    case LOSSI_SCALAR_sin:
    case LOSSI_SCALAR_tan:
    case LOSSI_SCALAR_atan:
    case LOSSI_SCALAR_erf:
    case LOSSI_SCALAR_hypotenuse_slope:
        return identity_odd(e, operation, a);
    default:
        return LOSSI_NO_NODE;
    }
}
