/*
 * Running a loss with a structure: units (rows or groups) to slices, slices to threads, parts to the kernel.
 *
 * A part is a tile of rows or one group (structured_part.c). Derivatives of shared parameters come one row for each row of the
 * part, are weighed like the others, and added in the order of core/sum.h: row by row within a slice, slices as the tree.
 */
#include "loss/structured.h"

#include <stddef.h>
#include <string.h>

#include "core/isa.h"
#include "loss/registry.h"
#include "loss/structured_part.h"

enum { PARALLEL_ELEMENTS = 32768 /* fewer cost more to hand out than to do */ };

/* ---- errors ---- */

static loss_status fail(const lossi_structured_call *call, const lossi_fault *wrong)
{
    const lossi_bound_role *bound = &call->roles[wrong->role];
    const lossi_domain *domain = &bound->role->domain;
    char bad[32], low[32], high[32];
    if (wrong->status == LOSS_ERROR_LABEL && wrong->label == bound->blank) {
        return lossi_fail_row(call->context, wrong->status, wrong->row,
                              "the %s of row %lld is %lld, the blank; another of 0 … %lld was expected",
                              bound->role->name, (long long)wrong->row, (long long)wrong->label,
                              (long long)bound->classes - 1);
    }
    if (wrong->status == LOSS_ERROR_LABEL) {
        return lossi_fail_row(call->context, wrong->status, wrong->row,
                              "the %s of row %lld is %lld; 0 … %lld was expected", bound->role->name,
                              (long long)wrong->row, (long long)wrong->label, (long long)bound->classes - 1);
    }
    return lossi_fail_row(
        call->context, wrong->status, wrong->row, "the %s of row %lld is %s; %s takes %s %s %s",
        bound->role->name, (long long)wrong->row, lossi_number(wrong->number, bad), call->function->title,
        lossi_number(domain->low, low), domain->discrete ? "or" : "…", lossi_number(domain->high, high));
}

/* ---- slices ---- */

static void run_slice(void *argument, int64_t index, int32_t worker)
{
    lossi_run *r = argument;
    const lossi_cut *cut = &r->call.cut;
    lossi_slice *s = &r->slices[index];
    lossi_work w = {.r = r, .s = s};
    int64_t unit = index * cut->slice_rows, end = unit + cut->slice_rows;

    if (!r->plain) {
        lossi_structured_lay_out(&r->call, r->scratch + worker * r->scratch_each, &w.b);
    }
    end = end < cut->rows ? end : cut->rows;
    while (unit < end) {
        int64_t block_end = unit + cut->block_rows < end ? unit + cut->block_rows : end;
        if (r->plain) {
            if (!lossi_structured_run_plain(r, s, unit, block_end - unit)) {
                return;
            }
            unit = block_end;
        }
        while (unit < block_end) {
            const int64_t units = block_end - unit < cut->tile_rows ? block_end - unit : cut->tile_rows;
            if (!(r->call.grouped ? lossi_structured_run_groups(&w, unit, units)
                                  : lossi_structured_run_rows(&w, unit, units))) {
                return;
            }
            unit += units;
        }
        lossi_total_end_block(&s->total);
    }
}

/* The sums of shared roles over the slices, to where they are wanted. */
static void finish_shared(lossi_run *r)
{
    const lossi_structured_call *call = &r->call;
    int64_t at = 0;
    for (int32_t i = 0; i < call->structure->role_count; i++) {
        const lossi_bound_role *bound = &call->roles[i];
        if (!lossi_structured_differentiable(bound) || !lossi_structured_shared(bound)) {
            continue;
        }
        for (int32_t k = 0; k < LOSSI_OF_COUNT; k++, at += bound->columns) {
            const lossi_array *array = bound->output[k];
            for (int64_t j = 0; array != NULL && j < bound->columns; j++) {
                double sums[LOSSI_SLICES];
                for (int64_t s = 0; s < call->cut.slices; s++) {
                    sums[s] = r->slices[s].shared[at + j];
                }
                const double sum = lossi_sum_slices(sums, call->cut.slices);
                const float narrow = (float)sum;
                memcpy(array->pointer + j * array->column_stride * call->real_size,
                       call->dtype == LOSS_FLOAT32 ? (const void *)&narrow : (const void *)&sum,
                       (size_t)call->real_size);
            }
        }
    }
}

static loss_status finish(lossi_run *r, double *sum, double *denominator)
{
    double sums[LOSSI_SLICES], denominators[LOSSI_SLICES];
    const int64_t slices = r->call.cut.slices;
    for (int64_t s = 0; s < slices; s++) {
        if (r->slices[s].wrong.status != LOSS_OK) {
            return fail(&r->call, &r->slices[s].wrong);
        }
        sums[s] = r->slices[s].total.sum;
        denominators[s] = r->slices[s].total.denominator;
    }
    finish_shared(r);
    if (sum != NULL) {
        *sum = lossi_sum_slices(sums, slices);
    }
    if (denominator != NULL) {
        *denominator = lossi_sum_slices(denominators, slices);
    }
    return LOSS_OK;
}

/* Scratch: the sums of shared roles for each slice, then each worker's. */
static loss_status prepare_scratch(lossi_run *r, int32_t workers)
{
    lossi_buffers unused = {0};
    int64_t shared_bytes = 0;
    for (int32_t i = 0; i < r->call.structure->role_count; i++) {
        const lossi_bound_role *bound = &r->call.roles[i];
        r->shared_columns += lossi_structured_differentiable(bound) && lossi_structured_shared(bound)
                                 ? bound->columns
                                 : 0;
    }
    const int64_t each = LOSSI_OF_COUNT * r->shared_columns;
    lossi_structured_take(NULL, &shared_bytes, each * LOSSI_SLICES * (int64_t)sizeof(double));
    r->scratch_each = lossi_structured_lay_out(&r->call, NULL, &unused);
    char *scratch = lossi_scratch(r->call.context, shared_bytes + r->scratch_each * workers);
    if (scratch == NULL) {
        return lossi_fail_memory(r->call.context, "scratch");
    }
    memset(scratch, 0, (size_t)shared_bytes);
    r->scratch = scratch + shared_bytes;
    for (int64_t s = 0; s < r->call.cut.slices; s++) {
        r->slices[s].shared = (double *)(void *)scratch + s * each;
        r->slices[s].wrong.status = LOSS_OK;
        lossi_total_clear(&r->slices[s].total);
    }
    return LOSS_OK;
}

static void seal(const loss_function *function, const loss_data *inputs, const loss_data *outputs)
{
    lossi_function_seal(function);
    lossi_data_seal(inputs);
    if (outputs != NULL) {
        lossi_data_seal(outputs);
    }
}

/* Of a call that is all zeros but for shapes_only. */
static loss_status bind(lossi_structured_call *call, loss_context *context, const loss_function *function,
                        const loss_data *inputs, const loss_data *outputs)
{
    call->context = context;
    call->function = function;
    call->structure = function->row->structure;
    call->pointwise = (function->row->flags & LOSSI_POINTWISE) != 0;
    call->grouped = (call->structure->flags & LOSSI_GROUPED) != 0;
    call->scale = lossi_data_scale(inputs);
    const loss_status status = lossi_evaluation_check_curvature(context, function);
    return status == LOSS_OK ? lossi_structured_bind(call, inputs, outputs) : status;
}

loss_status lossi_structured_check(loss_context *context, const loss_function *function,
                                   const loss_data *inputs)
{
    lossi_structured_call call = {.shapes_only = 1};
    return bind(&call, context, function, inputs, NULL);
}

loss_status lossi_structured_evaluate(loss_context *context, const loss_function *function,
                                      const loss_data *inputs, const loss_data *outputs, double *sum,
                                      double *denominator)
{
    lossi_run r;
    memset(&r, 0, offsetof(lossi_run, slices));
    loss_status status = bind(&r.call, context, function, inputs, outputs);
    if (status != LOSS_OK) {
        return status;
    }
    const int32_t isa = lossi_context_isa(context), real_index = lossi_real_index(r.call.dtype);
    r.kernels = lossi_registry_kernels(function->index, isa, real_index);
    r.call.tiles = lossi_tile_kernels_for(isa, real_index);
    if (r.call.structure->driver != NULL) {
        status = r.call.structure->driver(&r.call, r.kernels, sum, denominator);
        if (status == LOSS_OK) {
            seal(function, inputs, outputs);
        }
        return status;
    }
    lossi_structured_plain_init(&r);
    const int32_t parallel = r.call.rows * r.call.columns >= PARALLEL_ELEMENTS &&
                             lossi_context_threads(context) > 1;
    status = prepare_scratch(&r, parallel ? lossi_context_threads(context) : 1);
    if (status != LOSS_OK) {
        return status;
    }
    seal(function, inputs, outputs);
    if (parallel) {
        lossi_parallel(context, r.call.cut.slices, run_slice, &r);
    } else {
        for (int64_t s = 0; s < r.call.cut.slices; s++) {
            run_slice(&r, s, 0);
        }
    }
    return finish(&r, sum, denominator);
}
