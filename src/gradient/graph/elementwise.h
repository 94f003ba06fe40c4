/*
 * Elementwise operations: the scalar operations of loss/expression over whole arrays, whose smaller operands broadcast.
 *
 * One that follows another is computed with it: a group of nodes of one shape becomes a program that goes through the
 * arrays once, in blocks that stay in the first cache.
 */
#ifndef LOSSI_GRADIENT_GRAPH_ELEMENTWISE_H
#define LOSSI_GRADIENT_GRAPH_ELEMENTWISE_H

#include "gradient/graph/run.h"

int32_t lossi_elementwise_count(void);
const lossi_operation *lossi_elementwise_at(int32_t index);

struct lossi_expression;

/*
 * The nodes of an expression on a tape; input k stands for the node operands[k]. Gives the node of `result`, LOSSI_NONE when that
 * is the constant 0 (or the tape failed).
 */
int32_t lossi_tape_expression(lossi_tape *tape, const struct lossi_expression *expression, int32_t result,
                              const int32_t *operands);

/* '+', '-', '*', '/', or '?' of select, of such an operation, 0 of all others. */
int32_t lossi_elementwise_arithmetic(const lossi_operation *operation);

/* A group of nodes as a program. */
typedef struct lossi_fused lossi_fused;

/*
 * members: nodes of one shape in the order of the tape, and sums of them that lossi_fused_sum_of() takes; inputs: nodes outside the group
 * that they use, numbers left out; outputs: the members that are used outside. NULL with a sentence when there is no memory.
 */
lossi_fused *lossi_fused_create(const lossi_tape *tape, const int32_t *members, int32_t member_count,
                                const int32_t *inputs, int32_t input_count, const int32_t *outputs,
                                int32_t output_count);
/* Whether a node is a sum over the rows of its first input that can be made with it: those of all channels of an array. */
int32_t lossi_fused_sum_of(const lossi_tape *tape, int32_t node);

void lossi_fused_free(lossi_fused *fused, loss_context *context);

/* Bytes of scratch for that many threads. */
int64_t lossi_fused_scratch(const lossi_fused *fused, int32_t threads);

/* Computes, for a batch of so many rows. */
void lossi_fused_run(const lossi_fused *fused, loss_context *context, int64_t rows, const lossi_value *inputs,
                     const lossi_value *outputs, void *scratch);

#endif
