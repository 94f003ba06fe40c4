/*
 * Derivatives of expressions, as expressions.
 *
 * Of every operation there is a rule that gives factor · ∂(operation)/∂(operand): the chain rule forwards with the derivative of
 * the operand as factor, backwards with that of the result (Griewank & Walther, Evaluating Derivatives, 2nd ed., 2008, chapters
 * 3 and 6). What is 0 by its structure is no node and has no term, so that 0 · infinity does not come up. At a kink of a
 * derivative that is taken forwards stands the smallest element of what lies between both sides (docs/numerics.md).
 */
#include "loss/expression/expression.h"

#include <stddef.h>

typedef lossi_expression *graph;

static int32_t unary(graph e, int32_t operation, int32_t a)
{
    return lossi_expression_apply(e, operation, a, LOSSI_NO_NODE, LOSSI_NO_NODE);
}

static int32_t binary(graph e, int32_t operation, int32_t a, int32_t b)
{
    return lossi_expression_apply(e, operation, a, b, LOSSI_NO_NODE);
}

static int32_t times(graph e, int32_t a, int32_t b)
{
    return binary(e, LOSSI_SCALAR_multiply, a, b);
}

static int32_t number_times(graph e, double number, int32_t a)
{
    return times(e, lossi_expression_constant(e, number), a);
}

static int32_t over(graph e, int32_t a, int32_t b)
{
    return binary(e, LOSSI_SCALAR_divide, a, b);
}

static int32_t minus(graph e, int32_t a)
{
    return unary(e, LOSSI_SCALAR_negate, a);
}

static int32_t plus_number(graph e, int32_t a, double number)
{
    return binary(e, LOSSI_SCALAR_add, a, lossi_expression_constant(e, number));
}

/* What a rule is given: the node and its operands, which operand, and the factor. */
typedef struct rule {
    graph e;
    int32_t node, a, b, c, operand, factor;
} rule;

/* factor · f(a) */
static int32_t term_of(const rule *r, int32_t f)
{
    return times(r->e, r->factor, unary(r->e, f, r->a));
}

static int32_t term_add(const rule *r)
{
    return r->factor;
}

static int32_t term_subtract(const rule *r)
{
    return r->operand == 0 ? r->factor : minus(r->e, r->factor);
}

static int32_t term_multiply(const rule *r)
{
    return times(r->e, r->factor, r->operand == 0 ? r->b : r->a);
}

static int32_t term_divide(const rule *r)
{
    return r->operand == 0 ? over(r->e, r->factor, r->b)
                           : minus(r->e, over(r->e, times(r->e, r->factor, r->node), r->b));
}

static int32_t term_negate(const rule *r)
{
    return minus(r->e, r->factor);
}

static int32_t term_square(const rule *r)
{
    return number_times(r->e, 2, times(r->e, r->factor, r->a));
}

static int32_t term_reciprocal(const rule *r)
{
    return minus(r->e, times(r->e, r->factor, unary(r->e, LOSSI_SCALAR_square, r->node)));
}

/* b a^(b − 1), 0 where b is the number 0; a^b log a, 0 where a and so a^b is 0 */
static int32_t term_power(const rule *r)
{
    if (r->operand == 0) {
        const int32_t below = binary(r->e, LOSSI_SCALAR_power, r->a, plus_number(r->e, r->b, -1));
        return lossi_expression_is(r->e, r->b, 0) || lossi_expression_is(r->e, r->b, -0.0)
                   ? lossi_expression_constant(r->e, 0)
                   : times(r->e, r->factor, times(r->e, r->b, below));
    }
    return times(r->e, r->factor, binary(r->e, LOSSI_SCALAR_xlogy, r->node, r->a));
}

static int32_t term_sqrt(const rule *r)
{
    return over(r->e, number_times(r->e, 0.5, r->factor), r->node);
}

static int32_t term_hypotenuse(const rule *r)
{
    return term_of(r, LOSSI_SCALAR_hypotenuse_slope);
}

/* (1 + a²)^(−3/2) */
static int32_t term_hypotenuse_slope(const rule *r)
{
    const int32_t root = unary(r->e, LOSSI_SCALAR_hypotenuse, r->a);
    return over(r->e, over(r->e, r->factor, root), unary(r->e, LOSSI_SCALAR_square, root));
}

static int32_t term_pseudo_huber(const rule *r)
{
    return term_of(r, LOSSI_SCALAR_hypotenuse_slope);
}

static int32_t term_abs(const rule *r)
{
    return term_of(r, LOSSI_SCALAR_sign);
}

/* Of what is constant between jumps. */
static int32_t term_nothing(const rule *r)
{
    return lossi_expression_constant(r->e, 0);
}

#define term_sign          term_nothing
#define term_floor         term_nothing
#define term_heaviside     term_nothing
#define term_less          term_nothing
#define term_less_equal    term_nothing
#define term_greater       term_nothing
#define term_greater_equal term_nothing
#define term_equal         term_nothing
#define term_not_equal     term_nothing

static int32_t chosen(graph e, int32_t condition, int32_t yes, int32_t no)
{
    return lossi_expression_apply(e, LOSSI_SCALAR_select, condition, yes, no);
}

/*
 * A number beside a constant counts where it is beyond it, which the result tells as well: so whoever has the result, as the
 * next layer of a network has, need not keep the number. Of two numbers, each half where they tie.
 */
static int32_t term_extreme(const rule *r, int32_t beyond)
{
    const int32_t own = r->operand == 0 ? r->a : r->b, other = r->operand == 0 ? r->b : r->a;
    const int32_t greater = beyond == LOSSI_SCALAR_greater;
    return lossi_expression_node(r->e, other)->operation == LOSSI_SCALAR_CONSTANT
               ? chosen(r->e, binary(r->e, beyond, r->node, other), r->factor,
                        lossi_expression_constant(r->e, 0))
               : times(r->e, r->factor,
                       binary(r->e, LOSSI_SCALAR_heaviside, greater ? own : other, greater ? other : own));
}

static int32_t term_minimum(const rule *r)
{
    return term_extreme(r, LOSSI_SCALAR_less);
}

static int32_t term_maximum(const rule *r)
{
    return term_extreme(r, LOSSI_SCALAR_greater);
}

static int32_t term_select(const rule *r)
{
    const int32_t zero = lossi_expression_constant(r->e, 0);
    return r->operand == 0   ? zero
           : r->operand == 1 ? chosen(r->e, r->a, r->factor, zero)
                             : chosen(r->e, r->a, zero, r->factor);
}

static int32_t term_exp(const rule *r)
{
    return times(r->e, r->factor, r->node);
}

static int32_t term_expm1(const rule *r)
{
    return term_of(r, LOSSI_SCALAR_exp);
}

static int32_t term_log(const rule *r)
{
    return over(r->e, r->factor, r->a);
}

static int32_t term_log1p(const rule *r)
{
    return over(r->e, r->factor, plus_number(r->e, r->a, 1));
}

/* a / (1 + a) */
static int32_t term_x_minus_log1p(const rule *r)
{
    return over(r->e, times(r->e, r->factor, r->a), plus_number(r->e, r->a, 1));
}

/* 1 / (e^a − 1) */
static int32_t term_log1mexp(const rule *r)
{
    return over(r->e, r->factor, unary(r->e, LOSSI_SCALAR_expm1, r->a));
}

/* log b and a / b, both 0 where a is 0 whatever b is, as PyTorch has it; a NaN of b stays one: 1/2 where b = b, else NaN. */
static int32_t term_xlogy(const rule *r)
{
    const int32_t zero = lossi_expression_constant(r->e, 0);
    if (r->operand == 0) {
        const int32_t counts = binary(r->e, LOSSI_SCALAR_not_equal, r->a, zero);
        return times(r->e, r->factor, binary(r->e, LOSSI_SCALAR_xlogy, counts, r->b));
    }
    const int32_t held = binary(r->e, LOSSI_SCALAR_heaviside, r->b, r->b);
    return over(r->e, times(r->e, r->factor, r->a), chosen(r->e, r->a, r->b, held));
}

static int32_t term_sinh(const rule *r)
{
    return term_of(r, LOSSI_SCALAR_cosh);
}

static int32_t term_cosh(const rule *r)
{
    return term_of(r, LOSSI_SCALAR_sinh);
}

/* 1 − tanh² a = 4 logistic_density(2a), without cancellation */
static int32_t term_tanh(const rule *r)
{
    const int32_t density = unary(r->e, LOSSI_SCALAR_logistic_density, number_times(r->e, 2, r->a));
    return times(r->e, r->factor, number_times(r->e, 4, density));
}

static int32_t term_log_cosh(const rule *r)
{
    return term_of(r, LOSSI_SCALAR_tanh);
}

static int32_t term_sigmoid(const rule *r)
{
    return term_of(r, LOSSI_SCALAR_logistic_density);
}

static int32_t term_softplus(const rule *r)
{
    return term_of(r, LOSSI_SCALAR_sigmoid);
}

/* The density times 1 − 2 sigmoid(a) = −tanh(a / 2) */
static int32_t term_logistic_density(const rule *r)
{
    const int32_t slope = unary(r->e, LOSSI_SCALAR_tanh, number_times(r->e, 0.5, r->a));
    return minus(r->e, times(r->e, r->factor, times(r->e, r->node, slope)));
}

static int32_t term_sin(const rule *r)
{
    return term_of(r, LOSSI_SCALAR_cos);
}

static int32_t term_cos(const rule *r)
{
    return minus(r->e, term_of(r, LOSSI_SCALAR_sin));
}

/* 1 + tan² a */
static int32_t term_tan(const rule *r)
{
    return times(r->e, r->factor, plus_number(r->e, unary(r->e, LOSSI_SCALAR_square, r->node), 1));
}

static int32_t term_atan(const rule *r)
{
    return over(r->e, r->factor, plus_number(r->e, unary(r->e, LOSSI_SCALAR_square, r->a), 1));
}

/* −a times the density, a held where the density is 0 in either type, so that it is 0 at infinity too */
static int32_t term_normal_density(const rule *r)
{
    const double far = 64; /* e^(−64²/2) is far below the smallest number */
    const int32_t above = binary(r->e, LOSSI_SCALAR_minimum, r->a, lossi_expression_constant(r->e, far));
    const int32_t held = binary(r->e, LOSSI_SCALAR_maximum, above, lossi_expression_constant(r->e, -far));
    return minus(r->e, times(r->e, r->factor, times(r->e, held, r->node)));
}

static int32_t term_erf(const rule *r)
{
    return term_of(r, LOSSI_SCALAR_erf_slope);
}

static int32_t term_erfc(const rule *r)
{
    return minus(r->e, term_of(r, LOSSI_SCALAR_erf_slope));
}

/* −2a times itself */
static int32_t term_erf_slope(const rule *r)
{
    return number_times(r->e, 2, term_normal_density(r));
}

static int32_t term_normal_cdf(const rule *r)
{
    return term_of(r, LOSSI_SCALAR_normal_density);
}

static int32_t term_log_normal_cdf(const rule *r)
{
    return times(r->e, r->factor, unary(r->e, LOSSI_SCALAR_normal_hazard, minus(r->e, r->a)));
}

static int32_t term_normal_hazard(const rule *r)
{
    return term_of(r, LOSSI_SCALAR_normal_hazard_slope);
}

/* With s = h (h − a): s (h − a) + h (s − 1) */
static int32_t term_normal_hazard_slope(const rule *r)
{
    const int32_t h = unary(r->e, LOSSI_SCALAR_normal_hazard, r->a);
    const int32_t first = times(r->e, r->node, binary(r->e, LOSSI_SCALAR_subtract, h, r->a));
    const int32_t second = times(r->e, h, plus_number(r->e, r->node, -1));
    return times(r->e, r->factor, binary(r->e, LOSSI_SCALAR_add, first, second));
}

int32_t lossi_expression_term(lossi_expression *expression, int32_t node, int32_t operand, int32_t factor)
{
    static int32_t (*const rules[LOSSI_SCALAR_COUNT])(const rule *r) = {
#define LOSSI_SCALAR(name, operands, doc) term_##name,
#include "loss/expression/scalar_operations.def"
#undef LOSSI_SCALAR
    };
    const lossi_node at = *lossi_expression_node(expression, node);
    const rule r = {expression, node, at.a, at.b, at.c, operand, factor};
    return factor < 0 ? factor : rules[at.operation](&r);
}

/* ---- sweeps ---- */

/* Nodes of derivatives by node; LOSSI_NO_NODE: 0 by structure. */
static int32_t *slots_up_to(graph e, int32_t node)
{
    return lossi_allocate(lossi_expression_context(e), (node + 1) * (int64_t)sizeof(int32_t));
}

static int32_t *operand_place(lossi_node *node, int32_t i)
{
    return i == 0 ? &node->a : i == 1 ? &node->b : &node->c;
}

/* A constant 0 is no term. */
static int32_t term(graph e, int32_t node, int32_t operand, int32_t factor)
{
    const int32_t made = lossi_expression_term(e, node, operand, factor);
    return lossi_expression_is(e, made, 0) || lossi_expression_is(e, made, -0.0) ? LOSSI_NO_NODE : made;
}

static int32_t sum_of(graph e, int32_t a, int32_t b)
{
    return a == LOSSI_NO_NODE || b < 0 ? b : b == LOSSI_NO_NODE ? a : binary(e, LOSSI_SCALAR_add, a, b);
}

static int32_t or_zero(graph e, int32_t node)
{
    return node == LOSSI_NO_NODE ? lossi_expression_constant(e, 0) : node;
}

/* The number between a and b that is nearest to 0. */
static int32_t smallest_between(graph e, int32_t a, int32_t b)
{
    const int32_t zero = lossi_expression_constant(e, 0);
    if (a == LOSSI_NO_NODE || b == LOSSI_NO_NODE) {
        return zero;
    }
    const int32_t low = binary(e, LOSSI_SCALAR_minimum, a, b), high = binary(e, LOSSI_SCALAR_maximum, a, b);
    return binary(e, LOSSI_SCALAR_maximum, low, binary(e, LOSSI_SCALAR_minimum, high, zero));
}

/* Of minimum and maximum: the derivative of the operand that is beyond the other. */
static int32_t forward_extreme(graph e, const lossi_node *at, int32_t da, int32_t db)
{
    const int32_t beyond = at->operation == LOSSI_SCALAR_maximum ? LOSSI_SCALAR_greater : LOSSI_SCALAR_less;
    if (da == db) {
        return da;
    }
    if (db == LOSSI_NO_NODE) {
        return chosen(e, binary(e, beyond, at->a, at->b), da, or_zero(e, db));
    }
    if (da == LOSSI_NO_NODE) {
        return chosen(e, binary(e, beyond, at->b, at->a), db, or_zero(e, da));
    }
    const int32_t apart = chosen(e, binary(e, beyond, at->a, at->b), da, db);
    return chosen(e, binary(e, LOSSI_SCALAR_equal, at->a, at->b), smallest_between(e, da, db), apart);
}

/* ∂node/∂input from those of its operands. */
static int32_t forward(graph e, int32_t node, const int32_t *derivative)
{
    const lossi_node at = *lossi_expression_node(e, node);
    const int32_t da = derivative[at.a], db = derivative[at.b], dc = derivative[at.c];
    if (at.operation == LOSSI_SCALAR_minimum || at.operation == LOSSI_SCALAR_maximum) {
        return forward_extreme(e, &at, da, db);
    }
    if (at.operation == LOSSI_SCALAR_select) {
        return db == LOSSI_NO_NODE && dc == LOSSI_NO_NODE ? LOSSI_NO_NODE
                                                          : chosen(e, at.a, or_zero(e, db), or_zero(e, dc));
    }
    if (at.operation == LOSSI_SCALAR_divide && da != LOSSI_NO_NODE && db != LOSSI_NO_NODE) {
        const int32_t above = binary(e, LOSSI_SCALAR_subtract, da, times(e, node, db));
        return over(e, above, at.b);
    }
    int32_t sum = LOSSI_NO_NODE;
    for (int32_t i = 0; i < lossi_scalar_operands(at.operation) && sum >= 0; i++) {
        const int32_t own = i == 0 ? da : i == 1 ? db : dc;
        sum = own == LOSSI_NO_NODE ? sum : sum_of(e, sum, term(e, node, i, own));
    }
    return sum;
}

static int32_t is_input(graph e, int32_t node, int32_t k)
{
    const lossi_node *at = lossi_expression_node(e, node);
    return at->operation == LOSSI_SCALAR_INPUT && at->a == k;
}

/* Which of the nodes 1 … node it needs, as 1 in an array of 0s. */
static void mark_needed(graph e, int32_t node, int32_t *needed)
{
    needed[node] = 1;
    for (int32_t i = node; i > 0; i--) {
        lossi_node at = *lossi_expression_node(e, i);
        for (int32_t k = 0; k < lossi_scalar_operands(at.operation) && needed[i]; k++) {
            needed[*operand_place(&at, k)] = 1;
        }
    }
}

int32_t lossi_expression_derivative(lossi_expression *expression, int32_t node, int32_t k)
{
    graph e = expression;
    if (node < 0) {
        return node;
    }
    loss_context *context = lossi_expression_context(e);
    int32_t *derivative = slots_up_to(e, node), *needed = slots_up_to(e, node);
    int32_t result = derivative == NULL || needed == NULL ? LOSSI_EXPRESSION_MEMORY : 0;
    if (result == 0) {
        mark_needed(e, node, needed);
        for (int32_t i = 1; i <= node && result >= 0; i++) {
            const int32_t operation = lossi_expression_node(e, i)->operation;
            derivative[i] = !needed[i]                       ? LOSSI_NO_NODE
                            : is_input(e, i, k)              ? lossi_expression_constant(e, 1)
                            : operation < LOSSI_SCALAR_COUNT ? forward(e, i, derivative)
                                                             : LOSSI_NO_NODE;
            result = derivative[i] < 0 ? derivative[i] : 0;
        }
        result = result < 0 ? result : or_zero(e, derivative[node]);
    }
    lossi_release(context, derivative);
    lossi_release(context, needed);
    return result;
}

int32_t lossi_expression_adjoint(lossi_expression *expression, int32_t node, int32_t seed, int32_t k)
{
    graph e = expression;
    if (node < 0 || seed < 0) {
        return node < 0 ? node : seed;
    }
    loss_context *context = lossi_expression_context(e);
    int32_t *adjoint = slots_up_to(e, node), *depends = slots_up_to(e, node);
    int32_t result = adjoint == NULL || depends == NULL ? LOSSI_EXPRESSION_MEMORY : LOSSI_NO_NODE;
    for (int32_t i = 1; i <= node && result >= 0; i++) {
        lossi_node at = *lossi_expression_node(e, i);
        depends[i] = is_input(e, i, k);
        for (int32_t o = 0; o < lossi_scalar_operands(at.operation); o++) {
            depends[i] |= depends[*operand_place(&at, o)];
        }
    }
    if (result >= 0) {
        adjoint[node] = seed;
    }
    for (int32_t i = node; i > 0 && result == LOSSI_NO_NODE; i--) {
        lossi_node at = *lossi_expression_node(e, i);
        if (adjoint[i] == LOSSI_NO_NODE || !depends[i]) {
            continue;
        }
        if (is_input(e, i, k)) {
            result = adjoint[i];
        }
        for (int32_t o = 0; o < lossi_scalar_operands(at.operation) && result == LOSSI_NO_NODE; o++) {
            const int32_t operand = *operand_place(&at, o);
            if (depends[operand]) {
                adjoint[operand] = sum_of(e, adjoint[operand], term(e, i, o, adjoint[i]));
                result = adjoint[operand] < 0 ? adjoint[operand] : LOSSI_NO_NODE;
            }
        }
    }
    lossi_release(context, adjoint);
    lossi_release(context, depends);
    return result < 0 ? result : or_zero(e, result);
}
