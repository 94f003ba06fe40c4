/* Building plans step by step: parameters come first on the tape, so that they stand before all that depends on them. */
#include "gradient/graph/builder.h"

#include <string.h>

#include "gradient/graph/operations.h"

void lossi_graph_mark(const loss_graph *graph, int32_t node, uint8_t *needed)
{
    const lossi_tape *tape = &graph->tape;
    needed[node] = 1;
    for (int32_t i = node; i >= 0; i--) {
        for (int32_t k = 0; needed[i] && k < tape->nodes[i].input_count; k++) {
            needed[lossi_tape_input(tape, i, k)] = 1;
        }
    }
}

/* The leaves of an operation for all parameters. */
static void put_leaves(lossi_builder *b, const lossi_operation *operation, int32_t *leaves)
{
    for (int32_t i = 0; i < b->graph->parameter_count; i++) {
        const lossi_tape_node *node = &b->graph->tape.nodes[b->graph->parameters[i]];
        leaves[i] = lossi_tape_add(&b->tape, operation, &node->attributes, NULL, 0);
    }
}

void lossi_builder_create(lossi_builder *b, loss_context *context, const loss_graph *graph,
                          lossi_purpose purpose, int32_t extra)
{
    const int64_t parameters = graph->parameter_count, nodes = graph->tape.count;
    memset(b, 0, sizeof *b);
    b->graph = graph;
    lossi_tape_create(&b->tape, context, graph->tape.dtype, purpose);
    b->needed = lossi_allocate(context, nodes + 1);
    b->at = lossi_allocate(context, (nodes + 3 * parameters + 1) * (int64_t)sizeof *b->at);
    b->outputs = lossi_allocate(context, (parameters + extra + 1) * (int64_t)sizeof *b->outputs);
    if (b->needed == NULL || b->at == NULL || b->outputs == NULL) {
        lossi_tape_fail(&b->tape, lossi_fail_memory(context, "the plan of a graph"));
        return;
    }
    b->parameters = b->at + nodes;
    b->directions = b->parameters + parameters;
    b->adjoints = b->directions + parameters;
    put_leaves(b, &lossi_operation_parameter, b->parameters);
}

void lossi_builder_put(lossi_builder *b, const int32_t *nodes, int32_t count)
{
    int32_t last = -1;
    for (int32_t i = 0; i < count && b->tape.status == LOSS_OK; i++) {
        lossi_graph_mark(b->graph, nodes[i], b->needed);
        last = nodes[i] > last ? nodes[i] : last;
    }
    if (b->tape.status == LOSS_OK) {
        lossi_tape_copy(&b->tape, &b->graph->tape, last, b->needed, b->at);
    }
}

void lossi_builder_directions(lossi_builder *b)
{
    if (b->tape.status == LOSS_OK) {
        put_leaves(b, &lossi_operation_direction, b->directions);
    }
}

void lossi_builder_want(lossi_builder *b, int32_t node, int32_t slot, int64_t offset)
{
    if (b->tape.status == LOSS_OK) {
        b->outputs[b->output_count++] = (lossi_plan_output){node, slot, offset};
    }
}

void lossi_builder_want_adjoints(lossi_builder *b, int32_t slot)
{
    for (int32_t i = 0; i < b->graph->parameter_count && b->tape.status == LOSS_OK; i++) {
        lossi_builder_want(b, b->adjoints[i], slot, b->tape.nodes[b->parameters[i]].attributes.integer[0]);
    }
}

loss_status lossi_builder_finish(lossi_builder *b, lossi_plan **plan)
{
    loss_context *context = b->tape.context;
    const loss_status status = lossi_plan_create(plan, &b->tape, b->outputs, b->output_count);
    lossi_release(context, b->needed);
    lossi_release(context, b->at);
    lossi_release(context, b->outputs);
    memset(b, 0, sizeof *b);
    return status;
}
