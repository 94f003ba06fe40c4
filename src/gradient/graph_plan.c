/* A node of a graph over data as a function of the parameters: its elements, and products with its Jacobian from both sides. */
#include <string.h>

#include "gradient/graph/builder.h"
#include "gradient/graph/differentiate.h"
#include "gradient/graph/feed.h"
#include "gradient/graph/operations.h"
#include "gradient/graph/shape.h"
#include "gradient/graph/statistics.h"

enum { VALUE, JACOBIAN_VECTOR, VECTOR_JACOBIAN, PLANS };

enum { SEED, ITERATE, OPTIONS };

static const loss_option options[OPTIONS] = {
    [SEED] = {"seed", LOSS_OPTION_INT, 0, 9007199254740992.0, 0, NULL, NULL, "of dropout"},
    [ITERATE] = {"iterate", LOSS_OPTION_INT, 0, 1099511627775.0, 0, NULL, NULL,
                 "the iterate whose elements dropout drops"},
};

struct loss_plan {
    loss_context *context;
    const loss_graph *graph;
    const loss_data *data;
    int32_t node;
    lossi_purpose purpose;
    lossi_feed feed;
    lossi_statistics statistics; /* means 0 and variances 1 at first */
    lossi_options options;
    lossi_plan *plans[PLANS];
};

loss_status loss_plan_create(loss_plan **out, loss_context *context, const loss_graph *graph, int32_t node,
                             const loss_data *data, int32_t training)
{
    if (out != NULL) {
        *out = NULL;
    }
    loss_status status = lossi_feed_check(context, out, graph, node, data);
    if (status != LOSS_OK) {
        return status;
    }
    if (training != 0 && training != 1) {
        return lossi_fail(context, LOSS_ERROR_RANGE, "'training' is 0 or 1, not %d", (int)training);
    }
    if (graph->tape.nodes[node].dtype != graph->tape.dtype) {
        return lossi_fail(context, LOSS_ERROR_TYPE, "node %d is %s; a plan is for real numbers", (int)node,
                          loss_dtype_name(graph->tape.nodes[node].dtype));
    }
    loss_plan *plan = lossi_allocate(context, (int64_t)sizeof *plan);
    if (plan == NULL) {
        return lossi_fail_memory(context, "a plan");
    }
    plan->context = lossi_context_retain(context);
    plan->graph = lossi_graph_retain(graph);
    plan->node = node;
    plan->purpose.training = training;
    status = lossi_options_create(&plan->options, context, "a plan", NULL, 0, options, OPTIONS);
    if (status == LOSS_OK) {
        status = lossi_feed_node(&plan->feed, &plan->statistics, context, graph, node, data);
    }
    if (status != LOSS_OK) {
        loss_plan_free(plan);
        return status;
    }
    plan->data = lossi_data_retain(data);
    lossi_graph_seal(graph);
    *out = plan;
    return LOSS_OK;
}

void loss_plan_free(loss_plan *plan)
{
    if (plan == NULL) {
        return;
    }
    loss_context *context = plan->context;
    for (int32_t i = 0; i < PLANS; i++) {
        lossi_plan_free(plan->plans[i]);
    }
    lossi_statistics_destroy(&plan->statistics);
    lossi_options_destroy(&plan->options);
    if (plan->feed.graph != NULL) {
        lossi_feed_destroy(&plan->feed);
    }
    if (plan->data != NULL) {
        lossi_data_drop(plan->data);
    }
    lossi_graph_drop(plan->graph);
    lossi_release(context, plan);
    lossi_context_drop(context);
}

int64_t loss_plan_size(const loss_plan *plan)
{
    return plan == NULL
               ? 0
               : lossi_shape_elements(&plan->graph->tape.nodes[plan->node].shape, plan->feed.samples);
}

/* ---- what it depends on beside x ---- */

loss_status loss_plan_set_int(loss_plan *plan, const char *name, int64_t value)
{
    return plan == NULL ? LOSS_ERROR_ARGUMENT : lossi_options_set_int(&plan->options, name, value);
}

static loss_status statistics(loss_plan *plan, int32_t node, int32_t set, void *mean, void *variance)
{
    if (plan == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (mean == NULL || variance == NULL) {
        return lossi_fail_null(plan->context, mean == NULL ? "mean" : "variance");
    }
    return lossi_statistics_exchange(&plan->statistics, plan->context, node, set, mean, variance);
}

loss_status loss_plan_get_statistics(loss_plan *plan, int32_t node, void *mean, void *variance)
{
    return statistics(plan, node, 0, mean, variance);
}

loss_status loss_plan_set_statistics(loss_plan *plan, int32_t node, const void *mean, const void *variance)
{
    return statistics(plan, node, 1, (void *)mean, (void *)variance); /* read only */
}

/* ---- computing ---- */

static int32_t put_seed(lossi_builder *b, int32_t node)
{
    const lossi_shape shape = *lossi_tape_shape(&b->tape, node);
    lossi_attributes attributes = {.integer = {0, shape.rank}};
    memcpy(attributes.integer + 2, shape.size, sizeof shape.size[0] * (size_t)shape.rank);
    return lossi_tape_add(&b->tape, &lossi_operation_seed, &attributes, NULL, 0);
}

static loss_status make(loss_plan *plan, int32_t what)
{
    lossi_builder b;
    const int32_t count = plan->graph->parameter_count;
    if (plan->plans[what] != NULL) {
        return LOSS_OK;
    }
    lossi_builder_create(&b, plan->context, plan->graph, plan->purpose, 1);
    lossi_builder_put(&b, &plan->node, 1);
    int32_t node = b.tape.status == LOSS_OK ? b.at[plan->node] : LOSSI_NONE;
    if (what == JACOBIAN_VECTOR && node != LOSSI_NONE) {
        lossi_builder_directions(&b);
        lossi_tape_tangents(&b.tape, b.parameters, b.directions, count, &node, 1, &node);
    }
    if (what == VECTOR_JACOBIAN && node != LOSSI_NONE) {
        const int32_t seed = put_seed(&b, node);
        lossi_tape_adjoints(&b.tape, node, seed, b.parameters, count, 0, b.adjoints);
        lossi_builder_want_adjoints(&b, 0);
    } else {
        lossi_builder_want(&b, node, 0, 0);
    }
    return lossi_builder_finish(&b, &plan->plans[what]);
}

static loss_status run(loss_plan *plan, int32_t what, const void *x, const void *vector, void *result)
{
    if (plan == NULL) {
        return LOSS_ERROR_ARGUMENT;
    }
    if (x == NULL || (what != VALUE && vector == NULL) || result == NULL) {
        return lossi_fail_null(plan->context, x == NULL                 ? "x"
                                              : result == NULL          ? "result"
                                              : what == JACOBIAN_VECTOR ? "the direction"
                                                                        : "the vector");
    }
    loss_status status = make(plan, what);
    if (status == LOSS_OK) {
        status = lossi_feed_rows(&plan->feed, 0, plan->feed.samples, NULL);
    }
    if (status != LOSS_OK) {
        return status;
    }
    const lossi_bindings bindings = {
        .batch = {.rows = plan->feed.samples,
                  .seed = (uint64_t)lossi_options_own(&plan->options, SEED)->integer,
                  .step = (uint64_t)lossi_options_own(&plan->options, ITERATE)->integer},
        .x = x,
        .statistics = plan->statistics.running,
        .direction = vector,
        .seed = vector,
        .inputs = plan->feed.pointers,
        .outputs = {result}};
    return lossi_plan_run(plan->plans[what], &bindings);
}

loss_status loss_plan_value(loss_plan *plan, const void *x, void *result)
{
    return run(plan, VALUE, x, NULL, result);
}

loss_status loss_plan_jacobian_vector(loss_plan *plan, const void *x, const void *direction, void *result)
{
    return run(plan, JACOBIAN_VECTOR, x, direction, result);
}

loss_status loss_plan_vector_jacobian(loss_plan *plan, const void *x, const void *vector, void *result)
{
    return run(plan, VECTOR_JACOBIAN, x, vector, result);
}
