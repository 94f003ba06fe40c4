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

#include "gradient/graph/channels.h"
#include "gradient/graph/differentiate.h"
#include "gradient/graph/feed.h"
#include "gradient/graph/operations.h"
#include "gradient/graph/plan.h"
#include "gradient/graph/shape.h"
#include "gradient/graph/statistics.h"
#include "gradient/objective.h"

enum { CHUNK_ROWS, TRAINING, SEED, ITERATE, CURVATURE, OPTIONS };

static const loss_option options[OPTIONS] = {
    [CHUNK_ROWS] = {"chunk_rows", LOSS_OPTION_INT, 1, 2147483648.0, 256, NULL, NULL,
                    "rows that are evaluated at a time"},
    [TRAINING] = {"training", LOSS_OPTION_INT, 0, 1, 1, NULL, NULL,
                  "1: dropout drops, and batch_norm takes the statistics of the batch"},
    [SEED] = {"seed", LOSS_OPTION_INT, 0, 9007199254740992.0, 0, NULL, NULL, "of dropout"},
    [ITERATE] = {"iterate", LOSS_OPTION_INT, 0, 1099511627775.0, 0, NULL, NULL,
                 "how many iterates there have been; dropout draws anew at each"},
    [CURVATURE] = {"curvature", LOSS_OPTION_STRING, 0, 0, 0, "exact", "exact|gauss_newton",
                   "what Hessian products are products with"},
};

enum { VALUE, GRADIENT, PRODUCT, PLANS };
enum { RESULT_SLOT, VALUE_SLOT, WEIGHT_SLOT, MOMENTS_SLOT }; /* of outputs */
enum { MOST_LOSSES = 16 };

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
} graph_objective;

static loss_status measure(const loss_objective *objective, int32_t explain, int64_t *dimension)
{
    (void)explain;
    *dimension = ((const graph_objective *)objective)->graph->dimension;
    return LOSS_OK;
}

/* ---- plans ---- */

/* The nodes that the objective's depends on. */
static uint8_t *needed_nodes(loss_context *context, const loss_graph *graph, int32_t node)
{
    const lossi_tape *tape = &graph->tape;
    uint8_t *needed = lossi_allocate(context, tape->count);
    if (needed == NULL) {
        lossi_fail_memory(context, "an objective from a graph");
        return NULL;
    }
    needed[node] = 1;
    for (int32_t i = node; i >= 0; i--) {
        for (int32_t k = 0; needed[i] && k < tape->nodes[i].input_count; k++) {
            needed[lossi_tape_input(tape, i, k)] = 1;
        }
    }
    return needed;
}

typedef struct making {
    graph_objective *self;
    lossi_tape tape;
    int32_t *at;                                 /* where the graph's nodes are on the tape */
    int32_t *parameters, *adjoints, *directions; /* of each parameter of the graph */
    lossi_plan_output *outputs;
    int32_t output_count;
} making;

static void want(making *m, int32_t node, int32_t slot, int64_t offset)
{
    m->outputs[m->output_count++] = (lossi_plan_output){node, slot, offset};
}

/* The parameter leaves: those that nothing depends on are put on the tape too, their derivatives are zeros. */
static void put_parameters(making *m)
{
    const loss_graph *graph = m->self->graph;
    for (int32_t i = 0; i < graph->parameter_count; i++) {
        const lossi_tape_node *node = &graph->tape.nodes[graph->parameters[i]];
        m->parameters[i] = lossi_tape_add(&m->tape, node->operation, &node->attributes, NULL, 0);
    }
}

static void put_directions(making *m)
{
    const loss_graph *graph = m->self->graph;
    for (int32_t i = 0; i < graph->parameter_count; i++) {
        const lossi_tape_node *node = &graph->tape.nodes[graph->parameters[i]];
        m->directions[i] = lossi_tape_add(&m->tape, &lossi_operation_direction, &node->attributes, NULL, 0);
    }
}

static void put_objective(making *m, int32_t what)
{
    const loss_graph *graph = m->self->graph;
    const lossi_shape number = {0, {0}};
    put_parameters(m); /* first: sources come before what depends on them */
    uint8_t *needed = needed_nodes(m->tape.context, graph, m->self->node);
    if (needed == NULL) {
        lossi_tape_fail(&m->tape, LOSS_ERROR_MEMORY);
        return;
    }
    lossi_tape_copy(&m->tape, &graph->tape, m->self->node, needed, m->at);
    lossi_release(m->tape.context, needed);
    const int32_t value = m->tape.status == LOSS_OK
                              ? lossi_tape_reshape(&m->tape, m->at[m->self->node], &number)
                              : LOSSI_NONE;
    const int32_t nodes = m->tape.count;
    if (value == LOSSI_NONE || m->tape.status != LOSS_OK) {
        return;
    }
    want(m, value, VALUE_SLOT, 0);
    m->self->losses = 0;
    for (int32_t i = 0; i < nodes && m->self->losses < MOST_LOSSES; i++) {
        if (m->tape.nodes[i].operation == &lossi_operation_loss_denominator) {
            want(m, i, WEIGHT_SLOT, m->self->losses++);
        }
    }
    for (int32_t i = 0; i < nodes && what != PRODUCT; i++) {
        if (m->tape.nodes[i].operation == &lossi_operation_channel_moments) {
            const int32_t node = (int32_t)m->tape.nodes[i].attributes.integer[LOSSI_INTEGERS - 1];
            want(m, i, MOMENTS_SLOT, lossi_statistics_find(&m->self->statistics, node)->offset);
        }
    }
    if (what == VALUE) {
        return;
    }
    lossi_tape_adjoints(&m->tape, value, lossi_tape_number(&m->tape, 1.0), m->parameters,
                        graph->parameter_count, m->adjoints);
    if (what == PRODUCT && m->tape.status == LOSS_OK) {
        put_directions(m);
        lossi_tape_tangents(&m->tape, m->parameters, m->directions, graph->parameter_count, m->adjoints,
                            graph->parameter_count, m->adjoints);
    }
    for (int32_t i = 0; i < graph->parameter_count && m->tape.status == LOSS_OK; i++) {
        want(m, m->adjoints[i], RESULT_SLOT, m->tape.nodes[m->parameters[i]].attributes.integer[0]);
    }
}

static loss_status make_plan(graph_objective *self, int32_t what)
{
    loss_context *context = self->base.context;
    const loss_graph *graph = self->graph;
    const int64_t parameters = graph->parameter_count + 1, nodes = graph->tape.count;
    const lossi_purpose purpose = {(int32_t)lossi_options_own(&self->base.options, TRAINING)->integer, -1};
    if (self->plans[what] != NULL) {
        return LOSS_OK;
    }
    making m = {.self = self};
    loss_status status = LOSS_ERROR_MEMORY;
    m.at = lossi_allocate(context, (nodes + 3 * parameters) * (int64_t)sizeof *m.at);
    m.outputs = lossi_allocate(context, (parameters + 1 + MOST_LOSSES + self->statistics.count) *
                                            (int64_t)sizeof *m.outputs);
    lossi_tape_create(&m.tape, context, self->base.dtype, purpose);
    if (m.at != NULL && m.outputs != NULL) {
        m.parameters = m.at + nodes;
        m.adjoints = m.parameters + parameters;
        m.directions = m.adjoints + parameters;
        put_objective(&m, what);
        status = lossi_plan_create(&self->plans[what], &m.tape, m.outputs, m.output_count);
    } else {
        lossi_fail_memory(context, "an objective from a graph");
    }
    lossi_tape_destroy(&m.tape);
    lossi_release(context, m.at);
    lossi_release(context, m.outputs);
    return status;
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
    const loss_dtype dtype = self->base.dtype;
    double value = 0, weights[MOST_LOSSES] = {0};
    const int64_t *indices = e->batch.indices != NULL ? e->batch.indices + first : NULL;
    lossi_bindings bindings = {.batch = {.rows = rows, .indices = indices, .first = first},
                               .x = e->x,
                               .direction = e->direction,
                               .statistics = self->statistics.running,
                               .outputs = {result, &value, weights, self->statistics.moments}};
    bindings.batch.seed = (uint64_t)lossi_options_own(&self->base.options, SEED)->integer;
    bindings.batch.step = (uint64_t)lossi_options_own(&self->base.options, ITERATE)->integer;
    loss_status status = lossi_feed_rows(&self->feed, first, rows, indices);
    bindings.inputs = self->feed.pointers;
    if (status == LOSS_OK) {
        status = lossi_plan_run(e->plan, &bindings);
    }
    if (status == LOSS_OK && e->direction == NULL && e->training) {
        lossi_statistics_add(&self->statistics, rows);
    }
    e->value = lossi_real_get(dtype, &value, 0);
    e->weight = self->losses > 0 ? lossi_real_get(dtype, weights, 0) : (double)rows;
    if (e->first[0] == 0 && self->losses > 0) {
        for (int32_t i = 0; i < self->losses; i++) {
            e->first[i] = lossi_real_get(dtype, weights, i);
        }
    }
    for (int32_t i = 1; i < self->losses && status == LOSS_OK; i++) {
        const double a = lossi_real_get(dtype, weights, i) * e->first[0], b = e->weight * e->first[i];
        if (fabs(a - b) > 1e-6 * fabs(b)) { /* denominators are sums of weights in the element type */
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

static void new_iterate(loss_objective *objective)
{
    graph_objective *self = (graph_objective *)objective;
    lossi_statistics_fold(&self->statistics);
    objective->options.values[objective->options.counts[0] + ITERATE].integer++;
}

/* Of another graph there is nothing to take. */
static void follow(loss_objective *objective, const loss_objective *other)
{
    graph_objective *self = (graph_objective *)objective;
    const graph_objective *leader = (const graph_objective *)other;
    if (self->graph == leader->graph) {
        lossi_statistics_follow(&self->statistics, &leader->statistics);
    }
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
                                          .new_iterate = new_iterate,
                                          .follow = follow,
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
    uint8_t *needed = needed_nodes(context, graph, node);
    loss_status status = needed != NULL ? lossi_feed_create(&self->feed, context, graph, needed, data)
                                        : LOSS_ERROR_MEMORY;
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
