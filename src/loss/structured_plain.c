/*
 * The plain way of a loss with a structure: contiguous arrays of which no more than the sum and gradients are wanted.
 *
 * Nothing is copied, weighed or masked, and values go from registers onto the lanes of the sum: whole blocks in place, as
 * loss/plain.c has them for losses of predictions and targets.
 */
#include "loss/structured_part.h"

#include <string.h>

#include "core/prefetch.h"

static int32_t has_domain(const lossi_role *role)
{
    return role->domain.low != 0 || role->domain.high != 0 || role->domain.discrete;
}

/* All rows of it one behind the other, in the type of the call. */
static int32_t dense(const lossi_structured_call *call, const lossi_array *array)
{
    return array->dtype == call->dtype && array->columns == call->columns &&
           (array->column_stride == 1 || array->columns == 1) &&
           (array->row_stride == array->columns || array->rows == 1);
}

/* Whether two arrays of the call's size have a byte in common. */
static int32_t overlap(const lossi_structured_call *call, const lossi_array *a, const lossi_array *b)
{
    const uintptr_t bytes = (uintptr_t)(call->rows * call->columns * call->real_size);
    const uintptr_t first = (uintptr_t)a->pointer, second = (uintptr_t)b->pointer;
    return first < second + bytes && second < first + bytes;
}

/* Whether an array with a domain is overwritten: it is looked at before then. */
static int32_t overwritten(const lossi_structured_call *call)
{
    for (int32_t r = 0; r < call->structure->role_count; r++) {
        for (int32_t k = 0; call->roles[r].input != NULL && k < call->structure->role_count; k++) {
            const lossi_array *gradient = call->roles[k].output[LOSSI_OF_GRADIENT];
            if (gradient != NULL && has_domain(call->roles[r].role) &&
                overlap(call, call->roles[r].input, gradient)) {
                return 1;
            }
        }
    }
    return 0;
}

void lossi_structured_plain_init(lossi_run *r)
{
    const lossi_structured_call *call = &r->call;
    r->plain = (call->structure->flags & LOSSI_ADDS_UP) != 0 && call->weight == NULL && call->mask == NULL &&
               call->value == NULL && !call->product_wanted &&
               call->cut.tile_rows * call->columns % LOSSI_LANES == 0;
    for (int32_t k = 0; k < call->structure->role_count && r->plain; k++) {
        const lossi_bound_role *bound = &call->roles[k];
        const lossi_array *gradient = bound->output[LOSSI_OF_GRADIENT];
        r->plain = (bound->input == NULL || dense(call, bound->input)) &&
                   (gradient == NULL || dense(call, gradient)) && bound->output[LOSSI_OF_CURVATURE] == NULL;
    }
    r->look_before = r->plain && overwritten(call);
}

/* 0 when a number of these rows is outside its domain; which, is in the slice then: the first of the first tile. */
static int32_t look(const lossi_structured_call *call, lossi_slice *s, int64_t first, int64_t rows)
{
    const int64_t tile = call->cut.tile_rows, end = first + rows;
    for (; first < end; first += tile) {
        const int64_t count = (end - first < tile ? end - first : tile) * call->columns;
        for (int32_t r = 0; r < call->structure->role_count; r++) {
            const lossi_bound_role *bound = &call->roles[r];
            if (bound->input == NULL || !has_domain(bound->role)) {
                continue;
            }
            const char *from = bound->input->pointer + first * call->columns * call->real_size;
            const int64_t index = call->tiles->outside(count, from, &bound->role->domain);
            if (index >= 0) {
                s->wrong = (lossi_fault){LOSS_ERROR_DOMAIN, r, first + index / call->columns, 0,
                                         lossi_real_at(call->dtype, from, index)};
                return 0;
            }
        }
    }
    return 1;
}

int32_t lossi_structured_run_plain(const lossi_run *r, lossi_slice *s, int64_t first, int64_t rows)
{
    const lossi_structured_call *call = &r->call;
    const int64_t offset = first * call->columns * call->real_size;
    int32_t outside = 0;
    lossi_part part = {.prepared = &call->function->prepared,
                       .scale = call->scale,
                       .curvature_kind = call->function->curvature_kind,
                       .rows = rows,
                       .columns = call->columns,
                       .lanes = s->total.lanes,
                       .ask_ahead = lossi_ask_ahead(LOSSI_POINTWISE_AHEAD),
                       .outside = &outside};
    if (r->look_before && !look(call, s, first, rows)) {
        return 0;
    }
    for (int32_t k = 0; k < call->structure->role_count; k++) {
        const lossi_array *input = call->roles[k].input;
        const lossi_array *gradient = call->roles[k].output[LOSSI_OF_GRADIENT];
        part.input[k] = (lossi_input){input != NULL ? input->pointer + offset : NULL, rows, call->columns};
        part.output[k].gradient = gradient != NULL ? gradient->pointer + offset : NULL;
    }
    r->kernels->part(&part);
    if (outside && !r->look_before && !look(call, s, first, rows)) {
        return 0;
    }
    s->total.weight_lanes[0] += (double)(rows * call->columns); /* integers: exact in any order */
    return 1;
}
