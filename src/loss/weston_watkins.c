/*
 * Weston–Watkins loss of multi-class support vector machines: the hinge losses of the label's margins over all its rivals, added up.
 *
 *     loss = Σ_{j ≠ y} max(0, margin + z_j − z_y)^p,   p = 1 or 2,   times the class weight of y
 *
 * loss/all_rivals_kernels.h has the derivatives. multi_margin.c is the same, divided by the number of classes.
 * Weston & Watkins, Support vector machines for multi-class pattern recognition (1999), eq. (2), whose margin is 2.
 */
#define LOSSI_FORMULA   weston_watkins
#define LOSSI_PER_CLASS 0
#include "loss/all_rivals_kernels.h"

#ifdef LOSSI_ONCE

extern const lossi_row lossi_row_weston_watkins;
const lossi_row lossi_row_weston_watkins = {
    .name = "weston_watkins",
    .aliases = "",
    .summary = "hinge losses of the label's margins over all other logits, added up",
    .formula =
        "u*sum_(j != y) max(0, margin + z_j - z_y)^p, z = prediction, y = label, u = class_weight of y",
    .reference =
        "Weston & Watkins, Support vector machines for multi-class pattern recognition (1999), eq. (2)",
    .elsewhere = "PyTorch MultiMarginLoss, times the number of classes",
    .flags = LOSSI_CONVEX | LOSSI_CLASSIFICATION | LOSSI_LABELS | LOSSI_LABELS_ONLY | LOSSI_COUNTS_ROWS,
    .options = options,
    .option_count = POWER + 1,
    .prepare = prepare,
};

#endif
