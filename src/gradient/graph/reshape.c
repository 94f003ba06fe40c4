/* The same elements in another shape: nothing is moved. */
#include <stdio.h>
#include <string.h>

#include "gradient/graph/operations.h"
#include "gradient/graph/shape.h"

/* ---- reshape ---- */

static const loss_option reshape_options[] = {
    {"shape", LOSS_OPTION_ARRAY, LOSSI_ROWS, 0x1p40, 0, NULL, NULL,
     "the sizes; -1 as first is the rows of the batch where the input has them, another -1 what is left"},
};

static loss_status settle_reshape(const lossi_options *given, loss_context *context,
                                  lossi_attributes *attributes)
{
    const lossi_option_value *sizes = lossi_options_own(given, 0);
    lossi_shape shape = {(int32_t)sizes->count, {0}};
    if (sizes->count > LOSSI_RANK) {
        return lossi_fail(context, LOSS_ERROR_RANGE,
                          "the option 'shape' has %lld sizes; at most %d are allowed",
                          (long long)sizes->count, (int)LOSSI_RANK);
    }
    attributes->integer[0] = sizes->count;
    for (int32_t i = 0; i < shape.rank; i++) {
        shape.size[i] = (int64_t)sizes->array[i];
        attributes->integer[1 + i] = shape.size[i];
        if ((double)shape.size[i] != sizes->array[i]) {
            return lossi_fail(context, LOSS_ERROR_RANGE, "the option 'shape' has a size that is not whole");
        }
    }
    return LOSS_OK;
}

/*
 * The shape that the option asks for, of an input of another: NULL, or what is wrong. Where the input has rows, they are the first -1; one
 * other size may be -1, what the others leave of the elements (as in NumPy).
 */
static const char *shape_of(const lossi_attributes *attributes, const lossi_shape *from, lossi_shape *shape)
{
    const int32_t rows = lossi_shape_of_rows(from);
    int32_t left = -1;
    int64_t others = 1, elements = lossi_shape_row(from);
    shape->rank = (int32_t)attributes->integer[0];
    memcpy(shape->size, attributes->integer + 1, sizeof shape->size[0] * (size_t)shape->rank);
    if (rows && (shape->rank == 0 || shape->size[0] != LOSSI_ROWS)) {
        return "the rows stay the first size of the option 'shape': -1";
    }
    for (int32_t i = rows; i < shape->rank; i++) {
        const int64_t size = shape->size[i];
        if (size == LOSSI_ROWS && left >= 0) {
            return "more than one size of the option 'shape' is left to be found";
        }
        left = size == LOSSI_ROWS ? i : left;
        if (size > 0 && others > LOSSI_MOST_ELEMENTS / size) {
            return "the option 'shape' has another number of elements";
        }
        others *= size == LOSSI_ROWS ? 1 : size;
    }
    if (left >= 0 && (others == 0 || elements % others != 0)) {
        return "the other sizes of the option 'shape' do not divide the number of elements";
    }
    if (left >= 0) {
        shape->size[left] = elements / others;
    }
    return left < 0 && others != elements ? "the option 'shape' has another number of elements" : NULL;
}

static loss_status infer_reshape(const lossi_tape *tape, lossi_tape_node *node)
{
    const lossi_tape_node *from = lossi_input_node(tape, node, 0);
    const char *wrong = shape_of(&node->attributes, &from->shape, &node->shape);
    char why[256];
    node->dtype = from->dtype;
    if (wrong == NULL) {
        return LOSS_OK;
    }
    int used = snprintf(why, sizeof why, "%s; it is [", wrong);
    for (int32_t i = 0; i < node->attributes.integer[0]; i++) {
        used += snprintf(why + used, sizeof why - (size_t)used, "%s%lld", i > 0 ? ", " : "",
                         (long long)node->attributes.integer[1 + i]);
    }
    snprintf(why + used, sizeof why - (size_t)used, "]");
    return lossi_operation_fail_shapes(tape, node, why);
}

static int32_t expand_reshape(lossi_tape *tape, const lossi_attributes *attributes, const int32_t *inputs,
                              int32_t count)
{
    lossi_shape shape;
    (void)count;
    shape_of(attributes, lossi_tape_shape(tape, inputs[0]),
             &shape); /* nothing is wrong: it was inferred before */
    return lossi_tape_reshape(tape, inputs[0], &shape);
}

const lossi_operation lossi_operation_reshape = {.name = "reshape",
                                                 .summary = "the same elements in another shape",
                                                 .inputs = "a",
                                                 .formula = "the elements of a in row-major order",
                                                 .reference = "",
                                                 .options = reshape_options,
                                                 .option_count = 1,
                                                 .settle = settle_reshape,
                                                 .infer = infer_reshape,
                                                 .expand = expand_reshape};

/* ---- flatten ---- */

static lossi_shape flat(const lossi_shape *from)
{
    const lossi_shape shape = {2, {from->rank > 0 ? from->size[0] : 1, 1}};
    lossi_shape two = shape;
    for (int32_t i = 1; i < from->rank; i++) {
        two.size[1] *= from->size[i];
    }
    return two;
}

static loss_status infer_flatten(const lossi_tape *tape, lossi_tape_node *node)
{
    const lossi_tape_node *from = lossi_input_node(tape, node, 0);
    node->shape = flat(&from->shape);
    node->dtype = from->dtype;
    return LOSS_OK;
}

static int32_t expand_flatten(lossi_tape *tape, const lossi_attributes *attributes, const int32_t *inputs,
                              int32_t count)
{
    const lossi_shape shape = flat(lossi_tape_shape(tape, inputs[0]));
    (void)attributes;
    (void)count;
    return lossi_tape_reshape(tape, inputs[0], &shape);
}

const lossi_operation lossi_operation_flatten = {
    .name = "flatten",
    .summary = "all sizes but the first as one",
    .inputs = "a",
    .formula = "the elements of a, a row for each of its first size",
    .reference = "",
    .infer = infer_flatten,
    .expand = expand_flatten};
