/* The table of operations, and operations as handles: a row with options set. */
#include "gradient/graph/operations.h"

#include <stdio.h>
#include <string.h>

#include "gradient/graph/elementwise.h"
#include "gradient/graph/graph.h"
#include "gradient/graph/shape.h"

#define OPERATION_ROW(file, name) extern const lossi_operation lossi_operation_##name;
#include "gradient/graph/operations.def"
#undef OPERATION_ROW

#define OPERATION_ROW(file, name) &lossi_operation_##name,
static const lossi_operation *const rows[] = {
#include "gradient/graph/operations.def"
};
#undef OPERATION_ROW

enum { ROWS = sizeof rows / sizeof rows[0] };

int32_t lossi_operation_count(void)
{
    return ROWS + lossi_elementwise_count();
}

const lossi_operation *lossi_operation_at(int32_t index)
{
    return index < ROWS ? rows[index] : lossi_elementwise_at(index - ROWS);
}

const lossi_operation *lossi_operation_find(const char *name)
{
    for (int32_t i = 0; i < lossi_operation_count(); i++) {
        if (strcmp(lossi_operation_at(i)->name, name) == 0) {
            return lossi_operation_at(i);
        }
    }
    return NULL;
}

/* ---- the catalogue ---- */

int32_t loss_operation_catalogue_count(void)
{
    return lossi_operation_count();
}

/* Looked for anew each time: the table is short, and nothing has to be made before the first question. */
const char *loss_operation_catalogue_name(int32_t index)
{
    for (int32_t i = 0; i < lossi_operation_count(); i++) {
        int32_t before = 0;
        for (int32_t k = 0; k < lossi_operation_count(); k++) {
            before += strcmp(lossi_operation_at(k)->name, lossi_operation_at(i)->name) < 0;
        }
        if (before == index) {
            return lossi_operation_at(i)->name;
        }
    }
    return NULL;
}

static const char *row_name(const void *unused, int32_t index)
{
    (void)unused;
    return lossi_operation_at(index)->name;
}

/* ---- life ---- */

loss_status loss_operation_create(loss_operation **out, loss_context *context, const char *name)
{
    if (out != NULL) {
        *out = NULL;
    }
    if (out == NULL || context == NULL || name == NULL) {
        return lossi_fail_null(context, out == NULL       ? "out"
                                        : context == NULL ? "the context"
                                                          : "the name of the operation");
    }
    /* The rows of a table by number are a layer in PyTorch, under this name. */
    const lossi_operation *row = lossi_operation_find(strcmp(name, "embedding") == 0 ? "gather" : name);
    if (row == NULL) {
        return lossi_fail_name(context, "operation called", name, row_name, NULL, lossi_operation_count());
    }
    loss_operation *operation = lossi_allocate(context, (int64_t)sizeof *operation);
    if (operation == NULL) {
        return lossi_fail_memory(context, "an operation");
    }
    operation->row = row;
    snprintf(operation->title, sizeof operation->title, "the operation '%s'", row->name);
    loss_status status = lossi_options_create(&operation->options, context, operation->title, NULL, 0,
                                              row->options, row->option_count);
    if (status != LOSS_OK) {
        lossi_release(context, operation);
        return status;
    }
    operation->context = lossi_context_retain(context);
    *out = operation;
    return LOSS_OK;
}

void loss_operation_free(loss_operation *operation)
{
    if (operation != NULL) {
        loss_context *context = operation->context;
        lossi_options_destroy(&operation->options);
        lossi_release(context, operation);
        lossi_context_drop(context);
    }
}

/* ---- what it is ---- */

const char *loss_operation_name(const loss_operation *operation)
{
    return operation == NULL ? "" : operation->row->name;
}

const char *loss_operation_summary(const loss_operation *operation)
{
    return operation == NULL ? "" : operation->row->summary;
}

const char *loss_operation_inputs(const loss_operation *operation)
{
    return operation == NULL ? "" : operation->row->inputs;
}

const char *loss_operation_formula(const loss_operation *operation)
{
    return operation == NULL ? "" : operation->row->formula;
}

const char *loss_operation_reference(const loss_operation *operation)
{
    return operation == NULL ? "" : operation->row->reference;
}

/* ---- options ---- */

loss_status loss_operation_set_double(loss_operation *operation, const char *name, double value)
{
    return operation == NULL ? LOSS_ERROR_ARGUMENT
                             : lossi_options_set_double(&operation->options, name, value);
}

loss_status loss_operation_set_int(loss_operation *operation, const char *name, int64_t value)
{
    return operation == NULL ? LOSS_ERROR_ARGUMENT : lossi_options_set_int(&operation->options, name, value);
}

loss_status loss_operation_set_string(loss_operation *operation, const char *name, const char *value)
{
    return operation == NULL ? LOSS_ERROR_ARGUMENT
                             : lossi_options_set_string(&operation->options, name, value);
}

loss_status loss_operation_set_array(loss_operation *operation, const char *name, const void *values,
                                     loss_dtype dtype, int64_t count)
{
    return operation == NULL ? LOSS_ERROR_ARGUMENT
                             : lossi_options_set_array(&operation->options, name, values, dtype, count);
}

int32_t loss_operation_option_count(const loss_operation *operation)
{
    return operation == NULL ? 0 : lossi_options_count(&operation->options);
}

const loss_option *loss_operation_option(const loss_operation *operation, int32_t index)
{
    return operation == NULL ? NULL : lossi_options_at(&operation->options, index);
}

loss_status lossi_operation_settle(const lossi_operation *row, loss_context *context,
                                   const lossi_options *options, lossi_attributes *attributes)
{
    memset(attributes, 0, sizeof *attributes);
    if (row->settle == NULL) {
        return LOSS_OK;
    }
    if (options != NULL) {
        return row->settle(options, context, attributes);
    }
    lossi_options initial;
    loss_status status = lossi_options_create(&initial, context, row->name, NULL, 0, row->options,
                                              row->option_count);
    if (status == LOSS_OK) {
        status = row->settle(&initial, context, attributes);
        lossi_options_destroy(&initial);
    }
    return status;
}

/* ---- sentences ---- */

enum { SHOWN = 4 /* inputs; of more the others are like them */ };

/* What stands before input i of so many in a list. */
static const char *before(int32_t i, int32_t count)
{
    return i == 0 ? "" : i + 1 == count ? " and " : ", ";
}

/* " (node 0 'x' and node 2)", "" of a tape that is not what the caller wrote. */
static const char *nodes_text(const lossi_tape *tape, const lossi_tape_node *node, char *text, size_t size)
{
    int used = snprintf(text, size, " (");
    for (int32_t i = 0; i < node->input_count && i < SHOWN && used < (int)size; i++) {
        const int32_t input = tape->inputs[node->first_input + i];
        const char *name = tape->graph != NULL ? lossi_graph_node_name(tape->graph, input) : "";
        const char *quote = name[0] != '\0' ? "'" : "";
        used += snprintf(text + used, size - (size_t)used, "%snode %d%s%s%s%s", before(i, node->input_count),
                         (int)input, quote[0] != '\0' ? " " : "", quote, name, quote);
    }
    if (used < (int)size) {
        snprintf(text + used, size - (size_t)used, "%s)", node->input_count > SHOWN ? ", …" : "");
    }
    return tape->graph != NULL && node->input_count > 0 ? text : "";
}

loss_status lossi_operation_fail_shapes(const lossi_tape *tape, const lossi_tape_node *node, const char *why)
{
    char list[SHOWN * LOSSI_SHAPE_TEXT] = "nothing", text[LOSSI_SHAPE_TEXT], nodes[SHOWN * 96];
    int used = 0;
    for (int32_t i = 0; i < node->input_count && i < SHOWN; i++) {
        used += snprintf(list + used, sizeof list - (size_t)used, "%s%s", before(i, node->input_count),
                         lossi_shape_text(&lossi_input_node(tape, node, i)->shape, text));
    }
    return lossi_fail(tape->context, LOSS_ERROR_SHAPE, "the operation '%s' cannot take %s%s%s: %s",
                      node->operation->name, list, node->input_count > SHOWN ? ", …" : "",
                      nodes_text(tape, node, nodes, sizeof nodes), why);
}
