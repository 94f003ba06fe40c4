/*
 * Distance intersection over union of two boxes, rows of x1, y1, x2, y2.
 *
 *     loss = 1 − I/U + d²/c²
 *
 * with d the distance of the centres and c the diagonal of the hull. Its limit is 2. Two boxes at one point have d²/c² = 0; the
 * rest is in loss/box.h.
 * Zheng et al., Distance-IoU loss (2020), eq. (7).
 */
#include "loss/box.h"

static void kernel(const lossi_part *part)
{
    lossi_box_loss(part, LOSSI_BOX_DISTANCE);
}

extern const lossi_kernels LOSSI_NAME(distance_intersection_over_union);
const lossi_kernels LOSSI_NAME(distance_intersection_over_union) = {.part = kernel};

#ifdef LOSSI_ONCE

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    prepared->bounds.maximum = 2;
}

extern const lossi_row lossi_row_distance_intersection_over_union;
const lossi_row lossi_row_distance_intersection_over_union = {
    .name = "distance_intersection_over_union",
    .aliases = "diou diou_loss distance_box_iou_loss",
    .summary = "one minus the intersection over the union of two boxes, and how far their centres are apart",
    .formula = "1 - I/U + d^2/c^2, d the distance of the centres, c the diagonal of the hull of prediction "
               "and target",
    .reference = "Zheng et al., Distance-IoU loss (2020), eq. (7)",
    .elsewhere = "torchvision distance_box_iou_loss with eps = 0",
    .structure = &lossi_box_structure,
    .prepare = prepare,
};

#endif
