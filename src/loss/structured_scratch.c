/* The scratch of losses with a structure: one worker's copies of what is not contiguous. */
#include "loss/structured_call.h"

enum { ALIGNMENT = 64 };

char *lossi_structured_take(char *base, int64_t *used, int64_t bytes)
{
    char *place = base == NULL ? NULL : base + *used;
    *used += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return place;
}

int32_t lossi_structured_differentiable(const lossi_bound_role *bound)
{
    return bound->input != NULL && (bound->role->flags & LOSSI_DIFFERENTIABLE) != 0;
}

int32_t lossi_structured_shared(const lossi_bound_role *bound)
{
    return bound->role->rows == LOSSI_ROWS_SHARED && bound->role->kind != LOSSI_ROLE_OFFSETS;
}

int64_t lossi_structured_lay_out(const lossi_structured_call *call, char *base, lossi_buffers *b)
{
    const lossi_shape *shape = &call->shape;
    const int64_t rows = shape->rows[0] > 1 ? shape->rows[0] : 1, size = call->real_size,
                  tile = call->cut.tile_rows;
    int64_t used = 0;
    for (int32_t r = 0; r < call->structure->role_count; r++) {
        const lossi_bound_role *bound = &call->roles[r];
        if (bound->input == NULL) {
            continue;
        }
        const int64_t elements = shape->rows[r] * shape->columns[r];
        const int64_t out = (lossi_structured_shared(bound) ? rows * shape->columns[r] : elements) * size;
        b->input[r] = lossi_structured_take(base, &used, elements * 8);
        if (lossi_structured_differentiable(bound)) {
            b->direction[r] = lossi_structured_take(base, &used, elements * size);
            for (int32_t k = 0; k < LOSSI_OF_COUNT; k++) {
                b->output[r][k] = lossi_structured_take(base, &used, out);
            }
        }
    }
    b->value = lossi_structured_take(base, &used, (call->pointwise ? rows * call->columns : rows) * size);
    b->denominator = (double *)(void *)lossi_structured_take(base, &used, rows * 8);
    b->weight = (double *)(void *)lossi_structured_take(base, &used, rows * 8);
    b->real_weight = lossi_structured_take(base, &used, rows * 8);
    b->active = (int64_t *)(void *)lossi_structured_take(base, &used, rows * 8);
    if (call->grouped) {
        b->group_value = lossi_structured_take(base, &used, tile * size);
        b->group_denominator = (double *)(void *)lossi_structured_take(base, &used, tile * 8);
    }
    const lossi_structure *structure = call->structure;
    const int64_t own = structure->scratch == NULL ? 0 : structure->scratch(&call->function->prepared, shape);
    b->kernel = lossi_structured_take(base, &used, own);
    return used;
}
