/*
 * Formulas over the nodes of a graph: "cost + 0.1*mean(w^2)".
 *
 * The text becomes an expression, which puts it into its stable form (log(1 + exp(z)) is softplus(z)), and the expression becomes
 * elementwise nodes; sum() and mean() over all elements end one expression and are an input of the next. Shapes are told as the text is
 * read, so that a sentence about two that do not fit has the place of what joins them.
 */
#include <stdio.h>
#include <string.h>

#include "gradient/graph/elementwise.h"
#include "gradient/graph/graph.h"
#include "gradient/graph/operations.h"
#include "loss/expression/expression.h"
#include "loss/formula/formula.h"
#include "loss/formula/parser.h"

enum { MOST_INPUTS = 1024 };

/* The shape that a node of the expression broadcasts to, by node; rank −1: not told. */
typedef lossi_shape told_shape;

typedef struct translation {
    loss_graph *graph;
    lossi_expression *expression;
    const char *const *names; /* the caller's, for nodes of his */
    const int32_t *nodes;
    int32_t count;
    lossi_formula given; /* the options behind the semicolon */
    loss_status status;  /* of what is wrong, and the sentence about it */
    char sentence[512];
    told_shape *shapes;
    int32_t input_count;
    int32_t inputs[MOST_INPUTS]; /* nodes of the graph that the expression's inputs stand for */
} translation;

/* ---- shapes ---- */

/* A node of the expression that is of that shape, unless it is known: a sum that is an operand again stays what it is. */
static int32_t of_shape(translation *t, int32_t node, const lossi_shape *shape)
{
    if (node > 0 && t->shapes[node].rank < 0) {
        t->shapes[node] = *shape;
    }
    return node;
}

static lossi_shape shape_of(const translation *t, int32_t node)
{
    static const lossi_shape number;
    return t->shapes[node].rank < 0 ? number : t->shapes[node]; /* inside a stable form */
}

static int32_t fail_shapes(translation *t, int32_t operation, const int32_t *operands)
{
    char list[4 * LOSSI_SHAPE_TEXT] = "", text[LOSSI_SHAPE_TEXT];
    const int32_t count = lossi_scalar_operands(operation);
    int used = 0;
    for (int32_t i = 0; i < count; i++) {
        const lossi_shape shape = shape_of(t, operands[i]);
        used += snprintf(list + used, sizeof list - (size_t)used, "%s%s",
                         i == 0           ? ""
                         : i + 1 == count ? " and "
                                          : ", ",
                         lossi_shape_text(&shape, text));
    }
    t->status = LOSS_ERROR_SHAPE;
    snprintf(t->sentence, sizeof t->sentence,
             "the operation '%s' cannot take %s: they do not broadcast to one shape",
             lossi_scalar_name(operation), list);
    return LOSSI_FORMULA_WRONG;
}

/* ---- what the parser makes ---- */

static int32_t put_number(void *user, double value)
{
    static const lossi_shape number;
    translation *t = user;
    return of_shape(t, lossi_expression_constant(t->expression, value), &number);
}

static int32_t put_operation(void *user, int32_t operation, int32_t a, int32_t b, int32_t c)
{
    translation *t = user;
    const int32_t operands[] = {a, b, c};
    lossi_shape shape = {0, {0}};
    for (int32_t i = 0; i < lossi_scalar_operands(operation); i++) {
        const lossi_shape own = shape_of(t, operands[i]);
        if (!lossi_shapes_broadcast(&shape, &own, &shape)) {
            return fail_shapes(t, operation, operands);
        }
    }
    return of_shape(t, lossi_expression_apply(t->expression, operation, a, b, c), &shape);
}

/* The expression's input for a node of the graph. */
static int32_t put_input(translation *t, int32_t node)
{
    const lossi_tape *tape = &t->graph->tape;
    int32_t k = 0;
    if (tape->nodes[node].dtype != tape->dtype) {
        t->status = LOSS_ERROR_TYPE;
        snprintf(t->sentence, sizeof t->sentence, "node %d is %s; %s was expected", (int)node,
                 loss_dtype_name(tape->nodes[node].dtype), loss_dtype_name(tape->dtype));
        return LOSSI_FORMULA_WRONG;
    }
    while (k < t->input_count && t->inputs[k] != node) {
        k++;
    }
    if (k == MOST_INPUTS) {
        return LOSSI_EXPRESSION_FULL;
    }
    if (k == t->input_count) {
        t->inputs[t->input_count++] = node;
    }
    return of_shape(t, lossi_expression_input(t->expression, k), lossi_tape_shape(tape, node));
}

static int32_t put_name(void *user, const char *name)
{
    translation *t = user;
    for (int32_t i = 0; i < t->count; i++) {
        if (strcmp(t->names[i], name) == 0) {
            return put_input(t, t->nodes[i]);
        }
    }
    for (int32_t i = 0; i < t->given.option_count; i++) {
        if (strcmp(t->given.names[i], name) == 0) {
            return put_number(t, t->given.options[i].initial);
        }
    }
    const int32_t node = loss_graph_find(t->graph, name);
    return node < 0 ? LOSSI_FORMULA_UNKNOWN : put_input(t, node);
}

/* The graph's node for one of the expression; LOSSI_NONE when the tape failed. */
static int32_t put_nodes(translation *t, int32_t result)
{
    lossi_tape *tape = &t->graph->tape;
    const int32_t node = lossi_tape_expression(tape, t->expression, result, t->inputs);
    return node == LOSSI_NONE && tape->status == LOSS_OK ? lossi_tape_number(tape, 0.0) : node;
}

static int32_t put_reduction(void *user, const char *function, int32_t operand)
{
    translation *t = user;
    lossi_attributes attributes;
    const lossi_operation *row = lossi_operation_find(function);
    const int32_t input = put_nodes(t, operand);
    int32_t node = LOSSI_NONE;
    if (lossi_operation_settle(row, t->graph->context, NULL, &attributes) == LOSS_OK) {
        node = lossi_tape_add(&t->graph->tape, row, &attributes, &input, 1);
    }
    if (node == LOSSI_NONE) {
        t->status = t->graph->tape.status != LOSS_OK ? t->graph->tape.status : LOSS_ERROR_MEMORY;
        snprintf(t->sentence, sizeof t->sentence, "%s", loss_context_error(t->graph->context));
        return LOSSI_FORMULA_WRONG;
    }
    return put_input(t, node);
}

/* The names there are: those of the call, the options', then the graph's. */
static const char *name_at(const void *user, int32_t index)
{
    const translation *t = user;
    const int32_t option = index - t->count, name = option - t->given.option_count;
    return index < t->count ? t->names[index]
           : name < 0       ? t->given.names[option]
                            : t->graph->names[name].text;
}

static loss_status translate(translation *t, const char *text, int32_t *node)
{
    static const char *const functions[] = {"sum", "mean", NULL};
    lossi_tape *tape = &t->graph->tape;
    const int32_t before = tape->count;
    int32_t result = 0;
    const char *end = text + strlen(text), *semicolon = strchr(text, ';');
    loss_status status = semicolon == NULL ? LOSS_OK
                                           : lossi_formula_read_options(&t->given, text, semicolon + 1, end);
    const lossi_formula_builder builder = {.user = t,
                                           .number = put_number,
                                           .name = put_name,
                                           .apply = put_operation,
                                           .functions = functions,
                                           .call = put_reduction,
                                           .name_at = name_at,
                                           .names = t,
                                           .name_count = t->count + t->given.option_count +
                                                         t->graph->name_count,
                                           .sentence = t->sentence};
    if (status == LOSS_OK) {
        status = lossi_formula_parse(t->graph->context, text, semicolon == NULL ? end : semicolon, &builder,
                                     &result);
        status = t->status != LOSS_OK ? t->status : status; /* the sentence has the place */
    }
    const int32_t made = status == LOSS_OK ? put_nodes(t, result) : LOSSI_NONE;
    if (tape->status != LOSS_OK) { /* a type that does not fit */
        status = t->status != LOSS_OK ? t->status : tape->status;
        tape->status = LOSS_OK;
    }
    if (status != LOSS_OK) {
        lossi_tape_truncate(tape, before);
        return status;
    }
    *node = made;
    return LOSS_OK;
}

loss_status loss_graph_formula(loss_graph *graph, const char *text, const char *const *names,
                               const int32_t *nodes, int32_t count, int32_t *node)
{
    loss_status status = lossi_graph_check_open(graph, node);
    if (status == LOSS_OK && (text == NULL || count < 0 || (count > 0 && (names == NULL || nodes == NULL)))) {
        status = count < 0 ? lossi_fail(graph->context, LOSS_ERROR_ARGUMENT,
                                        "%d names: that may not be negative", (int)count)
                           : lossi_fail_null(graph->context,
                                             text == NULL ? "the formula" : "the names or their nodes");
    }
    if (status == LOSS_OK) {
        status = lossi_graph_check_nodes(graph, nodes, count);
    }
    for (int32_t i = 0; i < count && status == LOSS_OK; i++) {
        status = names[i] == NULL ? lossi_fail_null(graph->context, "a name") : LOSS_OK;
    }
    if (status != LOSS_OK) {
        return status;
    }
    translation *t = lossi_allocate(graph->context, (int64_t)sizeof *t);
    lossi_expression *expression = lossi_expression_create(graph->context, LOSSI_FORMULA_NODES);
    told_shape *shapes = lossi_allocate(graph->context, (LOSSI_FORMULA_NODES + 2) * (int64_t)sizeof *shapes);
    if (t != NULL && expression != NULL && shapes != NULL) {
        *t = (translation){
            .graph = graph, .expression = expression, .names = names, .nodes = nodes, .count = count};
        t->given.context = graph->context;
        t->shapes = shapes;
        for (int32_t i = 0; i < LOSSI_FORMULA_NODES + 2; i++) {
            shapes[i].rank = -1;
        }
        status = translate(t, text, node);
    } else {
        status = lossi_fail_memory(graph->context, "a formula");
    }
    lossi_expression_free(expression);
    lossi_release(graph->context, shapes);
    lossi_release(graph->context, t);
    return status;
}
