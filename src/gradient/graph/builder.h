/* Plans from graphs: the nodes of a graph on a tape for some purpose, derivatives, and what is wanted of them. */
#ifndef LOSSI_GRADIENT_GRAPH_BUILDER_H
#define LOSSI_GRADIENT_GRAPH_BUILDER_H

#include "gradient/graph/graph.h"
#include "gradient/graph/plan.h"

/* Failures are kept in the tape's status; lossi_builder_finish() gives them. */
typedef struct lossi_builder {
    const loss_graph *graph;
    lossi_tape tape;
    uint8_t *needed;     /* of each node of the graph, whether it was put */
    int32_t *at;         /* where it is on the tape */
    int32_t *parameters; /* the parameters of the graph on the tape, all of them */
    int32_t *directions; /* those of a vector beside x, after lossi_builder_directions() */
    int32_t *adjoints;   /* room for one node for each parameter */
    lossi_plan_output *outputs;
    int32_t output_count;
} lossi_builder;

/* Nodes that a node of a graph depends on, and itself, are marked with 1. */
void lossi_graph_mark(const loss_graph *graph, int32_t node, uint8_t *needed);

/* extra: how many outputs are wanted besides one for each parameter. */
void lossi_builder_create(lossi_builder *builder, loss_context *context, const loss_graph *graph,
                          lossi_purpose purpose, int32_t extra);

/* Puts nodes of the graph, by number, with all they depend on. Once for a builder. */
void lossi_builder_put(lossi_builder *builder, const int32_t *nodes, int32_t count);

/* Puts the directions of all parameters. */
void lossi_builder_directions(lossi_builder *builder);

/* A node of the tape is wanted. */
void lossi_builder_want(lossi_builder *builder, int32_t node, int32_t slot, int64_t offset);

/* The nodes in `adjoints` are wanted in a slot, each at the place of its parameter in x. */
void lossi_builder_want_adjoints(lossi_builder *builder, int32_t slot);

/* The plan, or what failed on the way; the builder is empty afterwards. */
loss_status lossi_builder_finish(lossi_builder *builder, lossi_plan **plan);

#endif
