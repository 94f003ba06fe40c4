/*
 * A part of a loss with a structure: its arrays fetched, checked, given to the kernel, weighed and put away.
 *
 * Where the user's arrays are contiguous the kernel works on them directly, otherwise on copies in scratch; masked rows are left
 * out before anything is read.
 */
#include "loss/structured_part.h"

#include <string.h>

#include "loss/array_rows.h"

/* ---- fetching ---- */

static void choose_active(lossi_work *w)
{
    const lossi_array *mask = w->r->call.mask;
    w->active = NULL;
    w->count = w->rows;
    if (mask == NULL) {
        return;
    }
    w->count = 0;
    for (int64_t i = 0; i < w->rows; i++) {
        if (!lossi_masked(mask, w->first + i)) {
            w->b.active[w->count++] = i;
        }
    }
    w->active = w->count == w->rows ? NULL : w->b.active;
}

/* Whether rows of the array lie one behind the other. */
static int32_t dense(const lossi_array *array, int64_t rows)
{
    return (array->column_stride == 1 || array->columns == 1) &&
           (array->row_stride == array->columns || rows == 1);
}

/* `count` rows of an array from row `first` on, or the active ones of them, as `dtype`. */
static const void *fetch(const lossi_array *array, int64_t first, int64_t count, const int64_t *active,
                         loss_dtype dtype, char *buffer)
{
    const int64_t size = loss_dtype_size(array->dtype), to_size = loss_dtype_size(dtype);
    const char *from = array->pointer + first * array->row_stride * size;
    if (active == NULL && array->dtype == dtype && dense(array, count) &&
        (dtype != LOSS_INT64 || (uintptr_t)from % sizeof(int64_t) == 0)) {
        return from;
    }
    for (int64_t i = 0; i < count; i++) {
        const int64_t row = active != NULL ? active[i] : i;
        lossi_copy_row(from + row * array->row_stride * size, array->dtype, array->column_stride,
                       buffer + i * array->columns * to_size, dtype, array->columns);
    }
    return buffer;
}

/* Which rows of a role the part has. */
static void rows_of(const lossi_work *w, int32_t r, int64_t *first, int64_t *count, const int64_t **active)
{
    const lossi_bound_role *bound = &w->r->call.roles[r];
    *active = NULL;
    if (bound->role->kind == LOSSI_ROLE_OFFSETS || lossi_structured_shared(bound)) {
        *first = 0;
        *count = bound->rows;
    } else if (bound->role->rows == LOSSI_ROWS_OWN) {
        *first = lossi_offset(bound->groups, w->unit, bound->rows);
        *count = lossi_offset(bound->groups, w->unit + 1, bound->rows) - *first;
    } else {
        *first = w->first;
        *count = w->count;
        *active = w->active;
    }
}

/* ---- checks ---- */

static int32_t everywhere(const lossi_domain *domain)
{
    return domain->low == 0 && domain->high == 0 && !domain->discrete;
}

static int32_t good_numbers(lossi_work *w, int32_t r, int64_t first, const int64_t *active)
{
    const lossi_structured_call *call = &w->r->call;
    const lossi_domain *domain = &call->roles[r].role->domain;
    const lossi_input *input = &w->part.input[r];
    if (everywhere(domain)) {
        return 1;
    }
    const int64_t index = call->tiles->outside(input->rows * input->columns, input->data, domain);
    if (index < 0) {
        return 1;
    }
    const int64_t row = index / input->columns;
    w->s->wrong = (lossi_fault){LOSS_ERROR_DOMAIN, r, first + (active != NULL ? active[row] : row), 0,
                                lossi_real_at(call->dtype, input->data, index)};
    return 0;
}

static int32_t good_labels(lossi_work *w, int32_t r, int64_t first, const int64_t *active)
{
    const int64_t classes = w->r->call.roles[r].classes, blank = w->r->call.roles[r].blank;
    const lossi_input *input = &w->part.input[r];
    const int64_t *labels = input->data;
    for (int64_t i = 0; i < input->rows * input->columns && classes >= 0; i++) {
        if (labels[i] < 0 || labels[i] >= classes || labels[i] == blank) {
            const int64_t row = i / input->columns;
            w->s->wrong = (lossi_fault){LOSS_ERROR_LABEL, r, first + (active != NULL ? active[row] : row),
                                        labels[i], 0};
            return 0;
        }
    }
    return 1;
}

/* ---- inputs and outputs of a part ---- */

static int32_t fetch_inputs(lossi_work *w)
{
    const lossi_structured_call *call = &w->r->call;
    for (int32_t r = 0; r < call->structure->role_count; r++) {
        const lossi_bound_role *bound = &call->roles[r];
        const int32_t real = bound->role->kind == LOSSI_ROLE_REAL;
        lossi_input *input = &w->part.input[r];
        const int64_t *active;
        int64_t first, count;
        *input = (lossi_input){NULL, 0, 0};
        if (bound->input == NULL) {
            continue;
        }
        rows_of(w, r, &first, &count, &active);
        input->rows = count;
        input->columns = bound->columns;
        input->data = fetch(bound->input, first, count, active, real ? call->dtype : LOSS_INT64,
                            w->b.input[r]);
        if (bound->role->kind != LOSSI_ROLE_OFFSETS &&
            !(real ? good_numbers(w, r, first, active) : good_labels(w, r, first, active))) {
            return 0;
        }
        if (call->product_wanted && lossi_structured_differentiable(bound)) {
            lossi_derivatives *out = &w->part.output[r];
            if (bound->direction != NULL) {
                out->direction = fetch(bound->direction, first, count, active, call->dtype,
                                       w->b.direction[r]);
            } else {
                memset(w->b.direction[r], 0, (size_t)(count * bound->columns * call->real_size));
                out->direction = w->b.direction[r];
            }
        }
    }
    return 1;
}

/* Where the kernel writes an output: its place when that is contiguous, else scratch. */
static void *destination(const lossi_work *w, int32_t r, int32_t k)
{
    const lossi_structured_call *call = &w->r->call;
    const lossi_bound_role *bound = &call->roles[r];
    const lossi_array *array = bound->output[k];
    const int64_t *active;
    int64_t first, count;
    if (array == NULL) {
        return k == LOSSI_OF_PRODUCT && call->product_wanted ? w->b.output[r][k] : NULL;
    }
    rows_of(w, r, &first, &count, &active);
    return lossi_structured_shared(bound) || active != NULL || !dense(array, count)
               ? w->b.output[r][k]
               : array->pointer + first * array->row_stride * call->real_size;
}

static void choose_outputs(lossi_work *w)
{
    const lossi_structured_call *call = &w->r->call;
    for (int32_t r = 0; r < call->structure->role_count; r++) {
        lossi_derivatives *out = &w->part.output[r];
        if (lossi_structured_differentiable(&call->roles[r])) {
            out->gradient = destination(w, r, LOSSI_OF_GRADIENT);
            out->curvature = destination(w, r, LOSSI_OF_CURVATURE);
            out->product = destination(w, r, LOSSI_OF_PRODUCT);
        }
    }
}

/* Rows of an output to where they belong, masked ones as 0. */
static void put_rows(const lossi_work *w, const lossi_array *array, int64_t first, int64_t rows,
                     const int64_t *active, const char *from)
{
    const int64_t size = w->r->call.real_size;
    char *to = array->pointer + first * array->row_stride * size;
    int64_t next = 0;
    for (int64_t i = 0; i < rows && from != to; i++) {
        const int32_t there = active == NULL || (next < w->count && active[next] == i);
        lossi_put_row(there ? from + next * array->columns * size : NULL, to + i * array->row_stride * size,
                      array->column_stride, array->columns, size);
        next += there;
    }
}

static void add_shared(const lossi_work *w, const lossi_bound_role *bound, const void *from, double *sums)
{
    for (int64_t i = 0; i < w->count; i++) {
        for (int64_t j = 0; j < bound->columns; j++) {
            sums[j] += lossi_real_at(w->r->call.dtype, from, i * bound->columns + j);
        }
    }
}

static void put_outputs(const lossi_work *w)
{
    const lossi_structured_call *call = &w->r->call;
    double *sums = w->s->shared;
    for (int32_t r = 0; r < call->structure->role_count; r++) {
        const lossi_bound_role *bound = &call->roles[r];
        const lossi_derivatives *out = &w->part.output[r];
        const void *const from[] = {out->gradient, out->curvature, out->product};
        const int64_t *active;
        int64_t first, count;
        if (!lossi_structured_differentiable(bound)) {
            continue;
        }
        rows_of(w, r, &first, &count, &active);
        for (int32_t k = 0; k < LOSSI_OF_COUNT; k++) {
            if (bound->output[k] != NULL && lossi_structured_shared(bound)) {
                add_shared(w, bound, from[k], sums + k * bound->columns);
            } else if (bound->output[k] != NULL) {
                put_rows(w, bound->output[k], first, active != NULL ? w->rows : count, active, from[k]);
            }
        }
        sums += lossi_structured_shared(bound) ? LOSSI_OF_COUNT * bound->columns : 0;
    }
}

/* ---- weights ---- */

static void weigh_rows(const lossi_work *w, const void *weight)
{
    const lossi_structured_call *call = &w->r->call;
    const int64_t rows = w->count;
    call->tiles->weigh(rows, call->pointwise ? call->columns : 1, weight, w->part.value);
    for (int32_t r = 0; r < call->structure->role_count; r++) {
        const lossi_derivatives *out = &w->part.output[r];
        void *const all[] = {out->gradient, out->curvature, out->product};
        for (int32_t k = 0; k < LOSSI_OF_COUNT && lossi_structured_differentiable(&call->roles[r]); k++) {
            if (all[k] != NULL) {
                call->tiles->weigh(rows, call->roles[r].columns, weight, all[k]);
            }
        }
    }
}

/* The weight of a group multiplies all that the group gives, as if it were one row. */
static void weigh_group(const lossi_work *w, const void *weight)
{
    const lossi_structured_call *call = &w->r->call;
    call->tiles->weigh(1, 1, weight, w->part.value);
    for (int32_t r = 0; r < call->structure->role_count; r++) {
        const lossi_derivatives *out = &w->part.output[r];
        void *const all[] = {out->gradient, out->curvature, out->product};
        for (int32_t k = 0; k < LOSSI_OF_COUNT && lossi_structured_differentiable(&call->roles[r]); k++) {
            for (int64_t i = 0; all[k] != NULL && i < w->part.input[r].rows; i++) {
                const int64_t columns = call->roles[r].columns;
                call->tiles->weigh(1, columns, weight, (char *)all[k] + i * columns * call->real_size);
            }
        }
    }
}

static void kernel_weights(lossi_work *w)
{
    const lossi_structured_call *call = &w->r->call;
    const void *weight;
    if (call->weight == NULL || (call->structure->flags & LOSSI_OWN_WEIGHTS) == 0) {
        return;
    }
    weight = fetch(call->weight, w->first, w->count, w->active, call->dtype, w->b.real_weight);
    for (int64_t i = 0; i < w->count; i++) {
        w->b.weight[i] = lossi_real_at(call->dtype, weight, i);
    }
    w->part.weight = w->b.weight;
}

/* ---- parts ---- */

/* A group of which every row is masked counts for nothing, whatever else belongs to it. */
static void leave_out(lossi_work *w)
{
    const lossi_structured_call *call = &w->r->call;
    memset(w->b.value, 0, (size_t)call->real_size);
    w->b.denominator[0] = 0;
    for (int32_t r = 0; r < call->structure->role_count; r++) {
        const lossi_bound_role *bound = &call->roles[r];
        const int32_t own = bound->role->rows == LOSSI_ROWS_OWN;
        int64_t first, count;
        const int64_t *active;
        if (!lossi_structured_differentiable(bound) || lossi_structured_shared(bound)) {
            continue;
        }
        rows_of(w, r, &first, &count, &active);
        for (int32_t k = 0; k < LOSSI_OF_COUNT; k++) {
            if (bound->output[k] != NULL) {
                put_rows(w, bound->output[k], first, own ? count : w->rows, w->active, NULL);
            }
        }
    }
}

/* 0 when something is wrong, which the slice then says. */
static int32_t run_part(lossi_work *w)
{
    const lossi_structured_call *call = &w->r->call;
    const int32_t tile_weights = call->weight != NULL && (call->structure->flags & LOSSI_OWN_WEIGHTS) == 0;
    choose_active(w);
    memset(&w->part, 0, sizeof w->part);
    w->part.prepared = &call->function->prepared;
    w->part.scale = call->scale;
    w->part.curvature_kind = call->function->curvature_kind;
    w->part.rows = w->count;
    w->part.columns = call->columns;
    w->part.value = w->b.value;
    w->part.denominator = w->b.denominator;
    w->part.scratch = w->b.kernel;
    if (call->grouped && w->rows > 0 && w->count == 0) {
        leave_out(w);
        return 1;
    }
    if (!fetch_inputs(w)) {
        return 0;
    }
    choose_outputs(w);
    kernel_weights(w);
    w->r->kernels->part(&w->part);
    if (tile_weights && call->grouped) {
        const void *weight = fetch(call->weight, w->unit, 1, NULL, call->dtype, w->b.real_weight);
        weigh_group(w, weight);
        w->b.denominator[0] *= lossi_real_at(call->dtype, weight, 0);
    } else if (tile_weights) {
        const void *weight = fetch(call->weight, w->first, w->count, w->active, call->dtype,
                                   w->b.real_weight);
        weigh_rows(w, weight);
        for (int64_t i = 0; i < w->count; i++) {
            const double each = call->pointwise ? (double)call->columns : w->b.denominator[i];
            w->b.denominator[i] = each * lossi_real_at(call->dtype, weight, i);
        }
    } else if (call->pointwise) {
        for (int64_t i = 0; i < w->count; i++) {
            w->b.denominator[i] = (double)call->columns;
        }
    }
    put_outputs(w);
    return 1;
}

static void add_up(const lossi_work *w, int64_t count, int64_t values, const void *value,
                   const double *denominator)
{
    w->r->call.tiles->sum(values, value, w->s->total.lanes);
    for (int64_t i = 0; i < count; i++) {
        w->s->total.weight_lanes[i % LOSSI_LANES] += denominator[i];
    }
}

int32_t lossi_structured_run_rows(lossi_work *w, int64_t first, int64_t rows)
{
    const lossi_structured_call *call = &w->r->call;
    w->unit = w->first = first;
    w->rows = rows;
    if (!run_part(w)) {
        return 0;
    }
    add_up(w, w->count, call->pointwise ? w->count * call->columns : w->count, w->part.value,
           w->b.denominator);
    if (call->value != NULL) {
        put_rows(w, call->value, first, rows, w->active, w->part.value);
    }
    return 1;
}

int32_t lossi_structured_run_groups(lossi_work *w, int64_t first, int64_t groups)
{
    const lossi_structured_call *call = &w->r->call;
    for (int64_t g = 0; g < groups; g++) {
        w->unit = first + g;
        w->first = lossi_offset(call->offsets, w->unit, call->rows);
        w->rows = lossi_offset(call->offsets, w->unit + 1, call->rows) - w->first;
        if (!run_part(w)) {
            return 0;
        }
        memcpy(w->b.group_value + g * call->real_size, w->b.value, (size_t)call->real_size);
        w->b.group_denominator[g] = w->b.denominator[0];
    }
    add_up(w, groups, groups, w->b.group_value, w->b.group_denominator);
    w->active = NULL;
    if (call->value != NULL) {
        put_rows(w, call->value, first, groups, NULL, w->b.group_value);
    }
    return 1;
}
