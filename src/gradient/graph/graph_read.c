/* What can be read of a graph. */
#include "gradient/graph/graph.h"

#include <string.h>

#include "gradient/graph/operations.h"
#include "gradient/graph/shape.h"

static const lossi_tape_node *node_at(const loss_graph *graph, int32_t node)
{
    return graph != NULL && node >= 0 && node < graph->tape.count ? &graph->tape.nodes[node] : NULL;
}

loss_dtype loss_graph_dtype(const loss_graph *graph)
{
    return graph == NULL ? 0 : graph->tape.dtype;
}

int32_t loss_graph_node_count(const loss_graph *graph)
{
    return graph == NULL ? 0 : graph->tape.count;
}

const char *lossi_graph_operation_name(const lossi_tape_node *node)
{
    return node->operation == &lossi_operation_number ? "constant"
           : node->operation->name[0] == '_'          ? node->operation->name + 1
                                                      : node->operation->name;
}

const char *loss_graph_node_operation(const loss_graph *graph, int32_t node)
{
    const lossi_tape_node *at = node_at(graph, node);
    return at == NULL ? "" : lossi_graph_operation_name(at);
}

const char *lossi_graph_node_name(const loss_graph *graph, int32_t node)
{
    for (int32_t i = 0; i < graph->name_count; i++) {
        if (graph->names[i].node == node) {
            return graph->names[i].text;
        }
    }
    return "";
}

const char *loss_graph_node_name(const loss_graph *graph, int32_t node)
{
    return graph == NULL ? "" : lossi_graph_node_name(graph, node);
}

loss_dtype loss_graph_node_dtype(const loss_graph *graph, int32_t node)
{
    const lossi_tape_node *at = node_at(graph, node);
    return at == NULL ? 0 : at->dtype;
}

int32_t loss_graph_node_rank(const loss_graph *graph, int32_t node)
{
    const lossi_tape_node *at = node_at(graph, node);
    return at == NULL ? 0 : at->shape.rank;
}

int64_t loss_graph_node_size(const loss_graph *graph, int32_t node, int32_t axis)
{
    const lossi_tape_node *at = node_at(graph, node);
    return at == NULL || axis < 0 || axis >= at->shape.rank ? 0 : at->shape.size[axis];
}

int32_t loss_graph_find(const loss_graph *graph, const char *name)
{
    for (int32_t i = 0; graph != NULL && name != NULL && i < graph->name_count; i++) {
        if (strcmp(graph->names[i].text, name) == 0) {
            return graph->names[i].node;
        }
    }
    return LOSSI_NONE;
}

int32_t loss_graph_parameter_count(const loss_graph *graph)
{
    return graph == NULL ? 0 : graph->parameter_count;
}

int32_t loss_graph_parameter_node(const loss_graph *graph, int32_t parameter)
{
    return graph == NULL || parameter < 0 || parameter >= graph->parameter_count
               ? LOSSI_NONE
               : graph->parameters[parameter];
}

int64_t loss_graph_parameter_offset(const loss_graph *graph, int32_t parameter)
{
    const lossi_tape_node *at = node_at(graph, loss_graph_parameter_node(graph, parameter));
    return at == NULL ? 0 : at->attributes.integer[0];
}

int64_t loss_graph_dimension(const loss_graph *graph)
{
    return graph == NULL ? 0 : graph->dimension;
}
