/*
 * Batch normalisation over all axes but the last, the channels.
 *
 * While training, mean and variance are those of the batch, and are differentiated; otherwise they are the running ones of the
 * objective, which change when it is told of a new iterate and never while it is evaluated (statistics.h).
 *
 * Ioffe & Szegedy, Batch normalization: accelerating deep network training by reducing internal covariate shift (ICML 2015).
 */
#include <string.h>

#include "gradient/graph/channels.h"
#include "gradient/graph/operations.h"
#include "gradient/graph/shape.h"
#include "loss/expression/expression.h"

enum { EPSILON, MOMENTUM, OPTIONS };

static const loss_option options[OPTIONS] = {
    [EPSILON] = {"epsilon", LOSS_OPTION_DOUBLE, 0, 1e300, 1e-5, NULL, NULL, "what is added to the variance"},
    [MOMENTUM] = {"momentum", LOSS_OPTION_DOUBLE, 0, 1, 0.1, NULL, NULL,
                  "the weight of a new iterate's batch in the running mean and variance"},
};

static loss_status settle(const lossi_options *given, loss_context *context, lossi_attributes *attributes)
{
    (void)context;
    attributes->number[EPSILON] = lossi_options_own(given, EPSILON)->number;
    attributes->number[MOMENTUM] = lossi_options_own(given, MOMENTUM)->number;
    return LOSS_OK;
}

static loss_status infer(const lossi_tape *tape, lossi_tape_node *node)
{
    const lossi_shape *x = &lossi_input_node(tape, node, 0)->shape;
    for (int32_t i = 0; i < 3; i++) {
        const lossi_tape_node *input = lossi_input_node(tape, node, i);
        if (input->dtype != tape->dtype) {
            return lossi_fail(tape->context, LOSS_ERROR_TYPE, "the operation 'batch_norm' takes %s, not %s",
                              loss_dtype_name(tape->dtype), loss_dtype_name(input->dtype));
        }
        if (x->rank < 2 || (i > 0 && (input->shape.rank != 1 || lossi_shape_of_rows(&input->shape) ||
                                      input->shape.size[0] != x->size[x->rank - 1]))) {
            return lossi_operation_fail_shapes(
                tape, node, "scale and shift have one number for each channel, the last size of the first");
        }
    }
    node->shape = *x;
    return LOSS_OK;
}

/* A running mean or variance, one number a channel. */
static int32_t put_statistic(lossi_tape *tape, const lossi_attributes *given, int64_t channels, int64_t which)
{
    const lossi_attributes attributes = {
        .integer = {2 * given->integer[LOSSI_INTEGERS - 1] + which, 1, channels}};
    return lossi_tape_add(tape, &lossi_operation_statistic, &attributes, NULL, 0);
}

static int32_t expand(lossi_tape *tape, const lossi_attributes *given, const int32_t *inputs, int32_t count)
{
    const lossi_shape *x = lossi_tape_shape(tape, inputs[0]);
    const int64_t channels = x->size[x->rank - 1];
    (void)count;
    if (tape->purpose.training) {
        const int32_t moments = lossi_tape_add(tape, &lossi_operation_channel_moments, given, inputs, 1);
        const int32_t all[] = {inputs[0], inputs[1], inputs[2], moments};
        return lossi_tape_add(tape, &lossi_operation_channel_normalise, NULL, all, 4);
    }
    const int32_t mean = put_statistic(tape, given, channels, 0);
    const int32_t variance = put_statistic(tape, given, channels, 1);
    const int32_t deviation = lossi_tape_scalar(
        tape, LOSSI_SCALAR_sqrt,
        lossi_tape_sum(tape, variance, lossi_tape_number(tape, given->number[EPSILON])), LOSSI_NONE,
        LOSSI_NONE);
    const int32_t scaled = lossi_tape_multiply(tape, lossi_tape_subtract(tape, inputs[0], mean),
                                               lossi_tape_divide(tape, inputs[1], deviation));
    return lossi_tape_sum(tape, scaled, inputs[2]);
}

const lossi_operation lossi_operation_batch_norm = {
    .name = "batch_norm",
    .summary = "each channel with mean 0 and variance 1 over all other axes, then scaled and shifted",
    .inputs = "a scale shift",
    .formula = "(a - mean) / sqrt(variance + epsilon) scale + shift",
    .reference =
        "Ioffe & Szegedy, Batch normalization: accelerating deep network training by reducing internal "
        "covariate shift (ICML 2015)",
    .options = options,
    .option_count = OPTIONS,
    .flags = LOSSI_OPERATION_DISTINCT,
    .settle = settle,
    .infer = infer,
    .expand = expand};
