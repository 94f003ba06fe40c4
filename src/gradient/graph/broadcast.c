/* An array repeated along axes that it has with size 1, or not at all, as elementwise operations repeat their smaller operand. */
#include <stdio.h>
#include <string.h>

#include "gradient/graph/operations.h"
#include "gradient/graph/reduce.h"

static const loss_option options[] = {
    {"shape", LOSS_OPTION_ARRAY, LOSSI_ROWS, 0x1p40, 0, NULL, NULL,
     "the sizes; -1 as first: the rows of the batch"},
};

static lossi_shape shape_of(const lossi_attributes *attributes)
{
    lossi_shape shape = {(int32_t)attributes->integer[0], {0}};
    memcpy(shape.size, attributes->integer + 1, sizeof shape.size[0] * (size_t)shape.rank);
    return shape;
}

static loss_status settle(const lossi_options *given, loss_context *context, lossi_attributes *attributes)
{
    const lossi_option_value *sizes = lossi_options_own(given, 0);
    if (sizes->count > LOSSI_RANK) {
        return lossi_fail(context, LOSS_ERROR_RANGE,
                          "the option 'shape' has %lld sizes; at most %d are allowed",
                          (long long)sizes->count, (int)LOSSI_RANK);
    }
    attributes->integer[0] = sizes->count;
    for (int64_t i = 0; i < sizes->count; i++) {
        attributes->integer[1 + i] = (int64_t)sizes->array[i];
        if ((double)attributes->integer[1 + i] != sizes->array[i]) {
            return lossi_fail(context, LOSS_ERROR_RANGE, "the option 'shape' has a size that is not whole");
        }
    }
    const lossi_shape shape = shape_of(attributes);
    return lossi_shape_check(context, "the option 'shape'", &shape);
}

static loss_status infer(const lossi_tape *tape, lossi_tape_node *node)
{
    const lossi_shape *from = &lossi_input_node(tape, node, 0)->shape;
    lossi_shape both;
    node->shape = shape_of(&node->attributes);
    if (!lossi_shapes_broadcast(from, &node->shape, &both) || !lossi_shapes_equal(&both, &node->shape)) {
        char why[128 + LOSSI_SHAPE_TEXT], text[LOSSI_SHAPE_TEXT];
        snprintf(why, sizeof why, "aligned at the last, its sizes are 1 or those of the option 'shape', %s",
                 lossi_shape_text(&node->shape, text));
        return lossi_operation_fail_shapes(tape, node, why);
    }
    return lossi_check_real(tape, node, 0);
}

static int32_t expand(lossi_tape *tape, const lossi_attributes *attributes, const int32_t *inputs,
                      int32_t count)
{
    const lossi_shape shape = shape_of(attributes);
    (void)count;
    return lossi_tape_full(tape, inputs[0], &shape);
}

const lossi_operation lossi_operation_broadcast_to = {
    .name = "broadcast_to",
    .summary = "an array repeated along axes to a larger shape",
    .inputs = "a",
    .formula = "a[...], axes of size 1 at their only element",
    .reference = "",
    .options = options,
    .option_count = 1,
    .settle = settle,
    .infer = infer,
    .expand = expand};
