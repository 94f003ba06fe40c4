/* A graph as the library sees it. The public half is loss/graph.h. */
#ifndef LOSSI_GRADIENT_GRAPH_GRAPH_H
#define LOSSI_GRADIENT_GRAPH_GRAPH_H

#include <stdatomic.h>

#include "core/data.h"
#include "gradient/graph/tape.h"

typedef struct lossi_graph_name {
    char text[LOSSI_ROLE_SIZE];
    int32_t node;
} lossi_graph_name;

/* The options of the operation that made a node, as far as they were set: "stride=2,2 groups=4". */
typedef struct lossi_graph_note {
    int32_t node;
    char *text; /* owned */
} lossi_graph_note;

/* How a parameter begins; zeros when all is 0. */
typedef struct lossi_graph_initial {
    int32_t which;
    double gain;
} lossi_graph_initial;

struct loss_graph {
    loss_context *context;
    atomic_int references;
    atomic_int sealed;
    lossi_tape tape; /* of what the caller added, as it was added */
    lossi_graph_name *names;
    int32_t name_count, name_capacity;
    int32_t *inputs; /* nodes, in the order of their index */
    int32_t input_count, input_capacity;
    int32_t *parameters;
    lossi_graph_initial *initial; /* of each parameter */
    int32_t initial_capacity;
    int32_t parameter_count, parameter_capacity;
    int64_t dimension;
    lossi_graph_note *notes;
    int32_t note_count, note_capacity;
    void **owned; /* the elements of constants */
    int32_t owned_count, owned_capacity;
    const loss_function **functions; /* references */
    int32_t function_count, function_capacity;
};

/* One more reference, and one less; and from now on nothing more is added. */
const loss_graph *lossi_graph_retain(const loss_graph *graph);
void lossi_graph_seal(const loss_graph *graph);
void lossi_graph_drop(const loss_graph *graph);

/* What every node needs: a graph that is open, and a place for its number; and inputs that are there. With sentences. */
loss_status lossi_graph_check_open(loss_graph *graph, const int32_t *node);
loss_status lossi_graph_check_nodes(loss_graph *graph, const int32_t *nodes, int32_t count);

/* The name of a node, "" when it has none. */
const char *lossi_graph_node_name(const loss_graph *graph, int32_t node);

/*
 * Room for a note about a node to come: *text is the options that are not as by default, NULL when all are. LOSS_OK, or
 * LOSS_ERROR_MEMORY with a sentence.
 */
loss_status lossi_graph_make_note(loss_graph *graph, const lossi_options *options, char **text);

/* The operation of a node as the caller sees it: without the underscore of those that are not applied by name. */
const char *lossi_graph_operation_name(const lossi_tape_node *node);

/* The node that stands for a loss: expands to sum / denominator. */
extern const lossi_operation lossi_operation_loss;

#endif
