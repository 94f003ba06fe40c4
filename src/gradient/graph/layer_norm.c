/*
 * Normalisation of each row: of the last axes by mean and variance, or by the root of the mean square.
 *
 * Ba, Kiros & Hinton, Layer normalization, arXiv:1607.06450 (2016); Zhang & Sennrich, Root mean square layer normalization
 * (NeurIPS 2019).
 */
#include <stddef.h>

#include "gradient/graph/operations.h"
#include "gradient/graph/range.h"
#include "gradient/graph/shape.h"
#include "loss/expression/expression.h"

enum { EPSILON, AXES, OPTIONS };

static const loss_option options[OPTIONS] = {
    [EPSILON] = {"epsilon", LOSS_OPTION_DOUBLE, 0, 1e300, 1e-5, NULL, NULL, "what is added to the variance"},
    [AXES] = {"last_axes", LOSS_OPTION_INT, 1, LOSSI_RANK, 1, NULL, NULL,
              "how many of the last axes are normalised together"},
};

static loss_status settle(const lossi_options *given, loss_context *context, lossi_attributes *attributes)
{
    (void)context;
    attributes->number[0] = lossi_options_own(given, EPSILON)->number;
    attributes->integer[0] = lossi_options_own(given, AXES)->integer;
    return LOSS_OK;
}

static loss_status infer(const lossi_tape *tape, lossi_tape_node *node)
{
    const lossi_shape *x = &lossi_input_node(tape, node, 0)->shape;
    const int32_t axes = (int32_t)node->attributes.integer[0];
    if (axes > x->rank || (axes == x->rank && lossi_shape_of_rows(x))) {
        return lossi_operation_fail_shapes(tape, node,
                                           "there are fewer axes that are no rows than 'last_axes'");
    }
    for (int32_t i = 0; i < node->input_count; i++) {
        const lossi_tape_node *input = lossi_input_node(tape, node, i);
        if (input->dtype != tape->dtype) {
            return lossi_fail(tape->context, LOSS_ERROR_TYPE, "the operation '%s' takes %s, not %s",
                              node->operation->name, loss_dtype_name(tape->dtype),
                              loss_dtype_name(input->dtype));
        }
        int32_t fits = i == 0 || input->shape.rank == axes;
        for (int32_t k = 0; i > 0 && fits && k < axes; k++) {
            fits = input->shape.size[k] == x->size[x->rank - axes + k];
        }
        if (!fits) {
            return lossi_operation_fail_shapes(tape, node,
                                               "all but the first have the last sizes of the first");
        }
    }
    node->shape = *x;
    return LOSS_OK;
}

/* The last axes, a bit each, and how many elements they have. */
static int32_t last_axes(const lossi_shape *shape, int32_t axes, double *count)
{
    int32_t bits = 0;
    *count = 1;
    for (int32_t i = shape->rank - axes; i < shape->rank; i++) {
        *count *= (double)shape->size[i];
        bits |= 1 << i;
    }
    return bits;
}

/*
 * a / sqrt(mean of a² + epsilon) · scale, of numbers whose squares are in the range of the type (range.h): the factor is on both sides.
 * With an epsilon small numbers come to 0 as they should.
 */
static int32_t put_normal(lossi_tape *tape, const lossi_attributes *attributes, int32_t a, int32_t scale,
                          const lossi_shape *shape)
{
    double elements;
    const double epsilon = attributes->number[0];
    const int32_t axes = last_axes(shape, (int32_t)attributes->integer[0], &elements);
    const int32_t count = lossi_tape_number(tape, elements);
    const int32_t plain = lossi_tape_reduce(tape, lossi_tape_multiply(tape, a, a), axes);
    const lossi_range range = lossi_tape_range(tape, lossi_tape_divide(tape, plain, count), epsilon == 0);
    const int32_t squares = lossi_tape_scaled_squares(tape, a, axes, plain, range.factor);
    const int32_t half = lossi_tape_multiply(tape, lossi_tape_number(tape, epsilon), range.factor);
    const int32_t sum = lossi_tape_sum(tape, lossi_tape_divide(tape, squares, count),
                                       lossi_tape_multiply(tape, half, range.factor));
    const int32_t root = lossi_tape_scalar(tape, LOSSI_SCALAR_sqrt, sum, LOSSI_NONE, LOSSI_NONE);
    const int32_t scaled = lossi_tape_multiply(tape, a, range.factor);
    return lossi_tape_multiply(tape, lossi_tape_divide(tape, scaled, root), scale);
}

static int32_t expand_layer(lossi_tape *tape, const lossi_attributes *attributes, const int32_t *inputs,
                            int32_t count)
{
    const lossi_shape shape = *lossi_tape_shape(tape, inputs[0]);
    double elements;
    const int32_t axes = last_axes(&shape, (int32_t)attributes->integer[0], &elements);
    const int32_t mean = lossi_tape_divide(tape, lossi_tape_reduce(tape, inputs[0], axes),
                                           lossi_tape_number(tape, elements));
    const int32_t centred = lossi_tape_subtract(tape, inputs[0], mean);
    (void)count;
    return lossi_tape_sum(tape, put_normal(tape, attributes, centred, inputs[1], &shape), inputs[2]);
}

static int32_t expand_rms(lossi_tape *tape, const lossi_attributes *attributes, const int32_t *inputs,
                          int32_t count)
{
    const lossi_shape shape = *lossi_tape_shape(tape, inputs[0]);
    (void)count;
    return put_normal(tape, attributes, inputs[0], inputs[1], &shape);
}

const lossi_operation lossi_operation_layer_norm = {
    .name = "layer_norm",
    .summary = "the last axes with mean 0 and variance 1, then scaled and shifted",
    .inputs = "a scale shift",
    .formula = "(a - mean) / sqrt(variance + epsilon) scale + shift",
    .reference = "Ba, Kiros & Hinton, Layer normalization, arXiv:1607.06450 (2016)",
    .options = options,
    .option_count = OPTIONS,
    .settle = settle,
    .infer = infer,
    .expand = expand_layer};

const lossi_operation lossi_operation_rms_norm = {
    .name = "rms_norm",
    .summary = "the last axes with mean square 1, then scaled",
    .inputs = "a scale",
    .formula = "a / sqrt(mean of a^2 + epsilon) scale",
    .reference = "Zhang & Sennrich, Root mean square layer normalization (NeurIPS 2019)",
    .options = options,
    .option_count = OPTIONS,
    .settle = settle,
    .infer = infer,
    .expand = expand_rms};
