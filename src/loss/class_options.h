/*
 * The options that losses of class labels share, and what they make of a function. They are the first options of a loss; its own
 * come behind them.
 */
#ifndef LOSSI_LOSS_CLASS_OPTIONS_H
#define LOSSI_LOSS_CLASS_OPTIONS_H

#include <stddef.h>

#include "loss/row.h"

enum { LOSSI_IGNORE_LABEL, LOSSI_CLASS_WEIGHT, LOSSI_CLASS_OPTIONS };

/* clang-format off */
#define LOSSI_CLASS_OPTION_ROWS                                                                              \
    [LOSSI_IGNORE_LABEL] = {.name = "ignore_label",                                                          \
                            .aliases = "ignore_index",                                                       \
                            .type = LOSS_OPTION_INT,                                                         \
                            .minimum = -9007199254740992.0,                                                  \
                            .maximum = 9007199254740992.0,                                                   \
                            .initial = -100,                                                                 \
                            .doc = "rows with this label do not count"},                                     \
    [LOSSI_CLASS_WEIGHT] = {.name = "class_weight",                                                          \
                            .aliases = "weight",                                                             \
                            .type = LOSS_OPTION_ARRAY,                                                       \
                            .minimum = 0,                                                                    \
                            .maximum = 1e300,                                                                \
                            .doc = "one weight a class; empty: all 1"}
/* clang-format on */

#ifdef LOSSI_ONCE

static inline void lossi_prepare_classes(const lossi_options *values, lossi_prepared *prepared)
{
    const lossi_option_value *weight = lossi_options_own(values, LOSSI_CLASS_WEIGHT);
    prepared->target.low = 0; /* a distribution need not sum to 1, but has no negative part */
    prepared->ignore_label = lossi_options_own(values, LOSSI_IGNORE_LABEL)->integer;
    prepared->class_weight = weight->count > 0 ? weight->array : NULL;
    prepared->class_weights = weight->count;
}

/* Of a label, or of a distribution that sums to 1. */
static inline double lossi_largest_class_weight(const lossi_prepared *prepared)
{
    double largest = prepared->class_weight == NULL;
    for (int64_t j = 0; j < prepared->class_weights; j++) {
        largest = prepared->class_weight[j] > largest ? prepared->class_weight[j] : largest;
    }
    return largest;
}

#endif

#endif
