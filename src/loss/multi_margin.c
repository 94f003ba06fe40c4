/*
 * Multi-class margin loss: the hinge losses of the label's margins over all its rivals, divided by the number of classes K.
 *
 *     loss = 1/K Σ_{j ≠ y} max(0, margin + z_j − z_y)^p,   p = 1 or 2,   times the class weight of y
 *
 * loss/all_rivals_kernels.h has the derivatives. weston_watkins.c is the same without the division.
 * Weston & Watkins, Support vector machines for multi-class pattern recognition (1999), eq. (2), as PyTorch has it.
 */
#define LOSSI_FORMULA   multi_margin
#define LOSSI_PER_CLASS 1
#include "loss/all_rivals_kernels.h"

#ifdef LOSSI_ONCE

extern const lossi_row lossi_row_multi_margin;
const lossi_row lossi_row_multi_margin = {
    .name = "multi_margin",
    .aliases = "multi_margin_loss multiclass_margin",
    .summary = "mean over the classes of the hinge losses of the label's margins over all other logits",
    .formula = "u/K*sum_(j != y) max(0, margin + z_j - z_y)^p, z = prediction, y = label, K = columns, "
               "u = class_weight of y",
    .reference =
        "Weston & Watkins, Support vector machines for multi-class pattern recognition (1999), eq. (2)",
    .elsewhere = "PyTorch MultiMarginLoss",
    .flags = LOSSI_CONVEX | LOSSI_CLASSIFICATION | LOSSI_LABELS | LOSSI_LABELS_ONLY | LOSSI_COUNTS_ROWS,
    .options = options,
    .option_count = POWER + 1,
    .prepare = prepare,
};

#endif
