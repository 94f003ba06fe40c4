/*
 * A convolution y = x ∗ w, the adjoint of its image x̄ = ȳ ⋆ w and the adjoint of its weights w̄ = x ⊛ ȳ. With ⟨·, ·⟩ the sum of
 * products of elements
 *
 *     ⟨a, x ∗ w⟩ = ⟨a ⋆ w, x⟩ = ⟨x ⊛ a, w⟩
 *
 * for all a, x and w, which is every derivative of each of the three.
 */
#include "gradient/graph/convolution.h"

#include "gradient/graph/shape.h"

enum { EXTENT = LOSSI_CONVOLUTION_EXTENT };

/* One of the three with the geometry of a node that is there, and the extent of a shape whose height is at `first`. */
static int32_t put(lossi_tape *tape, const lossi_operation *operation, int32_t node, int32_t like,
                   int32_t first, int32_t a, int32_t b)
{
    if (tape->status != LOSS_OK) {
        return LOSSI_NONE;
    }
    lossi_attributes attributes = tape->nodes[node].attributes;
    const lossi_shape *shape = lossi_tape_shape(tape, like);
    const int32_t inputs[] = {a, b};
    attributes.integer[EXTENT] = shape->size[first];
    attributes.integer[EXTENT + 1] = shape->size[first + 1];
    return lossi_tape_add(tape, operation, &attributes, inputs, 2);
}

static int32_t put_result(lossi_tape *tape, int32_t node, int32_t like, int32_t image, int32_t weights)
{
    return put(tape, &lossi_operation_convolution, node, like, 1, image, weights);
}

static int32_t put_image(lossi_tape *tape, int32_t node, int32_t like, int32_t result, int32_t weights)
{
    return put(tape, &lossi_operation_convolution_image, node, like, 1, result, weights);
}

static int32_t put_weights(lossi_tape *tape, int32_t node, int32_t like, int32_t image, int32_t result)
{
    return put(tape, &lossi_operation_convolution_weights, node, like, 0, image, result);
}

static int32_t full_adjoint(lossi_tape *tape, int32_t node, int32_t adjoint)
{
    const lossi_shape shape = *lossi_tape_shape(tape, node);
    return lossi_tape_full(tape, adjoint, &shape);
}

/* Products: the tangent is the product with the tangent of the first, plus that with the tangent of the second. */
static int32_t tangent(lossi_tape *tape, int32_t node, const int32_t *tangents)
{
    int32_t sum = LOSSI_NONE;
    for (int32_t which = 0; which < 2; which++) {
        int32_t inputs[] = {lossi_tape_input(tape, node, 0), lossi_tape_input(tape, node, 1)};
        if (tangents[which] != LOSSI_NONE) {
            inputs[which] = full_adjoint(tape, inputs[which], tangents[which]);
            const lossi_attributes attributes = tape->nodes[node].attributes;
            sum = lossi_tape_sum(tape, sum,
                                 lossi_tape_add(tape, tape->nodes[node].operation, &attributes, inputs, 2));
        }
    }
    return sum;
}

/* ---- the result, from image and weights ---- */

static loss_status infer_result(const lossi_tape *tape, lossi_tape_node *node)
{
    const lossi_shape *x = &lossi_input_node(tape, node, 0)->shape,
                      *w = &lossi_input_node(tape, node, 1)->shape;
    const int64_t *extent = node->attributes.integer + EXTENT;
    node->shape = (lossi_shape){4, {x->size[0], extent[0], extent[1], w->size[3]}};
    return LOSS_OK;
}

static int32_t result_adjoint(lossi_tape *tape, int32_t node, int32_t adjoint, int32_t which)
{
    const int32_t x = lossi_tape_input(tape, node, 0), w = lossi_tape_input(tape, node, 1);
    adjoint = full_adjoint(tape, node, adjoint);
    return which == 0 ? put_image(tape, node, x, adjoint, w) : put_weights(tape, node, w, x, adjoint);
}

const lossi_operation lossi_operation_convolution = {.name = "_convolution",
                                                     .infer = infer_result,
                                                     .vector_jacobian = result_adjoint,
                                                     .jacobian_vector = tangent,
                                                     .scratch = lossi_convolution_scratch,
                                                     .run = lossi_convolution_run};

/* ---- the image, from a result and weights ---- */

static loss_status infer_image(const lossi_tape *tape, lossi_tape_node *node)
{
    const lossi_shape *y = &lossi_input_node(tape, node, 0)->shape,
                      *w = &lossi_input_node(tape, node, 1)->shape;
    const int64_t *extent = node->attributes.integer + EXTENT,
                  groups = node->attributes.integer[LOSSI_CONVOLUTION_GROUPS];
    node->shape = (lossi_shape){4, {y->size[0], extent[0], extent[1], w->size[2] * groups}};
    return LOSS_OK;
}

static int32_t image_adjoint(lossi_tape *tape, int32_t node, int32_t adjoint, int32_t which)
{
    const int32_t y = lossi_tape_input(tape, node, 0), w = lossi_tape_input(tape, node, 1);
    adjoint = full_adjoint(tape, node, adjoint);
    return which == 0 ? put_result(tape, node, y, adjoint, w) : put_weights(tape, node, w, adjoint, y);
}

const lossi_operation lossi_operation_convolution_image = {.name = "_convolution_image",
                                                           .infer = infer_image,
                                                           .vector_jacobian = image_adjoint,
                                                           .jacobian_vector = tangent,
                                                           .scratch = lossi_convolution_image_scratch,
                                                           .run = lossi_convolution_image_run};

/* ---- the weights, from an image and a result ---- */

static loss_status infer_weights(const lossi_tape *tape, lossi_tape_node *node)
{
    const lossi_shape *x = &lossi_input_node(tape, node, 0)->shape,
                      *y = &lossi_input_node(tape, node, 1)->shape;
    const int64_t *extent = node->attributes.integer + EXTENT,
                  groups = node->attributes.integer[LOSSI_CONVOLUTION_GROUPS];
    node->shape = (lossi_shape){4, {extent[0], extent[1], x->size[3] / groups, y->size[3]}};
    return LOSS_OK;
}

static int32_t weights_adjoint(lossi_tape *tape, int32_t node, int32_t adjoint, int32_t which)
{
    const int32_t x = lossi_tape_input(tape, node, 0), y = lossi_tape_input(tape, node, 1);
    adjoint = full_adjoint(tape, node, adjoint);
    return which == 0 ? put_image(tape, node, x, y, adjoint) : put_result(tape, node, y, x, adjoint);
}

const lossi_operation lossi_operation_convolution_weights = {.name = "_convolution_weights",
                                                             .infer = infer_weights,
                                                             .vector_jacobian = weights_adjoint,
                                                             .jacobian_vector = tangent,
                                                             .scratch = lossi_convolution_weights_scratch,
                                                             .run = lossi_convolution_weights_run};
