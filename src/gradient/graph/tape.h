/*
 * A tape: operations in the order in which they are computed, each node from nodes before it.
 *
 * Derivatives are nodes too: what the chain rule asks for is put at the end of the tape (differentiate.h), so the gradient
 * is a graph like the value, has derivatives of its own, and one planner takes care of both. Equal nodes - same operation,
 * attributes and inputs - are one, so that a value that a derivative uses again is computed once.
 *
 * Shapes are row-major. The first size may be LOSSI_ROWS, the rows of a batch, which are known when a plan runs.
 */
#ifndef LOSSI_GRADIENT_GRAPH_TAPE_H
#define LOSSI_GRADIENT_GRAPH_TAPE_H

#include <stdint.h>

#include "core/option.h"
#include "loss/graph.h"

enum { LOSSI_RANK = 6, LOSSI_ROWS = -1, LOSSI_NONE = -1, LOSSI_INTEGERS = 10, LOSSI_NODE_INPUTS = 32 };

typedef struct lossi_shape {
    int32_t rank;
    int64_t size[LOSSI_RANK];
} lossi_shape;

/* What an operation is told besides its inputs; compared byte by byte, so unused ones stay 0. */
typedef struct lossi_attributes {
    int64_t integer[LOSSI_INTEGERS];
    double number[2];
    const void *object; /* a loss function, the numbers of a constant: outlives the tape */
} lossi_attributes;

typedef struct lossi_operation lossi_operation;

typedef struct lossi_tape_node {
    const lossi_operation *operation;
    lossi_attributes attributes;
    int32_t first_input, input_count; /* of the tape's list of inputs */
    loss_dtype dtype;
    lossi_shape shape;
    int32_t chain; /* the next node with the same hash */
    int32_t
        origin; /* the node of the graph that this one was first put for, for sentences; LOSSI_NONE: of none */
} lossi_tape_node;

/* What a plan is for, which some operations look at when they are put on a tape. */
typedef struct lossi_purpose {
    int32_t training; /* dropout drops, statistics are those of the batch */
} lossi_purpose;

/*
 * A failure - no memory, a shape that does not fit - is kept in `status` with its sentence in the context, and everything
 * that is put on the tape afterwards is LOSSI_NONE. So builders need no checks: whoever asked looks at the status once.
 * As an adjoint or a tangent LOSSI_NONE means zero.
 */
typedef struct lossi_tape {
    loss_context *context;
    loss_dtype dtype; /* of everything that is differentiated */
    lossi_purpose purpose;
    int32_t verbatim;        /* nodes stay what they are: nothing is expanded */
    const loss_graph *graph; /* whose nodes these are, with their names; NULL: a plan's */
    int32_t origin;          /* of what is put now */
    loss_status status;
    lossi_tape_node *nodes;
    int32_t count, capacity;
    int32_t *inputs;
    int32_t input_count, input_capacity;
    int32_t *buckets;
    int32_t bucket_count;
} lossi_tape;

/* An operation, or a rule of differentiation, in a table. */
struct lossi_node_run;

struct lossi_operation {
    const char *name;    /* "conv2d"; of one that only derivatives use it begins with an underscore */
    const char *summary; /* one line; "" of one that only derivatives use */
    const char
        *inputs; /* names of the inputs, separated by spaces; a last one "…" stands for any number more */
    const char *formula;   /* of an element of the result, for the documentation */
    const char *reference; /* where it comes from, "" where it is arithmetic */
    const loss_option *options;
    int32_t option_count;
    int32_t flags; /* LOSSI_OPERATION_… */
    /* The attributes from the options as they are set; NULL where there are no options. */
    loss_status (*settle)(const lossi_options *options, loss_context *context, lossi_attributes *attributes);
    /* Type and shape of the node, whose inputs are in place, or a sentence. The dtype of the tape is set before. */
    loss_status (*infer)(const lossi_tape *tape, lossi_tape_node *node);
    /* In place of itself it puts other nodes on the tape and gives the last; NULL: it is computed as it is. */
    int32_t (*expand)(lossi_tape *tape, const lossi_attributes *attributes, const int32_t *inputs,
                      int32_t count);
    /*
     * What the adjoint of the node adds to that of one of its inputs, of a shape that broadcasts to the input's; the adjoint
     * has a shape that broadcasts to the node's (lossi_tape_full() makes it so). NULL: zero.
     */
    int32_t (*vector_jacobian)(lossi_tape *tape, int32_t node, int32_t adjoint, int32_t which);
    /* The tangent of the node from those of its inputs, LOSSI_NONE where zero; shapes as above. NULL: zero. */
    int32_t (*jacobian_vector)(lossi_tape *tape, int32_t node, const int32_t *tangents);
    /* Bytes of scratch for that many rows; NULL: none. */
    int64_t (*scratch)(const lossi_tape *tape, int32_t node, int64_t rows);
    /* Computes. NULL for leaves, and for views. */
    loss_status (*run)(const struct lossi_node_run *run);
};

enum {
    LOSSI_OPERATION_LEAF = 1,        /* given, not computed */
    LOSSI_OPERATION_VIEW = 2,        /* the elements of its input in the same order: nothing is computed */
    LOSSI_OPERATION_ELEMENTWISE = 4, /* a row of scalar_operations.def: fused with its neighbours */
    LOSSI_OPERATION_DISTINCT = 16,   /* two equal ones are two: dropout */
    LOSSI_OPERATION_LOSS = 8         /* computed with all other such nodes of the same function and inputs */
};

/* ---- life ---- */

void lossi_tape_create(lossi_tape *tape, loss_context *context, loss_dtype dtype, lossi_purpose purpose);

/* Puts what was computed with `from` up to a node on another tape, for its purpose; at[i] is where node i is. */
void lossi_tape_copy(lossi_tape *tape, const lossi_tape *from, int32_t last, const uint8_t *wanted,
                     int32_t *at);
void lossi_tape_destroy(lossi_tape *tape);

/* ---- reading ---- */

static inline int32_t lossi_tape_input(const lossi_tape *tape, int32_t node, int32_t which)
{
    return tape->inputs[tape->nodes[node].first_input + which];
}

static inline const lossi_shape *lossi_tape_shape(const lossi_tape *tape, int32_t node)
{
    return &tape->nodes[node].shape;
}

/* The node of an input while a node's shape is inferred. */
static inline const lossi_tape_node *lossi_input_node(const lossi_tape *tape, const lossi_tape_node *node,
                                                      int32_t which)
{
    return &tape->nodes[tape->inputs[node->first_input + which]];
}

/* ---- writing ---- */

/* A node, a new one or an equal one that is there; attributes may be NULL. */
int32_t lossi_tape_add(lossi_tape *tape, const lossi_operation *operation, const lossi_attributes *attributes,
                       const int32_t *inputs, int32_t count);

/* Takes the nodes from `count` on away again; none that stays may use one of them. */
void lossi_tape_truncate(lossi_tape *tape, int32_t count);

/* Keeps a failure, the first one; gives LOSSI_NONE. */
int32_t lossi_tape_fail(lossi_tape *tape, loss_status status);

/* A number. */
int32_t lossi_tape_number(lossi_tape *tape, double number);

/* Elementwise, by a scalar operation's number in expression.h; unused inputs are LOSSI_NONE. */
int32_t lossi_tape_scalar(lossi_tape *tape, int32_t scalar, int32_t a, int32_t b, int32_t c);
int32_t lossi_tape_multiply(lossi_tape *tape, int32_t a, int32_t b);
int32_t lossi_tape_subtract(lossi_tape *tape, int32_t a, int32_t b);
int32_t lossi_tape_divide(lossi_tape *tape, int32_t a, int32_t b);
int32_t lossi_tape_negate(lossi_tape *tape, int32_t a);

/* a + b where LOSSI_NONE is zero. */
int32_t lossi_tape_sum(lossi_tape *tape, int32_t a, int32_t b);

/* The node brought to a shape that it broadcasts to; itself when it has it. */
int32_t lossi_tape_full(lossi_tape *tape, int32_t node, const lossi_shape *shape);

/* A node of another shape with as many elements. */
int32_t lossi_tape_reshape(lossi_tape *tape, int32_t node, const lossi_shape *shape);

/* The sum over axes (a bit each), which keep the size 1; itself when there are none. */
int32_t lossi_tape_reduce(lossi_tape *tape, int32_t node, int32_t axes);

/*
 * The adjoint of an input that was broadcast: `adjoint` broadcasts to `from`, and what of it belongs to one element of `to`
 * is added up.
 */
int32_t lossi_tape_sum_to(lossi_tape *tape, int32_t adjoint, const lossi_shape *from, const lossi_shape *to);

#endif
