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

#include "core/isa.h"
#include "gradient/graph/builder.h"
#include "gradient/graph/channels.h"
#include "gradient/graph/differentiate.h"
#include "gradient/graph/feed.h"
#include "gradient/graph/operations.h"
#include "gradient/graph/pieces.h"
#include "gradient/graph/shape.h"
#include "gradient/graph_predict.h"
#include "gradient/graph/statistics.h"
#include "gradient/objective.h"
#include "gradient/parameter_kernels.h"

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
enum { EXACT, GAUSS_NEWTON };                                /* choices of the option */

typedef struct graph_objective {
    loss_objective base; /* first */
    const loss_graph *graph;
    const loss_data *data;
    int32_t node;
    lossi_feed feed;
    lossi_statistics statistics;
    lossi_plan *plans[PLANS];
    int32_t is_mean;                /* over the rows: pieces of them may be evaluated one by one */
    int32_t losses;                 /* denominators that a plan gives */
    int32_t rows_count;             /* the rows of a piece are one more of its counts */
    double *counts, *first, *given; /* of a piece; of the first that has any; where a plan writes */
    char *piece;                    /* the gradient or product of a piece */
    double *total;
    loss_function **clones; /* of the graph's functions, with another curvature */
} graph_objective;

static loss_status measure(const loss_objective *objective, int32_t explain, int64_t *dimension)
{
    (void)explain;
    *dimension = ((const graph_objective *)objective)->graph->dimension;
    return LOSS_OK;
}

/* ---- plans ---- */

/* Each node of a loss has a denominator. */
static int32_t most_losses(const graph_objective *self)
{
    return self->graph->function_count;
}

/* The value of the objective's node as a number, the first output; the denominators of the losses follow. */
static int32_t put_value(graph_objective *self, lossi_builder *b, int32_t what)
{
    const lossi_shape number = {0, {0}};
    lossi_builder_put(b, &self->node, 1);
    const int32_t value = b->tape.status == LOSS_OK ? lossi_tape_reshape(&b->tape, b->at[self->node], &number)
                                                    : LOSSI_NONE;
    const lossi_pieces pieces = lossi_tape_pieces(&b->tape, value);
    lossi_builder_want(b, value, VALUE_SLOT, 0);
    self->losses = 0;
    for (int32_t i = 0; i < b->tape.count && pieces.counts != NULL; i++) {
        if (pieces.counts[i]) {
            lossi_builder_want(b, i, WEIGHT_SLOT, self->losses++);
        }
    }
    for (int32_t i = 0; i < b->tape.count && what != PRODUCT; i++) {
        if (b->tape.nodes[i].operation == &lossi_operation_channel_moments) {
            const int32_t node = (int32_t)b->tape.nodes[i].attributes.integer[LOSSI_INTEGERS - 1];
            lossi_builder_want(b, i, MOMENTS_SLOT, lossi_statistics_find(&self->statistics, node)->offset);
        }
    }
    self->is_mean = pieces.mean;
    self->rows_count = pieces.rows || self->losses == 0;
    lossi_release(self->base.context, pieces.counts);
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
                         1 + most_losses(self) + self->statistics.count);
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
    if (self->counts == NULL) {
        const int64_t most = most_losses(self) + 1;
        self->counts = lossi_allocate(objective->context, 3 * most * (int64_t)sizeof *self->counts);
        self->first = self->counts != NULL ? self->counts + most : NULL;
        self->given = self->counts != NULL ? self->first + most : NULL;
    }
    if (self->piece == NULL || self->total == NULL || self->counts == NULL) {
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
    double value;           /* of a piece */
    double values, weights; /* Σ w f, Σ w */
    int32_t known, pivot;   /* there was a piece that counts, and which of the counts was not 0 in it */
    int64_t bad, bad_rows;  /* the first piece whose value is not finite; no rows: there is none */
} evaluation;

/* One piece; its gradient or product goes to `result`, its counts to the objective's. */
static loss_status run_piece(evaluation *e, int64_t first, int64_t rows, void *result)
{
    graph_objective *self = e->self;
    double value = 0;
    const int64_t *indices = e->batch.indices != NULL ? e->batch.indices + first : NULL;
    lossi_bindings bindings = {.batch = {.rows = rows, .indices = indices, .first = first},
                               .x = e->x,
                               .direction = e->direction,
                               .statistics = self->statistics.running,
                               .outputs = {result, &value, self->given, self->statistics.moments}};
    bindings.batch.seed = (uint64_t)lossi_options_own(&self->base.options, SEED)->integer;
    bindings.batch.step = (uint64_t)lossi_options_own(&self->base.options, ITERATE)->integer;
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
    if (!isfinite(e->value) && e->bad_rows == 0) {
        e->bad = first;
        e->bad_rows = rows;
    }
    for (int32_t i = 0; i < self->losses; i++) {
        self->counts[i] = lossi_plan_number(e->plan, &bindings, 1 + i);
    }
    self->counts[self->losses] = (double)rows;
    return status;
}

/* The weight of a piece. All counts have to be in proportion to those of the first piece that has any: else there is none. */
static loss_status weigh(evaluation *e, double *weight)
{
    graph_objective *self = e->self;
    const int32_t count = self->losses + self->rows_count;
    for (int32_t i = 0; i < count && !e->known; i++) {
        if (self->counts[i] != 0) {
            memcpy(self->first, self->counts, (size_t)count * sizeof *self->first);
            e->known = 1;
            e->pivot = i;
        }
    }
    *weight = self->counts[e->pivot];
    for (int32_t i = 0; i < count && e->known; i++) {
        const double a = self->counts[i] * self->first[e->pivot], b = *weight * self->first[i];
        if (fabs(a - b) > 1e-9 * fmax(fabs(a), fabs(b))) { /* sums of weights, added up in another order */
            return lossi_fail(
                self->base.context, LOSS_ERROR_SUPPORT,
                "the losses of the graph count rows differently from piece to piece; set 'chunk_rows' to "
                "the number of samples or more");
        }
    }
    return LOSS_OK;
}

static const lossi_parameter_kernels *kernels_of(const graph_objective *self)
{
    return lossi_parameter_kernels_for(lossi_context_isa(self->base.context),
                                       lossi_real_index(self->base.dtype));
}

/* The mean of the pieces; of none that counts it is any of them. */
static void put_mean(evaluation *e, void *result)
{
    graph_objective *self = e->self;
    const int64_t n = self->base.dimension;
    if (e->weights == 0) {
        e->values = e->value;
        e->weights = 1;
    } else if (result != NULL) {
        kernels_of(self)->divide(n, self->total, e->weights, self->total);
        kernels_of(self)->narrow(n, self->total, self->piece);
    }
}

static loss_status run_in_pieces(evaluation *e, int64_t samples, int64_t chunk, void *result)
{
    graph_objective *self = e->self;
    const int64_t n = self->base.dimension;
    loss_status status = LOSS_OK;
    if (!self->is_mean) {
        return lossi_fail(self->base.context, LOSS_ERROR_SUPPORT,
                          "node %d is no mean over the rows, which pieces of them could give; set "
                          "'chunk_rows' to the number of samples or more",
                          (int)self->node);
    }
    memset(self->total, 0, (size_t)n * sizeof *self->total);
    for (int64_t first = 0; first < samples && status == LOSS_OK; first += chunk) {
        double weight = 0;
        status = run_piece(e, first, samples - first < chunk ? samples - first : chunk,
                           result != NULL ? self->piece : NULL);
        if (status == LOSS_OK) {
            status = weigh(e, &weight);
        }
        e->values += weight * e->value;
        e->weights += weight;
        if (result != NULL && status == LOSS_OK) {
            kernels_of(self)->add(n, weight, self->piece, self->total);
        }
    }
    return status;
}

/*
 * Whether what is wanted may be made where it is wanted: a pass over all parameters less. It may not where x is, which is still read,
 * nor at an address that is no multiple of the element's size.
 */
static int32_t in_place(const evaluation *e, const void *result)
{
    const loss_objective *base = &e->self->base;
    return (uintptr_t)result % (uintptr_t)base->real_size == 0 &&
           !lossi_objective_overlap(base, e->x, result);
}

/* All pieces; `result` is NULL, or gets the weighted mean of theirs, when nothing went wrong. */
static loss_status run_pieces(evaluation *e, void *result)
{
    graph_objective *self = e->self;
    const int64_t samples = self->feed.samples;
    const int64_t chunk = lossi_options_own(&self->base.options, CHUNK_ROWS)->integer;
    loss_status status;
    if (e->batch.count >= 0 || samples <= chunk) {
        const int32_t direct = result != NULL && in_place(e, result);
        status = run_piece(e, 0, e->batch.count >= 0 ? e->batch.count : samples,
                           direct           ? result
                           : result != NULL ? self->piece
                                            : NULL);
        e->values = e->value;
        e->weights = 1;
        result = direct ? NULL : result; /* it is there */
    } else {
        status = run_in_pieces(e, samples, chunk, result);
        if (status == LOSS_OK) {
            put_mean(e, result);
        }
    }
    if (status == LOSS_OK && result != NULL) {
        memcpy(result, self->piece, (size_t)(self->base.dimension * self->base.real_size));
    }
    return status;
}

/*
 * LOSS_ERROR_NONFINITE with the first sample that alone has a value that is not finite, where there is one: of a mean over the rows, and of
 * finite parameters.
 */
static loss_status fail_nonfinite(const evaluation *of, double value)
{
    graph_objective *self = of->self;
    const int64_t dimension = self->base.dimension;
    evaluation e = {.self = self, .plan = self->plans[VALUE], .x = of->x, .batch = of->batch};
    char number[32];
    int64_t i = 0;
    while (i < dimension && isfinite(lossi_real_get(self->base.dtype, of->x, i))) {
        i++;
    }
    for (int64_t k = of->bad; k < of->bad + of->bad_rows && self->is_mean && i == dimension; k++) {
        if (run_piece(&e, k, 1, NULL) == LOSS_OK && !isfinite(e.value)) {
            const int64_t sample = e.batch.indices != NULL ? e.batch.indices[k] : k;
            return lossi_fail_row(self->base.context, LOSS_ERROR_NONFINITE, sample,
                                  "the objective is %s: that of sample %lld alone is not finite",
                                  lossi_number(value, number), (long long)sample);
        }
    }
    return lossi_objective_finite(&self->base, value, -1);
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
    return isfinite(*value) ? LOSS_OK : fail_nonfinite(&e, *value);
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
    return lossi_statistics_exchange(&((graph_objective *)objective)->statistics, objective->context, node,
                                     set, mean, variance);
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
    lossi_release(objective->context, self->counts);
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
    loss_status status = lossi_feed_check(context, out, graph, node, data);
    if (status != LOSS_OK) {
        return status;
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
    status = lossi_feed_node(&self->feed, &self->statistics, context, graph, node, data);
    if (status != LOSS_OK) {
        loss_objective_free(&self->base);
        return status;
    }
    self->data = lossi_data_retain(data);
    lossi_graph_seal(graph);
    self->base.samples = self->feed.samples;
    self->base.batches = 1;
    *out = &self->base;
    return LOSS_OK;
}
