/*
 * Categorical hinge loss: the label's logit should be above 0 and above its largest rival by a margin.
 *
 *     loss = max(0, margin + max(0, max_{j ≠ y} z_j) − z_y),   times the class weight of y
 *
 * The 0 is what is left of the label in Keras, where it is masked by a product with 0; it makes the loss another one than that of
 * Crammer and Singer where all rivals are negative. loss/largest_rival_kernels.h says what happens at kinks; a largest rival of 0
 * has no part in the gradient.
 * Keras, CategoricalHinge; after Weston & Watkins, Support vector machines for multi-class pattern recognition (1999).
 */
#define LOSSI_FORMULA     categorical_hinge
#define LOSSI_LEAST_RIVAL 0
#include "loss/largest_rival_kernels.h"

#ifdef LOSSI_ONCE

static const loss_option options[] = {LOSSI_CLASS_OPTION_ROWS, LOSSI_CLASS_MARGIN_ROW};

static void prepare(const lossi_options *values, lossi_prepared *prepared)
{
    lossi_prepare_classes(values, prepared);
    prepared->bounds.lipschitz = sqrt(2.0) * lossi_largest_class_weight(prepared);
}

extern const lossi_row lossi_row_categorical_hinge;
const lossi_row lossi_row_categorical_hinge = {
    .name = "categorical_hinge",
    .aliases = "categorical_hinge_loss",
    .summary = "hinge loss of the label's margin over 0 and over the largest of the other logits",
    .formula = "u*max(0, margin + max(0, max_(j != y) z_j) - z_y), z = prediction, y = label, "
               "u = class_weight of y",
    .reference = "Weston & Watkins, Support vector machines for multi-class pattern recognition (1999), as "
                 "Keras has it",
    .elsewhere = "Keras CategoricalHinge, of one-hot targets",
    .flags = LOSSI_CONVEX | LOSSI_CLASSIFICATION | LOSSI_LABELS | LOSSI_LABELS_ONLY | LOSSI_COUNTS_ROWS,
    .options = options,
    .option_count = LOSSI_MARGIN_OPTIONS,
    .prepare = prepare,
};

#endif
