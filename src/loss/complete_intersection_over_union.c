/*
 * Complete intersection over union of two boxes, rows of x1, y1, x2, y2.
 *
 *     loss = 1 − I/U + d²/c² + α v,   v = (4/π²) (arctan(W/H) − arctan(w/h))²,   α = v/(1 − I/U + v)
 *
 * The authors, and the libraries after them, hold α constant when they differentiate: their gradient is that of no function.
 * Here value, gradient and curvature are of the function above, α included: a line search sees what the gradient promises. v is
 * the square of one arc tangent of two products, so that a height of 0 is no matter, and a point, which has no shape, has v = 0;
 * the rest is in loss/box.h.
 * Zheng et al., Distance-IoU loss (2020), eq. (10).
 */
#include "loss/box.h"

static void kernel(const lossi_part *part)
{
    lossi_box_loss(part, LOSSI_BOX_COMPLETE);
}

extern const lossi_kernels LOSSI_NAME(complete_intersection_over_union);
const lossi_kernels LOSSI_NAME(complete_intersection_over_union) = {.part = kernel};

#ifdef LOSSI_ONCE

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    prepared->bounds.maximum = 2.5;
}

extern const lossi_row lossi_row_complete_intersection_over_union;
const lossi_row lossi_row_complete_intersection_over_union = {
    .name = "complete_intersection_over_union",
    .aliases = "ciou ciou_loss complete_box_iou_loss",
    .summary = "one minus the intersection over the union of two boxes, the distance of their centres and "
               "what their shapes differ",
    .formula = "1 - I/U + d^2/c^2 + v^2/(1 - I/U + v), v = 4/pi^2*(atan(W/H) - atan(w/h))^2",
    .reference = "Zheng et al., Distance-IoU loss (2020), eq. (10)",
    .elsewhere =
        "torchvision complete_box_iou_loss with eps = 0, whose gradient holds v/(1 - I/U + v) constant",
    .structure = &lossi_box_structure,
    .prepare = prepare,
};

#endif
