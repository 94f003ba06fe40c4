/*
 * Elementwise operations as rows, and their derivatives.
 *
 * There is nothing to write for an operation but its row in scalar_operations.def and its derivative in loss/expression: the
 * rules here build the derivative of one operation as an expression and put it on the tape node by node.
 */
#include "gradient/graph/elementwise.h"

#include <string.h>

#include "gradient/graph/operations.h"
#include "loss/expression/expression.h"

enum { OPERANDS = 3, SEED = OPERANDS, MOST_NODES = 256 };

static loss_status infer(const lossi_tape *tape, lossi_tape_node *node)
{
    node->shape = lossi_input_node(tape, node, 0)->shape;
    for (int32_t i = 0; i < node->input_count; i++) {
        const lossi_tape_node *input = lossi_input_node(tape, node, i);
        if (input->dtype != tape->dtype) {
            return lossi_fail(tape->context, LOSS_ERROR_TYPE, "the operation '%s' takes %s, not %s",
                              node->operation->name, loss_dtype_name(tape->dtype),
                              loss_dtype_name(input->dtype));
        }
        if (!lossi_shapes_broadcast(&node->shape, &input->shape, &node->shape)) {
            return lossi_operation_fail_shapes(tape, node,
                                               "aligned at the last, sizes are equal or one of them is 1");
        }
    }
    return LOSS_OK;
}

static int32_t adjoint_rule(lossi_tape *tape, int32_t node, int32_t adjoint, int32_t which);
static int32_t tangent_rule(lossi_tape *tape, int32_t node, const int32_t *tangents);

#define LOSSI_SCALAR(scalar, operands, doc)                                                                  \
    {.name = #scalar,                                                                                        \
     .summary = doc,                                                                                         \
     .inputs = operands == 1   ? "a"                                                                         \
               : operands == 2 ? "a b"                                                                       \
                               : "a b c",                                                                    \
     .formula = doc,                                                                                         \
     .reference = "",                                                                                        \
     .flags = LOSSI_OPERATION_ELEMENTWISE,                                                                   \
     .infer = infer,                                                                                         \
     .vector_jacobian = adjoint_rule,                                                                        \
     .jacobian_vector = tangent_rule},
static const lossi_operation rows[LOSSI_SCALAR_COUNT] = {
#include "loss/expression/scalar_operations.def"
};
#undef LOSSI_SCALAR

int32_t lossi_elementwise_count(void)
{
    return LOSSI_SCALAR_COUNT;
}

const lossi_operation *lossi_elementwise_at(int32_t index)
{
    return &rows[index];
}

int32_t lossi_elementwise_arithmetic(const lossi_operation *operation)
{
    return operation == &rows[LOSSI_SCALAR_add]        ? '+'
           : operation == &rows[LOSSI_SCALAR_subtract] ? '-'
           : operation == &rows[LOSSI_SCALAR_negate]   ? '-'
           : operation == &rows[LOSSI_SCALAR_multiply] ? '*'
           : operation == &rows[LOSSI_SCALAR_divide]   ? '/'
           : operation == &rows[LOSSI_SCALAR_select]   ? '?'
                                                       : 0;
}

/* ---- on the tape ---- */

int32_t lossi_tape_scalar(lossi_tape *tape, int32_t scalar, int32_t a, int32_t b, int32_t c)
{
    const int32_t inputs[OPERANDS] = {a, b, c};
    return lossi_tape_add(tape, &rows[scalar], NULL, inputs, lossi_scalar_operands(scalar));
}

int32_t lossi_tape_multiply(lossi_tape *tape, int32_t a, int32_t b)
{
    return lossi_tape_scalar(tape, LOSSI_SCALAR_multiply, a, b, LOSSI_NONE);
}

int32_t lossi_tape_subtract(lossi_tape *tape, int32_t a, int32_t b)
{
    return lossi_tape_scalar(tape, LOSSI_SCALAR_subtract, a, b, LOSSI_NONE);
}

int32_t lossi_tape_divide(lossi_tape *tape, int32_t a, int32_t b)
{
    return lossi_tape_scalar(tape, LOSSI_SCALAR_divide, a, b, LOSSI_NONE);
}

int32_t lossi_tape_negate(lossi_tape *tape, int32_t a)
{
    return lossi_tape_scalar(tape, LOSSI_SCALAR_negate, a, LOSSI_NONE, LOSSI_NONE);
}

int32_t lossi_tape_sum(lossi_tape *tape, int32_t a, int32_t b)
{
    if (a == LOSSI_NONE || b == LOSSI_NONE) {
        return a == LOSSI_NONE ? b : a;
    }
    return lossi_tape_scalar(tape, LOSSI_SCALAR_add, a, b, LOSSI_NONE);
}

/* ---- rules ---- */

static int32_t failed(lossi_tape *tape)
{
    return lossi_tape_fail(tape, lossi_fail_memory(tape->context, "the derivative of an operation"));
}

/* An operation of an expression whose operands are on the tape, or constants. */
static int32_t put_operation(lossi_tape *tape, const lossi_expression *expression, const lossi_node *node,
                             const int32_t *at)
{
    const int32_t from[OPERANDS] = {node->a, node->b, node->c},
                  count = lossi_scalar_operands(node->operation);
    int32_t inputs[OPERANDS];
    for (int32_t k = 0; k < count; k++) {
        const lossi_node *operand = lossi_expression_node(expression, from[k]);
        inputs[k] = operand->operation == LOSSI_SCALAR_CONSTANT ? lossi_tape_number(tape, operand->value)
                                                                : at[from[k]];
    }
    return lossi_tape_add(tape, &rows[node->operation], NULL, inputs, count);
}

enum { UNNEEDED = -3, NEEDED = -2 };

/* What a node of an expression is made of, and itself: identities leave others behind. */
static void mark_needed(const lossi_expression *expression, int32_t result, int32_t *mark)
{
    for (int32_t i = 0; i <= result; i++) {
        mark[i] = i == result ? NEEDED : UNNEEDED;
    }
    for (int32_t i = result; i > 0; i--) {
        const lossi_node *node = lossi_expression_node(expression, i);
        const int32_t from[OPERANDS] = {node->a, node->b, node->c};
        const int32_t count = mark[i] == NEEDED && node->operation < LOSSI_SCALAR_COUNT
                                  ? lossi_scalar_operands(node->operation)
                                  : 0;
        for (int32_t k = 0; k < count; k++) {
            mark[from[k]] = NEEDED;
        }
    }
}

int32_t lossi_tape_expression(lossi_tape *tape, const lossi_expression *expression, int32_t result,
                              const int32_t *operands)
{
    int32_t few[MOST_NODES + 1], *at = few;
    if (result > MOST_NODES) {
        at = lossi_allocate(tape->context, (result + 1) * (int64_t)sizeof *at);
        if (at == NULL) {
            return failed(tape);
        }
    }
    mark_needed(expression, result, at);
    for (int32_t i = 1; i <= result; i++) {
        const lossi_node *node = lossi_expression_node(expression, i);
        if (at[i] == NEEDED && node->operation == LOSSI_SCALAR_INPUT) {
            at[i] = operands[node->a];
        } else if (at[i] == NEEDED && node->operation != LOSSI_SCALAR_CONSTANT) {
            at[i] = put_operation(tape, expression, node, at);
        } else {
            at[i] = LOSSI_NONE; /* constants are put when used: zeros and ones are often not */
        }
    }
    int32_t made = at[result];
    if (made == LOSSI_NONE && tape->status == LOSS_OK && !lossi_expression_is(expression, result, 0.0)) {
        made = lossi_tape_number(tape, lossi_expression_node(expression, result)->value);
    }
    if (at != few) {
        lossi_release(tape->context, at);
    }
    return made;
}

/* seed · ∂node/∂operand on the tape. */
static int32_t put_term(lossi_tape *tape, int32_t node, int32_t which, int32_t seed)
{
    const int32_t scalar = (int32_t)(tape->nodes[node].operation - rows);
    int32_t nodes[OPERANDS + 1] = {0}, operands[OPERANDS] = {0}, term = LOSSI_NONE;
    lossi_expression *expression = lossi_expression_create(tape->context, MOST_NODES);
    if (expression == NULL) {
        return failed(tape);
    }
    for (int32_t k = 0; k < tape->nodes[node].input_count; k++) {
        nodes[k] = lossi_tape_input(tape, node, k);
        const lossi_tape_node *input = &tape->nodes[nodes[k]];
        operands[k] = input->operation == &lossi_operation_number && k != which
                          ? lossi_expression_constant(expression, input->attributes.number[0])
                          : lossi_expression_input(expression, k);
    }
    nodes[SEED] = seed;
    const int32_t value = lossi_expression_make(expression, scalar, operands[0], operands[1], operands[2]);
    const int32_t result = lossi_expression_adjoint(expression, value,
                                                    lossi_expression_input(expression, SEED), which);
    term = result < 0 ? failed(tape) : lossi_tape_expression(tape, expression, result, nodes);
    lossi_expression_free(expression);
    return term;
}

static int32_t adjoint_rule(lossi_tape *tape, int32_t node, int32_t adjoint, int32_t which)
{
    const int32_t term = put_term(tape, node, which, adjoint);
    const lossi_shape from = *lossi_tape_shape(tape, node);
    const lossi_shape to = *lossi_tape_shape(tape, lossi_tape_input(tape, node, which));
    return tape->status != LOSS_OK ? LOSSI_NONE : lossi_tape_sum_to(tape, term, &from, &to);
}

static int32_t tangent_rule(lossi_tape *tape, int32_t node, const int32_t *tangents)
{
    int32_t sum = LOSSI_NONE;
    for (int32_t which = 0; which < tape->nodes[node].input_count; which++) {
        if (tangents[which] != LOSSI_NONE) {
            sum = lossi_tape_sum(tape, sum, put_term(tape, node, which, tangents[which]));
        }
    }
    return sum;
}
