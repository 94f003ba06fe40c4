/* Graphs as handles: nodes are added one by one, each checked when it is added. */
#include "gradient/graph/graph.h"

#include <stdio.h>
#include <string.h>

#include "gradient/graph/loss_node.h"
#include "gradient/graph/operations.h"
#include "gradient/graph/shape.h"
#include "gradient/objective.h"
#include "loss/handle.h"

/* ---- life ---- */

loss_status loss_graph_create(loss_graph **out, loss_context *context, loss_dtype dtype)
{
    if (out != NULL) {
        *out = NULL;
    }
    if (out == NULL || context == NULL) {
        return lossi_fail_null(context, out == NULL ? "out" : "the context");
    }
    if (dtype != LOSS_FLOAT32 && dtype != LOSS_FLOAT64) {
        return lossi_fail(context, LOSS_ERROR_TYPE, "a graph computes in float32 or float64, not %s",
                          loss_dtype_name(dtype));
    }
    loss_graph *graph = lossi_allocate(context, (int64_t)sizeof *graph);
    if (graph == NULL) {
        return lossi_fail_memory(context, "a graph");
    }
    graph->context = lossi_context_retain(context);
    atomic_init(&graph->references, 1);
    atomic_init(&graph->sealed, 0);
    lossi_tape_create(&graph->tape, context, dtype, (lossi_purpose){0});
    graph->tape.verbatim = 1;
    graph->tape.graph = graph;
    *out = graph;
    return LOSS_OK;
}

const loss_graph *lossi_graph_retain(const loss_graph *graph)
{
    loss_graph *held = (loss_graph *)graph; /* references and the seal are bookkeeping, not contents */
    atomic_fetch_add_explicit(&held->references, 1, memory_order_relaxed);
    return graph;
}

void lossi_graph_seal(const loss_graph *graph)
{
    atomic_store_explicit(&((loss_graph *)graph)->sealed, 1, memory_order_release);
}

void lossi_graph_drop(const loss_graph *graph)
{
    loss_graph *held = (loss_graph *)graph;
    if (atomic_fetch_sub_explicit(&held->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    loss_context *context = held->context;
    for (int32_t i = 0; i < held->owned_count; i++) {
        lossi_release(context, held->owned[i]);
    }
    for (int32_t i = 0; i < held->function_count; i++) {
        lossi_function_drop(held->functions[i]);
    }
    for (int32_t i = 0; i < held->note_count; i++) {
        lossi_release(context, held->notes[i].text);
    }
    lossi_release(context, held->notes);
    lossi_release(context, held->owned);
    lossi_release(context, held->functions);
    lossi_release(context, held->names);
    lossi_release(context, held->inputs);
    lossi_release(context, held->parameters);
    lossi_release(context, held->initial);
    lossi_tape_destroy(&held->tape);
    lossi_release(context, held);
    lossi_context_drop(context);
}

void loss_graph_free(loss_graph *graph)
{
    if (graph != NULL) {
        lossi_graph_drop(graph);
    }
}

/* ---- lists ---- */

/* Room for one more element of a list; LOSS_ERROR_MEMORY with a sentence. */
static loss_status reserve(const loss_graph *graph, void *list, int64_t size, int32_t count,
                           int32_t *capacity)
{
    void *old, *larger;
    const int32_t wanted = *capacity == 0 ? 8 : 2 * *capacity;
    if (count < *capacity) {
        return LOSS_OK;
    }
    larger = lossi_allocate(graph->context, size * wanted);
    if (larger == NULL) {
        return lossi_fail_memory(graph->context, "one more node of a graph");
    }
    memcpy(&old, list, sizeof old);
    if (count > 0) {
        memcpy(larger, old, (size_t)(size * count));
    }
    lossi_release(graph->context, old);
    memcpy(list, &larger, sizeof larger);
    *capacity = wanted;
    return LOSS_OK;
}

loss_status lossi_graph_check_open(loss_graph *graph, const int32_t *node)
{
    if (graph == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (node == NULL) {
        return lossi_fail_null(graph->context, "node");
    }
    if (atomic_load_explicit(&graph->sealed, memory_order_acquire)) {
        return lossi_fail(graph->context, LOSS_ERROR_STATE, "the graph is sealed since its first use");
    }
    return LOSS_OK;
}

/* What names are made of, whatever the locale. */
static int32_t is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           strchr("_.-/:", c) != NULL;
}

static loss_status check_name(loss_graph *graph, const char *name)
{
    const size_t length = name != NULL ? strlen(name) : 0;
    if (name == NULL) {
        return lossi_fail_null(graph->context, "the name of the node");
    }
    if (length == 0 || length >= LOSSI_ROLE_SIZE) {
        return lossi_fail(graph->context, LOSS_ERROR_NAME, "a name has 1 … %d characters, not %zu",
                          LOSSI_ROLE_SIZE - 1, length);
    }
    for (const char *c = name; *c != '\0'; c++) {
        if (!is_plain(*c)) {
            return lossi_fail(
                graph->context, LOSS_ERROR_NAME,
                "the name '%s' has a character that is no letter, digit or one of _.-/: at place %d", name,
                (int)(c - name) + 1);
        }
    }
    if (loss_graph_find(graph, name) >= 0) {
        return lossi_fail(graph->context, LOSS_ERROR_NAME, "the graph has a node '%s' already", name);
    }
    return reserve(graph, &graph->names, (int64_t)sizeof *graph->names, graph->name_count,
                   &graph->name_capacity);
}

/* There is room: check_name() made it. */
static void add_name(loss_graph *graph, const char *name, int32_t node)
{
    lossi_graph_name *entry = &graph->names[graph->name_count++];
    snprintf(entry->text, sizeof entry->text, "%s", name);
    entry->node = node;
}

static loss_status make_shape(loss_graph *graph, const char *what, int32_t rank, const int64_t *sizes,
                              int32_t with_rows, lossi_shape *shape)
{
    if (rank < 0 || rank > LOSSI_RANK) {
        return lossi_fail(graph->context, LOSS_ERROR_SHAPE, "%s has %d sizes; 0 … %d were expected", what,
                          (int)rank, (int)LOSSI_RANK);
    }
    if (rank > 0 && sizes == NULL) {
        return lossi_fail_null(graph->context, "the shape");
    }
    shape->rank = rank;
    for (int32_t i = 0; i < rank; i++) {
        shape->size[i] = sizes[i];
    }
    if (!with_rows && lossi_shape_of_rows(shape)) {
        return lossi_fail(graph->context, LOSS_ERROR_SHAPE, "%s has LOSS_ROWS as a size; only inputs have",
                          what);
    }
    return lossi_shape_check(graph->context, what, shape);
}

/* A node on the graph's tape, which is none the worse for a failure. */
static loss_status put(loss_graph *graph, const lossi_operation *operation,
                       const lossi_attributes *attributes, const int32_t *inputs, int32_t count,
                       int32_t *node)
{
    const int32_t added = lossi_tape_add(&graph->tape, operation, attributes, inputs, count);
    const loss_status status = graph->tape.status;
    graph->tape.status = LOSS_OK;
    *node = added >= 0 ? added : *node;
    return status;
}

/* ---- what is given ---- */

static const int64_t MOST_PARAMETERS = INT64_C(1)
                                       << 48; /* bytes of them and of more like them stay an int64 */

enum { INDEX, SHAPE, DTYPE = SHAPE + 1 + LOSSI_RANK }; /* attributes of leaves */

static lossi_attributes leaf_attributes(int64_t index, const lossi_shape *shape, loss_dtype dtype)
{
    lossi_attributes attributes = {.integer = {index, shape->rank}};
    memcpy(attributes.integer + SHAPE + 1, shape->size, sizeof shape->size[0] * (size_t)shape->rank);
    attributes.integer[DTYPE] = dtype;
    return attributes;
}

loss_status loss_graph_input(loss_graph *graph, const char *name, loss_dtype dtype, int32_t rank,
                             const int64_t *shape, int32_t *node)
{
    lossi_shape sizes = {0, {0}};
    char what[LOSSI_ROLE_SIZE + 16];
    loss_status status = lossi_graph_check_open(graph, node);
    if (status == LOSS_OK) {
        status = check_name(graph, name);
    }
    if (status != LOSS_OK) {
        return status;
    }
    if (dtype != graph->tape.dtype && dtype != LOSS_INT32 && dtype != LOSS_INT64 && dtype != LOSS_UINT8) {
        return lossi_fail(graph->context, LOSS_ERROR_TYPE,
                          "the input '%s' is %s; %s or integers were expected", name, loss_dtype_name(dtype),
                          loss_dtype_name(graph->tape.dtype));
    }
    snprintf(what, sizeof what, "the input '%s'", name);
    status = make_shape(graph, what, rank, shape, 1, &sizes);
    if (status == LOSS_OK) {
        status = reserve(graph, &graph->inputs, (int64_t)sizeof *graph->inputs, graph->input_count,
                         &graph->input_capacity);
    }
    if (status == LOSS_OK) {
        const lossi_attributes attributes = leaf_attributes(graph->input_count, &sizes, dtype);
        status = put(graph, &lossi_operation_input, &attributes, NULL, 0, node);
    }
    if (status == LOSS_OK) {
        graph->inputs[graph->input_count++] = *node;
        add_name(graph, name, *node);
    }
    return status;
}

loss_status loss_graph_parameter(loss_graph *graph, const char *name, int32_t rank, const int64_t *shape,
                                 int32_t *node)
{
    lossi_shape sizes = {0, {0}};
    char what[LOSSI_ROLE_SIZE + 20];
    loss_status status = lossi_graph_check_open(graph, node);
    if (status == LOSS_OK) {
        status = check_name(graph, name);
    }
    if (status != LOSS_OK) {
        return status;
    }
    snprintf(what, sizeof what, "the parameter '%s'", name);
    status = make_shape(graph, what, rank, shape, 0, &sizes);
    if (status == LOSS_OK && lossi_shape_row(&sizes) > MOST_PARAMETERS - graph->dimension) {
        status = lossi_fail(graph->context, LOSS_ERROR_SHAPE,
                            "with '%s' the parameters would have more than 2^48 elements", name);
    }
    if (status == LOSS_OK) {
        status = reserve(graph, &graph->parameters, (int64_t)sizeof *graph->parameters,
                         graph->parameter_count, &graph->parameter_capacity);
    }
    if (status == LOSS_OK) {
        status = reserve(graph, &graph->initial, (int64_t)sizeof *graph->initial, graph->parameter_count,
                         &graph->initial_capacity);
    }
    if (status == LOSS_OK) {
        lossi_attributes attributes = leaf_attributes(graph->dimension, &sizes, graph->tape.dtype);
        attributes.integer[DTYPE + 1] = graph->parameter_count; /* parameters without elements differ by it */
        status = put(graph, &lossi_operation_parameter, &attributes, NULL, 0, node);
    }
    if (status == LOSS_OK) {
        graph->dimension += lossi_shape_row(&sizes);
        graph->initial[graph->parameter_count] = (lossi_graph_initial){0, 0};
        graph->parameters[graph->parameter_count++] = *node;
        add_name(graph, name, *node);
    }
    return status;
}

/* The numbers in the graph's type, owned by it; NULL with a sentence. */
static void *take_values(loss_graph *graph, const void *values, loss_dtype dtype, int64_t count)
{
    const int64_t size = loss_dtype_size(graph->tape.dtype);
    char *copy = lossi_allocate(graph->context, size * (count > 0 ? count : 1));
    if (copy == NULL) {
        lossi_fail_memory(graph->context, "a constant of a graph");
        return NULL;
    }
    for (int64_t i = 0; i < count; i++) {
        lossi_real_put(graph->tape.dtype, copy, i, lossi_real_get(dtype, values, i));
    }
    return copy;
}

loss_status loss_graph_constant(loss_graph *graph, const void *values, loss_dtype dtype, int32_t rank,
                                const int64_t *shape, int32_t *node)
{
    lossi_shape sizes = {0, {0}};
    loss_status status = lossi_graph_check_open(graph, node);
    if (status == LOSS_OK) {
        status = make_shape(graph, "a constant", rank, shape, 0, &sizes);
    }
    if (status != LOSS_OK) {
        return status;
    }
    const int64_t count = lossi_shape_row(&sizes);
    if (values == NULL && count > 0) {
        return lossi_fail_null(graph->context, "the values of the constant");
    }
    if (dtype != LOSS_FLOAT32 && dtype != LOSS_FLOAT64) {
        return lossi_fail(graph->context, LOSS_ERROR_TYPE, "a constant is float32 or float64, not %s",
                          loss_dtype_name(dtype));
    }
    if (sizes.rank == 0) {
        const lossi_attributes number = {.number = {lossi_real_get(dtype, values, 0)}};
        return put(graph, &lossi_operation_number, &number, NULL, 0, node);
    }
    status = reserve(graph, &graph->owned, (int64_t)sizeof *graph->owned, graph->owned_count,
                     &graph->owned_capacity);
    void *copy = status == LOSS_OK ? take_values(graph, values, dtype, count) : NULL;
    if (copy == NULL) {
        return LOSS_ERROR_MEMORY;
    }
    lossi_attributes attributes = leaf_attributes(0, &sizes, graph->tape.dtype);
    attributes.object = copy;
    status = put(graph, &lossi_operation_constant, &attributes, NULL, 0, node);
    if (status != LOSS_OK) {
        lossi_release(graph->context, copy);
        return status;
    }
    graph->owned[graph->owned_count++] = copy;
    return LOSS_OK;
}

/* ---- what is computed ---- */

loss_status lossi_graph_check_nodes(loss_graph *graph, const int32_t *inputs, int32_t count)
{
    if (inputs == NULL && count > 0) {
        return lossi_fail_null(graph->context, "the inputs");
    }
    for (int32_t i = 0; i < count; i++) {
        if (inputs[i] < 0 || inputs[i] >= graph->tape.count) {
            return lossi_fail(graph->context, LOSS_ERROR_RANGE,
                              "there is no node %d; the graph has nodes 0 … %d", (int)inputs[i],
                              (int)graph->tape.count - 1);
        }
    }
    return LOSS_OK;
}

/* How many words a list of names has, and whether it ends with "…". */
static int32_t word_count(const char *words, int32_t *more)
{
    int32_t count = *words != '\0';
    for (const char *c = words; *c != '\0'; c++) {
        count += *c == ' ';
    }
    *more = strstr(words, "…") != NULL;
    return count - *more;
}

static loss_status check_count(loss_graph *graph, const lossi_operation *row, int32_t count)
{
    int32_t more, words = word_count(row->inputs, &more);
    if (count < words || (count > words && !more) || count > LOSSI_NODE_INPUTS) {
        return lossi_fail(
            graph->context, LOSS_ERROR_ARGUMENT, "the operation '%s' takes %s%d input%s (%s), not %d",
            row->name, more ? "at least " : "", (int)words, words == 1 ? "" : "s", row->inputs, (int)count);
    }
    return LOSS_OK;
}

/* The node, and what is to be said of its options, which the graph takes over. */
static loss_status put_noted(loss_graph *graph, const lossi_operation *row,
                             const lossi_attributes *attributes, const int32_t *inputs, int32_t count,
                             char *note, int32_t *node)
{
    const int32_t before = graph->tape.count;
    const loss_status status = put(graph, row, attributes, inputs, count, node);
    if (status == LOSS_OK && note != NULL && *node == before) {
        graph->notes[graph->note_count++] = (lossi_graph_note){before, note};
    } else {
        lossi_release(graph->context, note); /* an equal node has an equal note */
    }
    return status;
}

loss_status loss_graph_apply(loss_graph *graph, const char *name, const loss_operation *operation,
                             const int32_t *inputs, int32_t count, int32_t *node)
{
    lossi_attributes attributes;
    loss_operation *by_name = NULL;
    char *note = NULL;
    loss_status status = lossi_graph_check_open(graph, node);
    if (status == LOSS_OK && (name == NULL) == (operation == NULL)) {
        status = lossi_fail(graph->context, LOSS_ERROR_ARGUMENT,
                            "either a name or an operation was expected");
    }
    if (status == LOSS_OK && operation == NULL) {
        status = loss_operation_create(&by_name, graph->context, name);
        operation = by_name;
    }
    if (status == LOSS_OK) {
        status = check_count(graph, operation->row, count);
    }
    if (status == LOSS_OK) {
        status = lossi_graph_check_nodes(graph, inputs, count);
    }
    if (status == LOSS_OK) {
        status = lossi_operation_settle(operation->row, graph->context, &operation->options, &attributes);
    }
    if (status == LOSS_OK && operation->row->flags & LOSSI_OPERATION_DISTINCT) {
        attributes.integer[LOSSI_INTEGERS - 1] = graph->tape.count; /* not the same as an equal one */
    }
    if (status == LOSS_OK) {
        status = reserve(graph, &graph->notes, (int64_t)sizeof *graph->notes, graph->note_count,
                         &graph->note_capacity);
    }
    if (status == LOSS_OK) {
        status = lossi_graph_make_note(graph, &operation->options, &note);
    }
    if (status == LOSS_OK) {
        status = put_noted(graph, operation->row, &attributes, inputs, count, note, node);
    }
    loss_operation_free(by_name);
    return status;
}

/* ---- losses ---- */

static loss_status infer_loss(const lossi_tape *tape, lossi_tape_node *node)
{
    int32_t roles[LOSSI_INTEGERS];
    for (int32_t i = 0; i < node->input_count; i++) {
        roles[i] = (int32_t)node->attributes.integer[i];
    }
    node->shape.rank = 0;
    return lossi_loss_node_check(tape, node->attributes.object, roles, tape->inputs + node->first_input,
                                 node->input_count);
}

static int32_t expand_loss(lossi_tape *tape, const lossi_attributes *attributes, const int32_t *inputs,
                           int32_t count)
{
    int32_t roles[LOSSI_INTEGERS];
    for (int32_t i = 0; i < count; i++) {
        roles[i] = (int32_t)attributes->integer[i];
    }
    return lossi_tape_cost(tape, attributes->object, roles, inputs, count);
}

const lossi_operation lossi_operation_loss = {.name = "_loss", .infer = infer_loss, .expand = expand_loss};

static const char *function_role(const void *function, int32_t index)
{
    return loss_function_role(function, index);
}

static loss_status find_role(loss_graph *graph, const loss_function *function, const char *name,
                             int64_t *role)
{
    char kind[96];
    if (name == NULL) {
        return lossi_fail_null(graph->context, "a role");
    }
    for (int32_t i = 0; i < loss_function_role_count(function); i++) {
        if (strcmp(loss_function_role(function, i), name) == 0) {
            *role = i;
            return LOSS_OK;
        }
    }
    snprintf(kind, sizeof kind, "role of %s called", function->title);
    return lossi_fail_name(graph->context, kind, name, function_role, function,
                           loss_function_role_count(function));
}

loss_status loss_graph_loss(loss_graph *graph, const loss_function *function, const char *const *roles,
                            const int32_t *nodes, int32_t count, int32_t *node)
{
    lossi_attributes attributes = {.object = function};
    loss_status status = lossi_graph_check_open(graph, node);
    if (status == LOSS_OK && (function == NULL || roles == NULL)) {
        status = lossi_fail_null(graph->context, function == NULL ? "the loss function" : "the roles");
    }
    if (status == LOSS_OK && (count < 1 || count > LOSSI_LOSS_ROLES)) {
        status = lossi_fail(graph->context, LOSS_ERROR_ARGUMENT, "a loss has 1 … %d inputs here, not %d",
                            (int)LOSSI_LOSS_ROLES, (int)count);
    }
    if (status == LOSS_OK) {
        status = lossi_graph_check_nodes(graph, nodes, count);
    }
    for (int32_t i = 0; i < count && status == LOSS_OK; i++) {
        status = find_role(graph, function, roles[i], &attributes.integer[i]);
    }
    if (status == LOSS_OK) {
        status = reserve(graph, &graph->functions, (int64_t)sizeof *graph->functions, graph->function_count,
                         &graph->function_capacity);
    }
    if (status == LOSS_OK) {
        status = put(graph, &lossi_operation_loss, &attributes, nodes, count, node);
    }
    if (status == LOSS_OK) {
        graph->functions[graph->function_count++] = lossi_function_retain(function);
    }
    return status;
}

loss_status loss_graph_set_output(loss_graph *graph, const char *name, int32_t node)
{
    loss_status status = lossi_graph_check_open(graph, &node);
    if (status == LOSS_OK) {
        status = lossi_graph_check_nodes(graph, &node, 1);
    }
    if (status == LOSS_OK) {
        status = check_name(graph, name);
    }
    if (status == LOSS_OK) {
        add_name(graph, name, node);
    }
    return status;
}
