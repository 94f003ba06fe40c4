/* What operations over axes share: the options, the shape, how many elements become one. */
#include <string.h>

#include "gradient/graph/operations.h"
#include "gradient/graph/reduce.h"

loss_status lossi_axes_settle(const lossi_options *given, loss_context *context, lossi_attributes *attributes)
{
    const lossi_option_value *axes = lossi_options_own(given, LOSSI_AXES);
    if (axes->count > LOSSI_RANK) {
        return lossi_fail(context, LOSS_ERROR_RANGE,
                          "the option 'axes' has %lld numbers; at most %d axes are there",
                          (long long)axes->count, (int)LOSSI_RANK);
    }
    attributes->integer[0] = axes->count;
    attributes->integer[1] = lossi_options_own(given, LOSSI_KEEP_AXES)->integer;
    for (int64_t i = 0; i < axes->count; i++) {
        if (axes->array[i] != (double)(int64_t)axes->array[i]) {
            return lossi_fail(context, LOSS_ERROR_RANGE, "the option 'axes' has a number that is not whole");
        }
        attributes->integer[2 + i] = (int64_t)axes->array[i];
    }
    return LOSS_OK;
}

int32_t lossi_axes_of(const lossi_attributes *attributes, int32_t rank)
{
    int32_t axes = attributes->integer[0] == 0 ? (1 << rank) - 1 : 0;
    for (int64_t i = 0; i < attributes->integer[0]; i++) {
        const int64_t axis = attributes->integer[2 + i] + (attributes->integer[2 + i] < 0 ? rank : 0);
        if (axis < 0 || axis >= rank) {
            return -1;
        }
        axes |= 1 << axis;
    }
    return axes;
}

loss_status lossi_check_real(const lossi_tape *tape, const lossi_tape_node *node, int32_t which)
{
    const loss_dtype dtype = lossi_input_node(tape, node, which)->dtype;
    return dtype == tape->dtype
               ? LOSS_OK
               : lossi_fail(tape->context, LOSS_ERROR_TYPE, "the operation '%s' takes %s, not %s",
                            node->operation->name, loss_dtype_name(tape->dtype), loss_dtype_name(dtype));
}

/* As an index from the last one, and as one from the first, too. All of the axes are there. */
static int32_t named_twice(const lossi_attributes *attributes, int32_t rank)
{
    int32_t axes = 0, twice = 0;
    for (int64_t i = 0; i < attributes->integer[0]; i++) {
        const int32_t axis = 1 << (attributes->integer[2 + i] + (attributes->integer[2 + i] < 0 ? rank : 0));
        twice |= axes & axis;
        axes |= axis;
    }
    return twice != 0;
}

loss_status lossi_axes_infer(const lossi_tape *tape, lossi_tape_node *node)
{
    const lossi_tape_node *from = lossi_input_node(tape, node, 0);
    const int32_t axes = lossi_axes_of(&node->attributes, from->shape.rank);
    if (axes < 0) {
        return lossi_operation_fail_shapes(tape, node, "one of the axes is not there");
    }
    if (named_twice(&node->attributes, from->shape.rank)) {
        return lossi_operation_fail_shapes(tape, node, "one of the axes is named twice");
    }
    node->shape.rank = 0;
    for (int32_t i = 0; i < from->shape.rank; i++) {
        const int32_t gone = axes >> i & 1;
        if (!gone || node->attributes.integer[1]) {
            node->shape.size[node->shape.rank++] = gone ? 1 : from->shape.size[i];
        }
    }
    return lossi_check_real(tape, node, 0);
}

int32_t lossi_axes_drop(lossi_tape *tape, const lossi_attributes *attributes, int32_t reduced)
{
    if (reduced == LOSSI_NONE || attributes->integer[1]) {
        return reduced;
    }
    const lossi_shape from = *lossi_tape_shape(tape, reduced);
    const int32_t axes = lossi_axes_of(attributes, from.rank);
    lossi_shape shape = {0, {0}};
    for (int32_t i = 0; i < from.rank; i++) {
        if (!(axes >> i & 1)) {
            shape.size[shape.rank++] = from.size[i];
        }
    }
    return lossi_tape_reshape(tape, reduced, &shape);
}

int32_t lossi_axes_count(lossi_tape *tape, int32_t like, int32_t axes)
{
    const lossi_shape from = *lossi_tape_shape(tape, like);
    int64_t elements = 1;
    for (int32_t i = 0; i < from.rank; i++) {
        elements *= axes >> i & 1 && from.size[i] != LOSSI_ROWS ? from.size[i] : 1;
    }
    const int32_t number = lossi_tape_number(tape, (double)elements);
    if ((axes & 1) == 0 || !lossi_shape_of_rows(&from)) {
        return number;
    }
    const int32_t rows = lossi_tape_add(tape, &lossi_operation_rows, NULL, &like, 1);
    return elements == 1 ? rows : lossi_tape_multiply(tape, rows, number);
}
