/*
 * Generalized intersection over union of two boxes, rows of x1, y1, x2, y2.
 *
 *     loss = 1 − I/U + (C − U)/C
 *
 * Boxes apart are drawn together, by the part of their hull that is empty. Its limit is 2. Without an area of the hull the
 * second part is 0; the rest is in loss/box.h.
 *
 * Edges beyond the target's have slopes of both signs, those of I/U and of U/C and their parts. Where they cancel derivatives are
 * within 4 ulp of the sizes of these terms added up (tests/reference/definitions).
 * Rezatofighi et al., Generalized intersection over union (2019), algorithm 1.
 */
#include "loss/box.h"

static void kernel(const lossi_part *part)
{
    lossi_box_loss(part, LOSSI_BOX_GENERALIZED);
}

extern const lossi_kernels LOSSI_NAME(generalized_intersection_over_union);
const lossi_kernels LOSSI_NAME(generalized_intersection_over_union) = {.part = kernel};

#ifdef LOSSI_ONCE

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    (void)values;
    prepared->bounds.maximum = 2;
}

extern const lossi_row lossi_row_generalized_intersection_over_union;
const lossi_row lossi_row_generalized_intersection_over_union = {
    .name = "generalized_intersection_over_union",
    .aliases = "giou giou_loss generalized_box_iou_loss",
    .summary = "one minus the generalized intersection over the union of two boxes x1, y1, x2, y2",
    .formula =
        "1 - I/U + (C - U)/C, areas of the intersection, the union and the hull of prediction and target",
    .reference = "Rezatofighi et al., Generalized intersection over union (2019), algorithm 1",
    .elsewhere = "torchvision generalized_box_iou_loss with eps = 0",
    .structure = &lossi_box_structure,
    .prepare = prepare,
};

#endif
