/*
 * The objective of a graph over data: f(x) = the value of a node, plus penalties.
 *
 * All samples are evaluated in pieces of some rows, and with w the denominator of the losses in a piece
 *
 *     f = Σ w_piece f_piece / Σ w_piece,
 *
 * which for a cost plus terms without data is what one piece would give. Pieces come in order, their gradients are added up in
 * double: the result does not depend on threads, which share the work within a piece.
 */
#include <math.h>
#include <string.h>

#include "gradient/graph/builder.h"
#include "gradient/graph/channels.h"
#include "gradient/graph/differentiate.h"
#include "gradient/graph/feed.h"
#include "gradient/graph/operations.h"
#include "gradient/graph/shape.h"
#include "gradient/graph_predict.h"
#include "gradient/graph/statistics.h"
#include "gradient/objective.h"

enum { CHUNK_ROWS, TRAINING, SEED, CURVATURE, OPTIONS };

static const loss_option options[OPTIONS] = {
    [CHUNK_ROWS] = {"chunk_rows", LOSS_OPTION_INT, 1, 2147483648.0, 256, NULL, NULL,
                    "rows that are evaluated at a time"},
    [TRAINING] = {"training", LOSS_OPTION_INT, 0, 1, 1, NULL, NULL,
                  "1: dropout drops, and batch_norm takes the statistics of the batch"},
    [SEED] = {"seed", LOSS_OPTION_INT, 0, 9007199254740992.0, 0, NULL, NULL, "of dropout"},
    [CURVATURE] = {"curvature", LOSS_OPTION_STRING, 0, 0, 0, "exact", "exact|gauss_newton",
                   "what Hessian products are products with"},
};

enum { VALUE, GRADIENT, PRODUCT, PLANS };
enum { RESULT_SLOT, VALUE_SLOT, WEIGHT_SLOT, MOMENTS_SLOT }; /* of outputs */
enum { MOST_LOSSES = 16 };
enum { EXACT, GAUSS_NEWTON }; /* choices of the option */

typedef struct graph_objective {
    loss_objective base; /* first */
    const loss_graph *graph;
    const loss_data *data;
    int32_t node;
    lossi_feed feed;
    lossi_statistics statistics;
    lossi_plan *plans[PLANS];
    int32_t losses; /* denominators that a plan gives */
    char *piece;    /* the gradient or product of a piece */
    double *total;
    uint64_t step;          /* how many iterates there have been */
    loss_function **clones; /* of the graph's functions, with another curvature */
} graph_objective;

static loss_status measure(const loss_objective *objective, int32_t explain, int64_t *dimension)
{
    (void)explain;
    *dimension = ((const graph_objective *)objective)->graph->dimension;
    return LOSS_OK;
}

/* ---- plans ---- */

/* The value of the objective's node as a number, the first output; the denominators of the losses follow. */
static int32_t put_value(graph_objective *self, lossi_builder *b, int32_t what)
{
    const lossi_shape number = {0, {0}};
    lossi_builder_put(b, &self->node, 1);
    const int32_t value = b->tape.status == LOSS_OK ? lossi_tape_reshape(&b->tape, b->at[self->node], &number)
                                                    : LOSSI_NONE;
    lossi_builder_want(b, value, VALUE_SLOT, 0);
    self->losses = 0;
    for (int32_t i = 0; i < b->tape.count && self->losses < MOST_LOSSES; i++) {
        if (b->tape.nodes[i].operation == &lossi_operation_loss_denominator) {
            lossi_builder_want(b, i, WEIGHT_SLOT, self->losses++);
        }
    }
    for (int32_t i = 0; i < b->tape.count && what != PRODUCT; i++) {
        if (b->tape.nodes[i].operation == &lossi_operation_channel_moments) {
            const int32_t node = (int32_t)b->tape.nodes[i].attributes.integer[LOSSI_INTEGERS - 1];
            lossi_builder_want(b, i, MOMENTS_SLOT, lossi_statistics_find(&self->statistics, node)->offset);
        }
    }
    return value;
}

/* The same loss with the curvature that is never negative; a clone, made once. */
static const loss_function *gauss_newton(void *argument, const loss_function *function)
{
    graph_objective *self = argument;
    int32_t i = 0;
    while (i < self->graph->function_count && self->graph->functions[i] != function) {
        i++;
    }
    if (self->clones == NULL) {
        self->clones = lossi_allocate(self->base.context,
                                      (self->graph->function_count + 1) * (int64_t)sizeof *self->clones);
    }
    if (self->clones == NULL) {
        lossi_fail_memory(self->base.context, "an objective from a graph");
        return NULL;
    }
    if (self->clones[i] == NULL &&
        loss_function_clone(&self->clones[i], self->base.context, function) == LOSS_OK) {
        loss_function_set_string(self->clones[i], "curvature", "gauss_newton");
    }
    return self->clones[i];
}

/* The gradient in adjoints, or products with the kind of second derivatives that the option says. */
static void put_derivative(graph_objective *self, lossi_builder *b, int32_t value, int32_t what)
{
    const int32_t count = self->graph->parameter_count;
    if (what == PRODUCT) {
        lossi_builder_directions(b);
    }
    if (what == PRODUCT && lossi_options_own(&self->base.options, CURVATURE)->integer == GAUSS_NEWTON) {
        lossi_tape_gauss_newton(&b->tape, value, b->parameters, b->directions, count, gauss_newton, self,
                                b->adjoints);
        return;
    }
    lossi_tape_adjoints(&b->tape, value, lossi_tape_number(&b->tape, 1.0), b->parameters, count, 0,
                        b->adjoints);
    if (what == PRODUCT && b->tape.status == LOSS_OK) {
        lossi_tape_tangents(&b->tape, b->parameters, b->directions, count, b->adjoints, count, b->adjoints);
    }
}

static loss_status make_plan(graph_objective *self, int32_t what)
{
    lossi_builder b;
    const lossi_purpose purpose = {(int32_t)lossi_options_own(&self->base.options, TRAINING)->integer};
    if (self->plans[what] != NULL) {
        return LOSS_OK;
    }
    lossi_builder_create(&b, self->base.context, self->graph, purpose,
                         1 + MOST_LOSSES + self->statistics.count);
    const int32_t value = put_value(self, &b, what);
    if (what != VALUE && b.tape.status == LOSS_OK) {
        put_derivative(self, &b, value, what);
        lossi_builder_want_adjoints(&b, RESULT_SLOT);
    }
    return lossi_builder_finish(&b, &self->plans[what]);
}

static loss_status prepare(loss_objective *objective)
{
    graph_objective *self = (graph_objective *)objective;
    const int64_t dimension = self->graph->dimension;
    objective->penalised = dimension;
    if (self->piece == NULL) {
        self->piece = lossi_allocate(objective->context, (dimension + 1) * objective->real_size);
    }
    if (self->total == NULL) {
        self->total = lossi_allocate(objective->context, (dimension + 1) * (int64_t)sizeof *self->total);
    }
    if (self->piece == NULL || self->total == NULL) {
        return lossi_fail_memory(objective->context, "an objective from a graph");
    }
    loss_status status = make_plan(self, VALUE);
    return status == LOSS_OK ? make_plan(self, GRADIENT) : status;
}

/* ---- evaluation ---- */

typedef struct evaluation {
    graph_objective *self;
    lossi_plan *plan;
    const void *x, *direction;
    lossi_batch batch;
    int32_t training;
    double value, weight;      /* of a piece */
    double first[MOST_LOSSES]; /* denominators of the first piece that has any */
    double values, weights;    /* Σ w f, Σ w */
} evaluation;

/* One piece; its gradient or product goes to `result`. */
static loss_status run_piece(evaluation *e, int64_t first, int64_t rows, void *result)
{
    graph_objective *self = e->self;
    double value = 0, weights[MOST_LOSSES] = {0}, kept[MOST_LOSSES];
    const int64_t *indices = e->batch.indices != NULL ? e->batch.indices + first : NULL;
    lossi_bindings bindings = {
        .batch = {.rows = rows, .indices = indices, .first = first, .step = self->step},
        .x = e->x,
        .direction = e->direction,
        .statistics = self->statistics.running,
        .outputs = {result, &value, weights, self->statistics.moments}};
    bindings.batch.seed = (uint64_t)lossi_options_own(&self->base.options, SEED)->integer;
    loss_status status = lossi_feed_rows(&self->feed, first, rows, indices);
    bindings.inputs = self->feed.pointers;
    if (status == LOSS_OK) {
        status = lossi_plan_run(e->plan, &bindings);
    }
    if (status != LOSS_OK) {
        return status;
    }
    if (e->direction == NULL && e->training) {
        lossi_statistics_add(&self->statistics, rows);
    }
    e->value = lossi_plan_number(e->plan, &bindings, 0);
    for (int32_t i = 0; i < self->losses; i++) {
        kept[i] = lossi_plan_number(e->plan, &bindings, 1 + i);
    }
    e->weight = self->losses > 0 ? kept[0] : (double)rows;
    if (e->first[0] == 0 && self->losses > 0) {
        for (int32_t i = 0; i < self->losses; i++) {
            e->first[i] = kept[i];
        }
    }
    for (int32_t i = 1; i < self->losses && status == LOSS_OK; i++) {
        const double a = kept[i] * e->first[0], b = e->weight * e->first[i];
        if (fabs(a - b) > 1e-9 * fabs(b)) { /* sums of weights, added up in another order */
            status = lossi_fail(
                self->base.context, LOSS_ERROR_SUPPORT,
                "the losses of the graph count rows differently from piece to piece; set 'chunk_rows' to "
                "the number of samples or more");
        }
    }
    return status;
}

/* All pieces; `result` is NULL, or gets the weighted mean of theirs. */
static loss_status run_pieces(evaluation *e, void *result)
{
    graph_objective *self = e->self;
    const int64_t n = self->base.dimension, samples = self->base.samples > 0 ? self->base.samples : 1;
    const int64_t chunk = lossi_options_own(&self->base.options, CHUNK_ROWS)->integer;
    loss_status status = LOSS_OK;
    if (e->batch.count >= 0 || samples <= chunk) {
        status = run_piece(e, 0, e->batch.count >= 0 ? e->batch.count : self->feed.samples, result);
        e->values = e->value;
        e->weights = 1;
        return status;
    }
    if (result != NULL) {
        memset(self->total, 0, (size_t)n * sizeof *self->total);
    }
    for (int64_t first = 0; first < samples && status == LOSS_OK; first += chunk) {
        status = run_piece(e, first, samples - first < chunk ? samples - first : chunk,
                           result != NULL ? self->piece : NULL);
        e->values += e->weight * e->value;
        e->weights += e->weight;
        for (int64_t i = 0; i < n && result != NULL && status == LOSS_OK; i++) {
            self->total[i] += e->weight * lossi_real_get(self->base.dtype, self->piece, i);
        }
    }
    for (int64_t i = 0; i < n && result != NULL && status == LOSS_OK; i++) {
        lossi_real_put(self->base.dtype, result, i, self->total[i] / e->weights);
    }
    return status;
}

static loss_status evaluate(loss_objective *objective, const void *x, lossi_batch batch, double *value,
                            void *gradient)
{
    graph_objective *self = (graph_objective *)objective;
    evaluation e = {
        .self = self, .plan = self->plans[gradient != NULL ? GRADIENT : VALUE], .x = x, .batch = batch};
    e.training = (int32_t)lossi_options_own(&objective->options, TRAINING)->integer;
    if (e.training) {
        lossi_statistics_begin(&self->statistics);
    }
    loss_status status = run_pieces(&e, gradient);
    if (status != LOSS_OK) {
        return status;
    }
    if (gradient != NULL) {
        lossi_penalties_add_to(&objective->penalties, objective->dtype, objective->penalised, x,
                               LOSSI_PENALTIES_GRADIENT, gradient);
    }
    *value = e.values / e.weights + lossi_objective_penalties(objective, x);
    return lossi_objective_finite(objective, *value, -1);
}

static loss_status product(loss_objective *objective, const void *x, const void *direction, void *out)
{
    graph_objective *self = (graph_objective *)objective;
    evaluation e = {.self = self, .x = x, .direction = direction, .batch = {-1, NULL}};
    loss_status status = make_plan(self, PRODUCT);
    if (status != LOSS_OK) {
        return status;
    }
    e.plan = self->plans[PRODUCT];
    status = run_pieces(&e, out);
    if (status == LOSS_OK) {
        lossi_penalties_add_to(&objective->penalties, objective->dtype, objective->penalised, direction,
                               LOSSI_PENALTIES_PRODUCT, out);
    }
    return status;
}

static loss_status predict(loss_objective *objective, const void *x, const loss_data *inputs,
                           const loss_data *outputs)
{
    const graph_objective *self = (const graph_objective *)objective;
    return lossi_graph_predict(objective->context, self->graph, x, inputs, outputs, self->statistics.running,
                               lossi_options_own(&objective->options, CHUNK_ROWS)->integer);
}

static void new_iterate(loss_objective *objective)
{
    graph_objective *self = (graph_objective *)objective;
    lossi_statistics_fold(&self->statistics);
    self->step++;
}

static loss_status statistics(loss_objective *objective, int32_t node, int32_t set, void *mean,
                              void *variance)
{
    graph_objective *self = (graph_objective *)objective;
    const lossi_statistic_node *own = lossi_statistics_find(&self->statistics, node);
    if (own == NULL) {
        return lossi_fail(objective->context, LOSS_ERROR_RANGE,
                          "node %d is no batch_norm that the objective depends on", (int)node);
    }
    if (set) {
        lossi_statistics_set(&self->statistics, own, mean, variance);
    } else {
        lossi_statistics_get(&self->statistics, own, mean, variance);
    }
    return LOSS_OK;
}

static void destroy(loss_objective *objective)
{
    graph_objective *self = (graph_objective *)objective;
    for (int32_t i = 0; i < PLANS; i++) {
        lossi_plan_free(self->plans[i]);
    }
    for (int32_t i = 0; self->clones != NULL && i < self->graph->function_count; i++) {
        loss_function_free(self->clones[i]);
    }
    lossi_release(objective->context, self->clones);
    lossi_release(objective->context, self->piece);
    lossi_release(objective->context, self->total);
    lossi_statistics_destroy(&self->statistics);
    if (self->feed.graph != NULL) {
        lossi_feed_destroy(&self->feed);
    }
    if (self->data != NULL) {
        lossi_data_drop(self->data);
    }
    lossi_graph_drop(self->graph);
}

static const lossi_objective_kind kind = {.name = "the objective of a graph",
                                          .options = options,
                                          .option_count = OPTIONS,
                                          .measure = measure,
                                          .prepare = prepare,
                                          .evaluate = evaluate,
                                          .product = product,
                                          .predict = predict,
                                          .new_iterate = new_iterate,
                                          .statistics = statistics,
                                          .destroy = destroy};

loss_status loss_objective_create_graph(loss_objective **out, loss_context *context, const loss_graph *graph,
                                        int32_t node, const loss_data *data)
{
    char text[LOSSI_SHAPE_TEXT];
    if (out != NULL) {
        *out = NULL;
    }
    if (out == NULL || context == NULL || graph == NULL || data == NULL) {
        return lossi_fail_null(context, out == NULL       ? "out"
                                        : context == NULL ? "the context"
                                        : graph == NULL   ? "the graph"
                                                          : "the data");
    }
    if (node < 0 || node >= graph->tape.count) {
        return lossi_fail(context, LOSS_ERROR_RANGE, "there is no node %d; the graph has nodes 0 … %d",
                          (int)node, (int)graph->tape.count - 1);
    }
    const lossi_tape_node *at = &graph->tape.nodes[node];
    if (at->dtype != graph->tape.dtype || lossi_shape_of_rows(&at->shape) ||
        lossi_shape_row(&at->shape) != 1) {
        return lossi_fail(context, LOSS_ERROR_SUPPORT, "node %d has the shape %s; an objective is one number",
                          (int)node, lossi_shape_text(&at->shape, text));
    }
    graph_objective *self = (graph_objective *)lossi_objective_new(context, &kind, (int64_t)sizeof *self,
                                                                   graph->tape.dtype);
    if (self == NULL) {
        return LOSS_ERROR_MEMORY;
    }
    self->graph = lossi_graph_retain(graph);
    self->node = node;
    uint8_t *needed = lossi_allocate(context, graph->tape.count);
    loss_status status = needed != NULL ? LOSS_OK : lossi_fail_memory(context, "an objective from a graph");
    if (status == LOSS_OK) {
        lossi_graph_mark(graph, node, needed);
        status = lossi_feed_create(&self->feed, context, graph, needed, data);
    }
    if (status == LOSS_OK) {
        status = lossi_statistics_create(&self->statistics, graph, needed);
    }
    lossi_release(context, needed);
    if (status != LOSS_OK) {
        loss_objective_free(&self->base);
        return status;
    }
    self->data = lossi_data_retain(data);
    self->base.samples = self->feed.samples;
    self->base.batches = 1;
    *out = &self->base;
    return LOSS_OK;
}
