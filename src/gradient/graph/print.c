/* Graphs as text, for people, and for Graphviz. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gradient/graph/graph.h"
#include "gradient/graph/operations.h"
#include "gradient/graph/shape.h"
#include "loss/handle.h"

typedef struct writer {
    char *buffer;
    int64_t capacity, length;
} writer;

static void put(writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(writer *w, const char *format, ...)
{
    va_list arguments;
    const int64_t room = w->length < w->capacity ? w->capacity - w->length : 0;
    va_start(arguments, format);
    const int written = vsnprintf(room > 0 ? w->buffer + w->length : NULL, (size_t)room, format, arguments);
    va_end(arguments);
    w->length += written > 0 ? written : 0;
}

/* ---- notes ---- */

/* One option, where it is not as by default. */
static void put_option(writer *w, const loss_option *option, const lossi_option_value *value)
{
    char number[32];
    const char *before = w->length > 0 ? " " : "";
    switch (option->type) {
    case LOSS_OPTION_DOUBLE:
        if (value->number != option->initial) {
            put(w, "%s%s=%s", before, option->name, lossi_number(value->number, number));
        }
        break;
    case LOSS_OPTION_INT:
        if ((double)value->integer != option->initial) {
            put(w, "%s%s=%lld", before, option->name, (long long)value->integer);
        }
        break;
    case LOSS_OPTION_STRING:
        if (strcmp(value->word, option->text) != 0) {
            put(w, "%s%s=%s", before, option->name, value->word);
        }
        break;
    default:
        for (int64_t i = 0; i < value->count; i++) {
            put(w, "%s%s%s", i == 0 ? before : ",", i == 0 ? option->name : "", i == 0 ? "=" : "");
            put(w, "%s", lossi_number(value->array[i], number));
        }
    }
}

static void put_options(writer *w, const lossi_options *options)
{
    for (int32_t i = 0; i < lossi_options_count(options); i++) {
        put_option(w, lossi_options_at(options, i), lossi_options_own(options, i));
    }
}

loss_status lossi_graph_make_note(loss_graph *graph, const lossi_options *options, char **text)
{
    writer measure = {NULL, 0, 0};
    *text = NULL;
    put_options(&measure, options);
    if (measure.length == 0) {
        return LOSS_OK;
    }
    writer w = {lossi_allocate(graph->context, measure.length + 1), measure.length + 1, 0};
    if (w.buffer == NULL) {
        return lossi_fail_memory(graph->context, "one more node of a graph");
    }
    put_options(&w, options);
    *text = w.buffer;
    return LOSS_OK;
}

/* What was noted of a node, "" when nothing was. */
static const char *note_of(const loss_graph *graph, int32_t node)
{
    for (int32_t i = 0; i < graph->note_count; i++) {
        if (graph->notes[i].node == node) {
            return graph->notes[i].text;
        }
    }
    return "";
}

/* ---- nodes ---- */

/* What is particular to a node beside its inputs: the loss's name, a number's value. */
static void put_detail(writer *w, const loss_graph *graph, int32_t index)
{
    char number[32];
    const lossi_tape_node *node = &graph->tape.nodes[index];
    const char *note = note_of(graph, index);
    put(w, "%s%s", *note != '\0' ? " " : "", note);
    if (node->operation == &lossi_operation_loss) {
        const loss_function *function = node->attributes.object;
        put(w, " %s", function->row->name);
    } else if (node->operation == &lossi_operation_number) {
        put(w, " %s", lossi_number(node->attributes.number[0], number));
    }
}

/* "12  conv2d stride=2 (8, 3)  float32 [rows, 28, 28, 32]  hidden". */
static void put_line(writer *w, const loss_graph *graph, int32_t index)
{
    char text[LOSSI_SHAPE_TEXT];
    const lossi_tape_node *node = &graph->tape.nodes[index];
    const char *name = lossi_graph_node_name(graph, index);
    put(w, "%d  %s", (int)index, lossi_graph_operation_name(node));
    put_detail(w, graph, index);
    for (int32_t k = 0; k < node->input_count; k++) {
        put(w, "%s%d", k == 0 ? " (" : ", ", (int)lossi_tape_input(&graph->tape, index, k));
    }
    put(w, "%s  %s %s%s%s\n", node->input_count > 0 ? ")" : "", loss_dtype_name(node->dtype),
        lossi_shape_text(&node->shape, text), *name != '\0' ? "  " : "", name);
}

/* A label between quotes: names are the caller's, and may hold anything. */
static void put_escaped(writer *w, const char *text)
{
    for (; *text != '\0'; text++) {
        put(w, "%s%c", *text == '"' || *text == '\\' ? "\\" : "", *text);
    }
}

static void put_dot_node(writer *w, const loss_graph *graph, int32_t index)
{
    char text[LOSSI_SHAPE_TEXT];
    const lossi_tape_node *node = &graph->tape.nodes[index];
    const char *name = lossi_graph_node_name(graph, index);
    const char *style = node->operation == &lossi_operation_parameter
                            ? "box, style=filled, fillcolor=lightblue"
                        : node->operation == &lossi_operation_input ? "box, style=filled, fillcolor=lightgrey"
                                                                    : "box, style=rounded";
    put(w, "  n%d [shape=%s, label=\"", (int)index, style);
    put_escaped(w, lossi_graph_operation_name(node));
    put_detail(w, graph, index);
    put(w, "%s", *name != '\0' ? "\\n" : "");
    put_escaped(w, name);
    put(w, "\\n%s\"];\n", lossi_shape_text(&node->shape, text));
    for (int32_t k = 0; k < node->input_count; k++) {
        put(w, "  n%d -> n%d;\n", (int)lossi_tape_input(&graph->tape, index, k), (int)index);
    }
}

loss_status loss_graph_print(const loss_graph *graph, const char *format, char *buffer, int64_t capacity,
                             int64_t *length)
{
    writer w = {buffer, buffer != NULL ? capacity : 0, 0};
    if (graph == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (format == NULL || capacity < 0 || (buffer == NULL && capacity > 0)) {
        return lossi_fail_null(graph->context, format == NULL ? "the format" : "a buffer of that capacity");
    }
    const int32_t dot = strcmp(format, "graphviz") == 0;
    if (!dot && strcmp(format, "text") != 0) {
        return lossi_fail(graph->context, LOSS_ERROR_NAME,
                          "there is no format '%s'; 'text' and 'graphviz' are there", format);
    }
    put(&w, "%s", dot ? "digraph {\n" : "");
    for (int32_t i = 0; i < graph->tape.count; i++) {
        if (dot) {
            put_dot_node(&w, graph, i);
        } else {
            put_line(&w, graph, i);
        }
    }
    put(&w, "%s", dot ? "}\n" : "");
    if (length != NULL) {
        *length = w.length;
    }
    return LOSS_OK;
}
