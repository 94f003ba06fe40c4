/*
 * Crammer–Singer loss of multi-class support vector machines: the hinge loss of the label's margin over its largest rival.
 *
 *     loss = max(0, margin + max_{j ≠ y} z_j − z_y),   times the class weight of y
 *
 * A single class has no rival and costs nothing. loss/largest_rival_kernels.h says what happens at kinks.
 * Crammer & Singer, On the algorithmic implementation of multiclass kernel-based vector machines (2001), eq. (4).
 */
#define LOSSI_FORMULA     crammer_singer
#define LOSSI_LEAST_RIVAL (-REAL_INFINITY)
#include "loss/largest_rival_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {LOSSI_CLASS_OPTION_ROWS, LOSSI_CLASS_MARGIN_ROW};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    lossi_prepare_classes(values, prepared);
    prepared->margin = prepared->parameters[LOSSI_CLASS_MARGIN];
    prepared->bounds.lipschitz = sqrt(2.0) * lossi_largest_class_weight(prepared);
}

extern const lossi_row lossi_row_crammer_singer;
const lossi_row lossi_row_crammer_singer = {
    .name = "crammer_singer",
    .aliases = "multiclass_hinge crammer_singer_loss",
    .summary = "hinge loss of the label's margin over the largest of the other logits",
    .formula = "u*max(0, margin + max_(j != y) z_j - z_y), z = prediction, y = label, u = class_weight of y",
    .reference = "Crammer & Singer, On the algorithmic implementation of multiclass kernel-based vector "
                 "machines (2001), eq. (4)",
    .elsewhere = "optax multiclass_hinge_loss",
    .flags = LOSSI_CONVEX | LOSSI_CLASSIFICATION | LOSSI_LABELS | LOSSI_LABELS_ONLY | LOSSI_COUNTS_ROWS,
    .constant = LOSSI_CONSTANT_MAJORITY,
    .options = options,
    .option_count = LOSSI_MARGIN_OPTIONS,
    .prepare = prepare,
};

#endif
