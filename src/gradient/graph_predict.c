/* Predictions of graphs: a plan for the nodes that are asked for, run over pieces of the rows. */
#include "gradient/graph_predict.h"

#include <string.h>

#include "gradient/graph/builder.h"
#include "gradient/graph/feed.h"
#include "gradient/graph/shape.h"

typedef struct prediction {
    loss_context *context;
    const loss_graph *graph;
    const loss_data *outputs;
    const void *const *statistics;
    int32_t count;
    int32_t *nodes;   /* of each output */
    int64_t *offsets; /* in the buffer, of a piece, in bytes */
    char *buffer;     /* of a piece */
    lossi_feed feed;
    lossi_plan *plan;
} prediction;

static const char *graph_name(const void *graph, int32_t index)
{
    return ((const loss_graph *)graph)->names[index].text;
}

static loss_status find_nodes(prediction *p)
{
    for (int32_t i = 0; i < p->count; i++) {
        const lossi_array *array = lossi_data_at(p->outputs, i);
        p->nodes[i] = loss_graph_find(p->graph, array->role);
        if (p->nodes[i] < 0) {
            return lossi_fail_name(p->context, "node of the graph called", array->role, graph_name, p->graph,
                                   p->graph->name_count);
        }
        if (p->graph->tape.nodes[p->nodes[i]].dtype != array->dtype || !array->output) {
            return lossi_fail(p->context, LOSS_ERROR_TYPE, "'%s' is %s; an output of type %s was expected",
                              array->role, array->output ? loss_dtype_name(array->dtype) : "an input",
                              loss_dtype_name(p->graph->tape.nodes[p->nodes[i]].dtype));
        }
    }
    return LOSS_OK;
}

/* Rows × columns of the arrays are those of the nodes. */
static loss_status check_shapes(const prediction *p)
{
    char text[LOSSI_SHAPE_TEXT];
    for (int32_t i = 0; i < p->count; i++) {
        const lossi_array *array = lossi_data_at(p->outputs, i);
        const lossi_shape *shape = &p->graph->tape.nodes[p->nodes[i]].shape;
        const int64_t elements = lossi_shape_elements(shape, p->feed.samples);
        if (array->rows * array->columns != elements ||
            (lossi_shape_of_rows(shape) && array->rows != p->feed.samples)) {
            return lossi_fail(p->context, LOSS_ERROR_SHAPE,
                              "'%s' has %lld rows and %lld columns; the node's shape is %s, for %lld rows",
                              array->role, (long long)array->rows, (long long)array->columns,
                              lossi_shape_text(shape, text), (long long)p->feed.samples);
        }
    }
    return LOSS_OK;
}

static loss_status make_plan(prediction *p)
{
    lossi_builder b;
    lossi_builder_create(&b, p->context, p->graph, (lossi_purpose){0}, p->count);
    lossi_builder_put(&b, p->nodes, p->count);
    for (int32_t i = 0; i < p->count && b.tape.status == LOSS_OK; i++) {
        const int64_t size = loss_dtype_size(p->graph->tape.nodes[p->nodes[i]].dtype);
        lossi_builder_want(&b, b.at[p->nodes[i]], 0, p->offsets[i] / size);
    }
    return lossi_builder_finish(&b, &p->plan);
}

static loss_status allocate(prediction *p, int64_t chunk)
{
    int64_t bytes = 0;
    for (int32_t i = 0; i < p->count; i++) {
        const lossi_tape_node *node = &p->graph->tape.nodes[p->nodes[i]];
        p->offsets[i] = bytes;
        bytes += (lossi_shape_elements(&node->shape, chunk) * loss_dtype_size(node->dtype) + 63) / 64 * 64;
    }
    p->buffer = lossi_allocate(p->context, bytes + 1);
    return p->buffer != NULL ? LOSS_OK : lossi_fail_memory(p->context, "predictions");
}

/* Row by row into the caller's arrays, which may have strides. */
static void hand_out(const prediction *p, int64_t first, int64_t rows)
{
    for (int32_t i = 0; i < p->count; i++) {
        const lossi_array *array = lossi_data_at(p->outputs, i);
        const lossi_shape *shape = &p->graph->tape.nodes[p->nodes[i]].shape;
        const int64_t size = loss_dtype_size(array->dtype), of_rows = lossi_shape_of_rows(shape);
        const char *from = p->buffer + p->offsets[i];
        for (int64_t r = 0; r < (of_rows ? rows : array->rows); r++) {
            char *to = array->pointer + ((of_rows ? first : 0) + r) * array->row_stride * size;
            for (int64_t j = 0; j < array->columns; j++, from += size) {
                memcpy(to + j * array->column_stride * size, from, (size_t)size);
            }
        }
    }
}

static loss_status predict(prediction *p, const void *x, int64_t chunk)
{
    loss_status status = LOSS_OK;
    int64_t first = 0;
    do { /* once, also where there are no rows: other nodes have elements all the same */
        const int64_t rows = p->feed.samples - first < chunk ? p->feed.samples - first : chunk;
        status = lossi_feed_rows(&p->feed, first, rows, NULL);
        const lossi_bindings bindings = {.batch = {.rows = rows, .first = first},
                                         .x = x,
                                         .statistics = p->statistics,
                                         .inputs = p->feed.pointers,
                                         .outputs = {p->buffer}};
        status = status == LOSS_OK ? lossi_plan_run(p->plan, &bindings) : status;
        if (status == LOSS_OK) {
            hand_out(p, first, rows);
        }
        first += chunk;
    } while (first < p->feed.samples && status == LOSS_OK);
    return status;
}

loss_status lossi_graph_predict(loss_context *context, const loss_graph *graph, const void *x,
                                const loss_data *inputs, const loss_data *outputs,
                                const void *const *statistics, int64_t chunk)
{
    prediction p = {.context = context,
                    .graph = graph,
                    .outputs = outputs,
                    .statistics = statistics,
                    .count = lossi_data_count(outputs)};
    uint8_t *needed = lossi_allocate(context, graph->tape.count + 1);
    loss_status status = LOSS_OK;
    p.nodes = lossi_allocate(context, (p.count + 1) * (int64_t)sizeof *p.nodes);
    p.offsets = lossi_allocate(context, (p.count + 1) * (int64_t)sizeof *p.offsets);
    if (needed == NULL || p.nodes == NULL || p.offsets == NULL) {
        status = lossi_fail_memory(context, "predictions");
    }
    status = status == LOSS_OK ? find_nodes(&p) : status;
    for (int32_t i = 0; i < p.count && status == LOSS_OK; i++) {
        lossi_graph_mark(graph, p.nodes[i], needed);
    }
    status = status == LOSS_OK ? lossi_feed_create(&p.feed, context, graph, needed, inputs) : status;
    status = status == LOSS_OK ? check_shapes(&p) : status;
    for (int32_t i = 0; i < p.count && status == LOSS_OK; i++) {
        /* what has no rows may be of all of them together */
        const int32_t of_rows = lossi_shape_of_rows(&graph->tape.nodes[p.nodes[i]].shape);
        chunk = of_rows && p.feed.samples > chunk ? chunk : p.feed.samples;
    }
    status = status == LOSS_OK ? allocate(&p, chunk) : status;
    status = status == LOSS_OK ? make_plan(&p) : status;
    status = status == LOSS_OK ? predict(&p, x, chunk) : status;
    lossi_plan_free(p.plan);
    if (p.feed.graph != NULL) {
        lossi_feed_destroy(&p.feed);
    }
    lossi_release(context, needed);
    lossi_release(context, p.nodes);
    lossi_release(context, p.offsets);
    lossi_release(context, p.buffer);
    return status;
}
