/*
 * Intersection over union of two boxes, rows of x1, y1, x2, y2.
 *
 *     loss = 1 − I/U
 *
 * Boxes apart have the loss 1 and no slope; loss/box.h says what edges that meet and boxes without an area have.
 * Yu, Jiang, Wang, Cao & Huang, UnitBox (2016), §3, without the logarithm.
 */
#include "loss/box.h"

static void kernel(const lossi_part *part)
{
    lossi_box_loss(part, LOSSI_BOX_PLAIN);
}

extern const lossi_kernels LOSSI_NAME(intersection_over_union);
const lossi_kernels LOSSI_NAME(intersection_over_union) = {.part = kernel};

#ifdef LOSSI_ONCE

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    prepared->bounds.maximum = 1;
}

extern const lossi_row lossi_row_intersection_over_union;
const lossi_row lossi_row_intersection_over_union = {
    .name = "intersection_over_union",
    .aliases = "iou iou_loss",
    .summary = "one minus the intersection over the union of two boxes x1, y1, x2, y2",
    .formula = "1 - I/U, areas of the intersection and of the union of prediction and target",
    .reference = "Yu, Jiang, Wang, Cao & Huang, UnitBox (2016), section 3, without the logarithm",
    .elsewhere = "torchvision box_iou, its complement",
    .structure = &lossi_box_structure,
    .prepare = prepare,
};

#endif
