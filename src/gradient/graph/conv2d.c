/*
 * Convolutions of images, channels last: y[n, i, j, o] = Σ_{k, l, c} x[n, i s + k d − p, j s + l d − p, c] · w[k, l, c, o].
 *
 * y is linear in x and in w, and so are its adjoints with respect to either: the three operations of convolution.h are each
 * other's derivatives, of any order. Dumoulin & Visin, A guide to convolution arithmetic for deep learning,
 * arXiv:1603.07285 (2016); what is called a convolution there, and here, does not turn the weights around.
 */
#include <string.h>

#include "gradient/graph/convolution.h"
#include "gradient/graph/operations.h"
#include "gradient/graph/shape.h"
#include "gradient/graph/window.h"

enum { STRIDE, PADDING, DILATION, GROUPS, SAME, OPTIONS };

/* Where the attributes of conv2d are: pairs, the four paddings, numbers. */
enum { AT_STRIDE = 0, AT_PADDING = 2, AT_DILATION = 6, AT_GROUPS = 8, AT_SAME = 9 };

static const loss_option options[OPTIONS] = {
    [STRIDE] = {"stride", LOSS_OPTION_ARRAY, 1, LOSSI_WINDOW_MOST, 0, NULL, NULL,
                "pixels from place to place, one number or height and width; none: 1"},
    [PADDING] =
        {"padding", LOSS_OPTION_ARRAY, 0, LOSSI_WINDOW_MOST, 0, NULL, NULL,
         "zeros around the image: one number, height and width, or above, below, left and right; none: 0"},
    [DILATION] = {"dilation", LOSS_OPTION_ARRAY, 1, LOSSI_WINDOW_MOST, 0, NULL, NULL,
                  "pixels from weight to weight, one number or height and width; none: 1"},
    [GROUPS] = {"groups", LOSS_OPTION_INT, 1, LOSSI_WINDOW_MOST, 1, NULL, NULL,
                "parts that the channels of image and result are cut into, each convolved for itself"},
    [SAME] = {"same", LOSS_OPTION_INT, 0, 1, 0, NULL, NULL,
              "1: as many zeros that the result has size / stride pixels, rounded up, in place of 'padding'"},
};

static loss_status settle(const lossi_options *given, loss_context *context, lossi_attributes *attributes)
{
    int64_t *to = attributes->integer;
    loss_status status = lossi_window_pair(context, "conv2d", "stride", lossi_options_own(given, STRIDE), 1,
                                           to + AT_STRIDE);
    if (status == LOSS_OK) {
        status = lossi_window_padding(context, "conv2d", lossi_options_own(given, PADDING), to + AT_PADDING);
    }
    if (status == LOSS_OK) {
        status = lossi_window_pair(context, "conv2d", "dilation", lossi_options_own(given, DILATION), 1,
                                   to + AT_DILATION);
    }
    to[AT_GROUPS] = lossi_options_own(given, GROUPS)->integer;
    to[AT_SAME] = lossi_options_own(given, SAME)->integer;
    return status;
}

/* The window of weights over an image, and how many places it has. */
static lossi_window window_of(const lossi_attributes *attributes, const lossi_shape *image,
                              const lossi_shape *weights, int64_t places[2])
{
    lossi_window window;
    const int64_t *from = attributes->integer;
    for (int32_t i = 0; i < 2; i++) {
        window.window[i] = weights->size[i];
        window.stride[i] = from[AT_STRIDE + i];
        window.dilation[i] = from[AT_DILATION + i];
        window.before[i] = from[AT_PADDING + 2 * i];
        window.after[i] = from[AT_PADDING + 2 * i + 1];
        places[i] = weights->size[i] < 1
                        ? 0
                        : lossi_window_places(&window, i, image->size[1 + i], (int32_t)from[AT_SAME]);
    }
    return window;
}

static loss_status infer(const lossi_tape *tape, lossi_tape_node *node)
{
    const lossi_tape_node *image = lossi_input_node(tape, node, 0),
                          *weights = lossi_input_node(tape, node, 1);
    const lossi_shape *x = &image->shape, *w = &weights->shape;
    const int64_t groups = node->attributes.integer[AT_GROUPS];
    int64_t places[2];
    if (x->rank != 4 || w->rank != 4 || lossi_shape_of_rows(w)) {
        return lossi_operation_fail_shapes(tape, node,
                                           "the image is rows × height × width × channels, the weights are "
                                           "height × width × channels × channels "
                                           "of the result");
    }
    if (x->size[3] % groups != 0 || w->size[3] % groups != 0 || x->size[3] / groups != w->size[2]) {
        return lossi_operation_fail_shapes(tape, node,
                                           groups == 1
                                               ? "the image has not as many channels as the weights take"
                                               : "the channels cannot be cut into that many groups, of which "
                                                 "each has the weights' channels");
    }
    window_of(&node->attributes, x, w, places);
    if (places[0] < 1 || places[1] < 1) {
        return lossi_operation_fail_shapes(tape, node, "the weights do not fit into the padded image");
    }
    if (image->dtype != tape->dtype || weights->dtype != tape->dtype) {
        return lossi_fail(tape->context, LOSS_ERROR_TYPE, "the operation 'conv2d' takes %s, not %s",
                          loss_dtype_name(tape->dtype),
                          loss_dtype_name(image->dtype != tape->dtype ? image->dtype : weights->dtype));
    }
    node->shape = (lossi_shape){4, {x->size[0], places[0], places[1], w->size[3]}};
    return LOSS_OK;
}

static int32_t expand(lossi_tape *tape, const lossi_attributes *given, const int32_t *inputs, int32_t count)
{
    lossi_attributes attributes = {.integer = {0}};
    int64_t *to = attributes.integer, places[2];
    const lossi_window window = window_of(given, lossi_tape_shape(tape, inputs[0]),
                                          lossi_tape_shape(tape, inputs[1]), places);
    for (int32_t i = 0; i < 2; i++) {
        to[LOSSI_CONVOLUTION_STRIDE + i] = window.stride[i];
        to[LOSSI_CONVOLUTION_BEFORE + i] = window.before[i];
        to[LOSSI_CONVOLUTION_DILATION + i] = window.dilation[i];
        to[LOSSI_CONVOLUTION_EXTENT + i] = places[i];
    }
    to[LOSSI_CONVOLUTION_GROUPS] = given->integer[AT_GROUPS];
    return lossi_tape_add(tape, &lossi_operation_convolution, &attributes, inputs, count);
}

const lossi_operation lossi_operation_conv2d = {
    .name = "conv2d",
    .summary = "the convolution of images with weights, channels last",
    .inputs = "image weights",
    .formula =
        "sum over k, l, c of image[n, i stride + k dilation - padding, j stride + l dilation - padding, c] "
        "weights[k, l, c, o]",
    .reference =
        "Dumoulin & Visin, A guide to convolution arithmetic for deep learning, arXiv:1603.07285 (2016)",
    .options = options,
    .option_count = OPTIONS,
    .settle = settle,
    .infer = infer,
    .expand = expand};
