/* Making plans: the steps, what each needs to run, and the arena. */
#include <string.h>

#include "gradient/graph/operations.h"
#include "gradient/graph/plan_parts.h"

void lossi_plan_free(lossi_plan *plan)
{
    if (plan == NULL) {
        return;
    }
    loss_context *context = plan->context;
    for (int32_t s = 0; s < plan->step_count; s++) {
        lossi_fused_free(plan->steps[s].fused, context);
        lossi_loss_step_free(plan->steps[s].loss, context);
    }
    lossi_tape_destroy(&plan->tape);
    lossi_release(context, plan->places);
    lossi_release(context, plan->numbers);
    lossi_release(context, plan->exact);
    lossi_release(context, plan->is_exact);
    lossi_release(context, plan->told);
    lossi_release(context, plan->group);
    lossi_release(context, plan->steps);
    lossi_release(context, plan->list);
    lossi_release(context, plan->outputs);
    lossi_release(context, plan->arena);
    lossi_release(context, plan);
    lossi_context_drop(context);
}

static loss_status prepare_steps(lossi_plan *plan)
{
    for (int32_t s = 0; s < plan->step_count; s++) {
        lossi_step *step = &plan->steps[s];
        const int32_t *members = plan->list + step->first_member, *outputs = plan->list + step->first_output;
        if (step->kind == LOSSI_STEP_FUSED) {
            step->fused = lossi_fused_create(&plan->tape, members, step->member_count,
                                             plan->list + step->first_input, step->input_count, outputs,
                                             step->output_count);
            if (step->fused == NULL) {
                return LOSS_ERROR_MEMORY;
            }
        } else if (step->kind == LOSSI_STEP_LOSS) {
            step->loss = lossi_loss_step_create(&plan->tape, outputs, step->output_count);
            if (step->loss == NULL) {
                return LOSS_ERROR_MEMORY;
            }
        }
    }
    return LOSS_OK;
}

/* Numbers, and what +, −, ·, / and a choice make of them. */
static void list_told(lossi_plan *plan)
{
    for (int32_t node = 0; node < plan->tape.count; node++) {
        const lossi_tape_node *at = &plan->tape.nodes[node];
        if (!lossi_shape_of_rows(&at->shape) && lossi_shape_row(&at->shape) == 1 &&
            at->dtype == plan->tape.dtype &&
            (lossi_elementwise_arithmetic(at->operation) != 0 ||
             at->operation->flags & LOSSI_OPERATION_VIEW || at->operation == &lossi_operation_number ||
             at->operation == &lossi_operation_rows)) {
            plan->told[plan->told_count++] = node;
        }
    }
}

static loss_status fill(lossi_plan *plan, const lossi_plan_output *outputs, int32_t output_count)
{
    const int64_t count = plan->tape.count + 1;
    plan->places = lossi_allocate(plan->context, count * (int64_t)sizeof *plan->places);
    plan->numbers = lossi_allocate(plan->context, 8 * count);
    plan->exact = lossi_allocate(plan->context, 8 * count);
    plan->is_exact = lossi_allocate(plan->context, count * (int64_t)sizeof *plan->is_exact);
    plan->told = lossi_allocate(plan->context, count * (int64_t)sizeof *plan->told);
    plan->outputs = lossi_allocate(plan->context, (output_count + 1) * (int64_t)sizeof *outputs);
    if (plan->places == NULL || plan->numbers == NULL || plan->exact == NULL || plan->is_exact == NULL ||
        plan->told == NULL || plan->outputs == NULL) {
        return lossi_fail_memory(plan->context, "the plan of a graph");
    }
    list_told(plan);
    memcpy(plan->outputs, outputs, sizeof *outputs * (size_t)output_count);
    plan->output_count = output_count;
    loss_status status = lossi_plan_schedule(plan);
    if (status == LOSS_OK) {
        lossi_plan_live(plan);
        status = prepare_steps(plan);
    }
    return status;
}

loss_status lossi_plan_create(lossi_plan **out, lossi_tape *tape, const lossi_plan_output *outputs,
                              int32_t output_count)
{
    loss_context *context = tape->context;
    loss_status status = tape->status;
    lossi_plan *plan = status == LOSS_OK ? lossi_allocate(context, (int64_t)sizeof *plan) : NULL;
    *out = NULL;
    if (plan == NULL) {
        lossi_tape_destroy(tape);
        return status != LOSS_OK ? status : lossi_fail_memory(context, "the plan of a graph");
    }
    plan->context = lossi_context_retain(context);
    plan->tape = *tape;
    memset(tape, 0, sizeof *tape);
    status = fill(plan, outputs, output_count);
    if (status != LOSS_OK) {
        lossi_plan_free(plan);
        return status;
    }
    *out = plan;
    return LOSS_OK;
}

loss_status lossi_plan_reserve(lossi_plan *plan, int64_t rows)
{
    if (plan->arena != NULL && rows <= plan->rows) {
        return LOSS_OK;
    }
    const int64_t bytes = lossi_plan_arrange(plan, rows);
    char *arena = bytes >= 0 ? lossi_allocate(plan->context, bytes + 64) : NULL;
    lossi_release(plan->context, plan->arena);
    plan->arena = arena;
    plan->rows = rows;
    plan->arena_bytes = bytes;
    return arena != NULL ? LOSS_OK : lossi_fail_memory(plan->context, "the intermediate results of a graph");
}

int32_t lossi_plan_steps(const lossi_plan *plan)
{
    return plan->step_count;
}

int64_t lossi_plan_bytes(const lossi_plan *plan)
{
    return plan->arena_bytes;
}
