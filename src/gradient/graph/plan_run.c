/* Running plans: step by step, each on as many threads as it has work for. */
#include <string.h>

#include "gradient/graph/operations.h"
#include "gradient/graph/plan_parts.h"

/* The bytes that a node's place begins at. */
static char *address(const lossi_plan *plan, const lossi_bindings *bindings, int32_t node)
{
    const lossi_node_place *place = &plan->places[plan->places[node].root];
    const int64_t size = loss_dtype_size(plan->tape.nodes[node].dtype);
    switch (place->kind) {
    case LOSSI_PLACE_ARENA:
        return plan->arena + place->offset;
    case LOSSI_PLACE_OUTPUT:
        return (char *)bindings->outputs[place->slot] + place->offset * size;
    case LOSSI_PLACE_X:
        return (char *)bindings->x + place->offset * size; /* read only */
    case LOSSI_PLACE_DIRECTION:
        return (char *)bindings->direction + place->offset * size;
    case LOSSI_PLACE_SEED:
        return (char *)bindings->seed;
    case LOSSI_PLACE_INPUT:
        return (char *)bindings->inputs[place->slot];
    case LOSSI_PLACE_STATISTIC:
        return (char *)bindings->statistics[place->slot];
    default:
        return (char *)place->fixed;
    }
}

static void resolve(const lossi_plan *plan, const lossi_bindings *bindings, int32_t node, lossi_value *value)
{
    const lossi_tape_node *at = &plan->tape.nodes[node];
    value->data = address(plan, bindings, node);
    value->dtype = at->dtype;
    value->shape = at->shape;
    if (lossi_shape_of_rows(&value->shape)) {
        value->shape.size[0] = bindings->batch.rows;
    }
}

static loss_status run_node(lossi_plan *plan, const lossi_step *step, const lossi_bindings *bindings)
{
    lossi_node_run run = {.context = plan->context, .tape = &plan->tape, .batch = &bindings->batch};
    run.node = plan->list[step->first_member];
    const lossi_tape_node *node = &plan->tape.nodes[run.node];
    run.attributes = &node->attributes;
    run.exact = &plan->exact[run.node];
    run.is_exact = &plan->is_exact[run.node];
    run.input_count = node->input_count;
    for (int32_t i = 0; i < node->input_count; i++) {
        resolve(plan, bindings, lossi_tape_input(&plan->tape, run.node, i), &run.input[i]);
    }
    resolve(plan, bindings, run.node, &run.output);
    const int64_t scratch = node->operation->scratch != NULL
                                ? node->operation->scratch(&plan->tape, run.node, bindings->batch.rows)
                                : 0;
    run.scratch = scratch > 0 ? lossi_scratch(plan->context, scratch) : NULL;
    if (scratch > 0 && run.scratch == NULL) {
        return lossi_fail_memory(plan->context, "the operation of a graph");
    }
    return node->operation->run(&run);
}

enum { FEW = 32 };

/* A step of several nodes. Values of long ones are in scratch of the plan's context beside what the step needs. */
static loss_status run_step(lossi_plan *plan, const lossi_step *step, const lossi_bindings *bindings)
{
    lossi_value few[2 * FEW], *values = few, *outputs;
    const int64_t room = (step->input_count + step->output_count) * (int64_t)sizeof *values;
    const int64_t scratch = step->kind == LOSSI_STEP_FUSED
                                ? lossi_fused_scratch(step->fused, lossi_context_threads(plan->context))
                                : 0;
    const int64_t before = (room + 63) / 64 * 64;
    char *memory = NULL;
    if (step->kind == LOSSI_STEP_FUSED) {
        memory = lossi_scratch(plan->context, before + scratch);
        if (memory == NULL) {
            return lossi_fail_memory(plan->context, "the elementwise operations of a graph");
        }
        values = (lossi_value *)(void *)memory;
    }
    outputs = values + step->input_count;
    for (int32_t i = 0; i < step->input_count; i++) {
        resolve(plan, bindings, plan->list[step->first_input + i], &values[i]);
    }
    for (int32_t i = 0; i < step->output_count; i++) {
        resolve(plan, bindings, plan->list[step->first_output + i], &outputs[i]);
    }
    if (step->kind == LOSSI_STEP_FUSED) {
        lossi_fused_run(step->fused, plan->context, bindings->batch.rows, values, outputs, memory + before);
        return LOSS_OK;
    }
    return lossi_loss_step_run(step->loss, plan->context, &bindings->batch, values, outputs, plan->exact,
                               plan->is_exact);
}

/* What is wanted and was not made where it is wanted. */
static void copy_outputs(const lossi_plan *plan, const lossi_bindings *bindings)
{
    for (int32_t i = 0; i < plan->output_count; i++) {
        const lossi_plan_output *output = &plan->outputs[i];
        const lossi_tape_node *node = &plan->tape.nodes[output->node];
        const int64_t size = loss_dtype_size(node->dtype);
        if (plan->places[plan->places[output->node].root].wanted != i + 1) {
            memcpy((char *)bindings->outputs[output->slot] + output->offset * size,
                   address(plan, bindings, output->node),
                   (size_t)(lossi_shape_elements(&node->shape, bindings->batch.rows) * size));
        }
    }
}

/* ---- numbers ---- */

/* One of the list: whether what it is made of could be told. */
static int32_t tell(const lossi_plan *plan, const lossi_bindings *bindings, int32_t node, double *value)
{
    const lossi_tape_node *at = &plan->tape.nodes[node];
    double of[3] = {0, 0, 0};
    if (at->operation == &lossi_operation_number || at->operation == &lossi_operation_rows) {
        *value = at->operation == &lossi_operation_number ? at->attributes.number[0]
                                                          : (double)bindings->batch.rows;
        return 1;
    }
    for (int32_t k = 0; k < at->input_count; k++) {
        const int32_t input = lossi_tape_input(&plan->tape, node, k);
        if (!plan->is_exact[input]) {
            return 0;
        }
        of[k] = plan->exact[input];
    }
    switch (lossi_elementwise_arithmetic(at->operation)) {
    case '+':
        *value = of[0] + of[1];
        break;
    case '-':
        *value = at->input_count > 1 ? of[0] - of[1] : -of[0];
        break;
    case '*':
        *value = of[0] * of[1];
        break;
    case '/':
        *value = of[0] / of[1];
        break;
    case '?':
        *value = of[0] != 0 ? of[1] : of[2];
        break;
    default: /* a view */
        *value = of[0];
    }
    return 1;
}

/* Numbers in double from those that steps left in double, in the order of the tape. */
static void tell_numbers(lossi_plan *plan, const lossi_bindings *bindings)
{
    for (int32_t i = 0; i < plan->told_count; i++) {
        const int32_t node = plan->told[i];
        plan->is_exact[node] = tell(plan, bindings, node, &plan->exact[node]);
    }
}

double lossi_plan_number(const lossi_plan *plan, const lossi_bindings *bindings, int32_t output)
{
    double value;
    float single;
    const lossi_plan_output *wanted = &plan->outputs[output];
    if (plan->is_exact[wanted->node]) {
        return plan->exact[wanted->node];
    }
    const char *at = (const char *)bindings->outputs[wanted->slot];
    if (plan->tape.nodes[wanted->node].dtype == LOSS_FLOAT32) {
        memcpy(&single, at + 4 * wanted->offset, sizeof single);
        return single;
    }
    memcpy(&value, at + 8 * wanted->offset, sizeof value);
    return value;
}

/* ---- all steps ---- */

loss_status lossi_plan_run(lossi_plan *plan, const lossi_bindings *bindings)
{
    loss_status status = lossi_plan_reserve(plan, bindings->batch.rows);
    for (int32_t s = 0; s < plan->step_count && status == LOSS_OK; s++) {
        const lossi_step *step = &plan->steps[s];
        status = step->kind == LOSSI_STEP_NODE ? run_node(plan, step, bindings)
                                               : run_step(plan, step, bindings);
    }
    if (status == LOSS_OK) {
        tell_numbers(plan, bindings);
        copy_outputs(plan, bindings);
    }
    return status;
}
