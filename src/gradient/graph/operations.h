/* The operations: those of operations.def by name, and those that only graphs and derivatives put on a tape. */
#ifndef LOSSI_GRADIENT_GRAPH_OPERATIONS_H
#define LOSSI_GRADIENT_GRAPH_OPERATIONS_H

#include "core/option.h"
#include "gradient/graph/tape.h"

/* Leaves (leaves.c). integer[0] is the offset of a parameter or direction in x, the index of an input. */
extern const lossi_operation lossi_operation_number;   /* number[0] */
extern const lossi_operation lossi_operation_constant; /* object: its elements; integer[1 …]: rank, sizes */
extern const lossi_operation lossi_operation_input;    /* integer[1 …]: rank, sizes, then the dtype */
extern const lossi_operation lossi_operation_parameter; /* integer[1 …]: rank, sizes */
extern const lossi_operation lossi_operation_direction; /* the same part of a vector beside x */
extern const lossi_operation lossi_operation_seed;      /* the vector of a vector–Jacobian product */
/* A running mean or variance: integer[0] is which of what a plan is given (statistics.h), integer[1 …]: rank, sizes. */
extern const lossi_operation lossi_operation_statistic;

/* The same elements otherwise (leaves.c). integer[0 …]: rank, sizes. */
extern const lossi_operation lossi_operation_view;
extern const lossi_operation lossi_operation_spread; /* broadcast */
extern const lossi_operation lossi_operation_rows;   /* how many rows its input has, a number */

/* Sums over axes, which keep the size 1 (reduce.c). integer[0]: a bit for each axis. */
extern const lossi_operation lossi_operation_sum_axes;

/* Matrix products (matrix_product.c). integer[0]: the second factor is transposed. */
extern const lossi_operation lossi_operation_matrix_product;

/* The pairs that are each other's adjoints (join.c, gather.c, transpose.c). */
extern const lossi_operation lossi_operation_concatenate, lossi_operation_slice, lossi_operation_pad,
    lossi_operation_gather, lossi_operation_take_along_axis, lossi_operation_transpose;

extern const lossi_operation lossi_operation_batch_matrix_product; /* integer[0], [1]: transposed */

/* Losses (loss_node.c). object: the function; integer[0 …]: the roles of the inputs, then which role a derivative is of. */
extern const lossi_operation lossi_operation_loss_sum, lossi_operation_loss_denominator,
    lossi_operation_loss_gradient, lossi_operation_loss_product;

/* Batch normalisation (batch_norm.c), whose nodes have running statistics. */
extern const lossi_operation lossi_operation_batch_norm;

/* A named one, NULL when there is none; and by index, in no order. */
const lossi_operation *lossi_operation_find(const char *name);
int32_t lossi_operation_count(void);
const lossi_operation *lossi_operation_at(int32_t index);

struct loss_operation {
    loss_context *context;
    const lossi_operation *row;
    char title[64]; /* "the operation 'conv2d'", for sentences */
    lossi_options options;
};

/* The attributes from options, or from those by default where options is NULL. */
loss_status lossi_operation_settle(const lossi_operation *row, loss_context *context,
                                   const lossi_options *options, lossi_attributes *attributes);

/* LOSS_ERROR_SHAPE: "the operation 'matrix_product' cannot take [rows, 3] and [4, 5] (node 0 'x' and node 2): <why>". */
loss_status lossi_operation_fail_shapes(const lossi_tape *tape, const lossi_tape_node *node, const char *why);

#endif
