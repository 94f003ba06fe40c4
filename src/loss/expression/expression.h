/*
 * Expressions: scalar formulas as a graph of nodes that derives itself.
 *
 * A node is an input, a constant, or an operation of scalar_operations.def on earlier nodes; it is an int32. Nodes that are
 * alike are one node (Ershov, On programming of arithmetic operations, 1958: hash consing), so sums and derivatives share what
 * they have in common. Derivatives are nodes again, hence of every order. program.h runs nodes over arrays.
 *
 * What would lose digits or overflow when computed as it is written becomes its stable equivalent when it is built
 * (identity.c): log(1 + exp(z)) is softplus(z), and its derivative sigmoid(z). Apart from those, nothing is rewritten that
 * changes a bit of a result.
 */
#ifndef LOSSI_LOSS_EXPRESSION_H
#define LOSSI_LOSS_EXPRESSION_H

#include <stdint.h>

#include "core/context.h"

typedef enum lossi_scalar {
#define LOSSI_SCALAR(name, operands, doc) LOSSI_SCALAR_##name,
#include "loss/expression/scalar_operations.def"
#undef LOSSI_SCALAR
    LOSSI_SCALAR_COUNT,
    LOSSI_SCALAR_INPUT = LOSSI_SCALAR_COUNT, /* operand a is which */
    LOSSI_SCALAR_CONSTANT
} lossi_scalar;

/* Instead of a node. Whoever gets one as an operand gives it back, so that a caller may look at the end only. */
enum { LOSSI_EXPRESSION_MEMORY = -1, LOSSI_EXPRESSION_FULL = -2 };

enum { LOSSI_NO_NODE = 0 }; /* of an operand that an operation does not have */

typedef struct lossi_expression lossi_expression;

/* The row of an operation: its name, how many operands it has, one line about it. NULL and 0 outside the table. */
const char *lossi_scalar_name(int32_t operation);
int32_t lossi_scalar_operands(int32_t operation);
const char *lossi_scalar_doc(int32_t operation);

/* NULL when there is no memory. most_nodes: what it never grows above; LOSSI_EXPRESSION_FULL then. */
lossi_expression *lossi_expression_create(loss_context *context, int32_t most_nodes);
void lossi_expression_free(lossi_expression *expression);

/* Input k ≥ 0, whatever it stands for. */
int32_t lossi_expression_input(lossi_expression *expression, int32_t k);

int32_t lossi_expression_constant(lossi_expression *expression, double value);

/* The operation of nodes; b and c are not looked at where it has no such operand. */
int32_t lossi_expression_apply(lossi_expression *expression, int32_t operation, int32_t a, int32_t b,
                               int32_t c);

/*
 * ∂node/∂input k. At a kink of minimum and maximum it is the smallest element between the derivatives of both sides (the
 * constant 0 among them), at one of abs it is 0. Constant 0 where the node does not depend on the input.
 */
int32_t lossi_expression_derivative(lossi_expression *expression, int32_t node, int32_t k);

/*
 * seed · ∂node/∂input k by going back from the node, which shares what the derivatives for several inputs have in common. Where
 * minimum or maximum of two numbers that are no constants tie, each gets half.
 */
int32_t lossi_expression_adjoint(lossi_expression *expression, int32_t node, int32_t seed, int32_t k);

/* How many nodes there are; nodes are 1 … this. Operands come before the nodes they are of. */
int32_t lossi_expression_count(const lossi_expression *expression);

/* What a node is. Operands it does not have are LOSSI_NO_NODE; of an input, a is its number; value is a constant's. */
typedef struct lossi_node {
    int32_t operation, a, b, c;
    double value;
} lossi_node;

const lossi_node *lossi_expression_node(const lossi_expression *expression, int32_t node);

/* Whether a node is that constant (and of that sign, when it is 0). */
int32_t lossi_expression_is(const lossi_expression *expression, int32_t node, double value);

/* The context it was created with. */
loss_context *lossi_expression_context(const lossi_expression *expression);

/* ---- between the files of expressions ---- */

/* The node for an operation as given, no identity tried. */
int32_t lossi_expression_make(lossi_expression *expression, int32_t operation, int32_t a, int32_t b,
                              int32_t c);

/* The stable or shorter equivalent of an operation (identity.c); LOSSI_NO_NODE when there is none, negative as above. */
int32_t lossi_expression_identity(lossi_expression *expression, int32_t operation, int32_t a, int32_t b,
                                  int32_t c);

/* factor · ∂node/∂(operand 0, 1 or 2) of a node that is an operation (derivative.c). */
int32_t lossi_expression_term(lossi_expression *expression, int32_t node, int32_t operand, int32_t factor);

#endif
